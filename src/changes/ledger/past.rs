//! What a change of an earlier life came to, read from its row in the journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::changes::Origin;
use crate::graph::{Json, ServiceError};
use crate::journal::{ChangeRow, State};

/// What an earlier life of this run knows of a change.
#[derive(Clone, Debug)]
pub(crate) enum Past {
    Done {
        json: Json,
        note: serde_json::Value,
        at: Timestamp,
        found: bool,
    },
    /// The script met the refusal and went on: it is to meet it again.
    Refused(ServiceError),
    /// It may have happened or not.
    Open {
        sequence: u64,
        /// How many items it is about.
        items: usize,
        /// When it was first about to be sent: in the service's time, and on our clock.
        since: Timestamp,
        clock: Timestamp,
    },
}

/// What stands behind `answer` of an outcome: the service's words, and what was noted when the change was made.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) json: Json,
    pub(super) note: serde_json::Value,
}

/// What a change is, wherever it stands in the script.
pub(super) fn content(row: &ChangeRow) -> [u8; 32] {
    let intent = &row.intent;
    content_of_hash(&intent.method, &intent.path, intent.body_sha256)
}

pub(super) fn content_of(method: &str, path: &str, body: Option<&[u8]>) -> [u8; 32] {
    content_of_hash(
        method,
        path,
        Sha256::digest(body.unwrap_or_default()).into(),
    )
}

fn content_of_hash(method: &str, path: &str, body: [u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update(method)
        .chain_update([0])
        .chain_update(path)
        .chain_update([0])
        .chain_update(body)
        .finalize()
        .into()
}

/// What a row of the journal says; `None` where the change is to be sent as if for the first time.
pub(super) fn known(
    row: ChangeRow,
    since: Timestamp,
    clock: Timestamp,
    went_on: &impl Fn(&Origin) -> bool,
) -> Option<Past> {
    let open = Past::Open {
        sequence: row.intent.sequence,
        items: row.intent.items as usize,
        since,
        clock,
    };
    let Some(outcome) = row.outcome else {
        return Some(open);
    };
    match outcome.state {
        State::Done => {
            let kept: Kept = serde_json::from_slice(&outcome.answer?).ok()?;
            Some(Past::Done {
                json: kept.json,
                note: kept.note,
                at: outcome.at,
                found: outcome.found,
            })
        }
        State::Refused => {
            let origin = Origin {
                lane: row.intent.lane,
                number: row.intent.number,
                place: None,
            };
            let error = serde_json::from_str(&outcome.error?).ok()?;
            went_on(&origin).then_some(Past::Refused(error))
        }
        State::NotDone => None,
        State::Unknown => Some(open),
    }
}
