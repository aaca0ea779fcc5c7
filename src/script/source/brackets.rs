//! Brackets that do not match. The engine complains where it runs out of text; a person wants to see the bracket that is open.

use super::pieces::{Kind, Piece};

/// A bracket without its other half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lone {
    /// The index of the piece that opens and is never closed.
    Open(usize),
    /// The index of the piece that closes nothing.
    Close(usize),
}

impl Lone {
    pub(crate) fn piece(self) -> usize {
        match self {
            Self::Open(index) | Self::Close(index) => index,
        }
    }
}

fn closes(open: &str, close: &str) -> bool {
    matches!(
        (open, close),
        ("(", ")") | ("[", "]") | ("{" | "#{" | "${", "}")
    )
}

/// The first bracket without its other half, where there is one.
///
/// Between `(` and `)`, and in an array or a map, no statement can end or begin: so a `;` or a `let` shows that the bracket is open. Of
/// blocks, the one whose `}` stands too far left is taken for open.
pub(crate) fn lone(text: &str, pieces: &[Piece]) -> Option<Lone> {
    let mut open: Vec<usize> = Vec::new();
    let mut suspect = None;
    for (index, piece) in pieces.iter().enumerate() {
        match piece.kind {
            Kind::Open => open.push(index),
            Kind::Symbol | Kind::Word
                if piece.of(text) == ";" || begins_a_statement(text, pieces, index) =>
            {
                let inside = open.last().copied();
                if let Some(last) = inside.filter(|last| pieces[*last].of(text) != "{") {
                    return Some(Lone::Open(last));
                }
            }
            Kind::Close => {
                let Some(last) = open.pop() else {
                    return Some(suspect.map_or(Lone::Close(index), Lone::Open));
                };
                if !closes(pieces[last].of(text), piece.of(text)) {
                    // Where an outer one is closed here, the inner one is open; else this closes nothing.
                    let outer = open
                        .iter()
                        .any(|outer| closes(pieces[*outer].of(text), piece.of(text)));
                    return Some(if outer || piece.of(text) == "}" {
                        Lone::Open(last)
                    } else {
                        Lone::Close(index)
                    });
                }
                let begins_its_line =
                    index == 0 || line_start(text, piece.start) > pieces[index - 1].start;
                if begins_its_line
                    && suspect.is_none()
                    && indent(text, piece.start) < indent(text, pieces[last].start)
                {
                    suspect = Some(last);
                }
            }
            _ => {}
        }
    }
    let last = open.last()?;
    Some(Lone::Open(suspect.unwrap_or(*last)))
}

/// Is it a word at the beginning of a line that no expression can go on with?
pub(crate) fn begins_a_statement(text: &str, pieces: &[Piece], index: usize) -> bool {
    const WORDS: [&str; 7] = ["let", "const", "fn", "import", "export", "return", "throw"];
    let piece = pieces[index];
    piece.kind == Kind::Word
        && WORDS.contains(&piece.of(text))
        && index > 0
        && line_start(text, piece.start) > pieces[index - 1].start
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// How far the line of this place is set in.
pub(crate) fn indent(text: &str, at: usize) -> usize {
    let line = &text[line_start(text, at)..];
    line.bytes()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count()
}

#[cfg(test)]
mod tests {
    use super::super::pieces::pieces;
    use super::*;

    #[test]
    fn the_bracket_that_was_forgotten_is_found() {
        for (text, wanted) in [
            ("print((1 + 2); let x = 3;", Some((5, "("))),
            ("let x = [1, 2;", Some((8, "["))),
            ("let x = #{a: 1;\nlet y = 2;", Some((8, "#{"))),
            ("f([1, 2\nlet y = 2;", Some((2, "["))),
            ("foo(1));", Some((6, ")"))),
            ("if true { foo(1; }", Some((13, "("))),
            ("if true { foo(1 }", Some((13, "("))),
            ("foo(1]);", Some((5, "]"))),
            (
                "fn f() {\n    if true {\n        x();\n}\n\nfn g() {\n}\n",
                Some((21, "{")),
            ),
            (
                "fn f() {\n    if true {\n        x();\n    }\n",
                Some((7, "{")),
            ),
            ("if true {\n    x();\n}\n}\n", Some((21, "}"))),
            ("parallel(a, 2, |x| { f(x); g(x) });", None),
            ("`${f(1)} (`; \"(\"; // (\n", None),
            ("`${f(1}`", Some((4, "("))),
        ] {
            let pieces = pieces(text);
            let found = lone(text, &pieces).map(|lone| {
                let piece = pieces[lone.piece()];
                (piece.start, piece.of(text))
            });
            assert_eq!(found, wanted, "{text}");
        }
    }
}
