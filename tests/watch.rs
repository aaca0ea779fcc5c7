//! The watched folder, from outside.

mod begins;
mod crash;
mod hostile;
mod queue;
mod results;
mod signed;
