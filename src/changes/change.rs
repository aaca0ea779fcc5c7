//! One change: what it is before it is sent, what became of it, and how that is found out where the answer was lost.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Class;
use super::consent::Covered;
use crate::error::Fault;
use crate::graph::{Call, GraphError, Json};
use crate::policy::Deed;

/// How a change is known again when the run goes on after its process has died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Made once in a run: what became of it answers for it.
    Once(String),
    /// One of several of its name: whoever makes it finds out what there was before.
    Among(String),
}

impl Key {
    pub(crate) fn name(&self) -> &str {
        let (Self::Once(name) | Self::Among(name)) = self;
        name
    }
}

/// One change, before it is sent.
pub(crate) struct Change {
    pub(crate) class: Class,
    pub(crate) call: Call,
    pub(crate) key: Key,
    /// What consent is asked for. Drafts need none.
    pub(crate) covered: Covered,
    /// What a policy judges by. Who does not say it is told that nothing is known.
    pub(crate) deed: Deed,
    /// How many items it is about.
    pub(crate) items: usize,
    /// Kept beside the answer, for a later life of the run.
    pub(crate) note: serde_json::Value,
}

impl Change {
    pub(crate) fn draft(call: Call, key: Key) -> Self {
        Self {
            class: Class::Draft,
            call,
            key,
            covered: Covered::default(),
            deed: Deed::default(),
            items: 0,
            note: serde_json::Value::Null,
        }
    }

    pub(crate) fn about(self, deed: Deed) -> Self {
        Self { deed, ..self }
    }

    pub(crate) fn noted(self, items: usize, note: serde_json::Value) -> Self {
        Self {
            items,
            note,
            ..self
        }
    }
}

/// A change whose answer was lost.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) call: Call,
    /// When the *first* intent of this change was written, in the service's time.
    pub(crate) since: Timestamp,
    /// How long it was waited for before it is looked for.
    pub(crate) waited: Duration,
}

/// What looking showed.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It has happened; this stands for the answer. The text says how it was found, for the person.
    Happened(Json, String),
    /// It has not, or only in part: this is still to be sent.
    Again(Call),
    /// It has not happened, and must not be sent again: an answer that was a refusal stands.
    Not(String),
    /// It cannot be told.
    Unclear(String),
}

/// Looks whether a change has happened whose answer was lost.
#[async_trait]
pub(crate) trait Look: Send + Sync {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError>;

    /// Whether this refusal can come of an earlier try of the same change that did arrive, so that we look before we
    /// believe it. Asked only after an answer was lost.
    fn explains(&self, _refusal: &GraphError) -> bool {
        false
    }

    /// Whether it does no harm if the change did happen and nobody ever learns of it (a draft that is left behind).
    fn inert(&self) -> bool {
        false
    }
}

/// The answer to a change.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) json: Json,
    /// When it was learnt, on our clock.
    pub(crate) at: Timestamp,
    /// The answer was lost; the change was found by looking. `json` is what was found, not what was answered.
    pub(crate) found: bool,
    /// It was made in an earlier life of the run: nothing was sent now.
    pub(crate) recalled: bool,
}

/// Why a change did not come to an end that can be built upon.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// Nothing has changed.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// It may have happened or not, and looking could not tell.
    #[error("it is not known whether {operation} has happened: {cause}")]
    Unknown {
        operation: &'static str,
        path: String,
        since: Timestamp,
        cause: String,
        request_id: Option<String>,
    },
    /// Refused by consent, or the run's stop flag was set: nothing was sent.
    #[error("{0}")]
    Stopped(Box<Fault>),
}
