//! Outcomes for the tests of this room.

use jiff::{SignedDuration, Timestamp};

use super::{Outcome, Trouble};
use crate::backup::books::{
    ArtifactTotals, Item, ItemPoint, Outcome as Fate, SessionSummary, SessionTimes, Totals,
};
use crate::error::Exit;
use crate::graph::Requests;

/// `Person 7`, with an override character that would turn a line round.
pub(crate) fn item(number: usize, outcome: Fate, code: Option<&str>, reason: Option<&str>) -> Item {
    Item {
        workload: "exchange".into(),
        unit: None,
        name: format!("Person {number}\u{202e}"),
        point: None,
        session: None,
        destination: None,
        input: None,
        outcome,
        code: code.map(str::to_owned),
        reason: reason.map(str::to_owned),
        expected: false,
    }
}

/// A run of these items that took two hours and fourteen minutes.
pub(crate) fn of(items: Vec<Item>) -> Outcome {
    let started: Timestamp = "2026-11-24T01:58:33Z".parse().unwrap();
    let run = "2026-11-24T01-58-33Z-k3f9q2".to_owned();
    let mut outcome = Outcome::new(run, "night.rhai".into(), started, "v1.0");
    outcome.ended = "2026-11-24T04:12:40Z".parse().unwrap();
    let count = |fate| items.iter().filter(|item| item.outcome == fate).count();
    outcome.books = Totals {
        asked: items.len(),
        succeeded: count(Fate::Succeeded),
        failed: count(Fate::Failed),
        skipped: count(Fate::Skipped),
        unknown: count(Fate::Unknown),
    };
    outcome.items = items;
    outcome
}

/// A session that was made, activated and ended so many minutes after the start.
pub(crate) fn session(number: usize, status: &str, minutes: [i64; 3]) -> SessionSummary {
    let start: Timestamp = "2026-11-24T01:58:33Z".parse().unwrap();
    let at = |minutes| Some(start + SignedDuration::from_mins(minutes));
    let [created, activated, ended] = minutes;
    SessionSummary {
        id: session_id(number),
        workload: "exchange".into(),
        status: status.into(),
        artifacts: ArtifactTotals {
            total: 2,
            succeeded: 1,
            failed: 1,
        },
        times: SessionTimes {
            created: at(created),
            activated: at(activated),
            ended: at(ended).filter(|_| status != "active"),
        },
        warning: None,
    }
}

fn session_id(number: usize) -> String {
    format!("959ba739-b064-4a95-b5fa-{number:012x}")
}

/// A bad night: one of each outcome, names from everywhere, an error at the end.
pub(crate) fn night() -> Outcome {
    let point = |time: &str| {
        Some(ItemPoint {
            id: format!("point-{time}"),
            protection_date_time: Some(time.into()),
        })
    };
    let in_session = |item: Item, name: &str, time: &str| Item {
        name: name.into(),
        unit: Some(format!("unit-of-{name}")),
        point: point(time),
        session: Some(session_id(1)),
        destination: Some("new".into()),
        ..item
    };
    let succeeded = || item(0, Fate::Succeeded, None, None);
    let failed = item(
        0,
        Fate::Failed,
        Some("ArtifactCannotBeRestored"),
        Some("The restore artifact is in an unexpected state."),
    );
    let skipped = |code, reason| item(0, Fate::Skipped, Some(code), Some(reason));
    let mut items = vec![
        in_session(succeeded(), "Adele Vance", "2026-11-23T15:50:00Z"),
        in_session(succeeded(), "Lucía González", "2026-11-23T15:50:00Z"),
        in_session(
            failed,
            "<script>alert(1)</script> & Söhne",
            "2026-11-23T15:40:00Z",
        ),
        Item {
            name: "שרה כהן".into(),
            ..skipped("NoUnit", "this mailbox was never protected")
        },
        Item {
            name: "👩‍🚒 \"Fire\" 'Desk'\u{0}\u{b}".into(),
            expected: true,
            ..skipped("SkippedByScript", "on leave")
        },
        Item {
            code: Some("OutcomeUnknown".into()),
            session: Some(session_id(2)),
            ..item(6, Fate::Unknown, None, None)
        },
    ];
    items[5].workload = "sharepoint".into();
    let mut outcome = of(items);
    outcome.exit = Exit::Unknown;
    outcome.sha256 =
        Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into());
    outcome.tenant = Some("2f2a4f63-6cdf-4a4b-9d36-1f4f6f1c0c0e".into());
    outcome.sessions = vec![
        session(1, "completedWithError", [1, 2, 90]),
        session(2, "active", [3, 95, 95]),
    ];
    outcome.requests = Requests {
        sent: 1_204,
        retried: 20,
        throttled: 18,
        reconciled: 1,
        waited_seconds: 185.2,
    };
    outcome.error = Some(Trouble {
        code: "NoAnswer".into(),
        message: "no answer came to `activate session`: <the connection was reset>".into(),
        file: Some("night.rhai".into()),
        line: Some(41),
        column: Some(17),
        source: Some("        session.activate();".into()),
        context: vec!["POST /solutions/backupRestore/restoreSessions/…/activate".into()],
        hint: Some("look at the tenant\nthen run again".into()),
        request_id: Some("5f1c".into()),
    });
    outcome.value = serde_json::json!([{"name": "<b>", "age": 3}, {"name": "x", "age": null}]);
    outcome
}

/// So many items, every 97th of which failed, in sessions of a thousand.
pub(crate) fn many(count: usize) -> Outcome {
    let items = (0..count).map(|number| {
        let fate = if number % 97 == 0 {
            Fate::Failed
        } else {
            Fate::Succeeded
        };
        Item {
            unit: Some(format!("5a1c6c5e-0000-4a95-b5fa-{number:012x}")),
            name: format!("Person {number} of the Northern Department"),
            point: Some(ItemPoint {
                id: format!("7b1c6c5e-0000-4a95-b5fa-{number:012x}"),
                protection_date_time: Some("2026-11-23T15:50:00Z".into()),
            }),
            session: Some(session_id(number / 1_000)),
            destination: Some("new".into()),
            code: (fate == Fate::Failed).then(|| "UnknownError".into()),
            ..item(number, fate, None, None)
        }
    });
    let mut outcome = of(items.collect());
    outcome.exit = Exit::Incomplete;
    outcome.sessions = (0..count.div_ceil(1_000))
        .map(|number| {
            let begin = i64::try_from(number / 25 * 30).unwrap();
            session(number, "completedWithError", [1, begin + 2, begin + 30])
        })
        .collect();
    outcome
}
