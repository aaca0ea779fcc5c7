//! The unit for systemd: known to systemd, and closed as far as the watcher's work allows.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn systemd_takes_the_unit_and_finds_it_closed() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/runback-watch.service");
    let text = fs::read_to_string(&unit).unwrap();
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("no systemd-analyze: not looked at");
        return;
    }
    // The program that is there in place of the one that will be.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("runback-watch.service");
    let program = assert_cmd::cargo::cargo_bin!("runback")
        .display()
        .to_string();
    fs::write(&copy, text.replace("/usr/local/bin/runback", &program)).unwrap();
    let verified = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&copy)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    let about_it: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("runback-watch"))
        .collect();
    assert!(verified.status.success() && about_it.is_empty(), "{said}");
    let security = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&copy)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&security.stdout);
    assert!(
        security.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&security.stderr)
    );
}

#[test]
fn the_unit_starts_what_there_is() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/runback-watch.service");
    let text = fs::read_to_string(unit).unwrap();
    let start = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/runback "))
        .unwrap();
    let watched = crate::support::Watched::new();
    let words = start
        .replace("/var/lib/runback/inbox", "inbox")
        .replace("/var/lib/runback/state", "state")
        .replace("/var/lib/runback/data", "data")
        .replace("/etc/runback/policy.toml", "policy.toml");
    fs::create_dir(watched.bench.path("data")).unwrap();
    watched.drop_file("x.rhai", "print(1);");
    let mut words: Vec<&str> = words.split(' ').collect();
    words.push("--once");
    watched.bench.runback(&words).expect(0);
}
