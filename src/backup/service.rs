//! What all operations of one run share: the client, the door, the books, the schedules.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::artifact::{Artifact, Destination};
use super::books::{Asked, Books, Closed, ItemId, ItemPoint};
use super::browse::Browse;
use super::gate::{Gate, Told};
use super::hold::Held;
use super::part::{Part, Stage};
use super::poll::{Poller, Schedule};
use super::row::Row;
use super::running::Elsewhere;
use super::search::GroupSize;
use super::shelf::Written;
use super::unit::UnitIndex;
use super::workload::{ROOT, Workload};
use super::{BackupError, unit_of};
use crate::changes::{ChangeError, Door};
use crate::directory::Directory;
use crate::error::Exit;
use crate::graph::{Call, Client, GraphError, Json, Pages, Version};
use crate::stop::Stop;
use crate::talk::Talk;
use crate::world::World;

/// How the service is talked to; on our clock.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The run's id: bulk requests bear it as their mark.
    pub(crate) run: String,
    pub(crate) in_flight: usize,
    /// The first and the longest time between two looks at running sessions.
    pub(crate) first_look: Duration,
    pub(crate) polling: Duration,
    /// `--yes`.
    pub(crate) yes: bool,
    /// What was restored before may be restored again.
    pub(crate) again: bool,
    /// A unit that another session restores may be restored all the same.
    pub(crate) allow_overlap: bool,
    /// How large the books may become, in bytes; `None`: as large as they must.
    pub(crate) most_books: Option<u64>,
}

/// One index a workload, made when first needed.
#[derive(Default)]
pub(super) struct Indexes([OnceCell<UnitIndex>; 3]);

impl Indexes {
    pub(super) fn of(&self, workload: &Workload) -> &OnceCell<UnitIndex> {
        &self.0[workload.place()]
    }
}

/// The Backup Storage service, as one run uses it.
pub(crate) struct Service {
    me: Weak<Self>,
    pub(super) client: Arc<Client>,
    pub(super) door: Arc<Door>,
    pub(super) directory: Arc<Directory>,
    pub(super) books: Books,
    pub(super) talk: Arc<dyn Talk>,
    pub(super) world: World,
    pub(super) stop: Stop,
    pub(super) in_flight: usize,
    pub(super) group_size: GroupSize,
    pub(super) unit_indexes: Indexes,
    pub(super) gate: tokio::sync::Mutex<Gate>,
    pub(super) told_at_gate: Told,
    pub(super) poller: Poller,
    pub(super) settings: Settings,
    /// Bulk requests that were sent so far.
    pub(super) bulk_requests: AtomicU32,
    /// The service said that restores are allowed.
    allowed: OnceCell<()>,
    /// Names of units, as rows have told them.
    names: Mutex<HashMap<String, String>>,
    /// By the id of a restore point: the item of a bulk request that it was found for; as of so many that were found.
    inputs: Mutex<(usize, HashMap<String, ItemId>)>,
    /// Whom a policy that names groups lets be touched.
    pub(super) members: tokio::sync::Mutex<Option<Arc<HashSet<String>>>>,
    /// Whom bulk requests name, by workload, owner and destination: two addresses can be one person's.
    owners: Mutex<HashMap<(&'static str, String, Destination), ItemId>>,
    /// The browse sessions that this run has seen.
    browses: Mutex<HashMap<Arc<str>, Arc<Browse>>>,
    pub(super) elsewhere: Elsewhere,
    /// The sessions that this run has made or activated.
    parts: Mutex<HashMap<String, Arc<Part>>>,
    pub(super) held: Held,
}

impl Service {
    pub(crate) fn new(
        client: Arc<Client>,
        door: Arc<Door>,
        directory: Arc<Directory>,
        talk: Arc<dyn Talk>,
        world: World,
        stop: Stop,
        settings: Settings,
    ) -> Arc<Self> {
        let bulk_requests = u32::try_from(door.ledger().count_past("bulk/")).unwrap_or(u32::MAX);
        let shelf = Written::new(door.clone(), stop.clone(), settings.most_books);
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            client,
            door: door.clone(),
            directory,
            books: Books::on(Some(Arc::new(shelf))),
            talk,
            world,
            stop,
            in_flight: settings.in_flight.max(1),
            group_size: GroupSize::default(),
            unit_indexes: Indexes::default(),
            gate: tokio::sync::Mutex::default(),
            told_at_gate: Told::default(),
            poller: Poller::default(),
            settings,
            bulk_requests: AtomicU32::new(bulk_requests),
            allowed: OnceCell::new(),
            names: Mutex::default(),
            inputs: Mutex::default(),
            members: tokio::sync::Mutex::default(),
            owners: Mutex::default(),
            browses: Mutex::default(),
            elsewhere: Elsewhere::default(),
            parts: Mutex::default(),
            held: Held::default(),
        })
    }

    pub(crate) fn me(&self) -> Arc<Self> {
        self.me
            .upgrade()
            .expect("whoever calls a method holds a reference")
    }

    pub(crate) fn books(&self) -> &Books {
        &self.books
    }

    pub(super) fn schedule(&self) -> Schedule {
        Schedule::new(self.settings.first_look, self.settings.polling)
    }

    /// Sleeps unless the run is stopped meanwhile.
    pub(super) async fn sleep(&self, wait: Duration) -> Result<(), BackupError> {
        tokio::select! {
            biased;
            () = self.stop.cancelled(), if self.stop_is_final() || !self.stop.is_set() => {}
            () = self.world.clock.sleep(wait) => {}
        }
        if self.stop_is_final() {
            self.refuse_if_stopped()
        } else {
            Ok(())
        }
    }

    /// After a denial the run still waits for what it has activated; after Ctrl-C or a limit it does not.
    pub(super) fn stop_is_final(&self) -> bool {
        self.stop
            .reason()
            .is_some_and(|fault| fault.exit != Exit::Denied)
    }

    pub(super) fn refuse_if_stopped(&self) -> Result<(), BackupError> {
        match self.stop.reason() {
            Some(fault) => Err(ChangeError::Stopped(Box::new(fault)).into()),
            None => Ok(()),
        }
    }

    /// Restores must be allowed before the first activation: a clear word beats twenty failures.
    pub(super) async fn refuse_if_locked(&self) -> Result<(), BackupError> {
        self.allowed
            .get_or_try_init(|| async {
                let status = match self
                    .client
                    .read(Call::get("get service status", ROOT))
                    .await
                {
                    Ok(answer) => answer
                        .json()
                        .property("serviceStatus")
                        .and_then(|status| status.string("status")),
                    // The permission to read the status is not one that a restore needs.
                    Err(error) if matches!(error.status(), Some(401 | 403 | 404)) => None,
                    Err(error) => return Err(error.into()),
                };
                match status.as_deref() {
                    Some(status @ ("restoreLocked" | "disabled")) => {
                        Err(BackupError::ServiceLocked {
                            status: status.to_owned(),
                        })
                    }
                    _ => Ok(()),
                }
            })
            .await
            .copied()
    }

    /// What a refusal comes of: the service answers a locked restore with the plain 403 of a missing permission.
    pub(super) async fn or_locked(&self, refusal: ChangeError) -> BackupError {
        if let ChangeError::Graph(error) = &refusal
            && error.status() == Some(403)
            && !error.is("Authorization_RequestDenied")
            && let Err(locked @ BackupError::ServiceLocked { .. }) = self.refuse_if_locked().await
        {
            return locked;
        }
        refusal.into()
    }

    pub(super) async fn get_session(&self, part: &Part) -> Result<Json, GraphError> {
        self.read_session(part, part.since).await
    }

    /// `since`: a 404 soon after it is looked at again.
    pub(super) async fn read_session(
        &self,
        part: &Part,
        since: Option<Timestamp>,
    ) -> Result<Json, GraphError> {
        let call = Call::get("get session", part.path(""))
            .version(part.version)
            .fresh_since(since);
        Ok(self.client.read(call).await?.json())
    }

    /// A session by its id, with its workload.
    pub(crate) async fn session(
        &self,
        id: &str,
        version: Option<Version>,
    ) -> Result<super::Session, BackupError> {
        let path = format!("{ROOT}/restoreSessions/{}", super::encoded(id));
        let call = Call::get("get session", path).version(version);
        let read = async { Ok(self.client.read(call).await?.json()) };
        let json = self.learn("state", id, read).await?;
        let workload = workload_of(&json).unwrap_or(&super::EXCHANGE);
        Ok(self.known_session(workload, version, json))
    }

    /// The sessions of one workload, or of all together.
    pub(crate) fn sessions(
        &self,
        workload: Option<&'static Workload>,
        version: Option<Version>,
    ) -> Pages {
        let path = workload.map_or_else(
            || format!("{ROOT}/restoreSessions"),
            Workload::sessions_path,
        );
        let call = Call::get("list sessions", path).version(version);
        self.client.pages(call)
    }

    pub(super) fn know(&self, part: Arc<Part>) {
        lock(&self.parts).insert(part.id.clone(), part);
    }

    /// The sessions that this run has made or activated.
    pub(super) fn known_parts(&self) -> Vec<Arc<Part>> {
        lock(&self.parts).values().cloned().collect()
    }

    pub(super) fn part(&self, id: &str) -> Option<Arc<Part>> {
        lock(&self.parts).get(id).cloned()
    }

    pub(super) async fn gate_left(&self, session: &str) {
        self.gate.lock().await.leave(session);
        if let Some(journal) = self.door.ledger().journal()
            && let Err(error) = journal.leave_gate(&self.settings.run, session).await
        {
            self.talk.warn(&error.to_string());
        }
    }

    pub(super) fn remember_names(&self, rows: &[Row]) {
        let mut names = lock(&self.names);
        for row in rows {
            if let Some(id) = row.unit.as_ref().and_then(|unit| unit.string("id")) {
                names.insert(id, row.name.clone());
            }
        }
    }

    /// The item of a bulk input: the same for the same owner, however he is named, else the one that `ask` makes.
    pub(crate) fn bulk_item(
        &self,
        workload: &Workload,
        owner: Option<&str>,
        destination: Destination,
        ask: impl FnOnce() -> ItemId,
    ) -> ItemId {
        let Some(owner) = owner else {
            return ask();
        };
        let key = (workload.name, owner.to_lowercase(), destination);
        *lock(&self.owners).entry(key).or_insert_with(ask)
    }

    /// The input of a bulk request that a restore point was found for.
    pub(crate) fn input_of_point(&self, point: &str) -> Option<String> {
        let mut inputs = lock(&self.inputs);
        // Drawn up only where somebody asks: a run that does not has no second copy of ten thousand ids.
        if let Some(newer) = self.books.inputs_by_point(inputs.0) {
            *inputs = newer;
        }
        let item = *inputs.1.get(point)?;
        drop(inputs);
        self.books.input(item)
    }

    pub(super) fn know_browse(&self, browse: Arc<Browse>) {
        lock(&self.browses).insert(browse.id.clone(), browse);
    }

    /// A browse session that this run has seen.
    pub(crate) fn browse_by_id(&self, id: &str) -> Option<Arc<Browse>> {
        lock(&self.browses).get(id).cloned()
    }

    /// The name of a unit's owner where a row has told it, else the unit's id.
    pub(crate) fn name_of_unit(&self, unit: &str) -> String {
        lock(&self.names)
            .get(unit)
            .cloned()
            .unwrap_or_else(|| unit.to_owned())
    }

    pub(super) fn book_artifact(
        &self,
        workload: &Workload,
        artifact: &Artifact,
        destination: Option<Destination>,
        input: Option<String>,
    ) -> ItemId {
        let point = artifact.json.property("restorePoint");
        let unit = point.as_ref().and_then(unit_of);
        let name = unit
            .as_ref()
            .map_or_else(|| artifact.id.clone(), |unit| self.name_of_unit(unit));
        self.books.ask(Asked {
            workload: workload.name,
            unit,
            name,
            point: artifact.point.clone().map(|id| ItemPoint {
                id,
                protection_date_time: point.and_then(|point| point.string("protectionDateTime")),
            }),
            destination: destination.map(|to| to.name().into()),
            input,
        })
    }

    /// Waits for every session that was activated, unless `wait` is false, and closes the books.
    ///
    /// The second value says why a session's end could not be read, where that happened: its items are unknown.
    pub(crate) async fn close(&self, wait: bool) -> (Closed, Option<BackupError>) {
        let mut parts: Vec<Arc<Part>> = Vec::new();
        let known: Vec<Arc<Part>> = lock(&self.parts).values().cloned().collect();
        for part in known {
            if part.content.lock().await.stage == Stage::Activated {
                parts.push(part);
            }
        }
        let trouble = if wait {
            self.wait_for(&parts).await.err()
        } else {
            None
        };
        (self.books.close(), trouble)
    }
}

/// The workload of a session, by the type that a mixed list or a generic GET names.
pub(crate) fn workload_of(session: &Json) -> Option<&'static Workload> {
    Workload::of_session(&session.string("@odata.type")?)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // No code of ours runs while it is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
