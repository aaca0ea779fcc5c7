//! Sends one change and does not come back before its outcome is known, or known to be unknowable.

mod day;
mod recall;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::change::{Change, ChangeError, Look, Lost, Settled, Verdict};
use super::consent::{Agreed, Consent, Covered};
use super::guard::Guard;
use super::ledger::{Ledger, Outcome};
use super::{Arming, Class};
use crate::error::{Exit, Fault};
use crate::graph::{Call, CallName, Client, GraphError};
use crate::journal::{Consented, JournalError};
use crate::policy::{Act, Deed};
use crate::stop::Stop;
use crate::talk::Talk;
use crate::world::World;

use recall::{Beginning, Recalled};
pub(crate) use settle::Settled as Resettled;

/// How often one change is sent before we give up. Each time the answer was lost and looking showed that nothing had
/// happened; at a loss of one in twenty this is never reached.
const ROUNDS: u32 = 8;

/// A proxy that stopped waiting (408, 504) says nothing of how long the work behind it goes on.
const LATE_FACTOR: u32 = 4;

/// The one door. Shared by everything in one run.
pub(crate) struct Door {
    client: Arc<Client>,
    consent: Consent,
    guard: Guard,
    ledger: Ledger,
    stop: Stop,
    talk: Arc<dyn Talk>,
    world: World,
    settling: Duration,
    arming: Arming,
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
        ledger: Ledger,
    ) -> Self {
        consent.remember(ledger.consents());
        Self {
            client,
            consent,
            guard: Guard::default(),
            ledger,
            stop,
            talk,
            world,
            settling,
            arming: Arming::always(),
        }
    }

    /// Has everything judged by a policy first.
    pub(crate) fn behind(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Whether questions must say their items as a plan names them.
    pub(crate) fn is_planned(&self) -> bool {
        self.consent.is_planned()
    }

    /// Has a deed judged that is no change: reading.
    ///
    /// # Errors
    /// Exit 5; the run's stop flag is set.
    pub(crate) fn judge(&self, act: Act, deed: &Deed) -> Result<(), Fault> {
        let now = self.world.clock.now();
        self.guard.judge(act, deed, now).inspect_err(|fault| {
            self.stop.set(fault.clone());
        })
    }

    /// The door of a conversation, which is read-only until it is armed.
    pub(crate) fn armed_by(self, arming: Arming) -> Self {
        Self { arming, ..self }
    }

    /// Forgets what was agreed to at the prompt: each statement of a conversation asks for itself.
    pub(crate) fn forget_consent(&self) {
        self.consent.forget();
    }

    /// Sets the stop flag as well: nothing that a script catches goes on behind it.
    fn refuse_if_read_only(&self, what: &str) -> Result<(), ChangeError> {
        let admitted = self.arming.admit(self.world.clock.now(), what);
        admitted.map_err(|fault| {
            self.stop.set(fault.clone());
            ChangeError::Stopped(Box::new(fault))
        })
    }

    /// Whether any change may have reached the service.
    pub(crate) fn any_sent(&self) -> bool {
        self.ledger.any_sent()
    }

    /// Asks the policy and then for consent beforehand, so that several changes together ask once.
    ///
    /// # Errors
    /// [`ChangeError::Stopped`]; a refusal also sets the run's stop flag.
    pub(crate) fn consent(
        &self,
        class: Class,
        covered: &Covered,
        deed: &Deed,
    ) -> Result<(), ChangeError> {
        self.agree(class, covered, deed, None)
    }

    /// `call`: the one that is asked for, where it is one.
    fn agree(
        &self,
        class: Class,
        covered: &Covered,
        deed: &Deed,
        call: Option<&Call>,
    ) -> Result<(), ChangeError> {
        let what = Some(covered.question.as_str()).filter(|question| !question.is_empty());
        self.refuse_denied(class, deed, what.unwrap_or(class.name()))?;
        // The question waits on a person: off the runtime's workers, which carry all else.
        let answer = tokio::task::block_in_place(|| {
            let call = call.filter(|_| self.is_planned()).map(Call::words);
            self.consent.require(class, covered, call.as_deref())
        });
        let agreed = answer.map_err(|fault| {
            self.stop.set(fault.clone());
            ChangeError::Stopped(Box::new(fault))
        })?;
        let how = match agreed {
            Agreed::Before => return Ok(()),
            Agreed::Beforehand => "--yes",
            Agreed::Policy => "policy",
            Agreed::Plan => "plan",
            Agreed::Now | Agreed::ToAll => "prompt",
        };
        self.ledger.consented(Consented {
            run: String::new(),
            class: class.name().to_owned(),
            // A path of a script's own may hold a secret in its query.
            question: covered
                .question
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned(),
            keys: covered.keys.clone(),
            all: agreed == Agreed::ToAll,
            how: how.to_owned(),
            at: self.world.clock.now(),
        });
        Ok(())
    }

    /// What an earlier life of the run has learnt, and what this one learns.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Sends a change. Where its answer is lost, `look` decides what has become of it. One that an earlier life of the run
    /// has made is not sent again: its answer is the same, or it is looked for.
    ///
    /// # Errors
    /// [`ChangeError`]; only `Unknown` leaves the tenant in doubt.
    pub(crate) async fn send(
        &self,
        change: Change,
        look: &dyn Look,
    ) -> Result<Settled, ChangeError> {
        let Beginning { mut call, since } = match self.recall(&change, look).await? {
            Recalled::Settled(settled) => {
                self.consent.spend(&change.call.words());
                return Ok(settled);
            }
            Recalled::ToSend(beginning) => beginning,
        };
        self.agree(
            change.class,
            &change.covered,
            &change.deed,
            Some(&change.call),
        )?;
        let mut lost_before = since.is_some();
        let since = since.unwrap_or_else(|| self.client.service_now());
        for round in u32::from(lost_before)..ROUNDS {
            // The hour may have passed since, or the time that it was armed for: while a person thought, or while a lost
            // answer was looked for.
            self.refuse_denied(change.class, &change.deed, call.operation)?;
            let now = self.world.clock.now();
            let written = self.ledger.write(&change, &call, round, since, now).await;
            let sequence = written.map_err(|error| self.unwritten(error))?;
            self.refuse_beyond_day(&change, sequence).await?;
            let error = match self.client.change(call.clone()).await {
                Ok(answer) => {
                    let at = self.world.clock.now();
                    tracing::debug!(
                        status = answer.status,
                        request_id = answer.request_id,
                        "answered"
                    );
                    let request_id = answer.request_id.clone();
                    let json = answer.json();
                    let done = Outcome::Done {
                        json: &json,
                        request_id: Some(&request_id),
                        found: false,
                    };
                    self.ledger.close(sequence, &done, at);
                    return Ok(Settled {
                        json,
                        at,
                        found: false,
                        recalled: false,
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
                    self.close(sequence, &Outcome::Refused(&error));
                    return Err(error.into());
                }
            };
            lost_before = true;
            let lost = Lost {
                call,
                since,
                waited: wait,
            };
            match self.look(sequence, &lost, error, wait, look).await? {
                Looked::Happened(settled) => return Ok(settled),
                Looked::Again(rest) => call = rest,
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

    /// Finds out what became of a change whose answer was lost.
    async fn look(
        &self,
        sequence: u64,
        lost: &Lost,
        error: GraphError,
        wait: Duration,
        look: &dyn Look,
    ) -> Result<Looked, ChangeError> {
        if !self.settle(wait).await {
            if look.inert() {
                self.refuse_if_stopped()?;
            }
            let why = "stopped before it could be looked up";
            return Err(self.unknown(sequence, lost, &error, why));
        }
        let say = |how: &str| {
            self.client.count_reconciled();
            let operation = lost.call.operation;
            self.talk
                .note(&format!("no answer to `{operation}`; {how}"));
        };
        match look.look(lost).await {
            Ok(Verdict::Happened(json, how)) => {
                let at = self.world.clock.now();
                let done = Outcome::Done {
                    json: &json,
                    request_id: error.request_id(),
                    found: true,
                };
                self.ledger.close(sequence, &done, at);
                say(&how);
                Ok(Looked::Happened(Settled {
                    json,
                    at,
                    found: true,
                    recalled: false,
                }))
            }
            Ok(Verdict::Again(rest)) => {
                self.close(
                    sequence,
                    &Outcome::NotDone("looked, and it had not happened"),
                );
                say("looked, and it had not happened: sending it again");
                Ok(Looked::Again(rest))
            }
            Ok(Verdict::Not(why)) => {
                self.close(sequence, &Outcome::NotDone(&why));
                self.client.count_reconciled();
                Err(not_done(error, why).into())
            }
            Ok(Verdict::Unclear(why)) => Err(self.unknown(sequence, lost, &error, &why)),
            Err(blind) => Err(self.unknown(sequence, lost, &error, &blind.to_string())),
        }
    }

    fn close(&self, sequence: u64, outcome: &Outcome<'_>) {
        self.ledger.close(sequence, outcome, self.world.clock.now());
    }

    /// How long a change whose answer was lost may take to become visible.
    pub(crate) fn settling(&self) -> Duration {
        self.settling
    }

    /// What is left of the time in which a change of an earlier life becomes visible. Clocks that have jumped make it no
    /// longer than the whole.
    pub(crate) fn left_of_settling(&self, sent: Timestamp) -> Duration {
        let passed = self.world.clock.now().duration_since(sent);
        let passed = Duration::try_from(passed).unwrap_or_default();
        self.settling.saturating_sub(passed)
    }

    /// Without a record that is on disk nothing more is sent.
    pub(crate) fn unwritten(&self, error: JournalError) -> ChangeError {
        let fault = Fault::from(error);
        self.stop.set(fault.clone());
        ChangeError::Stopped(Box::new(fault))
    }

    /// `what`: as a refusal names it.
    fn refuse_denied(&self, class: Class, deed: &Deed, what: &str) -> Result<(), ChangeError> {
        self.refuse_if_stopped()?;
        self.judge(class.act(), deed)
            .map_err(|fault| ChangeError::Stopped(Box::new(fault)))?;
        self.refuse_if_read_only(what)
    }

    fn refuse_if_stopped(&self) -> Result<(), ChangeError> {
        match self.stop.reason() {
            Some(fault) => Err(ChangeError::Stopped(Box::new(fault))),
            None => Ok(()),
        }
    }

    /// Waits until a lost change has had the time to become visible; false where the run is stopped meanwhile.
    async fn settle(&self, wait: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = self.world.clock.sleep(wait) => true,
        }
    }

    fn unknown(&self, sequence: u64, lost: &Lost, error: &GraphError, why: &str) -> ChangeError {
        let cause = format!("{error}; {why}");
        self.close(sequence, &Outcome::Unknown(&cause));
        ChangeError::Unknown {
            operation: lost.call.operation,
            path: lost.call.path.clone(),
            since: lost.since,
            cause,
            request_id: error.request_id().map(str::to_owned),
        }
    }
}

/// What looking for a lost change came to.
enum Looked {
    Happened(Settled),
    Again(Call),
}

fn named(call: &Call) -> CallName {
    CallName {
        operation: call.operation,
        method: call.method.to_string(),
        path: call.path.clone(),
        client_request_id: String::new(),
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
