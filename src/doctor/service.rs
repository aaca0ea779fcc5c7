//! What the Backup Storage service lets this tenant and this app do now.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::probe::{Findings, Probe};
use super::{Check, Verdict};
use crate::error::Fault;
use crate::graph::Json;
use crate::instant;
use crate::text;

/// Restores that will be forbidden sooner than this are worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 7);

const ADMIN_CENTRE: &str = "Microsoft 365 admin centre, Settings, Microsoft 365 Backup";

/// A call that was refused for want of a permission is no failure: a restore can do without this knowledge.
fn unseen(check: &str, probe: &Probe) -> Option<Check> {
    let Probe::Failed(error) = probe else {
        return None;
    };
    Some(if probe.denial().is_some() {
        Check::warning(
            check,
            "cannot be seen without the permission `BackupRestore-Control.Read.All`",
        )
    } else {
        Check::of_fault(check, Verdict::Fails, &Fault::from(error))
    })
}

/// `serviceStatus`: enabled, locked, disabled and why.
pub(super) fn status(probe: &Probe, now: Timestamp) -> Check {
    if let Some(unseen) = unseen("service", probe) {
        return unseen;
    }
    let status = probe
        .answer()
        .and_then(|answer| answer.property("serviceStatus"));
    let Some(status) = status.filter(|status| !status.is_null()) else {
        return Check::warning("service", "the service does not say its status");
    };
    let state = status.string("status").unwrap_or_default();
    let reason = status
        .string("disableReason")
        .filter(|reason| reason != "none");
    let at = |name| instant::parse(&status.string(name)?);
    let (grace, restores) = (at("gracePeriodDateTime"), at("restoreAllowedTillDateTime"));
    let mut detail = match state.as_str() {
        "enabled" => "enabled".to_owned(),
        "protectionChangeLocked" => {
            "`protectionChangeLocked`: nobody can be protected anew, restores are allowed"
                .to_owned()
        }
        "restoreLocked" => "`restoreLocked`: no restore is allowed".to_owned(),
        "disabled" => "disabled: no restore is allowed".to_owned(),
        other => format!("`{other}`, which this version does not know"),
    };
    if let Some(reason) = &reason {
        detail += &format!(", because of `{reason}`");
    }
    if let Some(end) = grace {
        detail += &format!(", grace period until {}", until(end, now));
    }
    if let Some(end) = restores {
        detail += &format!(", restores until {}", until(end, now));
    }
    let is_ending = [grace, restores]
        .into_iter()
        .flatten()
        .any(|end| end.duration_since(now) < SOON);
    let result = match state.as_str() {
        "enabled" if !is_ending => Verdict::Ok,
        "restoreLocked" | "disabled" => Verdict::Fails,
        _ => Verdict::Warning,
    };
    let check = Check::new("service", result, detail);
    if result == Verdict::Ok {
        return check;
    }
    check.hint(match reason.as_deref() {
        Some("invalidBillingProfile") => {
            "repair the billing of Microsoft 365 Backup: a valid Azure subscription and pay-as-you-go billing profile (Microsoft 365 admin centre, Settings, Org settings, Pay-as-you-go)".to_owned()
        }
        Some("controllerServiceAppDeleted") => {
            "register the controller app anew: POST /solutions/backupRestore/serviceApps, then activate it".to_owned()
        }
        Some("userRequested") => format!("somebody has switched it off; switch it on again ({ADMIN_CENTRE})"),
        _ => format!("see {ADMIN_CENTRE}; its state is also in the service health page"),
    })
}

fn until(end: Timestamp, now: Timestamp) -> String {
    let left = end.duration_since(now);
    match Duration::try_from(left) {
        Ok(left) => format!("{end:.0} (in {})", text::time(left)),
        Err(_) => format!("{end:.0}, which is over"),
    }
}

/// Whether our app is the one that controls backup in this tenant.
pub(super) fn app(findings: &Findings) -> Check {
    if let Some(unseen) = unseen("service app", &findings.apps) {
        return unseen;
    }
    let apps = findings
        .apps
        .answer()
        .and_then(|answer| answer.property("value"))
        .map(|value| value.elements())
        .unwrap_or_default();
    judge(&apps, findings.identity.claims.app_id.as_deref())
}

/// Of several apps at most one is the controller.
fn judge(apps: &[Json], ours: Option<&str>) -> Check {
    let name = "service app";
    let id = |app: &Json| app.property("application").and_then(|app| app.string("id"));
    let status = |app: &Json| app.string("status").unwrap_or_default();
    let activate = "a signed-in administrator activates it: POST /solutions/backupRestore/serviceApps/{id}/activate (application permissions do not suffice)";
    if apps.is_empty() {
        return Check::fails(name, "no app is registered as a controller of backup")
            .hint("register it: POST /solutions/backupRestore/serviceApps, then let a signed-in administrator activate it");
    }
    let active = apps.iter().find(|app| status(app) == "active");
    let active_id = active.and_then(id);
    let Some(ours) = ours else {
        return match active {
            Some(_) => Check::warning(
                name,
                format!(
                    "app `{}` is active; the token does not say whether we are that app",
                    active_id.as_deref().unwrap_or("?")
                ),
            ),
            None => Check::fails(
                name,
                format!("no app is active ({} registered)", apps.len()),
            )
            .hint(activate),
        };
    };
    let own = apps
        .iter()
        .find(|app| id(app).is_some_and(|id| id.eq_ignore_ascii_case(ours)));
    let Some(own) = own else {
        let who = active_id.map_or_else(
            || "none is active".to_owned(),
            |id| format!("app `{id}` is active"),
        );
        return Check::fails(
            name,
            format!("our app `{ours}` is not among the {} registered ones; {who}", apps.len()),
        )
        .hint("sign in as the active app, or register this one: POST /solutions/backupRestore/serviceApps");
    };
    let since = own
        .string("effectiveDateTime")
        .map(|when| format!(" from {when}"))
        .unwrap_or_default();
    match status(own).as_str() {
        "active" => Check::ok(name, format!("our app `{ours}` is the active controller")),
        "pendingActive" => Check::warning(name, format!("our app `{ours}` becomes active{since}"))
            .hint("wait until it is active before a restore"),
        "pendingInactive" => {
            Check::warning(name, format!("our app `{ours}` becomes inactive{since}"))
                .hint("another app takes over: sign in as that one")
        }
        "inactive" => {
            let other = active_id.map(|id| format!("; app `{id}` is active"));
            Check::fails(
                name,
                format!("our app `{ours}` is inactive{}", other.unwrap_or_default()),
            )
            .hint(activate)
        }
        other => Check::warning(
            name,
            format!("our app `{ours}` is `{other}`, which this version does not know"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn each_status_is_told_with_what_follows_from_it() {
        let now: Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
        let rows: [(Value, Verdict, &str, &str); 8] = [
            (
                json!({"status": "enabled", "disableReason": "none"}),
                Verdict::Ok,
                "enabled",
                "",
            ),
            (
                json!({"status": "enabled", "restoreAllowedTillDateTime": "2026-11-26T02:00:00Z"}),
                Verdict::Warning,
                "restores until 2026-11-26T02:00:00Z (in 2 d)",
                "service health",
            ),
            (
                json!({"status": "protectionChangeLocked", "gracePeriodDateTime": "2026-12-24T02:00:00Z"}),
                Verdict::Warning,
                "grace period until 2026-12-24T02:00:00Z (in 30 d)",
                "admin centre",
            ),
            (
                json!({"status": "restoreLocked", "disableReason": "invalidBillingProfile"}),
                Verdict::Fails,
                "no restore is allowed, because of `invalidBillingProfile`",
                "billing",
            ),
            (
                json!({"status": "disabled", "disableReason": "userRequested"}),
                Verdict::Fails,
                "disabled",
                "switch it on again",
            ),
            (
                json!({"status": "disabled", "disableReason": "controllerServiceAppDeleted"}),
                Verdict::Fails,
                "controllerServiceAppDeleted",
                "serviceApps",
            ),
            (
                json!({"status": "asleep"}),
                Verdict::Warning,
                "does not know",
                "admin centre",
            ),
            (json!(null), Verdict::Warning, "does not say", ""),
        ];
        for (said, result, detail, hint) in rows {
            let answer = Json::of(&json!({ "serviceStatus": said }));
            let check = status(&Probe::Passed(answer), now);
            assert_eq!(check.result, result, "{check:?}");
            assert!(check.detail.contains(detail), "{check:?}");
            assert!(check.hint.unwrap_or_default().contains(hint), "{said}");
        }
    }

    #[test]
    fn our_app_is_looked_for_among_the_controllers() {
        let apps = |list: &[(&str, &str)]| -> Vec<Json> {
            list.iter()
                .map(|(id, status)| Json::of(&json!({"status": status, "application": {"id": id}, "effectiveDateTime": "2026-11-30T00:00:00Z"})))
                .collect()
        };
        let us = Some("US-1");
        let rows = [
            (
                vec![("us-1", "active")],
                us,
                Verdict::Ok,
                "is the active controller",
            ),
            (
                vec![("a", "inactive"), ("us-1", "active")],
                us,
                Verdict::Ok,
                "active",
            ),
            (
                vec![("us-1", "inactive"), ("b", "active")],
                us,
                Verdict::Fails,
                "inactive; app `b` is active",
            ),
            (
                vec![("us-1", "inactive")],
                us,
                Verdict::Fails,
                "is inactive",
            ),
            (
                vec![("us-1", "pendingActive")],
                us,
                Verdict::Warning,
                "becomes active from 2026-11-30",
            ),
            (
                vec![("us-1", "pendingInactive")],
                us,
                Verdict::Warning,
                "becomes inactive",
            ),
            (
                vec![("us-1", "dreaming")],
                us,
                Verdict::Warning,
                "does not know",
            ),
            (
                vec![("b", "active")],
                us,
                Verdict::Fails,
                "not among the 1 registered ones; app `b` is active",
            ),
            (vec![], us, Verdict::Fails, "no app is registered"),
            (
                vec![("b", "active")],
                None,
                Verdict::Warning,
                "does not say whether",
            ),
            (
                vec![("b", "inactive")],
                None,
                Verdict::Fails,
                "no app is active (1 registered)",
            ),
        ];
        for (list, ours, result, detail) in rows {
            let check = judge(&apps(&list), ours);
            assert_eq!(check.result, result, "{check:?}");
            assert!(check.detail.contains(detail), "{check:?}");
            assert_eq!(
                check.hint.is_some(),
                result == Verdict::Fails || check.detail.contains("becomes"),
                "{check:?}"
            );
        }
    }
}
