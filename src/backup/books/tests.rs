use super::*;

fn asked(unit: &str) -> Asked {
    Asked {
        workload: "exchange",
        unit: Some(unit.to_owned()),
        name: unit.to_owned(),
        point: Some(ItemPoint {
            id: format!("p-{unit}"),
            protection_date_time: None,
        }),
        destination: Some("new".into()),
        input: None,
    }
}

#[test]
fn the_same_item_is_asked_for_once_and_the_sum_is_right() {
    let books = Books::default();
    let first = books.ask(asked("a"));
    assert_eq!(books.ask(asked("a")), first);
    let second = books.ask(asked("b"));
    let third = books.ask(asked("c"));
    books.place(first, "s");
    books.place(second, "s");
    books.place(third, "t");
    books.activated([first, second], "s");
    books.end(first, Outcome::Succeeded, None, None, Some("s"));
    books.skip(
        Asked {
            name: "nobody@x".into(),
            workload: "exchange",
            ..Asked::default()
        },
        Some("UserNotFound".into()),
        None,
        false,
    );
    let closed = books.close();
    assert_eq!(
        closed.totals,
        Totals {
            asked: 4,
            succeeded: 1,
            failed: 0,
            skipped: 2,
            unknown: 1
        }
    );
    assert_eq!(closed.items[2].code.as_deref(), Some("NotActivated"));
}

#[test]
fn a_session_keeps_its_times_from_state_to_state() {
    let books = Books::default();
    let at = |text: &str| Some(text.parse::<jiff::Timestamp>().unwrap());
    let times = [
        SessionTimes {
            created: at("2026-11-24T02:00:00Z"),
            activated: at("2026-11-24T02:00:09Z"),
            ended: None,
        },
        SessionTimes {
            ended: at("2026-11-24T03:00:00Z"),
            ..SessionTimes::default()
        },
    ];
    for (status, times) in ["active", "completed"].into_iter().zip(times) {
        books.session(SessionSummary {
            id: "s".into(),
            workload: "exchange".into(),
            status: status.into(),
            artifacts: ArtifactTotals::default(),
            times,
            warning: None,
        });
    }
    let sessions = serde_json::to_value(books.close().sessions).unwrap();
    assert_eq!(
        sessions,
        serde_json::json!([{
            "id": "s",
            "workload": "exchange",
            "status": "completed",
            "artifacts": {"total": 0, "succeeded": 0, "failed": 0},
            "created": "2026-11-24T02:00:00.000Z",
            "activated": "2026-11-24T02:00:09.000Z",
            "ended": "2026-11-24T03:00:00.000Z",
        }])
    );
}

#[test]
fn an_input_is_one_item_whatever_the_service_chooses_for_it() {
    let books = Books::default();
    let bulk = |input: &str| Asked {
        workload: "exchange",
        name: "Adele".into(),
        destination: Some("new".into()),
        input: Some(input.to_owned()),
        ..Asked::default()
    };
    let first = books.ask(bulk("adele@x"));
    let point = ItemPoint {
        id: "p".into(),
        protection_date_time: None,
    };
    books.learn(first, Some("u".into()), Some(point));
    assert_eq!(books.ask(bulk("Adele@x")), first);
    assert_ne!(books.ask(bulk("alex@x")), first);
    let item = &books.close().items[0];
    assert_eq!(
        (item.unit.as_deref(), item.input.as_deref()),
        (Some("u"), Some("adele@x"))
    );
}

#[test]
fn what_was_restored_is_taken_and_what_failed_is_not() {
    let books = Books::default();
    let item = books.ask(asked("a"));
    books.place(item, "s");
    assert!(!books.taken(item, "t"));
    books.activated([item], "s");
    assert!(books.taken(item, "t"));
    assert!(!books.taken(item, "s"));
    books.end(item, Outcome::Failed, None, None, Some("s"));
    assert!(!books.taken(item, "t"));
    books.end(item, Outcome::Succeeded, None, None, Some("s"));
    books.place(item, "t");
    books.withdraw(item, "t");
    assert!(books.taken(item, "t"));
    assert_eq!(books.close().totals.succeeded, 1);
}
