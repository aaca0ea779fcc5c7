//! Sites, drives, and the units that belong to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Bench;

#[tokio::test]
async fn a_site_is_found_in_every_way() {
    let bench = Bench::new().await;
    let all = bench.all("/v1.0/sites/getAllSites").await;
    assert_eq!(all.len(), 15);
    for site in &all {
        let id = site["id"].as_str().expect("an id");
        let url = site["webUrl"].as_str().expect("an address");
        let by_id = bench.get(&format!("/v1.0/sites/{id}")).await;
        assert_eq!(by_id.body["webUrl"], url);
        let path = url
            .strip_prefix("https://contoso.sharepoint.example")
            .expect("the host");
        if path.is_empty() {
            assert_eq!(bench.get("/v1.0/sites/root").await.id(), id);
            let host = bench.get("/beta/sites/contoso.sharepoint.example").await;
            assert_eq!(host.id(), id);
            continue;
        }
        for end in ["", ":"] {
            let path = format!("/v1.0/sites/contoso.sharepoint.example:{path}{end}");
            assert_eq!(bench.get(&path).await.id(), id, "{path}");
        }
    }
    let names = |list: &[Value]| -> Vec<String> {
        let name = |site: &Value| site["displayName"].as_str().expect("a name").to_owned();
        list.iter().map(name).collect()
    };
    let found = bench.get("/v1.0/sites?search=finance").await;
    assert_eq!(names(found.values()), ["Finance", "Finance"]);
    let found = bench
        .get("/v1.0/sites?search=aur&$select=id,webUrl&$top=1")
        .await;
    assert_eq!(found.values().len(), 1);
    assert!(found.body["@odata.nextLink"].is_string());
    assert!(found.values()[0]["displayName"].is_null());
    assert_eq!(bench.all("/v1.0/sites?search=*&$top=4").await.len(), 15);
    assert!(
        bench
            .get("/v1.0/sites?search=nowhere")
            .await
            .values()
            .is_empty()
    );
    for (path, status) in [
        ("/v1.0/sites", 400),
        ("/v1.0/sites?search=", 400),
        ("/v1.0/sites/elsewhere.example:/sites/finance", 404),
        ("/v1.0/sites/contoso.sharepoint.example:/sites/nowhere", 404),
        ("/v1.0/sites/17", 404),
        ("/v1.0/sites?search=a&$select=colour", 400),
    ] {
        assert_eq!(bench.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn units_of_sites_name_their_site_and_some_sites_have_none() {
    let bench = Bench::new().await;
    let sites: BTreeMap<String, Value> = bench
        .all("/v1.0/sites/getAllSites")
        .await
        .into_iter()
        .map(|site| (site["id"].as_str().expect("an id").to_owned(), site))
        .collect();
    let units = bench.all("~/siteProtectionUnits").await;
    for unit in &units {
        let site = &sites[unit["siteId"].as_str().expect("an id")];
        assert_eq!(
            (&unit["siteName"], &unit["siteWebUrl"]),
            (&site["displayName"], &site["webUrl"])
        );
    }
    assert_eq!(units.len(), sites.len() - 1);
    let left = units.iter().filter(|unit| unit["policyId"].is_null());
    assert_eq!(left.count(), 1);
    let cast = bench
        .all("~/protectionUnits/microsoft.graph.siteProtectionUnit")
        .await;
    assert_eq!(cast, units);
    assert_eq!(
        bench.get("~/siteProtectionUnits/$count").await.body,
        units.len()
    );
}

#[tokio::test]
async fn a_person_has_a_drive_or_has_none() {
    let bench = Bench::new().await;
    let users = bench.all("/v1.0/users").await;
    let units: BTreeSet<String> = bench
        .all("~/driveProtectionUnits")
        .await
        .iter()
        .map(|unit| {
            unit["directoryObjectId"]
                .as_str()
                .expect("an id")
                .to_owned()
        })
        .collect();
    let mut without = 0;
    for user in &users {
        let id = user["id"].as_str().expect("an id");
        let drive = bench.get(&format!("/v1.0/users/{id}/drive")).await;
        if drive.status == 404 {
            assert_eq!(drive.code(), "ResourceNotFound");
            assert!(!units.contains(id));
            without += 1;
            continue;
        }
        assert_eq!(drive.body["owner"]["user"]["id"], *id);
        let url = drive.body["webUrl"].as_str().expect("an address");
        assert!(url.starts_with("https://contoso-my.sharepoint.example/personal/"));
        assert!(url.ends_with("_contoso_example/Documents"), "{url}");
    }
    assert!((1..10).contains(&without), "{without}");
    assert_eq!(bench.get("/v1.0/users/nobody@x/drive").await.status, 404);
}
