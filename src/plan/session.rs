//! One planned restore session: a draft that is filled, activated, and has then succeeded with everything in it.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::backup::{Owner, Workload};
use crate::instant;

/// As the service's, with its rules.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) workload: &'static Workload,
    pub(super) granular: bool,
    created: Timestamp,
    pub(super) activated: Option<Timestamp>,
    /// As they were sent, each with its id.
    artifacts: Vec<Map<String, Value>>,
    next: usize,
    /// The bulk request, as it was sent, with its id and our answer's properties.
    pub(super) bulk: Option<Map<String, Value>>,
    /// When that was, by the service's clock.
    pub(super) bulk_at: Option<Timestamp>,
    /// It was deleted after it had been resolved: what it brought stays.
    pub(super) bulk_is_gone: bool,
}

impl Session {
    pub(super) fn new(id: String, workload: &'static Workload, created: Timestamp) -> Self {
        Self {
            id,
            workload,
            granular: false,
            created,
            activated: None,
            artifacts: Vec::new(),
            next: 1,
            bulk: None,
            bulk_at: None,
            bulk_is_gone: false,
        }
    }

    /// Takes the artifacts of a body's list; gives the entries of the answer.
    pub(super) fn add(&mut self, wanted: &[Value]) -> Vec<Value> {
        let mut entries = Vec::new();
        for wanted in wanted.iter().filter_map(Value::as_object) {
            let mut artifact = wanted.clone();
            let id = format!("{}-{}", self.id, self.next);
            self.next += 1;
            // A file keeps its key as its id.
            artifact.entry("id").or_insert(id.into());
            let mut entry = artifact.clone();
            entry.insert("status".to_owned(), "added".into());
            entries.push(entry.into());
            self.artifacts.push(artifact);
        }
        entries
    }

    /// Takes artifacts out again.
    pub(super) fn remove(&mut self, ids: &[&str]) {
        self.artifacts.retain(|artifact| {
            !artifact
                .get("id")
                .and_then(Value::as_str)
                .is_some_and(|id| ids.contains(&id))
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.bulk.is_none()
    }

    fn job(&self) -> &'static str {
        match (&self.bulk, self.granular) {
            (Some(_), _) => "bulk",
            (None, true) => "granular",
            (None, false) => "standard",
        }
    }

    fn inputs(&self) -> Vec<&str> {
        let inputs = self
            .bulk
            .as_ref()
            .and_then(|bulk| bulk.get(self.workload.inputs));
        let inputs = inputs.and_then(Value::as_array).into_iter().flatten();
        inputs.filter_map(Value::as_str).collect()
    }

    /// As a GET shows it.
    pub(super) fn json(&self) -> Value {
        let total = if self.activated.is_some() {
            self.artifacts.len() + self.inputs().len()
        } else {
            self.artifacts.len()
        };
        let done = if self.activated.is_some() { total } else { 0 };
        let time = |time: Timestamp| instant::for_request(time);
        json!({
            "@odata.type": format!("#microsoft.graph.{}", self.workload.session_type),
            "id": self.id,
            "status": if self.activated.is_some() { "completed" } else { "draft" },
            "createdDateTime": time(self.created),
            "createdBy": null,
            "lastModifiedDateTime": time(self.activated.unwrap_or(self.created)),
            "lastModifiedBy": null,
            "completedDateTime": self.activated.map(time),
            "restoreJobType": self.job(),
            "restoreSessionArtifactCount": {"total": total, "completed": done, "inProgress": 0, "failed": 0},
            "error": null,
        })
    }

    /// Its artifacts of one kind, as a list shows them with their points.
    pub(super) fn artifact_list(
        &self,
        granular: bool,
        points: &HashMap<String, Value>,
    ) -> Vec<Value> {
        if granular != self.granular {
            return Vec::new();
        }
        let kind = if granular {
            self.workload.granular_type
        } else {
            self.workload.artifact_type
        };
        let status = if self.activated.is_some() {
            "succeeded"
        } else {
            "added"
        };
        let shown = |artifact: &Map<String, Value>| {
            let mut shown = artifact.clone();
            shown.insert(
                "@odata.type".to_owned(),
                format!("#microsoft.graph.{kind}").into(),
            );
            shown.insert("status".to_owned(), status.into());
            let completed = self.activated.map(instant::for_request);
            shown.insert("completionDateTime".to_owned(), completed.into());
            shown.insert("error".to_owned(), Value::Null);
            if let Some(point) = point_id(artifact).and_then(|id| points.get(id)) {
                shown.insert("restorePoint".to_owned(), point.clone());
            }
            shown.into()
        };
        let mut list: Vec<Value> = self.artifacts.iter().map(shown).collect();
        if self.activated.is_some() {
            list.extend(self.resolved(kind));
        }
        list
    }

    /// What the inputs of a bulk request become: an artifact each, of a point that only the service can choose.
    fn resolved(&self, kind: &str) -> Vec<Value> {
        let owner = match self.workload.owned_by {
            Owner::Person => "email",
            Owner::Site => "siteWebUrl",
        };
        let destination = self
            .bulk
            .as_ref()
            .and_then(|bulk| bulk.get("destinationType"))
            .cloned();
        let inputs = self.inputs().into_iter().enumerate();
        inputs
            .map(|(at, input)| {
                json!({
                    "@odata.type": format!("#microsoft.graph.{kind}"),
                    "id": format!("{}-{}", self.id, at + 1),
                    "status": "succeeded",
                    "destinationType": destination,
                    "error": null,
                    "restorePoint": {"protectionUnit": {owner: input}},
                })
            })
            .collect()
    }

    /// Its bulk request as a GET shows it: the service does not give inputs back.
    pub(super) fn bulk_json(&self) -> Option<Value> {
        let mut shown = self.bulk.clone().filter(|_| !self.bulk_is_gone)?;
        let status = if self.activated.is_some() {
            "completed"
        } else {
            "active"
        };
        shown.insert("status".to_owned(), status.into());
        shown.insert("error".to_owned(), Value::Null);
        shown.insert(self.workload.inputs.to_owned(), json!([]));
        shown.insert(
            "@odata.type".to_owned(),
            format!("#microsoft.graph.{}", self.workload.bulk_type).into(),
        );
        Some(shown.into())
    }
}

fn point_id(artifact: &Map<String, Value>) -> Option<&str> {
    artifact.get("restorePoint")?.get("id")?.as_str()
}
