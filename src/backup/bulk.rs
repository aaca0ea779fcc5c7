//! Bulk requests: a list of people or sites goes in, the service itself looks for their points.
//!
//! The order is the service's: an empty draft, one request, activation; only then are the inputs resolved to artifacts. The
//! service never gives the inputs back, so our own copy is kept, and a request is known again by the mark in its name.

mod came;
mod end;
mod look;
mod overlap;
mod send;
mod whose;

pub(super) use came::plain;
pub(crate) use end::Lost;
pub(super) use overlap::{ANY_POINT, own_request};

use std::sync::Arc;

use super::artifact::Destination;
use super::books::ItemId;
use super::part::Part;
use super::search::Prefer;
use super::{BackupError, Service};
use crate::changes::Terms;
use crate::graph::{GraphError, Json};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Most inputs of one request. Source: error page, `BulkRestoreRestorationResourcesCountExceedsLimit`.
pub(crate) const MOST_INPUTS: usize = 10_000;

/// Somebody or something that a bulk request names.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) item: ItemId,
    /// As it is sent: a mail address, or the URL of a site.
    pub(crate) text: String,
    /// The directory's id of the user or site, where it is known without asking.
    pub(crate) owner: Option<String>,
}

/// What a script asks for.
#[derive(Clone, Debug)]
pub(crate) struct BulkOrder {
    /// What the request is called; the run's mark is put behind it.
    pub(crate) name: Option<String>,
    /// The window in which the service looks for points; `after` is inclusive.
    pub(crate) after: Option<Timestamp>,
    pub(crate) before: Option<Timestamp>,
    pub(crate) prefer: Prefer,
    pub(crate) tags: Option<String>,
    pub(crate) destination: Destination,
    pub(crate) inputs: Vec<Input>,
    /// Just now nobody else restored any of them, and they are this run's.
    pub(crate) are_taken: bool,
}

/// The bulk request of a session.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    pub(crate) id: String,
    /// With our mark, where it is ours.
    pub(crate) name: String,
    pub(crate) destination: Option<Destination>,
    /// Where points are looked for, if that is the same each time it is asked for.
    pub(crate) window: Option<String>,
    /// By what the service chooses the points; of a request of somebody else that is not known.
    pub(crate) terms: Option<Arc<Terms>>,
    /// Its inputs were taken for this run before it was made.
    pub(crate) are_taken: bool,
    /// Our own copy; empty for a request of somebody else.
    pub(crate) inputs: Vec<Input>,
    /// What the service could not resolve, once that is known.
    pub(crate) unresolved: Option<Vec<Unresolved>>,
}

impl Bulk {
    pub(crate) fn is_ours(&self) -> bool {
        !self.inputs.is_empty()
    }

    /// What consent is remembered by.
    pub(crate) fn keys(&self) -> Vec<String> {
        if !self.is_ours() {
            return vec![self.id.clone()];
        }
        let to = self.destination.map_or("", Destination::name);
        let keys = self
            .inputs
            .iter()
            .map(|input| format!("{}/{to}", input.text));
        keys.collect()
    }
}

/// An input that stands for nothing the service can restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unresolved {
    /// As the service names it.
    pub(crate) input: String,
    pub(crate) code: String,
    pub(crate) reason: String,
}

/// How far the service is with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    Open,
    Ended,
}

/// `completed`, `completedWithErrors` (one example writes `CompletedWithErrors`). A state that we do not know has ended: it is
/// never called "still resolving".
fn resolution(request: &Json) -> Resolution {
    match request.string("status") {
        Some(status) if status.eq_ignore_ascii_case("active") => Resolution::Open,
        Some(status) if status.eq_ignore_ascii_case("unknown") => Resolution::Open,
        _ => Resolution::Ended,
    }
}

/// The inputs that a request could not resolve. `error` is an object with `details`; examples have an array of details, and an
/// array with such an object.
fn unresolved(request: &Json) -> Vec<Unresolved> {
    let Some(error) = request.property("error").filter(|error| !error.is_null()) else {
        return Vec::new();
    };
    let details_of = |error: &Json| {
        let details = error.property("details").filter(|list| !list.is_null());
        details.map(|details| details.elements())
    };
    let details = details_of(&error).unwrap_or_else(|| {
        let listed = error.elements().into_iter();
        let within = listed.map(|one| details_of(&one).unwrap_or_else(|| vec![one]));
        within.flatten().collect()
    });
    let read = |detail: Json| {
        Some(Unresolved {
            input: detail.string("target")?,
            code: detail
                .string("code")
                .filter(|code| !code.is_empty())
                .unwrap_or_else(|| "BulkRestoreArtifactsNotResolved".to_owned()),
            reason: detail
                .string("message")
                .unwrap_or_else(|| "the service gave no reason".to_owned()),
        })
    };
    details.into_iter().filter_map(read).collect()
}

impl Service {
    /// The bulk requests of a session, without their inputs.
    pub(super) async fn bulk_requests(&self, part: &Part) -> Result<Vec<Json>, GraphError> {
        let path = part.workload.inside(&part.id, part.workload.bulk);
        let pages = self.client.pages(part.get("list bulk requests", path));
        pages.collect().await
    }

    pub(super) async fn bulk_request(&self, part: &Part, id: &str) -> Result<Json, GraphError> {
        let call = part.get("get bulk request", bulk_path(part, id));
        Ok(self.client.read(call).await?.json())
    }

    /// The request of a session that somebody else has filled.
    pub(super) async fn bulk_of_others(&self, part: &Part) -> Result<Option<Bulk>, BackupError> {
        let listed = async { Ok(self.bulk_requests(part).await?) };
        let listed: Vec<Json> = self.learn("content", &part.id, listed).await?;
        let first = listed.into_iter().next();
        Ok(first.map(|request| Bulk {
            id: request.string("id").unwrap_or_default(),
            name: request.string("displayName").unwrap_or_default(),
            destination: request
                .string("destinationType")
                .and_then(|to| to.parse().ok()),
            window: None,
            terms: None,
            are_taken: false,
            inputs: Vec::new(),
            unresolved: None,
        }))
    }
}

fn bulk_path(part: &Part, id: &str) -> String {
    let requests = part.workload.inside(&part.id, part.workload.bulk);
    format!("{requests}/{}", super::encoded(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unresolved_inputs_are_read_in_all_forms() {
        let details = r#"[{"code":"UserNotBackedup","message":"no","target":"a@x"},{"code":"","target":"b@x"},{"code":"c"}]"#;
        for error in [
            format!(r#"{{"code":"BulkRestoreArtifactsNotResolved","details":{details}}}"#),
            format!(r#"[{{"code":"BulkRestoreArtifactsNotResolved","details":{details}}}]"#),
            details.to_owned(),
        ] {
            let request = Json::new(format!(r#"{{"error":{error}}}"#).into()).unwrap();
            let read: Vec<_> = unresolved(&request)
                .into_iter()
                .map(|one| (one.input, one.code))
                .collect();
            assert_eq!(
                read,
                [
                    ("a@x".to_owned(), "UserNotBackedup".to_owned()),
                    (
                        "b@x".to_owned(),
                        "BulkRestoreArtifactsNotResolved".to_owned()
                    ),
                ]
            );
        }
        assert!(unresolved(&Json::of(&serde_json::json!({"error": null}))).is_empty());
    }

    #[test]
    fn a_state_that_we_do_not_know_is_not_still_resolving() {
        let of = |status: &str| resolution(&Json::of(&serde_json::json!({"status": status})));
        assert_eq!(of("active"), Resolution::Open);
        for status in ["completed", "CompletedWithErrors", "paused"] {
            assert_eq!(of(status), Resolution::Ended, "{status}");
        }
    }
}
