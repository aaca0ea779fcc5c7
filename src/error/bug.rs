//! Panics. Each is a bug in runback, whatever thread it happens in: it is told at once, and the process ends with exit code 70.
//!
//! The hook that tells it is set by the command line; who catches a panic finds here what it said.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use super::{Exit, Fault, Place};

static TOLD: Mutex<Vec<Fault>> = Mutex::new(Vec::new());

thread_local! {
    static CALL: RefCell<Option<(String, Place)>> = const { RefCell::new(None) };
}

/// Remembers which function this thread was last called for, and where in the script.
pub(crate) fn calling(function: &str, file: &str, line: usize, column: usize) {
    let place = Place {
        file: file.to_owned(),
        line,
        column,
        text: None,
    };
    CALL.set(Some((function.to_owned(), place)));
}

/// What a panic was about, as it is reported: without texts in quotes, which may be anything, and without what looks like a token.
pub(crate) fn fault(message: &str, at: &str, secrets: &[String]) -> Fault {
    let mut message = message.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        message = message.replace(secret.as_str(), "[secret]");
    }
    let mut fault = Fault::new(
        Exit::Bug,
        "Bug",
        format!("a bug in runback: {}", without_texts(&message)),
    );
    fault.context.push(format!("at {at}"));
    if let Some((function, place)) = CALL.with_borrow(Clone::clone) {
        fault
            .context
            .push(format!("the script's last call was `{function}`"));
        fault.place = Some(place);
    }
    fault
}

/// Keeps a fault that has been told.
pub(crate) fn keep(mut fault: Fault) {
    fault.is_told = true;
    lock().push(fault);
}

/// The newest, or the one made of what was thrown where no hook has told it (in tests).
pub(crate) fn caught(panic: &(dyn std::any::Any + Send)) -> Fault {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let known = lock().last().cloned();
    known.unwrap_or_else(|| fault(said, "an unknown place", &[]))
}

/// All that have been told.
pub(crate) fn all() -> Vec<Fault> {
    lock().clone()
}

fn lock() -> std::sync::MutexGuard<'static, Vec<Fault>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes out what stands in quotes, but for names of Rust, and long words: a message of the standard library shows the text it fell over.
fn without_texts(message: &str) -> String {
    let mut out = String::new();
    let mut rest = message;
    // Quotes inside quotes: which of them opens and which closes cannot be told, so nothing between them is shown.
    if message.matches('"').count() > 2
        && let (Some(first), Some(last)) = (message.find('"'), message.rfind('"'))
    {
        out.push_str(&message[..=first]);
        out.push_str("…\"");
        rest = &message[last + 1..];
    }
    while let Some(open) = rest.find(['"', '`']) {
        let quote = &rest[open..=open];
        let Some(length) = rest[open + 1..].find(quote) else {
            break;
        };
        let inside = &rest[open + 1..open + 1 + length];
        out.push_str(&rest[..=open]);
        let is_rust = inside.contains("::") || matches!(inside, "None" | "Some" | "Ok" | "Err");
        out.push_str(if is_rust { inside } else { "…" });
        out.push_str(quote);
        rest = &rest[open + length + 2..];
    }
    out.push_str(rest);
    let words = out.split_whitespace().map(|word| {
        if word.starts_with("eyJ") || word.chars().count() > 100 {
            "[…]"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_no_texts_of_others_and_no_secrets() {
        for (message, shown) in [
            (
                "called `Option::unwrap()` on a `None` value",
                "called `Option::unwrap()` on a `None` value",
            ),
            (
                "byte index 1 is not a char boundary of `Rania Shah`",
                "byte index 1 is not a char boundary of `…`",
            ),
            (
                "called `Result::unwrap()` on an `Err` value: Error(\"finance.csv\")",
                "called `Result::unwrap()` on an `Err` value: Error(\"…\")",
            ),
            (
                "no eyJ0eXAiOiJKV1QifQ.x.y and s3cret here",
                "no […] and [secret] here",
            ),
            ("an \"open quote", "an \"open quote"),
            ("of {\"who\": \"Rania Shah\"} here", "of {\"…\"} here"),
            ("two\nlines", "two lines"),
        ] {
            let fault = fault(message, "x.rs:1", &["s3cret".to_owned(), String::new()]);
            assert_eq!(fault.message, format!("a bug in runback: {shown}"));
        }
    }
}
