//! Bulk addition requests that are turned down.

use serde_json::{Value, json};

use super::bulk::{MISSING, request};
use super::{Bench, Reply, artifact, artifacts, delta};

#[tokio::test]
#[allow(clippy::too_many_lines)] // a table, or one story
async fn a_bulk_request_is_checked() {
    let bench = Bench::still().await;
    let many: Vec<String> = (0..10_001)
        .map(|index| format!("user{index}@contoso.example"))
        .collect();
    let set = |name: &str, value: Value| {
        let mut body = request("mailboxes", &many[..2]);
        body[name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = request("mailboxes", &many[..2]);
        body.as_object_mut().expect("an object").remove(name);
        body
    };
    let session = bench.empty(super::BACKUP, "exchangeRestoreSessions").await;
    let path = format!("~/exchangeRestoreSessions/{session}");
    let requests = format!("{path}/mailboxRestoreArtifactsBulkAdditionRequests");
    let invalid = "BulkRestoreInvalidCreateRequest";
    for (body, code) in [
        (json!({}), invalid),
        (without("mailboxes"), invalid),
        (without("destinationType"), invalid),
        (without("protectionTimePeriod"), invalid),
        (set("mailboxes", json!([])), invalid),
        (set("mailboxes", json!("all")), invalid),
        (set("drives", json!(["a@b"])), invalid),
        (set("destinationType", json!("elsewhere")), invalid),
        (set("restorePointPreference", json!("newest")), invalid),
        (set("tags", json!("fast")), invalid),
        (set("tags", json!("includeNewerItems")), invalid),
        (set("displayName", json!(17)), invalid),
        (set("protectionUnitIds", json!([MISSING])), invalid),
        (set("directoryObjectIds", json!([MISSING])), invalid),
        (
            set(
                "@odata.type",
                json!("#microsoft.graph.driveRestoreArtifactsBulkAdditionRequest"),
            ),
            invalid,
        ),
        (
            set(
                "protectionTimePeriod",
                json!({ "startDateTime": "2020-01-01T00:00:00Z" }),
            ),
            invalid,
        ),
        (
            set(
                "protectionTimePeriod",
                json!({ "startDateTime": "2020-01-02T00:00:00Z", "endDateTime": "2020-01-01T00:00:00Z" }),
            ),
            invalid,
        ),
        (
            set("mailboxes", json!(many)),
            "BulkRestoreRestorationResourcesCountExceedsLimit",
        ),
        (
            set("mailboxes", json!(["a@b", "adele"])),
            "BulkRestoreInvalidCreateRequestUserEmail",
        ),
        (
            set("mailboxes", json!(["a@b", null])),
            "BulkRestoreInvalidCreateRequestUserEmail",
        ),
    ] {
        let answer = bench.send("POST", &requests, body.clone()).await;
        let body: String = body.to_string().chars().take(300).collect();
        assert_eq!((answer.status, answer.code()), (400, code), "{body}");
    }
    assert_eq!(bench.call("POST", &requests).await.code(), invalid);
    let sites = bench
        .empty(super::BACKUP, "sharePointRestoreSessions")
        .await;
    let sites =
        format!("~/sharePointRestoreSessions/{sites}/siteRestoreArtifactsBulkAdditionRequests");
    let body = request("siteWebUrls", &["https: //contoso.sharepoint.example"]);
    let answer = bench.send("POST", &sites, body).await;
    assert_eq!(answer.code(), "BulkRestoreInvalidCreateRequestSiteUrl");

    let good = request("mailboxes", &many[..10_000]);
    for (path, status, code) in [
        (
            requests.replace(&session, "17"),
            400,
            "InvalidBulkRestoreArtifactId",
        ),
        (
            requests.replace(&session, MISSING),
            404,
            "RestoreSessionNotFound",
        ),
    ] {
        let answer = bench.send("POST", &path, good.clone()).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
    let created = bench.send("POST", &requests, good.clone()).await;
    assert_eq!(created.status, 201);
    let second = bench.send("POST", &requests, good.clone()).await;
    assert_eq!((second.status, second.code()), (400, invalid));
    for (item, status, code) in [
        ("17", 400, "InvalidBulkRestoreArtifactId"),
        (MISSING, 404, "BulkRestoreArtifactsNotFound"),
    ] {
        let answer = bench.get(&format!("{requests}/{item}")).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
    // Never mixed: neither way round.
    let points = bench.points(1).await;
    let single = delta(vec![artifact(&points[0], "new")]);
    assert_eq!(
        bench.send("PATCH", &path, single).await.code(),
        "InvalidPatchRequest"
    );
    let full: Reply = bench
        .send(
            "POST",
            "~/exchangeRestoreSessions",
            artifacts(&points, "new"),
        )
        .await;
    let full = requests.replace(&session, &full.id());
    assert_eq!(
        bench.send("POST", &full, good.clone()).await.code(),
        invalid
    );
    bench
        .call("POST", &format!("~/restoreSessions/{session}/activate"))
        .await;
    let late = bench.send("POST", &requests, good).await;
    assert_eq!(
        (late.status, late.code()),
        (403, "RestoreSessionActionNotAllowed")
    );
}
