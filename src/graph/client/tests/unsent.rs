//! Requests that never leave this machine: a refused port, a network that is cut, a certificate nobody trusts.

use std::time::Duration;

use super::{FINE, get, post};
use crate::graph::testing::{Bench, Reply, Server, TOKEN, limits};
use crate::graph::{GraphError, SignIn};

#[tokio::test]
async fn a_refused_port_is_named_after_four_tries() {
    let server = Server::stopped().await;
    for change in [false, true] {
        let bench = Bench::new(&server.url);
        let error = if change {
            bench.client.change(post()).await
        } else {
            bench.client.read(get()).await
        }
        .unwrap_err();
        let GraphError::Unreachable { cause, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            *cause,
            format!(
                "cannot reach `{}`: connection refused",
                server.url.trim_start_matches("http://")
            )
        );
        assert_eq!(bench.client.requests().sent, 4);
        assert!(bench.clock.slept() < Duration::from_millis(2200));
    }
}

#[tokio::test]
async fn a_network_that_goes_away_in_the_middle_is_waited_for() {
    let mut server = Server::start(|_| {
        Reply::WriteAndClose(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n".to_vec())
    })
    .await;
    let bench = Bench::new(&server.url);
    bench.client.read(get()).await.unwrap();
    server.stop().await;
    for change in [false, true] {
        bench.clock.sleeps.lock().unwrap().clear();
        let error = if change {
            bench.client.change(post()).await
        } else {
            bench.client.read(get()).await
        }
        .unwrap_err();
        assert!(matches!(error, GraphError::Unreachable { .. }), "{error:?}");
        let slept = bench.clock.slept().as_secs();
        assert!((48..76).contains(&slept), "{slept}");
    }
    let waits = bench.said.waits.lock().unwrap();
    assert!(waits[0].0.contains("cannot reach `127.0.0.1:"), "{waits:?}");
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_its_file_is_given() {
    let (server, authority) = Server::secure(|_| Reply::json(200, FINE)).await;
    let token = || SignIn::Token(TOKEN.into());
    let bench = Bench::trusting(&server.url, token(), limits(), Some(&authority));
    bench.client.read(get()).await.unwrap();
    bench.client.change(post()).await.unwrap();
    assert_eq!(server.count(), 2);
}

/// The handshake comes before the request: a change is sent again, and is not unknown.
#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_told_and_nothing_is_sent() {
    let (server, _) = Server::secure(|_| Reply::json(200, FINE)).await;
    let (_, other) = Server::secure(|_| Reply::Silence).await;
    for authority in [None, Some(other.as_str())] {
        for change in [false, true] {
            let bench = Bench::trusting(
                &server.url,
                SignIn::Token(TOKEN.into()),
                limits(),
                authority,
            );
            let error = if change {
                bench.client.change(post()).await
            } else {
                bench.client.read(get()).await
            }
            .unwrap_err();
            let GraphError::Unreachable { cause, .. } = &error else {
                panic!("{error:?}")
            };
            assert!(
                cause.contains("localhost") && cause.contains("certificate"),
                "{cause}"
            );
            assert_eq!(bench.client.requests().sent, 4);
        }
    }
    assert_eq!(server.count(), 0);
}
