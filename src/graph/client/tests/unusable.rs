//! Answers that will not get better by asking again.

use super::{after, get};
use crate::graph::testing::{Bench, Reply, Server, TOKEN};
use crate::graph::{GraphError, SignIn};

#[tokio::test]
async fn what_nothing_can_be_read_from_is_said_at_once() {
    let big = "x".repeat(3 << 20);
    let rows: Vec<(&str, Reply)> = vec![
        (
            "an HTML page instead of JSON: Sign in",
            Reply::with(
                200,
                "content-type: text/html\r\n",
                "<html><title>Sign in</title></html>",
            ),
        ),
        ("larger than 1 MiB", Reply::with(200, "", &big)),
        // Without a length: counted while it comes.
        (
            "larger than 1 MiB",
            Reply::WriteAndClose(format!("HTTP/1.1 200 X\r\n\r\n{big}").into_bytes()),
        ),
        (
            "redirect to another place (`https://evil.example`)",
            Reply::with(302, "location: https://evil.example/x\r\n", ""),
        ),
        (
            "redirect to another place",
            Reply::with(301, "location: http://127.0.0.1:9/x\r\n", ""),
        ),
        ("leads nowhere", Reply::with(302, "", "")),
        (
            "more than 5 redirects",
            Reply::with(307, "location: ?a\r\n", ""),
        ),
    ];
    for (words, reply) in rows {
        let (Reply::Write(bytes) | Reply::WriteAndClose(bytes)) = reply else {
            panic!("only written ones")
        };
        let server = after(99, move || Reply::WriteAndClose(bytes.clone())).await;
        let error = Bench::new(&server.url)
            .client
            .read(get())
            .await
            .unwrap_err();
        let GraphError::Unusable { cause, .. } = &error else {
            panic!("{words}: {error:?}")
        };
        assert!(cause.contains(words), "{cause}");
        assert!(server.count() <= 6);
    }
}

#[tokio::test]
async fn a_hundred_megabytes_are_not_even_begun() {
    let server = Server::start(|_| {
        Reply::Write(b"HTTP/1.1 200 X\r\ncontent-length: 100000000\r\n\r\n[".to_vec())
    })
    .await;
    let bench = Bench::with(
        &server.url,
        SignIn::Token(TOKEN.into()),
        crate::graph::limits::Limits::default(),
    );
    let error = bench.client.read(get()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the answer is larger than 64 MiB"),
        "{error}"
    );
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_small_body_that_unpacks_without_end_is_cut() {
    let packed = spaces(4 << 20);
    assert!(packed.len() < 32 << 10);
    let server = Server::start(move |_| {
        let mut bytes = format!(
            "HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            packed.len()
        )
        .into_bytes();
        bytes.extend(&packed);
        Reply::Write(bytes)
    })
    .await;
    let error = Bench::new(&server.url)
        .client
        .read(get())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the answer is larger than 1 MiB"),
        "{error}"
    );
    assert_eq!(server.count(), 1);
}

/// About so many spaces through gzip, without the checksum at the end: one block of fixed codes, a space and then "the last
/// byte, 258 times" again and again.
fn spaces(about: usize) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut bits = Vec::new();
    // Last block; fixed codes (low bit first).
    bits.extend([true, true, false]);
    // The literal 0x20 is 0x30 + 0x20 in eight bits, high bit first.
    bits.extend((0..8).rev().map(|bit| 0x50_u32 >> bit & 1 == 1));
    for _ in 0..about / 258 {
        // Length 258 is code 285, 0b11000101; distance 1 is code 0 in five bits.
        bits.extend((0..8).rev().map(|bit| 0b1100_0101_u32 >> bit & 1 == 1));
        bits.extend([false; 5]);
    }
    bytes.extend(bits.chunks(8).map(|chunk| {
        chunk
            .iter()
            .enumerate()
            .fold(0, |byte, (at, bit)| byte | u8::from(*bit) << at)
    }));
    bytes
}
