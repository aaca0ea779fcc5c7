//! How many requests a run has cost.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The counts so far; part of the result document.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Requests {
    /// Every attempt that was made, also those that never left this machine.
    pub sent: u64,
    /// Attempts beyond the first of a call.
    pub retried: u64,
    /// Answers that said "too many requests".
    pub throttled: u64,
    /// Changes whose lost answer was resolved by looking.
    pub reconciled: u64,
    /// Waits between attempts. A hold that keeps 32 workers for 10 s counts 10 s, not 320.
    pub waited_seconds: f64,
}

/// The same, counted from many tasks.
#[derive(Default)]
pub(super) struct Counters {
    sent: AtomicU64,
    retried: AtomicU64,
    throttled: AtomicU64,
    reconciled: AtomicU64,
    waited_micros: AtomicU64,
}

impl Counters {
    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    pub(super) fn retried(&self) {
        self.retried.fetch_add(1, Relaxed);
    }

    pub(super) fn throttled(&self) {
        self.throttled.fetch_add(1, Relaxed);
    }

    pub(super) fn reconciled(&self) {
        self.reconciled.fetch_add(1, Relaxed);
    }

    pub(super) fn waited(&self, wait: Duration) {
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(micros, Relaxed);
    }

    pub(super) fn read(&self) -> Requests {
        Requests {
            sent: self.sent.load(Relaxed),
            retried: self.retried.load(Relaxed),
            throttled: self.throttled.load(Relaxed),
            reconciled: self.reconciled.load(Relaxed),
            waited_seconds: Duration::from_micros(self.waited_micros.load(Relaxed)).as_secs_f64(),
        }
    }
}
