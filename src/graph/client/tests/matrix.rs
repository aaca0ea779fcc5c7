//! The table of the design, "What may be sent again", row by row against a server that misbehaves: reading and changing,
//! where it happens once and where it never ends.
//!
//! A cell says how the call ended, and in brackets how many requests the server saw and how long the client waited:
//! `own` is a wait of the client's own choosing, a number is one that the service named. `unknown` goes to the door in
//! `changes/`, which looks before anything is sent again.

use std::fmt::Write as _;
use std::time::Duration;

use insta::assert_snapshot;

use super::{FINE, get, post};
use crate::graph::testing::{Bench, Reply, Seen, Server, limits};
use crate::graph::{Answer, GraphError, SignIn};

/// One row: what the server does with the first request, or with all.
struct Row {
    what: &'static str,
    bad: fn() -> Reply,
    with: With,
}

/// What the call or the client is like.
#[derive(Clone, Copy, PartialEq)]
enum With {
    Nothing,
    /// A token that can be replaced by another one.
    SignIn,
    /// An id that the service has just given out.
    NewId,
    /// Time limits of some tens of milliseconds.
    Haste,
}

fn row(what: &'static str, bad: fn() -> Reply) -> Row {
    let with = With::Nothing;
    Row { what, bad, with }
}

fn with(with: With, what: &'static str, bad: fn() -> Reply) -> Row {
    Row { what, bad, with }
}

const FOR_EVER: usize = usize::MAX - 1;

/// Runs one cell.
async fn cell(row: &Row, changing: bool, times: usize) -> String {
    let bad = row.bad;
    let with = row.with;
    let server = Server::start(move |seen| {
        if seen.target == "/t/token" {
            Reply::json(
                200,
                r#"{"access_token":"token-from-the-sandbox","expires_in":3600}"#,
            )
        } else if seen.number < times + usize::from(with == With::SignIn) {
            bad()
        } else {
            Reply::json(200, FINE)
        }
    })
    .await;
    let bench = match row.with {
        With::Haste => Bench::hasty(&server.url),
        With::SignIn => {
            let sign_in = SignIn::Sandbox {
                token_url: format!("{}/t/token", server.url),
                client_id: "c".to_owned(),
                secret: "hush-hush".into(),
            };
            Bench::with(&server.url, sign_in, limits())
        }
        With::Nothing | With::NewId => Bench::new(&server.url),
    };
    let since = (row.with == With::NewId).then(|| bench.client.now());
    let outcome = if changing {
        bench.client.change(post().fresh_since(since)).await
    } else {
        bench.client.read(get().fresh_since(since)).await
    };
    let mut sent = server.seen();
    sent.retain(|seen| seen.target != "/t/token");
    told(&outcome, &sent, bench.clock.slept())
}

fn told(outcome: &Result<Answer, GraphError>, sent: &[Seen], slept: Duration) -> String {
    let how = match outcome {
        Ok(_) if sent.len() > 1 => "again".to_owned(),
        Ok(_) => "taken".to_owned(),
        Err(GraphError::Unknown {
            maybe_later: true, ..
        }) => "unknown, later?".to_owned(),
        Err(GraphError::Unknown { .. }) => "unknown".to_owned(),
        Err(error @ GraphError::Exhausted { .. }) => format!("gave up: {}", error.code()),
        Err(error) => error.code().to_owned(),
    };
    // Where only time ends the tries, the dice of their waits decide how many there are.
    let count = match sent.len() {
        count @ ..=9 => count.to_string(),
        _ => "many".to_owned(),
    };
    let waited = match (slept.as_secs(), slept.subsec_nanos()) {
        (0, 0) => String::new(),
        (seconds, 0) => format!(", {seconds} s"),
        _ => ", own".to_owned(),
    };
    format!("{how} ({count}{waited})")
}

#[allow(clippy::large_futures)] // in a test
async fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        [
            "what",
            "reading: once",
            "reading: always",
            "changing: once",
            "changing: always",
        ]
        .map(str::to_owned),
    ];
    let rows = rows.iter().map(async |row| {
        let cells = futures::future::join4(
            cell(row, false, 1),
            cell(row, false, FOR_EVER),
            cell(row, true, 1),
            cell(row, true, FOR_EVER),
        );
        let (a, b, c, d) = cells.await;
        [row.what.to_owned(), a, b, c, d]
    });
    lines.extend(futures::future::join_all(rows).await);
    let widths: [usize; 5] =
        std::array::from_fn(|at| lines.iter().map(|line| line[at].len()).max().unwrap_or(0));
    let mut table = String::new();
    for line in &lines {
        let cells = line.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        let _ = writeln!(table, "{}", cells.join(" | ").trim_end());
    }
    table
}

fn status(status: u16, headers: &str) -> Reply {
    Reply::with(status, headers, "")
}

#[tokio::test]
async fn what_the_service_refuses() {
    let rows = [
        row("400", || Reply::error(400, "InvalidRestorePoint")),
        row("401, the token was given", || {
            Reply::error(401, "InvalidAuthenticationToken")
        }),
        with(With::SignIn, "401, another token can be had", || {
            Reply::error(401, "InvalidAuthenticationToken")
        }),
        row("403", || {
            Reply::error(403, "RestoreSessionActionNotAllowed")
        }),
        row("404", || Reply::error(404, "RestoreSessionNotFound")),
        with(With::NewId, "404, a new id", || {
            Reply::error(404, "RestoreSessionNotFound")
        }),
        row("405", || Reply::error(405, "Request_BadRequest")),
        row("408", || status(408, "")),
        row("409", || Reply::error(409, "ProtectionUnitAlreadyExists")),
        row("410", || Reply::error(410, "ResyncRequired")),
        row("413", || Reply::error(413, "RestoreArtifactsLimitBreached")),
        row("423", || Reply::error(423, "ResourceLocked")),
        row("500", || Reply::error(500, "InternalServerError")),
        row("500, a page", || Reply::with(500, "", "<html>Oops</html>")),
        row("500, 25 sessions are active", || {
            Reply::error(500, "TooManyActiveRestoreSessions")
        }),
        row("501", || status(501, "")),
        row("502, a proxy's page", || {
            Reply::with(502, "", "<html>Bad Gateway</html>")
        }),
        row("503", || Reply::error(503, "ServiceUnavailable")),
        row("504", || status(504, "")),
        row("504, Retry-After: 7", || status(504, "retry-after: 7\r\n")),
        row("507", || status(507, "")),
        row("599", || status(599, "")),
    ];
    assert_snapshot!(table(&rows).await, @"
    what                          | reading: once                      | reading: always                       | changing: once                     | changing: always
    400                           | InvalidRestorePoint (1)            | InvalidRestorePoint (1)               | InvalidRestorePoint (1)            | InvalidRestorePoint (1)
    401, the token was given      | InvalidAuthenticationToken (1)     | InvalidAuthenticationToken (1)        | InvalidAuthenticationToken (1)     | InvalidAuthenticationToken (1)
    401, another token can be had | again (2)                          | InvalidAuthenticationToken (2)        | again (2)                          | InvalidAuthenticationToken (2)
    403                           | RestoreSessionActionNotAllowed (1) | RestoreSessionActionNotAllowed (1)    | RestoreSessionActionNotAllowed (1) | RestoreSessionActionNotAllowed (1)
    404                           | RestoreSessionNotFound (1)         | RestoreSessionNotFound (1)            | RestoreSessionNotFound (1)         | RestoreSessionNotFound (1)
    404, a new id                 | again (2, own)                     | RestoreSessionNotFound (many, own)    | again (2, own)                     | RestoreSessionNotFound (many, own)
    405                           | Request_BadRequest (1)             | Request_BadRequest (1)                | Request_BadRequest (1)             | Request_BadRequest (1)
    408                           | again (2, own)                     | gave up: HttpStatus408 (6, own)       | unknown, later? (1)                | unknown, later? (1)
    409                           | ProtectionUnitAlreadyExists (1)    | ProtectionUnitAlreadyExists (1)       | ProtectionUnitAlreadyExists (1)    | ProtectionUnitAlreadyExists (1)
    410                           | ResyncRequired (1)                 | ResyncRequired (1)                    | ResyncRequired (1)                 | ResyncRequired (1)
    413                           | RestoreArtifactsLimitBreached (1)  | RestoreArtifactsLimitBreached (1)     | RestoreArtifactsLimitBreached (1)  | RestoreArtifactsLimitBreached (1)
    423                           | ResourceLocked (1)                 | ResourceLocked (1)                    | ResourceLocked (1)                 | ResourceLocked (1)
    500                           | again (2, own)                     | gave up: InternalServerError (6, own) | unknown (1)                        | unknown (1)
    500, a page                   | again (2, own)                     | gave up: HttpStatus500 (6, own)       | unknown (1)                        | unknown (1)
    500, 25 sessions are active   | TooManyActiveRestoreSessions (1)   | TooManyActiveRestoreSessions (1)      | TooManyActiveRestoreSessions (1)   | TooManyActiveRestoreSessions (1)
    501                           | HttpStatus501 (1)                  | HttpStatus501 (1)                     | HttpStatus501 (1)                  | HttpStatus501 (1)
    502, a proxy's page           | again (2, own)                     | gave up: HttpStatus502 (6, own)       | unknown (1)                        | unknown (1)
    503                           | again (2, own)                     | gave up: ServiceUnavailable (6, own)  | unknown (1)                        | unknown (1)
    504                           | again (2, own)                     | gave up: HttpStatus504 (6, own)       | unknown, later? (1)                | unknown, later? (1)
    504, Retry-After: 7           | again (2, own)                     | gave up: HttpStatus504 (6, own)       | unknown, later? (1)                | unknown, later? (1)
    507                           | again (2, own)                     | gave up: HttpStatus507 (6, own)       | unknown (1)                        | unknown (1)
    599                           | again (2, own)                     | gave up: HttpStatus599 (6, own)       | unknown (1)                        | unknown (1)
    ");
}

#[tokio::test]
async fn how_long_the_service_asks_to_wait() {
    let rows = [
        row("429, Retry-After: 7", || status(429, "retry-after: 7\r\n")),
        row("429, none", || status(429, "")),
        row("429, zero", || status(429, "retry-after: 0\r\n")),
        row("429, negative", || status(429, "retry-after: -5\r\n")),
        row("429, half a minute as a date", || {
            status(
                429,
                "date: Tue, 24 Nov 2026 02:00:00 GMT\r\nretry-after: Tue, 24 Nov 2026 02:00:30 GMT\r\n",
            )
        }),
        row("429, the service 10 min behind us", || {
            status(
                429,
                "date: Tue, 24 Nov 2026 01:50:00 GMT\r\nretry-after: Tue, 24 Nov 2026 01:50:30 GMT\r\n",
            )
        }),
        row("429, the service 10 min ahead of us", || {
            status(
                429,
                "date: Tue, 24 Nov 2026 02:10:00 GMT\r\nretry-after: Tue, 24 Nov 2026 02:10:30 GMT\r\n",
            )
        }),
        row("429, a date that has passed", || {
            status(
                429,
                "date: Tue, 24 Nov 2026 02:00:00 GMT\r\nretry-after: Mon, 23 Nov 2026 02:00:00 GMT\r\n",
            )
        }),
        row("429, in 200 years", || {
            status(429, "retry-after: Fri, 24 Nov 2226 02:00:00 GMT\r\n")
        }),
        row("429, absurd", || {
            status(429, "retry-after: 99999999999999999999\r\n")
        }),
        row("429, no number", || status(429, "retry-after: soon\r\n")),
        row("429, no text", || {
            Reply::Write(
                b"HTTP/1.1 429 X\r\nretry-after: \xff\xfe\r\ncontent-length: 0\r\n\r\n".to_vec(),
            )
        }),
        row("429, two of them", || {
            status(429, "retry-after: 7\r\nretry-after: 60\r\n")
        }),
        row("429, more than is left", || {
            status(429, "retry-after: 901\r\n")
        }),
        row("403, with a code of throttling", || {
            Reply::error(403, "activityLimitReached")
        }),
        row("503, Retry-After: 7", || status(503, "retry-after: 7\r\n")),
        row("503, zero", || status(503, "retry-after: 0\r\n")),
        row("503, negative", || status(503, "retry-after: -5\r\n")),
        row("503, half a minute as a date", || {
            status(
                503,
                "date: Tue, 24 Nov 2026 02:10:00 GMT\r\nretry-after: Tue, 24 Nov 2026 02:10:30 GMT\r\n",
            )
        }),
        row("503, absurd", || status(503, "retry-after: 1e300\r\n")),
        row("503, no number", || status(503, "retry-after: soon\r\n")),
        row("503, none", || status(503, "")),
    ];
    assert_snapshot!(table(&rows).await, @"
    what                                | reading: once              | reading: always                           | changing: once             | changing: always
    429, Retry-After: 7                 | again (2, 7 s)             | gave up: HttpStatus429 (many, 896 s)      | again (2, 7 s)             | gave up: HttpStatus429 (many, 896 s)
    429, none                           | again (2, own)             | gave up: HttpStatus429 (many, own)        | again (2, own)             | gave up: HttpStatus429 (many, own)
    429, zero                           | again (2, own)             | gave up: HttpStatus429 (many, own)        | again (2, own)             | gave up: HttpStatus429 (many, own)
    429, negative                       | again (2, own)             | gave up: HttpStatus429 (many, own)        | again (2, own)             | gave up: HttpStatus429 (many, own)
    429, half a minute as a date        | again (2, 30 s)            | gave up: HttpStatus429 (many, 900 s)      | again (2, 30 s)            | gave up: HttpStatus429 (many, 900 s)
    429, the service 10 min behind us   | again (2, 30 s)            | gave up: HttpStatus429 (many, 900 s)      | again (2, 30 s)            | gave up: HttpStatus429 (many, 900 s)
    429, the service 10 min ahead of us | again (2, 30 s)            | gave up: HttpStatus429 (many, 900 s)      | again (2, 30 s)            | gave up: HttpStatus429 (many, 900 s)
    429, a date that has passed         | again (2, own)             | gave up: HttpStatus429 (many, own)        | again (2, own)             | gave up: HttpStatus429 (many, own)
    429, in 200 years                   | again (2, own)             | gave up: HttpStatus429 (many, own)        | again (2, own)             | gave up: HttpStatus429 (many, own)
    429, absurd                         | again (2, own)             | gave up: HttpStatus429 (many, own)        | again (2, own)             | gave up: HttpStatus429 (many, own)
    429, no number                      | again (2, own)             | gave up: HttpStatus429 (many, own)        | again (2, own)             | gave up: HttpStatus429 (many, own)
    429, no text                        | again (2, own)             | gave up: HttpStatus429 (many, own)        | again (2, own)             | gave up: HttpStatus429 (many, own)
    429, two of them                    | again (2, 7 s)             | gave up: HttpStatus429 (many, 896 s)      | again (2, 7 s)             | gave up: HttpStatus429 (many, 896 s)
    429, more than is left              | gave up: HttpStatus429 (1) | gave up: HttpStatus429 (1)                | gave up: HttpStatus429 (1) | gave up: HttpStatus429 (1)
    403, with a code of throttling      | again (2, own)             | gave up: activityLimitReached (many, own) | again (2, own)             | gave up: activityLimitReached (many, own)
    503, Retry-After: 7                 | again (2, 7 s)             | gave up: HttpStatus503 (many, 896 s)      | again (2, 7 s)             | gave up: HttpStatus503 (many, 896 s)
    503, zero                           | again (2, own)             | gave up: HttpStatus503 (many, own)        | again (2, own)             | gave up: HttpStatus503 (many, own)
    503, negative                       | again (2, own)             | gave up: HttpStatus503 (many, own)        | again (2, own)             | gave up: HttpStatus503 (many, own)
    503, half a minute as a date        | again (2, 30 s)            | gave up: HttpStatus503 (many, 900 s)      | again (2, 30 s)            | gave up: HttpStatus503 (many, 900 s)
    503, absurd                         | again (2, own)             | gave up: HttpStatus503 (many, own)        | again (2, own)             | gave up: HttpStatus503 (many, own)
    503, no number                      | again (2, own)             | gave up: HttpStatus503 (6, own)           | unknown (1)                | unknown (1)
    503, none                           | again (2, own)             | gave up: HttpStatus503 (6, own)           | unknown (1)                | unknown (1)
    ");
}

fn raw(text: &str) -> Reply {
    Reply::WriteAndClose(text.as_bytes().to_vec())
}

fn packed(bytes: &[u8]) -> Reply {
    let length = bytes.len();
    let mut all =
        format!("HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n")
            .into_bytes();
    all.extend(bytes);
    Reply::Write(all)
}

fn trickle(first: &str) -> Reply {
    Reply::Trickle(
        first.as_bytes().to_vec(),
        b" ".to_vec(),
        Duration::from_millis(10),
    )
}

#[tokio::test]
async fn answers_that_do_not_come_or_not_whole() {
    let rows = [
        row("reset", || Reply::Reset),
        row("closed before the head", || raw("")),
        row("cut in the head", || raw("HTTP/1.1 200 OK\r\nconte")),
        row("cut behind the head", || {
            raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
        }),
        row("the same, no length announced", || {
            raw("HTTP/1.1 200 OK\r\n\r\n")
        }),
        row("cut in the body", || Reply::json(200, FINE).cut()),
        row("the same, no length announced", || {
            raw("HTTP/1.1 200 OK\r\n\r\n{\"id\":\"1")
        }),
        row("cut in a chunk", || {
            raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n{\"id\"")
        }),
        row("no last chunk", || {
            raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n{\"id\":\"1\"}\r\n")
        }),
        row("a chunk of no size", || {
            raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")
        }),
        row("cut JSON, a fitting length", || {
            Reply::json(200, r#"{"value":[1,"#)
        }),
        row("no HTTP", || raw("SSH-2.0-OpenSSH_9.6\r\n")),
        row("an announced length of -1", || {
            raw("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}")
        }),
        row("two lengths", || {
            raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}")
        }),
        row("a head of a megabyte", || {
            raw(&format!(
                "HTTP/1.1 200 OK\r\nx: {}\r\n\r\n",
                "y".repeat(1 << 20)
            ))
        }),
        row("a thousand headers", || {
            raw(&format!(
                "HTTP/1.1 200 OK\r\n{}\r\n",
                "x: y\r\n".repeat(1000)
            ))
        }),
    ];
    assert_snapshot!(table(&rows).await, @"
    what                          | reading: once  | reading: always            | changing: once | changing: always
    reset                         | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    closed before the head        | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    cut in the head               | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    cut behind the head           | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    the same, no length announced | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    cut in the body               | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    the same, no length announced | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    cut in a chunk                | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    no last chunk                 | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    a chunk of no size            | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    cut JSON, a fitting length    | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    no HTTP                       | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    an announced length of -1     | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    two lengths                   | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    a head of a megabyte          | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    a thousand headers            | again (2, own) | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    ");
}

#[tokio::test]
async fn answers_that_take_too_long() {
    let rows = [
        with(With::Haste, "silence", || Reply::Silence),
        with(With::Haste, "a trickling head", || {
            trickle("HTTP/1.1 200 X\r\nx: ")
        }),
        with(With::Haste, "a trickling body", || {
            trickle("HTTP/1.1 200 X\r\ncontent-length: 9999\r\n\r\n")
        }),
    ];
    assert_snapshot!(table(&rows).await, @"
    what             | reading: once  | reading: always            | changing: once | changing: always
    silence          | again (2, own) | gave up: NoAnswer (3, own) | unknown (1)    | unknown (1)
    a trickling head | again (2, own) | gave up: NoAnswer (3, own) | unknown (1)    | unknown (1)
    a trickling body | again (2, own) | gave up: NoAnswer (3, own) | unknown (1)    | unknown (1)
    ");
}

#[tokio::test]
async fn answers_that_cannot_be_used() {
    let rows = [
        row("garbage for gzip", || {
            packed(b"\x1f this is no gzip stream")
        }),
        row("gzip, then garbage", || {
            packed(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff and then nothing")
        }),
        row("no JSON", || Reply::json(200, "nope")),
        row("no UTF-8", || {
            Reply::Write(b"HTTP/1.1 200 X\r\ncontent-length: 8\r\n\r\n{\"\xff\xfe\":1}".to_vec())
        }),
        row("JSON twice", || Reply::json(200, "{}{}")),
        row("100,000 brackets, never closed", || {
            Reply::json(200, &"[".repeat(100_000))
        }),
        row("somebody else's page", || {
            Reply::with(200, "content-type: text/html\r\n", "<html>Sign in</html>")
        }),
        row("an empty 200", || Reply::with(200, "", "")),
        row("larger than allowed", || {
            Reply::with(200, "", &" ".repeat(2 << 20))
        }),
        row("announced larger than allowed", || {
            raw("HTTP/1.1 200 X\r\ncontent-length: 99999999999999\r\n\r\n[")
        }),
        row("304", || status(304, "")),
        row("a redirect to nowhere", || status(302, "")),
        row("a redirect in a circle", || {
            status(302, "location: ?again\r\n")
        }),
        row("a redirect to another host", || {
            status(302, "location: https://evil.example/x\r\n")
        }),
        row("a redirect to another port", || {
            status(302, "location: http://127.0.0.1:9/x\r\n")
        }),
        row("a redirect with a user name", || {
            status(302, "location: http://a@127.0.0.1/x\r\n")
        }),
    ];
    assert_snapshot!(table(&rows).await, @"
    what                           | reading: once      | reading: always            | changing: once | changing: always
    garbage for gzip               | again (2, own)     | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    gzip, then garbage             | again (2, own)     | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    no JSON                        | again (2, own)     | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    no UTF-8                       | again (2, own)     | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    JSON twice                     | again (2, own)     | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    100,000 brackets, never closed | again (2, own)     | gave up: NoAnswer (6, own) | unknown (1)    | unknown (1)
    somebody else's page           | again (2, own)     | UnusableAnswer (6, own)    | unknown (1)    | unknown (1)
    an empty 200                   | again (2, own)     | gave up: NoAnswer (6, own) | taken (1)      | taken (1)
    larger than allowed            | UnusableAnswer (1) | UnusableAnswer (1)         | unknown (1)    | unknown (1)
    announced larger than allowed  | UnusableAnswer (1) | UnusableAnswer (1)         | unknown (1)    | unknown (1)
    304                            | UnusableAnswer (1) | UnusableAnswer (1)         | unknown (1)    | unknown (1)
    a redirect to nowhere          | UnusableAnswer (1) | UnusableAnswer (1)         | unknown (1)    | unknown (1)
    a redirect in a circle         | again (2)          | UnusableAnswer (6)         | unknown (1)    | unknown (1)
    a redirect to another host     | UnusableAnswer (1) | UnusableAnswer (1)         | unknown (1)    | unknown (1)
    a redirect to another port     | UnusableAnswer (1) | UnusableAnswer (1)         | unknown (1)    | unknown (1)
    a redirect with a user name    | UnusableAnswer (1) | UnusableAnswer (1)         | unknown (1)    | unknown (1)
    ");
}

#[tokio::test]
async fn answers_that_look_odd_and_are_good() {
    let rows = [
        row("201", || Reply::json(201, FINE)),
        row("202, nothing in it", || Reply::with(202, "", "")),
        row("204", || raw("HTTP/1.1 204 X\r\n\r\n")),
        row("206", || Reply::json(206, FINE)),
        row("no length announced", || {
            raw("HTTP/1.1 200 OK\r\n\r\n{\"id\":\"1\"}")
        }),
        row("chunks", || {
            raw(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n5\r\n:\"1\"}\r\n0\r\n\r\n",
            )
        }),
        row("100 and 103 first", || {
            raw(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            )
        }),
        row("100,000 brackets", || Reply::json(200, &brackets(100_000))),
        row("a wrong content type", || {
            Reply::with(200, "content-type: text/plain\r\n", FINE)
        }),
        row("a byte order mark", || Reply::json(200, "\u{feff}{}")),
        row("a body longer than announced", || {
            raw("HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\n{} HTTP/1.1 500 X")
        }),
        row("HTTP/1.0", || {
            raw("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        }),
    ];
    assert_snapshot!(table(&rows).await, @"
    what                         | reading: once | reading: always | changing: once | changing: always
    201                          | taken (1)     | taken (1)       | taken (1)      | taken (1)
    202, nothing in it           | taken (1)     | taken (1)       | taken (1)      | taken (1)
    204                          | taken (1)     | taken (1)       | taken (1)      | taken (1)
    206                          | taken (1)     | taken (1)       | taken (1)      | taken (1)
    no length announced          | taken (1)     | taken (1)       | taken (1)      | taken (1)
    chunks                       | taken (1)     | taken (1)       | taken (1)      | taken (1)
    100 and 103 first            | taken (1)     | taken (1)       | taken (1)      | taken (1)
    100,000 brackets             | taken (1)     | taken (1)       | taken (1)      | taken (1)
    a wrong content type         | taken (1)     | taken (1)       | taken (1)      | taken (1)
    a byte order mark            | taken (1)     | taken (1)       | taken (1)      | taken (1)
    a body longer than announced | taken (1)     | taken (1)       | taken (1)      | taken (1)
    HTTP/1.0                     | taken (1)     | taken (1)       | taken (1)      | taken (1)
    ");
}

/// Nothing leaves: the server sees none of it, and a change may be sent again as a read may.
#[tokio::test]
async fn requests_that_never_leave() {
    let refused = Server::stopped().await;
    let (secure, _) = Server::secure(|_| Reply::json(200, FINE)).await;
    let mut table = String::new();
    for (what, server) in [
        ("a refused port", refused),
        ("a certificate nobody trusts", secure),
    ] {
        for (kind, changing) in [("reading", false), ("changing", true)] {
            let bench = Bench::new(&server.url);
            let outcome = if changing {
                bench.client.change(post()).await
            } else {
                bench.client.read(get()).await
            };
            let (code, tries) = (outcome.unwrap_err(), bench.client.requests().sent);
            let seen = server.count();
            let _ = writeln!(
                table,
                "{what:27} | {kind:8} | {}: {tries} tries, {seen} seen",
                code.code()
            );
        }
    }
    assert_snapshot!(table, @"
    a refused port              | reading  | Unreachable: 4 tries, 0 seen
    a refused port              | changing | Unreachable: 4 tries, 0 seen
    a certificate nobody trusts | reading  | Unreachable: 4 tries, 0 seen
    a certificate nobody trusts | changing | Unreachable: 4 tries, 0 seen
    ");
}

fn brackets(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}
