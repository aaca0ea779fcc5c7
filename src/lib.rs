//! runback: runbooks for Microsoft 365 Backup.

mod advice;
mod backup;
mod changes;
mod cli;
mod directory;
pub(crate) mod error;
#[cfg(test)]
mod fuzz;
mod graph;
mod instant;
mod report;
mod run;
mod sandbox;
mod script;
mod stop;
mod talk;
mod text;
mod world;

pub use cli::{Cli, run};
pub use error::{Exit, Fault};
pub use world::World;
