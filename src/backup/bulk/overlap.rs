//! Who is left out of a bulk restore: whom somebody else restores at this moment, and what this folder has restored by the same
//! order before.
//!
//! A request cannot be changed once it is made, so this is settled before. The service has yet to choose the points, and may not
//! say whose a unit is; so an input is known by its address, and by its owner and its unit where those are known.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{Bulk, BulkOrder, Input};
use crate::backup::books::Outcome;
use crate::backup::part::{Content, Part};
use crate::backup::running::{Running, address_mark, owner_mark};
use crate::backup::workload::Workload;
use crate::backup::{BackupError, Service};
use crate::journal::{Held, LeaseKey, Release};

/// Stands in a lease for the point that the service has yet to choose.
pub(in crate::backup) const ANY_POINT: &str = "bulk";

/// Inputs whose leases are taken or given back at once: of ten thousand the keys alone are megabytes.
const BATCH: usize = 200;

/// An input that is left out.
#[derive(Serialize, Deserialize)]
struct Left {
    at: usize,
    code: String,
    reason: String,
}

impl Left {
    fn held(at: usize, reason: String) -> Self {
        let code = "OverlapsSession".to_owned();
        Self { at, code, reason }
    }
}

impl BulkOrder {
    /// What tells the order from others, the inputs aside; nothing where its window ends with the moment at which it is sent, since
    /// the same order may then mean another point.
    pub(super) fn window(&self) -> Option<String> {
        let before = self.before?;
        let after = self.after.map_or_else(String::new, |at| at.to_string());
        let prefer = self.prefer.name();
        let tags = self.tags.as_deref().unwrap_or_default();
        Some(format!("bulk {after}..{before} {prefer} {tags}"))
    }
}

impl Service {
    /// Takes the inputs of an order for this run, and leaves out those that somebody else has, or that were restored before. The
    /// same ones in a later life of the run.
    pub(super) async fn leave_out_held_inputs(
        &self,
        workload: &'static Workload,
        mark: &str,
        order: &mut BulkOrder,
    ) -> Result<(), BackupError> {
        let held = self.inputs_to_leave_out(workload, order);
        let left: Vec<Left> = self.learn("left-out", mark, held).await?;
        // What an earlier life took it may have given back.
        order.are_taken = !self.door.ledger().is_resumed();
        let mut count: HashMap<String, usize> = HashMap::new();
        let mut out = HashSet::new();
        for left in left {
            *count.entry(left.code.clone()).or_default() += 1;
            out.insert(left.at);
            if let Some(input) = order.inputs.get(left.at) {
                let (code, reason) = (Some(left.code), Some(left.reason));
                self.books
                    .end(input.item, Outcome::Skipped, code, reason, None);
            }
        }
        for (code, number) in count {
            let what = workload.count(number);
            self.talk
                .warn(&format!("{what} are left out of the bulk restore: {code}"));
        }
        let mut at = 0..;
        order
            .inputs
            .retain(|_| at.next().is_none_or(|at| !out.contains(&at)));
        Ok(())
    }

    async fn inputs_to_leave_out(
        &self,
        workload: &'static Workload,
        order: &BulkOrder,
    ) -> Result<Vec<Left>, BackupError> {
        let to = order.destination.name();
        let mut left = self.restored_inputs(workload, order).await?;
        let mut out: HashSet<usize> = left.iter().map(|left| left.at).collect();
        let running = self.running_elsewhere(workload).await?;
        let places = 0..order.inputs.len();
        for at in places.clone().filter(|at| !out.contains(at)) {
            if let Some(session) = running.of_input(self, &order.inputs[at]) {
                let reason =
                    format!("session {session}, which is not of this run, restores it now");
                left.push(Left::held(at, reason));
            }
        }
        out.extend(left.iter().map(|left| left.at));
        let free: Vec<usize> = places.filter(|at| !out.contains(at)).collect();
        for places in free.chunks(BATCH) {
            let inputs = places.iter().map(|&at| &order.inputs[at]);
            let held = self.lease_inputs(workload, to, inputs).await?;
            // One that is held by one of its names may have been free by another.
            let held_inputs = held.iter().map(|(at, _)| &order.inputs[places[*at]]);
            self.give_back_all(workload, to, held_inputs).await;
            for (at, held) in held {
                left.push(Left::held(places[at], held.words()));
            }
        }
        Ok(left)
    }

    /// What this folder has restored by the same order, unless somebody wants it again.
    async fn restored_inputs(
        &self,
        workload: &Workload,
        order: &BulkOrder,
    ) -> Result<Vec<Left>, BackupError> {
        let journal = self.journal().filter(|_| !self.settings.again);
        let (Some(journal), Some(window)) = (journal, order.window()) else {
            return Ok(Vec::new());
        };
        let mut left = Vec::new();
        let mut last = None;
        for (batch, inputs) in order.inputs.chunks(BATCH).enumerate() {
            let keys: Vec<_> = inputs
                .iter()
                .map(|input| restored_key(workload, input, &window, order.destination.name()))
                .collect();
            let restored = journal.restored(&keys).await;
            let restored = restored.map_err(|error| self.door.unwritten(error))?;
            for (at, by) in restored.into_iter().enumerate() {
                let Some(by) = by.filter(|by| by.run != self.settings.run) else {
                    continue;
                };
                last = last.max(Some(by.at));
                left.push(Left {
                    at: batch * BATCH + at,
                    code: "AlreadyRestored".to_owned(),
                    reason: format!(
                        "run {} has restored it by the same order to this place at {} (session {})",
                        by.run, by.at, by.session
                    ),
                });
            }
        }
        let what = workload.count(left.len());
        Ok(match last {
            Some(last) if self.wants_again(&what, "by the same order", last) => Vec::new(),
            _ => left,
        })
    }

    /// Takes the inputs of a draft for this run, before it is activated: nothing can be taken out of a request any more. One that an
    /// earlier life has given back may have been restored by another run since.
    ///
    /// # Errors
    /// [`BackupError::Overlaps`].
    pub(in crate::backup) async fn take_inputs(
        &self,
        part: &Part,
        content: &Content,
    ) -> Result<(), BackupError> {
        let Some((bulk, to)) = own_request(content).filter(|(bulk, _)| !bulk.are_taken) else {
            return Ok(());
        };
        let mut count = 0;
        for inputs in bulk.inputs.chunks(BATCH) {
            count += self
                .lease_inputs(part.workload, to, inputs.iter())
                .await?
                .len();
        }
        let by = if count > 0 {
            "another run of this state folder"
        } else {
            count = self.restored_since(part, &bulk.inputs, to).await?;
            "another run of this state folder, since the draft was made"
        };
        if count == 0 {
            return Ok(());
        }
        Err(BackupError::Overlaps {
            session: part.id.clone(),
            count,
            by,
        })
    }

    /// How many of the inputs of a draft another run has restored since it was made.
    async fn restored_since(
        &self,
        part: &Part,
        inputs: &[Input],
        to: &str,
    ) -> Result<usize, BackupError> {
        let (Some(journal), Some(since)) = (self.journal(), part.since) else {
            return Ok(0);
        };
        if self.settings.again {
            return Ok(0);
        }
        let mut count = 0;
        for inputs in inputs.chunks(BATCH) {
            for input in inputs {
                let keys = self.lease_keys_of_input(part.workload, input, to);
                let restored = journal.restored(&keys).await;
                let restored = restored.map_err(|error| self.door.unwritten(error))?;
                let is_newer = restored
                    .iter()
                    .flatten()
                    .any(|by| by.run != self.settings.run && by.at > since);
                count += usize::from(is_newer);
            }
        }
        Ok(count)
    }

    /// Gives back what those of these inputs had that were not activated.
    pub(in crate::backup) async fn give_back_inert(
        &self,
        workload: &Workload,
        to: &str,
        inputs: &[Input],
    ) {
        for inputs in inputs.chunks(BATCH) {
            // Of one that was activated, or may have been, nobody knows the end.
            let inert = inputs
                .iter()
                .filter(|input| self.books.outcome(input.item) != Outcome::Unknown);
            self.give_back_all(workload, to, inert).await;
        }
    }

    /// Looks once more whether somebody else restores any of them, at the moment at which they would begin.
    ///
    /// # Errors
    /// [`BackupError::Overlaps`].
    pub(in crate::backup) async fn refuse_running_inputs(
        &self,
        part: &Part,
        content: &Content,
    ) -> Result<(), BackupError> {
        let Some((bulk, _)) = own_request(content) else {
            return Ok(());
        };
        let running = self.running_elsewhere(part.workload).await?;
        let inputs = bulk.inputs.iter();
        let count = inputs
            .filter(|input| running.of_input(self, input).is_some())
            .count();
        if count == 0 {
            return Ok(());
        }
        Err(BackupError::Overlaps {
            session: part.id.clone(),
            count,
            by: "a session that is not of this run",
        })
    }

    /// The places of those that another run of this folder has.
    async fn lease_inputs<'i>(
        &self,
        workload: &Workload,
        to: &str,
        inputs: impl Iterator<Item = &'i Input>,
    ) -> Result<Vec<(usize, Held)>, BackupError> {
        let Some(journal) = self.journal() else {
            return Ok(Vec::new());
        };
        let mut places = Vec::new();
        let mut keys = Vec::new();
        for (at, input) in inputs.enumerate() {
            let own = self.lease_keys_of_input(workload, input, to);
            places.extend(std::iter::repeat_n(at, own.len()));
            keys.extend(own);
        }
        let held = journal.lease(&self.settings.run, &keys).await;
        let held = held.map_err(|error| self.door.unwritten(error))?;
        let mut taken: Vec<(usize, Held)> = held
            .into_iter()
            .filter(|(key, held)| self.is_in_the_way(&keys[*key], held))
            .map(|(key, held)| (places[key], held))
            .collect();
        taken.dedup_by_key(|(at, _)| *at);
        Ok(taken)
    }

    fn lease_keys_of_input(&self, workload: &Workload, input: &Input, to: &str) -> Vec<LeaseKey> {
        self.marks_of_input(input)
            .map(|unit| LeaseKey {
                workload: workload.name.to_owned(),
                unit,
                point: ANY_POINT.to_owned(),
                destination: to.to_owned(),
            })
            .collect()
    }

    fn marks_of_input(&self, input: &Input) -> impl Iterator<Item = String> {
        let address = address_mark(&input.text);
        let owner = input.owner.as_deref().map(owner_mark);
        let unit = self.books.unit(input.item);
        std::iter::once(address).chain(owner).chain(unit)
    }

    /// Gives back what the inputs of a bulk session that has ended had, and remembers what was restored.
    pub(super) async fn give_back_inputs(&self, part: &Part, bulk: &Bulk) {
        let to = bulk.destination.map_or("", |to| to.name());
        let at = self.world.clock.now();
        for inputs in bulk.inputs.chunks(BATCH) {
            let mut released = Vec::new();
            for input in inputs {
                let outcome = self.books.outcome(input.item);
                // Nobody knows: it stays with this run.
                if outcome == Outcome::Unknown {
                    continue;
                }
                let restored_in = (outcome == Outcome::Succeeded).then(|| part.id.clone());
                let keys = self.lease_keys_of_input(part.workload, input, to);
                released.extend(keys.into_iter().map(|key| Release {
                    key,
                    restored_in: restored_in.clone(),
                    at,
                }));
                if outcome != Outcome::Succeeded {
                    continue;
                }
                let aim = self.books.aim(input.item);
                let chosen = aim.map(|(unit, point, destination)| LeaseKey {
                    workload: part.workload.name.to_owned(),
                    unit,
                    point,
                    destination,
                });
                let window = bulk.window.as_deref();
                let ordered = window.map(|window| restored_key(part.workload, input, window, to));
                released.extend(chosen.into_iter().chain(ordered).map(|key| Release {
                    key,
                    restored_in: Some(part.id.clone()),
                    at,
                }));
            }
            self.release(released).await;
        }
    }

    async fn give_back_all<'i>(
        &self,
        workload: &Workload,
        to: &str,
        inputs: impl Iterator<Item = &'i Input>,
    ) {
        let at = self.world.clock.now();
        let keys = inputs.flat_map(|input| self.lease_keys_of_input(workload, input, to));
        let released = keys.map(|key| Release {
            key,
            restored_in: None,
            at,
        });
        self.release(released.collect()).await;
    }
}

impl Running {
    fn of_input(&self, service: &Service, input: &Input) -> Option<&str> {
        if self.is_empty() {
            return None;
        }
        service
            .marks_of_input(input)
            .find_map(|mark| self.of(&mark))
    }
}

/// A request that this run has made, and where it restores to.
pub(in crate::backup) fn own_request(content: &Content) -> Option<(&Bulk, &'static str)> {
    let bulk = content.bulk.as_ref().filter(|bulk| bulk.is_ours())?;
    Some((bulk, bulk.destination.map_or("", |to| to.name())))
}

/// What an input that was restored is remembered by.
fn restored_key(workload: &Workload, input: &Input, window: &str, to: &str) -> LeaseKey {
    LeaseKey {
        workload: workload.name.to_owned(),
        unit: address_mark(&input.text),
        point: window.to_owned(),
        destination: to.to_owned(),
    }
}
