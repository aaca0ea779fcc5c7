//! `kill -9` of the watcher and of its children: nothing is lost, nothing happens twice.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Filed, Served, Watched};

const RESTORE: &str = r#"
//! @param from int x
let all = exchange::latest_points(users::list().first(80)).filter(|row| row.point != ());
let rows = []; for i in 0..3 { rows.push(all[args.from + i]); }
let session = exchange::create_session(rows, "new");
session.activate();
session.wait();
"#;

fn watched(tenant: &Served) -> Watched {
    Watched::over(tenant.bench())
}

fn drop_restore(watched: &Watched, number: usize) {
    watched.drop_file(
        &format!("{number}.args.json"),
        format!("{{\"from\": {}}}", number * 3),
    );
    watched.drop_file(&format!("{number}.rhai"), RESTORE);
}

/// The processes of runs, by the watcher's status.
fn children(watched: &Watched) -> Vec<u64> {
    let text = fs::read_to_string(watched.inbox(".runback/status.json")).unwrap_or_default();
    let status: Value = serde_json::from_str(&text).unwrap_or_default();
    let running = status["running"].as_array().cloned().unwrap_or_default();
    running
        .iter()
        .filter_map(|run| run["pid"].as_u64())
        .collect()
}

/// What came to its end, well or not: some of the sandbox's people are on hold, and their restores fail.
fn ended(watched: &Watched) -> Vec<Filed> {
    let mut all = watched.filed("done");
    all.extend(watched.filed("failed"));
    for filed in &all {
        let name = filed.script();
        assert_eq!(filed.result["error"], Value::Null, "{name}");
        assert!(filed.result["exit"].as_u64().unwrap() <= 1, "{name}");
        if name != "reader.rhai" {
            let books = &filed.result["books"];
            assert_eq!(
                (&books["asked"], &books["unknown"]),
                (&3.into(), &0.into()),
                "{name}"
            );
        }
    }
    all
}

fn kill(pid: u64) {
    // It may be gone by now.
    let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
}

#[test]
fn a_killed_watcher_loses_nothing_and_does_nothing_twice() {
    let tenant = Served::fast();
    let watched = watched(&tenant);
    let count = 8;
    for number in 0..count {
        drop_restore(&watched, number);
    }
    // Moments spread over what the whole takes, by a seed that is said.
    let seed = 7;
    let mut chance = fastrand::Rng::with_seed(seed);
    for round in 0..12 {
        let mut watching = watched.start(&["--jobs", "2"]);
        std::thread::sleep(Duration::from_millis(chance.u64(5..400)));
        watching.signal("KILL");
        let done = watching.finish();
        assert!(
            matches!(done.code, 137 | 143),
            "seed {seed}, round {round}: {done}"
        );
    }
    let done = watched.once(&["--jobs", "2"]);
    assert!((0..=1).contains(&done.code), "seed {seed}: {done}");
    assert_eq!(
        ended(&watched).len(),
        count,
        "seed {seed}: {}",
        watched.tree()
    );
    assert!(
        fs::read_dir(watched.inbox(".runback/claimed"))
            .unwrap()
            .next()
            .is_none()
    );
    tenant.expect_nothing_twice();
    let active = tenant
        .sessions()
        .iter()
        .filter(|session| session["status"] != "draft")
        .count();
    assert_eq!(active, count, "seed {seed}");
}

#[test]
fn a_killed_child_is_failed_and_can_be_resumed() {
    let tenant = Served::fast();
    tenant.faults("slow=1x:1h@POST …/activate");
    let watched = watched(&tenant);
    drop_restore(&watched, 0);
    watched.drop_file("z.rhai", "print(1);");
    let mut watching = watched.start(&[]);
    watched.waits_until("it is about to activate", || {
        tenant.count("POST /restoreSessions/{id}/activate") > 0
    });
    watched.waits_until("its process is known", || !children(&watched).is_empty());
    children(&watched).into_iter().for_each(kill);
    watched.waits_for("failed", 1);
    watched.waits_for("done", 1);
    watching.signal("TERM");
    watching.finish().expect(143);
    let filed = watched.only("failed");
    assert_eq!(filed.code(), "ProcessDied", "{}", filed.result);
    assert!(
        matches!(filed.result["exit"].as_u64(), Some(3 | 4)),
        "{}",
        filed.result
    );
    let run = filed.result["run"].as_str().unwrap();
    let hint = filed.result["error"]["hint"].as_str().unwrap();
    assert!(hint.contains(&format!("runback resume {run}")), "{hint}");
    // A person goes on with it, where it lies now.
    let done = watched.bench.runback(&["resume", run, "--yes"]);
    assert!((0..=1).contains(&done.code), "{done}");
    let books = &watched.only("failed").result["books"];
    assert_eq!((&books["asked"], &books["unknown"]), (&3.into(), &0.into()));
    tenant.expect_nothing_twice();
}

#[test]
fn sigterm_leaves_runs_for_the_next_watcher() {
    let tenant = Served::start(&["--speed", "2000"]);
    let watched = watched(&tenant);
    for number in 0..3 {
        drop_restore(&watched, number);
    }
    watched.drop_file(
        "reader.rhai",
        "print(users::list().count()); sleep(duration(\"1s\")); print(\"end\");",
    );
    let mut watching = watched.start(&["--jobs", "4"]);
    watched.waits_until("sessions are active", || {
        tenant
            .sessions()
            .iter()
            .any(|session| session["status"] != "draft")
    });
    watching.signal("TERM");
    let done = watching.finish();
    assert_eq!(done.code, 143, "{done}");
    let left = fs::read_dir(watched.inbox(".runback/claimed"))
        .unwrap()
        .count();
    assert!(left > 0, "{}", watched.tree());
    let done = watched.once(&["--jobs", "4"]);
    assert!((0..=1).contains(&done.code), "{done}");
    let all = ended(&watched);
    assert_eq!(all.len(), 4, "{}", watched.tree());
    let reader = all
        .iter()
        .find(|filed| filed.script() == "reader.rhai")
        .unwrap();
    assert_eq!(reader.read("run.log").matches("end\n").count(), 1);
    tenant.expect_nothing_twice();
}

#[test]
fn a_claim_that_was_cut_off_is_taken_up() {
    let watched = Watched::new();
    watched.once(&[]).expect(0);
    let claimed = watched.inbox(".runback/claimed");
    // Only what belongs to a script was moved: it goes back, and waits for its script.
    fs::create_dir(claimed.join("2026-11-24T01-58-33Z-aaaaaa")).unwrap();
    fs::write(
        claimed.join("2026-11-24T01-58-33Z-aaaaaa/x.args.json"),
        r#"{"who": "me"}"#,
    )
    .unwrap();
    // The script too: it is let in as if it had just been taken.
    fs::create_dir(claimed.join("2026-11-24T01-58-34Z-bbbbbb")).unwrap();
    fs::write(
        claimed.join("2026-11-24T01-58-34Z-bbbbbb/y.rhai"),
        "print(\"y\");",
    )
    .unwrap();
    // Verified, but without a ticket: what was dropped is verified anew, and nothing else.
    fs::write(
        claimed.join("2026-11-24T01-58-34Z-bbbbbb/.verified.y.rhai"),
        "print(\"evil\");",
    )
    .unwrap();
    watched.once(&[]).expect(0);
    assert_eq!(watched.only("done").read("run.log"), "y\n");
    assert!(watched.inbox("x.args.json").exists());
    watched.drop_file("x.rhai", "//! @param who string x\nprint(args.who);");
    watched.once(&[]).expect(0);
    assert_eq!(watched.filed("done").len(), 2);
    assert!(fs::read_dir(claimed).unwrap().next().is_none());
}

#[test]
fn the_next_watcher_waits_for_a_process_that_has_not_ended() {
    let watched = Watched::new();
    // What is told to stop, and takes its time: a change in flight would be so.
    watched.drop_file(
        "x.rhai",
        "print(\"begins\"); sleep(duration(\"2s\")); print(\"ends\");",
    );
    let mut watching = watched.start(&[]);
    watched.waits_until("it runs", || !children(&watched).is_empty());
    let pid = children(&watched)[0];
    let stop = Command::new("kill")
        .args(["-STOP", &pid.to_string()])
        .status()
        .unwrap();
    assert!(stop.success());
    watching.signal("KILL");
    watching.finish();
    let mut second = watched.start(&[]);
    // Longer than a start takes: nothing must come of it while the first process is there.
    std::thread::sleep(Duration::from_millis(700));
    assert!(watched.filed("done").is_empty());
    assert!(children(&watched).is_empty());
    let goes_on = Command::new("kill")
        .args(["-CONT", &pid.to_string()])
        .status()
        .unwrap();
    assert!(goes_on.success());
    watched.waits_for("done", 1);
    second.signal("TERM");
    second.finish().expect(143);
    assert_eq!(
        watched
            .only("done")
            .read("run.log")
            .matches("ends\n")
            .count(),
        1
    );
}

const LONG: &str = r#"
let all = exchange::latest_points(users::list().first(80)).filter(|row| row.point != ());
let session = exchange::create_session([all[0], all[1]], "new");
session.activate();
session.wait();
"#;

fn activated(tenant: &Served) -> usize {
    let sessions = tenant.sessions();
    let activated = sessions
        .iter()
        .filter(|session| session["status"] != "draft");
    activated.count()
}

/// A run that waits for its session, whose watcher was killed; its process has ended too.
fn killed_while_it_waits(tenant: &Served, watched: &Watched) {
    watched.drop_file("x.rhai", LONG);
    let mut watching = watched.start(&[]);
    watched.waits_until("a session is active", || activated(tenant) == 1);
    watched.waits_until("its process is known", || !children(watched).is_empty());
    watching.signal("KILL");
    watching.finish();
}

#[test]
fn a_run_whose_record_is_gone_is_not_run_again() {
    for empties in [true, false] {
        // An hour of the service is an hour: the run ends when it is told to.
        let tenant = Served::start(&["--speed", "1"]);
        let watched = watched(&tenant);
        killed_while_it_waits(&tenant, &watched);
        let state = watched.bench.path("state");
        let mut flags = vec!["--jobs", "1"];
        if empties {
            let mut waits = watched.start(&[]);
            waits.signal("TERM");
            waits.finish();
            fs::remove_dir_all(&state).unwrap();
        } else {
            flags.extend(["--state-dir", "another"]);
        }
        watched.once(&flags).expect(1);
        let filed = watched.only("failed");
        assert_eq!(
            (filed.code(), &filed.result["exit"]),
            ("RecordLost", &4.into()),
            "{}",
            filed.result
        );
        assert!(
            filed.message().contains("state folder"),
            "{}",
            filed.message()
        );
        assert!(!filed.folder.join("started.json").exists());
        assert_eq!(activated(&tenant), 1);
    }
}

#[test]
fn a_run_that_was_gone_on_with_and_died_can_be_resumed() {
    let tenant = Served::start(&["--speed", "1"]);
    let watched = watched(&tenant);
    killed_while_it_waits(&tenant, &watched);
    let known = children(&watched);
    let mut second = watched.start(&[]);
    watched.waits_until("another process goes on with it", || {
        let now = children(&watched);
        !now.is_empty() && now != known
    });
    children(&watched).into_iter().for_each(kill);
    watched.waits_for("failed", 1);
    second.signal("TERM");
    second.finish().expect(143);
    let filed = watched.only("failed");
    assert_eq!(filed.code(), "ProcessDied", "{}", filed.result);
    assert_eq!(filed.result["books"]["asked"], 2, "{}", filed.result);
    let hint = filed.result["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("runback resume"), "{hint}");
    assert_eq!(activated(&tenant), 1);
}

#[test]
fn what_was_claimed_is_verified_again_before_it_goes_on() {
    let slow = "print(1); sleep(duration(\"1h\"));";
    let watched = Watched::new();
    watched.drop_file("x.rhai", slow);
    let mut watching = watched.start(&[]);
    watched.waits_until("it runs", || !children(&watched).is_empty());
    watching.signal("TERM");
    watching.finish().expect(143);
    let key = crate::support::Signer::new().public();
    watched.set_policy(&format!(
        "require_signature = true\ntrusted_keys = [\"{key}\"]\n"
    ));
    watched.once(&[]).expect(1);
    let filed = watched.only("quarantine");
    assert_eq!(filed.code(), "Unsigned", "{}", filed.result);
    // Where something was activated, its books have to be closed.
    let tenant = Served::start(&["--speed", "1"]);
    let watched = Watched::over(tenant.bench());
    killed_while_it_waits(&tenant, &watched);
    watched.set_policy(&format!(
        "consent = \"given\"\nrequire_signature = true\ntrusted_keys = [\"{key}\"]\n"
    ));
    let mut second = watched.start(&[]);
    watched.waits_until("it goes on", || !children(&watched).is_empty());
    second.signal("TERM");
    second.finish().expect(143);
    assert!(watched.filed("quarantine").is_empty(), "{}", watched.tree());
}
