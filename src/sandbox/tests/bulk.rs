//! Bulk addition requests, for the three workloads.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Bench;
use crate::sandbox::Options;

pub(super) const MISSING: &str = "7d3f1c1a-93c4-4a0b-8d5e-0f5f6a1b2c3d";

/// Sessions, requests and inputs of each workload.
pub(super) const ALL: [(&str, &str, &str); 3] = [
    (
        "exchangeRestoreSessions",
        "mailboxRestoreArtifactsBulkAdditionRequests",
        "mailboxes",
    ),
    (
        "oneDriveForBusinessRestoreSessions",
        "driveRestoreArtifactsBulkAdditionRequests",
        "drives",
    ),
    (
        "sharePointRestoreSessions",
        "siteRestoreArtifactsBulkAdditionRequests",
        "siteWebUrls",
    ),
];

pub(super) fn request(inputs: &str, values: &[impl AsRef<str>]) -> Value {
    let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
    json!({
        "displayName": "everybody [test]",
        inputs: values,
        "protectionTimePeriod": {
            "startDateTime": "2020-01-01T00:00:00Z",
            "endDateTime": "2999-01-01T00:00:00Z",
        },
        "restorePointPreference": "latest",
        "tags": "none",
        "destinationType": "new",
    })
}

impl Bench {
    pub(super) async fn empty(&self, root: &str, sessions: &str) -> String {
        let created = self
            .send("POST", &format!("{root}/{sessions}"), json!({}))
            .await;
        assert_eq!(created.status, 201, "{}", created.body);
        created.id()
    }

    /// Addresses of people, by position.
    pub(super) async fn addresses(&self) -> Vec<String> {
        let users = self.all("/v1.0/users").await;
        let name = |user: &Value| {
            user["userPrincipalName"]
                .as_str()
                .expect("a name")
                .to_owned()
        };
        users.iter().map(name).collect()
    }
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // a table, or one story
async fn a_bulk_request_becomes_artifacts_after_activation() {
    let bench = Bench::still().await;
    bench.control("break", json!({ "chance": "never" })).await;
    let people = bench.addresses().await;
    let end = bench.now().await.to_string();
    for (sessions, requests, inputs) in ALL {
        let values: Vec<String> = if inputs == "siteWebUrls" {
            [
                "finance",
                "finance-emea",
                "marketing",
                "nowhere",
                "human-resources",
            ]
            .map(|name| format!("https://contoso.sharepoint.example/sites/{name}"))
            .to_vec()
        } else {
            // The eighth person was never protected, and one is nobody.
            let mut values: Vec<String> = [0, 4, 5, 7].map(|index| people[index].clone()).to_vec();
            values.push("nobody@contoso.example".to_owned());
            values
        };
        for root in ["/v1.0", "/beta"].map(|root| format!("{root}/solutions/backupRestore")) {
            let session = bench.empty(&root, sessions).await;
            let path = format!("{root}/{sessions}/{session}");
            let mut body = request(inputs, &values);
            body["protectionTimePeriod"]["endDateTime"] = json!(end);
            let created = bench
                .send("POST", &format!("{path}/{requests}"), body)
                .await;
            assert_eq!(created.status, 201, "{}", created.body);
            assert_eq!(created.body["status"], "active");
            assert_eq!(created.body[inputs], json!([]));
            assert_eq!(created.body["displayName"], "everybody [test]");
            let one = format!("{path}/{requests}/{}", created.id());
            let listed = bench.get(&format!("{path}/{requests}")).await;
            assert_eq!(listed.values().len(), 1);
            assert!(listed.values()[0][inputs].is_null());
            assert_eq!(bench.get(&path).await.body["restoreJobType"], "bulk");
            let early = bench.call("DELETE", &one).await;
            assert_eq!(
                (early.status, early.code()),
                (403, "InvalidStateForBulkRequestDeletion")
            );

            let activate = format!("{root}/restoreSessions/{session}/activate");
            let activated = bench.call("POST", &activate).await;
            assert_eq!(
                (activated.status, &activated.body["status"]),
                (200, &json!("activating"))
            );
            assert_eq!(activated.body["restoreSessionArtifactCount"]["total"], 0);
            assert_eq!(bench.get(&one).await.body["status"], "active");
            bench.advance("3s").await;
            let resolved = bench.get(&one).await;
            assert_eq!(resolved.body["status"], "completedWithErrors");
            assert_eq!(resolved.body[inputs], json!([]));
            let error = &resolved.body["error"];
            assert_eq!(error["code"], "BulkRestoreArtifactsNotResolved");
            let details = error["details"].as_array().expect("details");
            assert_eq!(details.len(), 2, "{details:?}");
            let targets: BTreeSet<&str> = details
                .iter()
                .filter_map(|one| one["target"].as_str())
                .collect();
            assert!(
                targets
                    .iter()
                    .all(|target| values.iter().any(|value| value == target))
            );
            if inputs != "siteWebUrls" {
                assert_eq!(details[1]["code"], "UserNotBackedup");
                assert_eq!(
                    details[1]["message"],
                    "Email address 'nobody@contoso.example' has not been backed up"
                );
            }
            let artifacts = requests.trim_end_matches("BulkAdditionRequests");
            let list = bench.all(&format!("{path}/{artifacts}")).await;
            assert_eq!(list.len(), 3);
            bench.advance("1h").await;
            let ended = bench.get(&path).await;
            assert_eq!(ended.body["status"], "completed", "{}", ended.body);
            assert_eq!(bench.call("DELETE", &one).await.status, 204);
            assert_eq!(bench.get(&one).await.code(), "BulkRestoreArtifactsNotFound");
            assert!(
                bench
                    .get(&format!("{path}/{requests}"))
                    .await
                    .values()
                    .is_empty()
            );
            assert_eq!(bench.get(&path).await.body["restoreJobType"], "bulk");
        }
    }
    let state = bench.state().await;
    assert_eq!(state["sessions"][0]["job"], "bulk");
    assert_eq!(
        state["sessions"][0]["artifacts"].as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(state["violations"], json!([]));
    // Both versions restored the same points.
    let duplicates = bench.get("/_sandbox/duplicates").await;
    assert_eq!(
        duplicates.body["duplicates"].as_array().map(Vec::len),
        Some(9)
    );
}

#[tokio::test]
async fn window_preference_and_tags_choose_the_point() {
    let bench = Bench::still().await;
    let now = bench.now().await;
    let people = bench.addresses().await;
    let day = jiff::SignedDuration::from_hours(24);
    let (from, to) = (now - day * 3, now - day * 2);
    for (preference, tags) in [
        ("latest", "none"),
        ("oldest", "none"),
        ("latest", "fastRestore"),
    ] {
        let session = bench
            .empty(super::BACKUP, "oneDriveForBusinessRestoreSessions")
            .await;
        let path = format!("~/oneDriveForBusinessRestoreSessions/{session}");
        let mut body = request("drives", &people[4..5]);
        body["protectionTimePeriod"] =
            json!({ "startDateTime": from.to_string(), "endDateTime": to.to_string() });
        body["restorePointPreference"] = json!(preference);
        body["tags"] = json!(tags);
        let requests = format!("{path}/driveRestoreArtifactsBulkAdditionRequests");
        assert_eq!(bench.send("POST", &requests, body).await.status, 201);
        let activate = format!("~/restoreSessions/{session}/activate");
        assert_eq!(bench.call("POST", &activate).await.status, 200);
        bench.advance("5s").await;
        let list = bench.all(&format!("{path}/driveRestoreArtifacts")).await;
        let point = &list[0]["restorePoint"];
        let made = super::instant(&point["protectionDateTime"]);
        assert!(from <= made && made <= to, "{made}");
        let hour = jiff::SignedDuration::from_hours(1);
        match (preference, tags) {
            ("oldest", _) => assert!(made < from + hour),
            _ => assert!(made > to - hour),
        }
        if tags == "fastRestore" {
            assert_eq!(point["tags"], "fastRestore");
        }
        bench.advance("1h").await;
    }
}

#[tokio::test]
async fn nothing_resolved_is_a_failed_session() {
    let bench = Bench::still().await;
    let session = bench.empty(super::BACKUP, "exchangeRestoreSessions").await;
    let path = format!("~/exchangeRestoreSessions/{session}");
    let requests = format!("{path}/mailboxRestoreArtifactsBulkAdditionRequests");
    let mut body = request("mailboxes", &["nobody@contoso.example"]);
    assert_eq!(
        bench.send("POST", &requests, body.clone()).await.status,
        201
    );
    bench
        .call("POST", &format!("~/restoreSessions/{session}/activate"))
        .await;
    bench.advance("10s").await;
    let state = bench.state().await;
    assert_eq!(state["sessions"][0]["status"], "failed");
    let ended = bench.get(&path).await;
    assert_eq!(ended.body["status"], "unknownFutureValue");
    assert_eq!(
        ended.body["error"]["details"][0]["target"],
        "nobody@contoso.example"
    );
    assert!(ended.body["completedDateTime"].is_string());

    // Somebody who is protected, but not in that window.
    let session = bench.empty(super::BACKUP, "exchangeRestoreSessions").await;
    let requests = requests.replace(path.rsplit('/').next().expect("an id"), &session);
    body["mailboxes"] = json!([bench.addresses().await[4]]);
    body["protectionTimePeriod"] =
        json!({ "startDateTime": "2001-01-01T00:00:00Z", "endDateTime": "2001-01-02T00:00:00Z" });
    assert_eq!(bench.send("POST", &requests, body).await.status, 201);
    bench
        .call("POST", &format!("~/restoreSessions/{session}/activate"))
        .await;
    bench.advance("10s").await;
    let listed = bench.get(&requests).await;
    let detail = &listed.values()[0]["error"]["details"][0];
    assert_eq!(detail["code"], "RestorePointNotFound");
}

#[tokio::test]
async fn drives_and_sites_can_be_named_by_id() {
    let bench = Bench::still().await;
    for (sessions, requests, ids, units, owner) in [
        (
            ALL[1].0,
            ALL[1].1,
            "directoryObjectIds",
            "driveProtectionUnits",
            "directoryObjectId",
        ),
        (
            ALL[2].0,
            ALL[2].1,
            "siteIds",
            "siteProtectionUnits",
            "siteId",
        ),
    ] {
        let unit = bench.all(&format!("~/{units}")).await[0].clone();
        let session = bench.empty(super::BACKUP, sessions).await;
        let path = format!("~/{sessions}/{session}");
        let mut body = request("ids", &[""]);
        let body = body.as_object_mut().expect("an object");
        body.remove("ids");
        body.insert(ids.to_owned(), json!([unit[owner]]));
        let answer = bench
            .send("POST", &format!("{path}/{requests}"), json!(body))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        bench
            .call("POST", &format!("~/restoreSessions/{session}/activate"))
            .await;
        bench.advance("10s").await;
        let state = bench.state().await;
        let sessions = state["sessions"].as_array().expect("sessions");
        let artifact = &sessions.last().expect("a session")["artifacts"][0];
        assert_eq!(artifact["unit"], unit["id"]);
        bench.advance("1h").await;
    }
}

// Takes a second: ten thousand inputs, because what is quadratic shows only there.
#[tokio::test]
async fn ten_thousand_people_are_one_request() {
    let bench = Bench::with(Options {
        users: 11_000,
        speed: 1.0,
        ..Options::default()
    })
    .await;
    let people: Vec<String> = bench
        .all("/v1.0/users?$select=userPrincipalName&$top=999")
        .await
        .iter()
        .take(10_000)
        .map(|user| {
            user["userPrincipalName"]
                .as_str()
                .expect("a name")
                .to_owned()
        })
        .collect();
    let begun = Instant::now();
    let session = bench.empty(super::BACKUP, "exchangeRestoreSessions").await;
    let path = format!("~/exchangeRestoreSessions/{session}");
    let requests = format!("{path}/mailboxRestoreArtifactsBulkAdditionRequests");
    let created = bench
        .send("POST", &requests, request("mailboxes", &people))
        .await;
    assert_eq!(created.status, 201);
    bench
        .call("POST", &format!("~/restoreSessions/{session}/activate"))
        .await;
    bench.advance("5m").await;
    let one = bench.get(&format!("{requests}/{}", created.id())).await;
    assert_eq!(one.body["status"], "completedWithErrors");
    let unresolved = one.body["error"]["details"]
        .as_array()
        .expect("details")
        .len();
    assert!((300..700).contains(&unresolved), "{unresolved}");
    let count = &bench.get(&path).await.body["restoreSessionArtifactCount"]["total"];
    assert_eq!(count, 10_000 - unresolved);
    // A thousand run at once; the rest waits.
    bench.advance("6h").await;
    assert_eq!(bench.get(&path).await.body["status"], "completedWithError");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(bench.state().await["violations"], json!([]));
}
