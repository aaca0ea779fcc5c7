//! One file per noun of the service; [`ROUTES`] says what is where.

mod artifacts;
mod batch;
mod browse;
mod bulk;
mod drives;
mod granular;
mod groups;
mod mail_query;
mod points;
mod policies;
mod search;
mod service;
mod sessions;
mod sites;
mod units;
mod users;

use serde_json::{Map, Value};

use super::access::{Needs, Who};
use super::answer::Refusal;
use super::router::{Route, RouteMethod};

/// True where only points for fast restores are wanted.
pub(super) fn is_fast_only(tags: &str) -> bool {
    tags.split(',')
        .any(|tag| tag.trim().eq_ignore_ascii_case("fastRestore"))
}

/// The flags in `tags`, as they were sent.
///
/// # Errors
/// `refusal` for what is no tag of this version.
fn tags(
    body: &Map<String, Value>,
    beta: bool,
    refusal: &Refusal,
) -> Result<Option<String>, Refusal> {
    let known = |tag: &str| {
        // Pages write the members with and without a capital.
        let tag = tag.trim();
        ["none", "fastRestore"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(tag))
            || beta && tag.eq_ignore_ascii_case("includeNewerItems")
    };
    match body.get("tags") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(tags)) if tags.split(',').all(known) => Ok(Some(tags.clone())),
        Some(other) => Err(refusal
            .clone()
            .because(format!("{other} is no restore point tag"))),
    }
}

const fn one_of(permissions: &'static [&'static str]) -> Needs {
    Needs {
        permissions,
        who: Who::Anybody,
    }
}

const NOTHING: Needs = one_of(&[]);
const USERS: Needs = one_of(&["User.ReadBasic.All", "User.Read.All"]);
const GROUPS: Needs = one_of(&["GroupMember.ReadBasic.All", "GroupMember.Read.All"]);
const FILES: Needs = one_of(&["Files.Read.All"]);
const SITES: Needs = one_of(&["Sites.Read.All"]);
const ALL_SITES: Needs = Needs {
    who: Who::App,
    ..SITES
};
const CONTROL: Needs = one_of(&[
    "BackupRestore-Control.Read.All",
    "BackupRestore-Control.ReadWrite.All",
]);
const CONTROL_WRITE: Needs = one_of(&["BackupRestore-Control.ReadWrite.All"]);
const CONFIGURATION: Needs = one_of(&[
    "BackupRestore-Configuration.Read.All",
    "BackupRestore-Configuration.ReadWrite.All",
]);
const SEARCH: Needs = one_of(&["BackupRestore-Search.Read.All"]);
const RESTORE: Needs = one_of(&[
    "BackupRestore-Restore.Read.All",
    "BackupRestore-Restore.ReadWrite.All",
]);
const RESTORE_WRITE: Needs = one_of(&["BackupRestore-Restore.ReadWrite.All"]);

macro_rules! routes {
    ($($method:ident $path:literal $needs:expr => $handler:expr;)*) => {
        &[$(Route { method: RouteMethod::$method, path: $path, needs: $needs, handler: $handler }),*]
    };
}

/// What both versions have.
pub(super) static ROUTES: &[Route] = routes! {
    GET "/users" USERS => users::list;
    GET "/users/$count" USERS => users::count;
    GET "/users/{id}" USERS => users::get;
    GET "/users/{id}/drive" FILES => drives::get;
    GET "/groups" GROUPS => groups::list;
    GET "/groups/{id}" GROUPS => groups::get;
    GET "/groups/{id}/members" GROUPS => groups::members;
    GET "/groups/{id}/members/microsoft.graph.user" GROUPS => groups::user_members;
    GET "/groups/{id}/transitiveMembers" GROUPS => groups::transitive_members;
    GET "/groups/{id}/transitiveMembers/microsoft.graph.user" GROUPS => groups::transitive_user_members;
    GET "/sites" SITES => sites::search;
    GET "/sites/root" SITES => sites::get;
    GET "/sites/getAllSites" ALL_SITES => sites::all;
    GET "/sites/getAllSites()" ALL_SITES => sites::all;
    GET "/sites/{id}" SITES => sites::get;
    GET "/sites/{host}:/{*path}" SITES => sites::get_by_path;

    ASK "/$batch" NOTHING => batch::batch;

    GET "~" CONTROL => service::root;
    LIST "~/serviceApps" CONTROL => service::apps;
    GET "~/serviceApps/{id}" CONTROL => service::app;

    LIST "~/protectionPolicies" CONFIGURATION => policies::list_all;
    GET "~/protectionPolicies/{id}" CONFIGURATION => policies::get;
    LIST "~/{policies}" CONFIGURATION => policies::list;
    GET "~/{policies}/{id}" CONFIGURATION => policies::get;
    LIST "~/{policies}/{id}/{units}" CONFIGURATION => units::list_of_policy;

    LIST "~/protectionUnits" CONFIGURATION => units::list_all;
    LIST "~/protectionUnits/microsoft.graph.{unit}" CONFIGURATION => units::list;
    GET "~/protectionUnits/{id}" CONFIGURATION => units::get;
    GET "~/protectionUnits/{id}/microsoft.graph.{unit}" CONFIGURATION => units::get;
    LIST "~/{units}" CONFIGURATION => units::list;
    GET "~/{units}/{id}" CONFIGURATION => units::get;

    GET "~/restorePoints" SEARCH => points::list;
    SEARCH "~/restorePoints/search" SEARCH => search::search;
    GET "~/restorePoints/{id}" SEARCH => points::get;
    GET "~/restorePoints/{id}/protectionUnit" SEARCH => points::unit;

    LIST "~/restoreSessions" RESTORE => sessions::list_all;
    GET "~/restoreSessions/{id}" RESTORE => sessions::get;
    DELETE "~/restoreSessions/{id}" RESTORE_WRITE => sessions::delete;
    POST "~/restoreSessions/{id}/activate" RESTORE_WRITE => sessions::activate;
    LIST "~/{sessions}" RESTORE => sessions::list;
    POST "~/{sessions}" RESTORE_WRITE => sessions::create;
    GET "~/{sessions}/{id}" RESTORE => sessions::get;
    PATCH "~/{sessions}/{id}" RESTORE_WRITE => sessions::update;
    LIST "~/{sessions}/{id}/{artifacts}" RESTORE => artifacts::list;
    GET "~/{sessions}/{id}/{artifacts}/{item}" RESTORE => artifacts::get;
    GET "~/{sessions}/{id}/{artifacts}/{item}/restorePoint" RESTORE => artifacts::get_point;
    LIST "~/{sessions}/{id}/{items}" RESTORE_WRITE => granular::list;
    GET "~/{sessions}/{id}/{items}/{item}" RESTORE_WRITE => granular::get;
    LIST "~/{sessions}/{id}/{mails}" RESTORE => artifacts::list_mails;
    GET "~/{sessions}/{id}/{mails}/{item}" RESTORE => artifacts::get_mails;
    GET "~/{sessions}/{id}/{mails}/{item}/restorePoint" RESTORE => artifacts::get_point;
    LIST "~/{sessions}/{id}/{bulk}" RESTORE => bulk::list;
    POST "~/{sessions}/{id}/{bulk}" RESTORE_WRITE => bulk::create;
    GET "~/{sessions}/{id}/{bulk}/{item}" RESTORE => bulk::get;
    DELETE "~/{sessions}/{id}/{bulk}/{item}" RESTORE_WRITE => bulk::delete;

    LIST "~/browseSessions" RESTORE_WRITE => browse::list;
    GET "~/browseSessions/{id}" RESTORE_WRITE => browse::get;
    ASK "~/browseSessions/{id}/browse" RESTORE_WRITE => browse::browse;
    GET "~/browseSessions/{id}/browse(nextFetchToken='{token}')" RESTORE_WRITE => browse::browse_on;
    LIST "~/{browsing}" RESTORE_WRITE => browse::list;
    POST "~/{browsing}" RESTORE_WRITE => browse::create;
    GET "~/{browsing}/{id}" RESTORE_WRITE => browse::get;
    ASK "~/{browsing}/{id}/browse" RESTORE_WRITE => browse::browse;
    GET "~/{browsing}/{id}/browse" RESTORE_WRITE => browse::browse_on;

    // Documented, and not built yet: 501 says so, where 404 would send a reader looking for a typing mistake.
    POST "~/enable" CONTROL_WRITE => service::later;
};

/// What only beta has.
pub(super) static BETA_ROUTES: &[Route] = routes! {};
