//! Artifacts: one restore point on its way to one destination, as the service lists them.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::part::{ArtifactKey, Part};
use super::{BackupError, Service};
use crate::graph::{GraphError, Json, Pages, details};

/// Where a restore goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Destination {
    /// Beside what is there: a new folder, a new site.
    New,
    /// Over what is there.
    InPlace,
}

impl Destination {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InPlace => "inPlace",
        }
    }
}

impl FromStr for Destination {
    type Err = BackupError;

    fn from_str(text: &str) -> Result<Self, BackupError> {
        match text {
            "new" => Ok(Self::New),
            "inPlace" => Ok(Self::InPlace),
            _ => Err(BackupError::NoDestination {
                asked: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What an artifact's state means for the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Open,
    Succeeded,
    Failed,
    /// A state that we do not know. Never "still running".
    Unrecognised,
}

/// One artifact of a session.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    pub(crate) id: String,
    /// `None` where the service left the reference out.
    pub(crate) point: Option<String>,
    /// As the service spells it.
    pub(crate) destination: String,
    pub(crate) json: Json,
}

impl Artifact {
    pub(crate) fn of(json: Json) -> Option<Self> {
        let reference = json.property("restorePoint");
        // Older answers reference a point by a bare id in `@odata.id`, newer ones by `id`.
        let point =
            reference.and_then(|point| point.string("id").or_else(|| point.string("@odata.id")));
        Some(Self {
            id: json.string("id")?,
            point,
            destination: json.string("destinationType").unwrap_or_default(),
            json,
        })
    }

    /// As [`super::part::Placed::key`]: the JSON tells which sort of artifact it is.
    pub(crate) fn key(&self) -> ArtifactKey {
        let text = |name: &str| self.json.string(name).filter(|text| !text.is_empty());
        if let Some(browse) = text("browseSessionId") {
            return (self.id.clone(), browse);
        }
        let point = self.point.clone().unwrap_or_default();
        match text("searchResponseId") {
            Some(search) => (point, search),
            None => (point, self.destination.to_ascii_lowercase()),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        match self.json.string("status").as_deref() {
            Some("added" | "scheduling" | "scheduled" | "inProgress") => Progress::Open,
            Some("succeeded") => Progress::Succeeded,
            Some("failed") => Progress::Failed,
            _ => Progress::Unrecognised,
        }
    }

    /// The code and the words of a failure.
    pub(crate) fn failure(&self) -> (String, String) {
        self.trouble().unwrap_or_else(|| no_words(None, None))
    }

    /// The code and the words of its `error`, where it has one.
    pub(crate) fn trouble(&self) -> Option<(String, String)> {
        trouble(&self.json)
    }
}

/// The code and the words of an object's `error`, where it has one.
pub(super) fn trouble(json: &Json) -> Option<(String, String)> {
    let error = json.property("error").filter(|error| !error.is_null())?;
    let error: serde_json::Value = serde_json::from_str(error.text()).ok()?;
    if error.as_object().is_none_or(serde_json::Map::is_empty) {
        return None;
    }
    let text = |name: &str| error[name].as_str().filter(|text| !text.is_empty());
    let (code, mut message) = no_words(text("code"), text("message"));
    let details = details::of(&error);
    if !details.is_empty() {
        let _ = write!(message, " ({details})");
    }
    Some((code, message))
}

fn no_words(code: Option<&str>, message: Option<&str>) -> (String, String) {
    (
        code.unwrap_or("UnknownError").to_owned(),
        message.unwrap_or("the service gave no reason").to_owned(),
    )
}

impl Service {
    pub(crate) fn artifact_pages(&self, part: &Part) -> Pages {
        self.artifact_list(part, part.granular)
    }

    /// One of the two lists of a session: a script may ask for the one that is empty.
    pub(super) fn artifact_list(&self, part: &Part, granular: bool) -> Pages {
        let path = part.artifacts_path(granular);
        self.client.pages(part.get("list artifacts", path))
    }

    /// All artifacts of a session, with the points they reference.
    pub(crate) async fn artifacts(&self, part: &Part) -> Result<Vec<Artifact>, GraphError> {
        let listed = self.artifact_pages(part).collect().await?;
        let artifacts: Vec<Artifact> = listed.into_iter().filter_map(Artifact::of).collect();
        let whole = |artifact: &Artifact| {
            artifact.point.is_some() || artifact.json.property("browseSessionId").is_some()
        };
        if artifacts.iter().all(whole) {
            return Ok(artifacts);
        }
        // The published examples hold the reference without being asked; a service that wants to be asked gets it.
        let path = format!(
            "{}?$expand=restorePoint",
            part.artifacts_path(part.granular)
        );
        let pages = self.client.pages(part.get("list artifacts", path));
        let listed = pages.collect().await?;
        Ok(listed.into_iter().filter_map(Artifact::of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_reference_are_read() {
        for reference in [r#"{"id":"p"}"#, r#"{"@odata.id":"p"}"#] {
            let text = format!(
                r#"{{"id":"a","restorePoint":{reference},"destinationType":"new","status":"scheduling"}}"#
            );
            let artifact = Artifact::of(Json::new(text.into()).unwrap()).unwrap();
            assert_eq!(
                (artifact.point.as_deref(), artifact.progress()),
                (Some("p"), Progress::Open)
            );
        }
    }

    #[test]
    fn a_state_that_we_do_not_know_is_not_still_running() {
        for status in ["unknownFutureValue", "paused", ""] {
            let json = Json::of(&serde_json::json!({"id": "a", "status": status}));
            assert_eq!(
                Artifact::of(json).unwrap().progress(),
                Progress::Unrecognised
            );
        }
    }
}
