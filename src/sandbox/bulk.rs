//! Bulk addition requests: thousands of addresses that become artifacts once their session is activated.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::access::By;
use super::id;
use super::operations::is_fast_only;
use super::present::Present;
use super::session::Destination;
use super::tenant::{Point, Tenant, Unit, Window};
use super::workload::Workload;

/// Inputs that are resolved in a second of service time.
const RESOLVED_PER_SECOND: usize = 100;

/// The one bulk request of a session.
pub(super) struct Bulk {
    pub(super) workload: &'static Workload,
    pub(super) by: By,
    pub(super) created: Timestamp,
    pub(super) display_name: Option<String>,
    pub(super) destination: Destination,
    pub(super) window: Window,
    pub(super) oldest: bool,
    /// The flags as they were sent.
    pub(super) tags: Option<String>,
    /// Not given back by any call, and let go when they have been resolved.
    pub(super) inputs: Vec<Input>,
    pub(super) resolution: Option<Resolution>,
}

/// One thing to restore, as the caller named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    Address(String),
    /// The id of a person or a site.
    Id(String),
}

/// What became of the inputs.
pub(super) struct Resolution {
    pub(super) at: Timestamp,
    pub(super) asked: usize,
    pub(super) unresolved: Vec<Unresolved>,
}

/// An input without an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved {
    pub(super) target: String,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Bulk {
    /// The member as it is sent.
    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        match &self.resolution {
            Some(resolution) if now < resolution.at => "active",
            Some(resolution) if resolution.unresolved.is_empty() => "completed",
            Some(_) => "completedWithErrors",
            None => "active",
        }
    }

    pub(super) fn resolved(&self) -> Option<Timestamp> {
        self.resolution.as_ref().map(|resolution| resolution.at)
    }

    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.resolved().is_some_and(|resolved| resolved <= now)
    }

    /// Inputs that turned out to have no artifact, as far as that is known.
    pub(super) fn unresolved(&self, now: Timestamp) -> &[Unresolved] {
        match &self.resolution {
            Some(resolution) if resolution.at <= now => &resolution.unresolved,
            _ => &[],
        }
    }

    /// How many inputs there were.
    pub(super) fn asked(&self) -> usize {
        let resolved = self.resolution.as_ref();
        resolved.map_or(self.inputs.len(), |resolution| resolution.asked)
    }

    /// Finds a point for every input; one that is named twice is restored once.
    pub(super) fn resolve(
        &mut self,
        tenant: &Tenant,
        present: &Present,
        now: Timestamp,
    ) -> Vec<Point> {
        let inputs = std::mem::take(&mut self.inputs);
        let asked = inputs.len();
        let mut points = Vec::with_capacity(asked);
        let mut seen = HashSet::new();
        let mut unresolved = Vec::new();
        for input in inputs {
            let unit = self
                .place(tenant, &input)
                .and_then(|index| present.unit(tenant, self.workload, index));
            let Some(unit) = unit else {
                unresolved.push(self.not_backed_up(input));
                continue;
            };
            if !seen.insert(unit.index) {
                continue;
            }
            match self.point(tenant, present, unit, now) {
                Some(point) => points.push(point),
                None => unresolved.push(no_point(input)),
            }
        }
        let seconds = i64::try_from(2 + asked / RESOLVED_PER_SECOND).unwrap_or(i64::MAX);
        self.resolution = Some(Resolution {
            at: now + SignedDuration::from_secs(seconds),
            asked,
            unresolved,
        });
        points
    }

    /// The position of the person or site that an input names.
    fn place(&self, tenant: &Tenant, input: &Input) -> Option<u32> {
        match (input, self.workload.of_people) {
            // The address of somebody who has been deleted leads nowhere any more.
            (Input::Address(address), true) => tenant
                .index_of_address(address)
                .filter(|index| *index < tenant.users()),
            (Input::Address(url), false) => tenant.find_site_by_url(url).map(|site| site.index),
            (Input::Id(id), true) => tenant.index_of_person(id::parse(id)?),
            (Input::Id(id), false) => tenant.find_site(id).map(|site| site.index),
        }
    }

    fn point(
        &self,
        tenant: &Tenant,
        present: &Present,
        unit: Unit,
        now: Timestamp,
    ) -> Option<Point> {
        let fast = is_fast_only(self.tags.as_deref().unwrap_or_default());
        let fits = |point: &Point| present.has_point(point) && (!fast || tenant.is_fast(point));
        let mut points = unit.points(self.window, now).filter(fits);
        if self.oldest {
            points.next()
        } else {
            points.next_back()
        }
    }

    // The error page names the code for people; that for sites is formed after it.
    fn not_backed_up(&self, input: Input) -> Unresolved {
        let of_people = self.workload.of_people;
        let (kind, target) = match input {
            Input::Address(address) if of_people => ("Email address", address),
            Input::Address(url) => ("Site URL", url),
            Input::Id(id) if of_people => ("Directory object ID", id),
            Input::Id(id) => ("Site ID", id),
        };
        Unresolved {
            code: if of_people {
                "UserNotBackedup"
            } else {
                "SiteNotBackedup"
            },
            message: format!("{kind} '{target}' has not been backed up"),
            target,
        }
    }
}

// No page names a code for this.
fn no_point(input: Input) -> Unresolved {
    let (Input::Address(target) | Input::Id(target)) = input;
    Unresolved {
        code: "RestorePointNotFound",
        message: format!("No restore point was found for '{target}' in the given time period"),
        target,
    }
}
