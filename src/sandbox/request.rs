//! One request from its head to its answer: who calls, which operation, which fault.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::Response;
use bytes::Bytes;

use super::faults::Fault;
use super::job::{Inbound, Job};
use super::response::{self, About, cut, finish};
use super::token::{self, Endpoint};
use super::wire::Wire;
use super::{Sandbox, control, lock, refusals};

/// Larger bodies are refused.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// What is read of a body that is too large, so that its sender is still there to hear the refusal.
const MAX_READ: usize = 4 * MAX_BODY;

/// Late work is done this long after its 504: in service time, and at most in wall time.
const LATE: (Duration, Duration) = (Duration::from_mins(3), Duration::from_secs(3));

/// Answers one request.
pub(super) async fn handle(
    State(sandbox): State<Arc<Sandbox>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let about = About::new(&sandbox, request.headers());
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_READ).await.ok();
    let Some(body) = body.filter(|body| body.len() <= MAX_BODY) else {
        return finish(&sandbox, &about, Err(refusals::TOO_LARGE));
    };
    let path = parts.uri.path();
    if let Some(name) = path.strip_prefix("/_sandbox/") {
        let answer = control::answer(&sandbox, &parts.method, name, &body);
        return finish(&sandbox, &about, answer);
    }
    if let Some((endpoint, tenant)) = Endpoint::find(path) {
        let (method, tenant) = (parts.method.clone(), tenant.to_owned());
        let sign_in = SignIn {
            endpoint,
            tenant,
            method,
            body,
        };
        return sign_in.respond(&sandbox, &about, &wire).await;
    }
    let authorization = parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let caller = sandbox.access.caller(authorization);
    let Some(inbound) = inbound(parts, body) else {
        return finish(
            &sandbox,
            &about,
            Err(refusals::NOT_FOUND.because("a path begins with /v1.0 or /beta")),
        );
    };
    let job = Job::new(inbound, caller);
    let template = job.template();
    lock(&sandbox.log).request(template, job.caller.as_ref().ok());
    let fault = lock(&sandbox.faults).roll(template, false);
    // A task of its own: the work goes on where the caller hangs up while it waits.
    let answer = tokio::spawn(respond(sandbox, about, wire.clone(), fault, job));
    answer.await.unwrap_or_else(|_| {
        wire.close();
        Response::default()
    })
}

async fn respond(
    sandbox: Arc<Sandbox>,
    about: About,
    wire: Wire,
    fault: Option<Fault>,
    job: Job,
) -> Response {
    let (sandbox, about, wire) = (&sandbox, &about, &wire);
    if !sandbox.latency.is_zero() && fault != Some(Fault::Reset) {
        tokio::time::sleep(sandbox.latency).await;
    }
    match fault {
        None => finish(sandbox, about, job.run(sandbox)),
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            finish(sandbox, about, job.run(sandbox))
        }
        Some(Fault::Cut) => cut(finish(sandbox, about, job.run(sandbox)), wire),
        Some(Fault::LostAnswer) => {
            // The answer is nobody's business: the client never sees it.
            drop(job.run(sandbox));
            wire.close();
            Response::default()
        }
        Some(Fault::Late(delay)) => {
            let delay = delay.unwrap_or_else(|| sandbox.clock.wall(LATE.0).min(LATE.1));
            let sandbox_later = Arc::clone(sandbox);
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                drop(job.run(&sandbox_later));
            });
            finish(sandbox, about, Err(refusals::TIMED_OUT))
        }
        Some(Fault::Throttle { retry_after }) => {
            if let Ok(caller) = &job.caller {
                lock(&sandbox.log).throttled(caller, Duration::from_secs(retry_after));
            }
            finish(
                sandbox,
                about,
                Err(response::retry_after(refusals::THROTTLED, retry_after)),
            )
        }
        Some(Fault::Unavailable { retry_after }) => {
            let refusal = refusals::UNAVAILABLE;
            finish(
                sandbox,
                about,
                Err(match retry_after {
                    Some(seconds) => response::retry_after(refusal, seconds),
                    None => refusal,
                }),
            )
        }
        Some(Fault::Reset) => {
            wire.reset();
            Response::default()
        }
    }
}

/// A call for a token or a device code.
struct SignIn {
    endpoint: Endpoint,
    tenant: String,
    method: Method,
    body: Bytes,
}

impl SignIn {
    /// Sign-in has faults of its own shape: there is no Graph error to send and no client to hold.
    async fn respond(self, sandbox: &Arc<Sandbox>, about: &About, wire: &Wire) -> Response {
        let template = self.endpoint.template();
        lock(&sandbox.log).request(template, None);
        let fault = lock(&sandbox.faults).roll(template, true);
        if !sandbox.latency.is_zero() {
            tokio::time::sleep(sandbox.latency).await;
        }
        let issue = || {
            if self.method == Method::POST {
                let Self {
                    endpoint,
                    tenant,
                    body,
                    ..
                } = &self;
                let sign_ins = &sandbox.sign_ins;
                Ok(token::answer(
                    &sandbox.access,
                    sign_ins,
                    *endpoint,
                    tenant,
                    body,
                ))
            } else {
                Err(refusals::WRONG_METHOD)
            }
        };
        match fault {
            None => finish(sandbox, about, issue()),
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                finish(sandbox, about, issue())
            }
            Some(Fault::Cut) => cut(finish(sandbox, about, issue()), wire),
            Some(Fault::Throttle { retry_after }) => finish(
                sandbox,
                about,
                Err(response::retry_after(refusals::THROTTLED, retry_after)),
            ),
            Some(Fault::Unavailable { .. }) => finish(sandbox, about, Err(refusals::UNAVAILABLE)),
            Some(Fault::Late(_)) => finish(sandbox, about, Err(refusals::TIMED_OUT)),
            Some(Fault::Reset) => {
                wire.reset();
                Response::default()
            }
            Some(Fault::LostAnswer) => {
                wire.close();
                Response::default()
            }
        }
    }
}

/// The request below its version; nothing where the path names no version.
fn inbound(parts: Parts, body: Bytes) -> Option<Inbound> {
    let (version, below) = parts.uri.path().strip_prefix('/')?.split_once('/')?;
    // Versions are names too: the service takes them in any case.
    let beta = match version.to_ascii_lowercase().as_str() {
        "v1.0" => false,
        "beta" => true,
        _ => return None,
    };
    let host = parts
        .headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = host
        .or_else(|| {
            parts
                .uri
                .authority()
                .map(axum::http::uri::Authority::as_str)
        })
        .unwrap_or("127.0.0.1");
    Some(Inbound {
        root: format!("http://{host}/{}", if beta { "beta" } else { "v1.0" }),
        beta,
        path: format!("/{below}"),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        method: parts.method,
        headers: parts.headers,
        body,
    })
}
