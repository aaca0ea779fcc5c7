//! What books hold when they are closed: items and their ends, sessions, sums. Reports print these.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::instant;

/// Where an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    Skipped,
    Unknown,
}

/// The restore point of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ItemPoint {
    pub(crate) id: String,
    /// RFC 3339 as the service sent it; `null` where only the id is known.
    #[serde(rename = "protectionDateTime")]
    pub(crate) protection_date_time: Option<String>,
}

/// One item of the closed books, as reports print it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) workload: String,
    pub(crate) unit: Option<String>,
    pub(crate) name: String,
    pub(crate) point: Option<ItemPoint>,
    pub(crate) session: Option<String>,
    pub(crate) destination: Option<String>,
    /// Of a bulk restore the address that was sent, of a granular one the key of the file or the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) code: Option<String>,
    pub(crate) reason: Option<String>,
    /// Skipped on purpose: does not make exit 1. Stands in the document where it is so.
    #[serde(default, skip_serializing_if = "is_not")]
    pub(crate) expected: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's calling convention
fn is_not(flag: &bool) -> bool {
    !flag
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) asked: usize,
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    pub(crate) unknown: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ArtifactTotals {
    pub(crate) total: usize,
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
}

/// A session of the run, as reports print it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SessionSummary {
    pub(crate) id: String,
    pub(crate) workload: String,
    pub(crate) status: String,
    pub(crate) artifacts: ArtifactTotals,
    #[serde(flatten)]
    pub(crate) times: SessionTimes,
    /// The `error` of a session that has completed all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<String>,
}

/// When a session passed from state to state, on our clock, as a run's own times are; `null` where nobody saw it.
/// The end is the look that saw it first, so it is late by the time between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionTimes {
    /// The service gave us its id. `null` for a session that was there before.
    #[serde(default, serialize_with = "instant::maybe_to_millisecond")]
    pub(crate) created: Option<Timestamp>,
    #[serde(default, serialize_with = "instant::maybe_to_millisecond")]
    pub(crate) activated: Option<Timestamp>,
    #[serde(default, serialize_with = "instant::maybe_to_millisecond")]
    pub(crate) ended: Option<Timestamp>,
}

impl SessionTimes {
    /// These, and where one is missing what was known before.
    pub(super) fn or(self, before: Self) -> Self {
        Self {
            created: self.created.or(before.created),
            activated: self.activated.or(before.activated),
            ended: self.ended.or(before.ended),
        }
    }
}

/// The books at the end of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closed {
    pub(crate) items: Vec<Item>,
    pub(crate) sessions: Vec<SessionSummary>,
    pub(crate) totals: Totals,
}
