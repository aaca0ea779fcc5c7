//! What a policy means for a run: who gives consent, and to what.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::Leave;
use crate::changes::{Approved, Guard, Manner, Terms, aim};
use crate::error::{Exit, Fault};
use crate::plan::Plan;
use crate::policy::{Consent, Policy, Rule};
use crate::talk::Talk;

/// The policy of a run, and the plan that somebody has approved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rails {
    policy: Option<Arc<Policy>>,
    approved: Option<Arc<ApprovedPlan>>,
}

/// A plan that somebody has approved: whoever passes it on has checked that.
#[derive(Debug)]
struct ApprovedPlan {
    plan: Plan,
    approved: Arc<Approved>,
}

impl Rails {
    /// # Errors
    /// Exit 2: one of the files cannot be obeyed.
    pub(crate) fn open(policy: Option<&Path>, approved: Option<&Path>) -> Result<Self, Fault> {
        let policy = policy.map(Policy::open).transpose()?;
        Self::of(policy, approved)
    }

    /// Under a policy that was read already.
    ///
    /// # Errors
    /// Exit 2: the plan cannot be obeyed.
    pub(crate) fn under(policy: Policy, approved: Option<&Path>) -> Result<Self, Fault> {
        Self::of(Some(policy), approved)
    }

    fn of(policy: Option<Policy>, approved: Option<&Path>) -> Result<Self, Fault> {
        let policy = policy.map(Arc::new);
        let approved = approved.map(ApprovedPlan::read).transpose()?.map(Arc::new);
        if approved.is_some()
            && policy.as_ref().and_then(|policy| policy.rules().consent()) != Some(Consent::File)
        {
            let message = "`--approved` needs a policy that says `consent = \"file\"`";
            return Err(Fault::new(Exit::Unstarted, "BadFlag", message));
        }
        Ok(Self { policy, approved })
    }

    /// Of the policy's bytes.
    pub(super) fn sha256(&self) -> Option<&str> {
        self.policy.as_deref().map(Policy::sha256)
    }

    pub(crate) fn guard(&self, is_rehearsal: bool) -> Guard {
        Guard::new(self.policy.clone(), is_rehearsal)
    }

    /// How consent is given, and what `--yes` is worth.
    ///
    /// `consent = "ask"` takes no `--yes`: who writes it wants a person to look, and without it the rule would say nothing,
    /// since a prompt or `--yes` is what there is without any policy.
    pub(crate) fn consent(&self, leave: Leave) -> (Manner, Leave) {
        let Some(policy) = self.policy.as_deref() else {
            return (Manner::Open, leave);
        };
        let source = policy.source(Rule::Consent);
        let (manner, yes) = match (policy.rules().consent(), &self.approved) {
            (None, _) => (Manner::Open, leave.yes),
            (Some(Consent::Ask), _) => (Manner::Ask(source), false),
            (Some(Consent::Given), _) => (Manner::Policy, true),
            (Some(Consent::File), Some(plan)) => (Manner::Plan(plan.approved.clone()), true),
            (Some(Consent::File), None) => (Manner::Missing(source), false),
        };
        (manner, Leave { yes, ..leave })
    }

    /// Says at the start what would otherwise be a surprise at the end.
    pub(crate) fn announce(&self, leave: Leave, can_change: bool, talk: &dyn Talk) {
        let Some(policy) = self.policy.as_deref().filter(|_| can_change) else {
            return;
        };
        let at = policy.at(Rule::Consent);
        match policy.rules().consent() {
            Some(Consent::Ask) if leave.yes => talk.warn(&format!(
                "`--yes` does not count here: the policy wants a person to be asked ({at})"
            )),
            Some(Consent::File) if self.approved.is_none() => talk.warn(&format!(
                "nothing will be activated or deleted: the policy wants somebody else to approve the plan, in the watched folder ({at})"
            )),
            _ => {}
        }
    }

    /// # Errors
    /// Exit 5, `PlanChanged`: what was approved is another script.
    pub(super) fn check_script(&self, sha256: Option<&str>) -> Result<(), Fault> {
        let Some(approved) = &self.approved else {
            return Ok(());
        };
        let facts = &approved.plan.facts;
        if facts.sha256.as_deref() == sha256 {
            return Ok(());
        }
        let message = format!(
            "plan `{}` was approved for another text of `{}`",
            approved.approved.plan, facts.script
        );
        Err(Fault::new(Exit::Denied, "PlanChanged", message)
            .hint("nothing was sent; plan again, and have the new plan approved"))
    }
}

impl ApprovedPlan {
    fn read(path: &Path) -> Result<Self, Fault> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let message = format!("`{name}` cannot be read: {error}");
            Fault::new(Exit::Unstarted, "UnreadableFile", message)
        })?;
        let plan = Plan::read(&name, &bytes)?;
        let terms = plan.terms();
        let mut items: HashMap<String, Vec<Arc<Terms>>> = HashMap::new();
        for row in &plan.items {
            let Some(part) = row.part else { continue };
            let item = aim(
                &row.workload,
                row.unit.as_deref(),
                row.point.as_deref(),
                row.destination.as_deref(),
                row.input.as_deref(),
            );
            items
                .entry(item)
                .or_default()
                .extend(terms.get(&part).cloned());
        }
        let approved = Approved {
            items,
            calls: plan.others.clone(),
            plan: plan.short_hash().to_owned(),
        };
        Ok(Self {
            plan,
            approved: Arc::new(approved),
        })
    }
}
