//! What the service turns down, with its codes.

use serde_json::{Value, json};

use super::{Bench, artifact, artifacts, delta};

const MISSING: &str = "7d3f1c1a-93c4-4a0b-8d5e-0f5f6a1b2c3d";

#[tokio::test]
async fn a_create_is_checked() {
    let bench = Bench::still().await;
    let points = bench.points(2).await;
    let many = vec![points[0].clone(); 51];
    let one = |item: Value| json!({ "mailboxRestoreArtifacts": [item] });
    for (body, status, code) in [
        (
            json!({ "mailboxRestoreArtifacts": [] }),
            400,
            "InvalidArtifactRequest",
        ),
        (
            json!({ "mailboxRestoreArtifacts": null }),
            400,
            "InvalidArtifactRequest",
        ),
        (
            artifacts(&many, "new"),
            413,
            "RestoreArtifactsLimitBreached",
        ),
        (artifacts(&many[..2], "new"), 400, "DuplicateArtifactInList"),
        (
            one(artifact(&points[0], "elsewhere")),
            400,
            "InvalidPathType",
        ),
        (
            one(json!({ "restorePoint": { "id": points[0] } })),
            400,
            "InvalidPathType",
        ),
        (one(artifact(MISSING, "new")), 400, "InvalidRestorePoint"),
        (one(artifact("nonsense", "new")), 400, "InvalidRestorePoint"),
        (
            one(json!({ "destinationType": "new" })),
            400,
            "InvalidRestorePoint",
        ),
        (
            one(json!({ "point": points[0], "destinationType": "new" })),
            400,
            "InvalidRequest",
        ),
        (json!({ "artifacts": [] }), 400, "InvalidRequest"),
        (
            json!({ "driveRestoreArtifacts": [] }),
            400,
            "InvalidRequest",
        ),
        (
            json!({ "mailboxRestoreArtifacts": [artifact(&points[0], "new"), artifact(&points[1], "inPlace")] }),
            400,
            "DifferentRestoreDestinationType",
        ),
        (
            json!({ "granularMailboxRestoreArtifacts": [] }),
            400,
            "InvalidArtifactRequest",
        ),
        (
            json!({ "mailboxRestoreArtifacts": [], "granularMailboxRestoreArtifacts": [] }),
            400,
            "InvalidRequest",
        ),
    ] {
        let answer = bench
            .send("POST", "~/exchangeRestoreSessions", body.clone())
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{body}: {}",
            answer.body
        );
    }
    assert!(bench.get("~/restoreSessions").await.values().is_empty());
    assert_eq!(
        bench.state().await["violations"].as_array().map(Vec::len),
        Some(1)
    );
    let drives = bench.send(
        "POST",
        "~/oneDriveForBusinessRestoreSessions",
        json!({
            "driveRestoreArtifacts": [artifact(&points[0], "new")]
        }),
    );
    assert_eq!(drives.await.code(), "InvalidRestorePoint");
    let older = json!({ "restorePoint": { "@odata.id": points[0] }, "destinationType": "inPlace" });
    assert_eq!(
        bench
            .send("POST", "~/exchangeRestoreSessions", one(older))
            .await
            .status,
        201
    );
    assert_eq!(
        bench.call("POST", "~/exchangeRestoreSessions").await.status,
        201
    );
}

#[tokio::test]
async fn a_patch_is_checked() {
    let bench = Bench::still().await;
    let points = bench.points(4).await;
    let session = bench.draft(&points[..2]).await;
    let path = format!("~/exchangeRestoreSessions/{session}");
    let removed = |id: &str| json!({ "@removed": { "reason": "changed" }, "id": id });
    for (body, code) in [
        (delta(vec![]), "InvalidArtifactRequest"),
        (json!({}), "InvalidArtifactRequest"),
        (json!({ "status": "active" }), "InvalidPatchRequest"),
        (
            delta(vec![artifact(&points[2], "new"); 51]),
            "RestoreArtifactsLimitBreached",
        ),
        (
            delta(vec![artifact(&points[2], "new"); 2]),
            "DuplicateArtifactInList",
        ),
        (
            delta(vec![artifact(&points[2], "inPlace")]),
            "DifferentRestoreDestinationType",
        ),
        (delta(vec![artifact(MISSING, "new")]), "InvalidRestorePoint"),
        (
            delta(vec![artifact(&points[2], "there")]),
            "InvalidPatchRequest",
        ),
        (
            delta(vec![json!({ "@removed": {}, "id": MISSING })]),
            "InvalidPatchRequest",
        ),
        (
            delta(vec![json!({ "@removed": { "reason": "changed" } })]),
            "InvalidPatchRequest",
        ),
    ] {
        let answer = bench.send("PATCH", &path, body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, code),
            "{body}: {}",
            answer.body
        );
    }
    let list = bench.all(&format!("{path}/mailboxRestoreArtifacts")).await;
    let first = list[0]["id"].as_str().expect("an id");
    let answer = bench.send(
        "PATCH",
        &path,
        delta(vec![
            removed(first),
            removed(MISSING),
            artifact(&points[2], "new"),
        ]),
    );
    let answer = answer.await;
    let items = answer.body["mailboxRestoreArtifacts@delta"]
        .as_array()
        .expect("a delta");
    assert_eq!((answer.status, items.len()), (200, 2), "{}", answer.body);
    assert_eq!(items[0]["restorePoint"]["id"], points[2]);
    assert_eq!(items[0]["status"], "added");
    assert_eq!(items[1]["id"], MISSING);
    assert_eq!(
        items[1]["@Core.DataModificationException"]["responseCode"],
        409
    );
    let after = bench.all(&format!("{path}/mailboxRestoreArtifacts")).await;
    assert_eq!(
        after
            .iter()
            .map(|one| one["restorePoint"]["id"].as_str())
            .collect::<Vec<_>>(),
        [Some(points[1].as_str()), Some(points[2].as_str())]
    );

    // With every artifact replaced the destination may change, too.
    let mut items: Vec<Value> = after
        .iter()
        .filter_map(|one| one["id"].as_str())
        .map(removed)
        .collect();
    items.push(artifact(&points[3], "inPlace"));
    assert_eq!(bench.send("PATCH", &path, delta(items)).await.status, 200);
    assert_eq!(
        bench
            .all(&format!("{path}/mailboxRestoreArtifacts"))
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn only_drafts_can_be_changed() {
    let bench = Bench::still().await;
    let points = bench.points(2).await;
    let session = bench.draft(&points[..1]).await;
    let activate = format!("~/restoreSessions/{session}/activate");
    assert_eq!(bench.call("POST", &activate).await.status, 200);
    for advance in ["0s", "1m", "1h"] {
        bench.advance(advance).await;
        let patch = delta(vec![artifact(&points[1], "new")]);
        for (answer, message) in [
            (bench.call("POST", &activate).await, "activated"),
            (
                bench
                    .call("DELETE", &format!("~/restoreSessions/{session}"))
                    .await,
                "deleted",
            ),
            (
                bench
                    .send(
                        "PATCH",
                        &format!("~/exchangeRestoreSessions/{session}"),
                        patch,
                    )
                    .await,
                "patched",
            ),
        ] {
            assert_eq!(
                (answer.status, answer.code()),
                (403, "RestoreSessionActionNotAllowed")
            );
            let expected = format!("Restore session can only be {message} in Draft state.");
            assert_eq!(answer.body["error"]["message"], expected);
        }
    }
    assert_eq!(
        bench
            .get(&format!("~/restoreSessions/{session}"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_empty_session_cannot_be_activated() {
    let bench = Bench::still().await;
    let session = bench
        .send("POST", "~/exchangeRestoreSessions", json!({}))
        .await
        .id();
    let answer = bench
        .call("POST", &format!("~/restoreSessions/{session}/activate"))
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (400, "InvalidArtifactRequest")
    );
}

#[tokio::test]
async fn twenty_five_sessions_are_active_at_most() {
    let bench = Bench::still().await;
    let points = bench.points(26).await;
    let mut drafts = Vec::new();
    for point in &points {
        drafts.push(bench.draft(std::slice::from_ref(point)).await);
    }
    for draft in &drafts[..25] {
        assert_eq!(
            bench
                .call("POST", &format!("~/restoreSessions/{draft}/activate"))
                .await
                .status,
            200
        );
    }
    let last = format!("~/restoreSessions/{}/activate", drafts[25]);
    let answer = bench.call("POST", &last).await;
    assert_eq!(
        (answer.status, answer.code()),
        (500, "TooManyActiveRestoreSessions")
    );
    assert_eq!(
        bench
            .get(&format!("~/restoreSessions/{}", drafts[25]))
            .await
            .body["status"],
        "draft"
    );
    bench.advance("1h").await;
    assert_eq!(bench.call("POST", &last).await.status, 200);
}
