//! When faults hit: by which dice, for which calls, changed while it runs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Bench;
use crate::sandbox::Options;

#[tokio::test]
async fn coming_back_before_retry_after_is_a_violation() {
    let bench = Bench::faulty("429=1x:retry-after=1@GET /users").await;
    assert_eq!(bench.get("/v1.0/users").await.status, 429);
    // A request that was on its way is innocent: for 100 ms.
    assert_eq!(bench.get("/v1.0/groups").await.status, 200);
    assert_eq!(bench.state().await["violations"], json!([]));
    tokio::time::sleep(Duration::from_millis(120)).await;
    bench.get("/v1.0/groups").await;
    let violations = bench.state().await["violations"].clone();
    assert!(
        violations[0]
            .as_str()
            .is_some_and(|one| one.starts_with("RetryAfter: GET /groups")),
        "{violations}"
    );
}

#[tokio::test]
async fn the_same_faults_come_with_the_same_seed() {
    let spec = "429=20%:retry-after=0,503=10%,reset=5%,cut=5%,lost-answer=5%";
    let mut runs = Vec::new();
    for _ in 0..2 {
        let bench = Bench::faulty(spec).await;
        let mut seen: Vec<Option<u16>> = Vec::new();
        for _ in 0..60 {
            let status = match bench.request("GET", "~/serviceApps").send().await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    response.bytes().await.ok().map(|_| status)
                }
                Err(_) => None,
            };
            seen.push(status);
        }
        runs.push(seen);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(
        runs[0].contains(&Some(429)) && runs[0].contains(&Some(200)) && runs[0].contains(&None)
    );
}

#[tokio::test]
async fn faults_can_be_changed_while_it_runs() {
    let bench = Bench::new().await;
    assert_eq!(
        bench
            .control("faults", json!({ "spec": "503=1x@GET /users" }))
            .await
            .status,
        200
    );
    assert_eq!(bench.get("/v1.0/users").await.status, 503);
    assert_eq!(bench.get("/v1.0/users").await.status, 200);
    let bad = bench
        .control("faults", json!({ "spec": "503=often" }))
        .await;
    assert_eq!(bad.status, 400);
    assert!(
        bad.body["error"]["message"]
            .as_str()
            .is_some_and(|said| said.contains("`often`")),
        "{}",
        bad.body
    );
    // Control calls never get any.
    assert_eq!(
        bench
            .control("faults", json!({ "spec": "503=100%" }))
            .await
            .status,
        200
    );
    assert_eq!(
        bench.control("faults", json!({ "spec": "" })).await.status,
        200
    );
}

#[tokio::test]
async fn latency_is_added_to_every_answer() {
    let latency = Duration::from_millis(20);
    let bench = Bench::with(Options {
        latency,
        ..Options::default()
    })
    .await;
    let begun = Instant::now();
    bench.get("/v1.0/groups").await;
    assert!(begun.elapsed() >= latency);
}

#[tokio::test]
async fn faults_in_sign_in_are_asked_for_by_name() {
    let bench = Bench::faulty("429=100%").await;
    let answer = bench.app_token().await;
    assert_eq!(answer.status, 200);
    bench
        .control("faults", json!({ "spec": "429=100%@POST …/token" }))
        .await;
    let answer = bench.app_token().await;
    assert_eq!(
        (answer.status, answer.body["access_token"].clone()),
        (429, Value::Null)
    );
}
