//! Scripts against a host without a tenant: every trap of the language has its test here.

mod arguments;
mod bench;
mod checks;
mod console;
mod core;
mod objects;
mod tenant;
mod traps;
mod whatever_comes;

pub(crate) use bench::{Bench, run};
