//! One thing that `check` has to say: an error, or a warning that keeps nobody from running.

use serde_json::{Value, json};

use crate::error::{Fault, Place};
use crate::script::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    /// It runs; but its author has probably meant something else.
    Warning,
}

#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) fault: Fault,
}

impl Finding {
    pub(crate) fn error(fault: Fault) -> Self {
        Self {
            severity: Severity::Error,
            fault,
        }
    }

    pub(crate) fn warning(fault: Fault) -> Self {
        Self {
            severity: Severity::Warning,
            fault,
        }
    }

    pub(crate) fn new(severity: Severity, failure: Failure, place: Option<Place>) -> Self {
        let mut fault = failure.fault();
        fault.place = place;
        Self { severity, fault }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// As editors read it. Lines and columns count from 1; `end_column` is that of the first character behind.
    pub(crate) fn to_json(&self, file: &str) -> Value {
        let place = self.fault.place.as_ref();
        json!({
            "file": place.map_or(file, |place| &place.file),
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.column),
            "end_column": place.map(end_column),
            "severity": match self.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "code": self.fault.code,
            "message": self.fault.message,
            "hint": (!self.fault.hints.is_empty()).then(|| self.fault.hints.join("\n")),
        })
    }
}

/// Where the word, number or text that begins at this place ends; of anything else one character.
fn end_column(place: &Place) -> usize {
    let text = place.text.as_deref().unwrap_or_default();
    let rest: Vec<char> = text.chars().skip(place.column.saturating_sub(1)).collect();
    let is_word = |letter: &&char| letter.is_alphanumeric() || **letter == '_';
    let length = match rest.first() {
        Some(quote @ ('"' | '`' | '\'')) => {
            let mut escaped = false;
            let inside = rest.iter().skip(1).position(|letter| {
                let ends = letter == quote && !escaped;
                escaped = *letter == '\\' && !escaped;
                ends
            });
            inside.map_or(rest.len(), |inside| inside + 2)
        }
        _ => rest.iter().take_while(is_word).count().max(1),
    };
    place.column + length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_or_a_text_is_underlined_whole() {
        for (text, column, end) in [
            ("let x = nul;", 9, 12),
            ("f(\"a\\\"b\", 1)", 3, 9),
            ("f(\"open", 3, 8),
            ("a + b", 3, 4),
            ("ab", 3, 4),
            ("äöü_1 x", 1, 6),
        ] {
            let place = Place {
                file: "x".into(),
                line: 1,
                column,
                text: Some(text.into()),
            };
            assert_eq!(end_column(&place), end, "{text}");
        }
    }
}
