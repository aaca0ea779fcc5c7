//! The runbooks people copy, and the building blocks in `std/`: all of them run.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Bench, Served};

fn bench(tenant: &Served, script: &str) -> Bench {
    tenant.bench().flags(&["--yes"]).script(script)
}

/// A person's unit, to break it.
fn unit_of(tenant: &Served, person: &str) -> String {
    let script = format!("exchange::unit(users::get(\"{person}@contoso.example\")).id");
    let done = tenant.bench().script(&script).run().expect(0);
    done.stdout.trim().to_owned()
}

#[test]
fn every_runbook_in_the_folder_is_run_by_a_test() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");
    let names: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let tested = [
        "report-coverage.rhai",
        "restore-from-csv.rhai",
        "restore-group.rhai",
        "watch-sessions.rhai",
    ];
    assert_eq!(
        names,
        tested.map(str::to_owned).into(),
        "write its test here, then name it"
    );
}

#[test]
fn every_runbook_has_help() {
    for (script, about) in [
        (
            include_str!("../scripts/report-coverage.rhai"),
            "Who is protected",
        ),
        (
            include_str!("../scripts/restore-from-csv.rhai"),
            "a CSV file lists",
        ),
        (
            include_str!("../scripts/restore-group.rhai"),
            "a group's mailboxes",
        ),
        (
            include_str!("../scripts/watch-sessions.rhai"),
            "What is being restored now",
        ),
    ] {
        let done = Bench::new()
            .script(script)
            .runback(&["run", "script.rhai", "--help"])
            .expect(0);
        assert!(done.stdout.contains(about), "{done}");
    }
}

#[test]
fn restore_group_in_the_sandbox_of_the_process() {
    let bench = Bench::new()
        .script(include_str!("../scripts/restore-group.rhai"))
        .arguments(&["group=Finance", "before=-24h"])
        .flags(&["--sandbox", "--speed", "20000", "--yes"]);
    bench.run().expect(1);
    // Here some may fail by chance.
    let [asked, succeeded, failed, skipped, unknown] = bench.books();
    assert_eq!((asked, skipped, unknown), (13, 2, 0));
    assert!(succeeded > failed);
}

#[test]
fn restore_from_csv_takes_a_list_that_another_run_wrote() {
    let tenant = Served::fast();
    let list = r#"
        let lines = users::list().first(7).map(|user| #{address: user.userPrincipalName, before: now() - duration("26h")});
        lines.push(#{address: "nobody@contoso.example", before: now()});
        csv::write("people.csv", lines);
    "#;
    let bench = bench(&tenant, list);
    bench.run().expect(0);
    let header = bench.read("people.csv");
    assert!(header.starts_with("address,before\n"), "{header}");
    let bench = bench
        .script(include_str!("../scripts/restore-from-csv.rhai"))
        .arguments(&["people=people.csv", "destination=inPlace"]);
    let done = bench.run().expect(1);
    let done = done.to_string().replace("  Recovered Items [MINUTE]", "");
    assert_snapshot!(done, @"
    exit: 1
    ----- stdout -----
    name                    code          reason
    Kenji Rossi             NotProtected  this mailbox has left protection and has no such point
    nobody@contoso.example  UserNotFound  there is no user `nobody@contoso.example`
    name            status     restoredFolderName
    Rania Shah      succeeded  Top of Information Store
    Zoë Lee         failed
    Astrid Yılmaz   succeeded  Top of Information Store
    Aiko Lee        succeeded  Top of Information Store
    Siobhán Khalil  succeeded  Top of Information Store
    Hana Joshi      succeeded  Top of Information Store
    ----- stderr -----
    [CLOCK] warn 2 of 8 have no restore point before their instant: they are skipped
    asked 8 = succeeded 5 + failed 1 + skipped 2 + unknown 0
      failed        1  ArtifactCannotBeRestored
      skipped       1  NotProtected
      skipped       1  UserNotFound

      failed   Zoë Lee (exchange): ArtifactCannotBeRestored, The restore artifact is in an unexpected state such as preservation lock or TenantDivestiture which is blocking the restore.
      skipped  Kenji Rossi (exchange): NotProtected, this mailbox has left protection and has no such point
      skipped  nobody@contoso.example (exchange): UserNotFound, there is no user `nobody@contoso.example`

    1 session, [COST]
    every item, with its reason: [FOLDER]/state/runs/[RUN]/result.json
    ");
    tenant.expect_nothing_twice();
}

#[test]
fn report_coverage_shows_who_is_protected_and_changes_nothing() {
    let tenant = Served::fast();
    let bench = tenant
        .bench()
        .script(include_str!("../scripts/report-coverage.rhai"))
        .arguments(&["older_than=1h"])
        .flags(&["--format", "json"]);
    let done = bench.run().expect(0);
    let tables = done.json();
    let rows = tables[0].as_array().unwrap();
    assert_eq!((tables.len(), rows.len()), (1, 100));
    for row in rows {
        assert!(row["name"].is_string(), "{row}");
        assert_eq!(row["newest"].is_null(), row["age"].is_null(), "{row}");
        assert_eq!(row["newest"].is_null(), row["code"].is_string(), "{row}");
    }
    let bare = rows.iter().filter(|row| row["newest"].is_null()).count();
    assert!(
        done.stderr
            .contains(&format!("100 users: {bare} without a restore point")),
        "{done}"
    );
    assert!(tenant.sessions().is_empty());
}

#[test]
fn watch_sessions_shows_what_runs_now() {
    // Slow enough that what was started still runs.
    let tenant = Served::start(&["--speed", "60"]);
    let start = r#"
        exchange::create_session(exchange::latest_points(groups::members("Executives")), "new").activate();
        exchange::create_session(exchange::latest_points(groups::members("Nobody")), "new");
        ()
    "#;
    bench(&tenant, start).flags(&["--no-wait"]).run().expect(3);
    let bench = tenant
        .bench()
        .script(include_str!("../scripts/watch-sessions.rhai"))
        .arguments(&["times=2", "every=5ms"])
        .flags(&["--format", "json"]);
    let done = bench.run().expect(0);
    let tables = done.json();
    assert_eq!(tables.len(), 2, "{done}");
    let row = &tables[1][0];
    assert_eq!(row["workload"], "exchange");
    assert!(
        ["activating", "active"]
            .map(Value::from)
            .contains(&row["status"]),
        "{row}"
    );
    assert_eq!((&row["of"], &tables[1][1]), (&json!(6), &Value::Null));
}

#[test]
fn waves_begin_with_a_canary() {
    let tenant = Served::fast();
    let script = r#"
        import "std/waves" as waves;
        let rows = exchange::latest_points(groups::members("Finance")).filter(|row| row.point != ());
        let sizes = [];
        let told = waves::run(rows, #{sizes: [2, 4], destination: "inPlace"}, |wave, session| {
            print(`wave ${wave.number}: ${wave.asked} asked, ${wave.failed} failed, session ${session.status}`);
        });
        print(`${told.waves.len()} waves, stopped: ${told.stopped}, not started: ${told.not_started}`);
    "#;
    let bench = bench(&tenant, script);
    assert_snapshot!(bench.run(), @"
    exit: 0
    ----- stdout -----
    wave 1: 2 asked, 0 failed, session completed
    wave 2: 4 asked, 0 failed, session completed
    wave 3: 4 asked, 0 failed, session completed
    wave 4: 2 asked, 0 failed, session completed
    4 waves, stopped: false, not started: 0
    ----- stderr -----
    asked 12 = succeeded 12 + failed 0 + skipped 0 + unknown 0
    4 sessions, [COST]
    ");
    tenant.expect_nothing_twice();
}

#[test]
fn waves_stop_above_the_share_that_may_fail() {
    let tenant = Served::fast();
    // The third of the executives is on hold: half of the first wave of two is well, the second wave is not.
    tenant.breaks("hold", &unit_of(&tenant, "eleni.khalil"));
    let script = r#"
        import "std/waves" as waves;
        let rows = exchange::latest_points(groups::members("Executives"));
        let told = waves::run(rows, #{sizes: [2, 2], stop_above: 0.4, destination: "inPlace"});
        print(`${told.waves.map(|wave| wave.failed)} ${told.stopped} ${told.not_started}`);
    "#;
    let bench = bench(&tenant, script);
    assert_snapshot!(bench.run(), @"
    exit: 1
    ----- stdout -----
    [0, 1] true 2
    ----- stderr -----
    [CLOCK] warn stopped after wave 2: more than 40.0 % of it failed; 2 were not started
    asked 6 = succeeded 3 + failed 1 + skipped 2 + unknown 0
      failed        1  ArtifactCannotBeRestored
      skipped       2  NotStarted

      failed   Eleni Khalil (exchange): ArtifactCannotBeRestored, The restore artifact is in an unexpected state such as preservation lock or TenantDivestiture which is blocking the restore.
      skipped  Beatriz Joshi (exchange): NotStarted
      skipped  Zanele Almeida (exchange): NotStarted

    2 sessions, [COST]
    every item, with its reason: [FOLDER]/state/runs/[RUN]/result.json
    ");
    assert_eq!(bench.books(), [6, 3, 1, 2, 0]);
}

#[test]
fn waves_refuse_options_that_they_do_not_have() {
    let script = |options: &str| {
        format!(
            "import \"std/waves\" as waves;\ntry {{ waves::run([], {options}); }} catch (e) {{ print(`${{e.code}}: ${{e.message}}; ${{e.hint}}`); }}"
        )
    };
    let said = |options: &str| Bench::new().script(&script(options)).run().expect(0).stdout;
    assert_eq!(
        said("#{size: 3}"),
        "UnknownOption: there is no option `size` here; the options are `sizes`, `stop_above`, `destination` and `workload`\n"
    );
    assert_eq!(
        said("#{sizes: [0]}"),
        "BadOption: option `sizes` must list numbers of at least 1; write `sizes: [25, 200, 1000]`\n"
    );
}

#[test]
fn rows_can_be_ranked_by_a_list() {
    let tenant = Served::fast();
    let script = r#"
        import "std/waves" as waves;
        let rows = exchange::latest_points(groups::members("Executives"));
        csv::write("vips.csv", [
            #{person: "Eleni.Khalil@contoso.example", priority: 2},
            #{person: "Beatriz Joshi", priority: 1},
            #{person: "not here", priority: 0},
        ]);
        print(waves::by_priority(rows, csv::read("vips.csv")).map(|row| row.name));
        let order = [#{person: "Zanele Almeida"}, #{person: "sofia.garcia@contoso.example"}];
        print(waves::by_priority(rows, order).map(|row| row.name));
    "#;
    assert_snapshot!(bench(&tenant, script).run().stdout, @r#"
    ["Beatriz Joshi","Eleni Khalil","Siobhán Khalil","Sofia García","Sean Morales","Zanele Almeida"]
    ["Zanele Almeida","Sofia García","Siobhán Khalil","Eleni Khalil","Sean Morales","Beatriz Joshi"]
    "#);
}

#[test]
fn ages_are_counted_in_bands() {
    let tenant = Served::fast();
    let script = r#"
        import "std/report" as report;
        let rows = report::coverage(exchange::latest_points(groups::members("Everyone")));
        print(rows.filter(|row| row.name == "Kenji Rossi"));
        table(report::ages(rows));
    "#;
    assert_snapshot!(bench(&tenant, script).run().stdout, @r#"
    [{"age":null,"code":"NotProtected","name":"Kenji Rossi","newest":null,"protected":false,"status":"unprotected"}]
    age               count
    up to 1 hour         90
    up to 1 day           0
    up to 1 week          2
    older                 0
    no restore point      8
    "#);
}
