//! What an error of Graph means for a person: the sentence, the advice, the exit code.
//!
//! Stands above `graph`, which knows calls and codes but nobody who reads them.

use crate::error::{Exit, Fault};
use crate::graph::{CallName, GraphError, ServiceError};

/// Refusals with a 401 or 403 that are about the state of an object, not about who asks.
///
/// Source: Graph docs, "Backup Storage API error responses".
const STATE_CODES: &[&str] = &[
    "InvalidStateForBulkRequestDeletion",
    "OperationNotAllowed",
    "PolicyActionNotAllowed",
    "RestoreSessionActionNotAllowed",
    "UnableToReadBillingProfile",
];

impl From<GraphError> for Fault {
    fn from(error: GraphError) -> Self {
        Self::from(&error)
    }
}

impl From<&GraphError> for Fault {
    fn from(error: &GraphError) -> Self {
        let mut fault = match error {
            GraphError::Refused { call, error: said } => refused(error, call, said),
            GraphError::Unknown { call, sent_at, .. } => Fault::new(Exit::Unknown, error.code(), error.to_string())
                .context(format!("{} {}, sent {sent_at:.0}", call.method, call.path))
                .hint("the service may or may not have acted: look at the tenant before sending it again"),
            GraphError::Unreachable { .. } => Fault::new(Exit::Unstarted, error.code(), error.to_string())
                .hint("is the network up? `HTTPS_PROXY`, `NO_PROXY` and `--ca-file` are obeyed; `--graph-url` names the service"),
            GraphError::Exhausted { call, error: said, .. } => {
                let fault = Fault::new(Exit::Unstarted, error.code(), error.to_string())
                    .context(format!("{} {}", call.method, call.path));
                if said.as_ref().is_some_and(|said| matches!(said.status, 429 | 503)) {
                    fault.hint("the service is throttling this tenant: try again later, or with a smaller `--in-flight`")
                } else {
                    fault.hint("the service is having trouble; its health page is in the Microsoft 365 admin centre")
                }
            }
            GraphError::Unusable { call, .. } => Fault::new(Exit::Unstarted, error.code(), error.to_string())
                .context(format!("{} {}", call.method, call.path))
                .hint("does a proxy or a sign-in page answer in place of Graph? check `HTTPS_PROXY` and `--graph-url`"),
            GraphError::Setup { hint, .. } => {
                let fault = Fault::new(Exit::Unstarted, error.code(), error.to_string());
                hint.iter().flat_map(|hint| hint.lines()).fold(fault, Fault::hint)
            }
            GraphError::SignIn { hint, context, .. } => {
                let fault = Fault::new(Exit::SignIn, error.code(), error.to_string());
                let fault = context.iter().fold(fault, Fault::context);
                hint.iter().flat_map(|hint| hint.lines()).fold(fault, Fault::hint)
            }
            GraphError::Stopped { .. } => Fault::new(Exit::Unstarted, error.code(), error.to_string()),
        };
        fault.status = error.status();
        fault.request_id = error.request_id().map(str::to_owned);
        fault
    }
}

fn refused(error: &GraphError, call: &CallName, said: &ServiceError) -> Fault {
    let fault = |exit| {
        Fault::new(exit, error.code(), error.to_string())
            .context(format!("{} {}", call.method, call.path))
    };
    // Said by the stand-in of a plan: nothing was asked of the service.
    if said.code == "NotPlannable" {
        return fault(Exit::Unstarted).hint(
            "`runback run` does it; `--sandbox` shows beforehand what a script does, in a simulated tenant",
        );
    }
    if STATE_CODES.contains(&said.code.as_str()) {
        return fault(Exit::Unstarted);
    }
    match said.status {
        401 => fault(Exit::SignIn).hint(
            "the token was not accepted: check the tenant, the client id and the secret, or get a new access token",
        ),
        403 => {
            let mut fault = fault(Exit::SignIn);
            let lower = call.path.to_ascii_lowercase();
            if lower.contains("browsesessions") || lower.contains("/granular") {
                fault = fault.hint(
                    "a signed-in person also needs the role `SharePoint Backup Administrator`",
                );
            }
            match permission(&call.method, &call.path) {
                Some(permission) => fault.hint(format!(
                    "grant the application permission `{permission}` (with admin consent) to the app, then run again"
                )),
                None => fault.hint("the app lacks a permission for this call"),
            }
        }
        413 => fault(Exit::Unstarted).hint(
            "the request is larger than the service, or a proxy before it, takes: give it less at once",
        ),
        429 => fault(Exit::Unstarted).hint("the service is throttling this tenant: try again later"),
        _ => fault(Exit::Unstarted),
    }
}

/// The least application permission that lets a call pass, as a person must type it into the app registration.
///
/// `path` is without version and query. Source: the permission tables of the operations' pages in Graph's documentation.
pub(crate) fn permission(method: &str, path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    let reads = method == "GET";
    let Some(backup) = path.strip_prefix("/solutions/backuprestore") else {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        return match parts[..] {
            ["users", ..] => Some("User.ReadBasic.All"),
            ["groups", ..] => Some("GroupMember.Read.All"),
            ["sites", ..] => Some("Sites.Read.All"),
            ["directory", "deleteditems", ..] => Some("User.Read.All"),
            _ => None,
        };
    };
    let collection = backup
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    Some(match collection {
        "restorepoints" => "BackupRestore-Search.Read.All",
        name if name.ends_with("browsesessions") => "BackupRestore-Restore.ReadWrite.All",
        name if name.ends_with("restoresessions") => {
            // The granular lists have no lesser permission than the one that changes.
            if reads && !backup.contains("/granulardrive") && !backup.contains("/granularsite") {
                "BackupRestore-Restore.Read.All"
            } else {
                "BackupRestore-Restore.ReadWrite.All"
            }
        }
        "emailnotificationssetting" => "BackupRestore-Control.ReadWrite.All",
        "" | "enable" | "serviceapps" => {
            if reads {
                "BackupRestore-Control.Read.All"
            } else {
                "BackupRestore-Control.ReadWrite.All"
            }
        }
        name if name.ends_with("policies")
            || name.ends_with("units")
            || name.ends_with("jobs")
            || name == "reports" =>
        {
            if reads {
                "BackupRestore-Configuration.Read.All"
            } else {
                "BackupRestore-Configuration.ReadWrite.All"
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Paint;

    #[test]
    fn each_call_names_the_least_permission_that_it_needs() {
        let rows = [
            ("GET", "/users", Some("User.ReadBasic.All")),
            ("GET", "/users/a@b/memberOf", Some("User.ReadBasic.All")),
            (
                "GET",
                "/groups/1/members/microsoft.graph.user",
                Some("GroupMember.Read.All"),
            ),
            (
                "GET",
                "/groups/1/transitiveMembers",
                Some("GroupMember.Read.All"),
            ),
            ("GET", "/groups", Some("GroupMember.Read.All")),
            (
                "GET",
                "/sites/contoso.sharepoint.com:/sites/x",
                Some("Sites.Read.All"),
            ),
            (
                "GET",
                "/solutions/backupRestore",
                Some("BackupRestore-Control.Read.All"),
            ),
            (
                "POST",
                "/solutions/backupRestore/enable",
                Some("BackupRestore-Control.ReadWrite.All"),
            ),
            (
                "POST",
                "/solutions/backupRestore/restorePoints/search",
                Some("BackupRestore-Search.Read.All"),
            ),
            (
                "GET",
                "/solutions/backupRestore/restorePoints",
                Some("BackupRestore-Search.Read.All"),
            ),
            (
                "GET",
                "/solutions/backupRestore/protectionUnits/microsoft.graph.mailboxProtectionUnit",
                Some("BackupRestore-Configuration.Read.All"),
            ),
            (
                "POST",
                "/solutions/backupRestore/protectionUnits/1/offboard",
                Some("BackupRestore-Configuration.ReadWrite.All"),
            ),
            (
                "GET",
                "/solutions/backupRestore/protectionPolicies",
                Some("BackupRestore-Configuration.Read.All"),
            ),
            (
                "GET",
                "/solutions/backupRestore/restoreSessions/1",
                Some("BackupRestore-Restore.Read.All"),
            ),
            (
                "POST",
                "/solutions/backupRestore/restoreSessions/1/activate",
                Some("BackupRestore-Restore.ReadWrite.All"),
            ),
            (
                "PATCH",
                "/solutions/backupRestore/exchangeRestoreSessions/1",
                Some("BackupRestore-Restore.ReadWrite.All"),
            ),
            (
                "GET",
                "/solutions/backupRestore/sharePointRestoreSessions/1/granularSiteRestoreArtifacts",
                Some("BackupRestore-Restore.ReadWrite.All"),
            ),
            (
                "GET",
                "/solutions/backupRestore/oneDriveForBusinessBrowseSessions",
                Some("BackupRestore-Restore.ReadWrite.All"),
            ),
            ("GET", "/solutions/backupRestore/somethingNew", None),
            ("GET", "/organization", None),
        ];
        for (method, path, expected) in rows {
            assert_eq!(permission(method, path), expected, "{method} {path}");
        }
    }

    fn refusal(method: &str, path: &str, status: u16, code: &str) -> Fault {
        Fault::from(GraphError::Refused {
            call: CallName {
                operation: "create session",
                method: method.into(),
                path: path.into(),
                client_request_id: "ours".into(),
            },
            error: ServiceError {
                status,
                code: code.into(),
                message: "Access is denied.".into(),
                details: "".into(),
                request_id: "theirs".into(),
            },
        })
    }

    #[test]
    fn a_missing_permission_is_named() {
        let path = "/solutions/backupRestore/exchangeRestoreSessions";
        let fault = refusal("POST", path, 403, "Authorization_RequestDenied");
        assert_eq!(fault.exit, Exit::SignIn);
        insta::assert_snapshot!(fault.render(Paint::Plain), @r"
        error: create session was refused: Access is denied.
           = POST /solutions/backupRestore/exchangeRestoreSessions
           = the service answered 403 Authorization_RequestDenied
           = request-id theirs

        hint: grant the application permission `BackupRestore-Restore.ReadWrite.All` (with admin consent) to the app, then run again
        ");
    }

    #[test]
    fn a_403_about_the_state_of_a_session_is_not_about_permissions() {
        let path = "/solutions/backupRestore/restoreSessions/1/activate";
        assert_eq!(
            refusal("POST", path, 403, "RestoreSessionActionNotAllowed").exit,
            Exit::Unstarted
        );
        assert_eq!(
            refusal("POST", path, 404, "RestoreSessionNotFound").exit,
            Exit::Unstarted
        );
        assert_eq!(
            refusal("POST", path, 401, "InvalidAuthenticationToken").exit,
            Exit::SignIn
        );
    }
}
