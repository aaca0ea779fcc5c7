//! Bulk addition requests of a session: one, made for an empty draft, resolved after activation.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::bulk::{Bulk, Input, Unresolved};
use crate::sandbox::call::{Call, check_type, only};
use crate::sandbox::id::{Kind, parse};
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::session::{Destination, Job, Session};
use crate::sandbox::store::Store;
use crate::sandbox::tenant::Window;
use crate::sandbox::workload::Workload;
use crate::sandbox::{Sandbox, lock, refusals};

use super::{sessions, tags};

/// Inputs of one request.
const MAX_INPUTS: usize = 10_000;

fn invalid(why: impl Into<String>) -> Refusal {
    refusals::BULK_INVALID.because(why)
}

pub(super) fn create(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let mut store = lock(&sandbox.store);
    let serial = find(sandbox, &store, call)?;
    let bulk = read(sandbox, call)?;
    sessions::check_service(&store)?;
    let session = store
        .session_mut(serial)
        .ok_or(refusals::SESSION_NOT_FOUND)?;
    if !session.is_draft() {
        return Err(refusals::PATCH_NOT_DRAFT);
    }
    if session.job == Job::Bulk {
        return Err(invalid("the session has a bulk request already"));
    }
    if !session.artifacts.is_empty() {
        return Err(invalid("the session has artifacts that were added singly"));
    }
    session.job = Job::Bulk;
    session.modified = call.now;
    session.bulk = Some(bulk);
    one(201, sandbox, &store, call, serial)
}

/// The one request of the session. What went in is deliberately left out.
pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::none(call)?;
    let store = lock(&sandbox.store);
    let serial = find(sandbox, &store, call)?;
    let session = store.session(serial).ok_or(refusals::SESSION_NOT_FOUND)?;
    let context = context(sandbox, &store, call, session)?;
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: 1,
        context: &context,
        count: Some(usize::from(session.bulk.is_some())),
    };
    let requests = session.bulk.iter().map(|bulk| (0, bulk));
    Ok(list.answer(requests, |out, bulk| {
        let mut object = Object::new(out);
        fill(&mut object, sandbox, &store, call, session, bulk);
        object.end();
    }))
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    let serial = find(sandbox, &store, call)?;
    named(sandbox, &store, call, serial)?;
    one(200, sandbox, &store, call, serial)
}

pub(super) fn delete(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let serial = find(sandbox, &store, call)?;
    named(sandbox, &store, call, serial)?;
    let session = store
        .session_mut(serial)
        .ok_or(refusals::SESSION_NOT_FOUND)?;
    if !session
        .bulk
        .as_ref()
        .is_some_and(|bulk| bulk.has_ended(call.now))
    {
        return Err(refusals::BULK_NOT_ENDED);
    }
    session.bulk = None;
    Ok(Answer::nothing(204))
}

/// The serial of the session in the path.
fn find(sandbox: &Sandbox, store: &Store, call: &Call) -> Result<u32, Refusal> {
    let missing = refusals::SESSION_NOT_FOUND;
    sessions::serial(sandbox, store, call, refusals::BULK_ID, missing)
}

/// Checks that the request in the path is that of the session.
fn named(sandbox: &Sandbox, store: &Store, call: &Call, serial: u32) -> Result<(), Refusal> {
    let id = call.uuid(1, refusals::BULK_ID)?;
    let session = store
        .session(serial)
        .filter(|session| session.bulk.is_some());
    let own =
        session.map(|session| store.session_id_as(&sandbox.tenant, Kind::BulkRequest, session));
    if own == Some(id) {
        return Ok(());
    }
    Err(refusals::BULK_NOT_FOUND.because(format!("there is no bulk request `{id}`")))
}

fn context(
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    session: &Session,
) -> Result<String, Refusal> {
    let Workload {
        sessions,
        bulk_requests,
        ..
    } = call.workload()?;
    let id = store.session_id(&sandbox.tenant, session);
    Ok(format!(
        "solutions/backupRestore/{sessions}('{id}')/{bulk_requests}"
    ))
}

fn one(
    status: u16,
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    serial: u32,
) -> Result<Answer, Refusal> {
    let session = store.session(serial).ok_or(refusals::SESSION_NOT_FOUND)?;
    let bulk = session.bulk.as_ref().ok_or(refusals::BULK_NOT_FOUND)?;
    let context = format!("{}/$entity", context(sandbox, store, call, session)?);
    Ok(Answer::object(status, |object| {
        object.text("@odata.context", call.context(&context));
        fill(object, sandbox, store, call, session, bulk);
        object.raw(bulk.workload.inputs, "[]");
    }))
}

fn fill(
    object: &mut Object<'_>,
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    session: &Session,
    bulk: &Bulk,
) {
    object.text(
        "@odata.type",
        format!("#microsoft.graph.{}", bulk.workload.bulk_type),
    );
    object.plain(
        "id",
        store.session_id_as(&sandbox.tenant, Kind::BulkRequest, session),
    );
    match &bulk.display_name {
        Some(name) => object.text("displayName", name),
        None => object.raw("displayName", "null"),
    }
    object.text("destinationType", bulk.destination.name());
    object.text("status", bulk.status(call.now));
    object.object("protectionTimePeriod", |period| {
        period.time("startDateTime", bulk.window.from);
        period.time("endDateTime", bulk.window.to);
    });
    let preference = if bulk.oldest { "oldest" } else { "latest" };
    object.text("restorePointPreference", preference);
    object.text("tags", bulk.tags.as_deref().unwrap_or("none"));
    object.object("createdBy", |by| sandbox.access.fill(by, bulk.by));
    object.time("createdDateTime", bulk.created);
    object.object("lastModifiedBy", |by| sandbox.access.fill(by, bulk.by));
    let ended = bulk.resolved().filter(|resolved| *resolved <= call.now);
    object.time("lastModifiedDateTime", ended.unwrap_or(bulk.created));
    error(object, bulk.unresolved(call.now));
}

/// The `error` of a request, and of a session that got no artifact from it.
pub(super) fn error(object: &mut Object<'_>, unresolved: &[Unresolved]) {
    if unresolved.is_empty() {
        object.raw("error", "null");
        return;
    }
    let (code, message) = refusals::NOT_RESOLVED;
    object.object("error", |error| {
        error.text("code", code);
        error.text("message", message);
        error.array("details", unresolved, |out, one| {
            let mut detail = Object::new(out);
            detail.text("code", one.code);
            detail.text("message", &one.message);
            detail.text("target", &one.target);
            detail.end();
        });
    });
}

fn read(sandbox: &Sandbox, call: &Call) -> Result<Bulk, Refusal> {
    let workload = call.workload()?;
    if call.body.is_empty() {
        return Err(invalid("there is no body"));
    }
    let body = call.object(&refusals::BULK_INVALID)?;
    check_type(&body, workload.bulk_type, &refusals::BULK_INVALID)?;
    let known = [
        workload.inputs,
        workload.input_ids,
        "protectionUnitIds",
        "displayName",
        "protectionTimePeriod",
        "restorePointPreference",
        "tags",
        "destinationType",
        "@odata.type",
    ];
    only(&body, &known, &refusals::BULK_INVALID)?;
    let inputs = inputs(sandbox, workload, &body)?;
    let display_name = match body.get("displayName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(other) => return Err(invalid(format!("displayName {other} is not a text"))),
    };
    let destination = body.get("destinationType").and_then(Value::as_str);
    let destination = destination.and_then(Destination::parse);
    let oldest = match body.get("restorePointPreference") {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) if text == "latest" => false,
        Some(Value::String(text)) if text == "oldest" => true,
        Some(other) => {
            return Err(invalid(format!(
                "restorePointPreference {other} is neither latest nor oldest"
            )));
        }
    };
    Ok(Bulk {
        workload,
        by: call.by(),
        created: call.now,
        display_name,
        destination: destination
            .ok_or_else(|| invalid("destinationType is neither new nor inPlace"))?,
        window: window(&body)?,
        oldest,
        tags: tags(&body, call.beta, &refusals::BULK_INVALID)?,
        inputs,
        resolution: None,
    })
}

/// The period in which points are looked for: both ends, the first before the second.
fn window(body: &Map<String, Value>) -> Result<Window, Refusal> {
    let period = body.get("protectionTimePeriod").and_then(Value::as_object);
    let period = period.ok_or_else(|| invalid("protectionTimePeriod is missing"))?;
    only(
        period,
        &["startDateTime", "endDateTime", "@odata.type"],
        &refusals::BULK_INVALID,
    )?;
    let instant = |name: &str| -> Result<Timestamp, Refusal> {
        let value = period.get(name).and_then(Value::as_str);
        let instant = value.and_then(|text| text.parse().ok());
        instant.ok_or_else(|| invalid(format!("{name} of protectionTimePeriod is no instant")))
    };
    let (from, to) = (instant("startDateTime")?, instant("endDateTime")?);
    if to < from {
        return Err(invalid("the time period ends before it starts"));
    }
    Ok(Window { from, to })
}

fn inputs(
    sandbox: &Sandbox,
    workload: &Workload,
    body: &Map<String, Value>,
) -> Result<Vec<Input>, Refusal> {
    let addresses = texts(body, workload.inputs)?;
    let ids = texts(body, workload.input_ids)?;
    if !texts(body, "protectionUnitIds")?.is_empty() {
        return Err(invalid("protectionUnitIds is not implemented"));
    }
    // The page of the mailbox request says so of its ids; those of the others do not.
    if workload.number == 0 && !ids.is_empty() {
        return Err(invalid(
            "directoryObjectIds is not implemented for mailboxes",
        ));
    }
    let asked = addresses.len() + ids.len();
    if asked > MAX_INPUTS {
        sandbox.violation(format!(
            "BulkSize: a bulk request with {asked} inputs, where {MAX_INPUTS} are the most"
        ));
        return Err(refusals::BULK_TOO_MANY);
    }
    if asked == 0 {
        return Err(invalid(format!("{} is empty", workload.inputs)));
    }
    let (well_formed, refusal): (fn(&str) -> bool, Refusal) = if workload.of_people {
        (is_address, refusals::BULK_EMAIL)
    } else {
        (is_url, refusals::BULK_SITE_URL)
    };
    let address = |value: &Value| {
        let text = value.as_str().filter(|text| well_formed(text));
        let text = text.ok_or_else(|| refusal.clone().because(format!("{value}")))?;
        Ok(Input::Address(text.to_owned()))
    };
    let id = |value: &Value| {
        let text = value.as_str().filter(|text| {
            if workload.of_people {
                parse(text).is_some()
            } else {
                text.split(',').count() == 3
            }
        });
        let text = text.ok_or_else(|| invalid(format!("{value} is not an id")))?;
        Ok(Input::Id(text.to_owned()))
    };
    addresses
        .iter()
        .map(address)
        .chain(ids.iter().map(id))
        .collect()
}

fn texts<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(invalid(format!("{name} is not a list"))),
    }
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    let plain = |part: &str| !part.is_empty() && !part.contains('@');
    !text.contains(char::is_whitespace)
        && parts.is_some_and(|(local, domain)| plain(local) && plain(domain))
}

fn is_url(text: &str) -> bool {
    let parsed = url::Url::parse(text).ok();
    !text.contains(char::is_whitespace)
        && parsed.is_some_and(|url| url.scheme() == "https" && url.host_str().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for (text, good) in [
            ("adele.vance@contoso.example", true),
            ("adele.vance", false),
            ("@contoso.example", false),
            ("adele@", false),
            ("adele@vance@contoso.example", false),
            ("adele vance@contoso.example", false),
            ("", false),
        ] {
            assert_eq!(is_address(text), good, "{text}");
        }
        for (text, good) in [
            ("https://contoso.sharepoint.example/sites/finance", true),
            ("https://contoso.sharepoint.example", true),
            // As two pages print it.
            ("https: //contoso.sharepoint.example", false),
            ("http://contoso.sharepoint.example", false),
            ("contoso.sharepoint.example/sites/finance", false),
            ("", false),
        ] {
            assert_eq!(is_url(text), good, "{text}");
        }
    }
}
