//! The seeded tenant: who is in it, what is protected, which restore points exist.
//!
//! Everything is a function of the seed, the number of users and a position; nothing is stored. People `0..users` are in
//! the directory; the positions after them are people who were deleted but whose units still exist.

mod files;
mod groups;
mod names;
mod person;
mod points;
mod sites;
mod units;

use jiff::Timestamp;
use uuid::Uuid;

use super::id::{Ids, Kind, mix};

pub(super) use files::{Node, Tree};
pub(super) use groups::{GROUPS, Group, Member};
pub(super) use person::{DOMAIN, Person};
pub(super) use points::{Point, Window};
pub(super) use sites::{HOST, Place, Site};
pub(super) use units::{Offboard, Protection, Unit};

/// One tenant.
pub(super) struct Tenant {
    pub(super) ids: Ids,
    users: u32,
    seed: u64,
    /// When the sandbox began: protection times count back from here.
    begun: Timestamp,
    names: names::Names,
}

impl Tenant {
    pub(super) fn new(seed: u64, users: u32, begun: Timestamp) -> Self {
        let users = users.min(MAX_USERS);
        let names = names::Names::new(mix(seed, 0x4e), users + deleted(users));
        Self {
            ids: Ids::new(seed),
            users,
            seed,
            begun,
            names,
        }
    }

    pub(super) fn tenant_id(&self) -> Uuid {
        self.ids.make(Kind::Tenant, 0, 0)
    }

    /// People in the directory.
    pub(super) fn users(&self) -> u32 {
        self.users
    }

    /// People in the directory and deleted ones.
    pub(super) fn people(&self) -> u32 {
        self.users + deleted(self.users)
    }

    pub(super) fn sites(&self) -> u32 {
        self.users / 10 + 5
    }

    /// A seeded random number for one thing (`value`) in one respect (`about`).
    pub(super) fn dice(&self, about: u64, value: u64) -> u64 {
        mix(mix(self.seed, about), value)
    }

    /// True for about `percent` of all values.
    fn chance(&self, about: u64, value: u32, percent: u64) -> bool {
        self.dice(about, u64::from(value)) % 1_000 < percent * 10
    }
}

/// More would not fit the index of an id together with the deleted people.
const MAX_USERS: u32 = 10_000_000;

fn deleted(users: u32) -> u32 {
    (users / 50).max(2)
}
