//! The record of a run, looked at and steered from another terminal: `runs`, `stop`, `pause`, `continue`, `drafts`, `--on-end`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Bench, Done, Running, Served};

mod after;
mod drafts;
mod shown;
mod steered;

const RESTORE: &str = r#"
    let rows = exchange::latest_points(groups::members("Executives"));
    let session = exchange::create_session(rows, "new").activate();
    session.wait();
    ()
"#;

/// A tenant whose restores take hours, until its clock is moved.
fn slow() -> Served {
    Served::start(&["--speed", "1"])
}

fn later(tenant: &Served) {
    tenant.post("/_sandbox/clock", &json!({ "advance": "72h" }));
}

/// The list, newest first.
fn list(bench: &Bench) -> Vec<Value> {
    let done = bench.runback(&["runs", "--format", "json"]).expect(0);
    done.json().remove(0).as_array().cloned().unwrap()
}

fn newest(bench: &Bench) -> String {
    list(bench)[0]["run"].as_str().unwrap().to_owned()
}

fn document(bench: &Bench, run: &str) -> Value {
    let done = bench.runback(&["runs", run, "--format", "json"]).expect(0);
    done.json().remove(0)
}

/// Waits until so many sessions are in this state.
#[track_caller]
fn wait_for(tenant: &Served, count: usize, statuses: &[&str]) {
    let begun = Instant::now();
    loop {
        let sessions = tenant.sessions();
        let there = sessions
            .iter()
            .filter(|session| statuses.iter().any(|status| session["status"] == *status));
        if there.count() >= count {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{sessions:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Asks until it is so.
#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

const GOING: &[&str] = &["activating", "active"];

/// A run that waits for its session.
fn waiting(bench: &Bench, tenant: &Served) -> Running {
    let running = bench.start();
    wait_for(tenant, 1, GOING);
    // The record follows what the service does within a moment, and not at once.
    until(|| document(bench, &newest(bench))["books"]["unknown"] != 0);
    running
}

#[track_caller]
fn last_line_goes_on(done: &Done, run: &str) {
    // The state folder stands in a variable here, and so it need not be named.
    let last = done.stderr.lines().last().unwrap();
    assert_eq!(last, format!("go on with: runback resume {run}"), "{done}");
}
