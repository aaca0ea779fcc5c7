//! What a run says when the service, or the way to it, does not do what it should.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Bench, Fake, Reply, secrets};

/// A bench whose tenant is this server.
fn bench(fake: &Fake) -> Bench {
    Bench::new()
        .variable("RUNBACK_GRAPH_URL", &fake.url)
        .variable("RUNBACK_AUTH", "token")
        .variable("RUNBACK_ACCESS_TOKEN", secrets::TOKEN)
        .script("users::list().count()")
}

#[test]
fn without_a_credential_the_first_call_says_what_to_set() {
    let bench = Bench::new()
        .variable("PATH", "/nowhere")
        .script("print(\"before\");\nusers::list().count()");
    assert_snapshot!(bench.run(), @"
    exit: 6
    ----- stdout -----
    before
    ----- stderr -----
    error: sign-in failed: there is nothing to sign in with
     --> script.rhai:2:15
      |
    2 | users::list().count()
      |               ^
      = secret was not taken: AZURE_CLIENT_SECRET is not set
      = certificate was not taken: AZURE_CLIENT_CERTIFICATE_PATH is not set
      = token was not taken: RUNBACK_ACCESS_TOKEN is not set
      = workload-identity was not taken: AZURE_FEDERATED_TOKEN_FILE is not set
      = managed-identity was not taken: no metadata service at `http://127.0.0.1:1`: connection refused
      = cli was not taken: `az` was not found
      = device-code was not taken: there is no terminal to show a code on

    hint: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or choose with `--auth`
    hint: to try a runbook without a tenant, add `--sandbox`
    ");
}

#[test]
fn a_missing_permission_is_named() {
    let fake = Fake::new(|_, _| {
        let body = json!({"error": {
            "code": "Authorization_RequestDenied",
            "message": "Insufficient privileges to complete the operation.",
            "innerError": {"request-id": "5f1c0d6e-0000-0000-0000-0000000000e2"},
        }});
        Reply::Json(403, body)
    });
    let bench = bench(&fake);
    assert_snapshot!(bench.run(), @"
    exit: 6
    ----- stdout -----
    ----- stderr -----
    error: list users was refused: Insufficient privileges to complete the operation.
     --> script.rhai:1:15
      |
    1 | users::list().count()
      |               ^
      = the service answered 403 Authorization_RequestDenied
      = request-id [ID], [CLOCK]

    hint: grant the application permission `User.ReadBasic.All` (with admin consent) to the app, then run again
    ");
    let error = &bench.result()["error"];
    assert_eq!(error["code"], "Authorization_RequestDenied");
    assert_eq!(error["request_id"], "5f1c0d6e-0000-0000-0000-0000000000e2");
}

#[test]
fn a_token_that_is_not_accepted_exits_with_6() {
    let body = json!({"error": {"code": "InvalidAuthenticationToken", "message": "Access token has expired."}});
    let fake = Fake::new(move |_, _| Reply::Json(401, body.clone()));
    let done = bench(&fake).run().expect(6);
    assert!(done.stderr.contains("get a new access token"), "{done}");
    assert!(!done.stderr.contains(secrets::TOKEN), "{done}");
}

#[test]
fn a_port_that_nobody_listens_on_is_told_quickly() {
    let bench = Bench::new()
        .variable("RUNBACK_GRAPH_URL", "http://127.0.0.1:9")
        .variable("RUNBACK_AUTH", "token")
        .variable("RUNBACK_ACCESS_TOKEN", "t")
        .flags(&["--max-time", "2s"])
        .script("users::list().count()");
    let done = bench.run().expect(2);
    assert!(done.stderr.contains("error: "), "{done}");
}

#[test]
fn a_page_of_somebody_else_is_no_answer() {
    let fake = Fake::new(|_, _| {
        let html = "<html><head><title>Sign in to Contoso WiFi</title></head></html>".to_owned();
        Reply::Full(200, vec![("content-type", "text/html".to_owned())], html)
    });
    let done = bench(&fake).flags(&["--max-time", "1s"]).run().expect(2);
    assert!(done.stderr.contains("error: "), "{done}");
}

#[test]
fn an_error_can_be_caught_and_read() {
    let body = json!({"error": {"code": "Request_BadRequest", "message": "Invalid filter clause"}});
    let fake = Fake::new(move |_, _| Reply::Json(400, body.clone()));
    let script = "try { users::list(#{filter: \"nonsense\"}).count(); } catch (e) { print(`${e.code} ${e.status} ${e.message}`); }";
    let done = bench(&fake).script(script).run().expect(0);
    assert_eq!(
        done.stdout,
        "Request_BadRequest 400 list users was refused: Invalid filter clause\n"
    );
    assert_eq!(fake.requests().len(), 1);
}

#[test]
fn what_tenants_say_does_not_move_the_cursor() {
    let fake = Fake::new(|_, _| {
        Reply::Json(
            400,
            json!({"error": {"code": "X", "message": "a\u{1b}[2J\u{202e}b"}}),
        )
    });
    let done = bench(&fake).run().expect(2);
    assert!(
        !done.stderr.contains('\u{1b}') && !done.stderr.contains('\u{202e}'),
        "{done}"
    );
}

/// A bench whose program brings its own sandbox, in which this goes wrong.
fn faulty(spec: &str) -> Bench {
    Bench::new()
        .flags(&["--sandbox", "--yes", "--faults", spec])
        .script("print(groups::members(\"Everyone\").count());")
}

#[test]
fn a_token_that_is_refused_is_replaced_once() {
    let done = faulty("401=1x@GET /users").script("print(users::list().count())");
    let done = done.run().expect(0);
    assert_eq!(done.stdout, "100\n", "{done}");
    let done = faulty("401=2x@GET /users").script("print(users::list().count())");
    let done = done.run().expect(6);
    assert!(done.stderr.contains("InvalidAuthenticationToken"), "{done}");
}

#[test]
fn a_list_is_whole_however_its_pages_come() {
    let whole = faulty("").run().expect(0).stdout;
    for spec in [
        "page=3x:twice",
        "page=3x:empty",
        "page=40%:twice,page=40%:empty",
        "gzip=1x",
        "html=1x",
        "cut=1x:head",
        "cut=1x:bare",
        "date=50%:-10m,date=50%:10m",
        "slow=1x:50ms",
    ] {
        let done = faulty(spec).run().expect(0);
        assert_eq!(done.stdout, whole, "{spec}: {done}");
    }
}

#[test]
fn a_list_that_leads_astray_is_an_error() {
    for (spec, said) in [
        ("page=1x:loop", "leads in a circle"),
        (
            "page=1x:host",
            "another place (`https://graph.elsewhere.invalid`)",
        ),
        ("redirect=1x", "more than 5 redirects"),
        (
            "redirect=1x:host",
            "another place (`https://graph.elsewhere.invalid`)",
        ),
    ] {
        let done = faulty(spec).run().expect(2);
        assert!(done.stderr.contains(said), "{spec}: {done}");
        assert_eq!(done.stdout, "", "{spec}: {done}");
    }
}

#[test]
fn a_fault_that_is_none_is_told_before_anything_starts() {
    let done = faulty("429=1844674407370955161%").run().expect(2);
    assert!(done.stderr.contains("is neither a share"), "{done}");
    let done = faulty("hiccup=1%").run().expect(2);
    assert!(
        done.stderr.contains("`hiccup` is none of 401, 404,"),
        "{done}"
    );
}
