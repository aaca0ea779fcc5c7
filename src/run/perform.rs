//! The middle of a run: from the script's file to the closed books.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::load::Source;
use super::output::Stdout;
use super::plan::Rehearsal;
use super::{Connection, Order, confirm, signals, tenant};
use crate::error::{Exit, Fault};
use crate::graph::{StandIn, Version};
use crate::report::Outcome;
use crate::script::api::tenant::Tenant;
use crate::script::{self, Args, Beta, Failure, Files, Host, Script};
use crate::stop::Stop;
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// What every step of a run needs.
pub(super) struct Whole<'r> {
    pub(super) order: &'r Order,
    pub(super) world: &'r World,
    pub(super) voice: &'r Voice,
    pub(super) runtime: &'r Handle,
    /// Nothing is to happen: a plan is drawn up.
    pub(super) rehearsal: Option<&'r Rehearsal>,
}

/// A script that can run.
struct Prepared {
    script: Script,
    args: Args,
    files: Files,
    roots: Vec<PathBuf>,
}

impl Whole<'_> {
    /// Runs the script and fills in what it came to; `true` where a change may have reached the tenant.
    pub(super) fn perform(
        &self,
        connection: Connection,
        outcome: &mut Outcome,
        faults: &mut Vec<Fault>,
    ) -> bool {
        let stop = Stop::default();
        let prepared = match self.prepare(outcome) {
            Ok(prepared) => prepared,
            Err(found) => {
                faults.extend(found);
                return false;
            }
        };
        self.say_beta(&prepared);
        if let Some(rehearsal) = self.rehearsal {
            let _ = rehearsal.args.set(prepared.args.to_json());
        }
        let tenant = match tenant::connect(
            &outcome.run,
            connection,
            self.is_agreed(),
            self.stand_in(),
            &stop,
            self.world,
            self.voice,
        ) {
            Ok(tenant) => tenant,
            Err(error) => {
                faults.push(error.into());
                return false;
            }
        };
        if let Some(applied) = &self.order.applied
            && let Err(fault) = applied.check_tenant(&tenant.client, self.runtime)
        {
            faults.push(fault);
            return false;
        }
        signals::obey(self.runtime, &stop, self.world, self.voice);
        if let Some(most) = self.order.max_time {
            signals::limit(self.runtime, &stop, self.world, most);
        }
        let stdout = Arc::new(self.stdout());
        let Prepared {
            script,
            args,
            files,
            roots,
        } = prepared;
        let host = Arc::new(self.host(args, files, roots, tenant, &stop, &stdout));
        match script::run(&script, &host) {
            // A closure at the end of a script is no mistake; there is nothing to print of it.
            Ok(value) => {
                outcome.value = value
                    .and_then(|value| script::convert::to_json(&value).ok())
                    .unwrap_or_default();
                stdout.value(&outcome.value);
            }
            Err(fault) => faults.push(fault),
        }
        faults.extend(stdout.failure());
        self.close_books(&host.tenant, &stop, outcome, faults);
        host.tenant.door.any_sent()
    }

    /// In a plan nothing is asked: what would be asked for does not happen.
    fn is_agreed(&self) -> bool {
        self.order.yes || self.rehearsal.is_some()
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
        let source = Source::open(&order.script).map_err(|fault| vec![fault])?;
        outcome.sha256 = Some(source.sha256());
        let name = order.script.display().to_string();
        let folder = source.folder();
        let roots = vec![folder.clone()];
        let here = std::env::current_dir().unwrap_or_default();
        let examined = script::examine(&name, &source.bytes, &roots);
        // Mistakes in the arguments and in the script are all told at once.
        let args = examined.header.as_ref().map(|header| {
            script::arguments::resolve(header, &order.arguments, outcome.started, &here)
        });
        let mut faults: Vec<Fault> = examined.errors().cloned().collect();
        match (args, examined.script) {
            (Some(Ok(args)), Some(script)) => {
                let mut files = files(&folder, &order.data, &args).map_err(|fault| vec![fault])?;
                if let Some(applied) = &order.applied {
                    files.hold(applied.path.clone(), applied.bytes.clone());
                }
                Ok(Prepared {
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
        args: Args,
        files: Files,
        imports: Vec<PathBuf>,
        tenant: Tenant,
        stop: &Stop,
        stdout: &Arc<Stdout>,
    ) -> Host {
        let (clock, asking) = (self.world.clock.clone(), self.voice.clone());
        let (yes, is_plan) = (self.is_agreed(), self.rehearsal.is_some());
        let backup = tenant.backup.clone();
        Host {
            world: self.world.clone(),
            runtime: self.runtime.clone(),
            stop: stop.clone(),
            talk: Arc::new(self.voice.clone()),
            output: stdout.clone(),
            files,
            imports,
            args,
            tenant,
            skip: Box::new(move |skip| {
                tenant::book(&backup, skip);
                Ok(())
            }),
            now: Box::new(move || Ok(clock.now())),
            confirm: Box::new(move |question| confirm::confirm(&asking, yes, question)),
            naps: Box::new(move |length| if is_plan { Duration::ZERO } else { length }),
        }
    }

    /// Waits for what was activated, and fills in what became of each item. After Ctrl-C or a limit nobody waits.
    fn close_books(
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
        if let Some(fault) = stop.reason().cloned().or(trouble)
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

fn files(folder: &Path, data: &[PathBuf], args: &Args) -> Result<Files, Fault> {
    let fault = |message: String| Fault::new(Exit::Unstarted, "NoSuchFolder", message);
    if let Some(missing) = data.iter().find(|folder| !folder.is_dir()) {
        return Err(fault(format!("there is no folder `{}`", missing.display()))
            .hint("`--data` names a folder that is there"));
    }
    Files::new(folder, data, args.files())
        .map_err(|error| fault(format!("the script's folder cannot be read: {error}")))
}
