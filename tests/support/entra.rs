//! A sign-in service over https on this machine, behind a CA of its own. It is Graph as well.

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Bench;
use super::http::Message;

/// The private CA of the unit tests.
#[path = "../../src/graph/testing/tls.rs"]
mod tls;

pub const TENANT: &str = "contoso.example";
pub const CLIENT: &str = "11111111-2222-3333-4444-555555555555";

/// One request for a token or a code, whose outer form was checked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `/contoso.example/oauth2/v2.0/token`
    pub path: String,
    pub form: BTreeMap<String, String>,
}

impl Asked {
    #[track_caller]
    pub fn of(&self, name: &str) -> &str {
        let found = self.form.get(name);
        found.unwrap_or_else(|| panic!("no `{name}` in {self:?}"))
    }

    /// The names of the form's fields, sorted.
    pub fn names(&self) -> Vec<&str> {
        self.form.keys().map(String::as_str).collect()
    }
}

type Handler = dyn Fn(&Asked) -> (u16, String) + Send + Sync;

/// Listens until the test process ends. As Graph it has two users, for whoever brings the token `good-token`.
pub struct Entra {
    /// `https://localhost:PORT`.
    pub url: String,
    /// PEM of the CA that its certificate comes from.
    pub authority: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    faults: Arc<Mutex<Vec<String>>>,
}

impl Entra {
    /// Gives every request for a token the same answer.
    pub fn answering(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::new(move |_| (status, body.clone()))
    }

    /// A token for whoever asks.
    pub fn generous() -> Self {
        Self::new(|_| token())
    }

    pub fn new(handler: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let (acceptor, authority) = tls::acceptor();
        let config = acceptor.config().clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let service = Arc::new(Service {
            handler: Box::new(handler),
            asked: Arc::default(),
            faults: Arc::default(),
        });
        let (asked, faults) = (service.asked.clone(), service.faults.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (service, config) = (service.clone(), config.clone());
                std::thread::spawn(move || service.serve(stream, config));
            }
        });
        Self {
            url,
            authority,
            asked,
            faults,
        }
    }

    /// What it was asked for. Fails where a request broke the protocol.
    #[track_caller]
    pub fn asked(&self) -> Vec<Asked> {
        assert_eq!(*self.faults.lock().unwrap(), [""; 0]);
        self.asked.lock().unwrap().clone()
    }

    /// A bench that knows this service, tenant and application, and nothing to sign in with; it counts users.
    pub fn bench(&self) -> Bench {
        Bench::new()
            .variable("AZURE_TENANT_ID", TENANT)
            .variable("AZURE_CLIENT_ID", CLIENT)
            .variable("AZURE_AUTHORITY_HOST", &self.url)
            .variable("RUNBACK_GRAPH_URL", &self.url)
            .variable("RUNBACK_CA_FILE", "ca.pem")
            .file("ca.pem", &self.authority)
            .script("users::list().count()")
    }
}

/// The answer that gives a token.
pub fn token() -> (u16, String) {
    let body = json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": "good-token"});
    (200, body.to_string())
}

/// A refusal, as Entra words it.
pub fn refusal(error: &str, description: &str) -> (u16, String) {
    let body = json!({
        "error": error,
        "error_description": format!("{description} Trace ID: 1 Correlation ID: 2 Timestamp: 2026-11-24 02:00:00Z"),
        "error_codes": [1],
        "trace_id": "1",
    });
    (400, body.to_string())
}

struct Service {
    handler: Box<Handler>,
    asked: Arc<Mutex<Vec<Asked>>>,
    faults: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn serve(&self, stream: TcpStream, config: Arc<ServerConfig>) {
        let connection = ServerConnection::new(config).unwrap();
        let mut stream = BufReader::new(StreamOwned::new(connection, stream));
        while let Ok(Some(request)) = Message::read(&mut stream) {
            let (status, body) = self.answer(&request);
            let answer = format!(
                "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let stream = stream.get_mut();
            if stream.write_all(answer.as_bytes()).is_err() || stream.flush().is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Message) -> (u16, String) {
        let line = request.first.trim_end_matches(" HTTP/1.1");
        if line.starts_with("GET /v1.0/users") {
            return graph(request);
        }
        match asked(line, request) {
            Ok(asked) => {
                self.asked.lock().unwrap().push(asked.clone());
                (self.handler)(&asked)
            }
            Err(fault) => {
                self.faults.lock().unwrap().push(format!("{line}: {fault}"));
                refusal("invalid_request", &fault)
            }
        }
    }
}

fn graph(request: &Message) -> (u16, String) {
    if request.header("authorization") == Some("Bearer good-token") {
        let users = json!({"value": [{"id": "a"}, {"id": "b"}]});
        return (200, users.to_string());
    }
    let error = json!({"error": {"code": "InvalidAuthenticationToken", "message": "no"}});
    (401, error.to_string())
}

/// Reads a form strictly: each name once, nothing empty, no credentials in headers.
fn asked(line: &str, request: &Message) -> Result<Asked, String> {
    let path = line.strip_prefix("POST ").ok_or("not a POST")?;
    let kind = request.header("content-type").unwrap_or_default();
    if kind != "application/x-www-form-urlencoded" {
        return Err(format!("content-type `{kind}`"));
    }
    if request.header("authorization").is_some() {
        return Err("credentials in a header".to_owned());
    }
    let mut form = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(&request.body) {
        if value.is_empty() || form.insert(name.to_string(), value.to_string()).is_some() {
            return Err(format!("`{name}` is empty or there twice"));
        }
    }
    Ok(Asked {
        path: path.to_owned(),
        form,
    })
}
