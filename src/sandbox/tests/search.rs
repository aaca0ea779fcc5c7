//! Restore points: the list and the search.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Bench, Reply, instant};
use crate::sandbox::{Options, SearchCap};

const PERIOD: &str = "2000-01-01T00:00:00Z";

impl Bench {
    async fn search(&self, units: &[String]) -> Reply {
        self.search_with(units, json!({})).await
    }

    async fn search_with(&self, units: &[String], more: Value) -> Reply {
        let period = json!({ "startDateTime": PERIOD, "endDateTime": "2999-01-01T00:00:00Z" });
        let mut body = json!({ "protectionUnitIds": units, "protectionTimePeriod": period });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        self.send("POST", "~/restorePoints/search", body).await
    }

    async fn mailboxes(&self) -> Vec<Value> {
        self.all("~/mailboxProtectionUnits").await
    }

    /// Mailboxes that have been protected for long.
    async fn old_mailboxes(&self, count: usize) -> Vec<String> {
        let units = self.mailboxes().await;
        let now = self.now().await;
        let old = units.iter().filter(|unit| {
            let age = now.duration_since(instant(&unit["createdDateTime"]));
            unit["status"] == "protected" && age.as_hours() > 24 * 30
        });
        old.take(count)
            .map(|unit| unit["id"].as_str().expect("an id").to_owned())
            .collect()
    }
}

fn units_of(answer: &Reply) -> Vec<String> {
    let results = answer.body["searchResults"].as_array().expect("results");
    let unit = |result: &Value| {
        result["restorePoint"]["protectionUnit"]["id"]
            .as_str()
            .expect("expanded")
            .to_owned()
    };
    results.iter().map(unit).collect()
}

#[tokio::test]
async fn twenty_units_get_five_points_in_all() {
    let bench = Bench::still().await;
    let units = bench.old_mailboxes(20).await;
    let first = bench.search(&units).await;
    assert_eq!(
        units_of(&first).into_iter().collect::<BTreeSet<_>>().len(),
        5,
        "{}",
        first.body
    );
    assert_eq!(first.body["noResultProtectionUnitIds"], json!([]));
    let mut answered = BTreeSet::new();
    for _ in 0..10 {
        answered.extend(units_of(&bench.search(&units).await));
    }
    assert!(answered.len() > 5, "which units are answered varies");
    let five = bench.search(&units[..5]).await;
    assert_eq!(
        units_of(&five).into_iter().collect::<BTreeSet<_>>().len(),
        5
    );
    assert_eq!(units_of(&bench.search(&units[..1]).await).len(), 5);
}

#[tokio::test]
async fn per_unit_every_unit_is_answered() {
    let bench = Bench::with(Options {
        search_cap: SearchCap::PerUnit,
        ..Options::default()
    })
    .await;
    let units = bench.old_mailboxes(20).await;
    assert_eq!(
        units_of(&bench.search(&units).await)
            .into_iter()
            .collect::<BTreeSet<_>>()
            .len(),
        20
    );
}

#[tokio::test]
async fn units_without_points_are_named() {
    let bench = Bench::still().await;
    let mut named = 0;
    for unit in bench.mailboxes().await {
        let id = unit["id"].as_str().expect("an id").to_owned();
        let points = bench.points_of(&id).await;
        let answer = bench.search(std::slice::from_ref(&id)).await;
        let results = units_of(&answer);
        assert_eq!(results.len(), points.len());
        let without = answer.body["noResultProtectionUnitIds"] == json!([id]);
        assert_eq!(without, points.is_empty());
        named += usize::from(without);
    }
    assert!(named >= 1);
}

#[tokio::test]
async fn preference_and_tags_choose() {
    let bench = Bench::still().await;
    let units = bench.old_mailboxes(20).await;
    let newest = bench
        .search_with(&units[..1], json!({ "restorePointPreference": "latest" }))
        .await;
    let oldest = bench
        .search_with(&units[..1], json!({ "restorePointPreference": "oldest" }))
        .await;
    let time = |answer: &Reply| {
        instant(&answer.body["searchResults"][0]["restorePoint"]["protectionDateTime"])
    };
    assert!(time(&oldest) < time(&newest));
    let mut fast = 0;
    for unit in &units {
        let answer = bench
            .search_with(std::slice::from_ref(unit), json!({ "tags": "fastRestore" }))
            .await;
        for result in answer.body["searchResults"].as_array().expect("results") {
            assert_eq!(result["restorePoint"]["tags"], "fastRestore");
            fast += 1;
        }
    }
    assert!(fast > 0);
    let hits = bench.search_with(&units[..1], json!({
        "artifactQuery": { "queryExpression": "subject -contains 'a'", "artifactType": "message" }
    }));
    assert!(hits.await.body["searchResults"][0]["artifactHitCount"].is_u64());
}

#[tokio::test]
async fn a_search_is_checked() {
    let bench = Bench::still().await;
    let units = bench.old_mailboxes(21).await;
    assert_eq!(units.len(), 21);
    let query = json!({ "artifactQuery": { "queryExpression": "x", "artifactType": "message" } });
    let backwards = json!({ "protectionTimePeriod": { "startDateTime": "2026-02-01T00:00:00Z", "endDateTime": PERIOD } });
    for (count, more, code) in [
        (21, json!({}), "InvalidSearchRequest"),
        (0, json!({}), "InvalidSearchRequest"),
        (2, query, "InvalidSearchRequest"),
        (1, backwards, "InvalidSearchRequest"),
        (
            1,
            json!({ "protectionTimePeriod": null }),
            "InvalidSearchRequest",
        ),
        (
            1,
            json!({ "protectionTimePeriod": { "startDateTime": "yesterday" } }),
            "InvalidSearchRequest",
        ),
        (
            1,
            json!({ "restorePointPreference": "best" }),
            "InvalidSearchRequest",
        ),
        (1, json!({ "tags": "slow" }), "InvalidSearchRequest"),
        (1, json!({ "policyId": units[0] }), "InvalidSearchRequest"),
        (
            1,
            json!({ "protectionUnitIds": ["17"] }),
            "InvalidProtectionUnitId",
        ),
    ] {
        let answer = bench.search_with(&units[..count], more.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, code),
            "{more}: {}",
            answer.body
        );
    }
    let violations = bench.state().await["violations"].clone();
    assert!(
        violations[0]
            .as_str()
            .is_some_and(|one| one.starts_with("SearchUnits")),
        "{violations}"
    );
}

#[tokio::test]
async fn the_list_takes_its_two_documented_forms() {
    let bench = Bench::still().await;
    let units = bench.mailboxes().await;
    let unit = &bench.old_mailboxes(1).await[0];
    let policy = units
        .iter()
        .find(|one| one["id"] == **unit)
        .expect("the unit")["policyId"]
        .as_str()
        .expect("a policy");
    let now = bench.now().await;
    let expand = format!("protectionUnit($filter=id eq '{unit}')");
    let before = format!("protectionDateTime lt {now}");
    let by_policy = format!(
        "{before} and protectionUnit/id eq '{unit}' and protectionUnit/policyId eq '{policy}'"
    );
    let list = |query: Vec<(&'static str, String)>| {
        let request = bench.request("GET", "~/restorePoints").query(&query);
        bench.ask(request)
    };
    let first = list(vec![
        ("$expand", expand.clone()),
        ("$filter", before.clone()),
    ])
    .await;
    let second = list(vec![
        ("$expand", "protectionUnit".into()),
        ("$filter", by_policy),
    ])
    .await;
    assert_eq!(first.values().len(), 5, "{}", first.body);
    assert_eq!(first.body["value"], second.body["value"]);
    assert_eq!(first.values()[0]["protectionUnit"]["id"], **unit);
    let ascending = list(vec![
        ("$expand", expand.clone()),
        ("$filter", before.clone()),
        ("$orderBy", "protectionDateTime asc".into()),
    ]);
    assert!(
        instant(&ascending.await.values()[0]["protectionDateTime"])
            < instant(&first.values()[4]["protectionDateTime"])
    );
    for query in [
        vec![("$filter", before.clone())],
        vec![("$expand", expand.clone())],
        vec![
            ("$expand", expand.clone()),
            ("$filter", format!("protectionDateTime gt {now}")),
        ],
        vec![
            ("$expand", "protectionUnit".into()),
            ("$filter", before.clone()),
        ],
        vec![
            ("$expand", expand.clone()),
            ("$filter", before.clone()),
            ("$top", "3".into()),
        ],
    ] {
        assert_eq!(list(query.clone()).await.status, 400, "{query:?}");
    }
    let malformed = list(vec![
        ("$expand", "protectionUnit($filter=id eq '17')".into()),
        ("$filter", before),
    ]);
    assert_eq!(malformed.await.code(), "InvalidProtectionUnitId");
    let id = first.values()[0]["id"].as_str().expect("an id");
    let one = bench
        .get(&format!("~/restorePoints/{id}?$expand=protectionUnit"))
        .await;
    assert_eq!(one.body["protectionUnit"]["id"], **unit);
    assert_eq!(
        bench
            .get(&format!("~/restorePoints/{id}/protectionUnit"))
            .await
            .body["id"],
        **unit
    );
}
