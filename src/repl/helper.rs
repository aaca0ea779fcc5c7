//! Everything that looks over the shoulder of whoever types.

use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Helper, Highlighter, Hinter, Validator};

use super::completion::Completion;
use super::highlight::Colours;
use super::hints::Hints;
use crate::script::unfinished::is_unfinished;

#[derive(Helper, Completer, Hinter, Highlighter, Validator)]
pub(super) struct Desk {
    #[rustyline(Completer)]
    pub(super) completion: Completion,
    #[rustyline(Hinter)]
    pub(super) hints: Hints,
    #[rustyline(Highlighter)]
    pub(super) colours: Colours,
    #[rustyline(Validator)]
    pub(super) end: End,
}

/// Whether Enter ends what is typed, or begins its next line.
pub(super) struct End;

impl Validator for End {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if asks_for_more(context.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

/// Commands and questions end with their line.
pub(super) fn asks_for_more(typed: &str) -> bool {
    let typed_at = typed.trim_start();
    if typed_at.starts_with(':') || super::asked(typed).is_some() {
        return false;
    }
    is_unfinished(typed)
}
