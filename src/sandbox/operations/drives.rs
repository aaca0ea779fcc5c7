//! `/users/{id}/drive`.

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::id::Kind;
use crate::sandbox::json::Object;
use crate::sandbox::odata::Query;
use crate::sandbox::{Sandbox, refusals};

use super::users;

const PROPERTIES: [&str; 7] = [
    "createdDateTime",
    "driveType",
    "id",
    "lastModifiedDateTime",
    "name",
    "owner",
    "webUrl",
];

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["select"], 1)?;
    query.check_select("drive", &PROPERTIES)?;
    let tenant = &sandbox.tenant;
    let person = users::find(sandbox, call.id())?;
    if !person.has_drive() {
        return Err(refusals::NO_DRIVE);
    }
    let mut body = Vec::with_capacity(512);
    let mut drive = Object::selecting(&mut body, query.select.as_deref());
    drive.text("@odata.context", call.context("drives/$entity"));
    drive.time("createdDateTime", person.drive_created());
    drive.text("driveType", "business");
    let id = tenant.ids.make(Kind::Drive, person.index, 0).simple();
    drive.plain("id", format_args!("b!{id}"));
    drive.time("lastModifiedDateTime", person.drive_created());
    drive.text("name", "OneDrive");
    drive.object("owner", |owner| {
        owner.object("user", |user| {
            user.text("displayName", person.display_name());
            user.text("email", person.mail().unwrap_or_else(|| person.upn()));
            user.plain("id", person.id());
        });
    });
    drive.text(
        "webUrl",
        format!("{}/Documents", tenant.personal_url(person.index)),
    );
    drive.end();
    Ok(Answer::json(200, body))
}
