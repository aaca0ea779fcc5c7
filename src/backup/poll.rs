//! Waiting for sessions: one schedule for the whole process, and the books that are kept when a session ends.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;

use super::artifact::{Artifact, Progress};
use super::books::{ArtifactTotals, ItemId, Outcome, SessionSummary, SessionTimes};
use super::part::{ArtifactKey, Content, Part, Stage, has_ended, restores_nothing};
use super::patience::Patience;
use super::recall::{Ended, Settled};
use super::verdict::{verdict, warning};
use super::{BackupError, Service, Session};
use crate::graph::Json;
use crate::talk::Bar;

/// The growing time between two looks.
pub(super) struct Schedule {
    next: Duration,
    most: Duration,
}

impl Schedule {
    pub(super) fn new(first: Duration, most: Duration) -> Self {
        Self {
            next: first.min(most),
            most,
        }
    }

    pub(super) fn next(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 3 / 2).min(self.most);
        now
    }
}

/// What a waiter hears: nothing yet, the newest state, or why it cannot be read.
type News = Option<Result<Json, BackupError>>;

/// All sessions that somebody waits for.
#[derive(Default)]
pub(crate) struct Poller(Mutex<Waited>);

#[derive(Default)]
struct Waited {
    sessions: HashMap<String, (Arc<Part>, watch::Sender<News>)>,
    /// A task looks at them.
    running: bool,
    /// Somebody new waits: look soon.
    hurry: bool,
}

impl Poller {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waited> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// Waits until a session has ended; `seen` is told of every look.
    pub(super) async fn await_end(
        &self,
        part: &Arc<Part>,
        seen: &(dyn Fn(&Json) + Sync),
    ) -> Result<Json, BackupError> {
        let ledger = self.door.ledger();
        if let Some(json) = ledger.fact::<Json>("end", &part.id) {
            part.keep(json.clone());
            return Ok(json);
        }
        let mut news = {
            let mut waited = self.poller.lock();
            let entry = waited
                .sessions
                .entry(part.id.clone())
                .or_insert_with(|| (part.clone(), watch::Sender::new(None)));
            let receiver = entry.1.subscribe();
            waited.hurry = true;
            if !waited.running {
                waited.running = true;
                tokio::spawn(poll(self.me()));
            }
            receiver
        };
        loop {
            let newest = news.borrow_and_update().clone();
            match newest {
                None => {}
                Some(Err(error)) => return Err(error),
                Some(Ok(json)) => {
                    seen(&json);
                    if has_ended(&json.string("status").unwrap_or_default()) {
                        ledger.keep("end", &part.id, &json);
                        return Ok(json);
                    }
                }
            }
            if news.changed().await.is_err() {
                self.refuse_if_stopped()?;
                return Err(BackupError::SessionGone {
                    session: part.id.clone(),
                });
            }
        }
    }
}

/// Looks at all waited-for sessions until nobody waits any more.
async fn poll(service: Arc<Service>) {
    let mut schedule = service.schedule();
    let mut patience: HashMap<String, Patience> = HashMap::new();
    loop {
        let due: Vec<Arc<Part>> = {
            let mut waited = service.poller.lock();
            waited
                .sessions
                .retain(|_, (_, sender)| sender.receiver_count() > 0);
            if waited.sessions.is_empty() || service.stop.is_set() && service.stop_is_final() {
                waited.sessions.clear();
                waited.running = false;
                return;
            }
            if std::mem::take(&mut waited.hurry) {
                schedule = service.schedule();
            }
            waited
                .sessions
                .values()
                .map(|(part, _)| part.clone())
                .collect()
        };
        let looks = due.into_iter().map(|part| {
            let service = service.clone();
            async move {
                let news = service.refresh(&part).await;
                (part, news)
            }
        });
        for (part, news) in join_all(looks).await {
            let patience = patience.entry(part.id.clone()).or_default();
            match &news {
                Ok(_) => patience.restore(),
                Err(error) if patience.bears(&service, error) => continue,
                Err(_) => {}
            }
            let ended = match &news {
                Ok(json) => {
                    let status = json.string("status").unwrap_or_default();
                    let ended = has_ended(&status);
                    if ended && !restores_nothing(&status) {
                        let text = format!(
                            "session {} is `{status}`, which is not known here: it is taken for an end",
                            part.id
                        );
                        service.talk.warn(&text);
                    }
                    ended
                }
                Err(_) => true,
            };
            if ended {
                service.gate_left(&part.id).await;
            }
            let mut waited = service.poller.lock();
            if let Some((_, sender)) = waited.sessions.get(&part.id) {
                sender.send_replace(Some(news));
                if ended {
                    waited.sessions.remove(&part.id);
                }
            }
        }
        if service.poller.lock().sessions.is_empty() {
            continue;
        }
        service.world.clock.sleep(schedule.next()).await;
    }
}

impl Session {
    /// Waits until every part has ended, and books what became of what this run has asked for. A session that somebody
    /// else activated is waited for and booked nowhere.
    ///
    /// # Errors
    /// [`BackupError::NotActivated`] for a draft; what kept us from looking. Failures of artifacts are no error.
    pub(crate) async fn wait(&self) -> Result<(), BackupError> {
        let parts = self.parts();
        let mut others = Vec::new();
        for part in &parts {
            let (stage, is_empty) = {
                let content = part.content.lock().await;
                (content.stage, content.is_empty())
            };
            let waits_for_nothing = match stage {
                Stage::Unread => {
                    let json = self.service.refresh_once(part).await?;
                    others.push(part);
                    json.string("status").as_deref() == Some("draft")
                }
                Stage::Draft => !is_empty,
                Stage::Deleted => true,
                Stage::Activated => false,
            };
            if waits_for_nothing {
                let session = part.id.clone();
                return Err(BackupError::NotActivated { session });
            }
        }
        let ends = others
            .into_iter()
            .map(|part| self.service.await_end(part, &|_| ()));
        for outcome in join_all(ends).await {
            outcome?;
        }
        self.service.wait_for(&parts).await
    }
}

impl Service {
    /// Waits for activated parts and books their ends.
    pub(super) async fn wait_for(&self, parts: &[Arc<Part>]) -> Result<(), BackupError> {
        let mut open = Vec::new();
        let mut total = 0;
        for part in parts {
            let content = part.content.lock().await;
            if content.stage == Stage::Activated && !content.settled {
                total += content.len();
                open.push((part.clone(), content.bulk.is_some()));
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let first = &open[0].0;
        let what = if first.granular {
            first.workload.pieces[1]
        } else {
            first.workload.nouns
        };
        let bar = self
            .talk
            .bar(&format!("restoring {what}"), Some(total as u64));
        let ended: Mutex<BTreeMap<String, u64>> = Mutex::default();
        let waits = open.iter().map(|(part, bulk)| {
            let (bar, ended) = (&*bar, &ended);
            async move {
                let seen = |json: &Json| show(bar, ended, &part.id, json);
                let ended = self.see_end(part, *bulk, &seen).await;
                self.or_gone(part, ended).await
            }
        });
        for outcome in join_all(waits).await {
            outcome?;
        }
        Ok(())
    }

    async fn see_end(
        &self,
        part: &Arc<Part>,
        is_bulk: bool,
        seen: &(dyn Fn(&Json) + Sync),
    ) -> Result<(), BackupError> {
        // A session in which no input stands for anything has nothing to restore, and may never end.
        let is_known = self.recall_settled(part).is_some();
        if !is_known && (!is_bulk || !self.resolves_to_nothing(part).await?) {
            self.await_end(part, seen).await?;
        }
        self.settle(part).await
    }

    /// Reads the artifacts of a session that has ended into the books.
    pub(super) async fn settle(&self, part: &Arc<Part>) -> Result<(), BackupError> {
        // Before the artifacts are read, which can take a while.
        let ended = self.world.clock.now();
        let mut content = part.content.lock().await;
        if content.settled {
            return Ok(());
        }
        if content.bulk.is_some() {
            return self.settle_bulk(part, &mut content).await;
        }
        let settled = match self.recall_settled(part) {
            Some(settled) => settled,
            None => self.read_ends(part, &content, ended).await?,
        };
        part.keep(settled.json);
        let ends: HashMap<ArtifactKey, Ended> = settled.ends.into_iter().collect();
        let mut known = Vec::new();
        for placed in &content.placed {
            let (outcome, code, reason) = ends.get(&placed.key()).cloned().unwrap_or_else(|| {
                (
                    Outcome::Unknown,
                    Some("ArtifactMissing".to_owned()),
                    Some("the session no longer lists it".to_owned()),
                )
            });
            known.push((placed.item, outcome));
            self.books
                .end(placed.item, outcome, code, reason, Some(&part.id));
        }
        self.book_strange(part, &settled.strange);
        self.give_back(part, &content, &known).await;
        self.books.session(SessionSummary {
            id: part.id.clone(),
            workload: part.workload.name.to_owned(),
            status: part.status(),
            artifacts: settled.totals,
            times: SessionTimes {
                ended: Some(settled.at),
                ..SessionTimes::default()
            },
            warning: warning(&part.json()),
        });
        content.settled = true;
        Ok(())
    }

    /// Artifacts that came into a session from elsewhere after it was verified: this run activated them, and nobody asked it to.
    fn book_strange(&self, part: &Part, strange: &[Json]) {
        if strange.is_empty() {
            return;
        }
        self.talk.warn(&format!(
            "session `{}` holds {} that this run did not put there: they were activated with it",
            part.id,
            part.count(strange.len())
        ));
        for artifact in strange.iter().cloned().filter_map(Artifact::of) {
            let status = artifact.json.string("status").unwrap_or_default();
            let destination = artifact.destination.parse().ok();
            let item = self.book_artifact(part.workload, &artifact, destination, None);
            let reason = format!(
                "this run did not put it into its session, which ended with it: `{status}`"
            );
            let code = "NotAskedFor".to_owned();
            let (outcome, session) = (Outcome::Unknown, Some(&*part.id));
            self.books
                .end(item, outcome, Some(code), Some(reason), session);
        }
    }

    /// How the artifacts of a session ended that has ended, item by item.
    async fn read_ends(
        &self,
        part: &Arc<Part>,
        content: &Content,
        at: Timestamp,
    ) -> Result<Settled, BackupError> {
        let mut schedule = self.schedule();
        let mut tries = 0;
        let artifacts = loop {
            let read = async || Ok(self.artifacts(part).await?);
            let artifacts = self.patiently(read).await?;
            // The session's state runs ahead of its artifacts' by a moment.
            let open = artifacts
                .iter()
                .any(|artifact| artifact.progress() == Progress::Open);
            tries += 1;
            if !open || tries > 5 {
                break artifacts;
            }
            self.sleep(schedule.next()).await?;
        };
        let mut totals = ArtifactTotals {
            total: artifacts.len(),
            ..ArtifactTotals::default()
        };
        let keys: HashMap<ItemId, ArtifactKey> = content
            .placed
            .iter()
            .map(|placed| (placed.item, placed.key()))
            .collect();
        let own: HashSet<ArtifactKey> = keys
            .values()
            .chain(content.out.iter().map(|(key, _)| key))
            .cloned()
            .collect();
        let mut ends: HashMap<ArtifactKey, &Artifact> = HashMap::new();
        let mut strange = Vec::new();
        let mut doubled = 0;
        for artifact in &artifacts {
            match artifact.progress() {
                Progress::Succeeded => totals.succeeded += 1,
                Progress::Failed => totals.failed += 1,
                Progress::Open | Progress::Unrecognised => {}
            }
            let mut key = artifact.key();
            // One that the service lists otherwise than it was asked for is known by its id.
            if let Some(own) = content
                .ids
                .get(&artifact.id)
                .and_then(|item| keys.get(item))
            {
                key.clone_from(own);
            }
            // What stands for a folder may be listed file by file.
            if !own.contains(&key) && !part.granular && artifact.point.is_some() {
                strange.push(artifact.json.detached());
                continue;
            }
            doubled += usize::from(ends.contains_key(&key));
            // Of two copies of one item the one that succeeded counts.
            let better = ends
                .get(&key)
                .is_none_or(|known| known.progress() != Progress::Succeeded);
            if better {
                ends.insert(key, artifact);
            }
        }
        let ends = ends
            .into_iter()
            .map(|(key, artifact)| (key, verdict(artifact)));
        let settled = Settled {
            json: part.json(),
            at,
            totals,
            ends: ends.collect(),
            strange,
        };
        if doubled > 0 {
            self.talk.warn(&format!(
                "{} stand twice in session `{}`: the service has restored them twice",
                part.count(doubled),
                part.id
            ));
        }
        self.door.ledger().keep("settled", &part.id, &settled);
        Ok(settled)
    }
}

fn show(bar: &dyn Bar, ended: &Mutex<BTreeMap<String, u64>>, id: &str, json: &Json) {
    let count = json.property("restoreSessionArtifactCount");
    let number = |name: &str| count.as_ref()?.property(name)?.parse::<u64>().ok();
    let done = number("completed").unwrap_or(0) + number("failed").unwrap_or(0);
    let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
    ended.insert(id.to_owned(), done);
    bar.set(ended.values().sum());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_rarer_up_to_the_limit() {
        let mut schedule = Schedule::new(Duration::from_secs(1), Duration::from_secs(3));
        let times: Vec<u128> = (0..5).map(|_| schedule.next().as_millis()).collect();
        assert_eq!(times, [1000, 1500, 2250, 3000, 3000]);
    }
}
