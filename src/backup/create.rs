//! Creating a session with its first artifacts, and finding one whose answer was lost.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::artifact::{Artifact, Destination};
use super::books::{ArtifactTotals, SessionSummary, SessionTimes};
use super::part::{Manner, Part, Placed, Thing};
use super::recall::{creation, note};
use super::session::{NotTaken, Request};
use super::workload::Workload;
use super::{BackupError, Service, Session};
use crate::changes::{Change, Key, Look, Lost, Verdict};
use crate::graph::{Call, GraphError, Json};
use crate::instant;
use crate::talk::Bar;

/// Most artifacts of one request. Source: error page, `RestoreArtifactsLimitBreached`.
pub(super) const BATCH: usize = 50;

/// On a granular session of beta: what becomes of a file that is there already.
const CONFLICT: &str = "@microsoft.graph.conflictBehavior";

/// How much earlier than our intent the service may date a draft that is ours.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// An artifact in a request. Newer pages send the reference as `id`, older ones as `@odata.id`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewArtifact<'a> {
    /// Of a file: its key in the browse session, which becomes the artifact's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    browse_session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_response_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_point: Option<PointReference<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_type: Option<Destination>,
}

#[derive(Serialize)]
struct PointReference<'a> {
    id: &'a str,
}

impl<'a> NewArtifact<'a> {
    pub(super) fn of(placed: &'a Placed) -> Self {
        let mut new = Self {
            id: None,
            browse_session_id: None,
            search_response_id: None,
            restore_point: None,
            destination_type: placed.destination,
        };
        match &placed.thing {
            Thing::Point(point) => new.restore_point = Some(PointReference { id: point }),
            Thing::Piece { browse, key } => {
                new.id = Some(key);
                new.browse_session_id = Some(browse);
            }
            Thing::Hits { search, point } => {
                new.search_response_id = Some(search);
                new.restore_point = Some(PointReference { id: point });
            }
        }
        new
    }
}

/// How far a part was filled. `part` is there even where an error ended the filling.
pub(super) struct Filled {
    pub(super) part: Option<Arc<Part>>,
    pub(super) refused: Vec<(usize, NotTaken)>,
    pub(super) error: Option<BackupError>,
}

/// Codes that are about one artifact of the request; the rest of the batch is without blame. For single files and messages
/// no codes are published: any refusal of what was sent may be about one of them.
fn blames_an_item(error: &GraphError, granular: bool) -> bool {
    if granular
        && matches!(error, GraphError::Refused { error, .. } if matches!(error.status, 400 | 404))
    {
        return true;
    }
    [
        "InvalidRestorePoint",
        "InvalidArtifactRequest",
        "DuplicateArtifactInList",
        "InvalidPathType",
    ]
    .iter()
    .any(|code| error.is(code))
}

impl Service {
    /// Fills a part, or makes one: the first artifacts go with the POST, the rest in PATCHes of 50, in order.
    pub(super) async fn fill(
        &self,
        session: &Session,
        number: usize,
        mut part: Option<Arc<Part>>,
        requests: Vec<(usize, Request)>,
        bar: &dyn Bar,
    ) -> Filled {
        let mut refused = Vec::new();
        let mut requests = requests.into_iter();
        let mut batches: VecDeque<Vec<(usize, Request)>> =
            std::iter::from_fn(|| Some(requests.by_ref().take(BATCH).collect::<Vec<_>>()))
                .take_while(|batch| !batch.is_empty())
                .collect();
        let mut error = None;
        while let Some(mut batch) = batches.pop_front() {
            let sent = match &part {
                Some(part) => self.add_batch(session, part, &batch).await,
                None => match self
                    .create(
                        session.workload,
                        &session.manner,
                        creation(&session.mark, number),
                        &batch,
                    )
                    .await
                {
                    Ok(made) => {
                        let is_old = self.door.ledger().is_resumed();
                        if is_old && !batches.is_empty() {
                            let rest: Vec<_> = batches.drain(..).flatten().collect();
                            let rest = self.recall_rest(&made, rest).await;
                            batches.extend(rest.chunks(BATCH).map(<[_]>::to_vec));
                        }
                        part = Some(made);
                        Ok(Vec::new())
                    }
                    Err(error) => Err(error),
                },
            };
            match sent {
                Ok(items) => {
                    bar.add(batch.len() as u64);
                    refused.extend(items);
                }
                // How large a request may be is not documented; of one artifact it is not.
                Err(whole) if is_too_large(&whole) && batch.len() > 1 => {
                    let size = batch.len().div_ceil(2);
                    self.talk.note(&format!(
                        "a request with {} artifacts is too large: sending {size} at a time",
                        batch.len()
                    ));
                    let rest = batches.drain(..).flatten();
                    let rest: Vec<_> = batch.into_iter().chain(rest).collect();
                    batches.extend(rest.chunks(size).map(<[_]>::to_vec));
                }
                Err(whole)
                    if whole
                        .graph()
                        .is_some_and(|error| blames_an_item(error, session.is_granular())) =>
                {
                    // One of them is the bad one: halve until it stands alone.
                    if batch.len() > 1 {
                        let second = batch.split_off(batch.len() / 2);
                        batches.push_front(second);
                        batches.push_front(batch);
                        continue;
                    }
                    bar.add(1);
                    let (position, request) = batch.remove(0);
                    let words = service_words(&whole);
                    session.keep_refused(&request, whole.code(), &words);
                    refused.push((position, self.not_taken(&request, whole.code(), &words)));
                }
                Err(whole) => {
                    error = Some(whole);
                    break;
                }
            }
        }
        Filled {
            part,
            refused,
            error,
        }
    }

    /// Books an artifact that the service did not take.
    pub(super) fn not_taken(&self, request: &Request, code: &str, message: &str) -> NotTaken {
        let outcome = super::books::Outcome::Failed;
        self.books.end(
            request.item,
            outcome,
            Some(code.to_owned()),
            Some(message.to_owned()),
            None,
        );
        NotTaken {
            name: request.name.clone(),
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// Lets others see that the draft is ours: it stands among the sessions of the run, and is cleared away with its drafts.
    fn show_draft(&self, workload: &Workload, id: &str, total: usize, at: Timestamp) {
        let summary = SessionSummary {
            id: id.to_owned(),
            workload: workload.name.to_owned(),
            status: "draft".to_owned(),
            artifacts: ArtifactTotals {
                total,
                ..ArtifactTotals::default()
            },
            times: SessionTimes {
                created: Some(at),
                ..SessionTimes::default()
            },
            warning: None,
        };
        self.door.ledger().session(id, &summary);
    }

    /// Makes a session with up to 50 artifacts. `key`: what it is remembered by.
    pub(super) async fn create(
        &self,
        workload: &'static Workload,
        manner: &Manner,
        key: String,
        batch: &[(usize, Request)],
    ) -> Result<Arc<Part>, BackupError> {
        let placed: Vec<Placed> = batch.iter().map(|(_, request)| request.placed()).collect();
        let mut body = serde_json::Map::new();
        if !placed.is_empty() {
            let artifacts: Vec<_> = placed.iter().map(NewArtifact::of).collect();
            let artifacts = serde_json::json!(artifacts);
            body.insert(workload.collection(manner.granular).to_owned(), artifacts);
        }
        if let Some(conflict) = &manner.conflict {
            body.insert(CONFLICT.to_owned(), conflict.as_str().into());
        }
        let call = Call::post("create session", workload.sessions_path())
            .making()
            .json(&body)
            .version(manner.version);
        let look = LookForDraft {
            service: self.me(),
            workload,
            manner,
            placed: &placed,
        };
        let deed = self.deed_of_draft(workload, &placed).await?;
        let change = Change::draft(call, Key::Once(key))
            .about(deed)
            .noted(placed.len(), note(&placed));
        let settled = match self.door.send(change, &look).await {
            Ok(settled) => settled,
            Err(refusal) => return Err(self.or_locked(refusal).await),
        };
        let id = settled
            .json
            .string("id")
            .ok_or_else(|| BackupError::SessionGone {
                session: "without an id".to_owned(),
            })?;
        for placed in &placed {
            self.books.place(placed.item, &id);
        }
        self.show_draft(workload, &id, placed.len(), settled.at);
        let part = Part::made(workload, manner, (id, settled.json), settled.at);
        let part = Arc::new(part);
        part.content.lock().await.placed = placed;
        self.know(part.clone());
        Ok(part)
    }
}

impl Request {
    pub(super) fn placed(&self) -> Placed {
        Placed {
            item: self.item,
            thing: self.thing.clone(),
            destination: self.destination,
        }
    }
}

fn is_too_large(error: &BackupError) -> bool {
    error.graph().and_then(GraphError::status) == Some(413)
}

/// The service's own sentence where there is one.
fn service_words(error: &BackupError) -> String {
    let said = error.graph().and_then(GraphError::service_error);
    said.map_or_else(|| error.to_string(), crate::graph::ServiceError::words)
}

/// Looks for a draft whose creation was not answered: ours, new, with exactly these artifacts. One is adopted; of none or
/// several, nothing is, and the draft is made again (drafts are inert). An empty one is never adopted: it could be anybody's.
struct LookForDraft<'a> {
    service: Arc<Service>,
    workload: &'static Workload,
    manner: &'a Manner,
    placed: &'a [Placed],
}

#[async_trait]
impl Look for LookForDraft<'_> {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError> {
        let again = || Ok(Verdict::Again(lost.call.clone()));
        if self.placed.is_empty() {
            self.service
                .talk
                .note("an empty draft may have been left behind; it restores nothing");
            return again();
        }
        // Where the list cannot be read, making another draft does no harm.
        let Ok(mut candidates) = self.candidates(lost.since).await else {
            return again();
        };
        match candidates.len() {
            0 => again(),
            1 => {
                let found = candidates.swap_remove(0);
                let how = format!(
                    "found it as `{}` and went on",
                    found.string("id").unwrap_or_default()
                );
                Ok(Verdict::Happened(found, how))
            }
            several => {
                let text = format!("{several} equal drafts were left behind; they restore nothing");
                self.service.talk.note(&text);
                again()
            }
        }
    }

    fn inert(&self) -> bool {
        true
    }
}

impl LookForDraft<'_> {
    async fn candidates(&self, since: Timestamp) -> Result<Vec<Json>, GraphError> {
        let call =
            Call::get("list sessions", self.workload.sessions_path()).version(self.manner.version);
        let mut pages = self.service.client.pages(call);
        let mut candidates = Vec::new();
        while let Some(page) = pages.next().await {
            for session in page? {
                if self.may_be_ours(&session, since) && self.holds_exactly_these(&session).await? {
                    candidates.push(session);
                }
            }
        }
        Ok(candidates)
    }

    fn may_be_ours(&self, session: &Json, since: Timestamp) -> bool {
        let text = |json: &Json, name: &str| json.string(name);
        if text(session, "status").as_deref() != Some("draft") {
            return false;
        }
        let ledger = self.service.door.ledger();
        let is_known = |id: String| self.service.part(&id).is_some() || ledger.knows_session(&id);
        if text(session, "id").is_none_or(is_known) {
            return false;
        }
        let creator = session
            .property("createdBy")
            .and_then(|by| by.property("application"))
            .and_then(|app| app.string("id"));
        let us = self
            .service
            .client
            .known_identity()
            .and_then(|identity| identity.claims.app_id);
        if let (Some(creator), Some(us)) = (creator, us)
            && !creator.eq_ignore_ascii_case(&us)
        {
            return false;
        }
        let created = text(session, "createdDateTime").and_then(|text| instant::parse(&text));
        created.is_none_or(|created| created >= since - CLOCK_TOLERANCE)
    }

    async fn holds_exactly_these(&self, session: &Json) -> Result<bool, GraphError> {
        let id = session.string("id").unwrap_or_default();
        let draft = (id, session.clone());
        let part = Part::made(self.workload, self.manner, draft, Timestamp::MIN);
        let listed = self.service.artifacts(&part).await?;
        let mut listed: Vec<_> = listed.iter().map(Artifact::key).collect();
        let mut wanted: Vec<_> = self.placed.iter().map(Placed::key).collect();
        listed.sort_unstable();
        wanted.sort_unstable();
        Ok(listed == wanted)
    }
}
