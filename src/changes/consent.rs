//! Consent to what cannot be taken back: asked once for a set of items, remembered for the run.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Class;
use jiff::{SignedDuration, Timestamp};

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

/// An item of a plan, or of a run that has to keep to one.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    /// As [`aim`] makes it.
    pub(crate) item: String,
    /// Of the input of a bulk restore.
    pub(crate) terms: Option<Arc<Terms>>,
}

/// By what the service chooses the points of a bulk restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// When this was said, by the service's clock.
    pub(crate) at: Timestamp,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) prefer: String,
    pub(crate) tags: Option<String>,
}

impl Terms {
    /// Whether a run may say these where a plan has said `planned`. A window that ends with the moment ends with another one by
    /// then; every other one is as it was approved.
    fn follow(&self, planned: &Self) -> bool {
        let length = |terms: &Self| terms.end.duration_since(terms.start);
        let has_moved_on = planned.ends_now() && self.ends_now();
        let is_window = (self.start, self.end) == (planned.start, planned.end)
            || has_moved_on && (self.start == planned.start || length(self) == length(planned));
        is_window && self.prefer == planned.prefer && self.tags == planned.tags
    }

    /// Whether it has no end but the moment at which it was said.
    fn ends_now(&self) -> bool {
        (SignedDuration::ZERO..=SLACK).contains(&self.at.duration_since(self.end))
    }
}

/// Between the line that takes the hour and the one that says it.
const SLACK: SignedDuration = SignedDuration::from_mins(10);

/// An item as it is the same in a plan and in the run of that plan.
///
/// The input of a bulk restore is all there is to know of it: its unit and its point are the service's choice.
pub(crate) fn aim(
    workload: &str,
    unit: Option<&str>,
    point: Option<&str>,
    destination: Option<&str>,
    input: Option<&str>,
) -> String {
    let unit = unit.filter(|_| input.is_none() || point.is_some());
    let destination = destination.map(str::to_lowercase);
    let input = input.map(|input| input.trim_end_matches('/').to_lowercase());
    serde_json::json!([workload, unit, point, destination, input]).to_string()
}

/// What somebody has approved of: the items of a plan, and the calls beside them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Approved {
    /// As [`aim`] makes them, with the terms of each bulk restore that it is in.
    pub(crate) items: HashMap<String, Vec<Arc<Terms>>>,
    /// As [`crate::graph::Call::words`] makes them, in the order in which they were planned.
    pub(crate) calls: Vec<String>,
    /// The plan's hash, or enough of it.
    pub(crate) plan: String,
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

impl Aim {
    fn words(&self) -> String {
        let Some(terms) = &self.terms else {
            return self.item.clone();
        };
        let tags = terms.tags.as_deref().unwrap_or("any");
        format!(
            "{}, {} point from {} to {}, tags {tags}",
            self.item, terms.prefer, terms.start, terms.end
        )
    }
}

impl Approved {
    /// Whether a call is planned, and not before what was sent to its path already: of two changes of one thing the later one
    /// counts, so each is let through once and in its order.
    fn is_next(&self, call: &str, spent: &mut HashMap<String, usize>) -> bool {
        let path: String = call.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let next = spent.entry(path).or_default();
        let rest = self.calls.iter().enumerate().skip(*next);
        let found = rest.into_iter().find(|(_, planned)| *planned == call);
        if let Some((at, _)) = found {
            *next = at + 1;
        }
        found.is_some()
    }

    fn holds(&self, aim: &Aim) -> bool {
        let Some(planned) = self.items.get(&aim.item) else {
            return false;
        };
        match &aim.terms {
            None => planned.is_empty(),
            Some(terms) => planned.iter().any(|planned| terms.follow(planned)),
        }
    }

    /// # Errors
    /// Exit 5, `PlanChanged`: something in it is not in the plan.
    fn cover(
        &self,
        class: Class,
        covered: &Covered,
        call: Option<&str>,
        spent: &mut HashMap<String, usize>,
    ) -> Result<(), Fault> {
        let beyond = covered.aims.iter().find(|aim| !self.holds(aim));
        let is_in_plan = match class {
            Class::Draft => true,
            // Without items nothing says that it is in the plan.
            Class::Activate => !covered.aims.is_empty() && beyond.is_none(),
            Class::Delete if covered.is_own_draft => true,
            Class::Delete | Class::Unlisted => call.is_some_and(|call| self.is_next(call, spent)),
        };
        if is_in_plan {
            return Ok(());
        }
        let message = format!(
            "not what was approved: {} is more than plan `{}` says",
            covered.question, self.plan
        );
        let fault = Fault::new(Exit::Denied, "PlanChanged", message);
        let fault = match beyond {
            Some(aim) => fault.context(format!("not in the plan: {}", aim.words())),
            None => match call {
                Some(call) => fault.context(format!(
                    "not in the plan, or not so often, or not so late: {call}"
                )),
                None => fault,
            },
        };
        let fault =
            fault.hint("nothing of it was sent; plan again, and have the new plan approved");
        Err(match beyond.and_then(|aim| aim.terms.as_ref()) {
            Some(_) => fault.hint(
                "a window that hangs on the hour is best an argument (`//! @param before datetime = \"-36h\" …`): it is approved with its value",
            ),
            None => fault,
        })
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

    #[test]
    fn a_plan_covers_its_own_items_and_calls_and_drafts_of_the_run() {
        let item = |point| aim("exchange", Some("u"), Some(point), Some("inPlace"), None);
        let approved = Approved {
            items: [(item("p"), Vec::new()), (item("q"), Vec::new())].into(),
            calls: ["DELETE /users/1", "PATCH /x a", "PATCH /x b"]
                .map(str::to_owned)
                .into(),
            plan: "abc".to_owned(),
        };
        let consent =
            Consent::new(false, Arc::new(Scripted::new([]))).by(Manner::Plan(Arc::new(approved)));
        let asked = |class, call: &str, aims: &[String], is_own_draft| {
            let aims = aims.iter().map(|item| Aim {
                item: item.clone(),
                terms: None,
            });
            let covered = Covered {
                question: call.to_owned(),
                keys: vec!["k".to_owned()],
                aims: aims.collect(),
                is_own_draft,
            };
            let answer = consent.require(class, &covered, Some(call));
            answer.map(|_| ()).map_err(|fault| fault.code)
        };
        let changed = Err("PlanChanged".to_owned());
        let both = [item("p"), item("q")];
        assert_eq!(asked(Class::Activate, "", &both, false), Ok(()));
        assert_eq!(asked(Class::Activate, "", &both[..1], false), Ok(()));
        // Asked for before, and still nothing but what is in the plan.
        let more = [item("p"), item("r")];
        assert_eq!(asked(Class::Activate, "", &more, false), changed);
        assert_eq!(asked(Class::Activate, "", &[], false), changed);
        let elsewhere = aim("exchange", Some("u"), Some("p"), Some("new"), None);
        assert_eq!(asked(Class::Activate, "", &[elsewhere], false), changed);
        assert_eq!(asked(Class::Delete, "DELETE /users/1", &[], false), Ok(()));
        // Of two changes of one thing the later one counts.
        assert_eq!(asked(Class::Unlisted, "PATCH /x b", &[], false), Ok(()));
        assert_eq!(asked(Class::Unlisted, "PATCH /x a", &[], false), changed);
        // It was planned once.
        assert_eq!(asked(Class::Delete, "DELETE /users/1", &[], false), changed);
        assert_eq!(asked(Class::Delete, "DELETE /users/2", &[], false), changed);
        assert_eq!(
            asked(Class::Unlisted, "PATCH /users/1", &[], false),
            changed
        );
        assert_eq!(asked(Class::Delete, "delete draft x", &[], true), Ok(()));
        assert_eq!(asked(Class::Draft, "", &[], false), Ok(()));
    }

    #[test]
    fn a_bulk_restore_keeps_to_the_terms_of_its_plan() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let planned = Terms {
            at: at("2026-11-29T02:00:00Z"),
            start: at("2026-11-01T00:00:00Z"),
            end: at("2026-11-29T02:00:00Z"),
            prefer: "latest".to_owned(),
            tags: None,
        };
        let run = Terms {
            at: at("2026-11-29T05:00:00Z"),
            ..planned.clone()
        };
        let noon = |end: &str| Terms {
            start: at("2026-11-01T00:00:00Z"),
            end: at(end),
            ..planned.clone()
        };
        let rows = [
            // As it was, three hours later; and with its end moved along.
            (planned.clone(), run.clone(), true),
            (
                planned.clone(),
                Terms {
                    end: at("2026-11-29T05:00:00Z"),
                    ..run.clone()
                },
                true,
            ),
            (
                planned.clone(),
                Terms {
                    end: at("2026-11-29T04:00:00Z"),
                    ..run.clone()
                },
                false,
            ),
            (
                planned.clone(),
                Terms {
                    start: at("2026-10-01T00:00:00Z"),
                    ..run.clone()
                },
                false,
            ),
            (
                planned.clone(),
                Terms {
                    prefer: "oldest".to_owned(),
                    ..run.clone()
                },
                false,
            ),
            (
                planned.clone(),
                Terms {
                    tags: Some("fastRestore".to_owned()),
                    ..run.clone()
                },
                false,
            ),
            // An end that was chosen stays: what lies behind it may be what one wants to get rid of.
            (
                noon("2026-11-20T12:00:00Z"),
                noon("2026-11-20T12:00:00Z"),
                true,
            ),
            (
                noon("2026-11-20T12:00:00Z"),
                noon("2026-11-20T12:00:01Z"),
                false,
            ),
            (
                noon("2026-11-20T12:00:00Z"),
                Terms {
                    end: at("2026-11-29T05:00:00Z"),
                    ..run.clone()
                },
                false,
            ),
        ];
        let item = aim("exchange", None, None, Some("new"), Some("a@x"));
        let mut approved = Approved::default();
        for (planned, terms, may) in rows {
            approved.items = [(item.clone(), vec![Arc::new(planned)])].into();
            let words = format!("{terms:?}");
            let aim = Aim {
                item: item.clone(),
                terms: Some(Arc::new(terms)),
            };
            assert_eq!(approved.holds(&aim), may, "{words}");
        }
        // A request of which nobody knows the terms.
        assert!(!approved.holds(&Aim { item, terms: None }));
    }

    #[test]
    fn an_item_is_the_same_in_a_plan_and_in_its_run() {
        let bulk = |unit, input| aim("exchange", unit, None, Some("new"), Some(input));
        assert_eq!(bulk(Some("u"), "A@x"), bulk(None, "a@X"));
        assert_ne!(bulk(None, "a@x"), bulk(None, "b@x"));
        let point = |unit, to| aim("exchange", unit, Some("p"), Some(to), None);
        assert_eq!(point(Some("u"), "inPlace"), point(Some("u"), "inplace"));
        assert_ne!(point(Some("u"), "new"), point(Some("v"), "new"));
        let file = |key| aim("onedrive", Some("u"), Some("p"), None, Some(key));
        assert_ne!(file("1"), file("2"));
    }
}
