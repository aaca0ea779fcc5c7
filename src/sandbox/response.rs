//! What every answer carries.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use super::Sandbox;
use super::answer::{Answer, Content, Refusal};
use super::id::Kind;

/// What identifies one request in its answer.
pub(super) struct About {
    request_id: String,
    client_request_id: String,
}

impl About {
    pub(super) fn new(sandbox: &Sandbox, headers: &HeaderMap) -> Self {
        let number = sandbox.requests.fetch_add(1, Ordering::Relaxed);
        let request_id = sandbox
            .tenant
            .ids
            .make(Kind::Request, number, 0)
            .to_string();
        let given = headers
            .get("client-request-id")
            .and_then(|value| value.to_str().ok());
        Self {
            client_request_id: given.unwrap_or(&request_id).to_owned(),
            request_id,
        }
    }

    pub(super) fn request_id(&self) -> &str {
        &self.request_id
    }
}

/// What goes back, also where that is a refusal.
pub(super) fn settle(sandbox: &Sandbox, about: &About, answer: Result<Answer, Refusal>) -> Answer {
    answer.unwrap_or_else(|refusal| {
        let now = sandbox.clock.now();
        let date = now.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        refusal.into_answer((&date, &about.request_id, &about.client_request_id))
    })
}

/// The same refusal, with the time after which the caller may come again.
pub(super) fn retry_after(mut refusal: Refusal, seconds: u64) -> Refusal {
    refusal.headers.push(("retry-after", seconds.to_string()));
    refusal
}

/// Puts the headers on that every answer has.
pub(super) fn finish(
    sandbox: &Sandbox,
    about: &About,
    answer: Result<Answer, Refusal>,
) -> Response {
    let now = SystemTime::try_from(sandbox.clock.now()).unwrap_or(SystemTime::UNIX_EPOCH);
    let answer = settle(sandbox, about, answer);
    let (content_type, body) = match answer.content {
        Content::Nothing => (None, Bytes::new()),
        Content::Json(body) => (Some("application/json"), Bytes::from(body)),
        Content::Text(text) => (Some("text/plain"), Bytes::from(text)),
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut put = |name: &'static str, value: &str| {
        // What a caller sent as its own id may not be sendable; then it goes without.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put("date", &httpdate::fmt_http_date(now));
    put("request-id", &about.request_id);
    put("client-request-id", &about.client_request_id);
    put("cache-control", "no-store");
    if let Some(content_type) = content_type {
        put("content-type", content_type);
        put("content-length", &body.len().to_string());
    }
    for (name, value) in &answer.headers {
        put(name, value);
    }
    *response.body_mut() = Body::from(body);
    response
}
