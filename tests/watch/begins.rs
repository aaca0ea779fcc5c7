//! What must hold before a watcher begins.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::support::{Watched, chmod};

#[track_caller]
fn refused(watched: &Watched, flags: &[&str], code_words: &[&str]) {
    watched.drop_file("x.rhai", "print(1);");
    let done = watched.once(flags);
    assert_eq!(done.code, 2, "{done}");
    for words in code_words {
        assert!(done.stderr.contains(words), "{words}: {done}");
    }
    assert!(watched.inbox("x.rhai").exists(), "{done}");
    assert!(watched.filed("done").is_empty());
}

#[test]
fn without_a_policy_nobody_watches() {
    let watched = Watched::new();
    watched.drop_file("x.rhai", "print(1);");
    let done = watched.bench.runback(&["watch", "inbox", "--once"]);
    assert_eq!(done.code, 2, "{done}");
    assert!(
        done.stderr.contains("needs a policy") && done.stderr.contains("--policy FILE"),
        "{done}"
    );
}

#[test]
fn an_inbox_that_others_can_write_in_is_not_watched() {
    for mode in [0o777, 0o1777, 0o770, 0o702, 0o1770] {
        let watched = Watched::new();
        chmod(&watched.inbox(""), mode);
        refused(
            &watched,
            &[],
            &[
                "write in the inbox",
                "chmod go-w",
                &format!("mode {mode:04o}"),
            ],
        );
    }
    // A group that drops scripts: the policy knows them, and nobody takes away what is not theirs.
    let watched = Watched::new().policy("consent = \"given\"\nowners = [0]\n");
    chmod(&watched.inbox(""), 0o770);
    refused(&watched, &[], &["chmod 1770"]);
    chmod(&watched.inbox(""), 0o1770);
    watched.once(&[]).expect(i32::from(!is_root()));
}

#[test]
fn an_inbox_that_is_opened_to_everybody_ends_the_watcher() {
    let watched = Watched::new();
    let running = watched.start(&[]);
    watched.drop_file("one.rhai", "print(1);");
    watched.waits_for("done", 1);
    chmod(&watched.inbox(""), 0o777);
    watched.drop_file("two.rhai", "print(2);");
    let done = running.finish();
    assert_eq!(done.code, 2, "{done}");
    assert!(
        done.stderr.contains("everybody can write in the inbox"),
        "{done}"
    );
    assert!(watched.inbox("two.rhai").exists(), "{done}");
    assert_eq!(watched.filed("done").len(), 1);
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[test]
fn a_policy_state_or_library_that_others_can_write_is_refused() {
    let watched = Watched::new();
    chmod(&watched.bench.path("policy.toml"), 0o666);
    refused(&watched, &[], &["policy", "chmod go-w"]);

    let watched = Watched::new();
    fs::create_dir(watched.bench.path("state")).unwrap();
    chmod(&watched.bench.path("state"), 0o777);
    refused(&watched, &[], &["state folder", "chmod go-w"]);

    let watched = Watched::new();
    fs::create_dir(watched.bench.path("library")).unwrap();
    chmod(&watched.bench.path("library"), 0o775);
    refused(
        &watched,
        &["--library", "library"],
        &["library", "chmod go-w"],
    );

    let watched = Watched::new();
    fs::write(watched.bench.path("ca.pem"), "").unwrap();
    chmod(&watched.bench.path("ca.pem"), 0o622);
    refused(
        &watched,
        &["--ca-file", "ca.pem"],
        &["ca.pem", "chmod go-w"],
    );

    // A folder above, in which others could exchange the inbox.
    let watched = Watched::new();
    chmod(&watched.bench.path(""), 0o777);
    refused(&watched, &[], &["can be written by others (mode 0777)"]);
    chmod(&watched.bench.path(""), 0o700);
}

#[test]
fn what_decides_does_not_lie_where_scripts_come_to() {
    let watched = Watched::new();
    fs::rename(
        watched.bench.path("policy.toml"),
        watched.inbox("policy.toml"),
    )
    .unwrap();
    let once = |watched: &Watched, flags: &[&str]| {
        let mut words = vec!["watch", "inbox", "--once"];
        words.extend(flags);
        let done = watched.bench.runback(&words);
        assert_eq!(done.code, 2, "{done}");
        done.stderr
    };
    assert!(once(&watched, &["--policy", "inbox/policy.toml"]).contains("lies in the inbox"));
    let watched = Watched::new();
    assert!(
        once(
            &watched,
            &["--policy", "policy.toml", "--state-dir", "inbox/state"]
        )
        .contains("lies in the inbox")
    );
    for folder in ["data", "library"] {
        fs::create_dir(watched.inbox(folder)).unwrap();
        let flag = format!("--{folder}");
        let path = format!("inbox/{folder}");
        assert!(
            once(&watched, &["--policy", "policy.toml", &flag, &path])
                .contains("lies in the inbox")
        );
    }
    // All of these lie in the folder that scripts may read.
    assert!(
        once(&watched, &["--policy", "policy.toml", "--data", "."])
            .contains("lies in the `--data` folder")
    );
    // Through a link it lies there all the same.
    symlink(watched.inbox(""), watched.bench.path("link")).unwrap();
    fs::copy(
        watched.bench.path("policy.toml"),
        watched.inbox("policy.toml"),
    )
    .unwrap();
    assert!(once(&watched, &["--policy", "link/policy.toml"]).contains("lies in the inbox"));
}

#[test]
fn folders_of_ours_that_were_put_there_by_others_are_refused() {
    for name in ["done", "failed", "quarantine", "pending", ".runback"] {
        let watched = Watched::new();
        fs::create_dir(watched.bench.path("elsewhere")).unwrap();
        symlink(watched.bench.path("elsewhere"), watched.inbox(name)).unwrap();
        refused(&watched, &[], &["is no folder", name]);
        fs::remove_file(watched.inbox(name)).unwrap();
        fs::create_dir(watched.inbox(name)).unwrap();
        chmod(&watched.inbox(name), 0o777);
        refused(&watched, &[], &["chmod go-w", name]);
    }
}

#[test]
fn a_policy_that_asks_for_the_impossible_is_refused() {
    let rows = [
        ("require_signature = true\n", "lets nothing in"),
        ("consent = \"file\"\n", "nobody could approve"),
        ("owners = [\"nobody-of-this-name\"]\n", "knows no such user"),
        ("allow = 5\n", "allow"),
    ];
    for (policy, words) in rows {
        let watched = Watched::new().policy(policy);
        refused(&watched, &[], &[words, "policy.toml"]);
    }
}

#[test]
fn two_watchers_do_not_share_an_inbox() {
    let watched = Watched::new();
    let mut first = watched.start(&[]);
    let second = watched.once(&[]);
    assert_eq!(second.code, 2, "{second}");
    assert!(
        second.stderr.contains("is watched already, by process"),
        "{second}"
    );
    assert!(second.stderr.contains("--status"), "{second}");
    first.signal("TERM");
    first.finish().expect(143);
    watched.once(&[]).expect(0);
}

#[test]
fn results_are_for_those_who_may_look_into_the_inbox() {
    for (mode, folder, file) in [
        (0o700, 0o700, 0o600),
        (0o750, 0o750, 0o640),
        (0o755, 0o750, 0o640),
    ] {
        let watched = Watched::new();
        chmod(&watched.inbox(""), mode);
        watched.drop_file("x.rhai", "print(1);");
        watched.once(&[]).expect(0);
        let filed = watched.only("done");
        let bits =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(bits(&filed.folder), folder);
        for name in ["x.rhai", "run.log"] {
            assert_eq!(bits(&filed.folder.join(name)), file, "{name}");
        }
        assert_eq!(bits(&watched.inbox(".runback")), 0o700);
    }
}

#[test]
fn a_state_folder_that_cannot_be_used_is_named_as_such() {
    let watched = Watched::new();
    fs::create_dir(watched.bench.path("state")).unwrap();
    chmod(&watched.bench.path("state"), 0o700);
    fs::write(watched.bench.path("state/watch"), "").unwrap();
    let done = watched.once(&[]).expect(2);
    assert!(done.stderr.contains("the state folder `"), "{done}");
    assert!(!done.stderr.contains("the inbox"), "{done}");
}
