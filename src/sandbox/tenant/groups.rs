//! The groups of the tenant. Membership is arithmetic on positions: `count` members, the n-th of which is computed.

use uuid::Uuid;

use super::{Kind, Tenant};

/// One member of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Member {
    User(u32),
    Group(u32),
    Device(u32),
}

/// A group; its position in [`GROUPS`] is part of its id.
#[derive(Debug)]
pub(in crate::sandbox) struct Group {
    pub(in crate::sandbox) number: u32,
    pub(in crate::sandbox) name: &'static str,
    pub(in crate::sandbox) about: &'static str,
    members: fn(&Tenant) -> Vec<Member>,
}

pub(in crate::sandbox) static GROUPS: [Group; 7] = [
    Group {
        number: 0,
        name: "Finance",
        about: "Everybody who touches the books",
        members: finance,
    },
    Group {
        number: 1,
        name: "Everyone",
        about: "All employees",
        members: everyone,
    },
    Group {
        number: 2,
        name: "Executives",
        about: "The executive team",
        members: executives,
    },
    Group {
        number: 3,
        name: "Project X",
        about: "The first Project X",
        members: project_x,
    },
    Group {
        number: 4,
        name: "Project X",
        about: "The second Project X",
        members: other_project_x,
    },
    Group {
        number: 5,
        name: "Nobody",
        about: "Kept for its address",
        members: nobody,
    },
    Group {
        number: 6,
        name: "Finance EMEA",
        about: "Finance in Europe, the Middle East and Africa",
        members: finance_emea,
    },
];

/// The nested group in `Finance`.
const FINANCE_EMEA: u32 = 6;

impl Tenant {
    pub(in crate::sandbox) fn group_id(&self, number: u32) -> Uuid {
        self.ids.make(Kind::Group, number, 0)
    }

    pub(in crate::sandbox) fn device_id(&self, number: u32) -> Uuid {
        self.ids.make(Kind::Device, number, 0)
    }

    pub(in crate::sandbox) fn find_group(&self, id: Uuid) -> Option<&'static Group> {
        let name = self
            .ids
            .read(id)
            .filter(|name| name.kind == Kind::Group && name.slot == 0)?;
        GROUPS.get(usize::try_from(name.index).ok()?)
    }

    /// The direct members.
    pub(in crate::sandbox) fn members(&self, group: &Group) -> Vec<Member> {
        (group.members)(self)
    }

    /// Every how many people one is in Finance: 12.5%, or more where that would be fewer than twelve.
    pub(super) fn finance_stride(&self) -> u32 {
        (self.users / 12).clamp(1, 8)
    }

    /// Which member of Finance a person is, counted from 0.
    pub(super) fn finance_place(&self, index: u32) -> Option<u32> {
        let stride = self.finance_stride();
        (index < self.users && index.is_multiple_of(stride)).then(|| index / stride)
    }
}

fn finance(tenant: &Tenant) -> Vec<Member> {
    let stride = usize::try_from(tenant.finance_stride()).expect("at most 8");
    let people = (0..tenant.users).step_by(stride).map(Member::User);
    people
        .chain([Member::Group(FINANCE_EMEA), Member::Device(0)])
        .collect()
}

// One of its people is also a direct member of Finance: whoever adds the two lists counts them twice.
fn finance_emea(tenant: &Tenant) -> Vec<Member> {
    let stride = tenant.finance_stride();
    let own = (0..4).map(|place| place * stride + stride / 2 + 1);
    own.chain([stride])
        .filter(|index| *index < tenant.users)
        .map(Member::User)
        .collect()
}

fn everyone(tenant: &Tenant) -> Vec<Member> {
    (0..tenant.users).map(Member::User).collect()
}

fn executives(tenant: &Tenant) -> Vec<Member> {
    (4..tenant.users)
        .step_by(11)
        .take(6)
        .map(Member::User)
        .collect()
}

fn project_x(tenant: &Tenant) -> Vec<Member> {
    (3..tenant.users)
        .step_by(7)
        .take(8)
        .map(Member::User)
        .collect()
}

fn other_project_x(tenant: &Tenant) -> Vec<Member> {
    (6..tenant.users)
        .step_by(9)
        .take(5)
        .map(Member::User)
        .chain([Member::Device(1)])
        .collect()
}

fn nobody(_: &Tenant) -> Vec<Member> {
    Vec::new()
}
