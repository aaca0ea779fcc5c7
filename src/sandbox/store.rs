//! What is stored: sessions, and what has been broken by hand. Everything else is computed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::id::{Kind, mix};
use super::refusals::{self, ArtifactError};
use super::session::{Artifact, Course, Destination, Session};
use super::tenant::{Point, Tenant, Unit};
use super::workload::Workload;

/// Restores that are queued or running at once, per workload.
pub(super) const IN_FLIGHT: usize = 1_000;

/// Sessions and broken things.
pub(super) struct Store {
    sessions: BTreeMap<u32, Session>,
    next_session: u32,
    searches: u32,
    /// Makes the session ids of two sandboxes with equal seeds differ: a client's journal may outlive a sandbox.
    nonce: u64,
    /// When the running restore of a unit ends.
    running: HashMap<(u8, u32), Timestamp>,
    /// When the restores that fill a workload's places end.
    in_flight: [BinaryHeap<Reverse<Timestamp>>; 3],
    pub(super) broken: Broken,
}

/// What the service lets its tenant do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ServiceStatus {
    Disabled,
    #[default]
    Enabled,
    ProtectionChangeLocked,
    RestoreLocked,
}

impl ServiceStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::ProtectionChangeLocked => "protectionChangeLocked",
            Self::RestoreLocked => "restoreLocked",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Disabled,
            Self::Enabled,
            Self::ProtectionChangeLocked,
            Self::RestoreLocked,
        ];
        all.into_iter().find(|status| status.name() == text)
    }

    pub(super) fn allows_restores(self) -> bool {
        matches!(self, Self::Enabled | Self::ProtectionChangeLocked)
    }
}

/// What `/_sandbox/break` did.
#[derive(Default)]
pub(super) struct Broken {
    pub(super) service_status: ServiceStatus,
    units: HashSet<(u8, u32)>,
    points: HashSet<(u8, u32, i64)>,
    holds: HashSet<(u8, u32)>,
    /// What `serviceApps` says of the app; nothing: active.
    pub(super) service_app: Option<&'static str>,
    /// Why the service is locked or disabled, where that was said.
    pub(super) disable_reason: Option<&'static str>,
    /// The ends of the grace period and of the time in which restores are allowed.
    pub(super) grace_ends: Option<Timestamp>,
    pub(super) restores_end: Option<Timestamp>,
    /// No restore fails by chance any more. Which ones do depends on the points, and so on the day.
    pub(super) no_chance: bool,
}

impl Broken {
    pub(super) fn lose_unit(&mut self, unit: &Unit) {
        self.units.insert(key(unit));
    }

    pub(super) fn lose_point(&mut self, point: &Point) {
        self.points
            .insert((point.unit.workload.number, point.unit.index, point.slot));
    }

    pub(super) fn hold(&mut self, unit: &Unit) {
        self.holds.insert(key(unit));
    }

    pub(super) fn has_unit(&self, unit: &Unit) -> bool {
        !self.units.contains(&key(unit))
    }

    /// True where the point itself was not lost; its unit may be.
    pub(super) fn has_point(&self, point: &Point) -> bool {
        !self
            .points
            .contains(&(point.unit.workload.number, point.unit.index, point.slot))
    }

    fn holds(&self, unit: &Unit) -> bool {
        self.holds.contains(&key(unit))
    }
}

fn key(unit: &Unit) -> (u8, u32) {
    (unit.workload.number, unit.index)
}

impl Store {
    pub(super) fn new(nonce: u64) -> Self {
        Self {
            sessions: BTreeMap::new(),
            next_session: 0,
            searches: 0,
            nonce,
            running: HashMap::new(),
            in_flight: Default::default(),
            broken: Broken::default(),
        }
    }

    pub(super) fn create(
        &mut self,
        workload: &'static Workload,
        app_id: &str,
        now: Timestamp,
    ) -> &mut Session {
        let serial = self.next_session;
        self.next_session += 1;
        self.sessions.entry(serial).or_insert_with(|| Session {
            serial,
            workload,
            app_id: app_id.to_owned(),
            created: now,
            modified: now,
            activated: None,
            artifacts: Vec::new(),
            next_artifact: 0,
        })
    }

    /// The number of the next search.
    pub(super) fn next_search(&mut self) -> u32 {
        self.searches = self.searches.wrapping_add(1);
        self.searches
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// Sessions from serial `from` on.
    pub(super) fn sessions_from(&self, from: u32) -> impl Iterator<Item = &Session> {
        self.sessions.range(from..).map(|(_, session)| session)
    }

    pub(super) fn session(&self, serial: u32) -> Option<&Session> {
        self.sessions.get(&serial)
    }

    pub(super) fn session_mut(&mut self, serial: u32) -> Option<&mut Session> {
        self.sessions.get_mut(&serial)
    }

    pub(super) fn remove(&mut self, serial: u32) {
        self.sessions.remove(&serial);
    }

    pub(super) fn active(&self, now: Timestamp) -> usize {
        self.sessions
            .values()
            .filter(|session| session.is_active(now))
            .count()
    }

    pub(super) fn session_id(&self, tenant: &Tenant, session: &Session) -> Uuid {
        tenant
            .ids
            .make(Kind::Session, session.serial, self.nonce & 0xff_ffff_ffff)
    }

    pub(super) fn artifact_id(
        &self,
        tenant: &Tenant,
        session: &Session,
        artifact: &Artifact,
    ) -> Uuid {
        tenant.ids.make(
            Kind::Artifact,
            session.serial,
            self.artifact_slot(artifact.serial),
        )
    }

    fn artifact_slot(&self, serial: u32) -> u64 {
        (self.nonce & 0xffff) << 24 | u64::from(serial) & 0xff_ffff
    }

    /// The serial of the session with this id, whether it still exists or not.
    pub(super) fn session_serial(&self, tenant: &Tenant, id: Uuid) -> Option<u32> {
        let name = tenant.ids.read(id)?;
        (name.kind == Kind::Session && name.slot == self.nonce & 0xff_ffff_ffff)
            .then_some(name.index)
    }

    /// The position of the artifact with this id in its session.
    pub(super) fn artifact_place(
        &self,
        tenant: &Tenant,
        session: &Session,
        id: Uuid,
    ) -> Option<usize> {
        let name = tenant.ids.read(id)?;
        let ours = name.kind == Kind::Artifact && name.index == session.serial;
        ours.then(|| {
            session
                .artifacts
                .iter()
                .position(|one| self.artifact_slot(one.serial) == name.slot)
        })
        .flatten()
    }

    /// Activates a draft: settles the course of each artifact. Returns how many found all places taken and queue.
    pub(super) fn activate(&mut self, tenant: &Tenant, serial: u32, now: Timestamp) -> usize {
        let Some(session) = self.sessions.get_mut(&serial) else {
            return 0;
        };
        session.activated = Some(now);
        session.modified = now;
        let places = &mut self.in_flight[usize::from(session.workload.number)];
        while places.peek().is_some_and(|Reverse(ended)| *ended <= now) {
            places.pop();
        }
        let mut queued = 0;
        for artifact in &mut session.artifacts {
            let dice = mix(
                tenant.dice(0xd1, u64::from(serial)),
                u64::from(artifact.serial),
            );
            let unit = key(&artifact.point.unit);
            let error = if self.running.get(&unit).is_some_and(|ended| now < *ended) {
                Some(refusals::ALREADY_RESTORING)
            } else {
                failure(tenant, &self.broken, &artifact.point, now)
            };
            let place = if places.len() < IN_FLIGHT {
                now
            } else {
                queued += 1;
                places.pop().map_or(now, |Reverse(ended)| ended.max(now))
            };
            let course = course(dice, now, place, artifact.destination, error);
            places.push(Reverse(course.ended));
            if error != Some(refusals::ALREADY_RESTORING) {
                self.running.insert(unit, course.ended);
            }
            artifact.course = Some(course);
        }
        queued
    }
}

/// Why the restore of a point will fail, where it will.
fn failure(
    tenant: &Tenant,
    broken: &Broken,
    point: &Point,
    now: Timestamp,
) -> Option<ArtifactError> {
    if !broken.has_unit(&point.unit) || !broken.has_point(point) {
        return Some(refusals::ARTIFACT_NOT_FOUND);
    }
    if point.expires() <= now {
        return Some(refusals::INVALID_RESTORE_TIME);
    }
    if tenant.is_on_hold(&point.unit) || broken.holds(&point.unit) {
        return Some(refusals::CANNOT_BE_RESTORED);
    }
    if broken.no_chance {
        return None;
    }
    let dice = tenant.dice(
        0xd2 + u64::from(point.unit.workload.number),
        u64::from(point.unit.index),
    );
    match mix(dice, point.slot.unsigned_abs()) % 1_000 {
        0..6 => Some(refusals::UNKNOWN_ERROR),
        6..8 => Some(refusals::ARTIFACT_NOT_FOUND),
        8..10 => Some(refusals::CANNOT_BE_RESTORED),
        _ => None,
    }
}

/// Scheduling takes seconds, a restore 2 to 20 minutes, a failure under a minute. `place` is when one of the workload's
/// thousand places is free: until then the artifact stays scheduled.
fn course(
    dice: u64,
    now: Timestamp,
    place: Timestamp,
    destination: Destination,
    error: Option<ArtifactError>,
) -> Course {
    let part =
        |number: u64, range: u64| i64::try_from(mix(dice, number) % range).unwrap_or_default();
    let scheduled = now + SignedDuration::from_secs(2 + part(1, 4));
    let started = scheduled.max(place) + SignedDuration::from_secs(1 + part(2, 5));
    let ended = started
        + match error {
            Some(_) => SignedDuration::from_secs(5 + part(3, 40)),
            None => SignedDuration::from_secs(120 + part(3, 1_080)),
        };
    let details = match destination {
        Destination::New => ended + SignedDuration::from_secs(part(4, 900)),
        Destination::InPlace => started,
    };
    let items = u32::try_from(mix(dice, 5) % 20_000).unwrap_or_default();
    Course {
        scheduled,
        started,
        ended,
        details,
        error,
        items,
    }
}
