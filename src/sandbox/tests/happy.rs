//! The way a restore takes when nothing goes wrong.

use serde_json::{Value, json};

use super::{Bench, artifact, delta, instant};

#[tokio::test]
async fn a_token_signs_in_and_says_whose_it_is() {
    let bench = Bench::new().await;
    let running = &bench.running;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", running.client_id()),
        ("client_secret", running.client_secret()),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", bench.url, running.tenant_id());
    let token = bench.ask(bench.client.post(url).form(&form)).await;
    assert_eq!(token.body["token_type"], "Bearer");
    let token = token.body["access_token"].as_str().expect("a token");
    let users = bench
        .client
        .get(format!("{}/v1.0/users", bench.url))
        .bearer_auth(token);
    assert_eq!(bench.ask(users).await.values().len(), 100);
    let payload = token.split('.').nth(1).expect("three parts");
    let payload =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload)
            .expect("base64");
    let claims: Value = serde_json::from_slice(&payload).expect("claims");
    assert_eq!(claims["tid"], running.tenant_id());
    assert_eq!(claims["appid"], running.client_id());
    assert!(
        claims["roles"]
            .as_array()
            .is_some_and(|roles| roles.len() > 6)
    );
}

#[tokio::test]
async fn finance_is_restored_but_for_a_few() {
    let bench = Bench::still().await;
    let group = bench
        .get("/v1.0/groups?$filter=displayName eq 'Finance'")
        .await
        .values()[0]["id"]
        .clone();
    let group = group.as_str().expect("an id").to_owned();
    let members = bench
        .all(&format!(
            "/v1.0/groups/{group}/transitiveMembers/microsoft.graph.user"
        ))
        .await;
    assert!(members.len() >= 12, "{}", members.len());
    let units = bench
        .all("~/protectionUnits/graph.mailboxProtectionUnit")
        .await;
    let unit_of = |person: &Value| {
        units
            .iter()
            .find(|unit| unit["directoryObjectId"] == person["id"])
    };
    let found: Vec<&Value> = members.iter().filter_map(unit_of).collect();
    assert!(
        (1..=2).contains(&(members.len() - found.len())),
        "{} of {}",
        found.len(),
        members.len()
    );

    let mut points = Vec::new();
    for unit in found {
        points.extend(
            bench
                .points_of(unit["id"].as_str().expect("an id"))
                .await
                .into_iter()
                .next(),
        );
    }
    let session = bench.draft(&points[..10]).await;
    let path = format!("~/exchangeRestoreSessions/{session}");
    let items = points[10..]
        .iter()
        .map(|point| artifact(point, "new"))
        .collect();
    let changed = bench.send("PATCH", &path, delta(items)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let added = changed.body["mailboxRestoreArtifacts@delta"]
        .as_array()
        .expect("a delta")
        .len();
    assert_eq!(added, points.len() - 10);

    let activated = bench
        .call("POST", &format!("~/restoreSessions/{session}/activate"))
        .await;
    assert_eq!(activated.status, 200, "{}", activated.body);
    assert_eq!(activated.body["status"], "activating");
    assert_eq!(
        activated.body["createdBy"]["application"]["id"],
        bench.running.client_id()
    );
    assert_eq!(
        activated.body["restoreSessionArtifactCount"]["total"],
        points.len()
    );
    bench.advance("20s").await;
    assert_eq!(bench.get(&path).await.body["status"], "active");
    bench.advance("25m").await;
    let ended = bench.get(&path).await.body;
    assert!(
        ["completed", "completedWithError"].contains(&ended["status"].as_str().expect("a status")),
        "{ended}"
    );
    assert!(instant(&ended["completedDateTime"]) > instant(&ended["createdDateTime"]));
    let list = bench.all(&format!("{path}/mailboxRestoreArtifacts")).await;
    assert_eq!(list.len(), points.len());
    let succeeded = list
        .iter()
        .filter(|artifact| artifact["status"] == "succeeded")
        .count();
    assert!(succeeded + 1 >= list.len());
    assert_eq!(bench.state().await["violations"], json!([]));
}

#[tokio::test]
async fn a_draft_can_be_listed_and_deleted() {
    let bench = Bench::still().await;
    let session = bench.draft(&bench.points(2).await).await;
    assert_eq!(bench.get("~/restoreSessions").await.values().len(), 1);
    assert_eq!(
        bench
            .get("/beta/solutions/backupRestore/exchangeRestoreSessions")
            .await
            .values()[0]["status"],
        "draft"
    );
    assert_eq!(
        bench
            .call("DELETE", &format!("~/restoreSessions/{session}"))
            .await
            .status,
        204
    );
    let gone = bench.get(&format!("~/restoreSessions/{session}")).await;
    assert_eq!((gone.status, gone.code()), (404, "RestoreSessionNotFound"));
}
