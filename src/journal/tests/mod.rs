//! The room as its callers see it, over real files where it matters.

mod child;
#[cfg(debug_assertions)]
mod crash;
mod durability;
mod evidence;
mod failures;
mod gate;
mod glance;
mod lease;
mod lock;
mod prune;
mod records;
mod torn;

use jiff::Timestamp;
use rusqlite::Connection;

use super::*;

const RUN: &str = "2026-11-24T01-58-33Z-k3f9q2";

/// So many seconds into the night.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_485_513 + seconds).unwrap()
}

fn run_row(id: &str) -> RunRow {
    RunRow {
        id: id.into(),
        script: "night.rhai".into(),
        sha256: "5a".repeat(32),
        source: b"let x = 1;".to_vec(),
        order: r#"{"group":"Finance"}"#.into(),
        started: at(0),
        pid: 41,
        host: "ops1".into(),
        user: "anna".into(),
        tenant: Some("4f1c".into()),
        api: "v1.0".into(),
        policy_sha256: None,
        kind: "run".into(),
        ended: None,
        exit: None,
        open: true,
        result: None,
    }
}

fn answer(lane: &str, number: u32, body: &[u8]) -> Record {
    Record::Answer(Answer {
        run: RUN.into(),
        lane: lane.into(),
        number,
        part: String::new(),
        operation: "list users".into(),
        digest: [7; 16],
        body: body.to_vec(),
    })
}

fn intent_of(run: &str, sequence: u64) -> Intent {
    Intent {
        run: run.into(),
        sequence,
        lane: "/1.4".into(),
        number: 3,
        part: "2".into(),
        round: 1,
        class: "activate".into(),
        operation: "activate session".into(),
        method: "POST".into(),
        path: "/solutions/backupRestore/restoreSessions/959b/activate?key=hush".into(),
        body_sha256: [9; 32],
        items: 50,
        place: Some("night.rhai:41".into()),
        at: at(3),
        clock: at(2),
    }
}

fn intent(sequence: u64) -> Record {
    Record::Intent(intent_of(RUN, sequence))
}

fn outcome_of(run: &str, sequence: u64, state: State) -> OutcomeRow {
    OutcomeRow {
        run: run.into(),
        sequence,
        state,
        answer: Some(br#"{"id":"959b"}"#.to_vec()),
        error: None,
        request_id: Some("5f1c".into()),
        found: false,
        at: at(4),
    }
}

fn ended(run: &str, open: bool) -> Record {
    Record::Ended {
        run: run.into(),
        at: at(9),
        exit: 0,
        result: Packed::of(|out| out.write_all(b"{}")).unwrap(),
        open,
    }
}

/// Begins [`RUN`].
fn begun(journal: &Journal) {
    begin(journal, RUN);
}

fn begin(journal: &Journal, run: &str) {
    let run = run_row(run);
    journal.sync_blocking(Record::Begun { run }).unwrap();
}

/// In memory, with [`RUN`] begun.
fn in_memory() -> Journal {
    let journal = Journal::in_memory();
    begun(&journal);
    journal
}

/// The numbers of the changes in a journal.
fn sequences(journal: &Journal) -> Vec<u64> {
    let changes = journal.changes(RUN).unwrap();
    changes.iter().map(|row| row.intent.sequence).collect()
}

fn count(database: &Connection, table: &str) -> i64 {
    let query = format!("SELECT COUNT(*) FROM {table}");
    database.query_row(&query, [], |row| row.get(0)).unwrap()
}

/// Bytes that do not compress, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| dice.u8(..)).collect()
}
