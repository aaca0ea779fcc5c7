//! What was broken by hand, through `/_sandbox/break`.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::tenant::{Group, Member, Point, Unit};

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
    /// Who has joined a group (true) or left it: (number of the group, index of the person).
    moved: BTreeMap<(u32, u32), bool>,
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

    pub(super) fn join(&mut self, group: &Group, person: u32, joins: bool) {
        self.moved.insert((group.number, person), joins);
    }

    /// The members of a group, given those that it began with.
    pub(super) fn members(&self, group: &Group, mut members: Vec<Member>) -> Vec<Member> {
        let of_group = self
            .moved
            .range((group.number, 0)..=(group.number, u32::MAX));
        for ((_, person), joins) in of_group {
            let member = Member::User(*person);
            members.retain(|other| *other != member);
            if *joins {
                members.push(member);
            }
        }
        members
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

    pub(super) fn holds(&self, unit: &Unit) -> bool {
        self.holds.contains(&key(unit))
    }
}

/// What a unit is known by: its workload and its position.
pub(super) fn key(unit: &Unit) -> (u8, u32) {
    (unit.workload.number, unit.index)
}
