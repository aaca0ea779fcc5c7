//! The sign-in endpoint: `POST /{tenant}/oauth2/v2.0/token`, client credentials.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::access::Access;
use super::answer::Answer;
use super::tenant::DOMAIN;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How sign-in is counted.
pub(super) const TEMPLATE: &str = "POST /{tenant}/oauth2/v2.0/token";

/// The tenant of a sign-in path.
pub(super) fn tenant_of(path: &str) -> Option<&str> {
    let tenant = path.strip_prefix('/')?.strip_suffix("/oauth2/v2.0/token")?;
    (!tenant.is_empty() && !tenant.contains('/')).then_some(tenant)
}

/// Answers a token request. `tenant` is the first path segment, `body` the form.
pub(super) fn issue(access: &Access, tenant: &str, body: &[u8]) -> Answer {
    match grant(access, tenant, body) {
        Ok(()) => {
            let (token, seconds) = access.issue();
            Answer::object(200, |reply| {
                reply.text("token_type", "Bearer");
                reply.number("expires_in", seconds);
                reply.number("ext_expires_in", seconds);
                reply.text("access_token", token);
            })
        }
        Err((status, error, number, message)) => Answer::object(status, |reply| {
            reply.text("error", error);
            reply.text("error_description", format!("AADSTS{number}: {message}"));
            reply.array("error_codes", [number], |out, number| {
                out.extend_from_slice(number.to_string().as_bytes());
            });
        }),
    }
}

/// Why there is no token: HTTP status, OAuth error, Entra's number, sentence.
type Denial = (u16, &'static str, u32, String);

fn grant(access: &Access, tenant: &str, body: &[u8]) -> Result<(), Denial> {
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| -> Result<&str, Denial> {
        let found = fields
            .iter()
            .find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str()).ok_or_else(|| {
            let message =
                format!("The request body must contain the following parameter: '{name}'.");
            (400, "invalid_request", 900_144, message)
        })
    };
    if !tenant.eq_ignore_ascii_case(&access.tenant_id) && !tenant.eq_ignore_ascii_case(DOMAIN) {
        return Err((
            400,
            "invalid_request",
            90_002,
            format!("Tenant '{tenant}' not found."),
        ));
    }
    let kind = field("grant_type")?;
    if kind != "client_credentials" {
        return Err((
            400,
            "unsupported_grant_type",
            70_003,
            format!("The grant type '{kind}' is not supported."),
        ));
    }
    let client = field("client_id")?;
    if !client.eq_ignore_ascii_case(&access.client_id) {
        let message =
            format!("Application with identifier '{client}' was not found in the directory.");
        return Err((400, "unauthorized_client", 700_016, message));
    }
    let scope = field("scope")?;
    if !scope.ends_with("/.default") || scope.contains(' ') {
        return Err((
            400,
            "invalid_scope",
            1_002_012,
            format!("The scope '{scope}' is not valid; use '/.default'."),
        ));
    }
    if let Ok(kind) = field("client_assertion_type") {
        return if kind == ASSERTION && names_client(field("client_assertion")?, client) {
            Ok(())
        } else {
            Err((
                401,
                "invalid_client",
                700_027,
                "The client assertion is not valid.".into(),
            ))
        };
    }
    if field("client_secret")? != access.client_secret {
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
