//! What a run came to: the result document, schema 1. Reports are pure functions of it, and it can be read back.

use std::io::Read;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Trouble;
use crate::backup::books::{Closed, Item, SessionSummary, Totals};
use crate::error::{Exit, Fault};
use crate::graph::Requests;
use crate::instant;

/// The only schema there is.
const SCHEMA: u8 = 1;

/// Everything there is to know of a run that has ended. Fields may be added; none is renamed or taken away in schema 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    schema: u8,
    pub(crate) run: String,
    /// The path as it was given.
    pub(crate) script: String,
    /// Of the bytes that ran; `null` where the file could not be read.
    pub(crate) sha256: Option<String>,
    #[serde(serialize_with = "instant::to_millisecond")]
    pub(crate) started: Timestamp,
    #[serde(serialize_with = "instant::to_millisecond")]
    pub(crate) ended: Timestamp,
    #[serde(with = "code")]
    pub(crate) exit: Exit,
    /// The token's `tid`; `null` where nobody signed in or the token cannot be read.
    pub(crate) tenant: Option<String>,
    /// `v1.0` or `beta`.
    pub(crate) api: String,
    pub(crate) books: Totals,
    pub(crate) items: Vec<Item>,
    pub(crate) sessions: Vec<SessionSummary>,
    pub(crate) requests: Requests,
    /// The error that ended the run.
    pub(crate) error: Option<Trouble>,
    /// Further ones: other mistakes in the script or its arguments, what went wrong after the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) further_errors: Vec<Trouble>,
    #[serde(default)]
    pub(crate) value: serde_json::Value,
}

impl Outcome {
    /// A run that has just begun and asked for nothing.
    pub(crate) fn new(run: String, script: String, started: Timestamp, api: &str) -> Self {
        Self {
            schema: SCHEMA,
            run,
            script,
            sha256: None,
            started,
            ended: started,
            exit: Exit::Success,
            tenant: None,
            api: api.to_owned(),
            books: Totals::default(),
            items: Vec::new(),
            sessions: Vec::new(),
            requests: Requests::default(),
            error: None,
            further_errors: Vec::new(),
            value: serde_json::Value::Null,
        }
    }

    pub(crate) fn close(&mut self, books: Closed) {
        self.books = books.totals;
        self.items = books.items;
        self.sessions = books.sessions;
    }

    /// What went wrong, what ended the run first.
    pub(crate) fn fail(&mut self, faults: &[Fault]) {
        let mut troubles = faults.iter().map(Trouble::from);
        self.error = troubles.next();
        self.further_errors = troubles.collect();
    }

    /// The sessions that were still running when they were seen last: they go on in the service without the run.
    pub(crate) fn going_on(&self) -> Vec<&SessionSummary> {
        let is_running = |status: &str| matches!(status, "activating" | "active");
        let sessions = self.sessions.iter();
        sessions
            .filter(|session| is_running(&session.status))
            .collect()
    }

    /// All errors, the first first.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &Trouble> {
        self.error.iter().chain(&self.further_errors)
    }
}

/// How a run has ended, of its document.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) run: String,
    pub(crate) exit: Exit,
    /// Of the error that ended it.
    pub(crate) code: Option<String>,
}

impl End {
    /// Reads a result document that was stored, and keeps nothing else of it.
    ///
    /// # Errors
    /// No result document.
    pub(crate) fn read(from: impl Read) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            run: String,
            #[serde(with = "code")]
            exit: Exit,
            error: Option<Code>,
        }
        #[derive(Deserialize)]
        struct Code {
            code: String,
        }
        let head: Head = serde_json::from_reader(from)?;
        Ok(Self {
            run: head.run,
            exit: head.exit,
            code: head.error.map(|error| error.code),
        })
    }
}

impl FromStr for Outcome {
    type Err = String;

    /// Reads a result document that was stored. Properties that it has and we do not know are left alone.
    ///
    /// # Errors
    /// No result document, or one of a later schema; in words.
    fn from_str(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            schema: u64,
        }
        let no_document = |error: serde_json::Error| format!("it is no result document ({error})");
        let head: Head = serde_json::from_str(text).map_err(no_document)?;
        if head.schema != u64::from(SCHEMA) {
            return Err(format!(
                "it is a result document of schema {}, and this runback knows schema {SCHEMA}",
                head.schema
            ));
        }
        serde_json::from_str(text).map_err(no_document)
    }
}

/// An exit as its number.
mod code {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::error::Exit;

    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's calling convention
    pub(super) fn serialize<S: Serializer>(exit: &Exit, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(exit.code())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Exit, D::Error> {
        let code = u8::deserialize(from)?;
        Exit::of_code(code).ok_or_else(|| D::Error::custom(format!("no run exits with {code}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::backup::books::SessionTimes;
    use crate::report::{Kind, sample};

    #[test]
    fn a_stored_document_makes_the_same_reports() {
        let outcome = sample::night();
        let stored = Kind::Json.render(&outcome);
        let read: Outcome = stored.parse().unwrap();
        for kind in Kind::ALL {
            assert_eq!(kind.render(&read), kind.render(&outcome), "{kind:?}");
        }
    }

    #[test]
    fn a_document_of_another_time_is_read_as_far_as_it_is_ours() {
        let mut document: Value =
            serde_json::from_str(&Kind::Json.render(&sample::night())).unwrap();
        document["journal"] = json!({"kept": true});
        document["items"][0]["granular"] = json!([1]);
        document["sessions"][0]["parts"] = json!(2);
        document["error"]["severity"] = json!("high");
        assert!(document.to_string().parse::<Outcome>().is_ok());
        // As it was before sessions had times and errors a context.
        let session = document["sessions"][0].as_object_mut().unwrap();
        session.retain(|name, _| !["created", "activated", "ended"].contains(&name.as_str()));
        let error = document["error"].as_object_mut().unwrap();
        error.retain(|name, _| !["context", "source"].contains(&name.as_str()));
        let read: Outcome = document.to_string().parse().unwrap();
        assert_eq!(read.sessions[0].times, SessionTimes::default());

        document["schema"] = json!(2);
        let refused = document.to_string().parse::<Outcome>().unwrap_err();
        assert!(refused.contains("schema 2"), "{refused}");
        for text in ["", "[]", "{}", "{\"schema\": 1}"] {
            assert!(text.parse::<Outcome>().is_err(), "{text}");
        }
    }
}
