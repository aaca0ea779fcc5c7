//! Which of the literals that were typed are a runbook's arguments: the group, the person, the instant, where to.

use std::fmt::Write as _;

use crate::script::source::{Kind, Piece, pieces};

/// An argument, with what was typed as its default: without arguments the runbook does the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) name: String,
    kind: &'static str,
    default: String,
    pub(super) about: &'static str,
}

impl Guess {
    /// `string = "Finance"`
    pub(super) fn declared(&self) -> String {
        format!("{} = {}", self.kind, self.default)
    }
}

/// What the argument at a place of a function is called and means.
struct Known {
    /// The end of the function's name: `::members`, `.add`.
    function: &'static str,
    argument: usize,
    name: &'static str,
    kind: &'static str,
    about: &'static str,
}

const fn known(
    function: &'static str,
    argument: usize,
    name: &'static str,
    about: &'static str,
) -> Known {
    Known {
        function,
        argument,
        name,
        kind: "string",
        about,
    }
}

const WHOSE: &str = "whose, by address or id";
const WHICH_SITE: &str = "the site, by its address or id";
const WHERE_TO: &str = "\"new\" (beside what is there) or \"inPlace\" (over it)";

const KNOWN: &[Known] = &[
    known(
        "groups::members",
        0,
        "group",
        "Entra group, by display name or id",
    ),
    known(
        "groups::get",
        0,
        "group",
        "Entra group, by display name or id",
    ),
    known("users::get", 0, "user", WHOSE),
    known("exchange::unit", 0, "user", WHOSE),
    known("onedrive::unit", 0, "user", WHOSE),
    known("exchange::points", 0, "user", WHOSE),
    known("onedrive::points", 0, "user", WHOSE),
    known("exchange::latest_point", 0, "user", WHOSE),
    known("onedrive::latest_point", 0, "user", WHOSE),
    known("exchange::point_before", 0, "user", WHOSE),
    known("onedrive::point_before", 0, "user", WHOSE),
    known("sites::get", 0, "site", WHICH_SITE),
    known("sharepoint::unit", 0, "site", WHICH_SITE),
    known("sharepoint::points", 0, "site", WHICH_SITE),
    known("sharepoint::latest_point", 0, "site", WHICH_SITE),
    known("sharepoint::point_before", 0, "site", WHICH_SITE),
    known("exchange::create_session", 1, "destination", WHERE_TO),
    known("onedrive::create_session", 1, "destination", WHERE_TO),
    known("sharepoint::create_session", 1, "destination", WHERE_TO),
    known(".add", 1, "destination", WHERE_TO),
    known(".add_all", 1, "destination", WHERE_TO),
];

const WHEN: &str = "the instant";

/// The statements with arguments in the place of literals, and the arguments.
pub(super) fn arguments(statements: &[String]) -> (Vec<String>, Vec<Guess>) {
    let mut guesses: Vec<Guess> = Vec::new();
    let bodies = statements
        .iter()
        .map(|statement| replaced(statement, &mut guesses))
        .collect();
    (bodies, guesses)
}

fn replaced(text: &str, guesses: &mut Vec<Guess>) -> String {
    let all = pieces(text);
    let mut out = String::new();
    let mut at = 0;
    let mut index = 0;
    while index < all.len() {
        if let Some((name, last)) = guessed(text, &all, index, guesses) {
            out.push_str(&text[at..all[index].start]);
            let _ = write!(out, "args.{name}");
            at = all[last].end;
            index = last;
        }
        index += 1;
    }
    out.push_str(&text[at..]);
    out
}

/// The argument that begins at this piece, and the last piece of what it stands for.
fn guessed(
    text: &str,
    all: &[Piece],
    index: usize,
    guesses: &mut Vec<Guess>,
) -> Option<(String, usize)> {
    let is = |at: usize, word: &str| all.get(at).is_some_and(|piece| piece.of(text) == word);
    let literal = |at: usize| {
        let piece = all.get(at).filter(|piece| piece.kind == Kind::Text)?;
        let inside = piece.of(text).strip_prefix('"')?.strip_suffix('"')?;
        // An escape of Rhai need not be one of JSON.
        (!inside.contains(['\\', '\n'])).then(|| inside.to_owned())
    };
    let is_call = |at: usize, name: &str| {
        is(at, name) && is(at + 1, "(") && (at == 0 || !matches!(all[at - 1].of(text), "." | ":"))
    };
    // `datetime("…")`
    if is_call(index, "datetime")
        && is(index + 3, ")")
        && let Some(inside) = literal(index + 2)
    {
        let default = format!("\"{inside}\"");
        return Some((add(guesses, "before", "datetime", default, WHEN), index + 3));
    }
    // `now() - duration("24h")`
    if is_call(index, "now")
        && is(index + 2, ")")
        && is(index + 3, "-")
        && is_call(index + 4, "duration")
        && is(index + 7, ")")
        && let Some(inside) = literal(index + 6).filter(|inside| !inside.starts_with('-'))
        && inside.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        let default = format!("-{inside}");
        return Some((add(guesses, "before", "datetime", default, WHEN), index + 7));
    }
    let inside = literal(index)?;
    let (function, argument) = call(text, all, index)?;
    // The whole argument, and no part of a longer one.
    let is_whole = is(index + 1, ",") || is(index + 1, ")");
    let begins = matches!(all[index - 1].of(text), "(" | ",");
    let known = KNOWN
        .iter()
        .find(|known| known.function == function && known.argument == argument)?;
    if !is_whole || !begins {
        return None;
    }
    let default = serde_json::json!(inside).to_string();
    Some((
        add(guesses, known.name, known.kind, default, known.about),
        index,
    ))
}

/// The call that this piece is an argument of, and which.
fn call(text: &str, all: &[Piece], index: usize) -> Option<(String, usize)> {
    let mut depth = 0_usize;
    let mut argument = 0;
    for at in (0..index).rev() {
        match all[at].kind {
            Kind::Close => depth += 1,
            Kind::Open if depth == 0 => {
                let word = |back: usize| at.checked_sub(back).map(|index| all[index].of(text));
                if all[at].of(text) != "(" {
                    return None;
                }
                let name = word(1)?;
                return Some(match (word(2), word(3)) {
                    (Some("."), _) => (format!(".{name}"), argument),
                    (Some(":"), Some(":")) => (format!("{}::{name}", word(4)?), argument),
                    _ => (name.to_owned(), argument),
                });
            }
            Kind::Open => depth -= 1,
            Kind::Symbol if depth == 0 && all[at].of(text) == "," => argument += 1,
            _ => {}
        }
    }
    None
}

/// The same again is the same argument; another of its kind gets a number.
fn add(
    guesses: &mut Vec<Guess>,
    name: &str,
    kind: &'static str,
    default: String,
    about: &'static str,
) -> String {
    let mut number = 1;
    loop {
        let named = if number == 1 {
            name.to_owned()
        } else {
            format!("{name}{number}")
        };
        match guesses.iter().find(|guess| guess.name == named) {
            Some(guess) if guess.default == default => return named,
            Some(_) => number += 1,
            None => {
                guesses.push(Guess {
                    name: named.clone(),
                    kind,
                    default,
                    about,
                });
                return named;
            }
        }
    }
}
