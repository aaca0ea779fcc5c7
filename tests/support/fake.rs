//! A server that answers whatever a test wants, also what no proper server would send.

use std::fmt::Write as _;
use std::io::{BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::http::Message;
use super::secrets::Secrets;

/// What is done with a request.
pub enum Reply {
    Json(u16, Value),
    /// Status, headers, body.
    Full(u16, Vec<(&'static str, String)>, String),
    /// These bytes, then the connection ends.
    Raw(Vec<u8>),
    /// A head that promises JSON, then one byte a second.
    Trickle,
    /// Nothing: the connection ends.
    Drop,
}

type Handler = dyn Fn(&str, &Message) -> Reply + Send + Sync;

/// Listens on a free port until the test process ends.
pub struct Fake {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// The handler gets `METHOD /path` and the whole request.
    pub fn new(handler: impl Fn(&str, &Message) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (handler, heard): (Arc<Handler>, _) = (Arc::new(handler), requests.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, heard) = (handler.clone(), heard.clone());
                std::thread::spawn(move || serve(stream, &*handler, &heard));
            }
        });
        Self { url, requests }
    }

    /// `METHOD /path` of every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    /// An address is logged by every machine on its way.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            Secrets::default().expect_none("the address of a request", &self.requests().join("\n"));
        }
    }
}

/// Until the other side has had enough.
fn trickle(stream: &mut TcpStream) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4096\r\n\r\n";
    let mut sent = stream.write_all(head.as_bytes());
    while sent.is_ok() {
        std::thread::sleep(std::time::Duration::from_secs(1));
        sent = stream.write_all(b" ");
    }
}

fn serve(mut stream: TcpStream, handler: &Handler, heard: &Mutex<Vec<String>>) {
    let Ok(copy) = stream.try_clone() else { return };
    let mut reader = BufReader::new(copy);
    while let Ok(Some(request)) = Message::read(&mut reader) {
        let line = request.first.trim_end_matches(" HTTP/1.1").to_owned();
        heard.lock().unwrap().push(line.clone());
        let (status, headers, body) = match handler(&line, &request) {
            Reply::Json(status, body) => (
                status,
                vec![("content-type", "application/json".to_owned())],
                body.to_string(),
            ),
            Reply::Full(status, headers, body) => (status, headers, body),
            Reply::Raw(bytes) => {
                let _ = stream.write_all(&bytes);
                break;
            }
            Reply::Trickle => {
                trickle(&mut stream);
                break;
            }
            Reply::Drop => break,
        };
        let mut lines = format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            let _ = write!(lines, "{name}: {value}\r\n");
        }
        if stream
            .write_all(format!("{lines}\r\n{body}").as_bytes())
            .is_err()
        {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}
