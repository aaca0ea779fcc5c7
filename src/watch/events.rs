//! What wakes the scanner before its time: changes in the inbox, signals.
//!
//! Nothing depends on an event: what is lost is found by the next scan.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::Exit;

/// Why the watcher wakes.
#[derive(Debug)]
pub(super) enum Wake {
    /// Something was written, moved in, or may have been.
    Changed,
    /// A job has come to its end.
    Finished(String, Box<super::watcher::Finished>),
    Stop(Exit),
    /// SIGHUP: read the policy again.
    Reload,
}

/// Watches until it is dropped.
pub(super) struct Events {
    _watcher: RecommendedWatcher,
}

impl Events {
    /// # Errors
    /// This file system or system has no events (any more): the inbox is then scanned from time to time.
    pub(super) fn start(
        inbox: &Path,
        pending: &Path,
        wake: SyncSender<Wake>,
    ) -> notify::Result<Self> {
        let inside = inbox.to_owned();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let matters = match &event {
                Ok(event) => matters(event) && !is_elsewhere(event, &inside),
                // A lost event, a full queue: look.
                Err(_) => true,
            };
            if matters {
                // One that waits is enough: a scan sees everything.
                match wake.try_send(Wake::Changed) {
                    Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
                }
            }
        })?;
        watcher.watch(inbox, RecursiveMode::NonRecursive)?;
        watcher.watch(pending, RecursiveMode::Recursive)?;
        Ok(Self { _watcher: watcher })
    }
}

/// Whether something may have come to its end or into the folder. Our own renames out of it do not matter, nor does each block
/// of a slow writer.
fn matters(event: &Event) -> bool {
    event.need_rescan()
        || match event.kind {
            EventKind::Create(_)
            | EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(
                RenameMode::To | RenameMode::Both | RenameMode::Any,
            ))
            | EventKind::Other
            | EventKind::Any => true,
            // Without inotify nobody says when a file is closed.
            EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => !cfg!(target_os = "linux"),
            _ => false,
        }
}

/// All of it lies among the results, where runs are filed away.
fn is_elsewhere(event: &Event, inbox: &Path) -> bool {
    let ours = ["done", "failed", "quarantine", ".runback"];
    !event.paths.is_empty()
        && event.paths.iter().all(|path| {
            ours.iter().any(|name| {
                path.strip_prefix(inbox)
                    .is_ok_and(|inner| inner.starts_with(name))
            })
        })
}

/// What wakes the watcher. From the moment at which this is made signals do so too, and end nothing by themselves: a SIGHUP may come
/// before the watcher has begun.
pub(crate) struct Waking {
    pub(super) wake: SyncSender<Wake>,
    pub(super) waked: Receiver<Wake>,
}

impl Waking {
    /// # Errors
    /// The signals cannot be caught.
    pub(crate) fn begin() -> std::io::Result<Self> {
        let (wake, waked) = mpsc::sync_channel(1024);
        obey_signals(wake.clone())?;
        Ok(Self { wake, waked })
    }
}

/// Sends what the system asks of this process, from a thread of its own.
fn obey_signals(wake: SyncSender<Wake>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(guard);
    let listen = move || {
        runtime.block_on(async {
            let mut stops = 0;
            loop {
                let told = tokio::select! {
                    _ = interrupt.recv() => Wake::Stop(Exit::Interrupted),
                    _ = terminate.recv() => Wake::Stop(Exit::Terminated),
                    _ = hangup.recv() => Wake::Reload,
                };
                if let Wake::Stop(exit) = told {
                    stops += 1;
                    if stops > 1 {
                        // Its runs lose their standard input, and stop by themselves.
                        std::process::exit(exit.code().into());
                    }
                }
                if wake.send(told).is_err() {
                    return;
                }
            }
        });
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, Flag, MetadataKind};

    use super::*;

    #[test]
    fn only_what_may_complete_a_file_wakes() {
        let name = |mode| EventKind::Modify(ModifyKind::Name(mode));
        let rows = [
            (EventKind::Create(CreateKind::File), true),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Write)),
                true,
            ),
            (name(RenameMode::To), true),
            (name(RenameMode::From), false),
            (
                EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)),
                false,
            ),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), false),
            (
                EventKind::Modify(ModifyKind::Data(DataChange::Any)),
                !cfg!(target_os = "linux"),
            ),
        ];
        for (kind, expected) in rows {
            assert_eq!(matters(&Event::new(kind)), expected, "{kind:?}");
        }
        let overflow = Event::new(name(RenameMode::From)).set_flag(Flag::Rescan);
        assert!(matters(&overflow));
    }

    #[test]
    fn our_own_filing_away_wakes_nobody() {
        let inbox = Path::new("/in");
        let at = |path: &str| Event::new(EventKind::Any).add_path(path.into());
        for path in ["/in/done", "/in/failed/r", "/in/.runback/status.json"] {
            assert!(is_elsewhere(&at(path), inbox), "{path}");
        }
        for path in ["/in/x.rhai", "/in/pending/r/approved", "/in/donex.rhai"] {
            assert!(!is_elsewhere(&at(path), inbox), "{path}");
        }
        assert!(!is_elsewhere(&Event::new(EventKind::Other), inbox));
    }
}
