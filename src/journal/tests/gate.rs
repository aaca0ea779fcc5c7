//! The gates as processes of one folder share them.

use super::*;

fn slot(session: &str, artifacts: u32) -> GateSlot {
    GateSlot {
        session: session.into(),
        workload: "exchange".into(),
        artifacts,
        bulk: false,
        seen_by_service: Seen::default(),
    }
}

fn seeing(slot: GateSlot, ids: &[&str], sessions: u32, artifacts: u32) -> GateSlot {
    let seen_by_service = Seen {
        ids: ids.iter().map(|&id| id.to_owned()).collect(),
        sessions,
        artifacts,
        bulk_sessions: 0,
    };
    GateSlot {
        seen_by_service,
        ..slot
    }
}

#[tokio::test]
async fn sessions_that_the_service_does_not_show_yet_count() {
    let journal = in_memory();
    let _alive = journal.lock("a").unwrap();
    assert!(
        journal
            .enter_gate("a", slot("s1", 10), 2, 1_000)
            .await
            .unwrap()
    );
    let enter = |slot| journal.enter_gate("b", slot, 2, 1_000);
    // One is seen, one is not.
    assert!(!enter(seeing(slot("s2", 10), &["s0"], 1, 10)).await.unwrap());
    // The one that is seen is that of the other run.
    assert!(enter(seeing(slot("s2", 10), &["s1"], 1, 10)).await.unwrap());
    journal.leave_gate("b", "s2").await.unwrap();
    // It is seen to have ended.
    assert!(
        enter(seeing(slot("s2", 10), &["s1", "s0"], 1, 10))
            .await
            .unwrap()
    );
    journal.leave_gate("b", "s2").await.unwrap();
    journal.leave_gate("a", "s1").await.unwrap();
    assert!(enter(seeing(slot("s2", 10), &["s0"], 1, 10)).await.unwrap());
}

#[tokio::test]
async fn what_a_dead_process_was_about_to_activate_does_not_count() {
    let journal = in_memory();
    let alive = journal.lock("a").unwrap();
    assert!(
        journal
            .enter_gate("a", slot("s1", 10), 1, 1_000)
            .await
            .unwrap()
    );
    assert!(
        !journal
            .enter_gate("b", slot("s2", 10), 1, 1_000)
            .await
            .unwrap()
    );
    drop(alive);
    assert!(
        journal
            .enter_gate("b", slot("s2", 10), 1, 1_000)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn artifacts_count_per_workload_and_alone_any_number_goes() {
    let journal = in_memory();
    let _alive = journal.lock("a").unwrap();
    assert!(
        journal
            .enter_gate("a", slot("s1", 600), 25, 1_000)
            .await
            .unwrap()
    );
    for (artifacts, is_open) in [(401, false), (400, true)] {
        let entered = journal
            .enter_gate("b", slot("s2", artifacts), 25, 1_000)
            .await;
        assert_eq!(entered.unwrap(), is_open, "{artifacts}");
    }
    let elsewhere = GateSlot {
        workload: "onedrive".into(),
        ..slot("s3", 5_000)
    };
    assert!(journal.enter_gate("b", elsewhere, 25, 1_000).await.unwrap());
}

#[tokio::test]
async fn one_bulk_session_at_a_time_goes_per_workload() {
    let journal = in_memory();
    let _alive = journal.lock("a").unwrap();
    let bulk = |session: &str, workload: &str| GateSlot {
        bulk: true,
        workload: workload.into(),
        ..slot(session, 9_000)
    };
    for (run, session, workload, is_open) in [
        ("a", "s1", "exchange", true),
        ("b", "s2", "exchange", false),
        ("b", "s2", "onedrive", true),
    ] {
        let entered = journal
            .enter_gate(run, bulk(session, workload), 25, 1_000)
            .await;
        assert_eq!(entered.unwrap(), is_open, "{run} {workload}");
    }
}

#[tokio::test]
async fn a_run_that_is_resumed_starts_without_slots() {
    let journal = in_memory();
    let _alive = journal.lock(RUN).unwrap();
    assert!(
        journal
            .enter_gate(RUN, slot("s1", 10), 1, 1_000)
            .await
            .unwrap()
    );
    journal.put(Record::Resumed {
        run: RUN.into(),
        at: at(1),
        pid: 1,
        host: "ops2".into(),
        user: "anna".into(),
    });
    assert!(
        journal
            .enter_gate("b", slot("s2", 10), 1, 1_000)
            .await
            .unwrap()
    );
}
