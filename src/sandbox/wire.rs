//! Connections that can be broken on purpose.
//!
//! axum owns the protocol; a handler can still decide that its connection ends without another byte. The listener hands
//! out streams that share a switch with the request's handler.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

const WHOLE: u8 = 0;
const CLOSED: u8 = 1;
const RESET: u8 = 2;
const CUT_IN_HEAD: u8 = 3;
const CUT_BEHIND_HEAD: u8 = 4;

/// As much of a head as still goes out: the status, and no more than the start of a header.
const SOME_OF_THE_HEAD: usize = 20;

/// The switch of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    state: Arc<AtomicU8>,
}

impl Wire {
    /// Nothing more is sent; the peer sees the connection closed.
    pub(super) fn close(&self) {
        self.state.store(CLOSED, Ordering::Release);
    }

    /// Nothing more is sent; the peer sees a TCP reset.
    pub(super) fn reset(&self) {
        self.state.store(RESET, Ordering::Release);
    }

    /// The next head breaks off in its middle; then as [`Wire::close`].
    pub(super) fn close_in_head(&self) {
        self.state.store(CUT_IN_HEAD, Ordering::Release);
    }

    /// Nothing of the next answer is sent but its head; then as [`Wire::close`].
    pub(super) fn close_behind_head(&self) {
        self.state.store(CUT_BEHIND_HEAD, Ordering::Release);
    }

    fn state(&self) -> u8 {
        self.state.load(Ordering::Acquire)
    }
}

impl Connected<IncomingStream<'_, WireListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, WireListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Accepts connections that have a [`Wire`].
pub(super) struct WireListener(pub(super) TcpListener);

impl Listener for WireListener {
    type Io = WireStream;
    type Addr = Wire;

    async fn accept(&mut self) -> (WireStream, Wire) {
        // tokio's own implementation waits and retries where accepting fails.
        let (stream, _) = Listener::accept(&mut self.0).await;
        // Answers are small and wait for nothing; a socket without the option works, slower.
        let _ = stream.set_nodelay(true);
        let wire = Wire::default();
        (
            WireStream {
                stream,
                wire: wire.clone(),
            },
            wire,
        )
    }

    fn local_addr(&self) -> io::Result<Wire> {
        Ok(Wire::default())
    }
}

/// A connection that fails to write once its switch is thrown.
pub(super) struct WireStream {
    stream: TcpStream,
    wire: Wire,
}

impl WireStream {
    fn broken(&self) -> Option<io::Error> {
        match self.wire.state() {
            WHOLE | CUT_IN_HEAD | CUT_BEHIND_HEAD => None,
            RESET => {
                // Closing with unsent data thrown away is what makes the kernel send a reset. Failing to ask for it
                // leaves a plain close, which breaks the connection as well.
                let _ = self.stream.set_zero_linger();
                Some(io::ErrorKind::ConnectionReset.into())
            }
            _ => Some(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    /// How much of what is to be written goes out before the connection breaks. A head comes whole and first.
    fn last_bytes(&self, bytes: &[u8]) -> Option<usize> {
        match self.wire.state() {
            CUT_IN_HEAD => Some(bytes.len().min(SOME_OF_THE_HEAD)),
            CUT_BEHIND_HEAD => {
                let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
                Some(end.map_or(bytes.len(), |end| end + 4))
            }
            _ => None,
        }
    }
}

impl AsyncRead for WireStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for WireStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(error) = self.broken() {
            return Poll::Ready(Err(error));
        }
        let Some(last) = self.last_bytes(bytes) else {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        };
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, &bytes[..last]))?;
        self.wire.close();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if matches!(self.wire.state(), CUT_IN_HEAD | CUT_BEHIND_HEAD) {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write(context, first.map_or(&[], |slice| slice));
        }
        match self.broken() {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.broken() {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_shutdown(context),
        }
    }
}
