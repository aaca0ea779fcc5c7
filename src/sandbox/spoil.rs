//! Carries a request out, and the fault that it was dealt.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::access::Caller;
use super::answer::{Answer, Content, Refusal};
use super::faults::{Astray, Cut, Fault, Page, Wait, Work};
use super::response::{About, finish};
use super::wire::Wire;
use super::{Sandbox, lock, refusals};

/// Late work is done this long after its 504: in service time, and at most in wall time.
const LATE: (Duration, Duration) = (Duration::from_mins(3), Duration::from_secs(3));

/// The query option of a page that comes again. Its value makes the address a new one, and means nothing.
pub(super) const AGAIN: &str = "$again";

/// Where a redirect to itself leads, below `/_sandbox/`.
pub(super) const LOOP: &str = "loop";

/// A name that no name server knows (RFC 2606): nobody is called even by a client that would follow.
const ELSEWHERE: &str = "https://graph.elsewhere.invalid/v1.0/users";

const SIGN_IN_PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in to the guest network</title></head><body>Accept the terms.</body></html>";
const BAD_GATEWAY: &str =
    "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>";

/// What a request asks to be done.
pub(super) type Task = Box<dyn FnOnce(&Sandbox) -> Result<Answer, Refusal> + Send>;

/// Who waits for the answer, and how it gets there.
pub(super) struct Exchange {
    pub(super) about: About,
    pub(super) wire: Wire,
    /// Nobody before sign-in.
    pub(super) caller: Option<Caller>,
    /// Scheme, host, path and query as they were called.
    pub(super) address: String,
}

/// Answers as the fault has it; does the task where the fault lets it be done.
pub(super) async fn respond(
    sandbox: &Arc<Sandbox>,
    exchange: &Exchange,
    fault: Option<Fault>,
    task: Task,
) -> Response {
    let Exchange { about, wire, .. } = exchange;
    if !sandbox.latency.is_zero() && fault != Some(Fault::Reset) {
        tokio::time::sleep(sandbox.latency).await;
    }
    let whole = |task: Task| finish(sandbox, about, task(sandbox));
    match fault {
        None => whole(task),
        Some(Fault::Refuse { status, wait, work }) => {
            if work == Work::Done {
                // Its answer is nobody's business: the caller hears a refusal.
                drop(task(sandbox));
            }
            refuse(sandbox, exchange, status, &wait)
        }
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            whole(task)
        }
        Some(Fault::Late(delay)) => {
            let delay = delay.unwrap_or_else(|| sandbox.clock.wall(LATE.0).min(LATE.1));
            let later = Arc::clone(sandbox);
            lock(&sandbox.log).postponed();
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                drop(task(&later));
                lock(&later.log).made_up_for();
            });
            finish(sandbox, about, Err(refusals::TIMED_OUT))
        }
        Some(Fault::Reset) => {
            wire.reset();
            Response::default()
        }
        Some(Fault::LostAnswer) => {
            drop(task(sandbox));
            wire.close();
            Response::default()
        }
        Some(Fault::Cut(place)) => cut(whole(task), wire, place),
        Some(Fault::Trickle(pause)) => trickle(whole(task), pause),
        Some(Fault::Gzip) => rubbish(whole(task)),
        Some(Fault::Html) => page_of(whole(nothing()), StatusCode::OK, SIGN_IN_PAGE),
        Some(Fault::Redirect(way)) => redirect(whole(nothing()), way),
        Some(Fault::Page(page)) => {
            let answer = task(sandbox).map(|answer| relinked(answer, page, exchange));
            finish(sandbox, about, answer)
        }
        Some(Fault::Date(off)) => {
            let mut response = whole(task);
            let date = sandbox.clock.now().saturating_add(off).ok();
            let date = date.and_then(|date| std::time::SystemTime::try_from(date).ok());
            if let Some(date) = date {
                set(&mut response, header::DATE, &httpdate::fmt_http_date(date));
            }
            response
        }
    }
}

fn nothing() -> Task {
    Box::new(|_| Ok(Answer::nothing(200)))
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    // What a fault specification gives as a value may not be sendable; then it goes without.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The refusal with a status that a fault rule names.
pub(super) fn refused(status: u16) -> Refusal {
    match status {
        401 => refusals::BAD_TOKEN,
        404 => refusals::NOT_FOUND,
        408 => refusals::REQUEST_TIMED_OUT,
        429 => refusals::THROTTLED,
        503 => refusals::UNAVAILABLE,
        504 => refusals::TIMED_OUT,
        _ => refusals::BROKEN,
    }
}

fn refuse(sandbox: &Sandbox, exchange: &Exchange, status: u16, wait: &Wait) -> Response {
    let mut response = finish(sandbox, &exchange.about, Err(refused(status)));
    if status == 502 {
        // From something in front of the service, which knows no JSON.
        response = page_of(response, StatusCode::BAD_GATEWAY, BAD_GATEWAY);
    }
    let seconds = match wait {
        Wait::None => return response,
        Wait::Raw(text) => {
            set(&mut response, header::RETRY_AFTER, text);
            return response;
        }
        Wait::Seconds(seconds) => {
            set(&mut response, header::RETRY_AFTER, &seconds.to_string());
            *seconds
        }
        Wait::Date(seconds) => {
            let date = response.headers().get(header::DATE);
            let date = date
                .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
                .unwrap_or(std::time::SystemTime::UNIX_EPOCH);
            let then = httpdate::fmt_http_date(date + Duration::from_secs((*seconds).into()));
            set(&mut response, header::RETRY_AFTER, &then);
            *seconds
        }
    };
    if let Some(caller) = exchange.caller.as_ref().filter(|_| status == 429) {
        lock(&sandbox.log).throttled(caller, Duration::from_secs(seconds.into()));
    }
    response
}

/// The length that the head announces, where there is a body to spoil.
fn announced(response: &Response) -> Option<usize> {
    let length = response.headers().get(header::CONTENT_LENGTH)?;
    let length = length.to_str().ok()?.parse().ok()?;
    Some(length).filter(|length| *length > 1)
}

/// Cuts an answer; before its head where it has no body to be cut.
fn cut(response: Response, wire: &Wire, place: Cut) -> Response {
    let Some(length) = announced(&response) else {
        wire.close();
        return Response::default();
    };
    match place {
        Cut::Head => {
            wire.close_in_head();
            return response;
        }
        Cut::BehindHead => {
            wire.close_behind_head();
            return response;
        }
        Cut::Body => {}
    }
    let (parts, body) = response.into_parts();
    let wire = wire.clone();
    // The body is in memory, and its length was announced in the head.
    let half = stream::once(async move {
        let whole = bytes_of(body).await;
        Ok::<Bytes, Infallible>(whole.slice(..whole.len().min(length / 2)))
    });
    // The pause lets the first half leave before the connection breaks.
    let end = stream::once(async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        wire.close();
        Ok(Bytes::from_static(b" "))
    });
    Response::from_parts(parts, Body::from_stream(half.chain(end)))
}

async fn bytes_of(body: Body) -> Bytes {
    // Cannot fail: it is in memory.
    axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default()
}

/// The same answer, a byte at a time.
fn trickle(response: Response, pause: Duration) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = stream::once(bytes_of(body)).flat_map(move |whole| {
        stream::iter(0..whole.len()).then(move |at| {
            let byte = whole.slice(at..=at);
            async move {
                tokio::time::sleep(pause).await;
                Ok::<Bytes, Infallible>(byte)
            }
        })
    });
    Response::from_parts(parts, Body::from_stream(bytes))
}

/// The answer's head over a body that nothing can be read from. An answer without a body stays whole.
fn rubbish(mut response: Response) -> Response {
    if announced(&response).is_none() {
        return response;
    }
    // The first three bytes of a gzip stream, so that it goes wrong only behind them.
    let body = Bytes::from_static(b"\x1f\x8b\x08 and then no gzip stream");
    set(&mut response, header::CONTENT_ENCODING, "gzip");
    set(
        &mut response,
        header::CONTENT_LENGTH,
        &body.len().to_string(),
    );
    *response.body_mut() = Body::from(body);
    response
}

/// A page for people in place of the answer.
fn page_of(mut response: Response, status: StatusCode, page: &'static str) -> Response {
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "text/html");
    set(
        &mut response,
        header::CONTENT_LENGTH,
        &page.len().to_string(),
    );
    *response.body_mut() = Body::from(page);
    response
}

fn redirect(mut response: Response, way: Astray) -> Response {
    *response.status_mut() = StatusCode::FOUND;
    let target = match way {
        Astray::Loop => format!("/_sandbox/{LOOP}"),
        Astray::Host => ELSEWHERE.to_owned(),
    };
    set(&mut response, header::LOCATION, &target);
    response
}

/// A page of a list with another next link. Anything else stays as it is.
fn relinked(mut answer: Answer, page: Page, exchange: &Exchange) -> Answer {
    let Content::Json(body) = &answer.content else {
        return answer;
    };
    let Ok(Value::Object(mut list)) = serde_json::from_slice(body) else {
        return answer;
    };
    if !list.get("value").is_some_and(Value::is_array) {
        return answer;
    }
    let here = &exchange.address;
    let link = match page {
        Page::Loop => here.clone(),
        Page::Host => ELSEWHERE.to_owned(),
        Page::Twice | Page::Empty => {
            let mark = if here.contains('?') { '&' } else { '?' };
            format!("{here}{mark}{AGAIN}={}", exchange.about.request_id())
        }
    };
    if page == Page::Empty {
        list.insert("value".to_owned(), json!([]));
    }
    list.insert("@odata.nextLink".to_owned(), json!(link));
    answer.content = Content::Json(Value::Object(list).to_string().into_bytes());
    answer
}
