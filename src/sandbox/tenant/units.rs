//! Protection units: which mailbox, drive and site is protected since when.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Kind, Tenant};
use crate::sandbox::id::Name;
use crate::sandbox::workload::{Workload, numbered};

/// Whose drive, and which site, has a hundred thousand files.
const LARGE_DRIVE: u32 = 4;
const LARGE_SITE: u32 = 0;

/// A unit that exists, protected or not any more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sandbox) struct Unit {
    pub(in crate::sandbox) workload: &'static Workload,
    /// Position of its person or site.
    pub(in crate::sandbox) index: u32,
    pub(in crate::sandbox) protection: Protection,
}

/// The span in which restore points were made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sandbox) struct Protection {
    pub(in crate::sandbox) since: Timestamp,
    /// When protection ended, where it has.
    pub(in crate::sandbox) until: Option<Timestamp>,
    /// The number of its policy. A unit that has left has none, and no `policyId`.
    pub(in crate::sandbox) policy: Option<u32>,
    pub(in crate::sandbox) offboard: Offboard,
}

/// Whether its backup is to be deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::sandbox) enum Offboard {
    #[default]
    No,
    Requested(Timestamp),
    /// Taken back: when it was asked for, and when it was taken back.
    Cancelled(Timestamp, Timestamp),
}

/// How long protection takes to begin, and a unit to leave it.
const SETTLES: SignedDuration = SignedDuration::from_mins(15);
/// How long an offboarding can be taken back. No page gives a number.
const GRACE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What is special about a person. The first places of Finance and a few fixed people are set by hand, so that every
/// kind occurs in the default tenant of 100; beyond them it is dice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    No,
    Unprotected,
    NoMail,
    Newcomer,
    Left,
    LeftWithoutPoints,
    OnHold,
    OverQuota,
}

impl Unit {
    /// Its `status` at an instant: the member of the enum, and whether it stands behind the sentinel.
    pub(in crate::sandbox) fn status(&self, now: Timestamp) -> (&'static str, bool) {
        let Protection {
            since,
            until,
            policy,
            offboard,
        } = self.protection;
        match offboard {
            Offboard::Requested(at) if now < at + GRACE => return ("offboardRequested", true),
            Offboard::Requested(_) => return ("offboarded", true),
            Offboard::Cancelled(_, at) if now < at + SETTLES => {
                return ("cancelOffboardRequested", true);
            }
            Offboard::Cancelled(..) | Offboard::No => {}
        }
        let status = match (until, policy) {
            (Some(until), None) if now < until + SETTLES => "removeRequested",
            (Some(until), Some(_)) if now < until + SETTLES => "unprotectRequested",
            (Some(_), _) => "unprotected",
            (None, _) if now < since + SETTLES => "protectRequested",
            (None, _) => "protected",
        };
        (status, false)
    }

    /// The `status` as a caller is told it.
    pub(in crate::sandbox) fn status_for(
        &self,
        now: Timestamp,
        knows_future_members: bool,
    ) -> &'static str {
        match self.status(now) {
            (_, true) if !knows_future_members => "unknownFutureValue",
            (status, _) => status,
        }
    }
}

impl Tenant {
    fn special(&self, workload: &Workload, index: u32) -> Special {
        if workload.of_people {
            self.special_person(index)
        } else {
            self.special_site(index)
        }
    }

    fn special_person(&self, index: u32) -> Special {
        if index == LARGE_DRIVE {
            return Special::No;
        }
        if let Some(place) = self.finance_place(index).filter(|place| *place < 13) {
            return match place {
                5 => Special::Unprotected,
                7 => Special::NoMail,
                9 => Special::Newcomer,
                _ => Special::No,
            };
        }
        if self.finance_stride() == 8 && index < 8 {
            return match index {
                1 => Special::OnHold,
                2 => Special::OverQuota,
                3 => Special::Left,
                6 => Special::LeftWithoutPoints,
                7 => Special::Unprotected,
                _ => Special::No,
            };
        }
        if index >= self.users {
            return if index.is_multiple_of(3) {
                Special::Left
            } else {
                Special::No
            };
        }
        match self.dice(0xb1, u64::from(index)) % 1_000 {
            0..40 => Special::Unprotected,
            40..50 => Special::NoMail,
            50..80 => Special::Newcomer,
            80..95 => Special::Left,
            95..100 => Special::LeftWithoutPoints,
            100..110 => Special::OnHold,
            110..115 => Special::OverQuota,
            _ => Special::No,
        }
    }

    fn special_site(&self, index: u32) -> Special {
        match index {
            3 => Special::Unprotected,
            5 => Special::Left,
            11 => Special::Newcomer,
            12 => Special::OnHold,
            0..15 => Special::No,
            _ => match self.dice(0xb5, u64::from(index)) % 1_000 {
                0..60 => Special::Unprotected,
                60..80 => Special::Newcomer,
                80..95 => Special::Left,
                95..105 => Special::OnHold,
                _ => Special::No,
            },
        }
    }

    pub(super) fn has_no_mail(&self, index: u32) -> bool {
        self.special_person(index) == Special::NoMail
    }

    /// True where a preservation hold makes every restore of the unit fail.
    pub(in crate::sandbox) fn is_on_hold(&self, unit: &Unit) -> bool {
        self.special(unit.workload, unit.index) == Special::OnHold
    }

    /// True where the unit reports that its backup is over quota. Only Exchange has that error.
    pub(in crate::sandbox) fn is_over_quota(&self, unit: &Unit) -> bool {
        unit.workload.number == 0 && self.special(unit.workload, unit.index) == Special::OverQuota
    }

    /// True for the drive and the site that have a hundred thousand files. Both are protected, and can be browsed.
    pub(in crate::sandbox) fn is_large(unit: &Unit) -> bool {
        let large = if unit.workload.of_people {
            LARGE_DRIVE
        } else {
            LARGE_SITE
        };
        unit.workload.browsing.is_some() && unit.index == large
    }

    /// The seeded unit of the person or site at `index`; nothing where it was never protected.
    pub(in crate::sandbox) fn unit(&self, workload: &'static Workload, index: u32) -> Option<Unit> {
        if index >= self.positions(workload) {
            return None;
        }
        let special = self.special(workload, index);
        let dice = self.dice(0xb2 + u64::from(workload.number), u64::from(index));
        let minutes = i64::try_from(match special {
            Special::Unprotected => return None,
            // From a few minutes (no point on the grid yet, perhaps) to under a day.
            Special::Newcomer => [4, 25, 95, 600][usize::try_from(dice % 4).ok()?],
            _ => 45 * 1_440 + dice % (600 * 1_440),
        })
        .ok()?;
        let since = self.begun - SignedDuration::from_mins(minutes);
        let until = match special {
            Special::Left => Some(
                self.begun - SignedDuration::from_hours(24 * 5 + i64::try_from(dice % 24).ok()?),
            ),
            // It left before the first point was made.
            Special::LeftWithoutPoints => Some(since),
            _ => None,
        };
        let since = if special == Special::LeftWithoutPoints {
            since + SignedDuration::from_secs(1)
        } else {
            since
        };
        Some(Unit {
            workload,
            index,
            protection: Protection {
                since,
                until,
                policy: until.is_none().then_some(0),
                offboard: Offboard::No,
            },
        })
    }

    /// How many positions can have a unit of this workload.
    pub(in crate::sandbox) fn positions(&self, workload: &Workload) -> u32 {
        if workload.of_people {
            self.people()
        } else {
            self.sites()
        }
    }

    /// Seeded units of one workload from position `from` on, in order.
    #[cfg(test)]
    pub(in crate::sandbox) fn units(
        &self,
        workload: &'static Workload,
        from: u32,
    ) -> impl Iterator<Item = Unit> {
        (from..self.positions(workload)).filter_map(move |index| self.unit(workload, index))
    }

    pub(in crate::sandbox) fn unit_id(&self, unit: &Unit) -> Uuid {
        self.ids.make(unit.workload.unit_kind(), unit.index, 0)
    }

    /// Whose unit an id is that of: the position of a person or a site.
    pub(in crate::sandbox) fn place_of_unit(&self, id: Uuid) -> Option<(&'static Workload, u32)> {
        let Name {
            kind: Kind::Unit(number),
            index,
            slot: 0,
        } = self.ids.read(id)?
        else {
            return None;
        };
        Some((numbered(number)?, index))
    }

    /// The id of a policy. The seeded tenant has an active one (number 0) and an inactive one (number 1).
    pub(in crate::sandbox) fn policy_id(&self, workload: &Workload, number: u32) -> Uuid {
        self.ids.make(workload.policy_kind(), number, 0)
    }

    /// The number of the policy with this id, whether there is such a policy or not.
    pub(in crate::sandbox) fn policy_number(&self, workload: &Workload, id: Uuid) -> Option<u32> {
        let name = self.ids.read(id)?;
        (name.kind == workload.policy_kind() && name.slot == 0).then_some(name.index)
    }
}
