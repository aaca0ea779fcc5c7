//! Which exit code a run ends with.

use crate::backup::books::{Item, Outcome};
use crate::error::Exit;

/// Books' code of an item whose session runs on in the service while we do not look any more.
pub(crate) const NOT_AWAITED: &str = "NotAwaited";

/// What the exit code follows from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ending {
    /// The exit of the error that ended the script, or that setting out or closing the books met.
    pub(crate) fault: Option<Exit>,
    /// At least one change went to the tenant.
    pub(crate) has_changed: bool,
    /// Items of which nobody can tell what became.
    pub(crate) unknown: usize,
    /// Items whose session still runs.
    pub(crate) not_awaited: usize,
    pub(crate) failed: usize,
    /// Skipped, and not on purpose.
    pub(crate) skipped: usize,
}

impl Ending {
    /// Counts what the closed books hold.
    pub(crate) fn count(self, items: &[Item]) -> Self {
        let mut ending = self;
        for item in items {
            match item.outcome {
                Outcome::Unknown if item.code.as_deref() == Some(NOT_AWAITED) => {
                    ending.not_awaited += 1;
                }
                Outcome::Unknown => ending.unknown += 1,
                Outcome::Failed => ending.failed += 1,
                Outcome::Skipped if !item.expected => ending.skipped += 1,
                Outcome::Skipped | Outcome::Succeeded => {}
            }
        }
        ending
    }

    /// Whether there is something left that `resume` can do: the run was stopped on its way, or nobody knows what became of
    /// something.
    pub(crate) fn goes_on(self, exit: Exit) -> bool {
        match exit {
            Exit::Success | Exit::Incomplete | Exit::Unstarted => false,
            Exit::Denied | Exit::SignIn => self.has_changed,
            Exit::Stopped | Exit::Unknown | Exit::Bug | Exit::Interrupted | Exit::Terminated => {
                true
            }
        }
    }

    /// The first that applies, in the order of [`Exit::rank`].
    pub(crate) fn exit(self) -> Exit {
        let fault = self.fault.map(|exit| match exit {
            // An error where it arose does not know what was sent before it.
            Exit::Success | Exit::Incomplete | Exit::Unstarted | Exit::Stopped => {
                if self.has_changed {
                    Exit::Stopped
                } else {
                    Exit::Unstarted
                }
            }
            other => other,
        });
        let applies = [
            fault,
            (self.unknown > 0).then_some(Exit::Unknown),
            (self.not_awaited > 0).then_some(Exit::Stopped),
            (self.failed + self.skipped > 0).then_some(Exit::Incomplete),
        ];
        applies
            .into_iter()
            .flatten()
            .min_by_key(|exit| exit.rank())
            .unwrap_or(Exit::Success)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::too_many_lines)] // a table
    fn the_first_exit_code_that_applies_is_taken() {
        let fine = Ending::default();
        let changed = Ending {
            has_changed: true,
            ..fine
        };
        let error = |exit, ending: Ending| Ending {
            fault: Some(exit),
            ..ending
        };
        let rows = [
            ("nothing asked for", fine, 0),
            ("all succeeded", changed, 0),
            (
                "one failed",
                Ending {
                    failed: 1,
                    ..changed
                },
                1,
            ),
            ("one skipped", Ending { skipped: 1, ..fine }, 1),
            (
                "a script error before any change",
                error(Exit::Unstarted, fine),
                2,
            ),
            (
                "a script error after one",
                error(Exit::Unstarted, changed),
                3,
            ),
            (
                "a script error, and items failed",
                error(
                    Exit::Unstarted,
                    Ending {
                        failed: 9,
                        ..changed
                    },
                ),
                3,
            ),
            ("a limit before any change", error(Exit::Stopped, fine), 2),
            (
                "--no-wait",
                Ending {
                    not_awaited: 5,
                    failed: 1,
                    ..changed
                },
                3,
            ),
            (
                "one unknown",
                Ending {
                    unknown: 1,
                    not_awaited: 5,
                    failed: 1,
                    ..changed
                },
                4,
            ),
            (
                "a lost change ended the script",
                error(Exit::Unknown, changed),
                4,
            ),
            ("consent refused", error(Exit::Denied, fine), 5),
            (
                "consent refused after drafts",
                error(
                    Exit::Denied,
                    Ending {
                        skipped: 3,
                        ..changed
                    },
                ),
                5,
            ),
            (
                "consent refused, and one unknown",
                error(
                    Exit::Denied,
                    Ending {
                        unknown: 1,
                        ..changed
                    },
                ),
                4,
            ),
            ("no permission", error(Exit::SignIn, fine), 6),
            (
                "no permission, and one unknown",
                error(
                    Exit::SignIn,
                    Ending {
                        unknown: 1,
                        ..changed
                    },
                ),
                4,
            ),
            (
                "a bug",
                error(
                    Exit::Bug,
                    Ending {
                        unknown: 1,
                        ..changed
                    },
                ),
                70,
            ),
            (
                "Ctrl-C",
                error(
                    Exit::Interrupted,
                    Ending {
                        unknown: 1,
                        ..changed
                    },
                ),
                130,
            ),
            ("SIGTERM", error(Exit::Terminated, fine), 143),
        ];
        for (what, ending, code) in rows {
            assert_eq!(ending.exit().code(), code, "{what}");
        }
    }
}
