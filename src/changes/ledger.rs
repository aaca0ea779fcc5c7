//! What is about to be sent, on disk before it is sent, and what became of it; and what an earlier life of the run left behind.

mod facts;
mod past;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

pub(crate) use past::Past;

use super::{Change, Origin, origin};
use crate::graph::{Call, GraphError, Json};
use crate::journal::{
    Answer, ChangeRow, Consented, Intent, Journal, JournalError, OutcomeRow, Record, RunLock,
    RunRow, State,
};
use facts::Facts;
use past::{Kept, content, content_of, known};

/// What became of a change.
#[derive(Debug)]
pub(crate) enum Outcome<'a> {
    Done {
        json: &'a Json,
        request_id: Option<&'a str>,
        /// Its answer was lost, and looking found it.
        found: bool,
    },
    /// The service said no, or it never left this machine: nothing has changed.
    Refused(&'a GraphError),
    /// The answer was lost, and looking showed that nothing had happened: another intent follows, or none.
    NotDone(&'a str),
    Unknown(&'a str),
}

/// The changes of one run, in order.
pub(crate) struct Ledger {
    run: String,
    /// `None`: the run keeps no record, because its script can only read.
    journal: Option<Journal>,
    beginning: Mutex<Beginning>,
    sequence: AtomicU64,
    /// How many changes may have reached the service: one that was refused has changed nothing.
    sent: AtomicUsize,
    /// What is on its way, each with its note.
    open: Mutex<HashMap<u64, serde_json::Value>>,
    past: Mutex<HashMap<String, Vec<Past>>>,
    facts: Facts,
    /// What this life has come to know as not knowable, by number.
    unknown: Mutex<HashSet<u64>>,
    consents: Vec<Consented>,
    is_resumed: bool,
    /// Of a run whose script was edited: what its changes were, by their content.
    edited: Option<Mutex<Edited>>,
}

/// When the record of a run begins.
#[derive(Default)]
enum Beginning {
    /// It has begun, or is never to begin.
    #[default]
    Past,
    /// With the first thing that is worth a record. A conversation that only looks leaves none.
    Ahead(Box<RunRow>),
    /// Begun here: nobody else works on the run while this is held.
    Here(#[expect(dead_code, reason = "held, not looked at")] RunLock),
}

/// Changes of an earlier life whose places are not to be relied upon.
#[derive(Default)]
struct Edited {
    /// By key.
    contents: HashMap<String, [u8; 32]>,
    /// Came up again.
    met: HashSet<String>,
}

/// What an earlier life of a run has left in the journal.
#[derive(Default)]
pub(crate) struct Left {
    pub(crate) changes: Vec<ChangeRow>,
    /// Those answers that are facts.
    pub(crate) facts: Vec<Answer>,
    pub(crate) consents: Vec<Consented>,
}

impl Ledger {
    /// The ledger of a run that begins.
    pub(crate) fn new(run: &str, journal: Option<Journal>) -> Self {
        Self {
            run: run.to_owned(),
            journal,
            beginning: Mutex::default(),
            sequence: AtomicU64::new(0),
            sent: AtomicUsize::new(0),
            open: Mutex::default(),
            past: Mutex::default(),
            facts: Facts::default(),
            unknown: Mutex::default(),
            consents: Vec::new(),
            is_resumed: false,
            edited: None,
        }
    }

    /// The ledger of a conversation, whose record begins with the first change.
    pub(crate) fn ahead(row: RunRow, journal: Journal) -> Self {
        let mut ledger = Self::new(&row.id, Some(journal));
        ledger.beginning = Mutex::new(Beginning::Ahead(Box::new(row)));
        ledger
    }

    /// Whether there is a record of the run.
    pub(crate) fn has_begun(&self) -> bool {
        self.journal.is_some() && !matches!(*lock(&self.beginning), Beginning::Ahead(_))
    }

    /// Begins the record where that is still ahead. What is put behind it is on disk behind it.
    fn begin(&self) -> Result<(), JournalError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let mut beginning = lock(&self.beginning);
        if let Beginning::Ahead(row) = &*beginning {
            let held = journal.lock(&row.id)?;
            journal.put(Record::Begun {
                run: (**row).clone(),
            });
            *beginning = Beginning::Here(held);
        }
        Ok(())
    }

    /// The ledger of a run that goes on. `went_on` tells whether the script has met the end of a call: a refusal that ended
    /// the run is none that it must meet again.
    pub(crate) fn resumed(
        run: &str,
        journal: Journal,
        left: Left,
        accepts_changes: bool,
        went_on: impl Fn(&Origin) -> bool,
    ) -> Self {
        let mut ledger = Self::new(run, Some(journal));
        let mut past: HashMap<String, Vec<Past>> = HashMap::new();
        let mut first: HashMap<String, (Timestamp, Timestamp)> = HashMap::new();
        let mut unsettled: HashSet<String> = HashSet::new();
        let mut edited = Edited::default();
        let mut next = 0;
        for row in left.changes {
            let key = row.intent.part.clone();
            let is_open = row
                .outcome
                .as_ref()
                .is_none_or(|outcome| matches!(outcome.state, State::Done | State::Unknown));
            if is_open {
                edited.contents.insert(key, content(&row));
            }
            next = next.max(row.intent.sequence + 1);
            let refused = matches!(&row.outcome, Some(outcome) if outcome.state == State::Refused);
            ledger
                .sent
                .fetch_add(usize::from(!refused), Ordering::Relaxed);
            let key = row.intent.part.clone();
            let (since, clock) = *first
                .entry(key.clone())
                .or_insert((row.intent.at, row.intent.clock));
            // A later try says what became of an earlier one whose answer was lost, unless looking had shown that already.
            let is_unsettled = unsettled.remove(&key);
            if row.intent.round > 0 && is_unsettled {
                past.entry(key.clone()).or_default().pop();
            }
            if let Some(known) = known(row, since, clock, &went_on) {
                if matches!(known, Past::Open { .. }) {
                    unsettled.insert(key.clone());
                }
                past.entry(key).or_default().push(known);
            }
        }
        ledger.past = Mutex::new(past);
        ledger.facts = Facts::of(left.facts);
        ledger.sequence = AtomicU64::new(next);
        ledger.consents = left.consents;
        ledger.is_resumed = true;
        ledger.edited = accepts_changes.then(|| Mutex::new(edited));
        ledger
    }

    /// Whether an answer in the journal is a fact of ours.
    pub(crate) fn is_fact(answer: &Answer) -> bool {
        facts::is_fact(answer)
    }

    /// The run that it is kept of.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// Whether there was an earlier life.
    pub(crate) fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Consents that were given in an earlier life.
    pub(crate) fn consents(&self) -> &[Consented] {
        &self.consents
    }

    /// Writes an intent down and gives its number. `round`: how often the same change was tried before.
    ///
    /// # Errors
    /// It is not on disk: then nothing must be sent.
    pub(crate) async fn write(
        &self,
        change: &Change,
        call: &Call,
        round: u32,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<u64, JournalError> {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let origin = origin::current();
        tracing::debug!(
            sequence,
            class = change.class.name(),
            operation = call.operation,
            method = %call.method,
            // Without its query: a value in there is the script's business.
            path = call.path.split('?').next(),
            "intent"
        );
        self.begin()?;
        if let Some(journal) = &self.journal {
            let body = call.body.as_deref().unwrap_or_default();
            let intent = Intent {
                run: self.run.clone(),
                sequence,
                lane: origin.lane,
                number: origin.number,
                part: change.key.name().to_owned(),
                round,
                class: change.class.name().to_owned(),
                operation: call.operation.to_owned(),
                method: call.method.to_string(),
                // Without its query: what a script puts there is its own business, and may be a secret.
                path: call.path.split('?').next().unwrap_or_default().to_owned(),
                body_sha256: Sha256::digest(body).into(),
                items: u32::try_from(change.items).unwrap_or(u32::MAX),
                place: origin.place,
                at: since,
                clock: now,
            };
            journal.sync(Record::Intent(intent)).await?;
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        lock(&self.open).insert(sequence, change.note.clone());
        Ok(sequence)
    }

    /// Writes down what became of a change. It is on disk with the next intent at the latest; lost before that, it is looked
    /// up again.
    pub(crate) fn close(&self, sequence: u64, outcome: &Outcome<'_>, at: Timestamp) {
        tracing::debug!(sequence, ?outcome, "outcome");
        let open = lock(&self.open).remove(&sequence);
        if matches!(outcome, Outcome::Refused(_)) {
            self.sent.fetch_sub(1, Ordering::Relaxed);
        }
        let Some(journal) = &self.journal else { return };
        let text = |text: &str| serde_json::json!({ "message": text }).to_string();
        let mut row = OutcomeRow {
            run: self.run.clone(),
            sequence,
            state: State::Done,
            answer: None,
            error: None,
            request_id: None,
            found: false,
            at,
        };
        match outcome {
            Outcome::Done {
                json,
                request_id,
                found,
            } => {
                let note = open.unwrap_or_default();
                let kept = Kept {
                    json: (*json).clone(),
                    note,
                };
                row.answer = serde_json::to_vec(&kept).ok();
                row.request_id = request_id.map(str::to_owned);
                row.found = *found;
            }
            Outcome::Refused(error) => {
                row.state = State::Refused;
                row.request_id = error.request_id().map(str::to_owned);
                row.error = Some(match error {
                    GraphError::Refused { error, .. } => serde_json::json!(error).to_string(),
                    other => text(&other.to_string()),
                });
            }
            Outcome::NotDone(why) => {
                row.state = State::NotDone;
                row.error = Some(text(why));
            }
            Outcome::Unknown(why) => {
                lock(&self.unknown).insert(sequence);
                row.state = State::Unknown;
                row.error = Some(text(why));
            }
        }
        journal.put(Record::Outcome(row));
    }

    /// A change of an earlier life is looked for: what becomes of it is noted as it would have been then.
    pub(crate) fn take_up(&self, sequence: u64, change: &Change) {
        lock(&self.open).insert(sequence, change.note.clone());
    }

    /// A change of an earlier life needs no answer any more: whatever it has done was found in the tenant.
    pub(crate) fn cleared(&self, sequence: u64, at: Timestamp) {
        let outcome =
            Outcome::NotDone("cut off; what has arrived of it was found and gone on from");
        self.close(sequence, &outcome, at);
    }

    /// The changes of this life whose outcome is not known. Each is told once.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) fn take_unknown(&self) -> Result<Vec<ChangeRow>, JournalError> {
        let numbers = std::mem::take(&mut *lock(&self.unknown));
        let Some(journal) = self.journal.as_ref().filter(|_| !numbers.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut rows = journal.changes(&self.run)?;
        rows.retain(|row| numbers.contains(&row.intent.sequence));
        Ok(rows)
    }

    /// Whether any change may have reached the service, in this life or an earlier one.
    pub(crate) fn any_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed) > 0
    }

    /// What is known of a change that is made once, by its key.
    pub(crate) fn past(&self, key: &str) -> Option<Past> {
        lock(&self.past).get(key)?.last().cloned()
    }

    /// As [`Ledger::past`] for a change that is about to be made. In a script that was edited a place says nothing: the change
    /// must be equal in content too, wherever it stood.
    pub(crate) fn past_of(&self, key: &str, call: &Call) -> Option<Past> {
        let Some(edited) = self.edited.as_ref() else {
            return self.past(key);
        };
        let mut edited = lock(edited);
        if !["create/", "graph/", "browse/"]
            .iter()
            .any(|kind| key.starts_with(kind))
        {
            edited.met.insert(key.to_owned());
            drop(edited);
            return self.past(key);
        }
        let path = call.path.split('?').next().unwrap_or_default();
        let asked = content_of(call.method.as_str(), path, call.body.as_deref());
        let kind = key.split('/').next().unwrap_or_default();
        let is_equal = |edited: &Edited, known: &str| {
            edited.contents.get(known) == Some(&asked)
                && !edited.met.contains(known)
                && known.starts_with(kind)
        };
        let found = if is_equal(&edited, key) {
            Some(key.to_owned())
        } else {
            let mut others: Vec<&String> = edited.contents.keys().collect();
            others.sort();
            others
                .into_iter()
                .find(|other| is_equal(&edited, other))
                .cloned()
        }?;
        edited.met.insert(found.clone());
        drop(edited);
        self.past(&found)
    }

    /// Whether places are not to be relied upon, because the script was edited.
    pub(crate) fn is_edited(&self) -> bool {
        self.edited.is_some()
    }

    /// Of a script that was edited: changes that did not come up again, by their keys.
    pub(crate) fn unmet(&self) -> Vec<String> {
        let Some(edited) = &self.edited else {
            return Vec::new();
        };
        let edited = lock(edited);
        let mut unmet: Vec<String> = edited
            .contents
            .keys()
            .filter(|key| !edited.met.contains(*key))
            .filter(|key| !key.starts_with("add/") && !key.starts_with("remove/"))
            .cloned()
            .collect();
        unmet.sort();
        unmet
    }

    /// The facts of one kind, by key.
    pub(crate) fn facts<T: DeserializeOwned>(&self, kind: &str) -> Vec<(String, T)> {
        self.facts.of_kind(kind)
    }

    /// What is known of changes that are made several times under one key: all of them, in order.
    pub(crate) fn all_past(&self, key: &str) -> Vec<Past> {
        lock(&self.past).get(key).cloned().unwrap_or_default()
    }

    /// It is resolved: nobody need look at it again.
    pub(crate) fn resolve(&self, key: &str, past: Option<Past>) {
        let mut all = lock(&self.past);
        match past {
            Some(past) => {
                all.insert(key.to_owned(), vec![past]);
            }
            None => {
                all.remove(key);
            }
        }
    }

    /// How many changes an earlier life has made under keys that begin like this.
    pub(crate) fn count_past(&self, prefix: &str) -> usize {
        let past = lock(&self.past);
        past.keys().filter(|key| key.starts_with(prefix)).count()
    }

    /// Keeps something that the run has learnt beside the answers themselves: what a draft held when it was activated, how a
    /// session ended. On disk with or before the next intent.
    pub(crate) fn keep(&self, kind: &str, key: &str, fact: &impl Serialize) {
        let Some(journal) = self.journal.as_ref().filter(|_| self.has_begun()) else {
            return;
        };
        facts::keep(journal, &self.run, kind, key, fact);
    }

    /// A fact that an earlier life has kept.
    pub(crate) fn fact<T: DeserializeOwned>(&self, kind: &str, key: &str) -> Option<T> {
        self.facts.get(kind, key)
    }

    /// Shows an item of the books, as JSON: the same position again replaces it.
    pub(crate) fn item(&self, position: usize, item: &impl Serialize) {
        let Some(journal) = &self.journal else { return };
        // Where it cannot begin, the next intent says so, and is not sent.
        let _ = self.begin();
        journal.put(Record::Item {
            run: self.run.clone(),
            position: u32::try_from(position).unwrap_or(u32::MAX),
            json: serde_json::to_string(item).unwrap_or_default(),
        });
    }

    /// Shows a session of this run, as JSON: the same id again replaces it.
    pub(crate) fn session(&self, id: &str, session: &impl Serialize) {
        let Some(journal) = &self.journal else { return };
        // Where it cannot begin, the next intent says so, and is not sent.
        let _ = self.begin();
        journal.put(Record::Session {
            run: self.run.clone(),
            id: id.to_owned(),
            json: serde_json::to_string(session).unwrap_or_default(),
        });
    }

    /// Whether any run of this folder has this session.
    pub(crate) fn knows_session(&self, id: &str) -> bool {
        let known = self
            .journal
            .as_ref()
            .map(|journal| journal.knows_session(id));
        matches!(known, Some(Ok(true)))
    }

    /// Writes a consent down.
    pub(crate) fn consented(&self, consent: Consented) {
        if let Some(journal) = &self.journal {
            let _ = self.begin();
            journal.put(Record::Consent(Consented {
                run: self.run.clone(),
                ..consent
            }));
        }
    }

    pub(crate) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of ours runs while it is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
