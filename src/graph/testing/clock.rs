//! A clock that does not wait.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::world::Clock;

/// A clock that stands until somebody sleeps; a sleep returns at once, moves it, and is kept.
pub(in crate::graph) struct TestClock {
    now: Mutex<Timestamp>,
    pub(in crate::graph) sleeps: Mutex<Vec<Duration>>,
    standing: watch::Sender<bool>,
}

impl TestClock {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new("2026-11-24T02:00:00Z".parse().unwrap()),
            sleeps: Mutex::default(),
            standing: watch::Sender::new(false),
        })
    }

    pub(in crate::graph) fn time(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    /// While it stands, sleepers sleep on and time does not move.
    pub(in crate::graph) fn stand(&self, standing: bool) {
        self.standing.send_replace(standing);
    }

    pub(in crate::graph) fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap();
        *now = now.saturating_add(by).unwrap();
    }

    pub(in crate::graph) fn slept(&self) -> Duration {
        self.sleeps.lock().unwrap().iter().sum()
    }
}

pub(super) struct Shared(pub(super) Arc<TestClock>);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.time()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleeps.lock().unwrap().push(duration);
        let mut standing = self.0.standing.subscribe();
        if *standing.borrow() {
            return Box::pin(async move {
                let _ = standing.wait_for(|standing| !standing).await;
            });
        }
        self.0.advance(duration);
        // Others get their turn, as in a real sleep.
        Box::pin(tokio::task::yield_now())
    }
}
