//! Consent to what cannot be taken back: asked once for a set of items, remembered for the run.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Class;
use crate::error::{Exit, Fault};
use crate::journal::Consented;
use crate::talk::{Reply, Talk};

/// What a question is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Covered {
    /// The question itself, with the numbers: "restore 12 mailboxes to new folders in 1 session".
    pub(crate) question: String,
    /// One key for every item (unit, point, destination; or the id of what is deleted).
    pub(crate) keys: Vec<String>,
}

/// How somebody agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// To this before, or there was nothing to ask.
    Before,
    /// With `--yes`.
    Beforehand,
    /// At the prompt, to this.
    Now,
    /// At the prompt, to everything of this class in this run.
    ToAll,
}

/// Who has agreed to what in this run. Clones remember the same.
#[derive(Clone)]
pub(crate) struct Consent {
    given: bool,
    talk: Arc<dyn Talk>,
    remembered: Arc<Mutex<Remembered>>,
}

#[derive(Default)]
struct Remembered {
    all: HashSet<Class>,
    items: HashSet<(Class, String)>,
}

impl Consent {
    /// `given`: `--yes`.
    pub(crate) fn new(given: bool, talk: Arc<dyn Talk>) -> Self {
        Self {
            given,
            talk,
            remembered: Arc::default(),
        }
    }

    /// Remembers what was agreed to in an earlier life of the run.
    pub(crate) fn remember(&self, consents: &[Consented]) {
        let mut remembered = self.lock();
        for consent in consents {
            let Some(class) = Class::named(&consent.class) else {
                continue;
            };
            if consent.all {
                remembered.all.insert(class);
            }
            let keys = consent.keys.iter().map(|key| (class, key.clone()));
            remembered.items.extend(keys);
        }
    }

    /// Forgets what was agreed to at the prompt: in a conversation each statement asks for itself.
    pub(crate) fn forget(&self) {
        *self.lock() = Remembered::default();
    }

    /// Asks where it has to be asked. Blocks on the terminal.
    ///
    /// # Errors
    /// A fault with exit 5 where a person refused, or where nobody can be asked.
    pub(crate) fn require(&self, class: Class, covered: &Covered) -> Result<Agreed, Fault> {
        if !class.needs_consent() {
            return Ok(Agreed::Before);
        }
        // Held while the person thinks: a second question waits, and may be answered by the first.
        let mut remembered = self.lock();
        let known = |key: &String| remembered.items.contains(&(class, key.clone()));
        if remembered.all.contains(&class) || covered.keys.iter().all(known) {
            return Ok(Agreed::Before);
        }
        if self.given {
            let keys = covered.keys.iter().map(|key| (class, key.clone()));
            remembered.items.extend(keys);
            return Ok(Agreed::Beforehand);
        }
        match self.talk.ask(&format!("{}?", covered.question), true) {
            Reply::Yes => {
                let keys = covered.keys.iter().map(|key| (class, key.clone()));
                remembered.items.extend(keys);
                Ok(Agreed::Now)
            }
            Reply::All => {
                remembered.all.insert(class);
                Ok(Agreed::ToAll)
            }
            Reply::No => Err(Fault::new(
                Exit::Denied,
                "ConsentRefused",
                format!("not done, because you said no: {}", covered.question),
            )),
            Reply::Nobody => Err(Fault::new(
                Exit::Denied,
                "ConsentNeeded",
                format!(
                    "consent is needed to {}, and there is no terminal to ask on",
                    covered.question
                ),
            )
            .hint("give consent beforehand with `--yes`")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Sets that only grow: a panic elsewhere cannot leave them half written.
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::talk::testing::Scripted;

    fn covered(keys: &[&str]) -> Covered {
        Covered {
            question: "restore".to_owned(),
            keys: keys.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_set_is_asked_for_once_and_a_larger_one_again() {
        let talk = Arc::new(Scripted::new([Reply::Yes, Reply::No]));
        let consent = Consent::new(false, talk.clone());
        consent
            .require(Class::Activate, &covered(&["a", "b"]))
            .unwrap();
        consent.require(Class::Activate, &covered(&["b"])).unwrap();
        let refused = consent
            .require(Class::Activate, &covered(&["b", "c"]))
            .unwrap_err();
        assert_eq!(refused.exit, Exit::Denied);
        assert_eq!(talk.asked(), 2);
    }

    #[test]
    fn all_covers_its_class_only_and_drafts_are_free() {
        let consent = Consent::new(false, Arc::new(Scripted::new([Reply::All, Reply::Nobody])));
        consent.require(Class::Draft, &covered(&["d"])).unwrap();
        consent.require(Class::Activate, &covered(&["a"])).unwrap();
        consent.require(Class::Activate, &covered(&["z"])).unwrap();
        let nobody = consent
            .require(Class::Delete, &covered(&["a"]))
            .unwrap_err();
        assert_eq!(
            (nobody.exit, nobody.code.as_str()),
            (Exit::Denied, "ConsentNeeded")
        );
    }
}
