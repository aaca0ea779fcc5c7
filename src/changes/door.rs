//! Sends one change and does not come back before its outcome is known, or known to be unknowable.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Class;
use super::consent::{Consent, Covered};
use super::intent::{Intents, Outcome};
use crate::error::{Exit, Fault};
use crate::graph::{Call, Client, GraphError, Json};
use crate::stop::Stop;
use crate::talk::Talk;
use crate::world::World;

/// How often one change is sent before we give up. Each time the answer was lost and looking showed that nothing had
/// happened; at a loss of one in twenty this is never reached.
const ROUNDS: u32 = 8;

/// A proxy that stopped waiting (408, 504) says nothing of how long the work behind it goes on.
const LATE_FACTOR: u32 = 4;

/// One change, before it is sent.
pub(crate) struct Change {
    pub(crate) class: Class,
    pub(crate) call: Call,
    /// What consent is asked for. Drafts need none.
    pub(crate) covered: Covered,
}

impl Change {
    pub(crate) fn draft(call: Call) -> Self {
        Self {
            class: Class::Draft,
            call,
            covered: Covered::default(),
        }
    }
}

/// A change whose answer was lost.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) call: Call,
    /// When the *first* intent of this change was written, in the service's time.
    pub(crate) since: Timestamp,
}

/// What looking showed.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It has happened; this stands for the answer. The text says how it was found, for the person.
    Happened(Json, String),
    /// It has not, or only in part: this is still to be sent.
    Again(Call),
    /// It has not happened, and must not be sent again: an answer that was a refusal stands.
    Not(String),
    /// It cannot be told.
    Unclear(String),
}

/// Looks whether a change has happened whose answer was lost.
#[async_trait]
pub(crate) trait Look: Send + Sync {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError>;

    /// Whether this refusal can come of an earlier try of the same change that did arrive, so that we look before we
    /// believe it. Asked only after an answer was lost.
    fn explains(&self, _refusal: &GraphError) -> bool {
        false
    }

    /// Whether it does no harm if the change did happen and nobody ever learns of it (a draft that is left behind).
    fn inert(&self) -> bool {
        false
    }
}

/// The answer to a change.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) json: Json,
    /// When it was learnt, on our clock.
    pub(crate) at: Timestamp,
    /// The answer was lost; the change was found by looking. `json` is what was found, not what was answered.
    pub(crate) found: bool,
}

/// Why a change did not come to an end that can be built upon.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// Nothing has changed.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// It may have happened or not, and looking could not tell.
    #[error("it is not known whether {operation} has happened: {cause}")]
    Unknown {
        operation: &'static str,
        path: String,
        since: Timestamp,
        cause: String,
        request_id: Option<String>,
    },
    /// Refused by consent, or the run's stop flag was set: nothing was sent.
    #[error("{0}")]
    Stopped(Box<Fault>),
}

/// The one door. Shared by everything in one run.
pub(crate) struct Door {
    client: Arc<Client>,
    consent: Consent,
    intents: Intents,
    stop: Stop,
    talk: Arc<dyn Talk>,
    world: World,
    settling: Duration,
}

impl Door {
    /// `settling`: how long to wait, on our clock, before looking for a lost change.
    pub(crate) fn new(
        client: Arc<Client>,
        consent: Consent,
        stop: Stop,
        talk: Arc<dyn Talk>,
        world: World,
        settling: Duration,
    ) -> Self {
        Self {
            client,
            consent,
            intents: Intents::default(),
            stop,
            talk,
            world,
            settling,
        }
    }

    /// Whether any change may have reached the service.
    pub(crate) fn any_sent(&self) -> bool {
        self.intents.any_sent()
    }

    /// Asks for consent beforehand, so that several changes together ask once.
    ///
    /// # Errors
    /// [`ChangeError::Stopped`]; a refusal also sets the run's stop flag.
    pub(crate) fn consent(&self, class: Class, covered: &Covered) -> Result<(), ChangeError> {
        self.refuse_if_stopped()?;
        // The question waits on a person: off the runtime's workers, which carry all else.
        let answer = tokio::task::block_in_place(|| self.consent.require(class, covered));
        answer.map_err(|fault| {
            self.stop.set(fault.clone());
            ChangeError::Stopped(Box::new(fault))
        })
    }

    /// Sends a change. Where its answer is lost, `look` decides what has become of it.
    ///
    /// # Errors
    /// [`ChangeError`]; only `Unknown` leaves the tenant in doubt.
    pub(crate) async fn send(
        &self,
        change: Change,
        look: &dyn Look,
    ) -> Result<Settled, ChangeError> {
        self.consent(change.class, &change.covered)?;
        let since = self.client.service_now();
        let mut call = change.call;
        let mut lost_before = false;
        for _ in 0..ROUNDS {
            self.refuse_if_stopped()?;
            let intent = self
                .intents
                .write(change.class, &call, self.client.service_now());
            let error = match self.client.change(call.clone()).await {
                Ok(answer) => {
                    self.intents.close(intent, Outcome::Done);
                    tracing::debug!(
                        status = answer.status,
                        request_id = answer.request_id,
                        "answered"
                    );
                    let at = self.world.clock.now();
                    return Ok(Settled {
                        json: answer.json(),
                        at,
                        found: false,
                    });
                }
                Err(error) => error,
            };
            let wait = match &error {
                GraphError::Unknown {
                    maybe_later: true, ..
                } => self.settling * LATE_FACTOR,
                GraphError::Unknown { .. } => self.settling,
                refusal if lost_before && look.explains(refusal) => Duration::ZERO,
                _ => {
                    self.intents
                        .close(intent, Outcome::Refused(error.to_string()));
                    return Err(error.into());
                }
            };
            lost_before = true;
            let lost = Lost { call, since };
            if !self.settle(wait).await {
                if look.inert() {
                    self.refuse_if_stopped()?;
                }
                return Err(self.unknown(
                    intent,
                    &lost,
                    &error,
                    "stopped before it could be looked up",
                ));
            }
            match look.look(&lost).await {
                Ok(Verdict::Happened(json, how)) => {
                    self.intents.close(intent, Outcome::Done);
                    self.client.count_reconciled();
                    self.talk
                        .note(&format!("no answer to `{}`; {how}", lost.call.operation));
                    let at = self.world.clock.now();
                    return Ok(Settled {
                        json,
                        at,
                        found: true,
                    });
                }
                Ok(Verdict::Again(rest)) => {
                    self.intents.close(intent, Outcome::NotDone);
                    self.client.count_reconciled();
                    let text = "looked, and it had not happened: sending it again";
                    self.talk
                        .note(&format!("no answer to `{}`; {text}", lost.call.operation));
                    call = rest;
                }
                Ok(Verdict::Not(why)) => {
                    self.intents.close(intent, Outcome::Refused(why.clone()));
                    self.client.count_reconciled();
                    return Err(not_done(error, why).into());
                }
                Ok(Verdict::Unclear(why)) => return Err(self.unknown(intent, &lost, &error, &why)),
                Err(blind) => return Err(self.unknown(intent, &lost, &error, &blind.to_string())),
            }
        }
        let cause = format!("the answer was lost {ROUNDS} times in a row");
        Err(ChangeError::Unknown {
            operation: call.operation,
            path: call.path,
            since,
            cause,
            request_id: None,
        })
    }

    fn refuse_if_stopped(&self) -> Result<(), ChangeError> {
        match self.stop.reason() {
            Some(fault) => Err(ChangeError::Stopped(Box::new(fault.clone()))),
            None => Ok(()),
        }
    }

    /// Waits until a lost change has had the time to become visible; false where the run is stopped meanwhile.
    async fn settle(&self, wait: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.stop.token().cancelled() => false,
            () = self.world.clock.sleep(wait) => true,
        }
    }

    fn unknown(&self, intent: usize, lost: &Lost, error: &GraphError, why: &str) -> ChangeError {
        let cause = format!("{error}; {why}");
        self.intents.close(intent, Outcome::Unknown(cause.clone()));
        ChangeError::Unknown {
            operation: lost.call.operation,
            path: lost.call.path.clone(),
            since: lost.since,
            cause,
            request_id: error.request_id().map(str::to_owned),
        }
    }
}

/// The error of a change that is known not to have happened.
fn not_done(error: GraphError, why: String) -> GraphError {
    match error {
        GraphError::Unknown { call, cause, .. } => GraphError::Exhausted {
            call,
            tries: 2,
            waited: Duration::ZERO,
            last: format!("{cause}; {why}"),
            error: None,
        },
        refusal => refusal,
    }
}

impl ChangeError {
    /// The error as a script and a person see it.
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self {
            Self::Graph(_) => None,
            Self::Stopped(fault) => Some((**fault).clone()),
            Self::Unknown {
                operation,
                path,
                since,
                request_id,
                ..
            } => {
                let mut fault = Fault::new(Exit::Unknown, "OutcomeUnknown", self.to_string())
                    .context(format!("{operation}: {path}, sent at {since}"))
                    .hint("look at it in the tenant before anything is done again: it may have happened");
                fault.request_id.clone_from(request_id);
                Some(fault)
            }
        }
    }
}
