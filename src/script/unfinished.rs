//! Whether what was typed so far asks for more.

use std::sync::LazyLock;

use rhai::{Engine, LexError, ParseErrorType};

use super::engine;
use super::source::{Kind, pieces};

/// Whether a further line can make a statement of it: an open bracket, text or comment, or an operator that waits for its
/// other side. A mistake that no further line can mend is not waited for.
pub(crate) fn is_unfinished(text: &str) -> bool {
    static LENIENT: LazyLock<Engine> = LazyLock::new(|| {
        let mut engine = engine::parser();
        engine.set_strict_variables(false);
        engine
    });
    let pieces = pieces(text);
    let mut open = Vec::new();
    for piece in &pieces {
        match piece.kind {
            Kind::OpenComment => return true,
            // A text between quotes ends with its line; an empty line is how one says that this is all there is.
            Kind::OpenText => return text[piece.start..].starts_with('`') || !gives_up(text),
            Kind::Open => open.push(piece.of(text)),
            Kind::Close => {
                let Some(last) = open.pop() else { return false };
                let is_right = matches!(
                    (last, piece.of(text)),
                    ("(", ")") | ("[", "]") | ("{" | "#{" | "${", "}")
                );
                if !is_right {
                    return false;
                }
            }
            // No statement ends inside of these.
            Kind::Symbol
                if piece.of(text) == ";" && open.last().is_some_and(|last| *last != "{") =>
            {
                return false;
            }
            _ => {}
        }
    }
    if !open.is_empty() {
        return true;
    }
    if gives_up(text) {
        return false;
    }
    let Err(error) = LENIENT.compile(text) else {
        return false;
    };
    if matches!(
        error.err_type(),
        ParseErrorType::BadInput(LexError::UnterminatedString)
    ) {
        return false;
    }
    if *error.err_type() == ParseErrorType::UnexpectedEOF {
        return true;
    }
    // The parser points behind the last piece where it would have gone on reading.
    let end = pieces
        .iter()
        .rev()
        .find(|piece| piece.kind != Kind::Comment);
    let at = super::source::offset(text, error.position());
    end.is_some_and(|end| at >= end.end)
}

/// Its last line is empty.
fn gives_up(text: &str) -> bool {
    text.contains('\n')
        && text
            .rsplit('\n')
            .next()
            .is_some_and(|line| line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_further_line_can_finish_is_unfinished() {
        for text in [
            "if x {",
            "fn f(a) {\n    a + 1",
            "print((1 + 2",
            "[1, 2,",
            "#{a: 1,",
            "let x = #{\n  a: [1,\n",
            "let s = `one",
            "let s = `one ${two(",
            "let s = \"one",
            "/* a comment",
            "1 +",
            "let x =",
            "x.",
            "a &&",
            "parallel(rows, 8, |r|",
            "if x",
            "try { f() }",
            "f(1, // here",
        ] {
            assert!(is_unfinished(text), "{text}");
        }
    }

    #[test]
    fn what_is_finished_or_wrong_is_not_waited_for() {
        for text in [
            "",
            "1",
            "let x = 1",
            "let x = 1;",
            "if x { 1 }",
            "fn f(a) { a }",
            "foo(1));",
            "foo(1]",
            "print((1 + 2); let x = 3;",
            "users::list()",
            "let = 5",
            "let s = \"one\n",
            "1 +\n",
            "x // a comment",
            "/* a */ x",
            "`a ${b} c`",
            "foo bar",
        ] {
            assert!(!is_unfinished(text), "{text}");
        }
    }
}
