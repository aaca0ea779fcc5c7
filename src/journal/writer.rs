//! The thread that writes: all that lies in the queue, in one transaction, then tells whoever waits.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

#[cfg(debug_assertions)]
use super::crash::Crash;
use super::disk::{self, Disk};
use super::queue::{Entry, Queue, Told, Work};
use super::{JournalError, write};

struct Writer {
    disk: Disk,
    queue: Arc<Queue>,
    #[cfg(debug_assertions)]
    crash: Crash,
}

/// Starts the thread. It ends when the queue is closed and empty.
pub(super) fn start(
    disk: Disk,
    queue: Arc<Queue>,
    #[cfg(debug_assertions)] crash: Crash,
) -> io::Result<JoinHandle<()>> {
    let mut writer = Writer {
        disk,
        queue,
        #[cfg(debug_assertions)]
        crash,
    };
    thread::Builder::new()
        .name("journal".into())
        .spawn(move || writer.run())
}

impl Writer {
    fn run(&mut self) {
        let _leaving = Leaving(Arc::clone(&self.queue));
        while let Some(entries) = self.queue.take() {
            let (works, told) = parted(entries);
            let result = match self.queue.broken() {
                Some(first) => Err(first),
                None => self.commit(works),
            };
            if let Err(error) = &result {
                // What the file holds after a failed write is only known to be right up to the last commit. A later record
                // must not get there past a lost one.
                self.queue.break_off(error.clone());
            }
            for told in told {
                told(result.clone());
            }
        }
    }

    fn commit(&mut self, works: Vec<Work>) -> Result<(), JournalError> {
        if works.is_empty() {
            return Ok(());
        }
        #[cfg(debug_assertions)]
        self.crash.count(&works);
        let database = self.disk.writer();
        let commit = || -> rusqlite::Result<()> {
            let transaction = disk::begin(&database)?;
            for work in works {
                match work {
                    Work::Record(record) => write::record(&transaction, &record)?,
                    Work::Job(job) => job(&transaction)?,
                    Work::Flush => {}
                }
            }
            #[cfg(debug_assertions)]
            self.crash.before_commit();
            transaction.commit()
        };
        commit().map_err(|error| self.disk.failed(&error))?;
        #[cfg(debug_assertions)]
        self.crash.after_commit();
        Ok(())
    }
}

/// Work to be done, and who waits for it.
fn parted(entries: Vec<Entry>) -> (Vec<Work>, Vec<Told>) {
    let mut works = Vec::with_capacity(entries.len());
    let mut waiting = Vec::new();
    for Entry { work, told } in entries {
        if !matches!(work, Work::Flush) {
            works.push(work);
        }
        waiting.extend(told);
    }
    (works, waiting)
}

/// Nobody waits for a thread that has panicked.
struct Leaving(Arc<Queue>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
