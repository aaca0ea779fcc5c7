//! Ctrl-C, SIGTERM, the time limit and `runback stop`: what ends a run from outside.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

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

/// Lets the first Ctrl-C or SIGTERM stop the run in order, and the second end the process at once.
pub(super) fn obey(runtime: &Handle, stop: &Stop, world: &World, voice: &Voice) {
    // Registered before this returns: a signal that comes a moment later finds the handlers in place.
    let guard = runtime.enter();
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        voice.warn("Ctrl-C and SIGTERM cannot be caught: they will end the process at once");
        return;
    };
    drop(guard);
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
                () = stop.token().cancelled() => return,
                () = world.clock.sleep(LOOK) => {}
            }
        }
        let message = format!("stopped with `runback stop {run}`");
        stop.set(Fault::new(Exit::Stopped, FROM_OUTSIDE, message));
        world.cancel.cancel();
    });
}
