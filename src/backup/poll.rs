//! Waiting for sessions: one schedule for the whole process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;

use super::part::{Part, Stage, has_ended, restores_nothing};
use super::patience::Patience;
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
