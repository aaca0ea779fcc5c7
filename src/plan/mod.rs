//! Plans: what a runbook would do, row by row, before it does anything.
//!
//! The runbook runs as always, but its changes are answered by [`Planned`], a small model of restore sessions that keeps
//! the service's rules; all else is read from the service. What its books hold in the end is the plan.

mod document;
mod estimate;
mod planned;
mod session;
mod table;
mod target;

pub(crate) use document::{Facts, Glance, Plan};
pub(crate) use planned::Planned;

/// The runbook that does what a plan says.
pub(crate) const APPLY: &str = include_str!("apply.rhai");
