//! What the program takes from outside itself: the clock, sleeping, the environment, terminals, the cancel signal.
//!
//! Nothing else reads them, so a test can stop the clock or press Ctrl-C.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use crate::cancel::Cancel;
use futures::future::BoxFuture;
use jiff::Timestamp;

/// Time as the program sees it.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        // Milliseconds: what a person reads, a report holds and the service keeps is then one and the same instant.
        Timestamp::from_millisecond(Timestamp::now().as_millisecond())
            .expect("an instant without its fraction is one too")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Looks a variable up; an empty one is none.
pub(crate) type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The outside world of one process.
#[derive(Clone)]
pub struct World {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) environment: Arc<Environment>,
    /// Fires on Ctrl-C and SIGTERM; everything that waits selects on it.
    pub(crate) cancel: Cancel,
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout_is_terminal: bool,
    pub(crate) stderr_is_terminal: bool,
}

impl World {
    #[must_use]
    pub fn real() -> Self {
        Self {
            clock: Arc::new(WallClock),
            environment: Arc::new(|name| {
                std::env::var(name).ok().filter(|value| !value.is_empty())
            }),
            cancel: Cancel::new(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
        }
    }

    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }
}
