//! Answers that say no.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::SignedDuration;

use super::{FINE, after, get, post};
use crate::graph::testing::{Bench, Reply, Server, TOKEN, TestClock};

#[tokio::test]
async fn refusals_are_final_and_keep_the_services_words() {
    let rows = [
        (400, "InvalidRestorePoint"),
        (403, "RestoreSessionActionNotAllowed"),
        (404, "RestoreSessionNotFound"),
        (409, "ProtectionUnitAlreadyExists"),
        (413, "RestoreArtifactsLimitBreached"),
        (500, "TooManyActiveRestoreSessions"),
    ];
    for (status, code) in rows {
        let server = after(1, move || Reply::error(status, code)).await;
        let bench = Bench::new(&server.url);
        let error = bench.client.change(post()).await.unwrap_err();
        assert!(error.is(code), "{error:?}");
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.request_id(), Some("from-service"));
        assert_eq!(
            error.to_string(),
            format!("activate session was refused: no: {code}")
        );
        assert_eq!(error.is_not_found(), status == 404);
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_new_id_that_is_not_found_yet_is_looked_at_again() {
    let server = after(2, || Reply::error(404, "RestoreSessionNotFound")).await;
    let bench = Bench::new(&server.url);
    let now = bench.client.now();
    bench
        .client
        .change(post().fresh_since(Some(now)))
        .await
        .unwrap();
    assert_eq!(server.count(), 3);

    let server = after(99, || Reply::error(404, "RestoreSessionNotFound")).await;
    let bench = Bench::new(&server.url);
    let now = bench.client.now();
    let error = bench
        .client
        .read(get().fresh_since(Some(now)))
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    let slept = bench.clock.slept();
    assert!(
        slept >= Duration::from_secs(30) && slept < Duration::from_secs(35),
        "{slept:?}"
    );

    let server = after(99, || Reply::error(404, "RestoreSessionNotFound")).await;
    let bench = Bench::new(&server.url);
    let then = bench.client.now();
    bench.clock.advance(Duration::from_secs(31));
    bench
        .client
        .read(get().fresh_since(Some(then)))
        .await
        .unwrap_err();
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn the_token_is_in_no_error_even_if_the_service_repeats_it() {
    let echo = format!(r#"{{"error":{{"code":"X","message":"bad token Bearer {TOKEN}"}}}}"#);
    let page = format!("<title>{TOKEN}</title>");
    for reply in [(403, echo), (200, page)] {
        let server = Server::start(move |_| Reply::with(reply.0, "", &reply.1)).await;
        let error = Bench::new(&server.url)
            .client
            .read(get())
            .await
            .unwrap_err();
        assert!(!format!("{error} {error:?}").contains(TOKEN), "{error:?}");
    }
}

/// Two answers of one service can come from machines with different clocks: only ours tells how long ago it was.
#[tokio::test]
async fn a_new_id_is_new_for_thirty_seconds_whatever_dates_the_answers_bear() {
    for minutes in [-10, 10] {
        let clock = Arc::new(OnceLock::<Arc<TestClock>>::new());
        let ours = clock.clone();
        let server = Server::start(move |seen| {
            let now = ours.get().unwrap().time() + SignedDuration::from_mins(minutes);
            let date = now.strftime("date: %a, %d %b %Y %H:%M:%S GMT\r\n");
            match seen.number {
                0 => Reply::with(201, &date.to_string(), FINE),
                odd if odd % 2 == 1 => Reply::with(404, "", "{}"),
                _ => Reply::with(404, &date.to_string(), "{}"),
            }
        })
        .await;
        let bench = Bench::new(&server.url);
        clock.set(bench.clock.clone()).ok().unwrap();
        bench.client.change(post()).await.unwrap();
        let created = Some(bench.client.now());
        let error = bench
            .client
            .read(get().fresh_since(created))
            .await
            .unwrap_err();
        assert!(error.is_not_found(), "{error:?}");
        let slept = bench.clock.slept().as_secs();
        assert!((29..37).contains(&slept), "{minutes}: {slept}");
    }
}
