//! What the tests of this room share: a server that does as it is told, a clock that does not wait, notices that are kept.

mod clock;
mod server;
mod tls;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::cancel::Cancel;

pub(super) use self::clock::TestClock;
pub(super) use self::server::{Reply, Seen, Server};
use super::limits::Limits;
use super::{Client, GraphError, Notices, Options, SignIn, Version};
use crate::world::World;

#[derive(Default)]
pub(super) struct Said {
    pub(super) waits: Mutex<Vec<(String, Duration)>>,
    pub(super) warnings: Mutex<Vec<String>>,
    /// Page, code, time.
    pub(super) codes: Mutex<Vec<(String, String, Duration)>>,
}

impl Notices for Said {
    fn waiting(&self, operation: &str, why: &str, wait: Duration) {
        self.waits
            .lock()
            .unwrap()
            .push((format!("{operation}: {why}"), wait));
    }

    fn warn(&self, text: &str) {
        self.warnings.lock().unwrap().push(text.to_owned());
    }

    fn enter_code(&self, page: &str, code: &str, within: Duration) {
        let code = (page.to_owned(), code.to_owned(), within);
        self.codes.lock().unwrap().push(code);
    }
}

/// A client and what stands around it.
pub(super) struct Bench {
    pub(super) client: Arc<Client>,
    pub(super) clock: Arc<TestClock>,
    pub(super) said: Arc<Said>,
    pub(super) cancel: Cancel,
}

/// Small bodies; times that are not reached, however busy the machine is.
pub(super) fn limits() -> Limits {
    Limits {
        body: 1 << 20,
        error_body: 1 << 16,
        ..Limits::default()
    }
}

/// For a peer that does not answer, or not to the end.
fn hasty() -> Limits {
    Limits {
        idle: Duration::from_millis(120),
        slow_window: Duration::from_millis(120),
        ..limits()
    }
}

fn world(variables: Vec<(&'static str, String)>) -> (World, Arc<TestClock>, Cancel) {
    let clock = TestClock::new();
    let cancel = Cancel::new();
    let world = World {
        clock: Arc::new(clock::Shared(clock.clone())),
        environment: Arc::new(move |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        }),
        cancel: cancel.clone(),
        stdin_is_terminal: false,
        stdout_is_terminal: false,
        stderr_is_terminal: false,
    };
    (world, clock, cancel)
}

pub(super) const TOKEN: &str = "token-that-nobody-may-see";

impl Bench {
    pub(super) fn new(url: &str) -> Self {
        Self::with(url, SignIn::Token(TOKEN.into()), limits())
    }

    /// Waits for an answer and for the rest of it no longer than some tens of milliseconds.
    pub(super) fn hasty(url: &str) -> Self {
        Self::with(url, SignIn::Token(TOKEN.into()), hasty())
    }

    pub(super) fn with(url: &str, sign_in: SignIn, limits: Limits) -> Self {
        Self::trusting(url, sign_in, limits, None)
    }

    /// Trusts this CA (PEM) too.
    pub(super) fn trusting(
        url: &str,
        sign_in: SignIn,
        limits: Limits,
        authority: Option<&str>,
    ) -> Self {
        Self::try_new(url, sign_in, limits, authority, Vec::new()).unwrap()
    }

    /// As [`Bench::trusting`], with an environment of its own.
    pub(super) fn try_new(
        url: &str,
        sign_in: SignIn,
        limits: Limits,
        authority: Option<&str>,
        variables: Vec<(&'static str, String)>,
    ) -> Result<Self, GraphError> {
        // Read when the client is made, not needed afterwards.
        let folder = tempfile::tempdir().unwrap();
        let ca_file = authority.map(|pem| {
            let file = folder.path().join("ca.pem");
            std::fs::write(&file, pem).unwrap();
            file
        });
        let (world, clock, cancel) = world(variables);
        let said = Arc::new(Said::default());
        let options = Options {
            root: url.to_owned(),
            version: Version::V1,
            sign_in,
            in_flight: 8,
            ca_file,
            budget: Duration::from_mins(15),
        };
        let client = Client::with_limits(options, world, said.clone(), limits)?;
        Ok(Self {
            client: Arc::new(client),
            clock,
            said,
            cancel,
        })
    }
}

/// Looks again and again until it is so; a test that waits in vain fails instead of hanging.
pub(super) async fn until(mut so: impl FnMut() -> bool) {
    for _ in 0..5000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it did not happen within 5 s");
}
