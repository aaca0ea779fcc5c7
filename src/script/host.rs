//! What functions of a script reach through: the outside world of one run.

use std::sync::Arc;

use rhai::NativeCallContext;
use tokio::runtime::Handle;

use super::api::tenant::Tenant;
use super::arguments::Args;
use super::failure::Failure;
use super::files::Files;
use super::imports::Roots;
use super::steps::Steps;
use super::values::Object;
use crate::backup::books::Item;
use crate::error::{Fault, bug};
use crate::history::History;
use crate::stop::Stop;
use crate::talk::Talk;
use crate::world::World;

/// How loud a line of `log::` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Where a script's output goes. Called from several threads at once.
pub(crate) trait Output: Send + Sync {
    fn print(&self, text: &str);
    fn debug(&self, text: &str);
    fn table(&self, columns: &[String], rows: &[Vec<serde_json::Value>]);
    fn log(&self, level: Level, text: &str);
}

/// One call of `skip(item, reason)`.
#[derive(Clone, Debug)]
pub(crate) struct Skip {
    /// The item as the script gave it, where it is an object.
    pub(crate) object: Option<Object>,
    /// The item in words: its name, address or id.
    pub(crate) item: String,
    /// What a row says beside the item.
    pub(crate) unit: Option<Object>,
    pub(crate) point: Option<Object>,
    pub(crate) reason: String,
    /// Does not make the exit code 1.
    pub(crate) ok: bool,
}

/// Asks a person; `Err` where the answer is no.
type Confirm = dyn Fn(&str) -> Result<(), Fault> + Send + Sync;

/// The items of a run, by its name, that failed.
type Failed = dyn Fn(&str) -> Result<(Vec<Item>, usize), Fault> + Send + Sync;

/// From the length a script asked for to the length it waits.
type Naps = dyn Fn(std::time::Duration) -> std::time::Duration + Send + Sync;

/// Everything one run hands to its script's functions. Made once per run and shared by its threads.
pub(crate) struct Host {
    pub(crate) world: World,
    pub(crate) runtime: Handle,
    pub(crate) stop: Stop,
    pub(crate) talk: Arc<dyn Talk>,
    pub(crate) output: Arc<dyn Output>,
    pub(crate) files: Files,
    /// Folders that imports may come from: the script's own, in `watch` the libraries instead.
    pub(crate) imports: Roots,
    pub(crate) args: Args,
    pub(crate) tenant: Tenant,
    /// What an earlier life of the run has learnt, and what this one learns.
    pub(crate) history: Arc<History>,
    pub(crate) steps: Steps,
    /// Books a `skip()`.
    pub(crate) skip: Box<dyn Fn(Skip) -> Result<(), Failure> + Send + Sync>,
    /// `now()`: recorded, so that a resumed run sees the same.
    pub(crate) now: Box<dyn Fn() -> Result<jiff::Timestamp, Failure> + Send + Sync>,
    /// `confirm(text)`: the answer is recorded too. `Err` where consent is refused: the run is over then.
    pub(crate) confirm: Box<Confirm>,
    /// What failed in an earlier run of this state folder: whole units, and how many single files and messages beside them.
    pub(crate) failed: Box<Failed>,
    /// How long a `sleep` of the script takes in truth (a resumed run does not sleep again).
    pub(crate) naps: Box<Naps>,
}

impl Host {
    /// The host of the run that a function was called in.
    ///
    /// # Panics
    /// In an engine that was not made by [`super::engine::build`].
    pub(crate) fn of(ctx: &NativeCallContext) -> Arc<Self> {
        let host = ctx
            .tag()
            .and_then(|tag| tag.clone().try_cast::<Arc<Self>>())
            .expect("every engine carries its host as tag");
        let position = ctx.call_position();
        if let Some(line) = position.line() {
            let file = ctx.call_source().unwrap_or_default();
            bug::calling(ctx.fn_name(), file, line, position.position().unwrap_or(1));
        }
        #[cfg(debug_assertions)]
        host.falls_over(ctx.fn_name());
        host
    }

    /// For tests of what happens then: `RUNBACK_TEST_PANIC` names a function to panic in, or `spawned:` and one that spawns a task which
    /// does.
    #[cfg(debug_assertions)]
    fn falls_over(&self, function: &str) {
        let Some(asked) = self.world.variable("RUNBACK_TEST_PANIC") else {
            return;
        };
        let panics = || panic!("asked to panic for \"{}\"", self.args.to_json());
        if asked == function {
            panics();
        } else if asked.strip_prefix("spawned:") == Some(function) {
            let task = self
                .runtime
                .spawn(async { panic!("asked to panic in a task") });
            // Its panic is its own.
            let _ = self.runtime.block_on(task);
        }
    }

    /// Waits for something that may be given up at any moment: reading, waiting, sleeping.
    ///
    /// # Errors
    /// [`Failure::stopped`] when the stop flag is or gets set; else the future's own error.
    pub(crate) fn block<T, E: Into<Failure>>(
        &self,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        if self.stop.is_set() {
            return Err(Failure::stopped());
        }
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Failure::stopped()),
                result = future => result.map_err(Into::into),
            }
        })
    }

    /// As [`Host::block`], but what was begun is carried to its end: a change in flight must write down its outcome.
    pub(crate) fn finish<T, E: Into<Failure>>(
        &self,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        if self.stop.is_set() {
            return Err(Failure::stopped());
        }
        self.runtime.block_on(future).map_err(Into::into)
    }

    /// Sleeps by the world's clock; a stop wakes it at once.
    pub(crate) fn sleep(&self, length: std::time::Duration) -> Result<(), Failure> {
        let nap = (self.naps)(length);
        self.block(async {
            if !nap.is_zero() {
                self.world.clock.sleep(nap).await;
            }
            Ok::<_, Failure>(())
        })
    }

    /// Sets the stop flag and gives the error that ends the script.
    pub(crate) fn end(&self, reason: Fault) -> Failure {
        self.stop.set(reason);
        Failure::stopped()
    }
}
