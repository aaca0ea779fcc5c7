//! One file per noun of the service; [`ROUTES`] says what is where.

mod activity;
mod artifact_input;
mod artifacts;
mod batch;
mod browse;
mod bulk;
mod delta;
mod drives;
mod granular;
mod groups;
mod mail_query;
mod notifications;
mod points;
mod policies;
mod policy_change;
mod policy_rest;
mod reports;
mod search;
mod service;
mod service_apps;
mod session_change;
mod sessions;
mod sites;
mod units;
mod user_search;
mod users;

use serde_json::{Map, Value};

pub(super) use notifications::Notifications;

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
const CONTROL_BY_PERSON: Needs = Needs {
    who: Who::Person,
    ..CONTROL_WRITE
};
const CONFIGURATION: Needs = one_of(&[
    "BackupRestore-Configuration.Read.All",
    "BackupRestore-Configuration.ReadWrite.All",
]);
const CONFIGURATION_WRITE: Needs = one_of(&["BackupRestore-Configuration.ReadWrite.All"]);
const CONFIGURATION_BY_PERSON: Needs = Needs {
    who: Who::Person,
    ..CONFIGURATION_WRITE
};
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
    POST "~/enable" CONTROL_WRITE => service::enable;
    LIST "~/serviceApps" CONTROL => service_apps::list;
    POST "~/serviceApps" CONTROL_WRITE => service_apps::create;
    GET "~/serviceApps/{id}" CONTROL => service_apps::get;
    DELETE "~/serviceApps/{id}" CONTROL_WRITE => service_apps::delete;
    POST "~/serviceApps/{id}/activate" CONTROL_BY_PERSON => service_apps::activate;
    POST "~/serviceApps/{id}/deactivate" CONTROL_BY_PERSON => service_apps::deactivate;
    GET "~/emailNotificationsSetting" CONTROL_WRITE => notifications::get;
    PATCH "~/emailNotificationsSetting" CONTROL_BY_PERSON => notifications::update;

    LIST "~/protectionPolicies" CONFIGURATION => policies::list_all;
    GET "~/protectionPolicies/{id}" CONFIGURATION => policies::get;
    DELETE "~/protectionPolicies/{id}" CONFIGURATION_WRITE => policies::delete;
    POST "~/protectionPolicies/{id}/activate" CONFIGURATION_WRITE => policies::activate;
    POST "~/protectionPolicies/{id}/deactivate" CONFIGURATION_WRITE => policies::deactivate;
    LIST "~/{policies}" CONFIGURATION => policies::list;
    POST "~/{policies}" CONFIGURATION_WRITE => policy_change::create;
    GET "~/{policies}/{id}" CONFIGURATION => policies::get;
    PATCH "~/{policies}/{id}" CONFIGURATION_WRITE => policy_change::update;
    LIST "~/{policies}/{id}/{units}" CONFIGURATION => units::list_of_policy;
    GET "~/{policies}/{id}/{units}/{item}" CONFIGURATION => units::get_of_policy;
    LIST "~/{policies}/{id}/{rules}" CONFIGURATION => policy_rest::rules;
    GET "~/{policies}/{id}/{rules}/{item}" CONFIGURATION => policy_rest::rule;
    LIST "~/{policies}/{id}/{jobs}" CONFIGURATION => policy_rest::jobs;
    GET "~/{policies}/{id}/{jobs}/{item}" CONFIGURATION => policy_rest::job;

    LIST "~/protectionUnits" CONFIGURATION => units::list_all;
    LIST "~/protectionUnits/microsoft.graph.{unit}" CONFIGURATION => units::list;
    GET "~/protectionUnits/{id}" CONFIGURATION => units::get;
    POST "~/protectionUnits/{id}/offboard" CONFIGURATION_BY_PERSON => units::offboard;
    POST "~/protectionUnits/{id}/cancelOffboard" CONFIGURATION_BY_PERSON => units::cancel_offboard;
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
    PATCH "~/{sessions}/{id}" RESTORE_WRITE => session_change::update;
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
};

/// What only beta has.
pub(super) static BETA_ROUTES: &[Route] = routes! {
    LIST "~/{policies}/{id}/{exclusions}" CONFIGURATION => policy_rest::exclusions;
    GET "~/{policies}/{id}/{exclusions}/{item}" CONFIGURATION => policy_rest::exclusion;
    LIST "~/{policies}/{id}/{exclusion_jobs}" CONFIGURATION => policy_rest::exclusion_jobs;
    GET "~/{policies}/{id}/{exclusion_jobs}/{item}" CONFIGURATION => policy_rest::exclusion_job;

    GET "~/reports/getStatisticsByPolicy(policyId='{policy}')" CONFIGURATION => reports::of_policy;
    // No page and no list of permissions says what it takes.
    LIST "~/activityLogs" RESTORE => activity::list;
};
