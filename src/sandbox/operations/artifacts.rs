//! The artifacts of a session that restore whole units, or mails: written into answers, listed.

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::id::Kind;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::session::{Artifact, ArtifactStatus, Course, Destination, Job, Session, What};
use crate::sandbox::store::Store;
use crate::sandbox::tenant::{Place, Point};
use crate::sandbox::{Sandbox, lock, refusals};

use super::{points, sessions, units};

pub(super) const PAGE: usize = 100;
/// Tells the id of a new web from that of its collection; above every slot.
const NEW_WEB: u64 = 1 << 39;

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let name = call.workload()?.artifacts;
    list_of(sandbox, call, name, |session| session.job != Job::Granular)
}

/// `granularMailboxRestoreArtifacts`.
pub(super) fn list_mails(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let name = call.workload()?.granular_artifacts;
    list_of(sandbox, call, name, |session| session.job == Job::Granular)
}

fn list_of(
    sandbox: &Sandbox,
    call: &Call,
    name: &str,
    wanted: fn(&Session) -> bool,
) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["top", "skiptoken", "count", "expand"], PAGE)?;
    let detail = detail(&query)?;
    page(sandbox, call, &query, name, wanted, |out, store, one| {
        fill(out, sandbox, store, call, one, detail);
    })
}

/// A page of what a session restores; nothing where the session is none of the wanted.
pub(super) fn page(
    sandbox: &Sandbox,
    call: &Call,
    query: &Query,
    name: &str,
    wanted: fn(&Session) -> bool,
    fill: impl Fn(&mut Object<'_>, &Store, (&Session, &Artifact)),
) -> Result<Answer, Refusal> {
    let start = query.start(sandbox.tenant.ids, call)?;
    let store = lock(&sandbox.store);
    let session = session(sandbox, &store, call)?;
    let id = store.session_id(&sandbox.tenant, session);
    let context = format!(
        "solutions/backupRestore/{}('{id}')/{name}",
        session.workload.sessions
    );
    let artifacts = if wanted(session) {
        session.artifacts(call.now)
    } else {
        &[]
    };
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query,
        page: PAGE,
        context: &context,
        count: Some(artifacts.len()),
    };
    let first = artifacts.partition_point(|artifact| artifact.serial < start);
    let artifacts = artifacts[first..]
        .iter()
        .map(|artifact| (artifact.serial, artifact));
    Ok(list.answer(artifacts, |out, artifact| {
        let mut object = Object::new(out);
        fill(&mut object, &store, (session, artifact));
        object.end();
    }))
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    one(sandbox, call, |session| session.job != Job::Granular)
}

/// One of `granularMailboxRestoreArtifacts`.
pub(super) fn get_mails(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    one(sandbox, call, |session| session.job == Job::Granular)
}

fn one(sandbox: &Sandbox, call: &Call, wanted: fn(&Session) -> bool) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["expand"], 1)?;
    let detail = detail(&query)?;
    let store = lock(&sandbox.store);
    let session = session(sandbox, &store, call)?;
    let artifact = named(sandbox, &store, call, session).filter(|_| wanted(session));
    let artifact = artifact.ok_or_else(|| no_such(call))?;
    Ok(Answer::object(200, |object| {
        fill(object, sandbox, &store, call, (session, artifact), detail);
    }))
}

/// The restore point of an artifact.
pub(super) fn get_point(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    let session = session(sandbox, &store, call)?;
    let artifact = named(sandbox, &store, call, session).ok_or_else(|| no_such(call))?;
    Ok(Answer::object(200, |object| {
        points::fill(object, &sandbox.tenant, &artifact.point, false);
    }))
}

fn no_such(call: &Call) -> Refusal {
    let id = call.params.get(1).map_or("", String::as_str);
    refusals::NOT_FOUND.because(format!("there is no artifact `{id}`"))
}

/// The artifact that the path names.
pub(super) fn named<'store>(
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    session: &'store Session,
) -> Option<&'store Artifact> {
    let place = store.artifact_place(&sandbox.tenant, session, call.params.get(1)?)?;
    session.artifacts(call.now).get(place)
}

pub(super) fn session<'store>(
    sandbox: &Sandbox,
    store: &'store Store,
    call: &Call,
) -> Result<&'store Session, Refusal> {
    let missing = refusals::SESSION_NOT_FOUND;
    let malformed = refusals::ARTIFACTS_SESSION_ID;
    let serial = sessions::serial(sandbox, store, call, malformed, missing.clone())?;
    store.session(serial).ok_or(missing)
}

/// How much of the restore point an artifact shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Its id, as in the answer to a change.
    Reference,
    /// Id and times: the documented examples, without any `$expand`.
    Point,
    PointAndUnit,
}

fn detail(query: &Query) -> Result<Detail, Refusal> {
    match query.expand.as_deref().map(str::trim) {
        None | Some("restorePoint") => Ok(Detail::Point),
        Some("restorePoint($expand=protectionUnit)") => Ok(Detail::PointAndUnit),
        Some(other) => Err(Refusal::bad_request(format!(
            "'{other}' cannot be expanded."
        ))),
    }
}

pub(super) fn fill(
    object: &mut Object<'_>,
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    (session, artifact): (&Session, &Artifact),
    detail: Detail,
) {
    let tenant = &sandbox.tenant;
    let point = &artifact.point;
    let type_name = match artifact.what {
        What::Whole => session.workload.artifact_type,
        What::Item(_) | What::Mails { .. } => session.workload.granular_type,
    };
    object.text("@odata.type", format!("#microsoft.graph.{type_name}"));
    object.text("id", store.artifact_id(tenant, session, artifact));
    object.text("destinationType", artifact.destination.name());
    let status = artifact.status(call.now);
    object.text("status", status.name());
    if let What::Mails { search, .. } = artifact.what {
        object.text("searchResponseId", store.search_id(tenant, search));
    }
    object.object("restorePoint", |out| match detail {
        Detail::Reference => out.plain("id", tenant.point_id(point)),
        Detail::Point | Detail::PointAndUnit => {
            points::fill(out, tenant, point, detail == Detail::PointAndUnit);
        }
    });
    match &artifact.course {
        Some(course) if detail != Detail::Reference => {
            fill_course(object, sandbox, call, artifact, course, status);
        }
        _ => {}
    }
}

/// What appears while an artifact is restored.
fn fill_course(
    object: &mut Object<'_>,
    sandbox: &Sandbox,
    call: &Call,
    artifact: &Artifact,
    course: &Course,
    status: ArtifactStatus,
) {
    let ended = matches!(status, ArtifactStatus::Succeeded | ArtifactStatus::Failed);
    if ended || status == ArtifactStatus::InProgress {
        object.time("startDateTime", course.started);
    }
    if ended {
        object.time("completionDateTime", course.ended);
    }
    units::error(
        object,
        course.error.filter(|_| status == ArtifactStatus::Failed),
    );
    if status != ArtifactStatus::Succeeded {
        return;
    }
    if artifact.point.unit.workload.number == 0 {
        object.number("restoredItemCount", course.items);
    }
    // The new place can be announced a while after the restore has ended.
    if call.now >= course.details {
        fill_place(object, sandbox, artifact);
    }
}

/// Where something was restored to.
fn fill_place(object: &mut Object<'_>, sandbox: &Sandbox, artifact: &Artifact) {
    let tenant = &sandbox.tenant;
    let Point { unit, slot } = artifact.point;
    let slot = slot.unsigned_abs();
    let place = tenant.ids.make(Kind::Folder, unit.index, slot);
    if unit.workload.number == 0 {
        let name = match artifact.destination {
            Destination::New => format!(
                "Recovered Items {}",
                artifact.point.made().strftime("%Y-%m-%d %H:%M")
            ),
            Destination::InPlace => "Top of Information Store".to_owned(),
        };
        object.plain("restoredFolderId", place);
        object.text("restoredFolderName", name);
        return;
    }
    let Place { id, name, url } = tenant.place(&unit);
    let (id, url) = match artifact.destination {
        Destination::InPlace => (id, url),
        Destination::New => {
            let host = id.split(',').next().unwrap_or_default();
            let web = tenant
                .ids
                .make(Kind::Folder, unit.index, slot | NEW_WEB)
                .to_string();
            // The service puts R and a number behind the address of the site it restores from.
            (
                format!("{host},{place},{web}"),
                format!("{url}R{}", slot % 1_000),
            )
        }
    };
    object.text("restoredSiteId", id);
    object.text("restoredSiteName", name);
    object.text("restoredSiteWebUrl", url);
}
