//! The service itself: its status and the apps that control it.

use crate::sandbox::access::By;
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::id::Kind;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::store::ServiceStatus;
use crate::sandbox::{Sandbox, lock, refusals};

pub(super) fn root(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    let (status, broken) = (store.broken.service_status, &store.broken);
    let (reason, grace, restores) = (
        broken.disable_reason,
        broken.grace_ends,
        broken.restores_end,
    );
    drop(store);
    Ok(Answer::object(200, |root| {
        root.text(
            "@odata.context",
            call.context("solutions/backupRestore/$entity"),
        );
        root.object("serviceStatus", |service| {
            service.text("status", status.name());
            let usual = if status == ServiceStatus::Disabled {
                "userRequested"
            } else {
                "none"
            };
            service.text("disableReason", reason.unwrap_or(usual));
            for (name, end) in [
                ("gracePeriodDateTime", grace),
                ("restoreAllowedTillDateTime", restores),
            ] {
                if let Some(end) = end {
                    service.time(name, end);
                }
            }
            service.text("backupServiceConsumer", "thirdparty");
            service.time("lastModifiedDateTime", sandbox.clock.begun());
            service.object("lastModifiedBy", |by| sandbox.access.fill(by, By::APP));
        });
    }))
}

pub(super) fn apps(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["skiptoken"], 1)?;
    let context = "solutions/backupRestore/serviceApps";
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: 100,
        context,
        count: Some(1),
    };
    let is_there = lock(&sandbox.store).broken.service_app != Some("none");
    Ok(list.answer(is_there.then_some((0, ())), |out, ()| {
        let mut app = Object::new(out);
        app.text("@odata.type", "#microsoft.graph.serviceApp");
        fill(&mut app, sandbox);
        app.end();
    }))
}

pub(super) fn app(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let id = call.uuid(0, Refusal::bad_request("The service app ID is invalid."))?;
    if sandbox.tenant.ids.make(Kind::ServiceApp, 0, 0) != id {
        return Err(refusals::NOT_FOUND.because(format!("there is no service app `{id}`")));
    }
    Ok(Answer::object(200, |app| {
        let context = "solutions/backupRestore/serviceApps/$entity";
        app.text("@odata.context", call.context(context));
        fill(app, sandbox);
    }))
}

fn fill(app: &mut Object<'_>, sandbox: &Sandbox) {
    app.plain("id", sandbox.tenant.ids.make(Kind::ServiceApp, 0, 0));
    let broken = lock(&sandbox.store).broken.service_app;
    let other = sandbox.tenant.ids.make(Kind::Application, 1, 0).to_string();
    let (status, application) = match broken {
        Some("other") => ("active", &other),
        Some(status) => (status, &sandbox.access.client_id),
        None => ("active", &sandbox.access.client_id),
    };
    app.text("status", status);
    app.object("application", |by| by.text("id", application));
    app.time("effectiveDateTime", sandbox.clock.begun());
    app.time("registrationDateTime", sandbox.clock.begun());
    app.time("lastModifiedDateTime", sandbox.clock.begun());
    app.object("lastModifiedBy", |by| sandbox.access.fill(by, By::APP));
}

/// Stands in for documented operations that are not built.
pub(super) fn later(_: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Err(refusals::LATER.because(format!(
        "`{}` is documented, but not part of this sandbox",
        call.path
    )))
}
