//! One item of open books: what was asked for, how far it is, and how it is closed and opened again.

use std::borrow::Cow;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Asked, Item, Outcome};
use crate::backup::Workload;

/// What is known so far of one item.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Asked for; in no session yet.
    Open,
    /// In a draft that was not activated, or in a session that runs.
    In { session: Arc<str>, activated: bool },
    /// Taken out again, by `remove` or with its draft.
    Withdrawn,
    Ended {
        outcome: Outcome,
        code: Option<String>,
        reason: Option<String>,
        session: Option<Arc<str>>,
        expected: bool,
    },
}

pub(super) struct Entry {
    pub(super) asked: Asked,
    pub(super) state: State,
}

/// What an item is told apart by: of a hundred thousand the texts themselves would take megabytes.
pub(super) type Key = [u8; 32];

pub(super) fn key(asked: &Asked) -> Key {
    Sha256::digest(identity(asked)).into()
}

fn identity(asked: &Asked) -> String {
    let point = asked.point.as_ref().map(|point| point.id.as_str());
    let destination = asked.destination.as_deref();
    let Some(input) = asked.input.as_deref() else {
        // A point is one unit's, and not all who name it know whose. Without both the name is all there is: two people who were
        // not found are two items.
        let unit = asked.unit.as_deref().unwrap_or(&asked.name);
        let unit = point.is_none().then_some(unit);
        return serde_json::json!([asked.workload, unit, point, destination]).to_string();
    };
    // The input of a bulk restore is all there is to know: its unit and its point are the service's choice.
    let unit = asked.unit.as_deref();
    let input = input.trim_end_matches('/').to_lowercase();
    serde_json::json!([asked.workload, unit, point, destination, input]).to_string()
}

/// The other way round: an item that was closed because nobody looked any more is open again.
pub(super) fn opened(item: Item) -> Entry {
    let state = match (item.outcome, item.code.as_deref(), item.session.clone()) {
        (Outcome::Skipped, Some("NotActivated"), None) => State::Open,
        (Outcome::Skipped, Some("NotActivated"), Some(session)) => State::In {
            session: session.into(),
            activated: false,
        },
        (Outcome::Unknown, Some("NotAwaited"), Some(session)) => State::In {
            session: session.into(),
            activated: true,
        },
        (Outcome::Skipped, Some("Withdrawn"), _) => State::Withdrawn,
        (outcome, _, session) => State::Ended {
            outcome,
            code: item.code,
            reason: item.reason,
            session: session.map(Into::into),
            expected: item.expected,
        },
    };
    let workload = Workload::named(&item.workload).map_or("", |workload| workload.name);
    Entry {
        asked: Asked {
            workload,
            unit: item.unit,
            name: item.name,
            point: item.point,
            destination: item.destination.map(Cow::Owned),
            input: item.input,
        },
        state,
    }
}

pub(super) fn closed(entry: &Entry) -> Item {
    closed_as(entry.asked.clone(), &entry.state)
}

pub(super) fn closed_as(asked: Asked, state: &State) -> Item {
    let some = |text: &str| Some(text.to_owned());
    let (outcome, code, reason, session, expected) = match state {
        State::Open => (
            Outcome::Skipped,
            some("NotActivated"),
            some("it was put into no session"),
            None,
            false,
        ),
        State::In {
            session,
            activated: false,
        } => (
            Outcome::Skipped,
            some("NotActivated"),
            some("its session is a draft that was never activated"),
            some(session),
            false,
        ),
        State::In {
            session,
            activated: true,
        } => (
            Outcome::Unknown,
            some("NotAwaited"),
            some("its session was activated and its end was not seen"),
            some(session),
            false,
        ),
        State::Withdrawn => (
            Outcome::Skipped,
            some("Withdrawn"),
            some("it was removed before activation"),
            None,
            false,
        ),
        State::Ended {
            outcome,
            code,
            reason,
            session,
            expected,
        } => (
            *outcome,
            code.clone(),
            reason.clone(),
            session.as_deref().map(str::to_owned),
            *expected,
        ),
    };
    Item {
        workload: asked.workload.to_owned(),
        unit: asked.unit,
        name: asked.name,
        point: asked.point,
        session,
        destination: asked.destination.map(Cow::into_owned),
        input: asked.input,
        outcome,
        code,
        reason,
        expected,
    }
}
