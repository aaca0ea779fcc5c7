//! What a machine or a cluster says of us: managed and workload identities, certificates on disk.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::graph::testing::{Bench, Reply, Seen, Server, limits};
use crate::graph::{GraphError, SignIn, SignInMethod};

/// Also in the past of the test clock: `azure_identity` reckons what is left of it with the real one.
fn metadata_token() -> Reply {
    let ends = jiff::Timestamp::now().as_second() + 86_400;
    Reply::json(
        200,
        &format!(
            r#"{{"access_token":"from-the-machine","expires_on":"{ends}","resource":"r","token_type":"Bearer"}}"#
        ),
    )
}

/// A machine whose metadata service is this server.
fn machine(server: &Server, client_id: Option<&str>) -> Bench {
    let sign_in = SignIn::ManagedIdentity {
        client_id: client_id.map(str::to_owned),
    };
    let place = ("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url.clone());
    Bench::try_new(
        "https://graph.example",
        sign_in,
        limits(),
        None,
        vec![place],
    )
    .unwrap()
}

#[tokio::test]
async fn a_machine_is_asked_for_its_identity() {
    for (client_id, part) in [(None, ""), (Some("id-1"), "&client_id=id-1")] {
        let server = Server::start(|seen: &Seen| {
            assert_eq!(seen.header("metadata"), Some("true"));
            metadata_token()
        })
        .await;
        let bench = machine(&server, client_id);
        let identity = bench.client.signed_in().await.unwrap();
        assert_eq!(identity.method, SignInMethod::ManagedIdentity);
        assert_eq!(
            server.seen()[0].target,
            format!(
                "/metadata/identity/oauth2/token?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.example{part}"
            )
        );
    }
}

#[tokio::test]
async fn a_machine_without_a_metadata_service_is_told_at_once() {
    let server = Server::stopped().await;
    let bench = machine(&server, None);
    let error = bench.client.signed_in().await.unwrap_err();
    let GraphError::SignIn {
        message,
        hint: Some(hint),
        ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert!(message.contains("no metadata service at"), "{message}");
    assert!(message.contains("connection refused"), "{message}");
    assert!(hint.contains("device-code"), "{hint}");
    assert_eq!(bench.clock.slept(), Duration::ZERO);
}

#[tokio::test]
async fn a_metadata_service_with_a_bad_moment_is_asked_again_by_us_alone() {
    // azure_identity would go on for 72 s on its own clock.
    let server = Server::start(|seen: &Seen| {
        if seen.number < 2 {
            Reply::json(500, "{}")
        } else {
            metadata_token()
        }
    })
    .await;
    let bench = machine(&server, None);
    bench.client.signed_in().await.unwrap();
    assert_eq!(server.count(), 3);
    assert!(bench.clock.slept() < Duration::from_secs(1));
}

#[tokio::test]
async fn an_identity_that_is_not_assigned_is_named() {
    let server = Server::start(|_| {
        Reply::json(
            400,
            r#"{"error":"invalid_request","error_description":"Identity not found"}"#,
        )
    })
    .await;
    let error = machine(&server, Some("id-1"))
        .client
        .signed_in()
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`id-1` is not assigned to this machine"),
        "{text}"
    );
    let error = machine(&server, None).client.signed_in().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no managed identity is assigned")
    );
    assert_eq!(server.count(), 2, "neither is asked for again");
}

/// A token endpoint that keeps the assertions it is sent.
async fn entra() -> (Server, String, Arc<Mutex<Vec<String>>>) {
    let assertions = Arc::new(Mutex::new(Vec::new()));
    let kept = assertions.clone();
    let (server, ca) = Server::secure(move |seen: &Seen| {
        assert_eq!(seen.target, "/tenant-1/oauth2/v2.0/token");
        let form: Vec<_> = url::form_urlencoded::parse(seen.body.as_bytes())
            .into_owned()
            .collect();
        let of = |name: &str| {
            let found = form.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        assert_eq!(of("grant_type"), "client_credentials");
        assert_eq!(
            of("client_assertion_type"),
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        assert_eq!(of("client_id"), "client-1");
        assert_eq!(form.len(), 5, "{form:?}");
        kept.lock().unwrap().push(of("client_assertion"));
        Reply::json(
            200,
            r#"{"token_type":"Bearer","expires_in":3600,"access_token":"from-entra"}"#,
        )
    })
    .await;
    (server, ca, assertions)
}

#[tokio::test]
async fn the_token_of_a_pod_is_read_anew_for_each_token_of_ours() {
    let (server, ca, assertions) = entra().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first").unwrap();
    let sign_in = || SignIn::WorkloadIdentity {
        authority: server.url.clone(),
        tenant: "tenant-1".to_owned(),
        client_id: "client-1".to_owned(),
        token_file: file.clone(),
    };
    let bench = Bench::trusting(&server.url, sign_in(), limits(), Some(&ca));
    let identity = bench.client.signed_in().await.unwrap();
    assert_eq!(identity.method, SignInMethod::WorkloadIdentity);
    std::fs::write(&file, "second").unwrap();
    bench.clock.advance(Duration::from_mins(56));
    bench.client.signed_in().await.unwrap();
    assert_eq!(*assertions.lock().unwrap(), ["first", "second"]);

    // A file that goes costs nothing until the token ends.
    std::fs::remove_file(&file).unwrap();
    bench.clock.advance(Duration::from_mins(56));
    bench.client.signed_in().await.unwrap();
    assert!(bench.said.warnings.lock().unwrap()[0].contains("No such file"));
    bench.clock.advance(Duration::from_mins(5));
    let error = bench.client.signed_in().await.unwrap_err();
    assert!(
        error.to_string().contains("federated token file"),
        "{error}"
    );
    // At the start it is a wrong path.
    let none = Bench::try_new(&server.url, sign_in(), limits(), Some(&ca), Vec::new());
    assert_eq!(none.err().unwrap().code(), "BadConfiguration");
}

fn certificate(server: &Server, file: PathBuf) -> SignIn {
    SignIn::Certificate {
        authority: server.url.clone(),
        tenant: "tenant-1".to_owned(),
        client_id: "client-1".to_owned(),
        file,
        password: None,
    }
}

/// A PEM file with a certificate that is valid from the one day to the other.
fn lasting(from: (i32, u8, u8), to: (i32, u8, u8)) -> (tempfile::TempDir, PathBuf) {
    let key = include_str!("../../../../tests/certificates/key.pem");
    let pair = rcgen::KeyPair::from_pem(key).unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
    params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
    let certificate = params.self_signed(&pair).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("both.pem");
    std::fs::write(&file, format!("{key}{}", certificate.pem())).unwrap();
    (folder, file)
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_told_once() {
    // The clock stands at 2026-11-24 02:00.
    for (to, told) in [
        ((2026, 12, 25), None),
        ((2026, 12, 23), Some("ends on 2026-12-23, in 28 days")),
        ((2026, 11, 26), Some("ends on 2026-11-26, in 1 day")),
        ((2026, 11, 25), Some("ends on 2026-11-25, in 22 h")),
    ] {
        let (server, ca, _) = entra().await;
        let (_folder, file) = lasting((2026, 1, 1), to);
        let sign_in = certificate(&server, file);
        let bench = Bench::trusting(&server.url, sign_in, limits(), Some(&ca));
        for _ in 0..2 {
            let identity = bench.client.signed_in().await.unwrap();
            assert_eq!(identity.method, SignInMethod::Certificate);
            let ends = identity.credential_ends.unwrap().to_string();
            assert!(ends.starts_with(&format!("{}-{:02}-{:02}", to.0, to.1, to.2)));
            bench.clock.advance(Duration::from_mins(56));
        }
        assert_eq!(server.count(), 2);
        let warnings = bench.said.warnings.lock().unwrap();
        assert_eq!(warnings.len(), usize::from(told.is_some()), "{warnings:?}");
        if let Some(told) = told {
            assert!(warnings[0].contains(told), "{warnings:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_not_sent() {
    for (from, to, said) in [
        ((2025, 1, 1), (2026, 11, 24), "expired on 2026-11-24"),
        (
            (2026, 11, 25),
            (2027, 1, 1),
            "is not valid before 2026-11-25",
        ),
    ] {
        let (server, ca, _) = entra().await;
        let (_folder, file) = lasting(from, to);
        let sign_in = certificate(&server, file);
        let bench = Bench::trusting(&server.url, sign_in, limits(), Some(&ca));
        let error = bench.client.signed_in().await.unwrap_err();
        assert_eq!(error.code(), "SignInFailed");
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(server.count(), 0);
    }
}
