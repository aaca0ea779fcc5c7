//! A run that is typed statement by statement: the host under a REPL, its stop flag, its record, its books.

mod close;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use rhai::Dynamic;
use tokio::runtime::{Handle, Runtime};

use super::output::{Format, Stdout};
use super::signals::Presses;
use super::tenant::{self, Wires};
use super::{Connection, Ground, Leave, Rails, State, confirm, id, keep, perform, signals};
use crate::backup::End;
use crate::changes::Arming;
use crate::error::{Exit, Fault};
use crate::history::History;
use crate::journal::Journal;
use crate::runs;
use crate::script::api::tenant::Tenant;
use crate::script::console::Console;
use crate::script::steps::Steps;
use crate::script::{Args, Failure, Host};
use crate::stop::{Renewal, Stop};
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// What was asked for on the command line.
pub(crate) struct Setting {
    pub(crate) data: Vec<PathBuf>,
    pub(crate) leave: Leave,
    pub(crate) format: Format,
    pub(crate) api: String,
    /// Flags that were given, by their names: `resume` has them again.
    pub(crate) settings: Vec<(String, Vec<String>)>,
    pub(crate) arming: Arming,
}

/// An open conversation with a tenant.
pub(crate) struct Conversation {
    pub(crate) run: String,
    pub(crate) world: World,
    pub(crate) voice: Voice,
    pub(crate) state: State,
    pub(crate) setting: Setting,
    pub(crate) stdout: Arc<Stdout>,
    pub(crate) host: Arc<Host>,
    /// Shared with whoever completes what is typed.
    console: Arc<Mutex<Console>>,
    started: Timestamp,
    stop: Stop,
    renewal: Renewal,
    presses: Presses,
    watchers: Mutex<Vec<JoinHandle<()>>>,
    runtime: Runtime,
}

/// How a conversation is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Waits for the sessions that run.
    Waiting,
    /// They go on in the service, and `resume` closes the books.
    AtOnce,
}

impl Conversation {
    /// Makes everything ready. Nothing is sent, and nobody signs in, before a statement needs it.
    ///
    /// # Errors
    /// Exit 2: state folder, address, or credentials that cannot be used.
    pub(crate) fn open(
        ground: Ground,
        setting: Setting,
        world: &World,
        voice: &Voice,
    ) -> Result<Self, Fault> {
        let Ground {
            runtime,
            state,
            connection,
            rails,
        } = ground;
        let started = world.clock.now();
        let run = id::new(started);
        let (stop, renewal) = Stop::renewable();
        let presses = signals::converse(runtime.handle(), &stop, world, voice);
        let stdout = Arc::new(Stdout::new(
            setting.format,
            world.stdout_is_terminal,
            voice.clone(),
        ));
        let host = Self::host(
            &setting,
            connection,
            &rails,
            &state,
            (&run, started),
            &stop,
            world,
            voice,
            stdout.clone(),
            runtime.handle(),
        )?;
        let host = Arc::new(host);
        let handle = runtime.handle();
        signals::converse_wishes(handle, (&stop, &presses), world, voice, &host.tenant.door);
        Ok(Self {
            run,
            world: world.clone(),
            voice: voice.clone(),
            state,
            setting,
            stdout,
            console: Arc::new(Mutex::new(Console::new(&host))),
            host,
            started,
            stop,
            renewal,
            presses,
            watchers: Mutex::default(),
            runtime,
        })
    }

    #[allow(clippy::too_many_arguments)] // once, for all that a host is made of
    fn host(
        setting: &Setting,
        connection: Connection,
        rails: &Rails,
        state: &State,
        name: (&str, Timestamp),
        stop: &Stop,
        world: &World,
        voice: &Voice,
        stdout: Arc<Stdout>,
        runtime: &Handle,
    ) -> Result<Host, Fault> {
        let args = Args::default();
        let here = PathBuf::from(".");
        let files = perform::files_of(&here, &setting.data, &args)?;
        let ledger = keep::conversation(
            state.folder(),
            name,
            &setting.api,
            setting.settings.clone(),
            &connection.options.root,
            rails.sha256(),
        )?;
        let (manner, leave) = rails.consent(setting.leave);
        let tenant = tenant::connect(
            name.0,
            connection,
            Wires {
                leave,
                manner,
                guard: rails.guard(false),
                stand_in: None,
                ledger,
                arming: setting.arming.clone(),
                most_books: None,
            },
            stop,
            world,
            voice,
        )?;
        let (clock, asking, yes) = (world.clock.clone(), voice.clone(), leave.yes);
        let (backup, folder) = (tenant.backup.clone(), state.folder().to_owned());
        Ok(Host {
            world: world.clone(),
            runtime: runtime.clone(),
            stop: stop.clone(),
            talk: Arc::new(voice.clone()),
            output: stdout,
            files,
            imports: vec![here].into(),
            args,
            tenant,
            history: Arc::new(History::new(name.0, None)),
            steps: Steps::default(),
            skip: Box::new(move |skip| {
                tenant::book(&backup, skip);
                Ok(())
            }),
            now: Box::new(move || Ok(clock.now())),
            confirm: Box::new(move |question| confirm::confirm(&asking, yes, question)),
            naps: Box::new(|length| length),
            failed: Box::new(move |run| runs::failed(&Journal::open(&folder)?, run)),
        })
    }

    /// Runs a statement; gives its value, `None` for `()`. A stop, a denial, a panic ends it and nothing else.
    ///
    /// # Errors
    /// Why it ended early.
    pub(crate) fn run(&self, typed: &str) -> Result<Option<Dynamic>, Vec<Fault>> {
        let value = self.within(|| self.console().run(typed));
        if value.is_err() {
            self.settle_doubts();
        }
        self.attend();
        value
    }

    /// Looks for changes whose outcome the last statement has left open. Ctrl-C leaves them to `resume`.
    fn settle_doubts(&self) {
        let tenant = &self.host.tenant;
        let rows = match tenant.door.ledger().take_unknown() {
            Ok(rows) if rows.is_empty() => return,
            Ok(rows) => rows,
            Err(error) => return self.voice.fault(&error.into()),
        };
        let settled = self.within(|| {
            let backup = tenant.backup.clone();
            self.host.block(async { backup.settle_doubts(&rows).await })
        });
        if let Err(failure) = settled {
            self.voice.warn(&format!(
                "it is not known what became of `{}`: {}; `runback resume {}` looks for it when this conversation is over",
                rows[0].intent.operation,
                if failure.stopped { "stopped while looking for it".to_owned() } else { failure.message },
                self.run
            ));
        }
    }

    /// Does something that Ctrl-C may end, as a statement of its own.
    pub(crate) fn within<T>(&self, act: impl FnOnce() -> T) -> T {
        self.renew();
        let _busy = self.presses.busy();
        act()
    }

    /// Waits for an answer of the service, as a statement of its own.
    ///
    /// # Errors
    /// The answer's own, or why it was not waited for.
    pub(crate) fn ask<T, E: Into<Failure>>(
        &self,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        self.within(|| self.host.block(future)).map_err(|failure| {
            let stopped = self.stop.reason().filter(|_| failure.stopped);
            stopped.unwrap_or_else(|| failure.fault())
        })
    }

    /// Whatever ended the last statement does not end the next.
    fn renew(&self) {
        self.renewal.renew();
        self.world.cancel.renew();
        self.host.tenant.door.forget_consent();
    }

    /// Waits in the background for sessions that were activated, and says how they ended.
    fn attend(&self) {
        let tenant = &self.host.tenant;
        if !tenant.door.any_sent() {
            return;
        }
        let (backup, voice) = (tenant.backup.clone(), self.voice.clone());
        for session in self.runtime.block_on(backup.running()) {
            let (backup, voice) = (backup.clone(), voice.clone());
            if !self.presses.attends(session.id()) {
                continue;
            }
            let (presses, handle) = (self.presses.clone(), self.runtime.handle().clone());
            let stop = self.stop.clone();
            // A thread of its own: there are 25 at most, and they sleep.
            let watcher = std::thread::Builder::new().name("session".to_owned());
            let watcher = watcher.spawn(move || {
                let ended = handle.block_on(async {
                    tokio::select! {
                        biased;
                        // Whoever waits is sent away by a stop, and comes again after the next statement.
                        () = stop.cancelled() => None,
                        ended = backup.attend(&session) => ended.ok().flatten(),
                    }
                });
                presses.attended(session.id());
                if let Some(end) = ended {
                    voice.note(&told(&end));
                }
            });
            self.watchers().extend(watcher);
        }
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the runtime, after those who work on it.
    fn end(&self) {
        self.stop.set(Fault::new(
            Exit::Stopped,
            "Over",
            "the conversation is over",
        ));
        for watcher in self.watchers().drain(..) {
            let _ = watcher.join();
        }
    }

    pub(crate) fn console(&self) -> MutexGuard<'_, Console> {
        // A panic in a function of ours is caught further in; what it left is looked at by nobody.
        self.console.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn shared_console(&self) -> Arc<Mutex<Console>> {
        self.console.clone()
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.host.tenant
    }

    pub(crate) fn arming(&self) -> &Arming {
        &self.setting.arming
    }

    pub(crate) fn runtime(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Why the last statement was stopped.
    pub(crate) fn reason(&self) -> Option<Fault> {
        self.stop.reason()
    }

    /// The sessions that run in the service.
    pub(crate) fn running(&self) -> usize {
        let backup = &self.host.tenant.backup;
        self.runtime.block_on(backup.running()).len()
    }

    /// The signal that ends the whole conversation, where one came.
    pub(crate) fn is_over(&self) -> Option<Exit> {
        self.presses.leaving()
    }
}

/// How a session has ended, on one line.
fn told(end: &End) -> String {
    let mut text = format!(
        "session {} has ended, {}: {}, {} succeeded, {} failed",
        end.session, end.status, end.what, end.succeeded, end.failed
    );
    if end.unknown > 0 {
        let _ = write!(text, ", {} unknown", end.unknown);
    }
    text
}

/// Where the history of what was typed is kept.
impl State {
    pub(crate) fn typed_history(&self) -> PathBuf {
        self.folder().join("history.txt")
    }
}
