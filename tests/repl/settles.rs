//! A conversation is a run: left or cut off, `resume` closes its books and does nothing again.

use crate::support::{Bench, Person, Served};

const ROWS: &str = "let rows = exchange::latest_points(groups::members(\"Executives\"));";
const MAKE: &str = "let session = exchange::create_session(rows, \"new\");";

/// Up to an activated session.
fn activated(bench: &Bench) -> Person<'_> {
    let mut person = Person::new(bench, &[]);
    person.says(":arm");
    person.says(ROWS);
    person.says(MAKE);
    person.begins("session.activate();");
    person.hears("[y/N/all] ");
    person.types("y\r");
    person
}

fn run_of(bench: &Bench) -> String {
    let runs = bench
        .runback(&["runs", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(runs[0].as_array().unwrap().len(), 1);
    runs[0][0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_conversation_that_only_looks_leaves_no_run() {
    let tenant = Served::fast();
    let bench = tenant.bench();
    let mut person = Person::new(&bench, &[]);
    person.says(ROWS);
    person.says("rows");
    person.quits();
    let runs = bench
        .runback(&["runs", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(runs, [serde_json::json!([])]);
}

#[test]
fn a_conversation_that_is_killed_is_settled_by_resume() {
    let tenant = Served::start(&["--speed", "1200"]);
    let bench = tenant.bench();
    let mut person = activated(&bench);
    person.waits();
    person.says("exchange::create_session(rows.extract(0, 2), \"inPlace\");");
    person.dies();
    let run = run_of(&bench);
    let done = bench.runback(&["resume", &run]);
    // Two are left in a draft that nobody activated.
    let done = done.expect(1);
    assert!(
        done.stderr
            .contains("asked 8 = succeeded 6 + failed 0 + skipped 2"),
        "{done}"
    );
    assert_eq!(bench.books(), [8, 6, 0, 2, 0]);
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 1);
    assert_eq!(tenant.sessions().len(), 2);
    tenant.expect_nothing_twice();
    let done = bench.runback(&["resume", &run]).expect(1);
    assert!(done.stderr.contains("has come to its end"), "{done}");
}

#[test]
fn an_activation_in_flight_is_looked_for_and_not_sent_again() {
    for lands in [true, false] {
        let tenant = Served::start(&["--speed", "1200"]);
        let bench = tenant.bench();
        // The answer never comes; where it lands, the service does the work all the same.
        tenant.faults(if lands {
            "slow=1x:1h@POST …/activate"
        } else {
            "reset=1x@POST …/activate"
        });
        let person = activated(&bench);
        while tenant.count("POST /restoreSessions/{id}/activate") == 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        person.dies();
        tenant.faults("");
        let run = run_of(&bench);
        let done = bench.runback(&["resume", &run]);
        let active = tenant.sessions()[0]["status"] != "draft";
        let wanted = if active {
            [6, 6, 0, 0, 0]
        } else {
            [6, 0, 0, 6, 0]
        };
        assert_eq!(bench.books(), wanted, "{done}");
        assert_eq!(
            tenant.count("POST /restoreSessions/{id}/activate"),
            1,
            "{done}"
        );
        tenant.expect_nothing_twice();
    }
}

#[test]
fn whoever_leaves_hears_what_still_runs() {
    let tenant = Served::start(&["--speed", "1200"]);
    let bench = tenant.bench();
    let mut person = activated(&bench);
    person.waits();
    person.begins(":quit");
    person.hears("1 restore session still runs, and will go on without this program: wait for the end? [y/N] ");
    person.types("n\r");
    let (shown, code) = person.leaves();
    assert_eq!(code, 3, "{shown}");
    let run = run_of(&bench);
    assert!(shown.contains(&format!("runback resume {run}")), "{shown}");
    assert_eq!(bench.books(), [6, 0, 0, 0, 6]);
    bench.runback(&["resume", &run]).expect(0);
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);

    let bench = tenant.bench();
    let mut person = Person::new(&bench, &["--again"]);
    person.says(":arm");
    person.says(ROWS);
    person.says(MAKE);
    person.begins("session.activate();");
    person.hears("[y/N/all] ");
    person.types("y\r");
    person.waits();
    person.begins(":quit");
    person.hears("[y/N] ");
    person.types("y\r");
    let (shown, code) = person.leaves();
    assert_eq!((code, bench.books()), (0, [6, 6, 0, 0, 0]), "{shown}");
}

#[test]
fn a_bulk_restore_of_a_dead_conversation_is_settled() {
    let tenant = Served::start(&["--speed", "1200"]);
    let bench = tenant.bench();
    let mut person = Person::new(&bench, &[]);
    person.says(":arm");
    person.begins("exchange::restore_bulk(groups::members(\"Finance\"), #{destination: \"new\"});");
    person.hears("[y/N/all] ");
    person.types("y\r");
    person.waits();
    person.dies();
    let run = run_of(&bench);
    let done = bench.runback(&["resume", &run]);
    assert!(done.code <= 1, "{done}");
    let [asked, succeeded, failed, skipped, unknown] = bench.books();
    let held = tenant.sessions()[0]["artifacts"].as_array().unwrap().len();
    assert_eq!((succeeded + failed, unknown), (held as u64, 0), "{done}");
    assert_eq!(asked, succeeded + failed + skipped, "{done}");
    assert!(held > 5, "{done}");
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 1);
    assert_eq!(tenant.sessions().len(), 1);
    tenant.expect_nothing_twice();
}

#[test]
fn files_of_a_dead_conversation_are_settled() {
    let tenant = Served::start(&["--speed", "1200"]);
    let bench = tenant.bench();
    let mut person = Person::new(&bench, &[]);
    person.says(":arm");
    person.says("let point = (); for who in users::list().first(20) { point = attempt(|| onedrive::latest_point(who, #{tags: \"fastRestore\"})).value; if point != () { break; } }");
    person.says("let browse = onedrive::create_browse_session(point);");
    person.says("browse.wait();");
    person.says("let files = browse.find(\"*\", #{limit: 3}).collect();");
    person.begins("onedrive::create_granular_session(files).activate();");
    person.hears("[y/N/all] ");
    person.types("y\r");
    person.waits();
    person.dies();
    let run = run_of(&bench);
    let done = bench.runback(&["resume", &run]).expect(0);
    assert_eq!(bench.books(), [3, 3, 0, 0, 0], "{done}");
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 1);
    let done = bench.runback(&["resume", &run]).expect(0);
    assert!(done.stderr.contains("has come to its end"), "{done}");
}
