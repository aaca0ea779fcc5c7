//! The books of a run: every item that was asked for, and what became of it.
//!
//! Asked = succeeded + failed + skipped + unknown, item by item, at the end of every run. An item is workload + unit +
//! point + destination, of a bulk restore its input instead, of a granular one the file or search as well; the same again is
//! not counted again.

mod entry;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::changes::aim;
use entry::{Entry, Key, State, closed, closed_as, key, opened};

pub(crate) use super::items::{
    ArtifactTotals, Closed, Item, ItemPoint, Outcome, SessionSummary, SessionTimes, Totals,
};

/// What is known of an item when it is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) workload: &'static str,
    pub(crate) unit: Option<String>,
    /// The directory's display name, else the id.
    pub(crate) name: String,
    pub(crate) point: Option<ItemPoint>,
    pub(crate) destination: Option<Cow<'static, str>>,
    /// See [`Item::input`].
    pub(crate) input: Option<String>,
}

/// The number of an item in the books of its run.
pub(crate) type ItemId = usize;

/// Where books are written through to, so that they can be read from outside and after a crash.
pub(crate) trait Shelf: Send + Sync {
    /// An item as it would be closed now; the same position again replaces it.
    fn item(&self, position: ItemId, item: &Item);
    fn session(&self, session: &SessionSummary);
}

/// The open books of a run. Cheap to clone handles are not needed: one lives in the run's service.
#[derive(Default)]
pub(crate) struct Books {
    inner: Mutex<Inner>,
    shelf: Option<Arc<dyn Shelf>>,
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    index: HashMap<Key, ItemId>,
    /// Those that are in sessions, or are about to be: what a limit counts. Taken out again they do not count.
    counted: HashSet<ItemId>,
    sessions: Vec<SessionSummary>,
    /// The ids of sessions, each once for all its items.
    ids: HashSet<Arc<str>>,
    is_closed: bool,
    /// Of which it was learnt what the service chose, in order.
    learnt: Vec<ItemId>,
}

impl Inner {
    fn shared(&mut self, session: &str) -> Arc<str> {
        if let Some(known) = self.ids.get(session) {
            return known.clone();
        }
        let id: Arc<str> = session.into();
        self.ids.insert(id.clone());
        id
    }
}

impl Books {
    /// Books that are written through to a shelf.
    pub(crate) fn on(shelf: Option<Arc<dyn Shelf>>) -> Self {
        Self {
            inner: Mutex::default(),
            shelf,
        }
    }

    /// Shows an item to the shelf, in the order of its changes.
    fn show(&self, books: &Inner, id: ItemId) {
        if let Some(shelf) = self.shelf.as_ref().filter(|_| !books.is_closed) {
            shelf.item(id, &closed(&books.entries[id]));
        }
    }

    /// Enters an item, or finds it where it was asked for before.
    pub(crate) fn ask(&self, asked: Asked) -> ItemId {
        let mut books = self.lock();
        let key = key(&asked);
        if let Some(&known) = books.index.get(&key) {
            return known;
        }
        let id = books.entries.len();
        books.index.insert(key, id);
        books.entries.push(Entry {
            asked,
            state: State::Open,
        });
        self.show(&books, id);
        id
    }

    /// What the service chose for the input of a bulk restore.
    pub(crate) fn learn(&self, id: ItemId, unit: Option<String>, point: Option<ItemPoint>) {
        if unit.is_none() && point.is_none() {
            return;
        }
        let mut books = self.lock();
        let asked = &mut books.entries[id].asked;
        asked.unit = unit.or(asked.unit.take());
        asked.point = point.or(asked.point.take());
        books.learnt.push(id);
        self.show(&books, id);
    }

    /// What an item is restored from and to: unit, point, destination; `None` where the point is not known. One whose unit is not
    /// known is its point's.
    pub(super) fn aim(&self, id: ItemId) -> Option<(String, String, String)> {
        let books = self.lock();
        let asked = &books.entries[id].asked;
        let destination = asked.destination.as_deref().unwrap_or_default().to_owned();
        let point = asked.point.as_ref()?.id.clone();
        let unit = asked.unit.clone().unwrap_or_else(|| point.clone());
        Some((unit, point, destination))
    }

    /// The unit that an item was asked for with.
    pub(super) fn unit(&self, id: ItemId) -> Option<String> {
        self.lock().entries[id].asked.unit.clone()
    }

    /// What was sent for an item of a bulk restore.
    pub(super) fn input(&self, id: ItemId) -> Option<String> {
        self.lock().entries[id].asked.input.clone()
    }

    /// The items of bulk restores by the points that were found for them, where more is known than at `learnt`.
    pub(super) fn inputs_by_point(
        &self,
        learnt: usize,
    ) -> Option<(usize, HashMap<String, ItemId>)> {
        let books = self.lock();
        if books.learnt.len() == learnt {
            return None;
        }
        let found = books.learnt.iter().filter_map(|&id| {
            let point = books.entries[id].asked.point.as_ref()?;
            Some((point.id.clone(), id))
        });
        Some((books.learnt.len(), found.collect()))
    }

    /// How many items the sessions of this run hold together with these, each once.
    pub(super) fn counted(&self, more: impl IntoIterator<Item = ItemId>) -> u64 {
        let mut books = self.lock();
        books.counted.extend(more);
        books.counted.len() as u64
    }

    /// An item as a plan names it.
    pub(super) fn planned(&self, id: ItemId) -> String {
        let books = self.lock();
        let asked = &books.entries[id].asked;
        let point = asked.point.as_ref().map(|point| &*point.id);
        aim(
            asked.workload,
            asked.unit.as_deref(),
            point,
            asked.destination.as_deref(),
            asked.input.as_deref(),
        )
    }

    /// Books as an earlier life has left them; gives the numbers of the items.
    pub(crate) fn reopen(&self, items: Vec<Item>) -> Vec<ItemId> {
        let mut books = self.lock();
        let mut ids = Vec::with_capacity(items.len());
        for item in items {
            let entry = opened(item);
            let id = books.entries.len();
            books.index.insert(key(&entry.asked), id);
            books.entries.push(entry);
            ids.push(id);
        }
        ids
    }

    /// An item as it would be closed now.
    pub(crate) fn item(&self, id: ItemId) -> Item {
        closed(&self.lock().entries[id])
    }

    /// Whether an item stands in this session and its end is not known.
    pub(crate) fn is_open_in(&self, id: ItemId, session: &str) -> bool {
        match &self.lock().entries[id].state {
            State::In { session: own, .. }
            | State::Ended {
                outcome: Outcome::Unknown,
                session: Some(own),
                ..
            } => **own == *session,
            _ => false,
        }
    }

    /// Of these items those that stand in this session stand in a draft: it was not activated.
    pub(crate) fn not_activated(&self, ids: &[ItemId], session: &str) {
        for id in ids {
            if self.is_open_in(*id, session) {
                let mut books = self.lock();
                books.entries[*id].state = State::In {
                    session: books.shared(session),
                    activated: false,
                };
                self.show(&books, *id);
            }
        }
    }

    /// What became of an item, as it would be closed now.
    pub(crate) fn outcome(&self, id: ItemId) -> Outcome {
        closed(&self.lock().entries[id]).outcome
    }

    /// The name under which an item was asked for.
    pub(crate) fn name(&self, id: ItemId) -> String {
        self.lock().entries[id].asked.name.clone()
    }

    /// The item now stands in this draft. One that had ended or was withdrawn is open again.
    pub(crate) fn place(&self, id: ItemId, session: &str) {
        let mut books = self.lock();
        books.counted.insert(id);
        let session = books.shared(session);
        let state = &mut books.entries[id].state;
        // In a session that runs, or restored by it: a second copy in a draft changes nothing of that.
        if !matches!(
            state,
            State::In {
                activated: true,
                ..
            } | State::Ended {
                outcome: Outcome::Succeeded | Outcome::Unknown,
                ..
            }
        ) {
            *state = State::In {
                session,
                activated: false,
            };
            self.show(&books, id);
        }
    }

    /// The session was activated with these items in it.
    pub(crate) fn activated(&self, ids: impl IntoIterator<Item = ItemId>, session: &str) {
        let mut books = self.lock();
        let session = books.shared(session);
        for id in ids {
            books.counted.insert(id);
            books.entries[id].state = State::In {
                session: session.clone(),
                activated: true,
            };
            self.show(&books, id);
        }
    }

    /// Whether the item may be given to the service once more: not while another session runs with it, and not after it
    /// succeeded there or nobody knows.
    pub(crate) fn taken(&self, id: ItemId, by_other_than: &str) -> bool {
        match &self.lock().entries[id].state {
            State::In {
                session,
                activated: true,
            }
            | State::Ended {
                outcome: Outcome::Succeeded | Outcome::Unknown,
                session: Some(session),
                ..
            } => **session != *by_other_than,
            _ => false,
        }
    }

    /// The item left its draft before activation.
    pub(crate) fn withdraw(&self, id: ItemId, session: &str) {
        let mut books = self.lock();
        let state = &mut books.entries[id].state;
        if matches!(state, State::In { session: own, activated: false } if **own == *session) {
            *state = State::Withdrawn;
            books.counted.remove(&id);
            self.show(&books, id);
        }
    }

    pub(crate) fn end(
        &self,
        id: ItemId,
        outcome: Outcome,
        code: Option<String>,
        reason: Option<String>,
        session: Option<&str>,
    ) {
        let mut books = self.lock();
        if session.is_none() {
            books.counted.remove(&id);
        }
        let session = session.map(|session| books.shared(session));
        books.entries[id].state = State::Ended {
            outcome,
            code,
            reason,
            session,
            expected: false,
        };
        self.show(&books, id);
    }

    /// Skips an item; `expected` where the script says that this is as it should be.
    pub(crate) fn skip(
        &self,
        asked: Asked,
        code: Option<String>,
        reason: Option<String>,
        expected: bool,
    ) -> ItemId {
        let id = self.ask(asked);
        let mut books = self.lock();
        let state = &mut books.entries[id].state;
        if matches!(
            state,
            State::Open
                | State::Withdrawn
                | State::Ended {
                    outcome: Outcome::Skipped,
                    ..
                }
        ) {
            *state = State::Ended {
                outcome: Outcome::Skipped,
                code,
                reason,
                session: None,
                expected,
            };
            self.show(&books, id);
        }
        id
    }

    /// Enters or replaces what is known of a session. Times that were known stay known.
    pub(crate) fn session(&self, mut summary: SessionSummary) {
        let mut books = self.lock();
        match books
            .sessions
            .iter_mut()
            .find(|known| known.id == summary.id)
        {
            Some(known) => {
                summary.times = summary.times.or(known.times);
                *known = summary.clone();
            }
            None => books.sessions.push(summary.clone()),
        }
        if let Some(shelf) = &self.shelf {
            shelf.session(&summary);
        }
    }

    /// Corrects the state of a session that is known.
    pub(super) fn session_is(&self, id: &str, status: &str) {
        let mut books = self.lock();
        let Some(known) = books.sessions.iter_mut().find(|known| known.id == id) else {
            return;
        };
        status.clone_into(&mut known.status);
        if let Some(shelf) = &self.shelf {
            shelf.session(known);
        }
    }

    /// Closes the books: nothing is left open, and what is told afterwards changes nothing. The items are moved, not copied: of
    /// ten thousand that is seven megabytes.
    pub(crate) fn close(&self) -> Closed {
        let mut books = self.lock();
        books.is_closed = true;
        let entries = books.entries.iter_mut();
        let items: Vec<Item> = entries
            .map(|entry| closed_as(std::mem::take(&mut entry.asked), &entry.state))
            .collect();
        let mut totals = Totals {
            asked: items.len(),
            ..Totals::default()
        };
        for item in &items {
            *match item.outcome {
                Outcome::Succeeded => &mut totals.succeeded,
                Outcome::Failed => &mut totals.failed,
                Outcome::Skipped => &mut totals.skipped,
                Outcome::Unknown => &mut totals.unknown,
            } += 1;
        }
        Closed {
            items,
            sessions: books.sessions.clone(),
            totals,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change of the books is one assignment: a panic elsewhere cannot leave them half written.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
