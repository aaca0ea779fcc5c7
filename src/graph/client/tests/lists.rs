//! Lists over a service that pages badly: what came of it, how many requests, what was wrong.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::graph::Call;
use crate::graph::testing::{Bench, Reply, Seen, Server};

/// Rows of a page, and its next link; `HERE` in it is the server's own address.
fn page(rows: &str, next: &str) -> Reply {
    let value: Vec<_> = rows
        .chars()
        .map(|id| serde_json::json!({"id": id.to_string()}))
        .collect();
    let mut page = serde_json::json!({ "value": value });
    if !next.is_empty() {
        page["@odata.nextLink"] = next.into();
    }
    Reply::json(200, &page.to_string())
}

/// By the number of the request.
type Script = fn(usize, &str) -> Reply;

const LISTS: &[(&str, Script)] = &[
    ("three pages", |n, _| match n {
        0 => page("ab", "?p=1"),
        1 => page("cd", "?p=2"),
        _ => page("e", ""),
    }),
    ("an absolute link", |n, here| match n {
        0 => page("ab", &format!("{here}/v1.0/users?p=1")),
        _ => page("c", ""),
    }),
    ("a link from another path", |n, _| match n {
        0 => page("ab", "/v1.0/directory?p=1"),
        _ => page("c", ""),
    }),
    ("a page twice", |n, _| match n {
        0 => page("ab", "?p=1"),
        1 => page("ab", "?p=2"),
        _ => page("c", ""),
    }),
    ("pages that overlap", |n, _| match n {
        0 => page("abc", "?p=1"),
        _ => page("bcd", ""),
    }),
    ("a row twice in a page", |_, _| page("aab", "")),
    ("empty pages in between", |n, _| match n {
        0 => page("", "?p=1"),
        1 => page("a", "?p=2"),
        2..=5 => page("", &format!("?p={}", n + 1)),
        _ => page("b", ""),
    }),
    ("999 empty pages", |n, _| match n {
        0..999 => page("", &format!("?p={n}")),
        _ => page("a", ""),
    }),
    ("empty pages for ever", |n, _| page("", &format!("?p={n}"))),
    ("the same rows for ever", |n, _| {
        page("ab", &format!("?p={n}"))
    }),
    ("a link to itself", |n, _| match n {
        0 => page("ab", "?p=1"),
        _ => page("cd", "?p=1"),
    }),
    ("a circle of three", |n, _| {
        page(["a", "b", "c"][n % 3], &format!("?p={}", n % 3))
    }),
    ("a link to another host", |_, _| {
        page("ab", "https://evil.example/v1.0/users?p=1")
    }),
    ("a link to another port", |_, _| {
        page("ab", "http://127.0.0.1:9/v1.0/users?p=1")
    }),
    ("a link without scheme", |_, _| {
        page("ab", "//evil.example/v1.0/users")
    }),
    ("a link that is no http", |_, _| {
        page("ab", "file:///etc/passwd")
    }),
    ("a link with a password", |_, here| {
        page("ab", &here.replace("http://", "http://a:b@"))
    }),
    ("an empty link", |_, _| page("ab", " ")),
    ("a link that is a number", |_, _| {
        Reply::json(200, r#"{"value":[{"id":"a"}],"@odata.nextLink":7}"#)
    }),
    ("a link of a megabyte", |n, _| match n {
        0 => page("ab", &format!("?p={}", "x".repeat(1 << 20))),
        _ => Reply::with(414, "", ""),
    }),
    ("no `value`", |_, _| Reply::json(200, "{}")),
    ("no list", |_, _| Reply::json(200, r#"{"value":{}}"#)),
    ("an empty answer", |n, _| match n {
        0 => page("ab", "?p=1"),
        1 => Reply::with(200, "", ""),
        _ => page("c", ""),
    }),
    ("the second page cut", |n, _| match n {
        0 => page("ab", "?p=1"),
        1 => page("c", "").cut(),
        _ => page("c", ""),
    }),
    ("the second page throttled", |n, _| match n {
        0 => page("ab", "?p=1"),
        1 => Reply::with(429, "retry-after: 3\r\n", ""),
        _ => page("c", ""),
    }),
    ("the second page HTML", |n, _| match n {
        0 => page("ab", "?p=1"),
        1 => Reply::with(200, "", "<html>Sign in</html>"),
        _ => page("c", ""),
    }),
    ("the second page gone", |n, _| match n {
        0 => page("ab", "?p=1"),
        _ => Reply::error(404, "Request_ResourceNotFound"),
    }),
    ("the link has expired", |n, _| match n {
        0 => page("ab", "?p=1"),
        _ => Reply::error(400, "Request_ExpiredPageToken"),
    }),
    ("the second page never", |n, _| match n {
        0 => page("ab", "?p=1"),
        _ => Reply::error(503, "ServiceUnavailable"),
    }),
    ("a redirect on the second page", |n, here| match n {
        0 => page("ab", "?p=1"),
        1 => Reply::with(302, &format!("location: {here}/v1.0/moved\r\n"), ""),
        2 => page("c", "?p=2"),
        _ => page("d", ""),
    }),
    ("rows that are no objects", |_, _| {
        Reply::json(200, r#"{"value":[1,null,"x",[],{}]}"#)
    }),
    ("ids that differ in form only", |_, _| {
        Reply::json(
            200,
            r#"{"value":[{"id":"a"},{"id":"\u0061"},{"id":5},{"id":5},{"id":null}]}"#,
        )
    }),
    ("100,000 brackets in a row", |_, _| {
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        Reply::json(
            200,
            &format!(r#"{{"value":[{{"id":"a","x":{open}{close}}}]}}"#),
        )
    }),
];

#[tokio::test]
async fn a_list_is_whole_or_an_error() {
    let mut table = String::new();
    for (what, script) in LISTS {
        let server = Server::start(move |seen: &Seen| {
            let here = format!("http://{}", seen.header("host").unwrap());
            script(seen.number, &here)
        })
        .await;
        let bench = Bench::new(&server.url);
        let list = bench.client.pages(Call::get("list users", "/users"));
        let ended = match list.collect().await {
            Ok(rows) => {
                let ids = rows
                    .iter()
                    .map(|row| row.string("id").unwrap_or_else(|| "-".to_owned()));
                format!("[{}]", ids.collect::<Vec<_>>().join(" "))
            }
            Err(error) => {
                let cause = error.to_string();
                let cause = cause.rsplit(": ").next().unwrap_or_default();
                let cause: String = cause.chars().take(60).collect();
                let cause = cause.trim_end();
                format!("{}: {cause}", error.code())
            }
        };
        let _ = writeln!(table, "{what:30}| {:4} | {ended}", server.count());
    }
    assert_snapshot!(table, @"
    three pages                   |    3 | [a b c d e]
    an absolute link              |    2 | [a b c]
    a link from another path      |    2 | [a b c]
    a page twice                  |    3 | [a b c]
    pages that overlap            |    2 | [a b c d]
    a row twice in a page         |    1 | [a b]
    empty pages in between        |    7 | [a b]
    999 empty pages               | 1000 | [a]
    empty pages for ever          | 1000 | UnusableAnswer: 1000 pages in a row brought nothing new
    the same rows for ever        | 1001 | UnusableAnswer: 1000 pages in a row brought nothing new
    a link to itself              |    2 | UnusableAnswer: the link to the next page leads in a circle
    a circle of three             |    4 | UnusableAnswer: the link to the next page leads in a circle
    a link to another host        |    1 | UnusableAnswer: the next page is said to be at another place (`https://evil.
    a link to another port        |    1 | UnusableAnswer: the next page is said to be at another place (`http://127.0.
    a link without scheme         |    1 | UnusableAnswer: the next page is said to be at another place (`http://evil.e
    a link that is no http        |    1 | UnusableAnswer: the next page is said to be at another place (`file:`); the
    a link with a password        |    1 | UnusableAnswer: the next page is said to be at another place (`http://127.0.
    an empty link                 |    1 | UnusableAnswer: the link to the next page is empty
    a link that is a number       |    1 | UnusableAnswer: integer `7`, expected a string at line 1 column 41)
    a link of a megabyte          |    1 | UnusableAnswer: the answer is larger than 1 MiB
    no `value`                    |    1 | UnusableAnswer: a list was expected, an object with an array `value` (missin
    no list                       |    1 | UnusableAnswer: map, expected a sequence at line 1 column 9)
    an empty answer               |    3 | [a b c]
    the second page cut           |    3 | [a b c]
    the second page throttled     |    3 | [a b c]
    the second page HTML          |    3 | [a b c]
    the second page gone          |    2 | Request_ResourceNotFound: Request_ResourceNotFound
    the link has expired          |    2 | Request_ExpiredPageToken: Request_ExpiredPageToken
    the second page never         |    7 | ServiceUnavailable: ServiceUnavailable
    a redirect on the second page |    4 | [a b c d]
    rows that are no objects      |    1 | [- - - - -]
    ids that differ in form only  |    1 | [a - - -]
    100,000 brackets in a row     |    1 | [a]
    ");
}
