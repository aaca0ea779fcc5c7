//! Colours for what is typed, and the bracket that belongs to the one at the cursor.

use std::borrow::Cow;
use std::fmt::Write as _;

use rustyline::highlight::{CmdKind, Highlighter};

use super::brackets;
use super::prompt::Prompt;
use crate::script::source::{Kind, Piece, pieces};
use crate::text::Paint;

const WORDS: &[&str] = &[
    "let", "const", "fn", "if", "else", "for", "in", "while", "loop", "do", "until", "return",
    "throw", "try", "catch", "switch", "import", "as", "break", "continue", "true", "false",
    "private", "export", "this",
];

const KEYWORD: &str = "1;34";
const TEXT: &str = "32";
const NUMBER: &str = "36";
const COMMENT: &str = "2";
const SPACE: &str = "35";
const WRONG: &str = "31";
const COMMAND: &str = "1;35";
const MATCH: &str = "1;4";

/// `None` where nothing is to be coloured.
pub(super) struct Colours {
    pub(super) prompt: Prompt,
    pub(super) paint: Paint,
}

impl Highlighter for Colours {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        match self.paint {
            Paint::Plain => Cow::Borrowed(line),
            Paint::Coloured => Cow::Owned(coloured(line, pos)),
        }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        is_own: bool,
    ) -> Cow<'b, str> {
        if is_own {
            Cow::Owned(self.prompt.coloured(prompt))
        } else {
            // That of a search through the history.
            Cow::Borrowed(prompt)
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.paint {
            Paint::Plain => Cow::Borrowed(hint),
            Paint::Coloured => Cow::Owned(format!("\u{1b}[2m{hint}\u{1b}[0m")),
        }
    }

    fn highlight_char(&self, _line: &str, _pos: usize, kind: CmdKind) -> bool {
        // Also where only the cursor moves: the bracket's partner moves with it.
        self.paint == Paint::Coloured && kind != CmdKind::ForcedRefresh
    }
}

fn coloured(line: &str, pos: usize) -> String {
    if line.trim_start().starts_with(':') {
        let end = line.find(char::is_whitespace).unwrap_or(line.len());
        return format!("\u{1b}[{COMMAND}m{}\u{1b}[0m{}", &line[..end], &line[end..]);
    }
    let all = pieces(line);
    let pair = brackets::at(line, &all, pos);
    let mut out = String::with_capacity(line.len() * 2);
    let mut at = 0;
    for (index, piece) in all.iter().enumerate() {
        out.push_str(&line[at..piece.start]);
        let text = piece.of(line);
        let is_paired = pair.is_some_and(|(one, other)| one == index || other == index);
        match if is_paired {
            Some(MATCH)
        } else {
            code(line, &all, index)
        } {
            Some(code) => {
                let _ = write!(out, "\u{1b}[{code}m{text}\u{1b}[0m");
            }
            None => out.push_str(text),
        }
        at = piece.end;
    }
    out.push_str(&line[at..]);
    out
}

fn code(line: &str, all: &[Piece], index: usize) -> Option<&'static str> {
    let piece = all[index];
    let text = piece.of(line);
    match piece.kind {
        Kind::Text | Kind::OpenText => Some(TEXT),
        Kind::Comment | Kind::OpenComment => Some(COMMENT),
        Kind::Strange => Some(WRONG),
        Kind::Word if text.starts_with(|letter: char| letter.is_ascii_digit()) => Some(NUMBER),
        Kind::Word if WORDS.contains(&text) => Some(KEYWORD),
        // A namespace: two colons stand right behind it.
        Kind::Word if line[piece.end..].starts_with("::") => Some(SPACE),
        Kind::Word | Kind::Open | Kind::Close | Kind::Symbol => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_nothing_of_the_text() {
        for line in [
            "let x = exchange::units(); // all",
            ":load x.rhai",
            "print(`a ${b + \"c\"} d`)",
            "/* open",
            "\"open",
            "naïve + “quote”",
            "f(1, [2, #{a: 3}])",
        ] {
            let shown = coloured(line, line.len());
            let mut plain = String::new();
            let mut rest = shown.as_str();
            while let Some(at) = rest.find('\u{1b}') {
                plain.push_str(&rest[..at]);
                rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
            }
            plain.push_str(rest);
            assert_eq!(plain, line);
        }
        assert!(coloured("let x = 5", 0).contains("\u{1b}[1;34mlet\u{1b}[0m"));
    }
}
