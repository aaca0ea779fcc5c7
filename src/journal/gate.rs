//! The gates before activate, as the processes of one folder share them.
//!
//! The service shows what is active, but late: between the looks of two processes and their activations there is room for
//! both to go through a gate that lets one through. So each writes its session down here in the same transaction that counts
//! those of the others.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::{Journal, JournalError, read};

/// A session that is about to be activated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GateSlot {
    pub(crate) session: String,
    pub(crate) workload: String,
    pub(crate) artifacts: u32,
    /// One such session at a time per workload.
    pub(crate) bulk: bool,
    pub(crate) seen_by_service: Seen,
}

/// What runs, as the caller knows it: what the service lists, and its own sessions that the list does not show yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// All ids in that list except drafts, also of sessions that have ended: they are not counted again.
    pub(crate) ids: HashSet<String>,
    pub(crate) sessions: u32,
    /// Of the slot's workload, like the next.
    pub(crate) artifacts: u32,
    pub(crate) bulk_sessions: u32,
}

impl Journal {
    /// Whether this session may be activated now; if so, it counts for others until it leaves.
    pub(crate) async fn enter_gate(
        &self,
        run: &str,
        slot: GateSlot,
        most_sessions: u32,
        most_artifacts: u32,
    ) -> Result<bool, JournalError> {
        let run = run.to_owned();
        let journal = self.clone();
        self.work(move |database| {
            let seen = &slot.seen_by_service;
            let mut load = (seen.sessions, seen.artifacts, seen.bulk_sessions);
            let mut lives = HashMap::new();
            for other in others(database, &run)? {
                // What a dead process has activated, the service shows; what it has not, it never will.
                let is_alive = *lives
                    .entry(other.run.clone())
                    .or_insert_with(|| journal.lock_holder(&other.run).is_some());
                if !is_alive || seen.ids.contains(&other.session) {
                    continue;
                }
                load.0 += 1;
                if other.workload == slot.workload {
                    load.1 = load.1.saturating_add(other.artifacts);
                    load.2 += u32::from(other.is_bulk);
                }
            }
            let is_open = is_open(load, &slot, most_sessions, most_artifacts);
            if is_open {
                enter(database, &run, &slot)?;
            }
            Ok(is_open)
        })
        .await
    }

    /// The session has ended, or was not activated after all.
    pub(crate) async fn leave_gate(&self, run: &str, session: &str) -> Result<(), JournalError> {
        let (run, session) = (run.to_owned(), session.to_owned());
        self.work(move |database| {
            database
                .prepare_cached("DELETE FROM slots WHERE run = ?1 AND session = ?2")?
                .execute([run, session])?;
            Ok(())
        })
        .await
    }
}

/// With so many (sessions, artifacts, bulk sessions) running.
fn is_open(
    (sessions, artifacts, bulk_sessions): (u32, u32, u32),
    slot: &GateSlot,
    most_sessions: u32,
    most_artifacts: u32,
) -> bool {
    if sessions >= most_sessions {
        return false;
    }
    if slot.bulk {
        return bulk_sessions == 0;
    }
    // Alone it may always go: a part never holds more than fits.
    artifacts == 0 || artifacts.saturating_add(slot.artifacts) <= most_artifacts
}

struct Other {
    run: String,
    session: String,
    workload: String,
    artifacts: u32,
    is_bulk: bool,
}

fn others(database: &Connection, run: &str) -> rusqlite::Result<Vec<Other>> {
    let query = "SELECT run, session, workload, artifacts, is_bulk FROM slots WHERE run <> ?1";
    read::all(database, query, [run], |row| {
        Ok(Other {
            run: row.get(0)?,
            session: row.get(1)?,
            workload: row.get(2)?,
            artifacts: row.get(3)?,
            is_bulk: row.get(4)?,
        })
    })
}

fn enter(database: &Connection, run: &str, slot: &GateSlot) -> rusqlite::Result<()> {
    database
        .prepare_cached(
            "INSERT INTO slots (run, session, workload, artifacts, is_bulk) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (run, session) DO UPDATE SET
                 workload = excluded.workload, artifacts = excluded.artifacts, is_bulk = excluded.is_bulk",
        )?
        .execute(params![
            run,
            slot.session,
            slot.workload,
            slot.artifacts,
            slot.bulk
        ])?;
    Ok(())
}
