//! A person at a terminal: the question, its answers, the bars.

use rexpect::session::{PtySession, spawn_command};

use crate::support::{Bench, Served};

const TWO_SESSIONS: &str = r#"
    let people = groups::members("Executives").collect();
    for half in people.chunks(3) {
        let session = exchange::create_session(exchange::latest_points(half), args.to);
        session.activate();
    }
    ()
"#;

const QUESTION: &str = "restore 3 mailboxes to a new place, in 1 session (cannot be cancelled once active)? [y/N/all] ";

fn bench(tenant: &Served) -> Bench {
    let script = format!("//! @param to string = \"new\" where to\n{TWO_SESSIONS}");
    tenant.bench().variable("TERM", "xterm").script(&script)
}

/// The program in a terminal of its own.
fn start(bench: &Bench, words: &[&str]) -> PtySession {
    let mut command = bench.command();
    command.args(["run", "script.rhai"]).args(words);
    spawn_command(command, Some(10_000)).unwrap()
}

/// What was shown up to the end, and the exit code.
fn finish(bench: &Bench, mut terminal: PtySession) -> (String, i32) {
    let shown = terminal.exp_eof().unwrap();
    bench.expect_no_secret("the terminal", &shown);
    // `Exited(Pid(…), CODE)`: its type is another crate's that rexpect does not export.
    let status = format!("{:?}", terminal.process().wait().unwrap());
    let code = status
        .strip_prefix("Exited(")
        .and_then(|rest| rest.trim_end_matches(')').rsplit(", ").next()?.parse().ok());
    let code = code.unwrap_or_else(|| panic!("{status}\n{shown}"));
    (shown, code)
}

fn answer(terminal: &mut PtySession, text: &str) {
    terminal.exp_string(QUESTION).unwrap();
    terminal.send_line(text).unwrap();
}

#[test]
fn a_yes_covers_what_was_asked_and_no_more() {
    let tenant = Served::fast();
    let bench = bench(&tenant);
    let mut terminal = start(&bench, &[]);
    answer(&mut terminal, "y");
    answer(&mut terminal, "yes");
    let (shown, code) = finish(&bench, terminal);
    assert_eq!((code, bench.books()), (0, [6, 6, 0, 0, 0]), "{shown}");
}

#[test]
fn all_is_asked_for_once() {
    let tenant = Served::fast();
    let bench = bench(&tenant);
    let mut terminal = start(&bench, &[]);
    answer(&mut terminal, "all");
    let (shown, code) = finish(&bench, terminal);
    assert!(!shown.contains("[y/N/all]"), "{shown}");
    assert_eq!((code, bench.books()), (0, [6, 6, 0, 0, 0]), "{shown}");
}

#[test]
fn a_no_ends_the_run_and_nothing_more_is_activated() {
    for no in ["", "n", "what?"] {
        let tenant = Served::fast();
        let bench = bench(&tenant);
        let mut terminal = start(&bench, &[]);
        answer(&mut terminal, "y");
        answer(&mut terminal, no);
        let (shown, code) = finish(&bench, terminal);
        // What was activated before is waited for.
        assert_eq!((code, bench.books()), (5, [6, 3, 0, 3, 0]), "{shown}");
        assert!(shown.contains("because you said no"), "{shown}");
        assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 1);
    }
}

#[test]
fn in_place_is_named_in_the_question() {
    let tenant = Served::fast();
    let bench = bench(&tenant);
    let mut terminal = start(&bench, &["to=inPlace"]);
    terminal
        .exp_string("restore 3 mailboxes IN PLACE, over what is there now, in 1 session")
        .unwrap();
    terminal.send_line("n").unwrap();
    assert_eq!(finish(&bench, terminal).1, 5);
}

#[test]
fn ctrl_c_at_the_question_is_no_consent() {
    let tenant = Served::fast();
    let bench = bench(&tenant);
    let mut terminal = start(&bench, &[]);
    terminal.exp_string(QUESTION).unwrap();
    terminal.send_control('c').unwrap();
    let (shown, code) = finish(&bench, terminal);
    assert_eq!((code, bench.books()), (130, [3, 0, 0, 3, 0]), "{shown}");
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 0);
}

#[test]
fn confirm_asks_the_person() {
    for (answer, code) in [("y", 0), ("n", 5)] {
        let bench = Bench::new()
            .variable("TERM", "xterm")
            .script("confirm(\"is the incident over?\"); print(2 + 3);");
        let mut terminal = start(&bench, &[]);
        terminal.exp_string("is the incident over?").unwrap();
        terminal.send_line(answer).unwrap();
        let (shown, ended) = finish(&bench, terminal);
        assert_eq!(
            (ended, shown.contains("[y/N] 5\r")),
            (code, code == 0),
            "{shown}"
        );
    }
}

#[test]
fn bars_are_for_terminals() {
    // Slow enough that there is something to draw, twenty times a second.
    let tenant = Served::start(&["--speed", "3000", "--latency", "20ms"]);
    let bench = bench(&tenant).script(
        "let rows = exchange::latest_points(users::list());\nprint(rows.len());\n\
         for row in progress(rows.extract(0, 10), \"looking at rows\") { sleep(duration(\"20ms\")); }",
    );
    let mut terminal = start(&bench, &["--color", "always"]);
    terminal.exp_string("searching restore points").unwrap();
    let (shown, code) = finish(&bench, terminal);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("looking at rows"), "{shown}");
    let done = bench.run().expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("100\n", ""));
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let bench = Bench::new()
        .variable("TERM", "xterm")
        .script("print(nothing);");
    let red = |bench: &Bench| finish(bench, start(bench, &[])).0.contains("\u{1b}[");
    assert!(red(&bench));
    assert!(!bench.run().stderr.contains('\u{1b}'));
    assert!(!red(&bench.variable("NO_COLOR", "1")));
}
