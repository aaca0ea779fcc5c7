//! Behind a colon: commands, and what they take.

use std::fs;

use super::{Choice, files};
use crate::manual::offer;
use crate::repl::commands::{COMMANDS, Takes};
use crate::script::Header;
use crate::script::console::Console;

pub(super) fn choices(console: &Console, text: &str) -> (usize, Vec<Choice>) {
    let Some(space) = text.find(' ') else {
        let found = COMMANDS
            .iter()
            .filter(|command| command.word().starts_with(text))
            .map(|command| {
                let more = if command.takes == Takes::Nothing {
                    ""
                } else {
                    " "
                };
                let said = format!("{}  {}", command.usage, command.about);
                Choice::new(format!("{}{more}", command.word()), said)
            })
            .collect();
        return (0, found);
    };
    let (word, rest) = (&text[..space], &text[space + 1..]);
    let takes = COMMANDS
        .iter()
        .find(|command| command.is_called(word))
        .map_or(Takes::Nothing, |command| command.takes);
    let last = rest.rfind(' ').map_or(0, |at| at + 1);
    let start = space + 1 + last;
    let prefix = &rest[last..];
    let fits = |choice: &Choice| choice.put.starts_with(prefix);
    match takes {
        Takes::Expression => {
            let (at, found) = super::choices(console, rest);
            (space + 1 + at, found)
        }
        Takes::Name => {
            let names = offer::names().into_iter().map(Choice::plain);
            (start, names.filter(fits).collect())
        }
        Takes::File | Takes::Script if last == 0 => (start, files::choices(prefix)),
        Takes::Nothing | Takes::Words | Takes::File => (start, Vec::new()),
        // The arguments that its header declares.
        Takes::Script => {
            let file = rest.split(' ').next().unwrap_or_default();
            (start, arguments(file).into_iter().filter(fits).collect())
        }
        Takes::One(words) => (
            start,
            words
                .iter()
                .map(|word| Choice::plain(*word))
                .filter(fits)
                .collect(),
        ),
    }
}

fn arguments(file: &str) -> Vec<Choice> {
    let Ok(text) = fs::read_to_string(file) else {
        return Vec::new();
    };
    let (header, _) = Header::read(file, &text);
    header
        .parameters
        .iter()
        .map(|parameter| {
            let said = format!("{}=  {}", parameter.name, parameter.text);
            Choice::new(format!("{}=", parameter.name), said)
        })
        .collect()
}
