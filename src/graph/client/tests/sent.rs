//! What goes over the wire, and answers that are good.

use std::collections::HashSet;
use std::time::Duration;

use super::{FINE, after, get, post};
use crate::graph::testing::{Bench, Reply, Server, TOKEN, until};
use crate::graph::{Call, GraphError, Json, Version};

#[tokio::test]
async fn every_request_says_who_asks_and_what_is_understood() {
    let server = Server::start(|_| Reply::json(201, FINE)).await;
    let bench = Bench::new(&server.url);
    let mut call = Call::post("create session", "/x").json(&serde_json::json!({"a": 1}));
    call.version = Some(Version::Beta);
    let call = call.header("ConsistencyLevel", "eventual");
    let answer = bench.client.change(call).await.unwrap();
    assert_eq!(
        (answer.status, answer.request_id.as_str()),
        (201, "from-service")
    );
    assert_eq!(answer.body.as_ref().map(Json::text), Some(FINE));
    bench.client.change(post()).await.unwrap();
    let [first, second] = &server.seen()[..] else {
        panic!("two requests")
    };
    assert_eq!(
        (first.method.as_str(), first.target.as_str()),
        ("POST", "/beta/x")
    );
    assert_eq!(first.body, r#"{"a":1}"#);
    assert_eq!(
        first.header("authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    assert_eq!(first.header("prefer"), Some("include-unknown-enum-members"));
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("accept"), Some("application/json"));
    assert_eq!(first.header("accept-encoding"), Some("gzip"));
    assert_eq!(first.header("consistencylevel"), Some("eventual"));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        first.header("user-agent"),
        Some(format!("runback/{version}").as_str())
    );
    let id = first.header("client-request-id").unwrap();
    assert!(uuid::Uuid::parse_str(id).is_ok());
    assert_ne!(Some(id), second.header("client-request-id"));
    // A POST without a body says so; some front ends answer 411 otherwise.
    assert_eq!(second.header("content-length"), Some("0"));
    assert!(second.target.starts_with("/v1.0/solutions"));
}

#[tokio::test]
async fn an_empty_answer_is_an_answer() {
    let server = Server::start(|_| Reply::Write(b"HTTP/1.1 204 X\r\n\r\n".to_vec())).await;
    let answer = Bench::new(&server.url)
        .client
        .change(Call::delete("delete session", "/x"))
        .await
        .unwrap();
    assert_eq!(answer.status, 204);
    assert!(answer.body.is_none());
    assert!(answer.json().is_null());
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_for_a_get() {
    let server = Server::start(|seen| match seen.number {
        0 => Reply::with(307, "location: /v1.0/b\r\n", ""),
        1 => Reply::with(302, "location: c\r\n", ""),
        _ => Reply::json(200, FINE),
    })
    .await;
    Bench::new(&server.url).client.read(get()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[2].target, "/v1.0/c");
    assert!(seen[2].header("authorization").is_some());
}

#[tokio::test]
async fn a_slow_but_steady_body_is_read() {
    let server = Server::start(|_| {
        let mut head = b"HTTP/1.1 200 X\r\ncontent-length: 20002\r\n\r\n".to_vec();
        head.extend(b"[]");
        Reply::Trickle(head, vec![b' '; 2000], Duration::from_millis(15))
    })
    .await;
    let answer = Bench::hasty(&server.url).client.read(get()).await.unwrap();
    assert_eq!(answer.json().text(), "[]");
}

#[tokio::test]
async fn compressed_answers_are_read() {
    // `{"id":"1"}` through gzip.
    const PACKED: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xab, 0x56, 0xca, 0x4c, 0x51,
        0xb2, 0x52, 0x32, 0x54, 0xaa, 0x05, 0x00, 0xf3, 0xc8, 0x18, 0xf6, 0x0a, 0x00, 0x00, 0x00,
    ];
    let server = Server::start(|_| {
        let mut bytes = format!(
            "HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            PACKED.len()
        )
        .into_bytes();
        bytes.extend(PACKED);
        Reply::Write(bytes)
    })
    .await;
    let answer = Bench::new(&server.url).client.read(get()).await.unwrap();
    assert_eq!(answer.json().text(), FINE);
}

#[tokio::test]
async fn the_services_clock_is_known_from_its_last_answer() {
    let server =
        Server::start(|_| Reply::with(200, "date: Tue, 24 Nov 2026 03:00:00 GMT\r\n", FINE)).await;
    let bench = Bench::new(&server.url);
    bench.client.read(get()).await.unwrap();
    bench.clock.advance(Duration::from_secs(5));
    assert_eq!(
        bench.client.service_now(),
        "2026-11-24T03:00:05Z".parse().unwrap()
    );
}

#[tokio::test]
async fn each_try_has_an_id_of_its_own() {
    let server = after(2, || Reply::with(503, "", "")).await;
    let bench = Bench::new(&server.url);
    bench.client.read(get()).await.unwrap();
    let ids: HashSet<_> = server
        .seen()
        .iter()
        .map(|seen| seen.header("client-request-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn an_error_names_the_last_try_where_the_service_named_none() {
    let server = Server::start(|_| Reply::with(504, "", "")).await;
    let bench = Bench::new(&server.url);
    let error = bench.client.change(post()).await.unwrap_err();
    assert_eq!(
        error.request_id(),
        server.seen()[0].header("client-request-id")
    );
}

#[tokio::test]
async fn no_more_calls_are_in_flight_than_allowed_and_half_after_a_429() {
    let server = Server::start(|seen| {
        if seen.number < 8 {
            Reply::with(429, "retry-after: 1\r\n", "")
        } else {
            Reply::Silence
        }
    })
    .await;
    let bench = Bench::new(&server.url);
    let calls = futures::future::join_all((0..20).map(|_| bench.client.read(get())));
    let look = async {
        until(|| server.count() == 8 + 4).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(server.count(), 8 + 4);
        bench.cancel.cancel();
    };
    let (answers, ()) = tokio::join!(calls, look);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Err(GraphError::Stopped { .. })))
    );
}
