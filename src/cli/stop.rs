//! `runback stop`: no more activations in a run that another process works on.

use std::time::{Duration, Instant};

use clap::Args;

use super::Given;
use super::flags::Flags;
use super::runs::{folder_flag, journal};
use crate::error::{Exit, Fault};
use crate::journal::Wish;
use crate::runs::{View, resume_command, wish};
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// A change that is in flight gets ten seconds to end; then the books are closed.
const MOST: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// Stop a run from another terminal: nothing more is activated; what runs in the service goes on, and is named
#[derive(Debug, Args)]
pub(super) struct Stop {
    /// The run, as `runback runs` names it
    #[arg(value_name = "RUN")]
    run: String,
}

impl Stop {
    pub(super) fn run(
        &self,
        flags: &Flags,
        given: &Given,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        let (_, journal) = journal(flags, world)?;
        let (row, holder) = wish(&journal, &self.run, Wish::Stop)?;
        let (run, pid, host) = (&row.id, holder.pid, &holder.host);
        let begun = Instant::now();
        while journal.lock_holder(run).is_some() {
            if begun.elapsed() >= MOST {
                voice.note(&format!(
                    "run `{run}` was asked to stop, and process {pid} on `{host}` has not ended yet; `runback runs {run} --follow` looks on"
                ));
                return Ok(Exit::Success);
            }
            std::thread::sleep(LOOK);
        }
        let view = View::load(&journal, run)?;
        voice.note(&format!(
            "run `{run}` (process {pid} on `{host}`) has ended"
        ));
        let going = view.outcome.going_on();
        for session in &going {
            voice.note(&format!(
                "session `{}` goes on in the service ({}, {} artifacts)",
                session.id, session.workload, session.artifacts.total
            ));
        }
        if view.row.open {
            voice.demand(&format!(
                "go on with: {}",
                resume_command(run, folder_flag(given).as_deref())
            ));
        }
        Ok(Exit::Success)
    }
}
