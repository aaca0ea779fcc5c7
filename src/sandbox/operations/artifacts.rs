//! The artifacts of a session: read from bodies, written into answers, listed.

use serde_json::Value;

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::{Call, INVALID_REQUEST, check_type, only};
use crate::sandbox::id::{Kind, parse};
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::session::{Artifact, ArtifactStatus, Course, Destination, Session};
use crate::sandbox::store::Store;
use crate::sandbox::tenant::{Place, Point};
use crate::sandbox::{Sandbox, lock, refusals};

use super::{points, sessions, units};

const PAGE: usize = 100;
/// Tells the id of a new web from that of its collection; above every slot.
const NEW_WEB: u64 = 1 << 39;

/// An artifact that a body asks for.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) point: Point,
    pub(super) destination: Destination,
}

/// How a call words its refusals.
pub(super) struct Wording {
    malformed: Refusal,
    point: Refusal,
    destination: Refusal,
}

pub(super) const CREATE: Wording = Wording {
    malformed: INVALID_REQUEST,
    point: refusals::CREATE_POINT,
    destination: refusals::CREATE_DESTINATION,
};
pub(super) const PATCH: Wording = Wording {
    malformed: refusals::PATCH_INVALID,
    point: refusals::PATCH_POINT,
    destination: refusals::PATCH_INVALID,
};

/// Reads artifacts to add. A restore point is named by `id`, or by a bare id in `@odata.id` as older pages show it.
pub(super) fn read<'a>(
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    items: impl IntoIterator<Item = &'a Value>,
    wording: &Wording,
) -> Result<Vec<Wanted>, Refusal> {
    let workload = call.workload()?;
    let read_one = |item: &Value| -> Result<Wanted, Refusal> {
        let item = item.as_object().ok_or_else(|| {
            wording
                .malformed
                .clone()
                .because("an artifact is not an object")
        })?;
        check_type(item, workload.artifact_type, &wording.malformed)?;
        only(
            item,
            &["restorePoint", "destinationType", "@odata.type"],
            &wording.malformed,
        )?;
        let point = item.get("restorePoint").and_then(Value::as_object);
        let point =
            point.ok_or_else(|| wording.point.clone().because("restorePoint is missing"))?;
        check_type(point, "restorePoint", &wording.malformed)?;
        only(
            point,
            &["id", "@odata.id", "@odata.type"],
            &wording.malformed,
        )?;
        let text = point
            .get("id")
            .or_else(|| point.get("@odata.id"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let found =
            parse(text).and_then(|id| points::find(&sandbox.tenant, &store.broken, id, call.now));
        let found = found.filter(|point| *point.unit.workload == *workload);
        let point = found.ok_or_else(|| {
            wording
                .point
                .clone()
                .because(format!("there is no restore point `{text}`"))
        })?;
        let text = item
            .get("destinationType")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let destination = Destination::parse(text);
        let destination = destination.ok_or_else(|| {
            wording
                .destination
                .clone()
                .because(format!("destinationType `{text}` is not new or inPlace"))
        })?;
        Ok(Wanted { point, destination })
    };
    items.into_iter().map(read_one).collect()
}

/// One destination for a session, no artifact twice in a list. What the session holds already may come again: the code
/// speaks of the list.
pub(super) fn check_list(wanted: &[Wanted], session: Option<Destination>) -> Result<(), Refusal> {
    let destination = session.or_else(|| wanted.first().map(|one| one.destination));
    if wanted
        .iter()
        .any(|one| Some(one.destination) != destination)
    {
        return Err(refusals::CREATE_MIXED);
    }
    for (position, one) in wanted.iter().enumerate() {
        if wanted[..position]
            .iter()
            .any(|other| other.point == one.point)
        {
            return Err(refusals::DUPLICATE);
        }
    }
    Ok(())
}

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["top", "skiptoken", "count", "expand"], PAGE)?;
    let detail = detail(&query)?;
    let start = query.start(sandbox.tenant.ids, call)?;
    let store = lock(&sandbox.store);
    let session = session(sandbox, &store, call)?;
    let id = store.session_id(&sandbox.tenant, session);
    let workload = session.workload;
    let context = format!(
        "solutions/backupRestore/{}('{id}')/{}",
        workload.sessions, workload.artifacts
    );
    let artifacts = session.artifacts(call.now);
    let count = Some(artifacts.len());
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: PAGE,
        context: &context,
        count,
    };
    let first = artifacts.partition_point(|artifact| artifact.serial < start);
    let artifacts = artifacts[first..]
        .iter()
        .map(|artifact| (artifact.serial, artifact));
    Ok(list.answer(artifacts, |out, artifact| {
        let mut object = Object::new(out);
        fill(
            &mut object,
            sandbox,
            &store,
            call,
            (session, artifact),
            detail,
        );
        object.end();
    }))
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["expand"], 1)?;
    let detail = detail(&query)?;
    let store = lock(&sandbox.store);
    let session = session(sandbox, &store, call)?;
    let id = call.uuid(
        1,
        Refusal::bad_request("The restore artifact ID is invalid."),
    )?;
    let place = store.artifact_place(&sandbox.tenant, session, id);
    let artifact = place.and_then(|place| session.artifacts(call.now).get(place));
    let artifact = artifact
        .ok_or_else(|| refusals::NOT_FOUND.because(format!("there is no artifact `{id}`")))?;
    Ok(Answer::object(200, |object| {
        fill(object, sandbox, &store, call, (session, artifact), detail);
    }))
}

fn session<'store>(
    sandbox: &Sandbox,
    store: &'store Store,
    call: &Call,
) -> Result<&'store Session, Refusal> {
    let missing = refusals::SESSION_NOT_FOUND;
    let serial = sessions::serial(
        sandbox,
        store,
        call,
        refusals::ARTIFACTS_SESSION_ID,
        missing.clone(),
    )?;
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
    object.text(
        "@odata.type",
        format!("#microsoft.graph.{}", session.workload.artifact_type),
    );
    object.plain("id", store.artifact_id(tenant, session, artifact));
    object.text("destinationType", artifact.destination.name());
    let status = artifact.status(call.now);
    object.text("status", status.name());
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
    let unit = &artifact.point.unit;
    let exchange = unit.workload.number == 0;
    if exchange {
        object.number("restoredItemCount", course.items);
    }
    // The new place can be announced a while after the restore has ended.
    if call.now < course.details {
        return;
    }
    let tenant = &sandbox.tenant;
    let slot = artifact.point.slot.unsigned_abs();
    let place = tenant.ids.make(Kind::Folder, unit.index, slot);
    if exchange {
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
    let Place { id, name, url } = tenant.place(unit);
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

/// An artifact that was to be removed and is not there: the service says so inside a 200.
pub(super) fn fill_failure(object: &mut Object<'_>, id: &str) {
    object.text("@contentId", id);
    object.object("@Core.DataModificationException", |exception| {
        exception.object("info", |info| {
            info.text("code", "Invalid");
            info.text(
                "message",
                "The identifier to be removed from the Restore Session does not exist",
            );
        });
        exception.text("failedOperation", "remove");
        exception.number("responseCode", 409);
    });
    object.text("id", id);
}
