//! The command line: one file for each subcommand, its flags and what it wires together.

mod apply;
mod bug;
mod check;
mod completions;
mod doc;
mod doctor;
mod drafts;
mod flags;
mod go_on;
mod logs;
mod mistake;
mod new;
mod pause;
mod plan;
mod repl;
mod resume;
mod run;
mod runs;
mod sandbox;
mod secret_file;
mod settings;
mod sign;
mod sign_in;
mod stop;
mod values;
mod watch;

use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::{Config, Setting};
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
    #[arg(skip)]
    given: Given,
}

/// The command line as it was written: read once more when the config files are known.
#[derive(Debug, Default)]
struct Given {
    words: Vec<OsString>,
    matches: ArgMatches,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Resume(resume::Resume),
    Stop(stop::Stop),
    Pause(pause::Pause),
    Continue(go_on::Continue),
    Runs(runs::Runs),
    Drafts(drafts::Drafts),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Repl(repl::Repl),
    Watch(watch::Watch),
    Sign(sign::Sign),
    Doctor(doctor::Doctor),
    Check(check::Check),
    Sandbox(sandbox::Sandbox),
    Doc(doc::Doc),
    New(new::New),
    Completions(completions::Completions),
}

/// What the config files say, or what is wrong with them.
type Loaded = Result<Config, Vec<Fault>>;

/// What config files are to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Configured {
    /// Their settings hold, and a mistake in them ends it.
    Obeyed,
    /// Their settings hold, and it tells the mistakes itself.
    Examined,
    /// It works without them.
    Ignored,
}

impl Command {
    fn configured(&self) -> Configured {
        match self {
            Self::Run(run) if run.is_help() => Configured::Ignored,
            Self::Plan(plan) if plan.is_help() => Configured::Ignored,
            Self::Doctor(_) => Configured::Examined,
            Self::New(_) | Self::Completions(_) => Configured::Ignored,
            _ => Configured::Obeyed,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Resume(_) => "resume",
            Self::Stop(_) => "stop",
            Self::Pause(_) => "pause",
            Self::Continue(_) => "continue",
            Self::Runs(_) => "runs",
            Self::Drafts(_) => "drafts",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Repl(_) => "repl",
            Self::Watch(_) => "watch",
            Self::Sign(_) => "sign",
            Self::Doctor(_) => "doctor",
            Self::Check(_) => "check",
            Self::Sandbox(_) => "sandbox",
            Self::Doc(_) => "doc",
            Self::New(_) => "new",
            Self::Completions(_) => "completions",
        }
    }
}

impl Cli {
    /// Reads the command line and the variables that stand for flags. Help, version and mistakes end the process here.
    #[must_use]
    pub fn read(world: &World) -> Self {
        let words: Vec<OsString> = std::env::args_os().collect();
        Self::parsed(&words, &[]).unwrap_or_else(|error| mistake::exit(&error, &words, world))
    }

    /// `settings` stand where flags have their defaults.
    fn parsed(words: &[OsString], settings: &[Setting]) -> Result<Self, clap::Error> {
        // An empty variable is one that is not set: CI systems export them so.
        let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
        let command = settings::behind(Self::command(), settings).mut_args(|arg| {
            if arg.get_env().is_some_and(is_empty) {
                arg.env(None::<&str>)
            } else {
                arg
            }
        });
        let matches = command.try_get_matches_from(words)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        cli.flags.secret.is_typed =
            matches.value_source("client_secret_file") == Some(ValueSource::CommandLine);
        cli.given = Given {
            words: words.to_vec(),
            matches,
        };
        Ok(cli)
    }

    /// The command line again, with what the config files say behind it.
    fn settled(self, world: &World) -> Result<(Self, Loaded), Vec<Fault>> {
        let configured = self.command.configured();
        if configured == Configured::Ignored {
            return Ok((self, Ok(Config::default())));
        }
        let config = match settings::load(&self, world) {
            Ok(config) if config.settings.is_empty() => return Ok((self, Ok(config))),
            Ok(config) => config,
            Err(faults) if configured == Configured::Examined => return Ok((self, Err(faults))),
            Err(faults) => return Err(faults),
        };
        match Self::parsed(&self.given.words, &config.settings) {
            Ok(cli) => Ok((cli, Ok(config))),
            Err(error) => Err(vec![mistake::fault(&error)]),
        }
    }

    fn serves_sandbox(&self) -> bool {
        matches!(self.command, Command::Sandbox(_))
    }
}

/// Does what the command line asks for, says what went wrong, and gives the exit code.
#[must_use]
pub fn run(cli: Cli, world: &World) -> Exit {
    let manner = cli.flags.manner(world);
    let (cli, config) = match cli.settled(world) {
        Ok(settled) => settled,
        Err(faults) => {
            Voice::new(manner, world.clone()).faults(&faults);
            return Exit::Unstarted;
        }
    };
    let voice = Voice::new(cli.flags.manner(world), world.clone());
    bug::watch(&voice, world, cli.command.name());
    if let Ok(config) = &config {
        settings::announce(config, &voice);
    }
    let exit = bounded(&cli.flags, &voice).and_then(|()| match cli.command {
        Command::Run(command) => {
            let given = settings::given_words(&cli.given.matches);
            command.run(&cli.flags, given, world, &voice)
        }
        Command::Resume(command) => command.run(&cli.flags, &cli.given, &config, world, &voice),
        Command::Stop(command) => command.run(&cli.flags, &cli.given, world, &voice),
        Command::Pause(command) => command.run(&cli.flags, world, &voice),
        Command::Continue(command) => command.run(&cli.flags, world, &voice),
        Command::Runs(command) => command.run(&cli.flags, &cli.given, world, &voice),
        Command::Drafts(command) => command.run(&cli.flags, world, &voice),
        Command::Plan(command) => command.run(&cli.flags, world, &voice),
        Command::Apply(command) => {
            let given = settings::given_words(&cli.given.matches);
            command.run(&cli.flags, given, world, &voice)
        }
        Command::Repl(_) => repl::Repl::run(&cli.flags, cli.given, &config, world, &voice),
        Command::Watch(command) => command.run(&cli.flags, &cli.given, world, &voice),
        Command::Sign(command) => command.run(&cli.flags, world, &voice),
        Command::Doctor(_) => doctor::Doctor::run(&cli.flags, config, world, &voice),
        Command::Check(command) => command.run(&cli.flags, &voice),
        Command::Sandbox(command) => command.run(&cli.flags, &voice),
        Command::Doc(command) => command.run(&cli.flags, world, &voice),
        Command::New(command) => command.run(&voice),
        Command::Completions(command) => command.run(),
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
