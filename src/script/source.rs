//! From the bytes of a file to the text of a script, and from the parser's complaints to ours. Lines keep their numbers.

mod brackets;
mod habits;
mod parse;
mod pieces;
mod recover;
mod slips;
mod syntax;

use rhai::{ParseError, Position};

pub(crate) use parse::{offset, parse};
pub(crate) use pieces::{Kind, Piece, pieces};
pub(crate) use recover::Lost;
pub(crate) use syntax::{no_namespace, syntax, undefined};

use crate::error::{Exit, Fault, Place};

/// The largest script: a megabyte is a data file that lost its way.
pub(crate) const LARGEST: usize = 1 << 20;

/// The engine counts lines and columns up to here, and no further.
const LAST: usize = u16::MAX as usize;

/// No script is nested as deeply as this; and to find which bracket is the lone one takes as long as they are many.
const DEEPEST: usize = 5_000;

/// How many brackets are open at most, those in texts and comments counted too.
fn nesting(text: &str) -> usize {
    let mut open = 0_usize;
    let mut most = 0;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                open += 1;
                most = most.max(open);
            }
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// The text of one script or imported file, under the name that stands in messages.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Text {
    /// Decodes a file: UTF-8 with or without mark, any line ends, a `#!` line.
    ///
    /// # Errors
    /// Where it is too large, of another encoding, or no text.
    pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        let fault =
            |message: &str| Fault::new(Exit::Unstarted, "BadScript", format!("`{name}` {message}"));
        if bytes.len() > LARGEST {
            return Err(vec![fault("is larger than 1 MiB").hint(
                "keep data in a file of its own and read it by `csv::read` or `json::read`",
            )]);
        }
        let utf16 = bytes.starts_with(&[0xff, 0xfe])
            || bytes.starts_with(&[0xfe, 0xff])
            || looks_like_utf16(bytes);
        if utf16 {
            return Err(vec![fault("is UTF-16").hint(
                "save it as UTF-8 (PowerShell: `Set-Content -Encoding utf8`)",
            )]);
        }
        let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()]
                .split(|byte| *byte == b'\n')
                .count();
            vec![fault(&format!("is no UTF-8 text (line {line})")).hint("save it as UTF-8")]
        })?;
        if text.contains('\0') {
            return Err(vec![fault("is no text")]);
        }
        if nesting(text) > DEEPEST {
            return Err(vec![fault(&format!(
                "is nested too deeply: more than {DEEPEST} brackets stand open"
            ))]);
        }
        let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
        if text.starts_with("#!") {
            // A comment of the same length: columns stay. `///` and `//!` would be comments with a meaning.
            let end = if matches!(text.as_bytes().get(2), Some(b'/' | b'!')) {
                3
            } else {
                2
            };
            text.replace_range(..end, &"// "[..end]);
        }
        if text.trim().is_empty() {
            return Err(vec![fault("is empty")]);
        }
        Ok(Self {
            name: name.to_owned(),
            text,
        })
    }

    /// A line or a block typed at the prompt: no file to complain about.
    ///
    /// # Errors
    /// What cannot be what its author meant: an open comment, typographic quotes.
    pub(crate) fn typed(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let text = Self {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let slips = text.slips().1;
        if slips.is_empty() {
            Ok(text)
        } else {
            Err(slips)
        }
    }

    /// The text as it was probably meant, and what had to be mended for it.
    fn slips(&self) -> (String, Vec<Fault>) {
        let (mended, slips) = slips::mend(&self.text);
        let fault = |slip: slips::Slip| {
            Fault::new(Exit::Unstarted, "SyntaxError", slip.message)
                .at(self.place_of(&self.text, slip.at))
                .hint(slip.hint)
        };
        (mended, slips.into_iter().map(fault).collect())
    }

    pub(crate) fn place(&self, position: Position) -> Option<Place> {
        let (line, column) = (position.line()?, position.position().unwrap_or(1));
        let mut place = self.place_at(line, column);
        if line >= LAST || column >= LAST {
            // Somewhere behind: a caret would point at the wrong thing.
            place.text = None;
        }
        Some(place)
    }

    /// The place of a byte offset in `text`, which has the same characters in each line as this one.
    fn place_of(&self, text: &str, at: usize) -> Place {
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default();
        self.place_at(line, column.chars().count() + 1)
    }

    pub(crate) fn place_at(&self, line: usize, column: usize) -> Place {
        Place {
            file: self.name.clone(),
            line,
            column,
            text: self.text.lines().nth(line - 1).map(str::to_owned),
        }
    }

    /// What somebody used to another language has written at this place, where the text shows it.
    pub(crate) fn habit(
        &self,
        pieces: &[Piece],
        position: Position,
    ) -> Option<(Position, super::failure::Failure)> {
        let around = syntax::Around::new(&self.text, pieces, parse::offset(&self.text, position));
        let complaint = habits::at(&around)?;
        let place = self.place_of(&self.text, complaint.at);
        let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        Some((
            Position::new(narrow(place.line), narrow(place.column)),
            complaint.failure,
        ))
    }

    /// The parser's complaint in our words.
    pub(crate) fn syntax_fault(&self, error: &ParseError) -> Fault {
        parse::fault(self, &self.text, error)
    }
}

/// Every second byte zero: UTF-16 without its mark.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(64)];
    let zeros = |from: usize| {
        start
            .iter()
            .skip(from)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    start.len() >= 4 && (zeros(0) * 2 >= start.len() - 2 || zeros(1) * 2 >= start.len() - 2)
}
