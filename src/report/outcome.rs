//! What a run came to: the result document, schema 1. Reports are pure functions of it.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::backup::books::{Closed, Item, SessionSummary, Totals};
use crate::error::{Exit, Fault};
use crate::graph::Requests;

/// Everything there is to know of a run that has ended. Fields may be added; none is renamed or taken away in schema 1.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    schema: u8,
    pub(crate) run: String,
    /// The path as it was given.
    pub(crate) script: String,
    /// Of the bytes that ran; `null` where the file could not be read.
    pub(crate) sha256: Option<String>,
    #[serde(serialize_with = "instant")]
    pub(crate) started: Timestamp,
    #[serde(serialize_with = "instant")]
    pub(crate) ended: Timestamp,
    #[serde(serialize_with = "code")]
    pub(crate) exit: Exit,
    /// The token's `tid`; `null` where nobody signed in or the token cannot be read.
    pub(crate) tenant: Option<String>,
    /// `v1.0` or `beta`.
    pub(crate) api: &'static str,
    pub(crate) books: Totals,
    pub(crate) items: Vec<Item>,
    pub(crate) sessions: Vec<SessionSummary>,
    pub(crate) requests: Requests,
    #[serde(serialize_with = "error")]
    pub(crate) error: Option<Fault>,
    pub(crate) value: serde_json::Value,
}

impl Outcome {
    /// A run that has just begun and asked for nothing.
    pub(crate) fn new(run: String, script: String, started: Timestamp, api: &'static str) -> Self {
        Self {
            schema: 1,
            run,
            script,
            sha256: None,
            started,
            ended: started,
            exit: Exit::Success,
            tenant: None,
            api,
            books: Totals::default(),
            items: Vec::new(),
            sessions: Vec::new(),
            requests: Requests::default(),
            error: None,
            value: serde_json::Value::Null,
        }
    }

    pub(crate) fn close(&mut self, books: Closed) {
        self.books = books.totals;
        self.items = books.items;
        self.sessions = books.sessions;
    }
}

/// RFC 3339 in UTC with three digits of a second, so that equal lengths sort by time.
fn instant<S: Serializer>(instant: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{instant:.3}"))
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's calling convention
fn code<S: Serializer>(exit: &Exit, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u8(exit.code())
}

#[allow(clippy::ref_option)] // serde's calling convention
fn error<S: Serializer>(fault: &Option<Fault>, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Shown<'a> {
        code: &'a str,
        message: &'a str,
        file: Option<&'a str>,
        line: Option<usize>,
        column: Option<usize>,
        /// Several hints stand one a line.
        hint: Option<String>,
        request_id: Option<&'a str>,
    }
    let shown = fault.as_ref().map(|fault| {
        let place = fault.place.as_ref();
        Shown {
            code: &fault.code,
            message: &fault.message,
            file: place.map(|place| place.file.as_str()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            hint: (!fault.hints.is_empty()).then(|| fault.hints.join("\n")),
            request_id: fault.request_id.as_deref(),
        }
    });
    shown.serialize(to)
}
