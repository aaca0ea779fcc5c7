//! How long, how slow and how large an answer may be.

use std::time::Duration;

/// The limits of one attempt. They run on the runtime's own timer and not on the `World`'s clock: they guard against what a
/// real peer does on a real socket, and a test that moves the clock must not cut its own connections.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// DNS, TCP and TLS together.
    pub(super) connect: Duration,
    /// No byte for this long: the attempt is lost.
    pub(super) idle: Duration,
    /// From the first byte sent to the last byte read.
    pub(super) attempt: Duration,
    /// A body must bring at least `slow_bytes` in each `slow_window`; a server that trickles would hold a worker for
    /// hours without ever being idle.
    pub(super) slow_window: Duration,
    pub(super) slow_bytes: usize,
    /// Largest body after decompression.
    pub(super) body: usize,
    /// Largest body of an error; what lies behind it is not read.
    pub(super) error_body: usize,
    /// How long a change in flight may still finish once the run was stopped.
    pub(super) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            attempt: Duration::from_secs(100),
            slow_window: Duration::from_secs(10),
            slow_bytes: 1024,
            body: 64 << 20,
            error_body: 1 << 20,
            grace: Duration::from_secs(10),
        }
    }
}
