//! Protection units: tenant-wide lists, the lists of policies, single units.

use uuid::Uuid;

use crate::sandbox::access::By;
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::filter::{Filter, Literal};
use crate::sandbox::id::Kind;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::store::Store;
use crate::sandbox::tenant::{Offboard, Protection, Tenant, Unit};
use crate::sandbox::workload::WORKLOADS;
use crate::sandbox::{Sandbox, lock, refusals};

use super::policies;

const PAGE: usize = 1_000;
/// More comparisons than this in one filter are refused.
const MAX_TERMS: usize = 20;

/// `/protectionUnits`: all workloads, one after the other.
pub(super) fn list_all(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["top", "skiptoken", "count"], PAGE)?;
    let tenant = &sandbox.tenant;
    // Positions count through the workloads in their order.
    let mut start = query.start(tenant.ids, call)?;
    let mut offset = 0;
    let mut parts = Vec::new();
    for workload in &WORKLOADS {
        let length = tenant.positions(workload);
        parts.push((offset, workload, start.min(length)));
        start = start.saturating_sub(length);
        offset += length;
    }
    let store = lock(&sandbox.store);
    let present = &store.present;
    let units = parts.into_iter().flat_map(|(offset, workload, from)| {
        let units = present.units(tenant, workload, from);
        units.map(move |unit| (offset + unit.index, unit))
    });
    let count = query.count.then(|| {
        let all = WORKLOADS.iter();
        all.flat_map(|workload| present.units(tenant, workload, 0))
            .count()
    });
    let context = "solutions/backupRestore/protectionUnits";
    let list = List {
        ids: tenant.ids,
        call,
        query: &query,
        page: PAGE,
        context,
        count,
    };
    Ok(list.answer(units, |out, unit| write(out, sandbox, call, &unit)))
}

/// The units of one workload, in the documented form with a cast and in the plain one.
pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["filter", "top", "skiptoken", "count"], PAGE)?;
    page(sandbox, call, &query, |_| true)
}

pub(super) fn list_of_policy(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["filter", "top", "skiptoken", "count"], PAGE)?;
    let number = policies::find(sandbox, &lock(&sandbox.store), call)?.number;
    page(sandbox, call, &query, |unit| {
        unit.protection.policy == Some(number)
    })
}

fn page(
    sandbox: &Sandbox,
    call: &Call,
    query: &Query,
    wanted: impl Fn(&Unit) -> bool,
) -> Result<Answer, Refusal> {
    let workload = call.workload()?;
    let tenant = &sandbox.tenant;
    let start = query.start(tenant.ids, call)?;
    if let Some(filter) = &query.filter {
        check(filter)?;
    }
    let fits = |unit: &Unit| {
        // A filter that could fail has failed in `check`.
        let passes = |filter: &Filter| {
            filter
                .matches(&|name| property(sandbox, call, unit, name))
                .unwrap_or(false)
        };
        wanted(unit) && query.filter.as_ref().is_none_or(passes)
    };
    let store = lock(&sandbox.store);
    let from = |start| store.present.units(tenant, workload, start).filter(&fits);
    let count = query.count.then(|| from(0).count());
    let context = format!("solutions/backupRestore/{}", workload.units);
    let list = List {
        ids: tenant.ids,
        call,
        query,
        page: PAGE,
        context: &context,
        count,
    };
    let units = from(start).map(|unit| (unit.index, unit));
    Ok(list.answer(units, |out, unit| write(out, sandbox, call, &unit)))
}

/// Only comparisons of `id`, `status` and `policyId` with `eq`: no page promises more.
fn check(filter: &Filter) -> Result<(), Refusal> {
    if filter.terms() > MAX_TERMS {
        return Err(refusals::UNITS_FILTER_TOO_LONG);
    }
    if !filter.only_equal(&["id", "status", "policyId"]) {
        return Err(Refusal::bad_request(
            "The filter can compare id, status and policyId with eq.",
        ));
    }
    match filter
        .texts("id")
        .into_iter()
        .find(|id| crate::sandbox::id::parse(id).is_none())
    {
        None => Ok(()),
        Some(id) => Err(refusals::UNIT_ID.because(format!("`{id}` is not an id"))),
    }
}

fn property(sandbox: &Sandbox, call: &Call, unit: &Unit, name: &str) -> Option<Literal> {
    Some(match name {
        "id" => Literal::Text(sandbox.tenant.unit_id(unit).to_string()),
        "status" => Literal::Text(unit.status(call.now).0.to_owned()),
        "policyId" => policy_of(&sandbox.tenant, unit)
            .map_or(Literal::Null, |id| Literal::Text(id.to_string())),
        _ => return None,
    })
}

/// One unit of a policy.
pub(super) fn get_of_policy(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    let number = policies::find(sandbox, &store, call)?.number;
    let id = call.uuid(1, refusals::UNIT_ID)?;
    let unit = store.present.find_unit(&sandbox.tenant, id);
    let unit = unit.filter(|unit| {
        call.workload == Some(unit.workload) && unit.protection.policy == Some(number)
    });
    let unit =
        unit.ok_or_else(|| refusals::NOT_FOUND.because(format!("there is no unit `{id}` in it")))?;
    let mut body = Vec::with_capacity(512);
    write(&mut body, sandbox, call, &unit);
    Ok(Answer::json(200, body))
}

/// Asks for the backup of a unit to be deleted, which must have left its policy.
pub(super) fn offboard(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let unit = to_change(sandbox, &store, call)?;
    let status = unit.status(call.now).0;
    if unit.protection.policy.is_some() || status.starts_with("offboard") {
        return Err(refusals::OFFBOARD_STATE);
    }
    let offboard = Offboard::Requested(call.now);
    changed(sandbox, &mut store, call, &unit, offboard)
}

pub(super) fn cancel_offboard(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let unit = to_change(sandbox, &store, call)?;
    match unit.protection.offboard {
        Offboard::Requested(at) if unit.status(call.now).0 == "offboardRequested" => {
            let offboard = Offboard::Cancelled(at, call.now);
            changed(sandbox, &mut store, call, &unit, offboard)
        }
        _ => Err(refusals::CANCEL_OFFBOARD_STATE),
    }
}

fn to_change(sandbox: &Sandbox, store: &Store, call: &Call) -> Result<Unit, Refusal> {
    let id = call.uuid(0, refusals::UNIT_ID)?;
    policies::check_service(store)?;
    let unit = store.present.find_unit(&sandbox.tenant, id);
    // No page says what an unknown unit is answered with here.
    unit.ok_or_else(|| refusals::NOT_FOUND.because(format!("there is no unit `{id}`")))
}

fn changed(
    sandbox: &Sandbox,
    store: &mut Store,
    call: &Call,
    unit: &Unit,
    offboard: Offboard,
) -> Result<Answer, Refusal> {
    let present = &mut store.present;
    present.protections.offboard(unit, offboard);
    let unit = present.unit(&sandbox.tenant, unit.workload, unit.index);
    let unit = unit.ok_or(refusals::NOT_FOUND)?;
    let mut body = Vec::with_capacity(512);
    write(&mut body, sandbox, call, &unit);
    Ok(Answer::json(200, body))
}

/// One unit. What is wrong with it stands in its `error`, inside a 200; so does that there is no such unit.
pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let id = call.uuid(0, refusals::UNIT_ID)?;
    let context = call.context("solutions/backupRestore/protectionUnits/$entity");
    let found = lock(&sandbox.store).present.find_unit(&sandbox.tenant, id);
    let found = found.filter(|unit| {
        call.workload
            .is_none_or(|workload| *workload == *unit.workload)
    });
    Ok(Answer::object(200, |object| {
        object.text("@odata.context", context);
        if let Some(unit) = found {
            fill(object, sandbox, call, &unit);
        } else {
            object.plain("id", id);
            object.text("protectionSources", "none");
            error(object, Some(refusals::UNIT_NOT_FOUND));
        }
    }))
}

/// The policy a unit is in; none after it has left.
pub(super) fn policy_of(tenant: &Tenant, unit: &Unit) -> Option<Uuid> {
    let number = unit.protection.policy?;
    Some(tenant.policy_id(unit.workload, number))
}

pub(super) fn write(out: &mut Vec<u8>, sandbox: &Sandbox, call: &Call, unit: &Unit) {
    let mut object = Object::new(out);
    fill(&mut object, sandbox, call, unit);
    object.end();
}

/// Whose it is: the id of a person or a site.
pub(super) fn owner(tenant: &Tenant, unit: &Unit) -> String {
    if unit.workload.of_people {
        tenant.ids.make(Kind::User, unit.index, 0).to_string()
    } else {
        tenant.site_id(unit.index)
    }
}

/// The unit as restore points show it: what it is, and its policy.
pub(super) fn fill_short(object: &mut Object<'_>, tenant: &Tenant, unit: &Unit) {
    object.text(
        "@odata.type",
        format!("#microsoft.graph.{}", unit.workload.unit_type),
    );
    object.plain("id", tenant.unit_id(unit));
    object.text(unit.workload.owner, owner(tenant, unit));
    if let Some(policy) = policy_of(tenant, unit) {
        object.plain("policyId", policy);
    }
}

fn fill(object: &mut Object<'_>, sandbox: &Sandbox, call: &Call, unit: &Unit) {
    let tenant = &sandbox.tenant;
    fill_short(object, tenant, unit);
    if unit.workload.of_people {
        // Names and addresses of people are filled for signed-in callers only, and nobody knows those of the deleted.
        let known = call.by().person.is_some() && unit.index < tenant.users();
        let person = known.then(|| tenant.person(unit.index));
        let text = |value: Option<String>| value.unwrap_or_default();
        object.text(
            "displayName",
            text(person.map(|person| person.display_name())),
        );
        object.text("email", text(person.and_then(|person| person.mail())));
    } else {
        let site = tenant.site(unit.index);
        object.text("siteName", site.name());
        object.text("siteWebUrl", site.url());
    }
    let status = unit.status_for(call.now, call.knows_future_members());
    object.text("status", status);
    object.text(
        "protectionSources",
        if unit.protection.policy.is_none() {
            "none"
        } else {
            "manual"
        },
    );
    object.object("createdBy", |by| sandbox.access.fill(by, By::APP));
    object.time("createdDateTime", unit.protection.since);
    object.object("lastModifiedBy", |by| sandbox.access.fill(by, By::APP));
    let Protection {
        since,
        until,
        offboard,
        ..
    } = unit.protection;
    let asked = match offboard {
        Offboard::Requested(at) | Offboard::Cancelled(at, _) => Some(at),
        Offboard::No => None,
    };
    let modified = asked.or(until).map_or(since, |at| at.max(since));
    object.time("lastModifiedDateTime", modified);
    if let Some(asked) = asked {
        object.time("offboardRequestedDateTime", asked);
    }
    error(
        object,
        tenant
            .is_over_quota(unit)
            .then_some(refusals::QUOTA_EXCEEDED),
    );
}

/// The `error` of an entity.
pub(super) fn error(object: &mut Object<'_>, error: Option<refusals::ArtifactError>) {
    match error {
        None => object.raw("error", "null"),
        Some((code, message)) => object.object("error", |error| {
            error.text("code", code);
            error.text("message", message);
        }),
    }
}
