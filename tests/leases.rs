//! Several runs of one state folder: one process for a run, one run for a unit, and nothing restored twice by two of them.

use std::process::Stdio;
use std::time::Duration;

use crate::resume::{bench, run_of};
use crate::support::Served;

#[test]
fn two_processes_cannot_have_one_run() {
    let tenant = Served::start(&["--speed", "1"]);
    let script = r#"
        let rows = exchange::latest_points(groups::members("Finance").first(2));
        exchange::create_session(rows, "new").activate();
    "#;
    let bench = bench(&tenant, script);
    let mut child = bench
        .command()
        .args(["run", "script.rhai", "--yes"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The process is waited for, not a time: it activates, and then waits for the session.
    while tenant
        .sessions()
        .iter()
        .all(|session| session["status"] == "draft")
    {
        std::thread::sleep(Duration::from_millis(20));
    }
    let refused = bench.runback(&["resume", &run_of(&bench).unwrap()]);
    let _ = child.kill();
    let _ = child.wait();
    assert_eq!(refused.code, 2, "{refused}");
    assert!(
        refused.stderr.contains(&child.id().to_string()),
        "{refused}"
    );
}

#[test]
fn a_unit_that_another_run_restores_is_left_out() {
    let tenant = Served::start(&["--speed", "1"]);
    let script = r#"
        let rows = exchange::latest_points(groups::members("Finance").first(2));
        exchange::create_session(rows, "new").activate();
    "#;
    let first = bench(&tenant, script).flags(&["--no-wait"]);
    assert_eq!(first.run().code, 3);
    // The same state folder, then another one: the service's own list tells.
    let again = first.run();
    assert!(again.stderr.contains("OverlapsSession"), "{again}");
    let elsewhere = bench(&tenant, script).flags(&["--no-wait"]);
    let other = elsewhere.run();
    assert!(other.stderr.contains("OverlapsSession"), "{other}");
    assert_eq!(elsewhere.books(), [2, 0, 0, 2, 0], "{other}");
    tenant.expect_nothing_twice();
}

#[test]
fn what_was_restored_before_is_not_restored_again_unless_that_is_wanted() {
    let tenant = Served::fast();
    let script = r#"
        let rows = exchange::points_before(groups::members("Finance").first(2), now() - duration("48h"));
        let session = exchange::create_session(rows, "new");
        session.activate();
        session.wait();
    "#;
    let bench = bench(&tenant, script);
    assert_eq!(bench.run().code, 0);
    let again = bench.run();
    assert_eq!(again.code, 1, "{again}");
    assert!(again.stderr.contains("AlreadyRestored"), "{again}");
    let wanted = bench.flags(&["--again"]).run();
    assert_eq!(wanted.code, 0, "{wanted}");
}

#[test]
fn a_state_folder_that_cannot_be_locked_in_says_so_and_nothing_is_activated() {
    let tenant = Served::fast();
    let script = r#"
        let rows = exchange::latest_points(groups::members("Finance").first(2));
        exchange::create_session(rows, "new").activate();
    "#;
    let bench = bench(&tenant, script);
    // Whichever of its files a session takes: something else stands in its place.
    let locks = bench.path("state/locks");
    for number in 0..=255 {
        std::fs::create_dir_all(locks.join(format!("session-{number:02x}.lock"))).unwrap();
    }
    let done = bench.run();
    assert_eq!(done.code, 3, "{done}");
    assert!(
        done.stderr.contains("session-") && !done.stderr.contains("the run is being stopped"),
        "{done}"
    );
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 0);
}
