//! Whom a token speaks for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

/// Whom the token speaks for, read out of it (never verified by us); all `None` for an opaque token.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Identity {
    pub tenant: Option<String>,
    pub app_id: Option<String>,
    /// The user's name in a delegated token, else the application's.
    pub name: Option<String>,
    /// Application permissions (`roles`), or delegated ones (`scp`).
    pub roles: Vec<String>,
    pub expires: Option<Timestamp>,
}

impl Identity {
    /// Reads the middle part of a JWT. Anything else gives an empty identity: access tokens are opaque by contract, this is
    /// for messages and for the tenant's name in a report.
    pub(super) fn of(token: &str) -> Self {
        let Some(claims) = claims(token) else {
            return Self::default();
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let roles = match (claims.get("roles"), text("scp")) {
            (Some(Value::Array(roles)), _) => roles
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            (_, Some(scopes)) => scopes.split_whitespace().map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        Self {
            tenant: text("tid"),
            app_id: text("appid").or_else(|| text("azp")),
            name: text("upn")
                .or_else(|| text("preferred_username"))
                .or_else(|| text("name"))
                .or_else(|| text("app_displayname")),
            roles,
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
        let app = Identity::of(&jwt(
            r#"{"tid":"t1","appid":"a1","app_displayname":"runback","roles":["User.Read.All","X"],"exp":1800000000}"#,
        ));
        assert_eq!(app.tenant.as_deref(), Some("t1"));
        assert_eq!(app.app_id.as_deref(), Some("a1"));
        assert_eq!(app.name.as_deref(), Some("runback"));
        assert_eq!(app.roles, ["User.Read.All", "X"]);
        assert_eq!(app.expires.unwrap().as_second(), 1_800_000_000);
        let user = Identity::of(&jwt(
            r#"{"upn":"eve@x","scp":"A B","app_displayname":"runback"}"#,
        ));
        assert_eq!(user.name.as_deref(), Some("eve@x"));
        assert_eq!(user.roles, ["A", "B"]);
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
            assert_eq!(Identity::of(token), Identity::default(), "{token}");
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
            let identity = Identity::of(&jwt(&text));
            Identity::of(&text);
            format!("{} {:?}", identity.roles.len(), identity.expires.is_some())
        });
    }
}
