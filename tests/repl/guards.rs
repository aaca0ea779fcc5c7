//! A real tenant is read-only until it is armed.

use crate::support::{Bench, Person, Served};

const MAKE: &str = "let session = exchange::create_session(rows, \"new\");";

fn at(bench: &Bench) -> Person<'_> {
    Person::new(bench, &["--tenant", "contoso.onmicrosoft.com"])
}

#[test]
fn every_change_is_refused_with_a_hint_until_it_is_armed() {
    let tenant = Served::fast();
    let bench = tenant.bench();
    let mut person = at(&bench);
    person.says("let rows = exchange::latest_points(groups::members(\"Executives\"));");
    person.types("1");
    person.hears("[read-only]");
    person.says("");
    for statement in [
        MAKE,
        "try { exchange::create_session(rows, \"new\"); } catch { } rows.len()",
        "graph::post(\"/users\", #{a: 1})",
        "graph::delete(\"/users/1\")",
    ] {
        let said = person.says(statement);
        assert!(
            said.contains("read-only") && said.contains("`:arm`"),
            "{statement}: {said}"
        );
    }
    assert!(tenant.sessions().is_empty());
    assert!(person.says("rows.len()").contains('6'));
    let said = person.says(":arm 10m");
    assert!(said.contains("10 min"), "{said}");
    person.types("1");
    // In red.
    person.hears("\u{1b}[1;31m[ARMED ");
    person.says("");
    person.says(MAKE);
    assert_eq!(tenant.sessions().len(), 1);
    // What cannot be taken back is asked each time.
    for _ in 0..2 {
        person.begins("session.activate()");
        person.hears("restore 6 mailboxes to a new place, in 1 session");
        person.hears("[y/N/all] ");
        person.types("n\r");
        assert!(person.waits().contains("because you said no"));
    }
    assert!(person.says(":disarm").contains("read-only"));
    let said = person.says("session.delete()");
    assert!(said.contains("read-only"), "{said}");
    assert!(person.says("session.status").contains("draft"));
    let (shown, code) = person.quits();
    assert!(shown.contains("NotActivated"), "{shown}");
    assert_eq!((code, bench.books()), (1, [6, 0, 0, 6, 0]));
}

#[test]
fn consent_to_one_statement_is_none_to_the_next() {
    let tenant = Served::fast();
    let bench = tenant.bench();
    let mut person = at(&bench);
    person.says(":arm");
    person.says("let people = groups::members(\"Executives\").collect();");
    for half in ["people.extract(0, 3)", "people.extract(3, 3)"] {
        person.begins(&format!("exchange::create_session(exchange::latest_points({half}), \"new\").activate().wait().status"));
        person.hears("[y/N/all] ");
        person.types("all\r");
        assert!(person.waits().contains("completed"));
    }
    assert_eq!(person.quits().1, 0);
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
}

#[test]
fn arming_ends_by_itself_and_says_so() {
    let tenant = Served::fast();
    let bench = tenant.bench();
    let mut person = at(&bench);
    person.says("let rows = exchange::latest_points(groups::members(\"Executives\"));");
    person.says(":arm 1s");
    person.types("let half = ");
    person.hears("this conversation is read-only again");
    assert_eq!(person.says("1;").trim(), "");
    person.types("1");
    person.hears("[read-only]");
    person.says("");
    let said = person.says(MAKE);
    assert!(said.contains("read-only"), "{said}");
    assert!(person.says(":arm yesterday").contains("no length of time"));
    assert!(person.says(":arm 3d").contains("8 h at most"));
}

#[test]
fn a_runbook_that_is_run_here_is_read_only_too() {
    let tenant = Served::fast();
    let bench = tenant.bench().file(
        "restore.rhai",
        "exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\").activate().wait(); ()",
    );
    let mut person = at(&bench);
    let said = person.says(":run restore.rhai");
    assert!(said.contains("read-only"), "{said}");
    assert!(tenant.sessions().is_empty());
    assert!(person.says(":plan restore.rhai").contains("planned 6"));
    person.says(":arm");
    person.begins(":run restore.rhai");
    person.hears("[y/N/all] ");
    person.types("y\r");
    assert!(person.waits().contains("asked 6 = succeeded 6"));
}
