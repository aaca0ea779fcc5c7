//! What a run accounts for where the service's answers are odd: a proxy in front of the sandbox alters them.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::support::{Reply, Served, altered, kept_away, without_units};

const RESTORE: &str = r#"
    let rows = exchange::latest_points(groups::members("Finance").first(3));
    let session = exchange::create_session(rows, "new");
    session.activate();
    session.wait();
"#;

/// A draft of another run, and a script that restores it: what was not made just now is not asked for again after a 404.
fn draft(flags: &[&str]) -> (Served, String) {
    let tenant = Served::start(flags);
    let lines: Vec<&str> = RESTORE.trim().lines().collect();
    let script = format!("{}\nprint(session.id);", lines[..2].join("\n"));
    let made = tenant.bench().script(&script).run().expect(1).stdout;
    let script = format!("sessions::get(\"{}\").activate().wait();", made.trim());
    (tenant, script)
}

#[test]
fn a_session_that_is_gone_for_good_is_told_once_and_its_items_are_unknown() {
    let (tenant, script) = draft(&["--speed", "1"]);
    let bench = altered(&tenant, |what, _, answer| {
        let session = what.starts_with("GET ") && what.contains("/restoreSessions/");
        let error = json!({"error": {"code": "RestoreSessionNotFound", "message": "Unable to get restore session."}});
        (session && answer["status"] != "draft").then_some(Reply::Json(404, error))
    });
    let bench = bench.flags(&["--yes"]).script(&script);
    let done = bench.run().expect(4);
    assert_eq!(bench.books(), [3, 0, 0, 0, 3], "{done}");
    for item in bench.result()["items"].as_array().unwrap() {
        assert_eq!(item["code"], "SessionGone", "{done}");
    }
    assert_eq!(done.stderr.matches("is gone").count(), 1, "{done}");
    assert!(!done.stderr.contains("goes on in the service"), "{done}");
}

#[test]
fn one_look_that_does_not_find_a_session_does_not_end_the_wait() {
    let (tenant, script) = draft(&["--speed", "2000"]);
    let looks = AtomicU32::new(0);
    let bench = altered(&tenant, move |what, _, answer| {
        let session = what.starts_with("GET ") && what.contains("/restoreSessions/");
        if !session || answer["status"] == "draft" {
            return None;
        }
        let look = looks.fetch_add(1, Ordering::Relaxed);
        let error =
            json!({"error": {"code": "RestoreSessionNotFound", "message": "Not here, not now."}});
        (look == 1).then_some(Reply::Json(404, error))
    });
    let done = bench.flags(&["--yes"]).script(&script).run().expect(0);
    assert!(!done.stderr.contains("gone"), "{done}");
}

const EVERYONE: &str = r#"
    exchange::restore_bulk(groups::members("Everyone"), #{
        window: #{before: now() - duration("1h")},
        destination: "new",
    }).wait();
"#;

#[test]
fn whose_bulk_artifacts_are_is_told_by_their_points() {
    for refuses in [false, true] {
        let tenant = Served::fast();
        let bench = altered(&tenant, move |what, status, answer| {
            let expands = what.contains("RestoreArtifacts?$expand");
            if refuses && what.starts_with("GET ") && expands {
                let error = json!({"error": {"code": "BadRequest", "message": "No $expand here."}});
                return Some(Reply::Json(400, error));
            }
            without_units(what, status, answer)
        });
        let bench = bench.flags(&["--yes"]).script(EVERYONE);
        let done = bench.run().expect(1);
        assert_eq!(bench.books(), [100, 89, 3, 8, 0], "{done}");
        let said = "does not say whose 92 of its artifacts are: searching the points of up to";
        assert_eq!(done.stderr.matches(said).count(), 1, "{done}");
        let searches = tenant.count("POST /restorePoints/search");
        assert!(searches <= 25, "{searches}");
    }
}

#[test]
fn where_all_were_restored_nobody_searches_whose_artifacts_are_whose() {
    let tenant = Served::fast();
    let bench = altered(&tenant, without_units);
    let script = EVERYONE.replace("Everyone", "Executives");
    let done = bench.flags(&["--yes"]).script(&script).run().expect(0);
    assert!(!done.stderr.contains("does not say whose"), "{done}");
    assert_eq!(tenant.count("POST /restorePoints/search"), 0);
}

#[test]
fn which_of_many_addresses_was_refused_is_told() {
    let tenant = Served::fast();
    let bench = altered(&tenant, |what, _, _| {
        let is_bulk = what.starts_with("POST ") && what.ends_with("BulkAdditionRequests");
        let error = json!({"error": {
            "code": "BulkRestoreInvalidCreateRequestUserEmail",
            "message": "The email is not valid.",
            "details": [{"code": "InvalidEmail", "target": "mailboxes/41", "message": "x@y is none"}],
            "innerError": {"code": "SmtpAddressUnknown", "request-id": "r", "date": "2026-11-28T00:00:00"},
        }});
        is_bulk.then_some(Reply::Json(400, error))
    });
    let script = format!("try {{ {EVERYONE} }} catch (e) {{ print(e.message); throw e; }}");
    let done = bench.flags(&["--yes"]).script(&script).run().expect(3);
    let words = "create bulk request was refused: The email is not valid. \
                 (InvalidEmail at `mailboxes/41`: x@y is none; inner code SmtpAddressUnknown)";
    assert!(done.stdout.contains(words), "{done}");
    assert!(done.stderr.contains(words), "{done}");
}

/// Points of this unit are neither found nor said to be missing.
fn silent(unit: &str, status: u16, answer: &Value) -> Option<Reply> {
    let mut answer = answer.clone();
    let found = answer["searchResults"].as_array_mut()?;
    found.retain(|hit| hit["restorePoint"]["protectionUnit"]["id"] != *unit);
    Some(Reply::Json(status, answer))
}

#[test]
fn one_unit_that_stays_unanswered_is_one_row() {
    let tenant = Served::fast();
    let who = r#"groups::members("Executives").first(6)"#;
    let script = format!("print(exchange::latest_points({who})[2].unit.id);");
    let unit = tenant.bench().script(&script).run().expect(0).stdout;
    let unit = unit.trim().to_owned();
    let bench = altered(&tenant, move |_, status, answer| {
        silent(&unit, status, answer)
    });
    let script = format!(
        r#"
        let people = {who};
        let rows = exchange::latest_points(people);
        print(rows.map(|row| `${{row.code}}`));
        print(attempt(|| exchange::latest_point(people[2])).error.code);
        exchange::create_session(rows, "new").activate().wait();
        ()
    "#
    );
    let bench = bench.flags(&["--yes"]).script(&script);
    let done = bench.run().expect(1);
    assert_eq!(
        done.stdout, "[\"\",\"\",\"SearchUnanswered\",\"\",\"\",\"\"]\nSearchUnanswered\n",
        "{done}"
    );
    assert_eq!(bench.books(), [6, 5, 0, 1, 0], "{done}");
    let items = bench.result()["items"].clone();
    let left = items
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["outcome"] == "skipped");
    assert_eq!(left.unwrap()["code"], "SearchUnanswered", "{done}");
}

#[test]
fn a_search_for_messages_that_says_nothing_is_no_end_and_no_empty_mailbox() {
    let tenant = Served::fast();
    let bench = altered(&tenant, |what, status, answer| {
        let is_search = what.starts_with("POST ") && what.ends_with("/restorePoints/search");
        let mut answer = answer.as_object()?.clone();
        answer.get("searchResults").filter(|_| is_search)?;
        answer.insert("searchResults".to_owned(), json!([]));
        answer.remove("noResultProtectionUnitIds");
        Some(Reply::Json(status, answer.into()))
    });
    let script = r#"
        let who = groups::members("Executives").first();
        let found = exchange::search_items(who, #{query: "subject -contains 'budget'"});
        for hit in found { print(`${hit.code} ${hit.restorePoint == ()} ${hit.name}`); }
        let session = exchange::create_granular_session(found);
        session.activate();
        ()
    "#;
    let bench = bench.flags(&["--yes"]).script(script);
    let done = bench.run().expect(1);
    assert_eq!(
        done.stdout, "SearchUnanswered true Siobhán Khalil\n",
        "{done}"
    );
    assert_eq!(bench.books(), [1, 0, 0, 1, 0], "{done}");
    assert_eq!(
        bench.result()["items"][0]["code"],
        "SearchUnanswered",
        "{done}"
    );
    assert!(tenant.sessions().is_empty());
}

#[test]
fn what_succeeded_with_an_error_is_told_as_a_warning() {
    let tenant = Served::fast();
    let bench = altered(&tenant, |what, status, answer| {
        let mut answer = answer.clone();
        let error = json!({"code": "UnknownError", "message": "Two folders were left out."});
        if what.starts_with("GET ") && what.contains("/restoreSessions/") {
            if answer["status"] != "completed" {
                return None;
            }
            answer["error"] = json!({"code": "PartlySlow", "message": "It took long."});
        } else if what.contains("mailboxRestoreArtifacts") {
            let artifact = answer["value"].as_array_mut()?.first_mut()?;
            if artifact["status"] != "succeeded" {
                return None;
            }
            artifact["error"] = error;
        } else {
            return None;
        }
        Some(Reply::Json(status, answer))
    });
    let bench = bench.flags(&["--yes"]).script(RESTORE);
    let done = bench.run().expect(0);
    assert_eq!(bench.books(), [3, 3, 0, 0, 0], "{done}");
    let said = "(exchange): UnknownError, Two folders were left out.";
    assert_eq!(done.stderr.matches(said).count(), 1, "{done}");
    let said = "(completed): PartlySlow, It took long.";
    assert_eq!(done.stderr.matches(said).count(), 1, "{done}");
    let result = bench.result();
    assert_eq!(
        result["sessions"][0]["warning"], "PartlySlow, It took long.",
        "{done}"
    );
    let items = result["items"].as_array().unwrap();
    let warned = items.iter().filter(|item| item["code"] == "UnknownError");
    assert_eq!(warned.count(), 1, "{done}");
}

#[test]
fn artifacts_that_do_not_say_what_they_restore_are_not_called_foreign() {
    let tenant = Served::fast();
    let bench = altered(&tenant, |what, status, answer| {
        let is_list = what.starts_with("GET ") && what.contains("/mailboxRestoreArtifacts");
        let mut answer = answer.clone();
        for artifact in answer["value"].as_array_mut().filter(|_| is_list)? {
            artifact["restorePoint"] = Value::Null;
        }
        Some(Reply::Json(status, answer))
    });
    let done = bench.flags(&["--yes"]).script(RESTORE).run().expect(4);
    assert!(
        done.stderr
            .contains("the service does not say what 3 of its artifacts restore"),
        "{done}"
    );
    assert!(!done.stderr.contains("not ours"), "{done}");
    let sessions = tenant.sessions();
    assert!(
        sessions.iter().all(|session| session["status"] == "draft"),
        "{done}"
    );
}

#[test]
fn a_request_that_is_too_large_is_sent_in_halves() {
    let tenant = Served::fast();
    let bench = kept_away(&tenant, |what, message| {
        let changes = what.contains("exchangeRestoreSessions") && !what.starts_with("GET ");
        let body: Value = serde_json::from_slice(&message.body).ok()?;
        let lists = body.as_object()?.values().filter_map(Value::as_array);
        let error = json!({"error": {"code": "RequestEntityTooLarge", "message": "Too large."}});
        let most = lists.map(Vec::len).max()?;
        (changes && most > 20).then_some(Reply::Json(413, error))
    });
    let script = r#"
        let rows = exchange::latest_points(groups::members("Everyone").first(90));
        let rows = rows.filter(|row| row.point != ());
        let session = exchange::create_session(rows, "new");
        print(session.count == rows.len());
    "#;
    let done = bench.script(script).run();
    assert_eq!(done.stdout, "true\n", "{done}");
    let said = "too large: sending 13 at a time";
    assert_eq!(done.stderr.matches(said).count(), 1, "{done}");
    assert_eq!(tenant.sessions().len(), 1, "{done}");
}

#[test]
fn what_nobody_asked_for_and_was_activated_all_the_same_is_in_the_books() {
    let tenant = Served::fast();
    // It came into the session between the last look at the draft and activation.
    let bench = altered(&tenant, |what, status, answer| {
        if !what.starts_with("GET ") || !what.contains("RestoreArtifacts") {
            return None;
        }
        let mut answer = answer.clone();
        let listed = answer["value"].as_array_mut()?;
        let mut strange = listed.first()?.clone();
        if strange["status"] != "succeeded" {
            return None;
        }
        strange["id"] = json!("00000000-0000-4000-8000-000000000001");
        strange["restorePoint"] = json!({"id": "a-point-of-somebody-else"});
        listed.push(strange);
        Some(Reply::Json(status, answer))
    });
    let bench = bench.flags(&["--yes"]).script(RESTORE);
    let done = bench.run();
    assert_eq!(done.code, 4, "{done}");
    assert!(
        done.stderr.contains("that this run did not put there"),
        "{done}"
    );
    let items = bench.result()["items"].clone();
    let items = items.as_array().unwrap();
    let strange: Vec<&Value> = items
        .iter()
        .filter(|item| item["code"] == "NotAskedFor")
        .collect();
    assert_eq!(strange.len(), 1, "{done}");
    assert_eq!(strange[0]["outcome"], "unknown");
    assert_eq!(strange[0]["point"]["id"], "a-point-of-somebody-else");
    let others = items.iter().filter(|item| item["outcome"] == "succeeded");
    assert!(others.count() > 1, "{done}");
}
