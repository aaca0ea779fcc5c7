//! One session of the service: a part of what a script calls a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::artifact::Destination;
use super::books::ItemId;
use super::bulk::Bulk;
use super::recall::{Ended, Recalled};
use super::twin::Twin;
use super::workload::{ROOT, Workload};
use crate::graph::{Call, Json, Version};

/// How far a part is, as far as this run knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Made elsewhere; what is in it has not been read.
    Unread,
    Draft,
    /// Activated by this run, or found active.
    Activated,
    Deleted,
}

/// What an artifact brings back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    /// A restore point as a whole.
    Point(String),
    /// A file or folder that a browse session shows.
    Piece { browse: Arc<str>, key: String },
    /// The messages that a search of a mailbox has found in a restore point.
    Hits { search: String, point: String },
}

/// One artifact that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) item: ItemId,
    pub(crate) thing: Thing,
    /// `None`: not ours to choose. Single files have no destination in v1.0.
    pub(crate) destination: Option<Destination>,
}

/// What an artifact is told apart by within a session: the point and the destination (in lower case, as the service may
/// spell it), the file and its browse session, the point and its search.
pub(crate) type ArtifactKey = (String, String);

impl Placed {
    pub(crate) fn key(&self) -> ArtifactKey {
        key(&self.thing, self.destination)
    }
}

pub(crate) fn key(thing: &Thing, destination: Option<Destination>) -> ArtifactKey {
    match thing {
        Thing::Point(point) => {
            let destination = destination.map_or_else(String::new, |to| to.name().to_lowercase());
            (point.clone(), destination)
        }
        Thing::Piece { browse, key } => (key.clone(), browse.to_string()),
        Thing::Hits { search, point } => (point.clone(), search.clone()),
    }
}

/// What should be in a session.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) stage: Stage,
    pub(crate) placed: Vec<Placed>,
    /// Asked for by a bulk request instead: then nothing is placed.
    pub(crate) bulk: Option<Bulk>,
    /// The ids of the artifacts, where a list has told them.
    pub(crate) ids: HashMap<String, ItemId>,
    /// The end of this session is in the books.
    pub(crate) settled: bool,
    /// What was placed and left out again before activation, with its end.
    pub(super) out: Vec<(ArtifactKey, Ended)>,
    pub(super) recalled: Recalled,
}

impl Content {
    pub(crate) fn is_empty(&self) -> bool {
        self.placed.is_empty() && self.bulk.is_none()
    }

    /// How many artifacts it holds or, of a bulk request, how many inputs.
    pub(crate) fn len(&self) -> usize {
        let inputs = self.bulk.as_ref().map_or(0, |bulk| bulk.inputs.len());
        self.placed.len() + inputs
    }

    /// A bulk request whose inputs only its maker knows.
    pub(crate) fn is_of_others(&self) -> bool {
        self.bulk
            .as_ref()
            .is_some_and(|bulk| bulk.inputs.is_empty())
    }

    /// Everything in it, as the books know it.
    pub(crate) fn items(&self) -> impl Iterator<Item = ItemId> {
        let inputs = self.bulk.iter().flat_map(|bulk| &bulk.inputs);
        let placed = self.placed.iter().map(|placed| placed.item);
        placed.chain(inputs.map(|input| input.item))
    }
}

/// How sessions of a script are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// For single files or messages.
    pub(crate) granular: bool,
    /// What becomes of a file that is there already: `fail`, `replace`, `rename`. Beta only.
    pub(crate) conflict: Option<String>,
    /// `None`: the run's own.
    pub(crate) version: Option<Version>,
}

/// One session of the service.
pub(crate) struct Part {
    pub(crate) id: String,
    pub(crate) workload: &'static Workload,
    /// Its artifacts are single files or messages.
    pub(crate) granular: bool,
    /// All its calls go to this version.
    pub(crate) version: Option<Version>,
    /// When the service gave us the id, on our clock; `None` for a session that was there before.
    pub(crate) since: Option<Timestamp>,
    /// The newest answer about it.
    json: Mutex<Json>,
    /// A request that was sent again, and whose first try may still land.
    pub(super) twin: Mutex<Option<Twin>>,
    /// Held while the session is edited, verified or activated: PATCHes of one session go in order.
    pub(crate) content: tokio::sync::Mutex<Content>,
}

impl Part {
    /// A session that this run has made.
    pub(crate) fn made(
        workload: &'static Workload,
        manner: &Manner,
        (id, json): (String, Json),
        since: Timestamp,
    ) -> Self {
        Self::new(
            workload,
            manner.granular,
            manner.version,
            (id, json),
            Some(since),
            Stage::Draft,
        )
    }

    /// A session that was there before.
    pub(crate) fn found(
        workload: &'static Workload,
        version: Option<Version>,
        (id, json): (String, Json),
    ) -> Self {
        let granular = json.string("restoreJobType").as_deref() == Some("granular");
        Self::new(workload, granular, version, (id, json), None, Stage::Unread)
    }

    fn new(
        workload: &'static Workload,
        granular: bool,
        version: Option<Version>,
        (id, json): (String, Json),
        since: Option<Timestamp>,
        stage: Stage,
    ) -> Self {
        Self {
            id,
            workload,
            granular,
            version,
            since,
            json: Mutex::new(json),
            twin: Mutex::default(),
            content: tokio::sync::Mutex::new(Content {
                stage,
                placed: Vec::new(),
                bulk: None,
                ids: HashMap::new(),
                settled: false,
                out: Vec::new(),
                recalled: Recalled::default(),
            }),
        }
    }

    /// `/restoreSessions/{id}` and what is below it.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("{ROOT}/restoreSessions/{}{below}", self.id)
    }

    /// A call about it. A session of just now may not be known everywhere yet.
    pub(crate) fn call(&self, call: Call) -> Call {
        call.version(self.version).fresh_since(self.since)
    }

    pub(crate) fn get(&self, operation: &'static str, path: impl Into<String>) -> Call {
        self.call(Call::get(operation, path))
    }

    /// The list of its artifacts: whole units, or single files and messages.
    pub(crate) fn artifacts_path(&self, granular: bool) -> String {
        let collection = self.workload.collection(granular);
        self.workload.inside(&self.id, collection)
    }

    /// `3 mailboxes`, `12 files and folders`.
    pub(crate) fn count(&self, number: usize) -> String {
        self.workload.count_in(self.granular, number)
    }

    pub(crate) fn json(&self) -> Json {
        self.json
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn status(&self) -> String {
        self.json().string("status").unwrap_or_default()
    }

    /// Keeps an answer about this session. One that is not whole (a lost answer that was found by looking) is not kept.
    pub(crate) fn keep(&self, json: Json) {
        if json.string("id").as_deref() == Some(self.id.as_str()) {
            *self.json.lock().unwrap_or_else(PoisonError::into_inner) = json;
        }
    }
}

/// Whether a session has ended. A state that we do not know has: it is never called "still running".
pub(crate) fn has_ended(status: &str) -> bool {
    !matches!(status, "draft" | "activating" | "active")
}

/// Whether a session certainly restores nothing now. Of a state that we do not know nobody can say so.
pub(crate) fn restores_nothing(status: &str) -> bool {
    let ends = ["completed", "completedWithError", "failed"];
    status == "draft" || ends.contains(&status)
}

/// Whether a session takes one of the places of active sessions.
pub(crate) fn is_running(status: &str) -> bool {
    matches!(status, "activating" | "active")
}
