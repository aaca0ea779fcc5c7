//! Who we are, and for how long.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::probe::{Findings, Probe};
use super::{Check, Verdict};
use crate::error::Fault;
use crate::graph::{Identity, SignInMethod};
use crate::text;

/// A token that cannot be renewed should last for the restore.
const SHORT: SignedDuration = SignedDuration::from_mins(30);
/// A secret or certificate that ends sooner should be replaced now.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The sign-in itself: a token was had, and `first` shows whether the service takes it.
pub(super) fn check(identity: &Identity, first: &Probe, now: Timestamp) -> Check {
    if first.is_token_refused()
        && let Some(error) = first.denial()
    {
        return Check::of_fault("sign-in", Verdict::Fails, &Fault::from(error)).access();
    }
    let claims = &identity.claims;
    let mut parts = vec![format!("by `{}`", identity.method)];
    match &claims.tenant {
        Some(tenant) => parts.push(format!("tenant `{tenant}`")),
        None => parts.push("a token that does not say whose it is".to_owned()),
    }
    if let Some(app) = &claims.app_id {
        let name = claims.app_name.iter().map(|name| format!(" ({name})"));
        parts.push(format!("app `{app}`{}", name.collect::<String>()));
    }
    if let Some(user) = &claims.user {
        parts.push(format!("user `{user}`"));
    }
    let left = identity.expires.map(|end| end.duration_since(now));
    if let (Some(end), Some(left)) = (identity.expires, left) {
        parts.push(format!("until {end:.0} (in {})", spell(left)));
    }
    let detail = parts.join(", ");
    // All other methods get a new one when it ends.
    let is_fixed = identity.method == SignInMethod::Token;
    if is_fixed && left.is_some_and(|left| left < SHORT) {
        return Check::warning("sign-in", detail)
            .access()
            .hint("this token cannot be renewed, and a restore runs for hours: sign in with another `--auth`");
    }
    Check::ok("sign-in", detail).access()
}

/// The secret or certificate behind it.
pub(super) fn credential(findings: &Findings, now: Timestamp) -> Check {
    let identity = &findings.identity;
    let ends = identity.credential_ends.or(findings.secret_ends);
    let (what, hint) = match identity.method {
        SignInMethod::Secret => (
            "the client secret",
            "make a new client secret for the app (Entra admin centre, App registrations, Certificates & secrets) and set AZURE_CLIENT_SECRET",
        ),
        SignInMethod::Certificate => (
            "the certificate",
            "upload a new certificate to the app (Entra admin centre, App registrations, Certificates & secrets) and set AZURE_CLIENT_CERTIFICATE_PATH",
        ),
        method => {
            return Check::ok(
                "credential",
                format!("`{method}` uses no secret or certificate of ours"),
            );
        }
    };
    judge(what, ends, now).map_or_else(
        || {
            let why = "only who may read the app registration (`Application.Read.All`, or its owner) is told";
            Check::ok("credential", format!("when {what} ends is not known: {why}"))
        },
        |check| {
            if check.result == Verdict::Ok {
                check
            } else {
                check.hint(hint)
            }
        },
    )
}

fn judge(what: &str, ends: Option<Timestamp>, now: Timestamp) -> Option<Check> {
    let ends = ends?;
    let left = ends.duration_since(now);
    let day = ends.strftime("%Y-%m-%d");
    Some(if left.is_negative() {
        Check::fails("credential", format!("{what} ended on {day}")).access()
    } else if left < SOON {
        Check::warning(
            "credential",
            format!("{what} ends on {day}, in {}", spell(left)),
        )
    } else {
        Check::ok("credential", format!("{what} ends on {day}"))
    })
}

fn spell(length: SignedDuration) -> String {
    text::time(Duration::try_from(length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graph::{Claims, Json};

    fn now() -> Timestamp {
        "2026-11-24T02:00:00Z".parse().unwrap()
    }

    fn identity(method: SignInMethod, minutes: i64) -> Identity {
        Identity {
            method,
            tried: Vec::new(),
            claims: Claims {
                tenant: Some("t-1".to_owned()),
                app_id: Some("a-1".to_owned()),
                app_name: Some("runback".to_owned()),
                user: Some("eve@contoso.example".to_owned()),
                ..Claims::default()
            },
            expires: Some(now() + SignedDuration::from_mins(minutes)),
            credential_ends: None,
        }
    }

    #[test]
    fn who_how_and_how_long_is_one_line() {
        let passed = Probe::Passed(Json::of(&json!({})));
        let check = |method, minutes| super::check(&identity(method, minutes), &passed, now());
        let row = check(SignInMethod::DeviceCode, 59);
        assert_eq!(
            (row.result, row.detail.as_str()),
            (
                Verdict::Ok,
                "by `device-code`, tenant `t-1`, app `a-1` (runback), user `eve@contoso.example`, until 2026-11-24T02:59:00Z (in 59 min)"
            )
        );
        assert_eq!(check(SignInMethod::Secret, 5).result, Verdict::Ok);
        assert_eq!(check(SignInMethod::Token, 5).result, Verdict::Warning);
        assert_eq!(check(SignInMethod::Token, 50).result, Verdict::Ok);
    }

    #[test]
    fn a_credential_that_ends_soon_is_said() {
        let rows = [
            (-1, Verdict::Fails, "the certificate ended on 2026-11-23"),
            (0, Verdict::Warning, "ends on 2026-11-24"),
            (29, Verdict::Warning, "ends on 2026-12-23, in 29 d"),
            (31, Verdict::Ok, "ends on 2026-12-25"),
        ];
        for (days, result, detail) in rows {
            let ends = now() + SignedDuration::from_hours(24 * days);
            let check = judge("the certificate", Some(ends), now()).unwrap();
            assert_eq!(check.result, result, "{check:?}");
            assert!(check.detail.contains(detail), "{check:?}");
        }
        assert_eq!(judge("x", None, now()), None);
    }
}
