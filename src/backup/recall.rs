//! What an earlier life of the run has done to sessions, brought back when the run goes on: by what was done and to what, not
//! by the order in which it was done. Threads of a script put their artifacts into the same requests in another order each time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::books::{ArtifactTotals, Outcome};
use super::part::{ArtifactKey, Content, Part, Placed, Stage, key};
use super::search::{Found, Query};
use super::session::{NotTaken, Request};
use super::{BackupError, Service, Session};
use crate::changes::{Past, origin};
use crate::graph::Json;

/// How an item ended that was in a session: outcome, code and reason, as the books have them.
pub(super) type Ended = (Outcome, Option<String>, Option<String>);

/// What a session held when it was activated.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Activated {
    placed: Vec<ArtifactKey>,
    /// What was put into it and taken out again, with the reason.
    out: Vec<(ArtifactKey, Ended)>,
}

/// How a session ended whose artifacts were put there one by one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Settled {
    pub(super) json: Json,
    pub(super) at: Timestamp,
    pub(super) totals: ArtifactTotals,
    pub(super) ends: Vec<(ArtifactKey, Ended)>,
    /// Artifacts that this run did not put there.
    #[serde(default)]
    pub(super) strange: Vec<Json>,
}

/// What was put into a part in an earlier life and has not been asked for in this one.
#[derive(Debug, Default)]
pub(super) struct Recalled {
    placed: HashSet<ArtifactKey>,
    /// The draft itself was looked at: a request that was on its way when the process died may have arrived.
    is_claimed: bool,
    /// The requests that were on their way: their numbers, and when the last of them left, on our clock.
    open: Vec<u64>,
    open_since: Option<Timestamp>,
    /// How many artifacts they were to add.
    open_items: usize,
    /// The journal was asked what was added to it.
    is_read: bool,
    /// It was there before this process.
    is_old: bool,
}

/// The key under which the making of a part is remembered.
pub(super) fn creation(mark: &str, number: usize) -> String {
    format!("create/{mark}/{number}")
}

/// The key under which activating a part is remembered.
pub(super) fn activation(session: &str) -> String {
    format!("activate/{session}")
}

/// The key under which adding to a part is remembered.
pub(super) fn addition(session: &str) -> String {
    format!("add/{session}")
}

/// What is noted beside the answer to a request that puts artifacts into a session.
pub(super) fn note(placed: &[Placed]) -> serde_json::Value {
    let keys: Vec<ArtifactKey> = placed.iter().map(Placed::key).collect();
    serde_json::json!({ "placed": keys })
}

fn noted(note: &serde_json::Value) -> Vec<ArtifactKey> {
    serde_json::from_value(note["placed"].clone()).unwrap_or_default()
}

/// What a search is known by when the run goes on; `None` outside of a call of the script.
fn of_search(query: &Query) -> Option<String> {
    let origin = origin::current();
    let mark = (origin.number > 0).then(|| origin.mark())?;
    let Query {
        after,
        before,
        prefer,
        tags,
        version,
    } = query;
    Some(format!(
        "{mark}/{after:?}/{before}/{prefer:?}/{tags:?}/{version:?}"
    ))
}

impl Session {
    /// Takes back the parts that an earlier life has made for this session, and of the requests those that are in them or
    /// were refused. Gives the others, and what was refused, by position.
    pub(super) async fn recall(
        &self,
        requests: Vec<(usize, Request)>,
    ) -> Result<(Vec<(usize, Request)>, Vec<(usize, NotTaken)>), BackupError> {
        let ledger = self.service.door.ledger();
        if !ledger.is_resumed() {
            return Ok((requests, Vec::new()));
        }
        while !ledger.is_edited() {
            let made = ledger.past(&creation(&self.mark, self.parts().len()));
            let Some(Past::Done { json, note, at, .. }) = made else {
                break;
            };
            let part = self.service.recall_part(self, json, &note, at).await;
            self.adopt(part);
        }
        let mut refused = Vec::new();
        let mut left = Vec::new();
        for (position, request) in requests {
            let (one, other) = key(&request.thing, request.destination);
            let fact = ledger.fact("refused", &format!("{}/{one}/{other}", self.mark));
            match fact {
                Some((code, message)) => {
                    let (code, message): (String, String) = (code, message);
                    let not_taken = self.service.not_taken(&request, &code, &message);
                    refused.push((position, not_taken));
                }
                None => left.push((position, request)),
            }
        }
        for part in self.parts() {
            let mut content = part.content.lock().await;
            self.service.recall_placed(&part, &mut content);
            left = self.service.take_back(&part, &mut content, left);
        }
        for part in self.parts() {
            if left.is_empty() {
                break;
            }
            let mut content = part.content.lock().await;
            self.service.claim(&part, &mut content).await?;
            left = self.service.take_back(&part, &mut content, left);
        }
        Ok((left, refused))
    }

    /// Remembers that the service did not take an artifact.
    pub(super) fn keep_refused(&self, request: &Request, code: &str, message: &str) {
        let (one, other) = key(&request.thing, request.destination);
        let name = format!("{}/{one}/{other}", self.mark);
        let ledger = self.service.door.ledger();
        ledger.keep("refused", &name, &(code, message));
    }
}

impl Service {
    async fn recall_part(
        &self,
        session: &Session,
        json: Json,
        note: &serde_json::Value,
        at: Timestamp,
    ) -> Arc<Part> {
        let id = json.string("id").unwrap_or_default();
        let part = Part::made(session.workload, &session.manner, (id, json), at);
        let part = Arc::new(part);
        {
            let mut content = part.content.lock().await;
            let recalled = &mut content.recalled;
            recalled.is_old = true;
            recalled.placed.extend(noted(note));
            // A draft that was activated holds what it held then, however it got there.
            if let Some(fact) = self.activated_with(&part.id) {
                recalled.placed.extend(fact.placed);
                let out = fact.out.into_iter().map(|(key, _)| key);
                recalled.placed.extend(out);
            }
        }
        self.know(part.clone());
        part
    }

    /// After a part was found again while it was made: of what was to go into it, what is not there yet.
    pub(super) async fn recall_rest(
        &self,
        part: &Part,
        requests: Vec<(usize, Request)>,
    ) -> Vec<(usize, Request)> {
        let mut content = part.content.lock().await;
        self.recall_placed(part, &mut content);
        self.take_back(part, &mut content, requests)
    }

    /// What an earlier life has activated and this one has not come upon, with the session that it is in.
    pub(super) fn activated_unmet(&self) -> HashMap<ArtifactKey, String> {
        let mut unmet = HashMap::new();
        for (session, fact) in self.door.ledger().facts::<Activated>("activated") {
            if !self.was_about_to_be_activated(&session) {
                continue;
            }
            let part = self.part(&session);
            let content = part.as_ref().and_then(|part| part.content.try_lock().ok());
            let met: HashSet<ArtifactKey> = content
                .filter(|content| content.stage == Stage::Activated)
                .map(|content| content.placed.iter().map(Placed::key).collect())
                .unwrap_or_default();
            let keys = fact.placed.into_iter().filter(|key| !met.contains(key));
            unmet.extend(keys.map(|key| (key, session.clone())));
        }
        unmet
    }

    /// Whether an earlier life has activated this session, or was about to: it may be no draft any more. Where the service
    /// has refused, it is one.
    pub(super) fn was_about_to_be_activated(&self, session: &str) -> bool {
        let before = self.door.ledger().past(&activation(session));
        matches!(before, Some(Past::Done { .. } | Past::Open { .. }))
    }

    /// What a session held when an earlier life activated it, or was about to.
    fn activated_with(&self, session: &str) -> Option<Activated> {
        let fact = self.door.ledger().fact("activated", session);
        fact.filter(|_| self.was_about_to_be_activated(session))
    }

    /// What an earlier life has added to this part.
    fn recall_placed(&self, part: &Part, content: &mut Content) {
        if std::mem::replace(&mut content.recalled.is_read, true) {
            return;
        }
        self.recall_twin(part);
        for past in self.door.ledger().all_past(&addition(&part.id)) {
            content.recalled.is_old = true;
            match past {
                Past::Done { note, .. } => content.recalled.placed.extend(noted(&note)),
                Past::Open {
                    sequence,
                    items,
                    clock,
                    ..
                } => {
                    content.recalled.open.push(sequence);
                    content.recalled.open_since = Some(clock);
                    content.recalled.open_items += items;
                    self.expect_twin(part, self.door.left_of_settling(clock));
                }
                Past::Refused(_) => {}
            }
        }
        if self.was_about_to_be_activated(&part.id) {
            self.clear_open(content);
        }
    }

    fn clear_open(&self, content: &mut Content) {
        let now = self.world.clock.now();
        for sequence in content.recalled.open.drain(..) {
            self.door.ledger().cleared(sequence, now);
        }
    }

    /// Places the requests that are in this part already; gives the others.
    fn take_back(
        &self,
        part: &Part,
        content: &mut Content,
        requests: Vec<(usize, Request)>,
    ) -> Vec<(usize, Request)> {
        let mut left = Vec::new();
        for (position, request) in requests {
            let key = key(&request.thing, request.destination);
            if content.recalled.placed.remove(&key) {
                let placed = request.placed();
                self.books.place(placed.item, &part.id);
                content.placed.push(placed);
            } else {
                left.push((position, request));
            }
        }
        left
    }

    /// Looks into a draft of an earlier life before anything is added to it.
    async fn claim(&self, part: &Arc<Part>, content: &mut Content) -> Result<(), BackupError> {
        let is_activated = self.was_about_to_be_activated(&part.id);
        let recalled = &mut content.recalled;
        if !recalled.is_old || is_activated || std::mem::replace(&mut recalled.is_claimed, true) {
            return Ok(());
        }
        if let Some(sent) = recalled.open_since {
            let wait = self.door.left_of_settling(sent);
            self.sleep(wait).await?;
        }
        let known: HashSet<ArtifactKey> = content.placed.iter().map(Placed::key).collect();
        let listed = self.artifacts(part).await?;
        let listed = listed.iter().map(super::artifact::Artifact::key);
        let more: Vec<ArtifactKey> = listed.filter(|key| !known.contains(key)).collect();
        let arrived = more
            .iter()
            .filter(|key| !content.recalled.placed.contains(*key));
        if arrived.count() < content.recalled.open_items {
            self.expect_twin(part, self.door.settling());
        }
        content.recalled.placed.extend(more);
        self.clear_open(content);
        Ok(())
    }

    /// Keeps what a draft holds when it is about to be activated.
    pub(super) fn keep_activated(&self, part: &Part, content: &Content) {
        let fact = Activated {
            placed: content.placed.iter().map(Placed::key).collect(),
            out: content.out.clone(),
        };
        self.door.ledger().keep("activated", &part.id, &fact);
    }

    /// Brings the content of a part to what it was when it was activated.
    pub(super) fn recall_activated(&self, part: &Part, content: &mut Content) {
        let Some(fact) = self.door.ledger().fact::<Activated>("activated", &part.id) else {
            return;
        };
        let kept: HashSet<ArtifactKey> = fact.placed.into_iter().collect();
        let gone = content
            .placed
            .extract_if(.., |placed| !kept.contains(&placed.key()));
        for placed in gone.collect::<Vec<_>>() {
            let key = placed.key();
            let end = fact.out.iter().find(|(out, _)| *out == key);
            if let Some((_, (outcome, code, reason))) = end {
                let (code, reason) = (code.clone(), reason.clone());
                let session = (*outcome != Outcome::Skipped).then_some(&*part.id);
                self.books.end(placed.item, *outcome, code, reason, session);
            }
        }
        content.recalled = Recalled::default();
    }

    /// Activates a part that an earlier life has activated: nothing is sent. `false` where it has not, or nobody knows.
    pub(super) async fn was_activated(&self, part: &Arc<Part>, content: &mut Content) -> bool {
        if content.stage == Stage::Activated {
            return false;
        }
        let before = self.door.ledger().past(&activation(&part.id));
        let Some(Past::Done { json, at, .. }) = before else {
            return false;
        };
        part.keep(json);
        self.recall_activated(part, content);
        self.enter_activated(part, content, at);
        let mut gate = self.gate.lock().await;
        gate.enter(
            &part.id,
            part.workload,
            super::gate::Weight::of(part, content),
        );
        true
    }

    /// Whether an earlier life was cut off while this part was being activated.
    pub(super) fn was_being_activated(&self, part: &Part) -> bool {
        let before = self.door.ledger().past(&activation(&part.id));
        matches!(before, Some(Past::Open { .. }))
    }

    /// How a part ended, where an earlier life has seen it.
    pub(super) fn recall_settled(&self, part: &Part) -> Option<Settled> {
        self.door.ledger().fact("settled", &part.id)
    }

    /// Of units that are searched those of which an earlier life was told, with what it was told, and the others.
    pub(super) fn recall_search(
        &self,
        units: Vec<String>,
        query: &Query,
    ) -> (HashMap<String, Found>, Vec<String>) {
        let ledger = self.door.ledger();
        let mut known = HashMap::new();
        let Some(stem) = of_search(query).filter(|_| ledger.is_resumed()) else {
            return (known, units);
        };
        let left = units.into_iter().filter(|unit| {
            let fact = ledger.fact("search", &format!("{stem}/{unit}"));
            fact.map(|found| known.insert(unit.clone(), found))
                .is_none()
        });
        let left = left.collect();
        (known, left)
    }

    /// Keeps what the service has told of units: a search of thousands that is cut off is not begun anew.
    pub(super) fn keep_search(
        &self,
        units: &[String],
        query: &Query,
        answers: &HashMap<String, Found>,
    ) {
        let Some(stem) = of_search(query) else { return };
        for unit in units {
            // What was not answered is asked again.
            if let Some(found) = answers.get(unit)
                && !matches!(found, Found::Unanswered { .. })
            {
                let ledger = self.door.ledger();
                ledger.keep("search", &format!("{stem}/{unit}"), found);
            }
        }
    }

    /// The last state that this call of the script has seen of a session.
    pub(super) fn recall_state(&self, of: &str) -> Option<Json> {
        let key = format!("{}/{of}", origin::current().mark());
        self.door.ledger().fact("state", &key)
    }

    /// Something that this call of the script learns of this session: the same when the run goes on.
    pub(super) async fn learn<T: Serialize + serde::de::DeserializeOwned>(
        &self,
        kind: &str,
        of: &str,
        ask: impl Future<Output = Result<T, BackupError>>,
    ) -> Result<T, BackupError> {
        let ledger = self.door.ledger();
        let key = format!("{}/{of}", origin::current().mark());
        if let Some(known) = ledger.fact(kind, &key) {
            return Ok(known);
        }
        let learnt = ask.await?;
        ledger.keep(kind, &key, &learnt);
        Ok(learnt)
    }
}
