//! `runback continue`: a paused run goes on.

use clap::Args;

use super::flags::Flags;
use super::runs::journal;
use crate::error::{Exit, Fault};
use crate::journal::Wish;
use crate::runs::wish;
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// Let a run go on that was paused
#[derive(Debug, Args)]
pub(super) struct Continue {
    /// The run, as `runback runs` names it
    #[arg(value_name = "RUN")]
    run: String,
}

impl Continue {
    pub(super) fn run(&self, flags: &Flags, world: &World, voice: &Voice) -> Result<Exit, Fault> {
        let (_, journal) = journal(flags, world)?;
        let (row, _) = wish(&journal, &self.run, Wish::Continue)?;
        voice.note(&format!("run `{}` goes on", row.id));
        Ok(Exit::Success)
    }
}
