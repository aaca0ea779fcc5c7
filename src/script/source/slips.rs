//! What word processors and chat programs do to a script, and a comment that is never closed: found before the engine sees them.
//!
//! The engine calls a typographic quote an unexpected symbol, and compiles `/* open` silently, with everything behind it left out.

use super::pieces::{Kind, pieces};

/// One mistake: the byte offset in the text as it was, and what to say.
#[derive(Debug)]
pub(crate) struct Slip {
    pub(crate) at: usize,
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

/// So many are told; a document out of a word processor has hundreds.
const MOST: usize = 20;

/// Finds them, and gives the text as it was probably meant: with as many characters in each line as before.
pub(crate) fn mend(text: &str) -> (String, Vec<Slip>) {
    let mut mended = text.to_owned();
    let mut slips = Vec::new();
    while let Some(piece) = pieces(&mended).into_iter().find(|piece| match piece.kind {
        Kind::Strange => meaning(letter(&mended, piece.start)).is_some(),
        Kind::OpenComment => true,
        _ => false,
    }) {
        // Replaced characters are one byte long; offsets are those of the text as it was.
        let at = original(text, &mended, piece.start);
        if piece.kind == Kind::OpenComment {
            slips.push(Slip {
                at,
                message: "the comment that begins here is never closed".to_owned(),
                hint: "close it by `*/`; everything behind it was silently ignored",
            });
            mended.truncate(piece.start);
            break;
        }
        let strange = letter(&mended, piece.start);
        let (message, hint) = told(strange);
        slips.push(Slip { at, message, hint });
        if slips.len() == MOST {
            mended = mended
                .chars()
                .map(|letter| meaning(letter).unwrap_or(letter))
                .collect();
            break;
        }
        let line_end = mended[piece.start..]
            .find('\n')
            .map_or(mended.len(), |end| piece.start + end);
        let partner = is_quote(strange).then(|| {
            mended[piece.end..line_end]
                .char_indices()
                .find(|(_, letter)| *letter == '"' || is_pair(strange, *letter))
                .filter(|(_, letter)| *letter != '"')
                .map(|(offset, letter)| (piece.end + offset, letter))
        });
        // The one behind first, so that the offset of the one before stays.
        if let Some((at, other)) = partner.flatten() {
            mended.replace_range(at..at + other.len_utf8(), "\"");
        }
        let plain = meaning(strange).unwrap_or(' ');
        mended.replace_range(piece.start..piece.end, plain.encode_utf8(&mut [0; 4]));
    }
    (mended, slips)
}

fn letter(text: &str, at: usize) -> char {
    text[at..].chars().next().unwrap_or_default()
}

/// Where a place of the mended text is in the text as it was: both have the same characters, of different lengths.
fn original(text: &str, mended: &str, at: usize) -> usize {
    let before = mended[..at].chars().count();
    text.char_indices()
        .nth(before)
        .map_or(text.len(), |(offset, _)| offset)
}

fn is_quote(letter: char) -> bool {
    meaning(letter) == Some('"')
}

/// May the one open what the other closes?
fn is_pair(one: char, other: char) -> bool {
    let is_single = |letter: char| "‘’‚‛′".contains(letter);
    is_quote(other) && is_single(one) == is_single(other)
}

/// What its author has typed.
fn meaning(letter: char) -> Option<char> {
    match letter {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '‘' | '’' | '‚' | '‛' | '′' => {
            Some('"')
        }
        '–' | '—' | '−' => Some('-'),
        '\u{a0}' | '\u{200b}' | '\u{feff}' | '\u{202f}' | '\u{2007}' => Some(' '),
        _ => None,
    }
}

fn told(letter: char) -> (String, &'static str) {
    match letter {
        '‘' | '’' | '‚' | '‛' | '′' => (
            format!("`{letter}` is a typographic quote"),
            "write `\"` round a text; word processors and chat programs change it",
        ),
        _ if is_quote(letter) => (
            format!("`{letter}` is a typographic quote"),
            "write `\"`; word processors and chat programs change it",
        ),
        '–' | '—' | '−' => (format!("`{letter}` is a dash, not a minus"), "write `-`"),
        _ => (
            format!(
                "there is an invisible character (U+{:04X}) here",
                u32::from(letter)
            ),
            "replace it by a plain space",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> (String, Vec<usize>) {
        let (mended, slips) = mend(text);
        (mended, slips.iter().map(|slip| slip.at).collect())
    }

    #[test]
    fn a_pair_of_quotes_is_one_slip_and_its_inside_is_left_alone() {
        assert_eq!(
            mended("print(“it’s – ok”); x – 1\nprint(“b”)"),
            (
                "print(\"it’s – ok\"); x - 1\nprint(\"b\")".to_owned(),
                vec![6, 30, 42]
            )
        );
    }

    #[test]
    fn texts_and_comments_may_hold_anything() {
        let text = "// “a”\nprint(\"“a” – ‘b’\"); `${\"–\"} „x“`; /* – */";
        assert_eq!(mended(text), (text.to_owned(), vec![]));
    }

    #[test]
    fn an_open_comment_ends_the_text() {
        assert_eq!(mended("ü(); /* /* */ x"), ("ü(); ".to_owned(), vec![6]));
    }

    #[test]
    fn a_whole_document_is_mended_but_not_told_line_by_line() {
        let (mended, slips) = mend(&"print(“x”);\n".repeat(5_000));
        assert_eq!(slips.len(), MOST);
        assert!(mended.is_ascii());
    }
}
