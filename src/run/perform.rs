//! The middle of a run: from the script's file to the closed books.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::bounds;
use super::keep::{self, Keep, Kept, Told};
use super::load::Source;
use super::output::Stdout;
use super::plan::Rehearsal;
use super::tenant::Wires;
use super::{Connection, Leave, Order, Rails, confirm, errand, signals, tenant, watched_files};
use crate::changes::Manner;
use crate::error::{Exit, Fault};
use crate::graph::{StandIn, Version};
use crate::history::History;
use crate::journal::Journal;
use crate::report::Outcome;
use crate::runs;
use crate::script::api::tenant::Tenant;
use crate::script::record::Quiet;
use crate::script::steps::Steps;
use crate::script::{self, Abilities, Args, Beta, Failure, Files, Host, Roots, Script};
use crate::stop::Stop;
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// What every step of a run needs.
pub(super) struct Whole<'r> {
    /// The state folder.
    pub(super) folder: &'r Path,
    pub(super) order: &'r Order,
    pub(super) world: &'r World,
    pub(super) voice: &'r Voice,
    pub(super) runtime: &'r Handle,
    pub(super) rails: &'r Rails,
    /// Nothing is to happen: a plan is drawn up.
    pub(super) rehearsal: Option<&'r Rehearsal>,
}

/// A script that can run.
struct Prepared {
    source: Source,
    /// It can change nothing: it keeps no record.
    only_reads: bool,
    script: Script,
    args: Args,
    files: Files,
    roots: Roots,
}

/// What running came to, beside the outcome.
#[derive(Default)]
pub(super) struct Performed {
    /// A change may have reached the tenant.
    pub(super) has_changed: bool,
    pub(super) keep: Option<Keep>,
}

impl Whole<'_> {
    /// Runs the script and fills in what it came to.
    pub(super) fn perform(
        &self,
        connection: Connection,
        outcome: &mut Outcome,
        faults: &mut Vec<Fault>,
    ) -> Performed {
        let stop = Stop::default();
        let prepared = match self.prepare(outcome) {
            Ok(prepared) => prepared,
            Err(found) => {
                faults.extend(found);
                return Performed::default();
            }
        };
        if let Err(fault) = self.rails.check_script(outcome.sha256.as_deref()) {
            faults.push(fault);
            return Performed::default();
        }
        self.say_beta(&prepared);
        if self.rehearsal.is_none() {
            let can_change = !prepared.only_reads;
            self.rails
                .announce(self.order.leave, can_change, self.voice);
        }
        if let Some(rehearsal) = self.rehearsal {
            let _ = rehearsal.args.set(prepared.args.to_json());
        }
        let kept = match self.keep(&prepared, &connection.options.root, outcome) {
            Ok(kept) => kept,
            Err(fault) => {
                faults.push(fault);
                return Performed::default();
            }
        };
        let history = Arc::new(kept.history);
        let keep = kept.keep;
        let tenant = match tenant::connect(
            &outcome.run,
            connection,
            Wires {
                leave: self.leave(),
                manner: self.manner(),
                guard: self.rails.guard(self.rehearsal.is_some()),
                stand_in: self.stand_in(),
                ledger: kept.ledger,
                arming: self.order.arming.clone(),
                most_books: bounds::books(self.order),
            },
            &stop,
            self.world,
            self.voice,
        ) {
            Ok(tenant) => tenant,
            Err(error) => {
                faults.push(error.into());
                return Performed {
                    has_changed: false,
                    keep,
                };
            }
        };
        if let Some(applied) = &self.order.applied
            && let Err(fault) = applied.check_tenant(&tenant.client, self.runtime)
        {
            faults.push(fault);
            return Performed {
                has_changed: false,
                keep,
            };
        }
        self.obey(&stop, keep.as_ref());
        let stdout = Arc::new(self.stdout());
        let script = prepared.script.clone();
        let host = Arc::new(self.host(prepared, tenant, history, &stop, &stdout));
        match script::run(&script, &host) {
            // A closure at the end of a script is no mistake; there is nothing to print of it.
            Ok(value) => {
                let value = value.and_then(|value| script::convert::to_json(&value).ok());
                let value = value.unwrap_or_default();
                stdout.value(&value);
                outcome.value = bounds::value(self.order, value);
            }
            Err(fault) => faults.push(fault),
        }
        faults.extend(stdout.failure());
        for change in host.tenant.door.ledger().unmet() {
            let what = match change.split_once('/') {
                Some(("activate", session)) => format!("session `{session}` was activated"),
                Some(("create", _)) => "a session was created".to_owned(),
                Some(("bulk", session)) => format!("session `{session}` was given a bulk request"),
                _ => format!("`{change}`"),
            };
            self.voice.warn(&format!(
                "the edited script does not do again what was done before: {what}"
            ));
        }
        self.close_books(&host.tenant, &stop, outcome, faults);
        Performed {
            has_changed: host.tenant.door.any_sent(),
            keep,
        }
    }

    /// Lets everything stop the run that may: signals, a watcher, the time limit, another terminal.
    fn obey(&self, stop: &Stop, keep: Option<&Keep>) {
        signals::obey(self.runtime, stop, self.world, self.voice);
        if self
            .order
            .errand
            .as_ref()
            .is_some_and(|errand| errand.is_watched)
        {
            errand::obey_watcher(self.runtime, stop, self.world);
        }
        if let Some(most) = self.order.max_time {
            signals::limit(self.runtime, stop, self.world, most);
        }
        if let Some(keep) = keep {
            signals::obey_wishes(self.runtime, stop, self.world, &keep.journal, &keep.run);
        }
    }

    /// The record of the run, new or taken up.
    fn keep(&self, prepared: &Prepared, root: &str, outcome: &Outcome) -> Result<Kept, Fault> {
        // A plan changes nothing, and a script that can only read learns nothing that a second reading would not.
        let is_new = self.order.resumed.is_none();
        if self.rehearsal.is_some() || prepared.only_reads && is_new {
            return Ok(Kept::nothing(&outcome.run));
        }
        let told = Told {
            source: &prepared.source.bytes,
            sha256: outcome.sha256.as_deref().unwrap_or_default(),
            imports: prepared.script.imports(&prepared.roots),
            resolved: prepared.args.to_json(),
            root,
            policy_sha256: self.rails.sha256(),
        };
        match &self.order.resumed {
            Some(resumed) => keep::again(self.folder, resumed, &told, self.world.clock.now()),
            None => keep::begin(self.folder, self.order, told, outcome),
        }
    }

    /// In a plan nothing is asked: what would be asked for does not happen.
    pub(super) fn leave(&self) -> Leave {
        let (_, leave) = self.rails.consent(self.order.leave);
        Leave {
            yes: leave.yes || self.rehearsal.is_some(),
            ..leave
        }
    }

    pub(super) fn manner(&self) -> Manner {
        match self.rehearsal {
            Some(_) => Manner::Open,
            None => self.rails.consent(self.order.leave).0,
        }
    }

    fn stand_in(&self) -> Option<Arc<dyn StandIn>> {
        let planned = self.rehearsal?.planned.clone();
        Some(planned)
    }

    fn stdout(&self) -> Stdout {
        let voice = self.voice.clone();
        // A script that tells of its restores would tell of some that have not happened.
        if self.rehearsal.is_some() {
            return Stdout::silent(voice);
        }
        Stdout::new(self.order.format, self.world.stdout_is_terminal, voice)
    }

    /// Beta changes without notice: a run that uses it says so in its first line.
    fn say_beta(&self, prepared: &Prepared) {
        if self.order.api == Version::Beta {
            return;
        }
        match prepared.script.beta(&prepared.roots) {
            Beta::Yes => self
                .voice
                .note("this run uses the beta version of Microsoft Graph in some calls"),
            Beta::Perhaps => self
                .voice
                .note("this run may use the beta version of Microsoft Graph in some calls"),
            Beta::Never => {}
        }
    }

    fn prepare(&self, outcome: &mut Outcome) -> Result<Prepared, Vec<Fault>> {
        let order = self.order;
        let source = match &order.errand {
            Some(errand) => errand.source(),
            None => Source::open(&order.script),
        };
        let source = source.map_err(|fault| vec![fault])?;
        outcome.sha256 = Some(source.sha256());
        let name = order.name();
        let roots = match &order.errand {
            Some(errand) => Roots::guarded(errand.libraries.clone()),
            None => vec![source.folder()].into(),
        };
        let here = order.here.clone();
        let examined = script::examine(&name, &source.bytes, &roots);
        // Mistakes in the arguments and in the script are all told at once.
        let args = examined.header.as_ref().map(|header| {
            let arguments = match order.errand {
                Some(_) => watched_files::under_data(header, &order.arguments, &order.data)?,
                None => order.arguments.clone(),
            };
            script::arguments::resolve(header, &arguments, outcome.started, &here)
        });
        let mut faults: Vec<Fault> = examined.errors().cloned().collect();
        let abilities = examined.abilities.as_ref();
        let only_reads = abilities.is_some_and(Abilities::only_reads);
        match (args, examined.script) {
            (Some(Ok(args)), Some(script)) => {
                let mut files = files(&source, order, &args).map_err(|fault| vec![fault])?;
                if let Some(applied) = &order.applied {
                    files.hold(applied.path.clone(), applied.bytes.clone());
                }
                Ok(Prepared {
                    source,
                    only_reads,
                    script,
                    args,
                    files,
                    roots,
                })
            }
            (Some(Err(mut bad)), _) => {
                // Once is enough, under the last of them.
                if let Some(last) = bad.last_mut() {
                    last.hints.push(format!(
                        "`runback run {name} --help` shows the script's arguments"
                    ));
                }
                faults.splice(0..0, bad);
                Err(faults)
            }
            _ => Err(faults),
        }
    }

    fn host(
        &self,
        prepared: Prepared,
        tenant: Tenant,
        history: Arc<History>,
        stop: &Stop,
        stdout: &Arc<Stdout>,
    ) -> Host {
        let (clock, asking) = (self.world.clock.clone(), self.voice.clone());
        let (yes, is_plan) = (self.leave().yes, self.rehearsal.is_some());
        let backup = tenant.backup.clone();
        let folder = self.folder.to_owned();
        Host {
            world: self.world.clone(),
            runtime: self.runtime.clone(),
            stop: stop.clone(),
            talk: Arc::new(self.voice.clone()),
            output: Arc::new(Quiet::new(stdout.clone(), history.clone())),
            files: prepared.files,
            imports: prepared.roots,
            args: prepared.args,
            tenant,
            history,
            steps: Steps::default(),
            skip: Box::new(move |skip| {
                tenant::book(&backup, skip);
                Ok(())
            }),
            now: Box::new(move || Ok(clock.now())),
            confirm: Box::new(move |question| confirm::confirm(&asking, yes, question)),
            naps: Box::new(move |length| if is_plan { Duration::ZERO } else { length }),
            failed: Box::new(move |run| runs::failed(&Journal::open(&folder)?, run)),
        }
    }

    /// Waits for what was activated, and fills in what became of each item. After Ctrl-C or a limit nobody waits.
    pub(super) fn close_books(
        &self,
        tenant: &Tenant,
        stop: &Stop,
        outcome: &mut Outcome,
        faults: &mut Vec<Fault>,
    ) {
        let is_over = stop
            .reason()
            .is_some_and(|reason| reason.exit != Exit::Denied);
        let wait = !is_over && (!self.order.no_wait || self.rehearsal.is_some());
        let (closed, trouble) = self.runtime.block_on(tenant.backup.close(wait));
        outcome.close(closed);
        // A stop that came while waiting is told as what it is, and once.
        let trouble = trouble.map(|trouble| Failure::from(trouble).fault());
        if let Some(fault) = stop.reason().or(trouble)
            && faults.iter().all(|known| known.code != fault.code)
        {
            faults.push(fault);
        }
        outcome.requests = tenant.client.requests();
        outcome.tenant = tenant
            .client
            .known_identity()
            .and_then(|identity| identity.claims.tenant);
    }
}

fn files(source: &Source, order: &Order, args: &Args) -> Result<Files, Fault> {
    let Some(errand) = &order.errand else {
        return files_of(&source.folder(), &order.data, args);
    };
    are_there(&order.data)?;
    let files = Files::apart(&errand.files, &order.data).map_err(unreadable)?;
    // An argument comes from whoever dropped the script: it opens no file that `--data` does not.
    if let Some(file) = args.files().iter().find(|file| !files.may_read(file)) {
        let message = format!(
            "an argument names `{}`, which is not under `--data`",
            file.display()
        );
        return Err(Fault::new(Exit::Unstarted, "FileDenied", message)
            .hint("in a watched folder scripts read what the watcher's `--data` names"));
    }
    Ok(files)
}

/// What may be read and written in this folder and under `--data`.
pub(super) fn files_of(folder: &Path, data: &[PathBuf], args: &Args) -> Result<Files, Fault> {
    are_there(data)?;
    Files::new(folder, data, args.files()).map_err(unreadable)
}

fn are_there(data: &[PathBuf]) -> Result<(), Fault> {
    let Some(missing) = data.iter().find(|folder| !folder.is_dir()) else {
        return Ok(());
    };
    let message = format!("there is no folder `{}`", missing.display());
    Err(Fault::new(Exit::Unstarted, "NoSuchFolder", message)
        .hint("`--data` names a folder that is there"))
}

fn unreadable(error: std::io::Error) -> Fault {
    let message = format!("the script's folder cannot be read: {error}");
    Fault::new(Exit::Unstarted, "NoSuchFolder", message)
}
