//! The text of a script in pieces: words, brackets, texts, comments. Coarser than the engine's own tokens, and it never fails:
//! what finds the place of a mistake cannot ask for a text without one.

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name, a keyword or the digits of a number.
    Word,
    /// `(`, `[`, `{`, `#{`, and `${` inside of a template.
    Open,
    Close,
    /// Any other ASCII character.
    Symbol,
    /// `"…"`, `'…'`, `#"…"#`, or a stretch of a template up to its end or its next `${`.
    Text,
    Comment,
    /// A text that never ends; a `"…"` ends at the end of its line.
    OpenText,
    OpenComment,
    /// A character beyond ASCII, outside of texts and comments.
    Strange,
}

/// Byte offsets of a piece, and what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: Kind,
}

impl Piece {
    pub(crate) fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }
}

/// All pieces of a text, spaces left out.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    // What `${` of a template has opened: for each the depth of `{` inside it.
    let mut templates: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let (kind, end) = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                let end = text[at..].find('\n').map_or(bytes.len(), |end| at + end);
                (Kind::Comment, end)
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => comment(bytes, at),
            quote @ (b'"' | b'\'') => quoted(bytes, at, quote),
            b'#' if bytes.get(at + 1) == Some(&b'{') => (Kind::Open, at + 2),
            b'#' => raw_text(bytes, at),
            b'`' => template(bytes, at + 1),
            b'(' | b'[' | b'{' => (Kind::Open, at + 1),
            b')' | b']' | b'}' => (Kind::Close, at + 1),
            byte if is_word(byte) => {
                let length = bytes[at..].iter().take_while(|byte| is_word(**byte));
                (Kind::Word, at + length.count())
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            byte if byte < 0x80 => (Kind::Symbol, at + 1),
            _ => {
                let letter = text[at..].chars().next().unwrap_or_default();
                (Kind::Strange, at + letter.len_utf8())
            }
        };
        found.push(Piece { start, end, kind });
        at = end;
        let braces = bytes[start] == b'{' || (kind == Kind::Open && bytes[start] == b'#');
        if kind == Kind::Text && text[..end].ends_with("${") {
            split(&mut found);
            templates.push(0);
        } else if let Some(depth) = templates.last_mut() {
            if braces {
                *depth += 1;
            } else if bytes[start] == b'}' && *depth > 0 {
                *depth -= 1;
            } else if bytes[start] == b'}' {
                templates.pop();
                let (kind, end) = template(bytes, at);
                found.push(Piece {
                    start: at,
                    end,
                    kind,
                });
                at = end;
                if kind == Kind::Text && text[..end].ends_with("${") {
                    split(&mut found);
                    templates.push(0);
                }
            }
        }
    }
    found
}

/// Makes the `${` at the end of a template's stretch a piece of its own.
fn split(found: &mut Vec<Piece>) {
    let Some(text) = found.last_mut() else { return };
    let end = text.end;
    text.end -= 2;
    found.push(Piece {
        start: end - 2,
        end,
        kind: Kind::Open,
    });
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The end of a block comment; they nest.
fn comment(bytes: &[u8], start: usize) -> (Kind, usize) {
    let mut depth = 0_usize;
    let mut at = start;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return (Kind::Comment, at);
                }
            }
            _ => at += 1,
        }
    }
    (Kind::OpenComment, bytes.len())
}

/// The end of a text or character. It goes on over the end of a line only behind a `\`.
fn quoted(bytes: &[u8], start: usize, quote: u8) -> (Kind, usize) {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\n' => return (Kind::OpenText, at),
            byte if byte == quote => return (Kind::Text, at + 1),
            _ => at += 1,
        }
    }
    (Kind::OpenText, bytes.len())
}

/// `#"…"#`, with any number of `#`; only the `#`s where no text begins behind them.
fn raw_text(bytes: &[u8], start: usize) -> (Kind, usize) {
    let hashes = bytes[start..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    match bytes.get(start + hashes) {
        Some(b'"') => {}
        // The last of them opens a map.
        Some(b'{') if hashes > 1 => return (Kind::Symbol, start + hashes - 1),
        _ => return (Kind::Symbol, start + hashes),
    }
    let end: Vec<u8> = std::iter::once(b'"')
        .chain(std::iter::repeat_n(b'#', hashes))
        .collect();
    let from = start + hashes + 1;
    let found = bytes[from..]
        .windows(end.len())
        .position(|window| window == end.as_slice());
    match found {
        Some(found) => (Kind::Text, from + found + end.len()),
        None => (Kind::OpenText, bytes.len()),
    }
}

/// Goes on in a template up to its end, or up to and with its next `${`.
fn template(bytes: &[u8], from: usize) -> (Kind, usize) {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'`' if bytes.get(at + 1) == Some(&b'`') => at += 2,
            b'`' => return (Kind::Text, at + 1),
            b'$' if bytes.get(at + 1) == Some(&b'{') => return (Kind::Text, at + 2),
            _ => at += 1,
        }
    }
    (Kind::OpenText, bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let show = |piece: &Piece| {
            let mark = match piece.kind {
                Kind::Word => 'w',
                Kind::Open => 'o',
                Kind::Close => 'c',
                Kind::Symbol => 's',
                Kind::Text => 't',
                Kind::Comment => '-',
                Kind::OpenText => 'T',
                Kind::OpenComment => 'C',
                Kind::Strange => '?',
            };
            format!("{mark}:{}", piece.of(text))
        };
        let all: Vec<_> = pieces(text).iter().map(show).collect();
        all.join(" ")
    }

    #[test]
    fn a_text_falls_into_pieces() {
        for (text, wanted) in [
            ("let x = #{a: 1};", "w:let w:x s:= o:#{ w:a s:: w:1 c:} s:;"),
            (
                "`a ${b + `${c}`} d`",
                "t:`a  o:${ w:b s:+ t:` o:${ w:c c:} t:` c:} t: d`",
            ),
            (
                "`${#{a: 1}.a}${2}`",
                "t:` o:${ o:#{ w:a s:: w:1 c:} s:. w:a c:} t: o:${ w:2 c:} t:`",
            ),
            ("`a ``b`` c` 1", "t:`a ``b`` c` w:1"),
            (
                "\"a\\\"b\" 'x' #\"a\"b\"#",
                "t:\"a\\\"b\" t:'x' t:#\"a\"b\"#",
            ),
            ("##\"a\"#b\"## 1", "t:##\"a\"#b\"## w:1"),
            ("\"open\nx", "T:\"open w:x"),
            ("`open\nx", "T:`open\nx"),
            (
                "a /* b /* c */ d */ e // f\ng",
                "w:a -:/* b /* c */ d */ w:e -:// f w:g",
            ),
            ("a /* b", "w:a C:/* b"),
            ("ä", "?:ä"),
            ("\\", "s:\\"),
            ("'a", "T:'a"),
            ("}", "c:}"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }

    #[test]
    fn any_text_has_pieces_in_order_inside_of_it() {
        let texts = [
            "`${`${\"",
            "`\\",
            "\"\\",
            "#\"\"",
            "`${}}}`{${`",
            "é`ü${ö}`ß\"€",
            "/*/",
            "//",
            "'\\''",
        ];
        for text in texts {
            let mut last = 0;
            for piece in pieces(text) {
                assert!(last <= piece.start && piece.start <= piece.end, "{text}");
                let _ = piece.of(text);
                last = piece.end;
            }
            assert!(last <= text.len(), "{text}");
        }
    }
}
