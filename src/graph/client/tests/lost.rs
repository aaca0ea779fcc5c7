//! Answers that do not come, or not to their end.

use std::time::Duration;

use super::{Bad, FINE, after, get, post};
use crate::graph::testing::{Bench, Reply, Server};
use crate::graph::{Call, GraphError};

#[tokio::test]
async fn a_read_is_sent_again_whatever_was_lost() {
    let rows: Vec<(&str, Bad)> = vec![
        ("reset", || Reply::Reset),
        ("cut in the head", || {
            Reply::WriteAndClose(b"HTTP/1.1 200 OK\r\nconte".to_vec())
        }),
        ("cut in the body", || Reply::json(200, FINE).cut()),
        ("cut JSON with a fitting length", || {
            Reply::json(200, r#"{"value":[1,"#)
        }),
        ("500", || Reply::error(500, "InternalServerError")),
        ("502 page", || {
            Reply::with(502, "", "<html>Bad Gateway</html>")
        }),
        ("503", || Reply::error(503, "ServiceUnavailable")),
        ("504", || Reply::with(504, "", "")),
        ("408", || Reply::with(408, "", "")),
        ("silence", || Reply::Silence),
        ("nothing at all", || Reply::WriteAndClose(Vec::new())),
        ("broken gzip", broken_gzip),
        ("text that is no JSON", || Reply::json(200, "nope")),
    ];
    for (what, bad) in rows {
        let server = after(2, bad).await;
        let bench = bench(what, &server);
        let answer = bench.client.read(get()).await;
        assert!(answer.is_ok(), "{what}: {answer:?}");
        assert_eq!(server.count(), 3, "{what}");
        let requests = bench.client.requests();
        assert_eq!(
            (requests.sent, requests.retried, requests.throttled),
            (3, 2, 0),
            "{what}"
        );
        assert_eq!(bench.clock.sleeps.lock().unwrap().len(), 2, "{what}");
        assert!(requests.waited_seconds > 0.5);
    }
}

#[tokio::test]
async fn a_read_gives_up_after_six_tries_and_says_what_it_met() {
    let server = after(99, || Reply::error(503, "ServiceUnavailable")).await;
    let error = Bench::new(&server.url)
        .client
        .read(get())
        .await
        .unwrap_err();
    let GraphError::Exhausted {
        tries,
        last,
        error: Some(service),
        ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!((*tries, service.status), (6, 503));
    assert!(
        last.contains("503 ServiceUnavailable: no: ServiceUnavailable"),
        "{last}"
    );
    assert_eq!(error.code(), "ServiceUnavailable");

    let server = after(99, || Reply::json(200, FINE).cut()).await;
    let error = Bench::new(&server.url)
        .client
        .read(get())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "NoAnswer");
    assert_eq!(server.count(), 6);
}

#[tokio::test]
async fn a_body_that_trickles_is_cut() {
    let server = Server::start(|_| {
        Reply::Trickle(
            b"HTTP/1.1 200 X\r\ncontent-length: 99999\r\n\r\n[".to_vec(),
            b" ".to_vec(),
            Duration::from_millis(10),
        )
    })
    .await;
    let error = Bench::hasty(&server.url)
        .client
        .read(get())
        .await
        .unwrap_err();
    let GraphError::Exhausted { tries: 3, last, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(last.contains("too slowly"), "{last}");
}

#[tokio::test]
async fn a_small_budget_cuts_reads_but_not_changes() {
    let server = Server::start(|_| {
        Reply::After(
            Duration::from_millis(1200),
            Box::new(Reply::json(200, FINE)),
        )
    })
    .await;
    let bench = Bench::new(&server.url);
    let budget = Some(Duration::from_millis(100));
    let read = bench.client.read(Call { budget, ..get() });
    let change = bench.client.change(Call { budget, ..post() });
    // Takes over a second because that is the least that a call is given.
    let (read, change) = tokio::join!(read, change);
    assert!(
        matches!(read, Err(GraphError::Exhausted { tries: 1, .. })),
        "{read:?}"
    );
    assert!(change.is_ok(), "{change:?}");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_unknown_and_never_sent_again() {
    let rows: Vec<(&str, bool, Bad)> = vec![
        ("reset", false, || Reply::Reset),
        ("closed", false, || Reply::WriteAndClose(Vec::new())),
        ("cut in the body", false, || Reply::json(200, FINE).cut()),
        ("cut JSON", false, || Reply::json(200, r#"{"id":"#)),
        ("broken gzip", false, broken_gzip),
        ("too large", false, || {
            Reply::Write(b"HTTP/1.1 200 X\r\ncontent-length: 99999999\r\n\r\n".to_vec())
        }),
        ("HTML with 200", false, || {
            Reply::with(200, "", "<html>hello</html>")
        }),
        ("redirect", false, || {
            Reply::with(302, "location: /v1.0/elsewhere\r\n", "")
        }),
        ("500", false, || {
            Reply::error(500, "IncompleteArtifactDeletion")
        }),
        ("502", false, || Reply::with(502, "", "<html>")),
        ("503", false, || Reply::error(503, "ServiceUnavailable")),
        ("503 with a wait that cannot be read", false, || {
            Reply::with(503, "retry-after: soon\r\n", "")
        }),
        ("504", true, || Reply::with(504, "", "")),
        ("408", true, || Reply::with(408, "", "")),
        ("silence", false, || Reply::Silence),
        ("trickle", false, || {
            Reply::Trickle(
                b"HTTP/1.1 200 X\r\ncontent-length: 999\r\n\r\n".to_vec(),
                b" ".to_vec(),
                Duration::from_millis(10),
            )
        }),
    ];
    for (what, later, bad) in rows {
        let server = after(1, bad).await;
        let bench = bench(what, &server);
        let error = bench.client.change(post()).await.unwrap_err();
        let GraphError::Unknown {
            maybe_later,
            call,
            cause,
            ..
        } = &error
        else {
            panic!("{what}: {error:?}")
        };
        assert_eq!(*maybe_later, later, "{what}");
        assert_eq!(server.count(), 1, "{what}: sent twice");
        assert_eq!(
            call.path,
            "/solutions/backupRestore/restoreSessions/s1/activate"
        );
        assert!(!cause.is_empty());
        assert_eq!(error.code(), "OutcomeUnknown");
    }
}

/// A kept connection that the service closes while a change is on its way over it: the request may have been read.
#[tokio::test]
async fn a_change_on_a_kept_connection_that_dies_is_unknown() {
    let server = Server::start(|seen| {
        if seen.method == "GET" {
            Reply::json(200, FINE)
        } else {
            Reply::Reset
        }
    })
    .await;
    let bench = Bench::new(&server.url);
    bench.client.read(get()).await.unwrap();
    let error = bench.client.change(post()).await.unwrap_err();
    assert!(matches!(error, GraphError::Unknown { .. }), "{error:?}");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_read_ends_with_its_budget_also_between_tries() {
    let server = after(99, || Reply::error(502, "BadGateway")).await;
    let bench = Bench::new(&server.url);
    let budget = Some(Duration::from_secs(2));
    let error = bench
        .client
        .read(Call { budget, ..get() })
        .await
        .unwrap_err();
    let GraphError::Exhausted { tries, waited, .. } = &error else {
        panic!("{error:?}")
    };
    assert!((3..6).contains(tries), "{tries}");
    assert!(*waited <= Duration::from_secs(2), "{waited:?}");
    assert_eq!(error.code(), "BadGateway");
}

fn broken_gzip() -> Reply {
    Reply::with(
        200,
        "content-encoding: gzip\r\n",
        "\u{1f}this is no gzip stream",
    )
}

fn bench(what: &str, server: &Server) -> Bench {
    if matches!(what, "silence" | "trickle") {
        Bench::hasty(&server.url)
    } else {
        Bench::new(&server.url)
    }
}
