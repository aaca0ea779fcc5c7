//! A proxy between the program and a sandbox that writes down what goes through.

use std::fmt::Write as _;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::http::Message;
use super::{Bench, Served};

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: String,
    /// `/v1.0/…`, without the query.
    pub path: String,
    pub query: String,
    /// `null` where there was none.
    pub body: Value,
    pub status: u16,
    pub answer: Value,
}

/// Links in answers lead back here: the sandbox makes them for whatever host it was asked as.
pub struct Recorder {
    url: String,
    heard: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    pub fn before(tenant: &Served) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let target = tenant.url.trim_start_matches("http://").to_owned();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (target, sink) = (target.clone(), sink.clone());
                std::thread::spawn(move || forward(&stream, &target, &sink));
            }
        });
        Self { url, heard }
    }

    /// As [`Served::bench`], through this proxy.
    pub fn bench(&self, tenant: &Served) -> Bench {
        tenant.bench().variable("RUNBACK_GRAPH_URL", &self.url)
    }

    pub fn exchanges(&self) -> Vec<Exchange> {
        self.heard.lock().unwrap().clone()
    }

    /// Forgets what has been heard so far.
    pub fn clear(&self) {
        self.heard.lock().unwrap().clear();
    }
}

fn forward(client: &TcpStream, target: &str, heard: &Mutex<Vec<Exchange>>) {
    let Ok(server) = TcpStream::connect(target) else {
        return;
    };
    let (mut from_client, mut from_server) = (BufReader::new(client), BufReader::new(&server));
    let (mut to_client, mut to_server) = (client, &server);
    while let Ok(Some(request)) = Message::read(&mut from_client) {
        if to_server.write_all(&bytes(&request)).is_err() {
            return;
        }
        let Ok(Some(answer)) = Message::read(&mut from_server) else {
            return;
        };
        heard.lock().unwrap().push(exchange(&request, &answer));
        if to_client.write_all(&bytes(&answer)).is_err() {
            return;
        }
    }
}

fn bytes(message: &Message) -> Vec<u8> {
    let mut head = format!("{}\r\n", message.first);
    for (name, value) in &message.headers {
        // The body is no longer in pieces.
        if !name.eq_ignore_ascii_case("transfer-encoding")
            && !name.eq_ignore_ascii_case("content-length")
        {
            let _ = write!(head, "{name}: {value}\r\n");
        }
    }
    let has_none = message.first.contains(" 204 ") || message.first.starts_with("GET ");
    if !has_none {
        let _ = write!(head, "content-length: {}\r\n", message.body.len());
    }
    head.push_str("\r\n");
    [head.as_bytes(), &message.body].concat()
}

fn exchange(request: &Message, answer: &Message) -> Exchange {
    let words: Vec<&str> = request.first.split(' ').collect();
    let (path, query) = words[1].split_once('?').unwrap_or((words[1], ""));
    let json = |message: &Message| serde_json::from_slice(&message.body).unwrap_or(Value::Null);
    Exchange {
        method: words[0].to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body: json(request),
        status: answer.first.split(' ').nth(1).unwrap().parse().unwrap(),
        answer: json(answer),
    }
}
