//! Takes old runs out.
//!
//! Never one that can be resumed, that somebody works on, or of which something is not known: those are what a person still
//! has to look at. What was restored stays known, so that `--again` is asked for however old the run is.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde_json::Value;

use super::row::text_of;
use super::{Journal, JournalError, disk, read};

/// Everything that belongs to one run. (`restored` does not: it outlives its run.)
const TABLES: &[&str] = &[
    "answers", "intents", "outcomes", "consents", "items", "sessions", "evidence", "leases",
    "slots", "wishes", "runs",
];

/// Where bodies are referred to.
const REFERENCES: &[(&str, &str)] = &[
    ("runs", "source_hash"),
    ("answers", "body_hash"),
    ("outcomes", "answer_hash"),
    ("consents", "keys_hash"),
];

/// What a prune did with the runs that started before the instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    pub(crate) removed: Vec<String>,
    /// Can be resumed.
    pub(crate) open: Vec<String>,
    /// A process works on it.
    pub(crate) locked: Vec<String>,
    /// Has changes or items whose outcome is not known.
    pub(crate) unknown: Vec<String>,
    /// Bodies that nobody refers to any more.
    pub(crate) bodies: usize,
    /// Why the file did not get smaller, where it did not. The runs are out all the same.
    pub(crate) not_shrunk: Option<String>,
}

impl Journal {
    /// Takes out the runs that started before this instant, and makes the file smaller.
    pub(crate) fn prune(&self, before: Timestamp) -> Result<Pruned, JournalError> {
        self.flush()?;
        let mut pruned = Pruned::default();
        let old = self.peek(|database| old(database, before))?;
        let mut locks = Vec::new();
        for run in old {
            // Held until all is done: nobody resumes it meanwhile.
            match self.lock(&run) {
                Ok(lock) => locks.push((run, lock)),
                Err(JournalError::Held { .. }) => pruned.locked.push(run),
                Err(error) => return Err(error),
            }
        }
        let database = self.0.disk.writer();
        let mut take_out = || -> rusqlite::Result<()> {
            let transaction = disk::begin(&database)?;
            for (run, _) in &locks {
                let kept = if is_open(&transaction, run)? {
                    &mut pruned.open
                } else if is_unknown(&transaction, run)? {
                    &mut pruned.unknown
                } else {
                    for table in TABLES {
                        transaction
                            .execute(&format!("DELETE FROM {table} WHERE run = ?1"), [run])?;
                    }
                    &mut pruned.removed
                };
                kept.push(run.clone());
            }
            let unused = REFERENCES
                .iter()
                .map(|(table, column)| {
                    format!(
                        "NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.{column} = bodies.hash)"
                    )
                })
                .collect::<Vec<_>>()
                .join(" AND ");
            pruned.bodies =
                transaction.execute(&format!("DELETE FROM bodies WHERE {unused}"), [])?;
            transaction.commit()
        };
        take_out().map_err(|error| self.0.disk.failed(&error))?;
        for (run, lock) in locks {
            if pruned.removed.contains(&run) {
                lock.forget();
            }
        }
        if !pruned.removed.is_empty() {
            pruned.not_shrunk = database
                .execute_batch("VACUUM")
                .err()
                .map(|error| self.0.disk.failed(&error).to_string());
        }
        Ok(pruned)
    }
}

fn old(database: &Connection, before: Timestamp) -> rusqlite::Result<Vec<String>> {
    let query = "SELECT run FROM runs WHERE started < ?1 ORDER BY started";
    read::all(database, query, [text_of(before)], |row| row.get(0))
}

fn is_open(database: &Connection, run: &str) -> rusqlite::Result<bool> {
    let query = "SELECT 1 FROM runs WHERE run = ?1 AND (is_open <> 0 OR ended IS NULL)";
    database.prepare_cached(query)?.exists([run])
}

fn is_unknown(database: &Connection, run: &str) -> rusqlite::Result<bool> {
    let query =
        "SELECT 1 FROM intents i LEFT JOIN outcomes o ON o.run = i.run AND o.sequence = i.sequence
                 WHERE i.run = ?1 AND (o.state IS NULL OR o.state = ?2)";
    let unknown = super::State::Unknown.name();
    if database
        .prepare_cached(query)?
        .exists(params![run, unknown])?
    {
        return Ok(true);
    }
    let items = read::all(
        database,
        "SELECT json FROM items WHERE run = ?1",
        [run],
        |row| row.get::<_, String>(0),
    )?;
    // An item that does not read is not known either.
    Ok(items.iter().any(|item| {
        serde_json::from_str::<Value>(item).map_or(true, |item| item["outcome"] == "unknown")
    }))
}
