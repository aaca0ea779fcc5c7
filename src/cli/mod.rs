//! The command line: one file for each subcommand, its flags and what it wires together.

mod bug;
mod check;
mod flags;
mod logs;
mod run;
mod sandbox;
mod sign_in;
mod values;

use std::ffi::{OsStr, OsString};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::error::{Exit, Fault};
use crate::talk::Voice;
use crate::world::World;
use flags::Flags;

/// Runs runbooks (Rhai scripts) that restore Microsoft 365 Backup through Microsoft Graph.
#[derive(Debug, Parser)]
#[command(
    name = "runback",
    version,
    max_term_width = 110,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Check(check::Check),
    Sandbox(sandbox::Sandbox),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Check(_) => "check",
            Self::Sandbox(_) => "sandbox",
        }
    }
}

impl Cli {
    /// Reads the command line and the variables that stand for flags. Help, version and mistakes end the process here.
    #[must_use]
    pub fn read() -> Self {
        Self::parsed(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    fn parsed(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        // An empty variable is one that is not set: CI systems export them so.
        let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
        let command = Self::command().mut_args(|arg| {
            if arg.get_env().is_some_and(is_empty) {
                arg.env(None::<&str>)
            } else {
                arg
            }
        });
        Self::from_arg_matches(&command.try_get_matches_from(words)?)
    }
}

/// Does what the command line asks for, says what went wrong, and gives the exit code.
#[must_use]
pub fn run(cli: Cli, world: &World) -> Exit {
    let voice = Voice::new(cli.flags.manner(world), world.clone());
    bug::watch(&voice, world, cli.command.name());
    let exit = bounded(&cli.flags, &voice).and_then(|()| match cli.command {
        Command::Run(command) => command.run(&cli.flags, world, &voice),
        Command::Check(command) => command.run(&cli.flags, &voice),
        Command::Sandbox(command) => command.run(&cli.flags, &voice),
    });
    voice.end();
    let exit = exit.unwrap_or_else(|fault| {
        voice.fault(&fault);
        fault.exit
    });
    // Also where a task in the background has fallen over and nobody waited for it.
    if crate::error::bug::all().is_empty() {
        exit
    } else {
        Exit::Bug
    }
}

/// What holds for the whole process: logs, the memory limit.
fn bounded(flags: &Flags, voice: &Voice) -> Result<(), Fault> {
    logs::start(voice);
    let Some(most) = flags.max_memory.bytes() else {
        return Ok(());
    };
    let (_, hard) = rlimit::Resource::DATA
        .get()
        .unwrap_or((0, rlimit::INFINITY));
    rlimit::Resource::DATA
        .set(most.min(hard), hard)
        .map_err(|error| {
            Fault::new(
                Exit::Unstarted,
                "NoLimit",
                format!("the memory limit cannot be set: {error}"),
            )
            .hint("`--max-memory none` sets no limit")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
