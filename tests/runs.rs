//! The record of a run, looked at and steered from another terminal: `runs`, `stop`, `pause`, `continue`, `drafts`, `--on-end`.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Bench, Done, Running, Served};

const RESTORE: &str = r#"
    let rows = exchange::latest_points(groups::members("Executives"));
    let session = exchange::create_session(rows, "new").activate();
    session.wait();
    ()
"#;

/// A tenant whose restores take hours, until its clock is moved.
fn slow() -> Served {
    Served::start(&["--speed", "1"])
}

fn later(tenant: &Served) {
    tenant.post("/_sandbox/clock", &json!({ "advance": "72h" }));
}

/// The list, newest first.
fn list(bench: &Bench) -> Vec<Value> {
    let done = bench.runback(&["runs", "--format", "json"]).expect(0);
    done.json().remove(0).as_array().cloned().unwrap()
}

fn newest(bench: &Bench) -> String {
    list(bench)[0]["run"].as_str().unwrap().to_owned()
}

fn document(bench: &Bench, run: &str) -> Value {
    let done = bench.runback(&["runs", run, "--format", "json"]).expect(0);
    done.json().remove(0)
}

/// Waits until so many sessions are in this state.
#[track_caller]
fn wait_for(tenant: &Served, count: usize, statuses: &[&str]) {
    let begun = Instant::now();
    loop {
        let sessions = tenant.sessions();
        let there = sessions
            .iter()
            .filter(|session| statuses.iter().any(|status| session["status"] == *status));
        if there.count() >= count {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{sessions:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

const GOING: &[&str] = &["activating", "active"];

/// A run that waits for its session.
fn waiting(bench: &Bench, tenant: &Served) -> Running {
    let running = bench.start();
    wait_for(tenant, 1, GOING);
    running
}

#[track_caller]
fn last_line_goes_on(done: &Done, run: &str) {
    // The state folder stands in a variable here, and so it need not be named.
    let last = done.stderr.lines().last().unwrap();
    assert_eq!(last, format!("go on with: runback resume {run}"), "{done}");
}

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

#[test]
fn a_run_is_stopped_from_another_terminal_and_goes_on_later() {
    let tenant = slow();
    let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
    let running = waiting(&bench, &tenant);
    let run = newest(&bench);
    let stopped = bench.runback(&["stop", &run]).expect(0);
    let session = tenant.sessions()[0]["id"].as_str().unwrap().to_owned();
    assert!(
        stopped
            .stderr
            .contains(&format!("session `{session}` goes on in the service")),
        "{stopped}"
    );
    last_line_goes_on(&stopped, &run);
    let done = running.finish().expect(3);
    assert!(
        done.stderr
            .contains(&format!("stopped with `runback stop {run}`")),
        "{done}"
    );
    assert!(
        done.stderr.contains(&format!(
            "session {session} goes on in the service (exchange, "
        )),
        "{done}"
    );
    last_line_goes_on(&done, &run);
    assert_eq!(bench.result()["error"]["code"], "StoppedFromOutside");
    assert_eq!(bench.books(), [6, 0, 0, 0, 6]);
    assert_eq!(
        (&list(&bench)[0]["state"], &list(&bench)[0]["exit"]),
        (&json!("open"), &json!(3))
    );

    for command in ["stop", "pause", "continue"] {
        let done = bench.runback(&[command, &run]).expect(2);
        assert!(done.stderr.contains("nobody works on run"), "{done}");
        assert!(
            done.stderr.contains(&format!("`runback resume {run}`")),
            "{done}"
        );
    }
    later(&tenant);
    bench.runback(&["resume", &run]).expect(0);
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
    let done = bench.runback(&["stop", &run]).expect(2);
    assert!(
        done.stderr.contains("it has ended with exit code 0"),
        "{done}"
    );
    tenant.expect_nothing_twice();
}

#[test]
fn a_run_that_had_only_read_so_far_can_be_stopped_and_resumed_too() {
    let tenant = Served::fast();
    let bench = tenant.bench().flags(&["--yes"]).script(&format!("let people = groups::members(\"Executives\").count(); debug(\"ready\"); sleep(duration(\"1h\")); {RESTORE}"));
    let mut running = bench.start();
    running.hears("ready");
    let run = newest(&bench);
    bench.runback(&["stop", &run]).expect(0);
    let done = running.finish().expect(2);
    last_line_goes_on(&done, &run);
    assert_eq!(list(&bench)[0]["state"], "open");
    assert_eq!(tenant.sessions().len(), 0);
}

#[test]
fn a_run_pauses_between_waves_and_continues() {
    let tenant = slow();
    let bench = tenant.bench().flags(&["--yes"]).script(
        r#"
        import "std/waves" as waves;
        let rows = exchange::latest_points(groups::members("Executives"));
        let done = waves::run(rows, #{sizes: [1, 100]}, |wave, session| debug(`wave ${wave.number} is over`));
        print(done.waves.len());
        "#,
    );
    let mut running = waiting(&bench, &tenant);
    let run = newest(&bench);
    let done = bench.runback(&["pause", &run]).expect(0);
    assert!(
        done.stderr.contains(&format!("`runback continue {run}`")),
        "{done}"
    );
    later(&tenant);
    running
        .hears("wave 1 is over")
        .hears("paused from another terminal");
    let done = bench.runback(&["runs", &run]).expect(0);
    assert!(done.stdout.contains(", paused\n"), "{done}");
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 1);
    bench.runback(&["continue", &run]).expect(0);
    running.hears("continued");
    wait_for(&tenant, 1, GOING);
    later(&tenant);
    let done = running.finish().expect(0);
    assert_eq!(done.stdout, "2\n");
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
}

#[test]
fn a_paused_run_can_be_stopped() {
    let tenant = slow();
    let bench = tenant.bench().flags(&["--yes"]).script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         let session = exchange::create_session(rows, \"new\");\n\
         debug(\"ready\");\nsleep(duration(\"1500ms\"));\nsession.activate();",
    );
    let mut running = bench.start();
    running.hears("ready");
    let run = newest(&bench);
    bench.runback(&["pause", &run]).expect(0);
    running.hears("paused from another terminal");
    bench.runback(&["stop", &run]).expect(0);
    let done = running.finish().expect(3);
    assert_eq!(
        tenant.count("POST /restoreSessions/{id}/activate"),
        0,
        "{done}"
    );
    assert_eq!(bench.books(), [6, 0, 0, 6, 0]);
}

/// Leaves a draft behind.
fn drafting(tenant: &Served) -> Bench {
    let bench = tenant.bench().script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         exchange::create_session(rows, \"new\"); ()",
    );
    bench.run().expect(1);
    bench
}

#[test]
fn drafts_that_were_left_behind_are_listed_and_deleted() {
    let tenant = Served::fast();
    let bench = drafting(&tenant);
    let ours = tenant.sessions()[0]["id"].as_str().unwrap().to_owned();
    // Of another state folder: nothing to us.
    drafting(&tenant);
    assert_eq!(tenant.sessions().len(), 2);
    let run = newest(&bench);
    let drafts = bench
        .runback(&["drafts", "--format", "json"])
        .expect(0)
        .json()
        .remove(0);
    let drafts = drafts.as_array().unwrap();
    assert_eq!(drafts.len(), 1);
    let draft = &drafts[0];
    assert_eq!(
        (&draft["session"], &draft["run"], &draft["artifacts"]),
        (&json!(ours), &json!(run), &json!(6))
    );
    assert!(draft["age_seconds"].is_i64(), "{draft}");
    let done = bench.runback(&["drafts"]).expect(0);
    assert!(
        done.stdout.contains(&ours) && done.stderr.contains("drafts --delete"),
        "{done}"
    );

    let done = bench.runback(&["drafts", "--delete"]).expect(5);
    assert!(
        done.stderr
            .contains(&format!("delete 1 draft of run {run}")),
        "{done}"
    );
    assert_eq!(tenant.sessions().len(), 2);
    let done = bench.runback(&["drafts", "--delete", "--yes"]).expect(0);
    assert!(done.stderr.contains("1 draft was deleted"), "{done}");
    let left = tenant.sessions();
    assert_eq!(left.len(), 1);
    assert_ne!(left[0]["id"], ours);
    assert_eq!(
        bench
            .runback(&["drafts", "--format", "json"])
            .expect(0)
            .stdout,
        "[]\n"
    );
    // It stands in the record of the run that made the draft.
    let evidence = bench.runback(&["runs", &run, "--export", "-"]).expect(0);
    let kinds: Vec<Value> = evidence
        .json()
        .iter()
        .map(|row| json!([row["kind"], row["what"]["operation"]]))
        .collect();
    assert_eq!(
        kinds[kinds.len() - 3..],
        [
            json!(["consent", null]),
            json!(["intent", "delete session"]),
            json!(["outcome", null])
        ]
    );
    bench.runback(&["runs", &run, "--verify"]).expect(0);
}

#[test]
fn a_draft_that_is_none_any_more_is_left_alone() {
    let tenant = Served::fast();
    let bench = drafting(&tenant);
    let session = tenant.sessions()[0]["id"].as_str().unwrap().to_owned();
    // Somebody else activates it.
    let other = tenant
        .bench()
        .flags(&["--yes"])
        .script(&format!("sessions::get(\"{session}\").activate(); ()"));
    other.run();
    assert_ne!(tenant.sessions()[0]["status"], "draft");
    assert_eq!(
        bench
            .runback(&["drafts", "--format", "json"])
            .expect(0)
            .stdout,
        "[]\n"
    );
    let done = bench.runback(&["drafts", "--delete", "--yes"]).expect(0);
    assert!(done.stderr.contains("nothing was deleted"), "{done}");
    assert_eq!(tenant.count("DELETE /restoreSessions/{id}"), 0);
}

#[test]
fn drafts_of_a_run_at_work_are_left_to_it() {
    let tenant = Served::fast();
    let bench = tenant.bench().script(
        "let rows = exchange::latest_points(groups::members(\"Executives\"));\n\
         exchange::create_session(rows, \"new\"); debug(\"ready\"); sleep(duration(\"1h\"));",
    );
    let mut running = bench.start();
    running.hears("ready");
    let done = bench.runback(&["drafts", "--delete", "--yes"]).expect(0);
    assert!(done.stderr.contains("left as they are: process "), "{done}");
    assert_eq!(tenant.sessions().len(), 1);
    // Stopped, it is open: that is said when its drafts are to go.
    running.signal("INT");
    running.finish().expect(130);
    let done = bench.runback(&["drafts", "--delete"]).expect(5);
    assert!(
        done.stderr
            .contains("which can be resumed and would miss them"),
        "{done}"
    );
    assert_eq!(tenant.sessions().len(), 1);
}

#[test]
fn evidence_that_was_touched_is_found() {
    let tenant = Served::fast();
    let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
    bench.run().expect(0);
    let run = newest(&bench);
    let done = bench
        .runback(&["runs", &run, "--verify", "--format", "json"])
        .expect(0);
    let intact = done.json().remove(0);
    let file = bench.path("evidence.jsonl");
    bench
        .runback(&["runs", &run, "--export", &file.display().to_string()])
        .expect(0);
    let lines: Vec<Value> = bench
        .read("evidence.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(json!(lines.len()), intact["rows"]);
    assert_eq!(lines.last().unwrap()["hash"], intact["head"]);
    let changed = lines.iter().filter(|line| line["kind"] == "outcome");
    assert!(
        changed.clone().count() > 1
            && changed
                .clone()
                .all(|line| line["what"]["request_id"].is_string())
    );

    let database = Connection::open(bench.path("state/journal.db")).unwrap();
    let touched = "UPDATE evidence SET json = replace(json, '\"items\":6', '\"items\":5') WHERE kind = 'intent'";
    assert!(database.execute(touched, []).unwrap() > 0);
    drop(database);
    let first = 1 + lines
        .iter()
        .position(|line| line["what"]["items"] == 6 && line["kind"] == "intent")
        .unwrap();
    let done = bench.runback(&["runs", &run, "--verify"]).expect(4);
    assert!(
        done.stderr
            .contains(&format!("is not as it was written: row {first}: ")),
        "{done}"
    );
    // No row of it, and no row fewer.
    let done = bench
        .runback(&["runs", &run, "--verify", "--format", "json"])
        .expect(4);
    assert_eq!(done.json()[0]["row"], first);
}

#[test]
fn old_runs_are_taken_out_and_what_a_person_needs_is_kept() {
    let tenant = slow();
    let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
    let running = waiting(&bench, &tenant);
    let first = newest(&bench);
    bench.runback(&["stop", &first]).expect(0);
    running.finish().expect(3);
    let only_reads = bench.path("script.rhai");
    std::fs::write(&only_reads, "users::list().count()").unwrap();
    bench.run().expect(0);
    std::fs::write(
        &only_reads,
        "let s = exchange::create_session(); s.delete(); ()",
    )
    .unwrap();
    bench.run().expect(0);
    let ended = newest(&bench);
    assert_ne!(first, ended);
    assert_eq!(bench.results().len(), 3);
    let done = bench.runback(&["runs", "--prune", "1y"]).expect(0);
    assert!(
        done.stdout
            .contains(" 0 taken out, with 0 result documents\n"),
        "{done}"
    );
    let done = bench.runback(&["runs", "--prune", "0s"]).expect(0);
    assert!(
        done.stdout
            .contains(" 1 taken out, with 2 result documents\n"),
        "{done}"
    );
    assert!(
        done.stdout
            .contains(&format!("kept 1, because they can be resumed: {first}\n")),
        "{done}"
    );
    let runs: Vec<Value> = list(&bench).iter().map(|run| run["run"].clone()).collect();
    assert_eq!(runs, [json!(first)]);
    assert_eq!(bench.results().len(), 1);
    // It can be, too.
    std::fs::write(bench.path("script.rhai"), RESTORE).unwrap();
    later(&tenant);
    bench.runback(&["resume", &first]).expect(0);
    let done = bench
        .runback(&["runs", "--prune", "0s", "--format", "json"])
        .expect(0)
        .json()
        .remove(0);
    assert_eq!(done["removed"], json!([first]));
    assert_eq!(list(&bench).len(), 0);
}

#[test]
fn the_command_at_the_end_gets_the_result_whatever_it_is() {
    let tenant = Served::fast();
    let bench = tenant
        .bench()
        .flags(&["--yes", "--on-end", "cat > told.json; echo on stdout"]);
    for (script, code) in [
        (RESTORE, 0),
        ("skip(\"zoe\", \"on leave\")", 1),
        ("let x = ;", 2),
    ] {
        std::fs::write(bench.path("script.rhai"), script).unwrap();
        let done = bench.run().expect(code);
        assert_eq!(done.stdout, "", "stdout is data\n{done}");
        assert!(done.stderr.contains("on stdout\n"), "{done}");
        let told: Value = serde_json::from_str(&bench.read("told.json")).unwrap();
        assert_eq!(told, bench.result());
        assert_eq!(told["exit"], code);
    }
    std::fs::remove_file(bench.path("script.rhai")).unwrap();
    bench.run().expect(2);
    let told: Value = serde_json::from_str(&bench.read("told.json")).unwrap();
    assert_eq!((&told["exit"], &told["sha256"]), (&json!(2), &Value::Null));
}

#[test]
fn a_command_at_the_end_that_fails_changes_nothing() {
    let tenant = Served::fast();
    let bench = tenant
        .bench()
        .flags(&["--yes", "--on-end", "exit 9"])
        .script(RESTORE);
    let done = bench.run().expect(0);
    assert!(
        done.stderr
            .contains("warning: `--on-end exit 9` ended with exit code 9"),
        "{done}"
    );
}

#[test]
fn what_failed_is_tried_again() {
    let tenant = Served::fast();
    let find = tenant
        .bench()
        .script(r#"exchange::latest_points(groups::members("Executives"))[2].unit.id"#);
    let unit = find.run().expect(0).stdout.trim().to_owned();
    tenant.breaks("hold", &unit);
    let bench = tenant
        .bench()
        .flags(&["--yes"])
        .script(&RESTORE.replace("\"new\"", "\"inPlace\""));
    bench.run().expect(1);
    assert_eq!(bench.books(), [6, 5, 1, 0, 0]);
    let run = newest(&bench);
    let script = r#"
        //! @param run string the run whose failures are tried again
        import "std/waves" as waves;
        let rows = waves::retry_failed(args.run);
        table(rows, ["name", "code", "workload"]);
        let one = rows[0];
        print(`${one.item == one.unit.id} ${one.point.id != ()} ${one.point.protectionDateTime > datetime("2020-01-01T00:00:00Z")} ${one.reason}`);
        let done = waves::run(rows, #{sizes: [25]});
        print(done.waves[0].succeeded);
    "#;
    std::fs::write(
        bench.path("script.rhai"),
        script.replace("        //!", "//!"),
    )
    .unwrap();
    let bench = bench.arguments(&[&format!("run={}", &run[run.len() - 6..])]);
    // It is still on hold.
    let done = bench.run().expect(1);
    assert!(
        done.stdout
            .contains("ArtifactCannotBeRestored  exchange\ntrue true true "),
        "{done}"
    );
    assert!(done.stdout.ends_with("\n0\n"), "{done}");
    assert_eq!(bench.books(), [1, 0, 1, 0, 0]);
    assert_eq!(bench.result()["items"][0]["unit"], unit);

    std::fs::write(bench.path("script.rhai"), "runs::failed(\"nothing\")").unwrap();
    let bench = tenant.bench().script("runs::failed(\"nothing\")");
    let done = bench.run().expect(2);
    assert!(
        done.stderr
            .contains("there is no run `nothing` in this state folder"),
        "{done}"
    );
}

#[test]
fn a_resumed_run_sees_the_same_failures_again() {
    let tenant = slow();
    let find = tenant
        .bench()
        .script(r#"exchange::latest_points(groups::members("Executives"))[2].unit.id"#);
    let unit = find.run().expect(0).stdout.trim().to_owned();
    tenant.breaks("hold", &unit);
    let bench = tenant
        .bench()
        .flags(&["--yes"])
        .script(&RESTORE.replace("\"new\"", "\"inPlace\""));
    let running = waiting(&bench, &tenant);
    later(&tenant);
    running.finish().expect(1);
    let first = newest(&bench);
    let script =
        format!("import \"std/waves\" as waves; waves::run(waves::retry_failed(\"{first}\")); ()");
    std::fs::write(bench.path("script.rhai"), script).unwrap();
    let running = waiting(&bench, &tenant);
    let second = newest(&bench);
    bench.runback(&["stop", &second]).expect(0);
    running.finish().expect(3);
    // The first run is no more; what was read of it is.
    bench.runback(&["runs", "--prune", "0s"]).expect(0);
    bench.runback(&["runs", &first]).expect(2);
    later(&tenant);
    // It is still on hold.
    bench.runback(&["resume", &second]).expect(1);
    assert_eq!(bench.books(), [1, 0, 1, 0, 0]);
    tenant.expect_nothing_twice();
}

/// Ctrl-C and SIGTERM while a change is on its way: it is brought to its end, and then the run goes on where it was.
#[test]
fn a_change_in_flight_is_brought_to_its_end() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let tenant = Served::fast();
        tenant.faults("slow=1x:500ms@POST …/activate");
        let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
        let mut running = bench.start();
        while tenant.count("POST /restoreSessions/{id}/activate") == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        running.signal(signal);
        let done = running.finish().expect(code);
        let run = newest(&bench);
        last_line_goes_on(&done, &run);
        // Its answer came: nothing is in doubt.
        assert!(
            !bench
                .runback(&["runs", &run])
                .expect(0)
                .stdout
                .contains("nobody knows")
        );
        let activated = tenant.count("POST /restoreSessions/{id}/activate");
        bench.runback(&["resume", &run]).expect(0);
        assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
        assert_eq!(
            tenant.count("POST /restoreSessions/{id}/activate"),
            activated
        );
        tenant.expect_nothing_twice();
    }
}

/// A read that hangs ends at once, also inside of a change that has not been sent yet.
#[test]
fn a_read_in_flight_ends_at_once() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let tenant = Served::fast();
        tenant.faults("slow=1x:1h@GET …/restoreSessions/{id}");
        let bench = tenant.bench().script(RESTORE).flags(&["--yes"]);
        let mut running = bench.start();
        while tenant.count("GET /restoreSessions/{id}")
            + tenant.count("GET /exchangeRestoreSessions/{id}")
            == 0
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        running.signal(signal);
        let begun = Instant::now();
        let done = running.finish().expect(code);
        // 100 ms, and what a process on a busy machine takes to end.
        assert!(
            begun.elapsed() < Duration::from_millis(700),
            "{:?}\n{done}",
            begun.elapsed()
        );
        last_line_goes_on(&done, &newest(&bench));
    }
}
