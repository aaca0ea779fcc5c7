//! Where the cursor stands: in a text, behind a dot or two colons, at a key of an option map, at a word of its own.

use crate::script::source::{Kind, Piece};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'t> {
    /// Inside quotes: what stands before them, and what was typed behind them.
    Text {
        before: &'t str,
        inside: &'t str,
        start: usize,
    },
    /// `space::pre`
    Behind {
        space: &'t str,
        prefix: &'t str,
        start: usize,
    },
    /// `receiver.pre`
    Dot {
        receiver: &'t str,
        prefix: &'t str,
        start: usize,
    },
    /// `function(…, #{ pre`
    Key {
        function: String,
        is_method: bool,
        prefix: &'t str,
        start: usize,
    },
    Word {
        prefix: &'t str,
        start: usize,
    },
    /// In a comment, a template, a number.
    Nothing,
}

impl<'t> Place<'t> {
    /// Of the end of the text.
    pub(super) fn of(text: &'t str, pieces: &[Piece]) -> Self {
        let last = pieces.last();
        match last.map(|piece| piece.kind) {
            Some(Kind::OpenComment) => return Self::Nothing,
            // A comment up to the end of the line: the cursor is in it.
            Some(Kind::Comment) if last.is_some_and(|piece| piece.end == text.len()) => {
                return Self::Nothing;
            }
            Some(Kind::OpenText) => {
                let piece = pieces[pieces.len() - 1];
                if !text[piece.start..].starts_with('"') {
                    return Self::Nothing;
                }
                let start = piece.start + 1;
                return Self::Text {
                    before: &text[..piece.start],
                    inside: &text[start..],
                    start,
                };
            }
            _ => {}
        }
        let (word, count) = match last {
            Some(piece) if piece.kind == Kind::Word && piece.end == text.len() => {
                (piece.start, pieces.len() - 1)
            }
            _ => (text.len(), pieces.len()),
        };
        let prefix = &text[word..];
        if prefix.starts_with(|letter: char| letter.is_ascii_digit()) {
            return Self::Nothing;
        }
        let before = &pieces[..count];
        let symbol = |back: usize| {
            before
                .len()
                .checked_sub(back)
                .map(|index| before[index].of(text))
        };
        if symbol(1) == Some(":") && symbol(2) == Some(":") {
            let space = before.len().checked_sub(3).map(|index| before[index]);
            return match space {
                Some(piece) if piece.kind == Kind::Word => Self::Behind {
                    space: piece.of(text),
                    prefix,
                    start: word,
                },
                _ => Self::Nothing,
            };
        }
        if symbol(1) == Some(".") {
            // `?.` asks the same.
            let dots = if symbol(2) == Some("?") { 2 } else { 1 };
            let end = before.len() - dots;
            let begin = super::receiver::begin(text, &before[..end]);
            let receiver = before[begin..end]
                .first()
                .map_or("", |first| &text[first.start..before[end - 1].end]);
            return Self::Dot {
                receiver,
                prefix,
                start: word,
            };
        }
        if let Some((function, is_method)) = option_map(text, before) {
            return Self::Key {
                function,
                is_method,
                prefix,
                start: word,
            };
        }
        Self::Word {
            prefix,
            start: word,
        }
    }

    /// Where what is completed begins, and what there is of it.
    pub(super) fn prefix(&self) -> (usize, &'t str) {
        match self {
            Self::Text { inside, start, .. } => (*start, inside),
            Self::Behind { prefix, start, .. }
            | Self::Dot { prefix, start, .. }
            | Self::Key { prefix, start, .. }
            | Self::Word { prefix, start } => (*start, prefix),
            Self::Nothing => (0, ""),
        }
    }
}

/// The bracket that is open at the end, and the pieces before it.
fn innermost(pieces: &[Piece]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, piece) in pieces.iter().enumerate().rev() {
        match piece.kind {
            Kind::Close => depth += 1,
            Kind::Open if depth == 0 => return Some(index),
            Kind::Open => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The function whose option map is open here, where a key is to come next.
fn option_map(text: &str, before: &[Piece]) -> Option<(String, bool)> {
    let map = innermost(before)?;
    if before[map].of(text) != "#{" {
        return None;
    }
    // Behind `#{` or a comma a key comes, behind `key:` a value.
    let last = before.last()?;
    if last.end != before[map].end && last.of(text) != "," {
        return None;
    }
    let (function, is_method, _) = call_of(text, &before[..map])?;
    Some((function, is_method))
}

/// The call whose brackets are open at the end: its name, whether it is a method, and where its receiver ends.
fn call_of(text: &str, before: &[Piece]) -> Option<(String, bool, usize)> {
    let open = innermost(before)?;
    if before[open].of(text) != "(" || open == 0 {
        return None;
    }
    let name = before[open - 1];
    if name.kind != Kind::Word || name.end != before[open].start {
        return None;
    }
    let at = |back: usize| open.checked_sub(back).map(|index| before[index]);
    let is = |back: usize, symbol: &str| at(back).is_some_and(|piece| piece.of(text) == symbol);
    if is(2, ".") {
        return Some((name.of(text).to_owned(), true, open - 2));
    }
    if is(2, ":")
        && is(3, ":")
        && let Some(space) = at(4)
    {
        return Some((format!("{}::{}", space.of(text), name.of(text)), false, 0));
    }
    Some((name.of(text).to_owned(), false, 0))
}

/// The call that is open at the end of the text: its name, and what it is called on.
pub(in crate::repl) fn call_at<'t>(
    text: &'t str,
    pieces: &[Piece],
) -> Option<(String, Option<&'t str>)> {
    let (name, is_method, end) = call_of(text, pieces)?;
    if !is_method {
        return Some((name, None));
    }
    let end = if end > 0 && pieces[end - 1].of(text) == "?" {
        end - 1
    } else {
        end
    };
    let begin = super::receiver::begin(text, &pieces[..end]);
    let first = pieces[begin..end].first()?;
    Some((name, Some(&text[first.start..pieces[end - 1].end])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::source::pieces;

    fn place(text: &str) -> String {
        let pieces = pieces(text);
        match Place::of(text, &pieces) {
            Place::Text { before, inside, .. } => format!("text {before:?} {inside:?}"),
            Place::Behind { space, prefix, .. } => format!("{space}::{prefix}"),
            Place::Dot {
                receiver, prefix, ..
            } => format!("({receiver}).{prefix}"),
            Place::Key {
                function, prefix, ..
            } => format!("key {function} {prefix:?}"),
            Place::Word { prefix, .. } => format!("word {prefix:?}"),
            Place::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn the_place_of_the_cursor_is_known() {
        for (text, wanted) in [
            ("exch", "word \"exch\""),
            ("let x = exch", "word \"exch\""),
            ("exchange::", "exchange::"),
            ("exchange::uni", "exchange::uni"),
            ("session.", "(session)."),
            ("let y = session.ac", "(session).ac"),
            ("f(session.wait().st", "(session.wait()).st"),
            ("rows[0].po", "(rows[0]).po"),
            ("exchange::units().co", "(exchange::units()).co"),
            ("a + b.c?.d", "(b.c).d"),
            ("\"abc\".le", "(\"abc\").le"),
            ("[1, 2].le", "([1, 2]).le"),
            ("csv::read(\"da", "text \"csv::read(\" \"da\""),
            ("m[\"k", "text \"m[\" \"k\""),
            ("exchange::points(u, #{", "key exchange::points \"\""),
            (
                "exchange::points(u, #{limit: 5, be",
                "key exchange::points \"be\"",
            ),
            ("exchange::points(u, #{limit: be", "word \"be\""),
            ("let m = #{a", "word \"a\""),
            ("// exch", "nothing"),
            ("12", "nothing"),
            ("1 + ", "word \"\""),
        ] {
            assert_eq!(place(text), wanted, "{text}");
        }
    }

    #[test]
    fn the_open_call_is_found() {
        let call = |text: &str| {
            let pieces = pieces(text);
            call_at(text, &pieces).map(|(name, on)| (name, on.map(str::to_owned)))
        };
        let some = |name: &str, on: Option<&str>| Some((name.to_owned(), on.map(str::to_owned)));
        assert_eq!(call("exchange::units("), some("exchange::units", None));
        assert_eq!(call("table(rows, "), some("table", None));
        assert_eq!(call("a.b.wait("), some("wait", Some("a.b")));
        assert_eq!(call("f(g(1), "), some("f", None));
        assert_eq!(call("f(1)"), None);
        assert_eq!(call("(1"), None);
    }
}
