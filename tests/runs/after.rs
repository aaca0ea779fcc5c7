//! What remains of runs: evidence, old runs, what failed, and who is told at the end.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{RESTORE, later, list, newest, slow, waiting};
use crate::support::Served;

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
