//! Consent to what cannot be taken back: asked once for a set of items, remembered for the run.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Class;
use super::approved::{Aim, Approved};
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
    /// The same items as a plan names them; only asked for where a plan was approved.
    pub(crate) aims: Vec<Aim>,
    /// It takes away only what this run itself has drafted: who has approved of its plan has seen what is left.
    pub(crate) is_own_draft: bool,
}

/// How consent is given in this run. What a policy says stands with the line of it, for messages.
#[derive(Clone, Debug, Default)]
pub(crate) enum Manner {
    /// At a prompt, or beforehand with `--yes`.
    #[default]
    Open,
    /// At a prompt and no other way.
    Ask(String),
    /// By the policy, to all that it lets through.
    Policy,
    /// By somebody else, who has seen the plan.
    Plan(Arc<Approved>),
    /// By somebody else, and nobody has.
    Missing(String),
}

/// How somebody agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// To this before, or there was nothing to ask.
    Before,
    /// With `--yes`.
    Beforehand,
    /// In the policy.
    Policy,
    /// To the plan that this is part of.
    Plan,
    /// At the prompt, to this.
    Now,
    /// At the prompt, to everything of this class in this run.
    ToAll,
}

/// Who has agreed to what in this run. Clones remember the same.
#[derive(Clone)]
pub(crate) struct Consent {
    given: bool,
    manner: Manner,
    talk: Arc<dyn Talk>,
    remembered: Arc<Mutex<Remembered>>,
}

#[derive(Default)]
struct Remembered {
    all: HashSet<Class>,
    items: HashSet<(Class, String)>,
    /// How far in the plan the calls to each path are.
    calls: HashMap<String, usize>,
}

impl Consent {
    /// `given`: `--yes`.
    pub(crate) fn new(given: bool, talk: Arc<dyn Talk>) -> Self {
        Self {
            given,
            manner: Manner::Open,
            talk,
            remembered: Arc::default(),
        }
    }

    /// Gives consent as a policy says.
    pub(crate) fn by(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    /// Whether questions are answered from an approved plan, and so must say their items.
    pub(crate) fn is_planned(&self) -> bool {
        matches!(self.manner, Manner::Plan(_))
    }

    /// Remembers what was agreed to in an earlier life of the run, as far as that counts in this one: who wants a person to
    /// look does not take a `--yes` of before, and what somebody has approved of stands in the plan.
    pub(crate) fn remember(&self, consents: &[Consented]) {
        let counts = |consent: &&Consented| match self.manner {
            Manner::Open | Manner::Policy => true,
            Manner::Ask(_) => consent.how == "prompt",
            Manner::Plan(_) | Manner::Missing(_) => false,
        };
        let mut remembered = self.lock();
        for consent in consents.iter().filter(counts) {
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

    /// A planned call was made in an earlier life of the run.
    pub(crate) fn spend(&self, call: &str) {
        if let Manner::Plan(approved) = &self.manner {
            approved.is_next(call, &mut self.lock().calls);
        }
    }

    /// Asks where it has to be asked. Blocks on the terminal. `call`: in its words, where it is one call that is asked for.
    ///
    /// # Errors
    /// A fault with exit 5 where a person refused, or where nobody can be asked.
    pub(crate) fn require(
        &self,
        class: Class,
        covered: &Covered,
        call: Option<&str>,
    ) -> Result<Agreed, Fault> {
        if !class.needs_consent() {
            return Ok(Agreed::Before);
        }
        match &self.manner {
            Manner::Plan(approved) => {
                approved.cover(class, covered, call, &mut self.lock().calls)?;
            }
            Manner::Missing(source) => return Err(missing(covered, source)),
            Manner::Open | Manner::Ask(_) | Manner::Policy => {}
        }
        // Held while the person thinks: a second question waits, and may be answered by the first.
        let mut remembered = self.lock();
        let known = |key: &String| remembered.items.contains(&(class, key.clone()));
        if remembered.all.contains(&class) || covered.keys.iter().all(known) {
            return Ok(Agreed::Before);
        }
        let beforehand = match self.manner {
            Manner::Open => self.given.then_some(Agreed::Beforehand),
            Manner::Policy => Some(Agreed::Policy),
            Manner::Plan(_) => Some(Agreed::Plan),
            Manner::Ask(_) | Manner::Missing(_) => None,
        };
        if let Some(agreed) = beforehand {
            let keys = covered.keys.iter().map(|key| (class, key.clone()));
            remembered.items.extend(keys);
            return Ok(agreed);
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
            Reply::Nobody => {
                let message = format!(
                    "consent is needed to {}, and there is no terminal to ask on",
                    covered.question
                );
                let fault = Fault::new(Exit::Denied, "ConsentNeeded", message);
                Err(match &self.manner {
                    Manner::Ask(source) => fault.context(source).hint(
                        "run it where somebody can answer: this policy does not take `--yes`",
                    ),
                    _ => fault.hint("give consent beforehand with `--yes`"),
                })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Sets that only grow: a panic elsewhere cannot leave them half written.
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody has approved, and nobody can here.
fn missing(covered: &Covered, source: &str) -> Fault {
    let message = format!(
        "consent is needed to {}, and somebody else has to give it, to the plan, in the watched folder",
        covered.question
    );
    Fault::new(Exit::Denied, "ApprovalNeeded", message)
        .context(source)
        .hint("drop the script into the folder that `runback watch` looks after, or write `consent = \"ask\"`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::talk::testing::Scripted;

    fn covered(keys: &[&str]) -> Covered {
        Covered {
            question: "restore".to_owned(),
            keys: keys.iter().map(ToString::to_string).collect(),
            ..Covered::default()
        }
    }

    #[test]
    fn a_set_is_asked_for_once_and_a_larger_one_again() {
        let talk = Arc::new(Scripted::new([Reply::Yes, Reply::No]));
        let consent = Consent::new(false, talk.clone());
        consent
            .require(Class::Activate, &covered(&["a", "b"]), None)
            .unwrap();
        consent
            .require(Class::Activate, &covered(&["b"]), None)
            .unwrap();
        let refused = consent
            .require(Class::Activate, &covered(&["b", "c"]), None)
            .unwrap_err();
        assert_eq!(refused.exit, Exit::Denied);
        assert_eq!(talk.asked(), 2);
    }

    #[test]
    fn all_covers_its_class_only_and_drafts_are_free() {
        let consent = Consent::new(false, Arc::new(Scripted::new([Reply::All, Reply::Nobody])));
        consent
            .require(Class::Draft, &covered(&["d"]), None)
            .unwrap();
        consent
            .require(Class::Activate, &covered(&["a"]), None)
            .unwrap();
        consent
            .require(Class::Activate, &covered(&["z"]), None)
            .unwrap();
        let nobody = consent
            .require(Class::Delete, &covered(&["a"]), None)
            .unwrap_err();
        assert_eq!(
            (nobody.exit, nobody.code.as_str()),
            (Exit::Denied, "ConsentNeeded")
        );
    }

    #[test]
    fn what_was_agreed_to_before_counts_as_the_policy_of_now_says() {
        let approved = Arc::new(Approved::default());
        let rows = [
            ("prompt", Manner::Open, true),
            ("--yes", Manner::Open, true),
            ("prompt", Manner::Ask(String::new()), true),
            ("--yes", Manner::Ask(String::new()), false),
            ("policy", Manner::Ask(String::new()), false),
            ("plan", Manner::Ask(String::new()), false),
            ("prompt", Manner::Missing(String::new()), false),
            ("plan", Manner::Missing(String::new()), false),
            ("plan", Manner::Plan(approved), false),
        ];
        for (how, manner, counts) in rows {
            let consent = Consent::new(true, Arc::new(Scripted::new([Reply::Nobody])));
            let open = matches!(manner, Manner::Open);
            let consent = consent.by(manner);
            consent.remember(&[Consented {
                run: String::new(),
                class: "activate".to_owned(),
                question: String::new(),
                keys: vec!["a".to_owned()],
                all: false,
                how: how.to_owned(),
                at: jiff::Timestamp::UNIX_EPOCH,
            }]);
            let known = consent.require(Class::Activate, &covered(&["a"]), None);
            assert_eq!(known.is_ok(), counts, "{how}");
            // What nobody has agreed to is asked for, and `--yes` is an answer only without a policy.
            let other = consent.require(Class::Activate, &covered(&["b"]), None);
            assert_eq!(other.is_ok(), open, "{how}");
        }
    }
}
