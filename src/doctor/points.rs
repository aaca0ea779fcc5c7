//! How old the newest restore points are, in a sample of each workload.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::probe::{Findings, Protection};
use super::{Check, Verdict};
use crate::backup::WORKLOADS;
use crate::error::Fault;
use crate::graph::Json;
use crate::instant;
use crate::text;

/// The service takes a point every ten minutes; one that is a day old says that it does not.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// The checks' names.
pub(super) fn names() -> impl Iterator<Item = String> {
    WORKLOADS.into_iter().map(|workload| name(workload.name))
}

fn name(workload: &str) -> String {
    format!("points of {workload}")
}

pub(super) fn check(findings: &Findings, now: Timestamp) -> Vec<Check> {
    let protection = findings.protection.iter();
    protection
        .map(|protection| of_workload(protection, now))
        .collect()
}

fn of_workload(protection: &Protection, now: Timestamp) -> Check {
    let (workload, name) = (protection.workload, name(protection.workload.name));
    let failed = |probe: &super::probe::Probe| match probe {
        // The permission's own line says what is wrong.
        super::probe::Probe::Failed(error) if probe.denial().is_some() => {
            Some(Check::skipped(&name, format!("{error}")))
        }
        super::probe::Probe::Failed(error) => {
            Some(Check::of_fault(&name, Verdict::Fails, &Fault::from(error)))
        }
        super::probe::Probe::Passed(_) => None,
    };
    if let Some(failed) = failed(&protection.units) {
        return failed;
    }
    let page = protection.units.answer();
    let count = page
        .and_then(|page| page.property("value"))
        .map_or(0, |value| value.elements().len());
    let is_all = page.is_none_or(|page| page.property("@odata.nextLink").is_none());
    let many = format!(
        "{}{}",
        workload.count(count),
        if is_all { "" } else { " and more" }
    );
    let Some(points) = &protection.points else {
        let detail = if count == 0 {
            format!("no {} is protected", workload.noun)
        } else {
            format!("none of {many} is protected now")
        };
        let hint = format!(
            "to protect {}: Microsoft 365 admin centre, Settings, Microsoft 365 Backup",
            workload.nouns
        );
        return Check::warning(name, detail).hint(hint);
    };
    if let Some(failed) = failed(points) {
        return failed;
    }
    let newest = points.answer().map(newest).unwrap_or_default();
    let sampled = format!("sampled {} of {many}", protection.sample.len());
    judge(name, &protection.sample, &newest, now, &sampled)
}

/// The newest point of each unit in an answer of the search.
fn newest(answer: &Json) -> HashMap<String, Timestamp> {
    let results = answer
        .property("searchResults")
        .map(|results| results.elements())
        .unwrap_or_default();
    let mut newest = HashMap::new();
    for result in results {
        let point = result.property("restorePoint");
        let taken = point
            .as_ref()
            .and_then(|point| instant::parse(&point.string("protectionDateTime")?));
        let unit = point.as_ref().and_then(crate::backup::unit_of);
        if let (Some(unit), Some(taken)) = (unit, taken) {
            let known = newest.entry(unit).or_insert(taken);
            *known = taken.max(*known);
        }
    }
    newest
}

fn judge(
    name: String,
    sample: &[String],
    newest: &HashMap<String, Timestamp>,
    now: Timestamp,
    sampled: &str,
) -> Check {
    let age = |taken: Timestamp| now.duration_since(taken).max(SignedDuration::ZERO);
    let spell = |age: SignedDuration| text::time(Duration::try_from(age).unwrap_or_default());
    let hint =
        "see whether protection works: Microsoft 365 admin centre, Settings, Microsoft 365 Backup";
    let Some(&last) = newest.values().max() else {
        return Check::warning(name, format!("no restore point; {sampled}"))
            .hint("newly protected units get their first point within an hour; then look again");
    };
    let mut detail = format!("newest restore point {} old; {sampled}", spell(age(last)));
    let without = sample
        .iter()
        .filter(|unit| !newest.contains_key(*unit))
        .count();
    let oldest = newest.iter().min_by_key(|(_, taken)| **taken);
    let lagging = oldest.filter(|(_, taken)| age(**taken) > OLD && age(last) <= OLD);
    if let Some((unit, taken)) = lagging {
        let _ = write!(detail, "; unit `{unit}`'s is {} old", spell(age(*taken)));
    }
    if without > 0 {
        let _ = write!(detail, "; {without} without one");
    }
    if age(last) > OLD || lagging.is_some() {
        Check::warning(name, detail).hint(hint)
    } else {
        Check::ok(name, detail)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    #[allow(clippy::type_complexity)] // read once, where it stands
    fn the_age_of_the_newest_point_decides() {
        let now: Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
        let sample = ["a".to_owned(), "b".to_owned()];
        let rows: [(&[(&str, i64)], Verdict, &str); 6] = [
            (
                &[("a", 8), ("b", 12)],
                Verdict::Ok,
                "newest restore point 8 min old; sampled 2 of 9",
            ),
            (&[("a", 8)], Verdict::Ok, "; 1 without one"),
            (
                &[("a", -5), ("b", 3)],
                Verdict::Ok,
                "newest restore point 0 s old",
            ),
            (
                &[("a", 8), ("b", 60 * 72)],
                Verdict::Warning,
                "; unit `b`'s is 3 d old",
            ),
            (
                &[("a", 60 * 48), ("b", 60 * 72)],
                Verdict::Warning,
                "newest restore point 2 d old",
            ),
            (&[], Verdict::Warning, "no restore point; sampled 2 of 9"),
        ];
        for (ages, result, detail) in rows {
            let newest = ages
                .iter()
                .map(|(unit, age)| ((*unit).to_owned(), now - SignedDuration::from_mins(*age)))
                .collect();
            let check = judge(name("exchange"), &sample, &newest, now, "sampled 2 of 9");
            assert_eq!(check.result, result, "{check:?}");
            assert!(check.detail.contains(detail), "{check:?}");
        }
    }

    #[test]
    fn points_are_matched_by_their_unit() {
        let point = |unit: &str, taken: &str| json!({"restorePoint": {"protectionUnit": {"id": unit}, "protectionDateTime": taken}});
        let answer = Json::of(&json!({"searchResults": [
            point("a", "2026-11-24T01:00:00Z"),
            point("a", "2026-11-24T01:10:00Z"),
            point("b", "2026-11-23T01:00:00Z"),
            {"restorePoint": null},
        ]}));
        let newest = newest(&answer);
        assert_eq!(newest.len(), 2);
        assert_eq!(newest["a"].to_string(), "2026-11-24T01:10:00Z");
    }
}
