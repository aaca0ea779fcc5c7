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

/// Drafts of the same points, each made by a raw call and taken over by its id.
const RAW: &str = r#"
    fn draft(rows) {
        graph::post("/solutions/backupRestore/exchangeRestoreSessions", #{
            mailboxRestoreArtifacts: rows.map(|row| #{restorePoint: #{id: row.point.id}, destinationType: "new"}),
        }).id
    }
    let rows = exchange::points_before(groups::members("Finance").first(2), now() - duration("48h"));
"#;

#[test]
fn a_draft_that_came_about_otherwise_restores_nothing_twice_either() {
    let tenant = Served::fast();
    let script = format!(
        "{RAW} for id in [draft(rows), draft(rows)] {{ let s = sessions::get(id); s.activate(); s.wait(); }}"
    );
    let rows = format!("{RAW} exchange::create_session(rows, \"new\").activate();");
    let bench = bench(&tenant, &script).file("rows.rhai", &rows);
    let first = bench.run();
    assert_eq!(bench.books(), [2, 2, 0, 0, 0], "{first}");
    // Nor does the next run; and what a session of rows has restored counts the same.
    for script in ["script.rhai", "rows.rhai", "script.rhai"] {
        let next = bench.runback(&["run", script]);
        assert!(next.stderr.contains("AlreadyRestored"), "{next}");
    }
    tenant.expect_nothing_twice();
    let wanted = bench.runback(&["run", "script.rhai", "--again"]);
    assert!(!wanted.stderr.contains("AlreadyRestored"), "{wanted}");
}

#[test]
fn drafts_of_the_same_points_in_parallel_are_activated_once() {
    let tenant = Served::start(&["--speed", "2000"]);
    let script = format!(
        "{RAW} let ids = [1, 2, 3, 4].map(|n| draft(rows));
         parallel(ids, 4, |id| sessions::get(id).activate());"
    );
    let bench = bench(&tenant, &script);
    let done = bench.run();
    assert_eq!(bench.books()[..2], [2, 2], "{done}");
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 1);
    tenant.expect_nothing_twice();
}

#[test]
fn whom_another_run_restores_is_left_out_of_a_bulk_restore() {
    let tenant = Served::start(&["--speed", "1"]);
    let script =
        r#"exchange::restore_bulk(groups::members("Finance").first(4), #{destination: "new"});"#;
    let by_rows = r#"
        let rows = exchange::latest_points(groups::members("Finance").first(4)).filter(|row| row.point != ());
        exchange::create_session(rows, "new").activate();
    "#;
    let bench = bench(&tenant, script)
        .file("rows.rhai", by_rows)
        .flags(&["--no-wait"]);
    assert_eq!(bench.run().code, 3);
    let again = bench.run();
    assert!(again.stderr.contains("OverlapsSession"), "{again}");
    assert_eq!(bench.books(), [4, 0, 0, 4, 0], "{again}");
    // By rows of points, while the service has yet to say which artifacts come of the request.
    let other = bench.runback(&["run", "rows.rhai"]);
    assert!(other.stderr.contains("OverlapsSession"), "{other}");
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 1);
}

#[test]
fn whom_a_session_restores_is_left_out_of_a_bulk_restore_of_another_folder() {
    let tenant = Served::start(&["--speed", "1"]);
    let by_rows = r#"
        let rows = exchange::latest_points(groups::members("Finance").first(4)).filter(|row| row.point != ());
        print(rows.count());
        let session = exchange::create_session(rows, "new");
        session.activate();
        ();
    "#;
    let first = bench(&tenant, by_rows).flags(&["--no-wait"]).run();
    let script =
        r#"exchange::restore_bulk(groups::members("Finance").first(4), #{destination: "new"});"#;
    let elsewhere = bench(&tenant, script).flags(&["--no-wait"]);
    let other = elsewhere.run();
    assert!(other.stderr.contains("OverlapsSession"), "{other}");
    let left_out = elsewhere.books()[3];
    assert_eq!(first.stdout.trim(), left_out.to_string(), "{other}");
}

#[test]
fn the_same_bulk_order_is_not_restored_again_unless_that_is_wanted() {
    let tenant = Served::fast();
    let before = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(48);
    let script = format!(
        r#"exchange::restore_bulk(groups::members("Finance").first(4), #{{window: #{{before: datetime("{before}")}}, destination: "new"}}).wait();"#
    );
    let bench = bench(&tenant, &script);
    let first = bench.run();
    let [asked, restored, ..] = bench.books();
    assert!(asked == 4 && restored > 0, "{first}");
    let again = bench.run();
    assert!(again.stderr.contains("AlreadyRestored"), "{again}");
    tenant.expect_nothing_twice();
    let wanted = bench.flags(&["--again"]).run();
    assert!(!wanted.stderr.contains("AlreadyRestored"), "{wanted}");
}

#[test]
fn a_session_that_was_refused_leaves_its_people_to_others() {
    let tenant = Served::fast();
    let script = r#"exchange::create_session(exchange::latest_points(groups::members("Finance").first(2)), "new").activate();"#;
    let bench = tenant.bench().script(script);
    // Nobody is there to consent: the draft stays inert.
    let refused = bench.run();
    assert_eq!(refused.code, 5, "{refused}");
    let done = bench.runback(&["run", "script.rhai", "--yes"]);
    assert!(!done.stderr.contains("OverlapsSession"), "{done}");
    // Whoever goes on with the first one restores nobody again.
    let database = rusqlite::Connection::open(bench.path("state/journal.db")).unwrap();
    let query = "SELECT run FROM runs ORDER BY started LIMIT 1";
    let first: String = database.query_row(query, [], |row| row.get(0)).unwrap();
    bench.runback(&["resume", &first, "--yes"]);
    tenant.expect_nothing_twice();
}

/// Nobody can be taken out of a bulk request any more: going on with one whose people somebody else has restored meanwhile restores
/// none of them.
#[test]
fn a_bulk_request_that_was_refused_leaves_its_people_to_others() {
    let tenant = Served::fast();
    let rows = r#"let s = exchange::create_session(exchange::latest_points(groups::members("Finance").first(2)), "new"); s.activate(); s.wait();"#;
    let all =
        r#"exchange::restore_bulk(groups::members("Finance").first(2), #{destination: "new"});"#;
    let added = r#"let s = exchange::create_session(); s.add_bulk(#{mailboxes: groups::members("Finance").first(2), destination: "new"}); s.activate();"#;
    for (at, (refused, other)) in [(all, all), (added, added), (all, rows), (added, all)]
        .into_iter()
        .enumerate()
    {
        let bench = tenant.bench().script(refused).file("other.rhai", other);
        // Nobody is there to consent: the draft stays inert.
        let done = bench.run();
        assert_eq!(done.code, 5, "{done}");
        let run = run_of(&bench).unwrap();
        let other = bench.runback(&["run", "other.rhai", "--yes"]);
        assert_eq!(other.code, 0, "{other}");
        let on = bench.runback(&["resume", &run, "--yes"]);
        assert_eq!(on.code, 3, "{on}");
        assert!(on.stderr.contains("since the draft was made"), "{on}");
        assert_eq!(
            tenant.count("POST /restoreSessions/{id}/activate"),
            at as u64 + 1,
            "{on}"
        );
    }
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
