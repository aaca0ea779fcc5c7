//! 429, 503 and waits that the service names.

use std::time::Duration;

use super::{FINE, after, get, post};
use crate::graph::testing::{Bench, Reply, Server, until};
use crate::graph::{Call, GraphError};

#[tokio::test]
async fn a_change_that_was_turned_away_is_sent_again() {
    for headers in [
        "retry-after: 7\r\n",
        "retry-after: 0\r\n",
        "retry-after: -5\r\n",
    ] {
        for status in [429, 503] {
            let server = after(2, move || Reply::with(status, headers, "{}")).await;
            let bench = Bench::new(&server.url);
            bench.client.change(post()).await.unwrap();
            assert_eq!(server.count(), 3);
            assert_eq!(bench.client.requests().throttled, 2);
            if headers.contains('7') {
                assert_eq!(bench.clock.slept(), Duration::from_secs(14));
                assert_eq!(bench.said.waits.lock().unwrap().len(), 2);
            } else {
                assert!(
                    bench.clock.slept() > Duration::from_secs(2),
                    "zero is not taken by its word"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_wait_as_a_date_is_counted_from_the_services_own_clock() {
    let headers =
        "date: Mon, 01 Jan 2001 00:00:00 GMT\r\nretry-after: Mon, 01 Jan 2001 00:01:30 GMT\r\n";
    let server = after(1, move || Reply::with(429, headers, "{}")).await;
    let bench = Bench::new(&server.url);
    bench.client.read(get()).await.unwrap();
    assert_eq!(bench.clock.slept(), Duration::from_secs(90));
    assert_eq!(
        bench.said.waits.lock().unwrap()[0],
        (
            "list users: the service is throttling".to_owned(),
            Duration::from_secs(90)
        )
    );
}

/// Our clock is ten minutes off, in either direction. With a `Date` beside it, and without one but after an answer that
/// had one.
#[tokio::test]
async fn a_wait_as_a_date_is_right_when_our_clock_is_wrong() {
    for service in ["01:50", "02:10"] {
        for dated in [true, false] {
            let date = format!("date: Tue, 24 Nov 2026 {service}:00 GMT\r\n");
            let wait = format!("retry-after: Tue, 24 Nov 2026 {service}:30 GMT\r\n");
            let server = Server::start(move |seen| match seen.number {
                0 => Reply::with(200, &date, FINE),
                1 if dated => Reply::with(429, &format!("{date}{wait}"), "{}"),
                1 => Reply::with(429, &wait, "{}"),
                _ => Reply::json(200, FINE),
            })
            .await;
            let bench = Bench::new(&server.url);
            bench.client.read(get()).await.unwrap();
            bench.client.change(post()).await.unwrap();
            assert_eq!(
                bench.clock.slept(),
                Duration::from_secs(30),
                "{service} {dated}"
            );
        }
    }
}

#[tokio::test]
async fn a_wait_beyond_the_budget_ends_the_call_at_once_and_holds_the_others() {
    for (budget, wait, held) in [(None, 901, 900), (Some(5), 10, 10)] {
        let server = after(1, move || {
            Reply::with(429, &format!("retry-after: {wait}\r\n"), "{}")
        })
        .await;
        let bench = Bench::new(&server.url);
        let call = Call {
            budget: budget.map(Duration::from_secs),
            ..post()
        };
        let error = bench.client.change(call).await.unwrap_err();
        let GraphError::Exhausted { last, tries: 1, .. } = &error else {
            panic!("{error:?}")
        };
        let left = budget.unwrap_or(900);
        assert!(last.contains(&format!("only {left} s are left")), "{last}");
        assert_eq!(error.status(), Some(429));
        assert_eq!(bench.clock.slept(), Duration::ZERO);
        assert!(bench.client.requests().waited_seconds < 1e-6);

        bench.client.read(get()).await.unwrap();
        assert_eq!(bench.clock.slept(), Duration::from_secs(held));
        assert_eq!(
            *bench.said.waits.lock().unwrap(),
            [(
                "list users: the service is throttling".to_owned(),
                Duration::from_secs(held)
            )]
        );
    }
}

#[tokio::test]
async fn a_429_without_a_wait_is_backed_off_from_further_each_time() {
    let server = after(4, || Reply::error(429, "TooManyRequests")).await;
    let bench = Bench::new(&server.url);
    bench.client.change(post()).await.unwrap();
    let slept = bench.clock.slept();
    // 1 + 2 + 4 + 8 s, each ± 20 %.
    assert!(
        slept > Duration::from_secs(11) && slept < Duration::from_secs(19),
        "{slept:?}"
    );
}

#[tokio::test]
async fn throttling_ends_with_the_budget() {
    let server = after(usize::MAX, || {
        Reply::with(429, "retry-after: 100\r\n", "{}")
    })
    .await;
    let error = Bench::new(&server.url)
        .client
        .change(post())
        .await
        .unwrap_err();
    let GraphError::Exhausted { tries, waited, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!((tries, waited.as_secs()), (10, 900));
}

#[tokio::test]
async fn a_hold_keeps_all_workers_and_is_said_once() {
    let server = after(8, || Reply::with(429, "retry-after: 40\r\n", "{}")).await;
    let bench = Bench::new(&server.url);
    bench.clock.stand(true);
    let calls = futures::future::join_all((0..8).map(|_| bench.client.read(get())));
    let release = async {
        until(|| {
            bench.client.requests().throttled == 8 && !bench.clock.sleeps.lock().unwrap().is_empty()
        })
        .await;
        assert_eq!(server.count(), 8, "nobody sends during the hold");
        let waits = bench.said.waits.lock().unwrap().clone();
        assert_eq!(waits.len(), 1, "{waits:?}");
        assert!((bench.client.requests().waited_seconds - 40.0).abs() < 1e-6);
        bench.clock.advance(Duration::from_secs(40));
        bench.clock.stand(false);
    };
    let (answers, ()) = tokio::join!(calls, release);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.count(), 16);
}
