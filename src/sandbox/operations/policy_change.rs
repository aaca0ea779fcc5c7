//! Making a policy, and changing its name, its retention and its units.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::{Call, INVALID_REQUEST, check_type, only};
use crate::sandbox::json::Object;
use crate::sandbox::protections::Policy;
use crate::sandbox::store::Store;
use crate::sandbox::tenant::Unit;
use crate::sandbox::workload::Workload;
use crate::sandbox::{Sandbox, id, lock, refusals};

use super::delta::{Failure, removal};
use super::{policies, units};

const CREATE: Refusal = refusals::POLICY_CREATE_INVALID;
/// The error page has no code for a change that cannot be read.
const PATCH: Refusal = INVALID_REQUEST;
/// Units in one create or change.
const MAX_UNITS: usize = 50;
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=1_024;
/// What a writer may ask weekly points to be kept for.
const PERIODS: [&str; 12] = [
    "P90D", "P180D", "P365D", "P730D", "P1095D", "P1460D", "P1825D", "P2190D", "P2555D", "P2920D",
    "P3285D", "P3650D",
];

pub(super) fn create(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let workload = call.workload()?;
    let body = call.object(&CREATE)?;
    let (name, weekly) = read(call, &body, workload.units, &CREATE)?;
    let name = name.ok_or(refusals::POLICY_NAME)?;
    let mut store = lock(&sandbox.store);
    policies::check_service(&store)?;
    let items: &[Value] = match body.get(workload.units) {
        None | Some(Value::Null) => &[],
        Some(items) => items
            .as_array()
            .ok_or_else(|| CREATE.because("the units are no list"))?,
    };
    check_size(sandbox, items.len())?;
    let mut joining = Vec::new();
    for item in items {
        let owner = owner(workload, item, &CREATE)?;
        let index = place(sandbox, workload, owner).ok_or_else(|| {
            refusals::POLICY_UNIT_ID.because(format!("`{owner}` is nobody and nothing here"))
        })?;
        if joining.iter().any(|(known, _)| *known == index) {
            return Err(refusals::POLICY_UNIT_TWICE);
        }
        let unit = store.present.unit(&sandbox.tenant, workload, index);
        if let Some(message) = is_taken(sandbox, unit.as_ref()) {
            return Err(Refusal {
                message: Cow::Owned(message),
                ..refusals::POLICY_UNIT_TAKEN
            });
        }
        joining.push((index, unit));
    }
    if policies::active(&store, workload).is_some() {
        return Err(refusals::POLICY_ANOTHER);
    }
    let protections = &mut store.present.protections;
    let number = protections.create(workload, name, call.now, call.by());
    for (index, unit) in joining {
        protections.join(workload, index, unit, number, call.now);
    }
    let policy = protections.policy_mut(workload, number);
    let policy = policy.ok_or(refusals::POLICY_NOT_FOUND)?;
    policy.weekly = weekly;
    let mut answer = Answer::object(201, |object| {
        policies::whole(object, sandbox, call, policy);
    });
    answer
        .headers
        .push(policies::location(sandbox, call, policy));
    Ok(answer)
}

/// What a body says of the policy itself.
fn read(
    call: &Call,
    body: &Map<String, Value>,
    units: &str,
    refusal: &Refusal,
) -> Result<(Option<String>, Option<String>), Refusal> {
    let workload = call.workload()?;
    check_type(body, workload.policy_type, refusal)?;
    let known = ["displayName", "retentionSettings", units, "@odata.type"];
    only(body, &known, refusal)?;
    let name = match body.get("displayName") {
        None | Some(Value::Null) => None,
        Some(name) => {
            let name = name.as_str().ok_or(refusals::POLICY_NAME)?;
            if !NAME_LENGTH.contains(&name.chars().count()) {
                return Err(refusals::POLICY_NAME);
            }
            Some(name.to_owned())
        }
    };
    Ok((name, retention(body, refusal)?))
}

/// Writers say how long weekly points are kept, and nothing else. How that thins out what exists already, no page says:
/// the points of this tenant keep to the default.
fn retention(body: &Map<String, Value>, refusal: &Refusal) -> Result<Option<String>, Refusal> {
    let malformed = |why: String| refusal.clone().because(why);
    let settings = match body.get("retentionSettings") {
        None | Some(Value::Null) => return Ok(None),
        Some(settings) => settings.as_array().map(Vec::as_slice),
    };
    let Some([Value::Object(setting)]) = settings else {
        return Err(malformed("retentionSettings holds one setting".into()));
    };
    only(setting, &["interval", "period", "@odata.type"], refusal)?;
    let text = |name: &str| setting.get(name).and_then(Value::as_str);
    match (text("interval"), text("period")) {
        (Some("R/P1W"), Some(period)) if PERIODS.contains(&period) => Ok(Some(period.to_owned())),
        _ => Err(malformed(format!(
            "a retention setting has the interval R/P1W and a period of {}",
            PERIODS.join(", ")
        ))),
    }
}

fn check_size(sandbox: &Sandbox, size: usize) -> Result<(), Refusal> {
    if size <= MAX_UNITS {
        return Ok(());
    }
    sandbox.violation(format!("BatchSize: {size} protection units in one request"));
    Err(refusals::POLICY_TOO_MANY)
}

/// Whose unit an item is: `directoryObjectId` or `siteId`.
fn owner<'body>(
    workload: &Workload,
    item: &'body Value,
    refusal: &Refusal,
) -> Result<&'body str, Refusal> {
    let malformed = |why: String| refusal.clone().because(why);
    let item = item
        .as_object()
        .ok_or_else(|| malformed("a unit is not an object".into()))?;
    check_type(item, workload.unit_type, refusal)?;
    only(item, &[workload.owner, "@odata.type"], refusal)?;
    let owner = item.get(workload.owner).and_then(Value::as_str);
    owner.ok_or_else(|| malformed(format!("a unit has no {}", workload.owner)))
}

/// The position of a person in the directory, or of a site.
fn place(sandbox: &Sandbox, workload: &Workload, owner: &str) -> Option<u32> {
    let tenant = &sandbox.tenant;
    if !workload.of_people {
        return tenant.find_site(owner).map(|site| site.index);
    }
    let index = tenant.index_of_person(id::parse(owner)?)?;
    (index < tenant.users()).then_some(index)
}

/// The message of the refusal, where a unit is in a policy.
fn is_taken(sandbox: &Sandbox, unit: Option<&Unit>) -> Option<String> {
    let unit = unit?;
    let policy = units::policy_of(&sandbox.tenant, unit)?;
    let artifact = sandbox.tenant.unit_id(unit);
    Some(format!(
        "Artifact {artifact} is not eligible for protection because it is already protected under policy {policy}."
    ))
}

/// What becomes of one item of a delta.
enum Item {
    /// The unit at this position joins.
    Join(u32),
    Leave(Unit),
    Fail(Failure),
}

pub(super) fn update(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let workload = call.workload()?;
    let mut store = lock(&sandbox.store);
    let policy = policies::find(sandbox, &store, call)?;
    let number = policy.number;
    let body = call.object(&PATCH)?;
    let delta = format!("{}@delta", workload.units);
    let (name, weekly) = read(call, &body, &delta, &PATCH)?;
    policies::check_service(&store)?;
    let items: &[Value] = match body.get(&delta) {
        None => &[],
        Some(items) => items
            .as_array()
            .ok_or_else(|| PATCH.because("the units are no list"))?,
    };
    check_size(sandbox, items.len())?;
    let items = plan(sandbox, &store, policy, items)?;
    let protections = &mut store.present.protections;
    if let Some(policy) = protections.policy_mut(workload, number) {
        policy.display_name = name.clone().unwrap_or(policy.display_name.clone());
        policy.weekly = weekly.or(policy.weekly.take());
        let changes_units = items.iter().any(|item| !matches!(item, Item::Fail(_)));
        if changes_units && policy.protects() {
            policy.update(call.now, call.by());
        } else {
            policy.touch(call.now, call.by());
        }
    }
    for item in &items {
        match item {
            Item::Join(index) => {
                let unit = store.present.unit(&sandbox.tenant, workload, *index);
                let protections = &mut store.present.protections;
                protections.join(workload, *index, unit, number, call.now);
            }
            Item::Leave(unit) => store.present.protections.leave(unit, call.now),
            Item::Fail(_) => {}
        }
    }
    Ok(Answer::object(200, |reply| {
        let context = format!("solutions/backupRestore/{}/$entity", workload.policies);
        reply.text("@odata.context", call.context(&context));
        if let Some(name) = name {
            reply.text("displayName", name);
        }
        if body.contains_key(&delta) {
            reply.array(&delta, items, |out, item| {
                write(out, sandbox, call, &store, workload, item);
            });
        }
    }))
}

/// The items of a delta, in their order, against what is there now.
fn plan(
    sandbox: &Sandbox,
    store: &Store,
    policy: &Policy,
    items: &[Value],
) -> Result<Vec<Item>, Refusal> {
    let (tenant, workload) = (&sandbox.tenant, policy.workload);
    let mut seen: Vec<u32> = Vec::new();
    let mut planned = Vec::new();
    for item in items {
        let (index, item) = if item.get("@removed").is_some() {
            let unit_id = removal(item, &PATCH)?;
            let unit = id::parse(&unit_id).and_then(|id| store.present.find_unit(tenant, id));
            let unit = unit.filter(|unit| {
                *unit.workload == *workload && unit.protection.policy == Some(policy.number)
            });
            match unit {
                Some(unit) => (Some(unit.index), Item::Leave(unit)),
                None => (None, Item::Fail(Failure::no_such_unit(unit_id))),
            }
        } else {
            let owner = owner(workload, item, &PATCH)?;
            let index = place(sandbox, workload, owner);
            let unit = index.and_then(|index| store.present.unit(tenant, workload, index));
            let item = match (index, is_taken(sandbox, unit.as_ref())) {
                (None, _) => Item::Fail(Failure::no_such_unit(owner.to_owned())),
                (Some(_), Some(message)) => {
                    Item::Fail(Failure::taken_unit(owner.to_owned(), message))
                }
                (Some(index), None) => Item::Join(index),
            };
            (index, item)
        };
        if index.is_some_and(|index| seen.contains(&index)) {
            return Err(refusals::POLICY_UNIT_TWICE);
        }
        seen.extend(index);
        planned.push(item);
    }
    Ok(planned)
}

/// An item as it is now. Units that have been removed are shown, as `removeRequested`.
fn write(
    out: &mut Vec<u8>,
    sandbox: &Sandbox,
    call: &Call,
    store: &Store,
    workload: &'static Workload,
    item: Item,
) {
    let index = match item {
        Item::Join(index) => index,
        Item::Leave(unit) => unit.index,
        Item::Fail(failure) => {
            let mut object = Object::new(out);
            failure.fill(&mut object);
            object.end();
            return;
        }
    };
    let unit = store.present.unit(&sandbox.tenant, workload, index);
    match unit {
        Some(unit) => units::write(out, sandbox, call, &unit),
        None => out.extend_from_slice(b"{}"),
    }
}
