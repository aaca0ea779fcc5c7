//! What goes back: an answer, or a refusal with a code.

use std::borrow::Cow;

use super::json::Object;

/// A successful answer, before the headers that every answer has.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content: Content,
    pub(super) headers: Vec<(&'static str, String)>,
}

#[derive(Debug)]
pub(super) enum Content {
    Nothing,
    Json(Vec<u8>),
    Text(String),
}

impl Answer {
    pub(super) fn json(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            content: Content::Json(body),
            headers: Vec::new(),
        }
    }

    /// A JSON object filled by `fill`.
    pub(super) fn object(status: u16, fill: impl FnOnce(&mut Object<'_>)) -> Self {
        let mut body = Vec::with_capacity(512);
        let mut object = Object::new(&mut body);
        fill(&mut object);
        object.end();
        Self::json(status, body)
    }

    pub(super) fn nothing(status: u16) -> Self {
        Self {
            status,
            content: Content::Nothing,
            headers: Vec::new(),
        }
    }

    pub(super) fn text(body: String) -> Self {
        Self {
            status: 200,
            content: Content::Text(body),
            headers: Vec::new(),
        }
    }
}

/// A refusal: the service's status, code and literal message, and what exactly was wrong.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
    /// Goes into `error.details`, since the message is the service's own.
    pub(super) detail: Option<String>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) const fn literal(status: u16, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message: Cow::Borrowed(message),
            detail: None,
            headers: Vec::new(),
        }
    }

    pub(super) fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// A request that Graph itself, in front of every service, turns down.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self {
            message: Cow::Owned(message.into()),
            ..Self::literal(400, "BadRequest", "")
        }
    }

    /// A directory query that only works with `ConsistencyLevel: eventual`, or not at all.
    pub(super) fn unsupported_query(message: impl Into<String>) -> Self {
        Self {
            message: Cow::Owned(message.into()),
            ..Self::literal(400, "Request_UnsupportedQuery", "")
        }
    }

    /// The answer for this refusal; `about` holds (date, request id, client request id).
    pub(super) fn into_answer(self, about: (&str, &str, &str)) -> Answer {
        let (date, request_id, client_request_id) = about;
        let mut answer = Answer::object(self.status, |body| {
            body.object("error", |error| {
                error.text("code", self.code);
                error.text("message", &self.message);
                if let Some(detail) = &self.detail {
                    error.array("details", [detail], |out, detail| {
                        let mut entry = Object::new(out);
                        entry.text("code", self.code);
                        entry.text("message", detail);
                        entry.raw("target", "null");
                        entry.end();
                    });
                }
                error.object("innerError", |inner| {
                    inner.text("date", date);
                    inner.text("request-id", request_id);
                    inner.text("client-request-id", client_request_id);
                });
            });
        });
        answer.headers = self.headers;
        answer
    }
}
