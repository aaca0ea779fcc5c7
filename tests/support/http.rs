//! As much of HTTP/1.1 as tests need, without the client under test.

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::TcpStream;

/// Head and body of one message.
pub struct Message {
    /// The request line or status line.
    pub first: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Reads one message; `None` where the connection ended before it.
    pub fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut first = String::new();
        if from.read_line(&mut first)? == 0 {
            return Ok(None);
        }
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        let mut message = Self {
            first: first.trim_end().to_owned(),
            headers,
            body: Vec::new(),
        };
        if let Some(length) = message
            .header("content-length")
            .and_then(|length| length.parse().ok())
        {
            message.body = vec![0; length];
            from.read_exact(&mut message.body)?;
        } else if message
            .header("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
        {
            loop {
                let mut line = String::new();
                from.read_line(&mut line)?;
                let length = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
                let mut chunk = vec![0; length + 2];
                from.read_exact(&mut chunk)?;
                if length == 0 {
                    break;
                }
                message.body.extend(&chunk[..length]);
            }
        }
        Ok(Some(message))
    }
}

/// One request over a connection of its own: status and body.
pub fn request(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream =
        TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer sandbox-token\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let answer = Message::read(&mut BufReader::new(stream))
        .unwrap()
        .expect("an answer");
    let status = answer
        .first
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    (status, String::from_utf8(answer.body).unwrap())
}
