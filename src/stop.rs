//! The run's stop flag. Once set it stays: the door and every host function refuse, and the engine ends the script at its
//! next operation, whatever the script catches.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::error::Fault;

/// Set once by a denial, a signal, a passed limit, a bug. Cheap to look at, shared by all threads of one run.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    reason: OnceLock<Fault>,
    token: CancellationToken,
}

impl Stop {
    /// The first reason is kept, later ones are dropped.
    pub(crate) fn set(&self, reason: Fault) {
        let _ = self.0.reason.set(reason);
        self.0.token.cancel();
    }

    pub(crate) fn reason(&self) -> Option<&Fault> {
        self.0.reason.get()
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.reason.get().is_some()
    }

    /// Fires when the flag is set; whatever waits selects on it.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.0.token
    }
}
