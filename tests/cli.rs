//! The command line: flags, exit codes, what goes to stdout and what to stderr.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::Bench;

#[test]
fn values_go_to_stdout_in_the_order_they_come() {
    let bench = Bench::new().script("print(1 + 1); [#{a: 1, b: \"x\"}, #{a: 22, b: \"y\"}]");
    assert_snapshot!(bench.run(), @"
    exit: 0
    ----- stdout -----
    2
     a  b
     1  x
    22  y
    ----- stderr -----
    ");
}

#[test]
fn json_keeps_stdout_for_documents() {
    let bench = Bench::new()
        .script("print(\"talk\"); #{a: [1, 2.5, ()]}")
        .flags(&["--format", "json"]);
    let done = bench.run().expect(0);
    assert_eq!(done.json(), [json!({"a": [1, 2.5, null]})]);
    assert_eq!(done.stderr, "talk\n");
}

#[test]
fn csv_has_a_header_and_no_formulas() {
    let bench = Bench::new()
        .script("[#{a: \"=1+1\", b: -1}]")
        .flags(&["--format", "csv"]);
    assert_eq!(bench.run().expect(0).stdout, "a,b\n'=1+1,-1\n");
}

#[test]
fn a_syntax_error_is_shown_in_its_place() {
    let bench = Bench::new().script("let x = 1;\n\tprint(x +);\n");
    assert_snapshot!(bench.run(), @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: `)` is not expected here
     --> script.rhai:2:11
      |
    2 |     print(x +);
      |              ^
    ");
}

#[test]
fn every_mistake_in_the_arguments_is_told_before_anything_runs() {
    let script =
        "//! @param group string the group\n//! @param count int = 1 how many\nprint(\"ran\");";
    let bench = Bench::new()
        .script(script)
        .arguments(&["grop=x", "count=many"]);
    assert_snapshot!(bench.run(), @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: the script has no argument `grop`

    hint: did you mean `group`?

    error: argument `group` is missing

    hint: add `group=…`: the group (string)

    error: argument `count`: `many` is no int

    hint: a whole number such as `50`
    hint: `runback run script.rhai --help` shows the script's arguments
    ");
}

#[test]
fn flags_stand_before_or_after_the_script_and_end_at_two_dashes() {
    let script = "//! @param x string text\nargs.x";
    let bench = Bench::new().script(script);
    for words in [
        &["run", "script.rhai", "x=a", "--format", "json"][..],
        &["--format", "json", "run", "script.rhai", "x=a"],
        &["run", "--format=json", "script.rhai", "--", "x=a"],
    ] {
        assert_eq!(
            bench.runback(words).expect(0).json(),
            [json!("a")],
            "{words:?}"
        );
    }
    assert_eq!(
        bench
            .runback(&["run", "script.rhai", "x=--format=json"])
            .expect(0)
            .stdout,
        "--format=json\n"
    );
}

#[test]
fn help_behind_a_script_is_the_scripts() {
    let bench = Bench::new()
        .script("//! Restores a group.\n//!\n//! @param group string the group\nprint(1);");
    let done = bench.runback(&["run", "script.rhai", "--help"]).expect(0);
    assert!(done.stdout.starts_with("Restores a group.\n"), "{done}");
    assert!(done.stdout.contains("group"), "{done}");
    let done = bench.runback(&["run", "--help"]).expect(0);
    assert!(
        done.stdout
            .contains("Usage: runback run [OPTIONS] [SCRIPT] [NAME=VALUE]..."),
        "{done}"
    );
    assert!(done.stdout.contains("RUNBACK_STATE_DIR"), "{done}");
}

#[test]
fn what_the_command_line_gets_wrong_exits_with_2() {
    let bench = Bench::new().script("1");
    for (words, said) in [
        (
            &["run", "script.rhai", "--nope"][..],
            "unexpected argument '--nope'",
        ),
        (&["run"], "<SCRIPT>"),
        (&["run", "missing.rhai"], "there is no file `missing.rhai`"),
        (&["run", "scrpt.rhai"], "did you mean `script.rhai`?"),
        (&["run", "."], "is a folder"),
        (&["run", "script.rhai", "word"], "NAME=VALUE"),
        (
            &["run", "script.rhai", "--report", "x.txt"],
            "names no kind of report",
        ),
        (
            &["run", "script.rhai", "--report", "no/x.json"],
            "there is no folder `no`",
        ),
        (
            &["run", "script.rhai", "--data", "no"],
            "there is no folder `no`",
        ),
        (
            &["run", "script.rhai", "--users", "5"],
            "write `--sandbox --users …`",
        ),
        (
            &["run", "script.rhai", "--auth", "certificate"],
            "AZURE_CLIENT_CERTIFICATE_PATH",
        ),
        (
            &["run", "script.rhai", "--auth", "secret"],
            "AZURE_CLIENT_SECRET",
        ),
        (
            &["run", "script.rhai", "--polling", "5"],
            "write a duration like",
        ),
        (
            &["run", "script.rhai", "--max-memory", "1KB"],
            "runback itself needs 64 MiB",
        ),
    ] {
        let done = bench.runback(words).expect(2);
        assert!(done.stderr.contains(said), "{words:?}\n{done}");
        assert_eq!(done.stdout, "", "{words:?}");
    }
}

#[test]
fn the_result_document_is_kept_for_its_owner_and_reported_where_asked() {
    let bench = Bench::new()
        .script("40 + 2")
        .flags(&["--report", "out.json", "--report", "out.csv"]);
    bench.run().expect(0);
    let reported: Value = serde_json::from_str(&bench.read("out.json")).unwrap();
    assert_eq!(reported, bench.result());
    assert_eq!(
        (&reported["schema"], &reported["exit"], &reported["value"]),
        (&json!(1), &json!(0), &json!(42))
    );
    assert_eq!(reported["sha256"].as_str().unwrap().len(), 64);
    assert!(reported["ended"].as_str().unwrap() >= reported["started"].as_str().unwrap());
    assert!(bench.read("out.csv").starts_with("workload,unit,name,"));
    let mode = std::fs::metadata(bench.path("state"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_run_that_cannot_begin_is_reported_too() {
    let bench = Bench::new()
        .script("let x = ;")
        .flags(&["--report", "out.json"]);
    bench.run().expect(2);
    let report: Value = serde_json::from_str(&bench.read("out.json")).unwrap();
    assert_eq!(
        (&report["exit"], &report["error"]["line"]),
        (&json!(2), &json!(1))
    );
    let bench = Bench::new().flags(&["--report", "out.json"]);
    bench.run().expect(2);
    let report: Value = serde_json::from_str(&bench.read("out.json")).unwrap();
    assert_eq!(
        (&report["error"]["code"], &report["sha256"]),
        (&json!("NoSuchFile"), &Value::Null)
    );
}

#[test]
fn ctrl_c_and_sigterm_end_a_script_that_never_ends() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let bench = Bench::new()
            .script("debug(\"up\"); while true { try { sleep(duration(\"1h\")); } catch { } }");
        let mut running = bench.start();
        running.hears("up").signal(signal);
        let done = running.finish().expect(code);
        assert!(done.stderr.contains("stopped by"), "{done}");
        assert_eq!(bench.result()["exit"], code);
    }
}

#[test]
fn a_time_limit_ends_a_script() {
    let bench = Bench::new()
        .script("loop { }")
        .flags(&["--max-time", "50ms"]);
    let done = bench.run().expect(2);
    assert!(done.stderr.contains("--max-time"), "{done}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let bench = Bench::new().script(
        "for i in 0..20000 { print(`line ${i} of a long list of lines`); } debug(\"end\");",
    );
    let mut command = bench.command();
    command
        .args(["run", "script.rhai"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("end"),
        "the script ran to its end"
    );
}

#[test]
fn quiet_leaves_errors_and_json_logs_are_json() {
    let script = "log::info(\"a\"); debug(\"b\"); log::error(\"c\"); throw \"d\";";
    let done = Bench::new().script(script).flags(&["-q"]).run().expect(2);
    assert!(!done.stderr.contains("info a"), "{done}");
    assert!(
        done.stderr.contains("error c") && done.stderr.contains("error: d"),
        "{done}"
    );
    let done = Bench::new()
        .script(script)
        .flags(&["--log-format", "json"])
        .run()
        .expect(2);
    for line in done.stderr.lines() {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(
            line["level"].is_string() && line["message"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let bench = Bench::new()
        .script("1")
        .variable("RUNBACK_AUTH", "")
        .variable("RUNBACK_SANDBOX", "");
    bench.run().expect(0);
}

#[test]
fn version_says_which_program_this_is() {
    let done = Bench::new().runback(&["--version"]).expect(0);
    assert_eq!(
        done.stdout,
        format!("runback {}\n", env!("CARGO_PKG_VERSION"))
    );
}
