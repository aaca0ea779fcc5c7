//! What the tests stand on: the real binary in a folder of its own, a sandbox beside it, a server that misbehaves.

mod altered;
mod bench;
mod chromium;
mod entra;
mod fake;
mod http;
mod masks;
pub mod metadata;
pub mod person;
mod recorder;
pub mod secrets;
mod served;
mod watched;

pub use altered::{altered, kept_away, without_units};
pub use bench::{Bench, Done, Running};
pub use chromium::{Chromium, Page};
pub use entra::{Asked, CLIENT, Entra, TENANT, refusal, token};
pub use fake::{Fake, Reply};
pub use masks::mask;
pub use person::Person;
pub use recorder::{Exchange, Recorder};
pub use served::Served;
pub use watched::{Filed, Signer, Watched, chmod};
