//! The loop: scan, let in, start, file away, until it is told to stop.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::books::{Books, is_stuck};
use super::events::Wake;
use super::ground;
use super::job::{Fate, Shop};
use super::replay::Register;
use super::rules::Rules;
use super::scan;
use super::settle::{Moment, Rule};
use super::status::Filed;
use crate::error::{Exit, Fault};
use crate::talk::{Level, Voice};

/// The longest time between two scans.
pub(super) const LONGEST: Duration = Duration::from_secs(30);
/// The shortest: events come by the thousand.
const SHORTEST: Duration = Duration::from_millis(10);

/// After this long it is tried again what a full disk, say, has kept from being done.
pub(super) const RETRY: Duration = Duration::from_secs(2);

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
        // What cannot be taken out of the inbox now is left to the next one.
        let is_done = is_empty || books.held_until.is_some();
        books.stopping.is_some() || (self.settings.once && is_done && books.last_scan.is_some())
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
    pub(super) fn scan_soon(&mut self) {
        let soon = match self.books.last_scan {
            Some((_, at, took)) => at + took.saturating_mul(4).max(SHORTEST),
            None => Instant::now(),
        };
        self.books.scan_at = self.books.scan_at.min(soon);
    }

    pub(super) fn say(&self, level: Level, text: &str) {
        self.voice.log(level, &crate::text::one_line(text));
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shop.world.clock.now()
    }

    /// What could not be done now with a run, or with a file of the inbox, is tried again later. It is said once.
    pub(super) fn trouble(&mut self, of: &str, text: &str) {
        self.books.has_trouble = true;
        let known = self.books.troubles.insert(of.to_owned(), text.to_owned());
        if known.as_deref() != Some(text) {
            self.say(Level::Error, text);
        }
    }

    /// Claimed, and kept waiting because a folder of the watcher's own cannot be written.
    pub(super) fn keep_waiting(&mut self, run: &str, script: &str, fault: &Fault) {
        let text = format!("`{script}` waits, as {run}: {}", fault.message);
        self.trouble(run, &text);
        self.books.take_up_at = Some(Instant::now() + RETRY);
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
        // Whoever has opened it to everybody meanwhile is told as at the start.
        if let Err(fault) = ground::check_inbox(self.shop.inbox.root.path(), &self.rules) {
            let hints = fault.hints.join("; ");
            self.say(
                Level::Error,
                &format!("{}: the watcher ends ({hints})", fault.message),
            );
            return self.stop(fault.exit);
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
}
