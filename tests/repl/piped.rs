//! Without a terminal: what is piped in runs and is printed plainly, and the exit code is that of `run`.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Bench, Done};

fn pipe(bench: &Bench, flags: &[&str], input: &str) -> Done {
    let mut command = bench.command();
    let mut child = command
        .arg("repl")
        .args(["--sandbox", "--speed", "20000"])
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    bench.done(child)
}

#[test]
fn a_value_is_printed_and_nothing_else() {
    let bench = Bench::new();
    let done = pipe(&bench, &[], "users::list().collect().len()\n").expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("100\n", ""));
}

#[test]
fn it_prints_what_run_prints() {
    for script in [
        "users::list().first(2).map(|user| user.displayName)",
        "table(users::list().first(2), [\"displayName\", \"mail\"]);",
        "exchange::units().first(2).map(|unit| #{id: unit.id, status: unit.status})",
        "#{a: 1, b: [2, 3]}",
        "groups::members(\"Executives\")",
        "print(1); 2",
    ] {
        for format in ["table", "json", "csv"] {
            let flags = ["--format", format];
            let bench = Bench::new()
                .script(script)
                .flags(&["--sandbox"])
                .flags(&flags);
            let run = bench.run().expect(0);
            let piped = pipe(&bench, &flags, script).expect(0);
            assert_eq!(piped.stdout, run.stdout, "{script} as {format}");
        }
    }
}

#[test]
fn statements_go_over_lines_and_stay() {
    let bench = Bench::new();
    let input = "let x = 5\nfn f(a) {\n  a * global::C\n}\nconst C = 3\n\nf(x)\n:vars\n";
    let done = pipe(&bench, &[], input).expect(0);
    assert!(done.stdout.starts_with("15\n"), "{done}");
    assert!(done.stdout.contains("fn f(a)"), "{done}");
}

#[test]
fn the_first_error_ends_it_with_the_code_of_run() {
    for (script, code) in [
        ("let x = 1;\nboom(x)\nprint(\"not reached\");", 2),
        ("throw \"stop\";\nprint(\"not reached\");", 2),
        ("let x = [1, 2\n", 2),
        ("groups::get(\"Nobodys\")", 2),
        (
            "let s = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");\nboom(1)",
            3,
        ),
        (
            "let s = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");\ns.activate()",
            5,
        ),
        (":nonsense", 2),
    ] {
        let bench = Bench::new();
        let done = pipe(&bench, &[], script).expect(code);
        assert!(done.stderr.contains("error: "), "{done}");
        assert!(!done.stdout.contains("not reached"), "{done}");
    }
}

#[test]
fn a_restore_out_of_a_pipe_is_waited_for() {
    let bench = Bench::new();
    let script = "let rows = exchange::latest_points(groups::members(\"Executives\"));\nexchange::create_session(rows, \"new\").activate();\n";
    let done = pipe(&bench, &["--yes"], script);
    // One of a hundred fails by chance.
    let [asked, succeeded, failed, skipped, unknown] = bench.books();
    assert_eq!(
        (asked, succeeded + failed, skipped, unknown),
        (6, 6, 0, 0),
        "{done}"
    );
    assert_eq!(done.code, i32::from(failed > 0), "{done}");
}
