//! Artifacts as bodies name them.

use serde_json::{Map, Value};

use crate::sandbox::answer::Refusal;
use crate::sandbox::call::{Call, INVALID_REQUEST, check_type, only};
use crate::sandbox::id::parse;
use crate::sandbox::session::{Artifact, Destination, Wanted, What};
use crate::sandbox::store::Store;
use crate::sandbox::{Sandbox, refusals};

use super::points;

/// How a call words its refusals.
pub(super) struct Wording {
    pub(super) malformed: Refusal,
    point: Refusal,
    pub(super) destination: Refusal,
    /// The list is missing, null or empty.
    pub(super) empty: Refusal,
    pub(super) too_many: Refusal,
}

pub(super) const CREATE: Wording = Wording {
    malformed: INVALID_REQUEST,
    point: refusals::CREATE_POINT,
    destination: refusals::CREATE_DESTINATION,
    empty: refusals::CREATE_EMPTY,
    too_many: refusals::CREATE_TOO_MANY,
};
pub(super) const PATCH: Wording = Wording {
    malformed: refusals::PATCH_INVALID,
    point: refusals::PATCH_POINT,
    destination: refusals::PATCH_INVALID,
    empty: refusals::PATCH_EMPTY,
    too_many: refusals::PATCH_TOO_MANY,
};

/// Reads a whole unit to restore. A restore point is named by `id`, or by a bare id in `@odata.id` as older pages show it.
pub(super) fn read(
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    item: &Map<String, Value>,
    wording: &Wording,
) -> Result<Wanted, Refusal> {
    let malformed = &wording.malformed;
    check_type(item, call.workload()?.artifact_type, malformed)?;
    only(
        item,
        &["restorePoint", "destinationType", "@odata.type"],
        malformed,
    )?;
    read_point(sandbox, store, call, item, wording)
}

/// Reads the mails of one search to restore.
pub(super) fn read_mails(
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    item: &Map<String, Value>,
    wording: &Wording,
) -> Result<Wanted, Refusal> {
    let malformed = &wording.malformed;
    check_type(item, call.workload()?.granular_type, malformed)?;
    let known = [
        "restorePoint",
        "destinationType",
        "searchResponseId",
        "@odata.type",
    ];
    only(item, &known, malformed)?;
    let wanted = read_point(sandbox, store, call, item, wording)?;
    let id = item.get("searchResponseId").and_then(Value::as_str);
    let id = id.ok_or_else(|| malformed.clone().because("searchResponseId is missing"))?;
    let found = store.find_search(&sandbox.tenant, id);
    let found = found.filter(|(_, search)| search.unit == wanted.point.unit);
    let (search, found) = found.ok_or_else(|| {
        let why = format!("`{id}` is no search with an artifactQuery for this mailbox");
        malformed.clone().because(why)
    })?;
    let hits = found.hits(&wanted.point);
    let what = What::Mails { search, hits };
    Ok(Wanted { what, ..wanted })
}

fn read_point(
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    item: &Map<String, Value>,
    wording: &Wording,
) -> Result<Wanted, Refusal> {
    let workload = call.workload()?;
    let point = item.get("restorePoint").and_then(Value::as_object);
    let point = point.ok_or_else(|| wording.point.clone().because("restorePoint is missing"))?;
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
        parse(text).and_then(|id| points::find(&sandbox.tenant, &store.present, id, call.now));
    let found = found.filter(|point| *point.unit.workload == *workload);
    let point = found.ok_or_else(|| {
        let why = format!("there is no restore point `{text}`");
        wording.point.clone().because(why)
    })?;
    let destination = destination(item, wording)?.ok_or_else(|| {
        let why = "destinationType is missing";
        wording.destination.clone().because(why)
    })?;
    Ok(Wanted {
        point,
        what: What::Whole,
        browse: None,
        destination,
    })
}

/// The `destinationType` of an item, if it has one.
pub(super) fn destination(
    item: &Map<String, Value>,
    wording: &Wording,
) -> Result<Option<Destination>, Refusal> {
    let Some(value) = item.get("destinationType") else {
        return Ok(None);
    };
    let destination = value.as_str().and_then(Destination::parse);
    destination.map(Some).ok_or_else(|| {
        let why = format!("destinationType {value} is not new or inPlace");
        wording.destination.clone().because(why)
    })
}

/// One destination for a session, no artifact twice in a list. What the session holds already may come again: the code
/// speaks of the list. Items are told apart by the caller's keys, so they cannot come again at all.
pub(super) fn check_list(
    wanted: &[Wanted],
    session: Option<Destination>,
    held: &[Artifact],
) -> Result<(), Refusal> {
    let destination = session.or_else(|| wanted.first().map(|one| one.destination));
    if wanted
        .iter()
        .any(|one| Some(one.destination) != destination)
    {
        return Err(refusals::CREATE_MIXED);
    }
    for (position, one) in wanted.iter().enumerate() {
        let again = wanted[..position]
            .iter()
            .any(|other| other.is_same(&one.point, one.what));
        let keyed = matches!(one.what, What::Item(_));
        let held = keyed
            && held
                .iter()
                .any(|other| one.is_same(&other.point, other.what));
        if again || held {
            return Err(refusals::DUPLICATE);
        }
    }
    Ok(())
}
