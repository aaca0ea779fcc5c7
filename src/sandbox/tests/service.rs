//! The service of a tenant: who controls it, whether it is on, whom it tells, what it logs.

use serde_json::{Value, json};

use super::Bench;

#[tokio::test]
async fn the_service_apps_hand_control_over() {
    let bench = Bench::still().await;
    let own = bench.all("~/serviceApps").await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let made = bench.send("POST", "~/serviceApps", json!({})).await;
    assert_eq!(
        (made.status, &made.body["status"]),
        (201, &json!("inactive"))
    );
    let path = |id: &str, what: &str| format!("~/serviceApps/{id}{what}");
    let other = made.id();
    let soon = (bench.now().await + jiff::SignedDuration::from_hours(2)).to_string();
    let body = json!({ "effectiveDateTime": soon });
    let app = bench
        .send("POST", &path(&other, "/activate"), body.clone())
        .await;
    assert_eq!(app.status, 403);
    let empty = bench
        .by_person("POST", &path(&other, "/activate"), Some(json!({})))
        .await;
    assert_eq!(empty.status, 400);
    let accepted = bench
        .by_person("POST", &path(&other, "/activate"), Some(body))
        .await;
    assert_eq!(
        (accepted.status, &accepted.body["status"]),
        (202, &json!("pendingActive"))
    );
    let states = async || {
        let all = bench.all("~/serviceApps").await;
        let states = all
            .iter()
            .map(|app| app["status"].as_str().expect("a state").to_owned());
        states.collect::<Vec<_>>()
    };
    assert_eq!(states().await, ["pendingInactive", "pendingActive"]);
    bench.advance("3h").await;
    assert_eq!(states().await, ["inactive", "active"]);
    let given_up = bench
        .by_person("POST", &path(&other, "/deactivate"), None)
        .await;
    assert_eq!(
        (given_up.status, &given_up.body["status"]),
        (202, &json!("pendingInactive"))
    );
    bench.advance("10m").await;
    assert_eq!(states().await, ["inactive", "inactive"]);
    assert_eq!(bench.call("DELETE", &path(&own, "")).await.status, 204);
    assert_eq!(states().await, ["inactive"]);
}

#[tokio::test]
async fn the_service_is_enabled_and_mails_are_set() {
    let bench = Bench::still().await;
    bench
        .control("break", json!({ "serviceStatus": "disabled" }))
        .await;
    let wrong = bench
        .send("POST", "~/enable", json!({ "appOwnerTenantId": "x" }))
        .await;
    assert_eq!(
        (wrong.status, wrong.code()),
        (400, "InvalidAppOwnerTenantId")
    );
    let body = json!({ "appOwnerTenantId": bench.running.tenant_id() });
    bench
        .control("break", json!({ "disableReason": "invalidBillingProfile" }))
        .await;
    let unpaid = bench.send("POST", "~/enable", body.clone()).await;
    assert_eq!(
        (unpaid.status, unpaid.code()),
        (402, "InvalidBillingProfile")
    );
    bench
        .control("break", json!({ "disableReason": "userRequested" }))
        .await;
    let enabled = bench.send("POST", "~/enable", body).await;
    assert_eq!(
        (enabled.status, &enabled.body["status"]),
        (200, &json!("enabled"))
    );
    let mails = "~/emailNotificationsSetting";
    assert_eq!(bench.get(mails).await.body["isEnabled"], true);
    let custom = json!({ "isEnabled": false, "additionalEvents": "restoreAndPolicyUpdates", "recipients": {
        "role": "backupAdmins,custom",
        "customRecipients": [{ "email": "amala@contoso.example" }],
    } });
    assert_eq!(bench.send("PATCH", mails, custom.clone()).await.status, 403);
    let set = bench.by_person("PATCH", mails, Some(custom)).await;
    assert_eq!(set.status, 200, "{}", set.body);
    let now = bench.get(mails).await.body;
    assert_eq!(
        now["recipients"]["customRecipients"][0]["email"],
        "amala@contoso.example"
    );
    for body in [
        json!({ "recipients": { "role": "everybody" } }),
        json!({ "recipients": { "role": "custom", "customRecipients": [] } }),
        json!({ "isEnabled": "no" }),
    ] {
        assert_eq!(
            bench.by_person("PATCH", mails, Some(body)).await.status,
            400
        );
    }
    assert_eq!(bench.get(mails).await.body, now);
}

#[tokio::test]
async fn beta_logs_what_restores_did() {
    let bench = Bench::still().await;
    bench.control("break", json!({ "chance": "never" })).await;
    let logs = "/beta/solutions/backupRestore/activityLogs";
    // The second mailbox is on hold, with the seed of these tests: its restores fail.
    let mut points = bench.points(3).await;
    points.remove(1);
    let session = bench.draft(&points).await;
    assert!(bench.all(logs).await.is_empty());
    bench
        .call("POST", &format!("~/restoreSessions/{session}/activate"))
        .await;
    bench.advance("6h").await;
    let entries = bench.all(logs).await;
    let told: Vec<&Value> = entries.iter().map(|entry| &entry["activityType"]).collect();
    assert_eq!(told, ["restoreTaskCompleted", "restoreTaskCreated"]);
    let ended = &entries[0];
    assert_eq!(ended["restoreSessionId"], session);
    assert_eq!(ended["restoreSessionStatus"], "completed");
    assert_eq!(ended["restoreArtifactDetails"]["restoredCount"], 2);
    assert_eq!(entries[1]["restoreArtifactDetails"]["restoredCount"], 0);
    assert_eq!(bench.get("~/activityLogs").await.status, 404);
}
