//! The stop signal.

use std::time::{Duration, Instant};

use super::{FINE, get, post};
use crate::graph::testing::{Bench, Reply, Server, TOKEN, limits, until};
use crate::graph::{GraphError, SignIn};

#[tokio::test]
async fn stopping_ends_a_read_at_once_and_keeps_a_change_from_being_sent() {
    let server = Server::start(|_| Reply::Silence).await;
    let bench = Bench::new(&server.url);
    let begun = Instant::now();
    let (answer, ()) = tokio::join!(bench.client.read(get()), stop(&bench, &server));
    assert!(
        matches!(answer, Err(GraphError::Stopped { .. })),
        "{answer:?}"
    );
    // The idle limit is 30 s.
    assert!(begun.elapsed() < Duration::from_secs(10));
    // Not sent yet: stopped, not unknown.
    let answer = bench.client.change(post()).await;
    assert!(
        matches!(answer, Err(GraphError::Stopped { .. })),
        "{answer:?}"
    );
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_change_in_flight_may_end_after_the_stop_signal() {
    let server = Server::start(|_| {
        Reply::After(Duration::from_millis(40), Box::new(Reply::json(200, FINE)))
    })
    .await;
    let bench = Bench::new(&server.url);
    let (answer, ()) = tokio::join!(bench.client.change(post()), stop(&bench, &server));
    assert_eq!(answer.unwrap().status, 200);
}

#[tokio::test]
async fn a_change_in_flight_that_does_not_end_is_unknown() {
    assert_eq!(limits().grace, Duration::from_secs(10));
    let server = Server::start(|_| Reply::Silence).await;
    let mut limits = limits();
    limits.grace = Duration::from_millis(20);
    let bench = Bench::with(&server.url, SignIn::Token(TOKEN.into()), limits);
    let (answer, ()) = tokio::join!(bench.client.change(post()), stop(&bench, &server));
    assert!(
        matches!(answer, Err(GraphError::Unknown { .. })),
        "{answer:?}"
    );
}

/// A hold of a minute, and the wait after a refused port: nothing is on the wire, so a change is stopped as a read is.
#[tokio::test]
async fn stopping_ends_every_wait_between_tries() {
    let held = Server::start(|_| Reply::with(429, "retry-after: 60\r\n", "{}")).await;
    let refused = Server::stopped().await;
    for url in [&held.url, &refused.url] {
        for change in [false, true] {
            let bench = Bench::new(url);
            bench.clock.stand(true);
            let call = async {
                if change {
                    bench.client.change(post()).await
                } else {
                    bench.client.read(get()).await
                }
            };
            let stop = async {
                until(|| !bench.clock.sleeps.lock().unwrap().is_empty()).await;
                bench.cancel.cancel();
            };
            let (answer, ()) = tokio::join!(call, stop);
            assert!(
                matches!(answer, Err(GraphError::Stopped { .. })),
                "{answer:?}"
            );
            assert_eq!(bench.client.requests().sent, 1);
        }
    }
}

#[tokio::test]
async fn a_change_that_was_turned_away_after_the_stop_signal_is_stopped_not_unknown() {
    let server = Server::start(|_| {
        Reply::After(
            Duration::from_millis(30),
            Box::new(Reply::with(429, "retry-after: 1\r\n", "{}")),
        )
    })
    .await;
    let bench = Bench::new(&server.url);
    let (answer, ()) = tokio::join!(bench.client.change(post()), stop(&bench, &server));
    assert!(
        matches!(answer, Err(GraphError::Stopped { .. })),
        "{answer:?}"
    );
    assert_eq!(server.count(), 1);
}

/// Once the first request has come.
async fn stop(bench: &Bench, server: &Server) {
    until(|| server.count() == 1).await;
    bench.cancel.cancel();
}
