//! Single files and folders, restored out of browse sessions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::browse::{DRIVES, MISSING, SITES};
use super::{BACKUP, Bench, artifact};

/// Some invoices and a folder of a browse session.
async fn items(bench: &Bench, session: &str, count: usize) -> Vec<Value> {
    let top = bench.browse(session, json!({})).await.values()[0].clone();
    let library = bench.children(session, &top).await[0].clone();
    let scans = bench.children(session, &library).await[0].clone();
    let body = json!({
        "browseLocationItemKey": scans["itemKey"],
        "filter": "(name -contains 'invoice-')",
    });
    let found = bench.browse(session, body).await;
    let mut items = found.values()[..count - 1].to_vec();
    items.push(scans);
    items
}

fn granular(session: &str, items: &[Value], more: &Value) -> Vec<Value> {
    let id = session.rsplit('/').next().expect("an id");
    let item = |item: &Value| {
        let mut artifact = json!({ "browseSessionId": id, "id": item["itemKey"] });
        for (name, value) in more.as_object().expect("an object") {
            artifact[name] = value.clone();
        }
        artifact
    };
    items.iter().map(item).collect()
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // a table, or one story
async fn single_items_are_restored() {
    let bench = Bench::still().await;
    for (kind, sessions, list, root) in [
        (
            DRIVES,
            "oneDriveForBusinessRestoreSessions",
            "granularDriveRestoreArtifacts",
            BACKUP,
        ),
        (
            SITES,
            "sharePointRestoreSessions",
            "granularSiteRestoreArtifacts",
            "/beta/solutions/backupRestore",
        ),
    ] {
        let browse = bench.browsing(root, kind).await;
        let items = items(&bench, &browse, 60).await;
        let wanted = granular(&browse, &items, &json!({}));
        let created = bench
            .send(
                "POST",
                &format!("{root}/{sessions}"),
                json!({ list: wanted[..50] }),
            )
            .await;
        assert_eq!(created.status, 201, "{}", created.body);
        // Behind the sentinel of its enum.
        assert_eq!(created.body["restoreJobType"], "unknownFutureValue");
        let path = format!("{root}/{sessions}/{}", created.id());
        let request = bench
            .request("GET", &path)
            .header("Prefer", "include-unknown-enum-members");
        assert_eq!(bench.ask(request).await.body["restoreJobType"], "granular");
        let delta = format!("{list}@delta");
        let mut more = wanted[50..].to_vec();
        more.push(json!({ "@removed": { "reason": "changed" }, "id": items[0]["itemKey"] }));
        more.push(json!({ "@removed": { "reason": "changed" }, "id": MISSING }));
        let changed = bench
            .send("PATCH", &path, json!({ delta.clone(): more }))
            .await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        let answered = changed.body[&delta].as_array().expect("a delta");
        assert_eq!(answered.len(), 11);
        assert_eq!(answered[0]["id"], items[50]["itemKey"]);
        assert_eq!(
            answered[10]["@Core.DataModificationException"]["responseCode"],
            409
        );
        let again = bench
            .send("PATCH", &path, json!({ delta.clone(): wanted[50..51] }))
            .await;
        assert_eq!(again.code(), "DuplicateArtifactInList");

        let draft = bench.all(&format!("{path}/{list}")).await;
        assert_eq!(draft.len(), 59);
        assert_eq!(draft[0]["status"], "added");
        assert_eq!(draft[0]["restoredItemPath"], "");
        assert_eq!(draft[0]["startDateTime"], "0001-01-01T00:00:00Z");
        assert_eq!(
            draft[0]["destinationType"].is_string(),
            root.contains("beta")
        );
        let whole = list.replace("granularD", "d").replace("granularS", "s");
        assert!(bench.all(&format!("{path}/{whole}")).await.is_empty());

        let activate = format!("{root}/restoreSessions/{}/activate", created.id());
        assert_eq!(bench.call("POST", &activate).await.status, 200);
        bench.advance("1h").await;
        let ended = bench.get(&path).await;
        assert_eq!(ended.body["status"], "completed", "{}", ended.body);
        assert_eq!(ended.body["restoreSessionArtifactCount"]["completed"], 59);
        let done = bench.all(&format!("{path}/{list}")).await;
        let folders: BTreeSet<&str> = done
            .iter()
            .filter_map(|item| item["restoredItemPath"].as_str())
            .collect();
        assert_eq!(folders.len(), 1, "all of a session land in one folder");
        assert!(done.iter().all(|item| item["status"] == "succeeded"));
        assert!(
            done[0]["restoredItemWebUrl"]
                .as_str()
                .is_some_and(|url| url.contains("/Restored%20"))
        );
        assert!(
            done[0]["webUrl"]
                .as_str()
                .is_some_and(|url| url.contains("/Scans/"))
        );
        let one = done[0]["id"].as_str().expect("a key");
        assert_eq!(
            bench.get(&format!("{path}/{list}/{one}")).await.body["id"],
            one
        );
    }
    let state = bench.state().await;
    let artifact = &state["sessions"][0]["artifacts"][0];
    assert_eq!(state["sessions"][0]["job"], "granular");
    assert!(
        artifact["path"]
            .as_str()
            .is_some_and(|path| path.starts_with("Documents/Scans/"))
    );
    assert!(artifact["unit"].is_string() && artifact["point"].is_string());
    // Items of one point are no duplicates of each other.
    assert_eq!(
        bench.get("/_sandbox/duplicates").await.body["duplicates"],
        json!([])
    );
}

#[tokio::test]
async fn only_beta_says_where_to_and_what_about_conflicts() {
    let bench = Bench::still().await;
    let sessions = "oneDriveForBusinessRestoreSessions";
    let list = "granularDriveRestoreArtifacts";
    let behaviour = "@microsoft.graph.conflictBehavior";
    let browse = bench.browsing(BACKUP, DRIVES).await;
    let items = items(&bench, &browse, 3).await;
    let plain = granular(&browse, &items, &json!({}));
    let placed = granular(&browse, &items, &json!({ "destinationType": "inPlace" }));
    let beta = format!("/beta/solutions/backupRestore/{sessions}");
    let point = bench.points_in(DRIVES.1, 1).await[0].clone();
    for (path, body, status) in [
        (format!("~/{sessions}"), json!({ list: placed }), 400),
        (
            format!("~/{sessions}"),
            json!({ list: plain, behaviour: "rename" }),
            400,
        ),
        (
            beta.clone(),
            json!({ list: placed, behaviour: "merge" }),
            400,
        ),
        (beta.clone(), json!({ behaviour: "rename" }), 400),
        (
            beta.clone(),
            json!({ "driveRestoreArtifacts": [artifact(&point, "new")], behaviour: "rename" }),
            400,
        ),
        (
            beta.clone(),
            json!({ list: placed, behaviour: "rename" }),
            201,
        ),
        (beta.clone(), json!({ list: plain, behaviour: "fail" }), 201),
    ] {
        let answer = bench.send("POST", &path, body.clone()).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
        if status == 400 {
            assert_eq!(answer.code(), "InvalidRequest");
        }
    }
    let mut mixed = placed.clone();
    mixed[0]["destinationType"] = json!("new");
    let answer = bench.send("POST", &beta, json!({ list: mixed })).await;
    assert_eq!(answer.code(), "DifferentRestoreDestinationType");

    // In place, an item meets the one that is there.
    for (behaviour_value, ended) in [("fail", "failed"), ("replace", "succeeded")] {
        let created = bench
            .send(
                "POST",
                &beta,
                json!({ list: placed, behaviour: behaviour_value }),
            )
            .await;
        let id = created.id();
        bench
            .call("POST", &format!("~/restoreSessions/{id}/activate"))
            .await;
        bench.advance("1h").await;
        let done = bench.all(&format!("{beta}/{id}/{list}")).await;
        assert!(done.iter().all(|item| item["status"] == ended), "{done:#?}");
        if ended == "failed" {
            assert_eq!(done[0]["error"]["code"], "nameAlreadyExists");
            let old = bench.all(&format!("~/{sessions}/{id}/{list}")).await;
            assert!(old[0].get("error").is_none());
        }
    }
}

#[tokio::test]
async fn granular_artifacts_are_checked() {
    let bench = Bench::still().await;
    let sessions = "~/oneDriveForBusinessRestoreSessions";
    let list = "granularDriveRestoreArtifacts";
    let browse = bench.browsing(BACKUP, DRIVES).await;
    let site = bench.browsing(BACKUP, SITES).await;
    let own = items(&bench, &browse, 3).await;
    let foreign = items(&bench, &site, 2).await;
    let top = bench.browse(&browse, json!({})).await.values()[0].clone();
    let wanted = granular(&browse, &own, &json!({}));
    let many: Vec<Value> = vec![wanted[0].clone(); 51];
    let point = bench.points_in(DRIVES.1, 1).await[0].clone();
    for (body, status, code) in [
        (json!({ list: [] }), 400, "InvalidArtifactRequest"),
        (json!({ list: null }), 400, "InvalidArtifactRequest"),
        (json!({ list: many }), 413, "RestoreArtifactsLimitBreached"),
        (json!({ list: many[..2] }), 400, "DuplicateArtifactInList"),
        (
            json!({ list: [{ "id": own[0]["itemKey"] }] }),
            400,
            "InvalidRequest",
        ),
        (
            json!({ list: [{ "browseSessionId": "17", "id": own[0]["itemKey"] }] }),
            400,
            "InvalidRequest",
        ),
        (
            json!({ list: granular(&browse, &foreign, &json!({})) }),
            400,
            "InvalidRequest",
        ),
        (
            json!({ list: granular(&site, &foreign, &json!({})) }),
            400,
            "InvalidRequest",
        ),
        (
            json!({ list: granular(&browse, &[top], &json!({})) }),
            400,
            "InvalidRequest",
        ),
        (
            json!({ list: wanted, "driveRestoreArtifacts": [artifact(&point, "new")] }),
            400,
            "InvalidRequest",
        ),
    ] {
        let answer = bench.send("POST", sessions, body.clone()).await;
        let body: String = body.to_string().chars().take(300).collect();
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
    let created = bench.send("POST", sessions, json!({ list: wanted })).await;
    let path = format!("{sessions}/{}", created.id());
    let whole = json!({ "driveRestoreArtifacts@delta": [artifact(&point, "new")] });
    assert_eq!(
        bench.send("PATCH", &path, whole.clone()).await.code(),
        "InvalidPatchRequest"
    );
    let empty = bench.send("POST", sessions, json!({})).await;
    let empty = format!("{sessions}/{}", empty.id());
    let delta = format!("{list}@delta");
    assert_eq!(
        bench
            .send("PATCH", &empty, json!({ delta.clone(): wanted }))
            .await
            .status,
        200
    );
    assert_eq!(
        bench.send("PATCH", &empty, whole).await.code(),
        "InvalidPatchRequest"
    );
    let bulk = json!({
        "drives": ["adele@contoso.example"],
        "protectionTimePeriod": { "startDateTime": "2020-01-01T00:00:00Z", "endDateTime": "2021-01-01T00:00:00Z" },
        "destinationType": "new",
    });
    let requests = format!("{path}/driveRestoreArtifactsBulkAdditionRequests");
    assert_eq!(bench.send("POST", &requests, bulk).await.status, 400);
    let options = format!("{path}/{list}?$top=1");
    assert_eq!(bench.get(&options).await.status, 400);
    // A browse session that is over has no items to add.
    bench.advance("73h").await;
    let late = bench
        .send(
            "PATCH",
            &path,
            json!({ delta: granular(&browse, &own, &json!({})) }),
        )
        .await;
    assert_eq!(late.code(), "InvalidPatchRequest");
    let list = bench.all(&format!("{path}/{list}")).await;
    assert_eq!(list.len(), 3);
}
