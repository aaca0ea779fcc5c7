//! Bulk restores: one list of people or sites, whose points the service looks for.

use std::ops::RangeInclusive;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Bench, Served};

const REQUEST: &str =
    "POST /exchangeRestoreSessions/{id}/mailboxRestoreArtifactsBulkAdditionRequests";
const CREATE: &str = "POST /exchangeRestoreSessions";
const ACTIVATE: &str = "POST /restoreSessions/{id}/activate";

fn bench(tenant: &Served, script: &str) -> Bench {
    tenant.bench().flags(&["--yes"]).script(script)
}

/// By outcome and code: how many items of the newest run.
fn codes(bench: &Bench) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for item in bench.result()["items"].as_array().unwrap() {
        let code = item["code"].as_str().unwrap_or_default();
        let outcome = item["outcome"].as_str().unwrap();
        *counts
            .entry(format!("{outcome} {code}").trim_end().to_owned())
            .or_default() += 1;
    }
    counts.into_iter().collect()
}

const EVERYONE: &str = r#"
    let session = exchange::restore_bulk(groups::members("Everyone"), #{
        window: #{before: now() - duration("1h")},
        destination: "new",
        name: "Everyone",
    });
    session.wait();
    print(`${session.status} ${session.parts.len} ${session.count}`);
"#;

#[test]
fn everybody_is_restored_by_one_request_and_accounted_for() {
    let tenant = Served::fast();
    let bench = bench(&tenant, EVERYONE);
    let done = bench.run().expect(1);
    assert_eq!(done.stdout, "completedWithError 1 100\n", "{done}");
    assert_eq!(tenant.count(CREATE), 1);
    assert_eq!(tenant.count(REQUEST), 1);
    assert_eq!(tenant.count(ACTIVATE), 1);
    let expected = [
        ("failed ArtifactCannotBeRestored", 3),
        ("skipped RestorePointNotFound", 1),
        ("skipped UserNotBackedup", 7),
        ("succeeded", 89),
    ];
    assert_eq!(
        codes(&bench),
        expected.map(|(code, count)| (code.to_owned(), count)),
        "{done}"
    );
    for item in bench.result()["items"].as_array().unwrap() {
        let resolved = item["outcome"] != "skipped";
        assert_eq!(resolved, item["point"]["id"].is_string(), "{item}");
        assert_eq!(resolved, item["unit"].is_string(), "{item}");
        assert_eq!(resolved, item["session"].is_string(), "{item}");
        let input = item["input"].as_str().unwrap();
        assert!(input.ends_with("@contoso.example"), "{item}");
        assert_ne!(item["name"], item["input"], "{item}");
    }
    tenant.expect_nothing_twice();
}

#[test]
fn the_same_steps_can_be_taken_one_by_one() {
    let tenant = Served::fast();
    let script = r##"
        let session = onedrive::create_session();
        let request = session.add_bulk(#{
            displayName: " Executives ",
            drives: groups::members("Executives"),
            window: #{after: now() - duration("30d"), before: now()},
            prefer: "oldest",
            tags: "fastRestore",
            destination: "inPlace",
        });
        print(`${session.status} ${session.count} ${request.status} ${request.session == session}`);
        print(request.displayName.contains("Executives [runback 20") && request.displayName.ends_with("#1]"));
        try { session.unresolved(); } catch (e) { print(e.code); }
        try { session.remove_bulk(request); } catch (e) { print(e.code); }
        session.activate().wait();
        let request = session.bulk_requests()[0];
        print(`${session.status} ${request.status} [${request.drives ?? "left out"}] ${request.inputs.len()} ${request.destinationType} ${request.restorePointPreference}`);
        print(session.artifacts().map(|artifact| `${artifact.item.displayName}: ${artifact.status}`));
        session.remove_bulk(request.id);
        print(session.bulk_requests().len());
        try { session.remove_bulk(request); } catch (e) { print(e.code); }
    "##;
    let bench = bench(&tenant, script);
    assert_snapshot!(bench.run().expect(1).stdout, @r#"
    draft 6 active true
    true
    NotActivated
    InvalidStateForBulkRequestDeletion
    completed completedWithErrors [left out] 6 inPlace oldest
    ["Siobhán Khalil: succeeded","Sofia García: succeeded","Beatriz Joshi: succeeded","Zanele Almeida: succeeded"]
    0
    BulkRestoreArtifactsNotFound
    "#);
    // Two of them have no point of that kind in that time.
    assert_eq!(bench.books(), [6, 4, 0, 2, 0]);
    tenant.expect_nothing_twice();
}

#[test]
fn sites_are_restored_by_their_urls() {
    let tenant = Served::fast();
    let script = r#"
        let found = sites::search("Finance").collect();
        let items = [found[0], found[1].webUrl, `${found[0].webUrl}/`, sharepoint::unit(found[1]), "https://contoso.sharepoint.example/sites/nothing"];
        let session = sharepoint::restore_bulk(items, #{destination: "new"}).wait();
        print(`${session.count} ${session.artifacts().count()}`);
        table(session.unresolved(), ["name", "item", "code"]);
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run().expect(1);
    assert_snapshot!(done.stdout, @"
    3 2
    name                                              item                                              code
    https://contoso.sharepoint.example/sites/nothing  https://contoso.sharepoint.example/sites/nothing  SiteNotBackedup
    ");
    assert_eq!(bench.books(), [3, 2, 0, 1, 0], "{done}");
}

#[test]
fn mistakes_are_told_before_anything_is_sent() {
    let tenant = Served::fast();
    let script = r#"
        fn told(tried) { print(`${tried.error.code}: ${tried.error.message}`); }
        let all = [];
        for n in 0..10001 { all.push(`u${n}@contoso.example`); }
        let session = exchange::create_session();
        told(attempt(|| session.add_bulk(#{mailboxes: all})));
        told(attempt(|| session.add_bulk(#{mailboxes: []})));
        told(attempt(|| session.add_bulk(#{drives: ["a@contoso.example"]})));
        told(attempt(|| session.add_bulk(#{window: #{}})));
        told(attempt(|| session.add_bulk(#{mailboxes: ["a@contoso.example"], window: #{before: "yesterday"}})));
        told(attempt(|| session.add_bulk(#{mailboxes: ["a@contoso.example"], window: #{after: now(), before: now() - duration("1d")}})));
        told(attempt(|| session.add_bulk(#{mailboxes: ["two@at@signs"]})));
        told(attempt(|| session.add_bulk(#{mailboxes: [#{item: "a@contoso.example", before: now()}]})));
        told(attempt(|| sharepoint::create_session().add_bulk(#{siteWebUrls: ["https: //contoso.sharepoint.example"]})));
        told(attempt(|| sharepoint::restore_bulk([users::list().first()])));
        session.add(exchange::latest_point(groups::members("Executives").first()), "new");
        print(attempt(|| session.add_bulk(#{mailboxes: ["a@contoso.example"]})).error.code);
        session.delete();
        ()
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run().expect(1);
    assert_snapshot!(done.stdout, @r#"
    BulkRestoreRestorationResourcesCountExceedsLimit: 10001 inputs are too many for one bulk request: 10000 are the most
    BulkRestoreInvalidCreateRequest: a bulk request names nobody: there is nothing to restore
    UnknownOption: there is no option `drives` here
    BadOption: a bulk request of mailboxes needs `mailboxes`
    BadOption: option `before` must be a datetime: write `datetime("2026-11-20T03:00:00Z")`; this is a text
    BadOption: option `window` ends before it begins
    BulkRestoreInvalidCreateRequestUserEmail: `two@at@signs` is not a mail address
    BadOption: a bulk restore has one window for all its items
    BulkRestoreInvalidCreateRequestSiteUrl: `https: //contoso.sharepoint.example` is not the URL of a site (https://…)
    WrongType: user `Rania Shah` has no sites of its own
    NotEmpty
    "#);
    assert_eq!(tenant.count(REQUEST), 0);
}

#[test]
fn a_bulk_request_is_alone_in_its_session() {
    let tenant = Served::fast();
    let script = r#"
        let session = exchange::create_session();
        session.add_bulk(#{mailboxes: groups::members("Executives")});
        let other = groups::members("Finance").first();
        for attempted in [
            attempt(|| session.add_bulk(#{mailboxes: [other]})),
            attempt(|| session.add(exchange::latest_point(other), "new")),
            attempt(|| session.add_all(exchange::latest_points([other]), "inPlace")),
        ] { print(`${attempted.error.code}: ${attempted.error.hint}`); }
        session.delete();
        ()
    "#;
    let bench = bench(&tenant, script);
    assert_snapshot!(bench.run().stdout, @"
    HasBulkRequest: make another session: `create_session()` gives an empty draft
    TakesBulkRequest: make another session for single artifacts: a bulk request and artifacts cannot be mixed
    DifferentRestoreDestinationType: make a second session for the other destination
    ");
    assert_eq!(tenant.count(REQUEST), 1);
    assert_eq!(tenant.sessions(), Vec::<Value>::new());
}

#[test]
fn more_than_ten_thousand_go_in_several_sessions_one_after_the_other() {
    let tenant = Served::start(&["--speed", "20000", "--users", "20000"]);
    let script = r#"
        let session = exchange::restore_bulk(users::list().first(10001), #{name: "All"});
        session.wait();
        print(`${session.parts.len} ${session.parts.map(|part| part.count)} ${session.count}`);
        for request in session.bulk_requests() { print(request.displayName.split("[")[0]); }
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run().expect(1);
    assert_eq!(done.stdout, "2 [10000, 1] 10001\nAll \nAll \n", "{done}");
    let [asked, succeeded, .., unknown] = bench.books();
    assert_eq!((asked, unknown), (10_001, 0), "{done}");
    assert!(succeeded > 8_000, "{done}");
    // Reading, resolving and accounting for ten thousand people in a debug build is what takes this test its seconds.
    tenant.expect_nothing_twice();
}

#[test]
fn who_is_in_two_lists_of_a_run_is_restored_once() {
    let tenant = Served::fast();
    let script = r#"
        let first = exchange::restore_bulk(groups::members("Executives"), #{name: "first"});
        let rest = exchange::restore_bulk(groups::members("Everyone"), #{name: "rest"});
        // One bulk restore of a workload at a time.
        print(first.refresh().status);
        rest.wait();
        print(`${first.count} ${rest.count}`);
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run();
    assert_eq!(done.stdout, "completed\n6 94\n", "{done}");
    assert!(
        done.stderr
            .contains("left out 6 mailboxes: restored by another session of this run"),
        "{done}"
    );
    // Told once, however often it is looked at.
    let told = "waits to be activated: another bulk restore of mailboxes is running";
    assert_eq!(done.stderr.matches(told).count(), 1, "{done}");
    assert_eq!(bench.books()[0], 100);
    tenant.expect_nothing_twice();
}

#[test]
fn a_draft_with_somebody_who_is_restored_elsewhere_is_not_activated() {
    let tenant = Served::fast();
    let script = r#"
        let people = groups::members("Executives").collect();
        let one = exchange::create_session();
        one.add_bulk(#{mailboxes: people});
        let two = exchange::create_session();
        two.add_bulk(#{mailboxes: people.extract(4)});
        one.activate();
        try { two.activate(); } catch (e) { print(`${e.code}: ${e.message.split("`")[2]}`); }
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run().expect(0);
    assert_eq!(
        done.stdout,
        "OverlapsSession:  was not activated: 2 of its inputs are restored by another session of this run\n",
        "{done}"
    );
    assert_eq!(bench.books(), [6, 6, 0, 0, 0], "{done}");
    tenant.expect_nothing_twice();
}

#[test]
fn where_nothing_is_resolved_nobody_waits_forever() {
    let tenant = Served::fast();
    let script = r#"
        let session = exchange::restore_bulk(["Nobody@contoso.example", "nobody@contoso.example", "neither@contoso.example"]);
        session.wait();
        table(session.unresolved(), ["item", "code"]);
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run().expect(1);
    assert_snapshot!(done.stdout, @"
    item                     code
    nobody@contoso.example   UserNotBackedup
    neither@contoso.example  UserNotBackedup
    ");
    assert_eq!(bench.books(), [2, 0, 0, 2, 0], "{done}");
}

#[test]
fn a_network_that_is_away_does_not_end_the_wait_for_a_bulk_restore() {
    let tenant = Served::fast();
    // Not sent again by the client: so that the test need not wait through its tries.
    tenant.faults("redirect=100%:host@GET …RestoreArtifactsBulkAdditionRequests/{item}");
    let script = r#"
        let session = exchange::restore_bulk(groups::members("Executives"), #{destination: "new"});
        session.wait();
    "#;
    let bench = bench(&tenant, script);
    let mut running = bench.start();
    running.hears("the restores go on, and so does the wait");
    // Then it is the list of what was restored that cannot be had.
    tenant.faults("redirect=3x:host@GET …RestoreArtifacts");
    let done = running.finish().expect(0);
    assert_eq!(bench.books(), [6, 6, 0, 0, 0], "{done}");
    let said = done.stderr.matches("so does the wait").count();
    assert_eq!(said, 2, "{done}");
    assert_eq!(tenant.count(CREATE), 1);
    tenant.expect_nothing_twice();
}

#[test]
fn nobody_with_an_address_means_that_nothing_is_sent() {
    let tenant = Served::fast();
    let script = r#"
        let session = exchange::restore_bulk(["no such person"], #{destination: "inPlace"});
        print(`${session.status} ${session.parts.len}`);
    "#;
    let bench = bench(&tenant, script);
    let done = bench.run().expect(1);
    assert_eq!(done.stdout, "draft 0\n", "{done}");
    assert_eq!(codes(&bench), [("skipped UserNotFound".to_owned(), 1)]);
    assert_eq!(tenant.count(CREATE), 0);
}

#[test]
fn without_consent_a_bulk_restore_stays_a_draft() {
    let tenant = Served::fast();
    let bench = tenant.bench().script(EVERYONE);
    let done = bench.run().expect(5);
    assert!(
        done.stderr
            .contains("consent is needed to restore 100 mailboxes to a new place, in 1 session"),
        "{done}"
    );
    assert_eq!(bench.books(), [100, 0, 0, 100, 0]);
    assert_eq!(tenant.count(ACTIVATE), 0);
}

#[test]
fn a_bulk_draft_of_another_run_can_be_activated() {
    let tenant = Served::fast();
    let draft = r#"
        let session = exchange::create_session();
        session.add_bulk(#{displayName: "left", mailboxes: groups::members("Executives")});
        session.id
    "#;
    let first = bench(&tenant, draft);
    let id = first.run().expect(1).stdout;
    let second = bench(
        &tenant,
        &format!(
            r#"
            let session = sessions::get("{}");
            print(session.activate().wait().status);
            print(session.unresolved().len());
        "#,
            id.trim()
        ),
    );
    let done = second.run().expect(0);
    assert_eq!(done.stdout, "completed\n0\n", "{done}");
    // Its inputs are the other run's; its artifacts are what was asked for.
    assert_eq!(second.books(), [6, 6, 0, 0, 0], "{done}");
}

/// Runs [`EVERYONE`] with faults that it must come through.
#[track_caller]
fn survives(spec: &str, reconciled: u64) -> (Served, String) {
    survives_within(spec, reconciled..=reconciled)
}

fn survives_within(spec: &str, reconciled: RangeInclusive<u64>) -> (Served, String) {
    let tenant = Served::fast();
    tenant.faults(spec);
    let bench = bench(&tenant, EVERYONE);
    let done = bench.run();
    tenant.expect_nothing_twice();
    assert_eq!(bench.books(), [100, 89, 3, 8, 0], "{spec}\n{done}");
    assert_eq!(done.code, 1, "{spec}\n{done}");
    let looks = bench.result()["requests"]["reconciled"].as_u64().unwrap();
    assert!(reconciled.contains(&looks), "{spec}: {looks}\n{done}");
    (tenant, done.stderr)
}

#[test]
fn a_lost_answer_to_a_bulk_request_leaves_one_request() {
    for kind in ["lost-answer", "cut"] {
        let (tenant, said) = survives(&format!("{kind}=1x@{REQUEST}"), 1);
        assert!(said.contains("by its name and went on"), "{said}");
        assert_eq!(tenant.count(REQUEST), 1, "{kind}");
        assert_eq!(tenant.sessions().len(), 1, "{kind}");
    }
}

#[test]
fn a_bulk_request_that_never_arrived_is_sent_again() {
    let (tenant, _) = survives(&format!("reset=1x@{REQUEST}"), 1);
    assert_eq!(tenant.count(REQUEST), 2);
    assert_eq!(tenant.sessions().len(), 1);
}

#[test]
fn a_bulk_request_that_is_done_late_is_found() {
    // We look after 400 ms; what is sent again after that is refused where the first has landed.
    // That refusal is looked into as well.
    for (late, looks) in [("100ms", 1..=1), ("450ms", 1..=2)] {
        let (tenant, _) = survives_within(&format!("late=1x:{late}@{REQUEST}"), looks);
        assert_eq!(tenant.sessions().len(), 1, "{late}");
    }
}

#[test]
fn a_bulk_request_that_is_lost_twice_activates_nothing() {
    let tenant = Served::fast();
    tenant.faults(&format!("reset=2x@{REQUEST}"));
    let bench = bench(&tenant, EVERYONE);
    let done = bench.run().expect(3);
    assert!(
        done.stderr
            .contains("it is not in the draft, which restores nothing"),
        "{done}"
    );
    assert_eq!(bench.books(), [100, 0, 0, 100, 0], "{done}");
    assert_eq!(tenant.count(ACTIVATE), 0);
}

#[test]
fn a_lost_answer_to_the_other_steps_restores_nobody_twice() {
    for (spec, sessions) in [
        (format!("lost-answer=1x@{CREATE}"), 2),
        (format!("reset=1x@{CREATE}"), 1),
        ("lost-answer=1x@POST …/activate".to_owned(), 1),
        ("reset=1x@POST …/activate".to_owned(), 1),
    ] {
        let (tenant, _) = survives(&spec, 1);
        // An empty draft is never adopted: it may be left behind.
        assert_eq!(tenant.sessions().len(), sessions, "{spec}");
    }
}

#[test]
fn a_lost_answer_to_a_delete_is_looked_up() {
    let tenant = Served::fast();
    let script = r#"
        let session = exchange::restore_bulk(groups::members("Everyone")).wait();
        session.remove_bulk(session.bulk_requests()[0]);
        print(`${session.bulk_requests().len()} ${session.unresolved().len()}`);
    "#;
    for spec in ["lost-answer", "reset"] {
        tenant.faults(&format!(
            "{spec}=1x@{}/{{id}}",
            REQUEST.replace("POST", "DELETE")
        ));
        let bench = bench(&tenant, script);
        let done = bench.run().expect(1);
        // What could not be resolved is known all the same.
        assert_eq!(done.stdout, "0 8\n", "{spec}\n{done}");
        tenant.post("/_sandbox/reset", &json!({}));
    }
}
