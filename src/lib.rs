//! runback: runbooks for Microsoft 365 Backup.

mod advice;
mod backup;
mod cancel;
mod changes;
mod cli;
mod config;
mod directory;
mod doctor;
pub(crate) mod error;
#[cfg(test)]
mod fuzz;
mod graph;
mod history;
mod instant;
mod journal;
mod manual;
mod plan;
mod policy;
mod repl;
mod report;
mod run;
mod runs;
mod sandbox;
mod script;
mod stop;
mod talk;
mod text;
mod unix;
mod watch;
mod world;

pub use cli::{Cli, run};
pub use error::{Exit, Fault};
pub use world::World;
