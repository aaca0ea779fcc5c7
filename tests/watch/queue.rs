//! Each once, in the order of arrival, however it comes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::{Signer, Watched};

fn sh(folder: &Path, line: &str) {
    let status = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(status.success(), "{line}");
}

#[test]
fn however_it_is_copied_it_runs_once_and_whole() {
    let watched = Watched::new();
    let outside = watched.bench.path("outside");
    fs::create_dir(&outside).unwrap();
    for name in ["cp", "mv", "install", "ln", "tee", "vim"] {
        fs::write(
            outside.join(format!("{name}.rhai")),
            format!("print(\"{name}\");"),
        )
        .unwrap();
    }
    let mut watching = watched.start(&["--settle=300ms"]);
    sh(&outside, "cp cp.rhai ../inbox/");
    sh(&outside, "mv mv.rhai ../inbox/");
    sh(&outside, "install -m 644 install.rhai ../inbox/");
    // Some write a file under another name, link it into its place and take the first name away.
    sh(
        &outside,
        "cp ln.rhai ../inbox/.ln; ln ../inbox/.ln ../inbox/ln.rhai; rm ../inbox/.ln",
    );
    sh(&outside, "tee ../inbox/tee.rhai < tee.rhai > /dev/null");
    // An editor's save: a backup, a new file over the old one.
    sh(
        &outside,
        "echo 'print(\"draft\");' > ../inbox/vim.rhai; mv ../inbox/vim.rhai ../inbox/vim.rhai~; cp vim.rhai ../inbox/vim.rhai; rm ../inbox/vim.rhai~",
    );
    // A slow writer, who is never still for long enough.
    let mut slow = File::create(watched.inbox("slow.rhai")).unwrap();
    for _ in 0..10 {
        slow.write_all(b"print(\"slow\");\n").unwrap();
        slow.flush().unwrap();
        // The writer's own pace: that is what is looked at.
        std::thread::sleep(Duration::from_millis(100));
    }
    watched.waits_for("done", 7);
    watching.signal("TERM");
    watching.finish().expect(143);
    for filed in watched.filed("done") {
        let name = filed.script().trim_end_matches(".rhai").to_owned();
        let times = if name == "slow" { 10 } else { 1 };
        assert_eq!(filed.read("run.log"), format!("{name}\n").repeat(times));
    }
    assert!(
        watched.filed("failed").is_empty() && watched.filed("quarantine").is_empty(),
        "{}",
        watched.tree()
    );
}

#[test]
fn the_oldest_goes_first() {
    let watched = Watched::new();
    let names = ["m", "c", "z", "a", "k"];
    for name in names {
        watched.drop_file(&format!("{name}.rhai"), "print(1);");
        // The file system's clock has ticks of some milliseconds.
        std::thread::sleep(Duration::from_millis(15));
    }
    watched.once(&[]).expect(0);
    let ran: Vec<String> = watched
        .filed("done")
        .iter()
        .map(|filed| filed.script().trim_end_matches(".rhai").to_owned())
        .collect();
    assert_eq!(ran, names);
}

#[test]
fn so_many_run_at_once_and_no_more() {
    let watched = Watched::new();
    for number in 0..6 {
        watched.drop_file(&format!("{number}.rhai"), "sleep(duration(\"1s\"));");
    }
    let mut watching = watched.start(&["--jobs", "3"]);
    let status = || {
        let text = fs::read_to_string(watched.inbox(".runback/status.json")).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default()
    };
    watched.waits_until("three run", || {
        status()["running"]
            .as_array()
            .is_some_and(|running| running.len() == 3)
    });
    assert_eq!(status()["queue"], 3);
    watched.waits_for("done", 6);
    watching.signal("TERM");
    watching.finish().expect(143);
}

#[test]
fn without_events_it_is_found_as_well() {
    let watched = Watched::new();
    let mut watching = watched.start(&["--poll", "50ms", "--settle=100ms"]);
    watched.drop_file("x.rhai", "print(1);");
    watched.waits_for("done", 1);
    watching.signal("TERM");
    watching.finish().expect(143);
}

#[test]
fn once_waits_for_what_is_being_written_and_then_leaves() {
    let watched = Watched::new();
    fs::write(watched.inbox("x.rhai"), "print(1);").unwrap();
    let done = watched.once(&["--settle=400ms"]);
    assert_eq!(done.code, 0, "{done}");
    watched.only("done");
}

/// `count` scripts, dropped in every way while eight run at once; each ran once, in order.
fn load(count: usize, flags: &[&str]) {
    let watched = Watched::new();
    let mut watching = watched.start(&[&["--jobs", "8", "--settle=100ms"], flags].concat());
    let outside = watched.bench.path("outside");
    fs::create_dir(&outside).unwrap();
    for number in 0..count {
        let name = format!("{number:05}.rhai");
        let text = format!("print({number});");
        match number % 3 {
            0 => watched.drop_file(&name, text),
            1 => fs::write(watched.inbox(&name), text).unwrap(),
            _ => {
                fs::write(outside.join(&name), text).unwrap();
                fs::copy(outside.join(&name), watched.inbox(&name)).unwrap();
            }
        }
    }
    let most = Duration::from_millis(200) * u32::try_from(count).unwrap() + Duration::from_mins(1);
    let begun = std::time::Instant::now();
    while fs::read_dir(watched.inbox("done")).unwrap().count() < count {
        assert!(begun.elapsed() < most, "{}", watched.tree());
        std::thread::sleep(Duration::from_millis(50));
    }
    watching.signal("TERM");
    watching.finish().expect(143);
    println!("{count} scripts in {:?}", begun.elapsed());
    let done = watched.filed("done");
    assert_eq!(done.len(), count);
    let mut numbers = BTreeSet::new();
    for filed in &done {
        let number: usize = filed.script().trim_end_matches(".rhai").parse().unwrap();
        assert_eq!(filed.read("run.log"), format!("{number}\n"));
        assert!(numbers.insert(number), "{number} ran twice");
    }
    assert!(watched.filed("failed").is_empty() && watched.filed("quarantine").is_empty());
    // Eight run at once, each a little longer or shorter than the others: nobody is further from its place than a few rounds.
    for (place, filed) in done.iter().enumerate() {
        let number: usize = filed.script().trim_end_matches(".rhai").parse().unwrap();
        assert!(
            place.abs_diff(number) < 100,
            "{number} ran as number {place}"
        );
    }
}

#[test]
fn hundreds_at_once_run_once_each_in_order() {
    load(300, &[]);
}

#[test]
fn hundreds_at_once_are_found_without_events() {
    load(100, &["--poll", "100ms"]);
}

#[test]
#[ignore = "takes minutes: 10,000 processes"]
fn ten_thousand_at_once_run_once_each_in_order() {
    load(10_000, &[]);
}

#[test]
fn what_the_state_folder_cannot_take_waits_and_then_runs_once() {
    let watched = Watched::new();
    watched.once(&[]).expect(0);
    let journal = watched.bench.path("state/journal.db");
    let _ = fs::remove_file(&journal);
    fs::create_dir(&journal).unwrap();
    let mut watching = watched.start(&[]);
    for name in ["a", "b"] {
        watched.drop_file(&format!("{name}.rhai"), "print(\"ran\");");
    }
    watched.waits_until("the cause is in the status", || {
        let status = fs::read_to_string(watched.inbox(".runback/status.json")).unwrap_or_default();
        status.contains("journal.db")
    });
    // Long enough for a second try, which is after two seconds.
    std::thread::sleep(Duration::from_millis(2500));
    for kind in ["done", "failed", "quarantine"] {
        assert!(watched.filed(kind).is_empty(), "{}", watched.tree());
    }
    let shown = watched
        .bench
        .runback(&["watch", "inbox", "--status"])
        .expect(0);
    assert!(shown.stdout.contains("trouble: "), "{shown}");
    fs::remove_dir(&journal).unwrap();
    watched.waits_for("done", 2);
    watching.signal("TERM");
    let done = watching.finish();
    let said = done.stderr.matches("waits, as").count();
    // Said once of each that was taken out of the inbox.
    assert!((1..=2).contains(&said), "{done}");
    for filed in watched.filed("done") {
        assert_eq!(filed.read("run.log"), "ran\n");
    }
}

/// A disk of a few megabytes, as only root can have one.
struct Disk(std::path::PathBuf);

impl Disk {
    fn at(path: std::path::PathBuf) -> Option<Self> {
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs"])
            .arg(&path)
            .status();
        if mount.is_ok_and(|status| status.success()) {
            return Some(Self(path));
        }
        println!("nobody but root has small disks: not looked at");
        None
    }

    fn fill(&self) -> std::path::PathBuf {
        use std::io::Write as _;
        let path = self.0.join("ballast");
        let mut file = fs::File::create(&path).unwrap();
        while file.write_all(&[0; 512]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(&self.0)
            .status();
    }
}

#[test]
fn a_full_inbox_keeps_what_was_claimed_for_later() {
    let signer = Signer::new();
    let watched = Watched::new().policy(&format!(
        "require_signature = true\ntrusted_keys = [\"{}\"]\n",
        signer.public()
    ));
    let Some(disk) = Disk::at(watched.inbox("")) else {
        return;
    };
    let later = jiff::Timestamp::now() + jiff::Span::new().hours(1);
    let mut watching = watched.start(&["--settle", "1s"]);
    for number in 0..3 {
        let script = format!("print({number});");
        let name = format!("s{number}.rhai");
        let signature = signer.sign(&script, &format!("file:{name}\texpires:{later}"));
        fs::write(watched.inbox(&name), script).unwrap();
        fs::write(watched.inbox(&format!("{name}.minisig.tmp")), signature).unwrap();
    }
    let ballast = disk.fill();
    for number in 0..3 {
        let name = watched.inbox(&format!("s{number}.rhai.minisig"));
        fs::rename(name.with_added_extension("tmp"), name).unwrap();
    }
    watching.hears("No space left");
    assert!(watched.filed("done").is_empty());
    fs::remove_file(ballast).unwrap();
    watched.waits_for("done", 3);
    watching.signal("TERM");
    let done = watching.finish();
    let mut said: Vec<String> = watched
        .filed("done")
        .iter()
        .map(|filed| filed.read("run.log"))
        .collect();
    said.sort();
    assert_eq!(said, ["0\n", "1\n", "2\n"], "{done}");
    assert!(watched.filed("quarantine").is_empty(), "{done}");
}
