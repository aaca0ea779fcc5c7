//! Who is in the tenant, page by page.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Bench;
use crate::sandbox::Options;

fn ids(list: &[Value]) -> Vec<&str> {
    list.iter().filter_map(|one| one["id"].as_str()).collect()
}

impl Bench {
    async fn group(&self, name: &str) -> Vec<String> {
        let found = self
            .get(&format!("/v1.0/groups?$filter=displayName eq '{name}'"))
            .await;
        ids(found.values()).into_iter().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn the_groups_are_there() {
    let bench = Bench::new().await;
    for (name, groups, members) in [
        ("Everyone", 1, 100..=100),
        ("Executives", 1, 4..=10),
        ("Project X", 2, 3..=10),
        ("Nobody", 1, 0..=0),
    ] {
        let found = bench.group(name).await;
        assert_eq!(found.len(), groups, "{name}");
        let list = bench
            .all(&format!("/v1.0/groups/{}/members", found[0]))
            .await;
        assert!(members.contains(&list.len()), "{name}: {}", list.len());
    }
    let finance = &bench.group("Finance").await[0];
    let direct = bench.all(&format!("/v1.0/groups/{finance}/members")).await;
    let kinds: BTreeSet<&str> = direct
        .iter()
        .filter_map(|one| one["@odata.type"].as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "#microsoft.graph.device",
            "#microsoft.graph.group",
            "#microsoft.graph.user"
        ]
        .into()
    );
    let people = bench
        .all(&format!(
            "/v1.0/groups/{finance}/members/microsoft.graph.user"
        ))
        .await;
    assert!(people.len() >= 12);
    assert!(people.iter().all(|one| one["@odata.type"].is_null()));
    let all = bench
        .all(&format!(
            "/v1.0/groups/{finance}/transitiveMembers/microsoft.graph.user"
        ))
        .await;
    assert!(all.len() > people.len());
    assert_eq!(
        ids(&all).into_iter().collect::<BTreeSet<_>>().len(),
        all.len()
    );
}

#[tokio::test]
async fn a_person_is_found_by_id_and_by_name() {
    let bench = Bench::new().await;
    let users = bench.all("/v1.0/users?$top=7").await;
    assert_eq!(users.len(), 100);
    let person = &users[42];
    let id = person["id"].as_str().expect("an id");
    let name = person["userPrincipalName"].as_str().expect("a name");
    assert!(name.ends_with("@contoso.example"));
    assert_eq!(
        bench.get(&format!("/v1.0/users/{id}")).await.body["displayName"],
        person["displayName"]
    );
    assert_eq!(bench.get(&format!("/v1.0/users/{name}")).await.id(), id);
    let filtered = bench
        .get(&format!(
            "/v1.0/users?$filter=userPrincipalName eq '{name}'&$select=id"
        ))
        .await;
    assert_eq!(ids(filtered.values()), [id]);
    assert!(filtered.values()[0]["displayName"].is_null());
}

#[tokio::test]
async fn units_tell_of_people_who_left_and_were_deleted() {
    let bench = Bench::new().await;
    let users: BTreeSet<String> = bench
        .all("/v1.0/users")
        .await
        .iter()
        .map(|one| one["id"].as_str().expect("an id").to_owned())
        .collect();
    let units = bench
        .all("~/protectionUnits/microsoft.graph.mailboxProtectionUnit")
        .await;
    let owner = |unit: &Value| {
        unit["directoryObjectId"]
            .as_str()
            .expect("an owner")
            .to_owned()
    };
    assert_eq!(
        units.iter().map(owner).collect::<BTreeSet<_>>().len(),
        units.len()
    );
    let deleted: Vec<String> = units
        .iter()
        .map(owner)
        .filter(|owner| !users.contains(owner))
        .collect();
    assert!(!deleted.is_empty());
    assert_eq!(
        bench
            .get(&format!("/v1.0/users/{}", deleted[0]))
            .await
            .status,
        404
    );
    let left: Vec<&Value> = units
        .iter()
        .filter(|unit| unit["status"] == "unprotected")
        .collect();
    assert!(!left.is_empty() && left.iter().all(|unit| unit["policyId"].is_null()));
    assert!(
        units
            .iter()
            .all(|unit| unit["displayName"] == "" && unit["email"] == "")
    );

    let policies = bench.get("~/exchangeProtectionPolicies").await;
    let policy = policies
        .values()
        .iter()
        .find(|one| one["status"] == "active")
        .expect("an active policy")["id"]
        .clone();
    let policy = policy.as_str().expect("an id");
    let own = bench
        .all(&format!(
            "~/exchangeProtectionPolicies/{policy}/mailboxProtectionUnits"
        ))
        .await;
    assert_eq!(own.len() + left.len(), units.len());
    let one = own[0]["id"].as_str().expect("an id");
    let filter = format!(
        "~/exchangeProtectionPolicies/{policy}/mailboxProtectionUnits?$filter=id eq '{one}'"
    );
    assert_eq!(ids(bench.get(&filter).await.values()), [one]);
    let mixed = bench.all("~/protectionUnits").await;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    mixed
        .iter()
        .filter_map(|unit| unit["@odata.type"].as_str())
        .for_each(|kind| *kinds.entry(kind).or_default() += 1);
    assert_eq!(kinds["#microsoft.graph.mailboxProtectionUnit"], units.len());
    assert_eq!(kinds.len(), 3);
}

#[tokio::test]
async fn equal_seeds_give_equal_tenants() {
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        let bench = Bench::with(Options {
            seed,
            ..Options::default()
        })
        .await;
        let users = bench.all("/v1.0/users").await;
        let units = bench.all("~/mailboxProtectionUnits").await;
        let points = bench.points(1).await;
        let keys: Vec<String> = ids(&users)
            .into_iter()
            .chain(ids(&units))
            .map(str::to_owned)
            .collect();
        seen.push((keys, bench.running.tenant_id().to_owned(), points));
    }
    assert_eq!((&seen[0].0, &seen[0].1), (&seen[1].0, &seen[1].1));
    assert_ne!(seen[0].0, seen[2].0);
    assert_ne!(seen[0].1, seen[2].1);
}

// Takes a second or two: it reads all hundred thousand, because memory that grows with every page shows only then.
#[tokio::test]
async fn a_hundred_thousand_people_take_no_memory() {
    let bench = Bench::with(Options {
        users: 100_000,
        ..Options::default()
    })
    .await;
    let before = resident();
    let mut page = bench
        .get("/v1.0/users?$top=999&$select=id,userPrincipalName")
        .await;
    let mut people = BTreeSet::new();
    let mut pages = 0;
    loop {
        pages += 1;
        people.extend(
            ids(page.values())
                .into_iter()
                .map(|id| id.parse::<uuid::Uuid>().expect("an id")),
        );
        let Some(next) = page.body["@odata.nextLink"].as_str() else {
            break;
        };
        let next = next
            .strip_prefix(&bench.url)
            .expect("the same host")
            .to_owned();
        page = bench.get(&next).await;
    }
    assert_eq!((people.len(), pages), (100_000, 101));
    // What grows is this test's own set of ids, and the pages it has just read.
    assert!(
        resident() < before + 40_000,
        "{} kB, {before} kB before",
        resident()
    );
    let last = bench
        .get(&format!("/v1.0/users/{}", people.last().expect("somebody")))
        .await;
    assert_eq!(last.status, 200);
    let units = bench.get("~/mailboxProtectionUnits?$count=true").await;
    assert!(
        units.body["@odata.count"]
            .as_u64()
            .is_some_and(|count| count > 90_000)
    );
    assert_eq!(units.values().len(), 1_000);
}

/// Memory of this process in kB; nothing where the platform does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default()
}
