//! Requests that are turned down whatever they are about: ids, paths, options, tokens, bodies.

use serde_json::json;

use super::Bench;
use crate::sandbox::Options;

const MISSING: &str = "7d3f1c1a-93c4-4a0b-8d5e-0f5f6a1b2c3d";

#[tokio::test]
async fn ids_are_checked() {
    let bench = Bench::new().await;
    for (method, path, status, code) in [
        (
            "GET",
            "~/restoreSessions/17".to_owned(),
            400,
            "InvalidRestoreSessionId",
        ),
        (
            "GET",
            format!("~/restoreSessions/{MISSING}"),
            404,
            "RestoreSessionNotFound",
        ),
        (
            "DELETE",
            format!("~/restoreSessions/{MISSING}"),
            404,
            "RestoreSessionNotFound",
        ),
        (
            "POST",
            format!("~/restoreSessions/{MISSING}/activate"),
            404,
            "RestoreSessionNotFound",
        ),
        (
            "GET",
            "~/exchangeRestoreSessions/17/mailboxRestoreArtifacts".to_owned(),
            400,
            "InvalidRestoreSessionId",
        ),
        (
            "GET",
            "~/protectionUnits/17".to_owned(),
            400,
            "InvalidProtectionUnitId",
        ),
        (
            "GET",
            "~/protectionPolicies/17".to_owned(),
            400,
            "InvalidPolicyId",
        ),
        (
            "GET",
            format!("~/protectionPolicies/{MISSING}"),
            404,
            "PolicyNotFound",
        ),
        (
            "GET",
            format!("~/restorePoints/{MISSING}"),
            404,
            "ResourceNotFound",
        ),
        (
            "GET",
            format!("/v1.0/users/{MISSING}"),
            404,
            "Request_ResourceNotFound",
        ),
        (
            "GET",
            format!("/v1.0/groups/{MISSING}"),
            404,
            "Request_ResourceNotFound",
        ),
    ] {
        refused(&bench, method, &path, status, code).await;
    }
    // That there is no such unit stands in the unit.
    let unit = bench.get(&format!("~/protectionUnits/{MISSING}")).await;
    assert_eq!(
        (unit.status, &unit.body["error"]["code"]),
        (200, &json!("ProtectionUnitNotFound"))
    );
}

#[tokio::test]
async fn paths_methods_and_options_are_checked() {
    let bench = Bench::new().await;
    for (method, path, status, code) in [
        (
            "GET",
            "~/restoreSession".to_owned(),
            404,
            "ResourceNotFound",
        ),
        ("GET", "/v2.0/users".to_owned(), 404, "ResourceNotFound"),
        (
            "PUT",
            "~/restoreSessions".to_owned(),
            405,
            "Request_BadRequest",
        ),
        (
            "POST",
            "~/restoreSessions".to_owned(),
            405,
            "Request_BadRequest",
        ),
        (
            "DELETE",
            format!("~/exchangeRestoreSessions/{MISSING}"),
            405,
            "Request_BadRequest",
        ),
        (
            "GET",
            "~/restoreSessions?$filter=status eq 'draft'".to_owned(),
            400,
            "BadRequest",
        ),
        (
            "GET",
            "~/restoreSessions?$skiptoken=abc".to_owned(),
            400,
            "BadRequest",
        ),
        ("GET", "/v1.0/users?$top=1000".to_owned(), 400, "BadRequest"),
        (
            "GET",
            "/v1.0/users?$filter=endswith(mail,'x')".to_owned(),
            400,
            "Request_UnsupportedQuery",
        ),
        ("POST", "/v1.0/$batch".to_owned(), 400, "BadRequest"),
    ] {
        refused(&bench, method, &path, status, code).await;
    }
}

async fn refused(bench: &Bench, method: &str, path: &str, status: u16, code: &str) {
    let answer = bench.call(method, path).await;
    assert_eq!(
        (answer.status, answer.code()),
        (status, code),
        "{method} {path}: {}",
        answer.body
    );
    assert!(answer.body["error"]["innerError"]["request-id"].is_string());
}

#[tokio::test]
async fn sign_in_is_needed() {
    let bench = Bench::new().await;
    let url = format!("{}/v1.0/users", bench.url);
    for token in [None, Some("wrong")] {
        let request = bench.client.get(&url);
        let request = token
            .into_iter()
            .fold(request, reqwest::RequestBuilder::bearer_auth);
        let answer = bench.ask(request).await;
        assert_eq!(
            (answer.status, answer.code()),
            (401, "InvalidAuthenticationToken")
        );
    }
    let token = format!(
        "{}/{}/oauth2/v2.0/token",
        bench.url,
        bench.running.tenant_id()
    );
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", bench.running.client_id()),
        ("client_secret", "wrong"),
        ("scope", "x/.default"),
    ];
    let answer = bench.ask(bench.client.post(&token).form(&good)).await;
    assert_eq!(
        (answer.status, &answer.body["error"]),
        (401, &json!("invalid_client"))
    );
    let answer = bench.ask(bench.client.post(&token).form(&good[..2])).await;
    assert_eq!(
        (answer.status, &answer.body["error"]),
        (400, &json!("invalid_request"))
    );
}

#[tokio::test]
async fn bodies_are_bounded_and_json() {
    let bench = Bench::new().await;
    let request = bench
        .request("POST", "~/restorePoints/search")
        .header("content-type", "application/json");
    let large = bench.ask(request.body(vec![b' '; 5 << 20])).await;
    assert_eq!((large.status, large.code()), (413, "RequestEntityTooLarge"));
    for (content_type, body, status) in [
        ("text/plain", "{}", 415),
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
    ] {
        let request = bench
            .request("POST", "~/exchangeRestoreSessions")
            .header("content-type", content_type);
        assert_eq!(bench.ask(request.body(body)).await.status, status);
    }
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let listen = "0.0.0.0:0".parse().expect("an address");
    let error = crate::sandbox::start(Options {
        listen,
        ..Options::default()
    })
    .await
    .err()
    .expect("no sandbox");
    assert_eq!(
        error.to_string(),
        "the sandbox listens on loopback addresses only, not on 0.0.0.0:0"
    );
    assert!(
        crate::sandbox::start(Options {
            speed: 0.0,
            ..Options::default()
        })
        .await
        .is_err()
    );
}
