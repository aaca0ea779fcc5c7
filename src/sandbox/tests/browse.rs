//! Browse sessions, and the trees that they show.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{BACKUP, Bench, Reply};

pub(super) const MISSING: &str = "7d3f1c1a-93c4-4a0b-8d5e-0f5f6a1b2c3d";
pub(super) const DRIVES: (&str, &str) =
    ("oneDriveForBusinessBrowseSessions", "driveProtectionUnits");
pub(super) const SITES: (&str, &str) = ("sharePointBrowseSessions", "siteProtectionUnits");

impl Bench {
    /// The newest points of one unit that can be browsed.
    pub(super) async fn fast_points(&self, unit: &str) -> Vec<String> {
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
    pub(super) async fn large_unit(&self, units: &str) -> String {
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
    pub(super) async fn browsing(&self, root: &str, (sessions, units): (&str, &str)) -> String {
        self.control("break", json!({ "chance": "never" })).await;
        let unit = self.large_unit(units).await;
        let point = &self.fast_points(&unit).await[0];
        let body = json!({ "restorePointId": point });
        let created = self.send("POST", &format!("{root}/{sessions}"), body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        self.advance("1m").await;
        format!("{root}/{sessions}/{}", created.id())
    }

    pub(super) async fn browse(&self, session: &str, body: Value) -> Reply {
        let reply = self.send("POST", &format!("{session}/browse"), body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply
    }

    /// Everything directly below a place, page by page.
    pub(super) async fn children(&self, session: &str, item: &Value) -> Vec<Value> {
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

pub(super) fn names(items: &[Value]) -> Vec<&str> {
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
