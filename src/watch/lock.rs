//! One watcher per inbox.
//!
//! A file in the inbox, locked by the operating system: free as soon as its watcher is gone, however it went.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::unix;
use crate::unix::folder::Folder;

const FILE: &str = "lock";

/// Who holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) host: String,
    pub(super) since: Timestamp,
}

pub(super) struct Lock {
    _file: File,
}

/// Why there is no lock.
pub(super) enum Refused {
    /// Somebody has it; `None` where it does not say who.
    Held(Option<Holder>),
    Unusable(io::Error),
}

/// Takes the lock, until what comes back is dropped or the process ends.
pub(super) fn take(own: &Folder, now: Timestamp) -> Result<Lock, Refused> {
    let mut file = own
        .append(OsStr::new(FILE), 0o600)
        .map_err(Refused::Unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Refused::Held(written(&mut file))),
        Err(TryLockError::Error(error)) => return Err(Refused::Unusable(error)),
    }
    let holder = Holder {
        pid: std::process::id(),
        host: unix::host(),
        since: now,
    };
    let note = serde_json::to_vec(&holder).map_err(|error| Refused::Unusable(error.into()))?;
    file.set_len(0)
        .and_then(|()| file.write_all(&note))
        .map_err(Refused::Unusable)?;
    Ok(Lock { _file: file })
}

/// Who watches now; `None` where nobody does.
pub(super) fn holder(own: &Folder) -> Option<Holder> {
    let mut file = own.read(OsStr::new(FILE)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(written(&mut file).unwrap_or(Holder {
            pid: 0,
            host: "an unknown host".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        })),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn written(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
