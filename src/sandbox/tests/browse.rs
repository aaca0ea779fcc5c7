//! Browse sessions, and what is restored out of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{BACKUP, Bench, Reply, artifact};

const MISSING: &str = "7d3f1c1a-93c4-4a0b-8d5e-0f5f6a1b2c3d";
const DRIVES: (&str, &str) = ("oneDriveForBusinessBrowseSessions", "driveProtectionUnits");
const SITES: (&str, &str) = ("sharePointBrowseSessions", "siteProtectionUnits");

impl Bench {
    /// The newest points of one unit that can be browsed.
    async fn fast_points(&self, unit: &str) -> Vec<String> {
        let body = json!({
            "protectionUnitIds": [unit],
            "protectionTimePeriod": { "startDateTime": "2000-01-01T00:00:00Z" },
            "tags": "fastRestore",
        });
        let found = self.send("POST", "~/restorePoints/search", body).await;
        let results = found.body["searchResults"].as_array().expect("results");
        results
            .iter()
            .filter_map(|result| result["restorePoint"]["id"].as_str())
            .map(str::to_owned)
            .collect()
    }

    /// The drive or site that has a hundred thousand files.
    async fn large_unit(&self, units: &str) -> String {
        let owner = if units == DRIVES.1 {
            self.all("/v1.0/users").await[4]["id"].clone()
        } else {
            let path = "/v1.0/sites/contoso.sharepoint.example:/sites/engineering-archive";
            self.get(path).await.body["id"].clone()
        };
        let units = self.all(&format!("~/{units}")).await;
        let found = units
            .iter()
            .find(|unit| unit["directoryObjectId"] == owner || unit["siteId"] == owner);
        let id = found.expect("it is protected")["id"].as_str();
        id.expect("an id").to_owned()
    }

    /// A browse session that is ready, in a version.
    async fn browsing(&self, root: &str, (sessions, units): (&str, &str)) -> String {
        self.control("break", json!({ "chance": "never" })).await;
        let unit = self.large_unit(units).await;
        let point = &self.fast_points(&unit).await[0];
        let body = json!({ "restorePointId": point });
        let created = self.send("POST", &format!("{root}/{sessions}"), body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        self.advance("1m").await;
        format!("{root}/{sessions}/{}", created.id())
    }

    async fn browse(&self, session: &str, body: Value) -> Reply {
        let reply = self.send("POST", &format!("{session}/browse"), body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply
    }

    /// Everything directly below a place, page by page.
    async fn children(&self, session: &str, item: &Value) -> Vec<Value> {
        let body = json!({
            "browseLocationItemKey": item["itemKey"],
            "browseResourceType": item["type"],
        });
        let mut page = self.browse(session, body).await;
        let mut all = page.values().to_vec();
        while let Some(next) = page.body["@odata.nextLink"].as_str() {
            let next = next
                .strip_prefix(&self.url)
                .expect("the same host")
                .to_owned();
            page = self.get(&next).await;
            assert_eq!(page.status, 200, "{}", page.body);
            all.extend_from_slice(page.values());
        }
        all
    }
}

fn names(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .filter_map(|item| item["name"].as_str())
        .collect()
}

// Takes a second or two: two folders of five thousand files are read to their ends.
#[tokio::test]
async fn a_tree_is_walked_page_by_page() {
    let bench = Bench::still().await;
    for (root, kind) in [(BACKUP, DRIVES), ("/beta/solutions/backupRestore", SITES)] {
        let session = bench.browsing(root, kind).await;
        let shown = bench.get(&session).await;
        assert_eq!(shown.body["status"], "created");
        assert!(shown.body["backupSizeInBytes"].is_string());
        let top = bench.browse(&session, json!({})).await;
        assert_eq!(top.values().len(), 1);
        assert_eq!(top.values()[0]["type"], "site");
        let libraries = bench.children(&session, &top.values()[0]).await;
        assert_eq!(libraries[0]["type"], "documentLibrary");
        assert_eq!(libraries[0]["name"], "Documents");
        let children = bench.children(&session, &libraries[0]).await;
        assert_eq!(libraries[0]["itemsCount"], children.len());
        let folder = &children[0];
        assert_eq!(
            (&folder["type"], &folder["name"]),
            (&json!("folder"), &json!("Scans"))
        );
        let files = bench.children(&session, folder).await;
        assert_eq!(folder["itemsCount"], files.len());
        assert!(files.len() > 4_000, "{}", files.len());
        let keys: BTreeSet<&str> = files
            .iter()
            .filter_map(|file| file["itemKey"].as_str())
            .collect();
        assert_eq!(keys.len(), files.len());
        let file = files.last().expect("a file");
        assert_eq!(file["type"], "file");
        assert_eq!(file["itemsCount"], 0);
        assert!(file["sizeInBytes"].is_string());
        assert!(
            file["webUrl"]
                .as_str()
                .is_some_and(|url| url.contains("/Scans/"))
        );
        assert_eq!(
            file["lastModifiedDateTime"].is_string(),
            root.contains("beta")
        );
        // The same for all workloads together.
        let generic = session.replace(kind.0, "browseSessions");
        assert_eq!(bench.get(&generic).await.id(), shown.id());
        let generic = bench.children(&generic, &children[1]).await;
        assert_eq!(generic, bench.children(&session, &children[1]).await);
    }
    let all = bench.all("~/browseSessions").await;
    assert_eq!(all.len(), 2);
    assert_eq!(bench.all("~/sharePointBrowseSessions").await.len(), 1);
    assert_eq!(bench.get("~/browseSessions/$count").await.body, 2);
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // a table, or one story
async fn names_are_filtered_and_sorted() {
    let bench = Bench::still().await;
    let session = bench.browsing(BACKUP, DRIVES).await;
    let top = bench.browse(&session, json!({})).await.values()[0].clone();
    let library = bench.children(&session, &top).await[0].clone();
    let scans = bench.children(&session, &library).await[0].clone();
    let view = |more: Value| {
        let mut body = json!({ "browseLocationItemKey": scans["itemKey"] });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    let found = bench
        .browse(
            &session,
            view(json!({ "filter": "(name -contains 'INVOICE-')" })),
        )
        .await;
    assert_eq!(found.values().len(), 100);
    assert_eq!(found.body["@odata.count"], 100);
    assert!(
        names(found.values())
            .iter()
            .all(|name| name.starts_with("invoice-"))
    );
    let found = bench
        .browse(
            &session,
            view(json!({ "filter": "(name -contains 'docx')" })),
        )
        .await;
    assert!(found.body["@odata.nextLink"].is_string());
    let first = bench
        .browse(&session, view(json!({ "orderBy": "nameAsc" })))
        .await;
    let lower: Vec<String> = names(first.values())
        .iter()
        .map(|name| name.to_lowercase())
        .collect();
    assert!(lower.is_sorted());
    let last = bench
        .browse(&session, view(json!({ "orderBy": "nameDsc" })))
        .await;
    assert_ne!(names(first.values()), names(last.values()));
    let none = bench
        .browse(
            &session,
            view(json!({ "filter": "(name -contains 'nowhere')" })),
        )
        .await;
    assert_eq!(none.body["@odata.count"], 0);
    for body in [
        json!({ "filter": "(size -contains 'a')" }),
        json!({ "filter": "(name -eq 'a')" }),
        json!({ "filter": "name" }),
        json!({ "orderBy": "sizeAsc" }),
        json!({ "browseResourceType": "site" }),
        json!({ "browseLocationItemKey": MISSING }),
        json!({ "browseLocationItemKey": 17 }),
        json!({ "optimizedBrowse": true }),
        json!({ "depth": 2 }),
    ] {
        let answer = bench
            .send("POST", &format!("{session}/browse"), view(body.clone()))
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "InvalidRequest"),
            "{body}"
        );
    }
    let wrong = json!({ "browseResourceType": "folder" });
    let path = format!("{session}/browse");
    assert_eq!(bench.send("POST", &path, wrong).await.status, 400);
    for path in [
        format!("{session}/browse"),
        format!("{session}/browse?$skiptoken=17"),
        format!("{session}/browse?$top=5"),
    ] {
        assert_eq!(bench.get(&path).await.status, 400, "{path}");
    }
    // A page belongs to its session.
    let other = bench.browsing(BACKUP, DRIVES).await;
    let next = found.body["@odata.nextLink"].as_str().expect("a link");
    let token = next.split('=').next_back().expect("a token");
    assert_eq!(
        bench
            .get(&format!("{session}/browse?$skiptoken={token}"))
            .await
            .status,
        200
    );
    assert_eq!(
        bench
            .get(&format!("{other}/browse?$skiptoken={token}"))
            .await
            .status,
        400
    );
    let id = session.rsplit('/').next().expect("an id");
    let function = format!("~/browseSessions/{id}/browse(nextFetchToken='{token}')");
    assert_eq!(bench.get(&function).await.status, 200);
    // Only beta knows the option.
    let beta = session.replace("/v1.0/", "/beta/");
    let body = view(json!({ "optimizedBrowse": true }));
    assert_eq!(bench.browse(&beta, body).await.values().len(), 100);
}

#[tokio::test]
async fn a_browse_session_is_made_and_goes() {
    let bench = Bench::still().await;
    bench.control("break", json!({ "chance": "never" })).await;
    let unit = bench.large_unit(DRIVES.1).await;
    let fast = bench.fast_points(&unit).await[0].clone();
    let mailbox = bench.points(1).await[0].clone();
    let slow = bench.points_of(&unit).await;
    let tags = async |point: &str| {
        bench.get(&format!("~/restorePoints/{point}")).await.body["tags"].clone()
    };
    let mut slow_one = None;
    for point in slow {
        if tags(&point).await == "none" {
            slow_one = Some(point);
        }
    }
    let slow = slow_one.expect("one of five points in a row is slow");
    let path = format!("~/{}", DRIVES.0);
    for (body, code) in [
        (json!({}), "InvalidRestorePoint"),
        (json!({ "restorePointId": "17" }), "InvalidRestorePoint"),
        (json!({ "restorePointId": MISSING }), "InvalidRestorePoint"),
        (json!({ "restorePointId": mailbox }), "InvalidRestorePoint"),
        (json!({ "restorePointId": slow }), "InvalidRestorePoint"),
        (
            json!({ "restorePointId": fast, "name": "x" }),
            "InvalidRequest",
        ),
        (
            json!({ "restorePointId": fast, "@odata.type": "#microsoft.graph.sharePointBrowseSession" }),
            "InvalidRequest",
        ),
    ] {
        let answer = bench.send("POST", &path, body.clone()).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}");
    }
    let mut waited = 0;
    let mut last = String::new();
    for _ in 0..12 {
        let created = bench
            .send("POST", &path, json!({ "restorePointId": fast }))
            .await;
        last = format!("{path}/{}", created.id());
        if created.body["status"] == "creating" {
            waited += 1;
            let early = bench
                .send("POST", &format!("{last}/browse"), json!({}))
                .await;
            assert_eq!((early.status, early.code()), (400, "InvalidRequest"));
        }
    }
    assert!((4..12).contains(&waited), "{waited}");
    bench.advance("71h").await;
    assert_eq!(bench.get(&last).await.body["status"], "created");
    assert_eq!(bench.browse(&last, json!({})).await.values().len(), 1);
    bench.advance("2h").await;
    assert_eq!(bench.get(&last).await.status, 404);
    assert_eq!(
        bench
            .send("POST", &format!("{last}/browse"), json!({}))
            .await
            .status,
        404
    );
    assert!(bench.all(&path).await.is_empty());
    let exchange = bench.get("~/exchangeBrowseSessions").await;
    assert_eq!(exchange.status, 404);
    bench
        .control("break", json!({ "serviceStatus": "restoreLocked" }))
        .await;
    let locked = bench
        .send("POST", &path, json!({ "restorePointId": fast }))
        .await;
    assert_eq!(locked.status, 403);
}

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

#[tokio::test]
#[allow(clippy::too_many_lines)] // a table, or one story
async fn mails_are_searched_and_restored() {
    let bench = Bench::still().await;
    bench.control("break", json!({ "chance": "never" })).await;
    let units = bench.all("~/mailboxProtectionUnits").await;
    let unit = |index: usize| units[index]["id"].as_str().expect("an id").to_owned();
    let search = |units: Vec<String>, query: Value| {
        json!({
            "protectionUnitIds": units,
            "protectionTimePeriod": { "startDateTime": "2000-01-01T00:00:00Z" },
            "artifactQuery": query,
        })
    };
    let query = json!({
        "queryExpression": "(Subject -like 'Invoice*') -and (HasAttachment -eq 'true')",
        "artifactType": "message",
    });
    let path = "~/restorePoints/search";
    let found = bench
        .send("POST", path, search(vec![unit(0)], query.clone()))
        .await;
    assert_eq!(found.status, 200, "{}", found.body);
    let result = &found.body["searchResults"][0];
    let hits = result["artifactHitCount"].as_u64().expect("a number");
    assert!((1..250).contains(&hits));
    let two = search(vec![unit(0), unit(4)], query.clone());
    assert_eq!(
        bench.send("POST", path, two).await.code(),
        "InvalidSearchRequest"
    );
    let bad = search(vec![unit(0)], json!({ "queryExpression": "from:me" }));
    assert_eq!(
        bench.send("POST", path, bad).await.code(),
        "InvalidSearchRequest"
    );
    let drive = bench.large_unit(DRIVES.1).await;
    let bad = search(vec![drive], query);
    assert_eq!(
        bench.send("POST", path, bad).await.code(),
        "InvalidSearchRequest"
    );

    let list = "granularMailboxRestoreArtifacts";
    let mut wanted = artifact(result["restorePoint"]["id"].as_str().expect("an id"), "new");
    wanted["searchResponseId"] = found.body["searchResponseId"].clone();
    let other = bench.points_of(&unit(4)).await[0].clone();
    let plain = bench
        .send(
            "POST",
            path,
            json!({
                "protectionUnitIds": [unit(0)],
                "protectionTimePeriod": { "startDateTime": "2000-01-01T00:00:00Z" },
            }),
        )
        .await;
    for (name, value) in [
        ("searchResponseId", json!("17")),
        ("searchResponseId", plain.body["searchResponseId"].clone()),
        ("searchResponseId", json!(null)),
        ("restorePoint", json!({ "id": other })),
        ("artifactCount", json!(3)),
    ] {
        let mut wrong = wanted.clone();
        wrong[name] = value;
        let answer = bench
            .send(
                "POST",
                "~/exchangeRestoreSessions",
                json!({ list: [wrong] }),
            )
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "InvalidRequest"),
            "{wrong}"
        );
    }
    let created = bench
        .send(
            "POST",
            "~/exchangeRestoreSessions",
            json!({ list: [wanted] }),
        )
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let path = format!("~/exchangeRestoreSessions/{}", created.id());
    let draft = bench.all(&format!("{path}/{list}")).await;
    assert_eq!(draft[0]["searchResponseId"], found.body["searchResponseId"]);
    assert!(
        bench
            .all(&format!("{path}/mailboxRestoreArtifacts"))
            .await
            .is_empty()
    );
    bench
        .call(
            "POST",
            &format!("~/restoreSessions/{}/activate", created.id()),
        )
        .await;
    bench.advance("1h").await;
    let done = bench.all(&format!("{path}/{list}")).await;
    assert_eq!(done[0]["status"], "succeeded");
    assert_eq!(done[0]["restoredItemCount"], hits);
}
