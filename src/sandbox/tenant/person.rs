//! People of the directory.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::names::Naming;
use super::{Kind, Tenant};
use crate::sandbox::workload::WORKLOADS;

pub(in crate::sandbox) const DOMAIN: &str = "contoso.example";

const DEPARTMENTS: [&str; 10] = [
    "Sales",
    "Engineering",
    "Marketing",
    "Operations",
    "Human Resources",
    "Legal",
    "Research",
    "Customer Support",
    "IT",
    "Procurement",
];
const TITLES: [&str; 6] = [
    "Analyst",
    "Specialist",
    "Manager",
    "Director",
    "Coordinator",
    "Consultant",
];
const OFFICES: [(&str, &str); 6] = [
    ("Oslo/2.14", "nb-NO"),
    ("São Paulo/7", "pt-BR"),
    ("Lagos/3.02", "en-NG"),
    ("Seattle/18-1111", "en-US"),
    ("Pune/4-A", "en-IN"),
    ("Kraków/1.20", "pl-PL"),
];

/// A person, derived from a position. Cheap to make; texts are made when asked for.
#[derive(Clone, Copy)]
pub(in crate::sandbox) struct Person<'tenant> {
    pub(in crate::sandbox) index: u32,
    tenant: &'tenant Tenant,
    naming: Naming<'tenant>,
}

impl Tenant {
    /// The person at `index`, who may be deleted.
    pub(in crate::sandbox) fn person(&self, index: u32) -> Person<'_> {
        Person {
            index,
            tenant: self,
            naming: self.names.of(index),
        }
    }

    /// The person in the directory with this id or user principal name.
    pub(in crate::sandbox) fn find_person(&self, id_or_upn: &str) -> Option<Person<'_>> {
        let index = match crate::sandbox::id::parse(id_or_upn) {
            Some(id) => self.index_of_person(id)?,
            None => self.index_of_address(id_or_upn)?,
        };
        let person = (index < self.users).then(|| self.person(index))?;
        let named = crate::sandbox::id::parse(id_or_upn).is_some()
            || person.upn().eq_ignore_ascii_case(id_or_upn);
        named.then_some(person)
    }

    /// The position of the person (also a deleted one) with this id.
    pub(in crate::sandbox) fn index_of_person(&self, id: Uuid) -> Option<u32> {
        let name = self.ids.read(id)?;
        let known = name.kind == Kind::User && name.slot == 0 && name.index < self.people();
        known.then_some(name.index)
    }

    /// The position of the person (also a deleted one) with this principal name or mail address.
    pub(in crate::sandbox) fn index_of_address(&self, address: &str) -> Option<u32> {
        let (local, domain) = address.rsplit_once('@')?;
        let index = domain
            .eq_ignore_ascii_case(DOMAIN)
            .then(|| self.names.find(local))
            .flatten()?;
        u32::try_from(index)
            .ok()
            .filter(|index| *index < self.people())
    }
}

impl<'tenant> Person<'tenant> {
    pub(in crate::sandbox) fn id(&self) -> Uuid {
        self.tenant.ids.make(Kind::User, self.index, 0)
    }

    pub(in crate::sandbox) fn given_name(&self) -> &'tenant str {
        self.naming.given
    }

    pub(in crate::sandbox) fn surname(&self) -> &'tenant str {
        self.naming.family
    }

    pub(in crate::sandbox) fn display_name(&self) -> String {
        format!("{} {}", self.naming.given, self.naming.family)
    }

    pub(in crate::sandbox) fn upn(&self) -> String {
        format!("{}@{DOMAIN}", self.naming.local('.'))
    }

    pub(in crate::sandbox) fn nickname(&self) -> String {
        self.naming.local('.')
    }

    /// The mail address. One in twenty differs from the principal name, and a few people have none.
    pub(in crate::sandbox) fn mail(&self) -> Option<String> {
        if self.tenant.has_no_mail(self.index) {
            return None;
        }
        let separator = if self.tenant.chance(0xa1, self.index, 5) {
            '_'
        } else {
            '.'
        };
        Some(format!("{}@{DOMAIN}", self.naming.local(separator)))
    }

    /// Every second person whose drive is not protected has never opened one.
    pub(in crate::sandbox) fn has_drive(&self) -> bool {
        let protected = self.tenant.unit(&WORKLOADS[1], self.index).is_some();
        protected || !self.tenant.chance(0xaa, self.index, 50)
    }

    /// When the drive was made, some days before it came under protection.
    pub(in crate::sandbox) fn drive_created(&self) -> Timestamp {
        let days = self.tenant.dice(0xab, u64::from(self.index)) % 900;
        let days = i64::try_from(days).expect("below 900");
        self.tenant.begun - SignedDuration::from_hours(24 * (700 + days))
    }

    pub(in crate::sandbox) fn department(&self) -> &'static str {
        if self.tenant.finance_place(self.index).is_some() {
            return "Finance";
        }
        pick(&DEPARTMENTS, self.tenant.dice(0xa2, u64::from(self.index)))
    }

    pub(in crate::sandbox) fn job_title(&self) -> &'static str {
        pick(&TITLES, self.tenant.dice(0xa3, u64::from(self.index)))
    }

    pub(in crate::sandbox) fn office(&self) -> &'static str {
        pick(&OFFICES, self.tenant.dice(0xa4, u64::from(self.index))).0
    }

    pub(in crate::sandbox) fn language(&self) -> &'static str {
        pick(&OFFICES, self.tenant.dice(0xa4, u64::from(self.index))).1
    }

    pub(in crate::sandbox) fn phone(&self) -> String {
        format!(
            "+1 425 555 {:04}",
            self.tenant.dice(0xa5, u64::from(self.index)) % 10_000
        )
    }

    /// Nine in ten phones are business phones; the rest carry a mobile.
    pub(in crate::sandbox) fn has_mobile(&self) -> bool {
        self.tenant.chance(0xa6, self.index, 10)
    }

    pub(in crate::sandbox) fn is_enabled(&self) -> bool {
        !self.tenant.chance(0xa7, self.index, 3)
    }

    pub(in crate::sandbox) fn is_licensed(&self) -> bool {
        !self.tenant.chance(0xa8, self.index, 4)
    }

    pub(in crate::sandbox) fn is_synced(&self) -> bool {
        self.tenant.chance(0xa9, self.index, 60)
    }
}

fn pick<T: Copy>(list: &[T], dice: u64) -> T {
    let count = u64::try_from(list.len()).expect("a usize fits 64 bits");
    list[usize::try_from(dice % count).expect("less than the length of a list")]
}
