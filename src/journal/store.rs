//! The journal of a state folder, as the rest of the program holds it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

#[cfg(debug_assertions)]
use super::crash::Crash;
use super::disk::Disk;
use super::glance::Glance;
use super::lock::Locks;
use super::queue::{Entry, Queue, Told, Work};
use super::{Holder, JournalError, Record, RunLock, writer};

/// Cheap to clone. When the last one goes, everything that was put is written.
#[derive(Clone)]
pub(crate) struct Journal(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) disk: Disk,
    pub(super) locks: Locks,
    pub(super) glance: Glance,
    pub(super) queue: Arc<Queue>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens the journal of a state folder; makes both where they are not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, JournalError> {
        Self::over(
            Disk::open(folder)?,
            Locks::in_folder(folder),
            #[cfg(debug_assertions)]
            Crash::from_environment(),
        )
    }

    #[cfg_attr(not(test), expect(dead_code, reason = "tests keep journals in memory"))]
    /// The same in memory; it dies with the last of its clones.
    pub(crate) fn in_memory() -> Self {
        Self::over(
            Disk::in_memory(),
            Locks::in_memory(),
            #[cfg(debug_assertions)]
            Crash::default(),
        )
        .expect("a thread can be started")
    }

    fn over(
        disk: Disk,
        locks: Locks,
        #[cfg(debug_assertions)] crash: Crash,
    ) -> Result<Self, JournalError> {
        let queue = Arc::new(Queue::default());
        let writer = writer::start(
            disk.clone(),
            Arc::clone(&queue),
            #[cfg(debug_assertions)]
            crash,
        )
        .map_err(|error| JournalError::Failed {
            file: disk.file.clone(),
            cause: error.to_string(),
        })?;
        Ok(Self(Arc::new(Inner {
            disk,
            locks,
            glance: Glance::default(),
            queue,
            writer: Mutex::new(Some(writer)),
        })))
    }

    /// Queued; on disk with or before the next synced record. A failure shows at the next sync.
    ///
    /// Never waits for the disk, except where it is tens of megabytes behind.
    pub(crate) fn put(&self, record: Record) {
        self.0.queue.push(Entry {
            work: Work::Record(Box::new(record)),
            told: None,
        });
    }

    /// Back when it is on disk, with everything put before it.
    pub(crate) async fn sync(&self, record: Record) -> Result<(), JournalError> {
        self.pushed(Work::Record(Box::new(record))).await
    }

    pub(crate) fn sync_blocking(&self, record: Record) -> Result<(), JournalError> {
        self.push_blocking(Work::Record(Box::new(record)))
    }

    /// Back when everything that was put is on disk.
    pub(crate) fn flush(&self) -> Result<(), JournalError> {
        match self.0.queue.broken() {
            Some(first) => Err(first),
            None if self.0.queue.is_idle() => Ok(()),
            None => self.push_blocking(Work::Flush),
        }
    }

    /// What is wrong in the file, line by line; nothing where it is sound.
    pub(crate) fn check(&self) -> Result<Vec<String>, JournalError> {
        self.0.disk.check()
    }

    /// Makes this process the only one that works on a run, until what it gives is dropped or the process ends.
    pub(crate) fn lock(&self, run: &str) -> Result<RunLock, JournalError> {
        self.0.locks.lock(run, &self.0.disk.file)
    }

    /// Who works on a run now.
    pub(crate) fn lock_holder(&self, run: &str) -> Option<Holder> {
        self.0.locks.holder(run)
    }

    /// Statements in a transaction of the writer, with what they give once it is on disk.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        let given = Arc::new(Mutex::new(None));
        let give = Arc::clone(&given);
        let lock = |given: &Mutex<Option<T>>, value: Option<T>| -> Option<T> {
            let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *given, value)
        };
        self.pushed(Work::Job(Box::new(move |database| {
            lock(&give, Some(job(database)?));
            Ok(())
        })))
        .await?;
        lock(&given, None).ok_or_else(|| self.gone())
    }

    /// The same, for who cannot wait asynchronously.
    pub(super) fn work_blocking(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), JournalError> {
        self.push_blocking(Work::Job(Box::new(job)))
    }

    /// The same, for who does not wait.
    pub(super) fn work_later(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) {
        self.0.queue.push(Entry {
            work: Work::Job(Box::new(job)),
            told: None,
        });
    }

    /// Reads in one snapshot that holds everything that was put before.
    pub(super) fn look<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        self.flush()?;
        self.peek(read)
    }

    /// Reads what is on disk.
    pub(super) fn peek<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        let database = self.0.disk.reader();
        let snapshot = database
            .unchecked_transaction()
            .map_err(|error| self.0.disk.failed(&error))?;
        read(&snapshot).map_err(|error| self.0.disk.failed(&error))
    }

    async fn pushed(&self, work: Work) -> Result<(), JournalError> {
        let (told, waits) = oneshot::channel();
        let told: Told = Box::new(move |result| {
            // Nobody waits any more where the future was dropped.
            let _ = told.send(result);
        });
        self.0.queue.push(Entry {
            work,
            told: Some(told),
        });
        waits.await.unwrap_or_else(|_| Err(self.gone()))
    }

    fn push_blocking(&self, work: Work) -> Result<(), JournalError> {
        let (told, waits) = std::sync::mpsc::sync_channel(1);
        let told: Told = Box::new(move |result| {
            let _ = told.send(result);
        });
        self.0.queue.push(Entry {
            work,
            told: Some(told),
        });
        waits.recv().unwrap_or_else(|_| Err(self.gone()))
    }

    /// The writer's thread has ended, which only a panic does.
    fn gone(&self) -> JournalError {
        self.0
            .queue
            .broken()
            .unwrap_or_else(|| JournalError::Failed {
                file: self.0.disk.file.clone(),
                cause: "its writer has ended".into(),
            })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writer.take()
            // The last clone can go in a job, on the writer's own thread.
            && writer.thread().id() != thread::current().id()
        {
            let _ = writer.join();
        }
    }
}
