//! One call to Graph and its answer, as values.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Method;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Json, Version};

/// So much of a body is shown to whoever has to agree to it.
const SHOWN_BODY: usize = 4000;

/// What to ask. The path is relative to the version root, starts with `/` and is already percent-encoded.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// What a person would call it: "list users", "activate session". Stands in messages and in the progress.
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// `None`: the client's own.
    pub(crate) version: Option<Version>,
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: Option<Bytes>,
    /// The id in the path was given to us by the service just now: a 404 within 30 s of this instant is looked at again.
    /// By our clock: the dates of two answers need not come from one machine.
    pub(crate) fresh_since: Option<Timestamp>,
    /// It makes something, and an answer that does not name it by its `id` is none.
    pub(crate) makes: bool,
    /// The longest time all tries and waits of this call may take together; `None`: the client's default (15 minutes).
    pub(crate) budget: Option<Duration>,
}

impl Call {
    pub(crate) fn get(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::GET, path.into())
    }

    pub(crate) fn delete(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::DELETE, path.into())
    }

    pub(crate) fn post(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::POST, path.into())
    }

    pub(crate) fn patch(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::PATCH, path.into())
    }

    pub(crate) fn new(operation: &'static str, method: Method, path: String) -> Self {
        Self {
            operation,
            method,
            path,
            version: None,
            headers: Vec::new(),
            body: None,
            fresh_since: None,
            makes: false,
            budget: None,
        }
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        self.body = Some(Json::of(body).bytes().clone());
        self
    }

    pub(crate) fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// What it makes has an id, which its answer must say.
    pub(crate) fn making(self) -> Self {
        Self {
            makes: true,
            ..self
        }
    }

    /// `None` leaves the client's own version.
    pub(crate) fn version(mut self, version: Option<Version>) -> Self {
        self.version = version;
        self
    }

    /// What it does, on one line, for somebody who has to agree: the body too, as far as it is short. Two calls that differ in
    /// anything that is sent have different words; a query is told by its mark only, since it may hold what nobody should read.
    pub(crate) fn words(&self) -> String {
        let mut words = format!("{} {}", self.method, self.plain_path());
        let body = self.body.as_deref().unwrap_or_default();
        if !body.is_empty() {
            let text = String::from_utf8_lossy(body);
            let shown: String = text.chars().take(SHOWN_BODY).collect();
            let _ = write!(words, " {shown}");
            if shown.len() < text.len() {
                words.push('…');
            }
        }
        if self.path == self.plain_path()
            && body.len() <= SHOWN_BODY
            && self.headers.is_empty()
            && self.version.is_none()
        {
            return words;
        }
        let mut all = Sha256::new();
        let version = self.version.map_or("", Version::segment);
        let headers = self.headers.iter();
        let headers = headers.flat_map(|(name, value)| [name.as_ref(), value.as_str()]);
        for part in [self.path.as_str(), version].into_iter().chain(headers) {
            all.update((part.len() as u64).to_be_bytes());
            all.update(part);
        }
        all.update(body);
        let mark = crate::text::hex(&all.finalize());
        let _ = write!(words, " [{}]", mark.get(..32).unwrap_or(&mark));
        words
    }

    pub(crate) fn fresh_since(mut self, instant: Option<Timestamp>) -> Self {
        self.fresh_since = instant;
        self
    }
}

/// A success (2xx) whose body was read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The service's `request-id`, else our `client-request-id`.
    pub(crate) request_id: String,
    /// The JSON body; `None` where there was none (204).
    pub(crate) body: Option<Json>,
}

impl Answer {
    /// The body, or JSON `null`.
    pub(crate) fn json(self) -> Json {
        self.body.unwrap_or_else(|| Json::of(&()))
    }
}
