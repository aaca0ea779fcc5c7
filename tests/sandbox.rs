//! `runback sandbox` as a process: killed and started again.

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
