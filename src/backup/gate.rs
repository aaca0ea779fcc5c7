//! The two gates before activate: fewer than 25 active sessions, fewer than 1,000 artifacts in flight per workload.
//!
//! Both count what the service shows of others. An open gate is held until the session behind it is activated.

use std::collections::{HashMap, HashSet};

use tokio::sync::MutexGuard;

use super::part::is_running;
use super::session::MOST_ARTIFACTS;
use super::workload::{ROOT, Workload};
use super::{BackupError, Service};
use crate::graph::{Call, GraphError, Json};

/// Source: error page, `TooManyActiveRestoreSessions`.
const MOST_SESSIONS: usize = 25;

/// What this run has activated and has not seen end: lists may lag behind.
#[derive(Default)]
pub(crate) struct Gate {
    ours: HashMap<String, (&'static str, usize)>,
}

impl Gate {
    pub(super) fn enter(&mut self, session: &str, workload: &Workload, artifacts: usize) {
        self.ours
            .insert(session.to_owned(), (workload.name, artifacts));
    }

    pub(super) fn leave(&mut self, session: &str) {
        self.ours.remove(session);
    }
}

/// What is running in the tenant now.
#[derive(Debug, Default, PartialEq, Eq)]
struct Load {
    sessions: usize,
    artifacts: usize,
}

impl Load {
    /// Why one more session with so many artifacts has to wait; `None` where it need not.
    fn closed_for(&self, workload: &Workload, artifacts: usize) -> Option<String> {
        if self.sessions >= MOST_SESSIONS {
            return Some(format!(
                "{} restore sessions are active, {MOST_SESSIONS} may be",
                self.sessions
            ));
        }
        // Alone it may always go: a part never holds more than fits.
        if self.artifacts > 0 && self.artifacts + artifacts > MOST_ARTIFACTS {
            let running = workload.count(self.artifacts);
            return Some(format!(
                "{running} are being restored, {MOST_ARTIFACTS} may be"
            ));
        }
        None
    }
}

impl Service {
    /// Waits until one more session may be activated.
    pub(super) async fn pass_gate(
        &self,
        workload: &'static Workload,
        session: &str,
        artifacts: usize,
    ) -> Result<MutexGuard<'_, Gate>, BackupError> {
        let gate = self.gate.lock().await;
        let mut schedule = self.schedule();
        loop {
            let load = self.load(&gate, workload).await?;
            let Some(why) = load.closed_for(workload, artifacts) else {
                return Ok(gate);
            };
            self.wait_at_gate(session, &why, schedule.next()).await?;
        }
    }

    /// One wait before the gate is looked at again.
    pub(super) async fn wait_at_gate(
        &self,
        session: &str,
        why: &str,
        wait: std::time::Duration,
    ) -> Result<(), BackupError> {
        self.talk.waiting(
            &format!("session `{session}` waits to be activated"),
            why,
            wait,
        );
        self.sleep(wait).await?;
        Ok(())
    }

    async fn load(&self, gate: &Gate, workload: &'static Workload) -> Result<Load, GraphError> {
        let mut pages = self.client.pages(Call::get(
            "list sessions",
            format!("{ROOT}/restoreSessions"),
        ));
        let mut load = Load::default();
        let mut seen = HashSet::new();
        while let Some(page) = pages.next().await {
            for session in page? {
                let Some(id) = session.string("id") else {
                    continue;
                };
                let status = session.string("status").unwrap_or_default();
                if is_running(&status) {
                    load.sessions += 1;
                    load.artifacts += self.in_flight_of(gate, &session, &id, workload).await?;
                }
                if status != "draft" {
                    seen.insert(id);
                }
            }
        }
        // Ours that the list does not show yet.
        for (id, (name, artifacts)) in &gate.ours {
            if !seen.contains(id) {
                load.sessions += 1;
                load.artifacts += if *name == workload.name {
                    *artifacts
                } else {
                    0
                };
            }
        }
        Ok(load)
    }

    /// How many artifacts of this workload a running session has in flight.
    async fn in_flight_of(
        &self,
        gate: &Gate,
        session: &Json,
        id: &str,
        workload: &'static Workload,
    ) -> Result<usize, GraphError> {
        let kind = session.string("@odata.type").unwrap_or_default();
        let ours = gate.ours.get(id);
        let same = match ours {
            Some((name, _)) => *name == workload.name,
            None => Workload::of_session(&kind).is_none_or(|found| found == workload),
        };
        if !same {
            return Ok(0);
        }
        let count = session.property("restoreSessionArtifactCount");
        let number = |name: &str| count.as_ref()?.property(name)?.parse::<usize>().ok();
        if let Some(total) = number("total") {
            let ended = number("completed").unwrap_or(0) + number("failed").unwrap_or(0);
            return Ok(total.saturating_sub(ended));
        }
        if let Some((_, artifacts)) = ours {
            return Ok(*artifacts);
        }
        let artifacts = self.artifacts(workload, id).await?;
        let open = super::artifact::Progress::Open;
        Ok(artifacts
            .iter()
            .filter(|artifact| artifact.progress() == open)
            .count())
    }
}

#[cfg(test)]
mod tests {
    use super::super::workload::EXCHANGE;
    use super::*;

    #[test]
    fn both_gates_close_at_their_number_and_a_lone_session_may_go() {
        let closed = |sessions, artifacts, more| {
            Load {
                sessions,
                artifacts,
            }
            .closed_for(&EXCHANGE, more)
            .is_some()
        };
        assert!(!closed(24, 0, 1000));
        assert!(closed(25, 0, 1));
        assert!(!closed(1, 500, 500));
        assert!(closed(1, 500, 501));
    }
}
