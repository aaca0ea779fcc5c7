//! Doing exactly what a plan says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::plan::{
    bench, document, expect_untouched, finance, hash, plan, planned, restored, text,
};
use crate::resume::{resumed, run_of};
use crate::support::Served;

#[test]
fn apply_does_exactly_the_plan() {
    let tenant = Served::fast();
    let bench = finance(&tenant);
    let done = bench
        .runback(&["apply", "plan.json", "--yes", "--report", "r.json"])
        .expect(1);
    assert_eq!(done.stdout, "");
    assert_eq!(bench.books(), [13, 11, 0, 2, 0]);
    assert_eq!(restored(&tenant), planned(&document(&bench)));
    tenant.expect_nothing_twice();
    let (report, plan): (Value, Value) = (
        serde_json::from_str(&bench.read("r.json")).unwrap(),
        document(&bench),
    );
    let codes = |rows: &Value| -> Vec<(String, Value, Value, Value)> {
        let rows = rows.as_array().unwrap().iter();
        let mut all: Vec<_> = rows
            .map(|row| {
                (
                    text(&row["name"]),
                    row["unit"].clone(),
                    row["destination"].clone(),
                    row["code"].clone(),
                )
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(codes(&report["items"]), codes(&plan["items"]));
    let requests = report["requests"]["sent"].as_u64().unwrap();
    let planned = plan["requests"].as_u64().unwrap();
    // Here the restores take no time; the plan reckons with ten minutes of looks at one session.
    let looks = 30;
    assert!(
        (requests..=requests + looks).contains(&planned),
        "planned {planned}, sent {requests}"
    );
}

#[test]
fn rows_that_have_changed_are_refused_by_name_and_all_others_restored() {
    let tenant = Served::fast();
    let bench = finance(&tenant);
    let plan = document(&bench);
    let mut rows: Vec<&Value> = plan["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["part"] == 1)
        .collect();
    rows.sort_by_key(|row| text(&row["name"]));
    tenant.breaks("point", &text(&rows[0]["point"]));
    tenant.breaks("point", &text(&rows[4]["point"]));
    tenant.breaks("unit", &text(&rows[7]["unit"]));
    let done = bench.runback(&["apply", "plan.json", "--yes"]).expect(1);
    assert_eq!(bench.books(), [13, 8, 0, 5, 0]);
    let result = bench.result();
    let items = result["items"].as_array().unwrap().iter();
    let changed: BTreeSet<String> = items
        .filter(|item| item["code"] == "Changed")
        .map(|item| text(&item["name"]))
        .collect();
    let expected: BTreeSet<String> = [0, 4, 7].map(|at: usize| text(&rows[at]["name"])).into();
    assert_eq!(changed, expected);
    for name in &expected {
        assert!(done.stdout.contains(name.as_str()), "{name}\n{done}");
    }
    assert_eq!(restored(&tenant).len(), 8);
    assert!(restored(&tenant).is_subset(&planned(&plan)));
    tenant.expect_nothing_twice();
}

#[test]
fn rows_of_which_the_service_says_nothing_are_not_restored() {
    let tenant = Served::fast();
    let bench = finance(&tenant);
    tenant.faults("404=100%@POST /restorePoints/search");
    bench.runback(&["apply", "plan.json", "--yes"]).expect(1);
    let result = bench.result();
    let items = result["items"].as_array().unwrap().iter();
    assert_eq!(
        items.filter(|item| item["code"] == "CannotVerify").count(),
        11,
        "{result}"
    );
    assert_eq!(tenant.sessions(), Vec::<Value>::new());
}

#[test]
fn an_edited_an_old_or_a_foreign_plan_is_refused_whole() {
    let tenant = Served::fast();
    let bench = finance(&tenant);
    let original = document(&bench);
    let apply = |words: &[&str], code: &str| {
        let all = [&["apply", "plan.json", "--yes"], words].concat();
        let done = bench.runback(&all).expect(2);
        assert!(done.stderr.contains(code), "{code}\n{done}");
        expect_untouched(&tenant);
    };
    apply(&["--max-age", "0s"], "is the most");
    apply(&["--api", "beta"], "the plan was made with `--api v1.0`");

    let mut edited = original.clone();
    edited["items"][0]["destination"] = "inPlace".into();
    std::fs::write(bench.path("plan.json"), edited.to_string()).unwrap();
    apply(&[], "was edited");

    let mut foreign = original;
    foreign["tenant"] = "11111111-2222-3333-4444-555555555555".into();
    foreign["plan"] = hash(&foreign).into();
    std::fs::write(bench.path("plan.json"), foreign.to_string()).unwrap();
    apply(&[], "the plan was made in tenant");

    std::fs::write(bench.path("plan.json"), "{}").unwrap();
    apply(&[], "is no plan");
}

#[test]
fn apply_needs_consent_once_and_is_the_only_one_who_runs_its_runbook() {
    let tenant = Served::fast();
    let bench = finance(&tenant);
    let done = bench.runback(&["apply", "plan.json"]).expect(5);
    assert!(
        done.stderr
            .contains("restore 11 mailboxes to a new place, in 1 session"),
        "{done}"
    );
    assert_eq!(restored(&tenant).len(), 0);
    let done = bench
        .runback(&["run", "runback:apply", "plan=plan.json", "--yes"])
        .expect(2);
    assert!(
        done.stderr.contains("only `runback apply` runs it"),
        "{done}"
    );
}

#[test]
fn parts_keep_their_rows_and_one_question_covers_them() {
    let tenant = Served::fast();
    let script = r#"
        let rows = exchange::latest_points(groups::members("Finance"));
        exchange::create_session(rows, "inPlace", #{session_size: 4}).activate();
        skip("somebody else", "not today", #{ok: true});
    "#;
    let bench = bench(&tenant, script);
    plan(&bench, &[]).expect(0);
    let plan = document(&bench);
    assert_eq!(
        plan["items"].as_array().unwrap().last().unwrap()["expected"],
        true
    );
    let done = bench.runback(&["apply", "plan.json"]).expect(5);
    let question = "restore 12 mailboxes IN PLACE, over what is there now, in 3 sessions";
    assert!(done.stderr.contains(question), "{done}");
    bench.runback(&["apply", "plan.json", "--yes"]).expect(1);
    let active = tenant
        .sessions()
        .into_iter()
        .filter(|session| session["status"] != "draft");
    let mut made: Vec<BTreeSet<String>> = active
        .map(|session| {
            session["artifacts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| text(&one["point"]))
                .collect()
        })
        .collect();
    let mut parts: Vec<BTreeSet<String>> = (1..=3)
        .map(|part| {
            let rows = plan["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|row| row["part"] == part);
            rows.map(|row| text(&row["point"])).collect()
        })
        .collect();
    made.sort();
    parts.sort();
    assert_eq!(made, parts);
    tenant.expect_nothing_twice();
}

#[test]
fn single_messages_are_planned_but_not_for_apply() {
    let tenant = Served::fast();
    let bench = bench(&tenant, include_str!("../scripts/restore-mails.rhai"));
    let words = [
        "mailbox=rania.shah@contoso.example",
        "query=subject -contains 'budget'",
    ];
    let done = plan(&bench, &words).expect(0);
    assert!(
        done.stdout
            .contains("1 of single files or messages: not for `apply`"),
        "{done}"
    );
    bench.runback(&["apply", "plan.json", "--yes"]).expect(1);
    assert_eq!(bench.result()["items"][0]["code"], "CannotVerify");
    expect_untouched(&tenant);
}

#[test]
fn an_apply_that_dies_at_a_record_comes_to_the_same_end() {
    let tenant = Served::fast();
    let undisturbed = finance(&tenant);
    let code = undisturbed.runback(&["apply", "plan.json", "--yes"]).code;
    let books = undisturbed.books();
    let mut killed = 0;
    for at in (1..60).step_by(4) {
        let tenant = Served::fast();
        let bench = finance(&tenant).variable("RUNBACK_TEST_CRASH_AT", &at.to_string());
        let rows = planned(&document(&bench));
        let first = bench.runback(&["apply", "plan.json", "--yes"]);
        let Some(run) = run_of(&bench) else {
            assert_eq!(tenant.sessions().len(), 0, "record {at}\n{first}");
            continue;
        };
        if first.code != code {
            killed += 1;
            // The record holds the plan: its file may be gone.
            std::fs::remove_file(bench.path("plan.json")).unwrap();
            let bench = bench.variable("RUNBACK_TEST_CRASH_AT", "1000000");
            let done = resumed(&bench, &run);
            assert_eq!(
                (done.code, bench.books()),
                (code, books),
                "record {at}\n{done}"
            );
        }
        assert_eq!(restored(&tenant), rows, "record {at}");
        tenant.expect_nothing_twice();
    }
    assert!(killed > 5, "only {killed} were killed");
}
