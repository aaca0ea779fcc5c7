//! Restore sessions: create, change, look at, activate, delete.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::{Call, INVALID_REQUEST, check_type, only};
use crate::sandbox::id::parse;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::session::{Job, Session};
use crate::sandbox::store::{IN_FLIGHT, Store};
use crate::sandbox::{Sandbox, lock, refusals};

use super::artifacts::{self, Wanted};
use super::bulk;

const PAGE: usize = 50;
/// Artifacts in one create or change.
const MAX_ARTIFACTS: usize = 50;
/// Sessions that may be active at once.
const MAX_ACTIVE: usize = 25;

pub(super) fn list_all(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    page(sandbox, call, "restoreSessions")
}

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    page(sandbox, call, call.workload()?.sessions)
}

fn page(sandbox: &Sandbox, call: &Call, name: &str) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["top", "skiptoken", "count"], PAGE)?;
    let start = query.start(sandbox.tenant.ids, call)?;
    let store = lock(&sandbox.store);
    let wanted = |session: &&Session| {
        call.workload
            .is_none_or(|workload| *workload == *session.workload)
    };
    let count = query.count.then(|| store.sessions().filter(wanted).count());
    let context = format!("solutions/backupRestore/{name}");
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: PAGE,
        context: &context,
        count,
    };
    let sessions = store
        .sessions_from(start)
        .filter(wanted)
        .map(|session| (session.serial, session));
    Ok(list.answer(sessions, |out, session| {
        let mut object = Object::new(out);
        fill(&mut object, sandbox, &store, call, session);
        object.end();
    }))
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    let serial = serial(
        sandbox,
        &store,
        call,
        refusals::SESSION_ID,
        refusals::SESSION_NOT_FOUND,
    )?;
    let session = store.session(serial).ok_or(refusals::SESSION_NOT_FOUND)?;
    Ok(whole(200, sandbox, &store, call, session))
}

pub(super) fn create(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let workload = call.workload()?;
    let body = call.object(&INVALID_REQUEST)?;
    check_type(&body, workload.session_type, &INVALID_REQUEST)?;
    only(
        &body,
        &[
            workload.artifacts,
            workload.granular_artifacts,
            "@odata.type",
        ],
        &INVALID_REQUEST,
    )?;
    if body.contains_key(workload.granular_artifacts) {
        return Err(refusals::LATER.because("granular restores are not part of this sandbox"));
    }
    let mut store = lock(&sandbox.store);
    check_service(&store)?;
    let wanted = match body.get(workload.artifacts) {
        // Without the property it is an empty session, as bulk requests need it; with an empty list it is a mistake.
        None => Vec::new(),
        Some(list) => {
            let list = list
                .as_array()
                .filter(|list| !list.is_empty())
                .ok_or(refusals::CREATE_EMPTY)?;
            if list.len() > MAX_ARTIFACTS {
                sandbox.violation(format!(
                    "BatchSize: a session created with {} artifacts",
                    list.len()
                ));
                return Err(refusals::CREATE_TOO_MANY);
            }
            artifacts::read(sandbox, &store, call, list, &artifacts::CREATE)?
        }
    };
    artifacts::check_list(&wanted, None)?;
    let session = store.create(workload, call.by(), call.now);
    for Wanted { point, destination } in wanted {
        session.add(point, destination);
    }
    let serial = session.serial;
    let session = store.session(serial).ok_or(refusals::SESSION_NOT_FOUND)?;
    Ok(whole(201, sandbox, &store, call, session))
}

pub(super) fn update(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let workload = call.workload()?;
    let mut store = lock(&sandbox.store);
    let serial = serial(
        sandbox,
        &store,
        call,
        refusals::SESSION_ID,
        refusals::CHANGE_NOT_FOUND,
    )?;
    let session = store.session(serial).ok_or(refusals::CHANGE_NOT_FOUND)?;
    if !session.is_draft() {
        return Err(refusals::PATCH_NOT_DRAFT);
    }
    if session.job == Job::Bulk {
        return Err(
            refusals::PATCH_INVALID.because("a session with a bulk request takes no artifacts")
        );
    }
    let body = call.object(&refusals::PATCH_INVALID)?;
    check_type(&body, workload.session_type, &refusals::PATCH_INVALID)?;
    let delta = format!("{}@delta", workload.artifacts);
    let granular = format!("{}@delta", workload.granular_artifacts);
    if body.contains_key(&granular) {
        return Err(refusals::LATER.because("granular restores are not part of this sandbox"));
    }
    only(&body, &[&delta, "@odata.type"], &refusals::PATCH_INVALID)?;
    let items = body
        .get(&delta)
        .and_then(Value::as_array)
        .filter(|items| !items.is_empty());
    let items = items.ok_or(refusals::PATCH_EMPTY)?;
    if items.len() > MAX_ARTIFACTS {
        sandbox.violation(format!("BatchSize: a PATCH with {} artifacts", items.len()));
        return Err(refusals::PATCH_TOO_MANY);
    }
    check_service(&store)?;
    let (removed, added): (Vec<&Value>, Vec<&Value>) = items
        .iter()
        .partition(|item| item.get("@removed").is_some());
    let removed = removed
        .into_iter()
        .map(removal)
        .collect::<Result<Vec<_>, _>>()?;
    let added = artifacts::read(sandbox, &store, call, added, &artifacts::PATCH)?;
    let gone: Vec<(String, Option<usize>)> = removed
        .into_iter()
        .map(|id| {
            let place =
                parse(&id).and_then(|uuid| store.artifact_place(&sandbox.tenant, session, uuid));
            (id, place)
        })
        .collect();
    let kept = session.artifacts.len() > gone.iter().filter(|(_, place)| place.is_some()).count();
    artifacts::check_list(&added, session.destination().filter(|_| kept))?;
    Ok(apply(
        sandbox, &mut store, call, serial, &delta, added, gone,
    ))
}

/// Reads `{"@removed": {"reason": …}, "id": …}`.
fn removal(item: &Value) -> Result<String, Refusal> {
    let malformed = |why: &str| refusals::PATCH_INVALID.because(why);
    let item: &Map<String, Value> = item
        .as_object()
        .ok_or_else(|| malformed("an item is not an object"))?;
    only(
        item,
        &["@removed", "id", "@odata.type"],
        &refusals::PATCH_INVALID,
    )?;
    let reason = item
        .get("@removed")
        .and_then(|removed| removed.get("reason"))
        .and_then(Value::as_str);
    if !matches!(reason, Some("changed" | "deleted")) {
        return Err(malformed("@removed has a reason: changed or deleted"));
    }
    item.get("id")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| malformed("a removed item has an id"))
}

/// Changes the draft. Removed artifacts are not echoed; what could not be removed is, as a failure inside the 200.
fn apply(
    sandbox: &Sandbox,
    store: &mut Store,
    call: &Call,
    serial: u32,
    delta: &str,
    added: Vec<Wanted>,
    gone: Vec<(String, Option<usize>)>,
) -> Answer {
    let mut first = usize::MAX;
    if let Some(session) = store.session_mut(serial) {
        session.modified = call.now;
        let mut places: Vec<usize> = gone.iter().filter_map(|(_, place)| *place).collect();
        places.sort_unstable();
        places.dedup();
        for place in places.into_iter().rev() {
            session.artifacts.remove(place);
        }
        first = session.artifacts.len();
        for Wanted { point, destination } in added {
            session.add(point, destination);
        }
    }
    let session = store.session(serial);
    let new = session.into_iter().flat_map(|session| {
        session
            .artifacts
            .iter()
            .skip(first)
            .map(move |new| (session, new))
    });
    let mut missing: Vec<&String> = gone
        .iter()
        .filter(|(_, place)| place.is_none())
        .map(|(id, _)| id)
        .collect();
    missing.dedup();
    let items = new.map(Ok).chain(missing.into_iter().map(Err));
    Answer::object(200, |reply| {
        let context = format!(
            "solutions/backupRestore/{}/$entity",
            call.workload.map_or("", |one| one.sessions)
        );
        reply.text("@odata.context", call.context(&context));
        reply.array(delta, items, |out, item| {
            let mut object = Object::new(out);
            match item {
                Ok((session, artifact)) => {
                    artifacts::fill(
                        &mut object,
                        sandbox,
                        store,
                        call,
                        (session, artifact),
                        artifacts::Detail::Reference,
                    );
                }
                Err(id) => artifacts::fill_failure(&mut object, id),
            }
            object.end();
        });
    })
}

pub(super) fn delete(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let serial = serial(
        sandbox,
        &store,
        call,
        refusals::CHANGE_SESSION_ID,
        refusals::CHANGE_NOT_FOUND,
    )?;
    if !store.session(serial).is_some_and(Session::is_draft) {
        return Err(refusals::DELETE_NOT_DRAFT);
    }
    store.remove(serial);
    Ok(Answer::nothing(204))
}

pub(super) fn activate(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let serial = serial(
        sandbox,
        &store,
        call,
        refusals::CHANGE_SESSION_ID,
        refusals::CHANGE_NOT_FOUND,
    )?;
    let session = store.session(serial).ok_or(refusals::CHANGE_NOT_FOUND)?;
    if !session.is_draft() {
        return Err(refusals::ACTIVATE_NOT_DRAFT);
    }
    check_service(&store)?;
    if session.artifacts.is_empty() && session.bulk.is_none() {
        return Err(
            refusals::CREATE_EMPTY.because("a session without artifacts cannot be activated")
        );
    }
    if store.active(call.now) >= MAX_ACTIVE {
        return Err(refusals::TOO_MANY_ACTIVE);
    }
    let is_bulk = session.job == Job::Bulk;
    let queued = store.activate(&sandbox.tenant, serial, call.now);
    // How the inputs of a bulk request count against the thousand is not documented: nobody can be blamed.
    if queued > 0 && !is_bulk {
        sandbox.violation(format!(
            "InFlight: {queued} artifacts activated beyond {IN_FLIGHT} in flight"
        ));
    }
    let session = store.session(serial).ok_or(refusals::CHANGE_NOT_FOUND)?;
    Ok(whole(200, sandbox, &store, call, session))
}

pub(super) fn check_service(store: &Store) -> Result<(), Refusal> {
    let status = store.broken.service_status;
    if status.allows_restores() {
        return Ok(());
    }
    Err(refusals::RESTORE_LOCKED.because(format!("the service status is {}", status.name())))
}

/// The serial of the session that the path names, of the path's workload if it has one.
pub(super) fn serial(
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    malformed: Refusal,
    missing: Refusal,
) -> Result<u32, Refusal> {
    let id: Uuid = call.uuid(0, malformed)?;
    let serial = store.session_serial(&sandbox.tenant, id);
    let session = serial.and_then(|serial| store.session(serial));
    let session = session.filter(|session| {
        call.workload
            .is_none_or(|workload| *workload == *session.workload)
    });
    session
        .map(|session| session.serial)
        .ok_or_else(|| missing.because(format!("there is no session `{id}`")))
}

fn whole(status: u16, sandbox: &Sandbox, store: &Store, call: &Call, session: &Session) -> Answer {
    Answer::object(status, |object| {
        let name = call
            .workload
            .map_or("restoreSessions", |workload| workload.sessions);
        let context = format!("solutions/backupRestore/{name}/$entity");
        object.text("@odata.context", call.context(&context));
        fill(object, sandbox, store, call, session);
    })
}

fn fill(object: &mut Object<'_>, sandbox: &Sandbox, store: &Store, call: &Call, session: &Session) {
    let status = session.status(call.now);
    let ended = session.ended().filter(|ended| *ended <= call.now);
    let tally = session.tally(call.now);
    object.text(
        "@odata.type",
        format!("#microsoft.graph.{}", session.workload.session_type),
    );
    object.plain("id", store.session_id(&sandbox.tenant, session));
    object.text("status", status.name(call.knows_future_members()));
    object.text("restoreJobType", session.job.name());
    object.object("restoreSessionArtifactCount", |count| {
        count.number("total", tally.total);
        count.number("completed", tally.completed);
        // The documented example counts the artifacts of a draft here, too.
        count.number("inProgress", tally.total - tally.completed - tally.failed);
        count.number("failed", tally.failed);
    });
    object.object("createdBy", |by| sandbox.access.fill(by, session.by));
    object.time("createdDateTime", session.created);
    object.object("lastModifiedBy", |by| sandbox.access.fill(by, session.by));
    object.time("lastModifiedDateTime", ended.unwrap_or(session.modified));
    match ended {
        Some(ended) => object.time("completedDateTime", ended),
        None => object.raw("completedDateTime", "null"),
    }
    match &session.bulk {
        Some(bulk) if tally.total == 0 => bulk::error(object, bulk.unresolved(call.now)),
        _ => object.raw("error", "null"),
    }
}
