//! Faults as a client meets them: what it sees, and whether the work was done.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Bench, Reply, artifacts};
use crate::sandbox::Options;

pub(super) const CREATE: &str = "@POST /exchangeRestoreSessions";

impl Bench {
    pub(super) async fn faulty(spec: &str) -> Self {
        let faults = spec.parse().expect(spec);
        Self::with(Options {
            faults,
            speed: 1.0,
            ..Options::default()
        })
        .await
    }

    /// A create that may come to nothing: its status, or nothing where there was no whole answer.
    pub(super) async fn try_create(&self, points: &[String]) -> Option<u16> {
        let request = self
            .request("POST", "~/exchangeRestoreSessions")
            .json(&artifacts(points, "new"));
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        response.bytes().await.ok().map(|_| status)
    }

    pub(super) async fn sessions(&self) -> usize {
        self.state().await["sessions"]
            .as_array()
            .map_or(0, Vec::len)
    }
}

#[tokio::test]
async fn a_refusal_fault_does_no_work() {
    for (kind, status) in [("429", 429), ("503", 503)] {
        let bench = Bench::faulty(&format!("{kind}=1x:retry-after=7{CREATE}")).await;
        let points = bench.points(1).await;
        let request = bench
            .request("POST", "~/exchangeRestoreSessions")
            .json(&artifacts(&points, "new"));
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(bench.sessions().await, 0);
        assert_eq!(bench.try_create(&points).await, Some(201));
    }
}

#[tokio::test]
async fn a_reset_does_no_work_and_a_lost_or_cut_answer_does() {
    for (kind, done) in [("reset", 0), ("lost-answer", 1), ("cut", 1)] {
        let bench = Bench::faulty(&format!("{kind}=1x{CREATE}")).await;
        let points = bench.points(1).await;
        assert_eq!(bench.try_create(&points).await, None, "{kind}");
        assert_eq!(bench.sessions().await, done, "{kind}");
        assert_eq!(bench.try_create(&points).await, Some(201), "{kind}");
    }
}

#[tokio::test]
async fn a_cut_answer_has_a_head_and_half_a_body() {
    let bench = Bench::faulty("cut=1x@GET /users").await;
    let mut response = bench
        .request("GET", "/v1.0/users")
        .send()
        .await
        .expect("a head");
    assert_eq!(response.status(), 200);
    let length = response.content_length().expect("an announced length");
    let mut received = 0;
    let broken = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => received += chunk.len() as u64,
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken);
    assert!(0 < received && received < length, "{received} of {length}");
}

/// What goes over the wire, from a connection of its own.
async fn raw(bench: &Bench, path: &str) -> String {
    let address = bench.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer sandbox-token\r\nconnection: close\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut answer = Vec::new();
    // A reset ends it as well.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn an_answer_is_cut_where_it_was_asked_for() {
    let bench = Bench::faulty("lost-answer=1x,cut=1x:head,cut=1x:bare,cut=1x").await;
    assert_eq!(raw(&bench, "/v1.0/users").await, "");
    let head = raw(&bench, "/v1.0/users").await;
    assert!(
        head.starts_with("HTTP/1.1 200 OK") && head.len() == 20,
        "{head}"
    );
    let bare = raw(&bench, "/v1.0/users").await;
    assert!(
        bare.contains("content-length: ") && bare.ends_with("\r\n\r\n"),
        "{bare}"
    );
    let half = raw(&bench, "/v1.0/users").await;
    let (_, body) = half.split_once("\r\n\r\n").expect("a head");
    assert!(body.starts_with('{') && !body.ends_with('}'), "{body}");
    let whole = raw(&bench, "/v1.0/users").await;
    assert!(whole.ends_with('}'), "{whole}");
}

#[tokio::test]
async fn a_status_says_nothing_about_the_work_unless_it_was_asked_to() {
    for status in [408, 500, 502, 504] {
        for (word, sessions) in [("done", 1), ("undone", 0)] {
            let bench = Bench::faulty(&format!("{status}=1x:{word}{CREATE}")).await;
            let points = bench.points(1).await;
            assert_eq!(bench.try_create(&points).await, Some(status), "{status}");
            assert_eq!(bench.sessions().await, sessions, "{status} {word}");
        }
    }
    for status in [401, 404] {
        let bench = Bench::faulty(&format!("{status}=1x{CREATE}")).await;
        let points = bench.points(1).await;
        assert_eq!(bench.try_create(&points).await, Some(status));
        assert_eq!(bench.sessions().await, 0, "{status}");
    }
}

#[tokio::test]
async fn a_wait_comes_in_every_form() {
    let rows = [
        ("429=1x", Some("1")),
        ("429=1x:retry-after=none", None),
        ("503=1x", None),
        ("503=1x:retry-raw=-5", Some("-5")),
        ("504=1x:retry-raw=soon", Some("soon")),
    ];
    for (spec, wait) in rows {
        let bench = Bench::faulty(spec).await;
        let response = bench
            .request("GET", "/v1.0/users")
            .send()
            .await
            .expect(spec);
        let header = response.headers().get("retry-after");
        assert_eq!(
            header.map(|wait| wait.to_str().expect(spec)),
            wait,
            "{spec}"
        );
    }
    let bench = Bench::faulty("429=1x:retry-date=90").await;
    let response = bench
        .request("GET", "/v1.0/users")
        .send()
        .await
        .expect("an answer");
    let at = |name: &str| {
        let text = response.headers()[name].to_str().expect(name);
        httpdate::parse_http_date(text).expect(name)
    };
    let wait = at("retry-after").duration_since(at("date"));
    assert_eq!(wait.ok(), Some(Duration::from_secs(90)));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_whole_on_the_wire() {
    let bench = Bench::faulty("gzip=1x,html=1x,502=1x").await;
    let get = || bench.request("GET", "/v1.0/users").send();
    let packed = get().await.expect("a head");
    assert_eq!(packed.status(), 200);
    assert!(packed.bytes().await.is_err());
    let page = get().await.expect("a page");
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (200, &"text/html".parse().expect("a value"))
    );
    assert!(page.text().await.expect("a page").contains("guest network"));
    let proxy = get().await.expect("a page");
    assert_eq!(proxy.status(), 502);
    assert!(proxy.text().await.expect("a page").contains("Bad Gateway"));
}

#[tokio::test]
async fn a_trickling_answer_comes_to_its_end() {
    let bench = Bench::faulty("trickle=1x:1ms@GET /users/{id}").await;
    let user = bench.get("/v1.0/users?$top=1").await.values()[0]["id"].clone();
    let path = format!("/v1.0/users/{}", user.as_str().expect("an id"));
    let mut response = bench.request("GET", &path).send().await.expect("a head");
    let first = response.chunk().await.expect("a chunk").expect("a byte");
    assert!(first.len() < 10, "{}", first.len());
    let mut rest = Vec::from(first);
    while let Some(chunk) = response.chunk().await.expect("a chunk") {
        rest.extend(chunk);
    }
    let body: Value = serde_json::from_slice(&rest).expect("an object");
    assert_eq!(body["id"], user);
}

#[tokio::test]
async fn a_redirect_leads_round_in_a_circle_or_away() {
    let bench = Bench::faulty(&format!("redirect=1x@GET /users,redirect=1x:host{CREATE}")).await;
    let error = bench.request("GET", "/v1.0/users").send().await;
    assert!(error.is_err_and(|error| error.is_redirect()));
    let points = bench.points(1).await;
    let answer = raw_create(&bench, &points).await;
    assert!(
        answer.contains("location: https://graph.elsewhere.invalid/"),
        "{answer}"
    );
    assert_eq!(bench.sessions().await, 0);
}

/// Without following.
async fn raw_create(bench: &Bench, points: &[String]) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let response = client
        .build()
        .expect("a plain client")
        .post(format!(
            "{}/v1.0/solutions/backupRestore/exchangeRestoreSessions",
            bench.url
        ))
        .bearer_auth("sandbox-token")
        .json(&artifacts(points, "new"))
        .send()
        .await
        .expect("an answer");
    let location = response.headers().get("location");
    format!(
        "{} location: {}",
        response.status(),
        location.and_then(|to| to.to_str().ok()).unwrap_or_default()
    )
}

#[tokio::test]
async fn a_page_comes_twice_or_empty_first_and_the_list_is_whole() {
    for (way, rows) in [("twice", 130), ("empty", 100)] {
        let bench = Bench::faulty(&format!("page=2x:{way}@GET /users")).await;
        let mut ids = Vec::new();
        let mut pages = 0;
        let mut path = "/v1.0/users?$top=15".to_owned();
        loop {
            let page = bench.get(&path).await;
            assert_eq!(page.status, 200, "{}", page.body);
            ids.extend(page.values().iter().map(|user| user["id"].to_string()));
            pages += 1;
            let Some(next) = page.body["@odata.nextLink"].as_str() else {
                break;
            };
            next.trim_start_matches(&bench.url).clone_into(&mut path);
        }
        assert_eq!((ids.len(), pages), (rows, 9), "{way}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 100, "{way}");
    }
}

#[tokio::test]
async fn a_page_leads_to_itself_or_away() {
    let bench = Bench::faulty("page=1x:loop@GET /users,page=1x:host@GET /users").await;
    let next = |page: &Reply| page.body["@odata.nextLink"].clone();
    let page = bench.get("/v1.0/users?$top=5").await;
    assert_eq!(next(&page), format!("{}/v1.0/users?$top=5", bench.url));
    let page = bench.get("/v1.0/users?$top=5").await;
    assert!(
        next(&page)
            .as_str()
            .is_some_and(|link| link.starts_with("https://graph.elsewhere.invalid/"))
    );
    // What is no list stays as it is.
    let faults = json!({ "spec": "page=1x:loop" });
    bench.control("faults", faults).await;
    let user = page.values()[0]["id"].clone();
    let user = bench
        .get(&format!("/v1.0/users/{}", user.as_str().expect("an id")))
        .await;
    assert_eq!((user.status, next(&user)), (200, Value::Null));
}

#[tokio::test]
async fn a_date_can_be_off_in_either_direction() {
    let bench = Bench::faulty("date=1x:-10m,date=1x:10m").await;
    let mut dates = Vec::new();
    for _ in 0..3 {
        let response = bench
            .request("GET", "/v1.0/users")
            .send()
            .await
            .expect("an answer");
        let date = response.headers()["date"]
            .to_str()
            .expect("a date")
            .to_owned();
        let date = httpdate::parse_http_date(&date).expect("a date");
        dates.push(
            date.duration_since(std::time::UNIX_EPOCH)
                .expect("after 1970")
                .as_secs(),
        );
    }
    let off: Vec<i64> = dates
        .iter()
        .map(|date| i64::try_from(*date).expect("small") - i64::try_from(dates[2]).expect("small"))
        .collect();
    assert!(
        (-610..=-600).contains(&off[0]) && (590..=600).contains(&off[1]),
        "{off:?}"
    );
}

#[tokio::test]
async fn late_work_is_done_after_its_504() {
    let bench = Bench::faulty(&format!("late=1x:30ms{CREATE}")).await;
    let points = bench.points(1).await;
    assert_eq!(bench.try_create(&points).await, Some(504));
    assert_eq!(bench.sessions().await, 0);
    assert_eq!(bench.state().await["late"], 1);
    let begun = Instant::now();
    while bench.sessions().await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn slow_work_goes_on_without_its_caller() {
    let bench = Bench::faulty(&format!("slow=1x:30ms{CREATE}")).await;
    let points = bench.points(1).await;
    let request = bench
        .request("POST", "~/exchangeRestoreSessions")
        .json(&artifacts(&points, "new"));
    assert!(
        request
            .timeout(Duration::from_millis(10))
            .send()
            .await
            .is_err()
    );
    let begun = Instant::now();
    while bench.sessions().await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_lost_answer_to_activate_leaves_an_active_session() {
    let bench = Bench::faulty("lost-answer=1x@POST …/activate").await;
    let session = bench.draft(&bench.points(1).await).await;
    let activate = format!("~/restoreSessions/{session}/activate");
    assert!(bench.request("POST", &activate).send().await.is_err());
    assert_eq!(
        bench
            .get(&format!("~/restoreSessions/{session}"))
            .await
            .body["status"],
        "activating"
    );
    assert_eq!(bench.call("POST", &activate).await.status, 403);
}
