//! Whether a file is complete: nobody says so, but nobody has touched it for a while.

use std::time::Duration;

use crate::unix::folder::Facts;

/// An instant on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Since the watcher began; it never goes back.
    pub(crate) steady: Duration,
    /// Since 1970, as the file system's instants are.
    pub(crate) wall: Duration,
}

/// A file as it was seen first in its present state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight {
    pub(crate) facts: Facts,
    /// When that was, on the steady clock.
    pub(crate) since: Duration,
}

impl Sight {
    /// What is known of a file after one more look at it.
    pub(crate) fn again(before: Option<&Self>, facts: Facts, now: Moment) -> Self {
        let since = match before {
            Some(before) if facts.is_still(&before.facts) => before.since,
            _ => now.steady,
        };
        Self { facts, since }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// How long a file must have been still.
    pub(crate) settle: Duration,
    /// The file system's clock is ours: a file that was changed long ago need not be looked at twice. A server on the
    /// network has a clock of its own.
    pub(crate) clock_is_ours: bool,
}

/// How much longer a file has to be still; nothing where it has been so for long enough.
pub(crate) fn remaining(sight: &Sight, rule: Rule, now: Moment) -> Duration {
    let seen = now.steady.saturating_sub(sight.since);
    let said = if rule.clock_is_ours {
        now.wall.saturating_sub(sight.facts.changed)
    } else {
        Duration::ZERO
    };
    rule.settle.saturating_sub(seen.max(said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unix::folder::testing::facts;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_file_settles_by_its_own_time_or_before_our_eyes() {
        // When it was changed (wall), since when it is seen so (steady), clock ours, now (steady, wall): what remains of 2 s.
        let rows = [
            ("changed long ago", 1_000, 50, true, (50, 5_000), 0),
            ("changed a second ago", 4_999, 50, true, (50, 5_000), 1),
            ("seen for a second", 5_000, 49, true, (50, 5_000), 1),
            ("seen for three", 5_000, 47, true, (50, 5_000), 0),
            ("of the future, just seen", 9_000, 50, true, (50, 5_000), 2),
            (
                "of the future, seen for long",
                9_000,
                40,
                true,
                (50, 5_000),
                0,
            ),
            (
                "long ago by a clock of others",
                1_000,
                50,
                false,
                (50, 5_000),
                2,
            ),
            ("the same, seen for long", 1_000, 48, false, (50, 5_000), 0),
        ];
        for (case, changed, since, clock_is_ours, (steady, wall), left) in rows {
            let sight = Sight {
                facts: facts(changed),
                since: seconds(since),
            };
            let rule = Rule {
                settle: seconds(2),
                clock_is_ours,
            };
            let now = Moment {
                steady: seconds(steady),
                wall: seconds(wall),
            };
            assert_eq!(remaining(&sight, rule, now), seconds(left), "{case}");
        }
    }

    #[test]
    fn a_touch_begins_it_anew() {
        let at = |steady| Moment {
            steady: seconds(steady),
            wall: seconds(0),
        };
        let first = Sight::again(None, facts(1), at(5));
        let still = Sight::again(Some(&first), facts(1), at(9));
        assert_eq!((first.since, still.since), (seconds(5), seconds(5)));
        let mut grown = facts(1);
        grown.size += 1;
        for touched in [facts(2), grown] {
            assert_eq!(Sight::again(Some(&still), touched, at(9)).since, seconds(9));
        }
    }
}
