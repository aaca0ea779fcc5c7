//! What values look like.

use std::time::{Duration, Instant};

use crate::support::{Bench, Person, Served};

const SANDBOX: &[&str] = &["--sandbox", "--speed", "20000"];

fn widest(shown: &str) -> usize {
    shown
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0)
}

#[test]
fn a_list_is_a_table_that_fits() {
    let bench = Bench::new();
    for (columns, hidden) in [(80, true), (200, false)] {
        let mut person = Person::sized(&bench, SANDBOX, (columns, 24));
        let shown = person.says("users::list().collect()");
        assert!(widest(&shown) <= columns.into(), "{shown}");
        let header = shown.lines().find(|line| line.contains("displayName"));
        assert!(header.is_some_and(|line| line.contains("mail")), "{shown}");
        assert!(shown.lines().count() <= 24, "{shown}");
        assert!(shown.contains("more (`:more` shows all 100)"), "{shown}");
        assert_eq!(shown.contains("more columns:"), hidden, "{shown}");
        let all = person.says(":more");
        assert!(all.lines().count() > 100, "{all}");
    }
}

#[test]
fn one_object_is_a_card_and_a_session_has_a_bar() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    person.without_chance();
    let user = person.says("users::list().first(1)[0]");
    assert!(
        user.contains("user") && user.contains("  displayName  "),
        "{user}"
    );
    person.says("let session = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");");
    let draft = person.says("session");
    assert!(
        draft.contains("exchange restore session") && draft.contains("draft"),
        "{draft}"
    );
    person.begins("session.activate().wait()");
    person.hears("[y/N/all] ");
    person.types("y\r");
    let shown = person.waits();
    assert!(
        shown.contains("[==============================] 6 of 6"),
        "{shown}"
    );
    let list = person.says("sessions::list()");
    assert!(list.contains("[============] 6 of 6"), "{list}");
    let (shown, code) = person.quits();
    assert!(shown.contains("asked 6 = succeeded 6"), "{shown}");
    assert_eq!((code, bench.books()), (0, [6, 6, 0, 0, 0]));
}

#[test]
fn a_stream_of_a_hundred_thousand_shows_its_first_page_at_once() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, &["--sandbox", "--users", "100000"]);
    let begun = Instant::now();
    let shown = person.says("users::list()");
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(
        shown.contains("`it.collect()` reads all of them"),
        "{shown}"
    );
    assert!(shown.lines().count() <= 24, "{shown}");
}

#[test]
fn times_are_shown_by_the_wall_where_that_is_wanted() {
    let bench = Bench::new().variable("TZ", "Europe/Berlin");
    let mut person = Person::new(&bench, SANDBOX);
    let time = "datetime(\"2026-07-20T03:00:00Z\")";
    assert!(person.says(time).contains("2026-07-20T03:00:00Z"));
    person.says(":times local");
    assert!(person.says(time).contains("2026-07-20 05:00:00 +02:00"));
    person.says(":times utc");
    assert!(person.says(time).contains("2026-07-20T03:00:00Z"));
}

#[test]
fn help_is_a_question_mark_away() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    assert!(person.says("exchange::points?").contains("newest first"));
    assert!(person.says("?NoUnit").contains("NoUnit"));
    let cmdlet = person.says(":doc New-MgSolutionBackupRestoreExchangeRestoreSession");
    assert!(cmdlet.contains("exchange::create_session"), "{cmdlet}");
    let missing = person.says("exchange::poinst?");
    assert!(
        missing.contains("did you mean `:doc exchange::points`"),
        "{missing}"
    );
    let help = person.says(":help");
    for command in [
        ":doc",
        ":vars",
        ":type",
        ":time",
        ":load",
        ":run",
        ":check",
        ":plan",
        ":sessions",
        ":runs",
        ":who",
        ":history",
        ":save",
        ":edit",
        ":quit",
        ":arm",
        ":tour",
    ] {
        assert!(help.contains(command), "{command}: {help}");
    }
    let wrong = person.says(":sesions");
    assert!(wrong.contains("did you mean `:sessions`?"), "{wrong}");
    assert!(
        person
            .says(":type exchange::units()")
            .contains("stream of unit")
    );
    let timed = person.says(":time exchange::units().count()");
    assert!(
        timed.contains("95") && timed.contains("took ") && timed.contains("request"),
        "{timed}"
    );
}

#[test]
fn who_tells_tenant_identity_permissions_and_service() {
    let bench = Bench::new();
    let mut person = Person::new(&bench, SANDBOX);
    let shown = person.says(":who");
    for part in [
        "sandbox",
        "runback sandbox",
        "BackupRestore-Restore.ReadWrite.All",
        "enabled",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn files_are_loaded_run_checked_and_planned() {
    let bench = Bench::new()
        .file("defs.rhai", "let loaded = 5;\nfn six() { 6 }\n")
        .file("show.rhai", "//! @param n int what\nprint(args.n * 2);")
        .file("wrong.rhai", "pritn(1);")
        .file("count.rhai", "sessions::list().count()");
    let mut person = Person::new(&bench, SANDBOX);
    person.says(":load defs.rhai");
    assert!(person.says("loaded + six()").contains("11"));
    assert!(person.says(":run show.rhai n=21").contains("42"));
    assert!(person.says(":run show.rhai").contains("`n`"));
    assert!(
        person
            .says(":check wrong.rhai")
            .contains("did you mean `print`?")
    );
    assert!(person.says(":check show.rhai").contains("no mistakes"));
    assert!(
        person
            .says(":plan show.rhai n=1")
            .contains("nothing was changed")
    );
    assert!(
        person
            .says(":load show.rhai")
            .contains("`:run show.rhai n=…`")
    );
    assert!(
        person
            .says(":run missing.rhai")
            .contains("there is no file `missing.rhai`")
    );
    // They run against the tenant of this conversation.
    person.says("let s = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");");
    assert!(person.says(":run count.rhai").contains("\n1"));
    let runs = person.says(":runs");
    assert!(runs.contains("repl"), "{runs}");
}

#[test]
fn the_editor_of_the_person_changes_the_last_statement() {
    let bench = Bench::new()
        .file("editor.sh", "sed -i s/20/40/ \"$1\"\n")
        .variable("NO_COLOR", "1")
        .variable("EDITOR", "sh editor.sh");
    let mut person = Person::new(&bench, SANDBOX);
    person.says("20 + 2");
    person.says(":edit");
    person.hears("40 + 2");
    assert!(person.says("").contains("42"));
}

#[test]
fn running_restores_are_seen_as_they_go_on() {
    let tenant = Served::start(&["--speed", "300"]);
    let bench = tenant.bench();
    let mut person = Person::new(&bench, &[]);
    assert!(person.says(":sessions").contains("no restore session runs"));
    person.says(":arm");
    person.says("let session = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");");
    person.begins("session.activate();");
    person.hears("[y/N/all] ");
    person.types("y\r");
    person.waits();
    person.begins(":sessions");
    person.hears("1 running; Enter or Ctrl-C ends the view");
    // Drawn anew, until somebody has seen enough.
    person.hears("1 running; Enter or Ctrl-C ends the view");
    person.types("\r");
    person.waits();
    person.begins(":sessions");
    person.hears("1 running");
    person.presses('c');
    person.waits();
    assert!(person.says("1 + 1").contains('2'));
    person.begins(":quit");
    person.hears("[y/N] ");
    person.types("n\r");
    assert_eq!(person.leaves().1, 3);
}
