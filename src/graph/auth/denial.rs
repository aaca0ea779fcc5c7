//! Why no token was given, and what to do about it.

use serde_json::Value;

use crate::graph::GraphError;
use crate::graph::words;

/// One failed try to get a token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Denial {
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
    /// The sign-in service could not be reached or had a bad moment; what it says about a secret is final.
    pub(super) again: bool,
}

impl Denial {
    /// Something on the way to the sign-in service.
    pub(super) fn passing(message: String) -> Self {
        Self {
            message,
            hint: None,
            again: true,
        }
    }

    /// Reads the answer of a token endpoint: `{"error": …, "error_description": "AADSTS…"}`, or anything else.
    ///
    /// Source: Microsoft Entra, "Authentication and authorization error codes".
    pub(super) fn of_answer(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let json = serde_json::from_str::<Value>(&text).ok();
        let part = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let again = status >= 500 || status == 429 || status == 408;
        let message = match (part("error_description"), part("error")) {
            (Some(description), _) if !description.is_empty() => description,
            (_, Some(code)) => code,
            _ if text.trim_start().starts_with('<') => {
                format!("HTTP status {status}: {}", words::of_html(&text))
            }
            _ => format!("HTTP status {status} {}", words::tidy(&text, 200)),
        };
        Self {
            hint: hint(&message).or_else(|| hint(&part("error")?)),
            message: clean(&message),
            again,
        }
    }
}

impl From<Denial> for GraphError {
    fn from(denial: Denial) -> Self {
        Self::SignIn {
            message: denial.message,
            hint: denial.hint.map(str::to_owned),
        }
    }
}

/// The first sentence(s), without the trace ids that Entra adds behind them.
fn clean(message: &str) -> String {
    let end = message.find("Trace ID:").unwrap_or(message.len());
    words::tidy(&message[..end], 400)
}

fn hint(message: &str) -> Option<&'static str> {
    const HINTS: &[(&str, &str)] = &[
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
        (
            "AADSTS53003",
            "a conditional access policy blocks this sign-in; ask for an exception for the application",
        ),
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
            "invalid_client",
            "check AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
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
            assert!(denial.hint.is_some_and(|h| h.contains(hint)), "{denial:?}");
            assert!(!denial.again);
        }
    }

    #[test]
    fn other_answers_are_told_as_they_are() {
        let denial = Denial::of_answer(401, br#"{"error":"invalid_client"}"#);
        assert_eq!(denial.message, "invalid_client");
        assert!(denial.hint.is_some());
        let denial = Denial::of_answer(502, b"<html><title>Bad Gateway</title>");
        assert_eq!(denial.message, "HTTP status 502: Bad Gateway");
        assert!(denial.again);
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
