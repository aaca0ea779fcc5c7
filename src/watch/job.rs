//! One claimed script, from its ticket to the folder that it is filed away in. Runs on a thread of its own.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use super::approval;
use super::child::{Ended, GRACE, Life, Start};
use super::claim::Claim;
use super::inbox::{Inbox, Place};
use super::log::Said;
use super::mark;
use super::planning::Planned;
use super::result::{self, Came};
use super::rules::Rules;
use super::step::{Step, step};
use super::ticket::Ticket;
use crate::error::{Exit, Fault};
use crate::journal::{ChangeRow, Journal};
use crate::report::Outcome;
use crate::run::new_id;
use crate::world::World;

/// The code of a run whose plan was approved, and is another now.
const CHANGED: &str = "PlanChanged";

/// What every job needs.
pub(super) struct Shop {
    pub(super) inbox: Inbox,
    /// The state folder.
    pub(super) state: PathBuf,
    /// The global flags of the watcher, which hold for its runs.
    pub(super) words: Vec<OsString>,
    pub(super) libraries: Vec<PathBuf>,
    pub(super) max_time: Option<Duration>,
    pub(super) world: World,
}

/// What is to be done with a claimed script.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) claim: Claim,
    pub(super) ticket: Ticket,
    /// An earlier watcher has left it: something may have become of it already.
    pub(super) is_left: bool,
    /// Its plan has to be approved before it runs.
    pub(super) needs_approval: bool,
    /// The policy that it runs under: its file, and what stands there.
    pub(super) policy: (PathBuf, String),
    /// What that says to the watcher.
    pub(super) rules: Rules,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Fate {
    Filed(Place, Exit),
    /// Its plan waits for approval.
    Parked(Job),
    /// What was approved is not what it would do any more: it was filed away, and this one draws up the new plan.
    Replanned(Job),
    /// The watcher stops: it stays claimed, and the next watcher goes on with it.
    Left,
}

impl Job {
    /// # Errors
    /// The inbox cannot be written any more: the script stays claimed.
    pub(super) fn work(self, shop: &Shop, life: &Arc<Life>) -> Result<Fate, Fault> {
        let run = self.claim.run.clone();
        let broken = |error: io::Error| {
            let message = format!("run `{run}` cannot be filed away: {error}");
            Fault::new(Exit::Unstarted, "ReportLost", message)
        };
        let Some(lock) = self.lock(life).map_err(broken)? else {
            return Ok(Fate::Left);
        };
        let step = if self.is_left {
            self.left_step(shop)?
        } else {
            Step::Begin
        };
        if let Some(outcome) = self.not_any_more(shop, step)? {
            let (place, exit) = (Place::Quarantine, outcome.exit);
            self.file(shop, &Came::Made(Box::new(outcome)), place)
                .map_err(broken)?;
            return Ok(Fate::Filed(place, exit));
        }
        let came = match step {
            Step::File => self.stored(shop),
            Step::Lose => Some(self.lost(shop)),
            Step::Begin if self.needs_approval && !approval::is_given(&self.claim.folder) => {
                match self.plan(shop, life, &lock).map_err(broken)? {
                    Planned::Left => return Ok(Fate::Left),
                    Planned::Failed(came) => Some(came),
                    Planned::Parked => return Ok(Fate::Parked(self)),
                    Planned::Nothing => {
                        self.mark(shop)?;
                        self.run(shop, life, &lock, step).map_err(broken)?
                    }
                }
            }
            step => {
                if step == Step::Begin {
                    self.mark(shop)?;
                }
                self.run(shop, life, &lock, step).map_err(broken)?
            }
        };
        let Some(mut came) = came else {
            return Ok(Fate::Left);
        };
        let mut again = None;
        if came.code() == Some(CHANGED) {
            let job = self.again(shop).map_err(broken)?;
            came = came.edited(&self.claim.folder, &run, |outcome| {
                if let Some(error) = &mut outcome.error {
                    let run = &job.claim.run;
                    error.hint = Some(format!("the new plan waits in pending/{run}"));
                }
            });
            again = Some(job);
        }
        let (place, exit) = (result::place(came.exit()), came.exit());
        self.file(shop, &came, place).map_err(broken)?;
        Ok(again.map_or(Fate::Filed(place, exit), Fate::Replanned))
    }

    fn file(&self, shop: &Shop, came: &Came, place: Place) -> io::Result<()> {
        let run = &self.claim.run;
        match came {
            Came::Written { .. } => result::share(&shop.inbox, &self.claim.folder)?,
            Came::Made(outcome) => result::write(&shop.inbox, &self.claim.folder, outcome)?,
        }
        result::file(&shop.inbox, &self.claim.folder, run, place)?;
        if let Ok(journal) = Journal::open(&shop.state) {
            journal.forget_handed(run);
        }
        Ok(())
    }

    /// How a run ends that has waited or was cut off, and would not be let in now. A run that has activated something is gone on
    /// with all the same: it starts nothing that it has not started, without passing the policy as it is now, and nobody else
    /// waits for its sessions and closes its books.
    fn not_any_more(&self, shop: &Shop, step: Step) -> Result<Option<Outcome>, Fault> {
        let has_waited = self.is_left || approval::is_given(&self.claim.folder);
        if !has_waited || !matches!(step, Step::Begin | Step::Resume) {
            return Ok(None);
        }
        let now = shop.world.clock.now();
        let Err(fault) = self.claim.still_holds(&self.ticket, &self.rules, now) else {
            return Ok(None);
        };
        if step == Step::Resume {
            let changes = Journal::open(&shop.state)?.changes(&self.claim.run)?;
            let activates = |change: &ChangeRow| change.intent.class == "activate";
            if changes.iter().any(activates) {
                return Ok(None);
            }
        }
        let recorded = result::recorded(&shop.state, &self.claim.run);
        let mut outcome =
            recorded.map_or_else(|| self.unstarted(shop, &fault), |(view, _)| view.outcome);
        outcome.ended = now;
        outcome.exit = fault.exit;
        outcome.fail(&[fault]);
        Ok(Some(outcome))
    }

    /// The same order anew: its new plan has to be approved, under a name of its own.
    fn again(&self, shop: &Shop) -> io::Result<Self> {
        let run = new_id(shop.world.clock.now());
        let (claim, ticket) = self.claim.again(&shop.inbox, &self.ticket, run)?;
        Ok(Self {
            claim,
            ticket,
            is_left: false,
            needs_approval: true,
            policy: self.policy.clone(),
            rules: self.rules.clone(),
        })
    }

    /// Waits until no process of an earlier watcher works on it. Nothing where the watcher stops.
    fn lock(&self, life: &Life) -> io::Result<Option<File>> {
        let file = self.claim.folder.append(OsStr::new(result::LOCK), 0o600)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if life.is_told() => return Ok(None),
                // Its standard input has ended with its watcher: it is on its way out.
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn left_step(&self, shop: &Shop) -> Result<Step, Fault> {
        let journal = Journal::open(&shop.state)?;
        let is_open = result::is_open(&journal, &self.claim.run)?;
        let marked = mark::look(&self.claim.folder, &journal, &self.claim.run)?;
        let document = result::glance(&self.claim.folder, &self.claim.run);
        Ok(step(is_open, document.map(|came| came.exit()), marked))
    }

    /// How a run has ended that was not filed away: by its own document, else by its record.
    fn stored(&self, shop: &Shop) -> Option<Came> {
        // What an earlier life had written was taken away before the last one began.
        result::glance(&self.claim.folder, &self.claim.run).or_else(|| {
            let (view, _) = result::recorded(&shop.state, &self.claim.run)?;
            Some(Came::Made(Box::new(view.outcome)))
        })
    }

    /// Runs it, or goes on with it. Nothing where it was stopped with the watcher.
    fn run(
        &self,
        shop: &Shop,
        life: &Arc<Life>,
        lock: &File,
        step: Step,
    ) -> io::Result<Option<Came>> {
        let mut words: Vec<OsString> = match step {
            Step::Resume => vec!["resume".into(), self.claim.run.clone().into()],
            Step::Begin | Step::File | Step::Lose => vec!["run".into()],
        };
        words.push("--watched".into());
        // What an earlier life has left is not what this one comes to; what that had done, the record knows.
        self.claim.folder.remove(OsStr::new(result::FILE))?;
        self.claim.folder.sync()?;
        if self.needs_approval {
            words.push("--approved".into());
            words.push(self.path(approval::PLAN).into());
        }
        let ended = match self.start(shop, life, lock, words, "run.log")? {
            Ok(ended) => ended,
            Err(fault) => {
                let outcome = self.unstarted(shop, &fault);
                return Ok(Some(Came::Made(Box::new(outcome))));
            }
        };
        let document = result::glance(&self.claim.folder, &self.claim.run);
        let was_stopped = life.is_told();
        Ok(match document {
            Some(came) if was_stopped && stopped(came.exit()) => None,
            Some(came) if ended.said == Said::TooMuch => {
                let fault = self.too_much(came.exit());
                let edit = |outcome: &mut Outcome| outcome.fail(&[fault]);
                Some(came.edited(&self.claim.folder, &self.claim.run, edit))
            }
            Some(came) => Some(came),
            None if was_stopped => None,
            None => Some(self.died(shop, ended.status)),
        })
    }

    /// Its process has left no document.
    pub(super) fn died(&self, shop: &Shop, status: ExitStatus) -> Came {
        let now = shop.world.clock.now();
        result::of_death(
            &shop.inbox,
            &self.claim.folder,
            &shop.state,
            &self.ticket,
            status,
            now,
        )
    }

    pub(super) fn unstarted(&self, shop: &Shop, fault: &Fault) -> Outcome {
        let now = shop.world.clock.now();
        let mut outcome = result::of_fault(&self.claim.run, &self.ticket.script, now, fault);
        outcome.sha256 = Some(self.ticket.sha256.clone());
        outcome
    }

    /// As far as its own document goes, if it has left one.
    fn lost(&self, shop: &Shop) -> Came {
        let fault = self.record_lost(shop);
        let edit = |outcome: &mut Outcome| {
            outcome.exit = fault.exit;
            outcome.fail(std::slice::from_ref(&fault));
        };
        let document = result::glance(&self.claim.folder, &self.claim.run);
        let edited = document.map(|came| came.edited(&self.claim.folder, &self.claim.run, edit));
        match edited {
            Some(came @ Came::Made(_)) => came,
            _ => Came::Made(Box::new(self.unstarted(shop, &fault))),
        }
    }

    fn too_much(&self, exit: Exit) -> Fault {
        let message = format!(
            "`{}` has said more than 16 MiB, and was stopped",
            self.ticket.script
        );
        Fault::new(exit, "OutputLimit", message).hint("write what is for keeping into a file")
    }

    pub(super) fn start(
        &self,
        shop: &Shop,
        life: &Arc<Life>,
        lock: &File,
        mut words: Vec<OsString>,
        log: &str,
    ) -> io::Result<Result<Ended, Fault>> {
        let errand = match self.errand(shop) {
            Ok(errand) => errand,
            Err(fault) => return Ok(Err(fault)),
        };
        words.extend(shop.words.iter().cloned());
        let log = self
            .claim
            .folder
            .append(OsStr::new(log), shop.inbox.file_mode)?;
        let mut errand = serde_json::to_vec(&errand).map_err(io::Error::other)?;
        errand.push(b'\n');
        let ended = life.run(Start {
            words,
            errand,
            log,
            lock,
            most: shop.max_time.map(|most| most + GRACE),
        })?;
        Ok(Ok(ended))
    }
}

fn stopped(exit: Exit) -> bool {
    matches!(exit, Exit::Interrupted | Exit::Terminated)
}
