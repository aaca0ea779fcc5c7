//! What is about to be sent, written down before it is sent, and what became of it.

use std::sync::Mutex;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Class;
use crate::graph::Call;

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// On its way, or cut off before anything was learnt.
    Pending,
    Done,
    /// The service said no, or it never left this machine: nothing has changed.
    Refused(String),
    /// The answer was lost, and looking showed that nothing had happened: another intent follows.
    NotDone,
    Unknown(String),
}

/// One change, as it is written down before the request leaves.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) sequence: usize,
    pub(crate) class: Class,
    pub(crate) operation: &'static str,
    pub(crate) method: String,
    pub(crate) path: String,
    /// SHA-256 of the body.
    pub(crate) body: [u8; 32],
    /// In the service's time, as well as we know it.
    pub(crate) at: Timestamp,
    pub(crate) outcome: Outcome,
}

/// The intents of one run, in order. In memory: they die with the process.
#[derive(Default)]
pub(crate) struct Intents(Mutex<Vec<Intent>>);

impl Intents {
    /// Writes an intent down and gives its number.
    pub(crate) fn write(&self, class: Class, call: &Call, at: Timestamp) -> usize {
        let mut intents = self.lock();
        let sequence = intents.len();
        intents.push(Intent {
            sequence,
            class,
            operation: call.operation,
            method: call.method.to_string(),
            path: call.path.clone(),
            body: Sha256::digest(call.body.as_deref().unwrap_or_default()).into(),
            at,
            outcome: Outcome::Pending,
        });
        sequence
    }

    pub(crate) fn close(&self, sequence: usize, outcome: Outcome) {
        let mut intents = self.lock();
        let intent = &mut intents[sequence];
        tracing::debug!(
            sequence = intent.sequence,
            class = ?intent.class,
            operation = intent.operation,
            method = intent.method,
            // Without its query: a value in there is the script's business.
            path = intent.path.split('?').next(),
            body = ?&intent.body[..4],
            at = %intent.at,
            ?outcome,
            "change"
        );
        intent.outcome = outcome;
    }

    /// Whether any change may have reached the service. One that was refused has changed nothing.
    pub(crate) fn any_sent(&self) -> bool {
        self.lock()
            .iter()
            .any(|intent| !matches!(intent.outcome, Outcome::Refused(_)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Intent>> {
        // A panic while the lock was held cannot leave an intent half written: each is pushed whole.
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
