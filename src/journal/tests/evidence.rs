//! Evidence that was touched is found out.

use sha2::{Digest as _, Sha256};

use super::*;
use crate::journal::evidence::EvidenceRow;

fn sha256(text: &str) -> String {
    row::hex(&Sha256::digest(text))
}

/// Six rows: begun, consent, intent, outcome, a note, ended.
fn written() -> Journal {
    let journal = in_memory();
    journal.put(Record::Consent(Consented {
        run: RUN.into(),
        class: "activate".into(),
        question: "restore 2 mailboxes?".into(),
        keys: vec!["unit-1".into(), "unit-2".into()],
        all: false,
        how: "--yes".into(),
        at: at(1),
    }));
    journal.put(intent(0));
    journal.put(Record::Outcome(outcome_of(RUN, 0, State::Done)));
    journal.put(Record::Note {
        run: RUN.into(),
        at: at(5),
        kind: "pause",
        json: r#"{"by":"anna"}"#.into(),
    });
    journal.put(ended(RUN, false));
    journal.flush().unwrap();
    journal
}

fn verified_after(touch: &str) -> Verified {
    let journal = written();
    journal.0.disk.writer().execute_batch(touch).unwrap();
    journal.verify(RUN).unwrap()
}

#[test]
fn untouched_evidence_is_intact() {
    let journal = written();
    let rows = journal.evidence(RUN).unwrap();
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["begun", "consent", "intent", "outcome", "pause", "ended"]
    );
    let head = rows[5].hash.clone();
    assert_eq!(
        journal.verify(RUN).unwrap(),
        Verified::Intact { rows: 6, head }
    );
    let error = journal.verify("nobody").unwrap_err();
    assert!(matches!(error, JournalError::NoSuchRun { .. }));
}

#[test]
fn a_hash_can_be_had_from_an_exported_line_and_the_one_before_it() {
    let rows = written().evidence(RUN).unwrap();
    let mut before = sha256(RUN);
    for row in rows {
        let line: serde_json::Value = serde_json::from_str(&row.line()).unwrap();
        let what = row.line();
        let start = what.find("\"what\":").unwrap() + "\"what\":".len();
        let end = what.rfind(",\"hash\":").unwrap();
        let text = format!(
            "{before}\n{}\n{}\n{}\n{}",
            line["row"],
            line["at"].as_str().unwrap(),
            line["kind"].as_str().unwrap(),
            &what[start..end]
        );
        before = sha256(&text);
        assert_eq!(line["hash"], before.as_str(), "row {}", row.row);
    }
}

#[test]
fn the_first_row_that_was_touched_is_named() {
    for (touch, broken) in [
        ("UPDATE evidence SET json = '{}' WHERE number = 3", 3),
        (
            "UPDATE evidence SET at = '2026-01-01T00:00:00Z' WHERE number = 2",
            2,
        ),
        ("UPDATE evidence SET kind = 'refused' WHERE number = 4", 4),
        ("UPDATE evidence SET hash = 'aa' WHERE number = 5", 5),
        ("DELETE FROM evidence WHERE number = 1", 1),
        ("DELETE FROM evidence WHERE number = 3", 3),
        ("DELETE FROM evidence WHERE number = 6", 6),
        ("DELETE FROM evidence WHERE number > 4", 5),
        ("DELETE FROM evidence", 1),
        (
            "DELETE FROM evidence WHERE number = 3; UPDATE evidence SET number = number - 1 WHERE number > 3",
            3,
        ),
        ("UPDATE runs SET head = 'aa'", 6),
        ("UPDATE runs SET head_row = 5", 6),
    ] {
        match verified_after(touch) {
            Verified::Broken { row, .. } => assert_eq!(row, broken, "{touch}"),
            intact @ Verified::Intact { .. } => panic!("{touch}: {intact:?}"),
        }
    }
}

#[test]
fn a_row_that_somebody_adds_in_the_right_form_is_not_the_last_that_was_written() {
    let journal = written();
    let last = journal.evidence(RUN).unwrap().pop().unwrap();
    let at = last.at.clone();
    let text = format!("{}\n7\n{at}\nended\n{{}}", last.hash);
    let hash = sha256(&text);
    journal
        .0
        .disk
        .writer()
        .execute(
            "INSERT INTO evidence (run, number, at, kind, json, hash) VALUES (?1, 7, ?2, 'ended', '{}', ?3)",
            [RUN, &at, &hash],
        )
        .unwrap();
    let verified = journal.verify(RUN).unwrap();
    assert!(
        matches!(verified, Verified::Broken { row: 7, .. }),
        "{verified:?}"
    );
}

#[test]
fn evidence_holds_who_what_where_and_no_secret() {
    let rows = written().evidence(RUN).unwrap();
    let all: Vec<String> = rows.iter().map(EvidenceRow::line).collect();
    let all = all.join("\n");
    for said in [
        "anna",
        "ops1",
        "night.rhai:41",
        "5f1c",
        "/restoreSessions/959b/activate",
        "--yes",
    ] {
        assert!(all.contains(said), "{said}: {all}");
    }
    for unsaid in ["hush", "Finance", "let x", "unit-1"] {
        assert!(!all.contains(unsaid), "{unsaid}: {all}");
    }
}
