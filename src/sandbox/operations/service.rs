//! The service itself: its status, and switching it on.

use serde_json::Value;

use crate::sandbox::access::By;
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::broken::{Broken, ServiceStatus};
use crate::sandbox::call::{Call, INVALID_REQUEST, only};
use crate::sandbox::id::parse;
use crate::sandbox::json::Object;
use crate::sandbox::odata::Query;
use crate::sandbox::{Sandbox, lock, refusals};

pub(super) fn root(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    Ok(Answer::object(200, |root| {
        root.text(
            "@odata.context",
            call.context("solutions/backupRestore/$entity"),
        );
        root.object("serviceStatus", |service| {
            fill(service, sandbox, &store.present.broken);
        });
    }))
}

/// Switches the service on for the tenant of the app's owner, if somebody pays.
pub(super) fn enable(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let body = call.object(&INVALID_REQUEST)?;
    only(&body, &["appOwnerTenantId"], &INVALID_REQUEST)?;
    let owner = body.get("appOwnerTenantId").and_then(Value::as_str);
    owner.and_then(parse).ok_or(refusals::APP_OWNER)?;
    let mut store = lock(&sandbox.store);
    let broken = &mut store.present.broken;
    if broken.disable_reason == Some("invalidBillingProfile") {
        return Err(refusals::BILLING);
    }
    broken.service_status = ServiceStatus::Enabled;
    broken.disable_reason = None;
    (broken.grace_ends, broken.restores_end) = (None, None);
    Ok(Answer::object(200, |service| {
        let context = call.context("microsoft.graph.serviceStatus");
        service.text("@odata.context", context);
        fill(service, sandbox, broken);
    }))
}

fn fill(service: &mut Object<'_>, sandbox: &Sandbox, broken: &Broken) {
    let status = broken.service_status;
    service.text("status", status.name());
    let usual = if status == ServiceStatus::Disabled {
        "userRequested"
    } else {
        "none"
    };
    service.text("disableReason", broken.disable_reason.unwrap_or(usual));
    for (name, end) in [
        ("gracePeriodDateTime", broken.grace_ends),
        ("restoreAllowedTillDateTime", broken.restores_end),
    ] {
        if let Some(end) = end {
            service.time(name, end);
        }
    }
    service.text("backupServiceConsumer", "thirdparty");
    service.time("lastModifiedDateTime", sandbox.clock.begun());
    service.object("lastModifiedBy", |by| sandbox.access.fill(by, By::APP));
}
