//! What bad input gets: a message with what, where and what now, the right exit code, and nothing lost.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Bench, Entra, Fake, Reply, Served, secrets};

const RESTORE_GROUP: &str = include_str!("../scripts/restore-group.rhai");

fn restore_group(tenant: &Served, group: &str) -> Bench {
    tenant
        .bench()
        .flags(&["--yes"])
        .script(RESTORE_GROUP)
        .arguments(&[&format!("group={group}"), "before=-24h"])
}

// Groups and people.

#[test]
fn a_group_that_does_not_exist() {
    let tenant = Served::fast();
    assert_snapshot!(restore_group(&tenant, "Finanse").run(), @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: no group is called `Finanse`
     --> script.rhai:7:23
      |
    7 | let people  = groups::members(args.group);
      |                       ^

    hint: did you mean `Finance`, `Finance EMEA`?
    ");
    assert!(tenant.sessions().is_empty());
}

#[test]
fn a_group_that_exists_twice() {
    let tenant = Served::fast();
    let bench = restore_group(&tenant, "Project X");
    let done = bench.run();
    assert_snapshot!(done, @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: 2 groups are called `Project X`
     --> script.rhai:7:23
      |
    7 | let people  = groups::members(args.group);
      |                       ^

    hint: give the id of the one you mean: [ID], [ID]
    ");
    let ids = tenant
        .bench()
        .script("groups::list().filter(|g| g.displayName == \"Project X\").map(|g| g.id)")
        .flags(&["--format", "json"])
        .run()
        .json();
    for id in ids[0].as_array().unwrap() {
        assert!(done.stderr.contains(id.as_str().unwrap()), "{done}");
    }
}

#[test]
fn a_group_without_members() {
    let tenant = Served::fast();
    let bench = restore_group(&tenant, "Nobody");
    assert_snapshot!(bench.run(), @"
    exit: 0
    ----- stdout -----
    name  status  restoredFolderName
    ----- stderr -----
    ");
    assert_eq!(bench.books(), [0; 5]);
}

#[test]
fn people_without_a_point_are_rows_with_the_reason() {
    let tenant = Served::fast();
    let script = r#"
        let known = users::list().map(|user| user.id);
        let gone = exchange::units().filter(|unit| !known.contains(unit.directoryObjectId) && unit.status == "protected");
        let items = [
            "astrid.dangelo@contoso.example", "kenji.rossi@contoso.example", "nobody@contoso.example",
            "7a2c3d60-0000-4000-8000-000000000001", gone[0].directoryObjectId, gone[0], "not an address",
        ];
        let rows = exchange::points_before(items, now() - duration("1000d"));
        for row in rows { print(`${row.name}: ${row.code}, ${row.reason}`); }
        let rows = exchange::latest_points(items);
        for row in rows { print(`${row.name}: ${row.code}, ${row.unit != ()}, ${row.point != ()}`); }
        exchange::create_session(rows, "new").activate();
        ()
    "#;
    let bench = tenant.bench().flags(&["--yes"]).script(script);
    assert_snapshot!(bench.run(), @"
    exit: 1
    ----- stdout -----
    Astrid D'Angelo: NoUnit, this mailbox was never protected
    Kenji Rossi: NotProtected, this mailbox has left protection and has no such point
    nobody@contoso.example: UserNotFound, there is no user `nobody@contoso.example`
    [ID]: UserNotFound, there is no user `[ID]`
    [ID]: NoPointBefore, the service lists no restore point before [TIME]
    [ID]: NoPointBefore, the service lists no restore point before [TIME]
    not an address: UserNotFound, there is no user `not an address`
    Astrid D'Angelo: NoUnit, false, false
    Kenji Rossi: NotProtected, true, false
    nobody@contoso.example: UserNotFound, false, false
    [ID]: UserNotFound, false, false
    [ID]: , true, true
    [ID]: , true, true
    not an address: UserNotFound, false, false
    ----- stderr -----
    asked 6 = succeeded 1 + failed 0 + skipped 5 + unknown 0
      skipped       3  UserNotFound
      skipped       1  NoUnit
      skipped       1  NotProtected

      skipped  Astrid D'Angelo (exchange): NoUnit, this mailbox was never protected
      skipped  Kenji Rossi (exchange): NotProtected, this mailbox has left protection and has no such point
      skipped  nobody@contoso.example (exchange): UserNotFound, there is no user `nobody@contoso.example`
      skipped  [ID] (exchange): UserNotFound, there is no user `[ID]`
      skipped  not an address (exchange): UserNotFound, there is no user `not an address`

    1 session, [COST]
    every item, with its reason: [FOLDER]/state/runs/[RUN]/result.json
    ");
}

// Arguments.

#[test]
fn each_mistake_in_an_argument_is_told_with_what_to_write() {
    for (arguments, said) in [
        (&["before=-24h"][..], "argument `group` is missing"),
        (
            &["group=Finance", "before=yesterday"],
            "`yesterday` is no datetime",
        ),
        (
            &["group=Finance", "before=2026-11-20T03:00:00"],
            "say in which zone",
        ),
        (
            &["group=Finance", "before=-24h", "destinaton=new"],
            "did you mean `destination`?",
        ),
        (&["group=Finance", "group=Sales", "before=-24h"], "`group`"),
    ] {
        let bench = Bench::new().script(RESTORE_GROUP).arguments(arguments);
        let done = bench.run().expect(2);
        assert!(done.stderr.contains(said), "{arguments:?}\n{done}");
        assert!(done.stderr.contains("hint: "), "{arguments:?}\n{done}");
        assert_eq!(bench.result()["exit"], 2);
    }
}

// Scripts.

#[test]
fn scripts_that_are_none() {
    let utf16: Vec<u8> = "print(1);"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf16_with_mark = [&[0xff, 0xfe][..], &utf16].concat();
    for (what, bytes, said) in [
        (
            "binary",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\xff\xfe\xfd".to_vec(),
            "text",
        ),
        ("UTF-16", utf16_with_mark, "UTF-16"),
        ("UTF-16 without a mark", utf16, "UTF-16"),
        ("Latin-1", b"print(\"caf\xe9\");".to_vec(), "UTF-8"),
        ("curly quotes", "print(“hello”);".into(), "quote"),
        ("an open comment", "print(1); /* and so on".into(), "/*"),
    ] {
        let bench = Bench::new().file("script.rhai", &bytes);
        let done = bench.run().expect(2);
        assert!(done.stderr.contains(said), "{what}\n{done}");
        assert!(
            done.stderr.starts_with("error: ") && done.stdout.is_empty(),
            "{what}\n{done}"
        );
    }
}

#[test]
fn scripts_that_only_look_odd() {
    for (what, text) in [
        ("byte order mark", "\u{feff}print(1);"),
        (
            "CRLF",
            "//! Help.\r\n//! @param x int = 1 x\r\nprint(\r\n  args.x\r\n);\r\n",
        ),
        ("shebang", "#!/usr/bin/env -S runback run\nprint(1);"),
    ] {
        let done = Bench::new().script(text).run().expect(0);
        assert_eq!(done.stdout, "1\n", "{what}\n{done}");
    }
    let done = Bench::new().script("").run();
    assert_snapshot!(done, @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: `script.rhai` is empty
    ");
}

// Signing in and permissions.

#[test]
fn a_secret_goes_to_no_server_without_tls() {
    let tenant = Served::fast();
    let bench = tenant
        .bench()
        .variable("RUNBACK_AUTH", "secret")
        .variable("AZURE_TENANT_ID", "e3673969-bf70-4c98-a1f2-bae8e5ce21f8")
        .variable("AZURE_CLIENT_ID", "e5abbcfe-1387-45c1-a461-53197df3daac")
        .variable("AZURE_CLIENT_SECRET", secrets::CLIENT_SECRET)
        .script("users::list().count()");
    let done = bench.run().expect(2);
    let shown = done.to_string().replace(&tenant.url, "[URL]");
    assert_snapshot!(shown, @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: `[URL]` is plain http, and a real sign-in is never used with it

    hint: use `--auth token` or the sandbox, or an https address
    ");
    assert_eq!(tenant.count("GET /users"), 0);
}

#[test]
fn a_secret_is_not_sent_to_an_authority_without_tls() {
    let fake = Fake::new(|_, _| Reply::Drop);
    let bench = Bench::new()
        .variable("AZURE_AUTHORITY_HOST", &fake.url)
        .variable("AZURE_TENANT_ID", "e3673969-bf70-4c98-a1f2-bae8e5ce21f8")
        .variable("AZURE_CLIENT_ID", "e5abbcfe-1387-45c1-a461-53197df3daac")
        .variable("AZURE_CLIENT_SECRET", secrets::CLIENT_SECRET)
        .script("users::list().count()");
    let done = bench.run();
    assert_snapshot!(done.to_string().replace(&fake.url, "[URL]"), @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: the sign-in address `[URL]` is not an https address

    hint: set AZURE_AUTHORITY_HOST to an https address, or unset it
    hint: a server on this machine needs a certificate too; `--ca-file` names the CA it comes from
    ");
    assert_eq!(fake.requests(), [""; 0]);
}

#[test]
fn each_missing_permission_is_named_where_it_is_needed() {
    let restore = r#"exchange::create_session(exchange::latest_points(groups::members("Executives")), "new").activate(); ()"#;
    for (revoked, script, grant) in [
        (
            "User.Read.All",
            "users::list().count()",
            "User.ReadBasic.All",
        ),
        (
            "GroupMember.Read.All",
            "groups::members(\"8c4bdc62-209a-437b-9cea-b93f1fa441d5\").count()",
            "GroupMember.Read.All",
        ),
        (
            "BackupRestore-Search.Read.All",
            restore,
            "BackupRestore-Search.Read.All",
        ),
        (
            "BackupRestore-Restore.ReadWrite.All",
            restore,
            "BackupRestore-Restore.ReadWrite.All",
        ),
    ] {
        let tenant = Served::fast();
        tenant.breaks("permission", revoked);
        let bench = tenant.bench().flags(&["--yes"]).script(script);
        let done = bench.run().expect(6);
        let hint = format!("hint: grant the application permission `{grant}`");
        assert!(done.stderr.contains(&hint), "{revoked}\n{done}");
        assert_eq!(
            bench.result()["error"]["code"],
            "Authorization_RequestDenied"
        );
    }
}

#[test]
fn units_cannot_be_read_without_their_permission() {
    let tenant = Served::fast();
    tenant.breaks("permission", "BackupRestore-Configuration.Read.All");
    tenant.breaks("permission", "BackupRestore-Configuration.ReadWrite.All");
    assert_snapshot!(restore_group(&tenant, "Executives").run(), @"
    exit: 6
    ----- stdout -----
    ----- stderr -----
    error: list protection units was refused: Insufficient privileges to complete the operation. (one of these permissions is needed: BackupRestore-Configuration.Read.All, BackupRestore-Configuration.ReadWrite.All)
     --> script.rhai:8:25
      |
    8 | let rows    = exchange::points_before(people, args.before);   // one row for every person, with the reason where there i …
      |                         ^
      = the service answered 403 Authorization_RequestDenied
      = request-id [ID], [CLOCK]

    hint: grant the application permission `BackupRestore-Configuration.Read.All` (with admin consent) to the app, then run again
    ");
}

// The service.

#[test]
fn a_locked_service_restores_nothing() {
    for status in ["restoreLocked", "disabled"] {
        let tenant = Served::fast();
        tenant.breaks("serviceStatus", status);
        let bench = restore_group(&tenant, "Executives");
        let done = bench.run();
        assert!((2..=3).contains(&done.code), "{done}");
        assert!(done.stderr.contains(status), "{done}");
        assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 0);
        let [_, succeeded, failed, _, unknown] = bench.books();
        assert_eq!((succeeded, failed, unknown), (0, 0, 0));
    }
}

#[test]
fn a_locked_service_says_so() {
    let tenant = Served::fast();
    tenant.breaks("serviceStatus", "restoreLocked");
    assert_snapshot!(restore_group(&tenant, "Executives").run(), @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: nothing can be restored: Microsoft 365 Backup is `restoreLocked` in this tenant
     --> script.rhai:9:25
      |
    9 | let session = exchange::create_session(rows, args.destination);
      |                         ^

    hint: look at Settings, Microsoft 365 Backup in the admin centre, then run again

    asked 6 = succeeded 0 + failed 0 + skipped 6 + unknown 0
      skipped       6  NotActivated

      skipped  Siobhán Khalil (exchange): NotActivated, it was put into no session
      skipped  Sofia García (exchange): NotActivated, it was put into no session
      skipped  Eleni Khalil (exchange): NotActivated, it was put into no session
      skipped  Sean Morales (exchange): NotActivated, it was put into no session
      skipped  Beatriz Joshi (exchange): NotActivated, it was put into no session
      … and 1 more, in [FOLDER]/state/runs/[RUN]/result.json

    0 sessions, [COST]
    every item, with its reason: [FOLDER]/state/runs/[RUN]/result.json
    ");
}

#[test]
fn a_service_that_is_locked_after_the_draft_activates_nothing() {
    let tenant = Served::fast();
    let script = r#"
        let session = exchange::create_session(exchange::latest_points(groups::members("Executives")), "new");
        debug(session.id);
        sleep(duration("1h"));
    "#;
    let drafting = tenant.bench().script(script);
    let mut running = drafting.start();
    running.hears("-").signal("TERM");
    running.finish().expect(143);
    tenant.breaks("serviceStatus", "restoreLocked");
    let id = tenant.sessions()[0]["id"].as_str().unwrap().to_owned();
    let bench = tenant
        .bench()
        .flags(&["--yes"])
        .script(&format!("sessions::get(\"{id}\").activate();"));
    let done = bench.run().expect(2);
    assert!(done.stderr.contains("`restoreLocked`"), "{done}");
    assert_eq!(tenant.count("POST /restoreSessions/{id}/activate"), 0);
    assert_eq!(bench.books(), [6, 0, 0, 6, 0]);
}

// Servers that are none.

fn against(fake: &Fake) -> Bench {
    Bench::new()
        .variable("RUNBACK_GRAPH_URL", &fake.url)
        .variable("RUNBACK_AUTH", "token")
        .variable("RUNBACK_ACCESS_TOKEN", secrets::TOKEN)
        .script("users::list().count()")
}

fn json_header() -> Vec<(&'static str, String)> {
    vec![("content-type", "application/json".to_owned())]
}

#[test]
fn a_next_page_at_another_host_is_not_fetched() {
    let other = Fake::new(|_, _| Reply::Json(200, json!({"value": [{"id": "x"}]})));
    let link = format!("{}/v1.0/users?$skiptoken=1", other.url);
    let fake = Fake::new(move |_, _| {
        Reply::Json(
            200,
            json!({"value": [{"id": "a"}], "@odata.nextLink": link}),
        )
    });
    let done = against(&fake).run().expect(2);
    let shown = done.to_string().replace(&other.url, "[OTHER]");
    assert_snapshot!(shown, @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: list users was answered with something unusable: the next page is said to be at another place (`[OTHER]`); the token is not sent there
     --> script.rhai:1:15
      |
    1 | users::list().count()
      |               ^
      = request-id [ID], [CLOCK]

    hint: does a proxy or a sign-in page answer in place of Graph? check `HTTPS_PROXY` and `--graph-url`
    ");
    assert_eq!(other.requests(), [""; 0]);
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let other = Fake::new(|_, _| Reply::Json(200, json!({"value": []})));
    let to = format!("{}/v1.0/users", other.url);
    let fake =
        Fake::new(move |_, _| Reply::Full(302, vec![("location", to.clone())], String::new()));
    let done = against(&fake).flags(&["--max-time", "1s"]).run().expect(2);
    assert!(done.stderr.starts_with("error: "), "{done}");
    assert_eq!(other.requests(), [""; 0]);
}

#[test]
fn a_page_that_is_cut_short_is_no_end_of_the_list() {
    // It is asked for again, backing off: eight seconds in all, which run beside the longer tests of lost answers.
    let fake = Fake::new(|_, _| {
        Reply::Full(
            200,
            json_header(),
            r#"{"value": [{"id": "a"}, {"id": "#.to_owned(),
        )
    });
    let done = against(&fake).flags(&["--max-time", "30s"]).run().expect(2);
    assert!(fake.requests().len() > 1, "{done}");
    assert!(done.stdout.is_empty(), "{done}");
    assert!(done.stderr.contains("list users"), "{done}");
}

#[test]
fn an_answer_beyond_all_bounds_is_not_read_to_its_end() {
    let fake = Fake::new(|_, _| {
        let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 209715200\r\n\r\n".to_vec();
        bytes.resize(70 << 20, b' ');
        Reply::Raw(bytes)
    });
    let done = against(&fake).flags(&["--max-time", "5s"]).run().expect(2);
    assert!(done.stderr.contains("64 MiB"), "{done}");
}

#[test]
fn a_wrong_client_secret_is_told_in_entras_words() {
    let entra = Entra::answering(
        401,
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#,
    );
    let bench = Bench::new()
        .variable("AZURE_TENANT_ID", "contoso.example")
        .variable("AZURE_CLIENT_ID", "11111111-2222-3333-4444-555555555555")
        .variable("AZURE_CLIENT_SECRET", secrets::CLIENT_SECRET)
        .variable("AZURE_AUTHORITY_HOST", &entra.url)
        .file("ca.pem", &entra.authority)
        .script("users::list().count()")
        .flags(&["--graph-url", &entra.url, "--ca-file", "ca.pem"]);
    let done = bench.run().expect(6);
    assert!(done.stderr.contains("AADSTS7000215"), "{done}");
    assert!(done.stderr.contains("AZURE_CLIENT_SECRET"), "{done}");
    assert!(!done.to_string().contains(secrets::CLIENT_SECRET), "{done}");
}

#[test]
fn an_answer_of_one_byte_a_second_is_given_up() {
    // Three tries of ten seconds each: the guard's own limits, which no flag shortens.
    let fake = Fake::new(|_, _| Reply::Trickle);
    let done = against(&fake).run().expect(2);
    assert!(done.stderr.contains("the answer came too slowly"), "{done}");
    assert!(done.stderr.contains("script.rhai:1:"), "{done}");
    assert_eq!(fake.requests().len(), 3, "{done}");
}

#[test]
fn a_graph_without_tls_is_refused() {
    let bench = Bench::new()
        .variable("RUNBACK_AUTH", "token")
        .variable("RUNBACK_ACCESS_TOKEN", secrets::TOKEN)
        .script("users::list().count()")
        .flags(&["--graph-url", "http://example.com"]);
    assert_snapshot!(bench.run(), @"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: `http://example.com` would send the token unencrypted

    hint: plain http is only for 127.0.0.1, [::1] and localhost; use https
    ");
}

#[test]
fn what_cannot_begin_is_reported_with_its_code() {
    let tenant = Served::fast();
    let bench = restore_group(&tenant, "Finanse").flags(&["--report", "r.json"]);
    bench.run().expect(2);
    let report: Value = serde_json::from_str(&bench.read("r.json")).unwrap();
    assert_eq!(report["exit"], 2);
    let error = &report["error"];
    assert_eq!(error["file"], "script.rhai");
    assert_eq!(error["line"], 7);
    assert!(
        error["hint"].as_str().unwrap().contains("Finance"),
        "{error}"
    );
    assert!(error["code"].is_string(), "{error}");
}
