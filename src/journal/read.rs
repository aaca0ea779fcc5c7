//! What a run has written down.

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde_json::Value;

use super::packed;
use super::row::{count, instant, maybe_instant, unreadable};
use super::{
    Answer, ChangeRow, Consented, Intent, Journal, JournalError, OutcomeRow, RunRow, State, body,
};

const RUN: &str = "SELECT source, source_hash, run, script, sha256, start_order, started, pid, host, account, tenant, api,
                          policy_sha256, kind, ended, exit_code, is_open, result FROM runs";

impl Journal {
    #[cfg(test)]
    /// The runs of this folder, newest first.
    pub(crate) fn runs(&self) -> Result<Vec<RunRow>, JournalError> {
        self.look(|database| {
            all(
                database,
                &format!("{RUN} ORDER BY started DESC, run DESC"),
                [],
                |row| run(database, row),
            )
        })
    }

    /// The names of the runs of this folder, newest first: with their scripts and results they are too much for one list.
    pub(crate) fn run_ids(&self) -> Result<Vec<String>, JournalError> {
        let query = "SELECT run FROM runs ORDER BY started DESC, run DESC";
        self.look(|database| all(database, query, [], |row| row.get(0)))
    }

    /// The sessions of all runs, each with its run; those of the newest run first.
    pub(crate) fn all_sessions(&self) -> Result<Vec<(String, Value)>, JournalError> {
        let query = "SELECT s.run, s.json FROM sessions s JOIN runs r ON r.run = s.run
                     ORDER BY r.started DESC, s.run DESC, s.number";
        self.look(|database| all(database, query, [], |row| Ok((row.get(0)?, json(row, 1)?))))
    }

    pub(crate) fn run(&self, id: &str) -> Result<Option<RunRow>, JournalError> {
        self.look(|database| {
            database
                .prepare_cached(&format!("{RUN} WHERE run = ?1"))?
                .query_row([id], |row| run(database, row))
                .optional()
        })
    }

    /// By lane, number and part.
    pub(crate) fn answers(&self, run: &str) -> Result<Vec<Answer>, JournalError> {
        let query = "SELECT body, body_hash, run, lane, number, part, operation, digest FROM answers WHERE run = ?1
                     ORDER BY lane, number, part";
        self.look(|database| {
            all(database, query, [run], |row| {
                Ok(Answer {
                    body: body::read(database, row, 0)?.unwrap_or_default(),
                    run: row.get(2)?,
                    lane: row.get(3)?,
                    number: row.get(4)?,
                    part: row.get(5)?,
                    operation: row.get(6)?,
                    digest: row.get(7)?,
                })
            })
        })
    }

    /// Intents with their outcomes, in order.
    pub(crate) fn changes(&self, run: &str) -> Result<Vec<ChangeRow>, JournalError> {
        let query = "SELECT i.run, i.sequence, i.lane, i.number, i.part, i.round, i.class, i.operation, i.method, i.path,
                            i.body_sha256, i.items, i.place, i.at, i.clock,
                            o.state, o.answer, o.answer_hash, o.error, o.request_id, o.found, o.at
                     FROM intents i LEFT JOIN outcomes o ON o.run = i.run AND o.sequence = i.sequence
                     WHERE i.run = ?1 ORDER BY i.sequence";
        self.look(|database| all(database, query, [run], |row| change(database, row)))
    }

    /// In the order in which they were given.
    pub(crate) fn consents(&self, run: &str) -> Result<Vec<Consented>, JournalError> {
        let query = "SELECT keys, keys_hash, run, class, question, for_all, how, at FROM consents WHERE run = ?1
                     ORDER BY number";
        self.look(|database| {
            all(database, query, [run], |row| {
                let keys = body::read(database, row, 0)?.unwrap_or_default();
                Ok(Consented {
                    keys: serde_json::from_slice(&keys)
                        .map_err(|error| unreadable(0, error.to_string()))?,
                    run: row.get(2)?,
                    class: row.get(3)?,
                    question: row.get(4)?,
                    all: row.get(5)?,
                    how: row.get(6)?,
                    at: instant(row, 7)?,
                })
            })
        })
    }

    /// The books, by position.
    pub(crate) fn items(&self, run: &str) -> Result<Vec<Value>, JournalError> {
        self.documents("SELECT json FROM items WHERE run = ?1 ORDER BY number", run)
    }

    /// In the order in which they were first written.
    pub(crate) fn sessions(&self, run: &str) -> Result<Vec<Value>, JournalError> {
        self.documents(
            "SELECT json FROM sessions WHERE run = ?1 ORDER BY number",
            run,
        )
    }

    /// Whether any run of this folder has this session.
    pub(crate) fn knows_session(&self, id: &str) -> Result<bool, JournalError> {
        self.look(|database| {
            database
                .prepare_cached("SELECT 1 FROM sessions WHERE session = ?1")?
                .exists([id])
        })
    }

    fn documents(&self, query: &str, run: &str) -> Result<Vec<Value>, JournalError> {
        self.look(|database| all(database, query, [run], |row| json(row, 0)))
    }
}

pub(super) fn all<T>(
    database: &Connection,
    query: &str,
    parameters: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    database
        .prepare_cached(query)?
        .query_map(parameters, read)?
        .collect()
}

fn json(row: &Row<'_>, column: usize) -> rusqlite::Result<Value> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(column, error.to_string()))
}

fn run(database: &Connection, row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        source: body::read(database, row, 0)?.unwrap_or_default(),
        id: row.get(2)?,
        script: row.get(3)?,
        sha256: row.get(4)?,
        order: row.get(5)?,
        started: instant(row, 6)?,
        pid: row.get(7)?,
        host: row.get(8)?,
        user: row.get(9)?,
        tenant: row.get(10)?,
        api: row.get(11)?,
        policy_sha256: row.get(12)?,
        kind: row.get(13)?,
        ended: maybe_instant(row, 14)?,
        exit: row.get(15)?,
        open: row.get(16)?,
        result: packed::read(row, 17)?,
    })
}

fn change(database: &Connection, row: &Row<'_>) -> rusqlite::Result<ChangeRow> {
    let intent = Intent {
        run: row.get(0)?,
        sequence: count(row, 1)?,
        lane: row.get(2)?,
        number: row.get(3)?,
        part: row.get(4)?,
        round: row.get(5)?,
        class: row.get(6)?,
        operation: row.get(7)?,
        method: row.get(8)?,
        path: row.get(9)?,
        body_sha256: row.get(10)?,
        items: row.get(11)?,
        place: row.get(12)?,
        at: instant(row, 13)?,
        clock: instant(row, 14)?,
    };
    let outcome = match row.get::<_, Option<String>>(15)? {
        None => None,
        Some(state) => Some(OutcomeRow {
            run: intent.run.clone(),
            sequence: intent.sequence,
            state: State::of_name(&state)
                .ok_or_else(|| unreadable(15, format!("no outcome is called `{state}`")))?,
            answer: body::read(database, row, 16)?,
            error: row.get(18)?,
            request_id: row.get(19)?,
            found: row.get(20)?,
            at: instant(row, 21)?,
        }),
    };
    Ok(ChangeRow { intent, outcome })
}
