//! Who is told by mail of what the service does: one setting for the tenant.

use serde_json::{Map, Value};

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::{Call, INVALID_REQUEST, check_type, only};
use crate::sandbox::json::Object;
use crate::sandbox::odata::Query;
use crate::sandbox::{Sandbox, lock};

/// The setting, as `emailNotificationsSetting` has it.
#[derive(Clone)]
pub(in crate::sandbox) struct Notifications {
    is_enabled: bool,
    additional_events: String,
    role: String,
    custom: Vec<String>,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            is_enabled: true,
            additional_events: "none".to_owned(),
            role: "globalAdmins".to_owned(),
            custom: Vec::new(),
        }
    }
}

const EVENTS: [&str; 2] = ["none", "restoreAndPolicyUpdates"];
const ROLES: [&str; 5] = [
    "none",
    "globalAdmins",
    "backupAdmins",
    "custom",
    "allAdmins",
];

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let setting = lock(&sandbox.store).notifications.clone();
    Ok(answer(sandbox, call, &setting))
}

pub(super) fn update(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let body = call.object(&INVALID_REQUEST)?;
    check_type(&body, "emailNotificationsSetting", &INVALID_REQUEST)?;
    let known = ["isEnabled", "additionalEvents", "recipients", "@odata.type"];
    only(&body, &known, &INVALID_REQUEST)?;
    let mut store = lock(&sandbox.store);
    let mut setting = store.notifications.clone();
    if let Some(value) = body.get("isEnabled") {
        let flag = value.as_bool();
        setting.is_enabled =
            flag.ok_or_else(|| INVALID_REQUEST.because("isEnabled is true or false"))?;
    }
    if let Some(events) = flags(&body, "additionalEvents", &EVENTS)? {
        setting.additional_events = events;
    }
    if let Some(value) = body.get("recipients") {
        let recipients = value
            .as_object()
            .ok_or_else(|| INVALID_REQUEST.because("recipients is no object"))?;
        read_recipients(&mut setting, recipients)?;
    }
    store.notifications = setting.clone();
    Ok(answer(sandbox, call, &setting))
}

fn read_recipients(
    setting: &mut Notifications,
    recipients: &Map<String, Value>,
) -> Result<(), Refusal> {
    let known = ["role", "customRecipients", "@odata.type"];
    only(recipients, &known, &INVALID_REQUEST)?;
    if let Some(role) = flags(recipients, "role", &ROLES)? {
        setting.role = role;
    }
    if let Some(list) = recipients.get("customRecipients") {
        let malformed = || INVALID_REQUEST.because("customRecipients is a list of addresses");
        let list = list.as_array().ok_or_else(malformed)?;
        let email = |one: &Value| Some(one.get("email")?.as_str()?.to_owned());
        let custom: Option<Vec<String>> = list.iter().map(email).collect();
        setting.custom = custom.ok_or_else(malformed)?;
    }
    let is_custom = setting.role.split(',').any(|role| role == "custom");
    if is_custom == setting.custom.is_empty() {
        return Err(INVALID_REQUEST.because("customRecipients go with the role custom"));
    }
    Ok(())
}

/// Members of an enum of flags.
fn flags(body: &Map<String, Value>, name: &str, known: &[&str]) -> Result<Option<String>, Refusal> {
    let Some(value) = body.get(name) else {
        return Ok(None);
    };
    let text = value.as_str().unwrap_or_default();
    if text.split(',').all(|one| known.contains(&one)) {
        return Ok(Some(text.to_owned()));
    }
    Err(INVALID_REQUEST.because(format!("{name} {value} is none of {}", known.join(", "))))
}

fn answer(sandbox: &Sandbox, call: &Call, setting: &Notifications) -> Answer {
    Answer::object(200, |object| {
        let context = "solutions/backupRestore/emailNotificationsSetting/$entity";
        object.text("@odata.context", call.context(context));
        object.text("id", sandbox.tenant.tenant_id().to_string());
        object.boolean("isEnabled", setting.is_enabled);
        object.text("additionalEvents", &setting.additional_events);
        object.object("recipients", |recipients| {
            recipients.text("role", &setting.role);
            recipients.array("customRecipients", &setting.custom, |out, email| {
                let mut one = Object::new(out);
                one.text("email", email);
                one.end();
            });
        });
    })
}
