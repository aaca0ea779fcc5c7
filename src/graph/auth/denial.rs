//! Why no token was given, and what to do about it.

use std::time::Duration;

use serde_json::Value;

use crate::graph::GraphError;
use crate::graph::words;

/// One failed try to get a token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Denial {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) nature: Nature,
    /// The wait that the service asks for.
    pub(super) wait: Option<Duration>,
    /// Further facts, one a line: what else was tried.
    pub(super) context: Vec<String>,
}

/// What another try would give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// The same: this is the answer.
    Lasting,
    /// Perhaps a token: the sign-in service could not be reached or had a bad moment.
    Passing,
    /// The same, because there is nothing of this kind here to sign in with. `auto` goes on to the next.
    Absent,
}

impl Denial {
    fn new(nature: Nature, message: String) -> Self {
        Self {
            message,
            hint: None,
            nature,
            wait: None,
            context: Vec::new(),
        }
    }

    pub(super) fn lasting(message: String) -> Self {
        Self::new(Nature::Lasting, message)
    }

    /// Something on the way to the sign-in service.
    pub(super) fn passing(message: String) -> Self {
        Self::new(Nature::Passing, message)
    }

    pub(super) fn absent(message: String) -> Self {
        Self::new(Nature::Absent, message)
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Reads the answer of a token endpoint: `{"error": …, "error_description": "AADSTS…"}`, or anything else.
    ///
    /// Source: Microsoft Entra, "Authentication and authorization error codes".
    pub(super) fn of_answer(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let json = serde_json::from_str::<Value>(&text).ok();
        let part = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let nature = if status >= 500 || status == 429 || status == 408 {
            Nature::Passing
        } else {
            Nature::Lasting
        };
        let description = part("error_description").or_else(|| part("message"));
        let message = match (description, part("error")) {
            (Some(description), _) if !description.is_empty() => description,
            (_, Some(code)) => code,
            _ if text.trim_start().starts_with('<') => {
                format!("HTTP status {status}: {}", words::of_html(&text))
            }
            _ => format!("HTTP status {status} {}", words::tidy(&text, 200)),
        };
        let hint = hint(&message).or_else(|| hint(&part("error")?));
        Self {
            hint: hint.map(str::to_owned),
            ..Self::new(nature, clean(&message))
        }
    }
}

/// A client that cannot be made.
impl From<GraphError> for Denial {
    fn from(error: GraphError) -> Self {
        Self::lasting(error.to_string())
    }
}

impl From<Denial> for GraphError {
    fn from(denial: Denial) -> Self {
        Self::SignIn {
            message: denial.message,
            hint: denial.hint,
            context: denial.context,
        }
    }
}

/// The first sentence(s), without the trace ids that Entra adds behind them.
fn clean(message: &str) -> String {
    let end = message.find("Trace ID:").unwrap_or(message.len());
    words::tidy(&message[..end], 400)
}

#[allow(clippy::too_many_lines)] // a table, or one story
fn hint(message: &str) -> Option<&'static str> {
    const CERTIFICATE: &str = "upload the certificate under \"Certificates & secrets\" of the app registration, and check AZURE_CLIENT_ID and \
                               AZURE_TENANT_ID";
    const CLOCK: &str = "is this machine's clock right? `timedatectl` shows it";
    const CONSENT: &str = "an administrator has to consent to the permissions of the application first (\"Enterprise applications\", \"Permissions\")";
    const PUBLIC: &str =
        "allow public client flows under \"Authentication\" of the app registration";
    const CONDITION: &str =
        "a conditional access policy blocks this sign-in; ask for an exception for the application";
    const PERSON: &str = "sign in again, with a work account of the tenant that is to be restored";
    const HINTS: &[(&str, &str)] = &[
        ("AADSTS700027", CERTIFICATE),
        ("AADSTS7000213", CERTIFICATE),
        ("AADSTS700024", CLOCK),
        ("AADSTS50012", CERTIFICATE),
        (
            "AADSTS70021",
            "no federated credential of the application fits the token's issuer, subject and audience; compare them under \
             \"Certificates & secrets\", \"Federated credentials\"",
        ),
        (
            "AADSTS700211",
            "no federated credential of the application has this issuer; compare them under \"Federated credentials\"",
        ),
        (
            "AADSTS700212",
            "no federated credential of the application has this audience; compare them under \"Federated credentials\"",
        ),
        (
            "AADSTS700213",
            "no federated credential of the application has this subject; compare them under \"Federated credentials\"",
        ),
        ("AADSTS65001", CONSENT),
        ("AADSTS90094", CONSENT),
        ("AADSTS650057", CONSENT),
        ("AADSTS7000218", PUBLIC),
        ("AADSTS50020", PERSON),
        ("AADSTS50034", PERSON),
        ("AADSTS50173", PERSON),
        ("AADSTS70043", PERSON),
        ("AADSTS70008", PERSON),
        ("AADSTS700082", PERSON),
        (
            "AADSTS50076",
            "the account needs a second factor: sign in again and answer it",
        ),
        ("AADSTS53000", CONDITION),
        ("AADSTS53001", CONDITION),
        ("AADSTS530035", CONDITION),
        (
            "AADSTS50059",
            "set AZURE_TENANT_ID (or `--tenant`) to the tenant's id or one of its domains",
        ),
        (
            "AADSTS7000215",
            "set AZURE_CLIENT_SECRET to the secret's value, not to its id",
        ),
        (
            "AADSTS7000222",
            "the client secret has expired; make a new one under \"Certificates & secrets\" and set AZURE_CLIENT_SECRET",
        ),
        (
            "AADSTS700016",
            "check AZURE_CLIENT_ID (or `--client-id`), and that the application exists in this tenant",
        ),
        (
            "AADSTS90002",
            "check AZURE_TENANT_ID (or `--tenant`): there is no such tenant",
        ),
        (
            "AADSTS900023",
            "set AZURE_TENANT_ID (or `--tenant`) to the tenant's id or one of its domains",
        ),
        (
            "AADSTS900021",
            "set AZURE_TENANT_ID (or `--tenant`) to the tenant's id or one of its domains",
        ),
        (
            "AADSTS7000112",
            "the application is disabled; enable it under \"Enterprise applications\"",
        ),
        ("AADSTS53003", CONDITION),
        (
            "AADSTS50194",
            "the application is single-tenant; set AZURE_TENANT_ID (or `--tenant`) to its own tenant",
        ),
        (
            "AADSTS1002012",
            "the scope was not accepted; check `--graph-url`",
        ),
        (
            "AADSTS70011",
            "the scope was not accepted; check `--graph-url`",
        ),
        (
            "AADSTS500011",
            "the scope was not accepted; check `--graph-url`",
        ),
        (
            "AADSTS90019",
            "set AZURE_TENANT_ID (or `--tenant`) to the tenant's id or one of its domains",
        ),
        (
            "invalid_client",
            "check AZURE_CLIENT_ID and what the application signs in with",
        ),
        (
            "unauthorized_client",
            "check AZURE_CLIENT_ID and AZURE_TENANT_ID",
        ),
        ("invalid_tenant", "check AZURE_TENANT_ID (or `--tenant`)"),
    ];
    HINTS
        .iter()
        .find(|(code, _)| {
            message.match_indices(code).any(|(at, _)| {
                // AADSTS70001 is not AADSTS700016.
                !message[at + code.len()..].starts_with(|c: char| c.is_ascii_digit())
            })
        })
        .map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn wrong_secret_tenant_and_client_each_have_a_hint() {
        let rows = [
            (
                "AADSTS7000215: Invalid client secret provided. Ensure … Trace ID: 1 Correlation ID: 2",
                "AZURE_CLIENT_SECRET",
            ),
            (
                "AADSTS7000222: The provided client secret keys for app 'x' are expired.",
                "expired",
            ),
            (
                "AADSTS700016: Application with identifier 'x' was not found in the directory 'y'.",
                "AZURE_CLIENT_ID",
            ),
            ("AADSTS90002: Tenant 'x' not found.", "AZURE_TENANT_ID"),
            (
                "AADSTS900023: Specified tenant identifier 'x' is neither a valid DNS name",
                "AZURE_TENANT_ID",
            ),
        ];
        for (text, hint) in rows {
            let body = serde_json::json!({"error": "invalid_request", "error_description": text})
                .to_string();
            let denial = Denial::of_answer(401, body.as_bytes());
            assert!(denial.message.starts_with("AADSTS"), "{denial:?}");
            assert!(!denial.message.contains("Trace ID"));
            assert!(
                denial.hint.as_ref().is_some_and(|h| h.contains(hint)),
                "{denial:?}"
            );
            assert_eq!(denial.nature, Nature::Lasting);
        }
    }

    #[test]
    fn other_answers_are_told_as_they_are() {
        let denial = Denial::of_answer(401, br#"{"error":"invalid_client"}"#);
        assert_eq!(denial.message, "invalid_client");
        assert!(denial.hint.is_some());
        let denial = Denial::of_answer(502, b"<html><title>Bad Gateway</title>");
        assert_eq!(denial.message, "HTTP status 502: Bad Gateway");
        assert_eq!(denial.nature, Nature::Passing);
        assert_eq!(hint("AADSTS70001: x"), None);
    }

    #[test]
    fn a_denial_is_read_whatever_comes() {
        let seeds = [
            r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired. Trace ID: 7"}"#,
            r#"{"error":"invalid_request","error_description":"AADSTS900023: Specified tenant"}"#,
            "<html><title>Bad Gateway</title>",
            "",
        ];
        let words = &[
            "AADSTS",
            "Trace ID:",
            "\"error\":",
            "\"error_description\":",
            "invalid_tenant",
        ];
        Target::new("denial", &seeds, words).attack(|bytes| {
            let denial = Denial::of_answer(400, bytes);
            assert!(
                denial.message.chars().count() <= 401,
                "{}",
                denial.message.len()
            );
            denial.message
        });
    }
}
