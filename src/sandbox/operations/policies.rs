//! Protection policies: lists, single ones, and what moves them between their states.

use uuid::Uuid;

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::broken::ServiceStatus;
use crate::sandbox::call::Call;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::protections::{Policy, PolicyStatus};
use crate::sandbox::store::Store;
use crate::sandbox::workload::{WORKLOADS, Workload};
use crate::sandbox::{Sandbox, lock, refusals};

const PAGE: usize = 100;

pub(super) fn list_all(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    page(sandbox, call, "protectionPolicies")
}

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    page(sandbox, call, call.workload()?.policies)
}

fn page(sandbox: &Sandbox, call: &Call, name: &str) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["top", "skiptoken"], PAGE)?;
    let start = query.start(sandbox.tenant.ids, call)?;
    let context = format!("solutions/backupRestore/{name}");
    let store = lock(&sandbox.store);
    let policies = store.present.protections.policies();
    let policies: Vec<&Policy> = policies
        .filter(|policy| is_of(call, policy.workload))
        .collect();
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: PAGE,
        context: &context,
        count: Some(policies.len()),
    };
    let policies = (0..)
        .zip(policies)
        .skip_while(|(position, _)| *position < start);
    Ok(list.answer(policies, |out, policy| {
        let mut object = Object::new(out);
        fill(&mut object, sandbox, call, policy);
        object.end();
    }))
}

fn is_of(call: &Call, workload: &Workload) -> bool {
    call.workload.is_none_or(|one| *one == *workload)
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    let policy = find(sandbox, &store, call)?;
    Ok(Answer::object(200, |object| {
        whole(object, sandbox, call, policy);
    }))
}

/// Only one that is inactive can go; its units are in none afterwards.
pub(super) fn delete(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let (malformed, missing) = (refusals::POLICY_ID_ABSENT, refusals::POLICY_GONE);
    let policy = named(sandbox, &store, call, malformed, missing)?;
    check_service(&store)?;
    if policy.status(call.now) != PolicyStatus::Inactive {
        return Err(refusals::POLICY_DELETE_STATE);
    }
    let (workload, number) = (policy.workload, policy.number);
    store.present.protections.delete(workload, number);
    Ok(Answer::nothing(204))
}

/// One policy of a workload is active at most.
pub(super) fn activate(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let malformed = refusals::POLICY_ID_ABSENT;
    let policy = named(sandbox, &store, call, malformed, refusals::POLICY_NOT_FOUND)?;
    check_service(&store)?;
    if policy.status(call.now) != PolicyStatus::Inactive {
        return Err(refusals::POLICY_ACTIVATE_STATE);
    }
    if active(&store, policy.workload).is_some() {
        return Err(refusals::POLICY_ACTIVATE_STATE
            .because("another policy of the workload is active already"));
    }
    let (workload, number) = (policy.workload, policy.number);
    moved(sandbox, &mut store, call, (workload, number), |policy| {
        policy.activate(call.now, call.by());
    })
}

pub(super) fn deactivate(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let malformed = refusals::POLICY_ID_ABSENT;
    let policy = named(sandbox, &store, call, malformed, refusals::POLICY_NOT_FOUND)?;
    check_service(&store)?;
    if policy.status(call.now) != PolicyStatus::Active {
        return Err(refusals::POLICY_DEACTIVATE_STATE);
    }
    let (workload, number) = (policy.workload, policy.number);
    moved(sandbox, &mut store, call, (workload, number), |policy| {
        policy.deactivate(call.now, call.by());
    })
}

fn moved(
    sandbox: &Sandbox,
    store: &mut Store,
    call: &Call,
    (workload, number): (&Workload, u32),
    change: impl FnOnce(&mut Policy),
) -> Result<Answer, Refusal> {
    let policy = store.present.protections.policy_mut(workload, number);
    let policy = policy.ok_or(refusals::POLICY_NOT_FOUND)?;
    change(policy);
    let mut answer = Answer::object(202, |object| whole(object, sandbox, call, policy));
    answer.headers.push(location(sandbox, call, policy));
    Ok(answer)
}

/// The policy of a workload that protects.
pub(super) fn active<'store>(store: &'store Store, workload: &Workload) -> Option<&'store Policy> {
    let mut policies = store.present.protections.policies();
    policies.find(|policy| *policy.workload == *workload && policy.protects())
}

/// Turns down what changes protection while that is locked.
pub(super) fn check_service(store: &Store) -> Result<(), Refusal> {
    let status = store.present.broken.service_status;
    if status == ServiceStatus::Enabled {
        return Ok(());
    }
    Err(refusals::PROTECTION_LOCKED.because(format!("the service status is {}", status.name())))
}

/// Where an answer that made or moved a policy says that it is.
pub(super) fn location(sandbox: &Sandbox, call: &Call, policy: &Policy) -> (&'static str, String) {
    let id = id(sandbox, policy);
    let place = format!("solutions/backupRestore/protectionPolicies/{id}");
    ("content-location", format!("{}/{place}", call.root))
}

/// The policy that the path names.
pub(super) fn find<'store>(
    sandbox: &Sandbox,
    store: &'store Store,
    call: &Call,
) -> Result<&'store Policy, Refusal> {
    let (malformed, missing) = (refusals::POLICY_ID, refusals::POLICY_NOT_FOUND);
    named(sandbox, store, call, malformed, missing)
}

fn named<'store>(
    sandbox: &Sandbox,
    store: &'store Store,
    call: &Call,
    malformed: Refusal,
    missing: Refusal,
) -> Result<&'store Policy, Refusal> {
    let id = call.uuid(0, malformed)?;
    let found = by_id(sandbox, store, id);
    let found = found.filter(|policy| is_of(call, policy.workload));
    found.ok_or_else(|| missing.because(format!("there is no policy `{id}`")))
}

pub(super) fn by_id<'store>(
    sandbox: &Sandbox,
    store: &'store Store,
    wanted: Uuid,
) -> Option<&'store Policy> {
    let (workload, number) = WORKLOADS
        .iter()
        .find_map(|one| Some((one, sandbox.tenant.policy_number(one, wanted)?)))?;
    store.present.protections.policy(workload, number)
}

pub(super) fn id(sandbox: &Sandbox, policy: &Policy) -> Uuid {
    sandbox.tenant.policy_id(policy.workload, policy.number)
}

/// A policy as an answer of its own.
pub(super) fn whole(object: &mut Object<'_>, sandbox: &Sandbox, call: &Call, policy: &Policy) {
    let context = "solutions/backupRestore/protectionPolicies/$entity";
    object.text("@odata.context", call.context(context));
    fill(object, sandbox, call, policy);
}

fn fill(object: &mut Object<'_>, sandbox: &Sandbox, call: &Call, policy: &Policy) {
    object.text(
        "@odata.type",
        format!("#microsoft.graph.{}", policy.workload.policy_type),
    );
    object.plain("id", id(sandbox, policy));
    object.text("displayName", &policy.display_name);
    object.text("status", policy.status(call.now).name());
    object.boolean("isEnabled", policy.protects());
    let (created, by) = policy.created;
    object.object("createdBy", |set| sandbox.access.fill(set, by));
    object.time("createdDateTime", created);
    let (modified, by) = policy.modified;
    object.object("lastModifiedBy", |set| sandbox.access.fill(set, by));
    object.time("lastModifiedDateTime", modified);
    let weekly = policy.weekly.as_deref().unwrap_or("P1Y");
    let settings = [("R/PT10M", "P2W"), ("R/P1W", weekly)];
    object.array("retentionSettings", settings, |out, (interval, period)| {
        let mut setting = Object::new(out);
        setting.text("interval", interval);
        setting.text("period", period);
        setting.end();
    });
}
