//! The permissions that a restore needs: what the token says of them, and what the service says when they are used.

use super::probe::{Findings, Probe};
use super::{Check, Verdict};
use crate::graph::Claims;

/// One permission of Microsoft Graph.
///
/// Source: the permission tables of the operations' pages in Graph's documentation.
struct Permission {
    /// What to grant.
    name: &'static str,
    /// Permissions that let the same calls pass.
    also: &'static [&'static str],
    /// A restore cannot do without.
    is_needed: bool,
    what_for: &'static str,
}

const PERMISSIONS: &[Permission] = &[
    Permission {
        name: "BackupRestore-Restore.ReadWrite.All",
        also: &[],
        is_needed: true,
        what_for: "create, fill, activate and watch restore sessions",
    },
    Permission {
        name: "BackupRestore-Search.Read.All",
        also: &[],
        is_needed: true,
        what_for: "find restore points",
    },
    Permission {
        name: "BackupRestore-Configuration.Read.All",
        also: &["BackupRestore-Configuration.ReadWrite.All"],
        is_needed: true,
        what_for: "see who is protected",
    },
    Permission {
        name: "User.ReadBasic.All",
        also: &[
            "User.Read.All",
            "User.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        is_needed: true,
        what_for: "find people and their names",
    },
    Permission {
        name: "GroupMember.Read.All",
        also: &[
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        is_needed: true,
        what_for: "find groups and their members",
    },
    Permission {
        name: "BackupRestore-Control.Read.All",
        also: &["BackupRestore-Control.ReadWrite.All"],
        is_needed: false,
        what_for: "see the service's status and its controller apps",
    },
    Permission {
        name: "Sites.Read.All",
        also: &[
            "Sites.ReadWrite.All",
            "Sites.Manage.All",
            "Sites.FullControl.All",
        ],
        is_needed: false,
        what_for: "find SharePoint sites by name or address",
    },
];

/// The checks' names.
pub(super) fn names() -> impl Iterator<Item = String> {
    PERMISSIONS.iter().map(Permission::check)
}

pub(super) fn check(findings: &Findings) -> Vec<Check> {
    let claims = &findings.identity.claims;
    let rows = PERMISSIONS.iter();
    rows.map(|permission| permission.judge(claims, &permission.probed(findings)))
        .collect()
}

/// What the service says when a permission is used.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Used {
    Passed,
    Denied(String),
    /// There was no occasion, or something else went wrong.
    Unclear(String),
}

impl Used {
    fn of(probe: &Probe) -> Self {
        match probe {
            Probe::Passed(_) => Self::Passed,
            Probe::Failed(error) if probe.denial().is_some() => Self::Denied(format!(
                "{} {}",
                error.status().unwrap_or_default(),
                error.code()
            )),
            Probe::Failed(error) => Self::Unclear(error.to_string()),
        }
    }

    /// The clearest of several.
    fn of_all<'p>(probes: impl Iterator<Item = &'p Probe>, none: &str) -> Self {
        let mut said: Vec<Self> = probes.map(Self::of).collect();
        let denied = said.iter().position(|used| matches!(used, Self::Denied(_)));
        let passed = said.iter().position(|used| *used == Self::Passed);
        match denied.or(passed) {
            Some(position) => said.swap_remove(position),
            None => said.pop().unwrap_or_else(|| Self::Unclear(none.to_owned())),
        }
    }
}

impl Permission {
    fn check(&self) -> String {
        format!("permission {}", self.name)
    }

    fn probed(&self, findings: &Findings) -> Used {
        let protection = findings.protection.iter();
        match self.name {
            "BackupRestore-Restore.ReadWrite.All" => Used::of(&findings.browse),
            "BackupRestore-Search.Read.All" => Used::of_all(
                protection.filter_map(|protection| protection.points.as_ref()),
                "there is no unit whose points could be asked for",
            ),
            "BackupRestore-Configuration.Read.All" => {
                Used::of_all(protection.map(|protection| &protection.units), "")
            }
            "User.ReadBasic.All" => Used::of(&findings.users),
            "GroupMember.Read.All" => Used::of(&findings.groups),
            "BackupRestore-Control.Read.All" => Used::of(&findings.status),
            _ => Used::of(&findings.sites),
        }
    }

    /// What a token says can be old, what a call shows is now: the call is believed, where it was clear.
    fn judge(&self, claims: &Claims, used: &Used) -> Check {
        let is_delegated = !claims.scopes.is_empty();
        let granted = if is_delegated {
            &claims.scopes
        } else {
            &claims.roles
        };
        let is_opaque = claims.roles.is_empty() && claims.tenant.is_none() && !is_delegated;
        let held = granted
            .iter()
            .find(|name| *name == self.name || self.also.contains(&name.as_str()));
        let missing = if self.is_needed {
            Verdict::Fails
        } else {
            Verdict::Warning
        };
        let row = |result, detail: String| Check::new(self.check(), result, detail).access();
        let lacks = |detail: String| {
            row(missing, format!("{detail}: needed to {}", self.what_for))
                .hint(self.how_to_grant(claims, is_delegated))
        };
        let has = |name: &str| {
            if name == self.name {
                "granted".to_owned()
            } else {
                format!("granted, by `{name}`")
            }
        };
        match (held, used) {
            (Some(name), Used::Passed) => row(Verdict::Ok, has(name)),
            (Some(name), Used::Unclear(_)) => row(Verdict::Ok, has(name)),
            (None, Used::Passed) if is_opaque => {
                row(Verdict::Ok, "the service lets such a call pass".to_owned())
            }
            (None, Used::Passed) => row(
                Verdict::Ok,
                "not in the token, but the service lets such a call pass".to_owned(),
            ),
            (Some(_), Used::Denied(answer)) if is_delegated => row(
                missing,
                format!("consented to, but the service answers {answer}"),
            )
            .hint("the signed-in user needs an administrator role for it, for example Exchange Backup Administrator or SharePoint Backup Administrator"),
            (Some(_), Used::Denied(answer)) => {
                lacks(format!("in the token, but the service answers {answer}"))
            }
            (None, Used::Denied(answer)) => lacks(format!("the service answers {answer}")),
            (None, Used::Unclear(_)) if !is_opaque => lacks("not granted".to_owned()),
            (None, Used::Unclear(why)) => row(
                Verdict::Warning,
                format!("cannot be told: the token does not say, and {why}"),
            ),
        }
    }

    fn how_to_grant(&self, claims: &Claims, is_delegated: bool) -> String {
        let kind = if is_delegated {
            "delegated"
        } else {
            "application"
        };
        let app = match &claims.app_id {
            Some(id) => format!("app `{id}`"),
            None => "the app".to_owned(),
        };
        format!(
            "grant {app} the {kind} permission `{}` of Microsoft Graph, with admin consent (Entra admin centre, App registrations, API permissions)",
            self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(name: &str) -> &'static Permission {
        PERMISSIONS
            .iter()
            .find(|permission| permission.name == name)
            .unwrap()
    }

    fn app(roles: &[&str]) -> Claims {
        Claims {
            tenant: Some("t".to_owned()),
            app_id: Some("a-1".to_owned()),
            roles: roles.iter().map(ToString::to_string).collect(),
            ..Claims::default()
        }
    }

    fn user(scopes: &[&str]) -> Claims {
        Claims {
            user: Some("eve@x".to_owned()),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            ..app(&[])
        }
    }

    #[test]
    fn token_and_service_together_say_what_is_granted() {
        use Verdict::{Fails, Ok, Warning};
        let denied = || Used::Denied("403 Authorization_RequestDenied".to_owned());
        let unclear = || Used::Unclear("it rained".to_owned());
        let read = "User.ReadBasic.All";
        let more = "User.Read.All";
        let control = "BackupRestore-Control.Read.All";
        let rows = [
            (read, app(&[read]), Used::Passed, Ok, "granted"),
            (
                read,
                app(&[more]),
                Used::Passed,
                Ok,
                "granted, by `User.Read.All`",
            ),
            (read, app(&[more]), unclear(), Ok, "granted, by"),
            (read, app(&[]), Used::Passed, Ok, "not in the token, but"),
            (
                read,
                app(&[]),
                unclear(),
                Fails,
                "not granted: needed to find people",
            ),
            (
                read,
                app(&[]),
                denied(),
                Fails,
                "the service answers 403 Auth",
            ),
            (
                read,
                app(&[read]),
                denied(),
                Fails,
                "in the token, but the service answers 403",
            ),
            (read, user(&[read]), denied(), Fails, "consented to, but"),
            (read, user(&[read]), Used::Passed, Ok, "granted"),
            (
                read,
                Claims::default(),
                Used::Passed,
                Ok,
                "lets such a call pass",
            ),
            (
                read,
                Claims::default(),
                denied(),
                Fails,
                "the service answers 403",
            ),
            (read, Claims::default(), unclear(), Warning, "and it rained"),
            (
                control,
                app(&[]),
                denied(),
                Warning,
                "see the service's status",
            ),
        ];
        for (name, claims, used, result, detail) in rows {
            let check = permission(name).judge(&claims, &used);
            assert_eq!(check.result, result, "{check:?}");
            assert!(check.detail.contains(detail), "{check:?}");
            assert_eq!(check.check, format!("permission {name}"));
            assert!(check.is_access);
        }
    }

    #[test]
    fn what_to_grant_to_whom_is_said_exactly() {
        let hint = |claims| {
            permission("User.ReadBasic.All")
                .judge(&claims, &Used::Unclear(String::new()))
                .hint
                .unwrap()
        };
        assert!(hint(app(&[])).starts_with(
            "grant app `a-1` the application permission `User.ReadBasic.All` of Microsoft Graph, with admin consent"
        ));
        assert!(hint(user(&["openid"])).contains("the delegated permission `User.ReadBasic.All`"));
    }
}
