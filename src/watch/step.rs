//! What is done next with a claimed script that an earlier watcher has left: it is neither lost nor run twice.

use super::mark::Marked;
use crate::error::Exit;

/// What is done next with a script that an earlier watcher has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Begin,
    Resume,
    /// It has come to its end, and only was not filed away.
    File,
    /// It was begun, and what it has done is written down elsewhere, if anywhere.
    Lose,
}

/// `row`: whether there is a record of the run, and whether it is open. `document`: how the run says it has ended.
pub(super) fn step(row: Option<bool>, document: Option<Exit>, marked: Marked) -> Step {
    match (row, document, marked) {
        (Some(true), ..) => Step::Resume,
        // Each change is in the record before it is sent. So without one in the journal that would have it, nothing was sent: it
        // was cut off before it began, or while it read.
        (None, None | Some(Exit::Interrupted | Exit::Terminated), Marked::No | Marked::Here) => {
            Step::Begin
        }
        (None, None | Some(Exit::Interrupted | Exit::Terminated), Marked::Elsewhere) => Step::Lose,
        (Some(false), ..) | (None, Some(_), _) => Step::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_is_neither_lost_nor_run_twice() {
        use Exit::{Success, Terminated, Unstarted};
        use Marked::{Elsewhere, Here, No};
        let rows = [
            ("never began", None, None, No, Step::Begin),
            ("died before its record", None, None, Here, Step::Begin),
            ("begun elsewhere", None, None, Elsewhere, Step::Lose),
            (
                "a stopped reader",
                None,
                Some(Terminated),
                Here,
                Step::Begin,
            ),
            (
                "stopped, its record gone",
                None,
                Some(Terminated),
                Elsewhere,
                Step::Lose,
            ),
            (
                "a reader, at its end",
                None,
                Some(Success),
                Here,
                Step::File,
            ),
            ("a reader, failed", None, Some(Unstarted), Here, Step::File),
            (
                "at its end, its record gone",
                None,
                Some(Success),
                Elsewhere,
                Step::File,
            ),
            ("recorded, cut off", Some(true), None, Here, Step::Resume),
            (
                "an older journal",
                Some(true),
                None,
                Elsewhere,
                Step::Resume,
            ),
            (
                "recorded, stopped with its watcher",
                Some(true),
                Some(Terminated),
                Here,
                Step::Resume,
            ),
            (
                "recorded, at its end",
                Some(false),
                Some(Success),
                Here,
                Step::File,
            ),
            (
                "recorded, at its end, document lost",
                Some(false),
                None,
                Here,
                Step::File,
            ),
        ];
        for (case, row, document, marked, expected) in rows {
            assert_eq!(step(row, document, marked), expected, "{case}");
        }
    }
}
