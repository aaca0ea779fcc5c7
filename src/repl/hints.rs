//! What is shown behind the cursor: the arguments of the call that is open, else how the line went on the last time.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use rustyline::Context;
use rustyline::hint::{Hint, Hinter, HistoryHinter};

use super::completion::{call_at, sort_of};
use crate::manual::offer;
use crate::script::console::Console;
use crate::script::source::{Kind, pieces};

pub(super) struct Hints {
    pub(super) console: Arc<Mutex<Console>>,
    pub(super) history: HistoryHinter,
    /// The line as it was last seen: whoever presses Ctrl-C wants to know whether it was empty.
    pub(super) line: Rc<RefCell<String>>,
}

/// A hint; one out of the history can be taken over with the right arrow.
pub(super) struct Shown {
    text: String,
    is_taken: bool,
}

impl Hint for Shown {
    fn display(&self) -> &str {
        &self.text
    }

    fn completion(&self) -> Option<&str> {
        self.is_taken.then_some(&self.text)
    }
}

impl Hinter for Hints {
    type Hint = Shown;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Shown> {
        line.clone_into(&mut self.line.borrow_mut());
        if pos < line.len() {
            return None;
        }
        if let Some(text) = arguments(&self.console, line) {
            return Some(Shown {
                text,
                is_taken: false,
            });
        }
        let text = self.history.hint(line, pos, context)?;
        // Of a whole script only its first line: a screen full of grey helps nobody.
        let text = text.lines().next().unwrap_or_default().to_owned();
        (!text.is_empty()).then_some(Shown {
            text,
            is_taken: true,
        })
    }
}

/// The signature, right behind the bracket or a comma.
fn arguments(console: &Mutex<Console>, line: &str) -> Option<String> {
    let pieces = pieces(line);
    let last = pieces.last()?;
    let is_at =
        matches!(last.kind, Kind::Open | Kind::Symbol) && matches!(last.of(line), "(" | ",");
    if !is_at {
        return None;
    }
    let (name, receiver) = call_at(line, &pieces)?;
    let console = console.lock().unwrap_or_else(PoisonError::into_inner);
    if receiver.is_none()
        && let Some(own) = console.functions().iter().find(|own| own.name == name)
    {
        return Some(format!("{})", own.params.join(", ")));
    }
    let sort = match receiver {
        Some(receiver) => Some(sort_of(&console, receiver)?),
        None => None,
    };
    let signatures = offer::signatures(&name, sort.as_ref());
    let longest = signatures.iter().max_by_key(|text| text.len())?;
    let (_, arguments) = longest.split_once('(')?;
    if last.of(line) == "(" {
        return Some(arguments.to_owned());
    }
    // Behind a comma what is still to come.
    let given = commas(line, &pieces);
    let inside = arguments.split(") -> ").next().unwrap_or(arguments);
    let left: Vec<&str> = inside
        .trim_end_matches(')')
        .split(", ")
        .skip(given)
        .collect();
    (!left.is_empty()).then(|| format!(" {})", left.join(", ")))
}

/// How many arguments are behind us, in the brackets that are open.
fn commas(line: &str, pieces: &[crate::script::source::Piece]) -> usize {
    let mut depth = 0_usize;
    let mut count = 0;
    for piece in pieces.iter().rev() {
        match piece.kind {
            Kind::Close => depth += 1,
            Kind::Open if depth == 0 => return count,
            Kind::Open => depth -= 1,
            Kind::Symbol if depth == 0 && piece.of(line) == "," => count += 1,
            _ => {}
        }
    }
    count
}
