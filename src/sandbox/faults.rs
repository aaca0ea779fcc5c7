//! Faults: what goes wrong on purpose, how often, and for which calls.
//!
//! A specification is a list of rules with commas between them; the first rule that hits decides, and a request gets at
//! most one fault.
//!
//! ```text
//! rule     = kind "=" amount { ":" option } [ "@" METHOD " " template ]
//! kind     = the first column below
//! amount   = NUMBER "%"                  of the requests that the rule is for, by seeded dice
//!          | NUMBER "x"                  the first NUMBER of them
//! METHOD   = "GET" ... | "*"
//! template = "/users/{id}"               as `/_sandbox/state` counts it; `/solutions/backupRestore` may be left out
//!          | "…/activate"                every template with this end (`...` is the same as `…`)
//! ```
//!
//! | kind | is the work done? | what the caller sees | options |
//! |---|---|---|---|
//! | `429` | no | that status and `Retry-After: 1` | `retry-after=SECONDS`, `retry-after=none`, `retry-date=SECONDS` (as a date, by the service's `Date`), `retry-raw=TEXT` |
//! | `503` | no | that status | the same |
//! | `401`, `404` | no | that status | the same |
//! | `500`, `504`, `408` | by dice | that status | `done`, `undone`, and the same |
//! | `502` | by dice | that status and a proxy's HTML page | `done`, `undone`, and the same |
//! | `reset` | no | the connection is reset before any answer | |
//! | `lost-answer` | yes | the connection closes without an answer | |
//! | `cut` | yes | head and half of the body, then the connection closes | `head` (in the middle of the head), `bare` (behind the head) |
//! | `slow` | yes, later | the answer, after wall time | DURATION (2s) |
//! | `trickle` | yes | the answer, a byte at a time | DURATION between two bytes (1s) |
//! | `late` | yes, after the answer | 504 at once | DURATION (3 service minutes, at most 3 s) |
//! | `gzip` | yes | the answer's head, and a body that says it is gzip and is not | |
//! | `html` | no | 200 with somebody else's page | |
//! | `redirect` | no | 302 | `loop` (for ever, the default), `host` (to another host) |
//! | `page` | yes | a page of a list (GET only) with a wrong next link | `twice` (the page comes again, the default), `empty` (an empty page first), `loop` (to itself), `host` (to another host) |
//! | `date` | yes | the answer, its `Date` off | DURATION, maybe negative (10m) |
//!
//! Times are wall time. Sign-in gets faults only from rules that name it. `/_sandbox` never gets any.

mod spec;

use std::time::Duration;

use jiff::SignedDuration;

use super::id::mix;

pub use spec::FaultSpecError;
pub(super) use spec::duration;

/// The rules of one specification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    fault: Fault,
    amount: Amount,
    target: Option<Target>,
}

/// What happens to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refuse {
        status: u16,
        wait: Wait,
        work: Work,
    },
    Reset,
    LostAnswer,
    Cut(Cut),
    Slow(Duration),
    /// So long between two bytes.
    Trickle(Duration),
    /// Nothing stands for three service minutes.
    Late(Option<Duration>),
    Gzip,
    Html,
    Redirect(Astray),
    Page(Page),
    Date(SignedDuration),
}

/// The `Retry-After` of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    None,
    Seconds(u32),
    /// As a date, so many seconds behind the answer's own.
    Date(u32),
    /// Whatever a server might send.
    Raw(String),
}

/// Whether the work of a refused request is done all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Undone,
    Done,
    /// Half of them; [`FaultPlan::roll`] never gives this.
    Perhaps,
}

/// Where an answer breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Head,
    BehindHead,
    Body,
}

/// Where a redirect leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Astray {
    Loop,
    Host,
}

/// What is wrong with a page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The next link leads to the same rows again, and goes on behind them.
    Twice,
    /// An empty page whose next link leads to the rows.
    Empty,
    /// The next link is this page's own.
    Loop,
    /// The next link leads to another host.
    Host,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Amount {
    /// Of a million requests.
    Share(u64),
    First(u64),
}

#[derive(Clone, Debug, PartialEq)]
struct Target {
    method: String,
    template: Template,
}

#[derive(Clone, Debug, PartialEq)]
enum Template {
    Whole(String),
    End(String),
}

impl Target {
    fn covers(&self, template: &str) -> bool {
        let Some((method, path)) = template.split_once(' ') else {
            return false;
        };
        let short = path
            .strip_prefix("/solutions/backupRestore")
            .unwrap_or(path);
        let fits = match &self.template {
            Template::Whole(whole) => {
                whole.eq_ignore_ascii_case(path) || whole.eq_ignore_ascii_case(short)
            }
            Template::End(end) => path
                .to_ascii_lowercase()
                .ends_with(&end.to_ascii_lowercase()),
        };
        fits && (self.method == "*" || self.method == method)
    }
}

impl Rule {
    fn covers(&self, template: &str, sign_in: bool) -> bool {
        // Only lists have pages.
        if matches!(self.fault, Fault::Page(_)) && !template.starts_with("GET ") {
            return false;
        }
        match &self.target {
            Some(target) => target.covers(template),
            None => !sign_in,
        }
    }
}

/// The rules at work: counts what has been asked and hit.
pub(super) struct FaultPlan {
    faults: Faults,
    seed: u64,
    asked: u64,
    hits: Vec<u64>,
}

impl FaultPlan {
    pub(super) fn new(faults: Faults, seed: u64) -> Self {
        let hits = vec![0; faults.rules.len()];
        Self {
            faults,
            seed,
            asked: 0,
            hits,
        }
    }

    /// Rules, requests and hits so far, as a state file keeps them.
    pub(super) fn state(&self) -> (String, u64, Vec<u64>) {
        let rules = format!("{:?}", self.faults);
        (rules, self.asked, self.hits.clone())
    }

    /// Goes on where the same rules were.
    pub(super) fn restore(&mut self, rules: &str, asked: u64, hits: &[u64]) {
        if self.state().0 == rules && hits.len() == self.hits.len() {
            self.asked = asked;
            self.hits = hits.to_vec();
        }
    }

    /// A request that was dealt with before; `hits` tells the hits after it, where it was one.
    pub(super) fn passed(&mut self, hits: Option<&[u64]>) {
        self.asked += 1;
        if let Some(hits) = hits.filter(|hits| hits.len() == self.hits.len()) {
            self.hits = hits.to_vec();
        }
    }

    /// The fault of the next request, whose template is given as `METHOD /path`.
    pub(super) fn roll(&mut self, template: &str, sign_in: bool) -> Option<Fault> {
        self.asked += 1;
        let (seed, asked) = (self.seed, self.asked);
        let dice = |which: u64| mix(mix(seed, which), asked);
        for (number, (rule, hits)) in (1u64..).zip(self.faults.rules.iter().zip(&mut self.hits)) {
            let hit = rule.covers(template, sign_in)
                && match rule.amount {
                    Amount::Share(share) => dice(0xfa + number) % 1_000_000 < share,
                    Amount::First(count) => *hits < count,
                };
            if !hit {
                continue;
            }
            *hits += 1;
            let mut fault = rule.fault.clone();
            if let Fault::Refuse { work, .. } = &mut fault
                && *work == Work::Perhaps
            {
                *work = if dice(0xd1ce) & 1 == 1 {
                    Work::Done
                } else {
                    Work::Undone
                };
            }
            return Some(fault);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(spec: &str) -> FaultPlan {
        FaultPlan::new(spec.parse().expect(spec), 1)
    }

    #[test]
    fn a_counted_fault_hits_so_many_requests_of_its_template() {
        let mut plan = plan("lost-answer=1x@POST …/activate,late=2x@POST /exchangeRestoreSessions");
        let activate = "POST /solutions/backupRestore/restoreSessions/{id}/activate";
        let create = "POST /solutions/backupRestore/exchangeRestoreSessions";
        assert_eq!(plan.roll("GET /users", false), None);
        assert_eq!(plan.roll(activate, false), Some(Fault::LostAnswer));
        assert_eq!(plan.roll(activate, false), None);
        assert_eq!(plan.roll(create, false), Some(Fault::Late(None)));
        assert_eq!(
            plan.roll(
                "GET /solutions/backupRestore/exchangeRestoreSessions",
                false
            ),
            None
        );
        assert_eq!(plan.roll(create, false), Some(Fault::Late(None)));
        assert_eq!(plan.roll(create, false), None);
    }

    #[test]
    fn a_share_is_kept_and_repeats_with_the_seed() {
        let hits = |mut plan: FaultPlan| -> Vec<bool> {
            (0..10_000)
                .map(|_| plan.roll("GET /users", false).is_some())
                .collect()
        };
        let first = hits(plan("429=5%"));
        let share = first.iter().filter(|hit| **hit).count();
        assert!((400..600).contains(&share), "{share}");
        assert_eq!(first, hits(plan("429=5%")));
    }

    #[test]
    fn a_status_that_leaves_the_work_open_does_it_half_of_the_time() {
        let mut plan = plan("504=100%");
        let done = (0..1_000).filter(|_| {
            let fault = plan.roll("POST /x", false).expect("every request is hit");
            let Fault::Refuse { work, .. } = fault else {
                panic!("{fault:?}")
            };
            assert_ne!(work, Work::Perhaps);
            work == Work::Done
        });
        let done = done.count();
        assert!((400..600).contains(&done), "{done}");
    }

    #[test]
    fn sign_in_is_spared_unless_it_is_named() {
        let token = "POST /{tenant}/oauth2/v2.0/token";
        assert_eq!(plan("reset=100%").roll(token, true), None);
        assert_eq!(
            plan("reset=100%@POST …/token").roll(token, true),
            Some(Fault::Reset)
        );
    }

    #[test]
    fn pages_go_wrong_in_reading_only() {
        let mut plan = plan("page=100%:loop");
        assert_eq!(plan.roll("POST /x", false), None);
        assert_eq!(plan.roll("GET /x", false), Some(Fault::Page(Page::Loop)));
    }
}
