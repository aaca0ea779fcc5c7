//! A sign-in service over https on this machine, behind a CA of its own.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// The private CA of the unit tests.
#[path = "../../src/graph/testing/tls.rs"]
mod tls;

/// Gives every request the same answer, until the test process ends.
pub struct Entra {
    /// `https://localhost:PORT`.
    pub url: String,
    /// PEM of the CA that its certificate comes from.
    pub authority: String,
}

impl Entra {
    pub fn answering(status: u16, body: &str) -> Self {
        let (acceptor, authority) = tls::acceptor();
        let answer = format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, answer) = (acceptor.clone(), answer.clone());
                    tokio::spawn(async move {
                        let Ok(mut stream) = acceptor.accept(stream).await else {
                            return;
                        };
                        // The whole request fits: a form of a few hundred bytes.
                        let _ = stream.read(&mut [0; 16 * 1024]).await;
                        let _ = stream.write_all(answer.as_bytes()).await;
                        let _ = stream.shutdown().await;
                    });
                }
            });
        });
        Self { url, authority }
    }
}
