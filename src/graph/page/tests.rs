use std::sync::Arc;
use std::time::Duration;

use super::Page;
use crate::fuzz::Target;
use crate::graph::attempt;
use crate::graph::testing::{Bench, Reply, Seen, Server, until};
use crate::graph::{Answer, Call, CallName, GraphError, Json, Pages};

fn list(bench: &Bench) -> Pages {
    bench
        .client
        .pages(Call::get("list users", "/users?$top=2").header("ConsistencyLevel", "eventual"))
}

fn page(ids: &[&str], next: Option<&str>) -> String {
    let value: Vec<_> = ids
        .iter()
        .map(|id| serde_json::json!({"name": "n", "id": id}))
        .collect();
    match next {
        Some(next) => {
            serde_json::json!({"@odata.context": "c", "value": value, "@odata.nextLink": next})
        }
        None => serde_json::json!({"value": value}),
    }
    .to_string()
}

fn ids(objects: &[Json]) -> Vec<String> {
    objects
        .iter()
        .map(|object| object.string("id").unwrap())
        .collect()
}

/// Answers with these bodies by number; `HERE` in them is the server's own address.
async fn serving(bodies: Vec<String>) -> (Server, Bench) {
    let server = Server::start(move |seen: &Seen| {
        let here = format!("http://{}", seen.header("host").unwrap());
        Reply::json(
            200,
            &bodies[seen.number.min(bodies.len() - 1)].replace("HERE", &here),
        )
    })
    .await;
    let bench = Bench::new(&server.url);
    (server, bench)
}

#[tokio::test]
async fn every_page_is_read_and_every_id_comes_once() {
    let (server, bench) = serving(vec![
        page(
            &["a", "b", "a"],
            Some("HERE/v1.0/users?$skiptoken=x%2By&z='q'"),
        ),
        // Relative, as the documentation shows for artifacts.
        page(&["b", "c"], Some("?$skiptoken=2")),
        page(&[], Some("HERE/v1.0/other?p=3")),
        page(&["d"], None),
    ])
    .await;
    let all = list(&bench).collect().await.unwrap();
    assert_eq!(ids(&all), ["a", "b", "c", "d"]);
    let targets: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| seen.target.clone())
        .collect();
    assert_eq!(
        targets,
        [
            "/v1.0/users?$top=2",
            "/v1.0/users?$skiptoken=x%2By&z=%27q%27",
            "/v1.0/users?$skiptoken=2",
            "/v1.0/other?p=3"
        ]
    );
    for seen in server.seen() {
        assert_eq!(seen.header("consistencylevel"), Some("eventual"));
    }
}

#[tokio::test]
async fn objects_without_an_id_are_all_kept() {
    let (_server, bench) = serving(vec![
        r#"{"value":[{"a":1},{"a":1},7,{"id":5},{"id":5}]}"#.to_owned(),
    ])
    .await;
    assert_eq!(list(&bench).collect().await.unwrap().len(), 5);
}

#[tokio::test]
async fn the_next_page_is_fetched_while_this_one_is_used() {
    let (server, bench) = serving(vec![
        page(&["a"], Some("?p=2")),
        page(&["b"], Some("?p=3")),
        page(&["c"], None),
    ])
    .await;
    let mut pages = list(&bench);
    pages.next().await.unwrap().unwrap();
    until(|| server.count() == 2).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(server.count(), 2, "one page ahead, not more");
    assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["b"]);
    assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["c"]);
    assert!(pages.next().await.is_none());
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn a_waiting_reader_that_is_dropped_loses_no_page() {
    let (_server, bench) = serving(vec![page(&["a"], None)]).await;
    let mut pages = list(&bench);
    {
        let mut waiting = std::pin::pin!(pages.next());
        assert!(futures::poll!(&mut waiting).is_pending());
    }
    assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["a"]);
}

#[tokio::test]
async fn a_link_that_must_not_be_followed_is_an_error() {
    let rows = [
        (
            "https://evil.example/v1.0/users",
            "another place (`https://evil.example`)",
        ),
        ("//evil.example/x", "another place"),
        ("http://localhost:1/v1.0/users", "another place"),
        ("http://user@HOST/v1.0/users", "another place"),
        ("https://HOST/v1.0/users", "another place"),
        ("?$top=2", "in a circle"),
        ("  ", "is empty"),
        ("http://[", "no address"),
    ];
    for (link, words) in rows {
        let server = Server::start(move |seen: &Seen| {
            let link = link.replace("HOST", seen.header("host").unwrap());
            Reply::json(200, &page(&["a"], Some(&link)))
        })
        .await;
        let bench = Bench::new(&server.url);
        let mut pages = list(&bench);
        let error = pages.next().await.unwrap().unwrap_err();
        let GraphError::Unusable { cause, .. } = &error else {
            panic!("{link}: {error:?}")
        };
        assert!(cause.contains(words), "{link}: {cause}");
        assert!(pages.next().await.is_none());
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_circle_of_several_links_is_seen() {
    let (server, bench) = serving(vec![
        page(&["a"], Some("?p=2")),
        page(&["b"], Some("?p=3")),
        page(&["c"], Some("?p=2")),
    ])
    .await;
    let error = list(&bench).collect().await.unwrap_err();
    assert!(error.to_string().contains("circle"), "{error}");
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_list_that_never_brings_anything_new_ends() {
    let server = Server::start(|seen: &Seen| {
        Reply::json(200, &page(&["a"], Some(&format!("?p={}", seen.number))))
    })
    .await;
    let error = list(&Bench::new(&server.url)).collect().await.unwrap_err();
    assert!(error.to_string().contains("nothing new"), "{error}");
}

#[tokio::test]
async fn what_is_no_list_is_an_error() {
    for body in [
        r#"{"id":"a"}"#,
        r#"{"value":{}}"#,
        r#"{"value":null}"#,
        "[]",
        "7",
        r#"{"value":[],"@odata.nextLink":7}"#,
    ] {
        let (_server, bench) = serving(vec![body.to_owned()]).await;
        let mut pages = list(&bench);
        let error = pages.next().await.unwrap().unwrap_err();
        assert!(
            matches!(&error, GraphError::Unusable { .. }),
            "{body}: {error:?}"
        );
        assert_eq!(error.request_id(), Some("from-service"));
        assert!(pages.next().await.is_none());
    }
    let (_server, bench) = serving(vec![r#"{"@odata.nextLink":null,"value":[]}"#.to_owned()]).await;
    assert!(list(&bench).collect().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_page_that_is_gone_is_an_error_and_not_the_end() {
    for (status, code) in [
        (404, "Request_ResourceNotFound"),
        (410, "ResyncRequired"),
        (400, "Request_ExpiredPageToken"),
    ] {
        let server = Server::start(move |seen: &Seen| match seen.number {
            0 => Reply::json(200, &page(&["a"], Some("?p=2"))),
            _ => Reply::error(status, code),
        })
        .await;
        let bench = Bench::new(&server.url);
        let mut pages = list(&bench);
        assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["a"]);
        let error = pages.next().await.unwrap().unwrap_err();
        assert!(error.is(code), "{error:?}");
        assert!(pages.next().await.is_none());
    }
}

#[tokio::test]
async fn a_page_that_is_cut_is_read_again() {
    let server = Server::start(|seen: &Seen| match seen.number {
        0 => Reply::json(200, &page(&["a"], Some("?p=2"))),
        1 => Reply::json(200, &page(&["b"], None)).cut(),
        2 => Reply::error(500, "x"),
        _ => Reply::json(200, &page(&["b"], None)),
    })
    .await;
    let all = list(&Bench::new(&server.url)).collect().await.unwrap();
    assert_eq!(ids(&all), ["a", "b"]);
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn pages_after_a_search_are_fetched_with_get() {
    let (server, bench) = serving(vec![page(&["a"], Some("?p=2")), page(&["b"], None)]).await;
    let call = Call::post("search", "/search").json(&serde_json::json!({}));
    Arc::clone(&bench.client)
        .pages(call)
        .collect()
        .await
        .unwrap();
    let seen = server.seen();
    assert_eq!(
        (seen[1].method.as_str(), seen[1].body.as_str()),
        ("GET", "")
    );
}

#[tokio::test]
async fn stopping_ends_a_list() {
    let (_server, bench) = serving(vec![page(&["a"], Some("?p=2")), page(&["b"], None)]).await;
    let mut pages = list(&bench);
    bench.cancel.cancel();
    let error = pages.next().await.unwrap().unwrap_err();
    assert!(matches!(error, GraphError::Stopped { .. }), "{error:?}");
}

#[test]
fn a_page_is_read_whatever_comes() {
    let seeds = [
        page(&["a", "b", "a"], Some("?p=2")),
        page(&[], None),
        r#"{"value":[{"id":"\u0061","x":[{}]},7,null,{"id":5}],"@odata.nextLink":"\u003fp"}"#
            .to_owned(),
        "\u{feff}{\"value\":[]}".to_owned(),
        "<html><title>no</title></html>".to_owned(),
    ];
    let seeds = seeds.each_ref().map(String::as_str);
    let words = &[
        "\"value\":",
        "\"id\":",
        "\"@odata.nextLink\":",
        "[",
        "]",
        "{}",
        "\\u0061",
        "\\ud800",
        "null",
    ];
    Target::new("page", &seeds, words).attack(|bytes| {
        let body = match attempt::json(bytes::Bytes::copy_from_slice(bytes)) {
            Ok(body) => body,
            Err(why) => return format!("{why:?}"),
        };
        let answer = Answer {
            status: 200,
            request_id: String::new(),
            body,
        };
        let name = CallName {
            operation: "list",
            method: "GET".to_owned(),
            path: "/x".to_owned(),
            client_request_id: String::new(),
        };
        match Page::of(answer, name) {
            Err(error) => error.to_string(),
            Ok(page) => {
                for item in &page.items {
                    // Each is JSON of its own.
                    assert!(Json::new(item.bytes().clone()).is_ok());
                    super::id(item);
                    item.elements();
                    item.string("id");
                }
                format!("page {}", page.next.is_some())
            }
        }
    });
}
