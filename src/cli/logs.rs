//! The program's own log: what `tracing` hears, on stderr.

use tracing_subscriber::EnvFilter;

use crate::talk::{Loudness, Voice};

/// Starts the log. Without `-v` there is none: what a person must know is said by the voice.
pub(super) fn start(voice: &Voice) {
    let manner = voice.manner();
    let filter = match manner.loudness {
        Loudness::Quiet | Loudness::Normal => return,
        Loudness::Verbose => "runback=debug",
        // Not h2, hyper or reqwest: they print headers and addresses, and there are tokens in those.
        Loudness::Everything => "runback=trace",
    };
    let voice = voice.clone();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(move || voice.clone());
    // A second start in one process (a test) keeps the first.
    let _ = if manner.json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.try_init()
    };
}
