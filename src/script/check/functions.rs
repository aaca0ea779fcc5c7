//! Functions of a script that would stand in front of one of the host's.

use rhai::Position;

use super::is_standard_name;
use crate::script::failure::Failure;
use crate::script::library::{Entry, shelves};
use crate::script::program::File;
use crate::script::source::{Kind, pieces};
use crate::script::tree;

/// In the main script no function of the host may be written anew; in imported files, whose own are called by an alias, those may that
/// stand in a namespace.
pub(super) fn hiding(file: &File, is_main: bool) -> Vec<(Position, Failure)> {
    let own = file
        .bodies
        .iter()
        .map(|body| body.name.as_str())
        .filter(|name| !name.is_empty() && !tree::is_closure(name));
    let mut hiding: Vec<_> = own
        .filter_map(|name| Some((name, hidden_by(name, is_main)?)))
        .collect();
    hiding.dedup_by_key(|(name, _)| *name);
    if hiding.is_empty() {
        return Vec::new();
    }
    let definitions = definitions(&file.text.text);
    let mut found = Vec::new();
    for (name, signature) in hiding {
        let places = definitions.iter().filter(|(written, _)| *written == name);
        found.extend(places.map(|(_, position)| {
            let failure = Failure::new(
                "NameTaken",
                format!(
                    "`{name}` is a function of the host (`{signature}`) and cannot be written anew"
                ),
            );
            (
                *position,
                failure.hint(format!("choose another name, such as `my_{name}`")),
            )
        }));
    }
    found
}

/// The host's function that a script function of this name would hide, or be mistaken for. What Rhai itself has on arrays and texts may be
/// written anew.
fn hidden_by(name: &str, is_main: bool) -> Option<String> {
    let mut entries = shelves().entries.iter().filter(|entry| {
        entry.name == name
            && (is_main || entry.namespace.is_empty())
            && !entry.doc.is_empty()
            && (entry.receiver.is_none() || !is_standard_name(name))
    });
    entries.next().map(Entry::signature)
}

/// Names behind `fn`, and where they stand: the syntax tree does not say.
fn definitions(text: &str) -> Vec<(&str, Position)> {
    let pieces: Vec<_> = pieces(text)
        .into_iter()
        .filter(|piece| piece.kind != Kind::Comment)
        .collect();
    let mut found = Vec::new();
    // One count over the whole text: a script may have thousands of functions.
    let (mut line, mut start, mut counted) = (1, 0, 0);
    for (index, piece) in pieces.iter().enumerate() {
        if piece.of(text) != "fn" || piece.kind != Kind::Word {
            continue;
        }
        // `fn type.name` is a method.
        let is_method = pieces.get(index + 2).is_some_and(|dot| dot.of(text) == ".");
        let Some(name) = pieces.get(index + if is_method { 3 } else { 1 }) else {
            continue;
        };
        for (offset, _) in text[counted..name.start].match_indices('\n') {
            line += 1;
            start = counted + offset + 1;
        }
        counted = name.start;
        let column = text[start..name.start].chars().count() + 1;
        let (Ok(line), Ok(column)) = (u16::try_from(line), u16::try_from(column)) else {
            break;
        };
        found.push((name.of(text), Position::new(line, column)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_found_in_code_alone() {
        let text = "// fn skip\nfn a(x) {}\n  private fn b() { \"fn skip\" }\nfn int.c() {}\nfn /* x */ d() {}";
        let found: Vec<_> = definitions(text)
            .into_iter()
            .map(|(name, at)| (name, at.line().unwrap(), at.position().unwrap()))
            .collect();
        assert_eq!(
            found,
            [("a", 2, 4), ("b", 3, 14), ("c", 4, 8), ("d", 5, 12)]
        );
    }
}
