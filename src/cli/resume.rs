//! `runback resume`: goes on with a run that was cut off or stopped.

use std::path::PathBuf;

use clap::Args;

use super::flags::Flags;
use super::run::{carry_out, order};
use super::{Cli, Given, Loaded, mistake, settings};
use crate::error::{Exit, Fault};
use crate::journal::{Journal, RunRow};
use crate::plan::Plan;
use crate::report::{Kind, Outcome};
use crate::run::{Applied, Errand, Order, Resumed, Saved, State, close_again};
use crate::runs;
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// Go on with a run that was cut off or stopped
#[derive(Debug, Args)]
pub(super) struct Resume {
    /// The run, as its last line and `runback runs` name it
    #[arg(value_name = "RUN")]
    run: String,
    /// The script was edited: go on with the new text. What was done is not done again
    #[arg(long)]
    accept_changes: bool,
    /// A run of the watched folder: the watcher's words stand on stdin
    #[arg(long, hide = true)]
    watched: bool,
    /// As in `run`
    #[arg(long, value_name = "PLAN", hide = true)]
    approved: Option<PathBuf>,
}

impl Resume {
    pub(super) fn run(
        self,
        flags: &Flags,
        given: &Given,
        config: &Loaded,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        let state = State::open(flags.conduct.state_dir.as_deref(), world)?;
        let row = runs::find(&Journal::open(state.folder())?, &self.run)?;
        if !row.open {
            return ended(&row, &state, voice);
        }
        let saved = saved(&row)?;
        // The run's own flags stand behind those of this command line, and before what the config files say.
        let mut beside = config
            .as_ref()
            .map_or_else(|_| Vec::new(), |config| config.settings.clone());
        beside.extend(settings::of_run(&row.id, &saved.settings));
        let cli = Cli::parsed(&given.words, &beside).map_err(|error| mistake::fault(&error))?;
        let flags = &cli.flags;
        if flags.sandbox.sandbox && flags.sandbox.state.is_none() {
            let message = format!(
                "run `{}` worked in a sandbox inside its own process, which is gone with it",
                row.id
            );
            return Err(Fault::new(Exit::Unstarted, "SandboxGone", message).hint(
                "a sandbox that outlives a run: `runback sandbox`, or `--sandbox --state FILE`",
            ));
        }
        let mut order = Order {
            settings: saved.settings.clone(),
            here: saved.here.clone(),
            ..order(saved.path.clone(), saved.arguments.clone(), flags)?
        };
        if let Some((path, text)) = &saved.plan {
            let bytes = text.clone().into_bytes();
            order.applied = Some(Applied {
                plan: Plan::read(&path.display().to_string(), &bytes)?,
                path: path.clone(),
                bytes,
            });
        }
        if let Some(folder) = &flags.conduct.state_dir {
            let folder = folder.display().to_string();
            order.settings.push(("state-dir".to_owned(), vec![folder]));
        }
        order.errand = if self.watched {
            Some(Errand::read()?)
        } else {
            saved.errand.clone().map(Errand::found)
        };
        if let Some(errand) = &order.errand {
            order.script.clone_from(&errand.path);
            order.reports.push((errand.result.clone(), Kind::Json));
        }
        order.resumed = Some(Resumed {
            row,
            saved,
            accepts_changes: self.accept_changes,
        });
        let approved = self.approved.as_deref();
        Ok(carry_out(&order, flags, approved, world, voice))
    }
}

/// A run that has come to its end: what it came to is told once more, with its exit code. Whoever resumes until a run has
/// ended gets the same answer, also where the process died in between.
fn ended(row: &RunRow, state: &State, voice: &Voice) -> Result<Exit, Fault> {
    let name = &row.id;
    let code = row.exit.and_then(|code| u8::try_from(code).ok());
    let (Some(exit), Some(result)) = (code.and_then(Exit::of_code), &row.result) else {
        return Err(unreadable(name, "its end is not one that is known"));
    };
    let outcome: Outcome = result
        .parse()
        .map_err(|why: String| unreadable(name, &why))?;
    voice.note(&format!(
        "run `{name}` has come to its end before, with exit code {}: nothing is left to do",
        exit.code()
    ));
    close_again(&outcome, state, voice);
    Ok(exit)
}

fn saved(row: &RunRow) -> Result<Saved, Fault> {
    serde_json::from_str(&row.order).map_err(|error| unreadable(&row.id, &error.to_string()))
}

fn unreadable(run: &str, why: &str) -> Fault {
    let message = format!("the record of run `{run}` cannot be read: {why}");
    Fault::new(Exit::Unstarted, "UnreadableRun", message).hint("it may be of a newer runback")
}
