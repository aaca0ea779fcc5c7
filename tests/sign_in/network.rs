//! The way to the sign-in service: proxies, private CAs, nobody there, pages of somebody else.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Bench, Entra};

/// A proxy that leads every `CONNECT` to one port of this machine.
struct Proxy {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn to(entra: &Entra) -> Self {
        let port: u16 = entra.url.rsplit(':').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heard = heard.clone();
                std::thread::spawn(move || pass(stream, port, &heard));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked.dedup();
        asked
    }
}

fn pass(stream: TcpStream, port: u16, heard: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    heard.lock().unwrap().push(line.trim_end().to_owned());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {}
    let mut behind = TcpStream::connect(("127.0.0.1", port)).unwrap();
    (&stream).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let mut back = (behind.try_clone().unwrap(), stream);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut back.0, &mut back.1);
        let _ = back.1.shutdown(Shutdown::Both);
    });
    let _ = std::io::copy(&mut reader, &mut behind);
    let _ = behind.shutdown(Shutdown::Both);
}

fn bench(entra: &Entra) -> Bench {
    entra
        .bench()
        .variable("AZURE_CLIENT_SECRET", "s")
        .variable("AZURE_AUTHORITY_HOST", "https://login.example")
        .variable("RUNBACK_GRAPH_URL", "https://graph.example")
}

#[test]
fn the_sign_in_goes_through_the_proxy_and_trusts_the_ca_file() {
    let entra = Entra::generous();
    let proxy = Proxy::to(&entra);
    let done = bench(&entra)
        .variable("HTTPS_PROXY", &proxy.url)
        .run()
        .expect(0);
    assert_eq!(done.stdout, "2\n", "{done}");
    assert_eq!(
        proxy.asked(),
        [
            "CONNECT graph.example:443 HTTP/1.1",
            "CONNECT login.example:443 HTTP/1.1"
        ]
    );
    let distrusting = bench(&entra)
        .variable("HTTPS_PROXY", &proxy.url)
        .variable("RUNBACK_CA_FILE", "");
    let done = distrusting.run().expect(6);
    assert!(
        done.stderr
            .contains("no answer from `https://login.example`"),
        "{done}"
    );
    assert!(done.stderr.contains("certificate"), "{done}");
}

/// Four tries, which takes two seconds.
#[test]
fn a_proxy_that_refuses_is_named() {
    let done = Bench::new()
        .script("print(users::list().count());")
        .variable(
            "HTTPS_PROXY",
            "http://someone:secret-of-the-proxy@127.0.0.1:1",
        )
        .variable("RUNBACK_ACCESS_TOKEN", "token")
        .variable("RUNBACK_AUTH", "token")
        .variable("RUNBACK_GRAPH_URL", "https://graph.example")
        .run()
        .expect(2);
    let said =
        "cannot reach `graph.example` through the proxy `http://127.0.0.1:1`: connection refused";
    assert!(done.stderr.contains(said), "{done}");
}

#[test]
fn no_proxy_is_obeyed_by_the_sign_in() {
    let entra = Entra::generous();
    let proxy = Proxy::to(&entra);
    let done = bench(&entra)
        .variable("HTTPS_PROXY", &proxy.url)
        .variable("NO_PROXY", "login.example")
        .run()
        .expect(6);
    assert!(
        done.stderr
            .contains("no answer from `https://login.example`"),
        "{done}"
    );
    assert_eq!(proxy.asked(), [""; 0]);
}

#[test]
fn a_gateway_on_this_machine_keeps_the_proxy_for_the_sign_in() {
    let entra = Entra::generous();
    let proxy = Proxy::to(&entra);
    let done = bench(&entra)
        .variable("HTTPS_PROXY", &proxy.url)
        .variable("RUNBACK_GRAPH_URL", &entra.url)
        .run()
        .expect(0);
    assert_eq!(done.stdout, "2\n", "{done}");
    assert_eq!(proxy.asked(), ["CONNECT login.example:443 HTTP/1.1"]);
}

#[test]
fn a_sign_in_service_that_is_not_there_is_told_in_seconds() {
    let entra = Entra::generous();
    for (auth, setting) in [
        ("secret", ("AZURE_CLIENT_SECRET", "s")),
        (
            "workload-identity",
            ("AZURE_FEDERATED_TOKEN_FILE", "ca.pem"),
        ),
        ("device-code", ("X", "x")),
    ] {
        let bench = entra
            .bench()
            .variable(setting.0, setting.1)
            .variable("AZURE_AUTHORITY_HOST", "https://127.0.0.1:1")
            .flags(&["--auth", auth]);
        let begun = Instant::now();
        let done = bench.run().expect(6);
        assert!(
            done.stderr
                .contains("no answer from `https://127.0.0.1:1`: connection refused"),
            "{done}"
        );
        // Tries of our own: 0.25 + 0.5 + 1 s.
        assert!(begun.elapsed() < Duration::from_secs(20), "{auth}");
    }
}

#[test]
fn a_page_in_place_of_a_token_is_told_as_one() {
    let entra = Entra::answering(
        200,
        "<html><head><title>Welcome to the hotel</title></head></html>",
    );
    let done = entra
        .bench()
        .variable("AZURE_CLIENT_SECRET", "s")
        .run()
        .expect(6);
    assert!(
        done.stderr
            .contains("holds no token (a page: Welcome to the hotel)"),
        "{done}"
    );
    let entra = Entra::answering(200, r#"{"token_type":"Bearer","expires_in":3599}"#);
    let done = entra
        .bench()
        .variable("AZURE_CLIENT_SECRET", "s")
        .run()
        .expect(6);
    assert!(done.stderr.contains("holds no token"), "{done}");
}

#[test]
fn what_the_machine_has_is_never_used_without_tls() {
    let entra = Entra::generous();
    let bench = entra
        .bench()
        .variable("RUNBACK_GRAPH_URL", "http://127.0.0.1:1");
    let done = bench.run().expect(2);
    assert!(
        done.stderr.contains(
            "`http://127.0.0.1:1` is plain http, and a real sign-in is never used with it"
        ),
        "{done}"
    );
}
