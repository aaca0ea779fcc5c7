//! Old runs go, and nothing that somebody still has to look at.

use super::*;

fn item(run: &str, outcome: &str) -> Record {
    Record::Item {
        run: run.into(),
        position: 0,
        json: format!(r#"{{"outcome":"{outcome}"}}"#),
    }
}

fn change(journal: &Journal, run: &str, state: Option<State>) {
    journal.put(Record::Intent(intent_of(run, 0)));
    if let Some(state) = state {
        journal.put(Record::Outcome(outcome_of(run, 0, state)));
    }
}

#[tokio::test]
async fn only_old_runs_that_are_settled_go() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    for (id, started) in [
        ("settled", 0),
        ("open", 1),
        ("running", 2),
        ("lost-change", 3),
        ("pending-change", 4),
        ("lost-item", 5),
        ("new", 100),
    ] {
        let run = RunRow {
            started: at(started),
            ..run_row(id)
        };
        journal.put(Record::Begun { run });
        journal.put(Record::Session {
            run: id.into(),
            id: format!("session-of-{id}"),
            json: "{}".into(),
        });
    }
    change(&journal, "settled", Some(State::Done));
    journal.put(item("settled", "succeeded"));
    change(&journal, "lost-change", Some(State::Unknown));
    change(&journal, "pending-change", None);
    journal.put(item("lost-item", "unknown"));
    for (run, open) in [
        ("settled", false),
        ("open", true),
        ("lost-change", false),
        ("pending-change", false),
        ("lost-item", false),
        ("new", false),
    ] {
        journal.put(ended(run, open));
    }
    let key = LeaseKey {
        workload: "exchange".into(),
        unit: "1".into(),
        point: "p".into(),
        destination: "new".into(),
    };
    let done = Release {
        key: key.clone(),
        restored_in: Some("session-of-settled".into()),
        at: at(1),
    };
    journal.release("settled", &[done]).await.unwrap();
    assert_eq!(
        journal
            .lease("lost-item", std::slice::from_ref(&key))
            .await
            .unwrap(),
        []
    );
    let other = Journal::open(folder.path()).unwrap();
    let _running = other.lock("running").unwrap();

    let pruned = journal.prune(at(50)).unwrap();
    let expected = Pruned {
        removed: vec!["settled".into()],
        open: vec!["open".into()],
        locked: vec!["running".into()],
        unknown: vec![
            "lost-change".into(),
            "pending-change".into(),
            "lost-item".into(),
        ],
        bodies: 0,
        not_shrunk: None,
    };
    assert_eq!(pruned, expected);
    assert_eq!(journal.run("settled").unwrap(), None);
    assert_eq!(journal.changes("settled").unwrap(), []);
    assert!(!journal.knows_session("session-of-settled").unwrap());
    assert!(journal.knows_session("session-of-new").unwrap());
    assert_eq!(journal.runs().unwrap().len(), 6);
    // Who had it restored is asked before it is restored again, and the lease of what is unknown stays.
    assert!(journal.restored(std::slice::from_ref(&key)).await.unwrap()[0].is_some());
    assert_eq!(journal.lease("new", &[key]).await.unwrap().len(), 1);
    assert!(!folder.path().join("locks/settled.lock").exists());
    journal.lock("open").unwrap();
    assert_eq!(journal.check().unwrap(), Vec::<String>::new());
}

#[test]
fn the_file_gets_smaller_and_bodies_that_others_share_stay() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    begun(&journal);
    begin(&journal, "younger");
    let shared = noise(0, 10_000);
    journal.put(answer("", 0, &shared));
    for number in 1..50 {
        journal.put(answer("", number, &noise(number.into(), 10_000)));
    }
    journal.put(Record::Answer(Answer {
        run: "younger".into(),
        lane: String::new(),
        number: 0,
        part: String::new(),
        operation: "list users".into(),
        digest: [7; 16],
        body: shared.clone(),
    }));
    journal.put(ended(RUN, false));
    journal.flush().unwrap();
    let pages = || -> i64 {
        let database = journal.0.disk.writer();
        let pages = database.pragma_query_value(None, "page_count", |row| row.get(0));
        pages.unwrap()
    };
    let before = pages();
    let pruned = journal.prune(at(50)).unwrap();
    assert_eq!((pruned.removed.len(), pruned.bodies), (1, 49));
    assert_eq!(pruned.open, ["younger"]);
    assert!(pages() * 2 < before, "{} of {before} pages", pages());
    let left = journal.answers("younger").unwrap();
    assert!(left[0].body == shared);
}
