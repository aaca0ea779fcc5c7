//! What the policy says to the watcher itself: whose scripts, signed by whom, approved by whom.

use std::path::Path;

use super::claim::hash;
use crate::error::{Exit, Fault};
use crate::policy::{Consent, Policy, PublicKey, Rule, Who};
use crate::unix;

#[derive(Clone, Debug)]
pub(super) struct Rules {
    policy: Policy,
    /// What was read: each run is given it.
    text: String,
    owners: Vec<u32>,
    approvers: Vec<u32>,
}

impl Rules {
    /// Reads the policy.
    ///
    /// # Errors
    /// Exit 2: as [`Policy::open`]; a user that this machine does not know.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let policy = Policy::open(path)?;
        // Read a second time, and believed if it says the same: whoever could change it between could change it before.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if hash(text.as_bytes()) != policy.sha256() {
            let message = format!("the policy `{}` is being written", path.display());
            return Err(Fault::new(Exit::Unstarted, "BadPolicy", message)
                .hint("try again when that is done"));
        }
        Self::of(policy, text)
    }

    fn of(policy: Policy, text: String) -> Result<Self, Fault> {
        let rules = policy.rules();
        let owners = match rules.owners() {
            Some(users) => uids(&policy, Rule::Owners, users)?,
            None => vec![unix::user()],
        };
        let approvers = uids(&policy, Rule::Approvers, rules.approvers())?;
        Ok(Self {
            policy,
            text,
            owners,
            approvers,
        })
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn owners(&self) -> &[u32] {
        &self.owners
    }

    /// Others than the watcher's own user may drop scripts.
    pub(super) fn names_owners(&self) -> bool {
        self.policy.rules().owners().is_some()
    }

    pub(super) fn approvers(&self) -> &[u32] {
        &self.approvers
    }

    pub(super) fn approval_keys(&self) -> &[PublicKey] {
        self.policy.rules().approval_keys()
    }

    pub(super) fn trusted_keys(&self) -> &[PublicKey] {
        self.policy.rules().trusted_keys()
    }

    /// Whether signatures are looked at. Where they need not be there but are, and keys are trusted, they must hold: one that does
    /// not is worse than none.
    pub(super) fn wants_signature(&self, is_signed: bool) -> bool {
        self.policy.rules().require_signature() || (is_signed && !self.trusted_keys().is_empty())
    }

    /// Runs wait for the approval of their plans.
    pub(super) fn wants_approval(&self) -> bool {
        self.policy.rules().consent() == Some(Consent::File)
    }
}

fn uids(policy: &Policy, rule: Rule, users: &[Who]) -> Result<Vec<u32>, Fault> {
    let uid = |user: &Who| match user {
        Who::Uid(uid) => Ok(*uid),
        Who::Name(name) => unix::uid(name).ok_or_else(|| {
            let message = format!(
                "{}: `{}` names `{name}`, and this machine knows no such user",
                policy.at(rule),
                rule.name()
            );
            Fault::new(Exit::Unstarted, "BadPolicy", message)
                .hint("`getent passwd` lists the users; a uid will do as well")
        }),
    };
    users.iter().map(uid).collect()
}
