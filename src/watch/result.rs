//! What became of a run: its result document, and the folder that it is filed away in.

use std::ffi::OsStr;
use std::io::{self, BufReader, Read as _};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::inbox::{Inbox, Place};
use super::mark;
use super::ticket::{self, Ticket};
use crate::error::{Exit, Fault};
use crate::journal::{Journal, JournalError};
use crate::report::{End, Kind, Outcome};
use crate::runs::{View, resume_command};
use crate::unix;
use crate::unix::folder::Folder;

pub(super) const FILE: &str = "result.json";
static LOADING: Mutex<()> = Mutex::new(());

/// Held by the process of the run.
pub(super) const LOCK: &str = "lock";
/// No larger one is read as a whole: the watcher has others to look after.
const LARGEST: u64 = 16 << 20;

/// How a run came to its end.
pub(super) enum Came {
    /// By its own document, as it stands in its folder.
    Written { exit: Exit, code: Option<String> },
    /// It has left none.
    Made(Box<Outcome>),
}

impl Came {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Written { exit, .. } => *exit,
            Self::Made(outcome) => outcome.exit,
        }
    }

    /// The code of the error that ended it.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Written { code, .. } => code.as_deref(),
            Self::Made(outcome) => outcome.error.as_ref().map(|error| error.code.as_str()),
        }
    }

    /// Changes the document, unless it is too large for that.
    pub(super) fn edited(
        self,
        folder: &Folder,
        run: &str,
        edit: impl FnOnce(&mut Outcome),
    ) -> Self {
        let mut outcome = match self {
            Self::Made(outcome) => outcome,
            Self::Written { .. } => match whole(folder, run) {
                Some(outcome) => Box::new(outcome),
                None => return self,
            },
        };
        edit(&mut outcome);
        Self::Made(outcome)
    }
}

/// What the run's own document says of its end. The rest of it is passed over: a script may have said a lot.
pub(super) fn glance(folder: &Folder, run: &str) -> Option<Came> {
    let file = folder.read(OsStr::new(FILE)).ok()?;
    let end = End::read(BufReader::new(file)).ok()?;
    (end.run == run).then_some(Came::Written {
        exit: end.exit,
        code: end.code,
    })
}

/// The document that the run itself has written.
fn whole(folder: &Folder, run: &str) -> Option<Outcome> {
    let mut text = String::new();
    let file = folder.read(OsStr::new(FILE)).ok()?;
    if file.metadata().ok()?.len() > LARGEST {
        return None;
    }
    file.take(LARGEST).read_to_string(&mut text).ok()?;
    text.parse::<Outcome>()
        .ok()
        .filter(|outcome| outcome.run == run)
}

/// Lets those see the run's own document who may see the others.
pub(super) fn share(inbox: &Inbox, folder: &Folder) -> io::Result<()> {
    folder.set_file_mode(OsStr::new(FILE), inbox.file_mode)
}

pub(super) fn write(inbox: &Inbox, folder: &Folder, outcome: &Outcome) -> io::Result<()> {
    let text = Kind::Json.render(outcome);
    folder.replace(OsStr::new(FILE), text.as_bytes(), inbox.file_mode)
}

/// Of something that was not let in, or could not be started.
pub(super) fn of_fault(run: &str, script: &str, at: Timestamp, fault: &Fault) -> Outcome {
    let mut outcome = Outcome::new(run.to_owned(), script.to_owned(), at, "v1.0");
    outcome.exit = fault.exit;
    outcome.fail(std::slice::from_ref(fault));
    outcome
}

/// Whether the record of a run is open; nothing where there is none.
pub(super) fn is_open(journal: &Journal, run: &str) -> Result<Option<bool>, JournalError> {
    let _alone = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(journal.run(run)?.map(|row| row.open))
}

/// What the record of a run knows, and whether a change is among it.
pub(super) fn recorded(state: &Path, run: &str) -> Option<(View, bool)> {
    // One at a time: a script may have made a long one.
    let _alone = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    record_of(state, run)
}

fn record_of(state: &Path, run: &str) -> Option<(View, bool)> {
    let journal = Journal::open(state).ok()?;
    let row = journal.run(run).ok()??;
    let view = View::load(&journal, &row.id).ok()?;
    let has_changed = !journal.changes(&row.id).ok()?.is_empty();
    Some((view, has_changed))
}

/// Of a run whose process has left no document: what its record knows, and how it died. It is written at once, so that a long one is
/// in memory alone.
pub(super) fn of_death(
    inbox: &Inbox,
    folder: &Folder,
    state: &Path,
    ticket: &Ticket,
    status: ExitStatus,
    now: Timestamp,
) -> Came {
    let _alone = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    let outcome = outcome_of_death(state, ticket, status, now);
    match write(inbox, folder, &outcome) {
        Ok(()) => Came::Written {
            exit: outcome.exit,
            code: outcome.error.map(|error| error.code),
        },
        // Tried again when it is filed, and told there.
        Err(_) => Came::Made(Box::new(outcome)),
    }
}

fn outcome_of_death(state: &Path, ticket: &Ticket, status: ExitStatus, now: Timestamp) -> Outcome {
    let recorded = record_of(state, &ticket.run);
    let how = match (unix::signal_of(status), status.code()) {
        (Some(signal), _) => format!("was killed by signal {signal}{}", signal_name(signal)),
        (None, code) => format!(
            "ended with exit code {} and left no result",
            code.unwrap_or_default()
        ),
    };
    let mut fault = Fault::new(
        Exit::Unstarted,
        "ProcessDied",
        format!("the process of run `{}` {how}", ticket.run),
    );
    let mut outcome = if let Some((view, has_changed)) = recorded {
        fault.exit = if view.outcome.books.unknown > 0 {
            Exit::Unknown
        } else if has_changed {
            Exit::Stopped
        } else {
            Exit::Unstarted
        };
        if view.row.open {
            let folder = state.display().to_string();
            let command = resume_command(&ticket.run, Some(&folder));
            fault = fault.hint(format!("`{command}` goes on with it"));
        }
        view.outcome
    } else {
        fault = fault.hint("it had changed nothing; drop it again");
        let mut outcome = Outcome::new(ticket.run.clone(), ticket.script.clone(), now, "v1.0");
        outcome.sha256 = Some(ticket.sha256.clone());
        outcome
    };
    fault = fault.hint("`run.log` beside this document holds what it said until then");
    outcome.ended = now;
    outcome.exit = fault.exit;
    outcome.fail(&[fault]);
    outcome
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        6 => " (SIGABRT: out of memory, most likely)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

/// Where a run that came to this end belongs.
pub(super) fn place(exit: Exit) -> Place {
    match exit {
        Exit::Success => Place::Done,
        _ => Place::Failed,
    }
}

/// Files a claimed folder away as a whole: whoever sees it there sees all of it.
pub(super) fn file(inbox: &Inbox, folder: &Folder, run: &str, place: Place) -> io::Result<()> {
    let name = OsStr::new(run);
    inbox.claimed.shift(name, inbox.place(place), name)?;
    // Ours alone; a crash before this leaves them lying, which harms nobody.
    folder.remove(OsStr::new(ticket::FILE))?;
    folder.remove(OsStr::new(mark::FILE))?;
    folder.remove(OsStr::new(LOCK))
}
