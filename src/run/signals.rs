//! Ctrl-C, SIGTERM, the time limit and `runback stop`: what ends a run from outside.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::changes::Door;
use crate::error::{Exit, Fault};
use crate::journal::{Journal, Wish};
use crate::stop::Stop;
use crate::talk::{Talk as _, Voice};
use crate::text;
use crate::world::World;

/// The code of a run that was stopped from another terminal.
pub(super) const FROM_OUTSIDE: &str = "StoppedFromOutside";

/// How often a run looks whether it is wished to stop.
const LOOK: Duration = Duration::from_millis(250);

/// Ctrl-C and SIGTERM. Registered before this returns: a signal that comes a moment later finds the handlers in place.
fn caught(runtime: &Handle, voice: &Voice) -> Option<(Signal, Signal)> {
    let _entered = runtime.enter();
    let signals = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let (Ok(interrupt), Ok(terminate)) = signals else {
        voice.warn("Ctrl-C and SIGTERM cannot be caught: they will end the process at once");
        return None;
    };
    Some((interrupt, terminate))
}

/// Lets the first Ctrl-C or SIGTERM stop the run in order, and the second end the process at once.
pub(super) fn obey(runtime: &Handle, stop: &Stop, world: &World, voice: &Voice) {
    let Some((mut interrupt, mut terminate)) = caught(runtime, voice) else {
        return;
    };
    let (stop, world, voice) = (stop.clone(), world.clone(), voice.clone());
    runtime.spawn(async move {
        let exit = next(&mut interrupt, &mut terminate).await;
        let (code, message) = match exit {
            Exit::Terminated => ("Terminated", "stopped by SIGTERM"),
            _ => ("Interrupted", "stopped by Ctrl-C"),
        };
        stop.set(Fault::new(exit, code, message));
        world.cancel.cancel();
        voice.note("stopping: calls in flight are brought to their end; press Ctrl-C again to leave at once");
        let exit = next(&mut interrupt, &mut terminate).await;
        voice.end();
        std::process::exit(exit.code().into());
    });
}

/// Waits for Ctrl-C or SIGTERM where there is no run to stop: a server.
///
/// # Errors
/// The signals cannot be caught.
pub(crate) async fn first_signal() -> std::io::Result<Exit> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(next(&mut interrupt, &mut terminate).await)
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> Exit {
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    }
}

/// Stops the run when it has taken this long, also while it waits for its sessions at the end.
pub(super) fn limit(runtime: &Handle, stop: &Stop, world: &World, most: Duration) {
    let (stop, world) = (stop.clone(), world.clone());
    runtime.spawn(async move {
        world.clock.sleep(most).await;
        let message = format!(
            "stopped: the run has taken {}, and may take no longer",
            text::time(most)
        );
        stop.set(
            Fault::new(Exit::Stopped, "TimeLimit", message)
                .hint("give it more time with `--max-time`"),
        );
        world.cancel.cancel();
    });
}

/// Stops the run where somebody at another terminal wishes it.
pub(super) fn obey_wishes(
    runtime: &Handle,
    stop: &Stop,
    world: &World,
    journal: &Journal,
    run: &str,
) {
    let (stop, world) = (stop.clone(), world.clone());
    let (journal, run) = (journal.clone(), run.to_owned());
    runtime.spawn(async move {
        while journal.wished(&run) != Some(Wish::Stop) {
            tokio::select! {
                () = stop.cancelled() => return,
                () = world.clock.sleep(LOOK) => {}
            }
        }
        stop.set(from_outside(&run));
        world.cancel.cancel();
    });
}

fn from_outside(run: &str) -> Fault {
    let message = format!("stopped with `runback stop {run}`");
    Fault::new(Exit::Stopped, FROM_OUTSIDE, message)
}

/// Ends the conversation where somebody at another terminal wishes it: the statement that runs in order, an idle prompt at once.
/// Before there is a record of it, nobody can.
pub(super) fn converse_wishes(
    runtime: &Handle,
    (stop, presses): (&Stop, &Presses),
    world: &World,
    voice: &Voice,
    door: &Arc<Door>,
) {
    let (stop, presses) = (stop.clone(), presses.clone());
    let (world, voice, door) = (world.clone(), voice.clone(), door.clone());
    runtime.spawn(async move {
        let ledger = door.ledger();
        let is_wished = || {
            let journal = ledger.journal().filter(|_| ledger.has_begun());
            journal.is_some_and(|journal| journal.wished(ledger.run()) == Some(Wish::Stop))
        };
        while !is_wished() {
            world.clock.sleep(LOOK).await;
        }
        let fault = from_outside(ledger.run());
        presses.leave(fault.exit);
        stop.set(fault);
        world.cancel.cancel();
        if presses.is_idle() {
            // Not above the line that is typed: nobody would be there to draw it.
            voice.typing(None);
            crate::unix::restore_terminal();
            voice.raw("");
            voice.note(&format!(
                "stopped with `runback stop {run}`; close its books with: runback resume {run}",
                run = ledger.run()
            ));
            std::process::exit(Exit::Stopped.code().into());
        }
    });
}

/// What a conversation knows of the signals that came.
#[derive(Clone, Default)]
pub(super) struct Presses(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Statements that run now: one, or one inside another.
    busy: AtomicUsize,
    /// How often Ctrl-C was pressed since the statement that runs has begun.
    pressed: AtomicUsize,
    /// The signal that ends the conversation, as its exit code; 0: none.
    leaving: AtomicUsize,
    /// Sessions that somebody waits for in the background.
    attended: Mutex<HashSet<String>>,
}

/// A statement that runs.
pub(super) struct Busy(Presses);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Presses {
    pub(super) fn busy(&self) -> Busy {
        if self.0.busy.fetch_add(1, Ordering::SeqCst) == 0 {
            self.0.pressed.store(0, Ordering::SeqCst);
        }
        Busy(self.clone())
    }

    /// Has the conversation end after the statement that runs; whether this is the first to wish it.
    fn leave(&self, exit: Exit) -> bool {
        self.0.leaving.swap(exit.code().into(), Ordering::SeqCst) == 0
    }

    fn is_idle(&self) -> bool {
        self.0.busy.load(Ordering::SeqCst) == 0
    }

    pub(super) fn leaving(&self) -> Option<Exit> {
        let code = u8::try_from(self.0.leaving.load(Ordering::SeqCst)).ok()?;
        Exit::of_code(code).filter(|exit| *exit != Exit::Success)
    }

    /// Whether nobody waited for this session before.
    pub(super) fn attends(&self, session: &str) -> bool {
        self.lock().insert(session.to_owned())
    }

    pub(super) fn attended(&self, session: &str) {
        self.lock().remove(session);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0
            .attended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets Ctrl-C end the statement that runs, and SIGTERM the conversation. The third Ctrl-C in one statement ends the process:
/// whoever presses it does not want to wait for a call in flight.
pub(super) fn converse(runtime: &Handle, stop: &Stop, world: &World, voice: &Voice) -> Presses {
    let presses = Presses::default();
    let Some((mut interrupt, mut terminate)) = caught(runtime, voice) else {
        return presses;
    };
    let (stop, world, voice) = (stop.clone(), world.clone(), voice.clone());
    let shared = presses.clone();
    runtime.spawn(async move {
        loop {
            let exit = next(&mut interrupt, &mut terminate).await;
            if exit == Exit::Terminated {
                let first = shared.leave(exit);
                stop.set(Fault::new(exit, "Terminated", "stopped by SIGTERM"));
                world.cancel.cancel();
                if !first || shared.is_idle() {
                    crate::unix::restore_terminal();
                    std::process::exit(exit.code().into());
                }
                continue;
            }
            if shared.is_idle() {
                continue;
            }
            let fault = Fault::new(Exit::Interrupted, "Interrupted", "stopped by Ctrl-C");
            stop.set(fault.hint("variables, functions and sessions are as they were"));
            world.cancel.cancel();
            match shared.0.pressed.fetch_add(1, Ordering::SeqCst) {
                0 => {}
                1 => voice.note("a call in flight is brought to its end; press Ctrl-C once more to leave at once: `runback resume` then finds out what became of it"),
                _ => {
                    voice.end();
                    crate::unix::restore_terminal();
                    std::process::exit(exit.code().into());
                }
            }
        }
    });
    presses
}
