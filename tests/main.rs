//! One test binary: each further one links the whole program again.

mod architecture;
mod bad_input;
mod cli;
mod config;
mod faults;
mod language;
mod lost;
mod mix;
mod readme;
mod restore;
mod scripts;
mod stopping;
mod support;
mod terminal;
