//! `/_sandbox/…`: looking inside, and breaking things. No token, no faults, no latency.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Answer, Refusal};
use super::broken::ServiceStatus;
use super::faults::{FaultPlan, Faults, duration};
use super::id::Kind;
use super::session::What;
use super::spoil::LOOP;
use super::store::Store;
use super::{Sandbox, lock, refusals};

/// Service time ends here: later instants would not leave room to add the length of a restore.
/// This is the year 3000.
const LAST_SECOND: i64 = 32_503_680_000;

pub(super) fn answer(
    sandbox: &Sandbox,
    method: &Method,
    name: &str,
    body: &[u8],
) -> Result<Answer, Refusal> {
    let wanted = match name {
        "state" | "duplicates" | LOOP => Method::GET,
        "faults" | "clock" | "break" | "reset" => Method::POST,
        _ => return Err(refusals::NOT_FOUND.because(format!("there is no /_sandbox/{name}"))),
    };
    if *method != wanted {
        return Err(refusals::WRONG_METHOD.because(format!("/_sandbox/{name} takes {wanted}")));
    }
    if name == LOOP {
        let mut answer = Answer::nothing(302);
        answer
            .headers
            .push(("location", format!("/_sandbox/{LOOP}")));
        return Ok(answer);
    }
    let body: Map<String, Value> = match body {
        [] => Map::new(),
        body => serde_json::from_slice(body)
            .map_err(|error| bad(format!("the body is not a JSON object: {error}")))?,
    };
    let value = match name {
        "state" => state(sandbox),
        "duplicates" => duplicates(sandbox),
        "reset" => {
            sandbox
                .reset()
                .map_err(|error| bad(format!("the state file cannot be written: {error}")))?;
            json!({})
        }
        _ => {
            let (event, wall) = Sandbox::control_line(name, &body);
            sandbox.commit(|| event, |now| change(sandbox, name, &body, wall, now))?
        }
    };
    Ok(Answer::json(200, value.to_string().into_bytes()))
}

/// Carries out what changes something, at an instant of wall time (milliseconds) and of service time.
pub(super) fn change(
    sandbox: &Sandbox,
    name: &str,
    body: &Map<String, Value>,
    wall: u64,
    now: Timestamp,
) -> Result<Value, Refusal> {
    match name {
        "faults" => faults(sandbox, body),
        "clock" => clock(sandbox, body, now),
        "break" => breaking(sandbox, body, wall, now),
        _ => Err(refusals::NOT_FOUND),
    }
}

/// How far a call to `clock` moves it.
pub(super) fn advance(body: &Map<String, Value>) -> Result<SignedDuration, Refusal> {
    let by = duration(text(body, "advance")?).map_err(bad)?;
    SignedDuration::try_from(by).map_err(|error| bad(error.to_string()))
}

fn bad(why: impl Into<String>) -> Refusal {
    Refusal::bad_request(why)
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let only = body.len() == 1;
    let text = body.get(name).and_then(Value::as_str).filter(|_| only);
    text.ok_or_else(|| bad(format!("the body is {{\"{name}\": \"…\"}}")))
}

fn state(sandbox: &Sandbox) -> Value {
    let now = sandbox.clock.now();
    let store = lock(&sandbox.store);
    let sessions: Vec<Value> = store
        .sessions()
        .map(|session| session_state(sandbox, &store, session, now))
        .collect();
    let log = lock(&sandbox.log);
    json!({
        "now": now.to_string(),
        "speed": sandbox.clock.speed(),
        "counts": log.counts(),
        "late": log.late(),
        "sessions": sessions,
        "violations": log.violations(),
    })
}

fn session_state(
    sandbox: &Sandbox,
    store: &Store,
    session: &super::session::Session,
    now: Timestamp,
) -> Value {
    let tenant = &sandbox.tenant;
    let artifacts = session.artifacts(now).iter().map(|artifact| {
        let mut state = json!({
            "id": store.artifact_id(tenant, session, artifact),
            "unit": tenant.unit_id(&artifact.point.unit).to_string(),
            "point": tenant.point_id(&artifact.point).to_string(),
            "destination": artifact.destination.name(),
            "status": artifact.status(now).name(),
        });
        if let What::Item(node) = artifact.what {
            state["path"] = json!(tenant.tree(&artifact.point).path(node));
        }
        state
    });
    let bulk = session.bulk.as_ref().map(|bulk| {
        let unresolved = bulk.unresolved(now).iter();
        let unresolved = unresolved.map(|one| json!({ "input": one.target, "code": one.code }));
        json!({
            "id": store.session_id_as(tenant, Kind::BulkRequest, session).to_string(),
            "displayName": bulk.display_name,
            "status": bulk.status(now),
            "inputs": bulk.asked(),
            "unresolved": unresolved.collect::<Vec<_>>(),
        })
    });
    json!({
        "id": store.session_id(tenant, session).to_string(),
        "workload": session.workload.name,
        "job": session.job.name(true),
        "status": session.status(now).name(true),
        "artifacts": artifacts.collect::<Vec<_>>(),
        "bulk": bulk,
    })
}

/// Unit, point and destination that stand in activated sessions more than once.
fn duplicates(sandbox: &Sandbox) -> Value {
    let tenant = &sandbox.tenant;
    let store = lock(&sandbox.store);
    // Single items and the mails of a search differ by what they are; whole units do not.
    let mut places: BTreeMap<(Uuid, Uuid, &str, String), Vec<String>> = BTreeMap::new();
    for session in store.sessions().filter(|session| !session.is_draft()) {
        let id = store.session_id(tenant, session).to_string();
        for artifact in &session.artifacts {
            let (unit, point) = (
                tenant.unit_id(&artifact.point.unit),
                tenant.point_id(&artifact.point),
            );
            let item = match artifact.what {
                What::Whole => String::new(),
                What::Item(_) => store.artifact_id(tenant, session, artifact),
                What::Mails { search, .. } => store.search_id(tenant, search),
            };
            places
                .entry((unit, point, artifact.destination.name(), item))
                .or_default()
                .push(id.clone());
        }
    }
    let duplicates = places
        .into_iter()
        .filter(|(_, sessions)| sessions.len() > 1);
    let duplicates = duplicates.map(|((unit, point, destination, item), sessions)| {
        let mut duplicate = json!({
            "unit": unit.to_string(),
            "point": point.to_string(),
            "destination": destination,
            "sessions": sessions,
        });
        if !item.is_empty() {
            duplicate["item"] = json!(item);
        }
        duplicate
    });
    json!({ "duplicates": duplicates.collect::<Vec<_>>() })
}

fn faults(sandbox: &Sandbox, body: &Map<String, Value>) -> Result<Value, Refusal> {
    let faults: Faults = text(body, "spec")?
        .parse()
        .map_err(|error: super::FaultSpecError| bad(error.to_string()))?;
    *lock(&sandbox.faults) = FaultPlan::new(faults, sandbox.seed);
    Ok(json!({}))
}

fn clock(sandbox: &Sandbox, body: &Map<String, Value>, now: Timestamp) -> Result<Value, Refusal> {
    let by = advance(body)?;
    let then = now
        .checked_add(by)
        .map_err(|error| bad(error.to_string()))?;
    if then.as_second() >= LAST_SECOND {
        return Err(bad("the clock does not go beyond the year 3000"));
    }
    sandbox.clock.advance(by);
    Ok(json!({ "now": sandbox.clock.now().to_string() }))
}

/// Breaks one or several things: each property of the body names one.
fn breaking(
    sandbox: &Sandbox,
    body: &Map<String, Value>,
    wall: u64,
    now: Timestamp,
) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Err(bad(
            "name something: serviceStatus, disableReason, gracePeriod, restorePeriod, serviceApp, permission, unit, point, hold, joins, leaves, chance, token, tokenLifetime",
        ));
    }
    for (name, value) in body {
        let value = value
            .as_str()
            .ok_or_else(|| bad(format!("`{name}` is a text")))?;
        break_one(sandbox, name, value, wall, now)?;
    }
    Ok(json!({}))
}

fn one_of(known: &[&'static str], value: &str) -> Result<&'static str, Refusal> {
    let found = known.iter().find(|known| **known == value);
    let names = || bad(format!("`{value}` is none of {}", known.join(", ")));
    found.copied().ok_or_else(names)
}

/// The instant that lies so far ahead, in service time.
fn ends_in(now: Timestamp, length: &str) -> Result<Timestamp, Refusal> {
    let length = SignedDuration::try_from(duration(length).map_err(bad)?);
    let length = length.map_err(|error| bad(error.to_string()))?;
    let end = now.checked_add(length);
    end.map_err(|error| bad(error.to_string()))
}

fn break_one(
    sandbox: &Sandbox,
    name: &str,
    value: &str,
    wall: u64,
    now: Timestamp,
) -> Result<(), Refusal> {
    let tenant = &sandbox.tenant;
    let unit = || {
        let present = &lock(&sandbox.store).present;
        let unit = super::id::parse(value).and_then(|id| present.find_unit(tenant, id));
        unit.ok_or_else(|| bad(format!("there is no unit `{value}`")))
    };
    match name {
        "serviceStatus" => {
            let status = ServiceStatus::parse(value);
            let status = status.ok_or_else(|| bad(format!("`{value}` is no service status")))?;
            lock(&sandbox.store).present.broken.service_status = status;
        }
        "disableReason" => {
            let reasons = [
                "none",
                "invalidBillingProfile",
                "userRequested",
                "controllerServiceAppDeleted",
            ];
            lock(&sandbox.store).present.broken.disable_reason = Some(one_of(&reasons, value)?);
        }
        "serviceApp" => {
            // `other`: another app than ours is the controller; `none`: there is no app at all.
            let states = [
                "inactive",
                "active",
                "pendingActive",
                "pendingInactive",
                "other",
                "none",
            ];
            lock(&sandbox.store).present.broken.service_app = Some(one_of(&states, value)?);
        }
        "gracePeriod" => {
            lock(&sandbox.store).present.broken.grace_ends = Some(ends_in(now, value)?);
        }
        "restorePeriod" => {
            lock(&sandbox.store).present.broken.restores_end = Some(ends_in(now, value)?);
        }
        "permission" => {
            if !sandbox.access.revoke(value) {
                return Err(bad(format!("`{value}` is not granted")));
            }
        }
        "chance" if value == "never" => lock(&sandbox.store).present.broken.no_chance = true,
        "unit" => {
            let unit = unit()?;
            lock(&sandbox.store).present.broken.lose_unit(&unit);
        }
        "hold" => {
            let unit = unit()?;
            lock(&sandbox.store).present.broken.hold(&unit);
        }
        "joins" | "leaves" => {
            let (group, person) = value
                .split_once('/')
                .ok_or_else(|| bad(format!("`{name}` is `GROUP/USER`, by their ids")))?;
            let group = super::id::parse(group).and_then(|id| tenant.find_group(id));
            let group = group.ok_or_else(|| bad("there is no such group"))?;
            let person = tenant.find_person(person);
            let person = person.ok_or_else(|| bad("there is no such user"))?;
            let present = &mut lock(&sandbox.store).present;
            present.broken.join(group, person.index, name == "joins");
        }
        "point" => {
            let present = &mut lock(&sandbox.store).present;
            let point = super::id::parse(value).and_then(|id| present.find_point(tenant, id));
            let point = point.ok_or_else(|| bad(format!("there is no restore point `{value}`")))?;
            present.broken.lose_point(&point);
        }
        "token" if value == "expire" => sandbox.access.expire(wall),
        "tokenLifetime" => {
            let lifetime: Duration = duration(value).map_err(bad)?;
            sandbox.access.set_lifetime(lifetime);
        }
        _ => {
            return Err(bad(format!(
                "`{name}: {value}` is nothing that can be broken"
            )));
        }
    }
    Ok(())
}
