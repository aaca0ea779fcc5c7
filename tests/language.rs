//! What a runbook can say of a tenant: values, errors, streams, rows, calls of Graph, files, output.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Bench, Done, Served};

/// Runs a script that prints what it finds.
fn say(tenant: &Served, script: &str) -> Done {
    tenant.bench().flags(&["--yes"]).script(script).run()
}

/// Runs a script that must come to its end, and gives what it printed.
#[track_caller]
fn says(tenant: &Served, script: &str) -> String {
    say(tenant, script).expect(0).stdout
}

#[test]
fn properties_are_graphs_own() {
    let tenant = Served::fast();
    let script = r#"
        let user = users::get("rania.shah@contoso.example");
        print(`${user.displayName}, ${user.mobilePhone}, ${user.department}`);
        print(user.mobilePhone == ());
        print(user.raw.jobTitle);
        print("displayName" in user);
        print("nothing" in user);
        let unit = exchange::unit(user);
        print(unit.directoryObjectId == user.id);
        let point = exchange::latest_point(unit);
        print(type_of(point.protectionDateTime));
        print(point.protectionDateTime > now() - duration("30d"));
        print(point.protectionUnit.id == unit.id);
    "#;
    assert_snapshot!(says(&tenant, script), @"
    Rania Shah, , 
    true
    Analyst
    true
    false
    true
    datetime
    true
    true
    ");
}

#[test]
fn an_unknown_property_is_an_error_with_the_nearest_name() {
    let tenant = Served::fast();
    assert_snapshot!(say(&tenant, "let user = users::list().first();\nprint(user.displayNam);"), @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: a user has no property `displayNam`
     --> script.rhai:2:12
      |
    2 | print(user.displayNam);
      |            ^

    hint: did you mean `displayName`?
    ");
    let script = "let point = exchange::latest_point(\"rania.shah@contoso.example\");\nprint(point.protectionDatetime);";
    let done = say(&tenant, script).expect(2);
    assert!(
        done.stderr.contains("did you mean `protectionDateTime`?"),
        "{done}"
    );
}

#[test]
fn objects_cannot_be_changed() {
    let tenant = Served::fast();
    let user = "let user = users::list().first();";
    let done = say(&tenant, &format!("{user}\nuser.displayName = \"x\";")).expect(2);
    assert!(
        done.stderr.contains("read-only") || done.stderr.contains("cannot be"),
        "{done}"
    );
    let done = say(
        &tenant,
        &format!("{user}\nuser.businessPhones.push(\"1\");"),
    )
    .expect(2);
    assert!(done.stderr.contains("read-only"), "{done}");
}

#[test]
fn objects_compare_by_kind_and_id() {
    let tenant = Served::fast();
    let script = r"
        let listed = users::list().first();
        let fetched = users::get(listed.id);
        let others = users::list().first(2);
        print([listed == fetched, others[0] == others[1], listed != (), () == listed, listed in others]);
        print(exchange::unit(listed) == listed);
    ";
    assert_eq!(
        says(&tenant, script),
        "[true,false,true,false,true]\nfalse\n"
    );
}

#[test]
fn different_kinds_are_not_compared_silently() {
    let tenant = Served::fast();
    let script = "let point = exchange::latest_point(\"rania.shah@contoso.example\");\npoint.protectionDateTime < \"2026-11-20\"";
    let done = say(&tenant, script).expect(2);
    assert!(done.stderr.contains("datetime("), "{done}");
}

#[test]
fn streams_are_read_anew_by_every_loop() {
    let tenant = Served::fast();
    let script = r#"
        let people = users::list(#{top: 30});
        let n = 0;
        for person in people { n += 1; }
        for person in people { n += 1; }
        print(`${n} ${people.count()} ${people.first(3).len()} ${people.collect().len()}`);
        print(people.filter(|p| p.displayName == "Rania Shah").len());
        print(people.map(|p| p.id).unique_by(|id| id).len());
        let seen = 0;
        for person in people { seen += 1; if seen == 5 { break; } }
        print(seen);
    "#;
    assert_eq!(says(&tenant, script), "200 100 3 100\n1\n100\n5\n");
}

#[test]
fn error_codes_are_graphs_own() {
    let tenant = Served::fast();
    let script = r#"
        let told = |error| `${error.code} ${error.status} ${type_of(error.request_id)} ${error.line}: ${error.message}`;
        try { users::get("nobody@contoso.example"); } catch (e) { print(told.call(e)); }
        try { sessions::get("959ba739-70b5-43c4-8c90-b2c22014f18b"); } catch (e) { print(told.call(e)); }
        try { users::list(#{filter: "displayName xx 'a'"}).count(); } catch (e) { print(told.call(e)); }
        try { exchange::unit("astrid.dangelo@contoso.example").id; } catch (e) { print(`${e.code}`); }
        let slip = #{}; slip["fliter"] = "x"; try { users::list(slip).count(); } catch (e) { print(`${e.code}: ${e.message}; ${e.hint}`); }
        try { throw "mine"; } catch (e) { print(`[${e.code}] ${e.message}`); }
        let got = attempt(|| groups::get("Project X"));
        print(`${got.value == ()} ${got.error.code}`);
    "#;
    assert_snapshot!(say(&tenant, script), @"
    exit: 0
    ----- stdout -----
    Request_ResourceNotFound 404 string 3: there is no user `nobody@contoso.example`
    RestoreSessionNotFound 404 string 4: get session was refused: Restore Session Not Found. (there is no session `[ID]`)
    BadRequest 400 string 5: list users was refused: Invalid value 'displayName xx 'a'' for $filter: there is no operator `xx`
    NoUnit
    UnknownOption: there is no option `fliter` here; did you mean `filter`?
    [] mine
    true Ambiguous
    ----- stderr -----
    ");
}

#[test]
fn rows_come_in_the_order_of_the_items() {
    let tenant = Served::fast();
    let script = r#"
        let people = groups::members("Everyone").collect();
        let items = [];
        for person in people { items.insert(0, person); }
        let rows = exchange::latest_points(items);
        let wrong = 0;
        for i in 0..rows.len() { if rows[i].item != items[i] || rows[i].name != items[i].displayName { wrong += 1; } }
        print(`${rows.len()} ${wrong}`);
        print(rows[0].keys());
        // The same person twice is two rows, and one artifact.
        let twice = exchange::latest_points([people[0], people[0]]);
        print(`${twice.len()} ${twice[0].point == twice[1].point} ${exchange::create_session(twice, "new").count}`);
    "#;
    let done = say(&tenant, script);
    assert_eq!(
        done.stdout,
        "100 0\n[\"code\",\"item\",\"name\",\"point\",\"reason\",\"unit\"]\n2 true 1\n",
        "{done}"
    );
}

#[test]
fn points_come_newest_first_and_fifty_unless_told() {
    let tenant = Served::fast();
    let script = r#"
        let unit = exchange::unit("rania.shah@contoso.example");
        print(exchange::points(unit).count());
        let points = exchange::points(unit, #{limit: 7}).collect();
        print(points.len());
        let sorted = true;
        for i in 1..points.len() { if points[i].protectionDateTime >= points[i - 1].protectionDateTime { sorted = false; } }
        print(sorted);
        let since = now() - duration("3h");
        let some = exchange::points(unit, #{after: since - duration("1h"), before: since});
        print(some.count() > 0 && some.filter(|p| p.protectionDateTime >= since).len() == 0);
        print(exchange::latest_point(unit).protectionDateTime >= points[0].protectionDateTime);
        let slip = #{}; slip["limits"] = 7; try { exchange::points(unit, slip).count(); } catch (e) { print(e.hint); }
    "#;
    assert_snapshot!(says(&tenant, script), @"
    50
    7
    true
    true
    true
    did you mean `limit`?
    ");
}

#[test]
fn before_is_strict() {
    let tenant = Served::fast();
    let script = r#"
        let unit = exchange::unit("rania.shah@contoso.example");
        let points = exchange::points(unit, #{limit: 3, before: now() - duration("2h")}).collect();
        let instant = points[0].protectionDateTime;
        print(exchange::point_before(unit, instant) == points[1]);
        print(exchange::point_before(unit, instant + duration("1s")) == points[0]);
        print(exchange::points_before([unit], instant)[0].point == points[1]);
        print(exchange::point_before(unit, datetime("2001-01-01T00:00:00Z")) == ());
    "#;
    assert_eq!(says(&tenant, script), "true\ntrue\ntrue\ntrue\n");
}

#[test]
fn each_item_may_have_its_own_instant() {
    let tenant = Served::fast();
    let script = r#"
        let people = groups::members("Executives").collect();
        let early = now() - duration("72h");
        let late = now() - duration("24h");
        let items = [#{item: people[0], before: early}, #{item: people[1].mail, before: late}, people[2], #{item: people[0], before: late}];
        let rows = exchange::points_before(items, early);
        print(rows.map(|row| row.point.protectionDateTime < early));
        print(rows.map(|row| row.point.protectionDateTime < late));
        print(rows[0].unit == rows[3].unit && rows[0].point != rows[3].point);
        try { exchange::points_before([#{item: people[0]}]); } catch (e) { print(e.message); }
        try { exchange::points_before([#{itm: people[0], before: late}]); } catch (e) { print(e.message); }
    "#;
    assert_snapshot!(says(&tenant, script), @"
    [true,false,true,false]
    [true,true,true,true]
    true
    points before when? An item has no `before` of its own, and none is given for all
    a map stands for an item only where it has `item`
    ");
}

#[test]
fn coverage_joins_everybody_with_unit_and_point() {
    let tenant = Served::fast();
    let script = r#"
        let n = 0;
        for row in exchange::coverage() { n += 1; }
        print(n);
        print(exchange::coverage().count_by("code"));
        print(exchange::coverage().first().name);
    "#;
    assert_snapshot!(says(&tenant, script), @r#"
    100
    {"":92,"NoUnit":7,"NotProtected":1}
    Rania Shah
    "#);
}

#[test]
fn any_call_of_graph_can_be_made() {
    let tenant = Served::fast();
    let script = r#"
        let user = graph::get("/users/rania.shah@contoso.example");
        print(`${user.displayName} ${user.tomorrow == ()} ${user.raw.surname}`);
        print(graph::pages("/users?$top=40&$select=id").count());
        print(graph::get("users", #{version: "beta"}).value.len());
        for path in ["https://evil.example/users", "/users/../groups", "//evil.example", "/v1.0/users", "/$batch", "/users/%2e%2e/groups"] {
            try { graph::get(path); print(`took ${path}`); } catch (e) { print(`${path}: ${e.code}`); }
        }
        // What stands there as a literal is found before it runs.
        let batch = "/$batch";
        try { graph::post(batch, #{}); } catch (e) { print(e.code); }
        try { graph::get("/users", #{headers: #{Authorization: "x"}}); } catch (e) { print(e.code); }
        try { graph::get("/nothing/here"); } catch (e) { print(`${e.code} ${e.status}`); }
    "#;
    assert_snapshot!(say(&tenant, script), @"
    exit: 0
    ----- stdout -----
    Rania Shah true Shah
    100
    100
    https://evil.example/users: BadPath
    /users/../groups: BadPath
    //evil.example: BadPath
    /v1.0/users: BadPath
    /$batch: BadPath
    /users/%2e%2e/groups: BadPath
    BadPath
    BadOption
    ResourceNotFound 404
    ----- stderr -----
    note: this run uses the beta version of Microsoft Graph in some calls
    ");
}

#[test]
fn a_post_to_an_unknown_path_asks() {
    let tenant = Served::fast();
    let bench = tenant.bench().script(
        "try { graph::post(\"/users/x/doSomething\", #{a: 1}); } catch { print(\"caught\"); }",
    );
    assert_snapshot!(bench.run(), @r#"
    exit: 5
    ----- stdout -----
    ----- stderr -----
    error: consent is needed to POST /users/x/doSomething, and there is no terminal to ask on
     --> script.rhai:1:14
      |
    1 | try { graph::post("/users/x/doSomething", #{a: 1}); } catch { print("caught"); }
      |              ^

    hint: give consent beforehand with `--yes`
    "#);
    let posted = tenant.get("/_sandbox/state")["counts"].to_string();
    assert!(!posted.contains("POST"), "{posted}");
    // A search reads: it needs no consent.
    let bench = bench.script(
        "print(graph::post(\"/solutions/backupRestore/restorePoints/search\", #{protectionUnitIds: [exchange::unit(\"rania.shah@contoso.example\").id], protectionTimePeriod: #{startDateTime: `${now() - duration(\"30d\")}`, endDateTime: `${now()}`}, restorePointPreference: \"latest\"}).searchResponseId != ());",
    );
    let done = bench.run();
    assert_eq!(done.stdout, "true\n", "{done}");
}

#[test]
fn an_activation_by_hand_asks_too() {
    let tenant = Served::fast();
    let bench = tenant.bench().script(
        "let session = exchange::create_session(exchange::latest_points(groups::members(\"Executives\")), \"new\");\n\
         graph::post(`/solutions/backupRestore/restoreSessions/${session.id}/activate`);",
    );
    bench.run().expect(5);
    assert_eq!(tenant.sessions()[0]["status"], "draft");
}

#[test]
fn files_come_back_as_they_were_written() {
    let bench = Bench::new().script(
        r#"
        let rows = [#{name: "a;b", n: 1, at: datetime("2026-11-20T03:00:00Z")}, #{name: "línea \"two\"", n: 22, at: ()}];
        csv::write("rows.csv", rows);
        let back = csv::read("rows.csv", #{columns: #{at: "datetime", n: "int"}});
        print(back);
        print(back[0].at == rows[0].at);
        let writer = csv::writer("more.csv");
        for row in rows { writer.row(row); }
        writer.close();
        print(csv::read("more.csv").len());
        json::write("rows.json", rows);
        print(json::read("rows.json"));
        print(json::parse("{\"a\": [1, 2.5, null]}"));
        print(json::text(#{b: duration("90s")}));
        try { csv::read("bad.csv", #{columns: #{n: "int"}}); } catch (e) { print(e.message); }
        print(csv::read("semi.csv"));
        for path in ["/etc/passwd", "../x.csv"] { try { csv::read(path); } catch (e) { print(e.code); } }
        "#,
    );
    let bench = bench
        .file("bad.csv", "n\n1\ntwo\n")
        .file("semi.csv", "\u{feff}a;b\r\n1;2\r\n");
    assert_snapshot!(bench.run(), @r#"
    exit: 0
    ----- stdout -----
    [{"at":"[TIME]","n":1,"name":"a;b"},{"at":null,"n":22,"name":"línea \"two\""}]
    true
    2
    [{"at":"[TIME]","n":1,"name":"a;b"},{"at":null,"n":22,"name":"línea \"two\""}]
    {"a":[1,2.5,null]}
    {"b":"PT1M30S"}
    `bad.csv` line 3, column `n`: `two` is no whole number
    [{"a":"1","b":"2"}]
    FileDenied
    FileDenied
    ----- stderr -----
    "#);
}

#[test]
fn objects_print_in_every_format() {
    let tenant = Served::fast();
    let script = r#"
        let people = groups::members("Executives").first(2);
        print("talk");
        table(people, ["displayName", "mobilePhone", "businessPhones"]);
        table([#{when: datetime("2026-11-20T03:00:00Z"), long: duration("90s")}]);
        people[0]
    "#;
    let run = |format| {
        let bench = tenant.bench().script(script).flags(&["--format", format]);
        bench.run().expect(0)
    };
    let done = run("json");
    let documents = done.json();
    assert_eq!(done.stderr, "talk\n");
    assert_eq!(documents.len(), 3);
    assert_eq!(documents[0][0]["displayName"], "Siobhán Khalil");
    assert_eq!(
        documents[1],
        json!([{"when": "2026-11-20T03:00:00Z", "long": "PT1M30S"}])
    );
    assert_eq!(
        documents[2]["userPrincipalName"],
        "siobhan.khalil@contoso.example"
    );
    assert!(matches!(documents[0][0]["mobilePhone"], Value::Null));
    assert_snapshot!(run("csv"), @r##"
    exit: 0
    ----- stdout -----
    talk
    displayName,mobilePhone,businessPhones
    Siobhán Khalil,,"[""+1 425 555 9731""]"
    Sofia García,,"[""+1 425 555 7117""]"

    long,when
    PT1M30S,[TIME]
    {"@odata.type":"#microsoft.graph.user","businessPhones":["+1 425 555 9731"],"displayName":"Siobhán Khalil","givenName":"Siobhán","id":"[ID]","jobTitle":"Specialist","mail":"siobhan_khalil@contoso.example","mobilePhone":null,"officeLocation":"Seattle/18-1111","preferredLanguage":"en-US","surname":"Khalil","userPrincipalName":"siobhan.khalil@contoso.example"}
    ----- stderr -----
    "##);
    assert_snapshot!(run("table"), @r##"
    exit: 0
    ----- stdout -----
    talk
    displayName     mobilePhone  businessPhones
    Siobhán Khalil               ["+1 425 555 9731"]
    Sofia García                 ["+1 425 555 7117"]
    long     when
    PT1M30S  [TIME]
    {
      "@odata.type": "#microsoft.graph.user",
      "businessPhones": [
        "+1 425 555 9731"
      ],
      "displayName": "Siobhán Khalil",
      "givenName": "Siobhán",
      "id": "[ID]",
      "jobTitle": "Specialist",
      "mail": "siobhan_khalil@contoso.example",
      "mobilePhone": null,
      "officeLocation": "Seattle/18-1111",
      "preferredLanguage": "en-US",
      "surname": "Khalil",
      "userPrincipalName": "siobhan.khalil@contoso.example"
    }
    ----- stderr -----
    "##);
}

#[test]
fn a_stream_at_the_end_of_a_script_is_its_value() {
    let tenant = Served::fast();
    let done = tenant
        .bench()
        .script(r#"groups::members("Executives")"#)
        .flags(&["--format", "json"])
        .run()
        .expect(0);
    let people: Vec<Value> = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(people.len(), 6, "{done}");
    assert!(people[0]["displayName"].is_string(), "{done}");
    let done = tenant
        .bench()
        .script(r#"graph::pages("/nowhere")"#)
        .run()
        .expect(2);
    assert!(done.stderr.starts_with("error: "), "{done}");
}
