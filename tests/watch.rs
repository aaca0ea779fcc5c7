//! The watched folder, from outside.

mod approved;
mod begins;
mod crash;
mod hostile;
mod queue;
mod readme;
mod results;
mod sign;
mod signed;
mod unit;
