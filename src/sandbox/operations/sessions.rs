//! Restore sessions: create, look at, activate, delete.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::{Call, INVALID_REQUEST, check_type, only};
use crate::sandbox::id::parse;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::session::{Conflict, Job, Session, Wanted};
use crate::sandbox::store::{IN_FLIGHT, Store};
use crate::sandbox::{Sandbox, lock, refusals};

use super::artifact_input::{self, Wording};
use super::{bulk, granular, units};

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
    let mut known = vec![
        workload.artifacts,
        workload.granular_artifacts,
        "@odata.type",
    ];
    if call.beta {
        known.extend(["policyId", CONFLICT]);
    }
    only(&body, &known, &INVALID_REQUEST)?;
    let mut store = lock(&sandbox.store);
    check_service(&store)?;
    let lists = [workload.artifacts, workload.granular_artifacts].map(|name| body.get(name));
    let (job, list) = match lists {
        // Without a list it is an empty session, as bulk requests need it; with an empty one it is a mistake.
        [None, None] => (Job::Standard, None),
        [Some(list), None] => (Job::Standard, Some(list)),
        [None, Some(list)] => (Job::Granular, Some(list)),
        [Some(_), Some(_)] => return Err(INVALID_REQUEST.because(NEVER_MIXED)),
    };
    let conflict = conflict(&body, job)?;
    let wanted = match list {
        None => Vec::new(),
        Some(list) => {
            let list = list.as_array().filter(|list| !list.is_empty());
            let list = list.ok_or(artifact_input::CREATE.empty)?;
            read(sandbox, &store, call, job, list, &artifact_input::CREATE)?
        }
    };
    artifact_input::check_list(&wanted, None, &[])?;
    let policy = policy(sandbox, &body, &wanted)?;
    let session = store.create(workload, call.by(), call.now);
    session.job = job;
    session.conflict = conflict;
    session.policy = policy;
    for wanted in wanted {
        session.add(wanted);
    }
    let serial = session.serial;
    let session = store.session(serial).ok_or(refusals::SESSION_NOT_FOUND)?;
    Ok(whole(201, sandbox, &store, call, session))
}

/// What restored items do that meet one of their name (beta).
const CONFLICT: &str = "@microsoft.graph.conflictBehavior";
pub(super) const NEVER_MIXED: &str = "whole units and single items are never in one session";

fn conflict(body: &Map<String, Value>, job: Job) -> Result<Conflict, Refusal> {
    let Some(value) = body.get(CONFLICT) else {
        return Ok(Conflict::default());
    };
    if job != Job::Granular {
        return Err(INVALID_REQUEST.because(format!("{CONFLICT} is for granular restores only")));
    }
    let conflict = value.as_str().and_then(Conflict::parse);
    conflict.ok_or_else(|| {
        INVALID_REQUEST.because(format!(
            "{CONFLICT} {value} is none of fail, replace, rename"
        ))
    })
}

/// The policy that all units of a session are to be in (beta).
pub(super) fn policy(
    sandbox: &Sandbox,
    body: &Map<String, Value>,
    wanted: &[Wanted],
) -> Result<Option<Uuid>, Refusal> {
    let Some(value) = body.get("policyId").filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let policy = value.as_str().and_then(parse);
    let policy =
        policy.ok_or_else(|| INVALID_REQUEST.because(format!("policyId {value} is not an id")))?;
    let tenant = &sandbox.tenant;
    let outside = wanted
        .iter()
        .find(|one| units::policy_of(tenant, &one.point.unit) != Some(policy));
    match outside {
        None => Ok(Some(policy)),
        Some(one) => Err(INVALID_REQUEST.because(format!(
            "unit `{}` is not in policy `{policy}`",
            tenant.unit_id(&one.point.unit)
        ))),
    }
}

/// Reads the artifacts of a list, which may be at most fifty.
pub(super) fn read<'a>(
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    job: Job,
    items: impl IntoIterator<Item = &'a Value>,
    wording: &Wording,
) -> Result<Vec<Wanted>, Refusal> {
    let items: Vec<&Value> = items.into_iter().collect();
    check_size(sandbox, items.len(), wording)?;
    let read_one = match (job, call.workload()?.browsing.is_some()) {
        (Job::Granular, true) => granular::read,
        (Job::Granular, false) => artifact_input::read_mails,
        (Job::Standard | Job::Bulk, _) => artifact_input::read,
    };
    let read = |item: &Value| {
        let item = item.as_object().ok_or_else(|| {
            let malformed = wording.malformed.clone();
            malformed.because("an artifact is not an object")
        })?;
        read_one(sandbox, store, call, item, wording)
    };
    items.into_iter().map(read).collect()
}

pub(super) fn check_size(sandbox: &Sandbox, size: usize, wording: &Wording) -> Result<(), Refusal> {
    if size <= MAX_ARTIFACTS {
        return Ok(());
    }
    sandbox.violation(format!("BatchSize: {size} artifacts in one request"));
    Err(wording.too_many.clone())
}

pub(super) fn delete(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let (malformed, not_draft) = (refusals::CHANGE_SESSION_ID, refusals::DELETE_NOT_DRAFT);
    let serial = draft(sandbox, &store, call, malformed, not_draft)?.serial;
    store.remove(serial);
    Ok(Answer::nothing(204))
}

pub(super) fn activate(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let (malformed, not_draft) = (refusals::CHANGE_SESSION_ID, refusals::ACTIVATE_NOT_DRAFT);
    let session = draft(sandbox, &store, call, malformed, not_draft)?;
    let serial = session.serial;
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
    let status = store.present.broken.service_status;
    if status.allows_restores() {
        return Ok(());
    }
    Err(refusals::RESTORE_LOCKED.because(format!("the service status is {}", status.name())))
}

/// The draft that the path names; `not_draft` is the call's own wording for a session that is none any more.
pub(super) fn draft<'store>(
    sandbox: &Sandbox,
    store: &'store Store,
    call: &Call,
    malformed: Refusal,
    not_draft: Refusal,
) -> Result<&'store Session, Refusal> {
    let missing = refusals::CHANGE_NOT_FOUND;
    let serial = serial(sandbox, store, call, malformed, missing.clone())?;
    let session = store.session(serial).ok_or(missing)?;
    if session.is_draft() {
        Ok(session)
    } else {
        Err(not_draft)
    }
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
    object.text(
        "restoreJobType",
        session.job.name(call.knows_future_members()),
    );
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
    if let Some(policy) = session.policy.filter(|_| call.beta) {
        object.plain("policyId", policy);
    }
    match &session.bulk {
        Some(bulk) if tally.total == 0 => bulk::error(object, bulk.unresolved(call.now)),
        _ => object.raw("error", "null"),
    }
}
