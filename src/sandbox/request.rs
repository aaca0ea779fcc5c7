//! One request from its head to its answer: who calls, which operation, which fault.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::Response;
use bytes::Bytes;

use super::access::Caller;
use super::answer::{Answer, Refusal};
use super::call::Call;
use super::faults::Fault;
use super::response::{About, cut, finish};
use super::router::{self, Found, Template};
use super::wire::Wire;
use super::{Sandbox, control, lock, refusals, token};

/// Larger bodies are refused.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// What is read of a body that is too large, so that its sender is still there to hear the refusal.
const MAX_READ: usize = 4 * MAX_BODY;

/// Late work is done this long after its 504: in service time, and at most in wall time.
const LATE: (Duration, Duration) = (Duration::from_mins(3), Duration::from_secs(3));

/// A request that may be carried out now, later, or not at all.
struct Job {
    found: Result<Found, Refusal>,
    caller: Result<Caller, Refusal>,
    root: String,
    beta: bool,
    parts: Parts,
    body: Bytes,
}

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
    if let Some(tenant) = token::tenant_of(path) {
        let tenant = tenant.to_owned();
        return sign_in(&sandbox, &about, &wire, &parts.method, &tenant, &body).await;
    }
    let Some((root, beta, path)) = below_version(&parts) else {
        return finish(
            &sandbox,
            &about,
            Err(refusals::NOT_FOUND.because("a path begins with /v1.0 or /beta")),
        );
    };
    let found = router::find(&parts.method, path);
    let template = match &found {
        Ok(found) => found.template(),
        Err(_) => Template::UNKNOWN,
    };
    let authorization = parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let caller = sandbox.access.caller(authorization);
    lock(&sandbox.log).request(template, caller.as_ref().ok());
    let fault = lock(&sandbox.faults).roll(template, false);
    let job = Job {
        found,
        caller,
        root,
        beta,
        parts,
        body,
    };
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
            finish(sandbox, about, Err(after(refusals::THROTTLED, retry_after)))
        }
        Some(Fault::Unavailable { retry_after }) => {
            let refusal = refusals::UNAVAILABLE;
            finish(
                sandbox,
                about,
                Err(match retry_after {
                    Some(seconds) => after(refusal, seconds),
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

/// Sign-in has faults of its own shape: there is no Graph error to send and no client to hold.
async fn sign_in(
    sandbox: &Arc<Sandbox>,
    about: &About,
    wire: &Wire,
    method: &Method,
    tenant: &str,
    body: &Bytes,
) -> Response {
    lock(&sandbox.log).request(token::TEMPLATE, None);
    let fault = lock(&sandbox.faults).roll(token::TEMPLATE, true);
    if !sandbox.latency.is_zero() {
        tokio::time::sleep(sandbox.latency).await;
    }
    let issue = || {
        if *method == Method::POST {
            Ok(token::issue(&sandbox.access, tenant, body))
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
        Some(Fault::Throttle { retry_after }) => {
            finish(sandbox, about, Err(after(refusals::THROTTLED, retry_after)))
        }
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

impl Job {
    /// Carries the request out, now.
    fn run(self, sandbox: &Sandbox) -> Result<Answer, Refusal> {
        let caller = self.caller?;
        let found = self.found?;
        sandbox.access.check(found.needs())?;
        let query = self.parts.uri.query().unwrap_or_default();
        if !query.is_empty() && self.parts.method != Method::GET {
            return Err(Refusal::bad_request("Query options are for GET requests."));
        }
        let path = self.parts.uri.path();
        let call = Call {
            root: self.root,
            path: path
                .split_at(
                    path.match_indices('/')
                        .nth(1)
                        .map_or(path.len(), |(at, _)| at),
                )
                .1
                .to_owned(),
            beta: self.beta,
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            headers: self.parts.headers,
            body: self.body,
            caller,
            workload: found.workload(),
            params: found.params,
            now: sandbox.clock.now(),
        };
        (found.route.handler)(sandbox, &call)
    }
}

fn after(mut refusal: Refusal, seconds: u64) -> Refusal {
    refusal.headers.push(("retry-after", seconds.to_string()));
    refusal
}

/// Root with version, whether it is beta, and the path below.
fn below_version(parts: &Parts) -> Option<(String, bool, &str)> {
    let path = parts.uri.path();
    let (version, below) = path.strip_prefix('/')?.split_once('/')?;
    let beta = match version {
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
    Some((
        format!("http://{host}/{version}"),
        beta,
        &path[path.len() - below.len() - 1..],
    ))
}
