//! Service apps: who controls the service for this tenant.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::{Call, INVALID_REQUEST, check_type, only};
use crate::sandbox::id::Kind;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::service_apps::ServiceApp;
use crate::sandbox::store::Store;
use crate::sandbox::{Sandbox, lock, refusals};

const PAGE: usize = 100;
/// How long an app that gives control up still has it.
const NOTICE: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["skiptoken"], PAGE)?;
    let start = query.start(sandbox.tenant.ids, call)?;
    let store = lock(&sandbox.store);
    // What was broken can leave a tenant without any.
    let gone = store.present.broken.service_app == Some("none");
    let apps = store.service_apps.all().filter(|_| !gone);
    let apps: Vec<&ServiceApp> = apps.collect();
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: PAGE,
        context: "solutions/backupRestore/serviceApps",
        count: Some(apps.len()),
    };
    let apps = apps.into_iter().map(|app| (app.serial, app));
    let apps = apps.skip_while(|(serial, _)| *serial < start);
    Ok(list.answer(apps, |out, app| {
        let mut object = Object::new(out);
        fill(&mut object, sandbox, &store, call, app);
        object.end();
    }))
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    let app = named(sandbox, &store, call)?;
    Ok(whole(200, sandbox, &store, call, app))
}

pub(super) fn create(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let body = call.object(&INVALID_REQUEST)?;
    check_type(&body, "serviceApp", &INVALID_REQUEST)?;
    only(&body, &["@odata.type"], &INVALID_REQUEST)?;
    let mut store = lock(&sandbox.store);
    let serial = store.service_apps.register(call.now, call.by());
    changed(201, sandbox, &store, call, serial)
}

pub(super) fn delete(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let serial = named(sandbox, &store, call)?.serial;
    store.service_apps.delete(serial);
    Ok(Answer::nothing(204))
}

pub(super) fn activate(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let body = call.object(&INVALID_REQUEST)?;
    only(&body, &["effectiveDateTime"], &INVALID_REQUEST)?;
    let effective = body.get("effectiveDateTime").and_then(Value::as_str);
    let effective = effective.and_then(|text| text.parse::<Timestamp>().ok());
    let effective =
        effective.ok_or_else(|| INVALID_REQUEST.because("effectiveDateTime is no instant"))?;
    let mut store = lock(&sandbox.store);
    let app = named(sandbox, &store, call)?;
    let status = app.status(call.now);
    if status != "inactive" {
        return Err(INVALID_REQUEST.because(format!("the service app is {status}")));
    }
    let (serial, by) = (app.serial, call.by());
    let at = effective.max(call.now);
    store.service_apps.activate(serial, at, call.now, by);
    changed(202, sandbox, &store, call, serial)
}

/// The page says `pendingInactive`, its example `inactive`: the one follows the other.
pub(super) fn deactivate(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    call.no_body()?;
    let mut store = lock(&sandbox.store);
    let app = named(sandbox, &store, call)?;
    let status = app.status(call.now);
    if !matches!(status, "active" | "pendingActive") {
        return Err(INVALID_REQUEST.because(format!("the service app is {status}")));
    }
    let (serial, by) = (app.serial, call.by());
    let until = call.now + NOTICE;
    store.service_apps.deactivate(serial, call.now, until, by);
    changed(202, sandbox, &store, call, serial)
}

fn named<'store>(
    sandbox: &Sandbox,
    store: &'store Store,
    call: &Call,
) -> Result<&'store ServiceApp, Refusal> {
    let id = call.uuid(0, Refusal::bad_request("The service app ID is invalid."))?;
    let name = sandbox.tenant.ids.read(id);
    let name = name.filter(|name| name.kind == Kind::ServiceApp && name.slot == 0);
    let app = name.and_then(|name| store.service_apps.get(name.index));
    app.ok_or_else(|| refusals::NOT_FOUND.because(format!("there is no service app `{id}`")))
}

fn whole(status: u16, sandbox: &Sandbox, store: &Store, call: &Call, app: &ServiceApp) -> Answer {
    Answer::object(status, |object| {
        let context = "solutions/backupRestore/serviceApps/$entity";
        object.text("@odata.context", call.context(context));
        fill(object, sandbox, store, call, app);
    })
}

fn changed(
    status: u16,
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    serial: u32,
) -> Result<Answer, Refusal> {
    let app = store.service_apps.get(serial);
    let app = app.ok_or(refusals::NOT_FOUND)?;
    let mut answer = whole(status, sandbox, store, call, app);
    let id = sandbox.tenant.ids.make(Kind::ServiceApp, serial, 0);
    let place = format!("{}/solutions/backupRestore/serviceApps/{id}", call.root);
    answer.headers.push(("content-location", place));
    Ok(answer)
}

fn fill(object: &mut Object<'_>, sandbox: &Sandbox, store: &Store, call: &Call, app: &ServiceApp) {
    let ids = sandbox.tenant.ids;
    object.text("@odata.type", "#microsoft.graph.serviceApp");
    object.plain("id", ids.make(Kind::ServiceApp, app.serial, 0));
    let other = ids.make(Kind::Application, 1, 0).to_string();
    // What was broken is about the app that was there from the start.
    let broken = store.present.broken.service_app.filter(|_| app.serial == 0);
    let (status, application) = match broken {
        Some("other") => ("active", &other),
        Some(status) => (status, &sandbox.access.client_id),
        None => (app.status(call.now), &sandbox.access.client_id),
    };
    object.text("status", status);
    object.object("application", |by| by.text("id", application));
    if let Some(effective) = app.effective {
        object.time("effectiveDateTime", effective);
    }
    object.time("registrationDateTime", app.registered);
    let (modified, by) = app.modified;
    object.time("lastModifiedDateTime", modified);
    object.object("lastModifiedBy", |set| sandbox.access.fill(set, by));
}
