//! One process for each run: the same binary, in a process group of its own, with its limits.
//!
//! A line of a script can end its process; so what must survive does not share one with it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::log::{self, Said};
use crate::unix;

/// How long a run has to come to an end once it was told to: ten seconds for a change in flight, and the books.
pub(super) const GRACE: Duration = Duration::from_secs(30);

/// How long the log is read on after the process has ended.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Files that are passed on are so for the length of one start: two starts at once would pass on each other's.
static STARTING: Mutex<()> = Mutex::new(());

/// What is to be started.
pub(super) struct Start<'s> {
    pub(super) words: Vec<OsString>,
    /// The line on its standard input.
    pub(super) errand: Vec<u8>,
    /// Where what it says goes.
    pub(super) log: File,
    /// Held by the child too, for as long as it lives.
    pub(super) lock: &'s File,
    /// It is killed after this long.
    pub(super) most: Option<Duration>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) said: Said,
}

/// The handle on a child that others may end.
#[derive(Default)]
pub(super) struct Life(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    child: Option<Child>,
    /// Its end tells the child to stop.
    stdin: Option<ChildStdin>,
    kill_at: Option<Instant>,
    /// It was told to stop because the watcher stops.
    is_told: bool,
}

impl Life {
    fn guard(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the run to stop, as SIGTERM would; kills it where it does not.
    pub(super) fn stop(&self) {
        self.end_input();
        self.guard().is_told = true;
    }

    fn end_input(&self) {
        let mut inner = self.guard();
        inner.stdin = None;
        let latest = Instant::now() + GRACE;
        inner.kill_at = Some(inner.kill_at.map_or(latest, |known| known.min(latest)));
    }

    pub(super) fn is_told(&self) -> bool {
        self.guard().is_told
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.guard().child.as_ref().map(Child::id)
    }

    /// Kills it if it is time to; gives when that will be.
    pub(super) fn kill_if_due(&self, now: Instant) -> Option<Instant> {
        let mut inner = self.guard();
        let due = inner.kill_at?;
        if now < due {
            return Some(due);
        }
        inner.kill_at = None;
        if let Some(child) = &inner.child {
            unix::kill_all(child);
        }
        None
    }

    /// Starts a process and waits for its end.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn run(self: &Arc<Self>, start: Start<'_>) -> io::Result<Ended> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(unix::own_program()?);
        command
            .args(&start.words)
            .stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        unix::named(unix::apart(&mut command), OsStr::new("runback"));
        let mut child = {
            let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
            unix::inherit(start.lock, true)?;
            let child = command.spawn();
            unix::inherit(start.lock, false)?;
            child?
        };
        // With it go our ends of the pipe.
        drop(command);
        let mut stdin = child.stdin.take();
        let pid = child.id();
        {
            let mut inner = self.guard();
            let latest = start.most.map(|most| Instant::now() + most);
            inner.kill_at = inner.kill_at.into_iter().chain(latest).min();
            inner.child = Some(child);
        }
        // It may have to wait until the child reads. One that has gone already tells so by its end.
        let _ = stdin.as_mut().map(|stdin| stdin.write_all(&start.errand));
        {
            let mut inner = self.guard();
            // Told to stop before it was started.
            inner.stdin = stdin.filter(|_| !inner.is_told);
        }
        let (tell, told) = mpsc::channel();
        let (log, life) = (start.log, Arc::clone(self));
        let pump = thread::Builder::new().name("log".to_owned());
        let pump = pump.spawn(move || {
            let _ = tell.send(log::keep(reader, log, || life.end_input()));
        });
        // Not reaped yet: until it is, its number is no other process's, and it can be killed by it.
        unix::wait_for_end(pid)?;
        // What it has started, and left, holds the log open.
        if let Some(child) = &self.guard().child {
            unix::kill_all(child);
        }
        pump?;
        // A process that has left the group may still hold it: that is not waited for.
        let said = told.recv_timeout(LAST_WORDS).unwrap_or(Said::All);
        let mut inner = self.guard();
        inner.stdin = None;
        inner.kill_at = None;
        let child = inner.child.take();
        drop(inner);
        let Some(mut child) = child else {
            return Err(io::Error::other("the process is gone"));
        };
        Ok(Ended {
            status: child.wait()?,
            said,
        })
    }
}
