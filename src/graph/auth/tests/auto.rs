//! `auto`: what is passed over, and what is the answer.

use crate::graph::testing::{Bench, Reply, Seen, Server, limits};
use crate::graph::{Candidate, GraphError, SignIn, SignInMethod};

fn absent(method: SignInMethod, why: &str) -> Candidate {
    Candidate {
        method,
        found: Err(why.to_owned()),
    }
}

fn machine() -> Candidate {
    Candidate {
        method: SignInMethod::ManagedIdentity,
        found: Ok(SignIn::ManagedIdentity { client_id: None }),
    }
}

fn secret(authority: &str) -> Candidate {
    Candidate {
        method: SignInMethod::Secret,
        found: Ok(SignIn::Secret {
            authority: authority.to_owned(),
            tenant: "tenant-1".to_owned(),
            client_id: "client-1".to_owned(),
            secret: "hush-hush".into(),
        }),
    }
}

fn bench(candidates: Vec<Candidate>, metadata: &Server, root: &str, ca: Option<&str>) -> Bench {
    let place = ("AZURE_POD_IDENTITY_AUTHORITY_HOST", metadata.url.clone());
    let sign_in = SignIn::First(candidates);
    Bench::try_new(root, sign_in, limits(), ca, vec![place]).unwrap()
}

async fn entra(status: u16) -> (Server, String) {
    let body = if status == 200 {
        r#"{"token_type":"Bearer","expires_in":3600,"access_token":"a"}"#
    } else {
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#
    };
    Server::secure(move |_: &Seen| Reply::json(status, body)).await
}

#[tokio::test]
async fn what_is_absent_is_passed_over_and_the_rest_is_not_looked_at() {
    let nobody = Server::stopped().await;
    let (server, ca) = entra(200).await;
    let candidates = vec![
        absent(SignInMethod::Certificate, "no variable"),
        machine(),
        secret(&server.url),
        absent(SignInMethod::Cli, "never looked at"),
    ];
    let bench = bench(candidates, &nobody, &server.url, Some(&ca));
    assert!(bench.client.known_identity().is_none());
    let identity = bench.client.signed_in().await.unwrap();
    assert_eq!(identity.method, SignInMethod::Secret);
    let tried: Vec<String> = identity.tried.iter().map(ToString::to_string).collect();
    assert_eq!(tried.len(), 3, "{tried:?}");
    assert_eq!(tried[0], "certificate was not taken: no variable");
    assert!(
        tried[1].starts_with("managed-identity was not taken: no metadata service at"),
        "{tried:?}"
    );
    assert_eq!(tried[2], "secret was taken: AZURE_CLIENT_SECRET is set");
}

#[tokio::test]
async fn a_method_that_is_refused_is_the_answer() {
    let metadata = Server::start(|_| panic!("not asked")).await;
    let (server, ca) = entra(401).await;
    let candidates = vec![secret(&server.url), machine()];
    let bench = bench(candidates, &metadata, &server.url, Some(&ca));
    let error = bench.client.signed_in().await.unwrap_err();
    assert!(error.to_string().contains("AADSTS7000215"), "{error}");
    assert_eq!((metadata.count(), server.count()), (0, 1));
}

#[tokio::test]
async fn a_machine_in_trouble_is_the_answer_too() {
    let metadata = Server::start(|_| Reply::json(500, "{}")).await;
    let (server, ca) = entra(200).await;
    let candidates = vec![machine(), secret(&server.url)];
    let bench = bench(candidates, &metadata, &server.url, Some(&ca));
    let error = bench.client.signed_in().await.unwrap_err();
    assert!(error.to_string().contains("HTTP status 500"), "{error}");
    assert_eq!((metadata.count(), server.count()), (4, 0));
}

#[tokio::test]
async fn nothing_at_all_is_told_with_what_was_looked_at() {
    let nobody = Server::stopped().await;
    let candidates = vec![absent(SignInMethod::Secret, "no variable"), machine()];
    let bench = bench(candidates, &nobody, "https://graph.example", None);
    let error = bench.client.signed_in().await.unwrap_err();
    let GraphError::SignIn {
        message, context, ..
    } = error
    else {
        panic!()
    };
    assert_eq!(message, "there is nothing to sign in with");
    assert_eq!(context.len(), 2);
    assert_eq!(context[0], "secret was not taken: no variable");
}

#[tokio::test]
async fn the_end_of_a_secret_is_asked_of_its_registration() {
    let app = "11111111-2222-3333-4444-555555555555";
    let claims = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        format!(r#"{{"appid":"{app}"}}"#),
    );
    let (server, ca) = Server::secure(move |seen: &Seen| {
        if seen.method == "POST" {
            let token = format!(
                r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"e30.{claims}.x"}}"#
            );
            return Reply::json(200, &token);
        }
        assert_eq!(
            seen.target,
            format!("/v1.0/applications(appId='{app}')?$select=passwordCredentials")
        );
        Reply::json(
            200,
            r#"{"passwordCredentials":[{"hint":"hus","endDateTime":"2027-01-02T03:04:05Z"}]}"#,
        )
    })
    .await;
    let nobody = Server::stopped().await;
    let bench = bench(vec![secret(&server.url)], &nobody, &server.url, Some(&ca));
    let ends = bench.client.secret_ends().await.unwrap().unwrap();
    assert_eq!(ends.to_string(), "2027-01-02T03:04:05Z");
}
