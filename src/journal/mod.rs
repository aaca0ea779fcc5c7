//! The store under history, changes and books: what a run has learnt, what it was about to change, what became of it.
//!
//! One SQLite file in the state folder, shared by every process that works with that folder. A change of the tenant is sent
//! only after its intent came back from [`Journal::sync`]; everything else is on disk with or before the next record that
//! was synced. This room knows no Graph, no script and no books: texts and bytes go in and come out.
//!
//! Nobody outside sees the library, and the statements are such that another database can take its place: upserts by `ON
//! CONFLICT`, instants as texts that sort, JSON looked at here and not in SQL. What only SQLite has (pragmas, the schema's
//! types) is in `disk` and `schema`.

mod body;
#[cfg(debug_assertions)]
mod crash;
mod day;
mod disk;
mod error;
mod evidence;
mod gate;
mod glance;
mod handed;
mod lease;
mod lock;
mod packed;
mod prune;
mod queue;
mod read;
mod record;
mod row;
mod schema;
mod store;
#[cfg(test)]
mod tests;
mod write;
mod writer;

pub(crate) use error::{Holder, JournalError};
pub(crate) use evidence::Verified;
pub(crate) use gate::{GateSlot, Seen};
pub(crate) use glance::Wish;
pub(crate) use lease::{Held, LeaseKey, Release};
pub(crate) use lock::RunLock;
pub(crate) use packed::Packed;
pub(crate) use prune::Pruned;
pub(crate) use record::{Answer, ChangeRow, Consented, Intent, OutcomeRow, Record, RunRow, State};
pub(crate) use store::Journal;
