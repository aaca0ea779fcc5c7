//! What has become of a bulk request whose answer was lost, and whether a draft holds exactly ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::backup::part::{Content, Part};
use crate::backup::{BackupError, Service};
use crate::changes::{Look, Lost, Verdict};
use crate::graph::{GraphError, Json};

/// How often a draft is looked at whose request the service does not list.
const ROUNDS: u32 = 6;

/// After a lost answer: ours is there, and is adopted; another one is for a person; none is sent again, once. The draft it
/// goes into restores nothing, so a twin that lands later does no harm: before activation there must be exactly one.
pub(super) struct LookForRequest<'a> {
    service: Arc<Service>,
    part: &'a Arc<Part>,
    run: String,
    again: AtomicBool,
}

impl<'a> LookForRequest<'a> {
    pub(super) fn new(service: Arc<Service>, part: &'a Arc<Part>, run: String) -> Self {
        Self {
            service,
            part,
            run,
            again: AtomicBool::new(false),
        }
    }
}

#[async_trait]
impl Look for LookForRequest<'_> {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError> {
        let mut requests = self.service.bulk_requests(self.part).await?;
        let session = &self.part.id;
        let is_ours = |request: &Json| {
            let name = request.string("displayName").unwrap_or_default();
            // One request a session: whatever its number, a mark of this run is ours.
            let mark = name.rsplit_once("[runback ").map(|(_, mark)| mark);
            mark.and_then(|mark| mark.split_once('#'))
                .is_some_and(|(run, _)| run == self.run)
        };
        Ok(match (requests.len(), requests.iter().all(is_ours)) {
            (0, _) if !self.again.swap(true, Ordering::Relaxed) => {
                Verdict::Again(lost.call.clone())
            }
            (0, _) => {
                let text = "it is not in the draft, which restores nothing and can be deleted";
                Verdict::Not(text.to_owned())
            }
            (1, true) => {
                let how = format!("found it in session `{session}` by its name and went on");
                Verdict::Happened(requests.swap_remove(0), how)
            }
            (several, true) => Verdict::Unclear(format!(
                "session `{session}` has {several} bulk requests of ours"
            )),
            (_, false) => Verdict::Unclear(format!(
                "session `{session}` has a bulk request that is not ours"
            )),
        })
    }

    /// One request per session: a refusal can come of the first try, which did arrive.
    fn explains(&self, refusal: &GraphError) -> bool {
        matches!(refusal.status(), Some(400 | 403 | 409))
    }
}

/// After a lost delete: gone is done, still there is deleted again.
pub(super) struct LookForRequestGone<'a> {
    pub(super) service: Arc<Service>,
    pub(super) part: &'a Arc<Part>,
    pub(super) id: &'a str,
}

#[async_trait]
impl Look for LookForRequestGone<'_> {
    async fn look(&self, lost: &Lost) -> Result<Verdict, GraphError> {
        match self.service.bulk_request(self.part, self.id).await {
            Ok(_) => Ok(Verdict::Again(lost.call.clone())),
            Err(error) if error.is_not_found() => {
                let how = "the bulk request is gone".to_owned();
                Ok(Verdict::Happened(Json::of(&()), how))
            }
            Err(error) => Err(error),
        }
    }

    fn explains(&self, refusal: &GraphError) -> bool {
        refusal.is_not_found()
    }
}

impl Service {
    /// The draft must hold our request and nothing else, and nobody whom another session of this run restores.
    ///
    /// # Errors
    /// [`BackupError::ForeignArtifacts`], [`BackupError::Overlaps`].
    pub(in crate::backup) async fn verify_bulk(
        &self,
        part: &Arc<Part>,
        content: &Content,
    ) -> Result<(), BackupError> {
        let Some(bulk) = &content.bulk else {
            return Ok(());
        };
        let session = part.id.clone();
        let taken = bulk
            .inputs
            .iter()
            .filter(|input| self.books.taken(input.item, &part.id));
        let count = taken.count();
        if count > 0 {
            return Err(BackupError::Overlaps {
                session,
                count,
                by: "another session of this run",
            });
        }
        let mut schedule = self.schedule();
        for _ in 0..ROUNDS {
            let requests = self.bulk_requests(part).await?;
            let foreign = requests
                .iter()
                .filter(|request| request.string("id").as_deref() != Some(&*bulk.id));
            let count = foreign.count() + self.artifacts(part).await?.len();
            if count > 0 {
                return Err(BackupError::ForeignArtifacts { session, count });
            }
            if !requests.is_empty() {
                return Ok(());
            }
            // A list may lag behind what was just sent.
            self.sleep(schedule.next()).await?;
        }
        Err(BackupError::CannotVerify {
            session,
            rounds: ROUNDS,
        })
    }
}
