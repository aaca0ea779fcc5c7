//! One runbook from file to outcome: load, check, run, close the books.

mod apply;
mod bounds;
mod confirm;
pub(crate) mod conversation;
mod ending;
mod errand;
mod id;
mod keep;
mod load;
mod on_end;
mod output;
mod perform;
mod plan;
mod policy;
mod settle;
mod signals;
mod state;
mod tenant;
mod voice;
mod watched_files;

pub use output::Format;

pub(crate) use apply::{APPLY, Applied};
pub(crate) use conversation::{Conversation, Leaving, Setting};
pub(crate) use errand::Errand;
pub(crate) use id::new as new_id;
pub(crate) use keep::{Resumed, Saved};
pub(crate) use load::Source;
pub(crate) use output::Stdout;
pub(crate) use plan::rehearse;
pub(crate) use policy::Rails;
pub(crate) use signals::first_signal;
pub(crate) use state::{State, replace};

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::changes::Arming;
use crate::error::{Exit, Fault, bug};
use crate::graph;
use crate::report::{Kind, Outcome, closing};
use crate::runs::resume_command;
use crate::talk::{Loudness, Talk as _, Voice};
use crate::world::World;
use ending::Ending;

/// What was asked for on the command line.
pub(crate) struct Order {
    pub(crate) script: PathBuf,
    pub(crate) arguments: Vec<(String, String)>,
    pub(crate) data: Vec<PathBuf>,
    pub(crate) leave: Leave,
    pub(crate) no_wait: bool,
    pub(crate) max_time: Option<Duration>,
    pub(crate) format: Format,
    pub(crate) reports: Vec<(PathBuf, Kind)>,
    /// The command that is told the result at the end.
    pub(crate) on_end: Option<String>,
    pub(crate) api: graph::Version,
    /// Flags that were given, by their names: a run that goes on has them again.
    pub(crate) settings: Vec<(String, Vec<String>)>,
    /// The folder that arguments are read from.
    pub(crate) here: PathBuf,
    /// The run that goes on, where this is none that begins.
    pub(crate) resumed: Option<Resumed>,
    /// The plan that is to be done, where this is `apply`.
    pub(crate) applied: Option<Applied>,
    /// What the watched folder has handed over, where this is a run of it.
    pub(crate) errand: Option<Errand>,
    /// Read-only, where it is run out of a conversation that is.
    pub(crate) arming: Arming,
}

/// What was allowed beforehand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leave {
    /// Consent to whatever asks for it.
    pub(crate) yes: bool,
    /// What was restored before may be restored again.
    pub(crate) again: bool,
    /// A unit that another session restores may be restored all the same.
    pub(crate) allow_overlap: bool,
}

/// What a run stands on.
pub(crate) struct Ground {
    pub(crate) runtime: Runtime,
    pub(crate) state: State,
    pub(crate) connection: Connection,
    pub(crate) rails: Rails,
}

/// How the tenant is reached.
pub(crate) struct Connection {
    pub(crate) options: graph::Options,
    /// The longest time between two looks at running sessions, and the wait before a lost change is looked for; on our clock.
    pub(crate) polling: Duration,
    pub(crate) settling: Duration,
}

/// Runs a runbook, says how it went, writes the reports. Comes back with the exit code whatever happens.
///
/// `ground` is an error where the run cannot even begin: reports are written of that too.
pub(crate) fn conduct(
    order: &Order,
    ground: Result<Ground, Fault>,
    world: &World,
    voice: &Voice,
) -> Exit {
    let now = world.clock.now();
    if order.api == graph::Version::Beta {
        voice.note("this run prefers the beta version of Microsoft Graph");
    }
    let (run, started) = match (&order.resumed, &order.errand) {
        (Some(resumed), _) => (resumed.row.id.clone(), resumed.row.started),
        (None, Some(errand)) => (errand.run.clone(), now),
        (None, None) => (id::new(now), now),
    };
    let mut outcome = Outcome::new(run, order.name(), started, order.api.segment());
    let mut keep = None;
    let mut ending = Ending::default();
    let mut faults = Vec::new();
    let mut state = None;
    match ground {
        Ok(Ground {
            runtime,
            state: kept,
            connection,
            rails,
        }) => {
            let whole = perform::Whole {
                folder: kept.folder(),
                order,
                world,
                voice,
                runtime: runtime.handle(),
                rails: &rails,
                rehearsal: None,
            };
            let performed = match &order.resumed {
                Some(resumed) if resumed.row.kind == keep::CONVERSATION => {
                    whole.settle(resumed, connection, &mut outcome, &mut faults)
                }
                _ => whole.perform(connection, &mut outcome, &mut faults),
            };
            (ending.has_changed, keep) = (performed.has_changed, performed.keep);
            state = Some(kept);
            // A call that hangs, or a thread that waits for a terminal, must not keep the process.
            runtime.shutdown_timeout(Duration::from_millis(200));
        }
        Err(fault) => faults.push(fault),
    }
    if faults.iter().all(|fault| fault.exit != Exit::Bug) {
        // A task in the background may have fallen over, and nobody waited for it.
        faults.extend(bug::all());
    }
    outcome.ended = world.clock.now();
    let ending = ending.count(&outcome.items);
    let exit = |faults: &[Fault]| {
        let fault = faults
            .iter()
            .map(|fault| fault.exit)
            .min_by_key(|exit| exit.rank());
        Ending { fault, ..ending }.exit()
    };
    outcome.exit = exit(&faults);
    outcome.fail(&faults);
    // Who has stopped a run from another terminal can go on with it, also where it had only read.
    let is_stopped = faults
        .iter()
        .any(|fault| fault.code == signals::FROM_OUTSIDE);
    let goes_on = keep.is_some() && (ending.goes_on(outcome.exit) || is_stopped);
    let (kept, lost) = write(order, state.as_ref(), &outcome);
    voice.end();
    voice.faults(faults.iter().chain(&lost));
    if !lost.is_empty() {
        faults.extend(lost);
        outcome.exit = exit(&faults);
    }
    close(&outcome, kept.as_deref(), voice, !faults.is_empty());
    if let Some(command) = &order.on_end {
        on_end::tell(command, Kind::Json.render(&outcome), voice);
    }
    // Last of all: a process that dies before this leaves a run that `resume` takes to its end, with all that is above.
    if let Some(keep) = &keep
        && let Err(fault) = keep.end(&outcome, goes_on)
        && faults.iter().all(|known| known.code != fault.code)
    {
        voice.faults([&fault]);
        faults.push(fault);
        outcome.exit = exit(&faults);
        outcome.fail(&faults);
        // What cannot be written now has been said above.
        write(order, state.as_ref(), &outcome);
    }
    if goes_on && voice.manner().loudness != Loudness::Quiet {
        let how = format!("go on with: {}", order.go_on(&outcome.run));
        if voice.manner().json {
            voice.note(&how);
        } else {
            voice.raw(&how);
        }
    }
    outcome.exit
}

impl Order {
    /// What the script is called in messages and documents.
    pub(crate) fn name(&self) -> String {
        match &self.errand {
            Some(errand) => errand.script.clone(),
            None => self.script.display().to_string(),
        }
    }

    /// The command that goes on with a run.
    fn go_on(&self, run: &str) -> String {
        let folder = self.settings.iter().find(|(name, _)| name == "state-dir");
        let folder = folder.and_then(|(_, values)| values.first());
        resume_command(run, folder.map(String::as_str))
    }
}

/// Writes the result document and the reports; gives where the whole result can be read, and what could not be written.
fn write(order: &Order, state: Option<&State>, outcome: &Outcome) -> (Option<PathBuf>, Vec<Fault>) {
    let mut lost = Vec::new();
    let mut unwritten = |path: &Path, error: std::io::Error| {
        let message = format!("`{}` cannot be written: {error}", path.display());
        lost.push(Fault::new(Exit::Unstarted, "ReportLost", message));
    };
    let mut kept = None;
    if let Some(state) = state {
        match state.keep_result(outcome) {
            Ok(path) => kept = Some(path),
            Err(error) => unwritten(&state.result(&outcome.run), error),
        }
    }
    let mut reported = None;
    for (path, kind) in &order.reports {
        match state::replace_with(path, |out| kind.write(outcome, out)) {
            Ok(()) => reported = reported.or(Some(path.clone())),
            Err(error) => unwritten(path, error),
        }
    }
    if order.errand.is_some() {
        // The whole folder is about to be moved: only the name stays.
        reported = reported.and_then(|path| path.file_name().map(PathBuf::from));
    }
    (reported.or(kept), lost)
}

/// The last lines of a run that has come to its end before, for whoever resumes it once more.
pub(crate) fn close_again(outcome: &Outcome, state: &State, voice: &Voice) {
    let kept = state.result(&outcome.run);
    close(
        outcome,
        kept.exists().then_some(kept.as_path()),
        voice,
        false,
    );
}

/// The last lines, with an empty one before them where an error stands above.
fn close(outcome: &Outcome, kept: Option<&Path>, voice: &Voice, is_below_error: bool) {
    let manner = voice.manner();
    if manner.loudness == Loudness::Quiet {
        return;
    }
    if manner.json {
        let books = &outcome.books;
        if books.asked > 0 {
            voice.note(&format!(
                "asked {} = succeeded {} + failed {} + skipped {} + unknown {}",
                books.asked, books.succeeded, books.failed, books.skipped, books.unknown
            ));
        }
        return;
    }
    let block = closing::block(outcome, kept, manner.paint);
    if !block.is_empty() {
        if is_below_error {
            voice.raw("");
        }
        voice.raw(block.trim_end());
    }
}
