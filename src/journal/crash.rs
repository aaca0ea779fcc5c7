//! For tests of what a crash leaves behind: `RUNBACK_TEST_CRASH_AT=N` kills the process right before the commit that holds
//! the N-th record it writes, `N:after` right after that commit, before anybody is told.

use crate::unix;

#[derive(Default)]
pub(super) struct Crash {
    at: Option<(usize, Moment)>,
    counted: usize,
    is_here: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

impl Crash {
    pub(super) fn from_environment() -> Self {
        let asked = std::env::var("RUNBACK_TEST_CRASH_AT").ok();
        let at = asked.and_then(|asked| match asked.split_once(':') {
            None => Some((asked.parse().ok()?, Moment::Before)),
            Some((number, "after")) => Some((number.parse().ok()?, Moment::After)),
            Some(_) => None,
        });
        Self {
            at,
            ..Self::default()
        }
    }

    /// Records of the commit that follows.
    pub(super) fn count(&mut self, records: usize) {
        let before = self.counted;
        self.counted += records;
        self.is_here = self
            .at
            .is_some_and(|(at, _)| before < at && at <= self.counted);
    }

    pub(super) fn before_commit(&self) {
        self.kill_at(Moment::Before);
    }

    pub(super) fn after_commit(&self) {
        self.kill_at(Moment::After);
    }

    fn kill_at(&self, moment: Moment) {
        if self.is_here && self.at.is_some_and(|(_, at)| at == moment) {
            unix::kill_myself();
        }
    }
}
