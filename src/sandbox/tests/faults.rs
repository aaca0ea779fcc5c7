//! Faults as a client meets them: what it sees, and whether the work was done.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Bench, artifacts};
use crate::sandbox::Options;

const CREATE: &str = "@POST /exchangeRestoreSessions";

impl Bench {
    async fn faulty(spec: &str) -> Self {
        let faults = spec.parse().expect(spec);
        Self::with(Options {
            faults,
            speed: 1.0,
            ..Options::default()
        })
        .await
    }

    /// A create that may come to nothing: its status, or nothing where there was no whole answer.
    async fn try_create(&self, points: &[String]) -> Option<u16> {
        let request = self
            .request("POST", "~/exchangeRestoreSessions")
            .json(&artifacts(points, "new"));
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        response.bytes().await.ok().map(|_| status)
    }

    async fn sessions(&self) -> usize {
        self.state().await["sessions"]
            .as_array()
            .map_or(0, Vec::len)
    }
}

#[tokio::test]
async fn a_refusal_fault_does_no_work() {
    for (kind, status) in [("429", 429), ("503", 503)] {
        let bench = Bench::faulty(&format!("{kind}=1x:retry-after=7{CREATE}")).await;
        let points = bench.points(1).await;
        let request = bench
            .request("POST", "~/exchangeRestoreSessions")
            .json(&artifacts(&points, "new"));
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(bench.sessions().await, 0);
        assert_eq!(bench.try_create(&points).await, Some(201));
    }
}

#[tokio::test]
async fn a_reset_does_no_work_and_a_lost_or_cut_answer_does() {
    for (kind, done) in [("reset", 0), ("lost-answer", 1), ("cut", 1)] {
        let bench = Bench::faulty(&format!("{kind}=1x{CREATE}")).await;
        let points = bench.points(1).await;
        assert_eq!(bench.try_create(&points).await, None, "{kind}");
        assert_eq!(bench.sessions().await, done, "{kind}");
        assert_eq!(bench.try_create(&points).await, Some(201), "{kind}");
    }
}

#[tokio::test]
async fn a_cut_answer_has_a_head_and_half_a_body() {
    let bench = Bench::faulty("cut=1x@GET /users").await;
    let mut response = bench
        .request("GET", "/v1.0/users")
        .send()
        .await
        .expect("a head");
    assert_eq!(response.status(), 200);
    let length = response.content_length().expect("an announced length");
    let mut received = 0;
    let broken = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => received += chunk.len() as u64,
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken);
    assert!(0 < received && received < length, "{received} of {length}");
}

#[tokio::test]
async fn late_work_is_done_after_its_504() {
    let bench = Bench::faulty(&format!("late=1x:30ms{CREATE}")).await;
    let points = bench.points(1).await;
    assert_eq!(bench.try_create(&points).await, Some(504));
    assert_eq!(bench.sessions().await, 0);
    let begun = Instant::now();
    while bench.sessions().await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn slow_work_goes_on_without_its_caller() {
    let bench = Bench::faulty(&format!("slow=1x:30ms{CREATE}")).await;
    let points = bench.points(1).await;
    let request = bench
        .request("POST", "~/exchangeRestoreSessions")
        .json(&artifacts(&points, "new"));
    assert!(
        request
            .timeout(Duration::from_millis(10))
            .send()
            .await
            .is_err()
    );
    let begun = Instant::now();
    while bench.sessions().await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_lost_answer_to_activate_leaves_an_active_session() {
    let bench = Bench::faulty("lost-answer=1x@POST …/activate").await;
    let session = bench.draft(&bench.points(1).await).await;
    let activate = format!("~/restoreSessions/{session}/activate");
    assert!(bench.request("POST", &activate).send().await.is_err());
    assert_eq!(
        bench
            .get(&format!("~/restoreSessions/{session}"))
            .await
            .body["status"],
        "activating"
    );
    assert_eq!(bench.call("POST", &activate).await.status, 403);
}

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
    let url = format!(
        "{}/{}/oauth2/v2.0/token",
        bench.url,
        bench.running.tenant_id()
    );
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", bench.running.client_id()),
        ("client_secret", bench.running.client_secret()),
        ("scope", "x/.default"),
    ];
    let answer = bench.ask(bench.client.post(&url).form(&form)).await;
    assert_eq!(answer.status, 200);
    bench
        .control("faults", json!({ "spec": "429=100%@POST …/token" }))
        .await;
    let answer = bench.ask(bench.client.post(&url).form(&form)).await;
    assert_eq!(
        (answer.status, answer.body["access_token"].clone()),
        (429, Value::Null)
    );
}
