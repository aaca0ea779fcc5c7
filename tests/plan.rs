//! Plans: what a runbook would do, row by row.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Bench, Done, Served};

const RESTORE_GROUP: &str = include_str!("../scripts/restore-group.rhai");

/// A bench with this script.
pub(crate) fn bench(tenant: &Served, script: &str) -> Bench {
    tenant.bench().script(script)
}

pub(crate) fn plan(bench: &Bench, words: &[&str]) -> Done {
    let mut all = vec!["plan", "script.rhai", "--out", "plan.json"];
    all.extend(words);
    bench.runback(&all)
}

pub(crate) fn document(bench: &Bench) -> Value {
    serde_json::from_str(&bench.read("plan.json")).unwrap()
}

/// Finance's mailboxes, a day ago: 11 can be restored, 2 cannot.
pub(crate) fn finance(tenant: &Served) -> Bench {
    let bench = bench(tenant, RESTORE_GROUP);
    plan(&bench, &["group=Finance", "before=-24h"]).expect(0);
    bench
}

/// No request of a plan or a refused apply may have changed anything.
#[track_caller]
pub(crate) fn expect_untouched(tenant: &Served) {
    assert_eq!(tenant.sessions(), Vec::<Value>::new());
    let counts = tenant.get("/_sandbox/state")["counts"].clone();
    for (request, _) in counts.as_object().unwrap() {
        let reads = request.starts_with("GET ")
            || request.ends_with("/restorePoints/search")
            || request.contains("/oauth2/");
        let control = request.contains("_sandbox");
        assert!(reads || control, "{request}");
    }
}

/// The rows that are restored, as (unit, point).
pub(crate) fn planned(plan: &Value) -> BTreeSet<(String, String)> {
    let rows = plan["items"].as_array().unwrap().iter();
    rows.filter(|row| row["part"].is_number())
        .map(|row| (text(&row["unit"]), text(&row["point"])))
        .collect()
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}

/// Everything that stands in an activated session.
pub(crate) fn restored(tenant: &Served) -> BTreeSet<(String, String)> {
    let sessions = tenant
        .sessions()
        .into_iter()
        .filter(|session| session["status"] != "draft");
    sessions
        .flat_map(|session| session["artifacts"].as_array().unwrap().clone())
        .map(|artifact| (text(&artifact["unit"]), text(&artifact["point"])))
        .collect()
}

/// As DESIGN has it: over the document without `plan`, keys sorted, no spaces.
pub(crate) fn hash(plan: &Value) -> String {
    let mut plan = plan.clone();
    plan.as_object_mut().unwrap().remove("plan");
    let digest = Sha256::digest(plan.to_string());
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[test]
fn a_plan_shows_every_row_and_changes_nothing() {
    let tenant = Served::fast();
    let bench = bench(&tenant, RESTORE_GROUP);
    let done = plan(&bench, &["group=Finance", "before=-24h"]).expect(0);
    expect_untouched(&tenant);
    for line in done.stdout.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
    let shown = done.to_string();
    for part in [
        "person",
        "Rania Shah",
        "NoUnit",
        "NoPointBefore",
        "asked 13 = planned 11 + skipped 2",
        "1 session, about",
        "assumed:",
        "runback apply plan.json",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    // The script's own table would tell of restores that did not happen.
    assert!(!shown.contains("restoredFolderName"), "{shown}");
}

#[test]
fn the_document_has_what_an_auditor_needs() {
    let tenant = Served::fast();
    let bench = finance(&tenant);
    let plan = document(&bench);
    let keys: Vec<&str> = plan
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "api", "args", "created", "items", "plan", "requests", "schema", "script", "seconds",
            "sha256", "tenant", "totals"
        ]
    );
    assert_eq!(plan["plan"], hash(&plan));
    assert_eq!(plan["schema"], 1);
    assert_eq!(plan["script"], "script.rhai");
    assert_eq!(plan["args"]["group"], "Finance");
    assert_eq!(
        plan["totals"],
        json!({"asked": 13, "planned": 11, "skipped": 2})
    );
    let rows = plan["items"].as_array().unwrap();
    assert_eq!(rows.len(), 13);
    for row in rows {
        assert_eq!(row["destination"], "new", "{row}");
        assert_eq!(row["code"].is_null(), row["part"] == 1, "{row}");
        if row["code"].is_null() {
            let (age, day) = (row["age_seconds"].as_i64().unwrap(), 24 * 3_600);
            assert!((day..day + 3_600).contains(&age), "{row}");
            assert!(row["point"].is_string() && row["tags"].is_string(), "{row}");
        }
    }
    assert!(plan["requests"].as_u64().unwrap() > 10, "{plan}");
    assert!(plan["seconds"]["low"].as_u64() < plan["seconds"]["high"].as_u64());
}

#[test]
fn a_plan_comes_as_a_document_and_for_a_spreadsheet() {
    let tenant = Served::fast();
    let bench = bench(&tenant, RESTORE_GROUP);
    let words = [
        "plan",
        "script.rhai",
        "group=Finance",
        "before=-24h",
        "--format",
    ];
    let json = bench.runback(&[&words[..], &["json"]].concat()).expect(0);
    let plan: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(plan["plan"], hash(&plan));
    let csv = bench.runback(&[&words[..], &["csv"]].concat()).expect(0);
    assert_eq!(csv.stdout.lines().count(), 14, "{csv}");
    assert!(
        csv.stdout
            .starts_with("name,workload,unit,point,protectionDateTime,"),
        "{csv}"
    );
    assert!(
        csv.stdout.contains(&text(&plan["items"][0]["unit"])),
        "{csv}"
    );
}

#[test]
fn planned_sessions_behave_like_real_ones() {
    let tenant = Served::fast();
    let script = r#"
        fn check(is_so, what) { if !is_so { throw what; } }
        let rows = exchange::latest_points(groups::members("Finance")).filter(|row| row.point != ());
        let session = exchange::create_session();
        check(session.status == "draft", "a draft");
        parallel(rows, 8, |row| session.add(row.point, "new"));
        let artifacts = session.artifacts().collect();
        check(artifacts.len() == rows.len(), "all artifacts");
        check(artifacts[0].restorePoint.protectionDateTime != (), "points are shown whole");
        session.remove(artifacts[0]);
        check(session.artifacts().count() == rows.len() - 1, "one less");
        check(exchange::session(session.id).status == "draft", "found by its id");
        check(exchange::sessions().map(|one| one.id).contains(session.id), "listed");
        session.activate();
        check(attempt(|| session.add(rows[0].point, "new")).error.code == "NotDraft", "no draft any more");
        sleep(duration("9h"));
        check(session.refresh().status == "completed", "ended");
        check(session.wait().artifacts().map(|artifact| artifact.status).unique_by(|x| x) == ["succeeded"], "succeeded");
        let other = exchange::create_session([rows[0]], "new");
        other.delete();
        check(attempt(|| exchange::session(other.id)).error.code == "RestoreSessionNotFound", "deleted");
        let left = exchange::create_session([rows[0]], "inPlace");
        confirm("really?");
    "#;
    let bench = bench(&tenant, script);
    plan(&bench, &[]).expect(0);
    expect_untouched(&tenant);
    let plan = document(&bench);
    let rows = plan["items"].as_array().unwrap();
    let codes: Vec<&Value> = rows
        .iter()
        .map(|row| &row["code"])
        .filter(|code| !code.is_null())
        .collect();
    assert_eq!(codes, ["Withdrawn", "NotActivated"], "{plan}");
}

#[test]
fn waves_are_parts_and_a_bulk_restore_is_the_services_choice() {
    let tenant = Served::fast();
    let script = r#"
        import "std/waves" as waves;
        let people = groups::members("Finance").collect();
        waves::run(exchange::latest_points(people), #{sizes: [2, 100]}, |wave, session| { if wave.failed > 0 { throw "failed"; } });
        let session = onedrive::restore_bulk(people, #{window: #{before: now()}, destination: "inPlace", name: "all of them"});
        session.wait();
        if session.unresolved().len() > 0 { throw "unresolved"; }
    "#;
    let bench = bench(&tenant, script);
    let done = plan(&bench, &[]).expect(0);
    expect_untouched(&tenant);
    assert!(done.stdout.contains("chosen by service"), "{done}");
    let plan = document(&bench);
    let of = |part: u64| {
        plan["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["part"] == part)
            .count()
    };
    assert_eq!(of(1), 2);
    assert!(of(2) > 5 && of(3) > 5 && of(4) == 0, "{plan}");
    assert_eq!(plan["bulk"][0]["displayName"], "all of them");

    bench.runback(&["apply", "plan.json", "--yes"]).expect(1);
    let [asked, _, _, _, unknown] = bench.books();
    assert_eq!(
        (asked, unknown),
        (plan["totals"]["asked"].as_u64().unwrap(), 0)
    );
    assert_eq!(tenant.sessions().len(), 3);
    tenant.expect_nothing_twice();
}

#[test]
fn what_only_the_service_can_make_is_not_plannable() {
    let tenant = Served::fast();
    let script = r#"
        for unit in onedrive::units() {
            let point = onedrive::latest_point(unit, #{tags: "fastRestore"});
            if point != () { onedrive::create_browse_session(point); }
        }
        throw "nobody has such a point";
    "#;
    let bench = bench(&tenant, script);
    let done = plan(&bench, &[]).expect(2);
    assert!(
        done.stderr.contains("what a browse session shows"),
        "{done}"
    );
    assert!(
        done.stderr.contains("hint: `runback run` does it"),
        "{done}"
    );
    assert!(!bench.path("plan.json").exists());
    expect_untouched(&tenant);
}

#[test]
fn other_changes_are_listed_and_are_not_for_apply() {
    let tenant = Served::fast();
    let script = r#"graph::post("/users/rania.shah@contoso.example/sendMail", #{message: #{subject: "restored"}});"#;
    let bench = bench(&tenant, script);
    let done = plan(&bench, &[]).expect(0);
    assert!(
        done.stdout
            .contains("POST /users/rania.shah@contoso.example/sendMail"),
        "{done}"
    );
    let done = bench.runback(&["apply", "plan.json", "--yes"]).expect(2);
    assert!(
        done.stderr.contains("the plan is more than its rows"),
        "{done}"
    );
    expect_untouched(&tenant);
}

#[test]
fn a_plan_that_cannot_be_kept_is_refused_before_it_is_made() {
    let tenant = Served::fast();
    let bench = bench(&tenant, RESTORE_GROUP);
    let done = bench
        .runback(&[
            "plan",
            "script.rhai",
            "group=Finance",
            "before=-24h",
            "--out",
            "no/where.json",
        ])
        .expect(2);
    assert!(done.stderr.contains("there is no folder `no`"), "{done}");
    expect_untouched(&tenant);
}
