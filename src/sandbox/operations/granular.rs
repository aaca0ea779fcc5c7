//! Files and folders to restore, found in a browse session.

use serde_json::{Map, Value};

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::{Call, check_type, only};
use crate::sandbox::id::Kind;
use crate::sandbox::json::Object;
use crate::sandbox::odata::Query;
use crate::sandbox::session::{Artifact, ArtifactStatus, Destination, Job, Session, Wanted, What};
use crate::sandbox::store::Store;
use crate::sandbox::tenant::{Node, Tree};
use crate::sandbox::{Sandbox, lock, refusals};

use super::artifact_input::{self, Wording};
use super::artifacts::{self, PAGE};
use super::units;

/// What a date reads that is not known yet.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// Reads an item: the browse session that showed it, and its key. Only beta lets the caller say where to.
pub(super) fn read(
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    item: &Map<String, Value>,
    wording: &Wording,
) -> Result<Wanted, Refusal> {
    let workload = call.workload()?;
    let malformed = |why: String| wording.malformed.clone().because(why);
    check_type(item, workload.granular_type, &wording.malformed)?;
    let mut known = vec!["browseSessionId", "id", "@odata.type"];
    if call.beta {
        known.push("destinationType");
    }
    only(item, &known, &wording.malformed)?;
    let text = |name: &str| {
        let text = item.get(name).and_then(Value::as_str);
        text.ok_or_else(|| malformed(format!("{name} of an item is missing")))
    };
    let (browse, key) = (text("browseSessionId")?, text("id")?);
    let session = store.find_browse_session(&sandbox.tenant, browse, call.now);
    let session = session.filter(|session| *session.point.unit.workload == *workload);
    let session =
        session.ok_or_else(|| malformed(format!("there is no browse session `{browse}`")))?;
    if !session.is_open(call.now) {
        let status = session.status(call.now);
        return Err(malformed(format!("browse session `{browse}` is {status}")));
    }
    let tree = sandbox.tenant.tree(&session.point);
    let node = tree.find(key).filter(|node| *node != Node::Site);
    let node = node.ok_or_else(|| {
        malformed(format!(
            "browse session `{browse}` has no item `{key}` that can be restored"
        ))
    })?;
    Ok(Wanted {
        point: session.point,
        what: What::Item(node),
        browse: Some(session.serial),
        destination: artifact_input::destination(item, wording)?.unwrap_or(Destination::New),
    })
}

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    // No options, but those of the links that the service makes itself.
    let query = Query::read(call, &["skiptoken"], PAGE)?;
    let name = call.workload()?.granular_artifacts;
    let wanted = |session: &Session| session.job == Job::Granular;
    artifacts::page(sandbox, call, &query, name, wanted, |out, store, one| {
        let (session, item) = one;
        fill(out, sandbox, store, call, session, item);
    })
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    let session = artifacts::session(sandbox, &store, call)?;
    let item = artifacts::named(sandbox, &store, call, session);
    let item = item
        .filter(|item| matches!(item.what, What::Item(_)))
        .ok_or_else(|| {
            let id = call.params.get(1).map_or("", String::as_str);
            refusals::NOT_FOUND.because(format!("there is no artifact `{id}`"))
        })?;
    Ok(Answer::object(200, |object| {
        fill(object, sandbox, &store, call, session, item);
    }))
}

/// Until something is known, texts are empty and dates lie in the year one.
pub(super) fn fill(
    object: &mut Object<'_>,
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    session: &Session,
    item: &Artifact,
) {
    let What::Item(node) = item.what else {
        return;
    };
    let tenant = &sandbox.tenant;
    let workload = session.workload;
    let tree = tenant.tree(&item.point);
    object.text(
        "@odata.type",
        format!("#microsoft.graph.{}", workload.granular_type),
    );
    object.text("id", tree.key(node));
    let browse = item.browse.map(|serial| store.browse_id_of(tenant, serial));
    object.text("browseSessionId", browse.unwrap_or_default());
    object.text(workload.owner, units::owner(tenant, &item.point.unit));
    let status = item.status(call.now);
    object.text("status", status.name());
    let course = item.course.as_ref();
    let has_started = matches!(
        status,
        ArtifactStatus::InProgress | ArtifactStatus::Succeeded | ArtifactStatus::Failed
    );
    let has_ended = matches!(status, ArtifactStatus::Succeeded | ArtifactStatus::Failed);
    let mut time = |name: &str, instant: Option<jiff::Timestamp>| match instant {
        Some(instant) => object.time(name, instant),
        None => object.text(name, NO_TIME),
    };
    time("restorePointDateTime", course.map(|_| item.point.made()));
    let started = course.filter(|_| has_started);
    time("startDateTime", started.map(|course| course.started));
    let ended = course.filter(|_| has_ended);
    time("completionDateTime", ended.map(|course| course.ended));
    let known = |text: String, is_known: bool| if is_known { text } else { String::new() };
    object.text("webUrl", known(tree.url(node), course.is_some()));
    let has_succeeded = status == ArtifactStatus::Succeeded;
    let [key, path, url] = restored(sandbox, session, item, &tree, node);
    object.text("restoredItemKey", known(key, has_succeeded));
    object.text("restoredItemPath", known(path, has_succeeded));
    object.text("restoredItemWebUrl", known(url, has_succeeded));
    if call.beta {
        object.text("destinationType", item.destination.name());
        let error = course.and_then(|course| course.error);
        units::error(object, error.filter(|_| status == ArtifactStatus::Failed));
    }
}

/// Key, path and address of what was restored. All items of a session land in one new folder, or each in its place.
fn restored(
    sandbox: &Sandbox,
    session: &Session,
    item: &Artifact,
    tree: &Tree<'_>,
    node: Node,
) -> [String; 3] {
    let (key, path, url) = (tree.key(node), tree.path(node), tree.url(node));
    if item.destination == Destination::InPlace {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        return [key, folder.to_owned(), url];
    }
    let library = tree.url(Node::Library(0));
    let activated = session.activated.unwrap_or(session.created);
    let folder = format!("Restored {}", activated.strftime("%Y-%m-%d %H-%M-%S"));
    let name = url.rsplit('/').next().unwrap_or_default();
    let url = format!("{library}/{}/{name}", folder.replace(' ', "%20"));
    let fresh = sandbox
        .tenant
        .ids
        .make(Kind::Folder, session.serial, item.serial.into());
    let place = key.rsplit_once(',').map_or("", |(place, _)| place);
    [
        format!("{place},{fresh}"),
        format!("{}/{folder}", tree.name(Node::Library(0))),
        url,
    ]
}
