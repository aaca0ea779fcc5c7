//! `runback sandbox` as a process: killed and started again.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::Served;

/// The newest point of a few mailboxes.
fn points(tenant: &Served, count: usize) -> Vec<String> {
    let backup = "/v1.0/solutions/backupRestore";
    let units = tenant.get(&format!("{backup}/mailboxProtectionUnits"));
    let units = units["value"].as_array().unwrap();
    let mut points = Vec::new();
    for unit in units.iter().filter(|unit| unit["status"] == "protected") {
        let body = json!({
            "protectionUnitIds": [unit["id"]],
            "protectionTimePeriod": { "startDateTime": "2000-01-01T00:00:00Z" },
        });
        let found = tenant.post(&format!("{backup}/restorePoints/search"), &body);
        if let Some(id) = found["searchResults"][0]["restorePoint"]["id"].as_str() {
            points.push(id.to_owned());
        }
        if points.len() == count {
            break;
        }
    }
    points
}

fn create(tenant: &Served, point: &str) -> Value {
    let artifact = json!({ "restorePoint": { "id": point }, "destinationType": "new" });
    tenant.post(
        "/v1.0/solutions/backupRestore/exchangeRestoreSessions",
        &json!({ "mailboxRestoreArtifacts": [artifact] }),
    )
}

#[test]
fn what_was_answered_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.state");
    let flags = ["--speed", "1", "--state", path.to_str().unwrap()];
    let mut sessions: Vec<String> = Vec::new();
    for _ in 0..4 {
        let tenant = Served::start(&flags);
        let kept: Vec<String> = tenant
            .sessions()
            .iter()
            .map(|session| session["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(kept, sessions);
        let created = tenant.count("POST /exchangeRestoreSessions");
        assert_eq!(created, u64::try_from(sessions.len()).unwrap());
        for point in points(&tenant, 3) {
            let session = create(&tenant, &point);
            sessions.push(session["id"].as_str().unwrap().to_owned());
        }
        // Dropping it is a SIGKILL: nothing is tidied up.
        drop(tenant);
    }
    // A line that was cut off belongs to a request that was never answered.
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 7]).unwrap();
    let tenant = Served::start(&flags);
    assert_eq!(tenant.sessions().len(), sessions.len() - 1);
}

/// A draft as this client knows it: how many artifacts it holds, and whether it was activated.
type Known = BTreeMap<String, (usize, bool)>;

fn known(tenant: &Served) -> Known {
    let read = |session: &Value| {
        let id = session["id"].as_str().unwrap().to_owned();
        let artifacts = session["artifacts"].as_array().unwrap().len();
        (id, (artifacts, session["status"] != "draft"))
    };
    tenant.sessions().iter().map(read).collect()
}

/// Writes a request and does not wait for what comes back; the connection stays open as long as the value lives.
fn send(tenant: &Served, method: &str, path: &str, body: &Value) -> TcpStream {
    let address = tenant.url.trim_start_matches("http://");
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer sandbox-token\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[test]
fn a_kill_in_the_middle_of_changes_loses_at_most_what_was_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.state");
    let flags = ["--speed", "1", "--state", path.to_str().unwrap()];
    let typed = "/v1.0/solutions/backupRestore/exchangeRestoreSessions";
    let generic = "/v1.0/solutions/backupRestore/restoreSessions";
    let mut expected = Known::new();
    let mut outcomes = [0, 0];
    let points = points(&Served::start(&flags), 4);
    let artifact =
        |at: usize| json!({ "restorePoint": { "id": points[at] }, "destinationType": "new" });
    for round in 0..16_u32 {
        let tenant = Served::start(&flags);
        assert_eq!(known(&tenant), expected, "round {round}");
        // Answered: a draft to change, one to activate.
        let mut drafts = [0, 1].map(|at| {
            let id = create(&tenant, &points[at])["id"]
                .as_str()
                .unwrap()
                .to_owned();
            expected.insert(id.clone(), (1, false));
            id
        });
        drafts.rotate_left(usize::try_from(round % 2).unwrap());
        let [changed, activated] = &drafts;
        // Not answered: one of each kind, and a kill after a little while that differs from round to round.
        let more = json!({ "mailboxRestoreArtifacts@delta": [artifact(2), artifact(3)] });
        let sent = [
            send(&tenant, "PATCH", &format!("{typed}/{changed}"), &more),
            send(
                &tenant,
                "POST",
                &format!("{generic}/{activated}/activate"),
                &Value::Null,
            ),
            send(
                &tenant,
                "POST",
                typed,
                &json!({ "mailboxRestoreArtifacts": [artifact(0)] }),
            ),
        ];
        // Every second time at once.
        for _ in 0..(round % 2) * round * round * 40 {
            std::thread::yield_now();
        }
        drop(tenant);
        drop(sent);
        let tenant = Served::start(&flags);
        let found = known(&tenant);
        // Each of the three has happened as a whole, or not at all.
        let new: Vec<&String> = found
            .keys()
            .filter(|id| !expected.contains_key(*id))
            .collect();
        assert!(new.len() <= 1, "round {round}: {new:?}");
        for (id, before) in &expected {
            let after = found[id];
            let as_sent = if id == changed {
                (before.0 + 2, before.1)
            } else if id == activated {
                (before.0, true)
            } else {
                *before
            };
            assert!(after == *before || after == as_sent, "round {round}: {id}");
        }
        let done = new.len() + usize::from(found[changed].0 == 3) + usize::from(found[activated].1);
        outcomes[0] += done;
        outcomes[1] += 3 - done;
        expected = found;
        // The slots are few: what was activated stays, the drafts go.
        for (id, _) in expected.clone().iter().filter(|(_, (_, active))| !active) {
            tenant.delete(&format!("{generic}/{id}"));
            expected.remove(id);
        }
        tenant.post("/_sandbox/clock", &json!({ "advance": "12h" }));
    }
    println!("done {}, lost {}", outcomes[0], outcomes[1]);
    // A kill that always came too early would prove nothing.
    assert!(outcomes[0] > 0, "{outcomes:?}");
}
