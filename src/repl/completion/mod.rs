//! What can be typed at the cursor: by where it stands, and by what the value before it really is.

mod command;
mod files;
mod place;
mod receiver;

use std::sync::{Arc, Mutex, PoisonError};

use rhai::Dynamic;
use rustyline::completion::{Completer, Pair};
use rustyline::{Context, Result};

use crate::manual::offer::{self, Offer};
use crate::script::console::{Console, LAST};
use crate::script::source::pieces;
use crate::text;
use place::Place;

pub(super) use place::call_at;
pub(super) use receiver::sort_of;

/// Where completing stands still for a moment: a longer list helps nobody.
const MOST: usize = 400;

/// Words that begin something.
const WORDS: &[&str] = &[
    "let", "const", "fn", "if", "else", "for", "in", "while", "loop", "return", "throw", "try",
    "catch", "switch", "import", "true", "false",
];

/// One thing that may be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) put: String,
    /// With its signature.
    pub(super) said: String,
}

impl Choice {
    fn new(put: impl Into<String>, said: impl Into<String>) -> Self {
        Self {
            put: put.into(),
            said: said.into(),
        }
    }

    fn plain(put: impl Into<String>) -> Self {
        let put = put.into();
        Self {
            said: put.clone(),
            put,
        }
    }

    fn of(offer: Offer) -> Self {
        let open = if offer.is_function { "(" } else { "" };
        Self::new(format!("{}{open}", offer.name), offer.said)
    }
}

pub(super) struct Completion {
    pub(super) console: Arc<Mutex<Console>>,
}

impl Completer for Completion {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, choices) = choices(&console, &line[..pos]);
        let size =
            terminal_size::terminal_size().map_or((80, 24), |(width, height)| (width.0, height.0));
        let room = room(choices.len().min(MOST), size);
        let pairs = choices.into_iter().take(MOST).map(|choice| Pair {
            display: text::fit(&choice.said, room).into_owned(),
            replacement: choice.put,
        });
        Ok((start, pairs.collect()))
    }
}

/// How wide a candidate may be: as many stand side by side as are needed to see them all at once.
fn room(count: usize, (width, height): (u16, u16)) -> usize {
    let (width, height) = (usize::from(width.max(40)), usize::from(height.max(8)) - 3);
    let columns = count.div_ceil(height).clamp(1, 4);
    // The editor puts two spaces between them.
    width / columns - 2
}

/// What fits at the end of the text, and where what it replaces begins.
pub(super) fn choices(console: &Console, text: &str) -> (usize, Vec<Choice>) {
    let trimmed = text.trim_start();
    let lead = text.len() - trimmed.len();
    if trimmed.starts_with(':') {
        let (start, choices) = command::choices(console, trimmed);
        return (start + lead, choices);
    }
    let pieces = pieces(text);
    let place = Place::of(text, &pieces);
    let (start, prefix) = place.prefix();
    let all = match &place {
        Place::Text { before, inside, .. } => in_text(console, before, inside),
        Place::Behind { space, .. } => in_namespace(console, space),
        Place::Dot { receiver, .. } => behind_dot(console, receiver),
        Place::Key {
            function,
            is_method,
            ..
        } => {
            let keys = offer::options(function, *is_method);
            keys.into_iter()
                .map(|key| Choice::new(format!("{key}: "), key))
                .collect()
        }
        Place::Word { .. } => names(console),
        Place::Nothing => Vec::new(),
    };
    let mut found: Vec<Choice> = all
        .iter()
        .filter(|choice| choice.put.starts_with(prefix))
        .cloned()
        .collect();
    if found.is_empty() && !prefix.is_empty() {
        // In any case, as long as nothing fits as it is written.
        let lower = prefix.to_lowercase();
        found = all
            .into_iter()
            .filter(|choice| choice.put.to_lowercase().starts_with(&lower))
            .collect();
    }
    (start, found)
}

fn in_text(console: &Console, before: &str, inside: &str) -> Vec<Choice> {
    // `map["…`: its keys.
    if let Some(receiver) = before.trim_end().strip_suffix('[') {
        let keys = receiver::value_of(console, receiver.trim_end());
        if let Some(keys) = keys.as_ref().and_then(keys_of) {
            return keys
                .into_iter()
                .map(|key| Choice::new(format!("{key}\"]"), key))
                .collect();
        }
    }
    if before.trim_end().ends_with("import") {
        let mut found: Vec<Choice> = offer::blocks().into_iter().map(Choice::plain).collect();
        found.extend(files::choices(inside));
        return found;
    }
    files::choices(inside)
}

fn in_namespace(console: &Console, space: &str) -> Vec<Choice> {
    let imports = console.imports();
    if let Some((_, functions)) = imports.iter().find(|(alias, _)| alias == space) {
        return functions
            .iter()
            .map(|function| {
                let said = format!("{space}::{}({})", function.name, function.params.join(", "));
                Choice::new(format!("{}(", function.name), said)
            })
            .collect();
    }
    offer::functions(space)
        .into_iter()
        .map(Choice::of)
        .collect()
}

fn behind_dot(console: &Console, receiver: &str) -> Vec<Choice> {
    let value = receiver::value_of(console, receiver);
    let mut found = Vec::new();
    if let Some(keys) = value.as_ref().and_then(keys_of) {
        found.extend(keys.into_iter().map(Choice::plain));
    }
    let Some(sort) = receiver::sort_of(console, receiver) else {
        return found;
    };
    let (language, ours): (Vec<Offer>, Vec<Offer>) = offer::members(&sort)
        .into_iter()
        .partition(|offer| offer.is_language);
    found.extend(ours.into_iter().map(Choice::of));
    found.extend(language.into_iter().map(Choice::of));
    found
}

fn keys_of(value: &Dynamic) -> Option<Vec<String>> {
    let map = value.as_map_ref().ok()?;
    Some(map.keys().map(ToString::to_string).collect())
}

/// Everything that can stand alone: what was defined here first.
fn names(console: &Console) -> Vec<Choice> {
    let mut found: Vec<Choice> = console
        .variables()
        .into_iter()
        .rev()
        .map(|(name, is_constant, value)| {
            let kind = crate::script::words::kind(&value);
            let what = if is_constant { "constant" } else { "variable" };
            Choice::new(name.clone(), format!("{name}: {kind} ({what})"))
        })
        .collect();
    found.push(Choice::new(LAST, format!("{LAST}: the last value")));
    found.extend(console.functions().into_iter().map(|function| {
        let said = format!("{}({})", function.name, function.params.join(", "));
        Choice::new(format!("{}(", function.name), said)
    }));
    for (alias, _) in console.imports() {
        found.push(Choice::new(
            format!("{alias}::"),
            format!("{alias}::  imported"),
        ));
    }
    found.extend(
        offer::namespaces()
            .into_iter()
            .map(|space| Choice::new(format!("{}::", space.name), space.said)),
    );
    found.extend(offer::functions("").into_iter().map(Choice::of));
    found.extend(WORDS.iter().map(|word| Choice::plain(*word)));
    found
}
