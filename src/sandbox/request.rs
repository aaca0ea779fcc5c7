//! One request from its head to its answer: who calls, which operation, which fault.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{Method, header};
use axum::response::Response;
use bytes::Bytes;

use super::access::Caller;
use super::answer::{Answer, Refusal};
use super::call::Call;
use super::response::{About, finish};
use super::router::{self, Found, Template};
use super::spoil::{AGAIN, Exchange, respond};
use super::wire::Wire;
use super::{Sandbox, control, lock, refusals, token};

/// Larger bodies are refused.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// What is read of a body that is too large, so that its sender is still there to hear the refusal.
const MAX_READ: usize = 4 * MAX_BODY;

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
    let mut exchange = Exchange {
        about,
        wire,
        caller: None,
        address: address(&parts),
    };
    if let Some(tenant) = token::tenant_of(path) {
        let tenant = tenant.to_owned();
        return sign_in(&sandbox, &exchange, parts.method, tenant, body).await;
    }
    let Some((root, beta, path)) = below_version(&parts) else {
        return finish(
            &sandbox,
            &exchange.about,
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
    exchange.caller = caller.as_ref().ok().cloned();
    let job = Job {
        found,
        caller,
        root,
        beta,
        parts,
        body,
    };
    // A task of its own: the work goes on where the caller hangs up while it waits.
    let wire = exchange.wire.clone();
    let answer = tokio::spawn(async move {
        respond(
            &sandbox,
            &exchange,
            fault,
            Box::new(|sandbox| job.run(sandbox)),
        )
        .await
    });
    answer.await.unwrap_or_else(|_| {
        wire.close();
        Response::default()
    })
}

/// Sign-in has no client yet that could be held.
async fn sign_in(
    sandbox: &Arc<Sandbox>,
    exchange: &Exchange,
    method: Method,
    tenant: String,
    body: Bytes,
) -> Response {
    lock(&sandbox.log).request(token::TEMPLATE, None);
    let fault = lock(&sandbox.faults).roll(token::TEMPLATE, true);
    let issue = move |sandbox: &Sandbox| {
        if method == Method::POST {
            Ok(token::issue(&sandbox.access, &tenant, &body))
        } else {
            Err(refusals::WRONG_METHOD)
        }
    };
    respond(sandbox, exchange, fault, Box::new(issue)).await
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
                .filter(|(name, _)| name != AGAIN)
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

fn host(parts: &Parts) -> &str {
    let host = parts
        .headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let authority = || parts.uri.authority().map(Authority::as_str);
    host.or_else(authority).unwrap_or("127.0.0.1")
}

/// Scheme, host, path and query.
fn address(parts: &Parts) -> String {
    let below = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    format!("http://{}{below}", host(parts))
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
    Some((
        format!("http://{}/{version}", host(parts)),
        beta,
        &path[path.len() - below.len() - 1..],
    ))
}
