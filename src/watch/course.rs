//! The course of jobs: started in their order, parked until they are approved, filed away.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::approval::{self, Word};
use super::child::Life;
use super::events::Wake;
use super::inbox::Place;
use super::job::{Fate, Job};
use super::result;
use super::status::Running;
use super::watcher::{Finished, RETRY, Watcher};
use crate::error::{Exit, Fault};
use crate::talk::Level;

/// How soon after a plan was parked its approval is looked for, also where no event came.
const SECOND_LOOK: Duration = Duration::from_secs(1);

impl Watcher {
    pub(super) fn start_jobs(&mut self) {
        while self.books.running.len() < self.settings.jobs {
            if let Some(job) = self.books.first.pop_front() {
                self.start(job);
            } else if self
                .books
                .held_until
                .is_some_and(|until| Instant::now() < until)
            {
                return;
            } else if let Some(ready) = self.books.line.pop_front() {
                self.take(&ready);
            } else {
                return;
            }
        }
    }

    pub(super) fn start(&mut self, mut job: Job) {
        // It may have waited for a day.
        job.policy = (
            self.rules.policy().path().to_owned(),
            self.rules.text().to_owned(),
        );
        job.rules = self.rules.clone();
        let run = job.claim.run.clone();
        let running = Running {
            run: run.clone(),
            script: job.ticket.script.clone(),
            since: self.now(),
            pid: None,
        };
        let life = Arc::new(Life::default());
        self.voice.log(
            Level::Debug,
            &format!("`{}` begins as {run}", running.script),
        );
        let (shop, wake) = (Arc::clone(&self.shop), self.wake.clone());
        let (own, name) = (Arc::clone(&life), run.clone());
        let thread = thread::Builder::new().name("job".to_owned());
        let started = thread.spawn(move || {
            let work = std::panic::AssertUnwindSafe(|| job.work(&shop, &own));
            let fate = std::panic::catch_unwind(work).ok();
            let _ = wake.send(Wake::Finished(name, Box::new(fate)));
        });
        match started {
            Ok(_) => {
                self.books.running.insert(run, (running, life));
            }
            // It stays claimed: the next watcher goes on with it.
            Err(error) => self.say(
                Level::Error,
                &format!("run {run} cannot be started: {error}"),
            ),
        }
    }

    pub(super) fn finished(&mut self, run: &str, fate: Finished) {
        let Some((running, _)) = self.books.running.remove(run) else {
            return;
        };
        let script = &running.script;
        match fate {
            Some(Ok(Fate::Filed(place, exit))) => {
                self.books.filed.count(place);
                let level = if place == Place::Done {
                    Level::Info
                } else {
                    Level::Warn
                };
                let code = exit.code();
                self.say(
                    level,
                    &format!("`{script}`: exit {code}, see {}/{run}", place.name()),
                );
            }
            Some(Ok(Fate::Parked(job))) => {
                self.say(
                    Level::Info,
                    &format!("`{script}` waits for approval, see pending/{run}"),
                );
                self.books.parked.insert(run.to_owned(), (job, None));
                self.hear_approvals();
                // Events come from its folder only once that is listened to, which begins after it is there.
                let soon = Instant::now() + SECOND_LOOK;
                self.books.scan_at = self.books.scan_at.min(soon);
            }
            Some(Ok(Fate::Replanned(job))) => {
                self.books.filed.count(Place::Failed);
                let new = &job.claim.run;
                self.say(
                    Level::Warn,
                    &format!("`{script}`: its plan has changed since it was approved, see failed/{run}; the new one is {new}"),
                );
                self.books.first.push_back(job);
            }
            Some(Ok(Fate::Left)) => {}
            Some(Err(fault)) => {
                // One that fails again and again does not keep the others.
                if !self.books.troubles.contains_key(run) {
                    self.books.held_until = Some(Instant::now() + RETRY);
                }
                self.keep_waiting(run, script, &fault);
                return;
            }
            None => {
                let text = format!("`{script}`: a bug in runback; run {run} stays claimed");
                self.trouble(run, &text);
                return;
            }
        }
        self.books.troubles.remove(run);
    }

    pub(super) fn hear_approvals(&mut self) {
        let runs: Vec<String> = self.books.parked.keys().cloned().collect();
        for run in runs {
            let Some((job, said)) = self.books.parked.get(&run) else {
                continue;
            };
            let script = job.ticket.script.clone();
            let word = approval::look(
                &self.shop.inbox,
                &self.rules,
                &job.claim.folder,
                &job.ticket,
                self.now(),
            );
            match word {
                Ok(Word::Nothing) if said.is_some() => self.approval_is(&run, None),
                Ok(Word::Nothing) => {}
                Ok(Word::Invalid(fault)) => {
                    if said.as_ref() != Some(&fault.message) {
                        self.say(
                            Level::Warn,
                            &format!(
                                "pending/{run} (`{script}`) is not approved: {}",
                                fault.message
                            ),
                        );
                        self.approval_is(&run, Some(fault.message));
                    }
                }
                Ok(Word::Approved) => {
                    self.unpark(&run);
                    if let Some((job, _)) = self.books.parked.remove(&run) {
                        self.say(Level::Info, &format!("`{script}` is approved, as {run}"));
                        self.books.first.push_back(job);
                    }
                }
                Ok(Word::Rejected) => self.reject(&run),
                Err(error) => self.trouble(&run, &format!("pending/{run} cannot be read: {error}")),
            }
        }
    }

    /// Why what was left for a parked run is no approval, where whoever left it looks.
    fn approval_is(&mut self, run: &str, why: Option<String>) {
        // The log has it too.
        let _ = approval::tell(&self.shop.inbox, run, why.as_deref());
        if let Some((_, said)) = self.books.parked.get_mut(run) {
            *said = why;
        }
    }

    pub(super) fn unpark(&self, run: &str) {
        if let Err(error) = approval::unpark(&self.shop.inbox, run) {
            self.say(
                Level::Warn,
                &format!("pending/{run} cannot be taken away: {error}"),
            );
        }
    }

    pub(super) fn reject(&mut self, run: &str) {
        let Some((job, _)) = self.books.parked.get(run) else {
            return;
        };
        let script = &job.ticket.script;
        let message = format!("the plan of `{script}` was rejected");
        let fault = Fault::new(Exit::Denied, "PlanRejected", message);
        let mut outcome = result::of_fault(run, script, self.now(), &fault);
        outcome.sha256 = Some(job.ticket.sha256.clone());
        let inbox = &self.shop.inbox;
        let filed = result::write(inbox, &job.claim.folder, &outcome)
            .and_then(|()| result::file(inbox, &job.claim.folder, run, Place::Failed));
        match filed {
            Ok(()) => {
                self.unpark(run);
                self.books.parked.remove(run);
                self.books.troubles.remove(run);
                self.books.filed.count(Place::Failed);
                self.say(Level::Warn, &format!("{}, see failed/{run}", fault.message));
            }
            // It stays parked, and is heard again at the next scan.
            Err(error) => {
                self.trouble(run, &format!("run {run} cannot be filed away: {error}"));
            }
        }
    }
}
