//! The state file: a sandbox that ends and goes on.

use std::path::Path;

use serde_json::{Value, json};

use super::{Bench, artifact, artifacts, delta};
use crate::sandbox::{Options, start};

fn options(path: &Path) -> Options {
    Options {
        speed: 1.0,
        state: Some(path.to_owned()),
        ..Options::default()
    }
}

/// What must not change from one life to the next.
async fn seen(bench: &Bench) -> Value {
    let mut state = bench.state().await;
    state["now"] = json!(null);
    let lists = [
        "~/restoreSessions",
        "~/browseSessions",
        "~/protectionPolicies",
        "~/serviceApps",
    ];
    let mut seen =
        json!({ "state": state, "duplicates": bench.get("/_sandbox/duplicates").await.body });
    for list in lists {
        // Links name the port, which differs.
        seen[list] = json!(bench.get(list).await.values());
    }
    seen
}

// Two lives, each with everything that is stored.
#[tokio::test]
async fn a_sandbox_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state");
    let bench = Bench::with(options(&path)).await;
    let points = bench.points(4).await;
    let first = bench.draft(&points[..2]).await;
    let session = format!("~/exchangeRestoreSessions/{first}");
    let change = delta(vec![artifact(&points[2], "new")]);
    assert_eq!(bench.send("PATCH", &session, change).await.status, 200);
    let activate = format!("~/restoreSessions/{first}/activate");
    assert_eq!(bench.call("POST", &activate).await.status, 200);
    let second = bench.draft(&points[3..]).await;
    let bulk = bench
        .send("POST", "~/exchangeRestoreSessions", json!({}))
        .await
        .id();
    let request = json!({
        "mailboxes": ["nobody@contoso.example"],
        "protectionTimePeriod": { "startDateTime": "2020-01-01T00:00:00Z", "endDateTime": "2999-01-01T00:00:00Z" },
        "destinationType": "new",
    });
    let requests =
        format!("~/exchangeRestoreSessions/{bulk}/mailboxRestoreArtifactsBulkAdditionRequests");
    assert_eq!(bench.send("POST", &requests, request).await.status, 201);
    bench
        .call("POST", &format!("~/restoreSessions/{bulk}/activate"))
        .await;
    // A violation, a refusal, and what the control calls do.
    let many = vec![points[0].clone(); 51];
    let answer = bench
        .send("POST", "~/exchangeRestoreSessions", artifacts(&many, "new"))
        .await;
    assert_eq!(answer.status, 413);
    let unit = bench.all("~/driveProtectionUnits").await[0]["id"].clone();
    bench.control("break", json!({ "unit": unit })).await;
    bench
        .control(
            "faults",
            json!({ "spec": "404=1x@GET /users,404=2x@GET /groups" }),
        )
        .await;
    assert_eq!(bench.get("/v1.0/users").await.status, 404);
    assert_eq!(bench.get("/v1.0/groups").await.status, 404);
    bench.advance("90m").await;
    let before = seen(&bench).await;
    let now = bench.now().await;
    let token = bench.running.client_secret().to_owned();
    drop(bench);

    let bench = Bench::with(options(&path)).await;
    // Looking has been counted as well: by the lists of `seen`, and nothing else.
    let mut after = seen(&bench).await;
    let counts = |seen: &Value| seen["state"]["counts"].clone();
    assert_eq!(
        counts(&after)["POST /solutions/backupRestore/exchangeRestoreSessions"],
        counts(&before)["POST /solutions/backupRestore/exchangeRestoreSessions"]
    );
    after["state"]["counts"] = counts(&before);
    assert_eq!(after, before);
    assert!(bench.now().await >= now, "time never goes back");
    assert_eq!(bench.running.client_secret(), token);
    // The fault of one request has been spent, of the other there is one left.
    assert_eq!(bench.get("/v1.0/users").await.status, 200);
    assert_eq!(bench.get("/v1.0/groups").await.status, 404);
    assert_eq!(bench.get("/v1.0/groups").await.status, 200);
    // It is the same tenant still: the draft can go, and a new session has a new id.
    let delete = format!("~/restoreSessions/{second}");
    assert_eq!(bench.call("DELETE", &delete).await.status, 204);
    let third = bench.draft(&points[3..]).await;
    assert!(![first, second, bulk].contains(&third));
    let before = seen(&bench).await;
    drop(bench);

    let bench = Bench::with(options(&path)).await;
    let mut after = seen(&bench).await;
    after["state"]["counts"] = counts(&before);
    assert_eq!(after, before);
    bench.control("reset", json!({})).await;
    drop(bench);
    let bench = Bench::with(options(&path)).await;
    assert_eq!(bench.state().await["sessions"], json!([]));
    assert_ne!(bench.draft(&bench.points(1).await).await, third);
}

#[tokio::test]
async fn a_file_of_another_tenant_is_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state");
    let bench = Bench::with(options(&path)).await;
    let refused = async |options: Options| {
        let error = start(options).await.err().expect("no sandbox");
        error.to_string()
    };
    let error = refused(options(&path)).await;
    assert!(
        error.ends_with("another sandbox is working with it"),
        "{error}"
    );
    drop(bench);
    for options in [
        Options {
            seed: 2,
            ..options(&path)
        },
        Options {
            users: 200,
            ..options(&path)
        },
    ] {
        let error = refused(options).await;
        assert!(
            error.ends_with("start it with `--users 100 --seed 1`"),
            "{error}"
        );
    }
    std::fs::write(&path, "hello\n").expect("written");
    let error = refused(options(&path)).await;
    assert!(
        error.ends_with("it is no state file of a sandbox"),
        "{error}"
    );
}
