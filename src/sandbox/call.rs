//! One request, read: version, path, query options, headers, body.

use axum::http::HeaderMap;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::access::{By, Caller};
use super::answer::Refusal;
use super::refusals;
use super::workload::Workload;

/// A request that has passed authentication.
pub(super) struct Call {
    /// `http://host:port/v1.0`, the start of next links and contexts.
    pub(super) root: String,
    /// Path below the version as the caller wrote it, without the query.
    pub(super) path: String,
    pub(super) beta: bool,
    /// Query options in order, names with their `$`, decoded.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) caller: Caller,
    /// Only the number of entities is asked for, with `/$count` behind the list.
    pub(super) counts: bool,
    /// What stood in the braces of the route.
    pub(super) params: Vec<String>,
    /// The row the path names, where it names one.
    pub(super) workload: Option<&'static Workload>,
    pub(super) now: Timestamp,
}

impl Call {
    /// In whose name it is made.
    pub(super) fn by(&self) -> By {
        self.caller.by
    }

    /// `{id}` of the route.
    pub(super) fn id(&self) -> &str {
        self.params.first().map_or("", String::as_str)
    }

    /// The path's workload. Routes that have none never ask.
    pub(super) fn workload(&self) -> Result<&'static Workload, Refusal> {
        self.workload.ok_or(refusals::NOT_FOUND)
    }

    /// The context of an answer: what follows `$metadata#`.
    pub(super) fn context(&self, entity: &str) -> String {
        format!("{}/$metadata#{entity}", self.root)
    }

    /// Reads an id from the path; `refusal` is the call's own wording for a malformed one.
    pub(super) fn uuid(&self, position: usize, refusal: Refusal) -> Result<Uuid, Refusal> {
        let text = self.params.get(position).map_or("", String::as_str);
        super::id::parse(text).ok_or_else(|| refusal.because(format!("`{text}` is not an id")))
    }

    /// True where members behind `unknownFutureValue` may be sent.
    pub(super) fn knows_future_members(&self) -> bool {
        let mut values = self
            .headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok());
        values.any(|value| {
            value.split([',', ';']).any(|one| {
                one.trim()
                    .eq_ignore_ascii_case("include-unknown-enum-members")
            })
        })
    }

    /// True where the caller asked for the directory's advanced queries.
    pub(super) fn is_eventual(&self) -> bool {
        self.headers
            .get("consistencylevel")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"eventual"))
    }

    /// The body as an object; an absent body is an empty object.
    ///
    /// # Errors
    /// 415 without the JSON content type, else `refusal` with the reason.
    pub(super) fn object(&self, refusal: &Refusal) -> Result<Map<String, Value>, Refusal> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        let content_type = self
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if !content_type
            .to_ascii_lowercase()
            .starts_with("application/json")
        {
            return Err(refusals::NOT_JSON);
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(refusal.clone().because("the body is not an object")),
            Err(error) => Err(refusal
                .clone()
                .because(format!("the body is not JSON: {error}"))),
        }
    }

    /// For actions without a body: nothing or `{}`.
    pub(super) fn no_body(&self) -> Result<(), Refusal> {
        let body = self.object(&INVALID_REQUEST)?;
        match body.keys().next() {
            None => Ok(()),
            Some(name) => {
                Err(INVALID_REQUEST.because(format!("this call takes no property `{name}`")))
            }
        }
    }
}

/// A body that no documented code describes.
pub(super) const INVALID_REQUEST: Refusal = Refusal::literal(
    400,
    "InvalidRequest",
    "The request is malformed or incorrect.",
);

/// Turns down a body that says it is of another type. The case of names differs from page to page.
pub(super) fn check_type(
    object: &Map<String, Value>,
    type_name: &str,
    refusal: &Refusal,
) -> Result<(), Refusal> {
    let Some(given) = object.get("@odata.type") else {
        return Ok(());
    };
    let name = given.as_str().map(|name| name.trim_start_matches('#'));
    let name = name.and_then(|name| name.strip_prefix("microsoft.graph."));
    if name.is_some_and(|name| name.eq_ignore_ascii_case(type_name)) {
        return Ok(());
    }
    Err(refusal.clone().because(format!(
        "@odata.type {given} is not #microsoft.graph.{type_name}"
    )))
}

/// Turns down a property that is in none of `known`.
pub(super) fn only(
    object: &Map<String, Value>,
    known: &[&str],
    refusal: &Refusal,
) -> Result<(), Refusal> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(refusal
            .clone()
            .because(format!("there is no property `{name}` here"))),
    }
}
