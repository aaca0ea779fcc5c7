//! `POST /restorePoints/search`: twenty units go in, five points come out.
//!
//! The documentation promises five points in all, whatever the number of units. Which units are answered is dice here,
//! so that a client that takes silence for "no restore point" is found out.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::{Call, only};
use crate::sandbox::id::{Kind, mix, parse};
use crate::sandbox::json::Object;
use crate::sandbox::store::MailSearch;
use crate::sandbox::tenant::{Point, Window};
use crate::sandbox::{Sandbox, SearchCap, lock, refusals};

use super::{is_fast_only, mail_query, points, tags, units};

/// Units in one search.
const MAX_UNITS: usize = 20;

struct Search {
    units: Vec<Uuid>,
    window: Window,
    oldest: bool,
    fast: bool,
    policy: Option<Uuid>,
    /// The `artifactQuery`.
    mails: Option<u64>,
}

fn invalid(why: impl Into<String>) -> Refusal {
    refusals::SEARCH_INVALID.because(why)
}

pub(super) fn search(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let search = read(sandbox, call)?;
    let tenant = &sandbox.tenant;
    let serial = sandbox.searches.fetch_add(1, Ordering::Relaxed);
    let mut store = lock(&sandbox.store);
    let present = &store.present;
    // Per unit with a point: the first few in the order of preference.
    let mut found: Vec<Vec<Point>> = Vec::new();
    let mut without: Vec<Uuid> = Vec::new();
    for id in &search.units {
        let unit = present.find_unit(tenant, *id);
        let unit = unit.filter(|unit| {
            search.policy.is_none() || units::policy_of(tenant, unit) == search.policy
        });
        if search.mails.is_some() && unit.is_some_and(|unit| unit.workload.number != 0) {
            return Err(invalid("an artifactQuery is about a mailbox"));
        }
        let mails = unit.and_then(|unit| search.mails.map(|query| MailSearch { unit, query }));
        let fits = |point: &Point| {
            (!search.fast || tenant.is_fast(point))
                && mails.as_ref().is_none_or(|mails| mails.hits(point) > 0)
        };
        let points = unit.map_or_else(Vec::new, |unit| {
            let points = points::of_unit(present, unit, search.window, call.now).filter(fits);
            if search.oldest {
                points.take(points::MOST).collect()
            } else {
                points.rev().take(points::MOST).collect()
            }
        });
        if points.is_empty() {
            without.push(*id);
        } else {
            found.push(points);
        }
    }
    let dice = tenant.dice(0xe1, u64::from(serial));
    found.sort_by_cached_key(|points| mix(dice, u64::from(points[0].unit.index)));
    let chosen = choose(&found, sandbox.search_cap);
    let unit = found.first().map(|points| points[0].unit);
    let mails = unit.and_then(|unit| search.mails.map(|query| MailSearch { unit, query }));
    let (id, hits) = if let Some(mails) = mails {
        let hits: Vec<u32> = chosen.iter().map(|point| mails.hits(point)).collect();
        let kept = store.keep_search(mails);
        (store.search_id(tenant, kept), hits)
    } else {
        let id = tenant.ids.make(Kind::Search, serial, 0);
        (id.simple().to_string(), Vec::new())
    };
    let hits = hits.into_iter().map(Some).chain(std::iter::repeat(None));
    Ok(Answer::object(200, |reply| {
        let context = "microsoft.graph.restorePointSearchResponse";
        reply.text("@odata.context", call.context(context));
        reply.text("searchResponseId", id);
        let results = chosen.into_iter().zip(hits);
        reply.array("searchResults", results, |out, (point, hits)| {
            let mut result = Object::new(out);
            if let Some(hits) = hits {
                result.number("artifactHitCount", hits);
            }
            result.object("restorePoint", |object| {
                points::fill(object, tenant, &point, true);
            });
            result.end();
        });
        reply.array("noResultProtectionUnitIds", without, |out, id| {
            crate::sandbox::odata::texts(out, id.to_string());
        });
    }))
}

/// One point of each unit, then a second of each, and so on until the answer is full.
fn choose(found: &[Vec<Point>], cap: SearchCap) -> Vec<Point> {
    let (rounds, most) = match cap {
        SearchCap::Five => (points::MOST, points::MOST),
        SearchCap::PerUnit => (1, usize::MAX),
    };
    let rounds =
        (0..rounds).flat_map(|round| found.iter().filter_map(move |points| points.get(round)));
    rounds.take(most).copied().collect()
}

fn read(sandbox: &Sandbox, call: &Call) -> Result<Search, Refusal> {
    let body = call.object(&refusals::SEARCH_INVALID)?;
    let mut known = vec![
        "protectionUnitIds",
        "protectionTimePeriod",
        "restorePointPreference",
        "tags",
        "artifactQuery",
    ];
    if call.beta {
        known.push("policyId");
    }
    only(&body, &known, &refusals::SEARCH_INVALID)?;
    let units = unit_ids(&body)?;
    if units.len() > MAX_UNITS {
        sandbox.violation(format!(
            "SearchUnits: a search for {} units, where {MAX_UNITS} are the most",
            units.len()
        ));
        return Err(invalid(format!(
            "{} units are more than {MAX_UNITS}",
            units.len()
        )));
    }
    let period = body.get("protectionTimePeriod").and_then(Value::as_object);
    let period = period.ok_or_else(|| invalid("protectionTimePeriod is missing"))?;
    only(
        period,
        &["startDateTime", "endDateTime", "@odata.type"],
        &refusals::SEARCH_INVALID,
    )?;
    let from =
        instant(period, "startDateTime")?.ok_or_else(|| invalid("startDateTime is missing"))?;
    // One documented example has no end.
    let to = instant(period, "endDateTime")?.unwrap_or(call.now);
    if to < from {
        return Err(invalid("the time period ends before it starts"));
    }
    let oldest = match body.get("restorePointPreference").map(Value::as_str) {
        None | Some(Some("latest")) => false,
        Some(Some("oldest")) => true,
        Some(_) => {
            return Err(invalid(
                "restorePointPreference is neither latest nor oldest",
            ));
        }
    };
    let tags = tags(&body, call.beta, &refusals::SEARCH_INVALID)?.unwrap_or_default();
    let fast = is_fast_only(&tags);
    let policy = match body.get("policyId") {
        None => None,
        Some(id) => Some(
            id.as_str()
                .and_then(parse)
                .ok_or_else(|| invalid("policyId is not an id"))?,
        ),
    };
    let mails = mail_query(&body, &units, call.beta)?;
    Ok(Search {
        units,
        window: Window { from, to },
        oldest,
        fast,
        policy,
        mails,
    })
}

/// The units asked for, each once.
fn unit_ids(body: &Map<String, Value>) -> Result<Vec<Uuid>, Refusal> {
    let list = body
        .get("protectionUnitIds")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| invalid("protectionUnitIds is missing or empty"))?;
    let mut units = Vec::new();
    for id in list {
        let unit = id.as_str().and_then(parse);
        let unit =
            unit.ok_or_else(|| refusals::SEARCH_UNIT_ID.because(format!("{id} is not an id")))?;
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    Ok(units)
}

fn instant(period: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    match period.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let instant = value.as_str().and_then(|text| text.parse().ok());
            instant.map(Some).ok_or_else(|| {
                invalid(format!(
                    "{name} {value} is not an instant such as 2026-01-01T00:00:00Z"
                ))
            })
        }
    }
}

/// The query for mails, which is about exactly one mailbox.
fn mail_query(
    body: &Map<String, Value>,
    units: &[Uuid],
    beta: bool,
) -> Result<Option<u64>, Refusal> {
    let Some(query) = body.get("artifactQuery").filter(|query| !query.is_null()) else {
        return Ok(None);
    };
    let query = mail_query::read(query, beta)?;
    if units.len() != 1 {
        return Err(invalid("with an artifactQuery there is exactly one unit"));
    }
    Ok(Some(query))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::tenant::{Tenant, Unit};
    use crate::sandbox::workload::WORKLOADS;

    /// Twenty units with five points each.
    fn found() -> Vec<Vec<Point>> {
        let now: Timestamp = "2026-11-24T14:35:10Z".parse().expect("a constant");
        let tenant = Tenant::new(1, 100, now);
        let window = Window {
            from: Timestamp::MIN,
            to: Timestamp::MAX,
        };
        let points = |unit: Unit| unit.points(window, now).rev().take(5).collect::<Vec<_>>();
        tenant
            .units(&WORKLOADS[0], 0)
            .map(points)
            .filter(|points| points.len() == 5)
            .take(20)
            .collect()
    }

    #[test]
    fn five_points_go_to_five_units_or_fill_up_with_older_ones() {
        let found = found();
        for (units, own) in [(20, 1), (5, 1), (2, 2), (1, 5)] {
            let chosen = choose(&found[..units], SearchCap::Five);
            assert_eq!(chosen.len(), if units == 2 { 5 } else { 5.min(units * 5) });
            let first = chosen
                .iter()
                .filter(|point| point.unit == found[0][0].unit)
                .count();
            assert!(first >= own, "{units} units");
        }
    }

    #[test]
    fn per_unit_every_unit_has_one() {
        assert_eq!(choose(&found(), SearchCap::PerUnit).len(), 20);
    }
}
