//! `consent`: who says yes, and to what; a plan that somebody has approved.

use std::fs;

use serde_json::{Value, json};

use super::{RESTORE_GROUP, activated, bench, mode, with_policy};
use crate::support::{Bench, Done, Served};

const BY_FILE: &str = "consent = \"file\"\napprovers = [0]";

#[test]
fn ask_takes_no_yes_and_given_needs_none() {
    let tenant = Served::fast();
    let arguments = ["group=Finance", "before=-24h"];
    let done = bench(&tenant, RESTORE_GROUP, "consent = \"ask\"")
        .arguments(&arguments)
        .run()
        .expect(5);
    assert!(
        done.stderr.contains("warning: `--yes` does not count here"),
        "{done}"
    );
    assert!(
        done.stderr
            .contains("policy.toml:1 says: consent = \"ask\""),
        "{done}"
    );
    assert!(
        done.stderr.contains("this policy does not take `--yes`"),
        "{done}"
    );
    assert_eq!(activated(&tenant), 0);
    let without_yes = |policy: &str| {
        let bench = tenant
            .bench()
            .script(RESTORE_GROUP)
            .flags(&["--policy", "policy.toml"]);
        with_policy(bench, policy).arguments(&arguments).run()
    };
    let done = without_yes("").expect(5);
    assert!(
        done.stderr
            .contains("hint: give consent beforehand with `--yes`"),
        "{done}"
    );
    let done = without_yes("consent = \"given\"").expect(1);
    assert!(!done.stderr.contains("warning"), "{done}");
    assert_eq!(activated(&tenant), 1);
}

#[test]
fn who_reads_only_is_asked_nothing() {
    let tenant = Served::fast();
    for policy in ["consent = \"ask\"", BY_FILE] {
        let done = bench(&tenant, "print(users::list().first(1).len());", policy)
            .run()
            .expect(0);
        assert_eq!((&*done.stdout, &*done.stderr), ("1\n", ""));
    }
}

#[test]
fn nobody_has_approved_outside_of_the_watched_folder() {
    let tenant = Served::fast();
    let bench = bench(&tenant, RESTORE_GROUP, BY_FILE).arguments(&["group=Finance", "before=-24h"]);
    let done = bench.run().expect(5);
    assert!(
        done.stderr
            .contains("warning: nothing will be activated or deleted"),
        "{done}"
    );
    assert!(
        done.stderr
            .contains("policy.toml:1 says: consent = \"file\""),
        "{done}"
    );
    assert!(done.stderr.contains("runback watch"), "{done}");
    assert_eq!(bench.result()["error"]["code"], json!("ApprovalNeeded"));
    assert_eq!(activated(&tenant), 0);
    // The plan, which somebody can approve, is drawn up all the same.
    bench
        .runback(&["plan", "script.rhai", "group=Finance", "before=-24h"])
        .expect(0);
}

/// Draws up the plan of a script; gives the bench with `--approved plan.json`.
fn planned(tenant: &Served, script: &str) -> Bench {
    let bench = bench(tenant, script, BY_FILE);
    let done = bench.runback(&["plan", "script.rhai", "--out", "plan.json"]);
    assert_eq!(done.code, 0, "{done}");
    bench.flags(&["--approved", "plan.json"])
}

/// It was ended because of more than the plan says, and nothing of that was sent.
#[track_caller]
fn expect_changed(bench: &Bench, done: &Done) {
    assert_eq!(done.code, 5, "{done}");
    assert_eq!(
        bench.result()["error"]["code"],
        json!("PlanChanged"),
        "{done}"
    );
}

const TWO_OF_FINANCE: &str =
    "let rows = exchange::points_before(groups::members(\"Finance\"), datetime(\"BEFORE\"))
    .filter(|row| row.point != ());\n";

/// The script's first lines, with an instant at which the points are certain.
fn with_rows(tenant: &Served, rest: &str) -> String {
    let now = tenant.get("/_sandbox/state")["now"]
        .as_str()
        .unwrap()
        .to_owned();
    let now: jiff::Timestamp = now.parse().unwrap();
    let before = now - jiff::SignedDuration::from_hours(24);
    TWO_OF_FINANCE.replace("BEFORE", &format!("{before:.0}")) + rest
}

#[test]
fn what_was_approved_is_done_and_no_more() {
    let tenant = Served::fast();
    let script = with_rows(
        &tenant,
        "exchange::create_session(rows.first(3), \"new\").activate();",
    );
    let bench = planned(&tenant, &script);
    let done = bench.run();
    assert_eq!(done.code, 0, "{done}");
    assert_eq!(bench.books(), [3, 3, 0, 0, 0]);
    let database = rusqlite::Connection::open(bench.path("state/journal.db")).unwrap();
    let how: String = database
        .query_row("SELECT how FROM consents", [], |row| row.get(0))
        .unwrap();
    assert_eq!(how, "plan");
}

#[test]
fn another_point_destination_or_person_is_not_what_was_approved() {
    let tenant = Served::fast();
    tenant.post("/_sandbox/clock", &json!({"advance": "0s"}));
    // The same text does something else the second time: it goes by a file.
    let script = with_rows(
        &tenant,
        "let how = json::read(\"how.json\");
         exchange::create_session(rows.extract(how.from, 2), how.to).activate();",
    );
    let bench = bench(&tenant, &script, BY_FILE).file("how.json", r#"{"from": 0, "to": "new"}"#);
    bench
        .runback(&["plan", "script.rhai", "--out", "plan.json"])
        .expect(0);
    let bench = bench.flags(&["--approved", "plan.json"]);
    for how in [
        r#"{"from": 1, "to": "new"}"#,
        r#"{"from": 0, "to": "inPlace"}"#,
    ] {
        fs::write(bench.path("how.json"), how).unwrap();
        let done = bench.run();
        expect_changed(&bench, &done);
        assert_eq!(activated(&tenant), 0, "{done}");
    }
    fs::write(bench.path("how.json"), r#"{"from": 0, "to": "new"}"#).unwrap();
    bench.run().expect(0);
}

#[test]
fn another_text_of_the_script_is_not_what_was_approved() {
    let tenant = Served::fast();
    let script = with_rows(
        &tenant,
        "exchange::create_session(rows.first(1), \"new\").activate();",
    );
    let bench = planned(&tenant, &script).script(&format!("{script}// more"));
    let done = bench.run();
    expect_changed(&bench, &done);
    assert_eq!(tenant.sessions().len(), 0, "{done}");
}

#[test]
fn bulk_requests_and_searches_are_approved_by_their_inputs() {
    let tenant = Served::fast();
    let script = "let how = json::read(\"how.json\");
        let people = groups::members(\"Finance\").collect();
        exchange::restore_bulk(people.extract(how.from, 2), #{destination: \"new\"}).wait();
        let hits = exchange::search_items(exchange::units().first(9)[how.from], #{query: \"hasAttachment -eq true\", prefer: \"latest\"});
        exchange::create_granular_session([hits]).activate();";
    let script = script.replace("exchange::create_granular_session([hits]).activate();", "");
    let bench = bench(&tenant, &script, BY_FILE).file("how.json", r#"{"from": 0}"#);
    bench
        .runback(&["plan", "script.rhai", "--out", "plan.json"])
        .expect(0);
    let bench = bench.flags(&["--approved", "plan.json"]);
    fs::write(bench.path("how.json"), r#"{"from": 1}"#).unwrap();
    let done = bench.run();
    expect_changed(&bench, &done);
    assert_eq!(activated(&tenant), 0, "{done}");
    fs::write(bench.path("how.json"), r#"{"from": 0}"#).unwrap();
    let done = bench.run();
    assert!(done.code <= 1, "{done}");
    assert_eq!(activated(&tenant), 1);
}

#[test]
fn calls_by_their_path_are_approved_as_the_plan_names_them() {
    let tenant = Served::fast();
    let id = tenant.get("/v1.0/users?$top=1")["value"][0]["id"].clone();
    let script = format!(
        "let other = json::read(\"how.json\").other; graph::delete(if other {{ \"/groups/1\" }} else {{ `/users/${{{id}}}` }});"
    );
    let bench = bench(&tenant, &script, BY_FILE).file("how.json", r#"{"other": false}"#);
    bench
        .runback(&["plan", "script.rhai", "--out", "plan.json"])
        .expect(0);
    let bench = bench.flags(&["--approved", "plan.json"]);
    fs::write(bench.path("how.json"), r#"{"other": true}"#).unwrap();
    let done = bench.run();
    expect_changed(&bench, &done);
    fs::write(bench.path("how.json"), r#"{"other": false}"#).unwrap();
    let done = bench.run();
    assert_ne!(
        bench.result()["error"]["code"],
        json!("PlanChanged"),
        "{done}"
    );
    assert_ne!(done.code, 5, "{done}");
}

#[test]
fn a_run_may_throw_away_the_drafts_that_it_has_made() {
    let tenant = Served::fast();
    let script = with_rows(
        &tenant,
        "exchange::create_session(rows.first(1), \"new\").delete();
         exchange::create_session(rows.first(2), \"new\").activate();
         let of_others = sessions::list().filter(|session| session.status == \"draft\").collect();
         for session in of_others { session.delete(); }",
    );
    let bench = planned(&tenant, &script);
    bench.run().expect(0);
    let made = tenant.bench().script("exchange::create_session();");
    made.run().expect(0);
    let bench = bench.flags(&["--again"]);
    let done = bench.run();
    expect_changed(&bench, &done);
    let drafts = tenant
        .sessions()
        .into_iter()
        .filter(|session| session["status"] == "draft");
    assert_eq!(drafts.count(), 1, "{done}");
}

#[test]
fn a_run_of_an_approved_plan_goes_on_with_it() {
    for at in [15, 30, 40] {
        let tenant = Served::fast();
        let script = with_rows(
            &tenant,
            "for wave in rows.first(6).chunks(3) { let s = exchange::create_session(wave, \"new\"); s.activate(); s.wait(); }",
        );
        let bench = planned(&tenant, &script).variable("RUNBACK_TEST_CRASH_AT", &at.to_string());
        let first = bench.run();
        let bench = bench.variable("RUNBACK_TEST_CRASH_AT", "1000000");
        let database = rusqlite::Connection::open(bench.path("state/journal.db")).unwrap();
        let run: String = database
            .query_row("SELECT run FROM runs", [], |row| row.get(0))
            .unwrap();
        let done = if first.code == 0 {
            first
        } else {
            bench.runback(&["resume", &run])
        };
        assert_eq!(done.code, 0, "killed at {at}\n{done}");
        assert_eq!(bench.books(), [6, 6, 0, 0, 0], "killed at {at}\n{done}");
        tenant.expect_nothing_twice();
    }
}

#[test]
fn an_approved_plan_needs_a_policy_that_wants_one_and_is_as_it_was_written() {
    let tenant = Served::fast();
    let script = with_rows(
        &tenant,
        "exchange::create_session(rows.first(1), \"new\").activate();",
    );
    let bench = planned(&tenant, &script);
    let mut plan: Value = serde_json::from_str(&bench.read("plan.json")).unwrap();
    plan["items"][0]["destination"] = json!("inPlace");
    fs::write(bench.path("plan.json"), plan.to_string()).unwrap();
    let done = bench.run().expect(2);
    assert!(
        done.stderr.contains("was edited after it was written"),
        "{done}"
    );
    fs::write(bench.path("policy.toml"), "consent = \"given\"").unwrap();
    mode(&bench.path("policy.toml"), 0o600);
    let done = bench.run().expect(2);
    assert!(
        done.stderr.contains("`--approved`") || done.stderr.contains("edited"),
        "{done}"
    );
    assert_eq!(tenant.sessions().len(), 0);
}
