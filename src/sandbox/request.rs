//! One request from its head to its answer: who calls, which operation, which fault.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{Method, header};
use axum::response::Response;
use bytes::Bytes;

use super::job::{Inbound, Job};
use super::response::{About, finish};
use super::spoil::{Exchange, respond};
use super::token::{self, Endpoint};
use super::wire::Wire;
use super::{Sandbox, control, lock, refusals};

/// Larger bodies are refused.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// What is read of a body that is too large, so that its sender is still there to hear the refusal.
const MAX_READ: usize = 4 * MAX_BODY;

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
    if let Some((endpoint, tenant)) = Endpoint::find(path) {
        let (method, tenant) = (parts.method.clone(), tenant.to_owned());
        let sign_in = SignIn {
            endpoint,
            tenant,
            method,
            body,
        };
        return sign_in.respond(&sandbox, &exchange).await;
    }
    let authorization = parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let caller = sandbox.access.caller(authorization);
    let Some(inbound) = inbound(parts, body) else {
        return finish(
            &sandbox,
            &exchange.about,
            Err(refusals::NOT_FOUND.because("a path begins with /v1.0 or /beta")),
        );
    };
    let job = Job::new(inbound, caller);
    let template = job.template();
    lock(&sandbox.log).request(template, job.caller.as_ref().ok());
    let fault = lock(&sandbox.faults).roll(template, false);
    exchange.caller = job.caller.as_ref().ok().cloned();
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

/// A call for a token or a device code.
struct SignIn {
    endpoint: Endpoint,
    tenant: String,
    method: Method,
    body: Bytes,
}

impl SignIn {
    /// Sign-in has no client yet that could be held.
    async fn respond(self, sandbox: &Arc<Sandbox>, exchange: &Exchange) -> Response {
        let template = self.endpoint.template();
        lock(&sandbox.log).request(template, None);
        let fault = lock(&sandbox.faults).roll(template, true);
        let issue = move |sandbox: &Sandbox| {
            if self.method != Method::POST {
                return Err(refusals::WRONG_METHOD);
            }
            let (access, sign_ins) = (&sandbox.access, &sandbox.sign_ins);
            let answer = token::answer(access, sign_ins, self.endpoint, &self.tenant, &self.body);
            Ok(answer)
        };
        respond(sandbox, exchange, fault, Box::new(issue)).await
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

/// The request below its version; nothing where the path names no version.
fn inbound(parts: Parts, body: Bytes) -> Option<Inbound> {
    let (version, below) = parts.uri.path().strip_prefix('/')?.split_once('/')?;
    // Versions are names too: the service takes them in any case.
    let beta = match version.to_ascii_lowercase().as_str() {
        "v1.0" => false,
        "beta" => true,
        _ => return None,
    };
    Some(Inbound {
        root: format!(
            "http://{}/{}",
            host(&parts),
            if beta { "beta" } else { "v1.0" }
        ),
        beta,
        path: format!("/{below}"),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        method: parts.method,
        headers: parts.headers,
        body,
    })
}
