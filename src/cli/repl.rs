//! `runback repl`: a conversation with the tenant.

use std::ffi::OsString;
use std::sync::Arc;

use clap::Args;

use super::flags::Flags;
use super::run::{connection, ground, leave, runtime, version};
use super::{Cli, Command, Given, Loaded, mistake, sandbox, settings};
use crate::cancel::Cancel;
use crate::changes::Arming;
use crate::config::Setting as Configured;
use crate::error::{Exit, Fault};
use crate::repl::{Elsewhere, Frame, Named, converse};
use crate::run::{Conversation, Ground, Rails, Setting, State};
use crate::sandbox::Running;
use crate::talk::Voice;
use crate::world::World;

/// Talk with the tenant, statement by statement
///
/// Completes names (Tab), shows values, keeps variables, and makes a runbook of what has worked (`:save`). A real tenant is
/// read-only until `:arm`. Piped input runs statement by statement, up to the first error.
#[derive(Debug, Args)]
pub(super) struct Repl {}

impl Repl {
    pub(super) fn run(
        flags: &Flags,
        given: Given,
        config: &Loaded,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        let (ground, serving) = ground(None, flags, None, world)?;
        // The tenant in this process serves as long as anybody works with it.
        let serving = serving.map(Arc::new);
        let arming = if serving.is_some() {
            Arming::always()
        } else {
            Arming::read_only()
        };
        let conduct = &flags.conduct;
        let setting = Setting {
            data: conduct.data.clone(),
            leave: leave(flags),
            format: conduct.format,
            api: version(flags).segment().to_owned(),
            settings: settings::given_words(&given.matches),
            arming: arming.clone(),
        };
        let tenant = if serving.is_some() {
            Named::Given("sandbox".to_owned())
        } else {
            tenant(flags)
        };
        let paint = flags.paint_stdout(world);
        let beside = config
            .as_ref()
            .map_or_else(|_| Vec::new(), |config| config.settings.clone());
        let talk = Conversation::open(ground, setting, world, voice)?;
        let frame = Frame {
            tenant,
            is_sandbox: serving.is_some(),
            paint,
            elsewhere: elsewhere(given.words, beside, world.clone(), serving.clone(), arming),
        };
        let exit = converse(talk, frame);
        drop(serving);
        Ok(exit)
    }
}

/// As the prompt names it: `contoso` of `contoso.onmicrosoft.com`, the beginning of an id, the profile, the address.
fn tenant(flags: &Flags) -> Named {
    if let Some(tenant) = &flags.tenant.tenant {
        return Named::of_tenant(tenant);
    }
    if let Some(profile) = &flags.settings.profile {
        return Named::Given(profile.clone());
    }
    let host = |url: &String| {
        let url = url::Url::parse(url).ok()?;
        let host = url.host_str()?.to_owned();
        Some(
            url.port()
                .map_or(host.clone(), |port| format!("{host}:{port}")),
        )
    };
    let url = flags.tenant.graph_url.as_ref().and_then(host);
    Named::ByAddress(url.unwrap_or_else(|| "tenant".to_owned()))
}

/// Commands of the conversation that are commands of the program: parsed as the shell's are, behind the flags that this
/// process was started with, and run against the same tenant.
fn elsewhere(
    started: Vec<OsString>,
    beside: Vec<Configured>,
    world: World,
    serving: Option<Arc<Running>>,
    arming: Arming,
) -> Elsewhere {
    Box::new(move |words| {
        let mut all: Vec<OsString> = started.clone();
        let at = all.iter().skip(1).position(|word| word == "repl");
        let at = at.map_or(all.len(), |at| at + 1);
        let words = words.iter().map(OsString::from);
        all.splice(at..(at + 1).min(all.len()), words);
        let cli = Cli::parsed(&all, &beside).map_err(|error| mistake::fault(&error))?;
        // What stops one of them stops nothing else.
        let world = World {
            cancel: Cancel::new(),
            ..world.clone()
        };
        let voice = Voice::new(cli.flags.manner(&world), world.clone());
        let flags = &cli.flags;
        let ground = || standing(flags, &world, serving.as_deref());
        let exit = match cli.command {
            Command::Run(command) => {
                let given = settings::given_words(&cli.given.matches);
                command.run_on(
                    flags,
                    given,
                    Some((ground(), arming.clone())),
                    &world,
                    &voice,
                )
            }
            Command::Plan(command) => command.run_on(flags, Some(ground()), &world, &voice),
            Command::Check(command) => command.run(flags, &voice),
            Command::Runs(command) => command.run(flags, &cli.given, &world, &voice),
            other => Err(Fault::new(
                Exit::Unstarted,
                "BadCommand",
                format!("`{}` is no command of a conversation", other.name()),
            )),
        };
        voice.end();
        exit
    })
}

/// What a run out of a conversation stands on: a runtime and a sign-in of its own, the same tenant.
fn standing(flags: &Flags, world: &World, serving: Option<&Running>) -> Result<Ground, Fault> {
    let state = State::open(flags.conduct.state_dir.as_deref(), world)?;
    let runtime = runtime()?;
    let connection = match serving {
        Some(running) => super::run::inside(flags, running, sandbox::sign_in(running)),
        None => connection(flags, world, &runtime)?.0,
    };
    Ok(Ground {
        runtime,
        state,
        connection,
        rails: Rails::open(flags.conduct.policy.as_deref(), None)?,
    })
}
