//! What a watcher has in hand.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::child::Life;
use super::job::Job;
use super::scan::{Found, Memory, Ready};
use super::status::{Filed, Running, Status};
use super::watcher::LONGEST;
use crate::error::Exit;
use crate::unix::folder::Facts;

/// What the watcher has in hand.
pub(super) struct Books {
    pub(super) started: Timestamp,
    pub(super) begun: Instant,
    pub(super) memory: Memory,
    pub(super) found: Found,
    /// Scripts of the inbox in the order in which they will be taken.
    pub(super) line: VecDeque<Ready>,
    /// What goes before them: left by an earlier watcher, or approved.
    pub(super) first: VecDeque<Job>,
    pub(super) running: BTreeMap<String, (Running, Arc<Life>)>,
    pub(super) parked: BTreeMap<String, (Job, Option<String>)>,
    /// Could not be taken out of the inbox, as it was then.
    pub(super) stuck: BTreeMap<OsString, (Facts, Instant)>,
    pub(super) ignored: usize,
    pub(super) filed: Filed,
    pub(super) last_scan: Option<(Timestamp, Instant, Duration)>,
    pub(super) scan_at: Instant,
    /// Something claimed could not be worked on: it is taken up again then.
    pub(super) take_up_at: Option<Instant>,
    /// A folder of the watcher's own cannot be written: until then nothing more is taken out of the inbox.
    pub(super) held_until: Option<Instant>,
    /// What went wrong and is tried again, by run or name: it is said once.
    pub(super) troubles: BTreeMap<String, String>,
    /// Something went wrong that is not filed away.
    pub(super) has_trouble: bool,
    pub(super) stopping: Option<Exit>,
    pub(super) shown: Option<(Status, Instant)>,
    /// It has changed since, too soon to be written again.
    pub(super) is_shown_old: bool,
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
            held_until: None,
            troubles: BTreeMap::new(),
            has_trouble: false,
            stopping: None,
            shown: None,
            is_shown_old: false,
        }
    }
}

/// It could not be moved a moment ago, and is as it was then.
pub(super) fn is_stuck(
    stuck: &BTreeMap<OsString, (Facts, Instant)>,
    name: &OsStr,
    facts: &Facts,
) -> bool {
    stuck
        .get(name)
        .is_some_and(|(known, at)| facts.is_still(known) && at.elapsed() < LONGEST)
}
