//! A signal that whatever waits selects on: once it has fired it stays fired, until whoever made it renews it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Clones are the same signal. Cheap to look at, from any thread.
#[derive(Clone, Default)]
pub(crate) struct Cancel(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_cancelled: AtomicBool,
    token: Mutex<CancellationToken>,
}

impl Cancel {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn cancel(&self) {
        // The flag first: whoever is woken finds it.
        self.0.is_cancelled.store(true, Ordering::SeqCst);
        self.token().cancel();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::SeqCst)
    }

    /// Comes back when it fires. What waits now is woken also where it is renewed right after.
    pub(crate) async fn cancelled(&self) {
        self.token().cancelled_owned().await;
    }

    /// As if it had never fired, for what begins to wait from now on. A program that runs one thing never does this; a
    /// conversation does before each of its statements.
    pub(crate) fn renew(&self) {
        let mut token = self.lock();
        if self.is_cancelled() {
            *token = CancellationToken::new();
            self.0.is_cancelled.store(false, Ordering::SeqCst);
        }
    }

    fn token(&self) -> CancellationToken {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, CancellationToken> {
        self.0.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waited_before_a_renewal_is_woken_and_what_waits_after_it_is_not() {
        let cancel = Cancel::new();
        let before = cancel.cancelled();
        let mut before = std::pin::pin!(before);
        assert!(futures::poll!(before.as_mut()).is_pending());
        cancel.cancel();
        assert!(cancel.is_cancelled());
        cancel.renew();
        assert!(!cancel.is_cancelled());
        assert!(futures::poll!(before.as_mut()).is_ready());
        let after = cancel.cancelled();
        let mut after = std::pin::pin!(after);
        assert!(futures::poll!(after.as_mut()).is_pending());
        cancel.clone().cancel();
        assert!(futures::poll!(after.as_mut()).is_ready());
    }
}
