//! `runback check --policy`: what would be denied, from the text alone.

use serde_json::{Value, json};

use super::with_policy;
use crate::support::Bench;

/// Line, column and severity of what the policy has to say, and the exit code.
fn judged(script: &str, policy: &str) -> (i32, Vec<(u64, String)>) {
    let bench = with_policy(Bench::new().script(script), policy);
    let done = bench.runback(&[
        "check",
        "script.rhai",
        "--policy",
        "policy.toml",
        "--format",
        "json",
    ]);
    let document: Value = serde_json::from_str(&done.stdout).unwrap();
    let diagnostics = document["diagnostics"].as_array().unwrap();
    let found = diagnostics
        .iter()
        .filter(|found| found["code"] == "PolicyDenied");
    let found = found.map(|found| {
        let severity = found["severity"].as_str().unwrap();
        (found["line"].as_u64().unwrap(), severity.to_owned())
    });
    (done.code, found.collect())
}

const ROWS: &str = "let rows = exchange::latest_points(groups::members(args.group));";

/// What a policy says of the last of four lines: `"error"` or `"warning"` at a line, or nothing.
type Case = (&'static str, &'static str, Vec<(u64, String)>);

fn error(line: u64) -> Vec<(u64, String)> {
    vec![(line, "error".to_owned())]
}

fn warning(line: u64) -> Vec<(u64, String)> {
    vec![(line, "warning".to_owned())]
}

#[track_caller]
fn expect(cases: impl IntoIterator<Item = Case>) {
    for (policy, line, expected) in cases {
        let script = format!(
            "//! @param group string g\n//! @param to string t\n{ROWS} print(args.to);\n{line}"
        );
        let (code, found) = judged(&script, policy);
        // Two things on one line are told once each; here each line has one.
        assert_eq!(found.first(), expected.first(), "{policy}: {line}");
        assert_eq!(
            found.len().min(1),
            expected.len(),
            "{policy}: {line}: {found:?}"
        );
        let denies = expected.iter().any(|(_, severity)| severity == "error");
        assert_eq!(code, if denies { 5 } else { 0 }, "{policy}: {line}");
    }
}

#[test]
fn classes_and_workloads_of_a_script_are_judged() {
    expect([
        (
            "",
            "exchange::create_session(rows, \"inPlace\").activate();",
            vec![],
        ),
        (
            "allow = [\"read\"]",
            "let f = exchange::create_session();",
            error(4),
        ),
        (
            "allow = [\"read\", \"draft\"]",
            "exchange::create_session(rows, \"new\").activate();",
            error(4),
        ),
        (
            "allow = [\"read\", \"draft\", \"activate\"]",
            "for s in sessions::list() { s.delete(); }",
            error(4),
        ),
        ("allow = [\"read\"]", "print(1);", vec![]),
        ("allow = [\"draft\"]", "print(1);", error(3)),
        (
            "allow = [\"read\"]",
            "let list = [1]; list.remove(0);",
            vec![],
        ),
        (
            "allow = [\"read\", \"draft\"]",
            "graph::patch(\"/users/x\", #{});",
            error(4),
        ),
        (
            "allow = [\"read\", \"draft\"]",
            "graph::patch(\"/solutions/backupRestore/exchangeRestoreSessions/1\", #{\"mailboxRestoreArtifacts@delta\": [#{id: 1}]});",
            vec![],
        ),
        (
            "allow = [\"read\", \"draft\"]",
            "graph::patch(\"/solutions/backupRestore/exchangeRestoreSessions/1\", #{mailboxRestoreArtifacts: []});",
            error(4),
        ),
        (
            "workloads = [\"exchange\"]",
            "onedrive::create_session();",
            error(4),
        ),
        (
            "workloads = [\"exchange\"]",
            "exchange::create_session().activate();",
            vec![],
        ),
        (
            "workloads = []",
            "sessions::get(\"1\").activate();",
            error(4),
        ),
        (
            "allow = [\"read\", \"draft\"]",
            "import \"std/waves\" as waves; waves::run(rows, #{}, |w, s| ());",
            error(4),
        ),
        (
            "allow = [\"read\"]",
            "fn never() { exchange::create_session(); }",
            vec![],
        ),
        (
            "allow = [\"read\"]",
            "fn once() { exchange::create_session(); } once();",
            error(4),
        ),
    ]);
}

#[test]
fn what_stands_in_a_script_in_plain_words_is_judged() {
    expect([
        (
            "destinations = [\"new\"]",
            "exchange::create_session(rows, \"inPlace\");",
            error(4),
        ),
        (
            "destinations = [\"new\"]",
            "exchange::create_session(rows, args.to);",
            vec![],
        ),
        (
            "destinations = [\"new\"]",
            "exchange::create_session().add_all(rows, \"inPlace\");",
            error(4),
        ),
        (
            "destinations = [\"inPlace\"]",
            "exchange::restore_bulk(rows);",
            error(4),
        ),
        (
            "destinations = [\"new\"]",
            "exchange::restore_bulk(rows, #{destination: \"new\"});",
            vec![],
        ),
        (
            "max_items_per_run = 2",
            "exchange::restore_bulk([\"a@x\", \"b@x\", \"c@x\"]);",
            error(4),
        ),
        (
            "max_items_per_run = 3",
            "exchange::restore_bulk([\"a@x\", \"b@x\", \"c@x\"]);",
            vec![],
        ),
        (
            "max_items_per_session = 9",
            "exchange::create_session(rows, \"new\", #{session_size: 10});",
            warning(4),
        ),
        (
            "groups = [\"Finance\"]",
            "sharepoint::create_session(rows, \"new\");",
            error(4),
        ),
        (
            "groups = [\"Finance\"]",
            "exchange::create_session(rows, \"new\").activate();",
            vec![],
        ),
        (
            "graph_paths = [\"GET /users/**\"]",
            "graph::get(\"/users/x/photo\");",
            vec![],
        ),
        (
            "graph_paths = [\"GET /users/**\"]",
            "graph::get(\"/%67roups\");",
            error(4),
        ),
        (
            "graph_paths = [\"GET /users/**\"]",
            "graph::pages(\"groups\").count();",
            error(4),
        ),
        (
            "graph_paths = [\"GET /users/**\"]",
            "graph::get(`/users/${args.to}`);",
            warning(4),
        ),
        (
            "graph_paths = [\"GET /users/**\"]",
            "graph::delete(\"/users/x\");",
            error(4),
        ),
        (
            "hours = \"Sat\"\nconsent = \"ask\"",
            "exchange::create_session(rows, \"new\").activate();",
            vec![],
        ),
    ]);
}

#[test]
fn a_person_reads_what_would_be_denied_and_a_program_too() {
    let script = "exchange::create_session().activate();\n";
    let bench = with_policy(Bench::new().script(script), "allow = [\"read\", \"draft\"]");
    let words = ["check", "script.rhai", "--policy", "policy.toml"];
    insta::assert_snapshot!(bench.runback(&words), @r#"
    exit: 5
    ----- stdout -----
    script.rhai: no mistakes, 1 denial by `policy.toml`; at most it drafts and activates, in exchange; it deletes nothing
    ----- stderr -----
    error: denied by the policy: scripts may activate nothing
     --> script.rhai:1:28
      |
    1 | exchange::create_session().activate();
      |                            ^
      = policy.toml:1 says: allow = ["read", "draft"]
      = `session.activate` does it

    hint: add `"activate"` to `allow` in policy.toml:1
    "#);
    let done = bench
        .runback(&[&words[..], &["--format", "json"]].concat())
        .expect(5);
    let document: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(document["ok"], json!(false));
    assert_eq!(document["scripts"][0]["denials"], json!(1));
    assert_eq!(
        document["scripts"][0]["abilities"]["activates"],
        json!(true)
    );
    assert_eq!(document["policy"]["file"], json!("policy.toml"));
    // A mistake comes first: a script that cannot run is not judged.
    let broken = bench.script("exchange::create_session().activate(;");
    broken.runback(&words).expect(2);
}
