//! One session of the service: a part of what a script calls a session.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::artifact::Destination;
use super::books::ItemId;
use super::workload::Workload;
use crate::graph::Json;

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

/// One artifact that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) item: ItemId,
    pub(crate) point: String,
    pub(crate) destination: Destination,
}

/// What an artifact is told apart by within a session. The destination in lower case, as the service may spell it.
pub(crate) type ArtifactKey = (String, String);

impl Placed {
    pub(crate) fn key(&self) -> ArtifactKey {
        (
            self.point.clone(),
            self.destination.name().to_ascii_lowercase(),
        )
    }
}

/// What should be in a session.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) stage: Stage,
    pub(crate) placed: Vec<Placed>,
    /// The ids of the artifacts, where a list has told them.
    pub(crate) ids: HashMap<String, ItemId>,
    /// The end of this session is in the books.
    pub(crate) settled: bool,
}

/// One session of the service.
pub(crate) struct Part {
    pub(crate) id: String,
    pub(crate) workload: &'static Workload,
    /// When the service gave us the id, on our clock; `None` for a session that was there before.
    pub(crate) since: Option<Timestamp>,
    /// The newest answer about it.
    json: Mutex<Json>,
    /// Held while the session is edited, verified or activated: PATCHes of one session go in order.
    pub(crate) content: tokio::sync::Mutex<Content>,
}

impl Part {
    pub(crate) fn new(
        workload: &'static Workload,
        id: String,
        json: Json,
        since: Option<Timestamp>,
        stage: Stage,
    ) -> Self {
        Self {
            id,
            workload,
            since,
            json: Mutex::new(json),
            content: tokio::sync::Mutex::new(Content {
                stage,
                placed: Vec::new(),
                ids: HashMap::new(),
                settled: false,
            }),
        }
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

/// Whether a session takes one of the places of active sessions.
pub(crate) fn is_running(status: &str) -> bool {
    matches!(status, "activating" | "active")
}
