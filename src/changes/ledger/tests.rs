use super::*;

/// A try of an addition to session `s`; `note`: what it added, where it was done.
fn tried(sequence: u64, round: u32, state: Option<State>, note: &str) -> ChangeRow {
    let at: Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
    let kept = Kept {
        json: Json::of(&()),
        note: note.into(),
    };
    ChangeRow {
        intent: Intent {
            run: "r".into(),
            sequence,
            lane: String::new(),
            number: 1,
            part: "add/s".into(),
            round,
            class: "draft".into(),
            operation: "add artifacts".into(),
            method: "PATCH".into(),
            path: "/solutions/backupRestore/exchangeRestoreSessions/s".into(),
            body_sha256: [0; 32],
            items: 50,
            place: None,
            at,
            clock: at,
        },
        outcome: state.map(|state| OutcomeRow {
            run: "r".into(),
            sequence,
            state,
            answer: (state == State::Done).then(|| serde_json::to_vec(&kept).unwrap()),
            error: Some("{\"message\":\"no answer\"}".into()),
            request_id: None,
            found: false,
            at,
        }),
    }
}

/// What is known of them: the notes of those that were done, `?` for those of which nobody knows.
fn known_of(changes: Vec<ChangeRow>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let left = Left {
        changes,
        ..Left::default()
    };
    let ledger = Ledger::resumed("r", journal, left, false, |_| true);
    let all = ledger.all_past("add/s").into_iter();
    all.map(|past| match past {
        Past::Done { note, .. } => note.as_str().unwrap().to_owned(),
        Past::Open { .. } => "?".to_owned(),
        Past::Refused(_) => "refused".to_owned(),
    })
    .collect()
}

#[test]
fn a_second_try_takes_the_place_of_the_first_and_of_no_other_change() {
    use State::{Done, NotDone, Unknown};
    let rows: [(&str, Vec<ChangeRow>, &[&str]); 4] = [
        (
            "it had not happened",
            vec![
                tried(0, 0, Some(Done), "a"),
                tried(1, 0, Some(NotDone), ""),
                tried(2, 1, Some(Done), "b"),
            ],
            &["a", "b"],
        ),
        (
            "nobody knew",
            vec![
                tried(0, 0, Some(Done), "a"),
                tried(1, 0, Some(Unknown), ""),
                tried(2, 1, Some(Done), "b"),
            ],
            &["a", "b"],
        ),
        (
            "nobody knew of another one",
            vec![
                tried(0, 0, Some(Unknown), ""),
                tried(1, 0, Some(NotDone), ""),
                tried(2, 1, Some(Done), "b"),
            ],
            &["?", "b"],
        ),
        (
            "cut off at the second try",
            vec![
                tried(0, 0, Some(Done), "a"),
                tried(1, 0, Some(NotDone), ""),
                tried(2, 1, None, ""),
            ],
            &["a", "?"],
        ),
    ];
    for (what, changes, expected) in rows {
        assert_eq!(known_of(changes), expected, "{what}");
    }
}
