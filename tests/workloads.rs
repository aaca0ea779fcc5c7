//! OneDrive and SharePoint by the same verbs as Exchange; both versions of Graph.

use crate::support::{Bench, Recorder, Served};
use insta::assert_snapshot;

fn bench(tenant: &Served, script: &str) -> Bench {
    tenant.bench().flags(&["--yes"]).script(script)
}

#[test]
fn every_workload_has_the_same_verbs() {
    let tenant = Served::fast();
    for (workload, items) in [
        ("exchange", "groups::members(\"Executives\").first(3)"),
        ("onedrive", "groups::members(\"Executives\").first(3)"),
        ("sharepoint", "sites::search(\"Finance\").first(2)"),
    ] {
        let script = r#"
            let items = ITEMS;
            let unit = W::unit(items[0]);
            print(W::units().count() > items.len());
            print(W::unit(unit.id) == unit);
            let newest = W::latest_point(unit);
            let older = W::point_before(items[0], newest.protectionDateTime);
            print(W::points(unit, #{before: newest.protectionDateTime, limit: 7}).first() == older);
            print(older.protectionDateTime < newest.protectionDateTime);
            let rows = W::latest_points(items);
            print(rows.map(|row| row.point.protectionUnit.id) == rows.map(|row| row.unit.id));
            print(W::points_before(items, older.protectionDateTime).all(|row| row.point.protectionDateTime < older.protectionDateTime));
            print(W::coverage().count() >= items.len());
            let session = W::create_session();
            session.add(newest, "new");
            session.add_all(W::latest_points(items.extract(1)), "new");
            session.remove(session.artifacts().first());
            session.add(newest, "new");
            print(session.count == items.len());
            session.activate().wait();
            print(W::session(session.id).status);
            print(W::sessions(#{status: session.status}).first() == session);
            print(session.artifacts().map(|artifact| artifact.status).all(|status| status == "succeeded"));
            let draft = W::create_session(W::latest_points(items), "inPlace");
            draft.delete();
            try { W::session(draft.id); } catch (e) { print(e.code); }
        "#;
        let script = script
            .replace("ITEMS", items)
            .replace("W::", &format!("{workload}::"));
        let bench = bench(&tenant, &script);
        let done = bench.run();
        let expected = format!(
            "{}completed\ntrue\ntrue\nRestoreSessionNotFound\n",
            "true\n".repeat(8)
        );
        assert_eq!(done.stdout, expected, "{workload}\n{done}");
        for item in bench.result()["items"].as_array().unwrap() {
            assert_eq!(item["workload"], workload, "{item}");
        }
    }
    tenant.expect_nothing_twice();
}

#[test]
fn sites_are_found_by_search_url_and_id() {
    let tenant = Served::fast();
    let script = r#"
        let found = sites::search("Finance").collect();
        for site in found { print(`${site.displayName} ${site.webUrl}`); }
        let site = found[0];
        print(sites::get(site.webUrl) == site && sites::get(site.id) == site && sites::get(`${site.webUrl}/`) == site);
        try { sites::get("https://contoso.sharepoint.example/sites/nothing"); } catch (e) { print(`${e.code} ${e.status}`); }
        let items = [site, site.webUrl, site.id, sharepoint::unit(site), sharepoint::unit(site).id, "https://contoso.sharepoint.example/sites/nothing"];
        for row in sharepoint::latest_points(items) { print(`${row.name} ${row.unit == sharepoint::unit(site)} ${row.code ?? "-"}`); }
        try { sharepoint::unit(users::list().first()); } catch (e) { print(`${e.code}: ${e.message}`); }
        try { exchange::unit(site); } catch (e) { print(`${e.code}: ${e.message}`); }
        try { sharepoint::latest_points([3]); } catch (e) { print(e.hint); }
    "#;
    let done = bench(&tenant, script).run().expect(0);
    assert_snapshot!(done.stdout, @r#"
    Finance https://contoso.sharepoint.example/sites/finance
    Finance https://contoso.sharepoint.example/sites/finance-emea
    true
    itemNotFound 404
    Finance true -
    Finance true -
    Finance true -
    Finance true -
    Finance true -
    https://contoso.sharepoint.example/sites/nothing false UserNotFound
    WrongType: user `Rania Shah` has no sites of its own
    WrongType: site `Finance` has no mailboxes of its own
    an item is a user, a site, a protection unit, an address, a URL, an id, or `#{item, before}`
    "#);
}

#[test]
fn coverage_of_sites_leaves_out_onedrives() {
    let tenant = Served::fast();
    let script = r#"
        let rows = sharepoint::coverage().collect();
        for row in rows { print(`${row.item.webUrl.split("//")[1]} ${row.code ?? "protected"}`); }
    "#;
    let done = bench(&tenant, script).run().expect(0);
    assert_snapshot!(done.stdout, @r#"
    contoso.sharepoint.example/sites/engineering-archive protected
    contoso.sharepoint.example/sites/finance protected
    contoso.sharepoint.example/sites/finance-emea protected
    contoso.sharepoint.example/sites/marketing NoUnit
    contoso.sharepoint.example/sites/human-resources protected
    contoso.sharepoint.example/sites/legal protected
    contoso.sharepoint.example/teams/project-aurora protected
    contoso.sharepoint.example/teams/aurora-partners protected
    contoso.sharepoint.example protected
    contoso.sharepoint.example/sites/vertrieb-sued protected
    contoso.sharepoint.example/sites/conseil protected
    contoso.sharepoint.example/sites/support protected
    contoso.sharepoint.example/sites/it protected
    contoso.sharepoint.example/sites/lab7 protected
    contoso.sharepoint.example/sites/communication protected
    "#);
}

#[test]
fn a_onedrive_is_found_by_its_drive_object_too() {
    let tenant = Served::fast();
    let script = r#"
        let person = groups::members("Executives").first();
        let drive = graph::get(`/users/${person.id}/drive`);
        print(onedrive::unit(drive) == onedrive::unit(person));
    "#;
    let done = bench(&tenant, script).run().expect(0);
    assert_eq!(done.stdout, "true\n");
}

#[test]
fn the_state_of_the_service_can_be_read() {
    let tenant = Served::fast();
    let script = r#"
        print(backup::service_status().status);
        for policy in backup::policies() {
            let again = backup::policy(policy.id, #{version: "beta"});
            print(`${policy.displayName}: ${again.status} ${again == policy} ${policy.retentionSettings.len() > 0}`);
        }
        try { backup::policy("00000000-0000-0000-0000-000000000000"); } catch (e) { print(e.code); }
        for app in backup::service_apps() { print(app.status); }
    "#;
    let done = bench(&tenant, script).run().expect(0);
    assert_snapshot!(done, @r#"
    exit: 0
    ----- stdout -----
    enabled
    exchange protection: active true true
    exchange pilot: inactive true true
    onedrive protection: active true true
    onedrive pilot: inactive true true
    sharepoint protection: active true true
    sharepoint pilot: inactive true true
    PolicyNotFound
    active
    ----- stderr -----
    note: this run uses the beta version of Microsoft Graph in some calls
    "#);
}

/// A whole life of a session of each kind, by version.
fn life(options: &str) -> String {
    r#"
        let people = groups::members("Executives").collect();
        let rows = exchange::latest_points(people, OPTIONS);
        let session = exchange::create_session(rows, "new", OPTIONS);
        session.remove(session.artifacts().first());
        session.activate().wait();
        exchange::create_session(rows, "inPlace", OPTIONS).delete();
        exchange::points(people[0], OPTIONS).count();
        exchange::sessions(OPTIONS).count();
        sessions::list(OPTIONS).count();
        sessions::get(session.id, OPTIONS);
        let bulk = exchange::create_session(OPTIONS);
        bulk.add_bulk(#{mailboxes: groups::members("Finance")});
        bulk.activate().wait();
        bulk.remove_bulk(bulk.bulk_requests()[0]);
        backup::policies(OPTIONS);
        exchange::units(OPTIONS).count();
        ()
    "#
    .replace("OPTIONS", options)
}

/// The versions that calls below the backup service went to.
fn versions(recorder: &Recorder) -> Vec<String> {
    let exchanges = recorder.exchanges();
    let mut versions: Vec<String> = exchanges
        .iter()
        .filter(|exchange| exchange.path.contains("/backupRestore"))
        // The gate, the state of the service and the index of units are the host's own business.
        .filter(|exchange| {
            let own = ["/backupRestore", "/restoreSessions", "ProtectionUnit"];
            exchange.method != "GET" || !own.iter().any(|end| exchange.path.ends_with(end))
        })
        .map(|exchange| exchange.path.split('/').nth(1).unwrap().to_owned())
        .collect();
    assert!(versions.len() > 15, "{versions:?}");
    versions.sort();
    versions.dedup();
    versions
}

#[test]
fn beta_is_used_where_a_call_asks_for_it_and_the_run_says_so() {
    let tenant = Served::fast();
    let recorder = Recorder::before(&tenant);
    let run = |options: &str, flags: &[&str]| {
        recorder.clear();
        let bench = recorder.bench(&tenant).flags(&["--yes"]).flags(flags);
        let done = bench.script(&life(options)).run();
        assert_eq!(done.stdout, "", "{done}");
        (done.stderr, versions(&recorder))
    };
    let (said, versions) = run("#{version: \"beta\"}", &[]);
    assert!(
        said.starts_with("note: this run uses the beta version of Microsoft Graph in some calls\n"),
        "{said}"
    );
    assert_eq!(versions, ["beta"]);
    let (said, versions) = run("#{}", &[]);
    assert!(!said.contains("beta"), "{said}");
    assert_eq!(versions, ["v1.0"]);
    let (said, versions) = run("#{}", &["--api", "beta"]);
    assert!(
        said.starts_with("note: this run prefers the beta version of Microsoft Graph\n"),
        "{said}"
    );
    assert_eq!(versions, ["beta"]);
    let (_, versions) = run("#{version: \"v1.0\"}", &["--api", "beta"]);
    assert_eq!(versions, ["v1.0"]);
}
