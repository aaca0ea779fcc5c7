//! `runback doctor`: a healthy tenant, and each thing broken in turn.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{Bench, Done, Fake, Reply, Served};

/// The report of one run.
struct Report {
    rows: Vec<Value>,
    done: Done,
}

impl Report {
    fn of(bench: &Bench) -> Self {
        let done = bench.runback(&["doctor", "--format", "json"]);
        let rows = done.json();
        assert_eq!(rows.len(), 1, "one array\n{done}");
        Self {
            rows: rows[0].as_array().unwrap().clone(),
            done,
        }
    }

    #[track_caller]
    fn row(&self, check: &str) -> &Value {
        let row = self.rows.iter().find(|row| row["check"] == check);
        row.unwrap_or_else(|| panic!("no `{check}`\n{}", self.done))
    }

    /// The check went like this, and says that.
    #[track_caller]
    fn says(&self, check: &str, result: &str, words: &str) -> &Self {
        let row = self.row(check);
        let said = format!("{} {}", row["detail"], row["hint"]);
        assert!(
            row["result"] == result && said.contains(words),
            "{check} should be {result} and say `{words}`\n{row}"
        );
        self
    }

    /// Everything but these checks is as it should be.
    #[track_caller]
    fn fails_only(&self, checks: &[&str]) -> &Self {
        let failing: Vec<&str> = self
            .rows
            .iter()
            .filter(|row| row["result"] == "fails")
            .map(|row| row["check"].as_str().unwrap())
            .collect();
        assert_eq!(failing, checks, "{}", self.done);
        self
    }

    #[track_caller]
    fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.done.code, code, "{}", self.done);
        self
    }
}

const CHECKS: &[&str] = &[
    "version",
    "address",
    "config",
    "state folder",
    "policy",
    "proxy",
    "CA file",
    "sign-in",
    "connection",
    "credential",
    "clock",
    "permission BackupRestore-Restore.ReadWrite.All",
    "permission BackupRestore-Search.Read.All",
    "permission BackupRestore-Configuration.Read.All",
    "permission User.ReadBasic.All",
    "permission GroupMember.Read.All",
    "permission BackupRestore-Control.Read.All",
    "permission Sites.Read.All",
    "service",
    "service app",
    "points of exchange",
    "points of onedrive",
    "points of sharepoint",
];

#[test]
fn in_a_healthy_simulated_tenant_everything_is_well() {
    let bench = Bench::new().flags(&["--sandbox"]);
    let report = Report::of(&bench);
    report.exits(0).fails_only(&[]);
    let names: Vec<&str> = report
        .rows
        .iter()
        .map(|row| row["check"].as_str().unwrap())
        .collect();
    assert_eq!(names, CHECKS);
    report
        .says("sign-in", "ok", "by `sandbox`, tenant `")
        .says("permission User.ReadBasic.All", "ok", "granted")
        .says("service", "ok", "enabled")
        .says("service app", "ok", "is the active controller")
        .says("clock", "ok", "600 times as fast")
        .says("points of exchange", "ok", "sampled 5 of 95 mailboxes")
        .says("config", "ok", "no config file");
    // Nothing is sent that alters anything, and nothing is left behind.
    assert_eq!(std::fs::read_dir(bench.path("state")).unwrap().count(), 0);
}

#[test]
fn people_get_a_table_and_what_to_type_below_it() {
    let tenant = Served::start(&["--speed", "1"]);
    tenant.breaks("permission", "User.Read.All");
    let bench = tenant.bench();
    let done = bench.runback(&["doctor"]).expect(6);
    let (table, todo) = done.stdout.split_once("\nwhat to do:\n").unwrap();
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["check", "result", "detail"]);
    assert_eq!(lines.count(), CHECKS.len(), "a line is a check\n{done}");
    assert!(
        todo.contains("  permission User.ReadBasic.All: grant the app the application permission `User.ReadBasic.All`"),
        "{done}"
    );
    assert_eq!(done.stderr, "");
    let done = bench.runback(&["doctor", "--format", "csv"]).expect(6);
    assert!(
        done.stdout.starts_with("check,result,detail,hint\n"),
        "{done}"
    );
    assert_eq!(done.stdout.lines().count(), CHECKS.len() + 1);
}

#[test]
fn a_served_tenant_is_found_well_and_left_as_it_was() {
    let tenant = Served::fast();
    let report = Report::of(&tenant.bench());
    report.exits(0).fails_only(&[]);
    report
        .says("clock", "skipped", "this is a simulated tenant")
        .says("sign-in", "ok", "by `token`")
        .says(
            "service app",
            "warning",
            "does not say whether we are that app",
        )
        .says("points of exchange", "ok", "newest restore point");
    let state = tenant.get("/_sandbox/state");
    assert_eq!(state["violations"], json!([]));
    for (request, _) in state["counts"].as_object().unwrap() {
        // The search for sites is not known to this sandbox.
        assert!(
            request == "* (unknown)"
                || request.starts_with("GET ")
                || request.ends_with("/restorePoints/search"),
            "{request}"
        );
    }
}

#[test]
fn each_permission_that_is_taken_away_is_named() {
    let tenant = Served::start(&["--speed", "1"]);
    let rows: [(&[&str], &str, bool); 6] = [
        (
            &["BackupRestore-Restore.ReadWrite.All"],
            "BackupRestore-Restore.ReadWrite.All",
            true,
        ),
        (
            &["BackupRestore-Search.Read.All"],
            "BackupRestore-Search.Read.All",
            true,
        ),
        (
            &[
                "BackupRestore-Configuration.Read.All",
                "BackupRestore-Configuration.ReadWrite.All",
            ],
            "BackupRestore-Configuration.Read.All",
            true,
        ),
        (&["User.Read.All"], "User.ReadBasic.All", true),
        (&["GroupMember.Read.All"], "GroupMember.Read.All", true),
        (
            &[
                "BackupRestore-Control.Read.All",
                "BackupRestore-Control.ReadWrite.All",
            ],
            "BackupRestore-Control.Read.All",
            false,
        ),
    ];
    for (revoked, named, is_needed) in rows {
        tenant.post("/_sandbox/reset", &json!({}));
        for permission in revoked {
            tenant.breaks("permission", permission);
        }
        let report = Report::of(&tenant.bench());
        let check = format!("permission {named}");
        let grant = format!("the application permission `{named}` of Microsoft Graph");
        if is_needed {
            report.exits(6).fails_only(&[&check]);
            report.says(&check, "fails", &grant);
        } else {
            report.exits(0).fails_only(&[]);
            report
                .says(&check, "warning", &grant)
                .says("service", "warning", "cannot be seen without")
                .says("service app", "warning", "cannot be seen without");
        }
    }
}

#[test]
fn each_state_of_the_service_is_told() {
    let tenant = Served::start(&["--speed", "1"]);
    let rows = [
        (
            json!({"serviceStatus": "protectionChangeLocked"}),
            "warning",
            "restores are allowed",
        ),
        (
            json!({"serviceStatus": "restoreLocked"}),
            "fails",
            "no restore is allowed",
        ),
        (
            json!({"serviceStatus": "restoreLocked", "disableReason": "invalidBillingProfile"}),
            "fails",
            "repair the billing",
        ),
        (
            json!({"serviceStatus": "disabled"}),
            "fails",
            "switched it off",
        ),
        (
            json!({"serviceStatus": "disabled", "disableReason": "controllerServiceAppDeleted"}),
            "fails",
            "register the controller app anew",
        ),
        (
            json!({"gracePeriod": "72h"}),
            "warning",
            "grace period until",
        ),
        (json!({"restorePeriod": "72h"}), "warning", "restores until"),
        (json!({"restorePeriod": "7200h"}), "ok", "restores until"),
    ];
    for (broken, result, words) in rows {
        tenant.post("/_sandbox/reset", &json!({}));
        tenant.post("/_sandbox/break", &broken);
        let report = Report::of(&tenant.bench());
        report.says("service", result, words);
        if result == "fails" {
            report.exits(1).fails_only(&["service"]);
        } else {
            report.exits(0).fails_only(&[]);
        }
    }
}

#[test]
fn whether_an_app_of_ours_is_the_controller_is_told() {
    let tenant = Served::start(&["--speed", "1"]);
    for (state, words) in [
        ("inactive", "a signed-in administrator activates it"),
        ("pendingActive", "no app is active"),
        ("none", "no app is registered"),
    ] {
        tenant.breaks("serviceApp", state);
        let report = Report::of(&tenant.bench());
        report.exits(1).fails_only(&["service app"]);
        report.says("service app", "fails", words);
    }
}

#[test]
fn a_clock_that_is_off_is_told_from_one_that_runs_faster() {
    let tenant = Served::start(&["--speed", "1"]);
    Report::of(&tenant.bench()).says("clock", "ok", "as the service's");
    tenant.post("/_sandbox/clock", &json!({"advance": "120s"}));
    let report = Report::of(&tenant.bench());
    report
        .exits(0)
        .says("clock", "warning", "behind the service's");
    tenant.post("/_sandbox/clock", &json!({"advance": "1h"}));
    let report = Report::of(&tenant.bench());
    report.exits(1).fails_only(&["clock"]);
    report.says("clock", "fails", "set the clock of this machine");
}

#[test]
fn a_token_that_is_refused_ends_what_needs_it_and_nothing_else() {
    let tenant = Served::start(&["--speed", "1"]);
    let bench = tenant.bench().variable("RUNBACK_ACCESS_TOKEN", "junk");
    let report = Report::of(&bench);
    report.exits(6).fails_only(&["sign-in"]);
    report
        .says("sign-in", "fails", "the token was not accepted")
        .says("service", "skipped", "the token was not accepted")
        .says("permission User.ReadBasic.All", "skipped", "the token")
        .says("policy", "ok", "none")
        .says("proxy", "ok", "none");
    let names = report.rows.iter().map(|row| row["check"].as_str().unwrap());
    assert_eq!(
        names.collect::<std::collections::BTreeSet<_>>(),
        CHECKS.iter().copied().collect()
    );
}

#[test]
fn with_nothing_to_sign_in_with_the_machine_is_looked_at_all_the_same() {
    let report = Report::of(&Bench::new());
    report.exits(6).fails_only(&["sign-in"]);
    report
        .says("sign-in", "fails", "--sandbox")
        .says("points of exchange", "skipped", "sign-in failed")
        .says("address", "ok", "https://graph.microsoft.com");
    let report = Report::of(&Bench::new().flags(&["--graph-url", "graph.microsoft.com"]));
    report.exits(1).fails_only(&["address"]);
    report
        .says("address", "fails", "https://graph.microsoft.com")
        .says("sign-in", "skipped", "no usable address");
    let report = Report::of(&Bench::new().flags(&["--auth", "token"]));
    report
        .exits(6)
        .says("sign-in", "fails", "RUNBACK_ACCESS_TOKEN");
}

#[test]
fn the_state_folder_must_be_ours_alone_and_writable() {
    let bench = Bench::new().file("state/x", "").flags(&["--sandbox"]);
    for (mode, code, words) in [
        (0o700, 0, "is on the disk after"),
        (0o755, 0, "others can read"),
        (0o777, 1, "others can write to it"),
    ] {
        set_permissions(bench.path("state"), Permissions::from_mode(mode)).unwrap();
        let report = Report::of(&bench);
        report.exits(code);
        // A disk that is slow or nearly full is a warning: not of this test's making.
        let row = report.row("state folder");
        let detail = row["detail"].as_str().unwrap();
        assert!(
            detail.contains(words) && detail.contains(&format!("mode {mode:04o}")),
            "{row}"
        );
        assert_eq!(row["result"] == "fails", code == 1, "{row}");
    }
    let bench = Bench::new()
        .file("file", "")
        .flags(&["--sandbox", "--state-dir", "file/state"]);
    let report = Report::of(&bench);
    report.exits(1).fails_only(&["state folder"]);
    report.says("state folder", "fails", "--state-dir");
}

#[test]
fn a_policy_file_must_be_there_ours_and_full_of_rules() {
    let bench = || Bench::new().flags(&["--sandbox", "--policy", "policy.toml"]);
    Report::of(&bench())
        .exits(1)
        .says("policy", "fails", "there is no policy file `policy.toml`");
    let bench = bench().file("policy.toml", "allow = [\"read\"]\n");
    set_permissions(bench.path("policy.toml"), Permissions::from_mode(0o600)).unwrap();
    Report::of(&bench)
        .exits(0)
        .says("policy", "ok", "policy.toml");
    set_permissions(bench.path("policy.toml"), Permissions::from_mode(0o666)).unwrap();
    Report::of(&bench)
        .exits(1)
        .says("policy", "fails", "chmod go-w");
    let bench = Bench::new()
        .flags(&["--sandbox", "--policy", "policy.toml"])
        .file("policy.toml", "allow = []\nalow = [\"read\"]\n");
    set_permissions(bench.path("policy.toml"), Permissions::from_mode(0o600)).unwrap();
    Report::of(&bench)
        .exits(1)
        .says("policy", "fails", "policy.toml:2:")
        .says("policy", "fails", "there is no rule `alow`");
}

#[test]
fn a_config_file_that_is_wrong_is_one_line_of_the_report() {
    let bench = Bench::new()
        .flags(&["--sandbox"])
        .file("runback.toml", "formt = \"json\"\nyes = 1\n");
    let report = Report::of(&bench);
    report.exits(1).fails_only(&["config", "config"]);
    report
        .says("config", "fails", "did you mean `format`?")
        .says("service", "ok", "enabled");
    assert!(
        report.row("config")["detail"]
            .as_str()
            .unwrap()
            .contains("(runback.toml:1:1)")
    );
    let bench = Bench::new()
        .flags(&["--sandbox", "--profile", "a"])
        .file("runback.toml", "[profile.a]\n");
    Report::of(&bench)
        .exits(0)
        .says("config", "ok", "`runback.toml`, profile `a`");
}

#[test]
fn a_ca_file_that_cannot_be_used_hides_nothing() {
    let bench = Bench::new().flags(&["--sandbox", "--ca-file", "no.pem"]);
    let report = Report::of(&bench);
    report.exits(1).fails_only(&["CA file"]);
    report
        .says("CA file", "fails", "`no.pem` cannot be used")
        .says("service", "ok", "enabled");
}

/// A token that says whose it is. Nobody has signed it.
fn token(claims: &Value) -> String {
    format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

const ALL: &[&str] = &[
    "BackupRestore-Restore.ReadWrite.All",
    "BackupRestore-Search.Read.All",
    "BackupRestore-Configuration.Read.All",
    "BackupRestore-Control.Read.All",
    "User.Read.All",
    "GroupMember.Read.All",
    "Sites.Read.All",
];

/// A tenant that answers every call, where `special` has nothing else to say.
fn tenant(special: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> Fake {
    Fake::new(move |request, _| {
        special(request).unwrap_or_else(|| {
            let (_, path) = request.split_once("/v1.0").unwrap();
            let path = path.split('?').next().unwrap();
            Reply::Json(200, match path {
                "/solutions/backupRestore" => json!({"serviceStatus": {"status": "enabled"}}),
                "/solutions/backupRestore/serviceApps" => {
                    json!({"value": [{"id": "1", "status": "active", "application": {"id": "our-app"}}]})
                }
                _ => json!({"value": []}),
            })
        })
    })
}

fn bench_of(tenant: &Fake, claims: &Value) -> Bench {
    Bench::new()
        .variable("RUNBACK_GRAPH_URL", &tenant.url)
        .variable("RUNBACK_AUTH", "token")
        .variable("RUNBACK_ACCESS_TOKEN", &token(claims))
}

#[test]
fn what_the_token_says_is_held_against_what_a_restore_needs() {
    let tenant = tenant(|_| None);
    let claims = |roles: &[&str]| json!({"tid": "t-1", "appid": "our-app", "roles": roles, "exp": 4_000_000_000_u64});
    let report = Report::of(&bench_of(&tenant, &claims(ALL)));
    report.exits(0).fails_only(&[]);
    report
        .says("sign-in", "ok", "tenant `t-1`, app `our-app`, until 2096")
        .says(
            "permission User.ReadBasic.All",
            "ok",
            "granted, by `User.Read.All`",
        )
        .says(
            "service app",
            "ok",
            "our app `our-app` is the active controller",
        )
        .says("clock", "skipped", "no `Date`")
        .says("points of exchange", "warning", "no mailbox is protected")
        .says("points of sharepoint", "warning", "no site is protected");
    // There is no unit to search for: only the token tells.
    let roles: Vec<&str> = ALL
        .iter()
        .copied()
        .filter(|role| !role.contains("Search"))
        .collect();
    let report = Report::of(&bench_of(&tenant, &claims(&roles)));
    report
        .exits(6)
        .fails_only(&["permission BackupRestore-Search.Read.All"]);
    report.says(
        "permission BackupRestore-Search.Read.All",
        "fails",
        "grant app `our-app` the application permission `BackupRestore-Search.Read.All`",
    );
}

#[test]
fn a_user_without_a_role_and_one_without_consent_are_told_apart() {
    let denied = || {
        Reply::Json(
            403,
            json!({"error": {"code": "Authorization_RequestDenied", "message": "no"}}),
        )
    };
    let tenant = tenant(move |request| request.contains("browseSessions").then(denied));
    let claims = |scopes: &[&str]| json!({"tid": "t-1", "appid": "our-app", "upn": "eve@contoso.example", "scp": scopes.join(" ")});
    let report = Report::of(&bench_of(&tenant, &claims(ALL)));
    let check = "permission BackupRestore-Restore.ReadWrite.All";
    report.says(check, "fails", "Backup Administrator");
    report.says("sign-in", "ok", "user `eve@contoso.example`");
    let report = Report::of(&bench_of(&tenant, &claims(&ALL[1..])));
    report
        .exits(6)
        .says(check, "fails", "the delegated permission");
}

#[test]
fn another_app_in_control_and_one_that_waits_are_told() {
    let claims = json!({"tid": "t-1", "appid": "our-app", "roles": ALL});
    for (apps, result, words) in [
        (
            json!([{"status": "active", "application": {"id": "theirs"}}]),
            "fails",
            "app `theirs` is active",
        ),
        (
            json!([{"status": "inactive", "application": {"id": "our-app"}}, {"status": "active", "application": {"id": "theirs"}}]),
            "fails",
            "inactive; app `theirs` is active",
        ),
        (
            json!([{"status": "pendingActive", "application": {"id": "our-app"}, "effectiveDateTime": "2026-12-01T00:00:00Z"}]),
            "warning",
            "becomes active from 2026-12-01",
        ),
    ] {
        let tenant = tenant(move |request| {
            let apps = json!({"value": apps});
            request
                .ends_with("/serviceApps")
                .then_some(Reply::Json(200, apps))
        });
        Report::of(&bench_of(&tenant, &claims)).says("service app", result, words);
    }
}

#[test]
fn points_that_are_old_or_missing_are_told() {
    let claims = json!({"tid": "t-1", "appid": "our-app", "roles": ALL});
    for (points, words) in [
        (json!([]), "no restore point; sampled 1 of 1 mailbox"),
        (
            json!([{"restorePoint": {"protectionDateTime": "2020-01-01T00:00:00Z", "protectionUnit": {"id": "u1"}}}]),
            "old; sampled 1 of 1 mailbox",
        ),
    ] {
        let tenant = tenant(move |request| {
            if request.contains("mailboxProtectionUnit") {
                let unit = json!({"value": [{"id": "u1", "status": "protected"}]});
                return Some(Reply::Json(200, unit));
            }
            let points = json!({"searchResults": points, "noResultProtectionUnitIds": []});
            request
                .contains("/search")
                .then_some(Reply::Json(200, points))
        });
        let report = Report::of(&bench_of(&tenant, &claims));
        report.exits(0).says("points of exchange", "warning", words);
    }
}

#[test]
fn one_call_that_fails_hides_no_other() {
    let claims = json!({"tid": "t-1", "appid": "our-app", "roles": ALL});
    let tenant = tenant(|request| {
        let broken = request.contains("serviceApps") || request.contains("siteProtectionUnits");
        let error = json!({"error": {"code": "BadThing", "message": "the service is not well"}});
        broken.then_some(Reply::Json(400, error))
    });
    let report = Report::of(&bench_of(&tenant, &claims));
    report
        .exits(1)
        .fails_only(&["service app", "points of sharepoint"]);
    report
        .says("service app", "fails", "the service is not well")
        .says("points of exchange", "warning", "no mailbox is protected")
        .says("service", "ok", "enabled");
}

/// Takes some seconds: a connection that is refused is tried again, four times.
#[test]
fn the_proxy_in_use_is_named_without_its_password() {
    // It refuses every tunnel, at once and for good.
    let proxy = Fake::new(|_, _| Reply::Full(403, vec![], "no".to_owned()));
    let at = proxy.url.replace("http://", "http://eve:hush@");
    let bench = Bench::new()
        .variable("HTTPS_PROXY", &at)
        .variable("RUNBACK_AUTH", "token")
        .variable("RUNBACK_ACCESS_TOKEN", "opaque")
        .variable("RUNBACK_GRAPH_URL", "https://graph.invalid");
    let report = Report::of(&bench);
    let named = format!("`{}`, by HTTPS_PROXY", proxy.url);
    report.exits(1).fails_only(&["connection"]);
    report.says("proxy", "ok", &named);
    report.says("service", "skipped", "no connection");
    assert!(!report.done.to_string().contains("hush"));
    assert_eq!(proxy.requests()[0], "CONNECT graph.invalid:443");
    let bench = bench.variable("NO_PROXY", "graph.invalid");
    let asked = proxy.requests().len();
    let report = Report::of(&bench);
    report.says("proxy", "ok", "excludes it from HTTPS_PROXY");
    assert_eq!(proxy.requests().len(), asked, "passed by");
}
