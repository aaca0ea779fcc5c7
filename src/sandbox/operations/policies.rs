//! Protection policies, for reading: one active and one inactive per workload.

use crate::sandbox::access::By;
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::workload::{WORKLOADS, Workload};
use crate::sandbox::{Sandbox, refusals};

/// Number 0 is active, number 1 is not.
const POLICIES: u32 = 2;

pub(super) fn list_all(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    page(sandbox, call, &WORKLOADS, "protectionPolicies")
}

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let workload = call.workload()?;
    page(
        sandbox,
        call,
        std::slice::from_ref(workload),
        workload.policies,
    )
}

fn page(
    sandbox: &Sandbox,
    call: &Call,
    workloads: &'static [Workload],
    name: &str,
) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["top", "skiptoken"], 100)?;
    let start = query.start(sandbox.tenant.ids, call)?;
    let context = format!("solutions/backupRestore/{name}");
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: 100,
        context: &context,
        count: Some(workloads.len() * 2),
    };
    let policies = workloads
        .iter()
        .flat_map(|workload| (0..POLICIES).map(move |number| (workload, number)));
    let policies = (0..)
        .zip(policies)
        .skip_while(|(position, _)| *position < start);
    Ok(list.answer(policies, |out, (workload, number)| {
        let mut policy = Object::new(out);
        fill(&mut policy, sandbox, workload, number);
        policy.end();
    }))
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let (workload, number) = find(sandbox, call)?;
    Ok(Answer::object(200, |policy| {
        let context = "solutions/backupRestore/protectionPolicies/$entity";
        policy.text("@odata.context", call.context(context));
        fill(policy, sandbox, workload, number);
    }))
}

/// The number of the policy that `{id}` names.
pub(super) fn number(sandbox: &Sandbox, call: &Call) -> Result<u32, Refusal> {
    find(sandbox, call).map(|(_, number)| number)
}

fn find(sandbox: &Sandbox, call: &Call) -> Result<(&'static Workload, u32), Refusal> {
    let id = call.uuid(0, refusals::POLICY_ID)?;
    let workloads = WORKLOADS
        .iter()
        .filter(|one| call.workload.is_none_or(|workload| *workload == **one));
    workloads
        .flat_map(|workload| (0..POLICIES).map(move |number| (workload, number)))
        .find(|(workload, number)| sandbox.tenant.policy_id(workload, *number) == id)
        .ok_or_else(|| refusals::POLICY_NOT_FOUND.because(format!("there is no policy `{id}`")))
}

fn fill(policy: &mut Object<'_>, sandbox: &Sandbox, workload: &Workload, number: u32) {
    let active = number == 0;
    policy.text(
        "@odata.type",
        format!("#microsoft.graph.{}", workload.policy_type),
    );
    policy.plain("id", sandbox.tenant.policy_id(workload, number));
    policy.text(
        "displayName",
        format!(
            "{} {}",
            workload.name,
            if active { "protection" } else { "pilot" }
        ),
    );
    policy.text("status", if active { "active" } else { "inactive" });
    policy.boolean("isEnabled", active);
    policy.object("createdBy", |by| sandbox.access.fill(by, By::APP));
    policy.time("createdDateTime", sandbox.clock.begun());
    policy.object("lastModifiedBy", |by| sandbox.access.fill(by, By::APP));
    policy.time("lastModifiedDateTime", sandbox.clock.begun());
    let settings = [("R/PT10M", "P2W"), ("R/P1W", "P1Y")];
    policy.array("retentionSettings", settings, |out, (interval, period)| {
        let mut setting = Object::new(out);
        setting.text("interval", interval);
        setting.text("period", period);
        setting.end();
    });
}
