//! `runback new`: each template is written, checked and run.

use std::os::unix::fs::symlink;

use insta::assert_snapshot;

use crate::support::Bench;

const SANDBOX: &[&str] = &["--sandbox", "--speed", "20000", "--yes"];

#[test]
fn a_runbook_is_written_with_what_to_type_next() {
    let bench = Bench::new();
    assert_snapshot!(bench.runback(&["new", "night"]), @"
    exit: 0
    ----- stdout -----
    night.rhai
    ----- stderr -----
    note: its help: `runback run night.rhai --help`
    note: to try it against a simulated tenant: `runback run night.rhai group=Finance before=-24h --sandbox --yes`
    ");
    assert_eq!(
        bench.read("night.rhai"),
        include_str!("../templates/group.rhai")
    );
    let quiet = bench.runback(&["new", "later.rhai", "-q"]).expect(0);
    assert_eq!(
        (quiet.stdout.as_str(), quiet.stderr.as_str()),
        ("later.rhai\n", "")
    );
    // Beside a config file that is wrong, too.
    let bench = bench.file("runback.toml", "nonsense");
    bench.runback(&["new", "another"]).expect(0);
}

#[test]
fn what_is_there_is_never_overwritten() {
    let bench = Bench::new()
        .file("night.rhai", "mine")
        .file("elsewhere", "mine too");
    symlink(bench.path("elsewhere"), bench.path("link.rhai")).unwrap();
    symlink(bench.path("nowhere"), bench.path("dangling.rhai")).unwrap();
    for name in ["night", "night.rhai", "./night", "link", "dangling"] {
        let done = bench.runback(&["new", name]).expect(2);
        assert!(done.stderr.contains("is there already"), "{done}");
        assert_eq!(done.stdout, "");
    }
    assert_eq!(
        (bench.read("night.rhai"), bench.read("elsewhere")),
        ("mine".to_owned(), "mine too".to_owned())
    );
    assert!(!bench.path("nowhere").exists());
}

#[test]
fn a_name_that_is_none_is_refused() {
    let bench = Bench::new().file("sub/x", "");
    for (words, said) in [
        (&["new"][..], "NAME"),
        (&["new", ""], "a value is required"),
        (&["new", "sub/"], "it names a folder"),
        (&["new", ".."], "it names a folder"),
        (&["new", "a\u{1b}[2Jb"], "cannot be seen"),
        (&["new", "--", "-x"], "begins with a dash"),
        (&["new", "no/night"], "`mkdir -p no`, then again"),
        (&["new", "x", "--template", "grup"], "group"),
    ] {
        let done = bench.runback(words).expect(2);
        assert!(done.stderr.contains(said), "{words:?}\n{done}");
        assert!(!done.stderr.contains('\u{1b}'), "{done}");
    }
    let done = bench.runback(&["new", "sub/a night's $(work)"]).expect(0);
    assert_eq!(done.stdout, "sub/a night's $(work).rhai\n");
    assert!(
        done.stderr
            .contains(r"runback run 'sub/a night'\''s $(work).rhai' --help"),
        "{done}"
    );
}

#[test]
fn the_group_template_restores_a_group() {
    let bench = Bench::new();
    bench.runback(&["new", "night"]).expect(0);
    let done = bench.runback(&["run", "night.rhai", "--help"]).expect(0);
    assert!(
        done.stdout.starts_with("Bring a group's mailboxes back"),
        "{done}"
    );
    let words = ["run", "night.rhai", "group=Finance", "before=-24h"];
    let done = bench.runback(&[&words, SANDBOX].concat()).expect(1);
    let [asked, succeeded, failed, skipped, unknown] = bench.books();
    assert_eq!((asked, skipped, unknown), (13, 2, 0), "{done}");
    assert_eq!(succeeded + failed, 11);
    assert!(
        done.stdout.contains("NoUnit") && done.stdout.contains("restoredFolderName"),
        "{done}"
    );
}

#[test]
fn the_csv_template_restores_a_list() {
    let bench = Bench::new();
    bench
        .runback(&["new", "list", "--template", "csv"])
        .expect(0);
    let people = bench.file(
        "people.rhai",
        "csv::write(\"people.csv\", users::list().first(3).map(|user| #{address: user.userPrincipalName, before: now() - duration(\"24h\")}))",
    );
    people
        .runback(&[&["run", "people.rhai"], SANDBOX].concat())
        .expect(0);
    let words = ["run", "list.rhai", "people=people.csv"];
    let done = people.runback(&[&words, SANDBOX].concat());
    assert!(matches!(done.code, 0 | 1), "{done}");
    let [asked, .., unknown] = people.books();
    assert_eq!((asked, unknown), (3, 0), "{done}");
    assert!(done.stdout.contains("restoredFolderName"), "{done}");
}

#[test]
fn the_files_template_brings_files_back_as_its_note_says() {
    let bench = Bench::new();
    let written = bench.runback(&["new", "files", "--template", "files"]);
    let trial = "user=astrid.yilmaz@contoso.example before=-24h 'pattern=*.docx' --sandbox --yes";
    assert!(written.stderr.contains(trial), "{written}");
    bench.runback(&["check", "files.rhai"]).expect(0);
    let user = "user=astrid.yilmaz@contoso.example";
    let words = ["run", "files.rhai", user, "before=-24h", "pattern=*.docx"];
    let done = bench.runback(&[&words, SANDBOX].concat()).expect(0);
    let [asked, succeeded, ..] = bench.books();
    assert!(asked > 0 && asked == succeeded, "{done}");
    assert!(done.stdout.contains("restoredItemPath"), "{done}");
}

#[test]
fn the_report_template_changes_nothing() {
    let bench = Bench::new();
    bench
        .runback(&["new", "report", "--template", "report"])
        .expect(0);
    let done = bench
        .runback(&["run", "report.rhai", "--sandbox"])
        .expect(0);
    assert!(done.stdout.contains("newest"), "{done}");
    assert!(done.stderr.contains("100 users:"), "{done}");
}
