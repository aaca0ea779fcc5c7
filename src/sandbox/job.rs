//! One operation with all that it needs, to be carried out now, later, or not at all.

use axum::http::{HeaderMap, Method};
use bytes::Bytes;

use super::Sandbox;
use super::access::Caller;
use super::answer::{Answer, Refusal};
use super::call::Call;
use super::router::{self, Found, Template};
use super::spoil::AGAIN;

/// A request below a version, as it stands on the wire or in a batch.
pub(super) struct Inbound {
    pub(super) method: Method,
    /// `http://host:port/v1.0`.
    pub(super) root: String,
    pub(super) beta: bool,
    /// Below the version, undecoded.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A request whose caller and operation have been looked up.
pub(super) struct Job {
    found: Result<Found, Refusal>,
    pub(super) caller: Result<Caller, Refusal>,
    inbound: Inbound,
}

impl Job {
    pub(super) fn new(inbound: Inbound, caller: Result<Caller, Refusal>) -> Self {
        Self {
            found: router::find(&inbound.method, &inbound.path, inbound.beta),
            caller,
            inbound,
        }
    }

    /// How it is counted, and what fault rules call it.
    pub(super) fn template(&self) -> &'static str {
        match &self.found {
            Ok(found) => found.template(),
            Err(_) => Template::UNKNOWN,
        }
    }

    /// Carries it out, now.
    pub(super) fn run(self, sandbox: &Sandbox) -> Result<Answer, Refusal> {
        let caller = self.caller?;
        let found = self.found?;
        sandbox.access.check(&caller, found.needs())?;
        let inbound = self.inbound;
        if !inbound.query.is_empty() && inbound.method != Method::GET {
            return Err(Refusal::bad_request("Query options are for GET requests."));
        }
        let handler = found.handler();
        let call = Call {
            root: inbound.root,
            path: inbound.path,
            beta: inbound.beta,
            query: url::form_urlencoded::parse(inbound.query.as_bytes())
                .into_owned()
                .filter(|(name, _)| name != AGAIN)
                .collect(),
            headers: inbound.headers,
            body: inbound.body,
            caller,
            counts: found.counts(),
            workload: found.workload(),
            params: found.params,
            now: sandbox.clock.now(),
        };
        handler(sandbox, &call)
    }
}
