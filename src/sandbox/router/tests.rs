//! Paths find their operations.

use super::*;

fn template(method: &Method, path: &str) -> Result<&'static str, u16> {
    find(method, path, false)
        .map(|found| found.template())
        .map_err(|refusal| refusal.status)
}

#[test]
fn a_path_finds_its_template_in_any_case() {
    let activate = "/solutions/backupRestore/restoreSessions/17/activate";
    for path in [
        activate,
        "/solutions/backupRestore/restoreSessions('17')/activate",
        "/solutions/backupRestore/restoreSessions/17/microsoft.graph.activate",
        "/solutions/backuprestore/RestoreSessions/17/activate/",
    ] {
        assert_eq!(
            template(&Method::POST, path),
            Ok("POST /solutions/backupRestore/restoreSessions/{id}/activate"),
            "{path}"
        );
    }
    assert_eq!(template(&Method::GET, activate), Err(405));
    assert_eq!(template(&Method::GET, "/nothing"), Err(404));
    assert_eq!(template(&Method::GET, "/"), Err(404));
}

#[test]
fn fixed_names_come_before_ids() {
    for (path, wanted) in [
        ("/users/$count", "GET /users/$count"),
        ("/users/%24count", "GET /users/$count"),
        ("/users/17", "GET /users/{id}"),
        ("/sites/root", "GET /sites/root"),
        ("/sites/h,1,2", "GET /sites/{id}"),
        ("/sites/h:/sites/one/two", "GET /sites/{host}:/{*path}"),
        ("/sites/h%3A/sites/one", "GET /sites/{host}:/{*path}"),
    ] {
        assert_eq!(template(&Method::GET, path), Ok(wanted));
    }
    let cast = "/solutions/backupRestore/protectionUnits/graph.mailboxProtectionUnit";
    assert_eq!(
        template(&Method::GET, cast),
        Ok("GET /solutions/backupRestore/protectionUnits/microsoft.graph.mailboxProtectionUnit")
    );
}

#[test]
fn a_list_can_be_counted() {
    let found = find(
        &Method::GET,
        "/solutions/backupRestore/restoreSessions/$count",
        false,
    );
    let found = found.map_err(|refusal| refusal.status).expect("a list");
    assert!(found.counts());
    assert_eq!(
        found.template(),
        "GET /solutions/backupRestore/restoreSessions/$count"
    );
    let one = "/solutions/backupRestore/restoreSessions/17/$count";
    assert_eq!(template(&Method::GET, one), Err(404));
}
