//! Reads a body to its end, but not more than is allowed and not slower.

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::limits::Limits;
use super::words;

#[derive(Debug, PartialEq)]
pub(super) enum BodyError {
    /// More than this many bytes (after decompression).
    TooLarge(usize),
    /// Fewer than `slow_bytes` in a `slow_window`.
    Slow(String),
    Cut(String),
}

/// The bytes are a block of their own: a row that is kept for the whole run keeps its answer alive, and must not keep the
/// connection's read buffer with it (ten times as large; at 100,000 mailboxes that was a gigabyte).
pub(super) async fn read(
    response: &mut Response,
    most: usize,
    limits: &Limits,
) -> Result<Bytes, BodyError> {
    // Only a hint, and not trusted further than to save growing: the loop counts what really comes.
    let announced = response
        .content_length()
        .and_then(|n| usize::try_from(n).ok());
    if announced.is_some_and(|n| n > most) {
        return Err(BodyError::TooLarge(most));
    }
    let mut joined = BytesMut::new();
    let mut size = 0;
    let mut window_end = Instant::now() + limits.slow_window;
    let mut in_window = 0;
    loop {
        let chunk = match timeout_at(window_end, response.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            // Not the idle limit: a body that brings nothing is found too slow long before.
            Ok(Err(error)) if error.is_timeout() => {
                return Err(BodyError::Slow(format!(
                    "the answer was not complete in time ({size} bytes came)"
                )));
            }
            Ok(Err(error)) => return Err(BodyError::Cut(words::cause(&error, limits))),
            Err(_) if in_window < limits.slow_bytes => {
                return Err(BodyError::Slow(format!(
                    "the answer came too slowly ({in_window} bytes in {} s)",
                    limits.slow_window.as_secs_f64()
                )));
            }
            Err(_) => {
                // From now, not from its end: a process that was suspended would find window after window empty.
                window_end = Instant::now() + limits.slow_window;
                in_window = 0;
                continue;
            }
        };
        let Some(chunk) = chunk else { break };
        size += chunk.len();
        in_window += chunk.len();
        if size > most {
            return Err(BodyError::TooLarge(most));
        }
        if joined.is_empty() {
            joined.reserve(announced.unwrap_or(0).min(4 << 20).max(size));
        }
        joined.extend_from_slice(&chunk);
    }
    // Grown by doubling where the length was not announced: the rest is given back.
    let is_roomy = joined.capacity() - joined.len() > joined.len() / 4;
    Ok(if is_roomy {
        Bytes::copy_from_slice(&joined)
    } else {
        joined.freeze()
    })
}
