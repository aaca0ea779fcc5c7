//! Sign-in as a whole client sees it, against one server that is token endpoint and Graph.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::graph::testing::{Bench, Reply, Seen, Server, TOKEN, limits};
use crate::graph::{Call, GraphError, SignIn};

/// What the token endpoint and Graph answer; the rest is common.
struct Tenant {
    server: Server,
    tokens: Arc<AtomicUsize>,
    refuse: Arc<Mutex<Vec<String>>>,
    broken: Arc<Mutex<Option<(u16, String)>>>,
}

impl Tenant {
    /// Tokens are `token-0001`, `token-0002`, … and live so long.
    async fn new(life: &'static str) -> Self {
        let tokens = Arc::new(AtomicUsize::new(0));
        let refuse = Arc::new(Mutex::new(Vec::<String>::new()));
        let broken = Arc::new(Mutex::new(None::<(u16, String)>));
        let (count, bad, out) = (tokens.clone(), refuse.clone(), broken.clone());
        let server = Server::start(move |seen: &Seen| {
            if seen.target == "/t/oauth2/v2.0/token" {
                assert!(
                    seen.body.contains("grant_type=client_credentials"),
                    "{}",
                    seen.body
                );
                assert!(seen.body.contains("client_secret=hush"));
                assert!(seen.header("authorization").is_none());
                if let Some((status, body)) = out.lock().unwrap().clone() {
                    return Reply::json(status, &body);
                }
                let number = count.fetch_add(1, SeqCst) + 1;
                let token =
                    format!(r#"{{"access_token":"token-{number:04}","expires_in":{life}}}"#);
                return Reply::After(
                    Duration::from_millis(10),
                    Box::new(Reply::json(200, &token)),
                );
            }
            let token = seen
                .header("authorization")
                .unwrap()
                .trim_start_matches("Bearer ");
            if bad.lock().unwrap().iter().any(|t| t == token) {
                Reply::error(401, "InvalidAuthenticationToken")
            } else {
                Reply::json(200, &format!(r#"{{"token":"{token}"}}"#))
            }
        })
        .await;
        Self {
            server,
            tokens,
            refuse,
            broken,
        }
    }

    fn bench(&self) -> Bench {
        let sign_in = SignIn::Sandbox {
            token_url: format!("{}/t/oauth2/v2.0/token", self.server.url),
            client_id: "c".to_owned(),
            secret: "hush-hush".into(),
        };
        Bench::with(&self.server.url, sign_in, limits())
    }

    fn refuse(&self, token: &str) {
        self.refuse.lock().unwrap().push(token.to_owned());
    }

    fn break_down(&self, status: u16, body: &str) {
        *self.broken.lock().unwrap() = Some((status, body.to_owned()));
    }

    fn issued(&self) -> usize {
        self.tokens.load(SeqCst)
    }
}

fn get() -> Call {
    Call::get("list users", "/users")
}

async fn token_of(bench: &Bench) -> String {
    let answer = bench.client.read(get()).await.unwrap();
    answer.json().string("token").unwrap()
}

#[tokio::test]
async fn nothing_is_asked_before_the_first_call() {
    let tenant = Tenant::new("3600").await;
    let bench = tenant.bench();
    assert!(bench.client.known_identity().is_none());
    assert_eq!(tenant.server.count(), 0);
    let expires = bench.client.signed_in().await.unwrap().expires.unwrap();
    assert_eq!(expires, bench.client.now() + Duration::from_hours(1));
    assert!(bench.client.known_identity().is_some());
    assert_eq!(tenant.server.count(), 1);
}

#[tokio::test]
async fn many_callers_share_one_request_for_a_token() {
    let tenant = Tenant::new("\"3600\"").await;
    let bench = tenant.bench();
    let answers = futures::future::join_all((0..8).map(|_| bench.client.read(get()))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(tenant.issued(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end() {
    for (life, early, late) in [("3600", 3200, 3400), ("100", 70, 85)] {
        let tenant = Tenant::new(life).await;
        let bench = tenant.bench();
        assert_eq!(token_of(&bench).await, "token-0001");
        bench.clock.advance(Duration::from_secs(early));
        assert_eq!(token_of(&bench).await, "token-0001");
        bench.clock.advance(Duration::from_secs(late - early));
        assert_eq!(token_of(&bench).await, "token-0002");
    }
}

#[tokio::test]
async fn the_old_token_is_used_until_its_end_when_a_renewal_fails() {
    let tenant = Tenant::new("3600").await;
    let bench = tenant.bench();
    token_of(&bench).await;
    tenant.break_down(
        400,
        r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired. Trace ID: 7"}"#,
    );
    bench.clock.advance(Duration::from_secs(3400));
    assert_eq!(token_of(&bench).await, "token-0001");
    assert_eq!(token_of(&bench).await, "token-0001");
    let asked = tenant
        .server
        .seen()
        .iter()
        .filter(|seen| seen.method == "POST")
        .count();
    assert_eq!(asked, 2, "a renewal that failed is not tried at each call");
    {
        let warnings = bench.said.warnings.lock().unwrap();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("AADSTS7000222"), "{warnings:?}");
    }
    bench.clock.advance(Duration::from_mins(5));
    let error = bench.client.read(get()).await.unwrap_err();
    let GraphError::SignIn {
        message,
        hint: Some(hint),
        ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(message, "AADSTS7000222: expired.");
    assert!(hint.contains("AZURE_CLIENT_SECRET"));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_reads_and_changes() {
    let tenant = Tenant::new("3600").await;
    let bench = tenant.bench();
    token_of(&bench).await;
    tenant.refuse("token-0001");
    let answers = futures::future::join_all((0..8).map(|_| bench.client.read(get()))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(tenant.issued(), 2);
    tenant.refuse("token-0002");
    bench
        .client
        .change(Call::post("activate session", "/x"))
        .await
        .unwrap();
    assert_eq!(tenant.issued(), 3);
}

#[tokio::test]
async fn a_second_401_is_final() {
    let tenant = Tenant::new("3600").await;
    let bench = tenant.bench();
    tenant.refuse("token-0001");
    tenant.refuse("token-0002");
    let error = bench.client.read(get()).await.unwrap_err();
    assert!(error.is("InvalidAuthenticationToken"), "{error:?}");
    assert_eq!(tenant.issued(), 2);
}

#[tokio::test]
async fn a_given_token_that_is_refused_is_final_at_once() {
    let server = Server::start(|_| Reply::error(401, "InvalidAuthenticationToken")).await;
    let bench = Bench::new(&server.url);
    let error = bench
        .client
        .change(Call::post("activate session", "/x"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.status()),
        ("InvalidAuthenticationToken", Some(401))
    );
    assert_eq!(server.count(), 1);
    assert!(!format!("{error:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_wrong_secret_is_not_tried_again_however_many_wait() {
    let tenant = Tenant::new("3600").await;
    tenant.break_down(401, r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#);
    let bench = tenant.bench();
    let answers = futures::future::join_all((0..8).map(|_| bench.client.read(get()))).await;
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(error.code(), "SignInFailed");
        assert!(!format!("{error} {error:?}").contains("hush"));
    }
    assert_eq!(tenant.server.count(), 1);
}

#[tokio::test]
async fn a_sign_in_service_with_a_bad_moment_is_asked_again() {
    let tenant = Tenant::new("3600").await;
    tenant.break_down(503, "{}");
    let bench = tenant.bench();
    let error = bench.client.read(get()).await.unwrap_err();
    assert_eq!(error.code(), "SignInFailed");
    assert_eq!(tenant.server.count(), 4);
    assert!(bench.clock.slept() < Duration::from_millis(2200));
    tenant.broken.lock().unwrap().take();
    assert_eq!(token_of(&bench).await, "token-0001");
}

#[tokio::test]
async fn a_refused_port_is_told_after_two_seconds() {
    let server = Server::stopped().await;
    let sign_in = SignIn::Sandbox {
        token_url: format!("{}/token", server.url),
        client_id: "c".to_owned(),
        secret: "hush-hush".into(),
    };
    let bench = Bench::with("http://127.0.0.1:9", sign_in, limits());
    let error = bench.client.signed_in().await.unwrap_err();
    let GraphError::SignIn { message, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(message.contains("connection refused"), "{message}");
    assert!(bench.clock.slept() < Duration::from_millis(2200));
}

#[tokio::test]
async fn an_answer_without_a_token_is_an_error() {
    let tenant = Tenant::new("3600").await;
    tenant.break_down(200, r#"{"token_type":"Bearer"}"#);
    let error = tenant.bench().client.read(get()).await.unwrap_err();
    assert!(error.to_string().contains("holds no token"), "{error}");
}

#[tokio::test]
async fn a_secret_that_a_gateway_repeats_is_not_told() {
    let tenant = Tenant::new("3600").await;
    tenant.break_down(400, "<html>cannot forward client_secret=hush-hush</html>");
    let error = tenant.bench().client.read(get()).await.unwrap_err();
    assert!(
        error.to_string().contains("client_secret=[secret]"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("hush"));
}

/// Entra and Graph on one https server behind a private CA, `azure_identity` between.
async fn entra() -> (Server, String) {
    Server::secure(|seen: &Seen| {
        if seen.target == "/tenant-1/oauth2/v2.0/token" {
            if seen.body.contains("client_secret=hush-hush") {
                let token = r#"{"token_type":"Bearer","expires_in":3600,"access_token":"from-entra"}"#;
                Reply::json(200, token)
            } else {
                Reply::json(401, r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: 7"}"#)
            }
        } else if seen.header("authorization") == Some("Bearer from-entra") {
            Reply::json(200, "{}")
        } else {
            Reply::error(401, "InvalidAuthenticationToken")
        }
    })
    .await
}

fn with_secret(root: &str, authority: &str, secret: &str, ca: Option<&str>) -> Bench {
    let sign_in = SignIn::Secret {
        authority: authority.to_owned(),
        tenant: "tenant-1".to_owned(),
        client_id: "client-1".to_owned(),
        secret: secret.to_owned().into(),
    };
    Bench::trusting(root, sign_in, limits(), ca)
}

fn tokens_asked(server: &Server) -> usize {
    let seen = server.seen();
    seen.iter().filter(|seen| seen.method == "POST").count()
}

#[tokio::test]
async fn a_client_secret_signs_in_through_our_own_tls() {
    let (server, ca) = entra().await;
    let bench = with_secret(&server.url, &server.url, "hush-hush", Some(&ca));
    let answers = futures::future::join_all((0..8).map(|_| bench.client.read(get()))).await;
    for answer in answers {
        answer.unwrap();
    }
    assert_eq!(tokens_asked(&server), 1);
    bench.clock.advance(Duration::from_mins(56));
    bench.client.read(get()).await.unwrap();
    assert_eq!(tokens_asked(&server), 2);
}

#[tokio::test]
async fn a_wrong_client_secret_is_told_in_entras_words() {
    let (server, ca) = entra().await;
    let bench = with_secret(&server.url, &server.url, "guess-guess", Some(&ca));
    let error = bench.client.read(get()).await.unwrap_err();
    let GraphError::SignIn {
        message,
        hint: Some(hint),
        ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(message, "AADSTS7000215: Invalid client secret provided.");
    assert!(hint.contains("AZURE_CLIENT_SECRET"), "{hint}");
    assert!(!format!("{error:?}").contains("guess-guess"));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_sign_in_address_that_cannot_be_reached_is_named_after_two_seconds() {
    let (mut server, ca) = entra().await;
    server.stop().await;
    let (_other, other) = entra().await;
    let (trusted, _) = entra().await;
    let rows = [
        (&server.url, &ca, "connection refused"),
        (&trusted.url, &other, "certificate"),
    ];
    for (authority, ca, words) in rows {
        let bench = with_secret("https://localhost:1", authority, "hush-hush", Some(ca));
        let error = bench.client.signed_in().await.unwrap_err();
        assert_eq!(error.code(), "SignInFailed");
        let text = error.to_string();
        assert!(
            text.contains(authority.as_str()) && text.contains(words),
            "{text}"
        );
        let slept = bench.clock.slept();
        assert!(
            slept > Duration::from_secs(1) && slept < Duration::from_millis(2200),
            "{slept:?}"
        );
    }
}
