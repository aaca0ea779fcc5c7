//! Activating and deleting sessions.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::asking::{Asked, Asking};
use super::books::{ArtifactTotals, Outcome, SessionSummary, SessionTimes};
use super::bulk::Bulk;
use super::gate::Weight;
use super::part::{Content, Part, Stage};
use super::recall::activation;
use super::{BackupError, Service, Session};
use crate::changes::{Change, ChangeError, Class, Covered, Key, Look, Lost, Verdict};
use crate::graph::{Call, GraphError, Json};
use crate::policy::Deed;

/// How long an activate that is refused without being done (429, nothing sent) is tried again, as any call is.
const PATIENCE: Duration = Duration::from_mins(15);

impl Session {
    /// Activates every part, each when both gates are open. Consent is asked once, for all of them. Where there is nothing
    /// to activate, nothing is sent.
    ///
    /// # Errors
    /// The first part's error that stops it; parts before it are active and accounted for.
    pub(crate) async fn activate(&self) -> Result<(), BackupError> {
        let done = self.activate_all().await;
        if done.is_err() {
            self.service.give_back_unactivated(&self.parts()).await;
        }
        done
    }

    async fn activate_all(&self) -> Result<(), BackupError> {
        let mut recalled = HashSet::new();
        for part in self.parts() {
            let mut content = part.content.lock().await;
            self.service.read_content(&part, &mut content).await?;
            if self.service.was_activated(&part, &mut content).await {
                recalled.insert(part.id.clone());
            }
        }
        self.service.leave_out_restored(&self.parts()).await?;
        self.service.forget_members().await;
        let mut asking = Asking::default();
        for part in self.parts() {
            let content = part.content.lock().await;
            if recalled.contains(&part.id) {
                continue;
            }
            // A bulk restore is activated by the call that makes it.
            if content.stage == Stage::Activated && content.bulk.as_ref().is_some_and(Bulk::is_ours)
            {
                continue;
            }
            if content.stage != Stage::Draft {
                let (session, status) = (part.id.clone(), part.status());
                return Err(BackupError::NotDraft { session, status });
            }
            if content.is_empty() {
                continue;
            }
            asking.add(&self.service, &part, &content).await?;
        }
        if asking.parts.is_empty() {
            return Ok(());
        }
        let parts = asking.parts.clone();
        let asked = asking
            .end(&self.service, self.workload, self.is_granular())
            .await?;
        self.service.refuse_if_locked().await?;
        for part in &parts {
            let content = part.content.lock().await;
            self.service.take_inputs(part, &content).await?;
        }
        self.service
            .door
            .consent(Class::Activate, &asked.covered, &asked.deed)?;
        let bar = self
            .service
            .talk
            .bar("activating sessions", Some(parts.len() as u64));
        for part in parts {
            self.service.obey_wishes().await?;
            self.service.activate(&part, &asked).await?;
            bar.add(1);
        }
        Ok(())
    }

    /// Deletes its drafts.
    pub(crate) async fn delete(&self) -> Result<(), BackupError> {
        let parts = self.parts();
        let ids: Vec<String> = parts.iter().map(|part| part.id.clone()).collect();
        let covered = Covered {
            question: format!("delete draft {}", ids.join(", ")),
            keys: ids,
            is_own_draft: parts.iter().all(|part| part.since.is_some()),
            ..Covered::default()
        };
        for part in parts {
            self.service.delete(&part, covered.clone()).await?;
        }
        Ok(())
    }
}

impl Service {
    async fn activate(&self, part: &Arc<Part>, asked: &Asked) -> Result<(), BackupError> {
        let mut content = part.content.lock().await;
        let mut anew = None;
        let mut schedule = self.schedule();
        let begun = self.world.clock.now();
        let lost = AtomicBool::new(false);
        let mut is_cut_off = self.was_being_activated(part);
        loop {
            // Before the gate: nobody else needs to wait for it.
            self.outwait_twin(part).await?;
            let load = Weight::of(part, &content);
            // An activate of an earlier life may have arrived: it is looked for first, behind no gate.
            let mut gate = if is_cut_off {
                self.gate.lock().await
            } else {
                self.pass_gate(part, load).await?
            };
            if lost.load(Ordering::Relaxed) {
                // An activate whose answer was lost can have landed since: then there is nothing left to do.
                let json = self.get_session(part).await?;
                if json.string("status").as_deref() != Some("draft") {
                    part.keep(json);
                    gate.enter(&part.id, part.workload, load);
                    self.enter_activated(part, &mut content, self.world.clock.now());
                    return Ok(());
                }
            }
            // What is verified now must be what is activated.
            let _hold = self.hold_session(&part.id).await?;
            if !std::mem::take(&mut is_cut_off) {
                self.leave_out_held(part, &mut content).await?;
                self.refuse_running_inputs(part, &content).await?;
                self.verify_at_rest(part, &mut content).await?;
                if content.is_empty() {
                    return Ok(());
                }
                self.keep_activated(part, &content);
            }
            if !asked.holds(&content) {
                anew = Some(self.ask_for(part, &content).await?);
            }
            let asked = anew.as_ref().unwrap_or(asked);
            let items = content.len();
            let look = LookForActive {
                service: self.me(),
                part,
                content: tokio::sync::Mutex::new(&mut content),
                trouble: Mutex::default(),
                lost: &lost,
            };
            let change = Change {
                class: Class::Activate,
                covered: asked.covered.clone(),
                deed: asked.deed.clone(),
                ..Change::draft(activate_call(part), Key::Once(activation(&part.id)))
            }
            .noted(items, serde_json::Value::Null);
            let sent = self.door.send(change, &look).await;
            let trouble = look
                .trouble
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            match sent {
                Ok(settled) => {
                    part.keep(settled.json);
                    if settled.recalled || settled.found {
                        self.recall_activated(part, &mut content);
                    }
                    gate.enter(&part.id, part.workload, Weight::of(part, &content));
                    self.enter_activated(part, &mut content, settled.at);
                    return Ok(());
                }
                // Passing: somebody took the last place between our look and our call.
                Err(ChangeError::Graph(error)) if error.is("TooManyActiveRestoreSessions") => {
                    drop(gate);
                    self.wait_at_gate(&part.id, "25 restore sessions are active", schedule.next())
                        .await?;
                }
                // Not done, and not to be waited for in there: what was verified must be verified again after a wait.
                Err(ChangeError::Graph(error @ GraphError::Exhausted { .. }))
                    if self.is_patient_since(begun) =>
                {
                    drop(gate);
                    let throttled = matches!(error.status(), Some(429 | 503));
                    if !throttled {
                        self.sleep(schedule.next()).await?;
                    }
                }
                Err(error) => {
                    drop(gate);
                    if !matches!(error, ChangeError::Unknown { .. }) {
                        self.gate_left(&part.id).await;
                    }
                    if let ChangeError::Unknown { .. } = &error {
                        self.book_unknown(part, &content, &error);
                    }
                    return Err(trouble.unwrap_or_else(|| error.into()));
                }
            }
        }
    }

    fn is_patient_since(&self, begun: Timestamp) -> bool {
        let passed = self.world.clock.now().duration_since(begun);
        Duration::try_from(passed).is_ok_and(|passed| passed < PATIENCE)
    }

    fn book_unknown(&self, part: &Part, content: &Content, error: &ChangeError) {
        for item in content.items() {
            let (code, reason) = (error_code(error), error.to_string());
            let outcome = Outcome::Unknown;
            self.books
                .end(item, outcome, Some(code), Some(reason), Some(&part.id));
        }
    }

    pub(super) fn enter_activated(&self, part: &Arc<Part>, content: &mut Content, at: Timestamp) {
        content.stage = Stage::Activated;
        self.books.activated(content.items(), &part.id);
        self.books.session(SessionSummary {
            id: part.id.clone(),
            workload: part.workload.name.to_owned(),
            status: part.status(),
            artifacts: ArtifactTotals {
                total: content.len(),
                ..ArtifactTotals::default()
            },
            times: SessionTimes {
                created: part.since,
                activated: Some(at),
                ended: None,
            },
            warning: None,
        });
        self.know(part.clone());
    }

    async fn delete(&self, part: &Arc<Part>, covered: Covered) -> Result<(), BackupError> {
        let mut content = part.content.lock().await;
        let _hold = self.hold_session(&part.id).await?;
        let call = part.call(Call::delete("delete session", part.path("")));
        let look = LookForGone {
            service: self.me(),
            part,
        };
        self.door
            .send(
                Change {
                    class: Class::Delete,
                    covered,
                    deed: Deed::nothing(part.workload.name),
                    ..Change::draft(call, Key::Once(format!("delete/{}", part.id)))
                },
                &look,
            )
            .await?;
        for item in content.items() {
            self.books.withdraw(item, &part.id);
        }
        content.placed.clear();
        content.bulk = None;
        content.stage = Stage::Deleted;
        Ok(())
    }
}

/// Without a budget: a 429 comes back at once instead of being waited for, since a wait makes what was verified old. The
/// hold that it orders is kept by the next call.
fn activate_call(part: &Part) -> Call {
    let mut call = part.call(Call::post("activate session", part.path("/activate")));
    call.budget = Some(Duration::ZERO);
    call
}

fn error_code(error: &ChangeError) -> String {
    error
        .fault()
        .map_or_else(|| "OutcomeUnknown".to_owned(), |fault| fault.code)
}

/// After a lost activate: not draft is done, draft is sent again. A 403 can come of the first try, which did arrive.
struct LookForActive<'a> {
    service: Arc<Service>,
    part: &'a Arc<Part>,
    content: tokio::sync::Mutex<&'a mut Content>,
    /// Why the draft, which was looked at again, must not be activated.
    trouble: Mutex<Option<BackupError>>,
    /// An answer to activate was lost.
    lost: &'a AtomicBool,
}

#[async_trait]
impl Look for LookForActive<'_> {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError> {
        self.lost.store(true, Ordering::Relaxed);
        let json = self.session().await?;
        Ok(match json.string("status").as_deref() {
            // A PATCH whose answer was lost can have landed while we waited: what was verified before need not hold now.
            Some("draft") => {
                let mut content = self.content.lock().await;
                let Err(error) = self.service.verify_at_rest(self.part, &mut content).await else {
                    return Ok(Verdict::Again(lost.call.clone()));
                };
                // The lost activate may have landed between the two looks, and refused the repair.
                let json = self.session().await?;
                if json.string("status").as_deref() != Some("draft") {
                    return Ok(self.activated(json));
                }
                let why = error.to_string();
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Verdict::Unclear(why)
            }
            _ => self.activated(json),
        })
    }

    fn explains(&self, refusal: &GraphError) -> bool {
        refusal.is("RestoreSessionActionNotAllowed")
    }
}

impl LookForActive<'_> {
    async fn session(&self) -> Result<Json, GraphError> {
        self.service.get_session(self.part).await
    }

    fn activated(&self, json: Json) -> Verdict {
        let Some(status) = json.string("status") else {
            return Verdict::Unclear("the session has no status".to_owned());
        };
        let id = &self.part.id;
        let how = format!("session `{id}` is {status}: it was activated, went on");
        Verdict::Happened(json, how)
    }
}

/// After a lost delete: gone is done, a draft is deleted again, anything else is for a person.
struct LookForGone<'a> {
    service: Arc<Service>,
    part: &'a Arc<Part>,
}

#[async_trait]
impl Look for LookForGone<'_> {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError> {
        let gone = || Verdict::Happened(Json::of(&()), "the draft is gone".to_owned());
        match self.service.read_session(self.part, None).await {
            Err(error) if error.is_not_found() => Ok(gone()),
            Err(error) => Err(error),
            Ok(json) => Ok(super::edit::again_if_draft(&json, lost)),
        }
    }

    fn explains(&self, refusal: &GraphError) -> bool {
        refusal.is_not_found()
    }
}
