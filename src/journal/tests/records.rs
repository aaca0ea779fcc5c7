//! What goes in comes out.

use serde_json::json;

use super::*;

#[test]
fn every_record_comes_back_from_the_disk_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let row = RunRow {
        source: vec![b'x'; 5_000],
        policy_sha256: Some("1f".repeat(32)),
        ..run_row(RUN)
    };
    let answers = [
        ("", 1, b"short".to_vec()),
        ("", 2, vec![b'a'; 100_000]),
        ("/1.0", 1, noise(1, 3_000)),
        ("/1.0/step", 1, Vec::new()),
    ];
    let consent = Consented {
        run: RUN.into(),
        class: "activate".into(),
        question: "restore 3 mailboxes?".into(),
        keys: (0..100).map(|key| format!("unit-{key}")).collect(),
        all: true,
        how: "prompt".into(),
        at: at(1),
    };
    let intents = [intent_of(RUN, 0), intent_of(RUN, 1)];
    let outcome = OutcomeRow {
        answer: Some(vec![b'{'; 1_000]),
        error: Some("cut".into()),
        found: true,
        ..outcome_of(RUN, 0, State::Unknown)
    };
    {
        let journal = Journal::open(folder.path()).unwrap();
        journal.put(Record::Begun { run: row.clone() });
        for (lane, number, body) in &answers {
            journal.put(answer(lane, *number, body));
        }
        for record in intents.clone() {
            journal.put(Record::Intent(record));
        }
        journal.put(Record::Outcome(outcome.clone()));
        journal.put(Record::Consent(consent.clone()));
        for (position, json) in [(7, r#"{"n":7}"#), (2, r#"{"n":2}"#), (7, r#"{"n":8}"#)] {
            journal.put(Record::Item {
                run: RUN.into(),
                position,
                json: json.into(),
            });
        }
        for (id, json) in [
            ("b", r#"{"s":1}"#),
            ("a", r#"{"s":2}"#),
            ("b", r#"{"s":3}"#),
        ] {
            journal.put(Record::Session {
                run: RUN.into(),
                id: id.into(),
                json: json.into(),
            });
        }
        // No flush: the last handle writes what is left.
    }
    let journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.run(RUN).unwrap(), Some(row));
    let read = journal.answers(RUN).unwrap();
    assert_eq!(read.len(), answers.len());
    for (read, (lane, number, body)) in read.iter().zip(&answers) {
        assert_eq!((read.lane.as_str(), read.number), (*lane, *number));
        assert_eq!(read.digest, [7; 16]);
        assert!(read.body == *body, "lane {lane:?}, number {number}");
    }
    let [first, second] = intents;
    let changes = [
        ChangeRow {
            intent: first,
            outcome: Some(outcome),
        },
        ChangeRow {
            intent: second,
            outcome: None,
        },
    ];
    assert_eq!(journal.changes(RUN).unwrap(), changes);
    assert_eq!(journal.consents(RUN).unwrap(), [consent]);
    assert_eq!(
        journal.items(RUN).unwrap(),
        [json!({"n": 2}), json!({"n": 8})]
    );
    assert_eq!(
        journal.sessions(RUN).unwrap(),
        [json!({"s": 3}), json!({"s": 2})]
    );
    assert!(journal.knows_session("a").unwrap());
    assert!(!journal.knows_session("c").unwrap());
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_run_ends_goes_on_and_ends_again() {
    let journal = in_memory();
    journal.put(ended(RUN, true));
    let row = journal.run(RUN).unwrap().unwrap();
    assert_eq!(
        (row.ended, row.exit, row.open, row.result.as_deref()),
        (Some(at(9)), Some(0), true, Some("{}"))
    );
    journal.put(Record::Resumed {
        run: RUN.into(),
        at: at(10),
        pid: 99,
        host: "ops2".into(),
        user: "bert".into(),
    });
    let row = journal.run(RUN).unwrap().unwrap();
    assert_eq!(
        (row.pid, row.host.as_str(), row.user.as_str()),
        (99, "ops2", "bert")
    );
    assert_eq!((row.ended, row.exit, row.open), (None, None, true));
    journal.put(ended(RUN, false));
    assert!(!journal.run(RUN).unwrap().unwrap().open);
}

#[test]
fn runs_are_listed_newest_first() {
    let journal = Journal::in_memory();
    for (id, started) in [("b", 5), ("a", 9), ("c", 1)] {
        let run = RunRow {
            started: at(started),
            ..run_row(id)
        };
        journal.put(Record::Begun { run });
    }
    let runs = journal.runs().unwrap();
    let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(journal.run("d").unwrap(), None);
}

#[test]
fn a_lane_is_forgotten_with_the_lanes_below_it_and_no_other() {
    let journal = in_memory();
    for lane in ["", "a", "a/b", "a/b/2.1", "a0", "a.", "ab", "b"] {
        journal.put(answer(lane, 1, b"x"));
    }
    journal.put(Record::Forget {
        run: RUN.into(),
        lane: "a".into(),
    });
    let left = journal.answers(RUN).unwrap();
    let left: Vec<&str> = left.iter().map(|answer| answer.lane.as_str()).collect();
    assert_eq!(left, ["", "a.", "a0", "ab", "b"]);
}

#[test]
fn equal_bodies_are_kept_once_and_small() {
    let journal = in_memory();
    let page = br#"{"id":"1","displayName":"Anna"},"#.repeat(1_000);
    for number in 0..10 {
        journal.put(answer("", number, &page));
    }
    assert!(
        journal
            .answers(RUN)
            .unwrap()
            .iter()
            .all(|answer| answer.body == page)
    );
    let database = journal.0.disk.writer();
    assert_eq!(count(&database, "bodies"), 1);
    let kept: i64 = database
        .query_row("SELECT LENGTH(content) FROM bodies", [], |row| row.get(0))
        .unwrap();
    assert!(kept < 1_700, "{kept} bytes for {}", page.len());
}

#[test]
fn a_body_that_was_touched_is_damage_and_not_an_answer() {
    for touch in [
        "UPDATE bodies SET size = size + 1",
        "UPDATE bodies SET size = 4000000000",
        "UPDATE bodies SET packed = 1 - packed",
        "UPDATE bodies SET content = zeroblob(40)",
        "DELETE FROM bodies",
    ] {
        let journal = in_memory();
        journal.put(answer("", 1, &[b'a'; 1_000]));
        journal.flush().unwrap();
        journal.0.disk.writer().execute_batch(touch).unwrap();
        let error = journal.answers(RUN).unwrap_err();
        assert!(
            matches!(error, JournalError::Damaged { .. }),
            "{touch}: {error}"
        );
    }
}

#[test]
fn an_outcome_that_is_found_out_later_replaces_the_unknown_one() {
    let journal = in_memory();
    journal.put(intent(0));
    for state in [State::Unknown, State::NotDone, State::Refused, State::Done] {
        journal.put(Record::Outcome(outcome_of(RUN, 0, state)));
        let changes = journal.changes(RUN).unwrap();
        assert_eq!(changes[0].outcome, Some(outcome_of(RUN, 0, state)));
    }
}
