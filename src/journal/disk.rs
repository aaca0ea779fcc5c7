//! The file behind the journal: where it lies, who may read it, how it is opened.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::{JournalError, schema};
use crate::unix;

const FILE: &str = "journal.db";

/// How long SQLite waits for another process that writes, and how often we let it. Transactions of ours take
/// milliseconds; only the clean-up after a prune of a large file takes seconds.
const BUSY: Duration = Duration::from_secs(5);
const TRIES: u32 = 6;

/// Pages kept in memory by each of the two connections, in KiB (less than nothing: that is how SQLite is told so). Rows are written
/// once and read seldom; SQLite's own 2 MiB are for work that comes back to its pages.
const CACHE: i64 = -256;

static OPENING: Mutex<()> = Mutex::new(());

/// More than the statements we have.
const STATEMENTS: usize = 64;

/// Two connections to one file: one writes, one looks on meanwhile. In memory it is one for both.
#[derive(Clone)]
pub(super) struct Disk {
    pub(super) file: PathBuf,
    writer: Arc<Mutex<Connection>>,
    reader: Arc<Mutex<Connection>>,
}

impl Disk {
    pub(super) fn open(folder: &Path) -> Result<Self, JournalError> {
        let unusable = |path: &Path, error: std::io::Error| match error.kind() {
            std::io::ErrorKind::StorageFull => JournalError::Full {
                file: folder.join(FILE),
            },
            _ => JournalError::Folder {
                path: path.to_owned(),
                cause: error.to_string(),
            },
        };
        unix::private_folder(folder).map_err(|error| unusable(folder, error))?;
        let file = folder.join(FILE);
        // Between the making of the file and its first lock nobody else in this process opens it: see `make_private`.
        let _alone = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        unix::make_private(&file).map_err(|error| unusable(&file, error))?;
        let writer = again(|| connect(&file)).map_err(|error| match error {
            JournalError::Damaged { file, cause } => {
                let cause = quick_check(&file).unwrap_or(cause);
                JournalError::Damaged { file, cause }
            }
            error => error,
        })?;
        let reader = again(|| {
            let database = bare(&file)?;
            database
                .pragma_update(None, "query_only", true)
                .map_err(|error| JournalError::of(&file, &error))?;
            Ok(database)
        })?;
        Ok(Self {
            file,
            writer: Arc::new(Mutex::new(writer)),
            reader: Arc::new(Mutex::new(reader)),
        })
    }
    pub(super) fn in_memory() -> Self {
        let file = PathBuf::from(":memory:");
        let mut database = Connection::open_in_memory().expect("memory needs no file");
        schema::migrate(&mut database, &file).expect("the schema is a constant that tests run");
        database.set_prepared_statement_cache_capacity(STATEMENTS);
        let database = Arc::new(Mutex::new(database));
        Self {
            file,
            writer: Arc::clone(&database),
            reader: database,
        }
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Connection> {
        // After a panic the transaction was rolled back by its drop.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn failed(&self, error: &rusqlite::Error) -> JournalError {
        JournalError::of(&self.file, error)
    }

    /// What is wrong in the file, line by line; nothing where it is sound.
    pub(super) fn check(&self) -> Result<Vec<String>, JournalError> {
        let lines = check(&self.reader()).map_err(|error| self.failed(&error))?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

/// Starts a transaction that writes; waits for other processes that do. Once it has begun, nobody else is in the way.
///
/// The connection is behind a lock of ours, so no other transaction can be open on it.
pub(super) fn begin(database: &Connection) -> rusqlite::Result<Transaction<'_>> {
    let mut tries = 1;
    loop {
        match Transaction::new_unchecked(database, TransactionBehavior::Immediate) {
            Err(error) if tries < TRIES && is_busy(&error) => tries += 1,
            result => return result,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

fn again<T>(mut what: impl FnMut() -> Result<T, JournalError>) -> Result<T, JournalError> {
    let mut tries = 1;
    loop {
        match what() {
            Err(JournalError::Busy { .. }) if tries < TRIES => tries += 1,
            result => return result,
        }
    }
}

fn bare(file: &Path) -> Result<Connection, JournalError> {
    let open = || -> rusqlite::Result<Connection> {
        let database = Connection::open(file)?;
        database.busy_timeout(BUSY)?;
        database.pragma_update(None, "cache_size", CACHE)?;
        database.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(database)
    };
    open().map_err(|error| JournalError::of(file, &error))
}

fn connect(file: &Path) -> Result<Connection, JournalError> {
    let failed = |error: rusqlite::Error| JournalError::of(file, &error);
    let mut database = bare(file)?;
    // Before anything is changed in a file that may be somebody else's.
    schema::check(&database, file)?;
    let mode: String = database
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" {
        return Err(JournalError::Failed {
            file: file.to_owned(),
            cause: "its folder is not on a local disk, name another one with `--state-dir`".into(),
        });
    }
    // A commit is on the disk when it comes back; the second is for macOS, where a plain sync stops at the drive's cache.
    database
        .pragma_update(None, "synchronous", "FULL")
        .and_then(|()| database.pragma_update(None, "fullfsync", true))
        .and_then(|()| database.pragma_update(None, "checkpoint_fullfsync", true))
        .map_err(failed)?;
    schema::migrate(&mut database, file)?;
    Ok(database)
}

fn check(database: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = database.prepare("PRAGMA quick_check(10)")?;
    let lines = statement.query_map([], |row| row.get(0))?;
    lines.collect()
}

/// The first thing that is wrong in a file that does not open.
fn quick_check(file: &Path) -> Option<String> {
    let lines = check(&bare(file).ok()?).ok()?;
    lines.into_iter().find(|line| line != "ok")
}
