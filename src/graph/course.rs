//! One call from its first try to its end: waits for its turn, sends, lets `retry` decide, waits, sends again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use url::Url;
use uuid::Uuid;

use super::attempt::{Attempt, End, Ended};
use super::auth::Token;
use super::client::Client;
use super::pace::Permit;
use super::retry::{self, Effort, Failure, Kind, Next};
use super::retry_after::retry_after;
use super::{Answer, Call, CallName, GraphError, ServiceError};

/// How long an id that the service has just given out may be unknown to its other half.
const FRESH: Duration = Duration::from_secs(30);
/// Shorter waits of a single call are not worth a line on somebody's terminal.
const WORTH_SAYING: Duration = Duration::from_secs(2);

pub(super) struct Course<'c> {
    client: &'c Client,
    kind: Kind,
    call: &'c Call,
    url: &'c Url,
    name: CallName,
    started: Timestamp,
    budget: Duration,
    effort: Effort,
}

/// The last thing that was heard, for the error that may follow.
struct Heard {
    cause: String,
    error: Option<ServiceError>,
    request_id: String,
    /// The wait that the service named.
    wait: Option<Duration>,
    timed_out: bool,
    sort: Sort,
}

#[derive(Clone, Copy)]
enum Sort {
    Unsent,
    Lost,
    Unusable { passing: bool },
    Refused,
}

impl<'c> Course<'c> {
    pub(super) fn new(client: &'c Client, kind: Kind, call: &'c Call, url: &'c Url) -> Self {
        Self {
            client,
            kind,
            call,
            url,
            name: CallName {
                operation: call.operation,
                method: call.method.to_string(),
                path: client.root.short_path(url),
                client_request_id: Uuid::new_v4().to_string(),
            },
            started: client.now(),
            budget: call.budget.unwrap_or(client.budget),
            effort: Effort::default(),
        }
    }

    pub(super) async fn run(mut self) -> Result<Answer, GraphError> {
        loop {
            let permit = self.admit().await?;
            // Signing in may take its waits while we hold a slot: nobody else could send without a token either.
            let token = self.unless_stopped(self.client.tokens.token()).await??;
            let sent_at = self.client.now();
            let ended = self.attempt(&token, sent_at).await?;
            if ended.status.is_some() {
                self.client.answered(ended.date);
            }
            let mut heard = match ended.end {
                End::Answered(answer) => {
                    permit.succeeded();
                    return Ok(answer);
                }
                end => self.hear(end, ended.date),
            };
            token.redact(&mut heard.cause);
            let next = self.decide(&heard);
            if matches!(next, Next::Throttle(_)) {
                self.client.counters.throttled();
                permit.throttled();
            }
            drop(permit);
            match next {
                Next::Throttle(nth) => self.throttle(nth, heard)?,
                Next::Backoff(nth) => self.back_off(nth, heard).await?,
                Next::Renew => {
                    self.effort.renewed = true;
                    self.unless_stopped(self.client.tokens.renew(&token))
                        .await??;
                }
                end => return Err(self.fail(end, heard, sent_at)),
            }
        }
    }

    /// Waits for a slot and for the end of a hold.
    async fn admit(&self) -> Result<Permit<'c>, GraphError> {
        let client = self.client;
        let permit = self.unless_stopped(client.pacer.enter()).await?;
        loop {
            let now = client.now();
            let Some(wait) = client.held(now) else {
                return Ok(permit);
            };
            if wait > self.left() {
                return Err(self.exhausted(
                    &Self::too_long(wait, self.left(), "the service is throttling"),
                    None,
                ));
            }
            client
                .counters
                .waited(client.pacer.count(now, later(now, wait)));
            self.tell(now, wait, "the service is throttling");
            self.pause(wait).await?;
        }
    }

    /// Sends once. On the stop signal a read is dropped; a change that may have left gets some seconds to end.
    async fn attempt(
        &mut self,
        token: &Arc<Token>,
        sent_at: Timestamp,
    ) -> Result<Ended, GraphError> {
        let client = self.client;
        let http = client.transport.client()?;
        if self.effort.tries > 0 {
            client.counters.retried();
            self.name.client_request_id = Uuid::new_v4().to_string();
        }
        self.effort.tries += 1;
        client.counters.sent();
        let limits = client.transport.limits();
        let time = match self.kind {
            // Not beyond the call's budget, but long enough for an answer.
            Kind::Reading => limits.attempt.min(self.left().max(Duration::from_secs(1))),
            // Cutting a change short would only make its outcome unknown.
            Kind::Changing => limits.attempt,
        };
        let attempt = Attempt {
            time,
            http,
            limits,
            root: &client.root,
            call: self.call,
            url: self.url,
            token,
            client_request_id: &self.name.client_request_id,
            wants_body: self.kind == Kind::Reading,
        };
        let mut sending = std::pin::pin!(attempt.send());
        let ended = tokio::select! {
            biased;
            ended = &mut sending => ended,
            () = client.world.cancel.cancelled() => match self.kind {
                Kind::Reading => return Err(self.stopped()),
                Kind::Changing => match timeout(limits.grace, sending).await {
                    Ok(ended) => ended,
                    Err(_) => return Err(GraphError::Unknown {
                        call: self.name.clone(),
                        sent_at,
                        maybe_later: false,
                        cause: "it was stopped while waiting for the answer".to_owned(),
                    }),
                },
            },
        };
        let took = client.now().duration_since(sent_at);
        tracing::debug!(
            operation = self.call.operation,
            method = %self.name.method,
            path = %self.name.path,
            status = ended.status,
            outcome = ended.end.word(),
            ms = took.as_millis(),
            request_id = %self.name.client_request_id,
            attempt = self.effort.tries,
            "graph call"
        );
        Ok(ended)
    }

    fn hear(&self, end: End, date: Option<Timestamp>) -> Heard {
        let heard = |cause: String, sort: Sort| Heard {
            cause,
            error: None,
            request_id: self.name.client_request_id.clone(),
            wait: None,
            timed_out: false,
            sort,
        };
        match end {
            End::Answered(_) => heard(String::new(), Sort::Refused),
            End::Unsent { cause, timed_out } => Heard {
                timed_out,
                ..heard(cause, Sort::Unsent)
            },
            End::Lost { cause, timed_out } => Heard {
                timed_out,
                ..heard(cause, Sort::Lost)
            },
            End::Unusable {
                cause,
                request_id,
                passing,
            } => Heard {
                request_id,
                ..heard(cause, Sort::Unusable { passing })
            },
            End::Refused {
                error,
                retry_after: header,
            } => Heard {
                wait: retry_after(header.as_deref(), date, self.client.service_now()),
                request_id: error.request_id.clone(),
                error: Some(error.clone()),
                ..heard(
                    format!("{} {}: {}", error.status, error.code, error.words()),
                    Sort::Refused,
                )
            },
        }
    }

    fn decide(&mut self, heard: &Heard) -> Next {
        let effort = &mut self.effort;
        let failure = match (heard.sort, &heard.error) {
            (Sort::Refused, Some(error)) => {
                let now = self.client.now();
                match error.status {
                    404 => effort.missing += 1,
                    429 => effort.throttled += 1,
                    503 if heard.wait.is_some() => effort.throttled += 1,
                    408 | 500.. => effort.lost += 1,
                    400..500 if error.status != 401 => effort.throttled += 1,
                    _ => {}
                }
                Failure::Refused {
                    status: error.status,
                    code: &error.code,
                    retry_after: heard.wait.is_some(),
                    fresh: self
                        .call
                        .fresh_since
                        .is_some_and(|since| is_fresh(since, now)),
                    renewable: self.client.tokens.is_renewable(),
                }
            }
            (Sort::Unsent, _) => {
                effort.unsent += 1;
                Failure::Unsent {
                    timed_out: heard.timed_out,
                    reached: self.client.is_reached(),
                }
            }
            (Sort::Unusable { passing }, _) => {
                effort.lost += u32::from(passing);
                Failure::Unusable { passing }
            }
            (Sort::Lost | Sort::Refused, _) => {
                effort.lost += 1;
                effort.timed_out += u32::from(heard.timed_out);
                Failure::Lost {
                    timed_out: heard.timed_out,
                }
            }
        };
        retry::decide(self.kind, failure, effort)
    }

    /// The service has too much to do: everybody waits, also where this call cannot wait so long.
    fn throttle(&self, nth: u32, heard: Heard) -> Result<(), GraphError> {
        let named = heard.wait.filter(|wait| !wait.is_zero());
        let wait = named.unwrap_or_else(|| retry::throttle_backoff(nth));
        let client = self.client;
        let left = self.left();
        let hold = if wait > left {
            wait.min(client.budget)
        } else {
            wait
        };
        client.hold(later(client.now(), hold));
        if wait > left {
            let why = format!("the service is throttling ({})", heard.cause);
            return Err(self.exhausted(&Self::too_long(wait, left, &why), heard.error));
        }
        Ok(())
    }

    /// Something went wrong for this call alone: it waits alone.
    async fn back_off(&self, nth: u32, heard: Heard) -> Result<(), GraphError> {
        let wait = retry::backoff(nth);
        if wait > self.left() {
            return Err(self.exhausted(&heard.cause, heard.error));
        }
        self.client.counters.waited(wait);
        if wait >= WORTH_SAYING {
            self.tell(self.client.now(), wait, &heard.cause);
        }
        self.pause(wait).await
    }

    /// Shows a wait, unless a line about it stands there already.
    fn tell(&self, now: Timestamp, wait: Duration, why: &str) {
        let client = self.client;
        if client.pacer.announce(now, later(now, wait)) {
            client.notices.waiting(self.call.operation, why, wait);
        }
    }

    fn fail(&self, end: Next, heard: Heard, sent_at: Timestamp) -> GraphError {
        let call = self.name.clone();
        let cause = heard.cause;
        match (end, heard.error) {
            (Next::Refused, Some(error)) => GraphError::Refused { call, error },
            (Next::Unknown { maybe_later }, _) => GraphError::Unknown {
                call,
                sent_at,
                maybe_later,
                cause,
            },
            (Next::Unreachable, _) => GraphError::Unreachable { call, cause },
            (Next::Unusable, _) => GraphError::Unusable {
                call,
                cause,
                request_id: heard.request_id,
            },
            (_, error) => self.exhausted(&cause, error),
        }
    }

    fn exhausted(&self, last: &str, error: Option<ServiceError>) -> GraphError {
        GraphError::Exhausted {
            call: self.name.clone(),
            tries: self.effort.tries,
            waited: self.elapsed(),
            last: last.to_owned(),
            error,
        }
    }

    fn too_long(wait: Duration, left: Duration, why: &str) -> String {
        format!(
            "{why}: the next try would be in {} s, and only {} s are left for this call",
            wait.as_secs_f64().ceil(),
            left.as_secs()
        )
    }

    fn stopped(&self) -> GraphError {
        GraphError::Stopped {
            call: self.name.clone(),
        }
    }

    async fn pause(&self, wait: Duration) -> Result<(), GraphError> {
        self.unless_stopped(self.client.world.clock.sleep(wait))
            .await
    }

    /// For everything that happens while nothing is on the wire.
    async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Result<T, GraphError> {
        tokio::select! {
            biased;
            () = self.client.world.cancel.cancelled() => Err(self.stopped()),
            value = future => Ok(value),
        }
    }

    /// By the world's clock; a clock that was set back counts as no time.
    fn elapsed(&self) -> Duration {
        Duration::try_from(self.client.now().duration_since(self.started)).unwrap_or_default()
    }

    fn left(&self) -> Duration {
        self.budget.saturating_sub(self.elapsed())
    }
}

impl End {
    fn word(&self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::Refused { .. } => "refused",
            Self::Unsent { .. } => "unsent",
            Self::Lost { .. } => "lost",
            Self::Unusable { .. } => "unusable",
        }
    }
}

/// Within 30 s after, also where the instant lies ahead: a `Date` has whole seconds, and answers overtake each other.
fn is_fresh(since: Timestamp, now: Timestamp) -> bool {
    Duration::try_from(now.duration_since(since)).unwrap_or_default() < FRESH
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
