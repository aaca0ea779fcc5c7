//! One test binary: each further one links the whole program again.

mod architecture;
mod bad_input;
mod cli;
mod faults;
mod language;
mod lost;
mod readme;
mod restore;
mod scripts;
mod sign_in;
mod stopping;
mod support;
mod terminal;
