//! One test binary: each further one links the whole program again.

mod architecture;
mod bad_input;
mod bulk;
mod cli;
mod completions;
mod config;
mod doctor;
mod faults;
mod language;
mod lost;
mod mix;
mod new;
mod readme;
mod reports;
mod restore;
mod scripts;
mod stopping;
mod support;
mod terminal;
mod workloads;
