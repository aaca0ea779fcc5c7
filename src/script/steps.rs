//! The steps that a run has done: each once, with what it came to.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rhai::Dynamic;

/// By lane; `None` while a step is being done.
#[derive(Default)]
pub(crate) struct Steps(Mutex<HashMap<String, Option<Dynamic>>>);

impl Steps {
    /// What is known of a step: nothing, that it is being done, or what it came to.
    #[expect(
        clippy::option_option,
        reason = "three states, told apart at the one place that asks"
    )]
    pub(crate) fn get(&self, lane: &str) -> Option<Option<Dynamic>> {
        self.lock().get(lane).cloned()
    }

    pub(crate) fn begin(&self, lane: &str) {
        self.lock().insert(lane.to_owned(), None);
    }

    /// One that failed may be tried again.
    pub(crate) fn end(&self, lane: &str, value: Option<&Dynamic>) {
        match value {
            Some(value) => self.lock().insert(lane.to_owned(), Some(value.clone())),
            None => self.lock().remove(lane),
        };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Option<Dynamic>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
