//! What sessions that are not of this run restore at this moment.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::artifact::Artifact;
use super::bulk::plain;
use super::part::{Part, restores_nothing};
use super::workload::{ROOT, Workload};
use super::{Service, unit_of};
use crate::graph::{Call, GraphError, Json};

impl Service {
    /// What sessions which are not of this run restore at this moment; nothing where that does not matter.
    pub(super) async fn running_elsewhere(
        &self,
        workload: &'static Workload,
    ) -> Result<Running, GraphError> {
        if self.settings.allow_overlap {
            return Ok(Running::default());
        }
        let call = Call::get("list sessions", format!("{ROOT}/restoreSessions"));
        let mut pages = self.client.pages(call);
        let mut units = HashMap::new();
        while let Some(page) = pages.next().await {
            for session in page? {
                let (Some(id), Some(status)) = (session.string("id"), session.string("status"))
                else {
                    continue;
                };
                let kind = session.string("@odata.type").unwrap_or_default();
                let of = Workload::of_session(&kind);
                let of_another = of.is_some_and(|of| of != workload);
                if restores_nothing(&status) || of_another || self.part(&id).is_some() {
                    continue;
                }
                let found = if let Some(found) = self.elsewhere.of(&id) {
                    found
                } else {
                    let is_bulk = session.string("restoreJobType").as_deref() == Some("bulk");
                    let found = self.restored_in(workload, &id, session).await?;
                    if of.is_none() && found.is_empty() {
                        let text = format!(
                            "session {id} is `{status}` and of a kind that is not known here (`{kind}`): what it restores is not compared"
                        );
                        self.talk.warn(&text);
                    }
                    let found = Arc::new(found);
                    // What a bulk request stands for shows only little by little.
                    if !(found.is_empty() || is_bulk && status == "activating") {
                        self.elsewhere.keep(&id, found.clone());
                    }
                    found
                };
                units.extend(found.iter().map(|unit| (unit.clone(), id.clone())));
            }
        }
        Ok(Running(units))
    }

    /// The units, the points and the owners that somebody else's session restores.
    async fn restored_in(
        &self,
        workload: &'static Workload,
        id: &str,
        session: Json,
    ) -> Result<HashSet<String>, GraphError> {
        let part = Part::found(workload, None, (id.to_owned(), session));
        let artifacts = match self.artifacts_with_units(&part).await {
            // Gone since it was listed, or not of this workload.
            Err(error) if error.is_not_found() => return Ok(HashSet::new()),
            listed => listed?,
        };
        let unit = |artifact: &Artifact| unit_of(&artifact.json.property("restorePoint")?);
        let units: Vec<String> = artifacts.iter().filter_map(unit).collect();
        if units.len() < artifacts.len() {
            let text = format!(
                "session {id}, which is not of this run, does not say whose all its artifacts are: only what has the same restore points is left out"
            );
            self.talk.warn(&text);
        }
        let marks = artifacts
            .iter()
            .flat_map(|artifact| marks_of(artifact, workload));
        let mut found: HashSet<String> = marks.collect();
        found.extend(units);
        found.extend(artifacts.into_iter().filter_map(|artifact| artifact.point));
        Ok(found)
    }

    pub(super) async fn artifacts_with_units(
        &self,
        part: &Part,
    ) -> Result<Vec<Artifact>, GraphError> {
        let pages = self.owned_artifact_pages(part);
        let listed = match pages.collect().await {
            // That much may not be expanded here.
            Err(error) if error.status() == Some(400) => return self.artifacts(part).await,
            listed => listed?,
        };
        Ok(listed.into_iter().filter_map(Artifact::of).collect())
    }
}

/// What others restore at this moment: by unit, point, owner and address, each with its session.
#[derive(Debug, Default)]
pub(super) struct Running(HashMap<String, String>);

impl Running {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(&self, mark: &str) -> Option<&str> {
        self.0.get(mark).map(String::as_str)
    }
}

/// A user or a site in a place where units stand too. Some answers hold of a site's id only the part of its collection.
pub(super) fn owner_mark(owner: &str) -> String {
    let id = owner.split(',').nth(1).unwrap_or(owner);
    format!("owner:{}", id.to_ascii_lowercase())
}

/// An address or the URL of a site in such a place.
pub(super) fn address_mark(address: &str) -> String {
    format!("input:{}", plain(address))
}

/// Whose an artifact is, as far as its unit tells.
fn marks_of(artifact: &Artifact, workload: &Workload) -> Vec<String> {
    let point = artifact.json.property("restorePoint");
    let Some(unit) = point.and_then(|point| point.property("protectionUnit")) else {
        return Vec::new();
    };
    let text = |name: &str| unit.string(name).filter(|text| !text.is_empty());
    let address = text("email").or_else(|| text("siteWebUrl"));
    let owner = text(workload.owner).map(|owner| owner_mark(&owner));
    owner
        .into_iter()
        .chain(address.map(|address| address_mark(&address)))
        .collect()
}

/// The units and points of sessions of others. What is in a session that runs does not change.
#[derive(Default)]
pub(super) struct Elsewhere(std::sync::Mutex<HashMap<String, Arc<HashSet<String>>>>);

impl Elsewhere {
    fn of(&self, session: &str) -> Option<Arc<HashSet<String>>> {
        self.lock().get(session).cloned()
    }

    fn keep(&self, session: &str, units: Arc<HashSet<String>>) {
        self.lock().insert(session.to_owned(), units);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<HashSet<String>>>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
