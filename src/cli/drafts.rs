//! `runback drafts`: draft sessions that this folder has left behind.

use std::sync::Arc;

use clap::Args;
use serde_json::Value;

use super::flags::Flags;
use super::run::{connection, leave, runtime};
use super::runs::journal;
use crate::error::{Exit, Fault};
use crate::graph::Client;
use crate::run::{Format, Rails, Stdout};
use crate::runs::{Cleaner, Draft, known_drafts};
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// List the draft sessions that runs of this state folder have left behind, or delete them
#[derive(Debug, Args)]
pub(super) struct Drafts {
    /// Delete them, after consent: only what this folder has made, and only what is still a draft
    #[arg(long)]
    delete: bool,
}

impl Drafts {
    pub(super) fn run(&self, flags: &Flags, world: &World, voice: &Voice) -> Result<Exit, Fault> {
        let (_, journal) = journal(flags, world)?;
        let runtime = runtime()?;
        let (connection, _sandbox) = connection(flags, world, &runtime)?;
        let known = known_drafts(&journal, &connection.options.root)?;
        let talk = Arc::new(voice.clone());
        let rails = Rails::open(flags.conduct.policy.as_deref(), None)?;
        let leave = leave(flags);
        rails.announce(leave, self.delete, voice);
        let (manner, leave) = rails.consent(leave);
        let cleaner = Cleaner {
            journal,
            client: Arc::new(Client::new(
                connection.options,
                world.clone(),
                talk.clone(),
            )?),
            yes: leave.yes,
            guard: rails.guard(false),
            manner,
            talk,
            world: world.clone(),
            settling: connection.settling,
            polling: connection.polling,
        };
        let drafts = runtime.block_on(cleaner.still(known))?;
        if !self.delete {
            return print(&drafts, flags, world, voice);
        }
        let (deleted, faults) = runtime.block_on(cleaner.delete(drafts));
        voice.note(&match deleted {
            0 => "nothing was deleted".to_owned(),
            1 => "1 draft was deleted".to_owned(),
            count => format!("{count} drafts were deleted"),
        });
        voice.faults(&faults);
        let worst = faults
            .iter()
            .map(|fault| fault.exit)
            .min_by_key(|exit| exit.rank());
        Ok(worst.unwrap_or(Exit::Success))
    }
}

fn print(drafts: &[Draft], flags: &Flags, world: &World, voice: &Voice) -> Result<Exit, Fault> {
    let format = flags.conduct.format;
    let stdout = Stdout::new(format, world.stdout_is_terminal, voice.clone());
    let now = world.clock.now();
    if format == Format::Json {
        stdout.value(&Value::Array(
            drafts.iter().map(|draft| draft.to_json(now)).collect(),
        ));
    } else if drafts.is_empty() && format == Format::Table {
        voice.note("this state folder has left no drafts behind");
    } else {
        let rows: Vec<_> = drafts.iter().map(|draft| draft.cells(now)).collect();
        stdout.table(&Draft::COLUMNS.map(str::to_owned), &rows);
        voice.note("a draft restores nothing; `runback drafts --delete` deletes them");
    }
    stdout.failure().map_or(Ok(Exit::Success), Err)
}
