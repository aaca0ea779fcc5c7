//! `runback runs`: the list, and one run, at work, dead or ended.

use std::time::Duration;

use serde_json::{Value, json};

use super::{RESTORE, document, later, list, newest, slow, waiting};
use crate::support::{Bench, Served};

#[test]
fn a_run_that_has_ended_is_listed_and_shown() {
    let tenant = Served::fast();
    let bench = tenant
        .bench()
        .script(&format!("skip(\"zoe\", \"on leave\"); {RESTORE}"))
        .flags(&["--yes"]);
    bench.run().expect(1);
    let run = newest(&bench);
    let one = &list(&bench)[0];
    assert_eq!(one["state"], "ended");
    assert_eq!(
        (&one["exit"], &one["pid"], &one["script"]),
        (&json!(1), &Value::Null, &json!("script.rhai"))
    );
    assert_eq!(
        one["books"],
        json!({"asked": 7, "succeeded": 6, "failed": 0, "skipped": 1, "unknown": 0})
    );
    assert_eq!(document(&bench, &run), bench.result());
    // The last letters are enough.
    assert_eq!(document(&bench, &run[run.len() - 6..]), bench.result());

    let bench = bench.flags(&["--format", "csv"]);
    let done = bench.runback(&["runs", &run, "--skipped"]).expect(0);
    assert_eq!(
        done.stdout,
        "workload,unit,name,point,protectionDateTime,session,destination,outcome,code,reason\n\
         exchange,,zoe,,,,,skipped,SkippedByScript,on leave\n"
    );
    assert_eq!(
        bench
            .runback(&["runs", &run])
            .expect(0)
            .stdout
            .lines()
            .count(),
        8
    );
    assert_eq!(
        bench
            .runback(&["runs", &run, "--failed", "--skipped"])
            .expect(0)
            .stdout
            .lines()
            .count(),
        2
    );
    assert_eq!(
        bench
            .runback(&["runs", &run, "--failed"])
            .expect(0)
            .stdout
            .lines()
            .count(),
        1
    );
    let list = bench.runback(&["runs"]).expect(0).stdout;
    assert!(
        list.starts_with("run,started,script,state,exit,asked,succeeded,failed,skipped,unknown\n"),
        "{list}"
    );
    assert!(list.ends_with(",script.rhai,ended,1,7,6,0,1,0\n"), "{list}");
}

#[test]
fn a_run_is_shown_in_words() {
    let tenant = Served::fast();
    let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
    bench.run().expect(0);
    let done = bench.runback(&["runs", &newest(&bench)]).expect(0);
    let shown = done.to_string();
    for part in [
        "run       [RUN]",
        "script    script.rhai (sha256 ",
        "state     ended: exit 0, everything that was asked for succeeded",
        "books     asked 6 = succeeded 6 + failed 0 + skipped 0 + unknown 0",
        "[ID]  exchange  completed          6          6       0",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert_eq!(done.stderr, "");
}

#[test]
fn who_names_no_run_is_told_where_they_are() {
    let bench = Bench::new();
    let done = bench.runback(&["runs"]).expect(0);
    assert!(done.stderr.contains("no runs yet"), "{done}");
    for command in ["runs", "stop", "pause", "continue", "resume"] {
        let done = bench.runback(&[command, "of-yesterday"]).expect(2);
        assert!(
            done.stderr.contains("there is no run `of-yesterday`"),
            "{done}"
        );
        assert!(done.stderr.contains("`runback runs` lists them"), "{done}");
    }
    bench.runback(&["runs", "--follow"]).expect(2);
    bench
        .runback(&["runs", "x", "--verify", "--follow"])
        .expect(2);
    bench.runback(&["runs", "--prune", "soon"]).expect(2);
}

#[test]
fn a_run_at_work_and_a_dead_one_are_shown_from_the_journal() {
    let tenant = slow();
    let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
    let mut running = waiting(&bench, &tenant);
    let run = newest(&bench);
    let one = &list(&bench)[0];
    assert_eq!(
        (&one["state"], &one["exit"], &one["ended"]),
        (&json!("running"), &Value::Null, &Value::Null)
    );
    assert!(
        one["pid"].as_u64().unwrap() > 1 && one["host"].is_string(),
        "{one}"
    );
    let live = document(&bench, &run);
    assert_eq!(
        live["books"],
        json!({"asked": 6, "succeeded": 0, "failed": 0, "skipped": 0, "unknown": 6})
    );
    assert_eq!(
        (&live["schema"], &live["state"], &live["exit"]),
        (&json!(1), &json!("running"), &Value::Null)
    );
    let done = bench.runback(&["runs", &run]).expect(0);
    assert!(
        done.stdout
            .contains("so far    asked 6: 6 being restored\n"),
        "{done}"
    );
    assert!(
        done.stdout.contains(&format!("end it: runback stop {run}")),
        "{done}"
    );
    // Nobody else may touch it.
    let done = bench.runback(&["resume", &run]).expect(2);
    let pid = one["pid"].to_string();
    let host = one["host"].as_str().unwrap();
    assert!(
        done.stderr
            .contains(&format!("is held by process {pid} on `{host}`")),
        "{done}"
    );

    running.signal("KILL");
    running.finish().expect(137);
    let dead = document(&bench, &run);
    assert_eq!(
        (&dead["state"], &dead["exit"]),
        (&json!("open"), &Value::Null)
    );
    let shape = |document: &Value| -> Vec<String> {
        document.as_object().unwrap().keys().cloned().collect()
    };
    let done = bench.runback(&["runs", &run]).expect(0);
    assert!(
        done.stdout
            .contains("open: its process is gone; it can be resumed"),
        "{done}"
    );
    assert!(
        done.stdout
            .contains(&format!("go on with: runback resume {run}\n")),
        "{done}"
    );
    later(&tenant);
    bench.runback(&["resume", &run]).expect(0);
    let ended = document(&bench, &run);
    assert_eq!(ended, bench.result());
    assert_eq!(ended["books"]["succeeded"], 6);
    let mut expected = shape(&ended);
    expected.push("state".to_owned());
    expected.sort();
    assert_eq!(shape(&dead), expected);
    tenant.expect_nothing_twice();
}

#[test]
fn what_was_on_its_way_when_the_process_died_is_named_for_a_person() {
    let tenant = Served::fast();
    tenant.faults("slow=1x:1h@POST …/activate");
    let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
    let mut running = bench.start();
    while tenant.count("POST /restoreSessions/{id}/activate") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let run = newest(&bench);
    // It is in flight, and in no doubt.
    let done = bench.runback(&["runs", &run]).expect(0);
    assert!(!done.stdout.contains("nobody knows"), "{done}");
    running.signal("KILL");
    running.finish().expect(137);
    let session = tenant.sessions()[0]["id"].as_str().unwrap().to_owned();
    let done = bench.runback(&["runs", &run]).expect(0);
    for part in [
        "of 1 change nobody knows whether it has happened:".to_owned(),
        format!(
            "activate session: POST /solutions/backupRestore/restoreSessions/{session}/activate, script.rhai:3"
        ),
        "by the service's clock; ".to_owned(),
        ", 6 items".to_owned(),
        "why: the run was cut off while it was on its way".to_owned(),
        format!("look at session `{session}`: where it is a `draft`, it was not activated"),
    ] {
        assert!(done.stdout.contains(&part), "{part}\n{done}");
    }
    let done = bench
        .runback(&["runs", &run, "--unknown", "--format", "csv"])
        .expect(0);
    assert_eq!(
        done.stdout.matches(",unknown,OutcomeUnknown,").count(),
        6,
        "{done}"
    );
    assert_eq!(document(&bench, &run)["books"]["unknown"], 6);
    bench.runback(&["resume", &run]).expect(0);
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
    tenant.expect_nothing_twice();
}

#[test]
fn a_run_is_followed_until_it_ends() {
    let tenant = slow();
    let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
    let running = waiting(&bench, &tenant);
    let run = newest(&bench);
    let mut command = bench.command();
    command.args(["runs", &run, "--follow", "--format", "json"]);
    let mut follower = bench.running(command);
    follower.hears("asked 6: 6 being restored");
    later(&tenant);
    running.finish().expect(0);
    let done = follower.finish().expect(0);
    assert_eq!(done.json(), [bench.result()]);
    // What has ended is shown at once; for a person the lines stand on stdout.
    let done = bench.runback(&["runs", &run, "--follow"]).expect(0);
    assert!(done.stdout.contains("ended: exit 0"), "{done}");
}
