//! The flags that every command takes, before or after its name, each with its variable.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::values::{Size, duration};
use crate::error::{Exit, Fault};
use crate::run::Format;
use crate::talk::{Loudness, Manner};
use crate::text::Paint;
use crate::world::World;

#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    pub(super) settings: SettingsFlags,
    #[command(flatten)]
    pub(super) tenant: TenantFlags,
    #[command(flatten)]
    pub(super) secret: SecretFlags,
    #[command(flatten)]
    pub(super) sandbox: SandboxFlags,
    #[command(flatten)]
    pub(super) conduct: Conduct,
    #[command(flatten)]
    pub(super) voice: VoiceFlags,
    /// Most memory that the process may take, for example `512MiB`, or `none`
    #[arg(
        long,
        global = true,
        value_name = "SIZE",
        default_value = "2GiB",
        help_heading = "Limits"
    )]
    pub(super) max_memory: Size,
}

/// Which `runback.toml`, and what of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct SettingsFlags {
    /// Take settings from this file; else from `runback.toml` in the state folder and in the working folder
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "RUNBACK_CONFIG",
        hide_env_values = true
    )]
    pub(super) config: Option<PathBuf>,
    /// Take the settings of `[profile.NAME]` too
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "RUNBACK_PROFILE",
        hide_env_values = true
    )]
    pub(super) profile: Option<String>,
}

/// Which tenant, and how to sign in there.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tenant")]
pub(super) struct TenantFlags {
    /// Microsoft Graph without version, if it is not `https://graph.microsoft.com`
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "RUNBACK_GRAPH_URL",
        hide_env_values = true
    )]
    pub(super) graph_url: Option<String>,
    /// How to sign in: `auto` takes what is in the environment (secret, certificate, token, workload identity), else the
    /// machine's identity, the Azure CLI, or a code to enter in a browser; `-v` says why
    #[arg(
        long,
        global = true,
        value_name = "METHOD",
        env = "RUNBACK_AUTH",
        default_value = "auto",
        hide_env_values = true
    )]
    pub(super) auth: Method,
    /// The tenant's id or domain
    #[arg(
        long,
        global = true,
        value_name = "ID",
        env = "AZURE_TENANT_ID",
        hide_env_values = true
    )]
    pub(super) tenant: Option<String>,
    /// The app registration's id, or that of a user-assigned managed identity; a secret is taken from `AZURE_CLIENT_SECRET`
    /// only, a certificate from the file in `AZURE_CLIENT_CERTIFICATE_PATH`
    #[arg(
        long,
        global = true,
        value_name = "ID",
        env = "AZURE_CLIENT_ID",
        hide_env_values = true
    )]
    pub(super) client_id: Option<String>,
    /// Which version of Graph to prefer
    #[arg(
        long,
        global = true,
        value_name = "VERSION",
        env = "RUNBACK_API",
        default_value = "v1.0",
        hide_env_values = true
    )]
    pub(super) api: Api,
    /// Trust the certificates in this PEM file too
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "RUNBACK_CA_FILE",
        hide_env_values = true
    )]
    pub(super) ca_file: Option<PathBuf>,
}

/// A secret, wherever it may be but in a flag: command lines are seen by everybody on the machine.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Tenant")]
pub(super) struct SecretFlags {
    /// The client secret is in this file, which nobody else can read; `AZURE_CLIENT_SECRET` is stronger than a file not named here
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "AZURE_CLIENT_SECRET_FILE",
        hide_env_values = true
    )]
    pub(super) client_secret_file: Option<PathBuf>,
    /// It was named on the command line.
    #[arg(skip)]
    pub(super) is_typed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    Auto,
    Secret,
    Certificate,
    ManagedIdentity,
    WorkloadIdentity,
    Cli,
    DeviceCode,
    Token,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Api {
    #[value(name = "v1.0")]
    V1,
    Beta,
}

/// A simulated tenant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sandbox")]
pub(super) struct SandboxFlags {
    /// Start a simulated tenant and work against it
    #[arg(long, global = true, env = "RUNBACK_SANDBOX", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub(super) sandbox: bool,
    /// How many users it has
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) users: Option<u32>,
    /// Equal seed and users give equal ids
    #[arg(long, global = true, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// How many times faster than ours its time runs
    #[arg(long, global = true, value_name = "N")]
    pub(super) speed: Option<f64>,
    /// How long each of its answers takes
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub(super) latency: Option<Duration>,
    /// What goes wrong how often, for example `429=5%:retry-after=1,503=1%`
    #[arg(long, global = true, value_name = "SPEC")]
    pub(super) faults: Option<String>,
    /// Whether a search gives 5 points in all or one for each unit
    #[arg(long, global = true, value_name = "5|per-unit", value_parser = ["5", "per-unit"])]
    pub(super) search_cap: Option<String>,
    /// Keep its state in this file, and go on with it at the next start
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,
}

/// How a run goes about its work.
#[derive(Debug, Args)]
#[command(next_help_heading = "Runs")]
pub(super) struct Conduct {
    /// Where runs are recorded
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "RUNBACK_STATE_DIR",
        hide_env_values = true
    )]
    pub(super) state_dir: Option<PathBuf>,
    /// Guard rails: what scripts may do, and who gives consent; `runback doc policy` says how it is written
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "RUNBACK_POLICY",
        hide_env_values = true
    )]
    pub(super) policy: Option<PathBuf>,
    /// A further folder that scripts may read and write (repeatable)
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data: Vec<PathBuf>,
    /// Consent to activating and deleting, and yes to `confirm()`
    #[arg(long, short, global = true)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) repeats: Repeats,
    /// Longest time between two looks at running sessions
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        env = "RUNBACK_POLLING",
        default_value = "30s",
        value_parser = duration,
        hide_env_values = true
    )]
    pub(super) polling: Duration,
    /// How long to wait before looking for a change whose answer was lost
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        env = "RUNBACK_SETTLING",
        default_value = "30s",
        value_parser = duration,
        hide_env_values = true
    )]
    pub(super) settling: Duration,
    /// Do not wait for activated sessions at the end (exit 3)
    #[arg(long, global = true)]
    pub(super) no_wait: bool,
    /// Stop after this long
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    pub(super) max_time: Option<Duration>,
    /// Most calls at once
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = 32,
        value_parser = clap::value_parser!(u16).range(1..=1024),
        help_heading = "Limits"
    )]
    pub(super) in_flight: u16,
    /// How values are printed on stdout
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "table",
        help_heading = "Output"
    )]
    pub(super) format: Format,
    /// Write a report at the end, whatever happens; its extension says which: .json, .csv, .xml (JUnit), .html (repeatable)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output")]
    pub(super) report: Vec<PathBuf>,
    /// Run this command through the shell at the end, whatever happens, with the result document on its standard input
    #[arg(long, global = true, value_name = "CMD", help_heading = "Output")]
    pub(super) on_end: Option<String>,
}

/// What is restored although it is or was restored elsewhere.
#[derive(Debug, Args)]
pub(super) struct Repeats {
    /// Restore again what this state folder has restored before from the same point to the same place
    #[arg(long, global = true)]
    pub(super) again: bool,
    /// Restore also units that another running session restores
    #[arg(long, global = true)]
    pub(super) allow_overlap: bool,
}

/// What is said on stderr.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct VoiceFlags {
    /// Say more; twice: everything
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Say nothing but errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Form of what is said on stderr
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORM",
        default_value = "text"
    )]
    pub(super) log_format: LogFormat,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub(super) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Flags {
    /// How the program speaks.
    pub(super) fn manner(&self, world: &World) -> Manner {
        let loudness = match (self.voice.quiet, self.voice.verbose) {
            (true, _) => Loudness::Quiet,
            (false, 0) => Loudness::Normal,
            (false, 1) => Loudness::Verbose,
            (false, _) => Loudness::Everything,
        };
        let json = self.voice.log_format == LogFormat::Json;
        let is_coloured = self.colours(world, world.stderr_is_terminal);
        // Who pipes JSON somewhere is a machine, also when a terminal is near.
        let is_watched = world.stderr_is_terminal
            && (self.conduct.format != Format::Json || world.stdout_is_terminal);
        Manner {
            loudness,
            paint: if is_coloured && !json {
                Paint::Coloured
            } else {
                Paint::Plain
            },
            json,
            bars: is_watched && !json && loudness != Loudness::Quiet,
        }
    }
}

impl Flags {
    /// Whether what goes to stdout may have colours.
    pub(super) fn colours_stdout(&self, world: &World) -> bool {
        self.colours(world, world.stdout_is_terminal)
    }

    /// The same as a paint.
    pub(super) fn paint_stdout(&self, world: &World) -> Paint {
        if self.colours_stdout(world) {
            Paint::Coloured
        } else {
            Paint::Plain
        }
    }

    fn colours(&self, world: &World, is_terminal: bool) -> bool {
        match self.voice.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                is_terminal
                    && world.variable("NO_COLOR").is_none()
                    && world.variable("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

impl SandboxFlags {
    /// Refuses what goes with a sandbox where there is none.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let given = [
            ("--users", self.users.is_some()),
            ("--seed", self.seed.is_some()),
            ("--speed", self.speed.is_some()),
            ("--latency", self.latency.is_some()),
            ("--faults", self.faults.is_some()),
            ("--search-cap", self.search_cap.is_some()),
            ("--state", self.state.is_some()),
        ];
        match given
            .iter()
            .find(|(_, is_given)| *is_given && !self.sandbox)
        {
            Some((flag, _)) => Err(Fault::new(
                Exit::Unstarted,
                "BadFlag",
                format!("`{flag}` says what a sandbox is like, and none was asked for"),
            )
            .hint(format!(
                "write `--sandbox {flag} …` to work against a simulated tenant"
            ))),
            None => Ok(()),
        }
    }
}
