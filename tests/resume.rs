//! `kill -9` of the host, and `resume`: the end is that of a run that nobody has killed.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Bench, Served};

/// A create, PATCHes, two parts, activates, a wait, artifacts; parallel lines, steps, a stream, errors that are caught, times.
const EVERYTHING: &str = r#"
    let begun = now();
    let people = step("people", || groups::members("Everyone").collect());
    let names = parallel(people.first(6), 3, |person| users::get(person.id).displayName);
    let rows = step("rows", || {
        let found = step("search", || exchange::points_before(people, now()));
        found
    });
    let tried = attempt(|| users::get("nobody@nowhere.example"));
    let session = exchange::create_session(rows, "new", #{session_size: 60});
    for row in try_parallel(rows.first(4), 2, |row| exchange::unit(row.item)) {
        if row.error != () { log::debug(row.error.code); }
    }
    session.activate();
    session.wait();
    skip("the intern", "left the company", #{ok: true});
    print(`${names.len()} ${tried.error.code} ${session.parts.len} ${session.artifacts().count()} ${begun <= now()}`);
"#;

/// What such a run says and books when nobody kills it.
struct Undisturbed {
    books: [u64; 5],
    stdout: String,
    /// How many records its journal got.
    records: u64,
    requests: u64,
}

pub(crate) fn bench(tenant: &Served, script: &str) -> Bench {
    tenant.bench().flags(&["--yes"]).script(script)
}

/// The newest run in the journal of the bench's state folder; `None` where none stands there.
pub(crate) fn run_of(bench: &Bench) -> Option<String> {
    let database = rusqlite::Connection::open(bench.path("state/journal.db")).ok()?;
    let query = "SELECT run FROM runs ORDER BY started DESC LIMIT 1";
    database.query_row(query, [], |row| row.get(0)).ok()
}

fn requests(tenant: &Served) -> u64 {
    let state = tenant.get("/_sandbox/state");
    let counts = state["counts"].as_object().unwrap();
    counts.values().filter_map(Value::as_u64).sum()
}

fn undisturbed() -> Undisturbed {
    let tenant = Served::fast();
    let bench = bench(&tenant, EVERYTHING).variable("RUNBACK_TEST_CRASH_AT", "1000000");
    let done = bench.run();
    assert_eq!(done.code, 1, "{done}");
    Undisturbed {
        books: bench.books(),
        stdout: done.stdout.clone(),
        records: records(&bench),
        requests: requests(&tenant),
    }
}

/// About as many records as a run writes: those that stand in its journal.
fn records(bench: &Bench) -> u64 {
    let database = rusqlite::Connection::open(bench.path("state/journal.db")).unwrap();
    [
        "answers", "intents", "outcomes", "items", "sessions", "consents",
    ]
    .iter()
    .map(|table| {
        let query = format!("SELECT COUNT(*) FROM {table}");
        database
            .query_row(&query, [], |row| row.get::<_, i64>(0))
            .unwrap()
    })
    .map(|count| u64::try_from(count).unwrap())
    .sum()
}

/// Resumes until the run has come to its end.
pub(crate) fn resumed(bench: &Bench, run: &str) -> crate::support::Done {
    for _ in 0..4 {
        let done = bench.runback(&["resume", run]);
        if !matches!(done.code, 3 | 4) {
            return done;
        }
    }
    panic!("run {run} does not come to its end");
}

/// Kills the run in a way, resumes it, and holds its end against the undisturbed one.
fn survives(case: &str, faults: &str, expected: &Undisturbed, kill: impl Fn(Bench) -> Bench) {
    let tenant = Served::fast();
    tenant.faults(faults);
    let bench = kill(bench(&tenant, EVERYTHING));
    let first = bench.run();
    let Some(run) = run_of(&bench) else {
        // Killed before anything stood in the journal: nothing was sent either.
        assert_eq!(tenant.sessions().len(), 0, "{case}");
        return;
    };
    let done = if first.code == 1 {
        first
    } else {
        // The next process is not killed.
        let bench = bench.variable("RUNBACK_TEST_CRASH_AT", "1000000");
        let done = resumed(&bench, &run);
        assert_eq!(bench.books(), expected.books, "{case}\n{done}");
        done
    };
    tenant.expect_nothing_twice();
    assert_eq!(done.code, 1, "{case}\n{done}");
    let activated = tenant
        .sessions()
        .iter()
        .filter(|session| session["status"] != "draft")
        .count();
    assert_eq!(activated, 2, "{case}\n{done}");
    if faults.is_empty() {
        let sent = requests(&tenant);
        // What was on its way when the process died is asked for again.
        assert!(
            sent <= expected.requests * 12 / 10 + 32,
            "{case}: {sent} requests, {} in a run that nobody killed",
            expected.requests
        );
    }
}

/// A bounded share of all records, spread over the run: which ones is another matter in each build.
fn share(records: u64, of: u64, seed: u64) -> impl Iterator<Item = u64> {
    let step = (records / of).max(1);
    (0..of).map(move |at| 1 + at * step + seed % step)
}

#[test]
fn a_run_that_dies_at_a_record_comes_to_the_same_end() {
    let expected = undisturbed();
    assert!(expected.stdout.starts_with("6 "), "{}", expected.stdout);
    for (at, behind) in share(expected.records, 24, 7).zip(["", ":after"].into_iter().cycle()) {
        let at = format!("{at}{behind}");
        survives(&format!("record {at}"), "", &expected, |bench| {
            bench.variable("RUNBACK_TEST_CRASH_AT", &at)
        });
    }
}

#[test]
fn so_does_one_with_faults_of_every_kind() {
    let expected = undisturbed();
    let faults = "429=5%:retry-after=0,503=5%:retry-after=0,reset=5%,cut=5%,lost-answer=5%,late=2%:200ms,500=2%,502=2%,504=2%";
    for at in share(expected.records, 8, 3) {
        survives(&format!("record {at}"), faults, &expected, |bench| {
            bench.variable("RUNBACK_TEST_CRASH_AT", &at.to_string())
        });
    }
}

#[test]
fn every_single_record_may_be_the_last() {
    // A run of few records, each of them in turn.
    let script = r#"
        let rows = exchange::latest_points(groups::members("Finance").first(3));
        let session = exchange::create_session(rows, "new");
        session.activate();
        session.wait();
    "#;
    let told = |tenant: &Served| bench(tenant, script).flags(&["--on-end", "cat > told.json"]);
    let tenant = Served::fast();
    let undisturbed = told(&tenant);
    let code = undisturbed.run().code;
    let books = undisturbed.books();
    for at in 1.. {
        let mut killed = 0;
        for behind in ["", ":after"] {
            let at = format!("{at}{behind}");
            let tenant = Served::fast();
            let bench = told(&tenant).variable("RUNBACK_TEST_CRASH_AT", &at);
            let first = bench.run();
            let Some(run) = run_of(&bench) else {
                // Killed before anything stood in the journal.
                killed += 1;
                assert_eq!(tenant.sessions().len(), 0, "record {at}");
                continue;
            };
            if first.code != code {
                killed += 1;
                let bench = bench.variable("RUNBACK_TEST_CRASH_AT", "1000000");
                let done = resumed(&bench, &run);
                let ended = (done.code, bench.books());
                assert_eq!(ended, (code, books), "record {at}\n{done}");
                assert!(done.stderr.contains("asked 3 = "), "record {at}\n{done}");
                for file in [
                    format!("state/runs/{run}/result.json"),
                    "told.json".to_owned(),
                ] {
                    assert!(bench.path(&file).is_file(), "record {at}: {file}\n{done}");
                }
            }
            tenant.expect_nothing_twice();
        }
        if killed == 0 {
            assert!(at > 10, "only {at} records were written");
            return;
        }
    }
}

#[test]
fn what_was_said_before_is_not_said_again() {
    let tenant = Served::fast();
    let script = r#"
        print("first");
        let people = groups::members("Finance").first(2);
        print("second");
        let session = exchange::create_session(exchange::latest_points(people), "new");
        print("third");
        session.activate();
        print("fourth");
        session.wait();
        table([#{a: 1}]);
    "#;
    let bench = bench(&tenant, script);
    let first = bench.runback(&["run", "script.rhai", "--no-wait"]);
    // The script itself has waited.
    assert_eq!(first.code, 0, "{first}");
    assert!(
        first.stdout.starts_with("first\nsecond\nthird\nfourth\n"),
        "{first}"
    );

    let unawaited = bench.script(&script.replace("session.wait();", ""));
    let first = unawaited.runback(&["run", "script.rhai", "--no-wait", "--again"]);
    assert_eq!(first.code, 3, "{first}");
    let last = first.stderr.lines().last().unwrap();
    let run = last
        .strip_prefix("go on with: runback resume ")
        .expect(last);
    let done = unawaited.runback(&["resume", run]);
    assert_eq!(done.code, 0, "{done}");
    // The table came after the last thing that the record knows.
    assert!(
        !done.stdout.contains("first") && !done.stdout.contains("third"),
        "{done}"
    );
}

#[test]
fn a_script_that_was_edited_is_refused_with_the_difference() {
    let tenant = Served::fast();
    let script = r#"
        let rows = exchange::latest_points(groups::members("Finance").first(2));
        let session = exchange::create_session(rows, "new");
        session.activate();
    "#;
    let bench = bench(&tenant, script);
    assert_eq!(bench.runback(&["run", "script.rhai", "--no-wait"]).code, 3);
    let run = run_of(&bench).unwrap();
    let edited = script.replace("first(2)", "first(3)");
    let bench = bench.script(&edited);
    let refused = bench.runback(&["resume", &run]);
    assert_eq!(refused.code, 2, "{refused}");
    for word in [
        "was edited since",
        "first(2)",
        "first(3)",
        "--accept-changes",
    ] {
        assert!(refused.stderr.contains(word), "{word}\n{refused}");
    }
    assert_eq!(tenant.sessions().len(), 1);

    let accepted = bench.runback(&["resume", &run, "--accept-changes"]);
    tenant.expect_nothing_twice();
    let [asked, ..] = bench.books();
    assert_eq!(asked, 3, "{accepted}");
    // The two that run already are left alone; the third is new.
    let units: usize = tenant
        .sessions()
        .iter()
        .filter(|session| session["status"] != "draft")
        .map(|session| session["artifacts"].as_array().unwrap().len())
        .sum();
    assert_eq!(units, 3, "{accepted}");
}

#[test]
fn whoever_joins_or_leaves_the_group_meanwhile_changes_nothing() {
    let script = r#"
        let people = groups::members("Finance");
        let rows = exchange::latest_points(people);
        let session = exchange::create_session(rows, "new");
        session.activate();
        session.wait();
        print(people.count());
    "#;
    let tenant = Served::fast();
    tenant.breaks("chance", "never");
    let undisturbed = bench(&tenant, script);
    let first = undisturbed.run();
    let names = |bench: &Bench| -> BTreeSet<String> {
        let items = bench.result()["items"].clone();
        let names = items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].to_string());
        names.collect()
    };
    let expected = names(&undisturbed);
    // The same ids in each sandbox of this seed.
    let ids = bench(
        &tenant,
        r#"
        let members = groups::members("Finance").map(|person| person.id);
        let others = users::list().filter(|person| !(person.id in members));
        print(`${groups::get("Finance").id}/${others[0].id} ${groups::get("Finance").id}/${members[0]}`);
    "#,
    );
    let ids = ids.run().expect(0).stdout;
    let (joins, leaves) = ids.trim().split_once(' ').unwrap();
    let mut killed = 0;
    for at in (4..60).step_by(2) {
        let tenant = Served::fast();
        tenant.breaks("chance", "never");
        let bench = bench(&tenant, script).variable("RUNBACK_TEST_CRASH_AT", &at.to_string());
        let dead = bench.run();
        if dead.code == first.code {
            // It has outlived all its records.
            break;
        }
        let Some(run) = run_of(&bench) else {
            continue;
        };
        // What was read is on disk before the first change goes out.
        let has_changed = !tenant.sessions().is_empty();
        tenant.breaks("joins", joins);
        tenant.breaks("leaves", leaves);
        let bench = bench.variable("RUNBACK_TEST_CRASH_AT", "1000000");
        let done = resumed(&bench, &run);
        if has_changed {
            killed += 1;
            assert_eq!(done.code, first.code, "record {at}\n{done}");
            assert_eq!(names(&bench), expected, "record {at}\n{done}");
        }
        tenant.expect_nothing_twice();
    }
    assert!(
        killed >= 2,
        "only {killed} had changed something when they died"
    );
}

/// Two sessions; the artifacts of each come in two requests.
const FEW: &str = r#"
    let rows = exchange::latest_points(groups::members("Finance")).filter(|row| row.point != ());
    let session = exchange::create_session(rows.first(2), "new", #{session_size: 4});
    session.add_all(rows.extract(2, 5), "new");
    session.activate();
    session.wait();
"#;

#[test]
fn a_run_that_dies_twice_at_its_changes_restores_nobody_twice() {
    // A hundred and fifty processes.
    let tenant = Served::fast();
    tenant.breaks("chance", "never");
    let undisturbed = bench(&tenant, FEW);
    let code = undisturbed.run().code;
    let books = undisturbed.books();
    assert_eq!(books[0], 7);
    let places =
        |of: u32| (1..=of).flat_map(|at| [format!("intent:{at}:after"), format!("outcome:{at}")]);
    let mut twice = 0;
    for (one, first) in places(5).enumerate() {
        // Half of the pairs, each place with each second one.
        for second in places(5).skip(one % 2).step_by(2) {
            let case = format!("{first}, then {second}");
            let tenant = Served::fast();
            tenant.breaks("chance", "never");
            let bench = bench(&tenant, FEW).variable("RUNBACK_TEST_CRASH_AT", &first);
            let dead = bench.run();
            assert_ne!(dead.code, code, "{case}: it was not killed\n{dead}");
            let run = run_of(&bench).unwrap();
            let bench = bench.variable("RUNBACK_TEST_CRASH_AT", &second);
            let again = bench.runback(&["resume", &run]);
            twice += usize::from(again.code != code);
            let bench = bench.variable("RUNBACK_TEST_CRASH_AT", "1000000");
            let done = bench.runback(&["resume", &run]);
            assert_eq!(
                (done.code, bench.books()),
                (code, books),
                "{case}\n{again}\n{done}"
            );
            tenant.expect_nothing_twice();
        }
    }
    assert!(twice > 15, "only {twice} were killed twice");
}
