//! `groups`: whose data may be touched, whatever a script says whose it is.

use super::{RESTORE_GROUP, activated, bench, expect_denied, expect_untouched};
use crate::support::Served;

const FINANCE: &str = "groups = [\"Finance\"]";

/// A member of Finance, and somebody who is none; both with a restore point.
const TWO: &str = "let ours = exchange::latest_points(groups::members(\"Finance\")).filter(|row| row.point != ())[0];
    let members = groups::members(\"Finance\").map(|user| user.id);
    let theirs = exchange::latest_points(users::list().filter(|user| !members.contains(user.id)).first(30))
        .filter(|row| row.point != ())[0];\n";

#[test]
fn members_are_restored_and_others_are_not() {
    let tenant = Served::fast();
    let bench_of =
        |group: &str| bench(&tenant, RESTORE_GROUP, FINANCE).arguments(&[group, "before=-24h"]);
    let done = bench_of("group=Everyone").run();
    expect_denied(&done, FINANCE);
    assert!(done.stderr.contains("and "), "{done}");
    expect_untouched(&tenant);
    bench_of("group=Finance").run().expect(1);
    assert_eq!(activated(&tenant), 1);
}

#[test]
fn a_group_is_named_by_its_id_too_and_one_that_is_not_there_denies_everything() {
    let tenant = Served::fast();
    let groups = tenant.get("/v1.0/groups?$top=999")["value"].clone();
    let finance = groups
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["displayName"] == "Finance");
    let id = finance.unwrap()["id"].as_str().unwrap();
    let of = |policy: &str| {
        bench(&tenant, RESTORE_GROUP, policy).arguments(&["group=Finance", "before=-24h"])
    };
    let done = of("groups = [\"Finanze\"]").run();
    expect_denied(&done, "groups = ");
    assert!(done.stderr.contains("`Finanze`"), "{done}");
    expect_denied(&of("groups = []").run(), "groups = ");
    expect_untouched(&tenant);
    of(&format!("groups = [\"{id}\"]")).run().expect(1);
}

#[test]
fn a_script_that_lies_about_whose_a_point_is_does_not_get_it_restored() {
    let tenant = Served::fast();
    for lie in [
        "#{item: ours.item, name: ours.name, unit: ours.unit, point: theirs.point}",
        "#{unit: ours.unit, point: graph::get(`/solutions/backupRestore/restorePoints?$expand=protectionUnit($filter=id eq '${theirs.unit.id}')&$filter=protectionDateTime lt 2099-01-01T00:00:00Z`).value[0]}",
    ] {
        let script = format!("{TWO} exchange::create_session([{lie}], \"new\").activate();");
        let done = bench(&tenant, &script, FINANCE).run();
        expect_denied(&done, FINANCE);
        assert_eq!(activated(&tenant), 0, "{done}");
    }
    let script = format!("{TWO} exchange::create_session([theirs], \"new\");");
    expect_denied(&bench(&tenant, &script, FINANCE).run(), FINANCE);
    let script = format!("{TWO} exchange::create_session([ours], \"new\").activate();");
    bench(&tenant, &script, FINANCE).run().expect(0);
}

#[test]
fn what_is_added_while_consent_is_asked_for_is_judged_too() {
    let tenant = Served::fast();
    // Between looking at the draft and asking, `activate` reads the state of the service: long enough for the other line.
    let script = format!(
        "{TWO} let session = exchange::create_session([ours], \"new\");
        let lie = #{{unit: ours.unit, name: ours.name, point: theirs.point}};
        parallel([0, 1], 2, |line| {{
            if line == 0 {{ session.activate(); }} else {{ sleep(duration(\"700ms\")); session.add_all([lie], \"new\"); }}
        }});"
    );
    tenant.faults("slow=1x:3s@GET /solutions/backupRestore");
    let done = bench(&tenant, &script, FINANCE).run();
    expect_denied(&done, FINANCE);
    assert_eq!(activated(&tenant), 0, "{done}");
    let held = &tenant.sessions()[0]["artifacts"];
    assert_eq!(
        held.as_array().map(Vec::len),
        Some(2),
        "it was added in time: {held}"
    );
}

#[test]
fn a_draft_of_somebody_else_is_looked_into_before_it_is_activated() {
    let tenant = Served::fast();
    let script = format!(
        "{TWO} let draft = graph::post(\"/solutions/backupRestore/exchangeRestoreSessions\", #{{
            mailboxRestoreArtifacts: [#{{restorePoint: #{{id: theirs.point.id}}, destinationType: \"new\"}}],
        }});
        sessions::get(draft.id).activate();"
    );
    expect_denied(&bench(&tenant, &script, FINANCE).run(), FINANCE);
    assert_eq!(activated(&tenant), 0);
}

#[test]
fn the_inputs_of_bulk_requests_are_looked_up() {
    let tenant = Served::fast();
    let options = "#{destination: \"new\"}";
    for (who, words) in [
        ("[theirs.item]", ""),
        ("[theirs.item.userPrincipalName]", ""),
        (
            "[ours.item, \"nobody@nowhere.example\"]",
            "nobody@nowhere.example",
        ),
    ] {
        let script = format!("{TWO} exchange::restore_bulk({who}, {options});");
        let done = bench(&tenant, &script, FINANCE).run();
        expect_denied(&done, FINANCE);
        assert!(done.stderr.contains(words), "{done}");
        assert_eq!(activated(&tenant), 0, "{done}");
    }
    let script = format!("{TWO} exchange::restore_bulk([ours.item], {options}).wait();");
    let done = bench(&tenant, &script, FINANCE).run();
    assert!(done.code <= 1, "{done}");
    assert_eq!(activated(&tenant), 1);
}

#[test]
fn a_site_is_nobodys_and_so_it_is_denied() {
    let tenant = Served::fast();
    let script = "let rows = sharepoint::latest_points(sharepoint::units().first(1));
        sharepoint::create_session(rows, \"new\");";
    expect_denied(&bench(&tenant, script, FINANCE).run(), FINANCE);
    expect_untouched(&tenant);
}

#[test]
fn files_are_looked_at_only_of_members() {
    // Slow enough for a browse session to be read before it expires.
    let tenant = Served::start(&["--speed", "2000"]);
    let policy = "groups = [\"Executives\"]";
    let of = |whose: &str| {
        format!(
            "let members = groups::members(\"Executives\").map(|user| user.id);
             let people = users::list().filter(|user| members.contains(user.id) == {whose}).first(20);
             let point = ();
             for who in people {{
                 let found = attempt(|| onedrive::latest_point(who, #{{tags: \"fastRestore\"}})).value;
                 if found != () {{ point = found; break; }}
             }}
             let browse = onedrive::create_browse_session(point);
             browse.wait();
             onedrive::create_granular_session([browse.find(\"*\", #{{limit: 1}}).first()]).activate();"
        )
    };
    expect_denied(&bench(&tenant, &of("false"), policy).run(), policy);
    expect_untouched(&tenant);
    let done = bench(&tenant, &of("true"), policy).run();
    assert!(done.code <= 1, "{done}");
    assert_eq!(activated(&tenant), 1, "{done}");
}

#[test]
fn paths_change_nobody_of_whom_it_cannot_be_told() {
    let tenant = Served::fast();
    let id = tenant.get("/v1.0/users?$top=1")["value"][0]["id"].clone();
    for call in [
        "patch(`/users/${id}`, #{jobTitle: \"x\"})",
        "delete(`/users/${id}`)",
    ] {
        let script = format!("let id = {id}; graph::{call};");
        expect_denied(&bench(&tenant, &script, FINANCE).run(), FINANCE);
    }
}

#[test]
fn nothing_gets_into_a_draft_while_it_is_activated() {
    // A hundred milliseconds lie between the last look at the draft and the call that activates it: whatever another line of
    // the script adds meanwhile comes too early, and is found, or too late, and is refused.
    let tenant = Served::start(&["--speed", "20000", "--latency", "100ms"]);
    let script = "let ours = exchange::latest_points(groups::members(\"Finance\").first(4)).filter(|row| row.point != ()).extract(0, 2);
        let members = groups::members(\"Finance\").map(|user| user.id);
        let theirs = exchange::latest_points(users::list().filter(|user| !members.contains(user.id)).first(20))
            .filter(|row| row.point != ());
        let session = exchange::create_session(ours, \"new\");
        let path = `/solutions/backupRestore/exchangeRestoreSessions/${session.id}`;
        let lines = [()];
        for row in theirs.extract(0, 15) { lines.push(row.point.id); }
        let at = 0;
        for place in 0..lines.len() { lines[place] = #{place: place, point: lines[place]}; }
        try_parallel(lines, 16, |line| {
            if line.point == () { session.activate(); return; }
            sleep(duration(`${line.place * 50}ms`));
            graph::patch(path, #{\"mailboxRestoreArtifacts@delta\": [#{restorePoint: #{id: line.point}, destinationType: \"new\"}]});
        });
        session.wait();";
    for policy in [
        FINANCE,
        "max_items_per_run = 2",
        "max_items_per_session = 2",
    ] {
        let done = bench(&tenant, script, policy).flags(&["--again"]).run();
        for session in tenant.sessions() {
            let held = session["artifacts"].as_array().unwrap().len();
            assert!(
                session["status"] == "draft" || held == 2,
                "{held} were activated\n{done}"
            );
        }
    }
}

#[test]
fn whoever_has_left_the_group_is_not_restored() {
    let tenant = Served::fast();
    let groups = tenant.get("/v1.0/groups?$top=999")["value"].clone();
    let groups = groups.as_array().unwrap();
    let finance = groups
        .iter()
        .find(|group| group["displayName"] == "Finance");
    let group = finance.unwrap()["id"].as_str().unwrap().to_owned();
    let members = tenant.get(&format!("/v1.0/groups/{group}/members?$top=999"));
    let script = "let rows = exchange::latest_points(groups::members(\"Finance\")).filter(|row| row.point != ());
        let session = exchange::create_session(rows, \"new\");
        debug(\"ready\");
        sleep(duration(\"2s\"));
        session.activate();";
    let bench = bench(&tenant, script, FINANCE);
    let mut running = bench.start();
    running.hears("ready");
    let members = members["value"].as_array().unwrap().iter();
    let users = members.filter(|member| member["userPrincipalName"].is_string());
    for user in users {
        let user = user["id"].as_str().unwrap();
        tenant.breaks("leaves", &format!("{group}/{user}"));
    }
    // It sleeps meanwhile, so that this comes in time.
    expect_denied(&running.finish(), FINANCE);
    assert_eq!(activated(&tenant), 0);
}

#[test]
fn nobody_else_is_looked_into() {
    let tenant = Served::start(&["--speed", "2000"]);
    let browse = "let who = users::list().filter(|user| !groups::members(\"Finance\").map(|one| one.id).contains(user.id)).first(20);
        let point = ();
        for one in who {
            let found = attempt(|| onedrive::latest_point(one, #{tags: \"fastRestore\"})).value;
            if found != () { point = found; break; }
        }
        let path = \"/solutions/backupRestore/oneDriveForBusinessBrowseSessions\";\n";
    // Somebody else, who may, has one already.
    let made = format!("{browse} print(graph::post(path, #{{restorePointId: point.id}}).id);");
    let free = tenant.bench().script(&made).flags(&["--yes"]);
    let id = free.run().expect(0).stdout.trim().to_owned();
    for shown in [
        format!("{browse} graph::post(path, #{{restorePointId: point.id}});"),
        format!("onedrive::browse_session(\"{id}\").items().count();"),
        format!("onedrive::browse_session(\"{id}\").find(\"*\").count();"),
        format!("graph::post(\"/solutions/backupRestore/browseSessions/{id}/browse\", #{{}});"),
        format!(
            "graph::get(\"/solutions/backupRestore/browseSessions/{id}/browse(nextFetchToken='1')\");"
        ),
        format!(
            "graph::pages(\"/solutions/backupRestore/browseSessions/{id}/microsoft.graph.browse(nextFetchToken='1')\").count();"
        ),
        format!(
            "{TWO} exchange::search_items(theirs.item, #{{query: \"subject -contains 'a'\", before: now()}}).count();"
        ),
        format!(
            "{TWO} graph::post(\"/solutions/backupRestore/restorePoints/search\", #{{protectionUnitIds: [theirs.unit.id], artifactQuery: #{{artifactType: \"message\", queryExpression: \"subject -contains 'a'\"}}}});"
        ),
    ] {
        let done = bench(&tenant, &shown, FINANCE).run();
        expect_denied(&done, FINANCE);
    }
    let ours = format!(
        "{TWO} print(exchange::search_items(ours.item, #{{query: \"subject -contains 'a'\", before: now()}}).count() >= 0);"
    );
    let done = bench(&tenant, &ours, FINANCE).run().expect(0);
    assert_eq!(done.stdout, "true\n");
}
