//! Why the journal did not do what it was asked.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::ErrorCode;

use crate::error::{Exit, Fault};

/// Who works on a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    pub(crate) host: String,
    pub(crate) since: Timestamp,
}

/// Cheap to clone: one failure is told to everybody who waits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JournalError {
    #[error("the disk that holds the journal `{}` is full", file.display())]
    Full { file: PathBuf },
    #[error("the journal `{}` cannot be written", file.display())]
    ReadOnly { file: PathBuf, cause: String },
    #[error("the journal `{}` is kept busy by another process", file.display())]
    Busy { file: PathBuf, cause: String },
    #[error("the journal `{}` is damaged", file.display())]
    Damaged { file: PathBuf, cause: String },
    #[error("`{}` is not a journal of runback", file.display())]
    NotOurs { file: PathBuf },
    #[error("the journal `{}` was written by a newer runback: it has schema {found}, this one knows {known}", file.display())]
    Newer {
        file: PathBuf,
        found: i64,
        known: i64,
    },
    /// The state folder, or a lock in it.
    #[error("the state folder cannot be used: `{}`: {cause}", path.display())]
    Folder { path: PathBuf, cause: String },
    #[error("run `{run}` is held by process {} on `{}`", holder.pid, holder.host)]
    Held { run: String, holder: Holder },
    #[error("there is no run `{run}` in the journal `{}`", file.display())]
    NoSuchRun { file: PathBuf, run: String },
    #[error("the journal `{}` failed: {cause}", file.display())]
    Failed { file: PathBuf, cause: String },
}

/// SQLite writes whole pages, and the index of its log in pieces of 32 KiB.
fn has_no_room(file: &Path) -> bool {
    let folder = file.parent().unwrap_or(file);
    crate::unix::free_space(folder).is_ok_and(|free| free < 64 << 10)
}

impl JournalError {
    /// What SQLite says, in our terms.
    pub(super) fn of(file: &Path, error: &rusqlite::Error) -> Self {
        let file = file.to_owned();
        let cause = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { file },
            // What lies beside the file cannot grow either, and is told as a failure like any other.
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if has_no_room(&file) => {
                Self::Full { file }
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::ReadOnly { file, cause }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { file, cause },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { file, cause }
            }
            _ => match error {
                // Each record finds its run's evidence first.
                rusqlite::Error::QueryReturnedNoRows => Self::Failed {
                    file,
                    cause: "a record belongs to a run that was never begun".into(),
                },
                // A row of ours that does not read as we wrote it.
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => Self::Damaged { file, cause },
                _ => Self::Failed { file, cause },
            },
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "JournalFull",
            Self::ReadOnly { .. } => "JournalReadOnly",
            Self::Busy { .. } => "JournalBusy",
            Self::Damaged { .. } => "JournalDamaged",
            Self::NotOurs { .. } => "JournalNotOurs",
            Self::Newer { .. } => "JournalNewer",
            Self::Held { .. } => "RunIsHeld",
            Self::NoSuchRun { .. } => "NoSuchRun",
            Self::Folder { .. } | Self::Failed { .. } => "JournalFailed",
        }
    }

    fn cause(&self) -> Option<&str> {
        match self {
            Self::ReadOnly { cause, .. }
            | Self::Busy { cause, .. }
            | Self::Damaged { cause, .. } => Some(cause),
            _ => None,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Full { .. } => {
                "make room on that disk, or take old runs out with `runback runs --prune 1y`; then go on with `runback resume`"
                    .to_owned()
            }
            Self::ReadOnly { file, .. } => format!(
                "make `{}` and its folder writable for this user, or name another folder with `--state-dir`",
                file.display()
            ),
            Self::Busy { .. } => "`runback runs` shows what is running; try again".to_owned(),
            Self::Damaged { file, .. } => format!(
                "put a copy of `{0}` back, or move it away together with `{0}-wal` and `{0}-shm`; without it, look at what is \
                 running with `runback drafts` and in the service before you restore anything again",
                file.display()
            ),
            Self::NotOurs { .. } => "name another folder with `--state-dir`".to_owned(),
            Self::Newer { .. } => {
                "use the newer runback, or another folder with `--state-dir`".to_owned()
            }
            Self::Folder { .. } => {
                "mend the folder's permissions, or name another one with `--state-dir`".to_owned()
            }
            Self::Held { run, .. } => {
                format!("look on with `runback runs {run} --follow`, or end it with `runback stop {run}`")
            }
            Self::NoSuchRun { .. } => "`runback runs` lists the runs of this folder".to_owned(),
            Self::Failed { .. } => return None,
        })
    }
}

impl From<JournalError> for Fault {
    fn from(error: JournalError) -> Self {
        let mut fault = Self::new(Exit::Unstarted, error.code(), error.to_string());
        if let Some(cause) = error.cause() {
            fault = fault.context(cause);
        }
        if let JournalError::Held { holder, .. } = &error {
            fault = fault.context(format!("since {:.0}", holder.since));
        }
        match error.hint() {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }
}
