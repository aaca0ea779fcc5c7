//! `status.json`: how a watcher is getting on, for people and for whoever watches the watcher.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::inbox::Place;
use super::lock;
use crate::unix::folder::Folder;

const FILE: &str = "status.json";

/// Fields may be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) schema: u32,
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) host: String,
    pub(crate) started: Timestamp,
    /// `watching`, `stopping`, `stopped`.
    pub(crate) state: String,
    /// Complete scripts that wait for their turn.
    pub(crate) queue: usize,
    /// Those that are being written.
    pub(crate) unsettled: usize,
    pub(crate) running: Vec<Running>,
    /// Runs whose plans wait for approval.
    pub(crate) pending: Vec<String>,
    /// Why what was left for some of them is no approval, by run.
    #[serde(default)]
    pub(crate) not_approved: std::collections::BTreeMap<String, String>,
    /// Files of the inbox that are no runbooks, and stay where they are.
    pub(crate) ignored: usize,
    pub(crate) last_scan: Option<Timestamp>,
    /// How long that took.
    pub(crate) scan_milliseconds: u64,
    /// Whether changes wake the watcher; else it only looks from time to time.
    pub(crate) events: bool,
    pub(crate) policy_sha256: String,
    /// What cannot be done, and is tried again: a full disk, say.
    #[serde(default)]
    pub(crate) troubles: Vec<String>,
    /// Since it was started.
    pub(crate) filed: Filed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) run: String,
    pub(crate) script: String,
    pub(crate) since: Timestamp,
    pub(crate) pid: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filed {
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) quarantine: u64,
}

impl Filed {
    pub(super) fn count(&mut self, place: Place) {
        match place {
            Place::Done => self.done += 1,
            Place::Failed => self.failed += 1,
            Place::Quarantine => self.quarantine += 1,
        }
    }
}

impl Status {
    pub(super) fn write(&self, own: &Folder) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        text.push(b'\n');
        own.replace(OsStr::new(FILE), &text, 0o600)
    }
}

/// The status that was written last, and whether its watcher lives; nothing where none has ever watched here.
///
/// # Errors
/// The inbox or the document cannot be read.
pub(crate) fn status(inbox: &Path) -> io::Result<Option<(Status, bool)>> {
    let root = Folder::open(inbox)?;
    if root.look(OsStr::new(".runback"))?.is_none() {
        return Ok(None);
    }
    let own = root.inner(OsStr::new(".runback"))?;
    if own.look(OsStr::new(FILE))?.is_none() {
        return Ok(None);
    }
    let mut text = String::new();
    own.read(OsStr::new(FILE))?
        .take(16 << 20)
        .read_to_string(&mut text)?;
    let status: Status = serde_json::from_str(&text).map_err(io::Error::other)?;
    let lives = lock::holder(&own).is_some();
    Ok(Some((status, lives)))
}
