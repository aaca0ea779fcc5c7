//! `runback run`: one runbook, once.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, CommandFactory as _, ValueHint};
use tokio::runtime::Runtime;

use super::flags::{Api, Flags};
use super::{Cli, sandbox, secret_file, sign_in};
use crate::changes::Arming;
use crate::error::{Exit, Fault};
use crate::graph::{self, SignIn};
use crate::report::Kind;
use crate::run::{APPLY, Connection, Errand, Ground, Leave, Order, Rails, Source, State, conduct};
use crate::sandbox::Running;
use crate::script::Script;
use crate::talk::Voice;
use crate::world::World;

/// One call with all its tries and waits.
const BUDGET: Duration = Duration::from_mins(15);

pub(super) const GRAPH: &str = "https://graph.microsoft.com";

/// Run a runbook
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Run {
    /// The runbook's file
    #[arg(value_name = "SCRIPT", required_unless_present_any = ["help", "watched"], value_hint = ValueHint::FilePath)]
    script: Option<PathBuf>,
    /// Arguments of the runbook; `--` before them ends runback's own flags
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// A run of the watched folder: what to do stands on stdin
    #[arg(long, hide = true)]
    watched: bool,
    /// Consent is given to exactly what this plan says: for the watched folder, which has checked who has approved of it
    #[arg(long, value_name = "PLAN", hide = true)]
    approved: Option<PathBuf>,
    /// Print help; behind SCRIPT the runbook's own
    #[arg(long, short)]
    help: bool,
}

pub(super) fn argument(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("an argument is written NAME=VALUE".to_owned()),
    }
}

impl Run {
    /// Asks for help only, the command's or a script's.
    pub(super) fn is_help(&self) -> bool {
        self.help
    }

    /// `given`: the flags of this command line, for a later life of the run.
    pub(super) fn run(
        self,
        flags: &Flags,
        given: Vec<(String, Vec<String>)>,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        if self.watched {
            let order = Order {
                settings: given,
                ..errand(flags)?
            };
            let approved = self.approved.as_deref();
            return Ok(carry_out(&order, flags, approved, world, voice));
        }
        self.run_on(flags, given, None, world, voice)
    }

    /// `standing`: a tenant that is there already, and whether it may be changed.
    pub(super) fn run_on(
        self,
        flags: &Flags,
        given: Vec<(String, Vec<String>)>,
        standing: Option<(Result<Ground, Fault>, Arming)>,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        let Some(script) = self.script else {
            return Ok(command_help("run"));
        };
        if self.help {
            return script_help(&script, voice);
        }
        if script == Path::new(APPLY) {
            let message = format!(
                "`{APPLY}` is no file: only `runback apply` runs it, with a plan that it has checked"
            );
            return Err(Fault::new(Exit::Unstarted, "NoSuchFile", message));
        }
        let mut order = Order {
            settings: given,
            ..order(script, self.arguments, flags)?
        };
        if let Some((ground, arming)) = standing {
            order.arming = arming;
            return Ok(conduct(&order, ground, world, voice));
        }
        let approved = self.approved.as_deref();
        Ok(carry_out(&order, flags, approved, world, voice))
    }
}

/// What the flags allow beforehand.
pub(super) fn leave(flags: &Flags) -> Leave {
    let conduct = &flags.conduct;
    Leave {
        yes: conduct.yes,
        again: conduct.repeats.again,
        allow_overlap: conduct.repeats.allow_overlap,
    }
}

/// What is to be run, with what the flags say of it.
pub(super) fn order(
    script: PathBuf,
    arguments: Vec<(String, String)>,
    flags: &Flags,
) -> Result<Order, Fault> {
    let conduct = &flags.conduct;
    Ok(Order {
        script,
        arguments,
        data: conduct.data.clone(),
        leave: leave(flags),
        no_wait: conduct.no_wait,
        max_time: conduct.max_time,
        format: conduct.format,
        reports: reports(&conduct.report)?,
        on_end: conduct.on_end.clone(),
        api: version(flags),
        settings: Vec::new(),
        here: std::env::current_dir().unwrap_or_default(),
        resumed: None,
        applied: None,
        errand: None,
        arming: Arming::always(),
    })
}

/// What the watched folder wants to be run.
pub(super) fn errand(flags: &Flags) -> Result<Order, Fault> {
    let errand = Errand::read()?;
    // A script can make its process die; what lay in its memory is nobody's business, tokens least of all.
    let (_, hard) = rlimit::Resource::CORE.get().unwrap_or_default();
    let _ = rlimit::Resource::CORE.set(0, hard);
    let mut order = order(errand.path.clone(), errand.arguments.clone(), flags)?;
    order.reports.push((errand.result.clone(), Kind::Json));
    order.errand = Some(errand);
    Ok(order)
}

pub(super) fn carry_out(
    order: &Order,
    flags: &Flags,
    approved: Option<&Path>,
    world: &World,
    voice: &Voice,
) -> Exit {
    // The tenant in this process, where there is one, serves until the run has ended.
    let (ground, _sandbox) = match ground(order.errand.as_ref(), flags, approved, world) {
        Ok((ground, sandbox)) => (Ok(ground), sandbox),
        Err(fault) => (Err(fault), None),
    };
    conduct(order, ground, world, voice)
}

/// The reports that will be written, checked before anything runs.
pub(super) fn reports(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Kind)>, Fault> {
    let one = |path: &PathBuf| {
        let kind = Kind::of(path)?;
        let refused = |why: String| {
            let message = format!("`--report {}` cannot be written: {why}", path.display());
            Fault::new(Exit::Unstarted, "BadReport", message)
        };
        if path.is_dir() {
            return Err(refused("that is a folder".to_owned()));
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        match folder.filter(|folder| !folder.is_dir()) {
            Some(missing) => Err(refused(format!(
                "there is no folder `{}`",
                missing.display()
            ))),
            None => Ok((path.clone(), kind)),
        }
    };
    paths.iter().map(one).collect()
}

/// `approved`: the plan that somebody has approved.
pub(super) fn ground(
    errand: Option<&Errand>,
    flags: &Flags,
    approved: Option<&Path>,
    world: &World,
) -> Result<(Ground, Option<Running>), Fault> {
    let rails = match errand.and_then(Errand::policy) {
        // A run of the watched folder obeys what its watcher obeys, whatever the file says by now.
        Some(policy) => Rails::under(policy?, approved)?,
        None => Rails::open(flags.conduct.policy.as_deref(), approved)?,
    };
    let state = State::open(flags.conduct.state_dir.as_deref(), world)?;
    let runtime = runtime()?;
    let (connection, serving) = connection(flags, world, &runtime)?;
    let ground = Ground {
        runtime,
        state,
        connection,
        rails,
    };
    Ok((ground, serving))
}

/// How the tenant is reached; starts the one in this process where that is asked for.
pub(super) fn connection(
    flags: &Flags,
    world: &World,
    runtime: &Runtime,
) -> Result<(Connection, Option<Running>), Fault> {
    flags.sandbox.check()?;
    let mut serving = None;
    let mut connection = plain(flags);
    if flags.sandbox.sandbox {
        if flags.tenant.graph_url.is_some() {
            let message = "`--sandbox` and `--graph-url` are two tenants";
            return Err(
                Fault::new(Exit::Unstarted, "BadFlag", message).hint("leave one of them out")
            );
        }
        let (running, sign_in) = runtime.block_on(sandbox::embedded(&flags.sandbox))?;
        connection = inside(flags, &running, sign_in);
        serving = Some(running);
    } else {
        let world = secret_file::behind(&flags.secret, world)?;
        connection.options.sign_in = sign_in::choose(&flags.tenant, &world)?;
        if let Some(url) = &flags.tenant.graph_url {
            connection.options.root.clone_from(url);
        }
    }
    Ok((connection, serving))
}

/// With nobody to sign in as, and Graph's usual address.
fn plain(flags: &Flags) -> Connection {
    let conduct = &flags.conduct;
    Connection {
        options: graph::Options {
            root: GRAPH.to_owned(),
            version: version(flags),
            sign_in: SignIn::Nothing,
            in_flight: conduct.in_flight.into(),
            ca_file: flags.tenant.ca_file.clone(),
            budget: BUDGET,
        },
        polling: conduct.polling,
        settling: conduct.settling,
    }
}

/// How the tenant in this process is reached.
pub(super) fn inside(flags: &Flags, running: &Running, sign_in: SignIn) -> Connection {
    let mut connection = plain(flags);
    connection.options.root = running.url();
    connection.options.sign_in = sign_in;
    // The service's own times run faster there: so do the waits for it.
    connection.polling = connection.polling.div_f64(running.speed());
    connection.settling = connection.settling.div_f64(running.speed());
    connection
}

pub(super) fn version(flags: &Flags) -> graph::Version {
    match flags.tenant.api {
        Api::V1 => graph::Version::V1,
        Api::Beta => graph::Version::Beta,
    }
}

pub(super) fn runtime() -> Result<Runtime, Fault> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            Fault::new(
                Exit::Unstarted,
                "NoThreads",
                format!("no threads can be started: {error}"),
            )
        })
}

pub(super) fn command_help(name: &str) -> Exit {
    let mut command = Cli::command();
    command.build();
    if let Some(run) = command.find_subcommand_mut(name) {
        let _ = run.print_long_help();
    }
    Exit::Success
}

pub(super) fn script_help(path: &Path, voice: &Voice) -> Result<Exit, Fault> {
    let source = Source::read(path)?;
    let name = path.display().to_string();
    match Script::load(&name, &source.bytes) {
        Ok(script) => {
            let _ = std::io::stdout().write_all(script.header.help(&name).as_bytes());
            Ok(Exit::Success)
        }
        Err(faults) => {
            voice.faults(&faults);
            Ok(Exit::Unstarted)
        }
    }
}
