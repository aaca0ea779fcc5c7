//! The end of a bulk restore: which input became which artifact, and what came of it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::came::{Came, End, ends_of, plain};
use super::{Bulk, Input, Resolution, Unresolved, resolution, unresolved};
use crate::backup::artifact::{Artifact, Progress};
use crate::backup::books::{ArtifactTotals, Asked, Outcome, SessionSummary, SessionTimes};
use crate::backup::part::{Content, Part, Stage, has_ended};
use crate::backup::verdict::warning;
use crate::backup::workload::Owner;
use crate::backup::{BackupError, Service, Session};
use crate::graph::{GraphError, Json, Pages};

/// How often a list is read again whose artifacts lag behind their session.
const TRIES: u32 = 5;

/// How a bulk session ended, for a later life of the run.
#[derive(Serialize, Deserialize)]
struct Settled {
    json: Json,
    at: Timestamp,
    totals: ArtifactTotals,
    ends: Vec<End>,
    unresolved: Option<Vec<Unresolved>>,
}

impl Service {
    /// Artifacts with the units that they are of: without them nothing tells which input an artifact came from.
    pub(in crate::backup) fn owned_artifact_pages(&self, part: &Part) -> Pages {
        let expand = "$expand=restorePoint($expand=protectionUnit)";
        let path = format!("{}?{expand}", part.artifacts_path(false));
        self.client.pages(part.get("list artifacts", path))
    }

    /// The ends of all artifacts, a page at a time.
    async fn ends(&self, part: &Part) -> Result<(Vec<End>, ArtifactTotals), GraphError> {
        let mut pages = self.owned_artifact_pages(part);
        let mut plain = false;
        let mut ends = Vec::new();
        let mut totals = ArtifactTotals::default();
        while let Some(page) = pages.next().await {
            let page = match page {
                // That much may not be expanded here.
                Err(error) if !plain && error.status() == Some(400) => {
                    plain = true;
                    pages = self.artifact_pages(part);
                    continue;
                }
                page => page?,
            };
            for artifact in page.into_iter().filter_map(Artifact::of) {
                totals.total += 1;
                match artifact.progress() {
                    Progress::Succeeded => totals.succeeded += 1,
                    Progress::Failed => totals.failed += 1,
                    Progress::Open | Progress::Unrecognised => {}
                }
                ends.push(End::of(&artifact, part.workload.owner));
            }
        }
        Ok((ends, totals))
    }

    /// Closes the books of a bulk session that has ended, input by input.
    pub(in crate::backup) async fn settle_bulk(
        &self,
        part: &Arc<Part>,
        content: &mut Content,
    ) -> Result<(), BackupError> {
        let Some(bulk) = content.bulk.as_mut() else {
            return Ok(());
        };
        let ledger = self.door.ledger();
        let fact = ledger.fact::<Settled>("settled", &part.id);
        let is_known = fact.is_some();
        let settled = match fact {
            Some(settled) => settled,
            None => self.read_bulk_ends(part, bulk).await?,
        };
        if !is_known {
            ledger.keep("settled", &part.id, &settled);
        }
        let Settled {
            json,
            at: ended,
            totals,
            ends,
            unresolved,
        } = settled;
        part.keep(json);
        bulk.unresolved = unresolved;
        if bulk.is_ours() {
            self.book_inputs(part, bulk, ends).await?;
        } else {
            self.book_artifacts(part, bulk, ends);
        }
        self.books.session(SessionSummary {
            id: part.id.clone(),
            workload: part.workload.name.to_owned(),
            status: part.status(),
            artifacts: totals,
            times: SessionTimes {
                ended: Some(ended),
                ..SessionTimes::default()
            },
            warning: warning(&part.json()),
        });
        content.settled = true;
        if let Some(bulk) = content.bulk.as_ref().filter(|bulk| bulk.is_ours()) {
            self.give_back_inputs(part, bulk).await;
        }
        Ok(())
    }

    /// How every artifact of a session ended, and what its request could not resolve.
    async fn read_bulk_ends(
        &self,
        part: &Arc<Part>,
        bulk: &mut Bulk,
    ) -> Result<Settled, BackupError> {
        let at = self.world.clock.now();
        self.read_unresolved(part, bulk).await?;
        let mut schedule = self.schedule();
        let mut tries = 0;
        loop {
            let read = async || Ok(self.ends(part).await?);
            let (mut ends, totals) = self.patiently(read).await?;
            tries += 1;
            // The session's state runs ahead of its artifacts' by a moment.
            if totals.succeeded + totals.failed == totals.total || tries > TRIES {
                if bulk.is_ours() {
                    self.tell_whose(part, bulk, &mut ends).await?;
                }
                return Ok(Settled {
                    json: part.json(),
                    at,
                    totals,
                    ends,
                    unresolved: bulk.unresolved.clone(),
                });
            }
            self.sleep(schedule.next()).await?;
        }
    }

    async fn book_inputs(
        &self,
        part: &Part,
        bulk: &mut Bulk,
        mut ends: Vec<End>,
    ) -> Result<(), BackupError> {
        let lost = bulk.unresolved.clone().unwrap_or_default();
        let mut came = ends_of(&bulk.inputs, &ends, &lost);
        let open = |(input, came): (&Input, &Came)| {
            input.owner.is_none() && matches!(came, Came::Nothing | Came::Untold)
        };
        let told = ends.iter().any(|end| end.owner.is_some());
        if told && bulk.inputs.iter().zip(&came).any(open) {
            self.learn_owners(part.workload.owned_by, &mut bulk.inputs)
                .await?;
            came = ends_of(&bulk.inputs, &ends, &lost);
        }
        // Two inputs can stand for one artifact; else what is known of it is moved into the books.
        let mut uses = vec![0_u32; ends.len()];
        for came in &came {
            if let Came::To(at) = came {
                uses[*at] += 1;
            }
        }
        for (input, came) in bulk.inputs.iter().zip(came) {
            let (outcome, code, reason) = match came {
                Came::To(at) => {
                    uses[at] -= 1;
                    let end = &mut ends[at];
                    let (unit, point) = if uses[at] == 0 {
                        (end.unit.take(), end.point.take())
                    } else {
                        (end.unit.clone(), end.point.clone())
                    };
                    self.books.learn(input.item, unit, point);
                    (end.outcome, end.code.clone(), end.reason.clone())
                }
                Came::Unresolved(at) => {
                    let lost = &lost[at];
                    let words = (lost.code.clone(), lost.reason.clone());
                    (Outcome::Skipped, Some(words.0), Some(words.1))
                }
                Came::Restored => (Outcome::Succeeded, None, None),
                Came::Untold => unknown(
                    "ArtifactNotMatched",
                    "its session does not say whose its artifacts are, and not all of them succeeded",
                ),
                Came::Nothing => unknown("ArtifactMissing", "its session lists no artifact of it"),
            };
            let session = (outcome != Outcome::Skipped).then_some(&*part.id);
            self.books.end(input.item, outcome, code, reason, session);
        }
        Ok(())
    }

    /// A request of somebody else: its artifacts are what was asked for.
    fn book_artifacts(&self, part: &Part, bulk: &Bulk, ends: Vec<End>) {
        let asked = |unit: Option<String>, name: String| Asked {
            workload: part.workload.name,
            unit,
            name,
            destination: bulk.destination.map(|to| to.name().into()),
            ..Asked::default()
        };
        for end in ends {
            let unit = end.unit.clone();
            let name = unit.as_deref().map(|unit| self.name_of_unit(unit));
            let name = name.or(end.owner).unwrap_or_default();
            let item = self.books.ask(Asked {
                point: end.point,
                ..asked(unit, name)
            });
            self.books
                .end(item, end.outcome, end.code, end.reason, Some(&part.id));
        }
        for lost in bulk.unresolved.iter().flatten() {
            let asked = asked(None, lost.input.clone());
            let (code, reason) = (Some(lost.code.clone()), Some(lost.reason.clone()));
            self.books.skip(asked, code, reason, false);
        }
    }

    /// Reads what the service could not resolve, where that is not known already.
    async fn read_unresolved(&self, part: &Part, bulk: &mut Bulk) -> Result<(), BackupError> {
        if bulk.unresolved.is_some() {
            return Ok(());
        }
        // Nothing where somebody has deleted it.
        if let Some(request) = self.bulk_request_if_any(part, &bulk.id).await? {
            bulk.unresolved = Some(unresolved(&request));
        }
        Ok(())
    }

    /// The bulk request, however long the network is away; nothing where it is not there any more.
    pub(super) async fn bulk_request_if_any(
        &self,
        part: &Part,
        id: &str,
    ) -> Result<Option<Json>, BackupError> {
        let read = async || match self.bulk_request(part, id).await {
            Ok(request) => Ok(Some(request)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        };
        self.patiently(read).await
    }

    /// Waits until the service has resolved the inputs of an activated session. True where none of them stands for anything.
    pub(in crate::backup) async fn resolves_to_nothing(
        &self,
        part: &Arc<Part>,
    ) -> Result<bool, BackupError> {
        let mut schedule = self.schedule();
        loop {
            let id = match part.content.lock().await.bulk.as_ref() {
                Some(bulk) if bulk.unresolved.is_none() => bulk.id.clone(),
                Some(bulk) => return Ok(bulk.is_lost()),
                None => return Ok(false),
            };
            let Some(request) = self.bulk_request_if_any(part, &id).await? else {
                return Ok(false);
            };
            if resolution(&request) == Resolution::Ended {
                let mut content = part.content.lock().await;
                let Some(bulk) = content.bulk.as_mut() else {
                    return Ok(false);
                };
                bulk.unresolved = Some(unresolved(&request));
                return Ok(bulk.is_lost());
            }
            // A session can end without a word about its request.
            let look = async || Ok(self.refresh(part).await?);
            let session = self.patiently(look).await?;
            if has_ended(&session.string("status").unwrap_or_default()) {
                return Ok(false);
            }
            self.sleep(schedule.next()).await?;
        }
    }

    /// The ids of those inputs of which only the address is known.
    pub(super) async fn learn_owners(
        &self,
        owned_by: Owner,
        inputs: &mut [Input],
    ) -> Result<(), BackupError> {
        let nameless = inputs.iter().filter(|input| input.owner.is_none());
        let texts: Vec<String> = nameless.map(|input| input.text.clone()).collect();
        if texts.is_empty() {
            return Ok(());
        }
        let look = async || self.owners_of(owned_by, &texts).await;
        let owners = match self.patiently(look).await {
            Ok(owners) => owners,
            // Not a reason to leave the books open: what cannot be told apart is booked so.
            Err(error) if error.graph().and_then(GraphError::service_error).is_some() => {
                let text = "the owners of restored units could not be looked up";
                self.talk.warn(&format!("{text}: {error}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for input in inputs.iter_mut().filter(|input| input.owner.is_none()) {
            input.owner = owners.get(&plain(&input.text)).cloned();
        }
        Ok(())
    }
}

impl Bulk {
    /// Whether every input is one that the service could not resolve.
    fn is_lost(&self) -> bool {
        let lost = self.unresolved.as_deref().unwrap_or_default();
        self.is_ours() && lost.len() >= self.inputs.len()
    }
}

/// An input that stands for nothing, with the item of the books that it is.
pub(crate) struct Lost {
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) code: String,
    pub(crate) reason: String,
}

impl Session {
    /// The inputs that the service could not resolve. Waits until it has looked at all of them.
    ///
    /// # Errors
    /// [`BackupError::NotActivated`]: before that nothing is resolved.
    pub(crate) async fn unresolved(&self) -> Result<Vec<Lost>, BackupError> {
        let mut all = Vec::new();
        for part in self.parts() {
            let stage = {
                let mut content = part.content.lock().await;
                if content.stage == Stage::Unread && content.bulk.is_none() {
                    // Somebody else's: looked at, but booked nowhere.
                    content.bulk = self.service.bulk_of_others(&part).await?;
                }
                if content.bulk.is_none() {
                    continue;
                }
                content.stage
            };
            let is_draft = match stage {
                Stage::Unread => {
                    let json = self.service.refresh_once(&part).await?;
                    json.string("status").as_deref() == Some("draft")
                }
                stage => stage == Stage::Draft,
            };
            if is_draft {
                let session = part.id.clone();
                return Err(BackupError::NotActivated { session });
            }
            self.service.resolves_to_nothing(&part).await?;
            let content = part.content.lock().await;
            let Some(bulk) = &content.bulk else { continue };
            let names: HashMap<String, String> = bulk
                .inputs
                .iter()
                .map(|input| (plain(&input.text), self.service.books.name(input.item)))
                .collect();
            all.extend(bulk.unresolved.iter().flatten().map(|lost| {
                let name = names.get(&plain(&lost.input));
                Lost {
                    name: name.unwrap_or(&lost.input).clone(),
                    input: lost.input.clone(),
                    code: lost.code.clone(),
                    reason: lost.reason.clone(),
                }
            }));
        }
        Ok(all)
    }
}

fn unknown(code: &str, reason: &str) -> (Outcome, Option<String>, Option<String>) {
    let (code, reason) = (code.to_owned(), reason.to_owned());
    (Outcome::Unknown, Some(code), Some(reason))
}
