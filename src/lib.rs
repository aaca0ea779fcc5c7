//! runback: runbooks for Microsoft 365 Backup.

mod advice;
mod backup;
mod changes;
mod directory;
pub(crate) mod error;
mod graph;
mod instant;
mod sandbox;
mod script;
mod stop;
mod talk;
mod text;
mod world;

pub use error::{Exit, Fault};
pub use world::World;
