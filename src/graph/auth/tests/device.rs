//! A person signs in with a code: what is asked of Entra, how long is waited, and what each of its answers means.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::graph::testing::{Bench, Reply, Seen, Server, limits, until};
use crate::graph::{GraphError, SignIn, SignInMethod};

const CODE: &str = r#"{"user_code":"ABCD-1234","device_code":"device-code-of-this-test","verification_uri":"https://login.example/device","expires_in":900,"interval":5,"message":"To sign in, …"}"#;

fn token(number: u32) -> Reply {
    Reply::json(
        200,
        &format!(
            r#"{{"token_type":"Bearer","scope":"x","expires_in":3600,"access_token":"access-{number}","refresh_token":"refresh-token-{number}"}}"#
        ),
    )
}

fn error(code: &str, description: &str) -> Reply {
    Reply::json(
        400,
        &format!(r#"{{"error":"{code}","error_description":"{description} Trace ID: 1"}}"#),
    )
}

/// Answers to token requests in their order; the last one again and again.
async fn entra(answers: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> (Server, Bench) {
    let polls = Arc::new(Mutex::new(0));
    let (server, ca) = Server::secure(move |seen: &Seen| match seen.target.as_str() {
        "/organizations/oauth2/v2.0/devicecode" => Reply::json(200, CODE),
        "/organizations/oauth2/v2.0/token" => {
            let mut polls = polls.lock().unwrap();
            *polls += 1;
            answers(*polls, seen)
        }
        other => panic!("{other}"),
    })
    .await;
    let sign_in = SignIn::DeviceCode {
        authority: server.url.clone(),
        tenant: "organizations".to_owned(),
        client_id: "client-1".to_owned(),
        scopes: vec!["A.Read".to_owned(), "B.ReadWrite".to_owned()],
    };
    let bench = Bench::trusting(&server.url, sign_in, limits(), Some(&ca));
    (server, bench)
}

fn form(seen: &Seen) -> Vec<(String, String)> {
    assert_eq!(seen.method, "POST");
    assert_eq!(
        seen.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    url::form_urlencoded::parse(seen.body.as_bytes())
        .into_owned()
        .collect()
}

fn of<'f>(form: &'f [(String, String)], name: &str) -> &'f str {
    let mut values = form.iter().filter(|(known, _)| known == name);
    let value = values.next().unwrap_or_else(|| panic!("{name}: {form:?}"));
    assert!(values.next().is_none(), "{name} twice");
    &value.1
}

fn seconds(bench: &Bench) -> Vec<u64> {
    let sleeps = bench.clock.sleeps.lock().unwrap();
    sleeps.iter().map(Duration::as_secs).collect()
}

#[tokio::test]
async fn a_code_is_shown_and_asked_for_at_the_services_pace() {
    let (server, bench) = entra(|poll, _| match poll {
        1 => error("authorization_pending", "AADSTS70016: pending."),
        2 => error("slow_down", "polled too often."),
        // A gateway with a bad moment does not end what somebody is typing into.
        3 => Reply::json(502, "<html>Bad Gateway</html>"),
        4 => Reply::WriteAndClose(Vec::new()),
        _ => token(1),
    })
    .await;
    let identity = bench.client.signed_in().await.unwrap();
    assert_eq!(identity.method, SignInMethod::DeviceCode);
    assert_eq!(seconds(&bench), [5, 5, 10, 20, 40]);
    assert_eq!(
        *bench.said.codes.lock().unwrap(),
        [(
            "https://login.example/device".to_owned(),
            "ABCD-1234".to_owned(),
            Duration::from_mins(15)
        )]
    );
    let seen = server.seen();
    let first = form(&seen[0]);
    assert_eq!(of(&first, "client_id"), "client-1");
    assert_eq!(of(&first, "scope"), "A.Read B.ReadWrite offline_access");
    assert_eq!(first.len(), 2, "{first:?}");
    for poll in &seen[1..] {
        let poll = form(poll);
        assert_eq!(
            of(&poll, "grant_type"),
            "urn:ietf:params:oauth:grant-type:device_code"
        );
        assert_eq!(of(&poll, "device_code"), "device-code-of-this-test");
        assert_eq!(of(&poll, "client_id"), "client-1");
        assert_eq!(poll.len(), 3, "{poll:?}");
    }
}

#[tokio::test]
async fn later_tokens_come_without_the_person() {
    let (server, bench) = entra(|poll, seen| {
        let form = form(seen);
        if poll > 1 {
            assert_eq!(of(&form, "grant_type"), "refresh_token");
            assert_eq!(of(&form, "client_id"), "client-1");
            assert_eq!(of(&form, "scope"), "A.Read B.ReadWrite offline_access");
            // Each one brings the next.
            let expected = format!("refresh-token-{}", poll - 1);
            assert_eq!(of(&form, "refresh_token"), expected);
        }
        token(u32::try_from(poll).unwrap())
    })
    .await;
    for _ in 0..3 {
        bench.client.signed_in().await.unwrap();
        bench.clock.advance(Duration::from_mins(56));
    }
    assert_eq!(server.count(), 4);
    assert_eq!(bench.said.codes.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_sign_in_that_has_ended_is_asked_for_again() {
    let (_server, bench) = entra(|poll, _| match poll {
        2 => error(
            "invalid_grant",
            "AADSTS700082: The refresh token has expired due to inactivity.",
        ),
        poll => token(u32::try_from(poll).unwrap()),
    })
    .await;
    bench.client.signed_in().await.unwrap();
    bench.clock.advance(Duration::from_mins(61));
    bench.client.signed_in().await.unwrap();
    assert_eq!(bench.said.codes.lock().unwrap().len(), 2);
    let warnings = bench.said.warnings.lock().unwrap();
    assert!(warnings[0].contains("AADSTS700082"), "{warnings:?}");
}

#[tokio::test]
async fn a_refresh_that_finds_the_service_in_trouble_asks_no_person() {
    let (server, bench) = entra(|poll, _| match poll {
        1 => token(1),
        _ => Reply::json(503, "{}"),
    })
    .await;
    bench.client.signed_in().await.unwrap();
    bench.clock.advance(Duration::from_mins(61));
    let error = bench.client.signed_in().await.unwrap_err();
    assert!(error.to_string().contains("HTTP status 503"), "{error}");
    assert_eq!(bench.said.codes.lock().unwrap().len(), 1);
    assert_eq!(server.count(), 6, "a code, a token, four tries");
}

#[tokio::test]
async fn each_end_of_a_sign_in_has_its_words() {
    let rows: [(&str, &str, &str); 5] = [
        (
            "authorization_declined",
            "declined in the browser",
            "confirm the sign-in",
        ),
        (
            "access_denied",
            "declined in the browser",
            "confirm the sign-in",
        ),
        ("expired_token", "was not entered within 15 min", "new code"),
        (
            "bad_verification_code",
            "AADSTS7000218: what Entra says.",
            "public client flows",
        ),
        // Never anything but pending: our own clock ends it.
        (
            "authorization_pending",
            "was not entered within 15 min",
            "new code",
        ),
    ];
    for (code, words, advice) in rows {
        let (_server, bench) =
            entra(move |_, _| error(code, "AADSTS7000218: what Entra says.")).await;
        let error = bench.client.signed_in().await.unwrap_err();
        let GraphError::SignIn {
            message,
            hint: Some(hint),
            ..
        } = &error
        else {
            panic!("{code}: {error:?}")
        };
        assert!(message.contains(words), "{code}: {message}");
        assert!(hint.contains(advice), "{code}: {hint}");
        assert!(bench.clock.slept() <= Duration::from_secs(910), "{code}");
    }
}

#[tokio::test]
async fn ctrl_c_ends_the_wait_at_once() {
    let (server, bench) = entra(|_, _| error("authorization_pending", "")).await;
    bench.clock.stand(true);
    let client = bench.client.clone();
    let waiting = tokio::spawn(async move { client.signed_in().await });
    until(|| !bench.said.codes.lock().unwrap().is_empty()).await;
    bench.cancel.cancel();
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "sign-in failed: it was stopped");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn what_a_gateway_repeats_of_the_form_is_not_told() {
    let (_server, bench) = entra(|_, seen| {
        let body = format!("<html>cannot forward {}</html>", seen.body);
        Reply::json(403, &body)
    })
    .await;
    let error = bench.client.signed_in().await.unwrap_err();
    assert!(
        error.to_string().contains("device_code=[secret]"),
        "{error}"
    );
    assert!(
        !format!("{error:?}").contains("device-code-of"),
        "{error:?}"
    );
}
