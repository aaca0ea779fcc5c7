//! `:save`: what has worked becomes a runbook that does the same again.

use crate::support::{Bench, Person, Served};

#[test]
fn what_was_saved_does_the_same_again() {
    let first = Served::fast();
    let bench = first.bench();
    let mut person = Person::new(&bench, &[]);
    person.says(":arm");
    person.says("fn few(list, n) {\r    list.extract(0, n)\r}");
    person.says("groups::members(\"Executives\")");
    person.says("let rows = exchange::latest_points(it)");
    person.says("boom(rows)");
    person.says("let session = exchange::create_session(few(rows, 4), \"new\")");
    person.begins("session.activate()");
    person.hears("[y/N/all] ");
    person.types("y\r");
    person.waits();
    person.says("session.wait().status");
    let said = person.says(":save night");
    assert!(
        said.contains("`night.rhai`, with the arguments `group`, `destination`"),
        "{said}"
    );
    // Again over itself without a question; over another file not without one.
    person.says(":save night.rhai");
    person.quits();
    let before = bench.books();
    assert_eq!(before, [4, 4, 0, 0, 0]);

    let text = bench.read("night.rhai");
    assert!(text.starts_with("//! "), "{text}");
    assert!(text.contains("//! @param group "), "{text}");
    assert!(!text.contains("boom") && !text.contains(":arm"), "{text}");
    bench.runback(&["check", "night.rhai"]).expect(0);

    let second = Served::fast();
    let again = second.bench().script(&text).flags(&["--yes"]);
    again.run().expect(0);
    assert_eq!(again.books(), before);
    let people = |tenant: &Served| {
        let mut units: Vec<String> = tenant
            .sessions()
            .iter()
            .flat_map(|session| session["artifacts"].as_array().unwrap().clone())
            .map(|artifact| artifact["unit"].to_string())
            .collect();
        units.sort();
        units
    };
    assert_eq!(people(&first), people(&second));
    // The arguments are what they seem.
    let help = again.runback(&["run", "script.rhai", "--help"]).expect(0);
    assert!(help.stdout.contains("group"), "{help}");
}

#[test]
fn a_file_that_is_there_is_not_written_over_without_a_word() {
    let bench = Bench::new().file("mine.rhai", "print(\"mine\");");
    let mut person = Person::new(&bench, &["--sandbox"]);
    assert!(person.says(":save mine.rhai").contains("nothing to save"));
    person.says("let x = 5;");
    person.begins(":save mine.rhai");
    person.hears("`mine.rhai` is there already: replace it? [y/N] ");
    person.types("n\r");
    assert!(person.waits().contains("left as it is"));
    assert_eq!(bench.read("mine.rhai"), "print(\"mine\");");
    person.begins(":save mine.rhai");
    person.hears("[y/N] ");
    person.types("y\r");
    person.waits();
    assert!(bench.read("mine.rhai").contains("let x = 5;"));
    assert!(
        person
            .says(":save no/such/folder/x.rhai")
            .contains("cannot be written")
    );
}
