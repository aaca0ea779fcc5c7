//! The policy at the door: what it says to a change, and how it lets consent be given.

use std::sync::Arc;

use jiff::Timestamp;

use super::Class;
use crate::error::Fault;
use crate::policy::{Act, Deed, Denial, Policy, Rules};

/// A run's policy, where it has one. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Guard {
    policy: Option<Arc<Policy>>,
    /// Nothing is to happen: the hour is of no account, it is another when the plan is applied.
    is_rehearsal: bool,
}

impl Class {
    pub(crate) fn act(self) -> Act {
        match self {
            Self::Draft => Act::Draft,
            Self::Activate => Act::Activate,
            Self::Delete => Act::Delete,
            Self::Unlisted => Act::Unlisted,
        }
    }
}

impl Guard {
    pub(crate) fn new(policy: Option<Arc<Policy>>, is_rehearsal: bool) -> Self {
        Self {
            policy,
            is_rehearsal,
        }
    }

    pub(crate) fn policy(&self) -> Option<&Policy> {
        self.policy.as_deref()
    }

    pub(crate) fn rules(&self) -> Option<&Rules> {
        self.policy().map(Policy::rules)
    }

    /// # Errors
    /// Exit 5: which rule forbids it.
    pub(crate) fn judge(&self, act: Act, deed: &Deed, now: Timestamp) -> Result<(), Fault> {
        let Some(policy) = self.policy() else {
            return Ok(());
        };
        let now = (!self.is_rehearsal).then_some(now);
        policy
            .judge(act, deed, now)
            .map_err(|denial| policy.fault(&denial))
    }

    /// The words of a denial that was found elsewhere.
    pub(crate) fn fault(&self, denial: &Denial) -> Option<Fault> {
        self.policy().map(|policy| policy.fault(denial))
    }

    /// Most items of one session.
    pub(crate) fn session_size(&self) -> usize {
        let most = self.rules().and_then(Rules::max_items_per_session);
        most.map_or(usize::MAX, |most| {
            usize::try_from(most).unwrap_or(usize::MAX)
        })
    }
}
