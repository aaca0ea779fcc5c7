//! `$batch`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Bench, artifacts};

impl Bench {
    /// The answers of a batch by their ids.
    async fn batch(&self, version: &str, requests: Value) -> BTreeMap<String, Value> {
        let path = format!("/{version}/$batch");
        let answer = self
            .send("POST", &path, json!({ "requests": requests }))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let responses = answer.body["responses"].as_array().expect("responses");
        let id = |one: &Value| one["id"].as_str().expect("an id").to_owned();
        responses.iter().map(|one| (id(one), one.clone())).collect()
    }
}

#[tokio::test]
async fn twenty_requests_are_one() {
    let bench = Bench::still().await;
    let points = bench.points(1).await;
    for version in ["v1.0", "beta"] {
        let create = json!({
            "id": "create",
            "method": "POST",
            "url": "/solutions/backupRestore/exchangeRestoreSessions",
            "headers": { "Content-Type": "application/json" },
            "body": artifacts(&points, "new"),
        });
        let mut requests = vec![
            create,
            json!({ "id": "list", "method": "get", "url": "solutions/backupRestore/restoreSessions", "dependsOn": ["create"] }),
            json!({ "id": "count", "method": "GET", "url": "/users/$count", "headers": { "ConsistencyLevel": "eventual" } }),
            json!({ "id": "top", "method": "GET", "url": "/users?$top=3&$select=id" }),
            json!({ "id": "nothing", "method": "GET", "url": "/nothing" }),
            json!({ "id": "version", "method": "GET", "url": "/v1.0/users" }),
            json!({ "id": "absolute", "method": "GET", "url": "https://graph.microsoft.com/v1.0/users" }),
            json!({ "id": "after", "method": "GET", "url": "/users", "dependsOn": ["nothing"] }),
            json!({ "id": "later", "method": "GET", "url": "/users", "dependsOn": ["after"] }),
            json!({ "id": "nested", "method": "POST", "url": "/$batch", "headers": { "Content-Type": "application/json" }, "body": { "requests": [] } }),
            json!({ "id": "bare", "method": "POST", "url": "/solutions/backupRestore/exchangeRestoreSessions", "body": {} }),
        ];
        while requests.len() < 20 {
            let id = requests.len().to_string();
            requests.push(json!({ "id": id, "method": "GET", "url": "/groups" }));
        }
        let replies = bench.batch(version, json!(requests)).await;
        assert_eq!(replies.len(), 20);
        for (id, status) in [
            ("create", 201),
            ("list", 200),
            ("count", 200),
            ("top", 200),
            ("nothing", 404),
            ("version", 404),
            ("absolute", 400),
            ("after", 424),
            ("later", 424),
            ("nested", 400),
            ("bare", 400),
            ("19", 200),
        ] {
            assert_eq!(replies[id]["status"], status, "{id}: {}", replies[id]);
            if status >= 400 {
                assert!(replies[id]["body"]["error"]["code"].is_string());
            }
        }
        assert_eq!(
            replies["create"]["headers"]["Content-Type"],
            "application/json"
        );
        assert_eq!(replies["count"]["body"], 100);
        let page = &replies["top"]["body"];
        assert_eq!(page["value"].as_array().map(Vec::len), Some(3));
        let next = page["@odata.nextLink"].as_str().expect("a link");
        assert!(next.starts_with(&format!("{}/{version}/users?", bench.url)));
        // Deleted by a second one, without a body.
        let id = replies["create"]["body"]["id"].as_str().expect("an id");
        let url = format!("/solutions/backupRestore/restoreSessions/{id}");
        let delete = json!([{ "id": "1", "method": "DELETE", "url": url }]);
        let gone = &bench.batch(version, delete).await["1"];
        assert_eq!(gone["status"], 204);
        assert!(gone.get("body").is_none());
    }
    let counts = &bench.state().await["counts"];
    assert_eq!(counts["POST /$batch"], 4);
    assert_eq!(
        counts["POST /solutions/backupRestore/exchangeRestoreSessions"],
        2
    );
}

#[tokio::test]
async fn a_malformed_batch_is_refused_whole() {
    let bench = Bench::new().await;
    let one = |id: &str| json!({ "id": id, "method": "GET", "url": "/users" });
    let depends = |id: &str, on: &str| {
        let mut item = one(id);
        item["dependsOn"] = json!([on]);
        item
    };
    let many: Vec<Value> = (0..21).map(|id| one(&id.to_string())).collect();
    for body in [
        json!([]),
        json!({}),
        json!({ "requests": [] }),
        json!({ "requests": [17] }),
        json!({ "requests": many }),
        json!({ "requests": [{ "method": "GET", "url": "/users" }] }),
        json!({ "requests": [{ "id": "1", "url": "/users" }] }),
        json!({ "requests": [{ "id": "1", "method": "GET" }] }),
        json!({ "requests": [one("a"), one("A")] }),
        json!({ "requests": [depends("1", "2")] }),
        json!({ "requests": [depends("1", "2"), depends("2", "1")] }),
    ] {
        let answer = bench.send("POST", "/v1.0/$batch", body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "BadRequest"),
            "{body}"
        );
    }
    let violations = &bench.state().await["violations"];
    assert!(
        violations[0]
            .as_str()
            .is_some_and(|one| one.starts_with("BatchRequests: "))
    );
}

#[tokio::test]
async fn faults_and_permissions_are_those_of_each_request() {
    let bench = Bench::still().await;
    bench
        .control("break", json!({ "permission": "GroupMember.Read.All" }))
        .await;
    bench
        .control(
            "faults",
            json!({ "spec": "429=1x:retry-after=7@GET /users" }),
        )
        .await;
    let requests = json!([
        { "id": "1", "method": "GET", "url": "/users" },
        { "id": "2", "method": "GET", "url": "/groups" },
        { "id": "3", "method": "GET", "url": "/solutions/backupRestore/restoreSessions" },
    ]);
    let replies = bench.batch("v1.0", requests).await;
    assert_eq!(replies["1"]["status"], 429);
    assert_eq!(replies["1"]["headers"]["Retry-After"], "7");
    assert_eq!(replies["2"]["status"], 403);
    assert_eq!(replies["3"]["status"], 200);
    let outside = bench.client.post(format!("{}/v1.0/$batch", bench.url));
    assert_eq!(bench.ask(outside.json(&json!({}))).await.status, 401);
}
