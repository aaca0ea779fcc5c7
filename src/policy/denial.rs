//! A denial in words: which rule of which file, and what to change.

use super::{Policy, Rule};
use crate::error::{Exit, Fault};

/// What every denial is called.
pub(crate) const DENIED: &str = "PolicyDenied";

/// A rule that forbids something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) rule: Rule,
    pub(crate) why: String,
    /// What to do or to change.
    pub(crate) mend: String,
}

impl Denial {
    pub(crate) fn new(rule: Rule, why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            rule,
            why: why.into(),
            mend: mend.into(),
        }
    }
}

impl Policy {
    /// As a person sees it.
    pub(crate) fn fault(&self, denial: &Denial) -> Fault {
        let Denial { rule, why, mend } = denial;
        Fault::new(Exit::Denied, DENIED, format!("denied by the policy: {why}"))
            .context(self.source(*rule))
            .hint(format!("{mend} in {}", self.at(*rule)))
    }

    /// The line of a rule, for messages that come of it: `policy.toml:3 says: allow = ["read"]`.
    pub(crate) fn source(&self, rule: Rule) -> String {
        let text = self.place(rule).and_then(|place| place.text.as_deref());
        match text {
            Some(text) => format!("{} says: {}", self.at(rule), text.trim()),
            None => format!("rule `{}` of {}", rule.name(), self.at(rule)),
        }
    }
}
