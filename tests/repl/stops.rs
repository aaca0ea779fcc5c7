//! Ctrl-C: in a read, in a sleep, in a loop, at a question, at the prompt; SIGTERM.

use std::time::{Duration, Instant};

use crate::support::person::Signal;
use crate::support::{Bench, Person, Served};

/// Presses Ctrl-C and expects the prompt within a tenth of a second, and a little for the machine.
#[track_caller]
fn interrupted(person: &mut Person) -> String {
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    person.presses('c');
    let shown = person.waits();
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(400), "{took:?}: {shown}");
    assert!(shown.contains("stopped by Ctrl-C"), "{shown}");
    shown
}

#[test]
fn ctrl_c_ends_the_statement_and_keeps_the_variables() {
    let tenant = Served::start(&["--latency", "1h"]);
    let bench = tenant.bench();
    let mut person = Person::new(&bench, &[]);
    person.says("let x = 41;");
    person.begins("users::list().count()");
    interrupted(&mut person);
    person.begins("sleep(duration(\"1h\"));");
    interrupted(&mut person);
    person.begins("let n = 0; loop { try { loop { n += 1; } } catch { } }");
    interrupted(&mut person);
    person.begins("parallel([1, 2, 3], 3, |x| sleep(duration(\"1h\")))");
    interrupted(&mut person);
    assert!(person.says("x + 1").contains("42"));
    assert!(person.says("n > 0").contains("true"));
    assert_eq!(person.quits().1, 0);
}

#[test]
fn ctrl_c_at_a_question_is_a_no_and_takes_no_later_line() {
    let tenant = Served::fast();
    let bench = tenant.bench();
    let mut person = Person::new(&bench, &[]);
    person.says(":arm");
    person.says("let session = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");");
    person.begins("session.activate()");
    person.hears("[y/N/all] ");
    interrupted(&mut person);
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 0);
    // The next line is read by the editor and nobody else.
    assert!(person.says("40 + 2").contains("42"));
    assert!(person.says("session.status").contains("draft"));
    person.begins("session.activate().wait().status");
    person.hears("[y/N/all] ");
    person.types("y\r");
    assert!(person.waits().contains("completed"));
}

#[test]
fn twice_at_an_empty_prompt_leaves() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, &["--sandbox"]);
    // With something on the line it clears the line.
    person.types("let half = ");
    person.presses('c');
    person.waits();
    person.presses('c');
    assert!(person.waits().contains("once more to leave"));
    assert!(person.says("1 + 1").contains('2'));
    person.presses('c');
    person.waits();
    person.presses('c');
    assert_eq!(person.leaves().1, 0);
    let mut person = Person::new(&bench, &["--sandbox"]);
    person.presses('d');
    assert_eq!(person.leaves().1, 0);
}

#[test]
fn sigterm_ends_the_conversation() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, &["--sandbox"]);
    person.begins("sleep(duration(\"1h\"));");
    std::thread::sleep(Duration::from_millis(200));
    person.signal(Signal::SIGTERM);
    assert_eq!(person.leaves().1, 143);
    let mut person = Person::new(&bench, &["--sandbox"]);
    person.signal(Signal::SIGTERM);
    assert_eq!(person.leaves().1, 143);
}

#[test]
fn what_is_said_meanwhile_does_not_break_the_line() {
    let tenant = Served::start(&["--speed", "600"]);
    let bench = tenant.bench();
    let mut person = Person::new(&bench, &[]);
    person.says(":arm");
    person.says("let session = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");");
    person.begins("session.activate();");
    person.hears("[y/N/all] ");
    person.types("y\r");
    person.waits();
    person.types("let half = 20");
    // The restore ends while somebody types.
    let shown = person.hears("has ended, completed: 6 mailboxes, 6 succeeded, 0 failed");
    assert!(shown.contains("note: session"), "{shown}");
    assert_eq!(person.says(" + 22;").trim(), "");
    assert!(person.says("half").contains("42"));
    let (shown, code) = person.quits();
    assert!(shown.contains("asked 6 = succeeded 6"), "{shown}");
    assert_eq!((code, bench.books()), (0, [6, 6, 0, 0, 0]));
}

#[test]
fn a_change_in_flight_is_looked_for_before_the_next_statement() {
    let tenant = Served::fast();
    // The answer is lost, and the look for it stands two seconds ahead: time to press Ctrl-C.
    tenant.faults("lost-answer=1x@POST …/activate");
    let bench = tenant.bench().variable("RUNBACK_SETTLING", "2s");
    let mut person = Person::new(&bench, &[]);
    person.says(":arm");
    person.says("let session = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");");
    person.begins("session.activate()");
    person.hears("[y/N/all] ");
    person.types("y\r");
    while tenant.count("POST /restoreSessions/{id}/activate") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    person.presses('c');
    let shown = person.waits();
    assert!(shown.contains("was activated"), "{shown}");
    assert!(shown.contains("stopped by Ctrl-C"), "{shown}");
    assert!(person.says("session.wait().status").contains("completed"));
    assert_eq!(person.quits().1, 0);
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 1);
}

/// A conversation with a draft, whose record has begun.
fn drafted(bench: &Bench) -> (Person<'_>, String) {
    let mut person = Person::new(bench, &[]);
    person.says(":arm");
    person.says("let session = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");");
    let runs = bench
        .runback(&["runs", "--format", "json"])
        .expect(0)
        .json();
    let run = runs[0][0]["run"].as_str().unwrap().to_owned();
    (person, run)
}

#[test]
fn another_terminal_can_stop_a_conversation() {
    let tenant = Served::fast();
    // At its prompt.
    let bench = tenant.bench();
    let (person, run) = drafted(&bench);
    bench.runback(&["stop", &run]).expect(0);
    let (shown, code) = person.leaves();
    assert!(
        shown.contains(&format!("close its books with: runback resume {run}")),
        "{shown}"
    );
    assert_eq!(code, 3, "{shown}");
    bench.runback(&["resume", &run]).expect(1);
    assert_eq!(bench.books(), [6, 0, 0, 6, 0]);

    // In a statement, which ends in order.
    let bench = tenant.bench();
    let (mut person, run) = drafted(&bench);
    person.begins("sleep(duration(\"1h\"));");
    bench.runback(&["stop", &run]).expect(0);
    let (shown, code) = person.leaves();
    assert!(shown.contains("stopped with `runback stop"), "{shown}");
    assert_eq!(code, 3, "{shown}");
    assert_eq!(bench.books(), [6, 0, 0, 6, 0]);
}
