//! For tests of what a crash leaves behind: `RUNBACK_TEST_CRASH_AT=N` kills the process right before the commit that holds
//! the N-th record it writes, `N:after` right after that commit, before anybody is told. `intent:N` and `outcome:N` count
//! only what is about to be sent, and what became of it.

use super::Record;
use super::queue::Work;
use crate::unix;

#[derive(Default)]
pub(super) struct Crash {
    at: Option<Place>,
    counted: usize,
    is_here: bool,
}

struct Place {
    kind: Kind,
    number: usize,
    moment: Moment,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Intent,
    Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (kind, rest) = match text.split_once(':') {
            Some(("intent", rest)) => (Kind::Intent, rest),
            Some(("outcome", rest)) => (Kind::Outcome, rest),
            _ => (Kind::Any, text),
        };
        let (number, moment) = match rest.strip_suffix(":after") {
            Some(number) => (number, Moment::After),
            None => (rest, Moment::Before),
        };
        Some(Self {
            kind,
            number: number.parse().ok()?,
            moment,
        })
    }

    fn counts(&self, work: &Work) -> bool {
        let Work::Record(record) = work else {
            return self.kind == Kind::Any;
        };
        match self.kind {
            Kind::Any => true,
            Kind::Intent => matches!(**record, Record::Intent(_)),
            Kind::Outcome => matches!(**record, Record::Outcome(_)),
        }
    }
}

impl Crash {
    pub(super) fn from_environment() -> Self {
        let asked = std::env::var("RUNBACK_TEST_CRASH_AT").ok();
        Self {
            at: asked.and_then(|asked| Place::read(&asked)),
            ..Self::default()
        }
    }

    /// What the commit holds that follows.
    pub(super) fn count(&mut self, works: &[Work]) {
        let Some(at) = &self.at else { return };
        let before = self.counted;
        self.counted += works.iter().filter(|work| at.counts(work)).count();
        self.is_here = before < at.number && at.number <= self.counted;
    }

    pub(super) fn before_commit(&self) {
        self.kill_at(Moment::Before);
    }

    pub(super) fn after_commit(&self) {
        self.kill_at(Moment::After);
    }

    fn kill_at(&self, moment: Moment) {
        if self.is_here && self.at.as_ref().is_some_and(|at| at.moment == moment) {
            unix::kill_myself();
        }
    }
}
