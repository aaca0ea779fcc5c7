//! What a run accounts for where the service's answers are odd: a proxy in front of the sandbox alters them.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::support::{Reply, Served, altered, kept_away};

const RESTORE: &str = r#"
    let rows = exchange::latest_points(groups::members("Finance").first(3));
    let session = exchange::create_session(rows, "new");
    session.activate();
    session.wait();
"#;

const EVERYONE: &str = r#"
    exchange::restore_bulk(groups::members("Everyone"), #{
        window: #{before: now() - duration("1h")},
        destination: "new",
    }).wait();
"#;

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
