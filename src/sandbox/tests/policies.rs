//! Protection policies and units as they change, and what restore points make of it.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{Bench, Reply};

const ALL: [(&str, &str, &str); 3] = [
    (
        "exchangeProtectionPolicies",
        "mailboxProtectionUnits",
        "exchangeRestoreSession",
    ),
    (
        "oneDriveForBusinessProtectionPolicies",
        "driveProtectionUnits",
        "oneDriveForBusinessRestoreSession",
    ),
    (
        "sharePointProtectionPolicies",
        "siteProtectionUnits",
        "sharePointRestoreSession",
    ),
];

impl Bench {
    /// The active and the inactive policy of the seeded tenant.
    async fn policies(&self, policies: &str) -> [String; 2] {
        let all = self.all(&format!("~/{policies}")).await;
        let id = |policy: &Value| policy["id"].as_str().expect("an id").to_owned();
        [id(&all[0]), id(&all[1])]
    }

    /// A call in the name of the administrator.
    pub(super) async fn by_person(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let mut request = request.build().expect("a request");
        let token = "Bearer sandbox-user-token".parse().expect("a header");
        request.headers_mut().insert("authorization", token);
        self.ask(RequestBuilder::from_parts(self.client.clone(), request))
            .await
    }
}

#[tokio::test]
async fn a_policy_lives_and_goes() {
    let bench = Bench::still().await;
    for (policies, units, _) in ALL {
        let [active, pilot] = bench.policies(policies).await;
        let typed = format!("~/{policies}");
        let generic = |id: &str, what: &str| format!("~/protectionPolicies/{id}{what}");
        // One is active: no other can be made, activated or deleted beside it.
        let made = bench
            .send("POST", &typed, json!({ "displayName": "a" }))
            .await;
        assert_eq!(
            (made.status, made.code()),
            (409, "PolicyCreationNotAllowed")
        );
        for (method, path) in [
            ("POST", generic(&pilot, "/activate")),
            ("POST", generic(&active, "/activate")),
            ("POST", generic(&pilot, "/deactivate")),
            ("DELETE", generic(&active, "")),
        ] {
            let refused = bench.call(method, &path).await;
            assert_eq!(
                (refused.status, refused.code()),
                (403, "PolicyActionNotAllowed"),
                "{method} {path}"
            );
        }
        let stopped = bench.call("POST", &generic(&active, "/deactivate")).await;
        assert_eq!(
            (stopped.status, &stopped.body["status"]),
            (202, &json!("updating"))
        );
        let updating = bench.call("POST", &generic(&active, "/activate")).await;
        assert_eq!(updating.status, 403);
        bench.advance("6m").await;
        let now = bench.get(&generic(&active, "")).await;
        assert_eq!(now.body["status"], "inactive");
        // Then there is a policy of our own, with nobody in it yet.
        let body = json!({ "displayName": "ours", "retentionSettings": [{ "interval": "R/P1W", "period": "P90D" }] });
        let made = bench.send("POST", &typed, body).await;
        assert_eq!(
            (made.status, &made.body["status"]),
            (201, &json!("inactive")),
            "{}",
            made.body
        );
        assert_eq!(made.body["retentionSettings"][1]["period"], "P90D");
        let ours = made.id();
        assert!(
            bench
                .all(&format!("{typed}/{ours}/{units}"))
                .await
                .is_empty()
        );
        let started = bench.call("POST", &generic(&ours, "/activate")).await;
        assert_eq!(started.status, 202);
        bench.advance("6m").await;
        assert_eq!(
            bench.get(&generic(&ours, "")).await.body["status"],
            "active"
        );
        assert_eq!(bench.call("DELETE", &generic(&pilot, "")).await.status, 204);
        let gone = bench.get(&generic(&pilot, "")).await;
        assert_eq!((gone.status, gone.code()), (404, "PolicyNotFound"));
        assert_eq!(bench.all(&typed).await.len(), 2);
    }
}

#[tokio::test]
async fn units_leave_and_join_by_delta() {
    let bench = Bench::still().await;
    for (policies, units, other_type) in ALL {
        let [active, _] = bench.policies(policies).await;
        let policy = format!("~/{policies}/{active}");
        let list = format!("{policy}/{units}");
        let before = bench.all(&list).await;
        let (unit, owner) = (&before[0], &before[0]["directoryObjectId"]);
        let owner = if owner.is_null() {
            &unit["siteId"]
        } else {
            owner
        };
        let name = if owner == &unit["siteId"] {
            "siteId"
        } else {
            "directoryObjectId"
        };
        let id = unit["id"].as_str().expect("an id");
        let points = bench.points_of(id).await;
        let delta = format!("{units}@delta");
        let remove = |id: &str| json!({ "@removed": { "reason": "changed" }, "id": id });
        let missing = "7d3f1c1a-93c4-4a0b-8d5e-0f5f6a1b2c3d";
        let body = json!({ "displayName": "fewer", delta.clone(): [
            remove(id),
            remove(missing),
            { name: before[1][name] },
        ] });
        let changed = bench.send("PATCH", &policy, body).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        assert_eq!(changed.body["displayName"], "fewer");
        let items = &changed.body[&delta];
        assert_eq!(items[0]["status"], "removeRequested");
        let failure = |at: usize| {
            let one = &items[at]["@Core.DataModificationException"];
            (one["info"]["code"].clone(), one["responseCode"].clone())
        };
        assert_eq!(failure(1), (json!("ProtectionUnitNotFound"), json!(404)));
        assert_eq!(
            failure(2),
            (json!("ProtectionUnitAlreadyExists"), json!(409))
        );
        bench.advance("40m").await;
        let left = bench.get(&format!("~/protectionUnits/{id}")).await.body;
        assert_eq!(
            (&left["status"], &left["policyId"]),
            (&json!("unprotected"), &Value::Null)
        );
        assert_eq!(bench.all(&list).await.len(), before.len() - 1);
        let item = bench.get(&format!("{list}/{id}")).await;
        assert_eq!(item.status, 404);
        // What was made stays; nothing is made while it is in no policy.
        assert_eq!(bench.points_of(id).await[0], points[0]);
        let join = json!({ name: owner });
        let twice = bench
            .send("PATCH", &policy, json!({ delta.clone(): [join, join] }))
            .await;
        assert_eq!(
            (twice.status, twice.code()),
            (400, "DuplicateProtectionUnitInList")
        );
        let joined = bench
            .send("PATCH", &policy, json!({ delta.clone(): [join] }))
            .await;
        assert_eq!(joined.body[&delta][0]["id"], id, "{}", joined.body);
        bench.advance("25m").await;
        let newest = bench.points_of(id).await;
        assert_ne!(newest[0], points[0]);
        let at = newest.iter().position(|point| *point == points[0]);
        // Forty minutes are four points that were not made.
        assert!(matches!(at, Some(2 | 3)), "{at:?}");
        assert_eq!(bench.get(&format!("{list}/{id}")).await.id(), id);
        let wrong =
            json!({ "@odata.type": format!("#microsoft.graph.{other_type}"), "displayName": "x" });
        let wrong = bench.send("PATCH", &policy, wrong).await;
        assert_eq!((wrong.status, wrong.code()), (400, "InvalidRequest"));
        let many = vec![json!({ name: owner }); 51];
        let many = bench.send("PATCH", &policy, json!({ delta: many })).await;
        assert_eq!(
            (many.status, many.code()),
            (413, "ProtectionUnitsLimitBreached")
        );
    }
}

#[tokio::test]
async fn a_create_is_checked_and_takes_units_in() {
    let bench = Bench::still().await;
    let [active, _] = bench.policies("exchangeProtectionPolicies").await;
    let typed = "~/exchangeProtectionPolicies";
    let units = bench.all("~/mailboxProtectionUnits").await;
    let taken = units.iter().find(|unit| unit["policyId"].is_string());
    let taken = &taken.expect("somebody is protected")["directoryObjectId"];
    let protected: Vec<&Value> = units
        .iter()
        .map(|unit| &unit["directoryObjectId"])
        .collect();
    let users = bench.all("/v1.0/users").await;
    let fresh = users.iter().find(|user| !protected.contains(&&user["id"]));
    let fresh = &fresh.expect("somebody was never protected")["id"];
    let with = |owner: &Value| json!({ "displayName": "n", "mailboxProtectionUnits": [{ "directoryObjectId": owner }] });
    for (body, status, code) in [
        (json!({}), 400, "InvalidDisplayName"),
        (json!({ "displayName": "" }), 400, "InvalidDisplayName"),
        (
            json!({ "displayName": "n".repeat(1_025) }),
            400,
            "InvalidDisplayName",
        ),
        (
            json!({ "displayName": "n", "other": 1 }),
            400,
            "InvalidCreateRequest",
        ),
        (
            json!({ "displayName": "n", "retentionSettings": [{ "interval": "R/P1W", "period": "P1D" }] }),
            400,
            "InvalidCreateRequest",
        ),
        (
            json!({ "displayName": "n", "mailboxProtectionUnits": [{ "userId": fresh }] }),
            400,
            "InvalidCreateRequest",
        ),
        (with(&json!("nobody")), 400, "InvalidProtectionUnitId"),
        (with(taken), 409, "ProtectionUnitAlreadyExists"),
        (with(fresh), 409, "PolicyCreationNotAllowed"),
    ] {
        let refused = bench.send("POST", typed, body.clone()).await;
        assert_eq!((refused.status, refused.code()), (status, code), "{body}");
    }
    bench
        .call("POST", &format!("~/protectionPolicies/{active}/deactivate"))
        .await;
    bench.advance("1h").await;
    // Those of the stopped policy are in it still, and unprotected.
    let list = format!("{typed}/{active}/mailboxProtectionUnits");
    let still = bench
        .get(&format!("{list}?$filter=status eq 'unprotected'&$top=3"))
        .await;
    assert_eq!(still.values().len(), 3, "{}", still.body);
    let made = bench.send("POST", typed, with(fresh)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let ours = made.id();
    let list = format!("{typed}/{ours}/mailboxProtectionUnits");
    let unit = bench.all(&list).await.remove(0);
    assert_eq!(
        (&unit["directoryObjectId"], &unit["policyId"]),
        (fresh, &json!(ours))
    );
    let id = unit["id"].as_str().expect("an id");
    bench.advance("1h").await;
    assert!(bench.points_of(id).await.is_empty());
    bench
        .call("POST", &format!("~/protectionPolicies/{ours}/activate"))
        .await;
    bench.advance("25m").await;
    assert!((2..=3).contains(&bench.points_of(id).await.len()));
    let report =
        format!("/beta/solutions/backupRestore/reports/getStatisticsByPolicy(policyId='{ours}')");
    let report = bench.get(&report).await.body;
    assert_eq!(report["countStatistics"]["total"], 1);
    assert_eq!(report["countStatistics"]["protectedCompleted"], 1);
    // While protection is locked nothing changes.
    bench
        .control(
            "break",
            json!({ "serviceStatus": "protectionChangeLocked" }),
        )
        .await;
    for (method, path) in [
        ("POST", format!("~/protectionPolicies/{ours}/deactivate")),
        ("DELETE", format!("~/protectionPolicies/{ours}")),
    ] {
        assert_eq!(bench.call(method, &path).await.status, 403);
    }
    let locked = bench
        .send("POST", typed, json!({ "displayName": "n" }))
        .await;
    assert_eq!((locked.status, locked.code()), (403, "Forbidden"));
}

#[tokio::test]
async fn what_else_hangs_on_a_policy_can_be_read() {
    let bench = Bench::still().await;
    for ((policies, units, _), one) in ALL.into_iter().zip(["mailbox", "drive", "site"]) {
        let [active, inactive] = bench.policies(policies).await;
        let rules = format!("{one}InclusionRules");
        let jobs = format!("{units}BulkAdditionJobs");
        let exclusions = format!("{one}ExclusionUnits");
        let left_out = format!("{one}ExclusionUnitsBulkAdditionJobs");
        let lists = [
            (rules, ["v1.0", "beta"].as_slice()),
            (jobs, &["v1.0", "beta"]),
            (exclusions, &["beta"]),
            (left_out, &["beta"]),
        ];
        for (list, version) in lists
            .iter()
            .flat_map(|(list, versions)| versions.iter().map(move |version| (list, version)))
        {
            let root = format!("/{version}/solutions/backupRestore/{policies}");
            let path = format!("{root}/{active}/{list}");
            let all = bench.all(&path).await;
            // Of the sites only one was never protected.
            let many = list.ends_with("Units") && one != "site";
            assert_eq!(all.len(), if many { 2 } else { 1 }, "{path}");
            assert_eq!(bench.get(&format!("{path}/$count")).await.body, all.len());
            for listed in all {
                let id = listed["id"].as_str().unwrap();
                let mut got = bench.get(&format!("{path}/{id}")).await.body;
                let context = got.as_object_mut().unwrap().remove("@odata.context");
                assert!(context.unwrap().as_str().unwrap().ends_with("$entity"));
                assert_eq!(got, listed, "{path}");
            }
            let item = bench.get(&format!("{path}/{active}")).await;
            let code = if list.ends_with("Rules") {
                "ProtectionRuleNotFound"
            } else {
                "ResourceNotFound"
            };
            assert_eq!((item.status, item.code()), (404, code), "{path}");
            let none = bench.all(&format!("{root}/{inactive}/{list}")).await;
            assert!(none.is_empty(), "{path}");
            assert_eq!(
                bench.get(&format!("{path}?$filter=id eq 'x'")).await.status,
                400
            );
            assert_eq!(bench.call("POST", &path).await.status, 405, "{path}");
        }
        for beta_only in &lists[2..] {
            let v1 = format!("~/{policies}/{active}/{}", beta_only.0);
            assert_eq!(bench.get(&v1).await.status, 404);
        }
    }
}

#[tokio::test]
async fn nobody_is_both_protected_and_excluded() {
    let bench = Bench::still().await;
    let [active, _] = bench.policies("exchangeProtectionPolicies").await;
    let root = "/beta/solutions/backupRestore";
    let policy = format!("{root}/exchangeProtectionPolicies/{active}");
    let units = bench.all(&format!("{policy}/mailboxProtectionUnits")).await;
    for excluded in bench.all(&format!("{policy}/mailboxExclusionUnits")).await {
        assert_eq!(excluded["policyId"], active, "{excluded}");
        let own = &excluded["directoryObjectId"];
        assert!(own.is_string(), "{excluded}");
        assert!(units.iter().all(|unit| unit["directoryObjectId"] != *own));
    }
}
