//! One process per run.
//!
//! A file `locks/RUN.lock` in the state folder, locked by the operating system: it is free as soon as the process is gone,
//! however it went. What stands in it says who; whether the lock is held does not depend on that.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Holder, JournalError};
use crate::unix;

/// Whoever asks who holds a lock takes it for an instant, shared with others who ask. That is waited for.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(1);

/// Frees the run when it is dropped, and with the process.
pub(crate) struct RunLock {
    hold: Hold,
}

enum Hold {
    File { file: File, path: PathBuf },
    Memory { run: String, held: Held },
}

type Held = Arc<Mutex<HashMap<String, Holder>>>;

pub(super) enum Locks {
    Folder(PathBuf),
    Memory(Held),
}

#[derive(Serialize, Deserialize)]
struct Note {
    pid: u32,
    host: String,
    since: Timestamp,
}

impl Locks {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self::Folder(folder.join("locks"))
    }
    pub(super) fn in_memory() -> Self {
        Self::Memory(Held::default())
    }

    pub(super) fn lock(&self, run: &str, journal: &Path) -> Result<RunLock, JournalError> {
        let refused = |holder| JournalError::Held {
            run: run.to_owned(),
            holder,
        };
        let folder = match self {
            Self::Memory(held) => {
                let mut all = guard(held);
                if let Some(holder) = all.get(run) {
                    return Err(refused(holder.clone()));
                }
                all.insert(run.to_owned(), myself());
                return Ok(RunLock {
                    hold: Hold::Memory {
                        run: run.to_owned(),
                        held: Arc::clone(held),
                    },
                });
            }
            Self::Folder(folder) => folder,
        };
        // A run is named on the command line, and becomes a file name here.
        if !is_name(run) {
            return Err(JournalError::NoSuchRun {
                file: journal.to_owned(),
                run: run.to_owned(),
            });
        }
        let path = file_of(folder, run);
        let unusable = |error: io::Error| JournalError::Folder {
            path: path.clone(),
            cause: error.to_string(),
        };
        unix::private_folder(folder).map_err(unusable)?;
        let mut tries = 1;
        loop {
            let mut file = unix::private_file(&path).map_err(unusable)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(TryLockError::WouldBlock) => return Err(refused(written(&mut file))),
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
            // A prune may have taken the file away between our opening and our locking it.
            if unix::is_at(&file, &path) {
                sign(&mut file).map_err(unusable)?;
                let hold = Hold::File { file, path };
                return Ok(RunLock { hold });
            }
        }
    }

    pub(super) fn holder(&self, run: &str) -> Option<Holder> {
        match self {
            Self::Memory(held) => guard(held).get(run).cloned(),
            Self::Folder(_) if !is_name(run) => None,
            Self::Folder(folder) => {
                let mut file = File::open(file_of(folder, run)).ok()?;
                match file.try_lock_shared() {
                    Err(TryLockError::WouldBlock) => Some(written(&mut file)),
                    // Free; and dropping the file gives it back.
                    Ok(()) | Err(TryLockError::Error(_)) => None,
                }
            }
        }
    }
}

impl RunLock {
    /// Takes the file away with the lock, when the run itself is taken out of the journal.
    pub(super) fn forget(self) {
        if let Hold::File { path, .. } = &self.hold {
            // Nothing depends on it: an old file without a lock on it says nothing.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        match &self.hold {
            Hold::File { file, .. } => {
                // Closing it, which follows, would do as well, unless a child has got the file by then.
                let _ = file.unlock();
            }
            Hold::Memory { run, held } => {
                guard(held).remove(run);
            }
        }
    }
}

fn guard(held: &Held) -> MutexGuard<'_, HashMap<String, Holder>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

fn file_of(folder: &Path, run: &str) -> PathBuf {
    folder.join(format!("{run}.lock"))
}

fn is_name(run: &str) -> bool {
    !run.is_empty()
        && run.len() <= 100
        && run
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn myself() -> Holder {
    Holder {
        pid: std::process::id(),
        host: unix::host(),
        // Only shown: no decision hangs on it.
        since: Timestamp::now(),
    }
}

/// Says in the file who holds it.
fn sign(file: &mut File) -> io::Result<()> {
    let Holder { pid, host, since } = myself();
    let note = serde_json::to_vec(&Note { pid, host, since }).expect("a note is JSON");
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&note)
}

/// Who has signed the file. The holder may be about to.
fn written(file: &mut File) -> Holder {
    for _ in 0..TRIES {
        let mut text = String::new();
        let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
        if read.is_ok()
            && let Ok(Note { pid, host, since }) = serde_json::from_str(&text)
        {
            return Holder { pid, host, since };
        }
        std::thread::sleep(PAUSE);
    }
    Holder {
        pid: 0,
        host: "an unknown host".into(),
        since: Timestamp::now(),
    }
}
