//! The main job: find people, pick their points, restore them, account for everybody.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Bench, Served};

const RESTORE_GROUP: &str = include_str!("../scripts/restore-group.rhai");

/// A bench that has consent, with this script.
fn bench(tenant: &Served, script: &str) -> Bench {
    tenant.bench().flags(&["--yes"]).script(script)
}

/// Codes of the items of the newest run, without those that succeeded.
fn codes(bench: &Bench) -> Vec<Value> {
    let result = bench.result();
    let items = result["items"].as_array().unwrap().iter();
    items
        .filter(|item| item["outcome"] != "succeeded")
        .map(|item| item["code"].clone())
        .collect()
}

#[test]
fn a_group_is_restored_and_everybody_accounted_for() {
    let tenant = Served::fast();
    let bench = bench(&tenant, RESTORE_GROUP)
        .arguments(&["group=Finance", "before=-24h"])
        .flags(&["--report", "r.json"]);
    let done = bench.run();
    // The service fills the name in up to a quarter of an hour after the end.
    let folder = "  Recovered Items [MINUTE]";
    assert!(done.to_string().contains(folder), "{done}");
    assert_snapshot!(done.to_string().replace(folder, ""), @"
    exit: 1
    ----- stdout -----
    name             status     restoredFolderName
    Rania Shah       succeeded
    Priya Fernández  succeeded
    Yusuf Khan       succeeded
    Jin Rahman       succeeded
    Mads González    succeeded
    Beatriz Joshi    succeeded
    Hiroshi Romano   succeeded
    Darius Delgado   succeeded
    Jin Pereira      succeeded
    Lucía Ghosh      succeeded
    Ahmed Das        succeeded
    ----- stderr -----
    asked 13 = succeeded 11 + failed 0 + skipped 2 + unknown 0
      skipped       1  NoUnit
      skipped       1  NoPointBefore

      skipped  Alejandra Ndiaye (exchange): NoUnit, this mailbox was never protected
      skipped  Rosa Khalil (exchange): NoPointBefore, the service lists no restore point before [TIME]

    1 session, [COST]
    every item, with its reason: r.json
    ");
    assert_eq!(bench.books(), [13, 11, 0, 2, 0]);
    let result = bench.result();
    assert_eq!(
        serde_json::from_str::<Value>(&bench.read("r.json")).unwrap(),
        result
    );
    assert_eq!((&result["exit"], &result["schema"]), (&json!(1), &json!(1)));
    assert_eq!(result["sessions"][0]["artifacts"]["succeeded"], 11);
    for item in result["items"].as_array().unwrap() {
        assert_eq!(item["workload"], "exchange", "{item}");
        assert_eq!(item["destination"], "new", "{item}");
        let restored = item["outcome"] == "succeeded";
        assert_eq!(restored, item["point"]["id"].is_string(), "{item}");
        assert_eq!(restored, item["session"].is_string(), "{item}");
    }
    tenant.expect_nothing_twice();
}

#[test]
fn when_all_of_it_succeeds_the_exit_code_is_0() {
    let tenant = Served::fast();
    let bench = bench(&tenant, RESTORE_GROUP).arguments(&["group=Executives", "before=-24h"]);
    let done = bench.run().expect(0);
    assert!(
        done.stderr
            .starts_with("asked 6 = succeeded 6 + failed 0 + skipped 0 + unknown 0\n"),
        "{done}"
    );
}

#[test]
fn in_place_is_asked_for_by_name() {
    let tenant = Served::fast();
    let bench = bench(&tenant, RESTORE_GROUP).arguments(&[
        "group=Executives",
        "before=-24h",
        "destination=inPlace",
    ]);
    bench.run().expect(0);
    let sessions = tenant.sessions();
    let artifacts = sessions[0]["artifacts"].as_array().unwrap();
    assert_eq!(artifacts.len(), 6);
    assert!(
        artifacts
            .iter()
            .all(|artifact| artifact["destination"] == "inPlace")
    );
    let bench = bench
        .arguments(&[])
        .script(&RESTORE_GROUP.replace("args.destination", "\"be\" + \"side\""));
    let done = bench.run().expect(2);
    assert!(done.stderr.contains("`beside`"), "{done}");
    assert!(done.stderr.contains("write \"new\""), "{done}");
}

#[test]
fn a_large_set_is_split_into_parts() {
    let tenant = Served::fast();
    let script = r#"
        let rows = exchange::latest_points(groups::members("Executives"));
        let session = exchange::create_session(rows, "new", #{session_size: 4});
        print(`${session.parts.len} parts of ${session.parts.map(|part| part.count)}, ${session.count} in all, ${session.status}`);
        session.activate();
        session.wait();
        print(`${session.status}: ${session.artifacts().count()}`);
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run().expect(0);
    assert_eq!(
        done.stdout,
        "2 parts of [4, 2], 6 in all, draft\ncompleted: 6\n"
    );
    assert_eq!(bench.result()["sessions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_session_is_filled_edited_and_deleted_by_hand() {
    let tenant = Served::fast();
    let script = r#"
        let people = groups::members("Executives").collect();
        let session = exchange::create_session();
        session.add(exchange::latest_point(people[0]), "new");
        session.add_all(exchange::latest_points(people.extract(1, 3)), "new");
        print(session.count);
        session.remove(session.artifacts().first());
        print(session.artifacts().count());
        session.activate().wait();
        let other = exchange::create_session(exchange::latest_points([people[5]]), "new");
        other.delete();
        try { sessions::get(other.id); } catch (e) { print(e.code); }
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run().expect(1);
    assert_eq!(done.stdout, "4\n3\nRestoreSessionNotFound\n", "{done}");
    assert_eq!(bench.books(), [5, 3, 0, 2, 0]);
    assert_eq!(codes(&bench), ["Withdrawn", "Withdrawn"]);
}

#[test]
fn sessions_of_others_can_be_listed_and_read() {
    let tenant = Served::fast();
    let first = bench(&tenant, RESTORE_GROUP).arguments(&["group=Executives", "before=-24h"]);
    first.run().expect(0);
    let script = r#"
        for session in sessions::list() { print(`${session.workload} ${session.status} ${session.restoreSessionArtifactCount.total}`); }
        print(sessions::list(#{status: "draft"}).count());
        let session = sessions::list().first();
        print(sessions::get(session.id) == session);
        print(exchange::session(session.id).artifacts().map(|artifact| artifact.name));
    "#;
    let second = bench(&tenant, script);
    let done = second.run().expect(0);
    assert_snapshot!(done, @"
    exit: 0
    ----- stdout -----
    exchange completed 6
    0
    true
    [null,null,null,null,null,null]
    ----- stderr -----
    ");
    assert_eq!(second.books(), [0; 5]);
}

#[test]
fn waiting_for_a_session_of_another_run_books_nothing() {
    let tenant = Served::start(&["--speed", "2000"]);
    let activate = r#"
        let rows = exchange::latest_points(groups::members("Executives"));
        exchange::create_session(rows, "new").activate();
        let draft = exchange::create_session(rows, "new");
        ()
    "#;
    bench(&tenant, activate)
        .flags(&["--no-wait"])
        .run()
        .expect(3);
    let wait = r"
        for session in sessions::list() {
            try { print(session.wait().status); } catch (e) { print(e.code); }
        }
    ";
    let second = bench(&tenant, wait);
    let done = second.run().expect(0);
    let mut lines: Vec<&str> = done.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["NotActivated", "completed"], "{done}");
    assert_eq!(second.books(), [0; 5]);
}

#[test]
fn a_session_that_was_never_activated_is_skipped() {
    let tenant = Served::fast();
    let bench = bench(
        &tenant,
        r#"exchange::create_session(exchange::latest_points(groups::members("Executives")), "new"); ()"#,
    );
    let done = bench.run().expect(1);
    assert!(done.stderr.contains("NotActivated"), "{done}");
    assert_eq!(bench.books(), [6, 0, 0, 6, 0]);
    assert_eq!(codes(&bench), vec!["NotActivated"; 6]);
}

#[test]
fn an_error_after_a_change_closes_the_books_and_exits_with_3() {
    let tenant = Served::fast();
    let script = r#"
        let rows = exchange::latest_points(groups::members("Executives"));
        let session = exchange::create_session(rows, "new").activate();
        throw "the script gives up";
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run().expect(3);
    assert!(done.stderr.contains("error: the script gives up"), "{done}");
    // What runs in the service is waited for all the same.
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
    assert_eq!(bench.result()["error"]["line"], 4);
}

#[test]
fn without_waiting_the_books_stay_open_and_the_exit_code_is_3() {
    // Slow enough that nothing ends before the program does.
    let tenant = Served::start(&["--speed", "60"]);
    let script = r#"exchange::create_session(exchange::latest_points(groups::members("Executives")), "new").activate(); ()"#;
    let bench = bench(&tenant, script).flags(&["--no-wait"]);
    let done = bench.run().expect(3);
    assert_eq!(bench.books(), [6, 0, 0, 0, 6]);
    assert_eq!(codes(&bench), vec!["NotAwaited"; 6]);
    assert!(done.stderr.contains("NotAwaited"), "{done}");
}

#[test]
fn without_consent_nothing_is_activated() {
    let tenant = Served::fast();
    let bench = tenant
        .bench()
        .script(RESTORE_GROUP)
        .arguments(&["group=Executives", "before=-24h"]);
    assert_snapshot!(bench.run(), @"
    exit: 5
    ----- stdout -----
    ----- stderr -----
    error: consent is needed to restore 6 mailboxes to a new place, in 1 session (cannot be cancelled once active), and there is no terminal to ask on
      --> script.rhai:11:9
       |
    11 | session.activate();      // asks for consent, once, with the numbers
       |         ^

    hint: give consent beforehand with `--yes`

    asked 6 = succeeded 0 + failed 0 + skipped 6 + unknown 0
      skipped       6  NotActivated

      skipped  Siobhán Khalil (exchange): NotActivated, its session is a draft that was never activated
      skipped  Sofia García (exchange): NotActivated, its session is a draft that was never activated
      skipped  Eleni Khalil (exchange): NotActivated, its session is a draft that was never activated
      skipped  Sean Morales (exchange): NotActivated, its session is a draft that was never activated
      skipped  Beatriz Joshi (exchange): NotActivated, its session is a draft that was never activated
      … and 1 more, in [FOLDER]/state/runs/[RUN]/result.json

    0 sessions, [COST]
    every item, with its reason: [FOLDER]/state/runs/[RUN]/result.json
    go on with: runback resume [RUN]
    ");
    assert_eq!(bench.books(), [6, 0, 0, 6, 0]);
    assert_eq!(tenant.sessions()[0]["status"], "draft");
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 0);
}

#[test]
fn consent_cannot_be_caught() {
    let tenant = Served::fast();
    let script = r#"
        let session = exchange::create_session(exchange::latest_points(groups::members("Executives")), "new");
        for i in 0..3 { try { session.activate(); } catch { print("caught"); } }
        print("went on");
    "#;
    let done = tenant.bench().script(script).run().expect(5);
    assert_eq!(done.stdout, "");
}

#[test]
fn what_is_skipped_on_purpose_is_no_failure() {
    let tenant = Served::fast();
    let script = r#"
        for person in groups::members("Executives") { skip(person, "on leave", #{ok: true}); }
        skip("somebody@contoso.example", "left");
    "#;
    let on_purpose = script.lines().take(2).collect::<String>();
    let bench = bench(&tenant, &on_purpose);
    bench.run().expect(0);
    assert_eq!(bench.books(), [6, 0, 0, 6, 0]);
    let bench = bench.script(script);
    bench.run().expect(1);
    assert_eq!(bench.books(), [7, 0, 0, 7, 0]);
    let reasons = &bench.result()["items"];
    assert!(reasons.to_string().contains("on leave"), "{reasons}");
}

#[test]
fn the_same_rows_in_two_sessions_are_restored_once() {
    let tenant = Served::fast();
    let script = r#"
        let rows = exchange::latest_points(groups::members("Executives"));
        let first = exchange::create_session(rows, "new");
        let second = exchange::create_session(rows, "new");
        first.activate();
        second.activate();
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run();
    assert_eq!(bench.books()[..3], [6, 6, 0], "{done}");
    tenant.expect_nothing_twice();
    assert_eq!(done.code, 0, "{done}");
}

#[test]
fn rows_are_added_in_parallel() {
    let tenant = Served::start(&["--speed", "20000", "--latency", "20ms"]);
    let script = r#"
        let rows = exchange::latest_points(groups::members("Everyone")).filter(|row| row.point != ());
        let session = exchange::create_session();
        let added = parallel(rows, 8, |r| session.add(r.point, "new"));
        print(`${added.len()} ${rows.len()} ${session.count}`);
        session.activate().wait();
        ()
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run();
    assert_eq!(done.stdout, "92 92 92\n", "{done}");
    let [asked, succeeded, failed, skipped, unknown] = bench.books();
    assert_eq!((asked, skipped, unknown), (92, 0, 0));
    assert_eq!(succeeded + failed, 92);
    // Calls that come together go together: far fewer requests than rows.
    let patches = tenant.count("PATCH /exchangeRestoreSessions/{id}");
    assert!(
        (1..=30).contains(&patches),
        "{patches} requests for 92 rows"
    );
    tenant.expect_nothing_twice();
}

#[test]
fn a_wait_that_takes_too_long_can_be_caught() {
    let tenant = Served::start(&["--speed", "3000"]);
    let script = r#"
        let session = exchange::create_session(exchange::latest_points(groups::members("Executives")), "new").activate();
        try { session.wait(duration("30ms")); } catch (e) { print(`${e.code}: ${e.hint}`); }
        print(session.status != "completed");
        print(session.wait().status);
    "#;
    let bench = bench(&tenant, script);
    assert_snapshot!(bench.run().expect(0), @"
    exit: 0
    ----- stdout -----
    Timeout: the service goes on with it; wait longer, or look again later
    true
    completed
    ----- stderr -----
    asked 6 = succeeded 6 + failed 0 + skipped 0 + unknown 0
    1 session, [COST]
    ");
    assert_eq!(bench.books(), [6, 6, 0, 0, 0]);
}

#[test]
fn each_line_of_a_csv_has_its_own_instant() {
    let tenant = Served::fast();
    let script = r#"
        let lines = [];
        let day = 1;
        for person in groups::members("Executives") {
            lines.push(#{address: person.userPrincipalName, before: now() - duration(`${day}d`)});
            day += 1;
        }
        csv::write("people.csv", lines);
    "#;
    let bench = bench(&tenant, script);
    bench.run().expect(0);
    let bench = bench
        .script(include_str!("../scripts/restore-from-csv.rhai"))
        .arguments(&["people=people.csv"]);
    let done = bench.run().expect(0);
    assert_eq!(bench.books(), [6, 6, 0, 0, 0], "{done}");
    let result = bench.result();
    let mut days: Vec<&str> = result["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["point"]["protectionDateTime"].as_str().unwrap()[..10])
        .collect();
    assert!(days.is_sorted_by(|a, b| a >= b), "{days:?}");
    days.dedup();
    assert!(days.len() >= 5, "{days:?}");
}

#[test]
fn restores_that_fail_make_exit_1_and_keep_the_services_code() {
    let tenant = Served::fast();
    let script = r#"
        let rows = exchange::latest_points(groups::members("Executives"));
        log::info(`unit ${rows[2].unit.id}`);
        exchange::create_session(rows, args.destination).activate().wait();
        ()
    "#;
    let script = format!("//! @param destination string = \"inPlace\" where\n{script}");
    let find = bench(
        &tenant,
        r#"exchange::latest_points(groups::members("Executives"))[2].unit.id"#,
    );
    let unit = find.run().expect(0).stdout;
    tenant.breaks("hold", unit.trim());
    let bench = bench(&tenant, &script);
    let done = bench.run().expect(1);
    assert_eq!(bench.books(), [6, 5, 1, 0, 0], "{done}");
    assert_eq!(codes(&bench), ["ArtifactCannotBeRestored"]);
    assert!(
        done.stderr
            .contains("failed        1  ArtifactCannotBeRestored"),
        "{done}"
    );
}
