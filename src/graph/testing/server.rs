//! A scripted HTTP server on loopback, plain or with TLS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::tls;

/// One request as it came.
#[derive(Clone, Debug)]
pub(in crate::graph) struct Seen {
    pub(in crate::graph) method: String,
    /// Path and query.
    pub(in crate::graph) target: String,
    /// Names in lower case.
    pub(in crate::graph) headers: Vec<(String, String)>,
    pub(in crate::graph) body: String,
    /// How many came before it.
    pub(in crate::graph) number: usize,
}

impl Seen {
    pub(in crate::graph) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request.
pub(in crate::graph) enum Reply {
    /// Writes this and keeps the connection.
    Write(Vec<u8>),
    /// Writes this and closes.
    WriteAndClose(Vec<u8>),
    /// Closes so that the peer sees a reset.
    Reset,
    /// Says nothing more.
    Silence,
    /// Writes the first, then the second again and again with a pause before each.
    Trickle(Vec<u8>, Vec<u8>, Duration),
    After(Duration, Box<Reply>),
}

impl Reply {
    pub(in crate::graph) fn json(status: u16, body: &str) -> Self {
        Self::with(
            status,
            "content-type: application/json\r\nrequest-id: from-service\r\n",
            body,
        )
    }

    pub(in crate::graph) fn error(status: u16, code: &str) -> Self {
        Self::json(
            status,
            &format!(r#"{{"error":{{"code":"{code}","message":"no: {code}"}}}}"#),
        )
    }

    /// `headers`: whole lines with `\r\n`.
    pub(in crate::graph) fn with(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Write(
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}")
                .into_bytes(),
        )
    }

    pub(in crate::graph) fn cut(self) -> Self {
        let Self::Write(mut bytes) = self else {
            panic!("only what is written can be cut");
        };
        bytes.truncate(bytes.len() - 3);
        Self::WriteAndClose(bytes)
    }
}

pub(in crate::graph) struct Server {
    pub(in crate::graph) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
    /// After [`Server::stop`].
    kept: Option<TcpSocket>,
}

impl Server {
    pub(in crate::graph) async fn start(
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(None, answer).await
    }

    /// Over https. The certificate is for `localhost`; the second value is the PEM of the private CA that made it.
    pub(in crate::graph) async fn secure(
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> (Self, String) {
        let (acceptor, authority) = tls::acceptor();
        (Self::listen(Some(acceptor), answer).await, authority)
    }

    async fn listen(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = match tls {
            Some(_) => format!("https://localhost:{}", address.port()),
            None => format!("http://{address}"),
        };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let log = seen.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (answer, log) = (answer.clone(), log.clone());
                match tls.clone() {
                    None => tokio::spawn(serve(stream, answer, log)),
                    Some(tls) => tokio::spawn(async move {
                        // A client that does not trust us hangs up in the middle.
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, answer, log).await;
                        }
                    }),
                };
            }
        });
        Self {
            url,
            seen,
            address,
            accepting,
            kept: None,
        }
    }

    /// An address that refuses every connection.
    pub(in crate::graph) async fn stopped() -> Self {
        let mut server = Self::start(|_| Reply::Silence).await;
        server.stop().await;
        server
    }

    /// From now on the port is refused, as long as this value lives: it is kept, so that no other test gets it. Connections
    /// that are open stay so.
    pub(in crate::graph) async fn stop(&mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.address).unwrap();
        self.kept = Some(socket);
    }

    pub(in crate::graph) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(in crate::graph) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

/// A stream with a TCP connection under it.
trait Wire: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn serve(
    mut stream: impl Wire,
    answer: Arc<impl Fn(&Seen) -> Reply>,
    log: Arc<Mutex<Vec<Seen>>>,
) {
    let mut buffer = Vec::new();
    while let Some(mut seen) = request(&mut stream, &mut buffer).await {
        {
            let mut log = log.lock().unwrap();
            seen.number = log.len();
            log.push(seen.clone());
        }
        let mut reply = answer(&seen);
        while let Reply::After(pause, then) = reply {
            tokio::time::sleep(pause).await;
            reply = *then;
        }
        match reply {
            Reply::After(..) => unreachable!("unwrapped above"),
            Reply::Write(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Reply::WriteAndClose(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Reply::Reset => {
                #[expect(
                    deprecated,
                    reason = "zero never blocks; it makes close() send a reset"
                )]
                let _ = stream.tcp().set_linger(Some(Duration::ZERO));
                return;
            }
            Reply::Silence => {
                std::future::pending::<()>().await;
            }
            Reply::Trickle(first, again, pause) => {
                let _ = stream.write_all(&first).await;
                while stream.write_all(&again).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
                return;
            }
        }
    }
}

async fn request(stream: &mut impl Wire, buffer: &mut Vec<u8>) -> Option<Seen> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let end = head_end + 4 + length;
    while buffer.len() < end {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(buffer[head_end + 4..end].to_vec()).unwrap();
    buffer.drain(..end);
    Some(Seen {
        method: first.next()?.to_owned(),
        target: first.next()?.to_owned(),
        headers,
        body,
        number: 0,
    })
}
