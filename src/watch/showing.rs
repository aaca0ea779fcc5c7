//! When the status is written, and what stands in it.

use std::time::{Duration, Instant};

use super::status::{Running, Status};
use super::watcher::Watcher;
use crate::unix;

/// How often the status is written at most.
const STATUS: Duration = Duration::from_secs(1);

impl Watcher {
    /// When the status is to be looked at again: while something runs, it changes by itself.
    pub(super) fn status_due(&self) -> Option<Instant> {
        let (_, at) = self.books.shown.as_ref()?;
        let changes = self.books.is_shown_old || !self.books.running.is_empty();
        changes.then(|| *at + STATUS)
    }

    /// Writes the status where it has changed, once a second at most.
    pub(super) fn show(&mut self) {
        let status = self.status();
        if let Some((shown, at)) = &mut self.books.shown {
            self.books.is_shown_old = *shown != status;
            if at.elapsed() < STATUS {
                return;
            }
            if !self.books.is_shown_old {
                *at = Instant::now();
                return;
            }
        }
        // Nothing depends on it, and the next one may succeed.
        let _ = status.write(&self.shop.inbox.own);
        self.books.is_shown_old = false;
        self.books.shown = Some((status, Instant::now()));
    }

    pub(super) fn status(&self) -> Status {
        let books = &self.books;
        let running = books.running.values().map(|(running, life)| Running {
            pid: life.pid(),
            ..running.clone()
        });
        let state = match (books.stopping, books.running.is_empty()) {
            (None, _) => "watching",
            (Some(_), false) => "stopping",
            (Some(_), true) => "stopped",
        };
        Status {
            schema: 1,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            host: unix::host(),
            started: books.started,
            state: state.to_owned(),
            queue: books.line.len() + books.first.len(),
            unsettled: books.found.unsettled,
            running: running.collect(),
            pending: books.parked.keys().cloned().collect(),
            not_approved: books
                .parked
                .iter()
                .filter_map(|(run, (_, why))| Some((run.clone(), why.clone()?)))
                .collect(),
            ignored: books.ignored,
            last_scan: books.last_scan.map(|(at, ..)| at),
            scan_milliseconds: books.last_scan.map_or(0, |(_, _, took)| {
                u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
            }),
            events: self.events,
            policy_sha256: self.rules.policy().sha256().to_owned(),
            troubles: books.troubles.values().cloned().collect(),
            filed: books.filed,
        }
    }
}
