//! Pages, headers, and what happens beyond the sizes of the service.

use serde_json::{Value, json};

use super::{Bench, artifact, delta};
use crate::sandbox::{Options, SearchCap};

/// The newest point of this many mailboxes, by searches of twenty.
async fn points(bench: &Bench, count: usize) -> Vec<String> {
    let units = bench.all("~/mailboxProtectionUnits").await;
    let ids: Vec<&str> = units
        .iter()
        .filter_map(|unit| unit["id"].as_str())
        .collect();
    let mut points = Vec::new();
    for units in ids.chunks(20) {
        let period = json!({ "startDateTime": "2000-01-01T00:00:00Z" });
        let body = json!({ "protectionUnitIds": units, "protectionTimePeriod": period });
        let found = bench.send("POST", "~/restorePoints/search", body).await;
        let results = found.body["searchResults"].as_array().expect("results");
        points.extend(
            results
                .iter()
                .filter_map(|one| one["restorePoint"]["id"].as_str())
                .map(str::to_owned),
        );
    }
    points.truncate(count);
    assert_eq!(points.len(), count);
    points
}

#[tokio::test]
async fn a_thousand_restores_run_at_once_and_the_rest_waits() {
    let bench = Bench::with(Options {
        users: 1_300,
        speed: 1.0,
        search_cap: SearchCap::PerUnit,
        ..Options::default()
    });
    let bench = bench.await;
    let points = points(&bench, 1_050).await;
    let session = bench.draft(&points[..50]).await;
    let path = format!("~/exchangeRestoreSessions/{session}");
    for batch in points[50..].chunks(50) {
        let items = batch.iter().map(|point| artifact(point, "new")).collect();
        assert_eq!(bench.send("PATCH", &path, delta(items)).await.status, 200);
    }
    let first = bench.get(&format!("{path}/mailboxRestoreArtifacts")).await;
    assert_eq!(first.values().len(), 100);
    let all = bench.all(&format!("{path}/mailboxRestoreArtifacts")).await;
    let listed: Vec<&str> = all
        .iter()
        .filter_map(|one| one["restorePoint"]["id"].as_str())
        .collect();
    assert_eq!(listed, points);

    assert_eq!(
        bench
            .call("POST", &format!("~/restoreSessions/{session}/activate"))
            .await
            .status,
        200
    );
    let violations = bench.state().await["violations"].clone();
    assert!(
        violations[0]
            .as_str()
            .is_some_and(|one| one.starts_with("InFlight: 50")),
        "{violations}"
    );
    bench.advance("1m").await;
    let list = format!("{path}/mailboxRestoreArtifacts");
    let count = async |status: &str| {
        let artifacts = bench.all(&list).await;
        artifacts
            .iter()
            .filter(|one| one["status"] == status)
            .count()
    };
    assert!(count("scheduled").await > 0);
    bench.advance("1h").await;
    assert_eq!(count("succeeded").await + count("failed").await, 1_050);
    let failed = count("failed").await;
    assert!(
        (1..60).contains(&failed),
        "about one in a hundred, and those on hold: {failed}"
    );
}

#[tokio::test]
async fn sessions_and_units_come_in_pages() {
    let bench = Bench::with(Options {
        users: 2_500,
        ..Options::default()
    })
    .await;
    for _ in 0..120 {
        bench
            .send("POST", "~/exchangeRestoreSessions", json!({}))
            .await;
    }
    let first = bench.get("~/restoreSessions").await;
    assert_eq!(first.values().len(), 50);
    let next = first.body["@odata.nextLink"].as_str().expect("a next page");
    assert!(next.starts_with(&format!(
        "{}/v1.0/solutions/backupRestore/restoreSessions?$skiptoken=",
        bench.url
    )));
    assert_eq!(bench.all("~/restoreSessions").await.len(), 120);
    assert_eq!(
        bench.get("~/mailboxProtectionUnits").await.values().len(),
        1_000
    );
    let mut ids: Vec<Value> = bench
        .all("~/protectionUnits")
        .await
        .iter()
        .map(|unit| unit["id"].clone())
        .collect();
    let all = ids.len();
    ids.sort_by_key(ToString::to_string);
    ids.dedup();
    assert_eq!(ids.len(), all);
    // A page token belongs to its list.
    let token = next.rsplit('=').next().expect("a token");
    assert_eq!(
        bench
            .get(&format!("~/exchangeRestoreSessions?$skiptoken={token}"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn every_answer_says_which_request_it_answers() {
    let bench = Bench::new().await;
    for (path, status) in [
        ("/v1.0/users", 200),
        ("/v1.0/nothing", 404),
        ("/beta/groups", 200),
    ] {
        let request = bench
            .request("GET", path)
            .header("client-request-id", "mine-17");
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), status);
        let headers = response.headers();
        assert_eq!(headers["client-request-id"], "mine-17");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["request-id"].len(), 36);
    }
    let count = bench
        .request("GET", "/v1.0/users/$count")
        .header("ConsistencyLevel", "eventual");
    let count = count.send().await.expect("a count");
    assert_eq!(count.headers()["content-type"], "text/plain");
    assert_eq!(count.text().await.expect("text"), "100");
}
