//! What every `…@delta` has in common: items that go, and items that fail inside a 200.

use serde_json::Value;

use crate::sandbox::answer::Refusal;
use crate::sandbox::call::only;
use crate::sandbox::json::Object;

/// Reads `{"@removed": {"reason": …}, "id": …}`.
pub(super) fn removal(item: &Value, refusal: &Refusal) -> Result<String, Refusal> {
    let malformed = |why: &str| refusal.clone().because(why);
    let item = item
        .as_object()
        .ok_or_else(|| malformed("an item is not an object"))?;
    only(item, &["@removed", "id", "@odata.type"], refusal)?;
    let reason = item
        .get("@removed")
        .and_then(|removed| removed.get("reason"))
        .and_then(Value::as_str);
    if !matches!(reason, Some("changed" | "deleted")) {
        return Err(malformed("@removed has a reason: changed or deleted"));
    }
    item.get("id")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| malformed("a removed item has an id"))
}

/// An item that could not be added or removed.
pub(super) struct Failure {
    id: String,
    code: &'static str,
    message: String,
    operation: &'static str,
    status: u16,
}

impl Failure {
    /// An artifact that was to be removed and is not there.
    pub(super) fn no_such_artifact(id: String) -> Self {
        let message = "The identifier to be removed from the Restore Session does not exist";
        Self {
            id,
            code: "Invalid",
            message: message.to_owned(),
            operation: "remove",
            status: 409,
        }
    }

    pub(super) fn no_such_unit(id: String) -> Self {
        Self {
            id,
            code: "ProtectionUnitNotFound",
            message: "ProtectionUnit doesn't exist.".to_owned(),
            operation: "remove",
            status: 404,
        }
    }

    pub(super) fn taken_unit(id: String, message: String) -> Self {
        Self {
            id,
            code: "ProtectionUnitAlreadyExists",
            message,
            operation: "add",
            status: 409,
        }
    }

    pub(super) fn fill(&self, object: &mut Object<'_>) {
        object.text("@contentId", &self.id);
        object.object("@Core.DataModificationException", |exception| {
            exception.object("info", |info| {
                info.text("code", self.code);
                info.text("message", &self.message);
            });
            exception.text("failedOperation", self.operation);
            exception.number("responseCode", self.status);
        });
        object.text("id", &self.id);
    }
}
