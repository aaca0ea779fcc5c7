//! The life of a restore for `OneDrive` and `SharePoint`, in both versions.

use serde_json::{Value, json};

use super::{Bench, artifact};

/// Names that differ, as the metadata spells them.
struct Names {
    sessions: &'static str,
    artifacts: &'static str,
    units: &'static str,
    session_type: &'static str,
    artifact_type: &'static str,
}

const BOTH: [Names; 2] = [
    Names {
        sessions: "oneDriveForBusinessRestoreSessions",
        artifacts: "driveRestoreArtifacts",
        units: "driveProtectionUnits",
        session_type: "#microsoft.graph.oneDriveForBusinessRestoreSession",
        artifact_type: "#microsoft.graph.driveRestoreArtifact",
    },
    Names {
        sessions: "sharePointRestoreSessions",
        artifacts: "siteRestoreArtifacts",
        units: "siteProtectionUnits",
        session_type: "#microsoft.graph.sharePointRestoreSession",
        artifact_type: "#microsoft.graph.siteRestoreArtifact",
    },
];

#[tokio::test]
async fn drives_and_sites_are_restored_like_mailboxes() {
    let bench = Bench::still().await;
    bench.control("break", json!({ "chance": "never" })).await;
    for names in &BOTH {
        let mut points = bench.points_in(names.units, 8).await;
        // Two of these people's drives are on hold.
        points.remove(6);
        points.remove(1);
        for (version, points) in [("v1.0", &points[..3]), ("beta", &points[3..])] {
            let root = format!("/{version}/solutions/backupRestore");
            let create = format!("{root}/{}", names.sessions);
            let item = |point: &String| artifact(point, "inPlace");
            let first: Vec<Value> = points[..1].iter().map(item).collect();
            let body = json!({ names.artifacts: first, "@odata.type": names.session_type });
            let session = bench.send("POST", &create, body).await;
            assert_eq!(session.status, 201, "{}", session.body);
            assert_eq!(session.body["@odata.type"], names.session_type);
            assert_eq!(session.body["status"], "draft");
            let path = format!("{create}/{}", session.id());
            let rest: Vec<Value> = points[1..].iter().map(item).collect();
            let delta = format!("{}@delta", names.artifacts);
            let changed = bench
                .send("PATCH", &path, json!({ delta.clone(): rest }))
                .await;
            assert_eq!(changed.status, 200, "{}", changed.body);
            assert_eq!(changed.body[&delta].as_array().map(Vec::len), Some(2));
            let activate = format!("{root}/restoreSessions/{}/activate", session.id());
            let activated = bench.call("POST", &activate).await;
            assert_eq!(activated.body["status"], "activating");
            bench.advance("1h").await;
            let list = bench.all(&format!("{path}/{}", names.artifacts)).await;
            let ended = bench.get(&path).await;
            assert_eq!(ended.body["status"], "completed", "{list:#?}");
            assert_eq!(list.len(), 3);
            for one in list {
                assert_eq!(one["@odata.type"], names.artifact_type);
                assert_eq!(one["status"], "succeeded");
                let id = one["restoredSiteId"].as_str().expect("an id");
                assert_eq!(id.split(',').count(), 3);
                let point = one["restorePoint"]["id"].as_str().expect("a point");
                let unit = bench
                    .get(&format!("{root}/restorePoints/{point}/protectionUnit"))
                    .await;
                // In place, a site is its own destination.
                if names.units == "siteProtectionUnits" {
                    assert_eq!(one["restoredSiteId"], unit.body["siteId"]);
                    assert_eq!(one["restoredSiteWebUrl"], unit.body["siteWebUrl"]);
                }
            }
            let count = bench
                .get(&format!("{path}/{}/$count", names.artifacts))
                .await;
            assert_eq!(count.body, 3);
        }
        let all = bench.all(&format!("~/{}", names.sessions)).await;
        assert_eq!(all.len(), 2);
    }
    assert_eq!(bench.all("~/restoreSessions").await.len(), 4);
    assert_eq!(bench.get("~/restoreSessions/$count").await.body, 4);
    assert!(bench.all("~/exchangeRestoreSessions").await.is_empty());
    let state = bench.state().await;
    let workloads: Vec<&Value> = state["sessions"]
        .as_array()
        .expect("sessions")
        .iter()
        .map(|session| &session["workload"])
        .collect();
    assert_eq!(
        workloads,
        ["onedrive", "onedrive", "sharepoint", "sharepoint"]
    );
}

#[tokio::test]
async fn a_new_place_differs_from_the_old_one() {
    let bench = Bench::still().await;
    bench.control("break", json!({ "chance": "never" })).await;
    let point = &bench.points_in("siteProtectionUnits", 1).await[0];
    let unit = bench
        .get(&format!("~/restorePoints/{point}/protectionUnit"))
        .await;
    let body = json!({ "siteRestoreArtifacts": [artifact(point, "new")] });
    let session = bench
        .send("POST", "~/sharePointRestoreSessions", body)
        .await
        .id();
    let activate = format!("~/restoreSessions/{session}/activate");
    assert_eq!(bench.call("POST", &activate).await.status, 200);
    bench.advance("1h").await;
    let list = format!("~/sharePointRestoreSessions/{session}/siteRestoreArtifacts");
    let artifact = &bench.all(&list).await[0];
    let url = artifact["restoredSiteWebUrl"].as_str().expect("an address");
    let old = unit.body["siteWebUrl"].as_str().expect("an address");
    assert!(url.starts_with(old) && url != old, "{url}");
    assert_ne!(artifact["restoredSiteId"], unit.body["siteId"]);
    assert_eq!(artifact["restoredSiteName"], unit.body["siteName"]);
}

#[tokio::test]
async fn a_body_of_another_workload_is_turned_down() {
    let bench = Bench::still().await;
    let drive = &bench.points_in("driveProtectionUnits", 1).await[0];
    let mailbox = "#microsoft.graph.exchangeRestoreSession";
    let wrong_artifact = json!({
        "@odata.type": "#microsoft.graph.siteRestoreArtifact",
        "restorePoint": { "id": drive },
        "destinationType": "new",
    });
    for body in [
        json!({ "@odata.type": mailbox }),
        json!({ "mailboxRestoreArtifacts": [artifact(drive, "new")] }),
        json!({ "driveRestoreArtifacts": [wrong_artifact] }),
    ] {
        let answer = bench
            .send("POST", "~/oneDriveForBusinessRestoreSessions", body.clone())
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "InvalidRequest"),
            "{body}"
        );
    }
    // Pages differ in the case of names.
    let body = json!({ "@odata.type": "#microsoft.graph.oneDriveForBusinessrestoreSession" });
    let answer = bench
        .send("POST", "~/onedriveForBusinessRestoreSessions", body)
        .await;
    assert_eq!(answer.status, 201);
}
