//! What a plan will cost: requests, and a range for the time.
//!
//! The service promises no times. The range stands on what Microsoft has published of its speed, and on assumptions of how
//! much there is to restore; the table says them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::document::Row;
use super::planned::Model;

/// Points in one answer to a search, whatever the number of units. Source: "Search restore points".
const FOUND: usize = 5;
/// Units that are restored at once. Source: "activate restore session".
const AT_ONCE: usize = 1000;
/// Between two looks at a running session, after the first ones.
const POLLING: u64 = 30;
/// Looks before that time is reached: 1 s, growing by half.
const FIRST_LOOKS: u64 = 9;

/// A range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seconds {
    pub(crate) low: u64,
    pub(crate) high: u64,
}

/// What the range assumes, for people.
pub(super) const ASSUMED: [&str; 2] = [
    "assumed: 1,000 of a kind at once; a mailbox of 5,000 to 50,000 items at 500 to 200 items a minute,",
    "a OneDrive or site in 2 to 60 minutes; larger ones take longer, and so does a busy service",
];

/// How long one wave of at most [`AT_ONCE`] takes.
fn wave(workload: &str) -> Seconds {
    let is_mailbox = workload == crate::backup::EXCHANGE.name;
    // 500 to 200 items a minute for a mailbox; 2 to 20 minutes for a fast point of a site, an hour and more for a large one.
    let (low, high) = if is_mailbox { (10, 250) } else { (2, 60) };
    Seconds {
        low: low * 60,
        high: high * 60,
    }
}

/// Workloads side by side at best, one after the other at worst.
pub(super) fn seconds(rows: &[Row]) -> Seconds {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.part.is_some()) {
        *counts.entry(&row.workload).or_default() += 1;
    }
    let mut all = Seconds::default();
    for (workload, count) in counts {
        let waves = count.div_ceil(AT_ONCE) as u64;
        let wave = wave(workload);
        all.low = all.low.max(wave.low * waves);
        all.high += wave.high * waves;
    }
    all
}

/// The calls of `apply`: rows are searched again, sessions made, verified, activated, looked at, read.
pub(super) fn requests(rows: &[Row], model: &Model) -> u64 {
    let planned: Vec<&Row> = rows.iter().filter(|row| row.part.is_some()).collect();
    if planned.is_empty() {
        return 0;
    }
    let passed = |operation: &str| model.passed.get(operation).copied().unwrap_or(0);
    let verified: Vec<&&Row> = planned.iter().filter(|row| row.input.is_none()).collect();
    // Equal instants share searches.
    let mut instants: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    for row in &verified {
        *instants
            .entry((&row.workload, row.protection_date_time.as_deref()))
            .or_default() += 1;
    }
    let searches: usize = instants.values().map(|count| count.div_ceil(FOUND)).sum();
    let parts = model.activated.len() as u64;
    let looks = parts * (FIRST_LOOKS + seconds(rows).low / POLLING);
    let changes: u64 = model.changes.values().sum();
    let reads: u64 = model.answered.values().sum();
    let passing = passed("list sessions") + passed("get service status");
    searches as u64 + changes + reads + passing + looks
}
