//! What every answer carries, and answers that break off.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures::stream;

use super::Sandbox;
use super::answer::{Answer, Content, Refusal};
use super::id::Kind;
use super::wire::Wire;

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

/// Cuts an answer in the middle of its body, or before its head where it has no body.
pub(super) fn cut(response: Response, wire: &Wire) -> Response {
    let (parts, body) = response.into_parts();
    let wire = wire.clone();
    // The body is in memory, and its length was announced in the head.
    let length = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let Some(length) = length.filter(|length| *length > 1) else {
        wire.close();
        return Response::default();
    };
    let half = stream::once(async move {
        let whole = axum::body::to_bytes(body, usize::MAX)
            .await
            .unwrap_or_default();
        Ok::<Bytes, Infallible>(whole.slice(..whole.len().min(length / 2)))
    });
    // The pause lets the first half leave before the connection breaks.
    let end = stream::once(async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        wire.close();
        Ok(Bytes::from_static(b" "))
    });
    Response::from_parts(
        parts,
        Body::from_stream(futures::StreamExt::chain(half, end)),
    )
}
