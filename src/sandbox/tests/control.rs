//! `/_sandbox`: what it shows and what it breaks.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, artifacts};

#[tokio::test]
async fn the_state_shows_sessions_and_counts() {
    let bench = Bench::still().await;
    let points = bench.points(2).await;
    let session = bench.draft(&points).await;
    bench
        .call("POST", &format!("~/restoreSessions/{session}/activate"))
        .await;
    bench.get("~/nothing").await;
    let state = bench.state().await;
    assert_eq!(state["speed"], 1.0);
    let counts = &state["counts"];
    assert_eq!(
        counts["POST /solutions/backupRestore/exchangeRestoreSessions"],
        1
    );
    assert_eq!(
        counts["POST /solutions/backupRestore/restoreSessions/{id}/activate"],
        1
    );
    assert_eq!(counts["* (unknown)"], 1);
    let shown = &state["sessions"][0];
    assert_eq!(
        (&shown["id"], &shown["workload"]),
        (&json!(session), &json!("exchange"))
    );
    assert_eq!(shown["status"], "activating");
    let artifact = &shown["artifacts"][1];
    assert_eq!(
        (&artifact["point"], &artifact["destination"]),
        (&json!(points[1]), &json!("new"))
    );
    assert!(artifact["unit"].is_string() && artifact["id"].is_string());
    assert_eq!(artifact["status"], "scheduling");
}

#[tokio::test]
async fn duplicates_are_what_two_activated_sessions_share() {
    let bench = Bench::still().await;
    let points = bench.points(2).await;
    let mut sessions = vec![bench.draft(&points).await, bench.draft(&points[..1]).await];
    let draft = bench.draft(&points[1..]).await;
    for session in &sessions {
        bench
            .call("POST", &format!("~/restoreSessions/{session}/activate"))
            .await;
    }
    let found = bench.get("/_sandbox/duplicates").await.body;
    let found = found["duplicates"].as_array().expect("a list");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["point"], &found[0]["destination"]),
        (&json!(points[0]), &json!("new"))
    );
    let mut named: Vec<String> = serde_json::from_value(found[0]["sessions"].clone()).expect("ids");
    named.sort();
    sessions.sort();
    assert_eq!(named, sessions);
    assert!(!named.contains(&draft));
    // The unit is being restored: the second restore of it fails.
    bench.advance("1h").await;
    let list = bench.state().await["sessions"].clone();
    assert_eq!(list[1]["status"], "failed");
    let path = format!(
        "~/restoreSessions/{}",
        list[1]["id"].as_str().expect("an id")
    );
    assert_eq!(bench.get(&path).await.body["status"], "unknownFutureValue");
    let request = bench
        .request("GET", &path)
        .header("Prefer", "include-unknown-enum-members");
    assert_eq!(bench.ask(request).await.body["status"], "failed");
    let path = path.replace("restoreSessions", "exchangeRestoreSessions");
    let artifact = bench
        .get(&format!("{path}/mailboxRestoreArtifacts"))
        .await
        .values()[0]
        .clone();
    assert_eq!(artifact["error"]["code"], "DuplicateArtifactRestoreRequest");
}

#[tokio::test]
async fn a_second_copy_in_one_session_is_a_duplicate_too() {
    let bench = Bench::still().await;
    let points = bench.points(1).await;
    let session = bench.draft(&points).await;
    let again = super::delta(vec![super::artifact(&points[0], "new")]);
    assert_eq!(
        bench
            .send(
                "PATCH",
                &format!("~/exchangeRestoreSessions/{session}"),
                again
            )
            .await
            .status,
        200
    );
    bench
        .call("POST", &format!("~/restoreSessions/{session}/activate"))
        .await;
    let found = bench.get("/_sandbox/duplicates").await.body;
    assert_eq!(
        found["duplicates"][0]["sessions"],
        json!([session, session])
    );
}

#[tokio::test]
async fn a_locked_service_restores_nothing() {
    let bench = Bench::still().await;
    let points = bench.points(1).await;
    let session = bench.draft(&points).await;
    for status in ["restoreLocked", "disabled"] {
        assert_eq!(
            bench
                .control("break", json!({ "serviceStatus": status }))
                .await
                .status,
            200
        );
        assert_eq!(bench.get("~").await.body["serviceStatus"]["status"], status);
        assert_eq!(
            bench
                .send(
                    "POST",
                    "~/exchangeRestoreSessions",
                    artifacts(&points, "new")
                )
                .await
                .status,
            403
        );
        assert_eq!(
            bench
                .call("POST", &format!("~/restoreSessions/{session}/activate"))
                .await
                .status,
            403
        );
    }
    bench
        .control(
            "break",
            json!({ "serviceStatus": "protectionChangeLocked" }),
        )
        .await;
    assert_eq!(
        bench
            .call("POST", &format!("~/restoreSessions/{session}/activate"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_permission_can_be_taken_away() {
    let bench = Bench::new().await;
    bench
        .control(
            "break",
            json!({ "permission": "BackupRestore-Restore.ReadWrite.All" }),
        )
        .await;
    let answer = bench
        .send("POST", "~/exchangeRestoreSessions", json!({}))
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (403, "Authorization_RequestDenied")
    );
    assert_eq!(bench.get("~/restoreSessions").await.status, 200);
    bench.control("reset", json!({})).await;
    assert_eq!(
        bench
            .send("POST", "~/exchangeRestoreSessions", json!({}))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn points_and_units_can_go() {
    let bench = Bench::still().await;
    let points = bench.points(4).await;
    let session = bench.draft(&points[..2]).await;
    let unit = bench
        .get(&format!("~/restorePoints/{}/protectionUnit", points[1]))
        .await
        .id();
    bench
        .control("break", json!({ "point": points[0], "unit": unit }))
        .await;
    assert_eq!(
        bench
            .get(&format!("~/restorePoints/{}", points[0]))
            .await
            .status,
        404
    );
    assert_eq!(
        bench.get(&format!("~/protectionUnits/{unit}")).await.body["error"]["code"],
        "ProtectionUnitNotFound"
    );
    let units = bench.all("~/mailboxProtectionUnits").await;
    assert!(units.iter().all(|one| one["id"] != *unit));
    let answer = bench
        .send(
            "POST",
            "~/exchangeRestoreSessions",
            artifacts(&points[1..2], "new"),
        )
        .await;
    assert_eq!(answer.code(), "InvalidRestorePoint");
    let list = bench.restored(&session).await;
    assert!(
        list.iter()
            .all(|one| one["error"]["code"] == "ArtifactNotFound"),
        "{list:?}"
    );

    let unit = bench
        .get(&format!("~/restorePoints/{}/protectionUnit", points[2]))
        .await
        .id();
    bench.control("break", json!({ "hold": unit })).await;
    let session = bench.draft(&points[2..3]).await;
    let list = bench.restored(&session).await;
    assert_eq!(list[0]["error"]["code"], "ArtifactCannotBeRestored");
}

#[tokio::test]
async fn tokens_end() {
    let bench = Bench::new().await;
    let token = || async {
        let answer = bench.app_token().await;
        answer.body["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    };
    let users = |token: String| {
        let request = bench
            .client
            .get(format!("{}/v1.0/users", bench.url))
            .bearer_auth(token);
        let bench = &bench;
        async move { bench.ask(request).await.status }
    };
    let first = token().await;
    assert_eq!(users(first.clone()).await, 200);
    bench.control("break", json!({ "token": "expire" })).await;
    assert_eq!(users(first).await, 401);
    bench
        .control("break", json!({ "tokenLifetime": "30ms" }))
        .await;
    let short = token().await;
    assert_eq!(users(short.clone()).await, 200);
    tokio::time::sleep(Duration::from_millis(35)).await;
    assert_eq!(users(short).await, 401);
}

#[tokio::test]
async fn control_calls_are_checked() {
    let bench = Bench::new().await;
    for (name, body) in [
        ("clock", json!({ "advance": "soon" })),
        ("clock", json!({ "advance": "99999999h" })),
        ("clock", json!({})),
        ("break", json!({})),
        ("break", json!({ "window": "all" })),
        ("break", json!({ "unit": "17" })),
        ("break", json!({ "joins": "Finance" })),
        ("break", json!({ "leaves": "17/18" })),
        ("break", json!({ "serviceStatus": "broken" })),
        ("break", json!({ "permission": "Everything" })),
        ("faults", json!({ "specs": "" })),
    ] {
        assert_eq!(
            bench.control(name, body.clone()).await.status,
            400,
            "{name} {body}"
        );
    }
    assert_eq!(bench.control("state", json!({})).await.status, 405);
    assert_eq!(bench.get("/_sandbox/everything").await.status, 404);
    assert_eq!(bench.get("/v1.0/users").await.status, 200);
}

#[tokio::test]
async fn the_clock_moves_on() {
    let bench = Bench::still().await;
    let date = |response: reqwest::Response| {
        let date = response.headers()["date"]
            .to_str()
            .expect("text")
            .to_owned();
        httpdate::parse_http_date(&date).expect("a date")
    };
    let before = date(
        bench
            .request("GET", "/v1.0/groups")
            .send()
            .await
            .expect("an answer"),
    );
    bench.advance("2h 30m").await;
    let after = date(
        bench
            .request("GET", "/v1.0/groups")
            .send()
            .await
            .expect("an answer"),
    );
    let passed = after.duration_since(before).expect("later").as_secs();
    assert!((9_000..9_010).contains(&passed), "{passed}");
}

#[tokio::test]
async fn a_reset_forgets() {
    let bench = Bench::still().await;
    let session = bench.draft(&bench.points(1).await).await;
    bench.control("faults", json!({ "spec": "503=100%" })).await;
    assert_eq!(bench.control("reset", json!({})).await.status, 200);
    let state = bench.state().await;
    assert_eq!(
        (&state["sessions"], &state["counts"]),
        (&json!([]), &json!({}))
    );
    assert_eq!(
        bench
            .get(&format!("~/restoreSessions/{session}"))
            .await
            .status,
        404
    );
    let again = bench.draft(&bench.points(1).await).await;
    assert_ne!(Value::from(again), Value::from(session));
}
