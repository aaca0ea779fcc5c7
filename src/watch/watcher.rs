//! The loop: scan, let in, start, file away, until it is told to stop.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::approval::{self, Word};
use super::child::Life;
use super::claim::Claim;
use super::events::Wake;
use super::inbox::Place;
use super::job::{Fate, Job, Shop};
use super::replay::Register;
use super::rules::Rules;
use super::scan::{self, Found, Memory, Ready};
use super::settle::{Moment, Rule};
use super::status::{Filed, Running, Status};
use super::ticket::Ticket;
use super::{names, result, signature};
use crate::error::{Exit, Fault};
use crate::run::new_id;
use crate::talk::{Level, Voice};
use crate::unix;
use crate::unix::folder::Facts;

/// The longest time between two scans.
const LONGEST: Duration = Duration::from_secs(30);
/// The shortest: events come by the thousand.
const SHORTEST: Duration = Duration::from_millis(10);

/// How often the status is written at most.
const STATUS: Duration = Duration::from_secs(1);

/// What a job's thread comes back with; `None`: it has fallen over.
pub(super) type Finished = Option<Result<Fate, Fault>>;

pub(super) struct Watcher {
    pub(super) shop: Arc<Shop>,
    pub(super) rules: Rules,
    pub(super) register: Register,
    pub(super) voice: Voice,
    pub(super) settings: Settings,
    pub(super) wake: SyncSender<Wake>,
    pub(super) events: bool,
    pub(super) books: Books,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) settle: Duration,
    /// Also look this often, and trust no clock but ours.
    pub(super) poll: Option<Duration>,
    pub(super) jobs: usize,
    /// Leave when the inbox is empty.
    pub(super) once: bool,
}

/// What the watcher has in hand.
pub(super) struct Books {
    started: Timestamp,
    begun: Instant,
    memory: Memory,
    found: Found,
    /// Scripts of the inbox in the order in which they will be taken.
    line: VecDeque<Ready>,
    /// What goes before them: left by an earlier watcher, or approved.
    first: VecDeque<Job>,
    running: BTreeMap<String, (Running, Arc<Life>)>,
    parked: BTreeMap<String, (Job, Option<String>)>,
    /// Could not be taken out of the inbox, as it was then.
    stuck: BTreeMap<OsString, (Facts, Instant)>,
    ignored: usize,
    filed: Filed,
    last_scan: Option<(Timestamp, Instant, Duration)>,
    scan_at: Instant,
    /// Something claimed could not be worked on: it is taken up again then.
    take_up_at: Option<Instant>,
    /// Something went wrong that is not filed away.
    has_trouble: bool,
    stopping: Option<Exit>,
    shown: Option<(Status, Instant)>,
}

impl Books {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            started: now,
            begun: Instant::now(),
            memory: Memory::default(),
            found: Found::default(),
            line: VecDeque::new(),
            first: VecDeque::new(),
            running: BTreeMap::new(),
            parked: BTreeMap::new(),
            stuck: BTreeMap::new(),
            ignored: 0,
            filed: Filed::default(),
            last_scan: None,
            scan_at: Instant::now(),
            take_up_at: None,
            has_trouble: false,
            stopping: None,
            shown: None,
        }
    }
}

impl Watcher {
    /// Watches until it is told to stop, or with `--once` until the inbox is empty.
    pub(super) fn watch(mut self, waked: &Receiver<Wake>) -> Exit {
        self.take_up();
        loop {
            let now = Instant::now();
            if self.books.stopping.is_none() {
                if self.books.take_up_at.is_some_and(|at| now >= at) {
                    self.take_up();
                }
                if now >= self.books.scan_at {
                    self.scan();
                }
                self.start_jobs();
            }
            let due = self.kill_due(now);
            self.show();
            if self.is_over() {
                break;
            }
            let next = [
                due,
                self.books.take_up_at,
                self.status_due(),
                Some(self.books.scan_at),
            ];
            let next = next.into_iter().flatten().min();
            let wait = next.map_or(LONGEST, |next| {
                next.saturating_duration_since(Instant::now())
            });
            match waked.recv_timeout(wait) {
                Ok(wake) => {
                    self.hear(wake);
                    while let Ok(wake) = waked.try_recv() {
                        self.hear(wake);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.books.shown = None;
        self.show();
        let Filed {
            failed, quarantine, ..
        } = self.books.filed;
        match self.books.stopping {
            Some(exit) => exit,
            None if failed + quarantine > 0 || self.books.has_trouble => Exit::Incomplete,
            None => Exit::Success,
        }
    }

    fn is_over(&self) -> bool {
        let books = &self.books;
        if !books.running.is_empty() {
            return false;
        }
        let is_empty =
            books.line.is_empty() && books.first.is_empty() && books.found.unsettled == 0;
        books.stopping.is_some() || (self.settings.once && is_empty && books.last_scan.is_some())
    }

    fn hear(&mut self, wake: Wake) {
        match wake {
            Wake::Changed => self.scan_soon(),
            Wake::Finished(run, fate) => self.finished(&run, *fate),
            Wake::Reload => self.reload(),
            Wake::Stop(exit) => self.stop(exit),
        }
    }

    fn stop(&mut self, exit: Exit) {
        self.books.stopping = Some(exit);
        let count = self.books.running.len();
        if count > 0 {
            let text =
                format!("stopping: {count} runs are told to stop, and stay for the next watcher");
            self.say(Level::Info, &text);
        }
        for (_, life) in self.books.running.values() {
            life.stop();
        }
    }

    /// After the last scan a pause that grows with what it took: many events make few scans.
    fn scan_soon(&mut self) {
        let soon = match self.books.last_scan {
            Some((_, at, took)) => at + took.saturating_mul(4).max(SHORTEST),
            None => Instant::now(),
        };
        self.books.scan_at = self.books.scan_at.min(soon);
    }

    fn say(&self, level: Level, text: &str) {
        self.voice.log(level, &crate::text::one_line(text));
    }

    fn now(&self) -> Timestamp {
        self.shop.world.clock.now()
    }

    /// What an earlier watcher has left, in order.
    fn take_up(&mut self) {
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
                Ok(Some(ticket)) => Ok(ticket),
                Ok(None) => claim.let_in(&self.shop.inbox, &self.rules, &self.register, self.now()),
                Err(error) => Err(Fault::new(
                    Exit::Unstarted,
                    "UnreadableRun",
                    format!("its ticket cannot be read: {error}"),
                )),
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

    fn is_in_hand(&self, run: &str) -> bool {
        let books = &self.books;
        books.running.contains_key(run)
            || books.parked.contains_key(run)
            || books.first.iter().any(|job| job.claim.run == run)
    }

    /// What could not be done now is tried again later.
    fn trouble(&mut self, text: &str) {
        self.say(Level::Error, text);
        self.books.has_trouble = true;
    }

    fn job(&self, claim: Claim, ticket: Ticket, is_left: bool) -> Job {
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

    fn scan(&mut self) {
        let begun = Instant::now();
        let now = self.now();
        if !self.shop.inbox.root.is_in_place() {
            let path = self.shop.inbox.root.path().display().to_string();
            self.say(
                Level::Error,
                &format!("the inbox `{path}` was taken away, or another folder was put in its place: the watcher ends"),
            );
            return self.stop(Exit::Unstarted);
        }
        let longest = self.settings.poll.map_or(LONGEST, |poll| poll.min(LONGEST));
        let (listing, ignored) = match self.shop.inbox.list() {
            Ok(listing) => listing,
            Err(error) => {
                let path = self.shop.inbox.root.path().display();
                self.say(
                    Level::Error,
                    &format!("the inbox `{path}` cannot be read: {error}"),
                );
                self.books.scan_at = begun + longest.min(Duration::from_secs(5));
                return;
            }
        };
        let rule = Rule {
            settle: self.settings.settle,
            clock_is_ours: self.settings.poll.is_none(),
        };
        let wall = now.duration_since(Timestamp::UNIX_EPOCH);
        let moment = Moment {
            steady: begun.saturating_duration_since(self.books.begun),
            wall: Duration::try_from(wall).unwrap_or_default(),
        };
        let books = &mut self.books;
        let mut found = scan::decide(listing, &mut books.memory, rule, moment);
        books.ignored = ignored;
        let stuck = &books.stuck;
        found
            .ready
            .retain(|ready| !is_stuck(stuck, &ready.name, &ready.facts));
        books.line = std::mem::take(&mut found.ready).into();
        let refused = std::mem::take(&mut found.refused);
        let took = begun.elapsed();
        books.last_scan = Some((now, begun, took));
        let next = found.next.map_or(longest, |next| next.min(longest));
        books.scan_at = begun + next.max(SHORTEST).max(took.saturating_mul(2));
        books.found = found;
        for (name, why) in refused {
            self.refuse(&name, why);
        }
        self.hear_approvals();
    }

    fn start_jobs(&mut self) {
        while self.books.running.len() < self.settings.jobs {
            if let Some(job) = self.books.first.pop_front() {
                self.start(job);
            } else if let Some(ready) = self.books.line.pop_front() {
                self.take(&ready);
            } else {
                return;
            }
        }
    }

    /// Claims a script and starts it, or files it away as not let in.
    fn take(&mut self, ready: &Ready) {
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
    fn is_complete(&self, script: &OsStr) -> bool {
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
    fn refuse(&mut self, name: &OsStr, why: &'static str) {
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

    fn quarantine(&mut self, claim: &Claim, name: &str, fault: &Fault) {
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

    fn start(&mut self, job: Job) {
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

    fn finished(&mut self, run: &str, fate: Finished) {
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
                let text = format!("`{script}`: {}; it is tried again", fault.message);
                self.trouble(&text);
                self.books.take_up_at = Some(Instant::now() + LONGEST);
            }
            None => {
                let text = format!("`{script}`: a bug in runback; run {run} stays claimed");
                self.trouble(&text);
            }
        }
    }

    fn hear_approvals(&mut self) {
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
            );
            match word {
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
                        if let Some((_, said)) = self.books.parked.get_mut(&run) {
                            *said = Some(fault.message);
                        }
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
                Err(error) => self.say(
                    Level::Error,
                    &format!("pending/{run} cannot be read: {error}"),
                ),
            }
        }
    }

    fn unpark(&self, run: &str) {
        if let Err(error) = approval::unpark(&self.shop.inbox, run) {
            self.say(
                Level::Warn,
                &format!("pending/{run} cannot be taken away: {error}"),
            );
        }
    }

    fn reject(&mut self, run: &str) {
        self.unpark(run);
        let Some((job, _)) = self.books.parked.remove(run) else {
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
                self.books.filed.count(Place::Failed);
                self.say(Level::Warn, &format!("{}, see failed/{run}", fault.message));
            }
            Err(error) => self.say(
                Level::Error,
                &format!("run {run} cannot be filed away: {error}"),
            ),
        }
    }

    fn reload(&mut self) {
        let path = self.rules.policy().path().to_owned();
        match Rules::open(&path) {
            Ok(rules) => {
                self.rules = rules;
                self.say(
                    Level::Info,
                    &format!("the policy `{}` was read again", path.display()),
                );
                // Somebody new may be let in.
                self.books.stuck.clear();
                self.books.scan_at = Instant::now();
            }
            Err(fault) => self.say(
                Level::Error,
                &format!("the policy stays as it was: {}", fault.message),
            ),
        }
    }

    /// Kills what did not stop in time; gives when the next one is due.
    fn kill_due(&self, now: Instant) -> Option<Instant> {
        let lives = self.books.running.values();
        lives.filter_map(|(_, life)| life.kill_if_due(now)).min()
    }

    /// When the status is to be looked at again: while something runs, it changes by itself.
    fn status_due(&self) -> Option<Instant> {
        let (_, at) = self.books.shown.as_ref()?;
        (!self.books.running.is_empty()).then(|| *at + STATUS)
    }

    /// Writes the status where it has changed, once a second at most.
    fn show(&mut self) {
        let status = self.status();
        if let Some((shown, at)) = &mut self.books.shown {
            if at.elapsed() < STATUS {
                return;
            }
            if *shown == status {
                *at = Instant::now();
                return;
            }
        }
        // Nothing depends on it, and the next one may succeed.
        let _ = status.write(&self.shop.inbox.own);
        self.books.shown = Some((status, Instant::now()));
    }

    fn status(&self) -> Status {
        let books = &self.books;
        let running = books.running.values().map(|(running, life)| Running {
            pid: life.pid(),
            ..running.clone()
        });
        let state = match (books.stopping, books.running.is_empty()) {
            (None, _) => "watching",
            (Some(_), false) => "stopping",
            (Some(_), true) => "stopped",
        };
        Status {
            schema: 1,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            host: unix::host(),
            started: books.started,
            state: state.to_owned(),
            queue: books.line.len() + books.first.len(),
            unsettled: books.found.unsettled,
            running: running.collect(),
            pending: books.parked.keys().cloned().collect(),
            ignored: books.ignored,
            last_scan: books.last_scan.map(|(at, ..)| at),
            scan_milliseconds: books.last_scan.map_or(0, |(_, _, took)| {
                u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
            }),
            events: self.events,
            policy_sha256: self.rules.policy().sha256().to_owned(),
            filed: books.filed,
        }
    }
}

/// It could not be moved a moment ago, and is as it was then.
fn is_stuck(stuck: &BTreeMap<OsString, (Facts, Instant)>, name: &OsStr, facts: &Facts) -> bool {
    stuck
        .get(name)
        .is_some_and(|(known, at)| facts.is_still(known) && at.elapsed() < LONGEST)
}
