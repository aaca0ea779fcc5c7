//! Mails of one mailbox, searched and restored.

use serde_json::{Value, json};

use super::browse::DRIVES;
use super::{Bench, artifact};

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
