//! The two gates before activate: fewer than 25 active sessions, fewer than 1,000 artifacts in flight per workload.
//!
//! Both count what the service shows of others. An open gate is held until the session behind it is activated.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::MutexGuard;

use super::part::{Content, Part, is_running};
use super::session::MOST_ARTIFACTS;
use super::workload::{ROOT, Workload};
use super::{BackupError, Service};
use crate::graph::{Call, GraphError, Json};
use crate::journal::{GateSlot, Seen};

/// Source: error page, `TooManyActiveRestoreSessions`.
const MOST_SESSIONS: usize = 25;

/// What one session adds to what is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    artifacts: usize,
    /// By a bulk request. How its inputs count against the artifacts in flight is not documented: one such session at a
    /// time per workload.
    bulk: bool,
}

impl Weight {
    pub(super) fn of(part: &Part, content: &Content) -> Self {
        let artifacts = content.len();
        let job = part.json().string("restoreJobType");
        Self {
            artifacts,
            bulk: content.bulk.is_some() || job.as_deref() == Some("bulk"),
        }
    }
}

/// What this run has activated and has not seen end: lists may lag behind.
#[derive(Default)]
pub(crate) struct Gate {
    ours: HashMap<String, (&'static str, Weight)>,
}

impl Gate {
    pub(super) fn enter(&mut self, session: &str, workload: &Workload, weight: Weight) {
        self.ours
            .insert(session.to_owned(), (workload.name, weight));
    }

    pub(super) fn leave(&mut self, session: &str) {
        self.ours.remove(session);
    }
}

/// Which session waits for what, as far as it was told.
#[derive(Default)]
pub(crate) struct Told(Mutex<HashSet<(String, String)>>);

impl Told {
    /// Whether this is new.
    fn is_first(&self, session: &str, reason: String) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert((session.to_owned(), reason))
    }
}

/// What is running in the tenant now.
#[derive(Debug, Default, PartialEq, Eq)]
struct Load {
    /// Every session that the service lists, drafts aside.
    seen: HashSet<String>,
    sessions: usize,
    /// In the workload that is asked about.
    artifacts: usize,
    bulk_sessions: usize,
}

impl Load {
    /// Why one more session has to wait; `None` where it need not.
    fn closed_for(&self, workload: &Workload, more: Weight) -> Option<String> {
        if self.sessions >= MOST_SESSIONS {
            return Some(format!(
                "{} restore sessions are active, {MOST_SESSIONS} may be",
                self.sessions
            ));
        }
        if more.bulk {
            let why = || format!("another bulk restore of {} is running", workload.nouns);
            return (self.bulk_sessions > 0).then(why);
        }
        // Alone it may always go: a part never holds more than fits.
        if self.artifacts > 0 && self.artifacts + more.artifacts > MOST_ARTIFACTS {
            let running = workload.count(self.artifacts);
            return Some(format!(
                "{running} are being restored, {MOST_ARTIFACTS} may be"
            ));
        }
        None
    }
}

impl Service {
    /// Waits until one more session may be activated. What it gives is held until that is done; not while waiting, since a
    /// bulk restore ahead can take hours, in which sessions of other workloads have room.
    pub(super) async fn pass_gate(
        &self,
        part: &Part,
        weight: Weight,
    ) -> Result<MutexGuard<'_, Gate>, BackupError> {
        let mut schedule = self.schedule();
        loop {
            let gate = self.gate.lock().await;
            let load = self.load(&gate, part.workload).await?;
            let why = match load.closed_for(part.workload, weight) {
                Some(why) => why,
                None if self.enters_shared(part, weight, load).await? => return Ok(gate),
                None => "another run of this state folder has the room".to_owned(),
            };
            drop(gate);
            self.wait_at_gate(&part.id, &why, schedule.next()).await?;
        }
    }

    /// Takes the room that there is, where no other process of this state folder has taken it first.
    async fn enters_shared(
        &self,
        part: &Part,
        weight: Weight,
        load: Load,
    ) -> Result<bool, BackupError> {
        let Some(journal) = self.door.ledger().journal() else {
            return Ok(true);
        };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let slot = GateSlot {
            session: part.id.clone(),
            workload: part.workload.name.to_owned(),
            artifacts: number(weight.artifacts),
            bulk: weight.bulk,
            seen_by_service: Seen {
                ids: load.seen,
                sessions: number(load.sessions),
                artifacts: number(load.artifacts),
                bulk_sessions: number(load.bulk_sessions),
            },
        };
        let (sessions, artifacts) = (number(MOST_SESSIONS), number(MOST_ARTIFACTS));
        let entered = journal.enter_gate(&self.settings.run, slot, sessions, artifacts);
        Ok(entered.await.map_err(|error| self.door.unwritten(error))?)
    }

    /// One wait before the gate is looked at again. Told once for each reason, not at each look: the numbers in it change
    /// all the time.
    pub(super) async fn wait_at_gate(
        &self,
        session: &str,
        why: &str,
        wait: std::time::Duration,
    ) -> Result<(), BackupError> {
        let reason = why.replace(|mark: char| mark.is_ascii_digit(), "");
        if self.told_at_gate.is_first(session, reason) {
            let text = format!("session `{session}` waits to be activated: {why}");
            self.talk.note(&text);
        }
        self.sleep(wait).await?;
        Ok(())
    }

    async fn load(&self, gate: &Gate, workload: &'static Workload) -> Result<Load, GraphError> {
        let mut pages = self.client.pages(Call::get(
            "list sessions",
            format!("{ROOT}/restoreSessions"),
        ));
        let mut load = Load::default();
        while let Some(page) = pages.next().await {
            for session in page? {
                let Some(id) = session.string("id") else {
                    continue;
                };
                let status = session.string("status").unwrap_or_default();
                if is_running(&status) {
                    load.sessions += 1;
                    let running = Running {
                        id: &id,
                        session: &session,
                    };
                    if running.is_of(gate, workload) {
                        load.artifacts += self.in_flight_of(gate, &running, workload).await?;
                        load.bulk_sessions += usize::from(running.is_bulk(gate));
                    }
                }
                if status != "draft" {
                    load.seen.insert(id);
                }
            }
        }
        // Ours that the list does not show yet.
        for (id, (name, weight)) in &gate.ours {
            if !load.seen.contains(id) {
                load.sessions += 1;
                if *name == workload.name {
                    load.artifacts += weight.artifacts;
                    load.bulk_sessions += usize::from(weight.bulk);
                }
            }
        }
        Ok(load)
    }

    /// How many artifacts a running session has in flight.
    async fn in_flight_of(
        &self,
        gate: &Gate,
        running: &Running<'_>,
        workload: &'static Workload,
    ) -> Result<usize, GraphError> {
        let count = running.session.property("restoreSessionArtifactCount");
        let number = |name: &str| count.as_ref()?.property(name)?.parse::<usize>().ok();
        if let Some(total) = number("total") {
            let ended = number("completed").unwrap_or(0) + number("failed").unwrap_or(0);
            return Ok(total.saturating_sub(ended));
        }
        if let Some((_, weight)) = gate.ours.get(running.id) {
            return Ok(weight.artifacts);
        }
        let session = (running.id.to_owned(), running.session.clone());
        let artifacts = match self.artifacts(&Part::found(workload, None, session)).await {
            // It has ended and is gone, or is of a kind that is not known here: nothing of this workload is in it.
            Err(error) if error.is_not_found() => return Ok(0),
            listed => listed?,
        };
        let open = super::artifact::Progress::Open;
        Ok(artifacts
            .iter()
            .filter(|artifact| artifact.progress() == open)
            .count())
    }
}

/// A session that runs now, as a list shows it.
struct Running<'a> {
    id: &'a str,
    session: &'a Json,
}

impl Running<'_> {
    /// Where nobody knows its workload, it counts for each.
    fn is_of(&self, gate: &Gate, workload: &Workload) -> bool {
        if let Some((name, _)) = gate.ours.get(self.id) {
            return *name == workload.name;
        }
        let kind = self.session.string("@odata.type").unwrap_or_default();
        Workload::of_session(&kind).is_none_or(|found| found == workload)
    }

    fn is_bulk(&self, gate: &Gate) -> bool {
        let job = self.session.string("restoreJobType");
        gate.ours
            .get(self.id)
            .is_some_and(|(_, weight)| weight.bulk)
            || job.as_deref() == Some("bulk")
    }
}

#[cfg(test)]
mod tests {
    use super::super::workload::EXCHANGE;
    use super::*;

    #[test]
    fn both_gates_close_at_their_number_and_a_lone_session_may_go() {
        let closed = |sessions, artifacts, more| {
            let load = Load {
                sessions,
                artifacts,
                ..Load::default()
            };
            let weight = Weight {
                artifacts: more,
                bulk: false,
            };
            load.closed_for(&EXCHANGE, weight).is_some()
        };
        assert!(!closed(24, 0, 1000));
        assert!(closed(25, 0, 1));
        assert!(!closed(1, 500, 500));
        assert!(closed(1, 500, 501));
    }

    #[test]
    fn bulk_restores_go_one_after_the_other() {
        let closed = |sessions, bulk_sessions| {
            let load = Load {
                sessions,
                artifacts: 900,
                bulk_sessions,
                ..Load::default()
            };
            let weight = Weight {
                artifacts: 10_000,
                bulk: true,
            };
            load.closed_for(&EXCHANGE, weight)
        };
        assert_eq!(closed(24, 0), None);
        assert!(closed(25, 0).is_some());
        assert_eq!(
            closed(2, 1).as_deref(),
            Some("another bulk restore of mailboxes is running")
        );
    }
}
