//! Editing a draft by delta PATCH, with the failures that come inside a 200, and looking after a lost answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::artifact::Artifact;
use super::create::{BATCH, NewArtifact};
use super::part::{ArtifactKey, Part, Placed, Thing};
use super::recall::{addition, note};
use super::session::{NotTaken, Request};
use super::{BackupError, Service, Session};
use crate::changes::{Change, Class, Covered, Key, Look, Lost, Verdict};
use crate::graph::{Call, GraphError, Json};
use crate::policy::Deed;

/// One entry of the answer to a delta PATCH. Added items come back with their new id; an item that failed holds
/// `@Core.DataModificationException`.
#[derive(Deserialize)]
struct DeltaItem {
    id: Option<String>,
    #[serde(rename = "browseSessionId")]
    browse: Option<String>,
    #[serde(rename = "@Core.DataModificationException")]
    exception: Option<Exception>,
    error: Option<Info>,
    #[serde(rename = "restorePoint")]
    restore_point: Option<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
    #[serde(rename = "@odata.id")]
    odata_id: Option<String>,
}

#[derive(Deserialize)]
struct Exception {
    info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    code: Option<String>,
    message: Option<String>,
}

/// What a delta answer says of what was sent: what it took by point or file, and the failures in order.
#[derive(Debug, Default, PartialEq, Eq)]
struct DeltaAnswer {
    taken: HashMap<String, usize>,
    /// By point or file, where the entry repeats it.
    failed: Vec<(Option<String>, String, String)>,
}

/// What an entry of the answer repeats of what was sent.
fn mark(placed: &Placed) -> &str {
    match &placed.thing {
        Thing::Point(point) | Thing::Hits { point, .. } => point,
        Thing::Piece { key, .. } => key,
    }
}

fn read_delta(answer: &Json, property: &str) -> DeltaAnswer {
    let mut read = DeltaAnswer::default();
    let entries = answer
        .property(property)
        .map(|list| list.elements())
        .unwrap_or_default();
    for entry in entries {
        let Ok(item) = entry.parse::<DeltaItem>() else {
            continue;
        };
        let point = item
            .restore_point
            .and_then(|point| point.id.or(point.odata_id));
        // A file is told by the artifact's own id, which is its key.
        let point = point.or(item.browse.and(item.id));
        match item
            .exception
            .map(|exception| exception.info)
            .or(item.error.map(Some))
        {
            Some(info) => {
                let info = info.unwrap_or(Info {
                    code: None,
                    message: None,
                });
                let code = info.code.unwrap_or_else(|| "UnknownError".to_owned());
                let message = info
                    .message
                    .unwrap_or_else(|| "the service gave no reason".to_owned());
                read.failed.push((point, code, message));
            }
            None => {
                if let Some(point) = point {
                    *read.taken.entry(point).or_default() += 1;
                }
            }
        }
    }
    read
}

impl Service {
    /// Adds up to 50 artifacts to a draft.
    pub(super) async fn add_batch(
        &self,
        session: &Session,
        part: &Arc<Part>,
        batch: &[(usize, Request)],
    ) -> Result<Vec<(usize, NotTaken)>, BackupError> {
        let placed: Vec<Placed> = batch.iter().map(|(_, request)| request.placed()).collect();
        let mut content = part.content.lock().await;
        let hold = self.hold_session(&part.id).await?;
        let refused = self.patch_in(part, &placed).await?;
        drop(hold);
        let mut not_taken = Vec::new();
        for ((position, request), placed) in batch.iter().zip(placed) {
            if let Some((code, message)) = refused.get(&placed.key()) {
                session.keep_refused(request, code, message);
                not_taken.push((*position, self.not_taken(request, code, message)));
            } else {
                self.books.place(placed.item, &part.id);
                content.placed.push(placed);
            }
        }
        Ok(not_taken)
    }

    /// PATCHes artifacts in; gives those that the service refused inside its 200.
    pub(super) async fn patch_in(
        &self,
        part: &Arc<Part>,
        placed: &[Placed],
    ) -> Result<HashMap<ArtifactKey, (String, String)>, BackupError> {
        let call = add_call(part, placed);
        let look = LookForAdded {
            service: self.me(),
            part,
            placed,
        };
        let key = Key::Among(addition(&part.id));
        let deed = self.deed_of_draft(part.workload, placed).await?;
        let change = Change::draft(call, key)
            .about(deed)
            .noted(placed.len(), note(placed));
        let settled = self.door.send(change, &look).await?;
        let mut refused = HashMap::new();
        if settled.found {
            return Ok(refused);
        }
        let answer = read_delta(&settled.json, &delta(part));
        let mut nameless = Vec::new();
        for (point, code, message) in answer.failed {
            match placed
                .iter()
                .find(|placed| Some(mark(placed)) == point.as_deref())
            {
                Some(placed) => {
                    refused.insert(placed.key(), (code, message));
                }
                None => nameless.push((code, message)),
            }
        }
        // A failure that does not say whose it is belongs to one of those that were not taken: in order, as both lists are.
        let mut taken = answer.taken;
        let left = placed.iter().filter(|placed| {
            let counted = taken.get_mut(mark(placed)).filter(|count| **count > 0);
            counted.map(|count| *count -= 1).is_none() && !refused.contains_key(&placed.key())
        });
        let blamed: Vec<_> = left
            .zip(nameless)
            .map(|(placed, why)| (placed.key(), why))
            .collect();
        refused.extend(blamed);
        Ok(refused)
    }

    /// PATCHes artifacts out, by their ids, 50 in a request.
    pub(super) async fn patch_out(
        &self,
        part: &Arc<Part>,
        ids: &[String],
        class: Class,
        key: &Key,
        covered: Covered,
    ) -> Result<(), BackupError> {
        for ids in ids.chunks(BATCH) {
            let removed: Vec<Value> = ids
                .iter()
                .map(|id| json!({"@removed": {"reason": "changed"}, "id": id}))
                .collect();
            let call = patch_call("remove artifacts", part, &removed);
            let look = LookForRemoved {
                service: self.me(),
                part,
                ids,
            };
            let change = Change {
                class,
                covered: covered.clone(),
                ..Change::draft(call, key.clone())
            }
            .about(Deed::nothing(part.workload.name))
            .noted(ids.len(), serde_json::Value::Null);
            let settled = self.door.send(change, &look).await?;
            if settled.found {
                continue;
            }
            if let Some((_, code, message)) = read_delta(&settled.json, &delta(part))
                .failed
                .into_iter()
                .next()
            {
                // Gone already is what was wanted; the next list tells.
                let still_there = self.artifacts(part).await?;
                if still_there
                    .iter()
                    .any(|artifact| ids.contains(&artifact.id))
                {
                    let name = format!("a change of session `{}`", part.id);
                    return Err(BackupError::ItemRefused {
                        name,
                        code,
                        message,
                    });
                }
            }
        }
        Ok(())
    }

    /// Removes one artifact from a draft because a script says so: that needs consent.
    pub(crate) async fn remove_artifact(
        &self,
        session: &Session,
        id: &str,
    ) -> Result<(), BackupError> {
        for part in session.parts() {
            let mut content = part.content.lock().await;
            let _hold = self.hold_session(&part.id).await?;
            let listed = async {
                let artifacts = self.artifacts(&part).await?;
                let own = artifacts.into_iter().find(|artifact| artifact.id == id);
                Ok(own.map(|artifact| artifact.json))
            };
            let listed: Option<Json> = self.learn("artifact", &part.id, listed).await?;
            let listed = listed.and_then(Artifact::of);
            let Some(artifact) = listed else {
                continue;
            };
            let covered = Covered {
                question: format!("remove {} from draft `{}`", part.count(1), part.id),
                keys: vec![id.to_owned()],
                is_own_draft: part.since.is_some(),
                ..Covered::default()
            };
            self.patch_out(
                &part,
                std::slice::from_ref(&artifact.id),
                Class::Delete,
                &Key::Once(format!("remove/{}/{id}", part.id)),
                covered,
            )
            .await?;
            let key = artifact.key();
            let gone = content.placed.extract_if(.., |placed| placed.key() == key);
            for placed in gone.collect::<Vec<_>>() {
                self.books.withdraw(placed.item, &part.id);
            }
            return Ok(());
        }
        Err(BackupError::ItemRefused {
            name: format!("artifact `{id}`"),
            code: "ArtifactNotFound".to_owned(),
            message: "it is in no part of this session".to_owned(),
        })
    }
}

fn delta(part: &Part) -> String {
    format!("{}@delta", part.workload.collection(part.granular))
}

fn add_call(part: &Part, placed: &[Placed]) -> Call {
    let added: Vec<NewArtifact<'_>> = placed.iter().map(NewArtifact::of).collect();
    patch_call("add artifacts", part, &added)
}

fn patch_call(operation: &'static str, part: &Part, entries: &impl Serialize) -> Call {
    let call = Call::patch(operation, part.workload.session_path(&part.id));
    part.call(call.json(&json!({ delta(part): entries })))
}

/// After a lost PATCH that adds: what is absent is sent again, and nothing else.
struct LookForAdded<'a> {
    service: Arc<Service>,
    part: &'a Arc<Part>,
    placed: &'a [Placed],
}

#[async_trait]
impl Look for LookForAdded<'_> {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError> {
        let listed = self.service.artifacts(self.part).await?;
        let present: HashSet<ArtifactKey> = listed.iter().map(Artifact::key).collect();
        let absent: Vec<Placed> = self
            .placed
            .iter()
            .filter(|placed| !present.contains(&placed.key()))
            .cloned()
            .collect();
        Ok(if absent.is_empty() {
            Verdict::Happened(
                Json::of(&()),
                "found its artifacts in the draft and went on".to_owned(),
            )
        } else {
            self.service.expect_twin(self.part, lost.waited);
            Verdict::Again(add_call(self.part, &absent))
        })
    }

    fn explains(&self, refusal: &GraphError) -> bool {
        refusal.is("DuplicateArtifactInList")
    }
}

/// After a lost PATCH that removes: gone is done; still there in a draft is sent again.
struct LookForRemoved<'a> {
    service: Arc<Service>,
    part: &'a Arc<Part>,
    ids: &'a [String],
}

#[async_trait]
impl Look for LookForRemoved<'_> {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError> {
        let listed = self.service.artifacts(self.part).await?;
        if !listed
            .iter()
            .any(|artifact| self.ids.contains(&artifact.id))
        {
            let how = "they are gone from the draft".to_owned();
            return Ok(Verdict::Happened(Json::of(&()), how));
        }
        let json = self.service.get_session(self.part).await?;
        Ok(again_if_draft(&json, lost))
    }
}

/// A change of a draft that has not happened is sent again; in a session that is no draft any more it is for a person.
pub(super) fn again_if_draft(session: &Json, lost: &Lost) -> Verdict {
    match session.string("status").as_deref() {
        Some("draft") => Verdict::Again(lost.call.clone()),
        status => {
            let status = status.unwrap_or("without a status");
            Verdict::Unclear(format!("the session is {status}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_inside_a_200_are_failures() {
        let answer = Json::of(&json!({"x@delta": [
            {"id": "1", "restorePoint": {"id": "p1"}, "status": "added"},
            {"@Core.DataModificationException": {"info": {"code": "Invalid", "message": "no"}, "responseCode": 409}, "restorePoint": {"@odata.id": "p2"}},
            {"restorePoint": {"id": "p3"}, "error": {"code": "Bad", "message": null}},
            {"@Core.DataModificationException": {}, "id": "7"},
            {"id": "4", "restorePoint": {"id": "p4"}, "error": null},
        ]}));
        let read = read_delta(&answer, "x@delta");
        let reason = "the service gave no reason".to_owned();
        assert_eq!(
            read.failed,
            [
                (Some("p2".to_owned()), "Invalid".to_owned(), "no".to_owned()),
                (Some("p3".to_owned()), "Bad".to_owned(), reason.clone()),
                (None, "UnknownError".to_owned(), reason),
            ]
        );
        assert_eq!(read.taken.len(), 2);
        assert_eq!(
            read_delta(&Json::of(&()), "x@delta"),
            DeltaAnswer::default()
        );
    }
}
