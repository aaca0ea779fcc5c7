//! How we are signed in, and whom the token speaks for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

/// A way of getting a token, by the name that `--auth` has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignInMethod {
    Secret,
    Certificate,
    Token,
    WorkloadIdentity,
    ManagedIdentity,
    Cli,
    DeviceCode,
    Sandbox,
}

impl fmt::Display for SignInMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Token => "token",
            Self::WorkloadIdentity => "workload-identity",
            Self::ManagedIdentity => "managed-identity",
            Self::Cli => "cli",
            Self::DeviceCode => "device-code",
            Self::Sandbox => "sandbox",
        })
    }
}

/// A method that was looked at on the way to a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tried {
    pub method: SignInMethod,
    pub taken: bool,
    /// `AZURE_CLIENT_SECRET is not set`
    pub why: String,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, taken, why } = self;
        let taken = if *taken { "taken" } else { "not taken" };
        write!(f, "{method} was {taken}: {why}")
    }
}

/// How we are signed in and as whom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Identity {
    pub method: SignInMethod,
    /// What was looked at, in this order. The last one was taken.
    pub tried: Vec<Tried>,
    /// What the token says.
    pub claims: Claims,
    /// When the token ends; `None` where nobody said.
    pub expires: Option<Timestamp>,
    /// When the certificate behind it ends. Of a secret only [`super::super::Client::secret_ends`] may know.
    pub credential_ends: Option<Timestamp>,
}

/// Whom the token speaks for, read out of it (never verified by us); all empty for an opaque token.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Claims {
    /// `tid`
    pub tenant: Option<String>,
    /// `appid`
    pub app_id: Option<String>,
    /// `app_displayname`
    pub app_name: Option<String>,
    /// `oid`: the service principal's object id, or the user's.
    pub object_id: Option<String>,
    /// `upn`, in a delegated token only.
    pub user: Option<String>,
    /// Application permissions.
    pub roles: Vec<String>,
    /// Delegated permissions, `scp`.
    pub scopes: Vec<String>,
    /// `exp`
    pub expires: Option<Timestamp>,
}

impl Claims {
    /// Reads the middle part of a JWT. Anything else gives empty claims: access tokens are opaque by contract, this is
    /// for messages and for the tenant's name in a report.
    pub(super) fn of(token: &str) -> Self {
        let Some(claims) = claims(token) else {
            return Self::default();
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let scopes = text("scp").unwrap_or_default();
        let roles = claims.get("roles").and_then(Value::as_array);
        Self {
            tenant: text("tid"),
            app_id: text("appid").or_else(|| text("azp")),
            app_name: text("app_displayname"),
            object_id: text("oid"),
            user: text("upn").or_else(|| text("preferred_username")),
            roles: roles
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            expires: claims
                .get("exp")
                .and_then(Value::as_i64)
                .and_then(|second| Timestamp::from_second(second).ok()),
        }
    }
}

fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, Some(_)) = (parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn claims_are_read_out_of_a_jwt() {
        let app = Claims::of(&jwt(
            r#"{"tid":"t1","appid":"a1","oid":"o1","app_displayname":"runback","roles":["User.Read.All","X"],"exp":1800000000}"#,
        ));
        assert_eq!(app.tenant.as_deref(), Some("t1"));
        assert_eq!(app.app_id.as_deref(), Some("a1"));
        assert_eq!(app.object_id.as_deref(), Some("o1"));
        assert_eq!(app.app_name.as_deref(), Some("runback"));
        assert_eq!((app.user, app.scopes), (None, Vec::new()));
        assert_eq!(app.roles, ["User.Read.All", "X"]);
        assert_eq!(app.expires.unwrap().as_second(), 1_800_000_000);
        let user = Claims::of(&jwt(
            r#"{"upn":"eve@x","scp":"A B","app_displayname":"runback"}"#,
        ));
        assert_eq!(user.user.as_deref(), Some("eve@x"));
        assert_eq!(
            (user.scopes, user.roles),
            (vec!["A".into(), "B".into()], Vec::new())
        );
    }

    #[test]
    fn an_opaque_token_says_nothing() {
        for token in [
            "",
            "opaque",
            "a.b",
            "a.!!.c",
            "e30.W10.x",
            "EwB...opaque...==",
        ] {
            assert_eq!(Claims::of(token), Claims::default(), "{token}");
        }
    }

    #[test]
    fn a_token_is_read_whatever_comes() {
        let seeds = [
            r#"{"tid":"t1","appid":"a1","app_displayname":"runback","roles":["User.Read.All"],"exp":1800000000}"#,
            r#"{"upn":"eve@x","scp":"A B","exp":1e300}"#,
        ];
        let words = &["\"exp\":", "\"roles\":[", "\"scp\":", "\"tid\":"];
        Target::new("token", &seeds, words).attack(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let identity = Claims::of(&jwt(&text));
            Claims::of(&text);
            format!("{} {:?}", identity.roles.len(), identity.expires.is_some())
        });
    }
}
