//! What the tests stand on: the real binary in a folder of its own, a sandbox beside it, a server that misbehaves.

mod bench;
mod chromium;
mod entra;
mod fake;
mod http;
mod masks;
mod recorder;
mod served;

pub use bench::{Bench, Done, Running};
pub use chromium::{Chromium, Page};
pub use entra::Entra;
pub use fake::{Fake, Reply};
pub use recorder::Recorder;
pub use served::Served;
