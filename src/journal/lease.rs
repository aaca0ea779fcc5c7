//! A unit belongs to one run at a time, until its artifact ends; and what was restored is remembered.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::row::{instant, text_of};
use super::{Holder, Journal, JournalError};

/// What is to be restored. A lease is on (workload, unit), whatever the point; what was restored is remembered by all four.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LeaseKey {
    pub(crate) workload: String,
    pub(crate) unit: String,
    pub(crate) point: String,
    pub(crate) destination: String,
}

/// The lease of another run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) run: String,
    pub(crate) point: String,
    pub(crate) destination: String,
    pub(crate) since: Timestamp,
    /// The process that works on that run; `None`: nobody does, it was cut off or waits to be resumed.
    pub(crate) holder: Option<Holder>,
}

/// An artifact that has ended, or will never begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) key: LeaseKey,
    /// The session that has restored it; `None`: it was not.
    pub(crate) restored_in: Option<String>,
    pub(crate) at: Timestamp,
}

/// Where and when something was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Restored {
    pub(crate) run: String,
    pub(crate) session: String,
    pub(crate) at: Timestamp,
}

impl Journal {
    /// Takes the leases that are free or already this run's; gives the places of the others in `wanted`, and who has them.
    pub(crate) async fn lease(
        &self,
        run: &str,
        wanted: &[LeaseKey],
    ) -> Result<Vec<(usize, Held)>, JournalError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (run, wanted) = (run.to_owned(), wanted.to_vec());
        let mut taken = self
            .work(move |database| {
                let mut taken = Vec::new();
                for (place, key) in wanted.iter().enumerate() {
                    if let Some(held) = lease(database, &run, key)? {
                        taken.push((place, held));
                    }
                }
                Ok(taken)
            })
            .await?;
        for (_, held) in &mut taken {
            held.holder = self.lock_holder(&held.run);
        }
        Ok(taken)
    }

    /// Those that another run has, each with its place in `wanted`; takes nothing.
    pub(crate) async fn leased(
        &self,
        run: &str,
        wanted: &[LeaseKey],
    ) -> Result<Vec<(usize, Held)>, JournalError> {
        let (journal, run, keys) = (self.clone(), run.to_owned(), wanted.to_vec());
        let read = tokio::task::spawn_blocking(move || {
            journal.look(|database| {
                let held = keys.iter().enumerate().map(|(place, key)| {
                    let held = held_by_another(database, &run, key)?;
                    Ok(held.map(|held| (place, held)))
                });
                held.filter_map(Result::transpose).collect()
            })
        });
        let mut taken: Vec<(usize, Held)> = self.joined(read.await)?;
        for (_, held) in &mut taken {
            held.holder = self.lock_holder(&held.run);
        }
        Ok(taken)
    }

    /// Gives leases back, and remembers what was restored.
    pub(crate) async fn release(&self, run: &str, ended: &[Release]) -> Result<(), JournalError> {
        if ended.is_empty() {
            return Ok(());
        }
        let (run, ended) = (run.to_owned(), ended.to_vec());
        self.work(move |database| {
            ended
                .iter()
                .try_for_each(|release| give_back(database, &run, release))
        })
        .await
    }

    /// Where this folder has restored each of these last.
    pub(crate) async fn restored(
        &self,
        keys: &[LeaseKey],
    ) -> Result<Vec<Option<Restored>>, JournalError> {
        let (journal, keys) = (self.clone(), keys.to_vec());
        // Thousands of look-ups take tens of milliseconds, in which this thread has others to serve.
        let read = tokio::task::spawn_blocking(move || {
            journal.look(|database| keys.iter().map(|key| restored(database, key)).collect())
        });
        self.joined(read.await)
    }

    fn joined<T>(
        &self,
        read: Result<Result<T, JournalError>, tokio::task::JoinError>,
    ) -> Result<T, JournalError> {
        read.unwrap_or_else(|error| {
            Err(JournalError::Failed {
                file: self.0.disk.file.clone(),
                cause: error.to_string(),
            })
        })
    }
}

fn held_by_another(
    database: &Connection,
    run: &str,
    key: &LeaseKey,
) -> rusqlite::Result<Option<Held>> {
    database
        .prepare_cached(
            "SELECT run, point, destination, since FROM leases WHERE workload = ?1 AND unit = ?2 AND run <> ?3
             ORDER BY since",
        )?
        .query_row(params![key.workload, key.unit, run], |row| {
            Ok(Held {
                run: row.get(0)?,
                point: row.get(1)?,
                destination: row.get(2)?,
                since: instant(row, 3)?,
                holder: None,
            })
        })
        .optional()
}

/// Takes one lease; says who has it where that is another run.
fn lease(database: &Connection, run: &str, key: &LeaseKey) -> rusqlite::Result<Option<Held>> {
    let held = held_by_another(database, run, key)?;
    if held.is_none() {
        database
            .prepare_cached(
                "INSERT INTO leases (workload, unit, point, destination, run, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (workload, unit, point, destination) DO NOTHING",
            )?
            .execute(params![
                key.workload,
                key.unit,
                key.point,
                key.destination,
                run,
                // Only shown: no decision hangs on it.
                text_of(Timestamp::now()),
            ])?;
    }
    Ok(held)
}

fn give_back(database: &Connection, run: &str, release: &Release) -> rusqlite::Result<()> {
    let key = &release.key;
    database
        .prepare_cached(
            "DELETE FROM leases WHERE workload = ?1 AND unit = ?2 AND point = ?3 AND destination = ?4 AND run = ?5",
        )?
        .execute(params![
            key.workload,
            key.unit,
            key.point,
            key.destination,
            run
        ])?;
    let Some(session) = &release.restored_in else {
        return Ok(());
    };
    database
        .prepare_cached(
            "INSERT INTO restored (workload, unit, point, destination, run, session, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (workload, unit, point, destination) DO UPDATE SET
                 run = excluded.run, session = excluded.session, at = excluded.at",
        )?
        .execute(params![
            key.workload,
            key.unit,
            key.point,
            key.destination,
            run,
            session,
            text_of(release.at),
        ])?;
    Ok(())
}

fn restored(database: &Connection, key: &LeaseKey) -> rusqlite::Result<Option<Restored>> {
    database
        .prepare_cached(
            "SELECT run, session, at FROM restored
             WHERE workload = ?1 AND unit = ?2 AND point = ?3 AND destination = ?4",
        )?
        .query_row(
            params![key.workload, key.unit, key.point, key.destination],
            |row| {
                Ok(Restored {
                    run: row.get(0)?,
                    session: row.get(1)?,
                    at: instant(row, 2)?,
                })
            },
        )
        .optional()
}
