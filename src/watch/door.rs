//! Who is let in: from a name in the inbox, or a claim that an earlier watcher has left, to a job or into quarantine.

use std::ffi::OsStr;
use std::time::Instant;

use super::books::is_stuck;
use super::claim::Claim;
use super::inbox::Place;
use super::job::Job;
use super::scan::Ready;
use super::ticket::Ticket;
use super::watcher::{RETRY, Watcher};
use super::{approval, names, result, signature};
use crate::error::{Exit, Fault};
use crate::run::new_id;
use crate::talk::Level;

impl Watcher {
    /// What an earlier watcher has left, in order.
    pub(super) fn take_up(&mut self) {
        self.books.take_up_at = None;
        let inbox = &self.shop.inbox;
        let names = inbox.claimed.names().unwrap_or_default();
        let (mut left, mut broken) = (Vec::new(), Vec::new());
        for run in names {
            if self.is_in_hand(&run.to_string_lossy()) {
                continue;
            }
            match Claim::left(inbox, &run) {
                Ok(None) => {}
                Ok(Some(claim)) => left.push(claim),
                Err(error) => broken.push((names::shown(&run), error)),
            }
        }
        for (run, error) in broken {
            self.trouble(
                &run,
                &format!("claimed run {run} cannot be taken up: {error}"),
            );
        }
        left.sort_by(|one, other| one.run.cmp(&other.run));
        let mut jobs = Vec::new();
        for claim in left {
            let ticket = match Ticket::read(&claim.folder) {
                Ok(Some(ticket)) => claim.keep_copies().map(|()| ticket).map_err(unreadable),
                Ok(None) => claim.let_in(&self.shop.inbox, &self.rules, &self.register, self.now()),
                Err(error) => Err(unreadable(error)),
            };
            match ticket {
                Ok(ticket) => jobs.push(self.job(claim, ticket, true)),
                Err(fault) if is_our_own(&fault) => {
                    let name = names::shown(&claim.script);
                    self.keep_waiting(&claim.run, &name, &fault);
                }
                Err(fault) => {
                    let name = names::shown(&claim.script);
                    self.quarantine(&claim, &name, &fault);
                }
            }
        }
        jobs.sort_by_key(|job| job.ticket.arrived);
        for job in jobs {
            let run = job.claim.run.clone();
            if approval::is_parked(&self.shop.inbox, &job.claim.folder, &run) {
                self.books.parked.insert(run, (job, None));
            } else {
                let script = &job.ticket.script;
                let (level, text) = if self.books.troubles.contains_key(&run) {
                    // It may be tried often: why it waits was said.
                    (
                        Level::Debug,
                        format!("`{script}` is taken up again, as {run}"),
                    )
                } else {
                    let text = format!("`{script}` was left by an earlier watcher, as {run}");
                    (Level::Info, text)
                };
                self.say(level, &text);
                self.books.first.push_back(job);
            }
        }
    }

    pub(super) fn is_in_hand(&self, run: &str) -> bool {
        let books = &self.books;
        books.running.contains_key(run)
            || books.parked.contains_key(run)
            || books.first.iter().any(|job| job.claim.run == run)
    }

    pub(super) fn job(&self, claim: Claim, ticket: Ticket, is_left: bool) -> Job {
        Job {
            needs_approval: self.rules.wants_approval(),
            policy: (
                self.rules.policy().path().to_owned(),
                self.rules.text().to_owned(),
            ),
            rules: self.rules.clone(),
            claim,
            ticket,
            is_left,
        }
    }

    /// Claims a script and starts it, or files it away as not let in.
    pub(super) fn take(&mut self, ready: &Ready) {
        if ready.is_early && !self.is_complete(&ready.name) {
            return;
        }
        let shown = names::shown(&ready.name);
        let now = self.now();
        let claimed = Claim::take(
            &self.shop.inbox,
            &ready.name,
            Some(&ready.facts),
            new_id(now),
        );
        let claim = match claimed {
            Ok(Some(claim)) => claim,
            // Touched a moment ago: the next scan sees it as it is then.
            Ok(None) => return self.scan_soon(),
            Err(error) => {
                if is_disk(&error) {
                    self.books.held_until = Some(Instant::now() + RETRY);
                }
                self.trouble(&shown, &format!("`{shown}` cannot be claimed: {error}"));
                let stuck = (ready.facts, Instant::now());
                self.books.stuck.insert(ready.name.clone(), stuck);
                return;
            }
        };
        match claim.let_in(&self.shop.inbox, &self.rules, &self.register, now) {
            Ok(ticket) => {
                self.books.held_until = None;
                self.books.troubles.remove(&shown);
                let job = self.job(claim, ticket, false);
                self.start(job);
            }
            Err(fault) if is_our_own(&fault) => {
                self.keep_waiting(&claim.run, &shown, &fault);
                self.books.held_until = Some(Instant::now() + RETRY);
            }
            Err(fault) => self.quarantine(&claim, &shown, &fault),
        }
    }

    /// Whether nothing more will come of a script whose signature has come.
    pub(super) fn is_complete(&self, script: &OsStr) -> bool {
        use std::io::Read as _;
        let read = |name: &OsStr| {
            let mut bytes = Vec::new();
            let file = self.shop.inbox.root.read(name).ok()?;
            file.take(super::entry::LARGEST)
                .read_to_end(&mut bytes)
                .ok()?;
            Some(bytes)
        };
        let bundle = names::Bundle::of(script);
        let is_whole = |name: &OsStr| read(name).is_some_and(|bytes| signature::is_whole(&bytes));
        let takes_arguments =
            || read(script).is_none_or(|bytes| bytes.windows(6).any(|word| word == b"@param"));
        // A script that takes arguments waits for theirs.
        is_whole(&bundle.script_signature)
            && (is_whole(&bundle.arguments_signature) || !takes_arguments())
    }

    /// Something by a script's name that is none.
    pub(super) fn refuse(&mut self, name: &OsStr, why: &'static str) {
        let shown = names::shown(name);
        let facts = self.shop.inbox.root.look(name).ok().flatten();
        let Some(facts) = facts else { return };
        if is_stuck(&self.books.stuck, name, &facts) {
            return;
        }
        let code = if names::refusal(name).is_some() {
            "BadName"
        } else {
            "NotAFile"
        };
        let fault = Fault::new(
            Exit::Unstarted,
            code,
            format!("`{shown}` is not let in: {why}"),
        )
        .hint("a script is a regular file with a plain name that ends in `.rhai`");
        let run = new_id(self.now());
        match Claim::take(&self.shop.inbox, name, None, run) {
            Ok(Some(claim)) => self.quarantine(&claim, &shown, &fault),
            Ok(None) => {}
            Err(error) => {
                let text = format!(
                    "{}; and it cannot be taken out of the inbox: {error}",
                    fault.message
                );
                self.trouble(&shown, &text);
                let stuck = (facts, Instant::now());
                self.books.stuck.insert(name.to_owned(), stuck);
            }
        }
    }

    pub(super) fn quarantine(&mut self, claim: &Claim, name: &str, fault: &Fault) {
        let run = &claim.run;
        let outcome = result::of_fault(run, name, self.now(), fault);
        let inbox = &self.shop.inbox;
        let filed = claim
            .drop_copies()
            .and_then(|()| result::write(inbox, &claim.folder, &outcome))
            .and_then(|()| result::file(inbox, &claim.folder, run, Place::Quarantine));
        match filed {
            Ok(()) => {
                self.books.filed.count(Place::Quarantine);
                self.books.troubles.remove(run);
                self.say(
                    Level::Warn,
                    &format!("not let in, see quarantine/{run}: {}", fault.message),
                );
            }
            Err(error) => {
                let text = format!(
                    "run {run} cannot be filed away: {error}; not let in: {}",
                    fault.message
                );
                self.trouble(run, &text);
                self.books.take_up_at = Some(Instant::now() + RETRY);
            }
        }
    }
}

/// Not for what was dropped, but because a folder of the watcher's own is full, say: the order is kept.
fn is_our_own(fault: &Fault) -> bool {
    matches!(fault.code.as_str(), "ReportLost" | "NoStateFolder")
        || fault.code.starts_with("Journal")
}

/// The same, where it concerns all that may come.
fn is_disk(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(
        error.kind(),
        StorageFull | ReadOnlyFilesystem | QuotaExceeded
    )
}

fn unreadable(error: std::io::Error) -> Fault {
    let message = format!("what an earlier watcher has left cannot be taken up: {error}");
    let code = if is_disk(&error) {
        "ReportLost"
    } else {
        "UnreadableRun"
    };
    Fault::new(Exit::Unstarted, code, message)
}
