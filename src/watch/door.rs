//! Who is let in: from a name in the inbox, or a claim that an earlier watcher has left, to a job or into quarantine.

use std::ffi::OsStr;
use std::time::Instant;

use super::books::is_stuck;
use super::claim::Claim;
use super::inbox::Place;
use super::job::Job;
use super::scan::Ready;
use super::ticket::Ticket;
use super::watcher::Watcher;
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
        let mut left = Vec::new();
        for run in names {
            if self.is_in_hand(&run.to_string_lossy()) {
                continue;
            }
            match Claim::left(inbox, &run) {
                Ok(None) => {}
                Ok(Some(claim)) => left.push(claim),
                Err(error) => {
                    let run = names::shown(&run);
                    self.say(
                        Level::Error,
                        &format!("claimed run {run} cannot be taken up: {error}"),
                    );
                }
            }
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
                self.say(
                    Level::Info,
                    &format!(
                        "`{}` was left by an earlier watcher, as {run}",
                        job.ticket.script
                    ),
                );
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
                self.trouble(&format!("`{shown}` cannot be claimed: {error}"));
                let stuck = (ready.facts, Instant::now());
                self.books.stuck.insert(ready.name.clone(), stuck);
                return;
            }
        };
        match claim.let_in(&self.shop.inbox, &self.rules, &self.register, now) {
            Ok(ticket) => {
                let job = self.job(claim, ticket, false);
                self.start(job);
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
                self.trouble(&format!(
                    "{}; and it cannot be taken out of the inbox: {error}",
                    fault.message
                ));
                let stuck = (facts, Instant::now());
                self.books.stuck.insert(name.to_owned(), stuck);
            }
        }
    }

    pub(super) fn quarantine(&mut self, claim: &Claim, name: &str, fault: &Fault) {
        let run = &claim.run;
        let outcome = result::of_fault(run, name, self.now(), fault);
        let inbox = &self.shop.inbox;
        let filed = result::write(inbox, &claim.folder, &outcome)
            .and_then(|()| result::file(inbox, &claim.folder, run, Place::Quarantine));
        match filed {
            Ok(()) => {
                self.books.filed.count(Place::Quarantine);
                self.say(
                    Level::Warn,
                    &format!("not let in, see quarantine/{run}: {}", fault.message),
                );
            }
            Err(error) => {
                self.say(
                    Level::Error,
                    &format!(
                        "run {run} cannot be filed away: {error}; not let in: {}",
                        fault.message
                    ),
                );
            }
        }
    }
}

fn unreadable(error: std::io::Error) -> Fault {
    let message = format!("what an earlier watcher has left cannot be taken up: {error}");
    Fault::new(Exit::Unstarted, "UnreadableRun", message)
}
