//! One call to Graph and its answer, as values.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Method;
use serde::Serialize;

use super::{Json, Version};

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
