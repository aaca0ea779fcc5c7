//! A session as a script sees it: one or several sessions of the service that are filled, activated and waited for together.

mod adding;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::try_join_all;

use super::artifact::{Artifact, Destination};
use super::books::ItemId;
use super::part::{Content, Manner, Part, Placed, Stage, Thing, is_running};
use super::recall::creation;
use super::workload::Workload;
use super::{BackupError, Service};
use crate::changes::origin;
use crate::graph::{GraphError, Json, Pages, Version};
use adding::Pending;

/// Most artifacts of one part. Source: "1,000 mailboxes queued and started at once", activate page.
pub(crate) const MOST_ARTIFACTS: usize = 1000;

/// One artifact that a script asks for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) item: ItemId,
    pub(crate) thing: Thing,
    pub(crate) destination: Option<Destination>,
    /// For messages.
    pub(crate) name: String,
}

/// An item that the service did not take: its code and words. It is in the books as failed.
#[derive(Clone, Debug)]
pub(crate) struct NotTaken {
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A session of a script.
pub(crate) struct Session {
    pub(crate) workload: &'static Workload,
    pub(super) service: Arc<Service>,
    /// What it is known by when the run goes on: the call that made it, or the id that it was found by.
    pub(super) mark: String,
    /// Most artifacts of a part, 1 to [`MOST_ARTIFACTS`] or what a policy lowers that to.
    size: usize,
    pub(super) manner: Manner,
    parts: Mutex<Vec<Arc<Part>>>,
    destination: Mutex<Option<Destination>>,
    queue: Mutex<Vec<Pending>>,
    pub(super) editing: tokio::sync::Mutex<()>,
}

impl Session {
    pub(super) fn new(
        service: Arc<Service>,
        workload: &'static Workload,
        mark: String,
        size: usize,
        manner: Manner,
        parts: Vec<Arc<Part>>,
    ) -> Self {
        let most = service.door.guard().session_size().min(MOST_ARTIFACTS);
        Self {
            workload,
            service,
            mark,
            size: size.clamp(1, most),
            manner,
            parts: Mutex::new(parts),
            destination: Mutex::default(),
            queue: Mutex::default(),
            editing: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn parts(&self) -> Vec<Arc<Part>> {
        lock(&self.parts).clone()
    }

    pub(super) fn adopt(&self, part: Arc<Part>) {
        let mut parts = lock(&self.parts);
        if !parts.iter().any(|known| known.id == part.id) {
            parts.push(part);
        }
    }

    /// What it is known by when the run goes on.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// The version and the JSON of a session that was found by its id; `None` for one that this run makes.
    pub(crate) fn found(&self) -> Option<(Option<Version>, Json)> {
        let parts = self.parts();
        let part = parts
            .first()
            .filter(|part| self.mark == of_session(&part.id))?;
        Some((part.version, part.json()))
    }

    /// One of its parts as a session of its own.
    pub(crate) fn of_part(&self, part: Arc<Part>) -> Self {
        Self::new(
            self.service.clone(),
            self.workload,
            of_session(&part.id),
            self.size,
            self.manner.clone(),
            vec![part],
        )
    }

    /// The parts of several sessions of one workload in one, in their order; `None` where there is none, or one of another.
    pub(crate) fn together(sessions: &[Arc<Self>]) -> Option<Self> {
        let first = sessions.first()?;
        if sessions
            .iter()
            .any(|session| *session.workload != *first.workload)
        {
            return None;
        }
        let parts = sessions
            .iter()
            .flat_map(|session| session.parts())
            .collect();
        let (service, manner) = (first.service.clone(), first.manner.clone());
        let mark = format!("{}+", first.mark);
        Some(Self::new(
            service,
            first.workload,
            mark,
            first.size,
            manner,
            parts,
        ))
    }

    /// Whether its artifacts are single files or messages.
    pub(crate) fn is_granular(&self) -> bool {
        self.manner.granular
    }

    /// The first part's id; `None` where nothing was sent.
    pub(crate) fn id(&self) -> Option<String> {
        lock(&self.parts).first().map(|part| part.id.clone())
    }

    /// The first part's newest JSON.
    pub(crate) fn json(&self) -> Option<Json> {
        lock(&self.parts).first().map(|part| part.json())
    }

    /// The state of all parts together, in the service's words.
    pub(crate) fn status(&self) -> String {
        let parts = self.parts();
        let states: Vec<String> = parts.iter().map(|part| part.status()).collect();
        let Some(first) = states.first() else {
            return "draft".to_owned();
        };
        if states.iter().all(|state| state == first) {
            return first.clone();
        }
        if states.iter().any(|state| is_running(state)) {
            return "active".to_owned();
        }
        if states.iter().any(|state| state == "draft") {
            return "draft".to_owned();
        }
        "completedWithError".to_owned()
    }

    /// How many artifacts it holds: as this run knows, else as the service counts them. Blocks while a part is edited.
    pub(crate) fn count(&self) -> usize {
        let count = |part: &Arc<Part>| {
            let content = part.content.blocking_lock();
            if content.stage != Stage::Unread && !content.is_of_others() {
                return content.len();
            }
            let counted = part.json().property("restoreSessionArtifactCount");
            counted
                .and_then(|count| count.property("total")?.parse().ok())
                .unwrap_or(0)
        };
        self.parts().iter().map(count).sum()
    }

    /// The artifacts of every part, as lists.
    pub(crate) fn artifact_pages(&self) -> Vec<Pages> {
        let pages = |part: &Arc<Part>| self.service.artifact_list(part, false);
        self.parts().iter().map(pages).collect()
    }

    /// The files or messages of every part, as lists.
    pub(crate) fn granular_pages(&self) -> Vec<Pages> {
        let pages = |part: &Arc<Part>| self.service.artifact_list(part, true);
        self.parts().iter().map(pages).collect()
    }

    /// The one destination of what is in it, where that is known.
    pub(crate) fn held_destination(&self) -> Option<Destination> {
        *lock(&self.destination)
    }

    /// A session has one destination.
    pub(super) fn hold(&self, destination: Destination) -> Result<(), BackupError> {
        let has = *lock(&self.destination).get_or_insert(destination);
        if has == destination {
            return Ok(());
        }
        let (has, asked) = (has.to_string(), destination.to_string());
        Err(BackupError::MixedDestinations { has, asked })
    }

    /// Asks the service for the newest state of every part.
    pub(crate) async fn refresh(&self) -> Result<(), BackupError> {
        let parts = self.parts();
        try_join_all(parts.iter().map(|part| self.service.refresh_once(part))).await?;
        Ok(())
    }
}

impl Service {
    /// An empty draft of this workload, made at the service.
    pub(crate) async fn create_session(
        &self,
        workload: &'static Workload,
        manner: Manner,
    ) -> Result<Session, BackupError> {
        let mark = origin::current().mark();
        let key = creation(&mark, 0);
        let part = self.create(workload, &manner, key, &[]).await?;
        Ok(Session::new(
            self.me(),
            workload,
            mark,
            MOST_ARTIFACTS,
            manner,
            vec![part],
        ))
    }

    /// A session that is not made before its first artifact is there.
    pub(crate) fn unsent_session(
        &self,
        workload: &'static Workload,
        size: usize,
        manner: Manner,
    ) -> Session {
        let mark = origin::current().mark();
        Session::new(self.me(), workload, mark, size, manner, Vec::new())
    }

    /// A session that the service has, as this run knows it where it does.
    pub(crate) fn known_session(
        &self,
        workload: &'static Workload,
        version: Option<Version>,
        json: Json,
    ) -> Session {
        let id = json.string("id").unwrap_or_default();
        let part = match self.part(&id) {
            Some(part) => {
                part.keep(json);
                part
            }
            None => Arc::new(Part::found(workload, version, (id, json))),
        };
        let manner = Manner {
            granular: part.granular,
            version: part.version,
            ..Manner::default()
        };
        let mark = of_session(&part.id);
        let parts = vec![part];
        Session::new(self.me(), workload, mark, MOST_ARTIFACTS, manner, parts)
    }

    /// Reads a part anew because this call of the script asks for it: the same again when the run goes on.
    pub(super) async fn refresh_once(&self, part: &Part) -> Result<Json, BackupError> {
        let json = self.learn("state", &part.id, self.refresh(part)).await?;
        part.keep(json.clone());
        Ok(json)
    }

    /// Reads a part anew.
    pub(super) async fn refresh(&self, part: &Part) -> Result<Json, BackupError> {
        let json = self.get_session(part).await.map_err(|error| match error {
            GraphError::Refused { .. } if error.is_not_found() => BackupError::SessionGone {
                session: part.id.clone(),
            },
            error => error.into(),
        })?;
        part.keep(json.clone());
        Ok(json)
    }

    /// Takes what is in a session that was made elsewhere as what was asked for: somebody named it.
    pub(super) async fn read_content(
        &self,
        part: &Arc<Part>,
        content: &mut Content,
    ) -> Result<(), BackupError> {
        if content.stage != Stage::Unread {
            return Ok(());
        }
        let json = self.refresh_once(part).await?;
        let status = json.string("status").unwrap_or_default();
        if json.string("restoreJobType").as_deref() == Some("bulk") {
            content.bulk = self.bulk_of_others(part).await?;
        } else {
            let listed = async {
                let artifacts = if part.granular {
                    self.artifacts(part).await?
                } else {
                    self.artifacts_with_units(part).await?
                };
                Ok(artifacts
                    .into_iter()
                    .map(|artifact| artifact.json)
                    .collect())
            };
            let listed: Vec<Json> = self.learn("content", &part.id, listed).await?;
            for artifact in listed.into_iter().filter_map(Artifact::of) {
                let Some(placed) = self.placed_of_others(part, &artifact) else {
                    continue;
                };
                content.ids.insert(artifact.id, placed.item);
                content.placed.push(placed);
            }
        }
        content.stage = if status == "draft" {
            Stage::Draft
        } else {
            Stage::Activated
        };
        Ok(())
    }

    /// An artifact that somebody else has put there, entered into the books. `None` where it cannot be read.
    fn placed_of_others(&self, part: &Part, artifact: &Artifact) -> Option<Placed> {
        let (first, second) = artifact.key();
        let destination = artifact.destination.parse().ok();
        let (thing, input) = match (part.granular, part.workload.browse) {
            (false, _) => {
                destination?;
                (Thing::Point(artifact.point.clone()?), None)
            }
            (true, Some(_)) => {
                let input = Some(first.clone());
                let piece = Thing::Piece {
                    browse: second.into(),
                    key: first,
                };
                (piece, input)
            }
            (true, None) => {
                let input = Some(second.clone());
                let hits = Thing::Hits {
                    search: second,
                    point: first,
                };
                (hits, input)
            }
        };
        let item = self.book_artifact(part.workload, artifact, destination, input);
        Some(Placed {
            item,
            thing,
            destination,
        })
    }
}

/// The mark of a session that was found by its id.
fn of_session(id: &str) -> String {
    format!("session/{id}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of ours runs while it is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
