//! Blanks out the statement that could not be parsed, so that the rest of the script can be.

use std::collections::HashSet;

use super::brackets::{self, Lone};
use super::pieces::{Kind, Piece, pieces};

/// What was blanked: names in it may be defined or used there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost {
    pub(crate) words: HashSet<String>,
}

impl Lost {
    /// Replaces a stretch by spaces; lines and columns stay.
    fn blank(&mut self, text: &mut String, from: usize, to: usize) -> bool {
        let stretch = &text[from..to];
        if stretch.trim().is_empty() {
            return false;
        }
        for piece in pieces(stretch) {
            // Texts too: they may be templates, or open.
            let words = piece
                .of(stretch)
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            self.words.extend(words.map(str::to_owned));
        }
        let spaces: String = stretch
            .chars()
            .map(|letter| if letter == '\n' { '\n' } else { ' ' })
            .collect();
        text.replace_range(from..to, &spaces);
        true
    }

    /// Blanks the statement round this place, or the next behind it. `false` where there is nothing left to blank.
    pub(crate) fn statement(&mut self, text: &mut String, at: usize) -> bool {
        let all = pieces(text);
        let mut anchor = all.partition_point(|piece| piece.end <= at);
        if anchor == all.len() {
            let Some(last) = all.len().checked_sub(1) else {
                return false;
            };
            anchor = last;
        }
        loop {
            let (start, outer) = start_of(text, &all, anchor);
            let end = end_of(text, &all, start, anchor);
            if self.blank(text, all[start].start, end) {
                return true;
            }
            match outer {
                Some(outer) => anchor = outer,
                None => return false,
            }
        }
    }

    /// Blanks what a bracket without its other half stands in.
    #[allow(clippy::similar_names)] // two words for two things
    pub(crate) fn bracket(&mut self, text: &mut String, all: &[Piece], lone: Lone) -> bool {
        let piece = all[lone.piece()];
        match lone {
            Lone::Close(_) => self.blank(text, piece.start, piece.end),
            Lone::Open(index) if piece.of(text) == "{" => {
                // The block ends where a line is set in no further than the one that opens it.
                let (start, _) = start_of(text, all, index);
                let indent = brackets::indent(text, piece.start);
                let mut end = text.len();
                let mut line = piece.start;
                while let Some(next) = text[line..].find('\n').map(|found| line + found + 1) {
                    let rest = text[next..].trim_start_matches([' ', '\t']);
                    let closes = rest.starts_with(['}', ')', ']']);
                    let set_in = brackets::indent(text, next);
                    let is_behind = set_in < indent || (set_in == indent && !closes);
                    if !rest.starts_with('\n') && !rest.is_empty() && is_behind {
                        end = next;
                        break;
                    }
                    line = next;
                }
                self.blank(text, all[start].start, end)
            }
            Lone::Open(_) => self.statement(text, piece.start),
        }
    }
}

/// The piece that the statement round `anchor` begins with, and the `{` of the block that it stands in.
fn start_of(text: &str, all: &[Piece], anchor: usize) -> (usize, Option<usize>) {
    let mut start = anchor;
    let mut depth = 0_usize;
    while let Some(before) = start.checked_sub(1) {
        let piece = all[before];
        match piece.kind {
            Kind::Close => {
                if depth == 0 && piece.of(text) == "}" && ends_a_statement(text, all, before) {
                    return (start, None);
                }
                depth += 1;
            }
            Kind::Open if depth > 0 => depth -= 1,
            Kind::Open if piece.of(text) == "{" => return (start, Some(before)),
            Kind::Symbol if depth == 0 && piece.of(text) == ";" => {
                return (start, block_of(text, all, before));
            }
            _ => {}
        }
        start = before;
    }
    (start, None)
}

/// The `{` of the block that a piece stands in.
fn block_of(text: &str, all: &[Piece], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for index in (0..from).rev() {
        match all[index].kind {
            Kind::Close => depth += 1,
            Kind::Open if depth > 0 => depth -= 1,
            Kind::Open if all[index].of(text) == "{" => return Some(index),
            _ => {}
        }
    }
    None
}

/// Is this `}` the end of its statement? The next piece begins a line, and does not go on with it.
fn ends_a_statement(text: &str, all: &[Piece], index: usize) -> bool {
    let Some(next) = all.get(index + 1) else {
        return true;
    };
    let goes_on = ["else", "catch", "while", "until"].contains(&next.of(text));
    text[all[index].end..next.start].contains('\n') && next.kind == Kind::Word && !goes_on
}

/// Is it `if` and its like, at the beginning of a line?
fn begins_a_block(text: &str, all: &[Piece], index: usize) -> bool {
    const WORDS: [&str; 7] = ["if", "for", "while", "loop", "do", "try", "switch"];
    WORDS.contains(&all[index].of(text))
        && index > 0
        && text[all[index - 1].end..all[index].start].contains('\n')
}

/// The byte offset behind the statement that begins with `start` and has `anchor` in it.
fn end_of(text: &str, all: &[Piece], start: usize, anchor: usize) -> usize {
    let mut open: Vec<&str> = Vec::new();
    let mut blocks = 0_usize;
    for (index, piece) in all.iter().enumerate().skip(start) {
        let begins_another = index > anchor
            && blocks == 0
            && (brackets::begins_a_statement(text, all, index)
                || (open.is_empty() && begins_a_block(text, all, index)));
        if begins_another {
            return all[index - 1].end;
        }
        match piece.kind {
            Kind::Open => {
                blocks += usize::from(piece.of(text) == "{");
                open.push(piece.of(text));
            }
            Kind::Close => {
                match open.pop() {
                    Some(bracket) => blocks -= usize::from(bracket == "{"),
                    // A block that the statement only stands in.
                    None => return piece.start,
                }
                let is_last = open.is_empty() && index >= anchor && piece.of(text) == "}";
                if is_last && ends_a_statement(text, all, index) {
                    return piece.end;
                }
            }
            // No bracket but that of a block has statements in it.
            Kind::Symbol if piece.of(text) == ";" && index >= anchor && blocks == 0 => {
                return piece.end;
            }
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanked(text: &str, at: &str) -> String {
        let mut lost = Lost::default();
        let mut left = text.to_owned();
        assert!(lost.statement(&mut left, text.find(at).unwrap()));
        assert_eq!(left.len(), text.len());
        left.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_statement_goes_and_its_neighbours_stay() {
        for (text, at, wanted) in [
            ("a(); b BAD c; d();", "BAD", "a(); d();"),
            ("if x { a(); BAD b; c() }", "BAD", "if x { a(); c() }"),
            ("if x { BAD }\nd();", "BAD", "if x { }\nd();"),
            (
                "fn f() {\n  a();\n}\nBAD b;\nc();",
                "BAD",
                "fn f() {\n a();\n}\nc();",
            ),
            (
                "let x = f(|y| { a(); BAD; c() });",
                "BAD",
                "let x = f(|y| { a(); c() });",
            ),
            ("let x = f(1, BAD 2);\ng();", "BAD", "g();"),
            ("a();\nBAD", "BAD", "a();"),
            ("BAD x\nif y { }", "BAD", "if y { }"),
            ("let x = [BAD\nlet y = 1;", "BAD", "let y = 1;"),
        ] {
            let wanted: Vec<_> = wanted.split_whitespace().collect();
            assert_eq!(blanked(text, at), wanted.join(" "), "{text}");
        }
    }

    #[test]
    fn an_empty_block_goes_with_what_it_belongs_to() {
        let mut lost = Lost::default();
        let mut text = "a();\nif x { }\nb();".to_owned();
        assert!(lost.statement(&mut text, 12));
        assert_eq!(text, "a();\n        \nb();");
        assert!(lost.words.contains("x"));
        while lost.statement(&mut text, 12) {}
        assert!(text.trim().is_empty(), "{text}");
    }
}
