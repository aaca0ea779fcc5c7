//! The run's stop flag. Once set it stays: the door and every host function refuse, and the engine ends the script at its
//! next operation, whatever the script catches.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cancel::Cancel;
use crate::error::Fault;

/// Set once by a denial, a signal, a passed limit, a bug. Cheap to look at, shared by all threads of one run.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    reason: Mutex<Option<Fault>>,
    fired: Cancel,
}

/// The right to clear a stop flag: whoever made the flag has it, and no script can come by it.
pub(crate) struct Renewal(Stop);

impl Stop {
    /// A flag for things that come one after the other, with the right to clear it between them.
    pub(crate) fn renewable() -> (Self, Renewal) {
        let stop = Self::default();
        (stop.clone(), Renewal(stop))
    }

    /// The first reason is kept, later ones are dropped.
    pub(crate) fn set(&self, reason: Fault) {
        let mut kept = self.lock();
        if kept.is_none() {
            *kept = Some(reason);
        }
        // Under the lock: nobody sees the flag without its reason, and no renewal comes between them.
        self.0.fired.cancel();
    }

    pub(crate) fn reason(&self) -> Option<Fault> {
        // Asked for at every sleep of every task; the flag is all that most need.
        if !self.is_set() {
            return None;
        }
        self.lock().clone()
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.fired.is_cancelled()
    }

    /// Comes back when the flag is set; whatever waits selects on it.
    pub(crate) async fn cancelled(&self) {
        self.0.fired.cancelled().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Fault>> {
        self.0.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Renewal {
    /// Clears the flag, between one statement of a conversation and the next: nothing of the last one may run any more.
    pub(crate) fn renew(&self) {
        let mut kept = self.0.lock();
        *kept = None;
        self.0.0.fired.renew();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn the_first_reason_stays_until_the_flag_is_renewed() {
        let (stop, renewal) = Stop::renewable();
        let fault = |code: &str| Fault::new(Exit::Denied, code, "no");
        assert!(stop.reason().is_none());
        stop.set(fault("First"));
        stop.clone().set(fault("Second"));
        assert_eq!(stop.reason().unwrap().code, "First");
        renewal.renew();
        assert!(!stop.is_set() && stop.reason().is_none());
        stop.set(fault("Third"));
        assert_eq!(stop.reason().unwrap().code, "Third");
    }
}
