//! runback: runbooks for Microsoft 365 Backup.

pub(crate) mod error;
mod instant;
mod stop;
mod talk;
mod text;
mod world;

pub use error::{Exit, Fault};
pub use world::World;
