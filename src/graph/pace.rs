//! How many calls are in flight, for all workers together.
//!
//! It starts at the most that is allowed, because a restore of five thousand accounts should not spend its first minutes
//! warming up; a 429 halves it, and it grows by one for each round of successes. A `Retry-After` holds everybody.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A hold that grows by less than this is not announced again.
const WORTH_SAYING: SignedDuration = SignedDuration::from_secs(5);

pub(super) struct Pacer {
    slots: Semaphore,
    most: usize,
    state: Mutex<State>,
}

struct State {
    /// Calls that may be in flight now; 1..=most.
    limit: usize,
    /// Slots that were cut while somebody was in them: they vanish when they are given back.
    debt: usize,
    /// Successes since the limit last moved.
    streak: usize,
    /// Number of the next call to be let in.
    entered: u64,
    /// Calls let in before this one were sent before the last cut; their 429s speak of what is cut already.
    cut_at: u64,
    held_until: Timestamp,
    /// Until when waits are counted already.
    counted_until: Timestamp,
    announced_until: Timestamp,
}

/// The right to have one call in flight.
pub(super) struct Permit<'p> {
    pacer: &'p Pacer,
    slot: Option<SemaphorePermit<'p>>,
    number: u64,
}

impl Pacer {
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            slots: Semaphore::new(most),
            most,
            state: Mutex::new(State {
                limit: most,
                debt: 0,
                streak: 0,
                entered: 0,
                cut_at: 0,
                held_until: Timestamp::MIN,
                counted_until: Timestamp::MIN,
                announced_until: Timestamp::MIN,
            }),
        }
    }

    /// Waits for a free slot, first come first served. Look at [`Pacer::held`] before sending.
    pub(super) async fn enter(&self) -> Permit<'_> {
        let slot = self
            .slots
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let mut state = self.state();
        let number = state.entered;
        state.entered += 1;
        drop(state);
        Permit {
            pacer: self,
            slot: Some(slot),
            number,
        }
    }

    /// How long everybody has to wait from `now`; `None` where nobody has to.
    pub(super) fn held(&self, now: Timestamp) -> Option<Duration> {
        let left = self.state().held_until.duration_since(now);
        Duration::try_from(left).ok().filter(|left| !left.is_zero())
    }

    /// Nobody sends before `until`.
    pub(super) fn hold(&self, until: Timestamp) {
        let mut state = self.state();
        state.held_until = state.held_until.max(until);
    }

    /// How much of a wait until then nobody has counted yet: 32 workers that wait together wait once.
    pub(super) fn count(&self, now: Timestamp, until: Timestamp) -> Duration {
        let mut state = self.state();
        let more = until.duration_since(state.counted_until.max(now));
        state.counted_until = state.counted_until.max(until);
        Duration::try_from(more).unwrap_or_default()
    }

    /// Should a wait until then be told? Once for all workers that wait together.
    pub(super) fn announce(&self, now: Timestamp, until: Timestamp) -> bool {
        let mut state = self.state();
        let said = state.announced_until > now
            && until.duration_since(state.announced_until) < WORTH_SAYING;
        if !said {
            state.announced_until = until;
        }
        !said
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The call was answered: room for more.
    pub(super) fn succeeded(&self) {
        let mut state = self.pacer.state();
        if state.limit == self.pacer.most {
            return;
        }
        state.streak += 1;
        if state.streak >= state.limit {
            state.streak = 0;
            state.limit += 1;
            if state.debt > 0 {
                state.debt -= 1;
            } else {
                self.pacer.slots.add_permits(1);
            }
        }
    }

    /// The call was answered with "too many requests": half as many from now on. The 32 answers of 32 calls that were in
    /// flight together cut once, not to a 2^32-th.
    pub(super) fn throttled(&self) {
        let mut state = self.pacer.state();
        state.streak = 0;
        if self.number < state.cut_at {
            return;
        }
        state.cut_at = state.entered;
        let kept = (state.limit / 2).max(1);
        let cut = state.limit - kept;
        state.limit = kept;
        state.debt += cut - self.pacer.slots.forget_permits(cut);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.pacer.state();
        if state.debt > 0
            && let Some(slot) = self.slot.take()
        {
            state.debt -= 1;
            slot.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn fill(pacer: &Pacer) -> Vec<Permit<'_>> {
        std::iter::from_fn(|| pacer.enter().now_or_never()).collect()
    }

    #[test]
    fn all_slots_are_open_from_the_start() {
        let pacer = Pacer::new(32);
        assert_eq!(fill(&pacer).len(), 32);
        assert_eq!(fill(&Pacer::new(0)).len(), 1);
    }

    #[test]
    fn calls_that_were_in_flight_together_cut_once() {
        let pacer = Pacer::new(32);
        let together = fill(&pacer);
        for permit in &together {
            permit.throttled();
        }
        drop(together);
        let half = fill(&pacer);
        assert_eq!(half.len(), 16);
        half[0].throttled();
        drop(half);
        assert_eq!(fill(&pacer).len(), 8);
    }

    #[test]
    fn it_never_falls_below_one_and_grows_back_to_the_most() {
        let pacer = Pacer::new(4);
        for _ in 0..5 {
            let permit = pacer.enter().now_or_never().unwrap();
            permit.throttled();
        }
        assert_eq!(fill(&pacer).len(), 1);
        for _ in 0..(1 + 2 + 3) {
            pacer.enter().now_or_never().unwrap().succeeded();
        }
        assert_eq!(fill(&pacer).len(), 4);
        for _ in 0..20 {
            pacer.enter().now_or_never().unwrap().succeeded();
        }
        assert_eq!(fill(&pacer).len(), 4);
    }

    #[test]
    fn growing_while_cut_slots_are_still_used_pays_the_debt_first() {
        let pacer = Pacer::new(2);
        let together = fill(&pacer);
        together[0].throttled();
        together[1].succeeded();
        drop(together);
        assert_eq!(fill(&pacer).len(), 2);
    }

    #[test]
    fn a_hold_keeps_everybody_and_is_said_once() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let pacer = Pacer::new(2);
        assert_eq!(pacer.held(at(0)), None);
        for until in [10, 9, 11] {
            pacer.hold(at(until));
        }
        assert_eq!(pacer.held(at(4)), Some(Duration::from_secs(7)));
        assert_eq!(pacer.held(at(11)), None);
        assert_eq!(pacer.count(at(0), at(10)), Duration::from_secs(10));
        assert_eq!(pacer.count(at(1), at(9)), Duration::ZERO);
        assert_eq!(pacer.count(at(1), at(11)), Duration::from_secs(1));
        assert_eq!(pacer.count(at(20), at(21)), Duration::from_secs(1));
        assert!(pacer.announce(at(0), at(10)));
        assert!(!pacer.announce(at(1), at(9)));
        assert!(!pacer.announce(at(1), at(11)));
        assert!(pacer.announce(at(1), at(60)), "much longer than was said");
        assert!(pacer.announce(at(61), at(62)), "another hold");
    }
}
