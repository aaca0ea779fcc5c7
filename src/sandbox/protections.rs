//! Protection as it was changed: policies, and the units that joined or left them.
//!
//! A seeded unit is in policy 0 of its workload or in none, and only units that were moved are stored. Policies that do not
//! protect leave gaps between the restore points.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::access::By;
use super::broken::key;
use super::tenant::{Offboard, Point, Protection, Unit};
use super::workload::{WORKLOADS, Workload};

/// How long a policy is `updating`.
const SETTLES: SignedDuration = SignedDuration::from_mins(5);
/// Number 0 of each workload is active, number 1 is not.
const SEEDED: u32 = 2;

/// A span in which no restore points were made; both ends excluded.
type Gap = (Timestamp, Timestamp);

/// All policies, and the units that were moved.
pub(super) struct Protections {
    policies: BTreeMap<(u8, u32), Policy>,
    moved: HashMap<(u8, u32), Moved>,
}

/// A protection policy.
pub(super) struct Policy {
    pub(super) workload: &'static Workload,
    pub(super) number: u32,
    pub(super) display_name: String,
    /// How long weekly points are kept, where somebody has said so.
    pub(super) weekly: Option<String>,
    pub(super) created: (Timestamp, By),
    pub(super) modified: (Timestamp, By),
    /// Since when it does not protect, while it does not.
    stopped: Option<Timestamp>,
    /// The last change that takes a while.
    changed: Timestamp,
    gaps: Vec<Gap>,
    is_deleted: bool,
}

/// A unit that was added or removed.
struct Moved {
    protection: Protection,
    gaps: Vec<Gap>,
}

/// What a policy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PolicyStatus {
    Inactive,
    Updating,
    Active,
}

impl PolicyStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Updating => "updating",
            Self::Active => "active",
        }
    }
}

impl Policy {
    fn new(workload: &'static Workload, number: u32, name: String, at: Timestamp, by: By) -> Self {
        Self {
            workload,
            number,
            display_name: name,
            weekly: None,
            created: (at, by),
            modified: (at, by),
            stopped: Some(at),
            changed: Timestamp::MIN,
            gaps: Vec::new(),
            is_deleted: false,
        }
    }

    pub(super) fn status(&self, now: Timestamp) -> PolicyStatus {
        let updating = self.changed.saturating_add(SETTLES);
        match self.stopped {
            _ if updating.is_ok_and(|end| now < end) => PolicyStatus::Updating,
            Some(_) => PolicyStatus::Inactive,
            None => PolicyStatus::Active,
        }
    }

    /// True from the moment it is told to protect until it is told not to.
    pub(super) fn protects(&self) -> bool {
        self.stopped.is_none()
    }

    pub(super) fn touch(&mut self, now: Timestamp, by: By) {
        self.modified = (now, by);
    }

    /// A change after which it is `updating` for a while.
    pub(super) fn update(&mut self, now: Timestamp, by: By) {
        self.touch(now, by);
        self.changed = now;
    }

    pub(super) fn activate(&mut self, now: Timestamp, by: By) {
        if let Some(stopped) = self.stopped.take() {
            self.gaps.push((stopped, now));
        }
        self.update(now, by);
    }

    pub(super) fn deactivate(&mut self, now: Timestamp, by: By) {
        self.stopped = Some(now);
        self.update(now, by);
    }
}

impl Protections {
    pub(super) fn new(begun: Timestamp) -> Self {
        let seeded = WORKLOADS
            .iter()
            .flat_map(|workload| (0..SEEDED).map(move |number| (workload, number)));
        let policies = seeded.map(|(workload, number)| {
            let kind = if number == 0 { "protection" } else { "pilot" };
            let name = format!("{} {kind}", workload.name);
            let mut policy = Policy::new(workload, number, name, begun, By::APP);
            if number == 0 {
                policy.stopped = None;
            }
            ((workload.number, number), policy)
        });
        Self {
            policies: policies.collect(),
            moved: HashMap::new(),
        }
    }

    /// Policies that have not been deleted, workload by workload.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.values().filter(|policy| !policy.is_deleted)
    }

    pub(super) fn policy(&self, workload: &Workload, number: u32) -> Option<&Policy> {
        let policy = self.policies.get(&(workload.number, number))?;
        (!policy.is_deleted).then_some(policy)
    }

    pub(super) fn policy_mut(&mut self, workload: &Workload, number: u32) -> Option<&mut Policy> {
        let policy = self.policies.get_mut(&(workload.number, number))?;
        (!policy.is_deleted).then_some(policy)
    }

    /// Makes an inactive policy, and gives its number. Numbers are not used twice.
    pub(super) fn create(
        &mut self,
        workload: &'static Workload,
        name: String,
        now: Timestamp,
        by: By,
    ) -> u32 {
        let own = self.policies.keys().filter(|one| one.0 == workload.number);
        let number = own.map(|one| one.1 + 1).max().unwrap_or(SEEDED);
        let policy = Policy::new(workload, number, name, now, by);
        self.policies.insert((workload.number, number), policy);
        number
    }

    /// Takes a policy away; its units are in none after it.
    pub(super) fn delete(&mut self, workload: &Workload, number: u32) {
        if let Some(policy) = self.policy_mut(workload, number) {
            policy.is_deleted = true;
        }
    }

    /// The unit at a position as it is now, given what the seed says.
    pub(super) fn see(
        &self,
        workload: &'static Workload,
        index: u32,
        seeded: Option<Unit>,
    ) -> Option<Unit> {
        let moved = self.moved.get(&(workload.number, index));
        let mut protection = match moved {
            Some(moved) => moved.protection,
            None => seeded?.protection,
        };
        let policy = protection
            .policy
            .and_then(|number| self.policies.get(&(workload.number, number)));
        if let Some(policy) = policy {
            if let Some(stopped) = policy.stopped {
                // One that joined after it was stopped has no points at all.
                let joined = protection.since - SignedDuration::from_secs(1);
                protection.until = Some(stopped.max(joined));
            }
            if policy.is_deleted {
                protection.policy = None;
            }
        }
        Some(Unit {
            workload,
            index,
            protection,
        })
    }

    /// True where a policy protected the unit when the point was due.
    pub(super) fn covers(&self, point: &Point) -> bool {
        let unit = &point.unit;
        let moved = self.moved.get(&key(unit));
        let own = moved.into_iter().flat_map(|moved| &moved.gaps);
        let number = moved.map_or(Some(0), |moved| moved.protection.policy);
        let policy = number.and_then(|number| self.policies.get(&(unit.workload.number, number)));
        let shared = policy.into_iter().flat_map(|policy| &policy.gaps);
        let made = point.made();
        own.chain(shared)
            .all(|(from, to)| made <= *from || *to <= made)
    }

    /// Puts the person or site at `index` into a policy. `unit` is what it has been so far, if anything.
    pub(super) fn join(
        &mut self,
        workload: &'static Workload,
        index: u32,
        unit: Option<Unit>,
        policy: u32,
        now: Timestamp,
    ) {
        let moved = self.moved.remove(&(workload.number, index));
        let mut gaps = moved.map(|moved| moved.gaps).unwrap_or_default();
        let since = unit.map_or(now, |unit| unit.protection.since);
        let until = unit.and_then(|unit| unit.protection.until);
        gaps.extend(until.map(|until| (until, now)));
        let protection = Protection {
            since,
            until: None,
            policy: Some(policy),
            offboard: Offboard::No,
        };
        let key = (workload.number, index);
        self.moved.insert(key, Moved { protection, gaps });
    }

    /// Takes a unit out of its policy.
    pub(super) fn leave(&mut self, unit: &Unit, now: Timestamp) {
        let mut gaps = self.gaps_of(unit);
        let number = unit.protection.policy;
        let policy = number.and_then(|number| self.policies.get(&(unit.workload.number, number)));
        gaps.extend(policy.into_iter().flat_map(|policy| &policy.gaps));
        let protection = Protection {
            until: Some(unit.protection.until.unwrap_or(now)),
            policy: None,
            ..unit.protection
        };
        self.moved.insert(key(unit), Moved { protection, gaps });
    }

    /// Asks for its backup to be deleted, or takes that back.
    pub(super) fn offboard(&mut self, unit: &Unit, offboard: Offboard) {
        let gaps = self.gaps_of(unit);
        let protection = Protection {
            offboard,
            ..unit.protection
        };
        self.moved.insert(key(unit), Moved { protection, gaps });
    }

    fn gaps_of(&self, unit: &Unit) -> Vec<Gap> {
        let moved = self.moved.get(&key(unit));
        moved.map(|moved| moved.gaps.clone()).unwrap_or_default()
    }
}
