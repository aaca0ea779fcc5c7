//! Beta's activity log: restores that began and ended.

use jiff::Timestamp;

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::id::Kind;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::session::{Session, What};
use crate::sandbox::store::Store;
use crate::sandbox::{Sandbox, lock};

const PAGE: usize = 100;

/// Something that happened to a session.
struct Entry<'store> {
    session: &'store Session,
    at: Timestamp,
    has_ended: bool,
}

/// Newest first.
pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["top", "skiptoken"], PAGE)?;
    let start = query.start(sandbox.tenant.ids, call)?;
    let store = lock(&sandbox.store);
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for session in store.sessions() {
        let began = session.activated.map(|at| (at, false));
        let ended = session.ended().filter(|at| *at <= call.now);
        let ended = ended.map(|at| (at, true));
        entries.extend(began.into_iter().chain(ended).map(|(at, has_ended)| Entry {
            session,
            at,
            has_ended,
        }));
    }
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.has_ended)));
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: PAGE,
        context: "solutions/backupRestore/activityLogs",
        count: Some(entries.len()),
    };
    let entries = (0..).zip(entries).skip_while(|(at, _)| *at < start);
    Ok(list.answer(entries, |out, entry| {
        let mut object = Object::new(out);
        fill(&mut object, sandbox, &store, call, &entry);
        object.end();
    }))
}

fn fill(object: &mut Object<'_>, sandbox: &Sandbox, store: &Store, call: &Call, entry: &Entry<'_>) {
    let (tenant, session) = (&sandbox.tenant, entry.session);
    // What it was then: a restore that has begun is not told by its end.
    let then = if entry.has_ended { call.now } else { entry.at };
    let tally = session.tally(then);
    object.text("@odata.type", "#microsoft.graph.restoreTaskActivityLog");
    let slot = u64::from(entry.has_ended);
    object.plain("id", tenant.ids.make(Kind::Activity, session.serial, slot));
    object.time("eventDateTime", entry.at);
    let (activity, result) = match (entry.has_ended, tally.failed, tally.completed) {
        (false, ..) => ("restoreTaskCreated", "succeeded"),
        (true, 0, _) => ("restoreTaskCompleted", "succeeded"),
        (true, _, 0) => ("restoreTaskCompleted", "failed"),
        (true, ..) => ("restoreTaskCompleted", "partiallySucceeded"),
    };
    object.text("activityType", activity);
    object.text("resultStatus", result);
    object.text("serviceType", session.workload.service);
    object.text("severity", "medium");
    object.text("performedBy", sandbox.access.name(session.by));
    object.raw("error", "null");
    object.plain("restoreSessionId", store.session_id(tenant, session));
    let status = session.status(then).name(call.knows_future_members());
    object.text("restoreSessionStatus", status);
    if let Some(destination) = session.destination() {
        object.text("destinationType", destination.name());
    }
    let whole = session
        .artifacts
        .iter()
        .filter(|one| one.what == What::Whole);
    let mut whole = whole.peekable();
    let is_fast = whole.peek().is_some() && whole.all(|one| tenant.is_fast(&one.point));
    object.text("tags", if is_fast { "fastRestore" } else { "none" });
    object.object("restoreArtifactDetails", |details| {
        details.number("totalArtifactsCount", tally.total);
        details.number("restoredCount", tally.completed);
        details.number("failedCount", tally.failed);
    });
    if entry.has_ended {
        object.time("restoreCompletionDateTime", entry.at);
    }
}
