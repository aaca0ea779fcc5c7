//! The mark on a claimed script that was given to a process, on the disk before that process is.
//!
//! What a run has sent is known only to the state folder that it was begun with. With the mark, and without that folder's word, nobody
//! can say what the run has done: then it is not run again.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::job::{Job, Shop};
use crate::error::{Exit, Fault};
use crate::journal::Journal;
use crate::unix::folder::Folder;

pub(super) const FILE: &str = "started.json";
/// Larger than any mark.
const LARGEST: u64 = 64 << 10;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    schema: u32,
    /// The state folder that knows what the run has done.
    state: PathBuf,
    at: Timestamp,
}

/// What a mark says to the watcher that finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marked {
    /// No process was ever started.
    No,
    /// One was, and this state folder would know what it has sent.
    Here,
    /// One was, with another state folder, or this one was emptied since.
    Elsewhere,
}

/// What the mark says, as far as it can be read: that it is there says enough.
fn read(folder: &Folder) -> Option<Mark> {
    let mut bytes = Vec::new();
    folder
        .read(OsStr::new(FILE))
        .ok()?
        .take(LARGEST)
        .read_to_end(&mut bytes)
        .ok()?;
    serde_json::from_slice(&bytes).ok()
}

pub(super) fn look(folder: &Folder, journal: &Journal, run: &str) -> Result<Marked, Fault> {
    let unreadable = |error: io::Error| {
        let message = format!("what was left of run `{run}` cannot be read: {error}");
        Fault::new(Exit::Unstarted, "ReportLost", message)
    };
    Ok(match folder.look(OsStr::new(FILE)).map_err(unreadable)? {
        None => Marked::No,
        Some(_) if journal.was_handed_over(run)? => Marked::Here,
        Some(_) => Marked::Elsewhere,
    })
}

impl Job {
    /// Says, here and in the state folder, that a process is about to be started. The state folder first: a mark without its word
    /// would be one of another folder.
    pub(super) fn mark(&self, shop: &Shop) -> Result<(), Fault> {
        let now = shop.world.clock.now();
        Journal::open(&shop.state)?.hand_over(&self.claim.run, now)?;
        let mark = Mark {
            schema: 1,
            state: shop.state.clone(),
            at: now,
        };
        let written = serde_json::to_vec_pretty(&mark)
            .map_err(io::Error::other)
            .and_then(|text| {
                let folder = &self.claim.folder;
                folder.replace(OsStr::new(FILE), &text, 0o600)?;
                folder.sync()
            });
        written.map_err(|error| {
            let message = format!(
                "run `{}` is not begun, because that cannot be written down: {error}",
                self.claim.run
            );
            Fault::new(Exit::Unstarted, "ReportLost", message)
        })
    }

    /// Of a run whose record is not in this state folder.
    pub(super) fn record_lost(&self, shop: &Shop) -> Fault {
        let (run, here) = (&self.claim.run, shop.state.display());
        let mark = read(&self.claim.folder);
        let other = mark
            .as_ref()
            .filter(|mark| mark.state != shop.state)
            .map(|mark| mark.state.display().to_string());
        let why = match (&other, &mark) {
            (Some(other), _) => {
                format!("it was begun with the state folder `{other}`, not with `{here}`")
            }
            (None, Some(mark)) => format!(
                "the state folder `{here}` was emptied or exchanged since it began, at {:.0}",
                mark.at
            ),
            (None, None) => format!("the state folder `{here}` knows nothing of it"),
        };
        let message = format!(
            "run `{run}` was started before, and {why}: what it has restored is not known, so it is not run again"
        );
        let fault = Fault::new(Exit::Unknown, "RecordLost", message);
        let fault = match other {
            Some(other) => fault.hint(format!(
                "`runback runs {run} --state-dir {other}` shows what it did, `runback resume {run} --state-dir {other}` goes on with it"
            )),
            None => fault.hint(format!(
                "put the state folder's `journal.db` back if there is a copy, then `runback resume {run}`"
            )),
        };
        fault.hint("else look at the service's restore sessions since then (`runback drafts`, `scripts/watch-sessions.rhai`), and drop the script again only for what is not among them")
    }
}
