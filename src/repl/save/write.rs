//! Statements as the lines of a runbook.

use std::fmt::Write as _;

use super::Kept;
use super::guess::Guess;
use crate::script::console::LAST;
use crate::script::source::{Kind, Piece, pieces};

/// Each statement as it stands in a file: ended, the last value named where a later one asks for it, and of two functions of
/// one name the one that was typed last.
pub(super) fn statements(kept: &[Kept]) -> Vec<String> {
    let mut named = vec![false; kept.len()];
    for (index, statement) in kept.iter().enumerate() {
        if mentions(&statement.typed, LAST)
            && let Some(before) = kept[..index].iter().rposition(|earlier| earlier.has_value)
        {
            named[before] = true;
        }
    }
    let mut texts: Vec<String> = kept
        .iter()
        .zip(&named)
        .map(|(statement, is_named)| {
            let text = if *is_named {
                name_last(&statement.typed)
            } else {
                statement.typed.clone()
            };
            ended(&text)
        })
        .collect();
    for index in 0..texts.len() {
        for (name, params, start, end) in functions(&texts[index]) {
            let comes_again = texts[index + 1..].iter().any(|later| {
                functions(later)
                    .iter()
                    .any(|(other, count, ..)| *other == name && *count == params)
            });
            if comes_again {
                texts[index].replace_range(start..end, "");
                break;
            }
        }
    }
    texts.retain(|text| !matches!(text.trim(), "" | ";"));
    texts
}

/// The whole file.
pub(super) fn whole(statements: &[String], guesses: &[Guess], day: &str) -> String {
    let mut out = format!("//! What has worked in a conversation of {day}.\n");
    if !guesses.is_empty() {
        out.push_str("//!\n");
        let names = guesses.iter().map(|guess| guess.name.len()).max();
        let kinds = guesses.iter().map(|guess| guess.declared().len()).max();
        let (names, kinds) = (names.unwrap_or(0), kinds.unwrap_or(0));
        for guess in guesses {
            let declared = guess.declared();
            let _ = writeln!(
                out,
                "//! @param {:names$} {declared:kinds$}  {}",
                guess.name, guess.about
            );
        }
    }
    out.push('\n');
    for statement in statements {
        out.push_str(statement);
        out.push('\n');
    }
    out
}

fn mentions(text: &str, name: &str) -> bool {
    let all = pieces(text);
    all.iter().enumerate().any(|(index, piece)| {
        piece.kind == Kind::Word
            && piece.of(text) == name
            && (index == 0 || all[index - 1].of(text) != ".")
    })
}

/// `let it = ` before the last expression.
fn name_last(text: &str) -> String {
    let all = pieces(text);
    let mut depth = 0_usize;
    let mut start = all.first().map_or(0, |piece| piece.start);
    for (index, piece) in all.iter().enumerate() {
        match piece.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Symbol if depth == 0 && piece.of(text) == ";" => {
                if let Some(next) = code(&all[index + 1..]).next() {
                    start = next.start;
                }
            }
            _ => {}
        }
    }
    format!("{}let {LAST} = {}", &text[..start], &text[start..])
}

fn code(pieces: &[Piece]) -> impl DoubleEndedIterator<Item = Piece> + '_ {
    pieces
        .iter()
        .copied()
        .filter(|piece| !matches!(piece.kind, Kind::Comment | Kind::OpenComment))
}

/// With its `;`, before a comment at the end. A block needs none.
fn ended(text: &str) -> String {
    let all = pieces(text);
    let Some(last) = code(&all).next_back() else {
        return text.to_owned();
    };
    if last.of(text) == ";" || ends_in_block(text, &all) {
        return text.to_owned();
    }
    format!("{};{}", &text[..last.end], &text[last.end..])
}

/// `fn f() { … }`, `if … { … }`, `for … { … }` and their like end by themselves.
fn ends_in_block(text: &str, all: &[Piece]) -> bool {
    const WORDS: [&str; 7] = ["fn", "if", "for", "while", "loop", "try", "switch"];
    let code: Vec<Piece> = code(all).collect();
    let mut depth = 0_usize;
    let mut begins = true;
    let mut is_block = false;
    for piece in &code {
        if depth == 0 && begins {
            is_block = WORDS.contains(&piece.of(text));
        }
        begins = false;
        match piece.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.saturating_sub(1);
            }
            Kind::Symbol if depth == 0 && piece.of(text) == ";" => begins = true,
            _ => {}
        }
    }
    is_block && code.last().is_some_and(|piece| piece.of(text) == "}")
}

/// The functions in a text: name, number of parameters, from where to where.
fn functions(text: &str) -> Vec<(String, usize, usize, usize)> {
    let all: Vec<Piece> = code(&pieces(text)).collect();
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for (index, piece) in all.iter().enumerate() {
        match piece.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && piece.of(text) == "fn" => {
                let Some(name) = all.get(index + 1) else {
                    continue;
                };
                let Some(open) = all[index..].iter().position(|piece| piece.of(text) == "(") else {
                    continue;
                };
                let open = index + open;
                let Some(close) = all[open..].iter().position(|piece| piece.of(text) == ")") else {
                    continue;
                };
                let words = all[open..open + close]
                    .iter()
                    .filter(|piece| piece.kind == Kind::Word);
                let params = words.count();
                let mut inside = 0_usize;
                for piece in &all[open + close..] {
                    match piece.kind {
                        Kind::Open => inside += 1,
                        Kind::Close if inside == 1 => {
                            found.push((
                                name.of(text).to_owned(),
                                params,
                                all[index].start,
                                piece.end,
                            ));
                            break;
                        }
                        Kind::Close => inside = inside.saturating_sub(1),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    found
}
