//! `max_items_per_run`, `max_items_per_session`, `max_items_per_day`: items count as the books count them.

use super::{RESTORE_GROUP, activated, bench, expect_denied, expect_untouched, with_policy};
use crate::support::{Bench, Served};

/// Finance's 11 mailboxes that can be restored, a day ago.
fn finance(tenant: &Served, policy: &str) -> Bench {
    bench(tenant, RESTORE_GROUP, policy).arguments(&["group=Finance", "before=-24h"])
}

#[test]
fn a_run_that_asks_for_more_sends_nothing_of_it() {
    let tenant = Served::fast();
    let done = finance(&tenant, "max_items_per_run = 10").run();
    expect_denied(&done, "max_items_per_run = 10");
    assert!(
        done.stderr.contains("11 items, and 10 is the most"),
        "{done}"
    );
    expect_untouched(&tenant);
}

#[test]
fn waves_count_together_and_the_same_item_once() {
    let tenant = Served::fast();
    let script = "let rows = exchange::latest_points(groups::members(\"Finance\"));
        rows = rows.filter(|row| row.point != ());
        let two = exchange::create_session(rows.first(2), \"new\");
        two.remove(two.artifacts().first(1)[0]);
        two.add(rows[0].point, \"new\");
        let twice = exchange::create_session(rows.first(2), \"new\");
        two.activate();
        twice.delete();
        print(\"the first\");
        exchange::create_session(rows.extract(2, 3), \"new\").activate();";
    let bench = bench(&tenant, script, "max_items_per_run = 4");
    let done = bench.run();
    expect_denied(&done, "max_items_per_run = 4");
    assert_eq!(done.stdout, "the first\n");
    assert_eq!(activated(&tenant), 1);
    // What was activated is waited for and accounted for.
    assert_eq!(bench.books()[1], 2, "{done}");
    with_policy(bench, "max_items_per_run = 5")
        .flags(&["--again"])
        .run()
        .expect(0);
}

#[test]
fn sessions_are_made_smaller_and_fuller_ones_are_denied() {
    let tenant = Served::fast();
    let script = "let rows = exchange::latest_points(groups::members(\"Finance\"));
        let session = exchange::create_session(rows, \"new\", #{session_size: 500});
        print(session.parts.map(|part| part.count));
        session.activate();";
    let done = bench(&tenant, script, "max_items_per_session = 5").run();
    assert_eq!(done.code, 1, "{done}");
    assert!(done.stdout.starts_with("[5,5,2]\n"), "{done}");
    let of_another = "let draft = graph::post(\"/solutions/backupRestore/exchangeRestoreSessions\", #{
            mailboxRestoreArtifacts: exchange::latest_points(groups::members(\"Finance\"))
                .filter(|row| row.point != ()).map(|row| #{restorePoint: #{id: row.point.id}, destinationType: \"new\"}),
        });
        exchange::session(draft.id).activate();";
    let done = bench(&tenant, of_another, "max_items_per_session = 5").run();
    expect_denied(&done, "max_items_per_session = 5");
}

#[test]
fn bulk_requests_are_made_smaller_and_fuller_ones_are_denied() {
    let tenant = Served::fast();
    let people = "let people = groups::members(\"Finance\").first(6);";
    let options = "#{destination: \"new\"}";
    let script = format!(
        "{people} let s = exchange::restore_bulk(people, {options}); s.wait(); print(s.parts.len);"
    );
    let done = bench(&tenant, &script, "max_items_per_session = 4").run();
    assert!(done.code <= 1 && done.stdout == "2\n", "{done}");
    let script = format!(
        "{people} exchange::create_session().add_bulk(#{{mailboxes: people, destination: \"new\"}});"
    );
    let done = bench(&tenant, &script, "max_items_per_session = 4").run();
    expect_denied(&done, "max_items_per_session = 4");
    let script = format!("{people} exchange::restore_bulk(people, {options});");
    let before = tenant.sessions().len();
    expect_denied(
        &bench(&tenant, &script, "max_items_per_run = 5").run(),
        "max_items_per_run = 5",
    );
    assert_eq!(tenant.sessions().len(), before);
}

#[test]
fn a_day_counts_over_all_runs_of_the_state_folder() {
    let tenant = Served::fast();
    let bench = finance(&tenant, "max_items_per_day = 21").flags(&["--again"]);
    bench.run().expect(1);
    let done = bench.run();
    expect_denied(&done, "max_items_per_day = 21");
    assert!(
        done.stderr.contains("22 items, and 21 is the most"),
        "{done}"
    );
    assert_eq!(activated(&tenant), 1);
    // Also those of runs without a policy, and not those of another folder.
    let bench = with_policy(bench, "max_items_per_day = 22");
    bench.run().expect(1);
    expect_denied(&bench.run(), "max_items_per_day = 22");
    finance(&tenant, "max_items_per_day = 11")
        .flags(&["--again"])
        .run()
        .expect(1);
    assert_eq!(activated(&tenant), 3);
}

#[test]
fn two_runs_at_once_do_not_both_pass_the_limit_of_a_day() {
    let tenant = Served::fast();
    let bench = finance(&tenant, "max_items_per_day = 15");
    // To different places, so that neither leaves out what the other restores.
    let runs = ["new", "inPlace"].map(|to| {
        let mut command = bench.command();
        command
            .args(["run", "--policy", "policy.toml", "--yes", "--allow-overlap"])
            .args(["script.rhai", "group=Finance", "before=-24h"])
            .arg(format!("destination={to}"));
        bench.running(command)
    });
    let codes: Vec<i32> = runs.into_iter().map(|run| run.finish().code).collect();
    assert!(activated(&tenant) <= 1, "{codes:?}");
    assert!(codes.contains(&5), "{codes:?}");
    assert!(codes.iter().all(|code| [1, 5].contains(code)), "{codes:?}");
}

#[test]
fn a_run_that_goes_on_counts_nothing_twice() {
    let script = "let rows = exchange::latest_points(groups::members(\"Finance\")).filter(|row| row.point != ());
        for wave in rows.first(9).chunks(3) { let s = exchange::create_session(wave, \"new\"); s.activate(); s.wait(); }";
    let limits = "max_items_per_run = 9\nmax_items_per_day = 9\nmax_items_per_session = 3";
    // After a while of the run each: among the first drafts, between waves, near the end.
    for at in [12, 30, 45, 60] {
        let tenant = Served::fast();
        let bench = bench(&tenant, script, limits);
        let killed = bench.variable("RUNBACK_TEST_CRASH_AT", &at.to_string());
        let first = killed.run();
        let bench = killed.variable("RUNBACK_TEST_CRASH_AT", "1000000");
        let database = rusqlite::Connection::open(bench.path("state/journal.db")).unwrap();
        let run: String = database
            .query_row("SELECT run FROM runs", [], |row| row.get(0))
            .unwrap();
        let done = if first.code <= 1 {
            first
        } else {
            bench.runback(&["resume", &run])
        };
        assert!(done.code <= 1, "killed at {at}\n{done}");
        assert_eq!(bench.books()[0..2], [9, 9], "killed at {at}\n{done}");
        tenant.expect_nothing_twice();
    }
}

#[test]
fn a_run_that_goes_on_does_not_forget_what_it_has_counted() {
    let tenant = Served::fast();
    let script = "let rows = exchange::latest_points(groups::members(\"Finance\")).filter(|row| row.point != ());
        exchange::create_session(rows.first(4), \"new\").activate();
        confirm(\"more?\");
        exchange::create_session(rows.extract(4, 3), \"new\").activate();";
    let bench = tenant
        .bench()
        .script(script)
        .flags(&["--policy", "policy.toml"]);
    let bench = with_policy(bench, "consent = \"given\"\nmax_items_per_run = 6")
        .variable("RUNBACK_TEST_CRASH_AT", "25");
    let first = bench.run();
    assert_ne!(first.code, 5, "{first}");
    let bench = bench.variable("RUNBACK_TEST_CRASH_AT", "1000000");
    let database = rusqlite::Connection::open(bench.path("state/journal.db")).unwrap();
    let run: String = database
        .query_row("SELECT run FROM runs", [], |row| row.get(0))
        .unwrap();
    let done = bench.runback(&["resume", &run]);
    assert_eq!(done.code, 5, "{done}");
    assert!(done.stderr.contains("7 items, and 6 is the most"), "{done}");
    assert_eq!(activated(&tenant), 1);
}
