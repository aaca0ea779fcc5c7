//! The log that shows whether it was touched: each row's hash covers the row before it.
//!
//! A hash is the SHA-256, in hexadecimal, of five lines without a line feed after the last: the hash before it, the row's
//! number, its instant, its kind, its JSON. The line before the first row is the hash of the run's id. Whoever can write the
//! file can also make a new chain; a head that was exported before gives that away.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::row::{count, hex, number, text_of};
use super::{Journal, JournalError, read};

/// One row, with its texts exactly as they were hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EvidenceRow {
    pub(crate) run: String,
    /// From 1.
    pub(crate) row: u64,
    pub(crate) at: String,
    pub(crate) kind: String,
    pub(crate) json: String,
    pub(crate) hash: String,
}

/// Whether the evidence of a run is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// `head` is the hash of the last row.
    Intact { rows: u64, head: String },
    /// The first row that is not as it was written.
    Broken { row: u64, why: String },
}

impl EvidenceRow {
    /// As a line of JSON without its end, for an export. `what` is as it was hashed, byte for byte.
    pub(crate) fn line(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            run: &'a str,
            row: u64,
            at: &'a str,
            kind: &'a str,
            what: Option<&'a RawValue>,
            hash: &'a str,
        }
        let line = Line {
            run: &self.run,
            row: self.row,
            at: &self.at,
            kind: &self.kind,
            what: serde_json::from_str(&self.json).ok(),
            hash: &self.hash,
        };
        serde_json::to_string(&line).expect("texts and numbers make JSON")
    }
}

impl Journal {
    /// In order.
    pub(crate) fn evidence(&self, run: &str) -> Result<Vec<EvidenceRow>, JournalError> {
        self.look(|database| rows(database, run))
    }

    pub(crate) fn verify(&self, run: &str) -> Result<Verified, JournalError> {
        let found = self.look(|database| {
            let head = database
                .prepare_cached("SELECT head_row, head FROM runs WHERE run = ?1")?
                .query_row([run], |row| Ok((count(row, 0)?, row.get::<_, String>(1)?)))
                .optional()?;
            Ok((head, rows(database, run)?))
        })?;
        match found {
            (Some((last, head)), rows) => Ok(judge(run, &rows, last, &head)),
            (None, _) => Err(JournalError::NoSuchRun {
                file: self.0.disk.file.clone(),
                run: run.to_owned(),
            }),
        }
    }
}

fn rows(database: &Connection, run: &str) -> rusqlite::Result<Vec<EvidenceRow>> {
    let query =
        "SELECT run, number, at, kind, json, hash FROM evidence WHERE run = ?1 ORDER BY number";
    read::all(database, query, [run], |row| {
        Ok(EvidenceRow {
            run: row.get(0)?,
            row: count(row, 1)?,
            at: row.get(2)?,
            kind: row.get(3)?,
            json: row.get(4)?,
            hash: row.get(5)?,
        })
    })
}

/// What stands before the first row.
pub(super) fn first(run: &str) -> String {
    hex(&Sha256::digest(run))
}

/// Appends a row. Fails where the run was never begun.
pub(super) fn append(
    database: &Connection,
    run: &str,
    at: Timestamp,
    kind: &str,
    json: &str,
) -> rusqlite::Result<()> {
    let (last, head): (u64, String) = database
        .prepare_cached("SELECT head_row, head FROM runs WHERE run = ?1")?
        .query_row([run], |row| Ok((count(row, 0)?, row.get(1)?)))?;
    let row = last + 1;
    let at = text_of(at);
    let hash = hash(&head, row, &at, kind, json);
    database
        .prepare_cached(
            "INSERT INTO evidence (run, number, at, kind, json, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![run, number(row), at, kind, json, hash])?;
    database
        .prepare_cached("UPDATE runs SET head_row = ?2, head = ?3 WHERE run = ?1")?
        .execute(params![run, number(row), hash])?;
    Ok(())
}

fn hash(before: &str, row: u64, at: &str, kind: &str, json: &str) -> String {
    hex(&Sha256::digest(format!(
        "{before}\n{row}\n{at}\n{kind}\n{json}"
    )))
}

fn judge(run: &str, rows: &[EvidenceRow], last: u64, head: &str) -> Verified {
    let mut before = first(run);
    let mut expected = 1;
    for row in rows {
        if row.row != expected {
            return Verified::Broken {
                row: expected,
                why: "it is missing".into(),
            };
        }
        if row.hash != hash(&before, row.row, &row.at, &row.kind, &row.json) {
            return Verified::Broken {
                row: row.row,
                why: "its hash is not that of its content and of the row before it".into(),
            };
        }
        before.clone_from(&row.hash);
        expected += 1;
    }
    if expected <= last {
        return Verified::Broken {
            row: expected,
            why: format!("it is missing: the run has written {last} rows"),
        };
    }
    if expected - 1 > last || before != head {
        return Verified::Broken {
            row: expected - 1,
            why: "it is not the last row that the run has written".into(),
        };
    }
    Verified::Intact {
        rows: last,
        head: before,
    }
}
