//! What the sandbox remembers about its callers: how often each operation was called, and what a well-behaved client
//! would not have done.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::access::Caller;
use super::state_file::Total;

/// Requests that were on their way when a 429 was sent are innocent. A busy machine takes 25 ms to carry one.
const ON_THE_WAY: Duration = Duration::from_millis(100);

/// Violations kept; beyond them only the number grows.
const KEPT: usize = 1_000;

#[derive(Default)]
pub(super) struct Log {
    counts: BTreeMap<String, u64>,
    violations: Vec<String>,
    /// Requests whose work is still to be done, though they were answered.
    late: usize,
    /// Per client: from when to when requests are violations.
    holds: HashMap<u64, (Instant, Instant)>,
}

impl Log {
    /// Notes a request; gives what its caller did wrong. `client` is nothing before sign-in.
    pub(super) fn request(&mut self, template: &str, client: Option<&Caller>) -> Option<String> {
        match self.counts.get_mut(template) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(template.to_owned(), 1)),
        }
        let (from, until) = *self.holds.get(&client?.client)?;
        let now = Instant::now();
        if !(from < now && now < until) {
            return None;
        }
        let early = until.duration_since(now).as_millis();
        let violation = format!("RetryAfter: {template} came {early} ms before the announced time");
        self.violation(violation.clone());
        Some(violation)
    }

    /// Adds what counted before the sandbox was closed.
    pub(super) fn restore(&mut self, total: &Total) {
        self.counts = total.counts.clone();
        for violation in &total.violations {
            self.violation(violation.clone());
        }
    }

    /// Notes that a 429 with this `Retry-After` goes to a client.
    pub(super) fn throttled(&mut self, caller: &Caller, retry_after: Duration) {
        let now = Instant::now();
        let until = now + retry_after;
        let hold = self
            .holds
            .entry(caller.client)
            .or_insert((now + ON_THE_WAY, until));
        // A hold that is over is replaced; one that runs is only made longer, so that its early requests stay early.
        *hold = if hold.1 <= now {
            (now + ON_THE_WAY, until)
        } else {
            (hold.0, hold.1.max(until))
        };
    }

    pub(super) fn violation(&mut self, violation: String) {
        if self.violations.len() < KEPT {
            self.violations.push(violation);
        }
    }

    /// Notes that the work of a request will be done behind its answer.
    pub(super) fn postponed(&mut self) {
        self.late += 1;
    }

    /// Notes that it has been done.
    pub(super) fn made_up_for(&mut self) {
        // Not below zero: a reset forgets what is still to come.
        self.late = self.late.saturating_sub(1);
    }

    pub(super) fn late(&self) -> usize {
        self.late
    }

    pub(super) fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    pub(super) fn violations(&self) -> &[String] {
        &self.violations
    }
}
