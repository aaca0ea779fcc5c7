//! What a run has learnt, in order, and answers from it when the run goes on after its process has died.
//!
//! Each call of the script that learns or changes something has a place: its lane, and its number there. In the main line
//! and in a lane of a parallel loop calls come one after the other, so that the same script makes the same calls at the same
//! places again; between lanes there is no order, and none is needed.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::changes::Origin;
use crate::error::{Exit, Fault};
use crate::journal::{Answer, Journal, Record};

/// Where a lane keeps what it came to: behind no call of its own.
const END: (u32, &str) = (0, "end");

/// An answer of an earlier life.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) operation: String,
    /// Of the arguments.
    pub(crate) digest: [u8; 16],
    pub(crate) body: Vec<u8>,
}

/// The places of one lane.
#[derive(Default)]
struct Lane {
    answers: HashMap<(u32, String), Known>,
    /// The last number.
    reached: u32,
}

/// What one run has learnt.
pub(crate) struct History {
    run: String,
    /// `None`: the run keeps no record.
    journal: Option<Journal>,
    lanes: HashMap<String, Lane>,
    /// The call that opened a lane: of `L/k.i` that of the loop `L/k`.
    openers: HashMap<String, (String, u32)>,
    /// Lanes in which an edited script has left the record.
    left: Mutex<HashSet<String>>,
    accepts_changes: bool,
}

impl History {
    /// Of a run that begins.
    pub(crate) fn new(run: &str, journal: Option<Journal>) -> Self {
        Self {
            run: run.to_owned(),
            journal,
            lanes: HashMap::new(),
            openers: HashMap::new(),
            left: Mutex::default(),
            accepts_changes: false,
        }
    }

    /// Of a run that goes on. `accepts_changes`: the script was edited, and each lane replays its longest equal beginning.
    pub(crate) fn resumed(
        run: &str,
        journal: Journal,
        answers: Vec<Answer>,
        accepts_changes: bool,
    ) -> Self {
        let mut history = Self::new(run, Some(journal));
        history.accepts_changes = accepts_changes;
        for answer in answers {
            if answer.part == "opens" {
                let below = String::from_utf8_lossy(&answer.body).into_owned();
                let opener = (answer.lane.clone(), answer.number);
                history.openers.insert(below, opener);
            }
            let lane = history.lanes.entry(answer.lane).or_default();
            lane.reached = lane.reached.max(answer.number);
            let known = Known {
                operation: answer.operation,
                digest: answer.digest,
                body: answer.body,
            };
            lane.answers.insert((answer.number, answer.part), known);
        }
        history
    }

    /// Whether anything is written down.
    pub(crate) fn is_kept(&self) -> bool {
        self.journal.is_some()
    }

    /// What the call at this place was answered, or a part of it.
    pub(crate) fn ask(&self, lane: &str, number: u32, part: &str) -> Option<&Known> {
        if self.has_left(lane) {
            return None;
        }
        let answers = &self.lanes.get(lane)?.answers;
        // No allocation for a key that is mostly empty would be nicer; the map is small beside what it saves.
        answers.get(&(number, part.to_owned()))
    }

    /// As [`History::ask`], of a call that must be the one that the record has.
    ///
    /// # Errors
    /// Exit 70 where it is another: an unedited script that does not do the same again is a bug of ours.
    pub(crate) fn ask_same(
        &self,
        origin: &Origin,
        operation: &str,
        digest: [u8; 16],
    ) -> Result<Option<&Known>, Fault> {
        let Some(known) = self.ask(&origin.lane, origin.number, "") else {
            return Ok(None);
        };
        if known.operation == operation && known.digest == digest {
            return Ok(Some(known));
        }
        if self.accepts_changes {
            self.leave(origin);
            return Ok(None);
        }
        let place = origin.place.as_deref().unwrap_or("the script");
        let was = if known.operation == operation {
            "with other arguments"
        } else {
            &known.operation
        };
        Err(Fault::new(
            Exit::Bug,
            "Diverged",
            format!("{place} calls `{operation}`, where the record of this run has `{was}`; nothing was sent"),
        )
        .hint("the script is the same and should have done the same: this is a bug of runback"))
    }

    /// Writes down what a call at this place has learnt. On disk with or before the next intent.
    pub(crate) fn tell(
        &self,
        origin: &Origin,
        part: &str,
        operation: &str,
        digest: [u8; 16],
        body: Vec<u8>,
    ) {
        let Some(journal) = &self.journal else { return };
        journal.put(Record::Answer(Answer {
            run: self.run.clone(),
            lane: origin.lane.clone(),
            number: origin.number,
            part: part.to_owned(),
            operation: operation.to_owned(),
            digest,
            body,
        }));
    }

    /// Writes down that a call opens lanes: those of a loop, or that of a step.
    pub(crate) fn opens(&self, origin: &Origin, operation: &str, lane: &str) {
        if self.ask(&origin.lane, origin.number, "opens").is_none() {
            self.tell(origin, "opens", operation, [0; 16], lane.into());
        }
    }

    /// What a lane has come to, where it has come to its end.
    pub(crate) fn end_of(&self, lane: &str) -> Option<&Known> {
        self.ask(lane, END.0, END.1)
    }

    /// Writes down what a lane has come to. `whole`: that is all that need be known of it.
    pub(crate) fn end(&self, lane: &str, body: Vec<u8>, whole: bool) {
        let Some(journal) = &self.journal else { return };
        if whole {
            journal.put(Record::Forget {
                run: self.run.clone(),
                lane: lane.to_owned(),
            });
        }
        let origin = Origin {
            lane: lane.to_owned(),
            number: END.0,
            place: None,
        };
        self.tell(&origin, END.1, END.1, [0; 16], body);
    }

    /// Whether an earlier life has begun this lane.
    pub(crate) fn has_begun(&self, lane: &str) -> bool {
        self.lanes.contains_key(lane) && !self.has_left(lane)
    }

    /// Whether the next call of a lane, by its number, lies behind the end of the record: what is said there was said before.
    pub(crate) fn is_behind(&self, lane: &str, next: u32) -> bool {
        let Some(known) = self.lanes.get(lane) else {
            return false;
        };
        (next <= known.reached || self.end_of(lane).is_some()) && !self.has_left(lane)
    }

    /// Whether the script has met the end of a call and gone on. An error that ended the run is asked for anew.
    pub(crate) fn went_on(&self, origin: &Origin) -> bool {
        let Some(lane) = self.lanes.get(&origin.lane) else {
            return false;
        };
        if lane.reached > origin.number || lane.answers.contains_key(&(END.0, END.1.to_owned())) {
            return true;
        }
        let opened = match origin.lane.rsplit_once('.') {
            Some((looped, _)) if self.openers.contains_key(looped) => looped,
            _ => origin.lane.as_str(),
        };
        self.openers.get(opened).is_some_and(|(lane, number)| {
            self.went_on(&Origin {
                lane: lane.clone(),
                number: *number,
                place: None,
            })
        })
    }

    /// The edited script does something else here: from now on this lane is live.
    fn leave(&self, origin: &Origin) {
        lock(&self.left).insert(origin.lane.clone());
        if let Some(journal) = &self.journal {
            journal.put(Record::ForgetFrom {
                run: self.run.clone(),
                lane: origin.lane.clone(),
                number: origin.number,
            });
        }
    }

    /// Whether this lane, or one that it lies in, has left the record.
    fn has_left(&self, lane: &str) -> bool {
        if !self.accepts_changes {
            return false;
        }
        let left = lock(&self.left);
        left.contains(lane) || left.iter().any(|left| is_below(lane, left))
    }
}

/// Whether a lane lies in another.
fn is_below(lane: &str, outer: &str) -> bool {
    lane.strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A set that only grows.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(lane: &str, number: u32, part: &str, body: &str) -> Answer {
        Answer {
            run: "r".into(),
            lane: lane.into(),
            number,
            part: part.into(),
            operation: "users::get".into(),
            digest: [7; 16],
            body: body.into(),
        }
    }

    fn origin(lane: &str, number: u32) -> Origin {
        Origin {
            lane: lane.into(),
            number,
            place: None,
        }
    }

    fn history(answers: Vec<Answer>, accepts_changes: bool) -> History {
        History::resumed("r", Journal::in_memory(), answers, accepts_changes)
    }

    #[test]
    fn an_error_that_ended_the_run_is_asked_for_anew() {
        let answers = vec![
            answer("", 1, "", "a"),
            answer("", 2, "opens", "/0"),
            answer("/0.0", 1, "", "b"),
            answer("/0.0", 2, "", "c"),
            answer("/0.1", 1, "", "d"),
        ];
        let open = history(answers.clone(), false);
        assert!(open.went_on(&origin("", 1)));
        assert!(open.went_on(&origin("/0.0", 1)));
        assert!(!open.went_on(&origin("/0.0", 2)), "the last of its lane");
        assert!(!open.went_on(&origin("", 2)));
        let later = [answers, vec![answer("", 3, "", "e")]].concat();
        let over = history(later, false);
        assert!(over.went_on(&origin("/0.0", 2)), "the loop was left");
        assert!(over.is_behind("", 3) && !over.is_behind("", 4));
    }

    #[test]
    fn another_call_at_the_same_place_is_a_bug_or_the_end_of_the_record() {
        let answers = vec![answer("", 1, "", "a"), answer("/s", 1, "", "b")];
        let strict = history(answers.clone(), false);
        let known = strict.ask_same(&origin("", 1), "users::get", [7; 16]);
        assert_eq!(known.unwrap().unwrap().body, b"a");
        let fault = strict
            .ask_same(&origin("", 1), "users::get", [8; 16])
            .unwrap_err();
        assert_eq!((fault.exit, fault.code.as_str()), (Exit::Bug, "Diverged"));

        let edited = history(answers, true);
        let changed = edited.ask_same(&origin("", 1), "users::list", [7; 16]);
        assert!(changed.unwrap().is_none());
        assert!(
            edited.ask("/s", 1, "").is_none(),
            "what lies in it is live too"
        );
    }
}
