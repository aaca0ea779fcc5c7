//! What is stored: sessions, and what differs from the seed. Everything else is computed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use jiff::Timestamp;
use uuid::Uuid;

use super::access::By;
use super::broken::key;
use super::browse::{self, BrowseSession};
use super::fate::{collision, course, failure};
use super::id::{Kind, mix};
use super::operations::Notifications;
use super::present::Present;
use super::refusals;
use super::service_apps::ServiceApps;
use super::session::{Artifact, Conflict, Job, Session, Wanted, What};
use super::tenant::{Point, Tenant, Unit};
use super::workload::Workload;

/// Restores that are queued or running at once, per workload.
pub(super) const IN_FLIGHT: usize = 1_000;

/// Sessions, and what differs from the seed.
pub(super) struct Store {
    sessions: BTreeMap<u32, Session>,
    next_session: u32,
    browse_sessions: BTreeMap<u32, BrowseSession>,
    next_browse: u32,
    /// What the searches for mails were about.
    mail_searches: BTreeMap<u32, MailSearch>,
    /// Makes the session ids of two sandboxes with equal seeds differ: a client's journal may outlive a sandbox.
    nonce: u64,
    /// When the running restore of a unit ends.
    running: HashMap<(u8, u32), Timestamp>,
    /// When the restores that fill a workload's places end.
    in_flight: [BinaryHeap<Reverse<Timestamp>>; 3],
    pub(super) present: Present,
    pub(super) service_apps: ServiceApps,
    pub(super) notifications: Notifications,
}

/// Tells the id of a search for mails from that of a plain one.
const MAIL_SEARCH: u64 = 1 << 39;

/// A search with an `artifactQuery`: the mails of one mailbox.
pub(super) struct MailSearch {
    pub(super) unit: Unit,
    /// The query, mixed into a number.
    pub(super) query: u64,
}

impl MailSearch {
    /// How many mails of a point it finds.
    pub(super) fn hits(&self, point: &Point) -> u32 {
        let dice = mix(self.query, u64::from(point.unit.index));
        u32::try_from(mix(dice, point.slot.unsigned_abs()) % 250).expect("below 250")
    }
}

impl Store {
    pub(super) fn new(nonce: u64, begun: Timestamp) -> Self {
        Self {
            sessions: BTreeMap::new(),
            next_session: 0,
            browse_sessions: BTreeMap::new(),
            next_browse: 0,
            mail_searches: BTreeMap::new(),
            nonce,
            running: HashMap::new(),
            in_flight: Default::default(),
            present: Present::new(begun),
            service_apps: ServiceApps::new(begun),
            notifications: Notifications::default(),
        }
    }

    pub(super) fn nonce(&self) -> u64 {
        self.nonce
    }

    pub(super) fn create(
        &mut self,
        workload: &'static Workload,
        by: By,
        now: Timestamp,
    ) -> &mut Session {
        let serial = self.next_session;
        self.next_session += 1;
        self.sessions.entry(serial).or_insert_with(|| Session {
            serial,
            workload,
            by,
            created: now,
            modified: now,
            activated: None,
            job: Job::default(),
            conflict: Conflict::default(),
            policy: None,
            bulk: None,
            resolved: None,
            artifacts: Vec::new(),
            next_artifact: 0,
        })
    }

    /// Opens a browse session on a point. Those whose life is over are let go.
    pub(super) fn browse(
        &mut self,
        tenant: &Tenant,
        point: Point,
        now: Timestamp,
    ) -> &BrowseSession {
        self.browse_sessions
            .retain(|_, session| !session.is_over(now));
        let serial = self.next_browse;
        self.next_browse += 1;
        let session = BrowseSession::new(tenant, &self.present, serial, point, now);
        self.browse_sessions.entry(serial).or_insert(session)
    }

    /// Browse sessions from serial `from` on.
    pub(super) fn browse_sessions(
        &self,
        from: u32,
        now: Timestamp,
    ) -> impl Iterator<Item = &BrowseSession> {
        let sessions = self
            .browse_sessions
            .range(from..)
            .map(|(_, session)| session);
        sessions.filter(move |session| !session.is_over(now))
    }

    pub(super) fn browse_session(&self, serial: u32, now: Timestamp) -> Option<&BrowseSession> {
        self.browse_sessions
            .get(&serial)
            .filter(|session| !session.is_over(now))
    }

    pub(super) fn browse_id(&self, tenant: &Tenant, session: &BrowseSession) -> String {
        self.browse_id_of(tenant, session.serial)
    }

    /// The id that a browse session had, also after its life.
    pub(super) fn browse_id_of(&self, tenant: &Tenant, serial: u32) -> String {
        browse::id_of(tenant, serial, self.nonce & 0xff_ffff_ffff)
    }

    /// The browse session with this id, while it lives.
    pub(super) fn find_browse_session(
        &self,
        tenant: &Tenant,
        id: &str,
        now: Timestamp,
    ) -> Option<&BrowseSession> {
        let serial = browse::serial_of(tenant, id, self.nonce & 0xff_ffff_ffff)?;
        self.browse_session(serial, now)
    }

    /// Keeps a search for mails, and gives its serial.
    pub(super) fn keep_search(&mut self, search: MailSearch) -> u32 {
        let serial = self
            .mail_searches
            .last_key_value()
            .map_or(0, |(serial, _)| serial + 1);
        self.mail_searches.insert(serial, search);
        serial
    }

    /// The `searchResponseId` of a kept search.
    pub(super) fn search_id(&self, tenant: &Tenant, serial: u32) -> String {
        let slot = self.nonce & 0x7f_ffff_ffff | MAIL_SEARCH;
        let id = tenant.ids.make(Kind::Search, serial, slot);
        id.simple().to_string()
    }

    /// The kept search with this `searchResponseId`.
    pub(super) fn find_search(&self, tenant: &Tenant, id: &str) -> Option<(u32, &MailSearch)> {
        let name = tenant.ids.read(Uuid::try_parse(id).ok()?)?;
        let search = self.mail_searches.get(&name.index)?;
        (self.search_id(tenant, name.index) == id).then_some((name.index, search))
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
        self.session_id_as(tenant, Kind::Session, session)
    }

    /// The id of something that a session has one of.
    pub(super) fn session_id_as(&self, tenant: &Tenant, kind: Kind, session: &Session) -> Uuid {
        let slot = self.nonce & 0xff_ffff_ffff;
        tenant.ids.make(kind, session.serial, slot)
    }

    /// The id of an artifact: of an item, its key.
    pub(super) fn artifact_id(
        &self,
        tenant: &Tenant,
        session: &Session,
        artifact: &Artifact,
    ) -> String {
        if let What::Item(node) = artifact.what {
            return tenant.tree(&artifact.point).key(node);
        }
        let slot = self.artifact_slot(artifact.serial);
        let id = tenant.ids.make(Kind::Artifact, session.serial, slot);
        id.to_string()
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
        id: &str,
    ) -> Option<usize> {
        if session.job == Job::Granular && session.workload.browsing.is_some() {
            return session.artifacts.iter().position(|one| {
                let node = tenant.node(&one.point.unit, id);
                node.is_some_and(|node| one.what == What::Item(node))
            });
        }
        let name = tenant.ids.read(super::id::parse(id)?)?;
        let ours = name.kind == Kind::Artifact && name.index == session.serial;
        ours.then(|| {
            session
                .artifacts
                .iter()
                .position(|one| self.artifact_slot(one.serial) == name.slot)
        })
        .flatten()
    }

    /// Activates a draft: resolves its bulk request, settles the course of each artifact. Returns how many found all places
    /// taken and queue.
    pub(super) fn activate(&mut self, tenant: &Tenant, serial: u32, now: Timestamp) -> usize {
        let Some(session) = self.sessions.get_mut(&serial) else {
            return 0;
        };
        session.activated = Some(now);
        session.modified = now;
        let mut from = now;
        if let Some(mut bulk) = session.bulk.take() {
            let points = bulk.resolve(tenant, &self.present, now);
            from = bulk.resolved().unwrap_or(now);
            session.resolved = Some(from);
            for point in points {
                session.add(Wanted {
                    point,
                    what: What::Whole,
                    browse: None,
                    destination: bulk.destination,
                });
            }
            session.bulk = Some(bulk);
        }
        let places = &mut self.in_flight[usize::from(session.workload.number)];
        while places.peek().is_some_and(|Reverse(ended)| *ended <= from) {
            places.pop();
        }
        let mut queued = 0;
        let conflict = session.conflict;
        for artifact in &mut session.artifacts {
            let dice = mix(
                tenant.dice(0xd1, u64::from(serial)),
                u64::from(artifact.serial),
            );
            if artifact.what != What::Whole {
                // Single items take no place, and nobody waits for them.
                let error = failure(tenant, &self.present, &artifact.point, now)
                    .or_else(|| collision(tenant, artifact, conflict, now));
                artifact.course = Some(course(dice, from, from, artifact, error));
                continue;
            }
            let unit = key(&artifact.point.unit);
            let error = if self.running.get(&unit).is_some_and(|ended| now < *ended) {
                Some(refusals::ALREADY_RESTORING)
            } else {
                failure(tenant, &self.present, &artifact.point, now)
            };
            let place = if places.len() < IN_FLIGHT {
                from
            } else {
                queued += 1;
                places.pop().map_or(from, |Reverse(ended)| ended.max(from))
            };
            let course = course(dice, from, place, artifact, error);
            places.push(Reverse(course.ended));
            if error != Some(refusals::ALREADY_RESTORING) {
                self.running.insert(unit, course.ended);
            }
            artifact.course = Some(course);
        }
        queued
    }
}
