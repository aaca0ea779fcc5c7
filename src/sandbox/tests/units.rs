//! Protection units: offboarding, and filters on their lists.

use serde_json::json;

use super::Bench;

#[tokio::test]
async fn a_unit_that_has_left_can_be_offboarded() {
    let bench = Bench::still().await;
    let units = bench.all("~/mailboxProtectionUnits").await;
    let left = units.iter().find(|unit| unit["policyId"].is_null());
    let left = left.expect("somebody has left")["id"]
        .as_str()
        .expect("an id");
    let held = units[0]["id"].as_str().expect("an id");
    let path = |id: &str, what: &str| format!("~/protectionUnits/{id}/{what}");
    let app = bench.call("POST", &path(left, "offboard")).await;
    assert_eq!(
        (app.status, app.code()),
        (403, "Authorization_RequestDenied")
    );
    for (id, what) in [(held, "offboard"), (left, "cancelOffboard")] {
        let refused = bench.by_person("POST", &path(id, what), None).await;
        assert_eq!(
            (refused.status, refused.code()),
            (403, "OperationNotAllowed")
        );
    }
    let asked = bench.by_person("POST", &path(left, "offboard"), None).await;
    // The state stands behind the sentinel of its enum.
    assert_eq!(
        (asked.status, &asked.body["status"]),
        (200, &json!("unknownFutureValue"))
    );
    assert!(asked.body["offboardRequestedDateTime"].is_string());
    let told = bench
        .request("GET", &format!("~/protectionUnits/{left}"))
        .header("Prefer", "include-unknown-enum-members");
    assert_eq!(bench.ask(told).await.body["status"], "offboardRequested");
    let again = bench.by_person("POST", &path(left, "offboard"), None).await;
    assert_eq!(again.status, 403);
    let back = bench
        .by_person("POST", &path(left, "cancelOffboard"), None)
        .await;
    assert_eq!(back.status, 200, "{}", back.body);
    bench.advance("20m").await;
    let now = bench.get(&format!("~/protectionUnits/{left}")).await;
    assert_eq!(now.body["status"], "unprotected");
}

#[tokio::test]
async fn unit_lists_are_filtered_as_the_error_page_says() {
    let bench = Bench::still().await;
    for list in [
        "siteProtectionUnits",
        "protectionUnits/microsoft.graph.mailboxProtectionUnit",
    ] {
        let some = bench
            .get(&format!("~/{list}?$filter=status eq 'unprotected'"))
            .await;
        assert_eq!(some.status, 200, "{}", some.body);
        assert!(!some.values().is_empty());
        assert!(
            some.values()
                .iter()
                .all(|unit| unit["status"] == "unprotected")
        );
        let many = vec!["status eq 'protected'"; 21].join(" or ");
        let many = bench.get(&format!("~/{list}?$filter={many}")).await;
        assert_eq!((many.status, many.code()), (400, "FilterLengthExceeded"));
        let other = bench.get(&format!("~/{list}?$filter=email eq 'x'")).await;
        assert_eq!(other.status, 400);
    }
}
