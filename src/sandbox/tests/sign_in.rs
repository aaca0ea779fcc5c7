//! Who may call what: apps, people, permissions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Bench, Reply};

impl Bench {
    /// A call to the sign-in endpoint.
    async fn sign_in(&self, name: &str, form: &[(&str, &str)]) -> Reply {
        let tenant = self.running.tenant_id();
        let url = format!("{}/{tenant}/oauth2/v2.0/{name}", self.url);
        self.ask(self.client.post(url).form(form)).await
    }

    /// A token by device code.
    async fn person(&self, scope: &str) -> Reply {
        let client = ("client_id", self.running.client_id());
        let code = self
            .sign_in("devicecode", &[client, ("scope", scope)])
            .await;
        assert_eq!(code.status, 200, "{}", code.body);
        let code = code.body["device_code"].as_str().expect("a code");
        let form = [
            client,
            ("device_code", code),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ];
        let pending = self.sign_in("token", &form).await;
        assert_eq!(
            (pending.status, &pending.body["error"]),
            (400, &json!("authorization_pending"))
        );
        let token = self.sign_in("token", &form).await;
        let again = self.sign_in("token", &form).await;
        assert_eq!(again.body["error"], "invalid_grant");
        token
    }

    async fn status_with(&self, token: &str, method: &str, path: &str) -> u16 {
        let method = method.parse().expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.url));
        self.ask(request.bearer_auth(token)).await.status
    }
}

fn claims(token: &Value) -> Value {
    let payload = token
        .as_str()
        .and_then(|token| token.split('.').nth(1))
        .expect("three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
    serde_json::from_slice(&payload).expect("claims")
}

#[tokio::test]
async fn a_person_signs_in_with_a_code() {
    let bench = Bench::new().await;
    let token = bench
        .person("https://graph.microsoft.com/.default offline_access")
        .await;
    assert_eq!(token.status, 200, "{}", token.body);
    let claims = claims(&token.body["access_token"]);
    assert!(claims["scp"].as_str().is_some_and(|scopes| {
        scopes
            .split(' ')
            .any(|scope| scope == "BackupRestore-Restore.ReadWrite.All")
    }));
    assert!(claims["roles"].is_null());
    let access = token.body["access_token"].as_str().expect("a token");
    let units = bench
        .ask(
            bench
                .client
                .get(format!(
                    "{}/v1.0/solutions/backupRestore/mailboxProtectionUnits",
                    bench.url
                ))
                .bearer_auth(access),
        )
        .await;
    // Names are for people.
    assert!(units.values().iter().any(|unit| {
        unit["displayName"] != ""
            && unit["email"]
                .as_str()
                .is_some_and(|mail| mail.contains('@'))
    }));

    let refresh = token.body["refresh_token"].as_str().expect("a token");
    let form = [
        ("client_id", bench.running.client_id()),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
    ];
    let next = bench.sign_in("token", &form).await;
    assert!(next.body["refresh_token"].is_string(), "{}", next.body);
    let next = next.body["access_token"].as_str().expect("a token");
    assert_eq!(bench.status_with(next, "GET", "/v1.0/users").await, 200);
}

#[tokio::test]
async fn a_token_allows_what_it_names() {
    let bench = Bench::new().await;
    let token = bench
        .person("User.Read.All BackupRestore-Restore.Read.All")
        .await;
    assert!(token.body["refresh_token"].is_null());
    let token = token.body["access_token"].as_str().expect("a token");
    let backup = "/v1.0/solutions/backupRestore";
    for (method, path, status) in [
        ("GET", "/v1.0/users".to_owned(), 200),
        ("GET", "/v1.0/groups".to_owned(), 403),
        ("GET", format!("{backup}/restoreSessions"), 200),
        ("POST", format!("{backup}/exchangeRestoreSessions"), 403),
        ("GET", format!("{backup}/protectionUnits"), 403),
        // For apps only.
        ("GET", "/v1.0/sites/getAllSites".to_owned(), 403),
    ] {
        assert_eq!(
            bench.status_with(token, method, &path).await,
            status,
            "{method} {path}"
        );
    }
    let person = "sandbox-user-token";
    let path = "/v1.0/sites/getAllSites";
    assert_eq!(bench.status_with(person, "GET", path).await, 403);
    assert_eq!(bench.status_with(person, "GET", "/v1.0/users").await, 200);
}

#[tokio::test]
async fn what_cannot_sign_in_is_told_why() {
    let bench = Bench::new().await;
    let client = bench.running.client_id();
    let other = Bench::with(crate::sandbox::Options {
        seed: 2,
        ..crate::sandbox::Options::default()
    })
    .await;
    let foreign = other.person("User.Read.All offline_access").await;
    let foreign = foreign.body["refresh_token"].as_str().expect("a token");
    for (name, form, error) in [
        ("token", vec![], "invalid_request"),
        (
            "token",
            vec![("grant_type", "password"), ("client_id", client)],
            "unsupported_grant_type",
        ),
        (
            "token",
            vec![("grant_type", "refresh_token"), ("client_id", "17")],
            "unauthorized_client",
        ),
        (
            "token",
            vec![
                ("grant_type", "refresh_token"),
                ("client_id", client),
                ("refresh_token", foreign),
            ],
            "invalid_grant",
        ),
        (
            "token",
            vec![
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("client_id", client),
                ("device_code", "17"),
            ],
            "bad_verification_code",
        ),
        (
            "token",
            vec![
                ("grant_type", "client_credentials"),
                ("client_id", client),
                ("scope", "User.Read.All"),
            ],
            "invalid_scope",
        ),
        ("devicecode", vec![("client_id", client)], "invalid_request"),
    ] {
        let answer = bench.sign_in(name, &form).await;
        assert_eq!(answer.body["error"], error, "{name} {form:?}");
        assert!((400..402).contains(&answer.status));
    }
    // A token of another tenant says nothing here.
    let token = other.person("User.Read.All").await;
    let token = token.body["access_token"].as_str().expect("a token");
    assert_eq!(bench.status_with(token, "GET", "/v1.0/users").await, 401);
    assert_eq!(other.status_with(token, "GET", "/V1.0/users").await, 200);
    assert_eq!(other.status_with(token, "GET", "/Beta/users").await, 200);
}
