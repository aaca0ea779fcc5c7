//! Runbooks out of a conversation: `:load`, `:run`, `:check`, `:plan`, `:runs`.

use std::path::Path;

use super::bad;
use crate::error::Exit;
use crate::repl::{Outcome, Repl, Then};
use crate::run::Source;
use crate::script::Header;

pub(super) fn load(repl: &mut Repl, file: &str) -> Outcome {
    let file = unquoted(file);
    if file.is_empty() {
        return Err(vec![bad("`:load` wants a file")]);
    }
    let source = Source::read(Path::new(&file)).map_err(|fault| vec![fault])?;
    let text = crate::script::text_of(&file, &source.bytes)?;
    let (header, faults) = Header::read(&file, &text);
    if !faults.is_empty() {
        return Err(faults);
    }
    if let Some(parameter) = header.parameters.first() {
        let message = format!(
            "`{file}` has arguments (`{}`), and a conversation has none",
            parameter.name
        );
        let fault = bad(message).hint(format!(
            "run it as a run of its own: `:run {file} {}=…`",
            parameter.name
        ));
        return Err(vec![fault]);
    }
    repl.statement(&text).map(|()| Then::On)
}

pub(super) fn run(repl: &mut Repl, rest: &str) -> Outcome {
    elsewhere(repl, "run", rest, true)
}

pub(super) fn check(repl: &mut Repl, rest: &str) -> Outcome {
    elsewhere(repl, "check", rest, true)
}

pub(super) fn plan(repl: &mut Repl, rest: &str) -> Outcome {
    elsewhere(repl, "plan", rest, true)
}

pub(super) fn runs(repl: &mut Repl, rest: &str) -> Outcome {
    elsewhere(repl, "runs", rest, false)
}

/// One of runback's own commands. What it has to say of failures it has said.
fn elsewhere(repl: &mut Repl, command: &str, rest: &str, wants_file: bool) -> Outcome {
    let mut words = vec![command.to_owned()];
    words.extend(split(rest));
    if wants_file && words.len() < 2 {
        return Err(vec![bad(format!("`:{command}` wants a file"))]);
    }
    let exit = (repl.elsewhere)(&words).map_err(|fault| vec![fault])?;
    if repl.screen.is_terminal || exit == Exit::Success {
        return Ok(Then::On);
    }
    // In a pipe it counts as the statement's own end.
    let mut fault = bad(format!("`:{command}` ended with exit code {}", exit.code()));
    fault.exit = exit;
    fault.is_told = true;
    Err(vec![fault])
}

/// Words as a shell would take them, quotes taken off.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut is_word = false;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                is_word = true;
            }
            (None, letter) if letter.is_whitespace() => {
                if is_word || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            (Some(_) | None, letter) => word.push(letter),
        }
    }
    if is_word || !word.is_empty() {
        words.push(word);
    }
    words
}

/// A file's name as it was typed, with or without quotes.
pub(in crate::repl) fn unquoted(text: &str) -> String {
    split(text).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_in_a_shell() {
        for (text, words) in [
            ("a.rhai group=Finance", vec!["a.rhai", "group=Finance"]),
            (
                "a.rhai group=\"All Staff\" x=''",
                vec!["a.rhai", "group=All Staff", "x="],
            ),
            ("  'my file.rhai'  ", vec!["my file.rhai"]),
            ("", vec![]),
        ] {
            assert_eq!(split(text), words, "{text}");
        }
    }
}
