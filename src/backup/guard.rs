//! What must not be activated although it was asked for: what another run of this state folder or another session of the
//! tenant restores at this moment, and what this folder has restored before, unless somebody wants it again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::artifact::Artifact;
use super::books::Outcome;
use super::part::{Content, Part, Placed, Stage, Thing, restores_nothing};
use super::workload::{ROOT, Workload};
use super::{BackupError, Service, unit_of};
use crate::graph::{Call, GraphError, Json};
use crate::journal::{Journal, LeaseKey, Release, Wish};
use crate::talk::Reply;

/// How often a paused run looks whether it may continue.
const PAUSE: Duration = Duration::from_millis(500);

impl Service {
    fn journal(&self) -> Option<&Journal> {
        self.door.ledger().journal()
    }

    /// What a lease is taken for; `None` for what is no whole unit.
    fn lease_key(&self, part: &Part, placed: &Placed) -> Option<LeaseKey> {
        if !matches!(placed.thing, Thing::Point(_)) {
            return None;
        }
        let (unit, point, destination) = self.books.aim(placed.item)?;
        Some(LeaseKey {
            workload: part.workload.name.to_owned(),
            unit,
            point,
            destination,
        })
    }

    /// Of all parts together, leaves out what this folder has restored before: asks whether it is wanted again, once.
    pub(super) async fn leave_out_restored(&self, parts: &[Arc<Part>]) -> Result<(), BackupError> {
        let Some(journal) = self.journal().filter(|_| !self.settings.again) else {
            return Ok(());
        };
        let mut again = HashMap::new();
        let mut last = None;
        for part in parts {
            let content = part.content.lock().await;
            if content.stage != Stage::Draft {
                continue;
            }
            let (items, keys): (Vec<_>, Vec<_>) = content
                .placed
                .iter()
                .filter_map(|placed| Some((placed.item, self.lease_key(part, placed)?)))
                .unzip();
            let restored = journal
                .restored(&keys)
                .await
                .map_err(|error| self.door.unwritten(error))?;
            let known = items.into_iter().zip(restored);
            for (item, restored) in known {
                let Some(restored) = restored.filter(|by| by.run != self.settings.run) else {
                    continue;
                };
                last = last.max(Some(restored.at));
                again.insert(item, restored);
            }
        }
        let (Some(last), Some(part)) = (last, parts.first()) else {
            return Ok(());
        };
        let what = part.workload.count_in(part.granular, again.len());
        let question = format!(
            "{what} were restored before from the same restore point to the same place, the last at {last}: restore them again?"
        );
        let asked = if self.settings.yes {
            Reply::Nobody
        } else {
            tokio::task::block_in_place(|| self.talk.ask(&question, false))
        };
        if matches!(asked, Reply::Yes | Reply::All) {
            return Ok(());
        }
        self.talk.note(&format!(
            "{what} were restored before and are left out; `--again` restores them again"
        ));
        for part in parts {
            let mut content = part.content.lock().await;
            self.leave_out(part, &mut content, |placed| {
                let by = again.get(&placed.item)?;
                let reason = format!(
                    "run {} has restored this point to this place at {} (session {})",
                    by.run, by.at, by.session
                );
                Some(("AlreadyRestored", reason))
            });
        }
        Ok(())
    }

    /// Leaves out what somebody else restores at this moment, and takes the rest for this run.
    pub(super) async fn leave_out_held(
        &self,
        part: &Arc<Part>,
        content: &mut Content,
    ) -> Result<(), BackupError> {
        let mut aims: HashMap<_, _> = content
            .placed
            .iter()
            .filter_map(|placed| Some((placed.item, self.lease_key(part, placed)?)))
            .collect();
        if aims.is_empty() {
            return Ok(());
        }
        if self.door.ledger().is_resumed() {
            let unmet = self.activated_unmet();
            self.leave_out(part, content, |placed| {
                let session = unmet
                    .get(&placed.key())
                    .filter(|session| **session != part.id)?;
                let reason =
                    format!("this run has restored it before it was cut off, in session {session}");
                Some(("AlreadyRestored", reason))
            });
        }
        if !self.settings.allow_overlap {
            let running = self.units_elsewhere(part.workload).await?;
            // The same point is the same unit, also where the service does not say whose an artifact is.
            let overlaps = |key: &LeaseKey| running.get(&key.unit).or(running.get(&key.point));
            self.leave_out(part, content, |placed| {
                let session = overlaps(aims.get(&placed.item)?)?;
                let reason =
                    format!("session {session}, which is not of this run, restores it now");
                Some(("OverlapsSession", reason))
            });
        }
        let Some(journal) = self.journal() else {
            return Ok(());
        };
        aims.retain(|item, _| content.placed.iter().any(|placed| placed.item == *item));
        let (items, keys): (Vec<_>, Vec<_>) = aims.into_iter().unzip();
        let held = journal
            .lease(&self.settings.run, &keys)
            .await
            .map_err(|error| self.door.unwritten(error))?;
        let held: HashMap<_, _> = held
            .into_iter()
            .filter(|(place, held)| {
                // Another point to another place may overlap where that is allowed; the same never.
                let key = &keys[*place];
                let is_same = held.point == key.point && held.destination == key.destination;
                is_same || !self.settings.allow_overlap
            })
            .map(|(place, held)| (items[place], held))
            .collect();
        self.leave_out(part, content, |placed| {
            let held = held.get(&placed.item)?;
            let now = match &held.holder {
                Some(holder) => format!(
                    "restores it now (process {} on {})",
                    holder.pid, holder.host
                ),
                None => format!(
                    "was cut off while it restored it: `runback resume {}` goes on",
                    held.run
                ),
            };
            Some((
                "OverlapsSession",
                format!("run {} of this state folder {now}", held.run),
            ))
        });
        Ok(())
    }

    /// Takes items out of what will be activated, with a code and a reason, and books them as skipped.
    fn leave_out(
        &self,
        part: &Part,
        content: &mut Content,
        why: impl Fn(&Placed) -> Option<(&'static str, String)>,
    ) {
        let mut left = Vec::new();
        let reasons: Vec<_> = content.placed.iter().map(&why).collect();
        let mut count: HashMap<&str, usize> = HashMap::new();
        for (placed, reason) in std::mem::take(&mut content.placed).into_iter().zip(reasons) {
            let Some((code, reason)) = reason else {
                left.push(placed);
                continue;
            };
            *count.entry(code).or_default() += 1;
            let end = (Outcome::Skipped, Some(code.to_owned()), Some(reason));
            self.books
                .end(placed.item, end.0, end.1.clone(), end.2.clone(), None);
            content.out.push((placed.key(), end));
        }
        content.placed = left;
        for (code, number) in count {
            let what = part.count(number);
            self.talk.warn(&format!(
                "{what} of draft `{}` are left out: {code}",
                part.id
            ));
        }
    }

    /// The units that sessions which are not of this run restore at this moment, each with its session.
    async fn units_elsewhere(
        &self,
        workload: &'static Workload,
    ) -> Result<HashMap<String, String>, GraphError> {
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
                    let found = self.restored_in(workload, &id, session).await?;
                    if of.is_none() && found.is_empty() {
                        let text = format!(
                            "session {id} is `{status}` and of a kind that is not known here (`{kind}`): what it restores is not compared"
                        );
                        self.talk.warn(&text);
                    }
                    self.elsewhere.keep(&id, found)
                };
                units.extend(found.iter().map(|unit| (unit.clone(), id.clone())));
            }
        }
        Ok(units)
    }

    /// The units and the points that somebody else's session restores.
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
        let points = artifacts.into_iter().filter_map(|artifact| artifact.point);
        Ok(units.into_iter().chain(points).collect())
    }

    pub(super) async fn artifacts_with_units(
        &self,
        part: &Part,
    ) -> Result<Vec<Artifact>, GraphError> {
        let pages = self.owned_artifact_pages(part);
        let listed = match pages.collect().await {
            // That much may not be expanded here.
            Err(error) if error.status() == Some(400) => {
                self.artifact_list(part, false).collect().await?
            }
            listed => listed?,
        };
        Ok(listed.into_iter().filter_map(Artifact::of).collect())
    }

    /// Frees what a session of this run had, and remembers what it has restored.
    pub(super) async fn give_back(
        &self,
        part: &Part,
        content: &Content,
        ends: &[(usize, Outcome)],
    ) {
        let Some(journal) = self.journal() else {
            return;
        };
        let ends: HashMap<_, _> = ends.iter().copied().collect();
        let at = self.world.clock.now();
        let released: Vec<Release> = content
            .placed
            .iter()
            .filter_map(|placed| {
                let restored_in = match ends.get(&placed.item)? {
                    Outcome::Succeeded => Some(part.id.clone()),
                    Outcome::Failed | Outcome::Skipped => None,
                    // Nobody knows: it stays with this run.
                    Outcome::Unknown => return None,
                };
                Some(Release {
                    key: self.lease_key(part, placed)?,
                    restored_in,
                    at,
                })
            })
            .collect();
        if let Err(error) = journal.release(&self.settings.run, &released).await {
            self.talk.warn(&error.to_string());
        }
    }

    /// What somebody at another terminal wants: a paused run waits here, before it activates anything.
    pub(super) async fn obey_wishes(&self) -> Result<(), BackupError> {
        let Some(journal) = self.journal() else {
            return Ok(());
        };
        let mut is_told = false;
        while let Some(wish @ (Wish::Pause | Wish::Stop)) = journal.wished_now(&self.settings.run) {
            // Who wishes it to stop is obeyed elsewhere, and ends this wait.
            if wish == Wish::Pause && !std::mem::replace(&mut is_told, true) {
                let run = &self.settings.run;
                self.talk.note(&format!(
                    "paused from another terminal; `runback continue {run}` goes on"
                ));
            }
            self.sleep(PAUSE).await?;
        }
        if is_told {
            self.talk.note("continued");
        }
        Ok(())
    }
}

/// The units and points of sessions of others. What is in a session that runs does not change.
#[derive(Default)]
pub(super) struct Elsewhere(std::sync::Mutex<HashMap<String, Arc<HashSet<String>>>>);

impl Elsewhere {
    fn of(&self, session: &str) -> Option<Arc<HashSet<String>>> {
        self.lock().get(session).cloned()
    }

    fn keep(&self, session: &str, units: HashSet<String>) -> Arc<HashSet<String>> {
        let units = Arc::new(units);
        self.lock().insert(session.to_owned(), units.clone());
        units
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<HashSet<String>>>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
