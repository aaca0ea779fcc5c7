//! Answers that do not come, or not to their end.

use std::time::Duration;

use super::{FINE, after, get, post};
use crate::graph::testing::{Bench, Reply, Server};
use crate::graph::{Call, GraphError};

#[tokio::test]
async fn each_try_is_counted() {
    let server = after(2, || Reply::Reset).await;
    let bench = Bench::new(&server.url);
    bench.client.read(get()).await.unwrap();
    let requests = bench.client.requests();
    assert_eq!(
        (requests.sent, requests.retried, requests.throttled),
        (3, 2, 0)
    );
    assert_eq!(bench.clock.sleeps.lock().unwrap().len(), 2);
    assert!(requests.waited_seconds > 0.5);
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
async fn a_change_whose_answer_is_lost_says_which_and_why() {
    let server = after(1, || Reply::Reset).await;
    let bench = Bench::new(&server.url);
    let error = bench.client.change(post()).await.unwrap_err();
    let GraphError::Unknown { call, cause, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        call.path,
        "/solutions/backupRestore/restoreSessions/s1/activate"
    );
    assert_eq!(cause, "the connection was reset");
    assert_eq!(error.code(), "OutcomeUnknown");
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
