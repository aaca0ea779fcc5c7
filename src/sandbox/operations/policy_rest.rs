//! What else hangs on a policy: inclusion rules, bulk jobs, and in beta exclusions. Nobody has made any in this tenant, and
//! they are for reading only: the lists are empty, and an id leads nowhere.

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::workload::Workload;
use crate::sandbox::{Sandbox, lock, refusals};

use super::policies;

pub(super) fn rules(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    nothing(sandbox, call, |workload| workload.rules)
}

pub(super) fn jobs(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    nothing(sandbox, call, |workload| workload.jobs)
}

pub(super) fn exclusions(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    nothing(sandbox, call, |workload| workload.exclusions)
}

pub(super) fn exclusion_jobs(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    nothing(sandbox, call, |workload| workload.exclusion_jobs)
}

fn nothing(
    sandbox: &Sandbox,
    call: &Call,
    name: fn(&Workload) -> &'static str,
) -> Result<Answer, Refusal> {
    let query = Query::none(call)?;
    let workload = call.workload()?;
    let policy = policies::id(
        sandbox,
        policies::find(sandbox, &lock(&sandbox.store), call)?,
    );
    let (policies, name) = (workload.policies, name(workload));
    let context = format!("solutions/backupRestore/{policies}('{policy}')/{name}");
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: 1,
        context: &context,
        count: Some(0),
    };
    Ok(list.answer([], |_, (): ()| {}))
}

pub(super) fn rule(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    no_such(sandbox, call, refusals::RULE_ID, refusals::RULE_NOT_FOUND)
}

/// A job or an exclusion; no page names a code.
pub(super) fn other(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let malformed = Refusal::bad_request("The ID is invalid.");
    no_such(sandbox, call, malformed, refusals::NOT_FOUND)
}

fn no_such(
    sandbox: &Sandbox,
    call: &Call,
    malformed: Refusal,
    missing: Refusal,
) -> Result<Answer, Refusal> {
    Query::none(call)?;
    policies::find(sandbox, &lock(&sandbox.store), call)?;
    let id = call.uuid(1, malformed)?;
    Err(missing.because(format!("there is nothing with the id `{id}`")))
}
