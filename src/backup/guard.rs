//! What must not be activated although it was asked for: what another run of this state folder or another session of the
//! tenant restores at this moment, and what this folder has restored before, unless somebody wants it again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::books::Outcome;
use super::bulk::{ANY_POINT, own_request};
use super::part::{Content, Part, Placed, Stage, Thing};
use super::running::owner_mark;
use super::workload::Workload;
use super::{BackupError, Service};
use crate::journal::{Held, Journal, LeaseKey, Release, Wish};
use crate::talk::Reply;

/// How often a paused run looks whether it may continue.
const PAUSE: Duration = Duration::from_millis(500);

impl Service {
    pub(super) fn journal(&self) -> Option<&Journal> {
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
        if self.wants_again(&what, "from the same restore point", last) {
            return Ok(());
        }
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

    /// Asks whether something that was restored before is wanted again; under `--yes` it is not.
    pub(super) fn wants_again(&self, what: &str, how: &str, last: Timestamp) -> bool {
        let question = format!(
            "{what} were restored before {how} to the same place, the last at {last}: restore them again?"
        );
        let asked = if self.settings.yes {
            Reply::Nobody
        } else {
            tokio::task::block_in_place(|| self.talk.ask(&question, false))
        };
        if matches!(asked, Reply::Yes | Reply::All) {
            return true;
        }
        self.talk.note(&format!(
            "{what} were restored before and are left out; `--again` restores them again"
        ));
        false
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
        let running = self.running_elsewhere(part.workload).await?;
        // The same point is the same unit, also where the service does not say whose an artifact is.
        let overlaps = |key: &LeaseKey| running.of(&key.unit).or(running.of(&key.point));
        self.leave_out(part, content, |placed| {
            let session = overlaps(aims.get(&placed.item)?)?;
            let reason = format!("session {session}, which is not of this run, restores it now");
            Some(("OverlapsSession", reason))
        });
        let Some(journal) = self.journal() else {
            return Ok(());
        };
        aims.retain(|item, _| content.placed.iter().any(|placed| placed.item == *item));
        let (items, keys): (Vec<_>, Vec<_>) = aims.into_iter().unzip();
        // A bulk restore has its people by their owners: whose units they are it need not know.
        let owners: Vec<(usize, LeaseKey)> = keys
            .iter()
            .enumerate()
            .filter_map(|(place, key)| Some((place, self.owner_of(part.workload, key)?)))
            .collect();
        let (places, owners): (Vec<_>, Vec<_>) = owners.into_iter().unzip();
        let in_bulk = journal
            .leased(&self.settings.run, &owners)
            .await
            .map_err(|error| self.door.unwritten(error))?;
        let held = journal
            .lease(&self.settings.run, &keys)
            .await
            .map_err(|error| self.door.unwritten(error))?;
        let in_bulk = in_bulk.into_iter().map(|(at, held)| (places[at], held));
        let held: HashMap<_, _> = held
            .into_iter()
            .chain(in_bulk)
            .filter(|(place, held)| self.is_in_the_way(&keys[*place], held))
            .map(|(place, held)| (items[place], held))
            .collect();
        self.leave_out(part, content, |placed| {
            Some(("OverlapsSession", held.get(&placed.item)?.words()))
        });
        Ok(())
    }

    /// The same lease by the owner of its unit, where the units have been listed.
    fn owner_of(&self, workload: &'static Workload, key: &LeaseKey) -> Option<LeaseKey> {
        let index = self.unit_indexes.of(workload).get()?;
        let owner = index.by_id(&key.unit)?.string(workload.owner)?;
        Some(LeaseKey {
            unit: owner_mark(&owner),
            ..key.clone()
        })
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

    /// Whether another run's lease keeps this one from it.
    pub(super) fn is_in_the_way(&self, key: &LeaseKey, held: &Held) -> bool {
        // Another point to another place may overlap where that is allowed; the same never.
        let is_same = held.point == key.point && held.destination == key.destination;
        is_same || !self.settings.allow_overlap
    }

    /// Frees what a session of this run had, and remembers what it has restored.
    pub(super) async fn give_back(
        &self,
        part: &Part,
        content: &Content,
        ends: &[(usize, Outcome)],
    ) {
        let ends: HashMap<_, _> = ends.iter().copied().collect();
        let at = self.world.clock.now();
        let mut owners = Vec::new();
        let mut released: Vec<Release> = content
            .placed
            .iter()
            .filter_map(|placed| {
                let restored_in = match ends.get(&placed.item)? {
                    Outcome::Succeeded => Some(part.id.clone()),
                    Outcome::Failed | Outcome::Skipped => None,
                    // Nobody knows: it stays with this run.
                    Outcome::Unknown => return None,
                };
                let key = self.lease_key(part, placed)?;
                // For a bulk request that waits: it knows people, not units and points.
                let owner = self.owner_of(part.workload, &key);
                owners.extend(
                    owner
                        .filter(|_| restored_in.is_some())
                        .map(|owner| Release {
                            key: LeaseKey {
                                point: ANY_POINT.to_owned(),
                                ..owner
                            },
                            restored_in: restored_in.clone(),
                            at,
                        }),
                );
                Some(Release {
                    key,
                    restored_in,
                    at,
                })
            })
            .collect();
        released.append(&mut owners);
        self.release(released).await;
    }

    /// Frees what drafts had that were not activated after all: nobody waits for them, and whoever goes on with the run looks anew.
    pub(super) async fn give_back_unactivated(&self, parts: &[Arc<Part>]) {
        for part in parts {
            let content = part.content.lock().await;
            if content.stage != Stage::Draft {
                continue;
            }
            if let Some((bulk, to)) = own_request(&content) {
                self.give_back_inert(part.workload, to, &bulk.inputs).await;
            }
            let at = self.world.clock.now();
            let inert = content.placed.iter().filter(|placed| {
                // An activate whose answer is not known may have happened; and what another session restores is its own.
                self.books.outcome(placed.item) != Outcome::Unknown
                    && !self.books.taken(placed.item, &part.id)
            });
            let keys = inert.filter_map(|placed| self.lease_key(part, placed));
            let released = keys.map(|key| Release {
                key,
                restored_in: None,
                at,
            });
            self.release(released.collect()).await;
        }
    }

    pub(super) async fn release(&self, ended: Vec<Release>) {
        let Some(journal) = self.journal() else {
            return;
        };
        if let Err(error) = journal.release(&self.settings.run, &ended).await {
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

impl Held {
    /// Who has it, and what that run does.
    pub(super) fn words(&self) -> String {
        let now = match &self.holder {
            Some(holder) => format!(
                "restores it now (process {} on {})",
                holder.pid, holder.host
            ),
            None => format!(
                "was cut off while it restored it: `runback resume {}` goes on",
                self.run
            ),
        };
        format!("run {} of this state folder {now}", self.run)
    }
}
