//! What waits to be written.
//!
//! Records that nobody waits for are let lie for a moment, so that they go with the next one that somebody does wait for:
//! a commit of their own would make that one wait for two.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::{JournalError, Record};

/// How long, how many and how much may lie unwritten: what a killed process has to read once more.
const A_MOMENT: Duration = Duration::from_millis(5);
const MANY: usize = 512;
const MUCH: usize = 512 << 10;

/// Then whoever brings more waits: ten thousand items are told faster than any disk takes them.
const MOST: usize = 1 << 20;

/// What an entry takes beside its text.
const FRAME: usize = 256;

/// Statements that run in the writer's transaction.
pub(super) type Job = Box<dyn FnOnce(&Connection) -> rusqlite::Result<()> + Send>;

/// Called once it is on disk, or will never be.
pub(super) type Told = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

pub(super) enum Work {
    Record(Box<Record>),
    Job(Job),
    /// Only a question whether everything before it is on disk.
    Flush,
}

impl Work {
    fn size(&self) -> usize {
        let text = match self {
            Self::Record(record) => match &**record {
                Record::Answer(answer) => answer.body.len(),
                Record::Outcome(outcome) => outcome.answer.as_ref().map_or(0, Vec::len),
                Record::Item { json, .. } | Record::Session { json, .. } => json.len(),
                _ => 0,
            },
            Self::Job(_) | Self::Flush => 0,
        };
        FRAME + text
    }
}

pub(super) struct Entry {
    pub(super) work: Work,
    pub(super) told: Option<Told>,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    size: usize,
    /// Somebody waits for one of the entries.
    is_urgent: bool,
    /// The writer has entries that are not on disk yet.
    is_writing: bool,
    is_closed: bool,
    broken: Option<JournalError>,
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    taken: Condvar,
}

impl Queue {
    /// Drops the entry where the queue is closed: whoever waits for it learns that by its end of the channel.
    pub(super) fn push(&self, entry: Entry) {
        let mut state = self.lock();
        while state.size > MOST && !state.is_closed {
            state = self
                .taken
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_closed {
            return;
        }
        state.size += entry.work.size();
        state.is_urgent |= entry.told.is_some();
        state.entries.push(entry);
        let is_due = state.is_due();
        let is_first = state.entries.len() == 1;
        drop(state);
        if is_due || is_first {
            self.filled.notify_one();
        }
    }

    /// Waits for work and takes all that is there; `None` once the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Entry>> {
        let mut state = self.lock();
        state.is_writing = false;
        while !state.is_due() {
            if state.is_closed && state.entries.is_empty() {
                return None;
            }
            if state.entries.is_empty() {
                state = self
                    .filled
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (after, timeout) = self
                .filled
                .wait_timeout(state, A_MOMENT)
                .unwrap_or_else(PoisonError::into_inner);
            state = after;
            if timeout.timed_out() {
                break;
            }
        }
        state.is_writing = true;
        state.is_urgent = false;
        state.size = 0;
        let entries = std::mem::take(&mut state.entries);
        drop(state);
        self.taken.notify_all();
        Some(entries)
    }

    /// From now on nothing is written any more; the first cause stays.
    pub(super) fn break_off(&self, error: JournalError) {
        self.lock().broken.get_or_insert(error);
    }

    pub(super) fn broken(&self) -> Option<JournalError> {
        self.lock().broken.clone()
    }

    /// Everything that was pushed is on disk, or never will be.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.entries.is_empty() && !state.is_writing
    }

    /// How many entries nobody has taken yet.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.lock().entries.len()
    }

    /// What is in the queue is still written; nothing more comes in.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_all();
        self.taken.notify_all();
    }

    /// The writer is gone: drops what is left, so that nobody waits for it.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.is_writing = false;
        let left = std::mem::take(&mut state.entries);
        drop(state);
        drop(left);
        self.taken.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change of the state is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_due(&self) -> bool {
        let much = self.size >= MUCH || self.entries.len() >= MANY;
        !self.entries.is_empty() && (self.is_urgent || self.is_closed || much)
    }
}
