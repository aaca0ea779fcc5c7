//! The sign-in endpoint below `/{tenant}/oauth2/v2.0`: client credentials, device code, refresh tokens.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::access::{ADMINISTRATOR, Access, By, wall_millis};
use super::answer::Answer;
use super::id::mix;
use super::lock;
use super::tenant::DOMAIN;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long a person has to type the code, in seconds.
const DEVICE_LIFE: u64 = 900;
/// Polls of a device code that find the person still typing. Then they have signed in.
const PENDING_POLLS: u32 = 1;

/// One of the two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Token,
    DeviceCode,
}

impl Endpoint {
    /// How it is counted.
    pub(super) fn template(self) -> &'static str {
        match self {
            Self::Token => "POST /{tenant}/oauth2/v2.0/token",
            Self::DeviceCode => "POST /{tenant}/oauth2/v2.0/devicecode",
        }
    }

    /// The endpoint of a path, and its tenant.
    pub(super) fn find(path: &str) -> Option<(Self, &str)> {
        let (tenant, name) = path.strip_prefix('/')?.split_once("/oauth2/v2.0/")?;
        let endpoint = match name {
            "token" => Self::Token,
            "devicecode" => Self::DeviceCode,
            _ => return None,
        };
        (!tenant.is_empty() && !tenant.contains('/')).then_some((endpoint, tenant))
    }
}

/// Why there is no token: HTTP status, OAuth error, Entra's number, sentence.
type Denial = (u16, &'static str, u32, String);

/// Device codes that have been asked for, and how often.
#[derive(Default)]
pub(super) struct SignIns {
    polls: Mutex<HashMap<String, u32>>,
}

/// Answers a call. `tenant` is the first path segment, `body` the form.
pub(super) fn answer(
    access: &Access,
    sign_ins: &SignIns,
    endpoint: Endpoint,
    tenant: &str,
    body: &[u8],
) -> Answer {
    let form = Form::read(body);
    let answer = match endpoint {
        Endpoint::Token => token(access, sign_ins, tenant, &form),
        Endpoint::DeviceCode => device_code(access, tenant, &form),
    };
    answer.unwrap_or_else(|(status, error, number, message)| {
        Answer::object(status, |reply| {
            reply.text("error", error);
            reply.text("error_description", format!("AADSTS{number}: {message}"));
            reply.array("error_codes", [number], |out, number| {
                out.extend_from_slice(number.to_string().as_bytes());
            });
        })
    })
}

/// The fields of a form.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    fn need(&self, name: &str) -> Result<&str, Denial> {
        self.get(name).ok_or_else(|| {
            let message =
                format!("The request body must contain the following parameter: '{name}'.");
            (400, "invalid_request", 900_144, message)
        })
    }
}

fn token(access: &Access, sign_ins: &SignIns, tenant: &str, form: &Form) -> Result<Answer, Denial> {
    let kind = form.need("grant_type")?;
    check_tenant(access, tenant, kind != "client_credentials")?;
    check_client(access, form)?;
    match kind {
        "client_credentials" => {
            client_credentials(access, form)?;
            let (token, seconds) = access.issue(By::APP, &access.scopes(&[]));
            Ok(reply(&token, seconds, None))
        }
        DEVICE_CODE => {
            let scopes = redeem(access, sign_ins, form.need("device_code")?)?;
            Ok(delegated(access, &scopes))
        }
        "refresh_token" => {
            let opened = access.seal.unwrap(form.need("refresh_token")?);
            let scopes = opened.and_then(|text| text.strip_prefix("refresh ").map(str::to_owned));
            let scopes = scopes.ok_or_else(|| {
                let message = "The provided refresh token is not valid.";
                (400, "invalid_grant", 9_002_313, message.to_owned())
            })?;
            Ok(delegated(access, &scopes))
        }
        other => Err((
            400,
            "unsupported_grant_type",
            70_003,
            format!("The grant type '{other}' is not supported."),
        )),
    }
}

fn check_tenant(access: &Access, tenant: &str, of_people: bool) -> Result<(), Denial> {
    let own = tenant.eq_ignore_ascii_case(&access.tenant_id) || tenant.eq_ignore_ascii_case(DOMAIN);
    // People can be asked for at an address that leaves their tenant open.
    let open = of_people && ["organizations", "common"].contains(&tenant);
    if own || open {
        return Ok(());
    }
    let message = format!("Tenant '{tenant}' not found.");
    Err((400, "invalid_request", 90_002, message))
}

fn check_client(access: &Access, form: &Form) -> Result<(), Denial> {
    let client = form.need("client_id")?;
    if client.eq_ignore_ascii_case(&access.client_id) {
        return Ok(());
    }
    let message = format!("Application with identifier '{client}' was not found in the directory.");
    Err((400, "unauthorized_client", 700_016, message))
}

fn client_credentials(access: &Access, form: &Form) -> Result<(), Denial> {
    let client = form.need("client_id")?;
    let scope = form.need("scope")?;
    if !scope.ends_with("/.default") || scope.contains(' ') {
        let message = format!("The scope '{scope}' is not valid; use '/.default'.");
        return Err((400, "invalid_scope", 1_002_012, message));
    }
    if let Some(kind) = form.get("client_assertion_type") {
        return if kind == ASSERTION && names_client(form.need("client_assertion")?, client) {
            Ok(())
        } else {
            let message = "The client assertion is not valid.";
            Err((401, "invalid_client", 700_027, message.to_owned()))
        };
    }
    if form.need("client_secret")? != access.client_secret {
        let message = format!("Invalid client secret provided for app '{client}'.");
        return Err((401, "invalid_client", 7_000_215, message));
    }
    Ok(())
}

/// True where a client assertion is a token issued by and about `client`. Its signature is not looked at.
fn names_client(assertion: &str, client: &str) -> bool {
    let payload = assertion
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = payload
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .unwrap_or_default();
    ["iss", "sub"].iter().all(|name| {
        claims[*name]
            .as_str()
            .is_some_and(|value| value.eq_ignore_ascii_case(client))
    })
}

/// `POST …/devicecode`: what the person types, and what the program polls with.
fn device_code(access: &Access, tenant: &str, form: &Form) -> Result<Answer, Denial> {
    check_tenant(access, tenant, true)?;
    check_client(access, form)?;
    let scope = form.need("scope")?;
    let now = wall_millis();
    let code = access.seal.wrap(&format!("device {now} {scope}"));
    let typed = mix(0xdc, now) % 1_000_000_000;
    let (typed, page) = (
        format!("{typed:09}"),
        "https://microsoft.example/devicelogin",
    );
    Ok(Answer::object(200, |reply| {
        reply.text("user_code", &typed);
        reply.text("device_code", &code);
        reply.text("verification_uri", page);
        reply.number("expires_in", DEVICE_LIFE);
        reply.number("interval", 1);
        reply.text(
            "message",
            format!(
                "To sign in, use a web browser to open the page {page} and enter the code {typed} to authenticate."
            ),
        );
    }))
}

/// The scopes of a device code, once the person has had the time to type.
fn redeem(access: &Access, sign_ins: &SignIns, code: &str) -> Result<String, Denial> {
    let opened = access.seal.unwrap(code);
    let read = opened.as_deref().and_then(|text| {
        let (asked, scopes) = text.strip_prefix("device ")?.split_once(' ')?;
        Some((asked.parse::<u64>().ok()?, scopes))
    });
    let Some((asked, scopes)) = read else {
        let message = "The provided device code is not valid.";
        return Err((400, "bad_verification_code", 70_018, message.to_owned()));
    };
    if wall_millis() > asked + DEVICE_LIFE * 1_000 {
        let message = "The device code has expired.";
        return Err((400, "expired_token", 70_020, message.to_owned()));
    }
    let mut polls = lock(&sign_ins.polls);
    let polls = polls.entry(code.to_owned()).or_default();
    *polls += 1;
    match *polls {
        1..=PENDING_POLLS => Err((
            400,
            "authorization_pending",
            70_016,
            "The user has not signed in yet. Poll again.".to_owned(),
        )),
        // The code has been spent by the poll before this one.
        polls if polls > PENDING_POLLS + 1 => Err((
            400,
            "invalid_grant",
            54_005,
            "The device code was already redeemed.".to_owned(),
        )),
        _ => Ok(scopes.to_owned()),
    }
}

/// A token for the administrator, with what `scope` asks for.
fn delegated(access: &Access, scope: &str) -> Answer {
    let asked: Vec<&str> = scope.split_whitespace().collect();
    let named: Vec<&str> = asked
        .iter()
        .map(|one| one.rsplit('/').next().unwrap_or(one))
        .collect();
    let scopes = if named.contains(&".default") {
        access.scopes(&[])
    } else {
        access.scopes(&named)
    };
    let by = By {
        person: Some(ADMINISTRATOR),
    };
    let (token, seconds) = access.issue(by, &scopes);
    let refresh = named
        .contains(&"offline_access")
        .then(|| access.seal.wrap(&format!("refresh {scope}")));
    reply(&token, seconds, Some((&scopes.join(" "), refresh)))
}

fn reply(token: &str, seconds: u64, delegated: Option<(&str, Option<String>)>) -> Answer {
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token,
    });
    if let Some((scope, refresh)) = delegated {
        body["scope"] = json!(scope);
        if let Some(refresh) = refresh {
            body["refresh_token"] = json!(refresh);
        }
    }
    Answer::json(200, body.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_found() {
        for (path, found) in [
            ("/t/oauth2/v2.0/token", Some((Endpoint::Token, "t"))),
            (
                "/t/oauth2/v2.0/devicecode",
                Some((Endpoint::DeviceCode, "t")),
            ),
            ("/oauth2/v2.0/token", None),
            ("/a/b/oauth2/v2.0/token", None),
            ("/t/oauth2/v2.0/authorize", None),
        ] {
            assert_eq!(Endpoint::find(path), found, "{path}");
        }
    }
}
