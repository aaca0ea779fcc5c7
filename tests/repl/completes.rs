//! Tab, and what is shown behind the cursor.

use crate::support::person::a_moment;
use crate::support::{Bench, Person};

const SANDBOX: &[&str] = &["--sandbox", "--speed", "20000"];

/// Types, presses Tab, and gives what is listed; the line is thrown away.
#[track_caller]
fn tab(person: &mut Person, text: &str, expect: &str) -> String {
    person.types(text).types("\t");
    let shown = person.hears(expect);
    person.presses('u');
    shown
}

#[test]
fn a_namespace_is_completed() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    person.types("exch\t");
    person.hears("exchange");
    person.types("units().count()");
    let said = person.says("");
    assert!(said.contains("95"), "{said}");
    // With their signatures.
    tab(&mut person, "exchange::cov", "coverage(");
    tab(&mut person, "groups::", "members(group: group, name or id");
}

#[test]
fn a_session_offers_what_sessions_have() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    person.says("let session = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");");
    let before = person.seen().len();
    person.types("session.\t");
    a_moment();
    person.presses('u');
    person.says("1");
    let shown = person.seen().split_off(before);
    for name in [
        "activate() -> session",
        "artifacts() -> stream",
        "wait(",
        "status: text",
        "delete()",
    ] {
        assert!(shown.contains(name), "{name}: {shown}");
    }
    assert!(!shown.contains("to_upper"), "{shown}");
    assert!(!shown.contains("--More--"), "{shown}");
    // The value itself is looked at: a part of a session is one too, an artifact is another thing.
    tab(&mut person, "session.parts[0].acti", "activate(");
    tab(&mut person, "session.artifacts().fi", "first(");
    tab(&mut person, "session.wait().st", "status");
}

#[test]
fn variables_keys_options_files_and_commands_are_completed() {
    let bench = Bench::new()
        .file("people.csv", "a,b\n")
        .file("night.rhai", "//! @param group string = \"x\" g\n()");
    let mut person = Person::new(&bench, SANDBOX);
    person.says("let mailboxes = #{first_one: 1, second: \"x\"};");
    person.says("fn my_function(a, b) { a }");
    tab(&mut person, "mailb", "mailboxes");
    tab(&mut person, "my_f", "my_function(");
    tab(&mut person, "mailboxes.fi", "first_one");
    tab(&mut person, "mailboxes[\"sec", "second");
    tab(&mut person, "exchange::points(\"x\", #{lim", "limit: ");
    tab(&mut person, "csv::read(\"peo", "people.csv");
    tab(&mut person, ":sess", ":sessions");
    tab(&mut person, ":run nig", "night.rhai");
    tab(&mut person, ":run night.rhai gr", "group=");
    tab(
        &mut person,
        ":doc New-MgSolutionBackupRestoreExchangeRestoreSessionM",
        "Mailbox",
    );
    tab(&mut person, "\"abc\".to_up", "to_upper(");
    tab(&mut person, "import \"std/wa", "std/waves");
    assert_eq!(person.quits().1, 0);
}

#[test]
fn an_open_bracket_shows_the_arguments() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    person.types("exchange::points_before(");
    person.hears("items: list");
    person.types("[], ");
    person.hears("instant: datetime");
    person.presses('u');
    person.says("fn pair(one, other) { one }");
    person.types("pair(");
    person.hears("one, other)");
    person.presses('u');
    person.says("let only_once = 77;");
    // How the line went on the last time, in grey; the right arrow takes it.
    person.types("let only_");
    person.hears("once = 77;");
    person.types("\u{1b}[C");
    assert_eq!(person.says("").trim(), "");
}
