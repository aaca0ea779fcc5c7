//! Typing: lines that ask for more, history, what stays from line to line, mistakes.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::person::a_moment;
use crate::support::{Bench, Person};

const SANDBOX: &[&str] = &["--sandbox", "--speed", "20000"];

#[test]
fn a_value_is_shown_and_is_it() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    assert!(person.says("1 + 1").contains('2'));
    assert!(person.says("it * 21").contains("42"));
    assert_eq!(person.says("let x = 5;").trim(), "");
    assert_eq!(person.says("()").trim(), "");
    assert!(person.says("it").contains("42"));
    let (shown, code) = person.quits();
    assert_eq!((shown.trim(), code), ("", 0));
    // Nothing was changed: there is no run to tell of.
    assert!(bench.results().is_empty());
}

#[test]
fn functions_constants_and_imports_stay() {
    let bench = Bench::new().file("lib.rhai", "fn seven() { 7 }");
    let mut person = Person::new(&bench, SANDBOX);
    person.says("fn twice(n) { n * 2 }");
    person.says("const BASE = 10;");
    person.says("fn more(n) { n + global::BASE }");
    person.says("import \"lib\" as lib;");
    person.types("boom(\r1)");
    person.presses('c');
    person.waits();
    assert!(person.says("twice(4)").contains('8'));
    assert!(person.says("more(twice(1))").contains("12"));
    assert!(person.says("lib::seven()").contains('7'));
    person.says("fn twice(n) { n * 200 }");
    assert!(person.says("twice(4)").contains("800"));
    let vars = person.says(":vars");
    for said in [
        "BASE",
        "constant",
        "fn more(n)",
        "fn twice(n)",
        "import lib: seven",
    ] {
        assert!(vars.contains(said), "{said}: {vars}");
    }
}

#[test]
fn a_statement_goes_on_until_it_is_whole() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    for (lines, shown) in [
        ("[1, 2,\r3].len()", "3"),
        ("if true {\r\"yes\"\r}", "yes"),
        ("let s = `one\rtwo`; s.len()", "7"),
        ("/* a\rcomment */ 4 + 5", "9"),
        ("1 +\r2 +\r39", "42"),
        ("#{a: 1,\rb: 2}.len()", "2"),
    ] {
        let said = person.says(lines);
        assert!(said.contains(shown), "{lines:?}: {said}");
        assert!(!said.contains("error"), "{lines:?}: {said}");
    }
    // What no further line can mend is told at once.
    let said = person.says("foo(1));");
    assert!(
        said.contains("closes nothing") || said.contains("error"),
        "{said}"
    );
}

#[test]
fn a_mistake_shows_its_place_and_the_conversation_goes_on() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    person.says("let people = [1];");
    let said = person.says("peopel.len()");
    for part in [
        "error: there is no variable `peopel`",
        "repl:2:1",
        "^",
        "did you mean `people`?",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    person.says("fn fails() {\r    [1][7]\r}");
    let said = person.says("fails()");
    // The place is where the function was typed, an hour ago or now.
    assert!(
        said.contains("repl:4:") && said.contains("[1][7]"),
        "{said}"
    );
    assert!(person.says("people.len()").contains('1'));
}

#[test]
fn a_bug_of_ours_ends_the_statement_only() {
    let bench = Bench::new().variable("RUNBACK_TEST_PANIC", "now");
    let mut person = Person::new(&bench, SANDBOX);
    person.says("let x = 41;");
    let said = person.says("now()");
    assert!(said.contains("a bug in runback"), "{said}");
    assert!(person.says("x + 1").contains("42"));
    assert!(person.says("users::list().count()").contains("100"));
    // Said at the end too: whoever looks at the exit code must hear of it.
    assert_eq!(person.quits().1, 70);
}

#[test]
fn what_was_typed_is_there_the_next_time_but_for_secrets() {
    let bench = Bench::new().variable("AZURE_CLIENT_SECRET", "s3cret-of-this-test");
    let mut person = Person::new(&bench, SANDBOX);
    person.says("let first = 111;");
    person.says("[1,\r222].len()");
    person.says("let password = \"hunter2\";");
    person.says(" let quiet = 333;");
    person.quits();
    let file = bench.path("state/history.txt");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("111") && kept.contains("222"), "{kept}");
    assert!(!kept.contains("hunter2") && !kept.contains("333"), "{kept}");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut person = Person::new(&bench, SANDBOX);
    // Up, up: the one before the last; as many lines as it had.
    person.types("\u{1b}[A\u{1b}[A");
    person.types("\u{1b}[A");
    assert!(person.says("").len() < 200);
    person.presses('r');
    person.types("first");
    person.hears("111");
    assert_eq!(person.says("").trim(), "");
    assert!(person.says("first").contains("111"));
    assert!(person.says(":history 3").contains("first"));
}

#[test]
fn a_pasted_script_runs_as_a_whole() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    let mut script = String::from("let sum = 0;\n");
    for number in 0..99 {
        let _ = write!(script, "// line {number}\nsum += {number};\n");
    }
    script.push_str("fn half(n) {\n\n    n / 2\n}\nhalf(sum)\n");
    assert!(script.lines().count() > 200);
    person
        .types("\u{1b}[200~")
        .types(&script)
        .types("\u{1b}[201~");
    person.hears("half(sum)");
    let said = person.says("");
    assert!(said.contains("2425"), "{said}");
}

#[test]
fn lines_that_come_faster_than_they_run_are_not_lost() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    let script =
        "let n = 0;\rn += 1;\rsleep(duration(\"300ms\"));\rn += 1;\rif n > 0 {\rn += 40;\r}\rn\r";
    person.types(script);
    a_moment();
    person.hears("\n42");
}

#[test]
fn a_terminal_that_can_nothing_is_served() {
    let bench = Bench::new().variable("TERM", "dumb");
    let mut person = Person::started(&bench, SANDBOX, (80, 24));
    person.hears("sandbox> ");
    person.types("6 * 7\r");
    person.hears("42");
    person.hears("sandbox> ");
    person.types(":quit\r");
    let (shown, code) = person.leaves();
    assert_eq!(code, 0, "{shown}");
}

#[test]
fn no_color_means_none() {
    let bench = Bench::new().variable("NO_COLOR", "1");
    let mut person = Person::new(&bench, SANDBOX);
    person.types("let x = \"text\"");
    a_moment();
    person.types("\r");
    let raw = person.raw();
    for colour in ["\u{1b}[32m", "\u{1b}[1;34m", "\u{1b}[1;31m", "\u{1b}[2m"] {
        assert!(!raw.contains(colour), "{raw:?}");
    }
}

#[test]
fn a_window_may_be_resized() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    let wide = |shown: &str| {
        shown
            .lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap()
    };
    let narrow_table = person.says("users::list().first(5)");
    assert!(wide(&narrow_table) <= 80, "{narrow_table}");
    person.resizes((200, 50));
    a_moment();
    let table = person.says("it");
    assert!(wide(&table) > 100 && wide(&table) <= 200, "{table}");
    person.types("let x = \"");
    person.resizes((60, 20));
    a_moment();
    assert_eq!(person.says("y\";").trim(), "");
    assert!(person.says("x").contains('y'));
}
