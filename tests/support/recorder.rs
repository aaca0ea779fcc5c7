//! A proxy that writes down what passes between the program and a sandbox.

use std::io::{self, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::http::Message;

/// One request with its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: String,
    /// `v1.0` or `beta`.
    pub version: String,
    /// What follows the version, with its query.
    pub target: String,
    pub sent: Value,
    pub status: u16,
    pub answered: Value,
}

impl Exchange {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// Listens on a free port until the test process ends.
pub struct Recorder {
    pub url: String,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

/// `GET /mark/NAME` is answered here: a script says where it is.
pub const MARK: &str = "/mark/";

impl Recorder {
    /// Stands in front of `http://HOST:PORT`.
    pub fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let exchanges = Arc::new(Mutex::new(Vec::new()));
        let (behind, written) = (
            url.trim_start_matches("http://").to_owned(),
            exchanges.clone(),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (behind, written) = (behind.clone(), written.clone());
                // An end of the connection is the end of the program under test.
                std::thread::spawn(move || serve(&stream, &behind, &written).unwrap_or_default());
            }
        });
        Self {
            url: own,
            exchanges,
        }
    }

    /// Everything so far, in the order of the answers.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }
}

fn serve(client: &TcpStream, behind: &str, written: &Mutex<Vec<Exchange>>) -> io::Result<()> {
    let service = TcpStream::connect(behind)?;
    let (mut from_client, mut from_service) = (BufReader::new(client), BufReader::new(&service));
    while let Some(request) = Message::read(&mut from_client)? {
        let mut words = request.first.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let (version, target) = target
            .strip_prefix('/')
            .and_then(|target| target.split_once('/'))
            .map_or(("", target.to_owned()), |(version, target)| {
                (version, format!("/{target}"))
            });
        let answer = if target.starts_with(MARK) {
            Message {
                first: "HTTP/1.1 200 OK".to_owned(),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: b"{}".to_vec(),
            }
        } else {
            pass(&service, &request)?;
            let Some(answer) = Message::read(&mut from_service)? else {
                break;
            };
            answer
        };
        let status = answer.first.split(' ').nth(1);
        let json = |body: &[u8]| serde_json::from_slice(body).unwrap_or(Value::Null);
        written.lock().unwrap().push(Exchange {
            method,
            version: version.to_owned(),
            target,
            sent: json(&request.body),
            status: status.and_then(|status| status.parse().ok()).unwrap_or(0),
            answered: json(&answer.body),
        });
        pass(client, &answer)?;
    }
    service.shutdown(Shutdown::Both)
}

/// Sends a message on, with its length instead of its chunks.
fn pass(mut to: &TcpStream, message: &Message) -> io::Result<()> {
    let mut head = format!("{}\r\n", message.first);
    for (name, value) in &message.headers {
        let is_about_the_body = ["transfer-encoding", "content-length", "accept-encoding"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known));
        if !is_about_the_body {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    // No body, and none may be spoken of.
    if !message.first.contains(" 204 ") {
        head.push_str(&format!("content-length: {}\r\n", message.body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend(&message.body);
    to.write_all(&bytes)
}
