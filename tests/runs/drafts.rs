//! `runback drafts`: what was left behind, and what is not ours to delete.

use serde_json::{Value, json};

use super::{newest, until};
use crate::support::{Bench, Served};

/// Leaves a draft behind.
fn drafting(tenant: &Served) -> Bench {
    let bench = tenant.bench().script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         exchange::create_session(rows, \"new\"); ()",
    );
    bench.run().expect(1);
    bench
}

#[test]
fn drafts_that_were_left_behind_are_listed_and_deleted() {
    let tenant = Served::fast();
    let bench = drafting(&tenant);
    let ours = tenant.sessions()[0]["id"].as_str().unwrap().to_owned();
    // Of another state folder: nothing to us.
    drafting(&tenant);
    assert_eq!(tenant.sessions().len(), 2);
    let run = newest(&bench);
    let drafts = bench
        .runback(&["drafts", "--format", "json"])
        .expect(0)
        .json()
        .remove(0);
    let drafts = drafts.as_array().unwrap();
    assert_eq!(drafts.len(), 1);
    let draft = &drafts[0];
    assert_eq!(
        (&draft["session"], &draft["run"], &draft["artifacts"]),
        (&json!(ours), &json!(run), &json!(6))
    );
    assert!(draft["age_seconds"].is_i64(), "{draft}");
    let done = bench.runback(&["drafts"]).expect(0);
    assert!(
        done.stdout.contains(&ours) && done.stderr.contains("drafts --delete"),
        "{done}"
    );

    let done = bench.runback(&["drafts", "--delete"]).expect(5);
    assert!(
        done.stderr
            .contains(&format!("delete 1 draft of run {run}")),
        "{done}"
    );
    assert_eq!(tenant.sessions().len(), 2);
    let done = bench.runback(&["drafts", "--delete", "--yes"]).expect(0);
    assert!(done.stderr.contains("1 draft was deleted"), "{done}");
    let left = tenant.sessions();
    assert_eq!(left.len(), 1);
    assert_ne!(left[0]["id"], ours);
    assert_eq!(
        bench
            .runback(&["drafts", "--format", "json"])
            .expect(0)
            .stdout,
        "[]\n"
    );
    // It stands in the record of the run that made the draft.
    let evidence = bench.runback(&["runs", &run, "--export", "-"]).expect(0);
    let kinds: Vec<Value> = evidence
        .json()
        .iter()
        .map(|row| json!([row["kind"], row["what"]["operation"]]))
        .collect();
    assert_eq!(
        kinds[kinds.len() - 3..],
        [
            json!(["consent", null]),
            json!(["intent", "delete session"]),
            json!(["outcome", null])
        ]
    );
    bench.runback(&["runs", &run, "--verify"]).expect(0);
}

#[test]
fn a_draft_that_is_none_any_more_is_left_alone() {
    let tenant = Served::fast();
    let bench = drafting(&tenant);
    let session = tenant.sessions()[0]["id"].as_str().unwrap().to_owned();
    // Somebody else activates it.
    let other = tenant
        .bench()
        .flags(&["--yes"])
        .script(&format!("sessions::get(\"{session}\").activate(); ()"));
    other.run();
    assert_ne!(tenant.sessions()[0]["status"], "draft");
    assert_eq!(
        bench
            .runback(&["drafts", "--format", "json"])
            .expect(0)
            .stdout,
        "[]\n"
    );
    let done = bench.runback(&["drafts", "--delete", "--yes"]).expect(0);
    assert!(done.stderr.contains("nothing was deleted"), "{done}");
    assert_eq!(tenant.count("DELETE /restoreSessions/{id}"), 0);
}

#[test]
fn drafts_of_a_run_at_work_are_left_to_it() {
    let tenant = Served::fast();
    let bench = tenant.bench().script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         exchange::create_session(rows, \"new\"); debug(\"ready\"); sleep(duration(\"1h\"));",
    );
    let mut running = bench.start();
    running.hears("ready");
    until(|| bench.runback(&["drafts", "--format", "json"]).stdout != "[]\n");
    let done = bench.runback(&["drafts", "--delete", "--yes"]).expect(0);
    assert!(done.stderr.contains("left as they are: process "), "{done}");
    assert_eq!(tenant.sessions().len(), 1);
    // Stopped, it is open: that is said when its drafts are to go.
    running.signal("INT");
    running.finish().expect(130);
    let done = bench.runback(&["drafts", "--delete"]).expect(5);
    assert!(
        done.stderr
            .contains("which can be resumed and would miss them"),
        "{done}"
    );
    assert_eq!(tenant.sessions().len(), 1);
}
