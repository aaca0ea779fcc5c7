//! Reads what a service said when it said no.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{ServiceError, details, words};

/// Longest message that is kept, in characters.
const LONGEST: usize = 500;

/// Reads an error answer, whatever its form: Graph's `{"error": {"code", "message", "innerError"}}`, OAuth's
/// `{"error": "…", "error_description": "…"}`, an HTML page, plain text, nothing.
///
/// `code` is as sent, or `HttpStatus502` where the body held none. Never fails: a broken error body is still an error.
pub(super) fn read(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    client_request_id: &str,
) -> ServiceError {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    let (code, message, inner_id, details) = match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            let (code, message, id) = of_json(&value);
            let error = value.get("error").unwrap_or(&value);
            (code, message, id, details::of(error))
        }
        Err(_) if text.starts_with('<') => (None, Some(words::of_html(text)), None, String::new()),
        Err(_) => (None, Some(words::tidy(text, 200)), None, String::new()),
    };
    ServiceError {
        status,
        code: code
            .map(|code| words::tidy(&code, 100))
            .filter(|code| !code.is_empty())
            .unwrap_or_else(|| format!("HttpStatus{status}")),
        message: message
            .map(|message| words::tidy(&message, LONGEST - 1))
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| in_words(status)),
        details: details.into(),
        request_id: inner_id
            .and_then(|id| tidy_id(&id))
            .or_else(|| request_id(headers))
            .unwrap_or_else(|| client_request_id.to_owned()),
    }
}

/// The service's own id of a request, from the headers.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    tidy_id(headers.get("request-id")?.to_str().ok()?)
}

fn tidy_id(id: &str) -> Option<String> {
    Some(words::tidy(id, 100)).filter(|id| !id.is_empty())
}

/// Code, message and request id of a JSON error.
fn of_json(value: &Value) -> (Option<String>, Option<String>, Option<String>) {
    let error = match value.get("error") {
        Some(Value::String(code)) => {
            let description = string(value, "error_description");
            return (Some(code.clone()), description, None);
        }
        Some(error) => error,
        // Some gateways send the inside without the wrapper.
        None => value,
    };
    let message = match error.get("message") {
        Some(Value::Object(message)) => message
            .get("value")
            .and_then(Value::as_str)
            .map(str::to_owned),
        _ => string(error, "message"),
    };
    let inner = error.get("innerError").or_else(|| error.get("innererror"));
    let request_id =
        inner.and_then(|inner| string(inner, "request-id").or_else(|| string(inner, "requestId")));
    (string(error, "code"), message, request_id)
}

/// A string or number property as text.
fn string(object: &Value, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn in_words(status: u16) -> String {
    let reason = reqwest::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    match reason {
        Some(reason) => format!("HTTP status {status} ({reason}) without an explanation"),
        None => format!("HTTP status {status} without an explanation"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn every_form_of_an_error_body_is_read() {
        let rows: &[(&str, &str, &str, &str)] = &[
            (
                r#"{"error":{"code":"RestoreSessionNotFound","message":"No session","innerError":{"request-id":"r1"}}}"#,
                "RestoreSessionNotFound",
                "No session",
                "r1",
            ),
            (
                r#"{"error":{"code":"","message":""}}"#,
                "HttpStatus404",
                "HTTP status 404 (Not Found) without an explanation",
                "from header",
            ),
            (
                r#"{"error":{"code":-1,"message":{"lang":"en","value":"odd"},"innererror":{"request-id":"r2"}}}"#,
                "-1",
                "odd",
                "r2",
            ),
            (
                r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret."}"#,
                "invalid_client",
                "AADSTS7000215: Invalid client secret.",
                "from header",
            ),
            (
                r#"{"code":"Bare","message":"no wrapper"}"#,
                "Bare",
                "no wrapper",
                "from header",
            ),
            (
                "\u{feff}{\"error\":{\"code\":\"Marked\",\"message\":\"m\"}}",
                "Marked",
                "m",
                "from header",
            ),
            (
                "<html><title>404 - gone</title></html>",
                "HttpStatus404",
                "404 - gone",
                "from header",
            ),
            (
                "upstream\nunavailable",
                "HttpStatus404",
                "upstream unavailable",
                "from header",
            ),
            (
                "{\"error\":{\"code\":\"Cut",
                "HttpStatus404",
                "{\"error\":{\"code\":\"Cut",
                "from header",
            ),
            (
                "[]",
                "HttpStatus404",
                "HTTP status 404 (Not Found) without an explanation",
                "from header",
            ),
            (
                "",
                "HttpStatus404",
                "HTTP status 404 (Not Found) without an explanation",
                "from header",
            ),
        ];
        let mut headers = HeaderMap::new();
        headers.insert("request-id", "from header".parse().unwrap());
        for (body, code, message, id) in rows {
            let error = read(404, &headers, body.as_bytes(), "ours");
            assert_eq!(
                (
                    error.code.as_str(),
                    error.message.as_str(),
                    error.request_id.as_str()
                ),
                (*code, *message, *id),
                "{body}"
            );
        }
        assert_eq!(
            read(404, &HeaderMap::new(), b"\xff", "ours").request_id,
            "ours"
        );
        let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(9000));
        assert_eq!(
            read(400, &headers, long.as_bytes(), "")
                .message
                .chars()
                .count(),
            LONGEST
        );
    }

    #[test]
    fn an_error_is_read_whatever_comes() {
        let seeds = [
            r#"{"error":{"code":"RestoreSessionNotFound","message":"No session","innerError":{"request-id":"r1"}}}"#,
            r#"{"error":{"code":-1,"message":{"lang":"en","value":"odd"},"innererror":{"request-id":"r2"}}}"#,
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid."}"#,
            "<html><TITLE>404 - gone</TITLE><b>x</b></html>",
            "upstream\nunavailable",
        ];
        let words = &[
            "<title>",
            "</title",
            "<TITLE",
            "İ",
            "\"error\":",
            "\"message\":",
            "\"code\":",
            "\"innerError\":",
            "{\"a\":1}",
        ];
        Target::new("error", &seeds, words).attack(|bytes| {
            let error = read(404, &HeaderMap::new(), bytes, "ours");
            assert!(
                !error.code.is_empty() && !error.message.is_empty() && !error.request_id.is_empty()
            );
            assert!(
                error.message.chars().count() <= LONGEST,
                "{}",
                error.message.len()
            );
            assert!(error.code.chars().count() <= 101, "{}", error.code.len());
            let shown = format!("{}{}", error.code, error.message);
            assert!(!shown.contains(char::is_control), "{shown:?}");
            error.code
        });
    }
}
