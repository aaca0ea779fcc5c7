//! `allow`, `workloads`, `destinations`, `hours`, `graph_paths`: allowed and denied.

use serde_json::json;

use super::{RESTORE_GROUP, activated, bench, expect_denied, expect_untouched};
use crate::support::Served;

/// Catches everything, and goes on.
fn stubborn(what: &str) -> String {
    format!(
        "let rows = exchange::latest_points(groups::members(\"Finance\").first(3));
         try {{ {what} }} catch {{ }}
         let caught = attempt(|| {{ {what} }});
         for i in 0..3 {{ try {{ exchange::create_session(rows, \"new\").activate(); }} catch {{ }} }}
         print(\"went on\");"
    )
}

#[test]
fn a_class_that_is_not_allowed_ends_the_run_whatever_the_script_catches() {
    for (allow, what) in [
        (
            r#"["read", "activate", "delete"]"#,
            "exchange::create_session(rows, \"new\");",
        ),
        (
            r#"["read", "draft", "delete"]"#,
            "exchange::create_session(rows, \"new\").activate();",
        ),
        (
            r#"["read", "draft", "activate"]"#,
            "exchange::create_session(rows, \"new\").delete();",
        ),
        (r#"["draft", "activate", "delete"]"#, "rows = [];"),
        (r#"["read", "draft"]"#, "graph::patch(\"/users/x\", #{});"),
        ("[]", "rows = [];"),
    ] {
        let tenant = Served::fast();
        let policy = format!("allow = {allow}");
        let bench = bench(&tenant, &stubborn(what), &policy);
        let done = bench.run();
        expect_denied(&done, "allow = ");
        assert_eq!(done.stdout, "", "{done}");
        assert!(done.stderr.contains("--> script.rhai:"), "{done}");
        assert_eq!(activated(&tenant), 0, "{done}");
        let result = bench.result();
        assert_eq!(
            (&result["exit"], &result["error"]["code"]),
            (&json!(5), &json!("PolicyDenied"))
        );
    }
}

#[test]
fn what_is_allowed_is_done() {
    let tenant = Served::fast();
    let policy = "allow = [\"read\", \"draft\", \"activate\"]
        workloads = [\"exchange\"]
        destinations = [\"new\"]
        hours = \"00:00-24:00\"
        groups = [\"Finance\"]
        max_items_per_run = 11
        max_items_per_session = 11
        max_items_per_day = 11
        graph_paths = []";
    let bench = bench(&tenant, RESTORE_GROUP, policy).arguments(&["group=Finance", "before=-24h"]);
    let done = bench.run();
    assert_eq!(done.code, 1, "{done}");
    assert_eq!(bench.books(), [13, 11, 0, 2, 0], "{done}");
    tenant.expect_nothing_twice();
}

#[test]
fn a_script_that_deletes_its_draft_needs_delete_and_no_more() {
    let tenant = Served::fast();
    let script = "exchange::create_session().delete(); print(\"done\");";
    let bench = bench(&tenant, script, "allow = [\"draft\", \"delete\"]");
    let done = bench.run().expect(0);
    assert_eq!(done.stdout, "done\n");
}

#[test]
fn only_the_workloads_that_are_named_are_changed() {
    let tenant = Served::fast();
    let script = "let unit = onedrive::units().first(1)[0];
        print(onedrive::latest_point(unit) != ());
        onedrive::create_session();";
    let done = bench(
        &tenant,
        script,
        "workloads = [\"exchange\", \"sharepoint\"]",
    )
    .run();
    expect_denied(&done, "workloads = ");
    assert_eq!(done.stdout, "true\n", "reading is free: {done}");
    expect_untouched(&tenant);
    bench(&tenant, script, "workloads = [\"onedrive\"]")
        .run()
        .expect(0);
}

#[test]
fn only_the_destinations_that_are_named_are_restored_to() {
    let tenant = Served::fast();
    let arguments = ["group=Finance", "before=-24h", "destination=inPlace"];
    let done = bench(&tenant, RESTORE_GROUP, "destinations = [\"new\"]")
        .arguments(&arguments)
        .run();
    expect_denied(&done, "destinations = ");
    assert!(done.stderr.contains("`inPlace`"), "{done}");
    expect_untouched(&tenant);
    let bulk = "exchange::restore_bulk(groups::members(\"Finance\"), #{destination: \"inPlace\"});";
    expect_denied(
        &bench(&tenant, bulk, "destinations = [\"new\"]").run(),
        "destinations = ",
    );
    expect_untouched(&tenant);
    let both = "destinations = [\"new\", \"inPlace\"]";
    let bench = bench(&tenant, RESTORE_GROUP, both).arguments(&arguments);
    bench.run().expect(1);
    assert_eq!(activated(&tenant), 1);
}

/// The day of the week so many days from now.
fn day(from_now: i64) -> &'static str {
    let date = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * from_now);
    let day = jiff::tz::Offset::UTC.to_datetime(date).weekday();
    let at = usize::try_from(day.to_monday_zero_offset()).unwrap();
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][at]
}

#[test]
fn outside_its_hours_the_tenant_is_read_and_not_changed() {
    let tenant = Served::fast();
    // Not tomorrow: the test may run over midnight.
    let closed = format!("hours = \"{}\"", day(3));
    let script = "print(users::list().first(1).len()); exchange::create_session();";
    let bench = bench(&tenant, script, &closed);
    let done = bench.run();
    expect_denied(&done, "hours = ");
    assert_eq!(done.stdout, "1\n");
    assert!(done.stderr.contains("T00:00:00Z on it may be"), "{done}");
    expect_untouched(&tenant);
    // A plan is of another hour.
    bench.runback(&["plan", "script.rhai"]).expect(0);
    let open = format!("hours = [\"{}-{}\"]", day(-1), day(1));
    super::with_policy(bench, &open).run().expect(0);
}

#[test]
fn graph_calls_only_the_paths_that_are_named() {
    let tenant = Served::fast();
    let me = tenant.get("/v1.0/users?$top=1")["value"][0].clone();
    let id = me["id"].as_str().unwrap();
    let policy = "graph_paths = [\"GET /users/*\", \"/solutions/backupRestore/**/search\"]";
    let allowed = [
        format!("graph::get(\"/users/{id}\");"),
        format!("graph::get(\"users/{id}?$select=id\");"),
        format!("graph::get(\"/Users/{}\");", id.replacen('-', "%2D", 1)),
        format!("graph::get(\"/%75sers/{id}\");"),
    ];
    for script in allowed {
        let done = bench(&tenant, &script, policy).run();
        assert!(
            !done.stderr.contains("PolicyDenied") && done.code != 5,
            "{script}\n{done}"
        );
    }
    for script in [
        "graph::get(\"/users\");".to_owned(),
        format!("graph::get(\"/users/{id}/drive\");"),
        format!("graph::get(\"/users/{id}%3F/drive\");"),
        "for group in graph::pages(\"/groups\") { }".to_owned(),
        "graph::pages(\"/gr%6Fups\").count();".to_owned(),
        format!("graph::patch(\"/users/{id}\", #{{}});"),
        format!("graph::delete(\"/users/{id}\");"),
        "graph::post(\"/solutions/backupRestore/exchangeRestoreSessions\", #{});".to_owned(),
    ] {
        let done = bench(&tenant, &script, policy).run();
        expect_denied(&done, "graph_paths = ");
    }
    // What it has its own functions for is none of `graph::`.
    bench(
        &tenant,
        "users::list().count(); exchange::create_session();",
        "graph_paths = []",
    )
    .run()
    .expect(0);
}

#[test]
fn a_path_does_not_lead_past_the_rules_of_items() {
    let tenant = Served::fast();
    let draft = "let rows = exchange::latest_points(groups::members(\"Finance\").first(2));
        let draft = graph::post(\"/solutions/backupRestore/exchangeRestoreSessions\", #{
            mailboxRestoreArtifacts: [#{restorePoint: #{id: rows[0].point.id}, destinationType: \"inPlace\"}],
        });";
    for (policy, what) in [
        (
            "destinations = [\"new\"]",
            "graph::post(`/solutions/backupRestore/restoreSessions/${draft.id}/activate`);",
        ),
        (
            "max_items_per_run = 5",
            "graph::post(`/solutions/backupRestore/restoreSessions('${draft.id}')/activate`);",
        ),
        (
            "max_items_per_day = 5",
            "graph::post(`/solutions/BackupRestore/restoresessions/${draft.id}/%61ctivate`);",
        ),
        // What the draft holds is looked at when it is activated.
        (
            "destinations = [\"new\"]",
            "exchange::session(draft.id).activate();",
        ),
        ("workloads = [\"onedrive\"]", "print(\"not even drafted\");"),
    ] {
        let done = bench(&tenant, &format!("{draft}\n{what}"), policy).run();
        expect_denied(&done, policy);
        assert_eq!(done.stdout, "", "{done}");
        assert_eq!(activated(&tenant), 0, "{done}");
    }
}

#[test]
fn a_plan_tells_what_would_be_denied() {
    let tenant = Served::fast();
    let bench = bench(&tenant, RESTORE_GROUP, "allow = [\"read\", \"draft\"]");
    let words = [
        "plan",
        "script.rhai",
        "group=Finance",
        "before=-24h",
        "--out",
        "plan.json",
    ];
    expect_denied(&bench.runback(&words), "allow = ");
    assert!(!bench.path("plan.json").exists());
    let bench = super::with_policy(bench, "max_items_per_day = 11");
    bench.runback(&words).expect(0);
    let bench = super::with_policy(bench, "destinations = [\"inPlace\"]");
    expect_denied(&bench.runback(&["apply", "plan.json"]), "destinations = ");
    expect_untouched(&tenant);
}

#[test]
fn drafts_are_deleted_only_where_that_is_allowed() {
    let tenant = Served::fast();
    let bench = bench(
        &tenant,
        "exchange::create_session();",
        "allow = [\"draft\"]",
    );
    bench.run().expect(0);
    expect_denied(&bench.runback(&["drafts", "--delete"]), "allow = ");
    assert_eq!(tenant.sessions().len(), 1);
    let bench = super::with_policy(bench, "allow = [\"delete\"]");
    bench.runback(&["drafts", "--delete"]).expect(0);
    assert_eq!(tenant.sessions().len(), 0);
}

#[test]
fn what_a_patch_takes_out_is_deleted() {
    let script = "let rows = exchange::latest_points(groups::members(\"Finance\")).filter(|row| row.point != ());
        let session = exchange::create_session(rows, \"new\");
        let gone = session.artifacts().map(|artifact| #{\"@removed\": #{reason: \"changed\"}, id: artifact.id});
        graph::patch(`/solutions/backupRestore/exchangeRestoreSessions/${session.id}`, #{\"mailboxRestoreArtifacts@delta\": gone});";
    let tenant = Served::fast();
    let done = bench(&tenant, script, "allow = [\"read\", \"draft\"]").run();
    expect_denied(&done, "allow = ");
    // Without a policy it needs consent, and nobody is there to give it.
    let alone = tenant.bench().script(script).run();
    assert_eq!(alone.code, 5, "{alone}");
    for session in tenant.sessions() {
        assert_eq!(session["artifacts"].as_array().unwrap().len(), 12);
    }
    let done = bench(&tenant, script, "allow = [\"read\", \"draft\", \"delete\"]").run();
    assert!(done.code <= 1, "{done}");
    let emptied = tenant.sessions();
    let emptied = emptied
        .iter()
        .filter(|session| session["artifacts"] == serde_json::json!([]));
    assert_eq!(emptied.count(), 1);
}

#[test]
fn what_runback_does_not_know_is_no_draft() {
    let tenant = Served::fast();
    for call in [
        "post(\"/solutions/backupRestore/restoreSessions\", #{})",
        "post(\"/solutions/backupRestore/exchangeRestoreSessions/1\", #{})",
        "patch(\"/solutions/backupRestore/restoreSessions/1\", #{})",
        "patch(\"/solutions/backupRestore/browseSessions/1\", #{})",
        "post(\"/solutions/backupRestore/exchangeRestoreSessions/activate\", #{})",
        // What is no delta may replace the whole list, or start it.
        "patch(\"/solutions/backupRestore/exchangeRestoreSessions/1\", #{mailboxRestoreArtifacts: []})",
        "patch(\"/solutions/backupRestore/exchangeRestoreSessions/1\", #{\"mailboxRestoreArtifacts@delta\": [], status: \"active\"})",
        "patch(\"/solutions/backupRestore/exchangeRestoreSessions/1\", #{\"mailboxRestoreArtifacts@delta \": []})",
    ] {
        let done = bench(
            &tenant,
            &format!("graph::{call};"),
            "allow = [\"read\", \"draft\"]",
        );
        expect_denied(&done.run(), "allow = ");
    }
    for header in [
        "X-HTTP-Method-Override",
        "x-method-override",
        "X-HTTP-Method",
        "Content-Type",
        "Transfer-Encoding",
        "Connection",
        "Cookie",
    ] {
        let script =
            format!("graph::get(\"/users\", #{{headers: #{{\"{header}\": \"DELETE\"}}}});");
        let done = bench(&tenant, &script, "allow = [\"read\"]").run();
        assert_eq!(done.code, 2, "{done}");
        assert!(done.stderr.contains("cannot be set"), "{done}");
    }
    expect_untouched(&tenant);
}
