//! A folder into which anybody may have put anything: nothing runs that should not, and nothing stops the watcher.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::support::{Watched, chmod};

const GOOD: &str = "print(\"good\");";

/// The good neighbour has run, and nothing else.
#[track_caller]
fn only_the_good_one_ran(watched: &Watched, not_let_in: usize) {
    watched.drop_file("good.rhai", GOOD);
    let done = watched.once(&[]);
    assert_eq!(done.code, 1, "{done}");
    assert_eq!(watched.only("done").script(), "good.rhai");
    assert!(watched.filed("failed").is_empty(), "{}", watched.tree());
    assert_eq!(
        watched.filed("quarantine").len(),
        not_let_in,
        "{}",
        watched.tree()
    );
    // No control character of a name reaches a terminal.
    assert!(
        !done.stderr.contains(['\u{1b}', '\u{202e}', '\r']),
        "{done}"
    );
}

fn pipe(path: &std::path::Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn what_is_no_file_is_set_aside() {
    let watched = Watched::new();
    let elsewhere = watched.bench.path("elsewhere.rhai");
    fs::write(&elsewhere, GOOD).unwrap();
    symlink(&elsewhere, watched.inbox("link.rhai")).unwrap();
    symlink("/nowhere", watched.inbox("dangling.rhai")).unwrap();
    symlink("/dev/zero", watched.inbox("zero.rhai")).unwrap();
    symlink("loop.rhai", watched.inbox("loop.rhai")).unwrap();
    pipe(&watched.inbox("pipe.rhai"));
    fs::create_dir(watched.inbox("folder.rhai")).unwrap();
    fs::write(watched.inbox("folder.rhai/x.rhai"), GOOD).unwrap();
    let _socket = UnixListener::bind(watched.inbox("s.rhai")).unwrap();
    only_the_good_one_ran(&watched, 7);
    for filed in watched.filed("quarantine") {
        assert_eq!(
            (filed.code(), &filed.result["exit"]),
            ("NotAFile", &2.into())
        );
        // What it was lies beside the reason.
        assert!(filed.folder.join(filed.script()).symlink_metadata().is_ok());
    }
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), GOOD);
}

#[test]
fn a_device_is_set_aside_unopened() {
    let watched = Watched::new();
    let made = Command::new("mknod")
        .arg(watched.inbox("null.rhai"))
        .args(["c", "1", "3"])
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("nobody but root makes devices: not looked at");
        return;
    }
    only_the_good_one_ran(&watched, 1);
}

#[test]
fn a_hard_link_is_not_let_in() {
    let watched = Watched::new();
    let elsewhere = watched.bench.path("elsewhere.rhai");
    fs::write(&elsewhere, GOOD).unwrap();
    fs::hard_link(&elsewhere, watched.inbox("twin.rhai")).unwrap();
    watched.drop_file("of_arguments.rhai", GOOD);
    fs::write(watched.bench.path("args"), "{}").unwrap();
    fs::hard_link(
        watched.bench.path("args"),
        watched.inbox("of_arguments.args.json"),
    )
    .unwrap();
    only_the_good_one_ran(&watched, 2);
    for filed in watched.filed("quarantine") {
        assert_eq!(filed.code(), "HardLink");
    }
}

#[test]
fn arguments_that_are_no_plain_file_are_not_let_in() {
    let watched = Watched::new();
    let secret = watched.bench.path("secret.json");
    fs::write(&secret, r#"{"who": "me"}"#).unwrap();
    let script = "//! @param who string = \"nobody\" x\nprint(args.who);";
    for name in [
        "link",
        "pipe",
        "folder",
        "large",
        "loose",
        "malformed",
        "nested",
    ] {
        watched.drop_file(&format!("{name}.rhai"), script);
    }
    symlink(&secret, watched.inbox("link.args.json")).unwrap();
    pipe(&watched.inbox("pipe.args.json"));
    fs::create_dir(watched.inbox("folder.args.json")).unwrap();
    File::create(watched.inbox("large.args.json"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    watched.drop_file("loose.args.json", "{}");
    chmod(&watched.inbox("loose.args.json"), 0o666);
    watched.drop_file("malformed.args.json", "{");
    watched.drop_file("nested.args.json", r#"{"who": {"a": 1}}"#);
    only_the_good_one_ran(&watched, 7);
    let codes = |name: &str| {
        let all = watched.filed("quarantine");
        let filed = all.iter().find(|filed| filed.script() == name).unwrap();
        filed.code().to_owned()
    };
    let rows = [
        ("link.rhai", "NotAFile"),
        ("pipe.rhai", "NotAFile"),
        ("folder.rhai", "NotAFile"),
        ("large.rhai", "TooLarge"),
        ("loose.rhai", "WritableByOthers"),
        ("malformed.rhai", "BadArgument"),
        ("nested.rhai", "BadArgument"),
    ];
    for (name, code) in rows {
        assert_eq!(codes(name), code, "{name}");
    }
}

#[test]
fn a_name_that_plays_tricks_is_set_aside_and_shown_harmless() {
    let watched = Watched::new();
    let names: [&[u8]; 9] = [
        b"a\nb.rhai",
        b"a\x1b[2Jb.rhai",
        b"a\rb.rhai",
        b"a\tb.rhai",
        b"a\x07b.rhai",
        b"a\xff\xfe.rhai",
        "a\u{202e}iahr.rhai".as_bytes(),
        "a\u{2066}b.rhai".as_bytes(),
        "a\u{200b}b.rhai".as_bytes(),
    ];
    for name in names {
        fs::write(watched.inbox("").join(OsStr::from_bytes(name)), GOOD).unwrap();
    }
    let long = format!("{}.rhai", "x".repeat(240));
    fs::write(watched.inbox(&long), GOOD).unwrap();
    only_the_good_one_ran(&watched, 10);
    for filed in watched.filed("quarantine") {
        assert_eq!(filed.code(), "BadName");
        assert!(filed.folder.join("script.rhai").is_file());
        assert!(
            !filed.script().contains(|c: char| c.is_control()),
            "{:?}",
            filed.script()
        );
    }
    // Names that are only odd are names.
    for name in [
        "-x.rhai",
        "--help.rhai",
        " .rhai",
        "a b.rhai",
        "$(id).rhai",
        "x;y.rhai",
        "Äö🎉.rhai",
        "a=b.rhai",
    ] {
        watched.drop_file(name, GOOD);
    }
    watched.once(&[]).expect(0);
    assert_eq!(watched.filed("done").len(), 9);
}

#[test]
fn names_that_are_no_scripts_stay_where_they_are() {
    let watched = Watched::new();
    let names = [
        ".x.rhai",
        ".x.rhai.swp",
        "x.rhai~",
        "x.rhai.tmp",
        "x.rhai.part",
        "x.RHAI",
        "4913",
        "approved",
        "x.args.json",
        "y.rhai.minisig",
    ];
    for name in names {
        fs::write(watched.inbox(name), GOOD).unwrap();
    }
    watched.once(&[]).expect(0);
    assert!(names.iter().all(|name| watched.inbox(name).exists()));
    assert!(watched.filed("done").is_empty());
}

#[test]
fn a_gigabyte_is_no_script() {
    let watched = Watched::new();
    File::create(watched.inbox("large.rhai"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let mut just = File::create(watched.inbox("just.rhai")).unwrap();
    just.write_all(&vec![b' '; (1 << 20) + 1]).unwrap();
    only_the_good_one_ran(&watched, 2);
    assert!(
        watched
            .filed("quarantine")
            .iter()
            .all(|filed| filed.code() == "TooLarge")
    );
}

#[test]
fn a_script_of_another_owner_is_not_let_in() {
    let watched = Watched::new();
    watched.drop_file("foreign.rhai", GOOD);
    let path = watched.inbox("foreign.rhai");
    if std::os::unix::fs::chown(&path, Some(12_345), None).is_err() {
        println!("nobody but root gives files away: not looked at");
        return;
    }
    only_the_good_one_ran(&watched, 1);
    let filed = watched.only("quarantine");
    assert_eq!(
        (filed.code(), &filed.result["exit"]),
        ("ForeignOwner", &5.into())
    );
    assert!(filed.message().contains("12345"), "{}", filed.message());
    // The policy can name them; then the watcher's own user is none of them.
    watched.set_policy("owners = [12345]\n");
    watched.drop_file("known.rhai", GOOD);
    std::os::unix::fs::chown(watched.inbox("known.rhai"), Some(12_345), None).unwrap();
    watched.drop_file("own.rhai", GOOD);
    watched.once(&[]).expect(1);
    assert_eq!(watched.filed("done").len(), 2);
    assert_eq!(watched.filed("quarantine").len(), 2);
}

#[test]
fn a_script_that_others_can_change_is_not_let_in() {
    let watched = Watched::new();
    for (name, mode) in [("group.rhai", 0o664), ("all.rhai", 0o666)] {
        watched.drop_file(name, GOOD);
        chmod(&watched.inbox(name), mode);
    }
    only_the_good_one_ran(&watched, 2);
    assert!(
        watched
            .filed("quarantine")
            .iter()
            .all(|filed| filed.code() == "WritableByOthers")
    );
}

#[test]
fn a_file_that_is_changed_after_it_was_taken_changes_nothing() {
    let watched = Watched::new();
    let script = "print(\"first\"); sleep(duration(\"500ms\")); print(\"still first\");";
    watched.drop_file("x.rhai", script);
    // Whoever dropped it keeps it open, and writes when it is taken.
    let mut held = fs::OpenOptions::new()
        .write(true)
        .open(watched.inbox("x.rhai"))
        .unwrap();
    let mut watching = watched.start(&[]);
    watched.waits_until("it runs", || {
        let claimed = fs::read_dir(watched.inbox(".runback/claimed"))
            .unwrap()
            .next();
        claimed.is_some_and(|run| {
            let log = run.unwrap().path().join("run.log");
            fs::read_to_string(log).is_ok_and(|log| log.contains("first"))
        })
    });
    held.set_len(0).unwrap();
    held.write_all(b"print(\"second\");").unwrap();
    watched.waits_for("done", 1);
    watching.signal("TERM");
    watching.finish();
    let filed = watched.only("done");
    assert_eq!(filed.read("run.log"), "first\nstill first\n");
    assert_eq!(filed.read("x.rhai"), script);
}

#[test]
fn what_lies_in_the_claimed_folder_is_held_against_what_was_let_in() {
    let watched = Watched::new();
    watched.drop_file("x.rhai", "print(1); sleep(duration(\"1h\"));");
    let mut watching = watched.start(&[]);
    let claimed = || {
        fs::read_dir(watched.inbox(".runback/claimed"))
            .unwrap()
            .next()
    };
    watched.waits_until("it runs", || {
        claimed().is_some_and(|run| {
            run.unwrap()
                .path()
                .join("run.log")
                .metadata()
                .is_ok_and(|log| log.len() > 0)
        })
    });
    watching.signal("TERM");
    watching.finish();
    // Somebody with the watcher's own rights: what they write does not run.
    let run = claimed().unwrap().unwrap().path();
    fs::write(run.join("x.rhai"), "print(\"swapped\");").unwrap();
    watched.once(&[]).expect(1);
    let filed = watched.only("failed");
    assert_eq!(filed.code(), "ScriptSwapped", "{}", watched.tree());
    assert!(!filed.read("run.log").contains("swapped\n"));
}

#[test]
fn scripts_that_misbehave_end_alone() {
    let watched = Watched::new();
    let scripts = [
        ("loops", "loop { }"),
        ("catches", "loop { try { loop { } } catch { } }"),
        ("recurses", "fn f(x) { f(x + 1) } f(0)"),
        ("eats", "let s = \"x\"; loop { s += s; }"),
        ("pads", "let s = \"x\"; s.pad(1000000000000, \"y\");"),
        ("nests", "let a = []; for i in 0..2000000 { a = [a]; }"),
        ("throws", "throw #{a: 1};"),
        ("missing", "import \"../../etc/x\" as x;"),
    ];
    for (name, script) in scripts {
        watched.drop_file(&format!("{name}.rhai"), script);
    }
    watched.drop_file("z.rhai", GOOD);
    let done = watched.once(&["--max-time", "3s", "--max-memory", "300MiB", "--jobs", "3"]);
    assert_eq!(done.code, 1, "{done}");
    assert_eq!(watched.only("done").script(), "z.rhai");
    let failed = watched.filed("failed");
    assert_eq!(failed.len(), scripts.len(), "{done}");
    for filed in failed {
        assert!(filed.result["exit"].as_u64().unwrap() > 0);
        assert!(!filed.message().is_empty(), "{}", filed.script());
        let code = filed.code();
        match filed.script() {
            "loops.rhai" | "catches.rhai" => assert_eq!(code, "TimeLimit"),
            "pads.rhai" => assert_eq!(code, "ProcessDied"),
            // Whichever comes first.
            "eats.rhai" | "nests.rhai" => {
                assert!(["ProcessDied", "TimeLimit"].contains(&code), "{code}");
            }
            _ => {}
        }
    }
}

#[test]
fn a_panic_in_the_host_ends_one_run() {
    let watched = Watched::new();
    watched.drop_file("a.rhai", "log::info(\"x\");");
    watched.drop_file("b.rhai", GOOD);
    let mut command = watched.command(&["--once"]);
    command.env("RUNBACK_TEST_PANIC", "info");
    let done = watched.bench.finish(command);
    assert_eq!(done.code, 1, "{done}");
    assert_eq!(watched.only("done").script(), "b.rhai");
    assert_eq!(watched.only("failed").result["exit"], 70);
}

#[test]
fn a_script_that_prints_without_end_is_stopped() {
    let watched = Watched::new();
    watched.drop_file(
        "a.rhai",
        "let s = \"x\"; s.pad(100000, \"y\"); loop { print(s); }",
    );
    watched.drop_file("b.rhai", GOOD);
    let done = watched.once(&[]);
    assert_eq!(done.code, 1, "{done}");
    let filed = watched.only("failed");
    assert_eq!(filed.code(), "OutputLimit", "{}", filed.result);
    let log = fs::metadata(filed.folder.join("run.log")).unwrap();
    assert!(log.size() < (16 << 20) + 200);
    watched.only("done");
}

#[test]
fn a_log_plays_no_tricks() {
    let watched = Watched::new();
    watched.drop_file(
        "a.rhai",
        "print(\"a\\u001b[2Jb\\u202ec\"); table([#{x: \"\\u001b]0;y\\u0007\"}]);",
    );
    watched.once(&[]).expect(0);
    let log = watched.only("done").read("run.log");
    assert!(log.starts_with("a\\u{1b}[2Jb\\u{202e}c\n"), "{log}");
    assert!(!log.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{log}");
}

#[test]
fn a_script_knows_nothing_of_the_watcher_s_standard_input() {
    let watched = Watched::new();
    // Nobody answers: consent and `confirm` end the run.
    watched.drop_file("a.rhai", "confirm(\"go on?\"); print(\"went on\");");
    watched.set_policy("consent = \"ask\"\n");
    watched.once(&[]).expect(1);
    let filed = watched.only("failed");
    assert_eq!(filed.result["exit"], 5, "{}", watched.tree());
    assert!(!filed.read("run.log").contains("went on\n"));
}

#[test]
fn what_a_script_leaves_in_its_result_is_bounded() {
    let watched = Watched::new();
    let long = "let s = \"\"; s.pad(1000000, \"x\");";
    watched.drop_file("throws.rhai", format!("{long} throw s;"));
    watched.drop_file("gives.rhai", format!("{long} [s, s]"));
    watched.once(&["--jobs", "2"]).expect(1);
    for kind in ["failed", "done"] {
        let path = watched.only(kind).folder.join("result.json");
        let size = path.metadata().unwrap().len();
        assert!(size < 100_000, "{kind}: {size}");
    }
}
