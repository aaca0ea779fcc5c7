//! Whose the artifacts of a bulk session are, where its list names no unit: `$expand` inside an `$expand` is promised nowhere.
//!
//! The list does name the restore points. So the points of the inputs' units are searched, in the window and with the
//! preference of the request: the service chose by the same search.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;

use super::came::{Came, End, ends_of};
use super::{Bulk, Unresolved};
use crate::backup::books::Outcome;
use crate::backup::part::Part;
use crate::backup::search::{Found, Prefer, Query};
use crate::backup::unit::UnitIndex;
use crate::backup::workload::Workload;
use crate::backup::{BackupError, Service};
use crate::graph::{GraphError, Json, Version};
use crate::instant;

/// So many units are searched before it is asked whether that was enough.
const AT_ONCE: usize = 200;

impl Service {
    /// Fills in whose the artifacts are, as far as it takes to say what became of each input: where all that failed are
    /// known, the others have succeeded. Each unit is searched once at most.
    pub(super) async fn tell_whose(
        &self,
        part: &Part,
        bulk: &mut Bulk,
        ends: &mut [End],
    ) -> Result<(), BackupError> {
        let lost: Vec<Unresolved> = bulk.unresolved.clone().unwrap_or_default();
        if !ends_of(&bulk.inputs, ends, &lost).contains(&Came::Untold) {
            return Ok(());
        }
        match self.look_whose(part, bulk, ends).await {
            // Not a reason to leave the books open: what cannot be told apart is booked so.
            Err(error) if error.graph().and_then(GraphError::service_error).is_some() => {
                let text = "whose the artifacts of a bulk restore are could not be looked up";
                self.talk.warn(&format!("{text}: {error}"));
                Ok(())
            }
            looked => looked,
        }
    }

    async fn look_whose(
        &self,
        part: &Part,
        bulk: &mut Bulk,
        ends: &mut [End],
    ) -> Result<(), BackupError> {
        let request = self.bulk_request_if_any(part, &bulk.id).await?;
        let Some(query) = request.and_then(|request| window(&request, part.version)) else {
            return Ok(());
        };
        let owned_by = part.workload.owned_by;
        self.learn_owners(owned_by, &mut bulk.inputs).await?;
        let index = async || self.unit_index(part.workload).await;
        let index = self.patiently(index).await?;
        let mut open = Open::of(ends, index, part.workload);
        let owners = bulk.inputs.iter().filter_map(|input| input.owner.as_ref());
        let mut units: Vec<String> = owners
            .filter(|owner| !open.knows(owner))
            .filter_map(|owner| index.by_owner(owner)?.string("id"))
            .collect();
        units.sort_unstable();
        units.dedup();
        if open.is_enough() || units.is_empty() {
            return Ok(());
        }
        self.talk.note(&format!(
            "session `{}` does not say whose {} of its artifacts are: searching the points of up to {}, in {} to {} requests",
            part.id,
            open.by_point.len(),
            part.workload.count(units.len()),
            units.len().div_ceil(20),
            units.len().div_ceil(5),
        ));
        for some in units.chunks(AT_ONCE) {
            let search = async || self.search(some.to_vec(), &query, &|_| ()).await;
            for (unit, found) in self.patiently(search).await? {
                if let Found::Point(point) = found
                    && let Some(point) = point.string("id")
                {
                    open.tell(&point, &unit, index, part.workload);
                }
            }
            if open.is_enough() {
                break;
            }
        }
        Ok(())
    }
}

/// The artifacts of which nobody has said whose they are.
struct Open<'a> {
    ends: &'a mut [End],
    by_point: HashMap<String, usize>,
    /// The owners that are known.
    told: HashSet<String>,
}

impl<'a> Open<'a> {
    fn of(ends: &'a mut [End], index: &UnitIndex, workload: &Workload) -> Self {
        let mut by_point = HashMap::new();
        for (at, end) in ends.iter_mut().enumerate() {
            if end.owner.is_some() || end.text.is_some() {
                continue;
            }
            if let Some(unit) = &end.unit {
                end.owner = owner_of(unit, index, workload);
            }
            if let (None, Some(point)) = (&end.owner, &end.point) {
                by_point.insert(point.id.clone(), at);
            }
        }
        let told = ends.iter().filter_map(|end| end.owner.clone()).collect();
        Self {
            ends,
            by_point,
            told,
        }
    }

    fn knows(&self, owner: &str) -> bool {
        self.told.contains(&owner.to_lowercase())
    }

    fn tell(&mut self, point: &str, unit: &str, index: &UnitIndex, workload: &Workload) {
        let Some(at) = self.by_point.remove(point) else {
            return;
        };
        let end = &mut self.ends[at];
        end.owner = owner_of(unit, index, workload);
        end.unit = Some(unit.to_owned());
    }

    /// Whether all that are left have succeeded.
    fn is_enough(&self) -> bool {
        let mut left = self.by_point.values();
        left.all(|&at| self.ends[at].outcome == Outcome::Succeeded)
    }
}

fn owner_of(unit: &str, index: &UnitIndex, workload: &Workload) -> Option<String> {
    let owner = index.by_id(unit)?.string(workload.owner)?;
    Some(owner.to_lowercase())
}

/// What the request told the service to choose by.
fn window(request: &Json, version: Option<Version>) -> Option<Query> {
    let period = request.property("protectionTimePeriod")?;
    let at = |name: &str| instant::parse(&period.string(name)?);
    let oldest = request.string("restorePointPreference").as_deref() == Some("oldest");
    let tags = request.string("tags");
    Some(Query {
        after: at("startDateTime"),
        // The window of a request counts its end in; "before" does not.
        before: at("endDateTime")? + SignedDuration::from_millis(1),
        prefer: if oldest {
            Prefer::Oldest
        } else {
            Prefer::Latest
        },
        tags: tags.filter(|tags| !tags.is_empty() && !tags.eq_ignore_ascii_case("none")),
        version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_that_of_the_request() {
        let request = |tags: &str| {
            Json::of(&serde_json::json!({
                "protectionTimePeriod": {"startDateTime": "2026-11-01T00:00:00Z", "endDateTime": "2026-11-20T00:00:00Z"},
                "restorePointPreference": "oldest",
                "tags": tags,
            }))
        };
        let query = window(&request("fastRestore"), None).unwrap();
        assert_eq!(query.before.to_string(), "2026-11-20T00:00:00.001Z");
        assert_eq!(query.after.unwrap().to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(query.prefer, Prefer::Oldest);
        assert_eq!(query.tags.as_deref(), Some("fastRestore"));
        assert_eq!(window(&request("none"), None).unwrap().tags, None);
        assert!(window(&Json::of(&serde_json::json!({})), None).is_none());
    }
}
