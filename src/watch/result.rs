//! What became of a run: its result document, and the folder that it is filed away in.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitStatus;

use jiff::Timestamp;

use super::inbox::{Inbox, Place};
use super::mark;
use super::ticket::{self, Ticket};
use crate::error::{Exit, Fault};
use crate::journal::Journal;
use crate::report::{Kind, Outcome};
use crate::runs::{View, resume_command};
use crate::unix;
use crate::unix::folder::Folder;

pub(super) const FILE: &str = "result.json";
/// Held by the process of the run.
pub(super) const LOCK: &str = "lock";
/// A hundred thousand items are some tens of megabytes.
const LARGEST: u64 = 1 << 30;

/// The document that the run itself has written.
pub(super) fn read(folder: &Folder, run: &str) -> Option<Outcome> {
    let mut text = String::new();
    folder
        .read(OsStr::new(FILE))
        .ok()?
        .take(LARGEST)
        .read_to_string(&mut text)
        .ok()?;
    text.parse::<Outcome>()
        .ok()
        .filter(|outcome| outcome.run == run)
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

/// What the record of a run knows, and whether a change is among it.
pub(super) fn recorded(state: &Path, run: &str) -> Option<(View, bool)> {
    let journal = Journal::open(state).ok()?;
    let row = journal.run(run).ok()??;
    let view = View::load(&journal, &row.id).ok()?;
    let has_changed = !journal.changes(&row.id).ok()?.is_empty();
    Some((view, has_changed))
}

/// Of a run whose process has left no document: what its record knows, and how it died.
pub(super) fn of_death(
    state: &Path,
    ticket: &Ticket,
    status: ExitStatus,
    now: Timestamp,
) -> Outcome {
    let recorded = recorded(state, &ticket.run);
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
