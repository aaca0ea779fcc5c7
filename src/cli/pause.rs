//! `runback pause`: a run waits before its next activation.

use clap::Args;

use super::flags::Flags;
use super::runs::journal;
use crate::error::{Exit, Fault};
use crate::journal::Wish;
use crate::runs::wish;
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// Let a run wait before it activates anything more, for example between waves
#[derive(Debug, Args)]
pub(super) struct Pause {
    /// The run, as `runback runs` names it
    #[arg(value_name = "RUN")]
    run: String,
}

impl Pause {
    pub(super) fn run(&self, flags: &Flags, world: &World, voice: &Voice) -> Result<Exit, Fault> {
        let (_, journal) = journal(flags, world)?;
        let (row, _) = wish(&journal, &self.run, Wish::Pause)?;
        voice.note(&format!(
            "run `{0}` pauses before its next activation; what it has activated goes on. `runback continue {0}` lets it go on",
            row.id
        ));
        Ok(Exit::Success)
    }
}
