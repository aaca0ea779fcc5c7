//! Beta's statistics of a policy.

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::odata::Query;
use crate::sandbox::{Sandbox, lock, refusals};

use super::policies;

/// Units of a policy by what they are doing.
#[derive(Default)]
struct Tally {
    total: u32,
    protecting: u32,
    protected: u32,
    failed: u32,
    unprotecting: u32,
    unprotected: u32,
}

pub(super) fn of_policy(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let id = call.uuid(0, refusals::POLICY_ID)?;
    let (store, tenant) = (lock(&sandbox.store), &sandbox.tenant);
    let policy = policies::by_id(sandbox, &store, id);
    let policy = policy.ok_or(refusals::POLICY_NOT_FOUND)?;
    let mut tally = Tally::default();
    for unit in store.present.units(tenant, policy.workload, 0) {
        if unit.protection.policy != Some(policy.number) {
            continue;
        }
        tally.total += 1;
        let count = match unit.status(call.now).0 {
            _ if tenant.is_over_quota(&unit) => &mut tally.failed,
            "protectRequested" => &mut tally.protecting,
            "protected" => &mut tally.protected,
            "unprotectRequested" => &mut tally.unprotecting,
            _ => &mut tally.unprotected,
        };
        *count += 1;
    }
    Ok(Answer::object(200, |report| {
        let context = call.context("microsoft.graph.backupPolicyReport");
        report.text("@odata.context", context);
        report.plain("backupPolicyId", id);
        report.text("displayName", &policy.display_name);
        report.object("countStatistics", |count| {
            count.number("total", tally.total);
            count.number("protectedInProgress", tally.protecting);
            count.number("unprotectedInProgress", tally.unprotecting);
            count.number("protectedCompleted", tally.protected);
            count.number("unprotectedCompleted", tally.unprotected);
            count.number("protectedFailed", tally.failed);
            count.number("unprotectedFailed", 0);
            count.raw("removed", "null");
            // A unit must have left its policy before it can be offboarded.
            count.number("offboardRequested", 0);
            count.time("lastComputedDateTime", call.now);
        });
    }))
}
