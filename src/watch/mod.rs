//! The watched folder: a script is dropped, runs once under guard rails, and its result lies beside it.
//!
//! The folder's content is the truth. The watcher takes a script out of it by a rename, verifies it, and gives it to a process of
//! its own; what must survive a script never shares a process with it. A claimed run has a ticket, later a record in the journal,
//! and a document at its end: whatever dies in between, from these three follows what to do next.

mod approval;
mod arguments;
mod books;
mod child;
mod claim;
mod course;
mod door;
mod dropped;
mod entry;
mod errand;
mod events;
mod ground;
mod inbox;
mod job;
mod lock;
mod log;
mod mark;
mod names;
mod planning;
mod replay;
mod result;
mod rules;
mod scan;
mod settle;
mod showing;
mod sign;
mod signature;
mod status;
mod step;
mod ticket;
mod watcher;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use sign::{Signer, write_arguments};
pub(crate) use status::{Status, status};

use crate::error::{Exit, Fault};
use crate::talk::{Level, Voice};
use crate::world::World;
use books::Books;
use events::Events;
pub(crate) use events::Waking;
use ground::Places;
use inbox::Inbox;
use job::Shop;
use replay::Register;
use rules::Rules;
use watcher::{Settings, Watcher};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) inbox: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) policy: PathBuf,
    pub(crate) data: Vec<PathBuf>,
    pub(crate) libraries: Vec<PathBuf>,
    /// Files that a sign-in takes its keys from, certificates that are trusted, settings.
    pub(crate) keys: Vec<PathBuf>,
    /// Flags for each run.
    pub(crate) words: Vec<OsString>,
    pub(crate) max_time: Option<Duration>,
    pub(crate) settle: Duration,
    pub(crate) poll: Option<Duration>,
    pub(crate) jobs: usize,
    pub(crate) once: bool,
}

/// Watches the inbox.
///
/// # Errors
/// Exit 2: it cannot begin, or must not.
pub(crate) fn watch(
    order: Order,
    waking: Waking,
    world: &World,
    voice: &Voice,
) -> Result<Exit, Fault> {
    let rules = Rules::open(&order.policy)?;
    ground::check(
        &Places {
            inbox: &order.inbox,
            state: &order.state,
            data: &order.data,
            libraries: &order.libraries,
            keys: &order.keys,
        },
        &rules,
    )?;
    let shown = order.inbox.display();
    let unusable = |error: std::io::Error| {
        let message = format!("the inbox `{shown}` cannot be used: {error}");
        Fault::new(Exit::Unstarted, "UnsafeFolder", message)
    };
    let inbox = Inbox::open(&order.inbox).map_err(unusable)?;
    if let Some(text) = &inbox.group_trouble {
        voice.log(Level::Warn, text);
    }
    let now = world.clock.now();
    let _lock = match lock::take(&inbox.own, now) {
        Ok(lock) => lock,
        Err(lock::Refused::Unusable(error)) => return Err(unusable(error)),
        Err(lock::Refused::Held(holder)) => {
            let who = holder.map_or("another process".to_owned(), |holder| {
                format!(
                    "process {} on `{}`, since {:.0}",
                    holder.pid, holder.host, holder.since
                )
            });
            let message = format!("the inbox `{shown}` is watched already, by {who}");
            return Err(
                Fault::new(Exit::Unstarted, "WatchedAlready", message).hint(format!(
                    "`runback watch --status {shown}` shows what it does"
                )),
            );
        }
    };
    let state = order.state.display().to_string();
    let unwritable = |error: std::io::Error| {
        let message = format!("the state folder `{state}` cannot be used: {error}");
        Fault::new(Exit::Unstarted, "NoStateFolder", message)
            .hint("mend its rights, or name another folder with `--state-dir DIR`")
    };
    let register = Register::open(&order.state).map_err(unwritable)?;
    register.prune(now).map_err(unwritable)?;
    let Waking { wake, waked } = waking;
    let events = match order.poll {
        Some(_) => None,
        None => Events::start(inbox.root.path(), inbox.pending.path(), wake.clone())
            .inspect_err(|error| {
                voice.log(
                    Level::Warn,
                    &format!(
                        "no events come from this folder, so it is looked at every 30 s: {error}"
                    ),
                );
            })
            .ok(),
    };
    voice.log(
        Level::Info,
        &format!("watching `{shown}`, {} at a time", order.jobs),
    );
    let watcher = Watcher {
        events: events.is_some(),
        shop: Arc::new(Shop {
            inbox,
            state: order.state,
            words: order.words,
            libraries: order.libraries,
            max_time: order.max_time,
            world: world.clone(),
        }),
        rules,
        register,
        voice: voice.clone(),
        settings: Settings {
            settle: order.settle,
            poll: order.poll,
            jobs: order.jobs,
            once: order.once,
        },
        wake,
        books: Books::new(now),
    };
    Ok(watcher.watch(&waked))
}

#[cfg(test)]
mod tests {
    use crate::fuzz::Target;
    use crate::plan::Plan;
    use crate::report::Outcome;

    /// What a watcher reads that it has not written in this life.
    #[test]
    fn documents_are_read_whatever_comes() {
        let ticket = r#"{"schema": 1, "run": "r", "script": "x.rhai", "sha256": "s", "arguments_sha256": null, "owner": 0,
            "arrived": "2026-11-24T00:00:00Z", "key": null}"#;
        let plan = r#"{"schema": 1, "plan": "h", "script": "x", "sha256": null, "args": {}, "created": "2026-11-24T00:00:00Z",
            "tenant": null, "api": "v1.0", "items": [{"workload": "exchange", "unit": null, "name": "n", "point": null,
            "protectionDateTime": null, "age_seconds": 1, "tags": null, "destination": "new", "code": null, "part": 1}],
            "totals": {"asked": 1, "planned": 1, "skipped": 0}, "requests": 1, "seconds": {"low": 1, "high": 2}}"#;
        let words = &["null", "[", "{", "\"schema\":", "-1", "1e999", "\\u0000"];
        Target::new("watch-document", &[ticket, plan], words).attack(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let ticket = serde_json::from_slice::<super::ticket::Ticket>(bytes).is_ok();
            let plan = Plan::read("plan.json", bytes).is_ok();
            format!("{ticket} {plan} {}", text.parse::<Outcome>().is_ok())
        });
    }
}
