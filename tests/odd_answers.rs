//! Answers that no sandbox of ours gives, and that the service's pages allow: a proxy in front of the sandbox alters them.

use serde_json::json;

use crate::support::{Done, Reply, Served, altered, without_units};

const RESTORE: &str = r#"
    let rows = exchange::latest_points(groups::members("Finance").first(3));
    let session = exchange::create_session(rows, "new");
    session.activate();
    session.wait();
"#;

/// A run of somebody else that restores the same three people, and does not end soon.
fn somebody_elses(tenant: &Served) -> Done {
    let script = RESTORE.replace("session.wait();", "");
    tenant
        .bench()
        .flags(&["--yes", "--no-wait"])
        .script(&script)
        .run()
        .expect(3)
}

#[test]
fn a_session_that_does_not_say_whose_its_artifacts_are_is_compared_by_points() {
    let tenant = Served::start(&["--speed", "1"]);
    somebody_elses(&tenant);
    let bench = altered(&tenant, without_units);
    let bench = bench.flags(&["--yes"]).script(RESTORE);
    let done = bench.run();
    let items = bench.result()["items"].clone();
    for item in items.as_array().unwrap() {
        assert_eq!(item["code"], "OverlapsSession", "{done}");
    }
    assert!(
        done.stderr
            .contains("does not say whose all its artifacts are"),
        "{done}"
    );
    tenant.expect_nothing_twice();
}

#[test]
fn a_session_of_an_unknown_kind_is_said_and_stops_nobody() {
    let tenant = Served::start(&["--speed", "1"]);
    let script = r#"
        let rows = onedrive::latest_points(groups::members("Finance").first(2));
        onedrive::create_session(rows, "new").activate();
    "#;
    tenant
        .bench()
        .flags(&["--yes", "--no-wait"])
        .script(script)
        .run()
        .expect(3);
    let foreign = tenant.sessions()[0]["id"].as_str().unwrap().to_owned();
    let bench = altered(&tenant, move |what, status, answer| {
        if !what.starts_with("GET ") {
            return None;
        }
        if what.contains(&foreign) {
            let error = json!({"error": {"code": "RestoreSessionNotFound", "message": "Unable to get restore session."}});
            return Some(Reply::Json(404, error));
        }
        let mut answer = answer.clone();
        for session in answer["value"].as_array_mut()? {
            if session["id"] == *foreign {
                session["@odata.type"] = "#microsoft.graph.teamsRestoreSession".into();
                session
                    .as_object_mut()?
                    .remove("restoreSessionArtifactCount");
            }
        }
        Some(Reply::Json(status, answer))
    });
    let script = RESTORE.replace("session.wait();", "");
    let done = bench
        .flags(&["--yes", "--no-wait"])
        .script(&script)
        .run()
        .expect(3);
    assert!(
        done.stderr
            .contains("of a kind that is not known here (`#microsoft.graph.teamsRestoreSession`)"),
        "{done}"
    );
    let active = tenant.sessions();
    let active = active.iter().filter(|session| session["status"] != "draft");
    assert_eq!(active.count(), 2, "{done}");
}

#[test]
fn an_error_inside_a_200_is_an_error() {
    let tenant = Served::fast();
    let bench = altered(&tenant, |what, _, _| {
        let error = json!({"@odata.context": "x", "error": {"code": "InvalidRestorePoint", "message": "No such point here."}});
        (what.starts_with("POST ") && what.ends_with("exchangeRestoreSessions"))
            .then_some(Reply::Json(200, error))
    });
    let bench = bench.flags(&["--yes"]).script(RESTORE);
    let done = bench.run();
    assert_ne!(done.code, 0, "{done}");
    let items = bench.result()["items"].clone();
    for item in items.as_array().unwrap() {
        assert_eq!(item["code"], "InvalidRestorePoint", "{done}");
        assert_eq!(item["reason"], "No such point here.", "{done}");
    }
}

#[test]
fn a_created_session_that_is_not_named_is_looked_for() {
    for body in ["", "{}", "{\"id\": \"\"}"] {
        let tenant = Served::fast();
        let bench = altered(&tenant, move |what, _, _| {
            let is_create = what.starts_with("POST ") && what.ends_with("exchangeRestoreSessions");
            is_create.then(|| {
                Reply::Full(
                    201,
                    vec![("content-type", "application/json".into())],
                    body.to_owned(),
                )
            })
        });
        let bench = bench.flags(&["--yes"]).script(RESTORE);
        let done = bench.run().expect(0);
        assert!(
            done.stderr
                .contains("no answer to `create session`; found it as"),
            "{body}: {done}"
        );
        assert_eq!(tenant.sessions().len(), 1, "{body}: {done}");
    }
}

#[test]
fn a_link_that_begins_at_the_version_root_is_followed() {
    let tenant = Served::start(&["--users", "250"]);
    let bench = altered(&tenant, |_, status, answer| {
        let link = answer["@odata.nextLink"].as_str()?;
        let path = link.split_once("/v1.0").unwrap().1.to_owned();
        assert!(path.starts_with('/'), "{link}");
        let mut answer = answer.clone();
        answer["@odata.nextLink"] = path.into();
        Some(Reply::Json(status, answer))
    });
    let done = bench
        .script("users::list(#{top: 250}).count()")
        .run()
        .expect(0);
    assert_eq!(done.stdout, "250\n", "{done}");
}
