//! What stands before a dot: the value itself where it can be had without asking anybody, else what it will be.

use rhai::Dynamic;

use crate::manual::offer::{self, Sort};
use crate::script::console::Console;
use crate::script::source::{Kind, Piece, pieces};
use crate::script::values::{List, Object, Stream};
use crate::script::words;

/// The index of the piece that the expression at the end begins with: `exchange::units().first(1)[0]`.
pub(super) fn begin(text: &str, pieces: &[Piece]) -> usize {
    let mut at = pieces.len();
    loop {
        // One part: brackets, a name, a text.
        let Some(last) = at.checked_sub(1) else {
            return at;
        };
        match pieces[last].kind {
            Kind::Close => {
                let Some(open) = opening(pieces, last) else {
                    return at;
                };
                at = open;
                // A call or an index goes on with what it belongs to; `[1, 2]` and `(a + b)` stand alone.
                let belongs = at > 0
                    && pieces[at - 1].end == pieces[at].start
                    && matches!(pieces[at - 1].kind, Kind::Word | Kind::Close)
                    && pieces[at].of(text) != "#{";
                if !belongs {
                    return at;
                }
                continue;
            }
            Kind::Word | Kind::Text => at = last,
            _ => return at,
        }
        let symbol = |back: usize| at.checked_sub(back).map(|index| pieces[index].of(text));
        if symbol(1) == Some(".") {
            at -= if symbol(2) == Some("?") { 2 } else { 1 };
        } else if symbol(1) == Some(":") && symbol(2) == Some(":") && at > 2 {
            at -= 3;
            return at;
        } else {
            return at;
        }
    }
}

fn opening(pieces: &[Piece], close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for index in (0..=close).rev() {
        match pieces[index].kind {
            Kind::Close => depth += 1,
            Kind::Open => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// What is known of an expression.
#[derive(Clone, Debug)]
enum Known {
    Value(Dynamic),
    Sort(Sort),
}

impl Known {
    fn sort(&self) -> Sort {
        match self {
            Self::Sort(sort) => sort.clone(),
            Self::Value(value) => sort_of_value(value),
        }
    }
}

fn sort_of_value(value: &Dynamic) -> Sort {
    if let Some(object) = value.read_lock::<Object>() {
        return Sort {
            words: object.kind().words().to_owned(),
            kind: Some(object.kind()),
        };
    }
    if let Some(stream) = value.read_lock::<Stream>() {
        return Sort::of(&format!(
            "stream of {}",
            stream.what().trim_end_matches('s')
        ));
    }
    Sort::of(words::kind(value))
}

/// The value of the expression, where it is at hand.
pub(super) fn value_of(console: &Console, text: &str) -> Option<Dynamic> {
    match known(console, text)? {
        Known::Value(value) => Some(value),
        Known::Sort(_) => None,
    }
}

/// What the expression is.
pub(in crate::repl) fn sort_of(console: &Console, text: &str) -> Option<Sort> {
    known(console, text).map(|known| known.sort())
}

fn known(console: &Console, text: &str) -> Option<Known> {
    let all = pieces(text);
    let first = all.first()?;
    let word = first.of(text);
    let (mut now, mut at) = match first.kind {
        Kind::Text => (Known::Sort(Sort::of("text")), 1),
        Kind::Open => {
            let close = closing(&all, 0)?;
            let sort = match word {
                "[" => Sort::of("array"),
                "#{" => Sort::of("map"),
                // `(x)` is what is in it.
                "(" if close > 1 => {
                    let inside = &text[all[1].start..all[close - 1].end];
                    let inner = pieces(inside);
                    if begin(inside, &inner) != 0 {
                        return None;
                    }
                    known(console, inside)?.sort()
                }
                _ => return None,
            };
            (Known::Sort(sort), close + 1)
        }
        Kind::Word if word.starts_with(|letter: char| letter.is_ascii_digit()) => {
            (Known::Sort(Sort::of("whole number")), 1)
        }
        Kind::Word => {
            let is = |index: usize, symbol: &str| {
                all.get(index).is_some_and(|piece| piece.of(text) == symbol)
            };
            if is(1, ":") && is(2, ":") {
                let name = format!("{word}::{}", all.get(3)?.of(text));
                let sort = offer::returned(&name)?;
                (Known::Sort(sort), called(text, &all, 4)?)
            } else if is(1, "(") {
                (Known::Sort(offer::returned(word)?), called(text, &all, 1)?)
            } else {
                (Known::Value(console.variable(word)?), 1)
            }
        }
        _ => return None,
    };
    while at < all.len() {
        (now, at) = step(text, &all, &now, at)?;
    }
    Some(now)
}

/// `.name`, `.name(…)`, `[…]`.
fn step(text: &str, all: &[Piece], now: &Known, at: usize) -> Option<(Known, usize)> {
    match all[at].of(text) {
        "?" => step(text, all, now, at + 1),
        "." => {
            let name = all.get(at + 1)?.of(text);
            if all.get(at + 2).is_some_and(|piece| piece.of(text) == "(") {
                let sort = offer::method(&now.sort(), name)?;
                return Some((Known::Sort(sort), called(text, all, at + 2)?));
            }
            if let Known::Value(value) = now {
                if let Some(object) = value.read_lock::<Object>() {
                    return Some((Known::Value(object.get(name).ok()?), at + 2));
                }
                if let Ok(map) = value.as_map_ref() {
                    return Some((Known::Value(map.get(name)?.clone()), at + 2));
                }
            }
            Some((Known::Sort(offer::property(&now.sort(), name)?), at + 2))
        }
        "[" => {
            let close = closing(all, at)?;
            let inside = &text[all[at].end..all[close].start];
            let next = match now {
                Known::Value(value) => Known::Value(element(value, inside.trim())?),
                Known::Sort(sort) => Known::Sort(sort.element()?),
            };
            Some((next, close + 1))
        }
        _ => None,
    }
}

/// The one that is asked for; of a list whose number is not written there any will do.
fn element(value: &Dynamic, index: &str) -> Option<Dynamic> {
    if let Ok(map) = value.as_map_ref() {
        return map.get(index.trim_matches('"')).cloned();
    }
    let items = match value.read_lock::<List>() {
        Some(list) => list.to_array(),
        None => value.as_array_ref().ok()?.clone(),
    };
    let number = index.parse::<usize>().unwrap_or(0);
    items.get(number).or_else(|| items.first()).cloned()
}

/// Behind the brackets of a call.
fn called(text: &str, all: &[Piece], open: usize) -> Option<usize> {
    (all.get(open)?.of(text) == "(")
        .then(|| closing(all, open))
        .flatten()
        .map(|close| close + 1)
}

fn closing(all: &[Piece], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, piece) in all.iter().enumerate().skip(open) {
        match piece.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}
