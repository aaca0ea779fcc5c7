//! From the bytes of a file to the text of a script, and from the parser's complaints to ours. Lines keep their numbers.

use rhai::{LexError, ParseError, ParseErrorType, Position};

use super::failure::Failure;
use super::library::shelves;
use super::words;
use crate::error::{Exit, Fault, Place};

/// The largest script: a megabyte is a data file that lost its way.
const LARGEST: usize = 1 << 20;

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
    /// Where it is too large, of another encoding, no text, or cannot be what its author meant: an open comment, typographic quotes.
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
        let text = Self {
            name: name.to_owned(),
            text,
        };
        text.scan()?;
        Ok(text)
    }

    /// A line or a block typed at the prompt: no file to complain about.
    pub(crate) fn typed(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let text = Self {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        text.scan()?;
        Ok(text)
    }

    /// Finds what the parser lets pass or explains badly.
    fn scan(&self) -> Result<(), Vec<Fault>> {
        let Err((at, message, hint)) = scan(&self.text) else {
            return Ok(());
        };
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        Err(vec![
            Fault::new(Exit::Unstarted, "SyntaxError", message)
                .at(self.place_at(line, column))
                .hint(hint),
        ])
    }

    pub(crate) fn place(&self, position: Position) -> Option<Place> {
        Some(self.place_at(position.line()?, position.position().unwrap_or(1)))
    }

    fn place_at(&self, line: usize, column: usize) -> Place {
        Place {
            file: self.name.clone(),
            line,
            column,
            text: self.text.lines().nth(line - 1).map(str::to_owned),
        }
    }

    /// The parser's complaint in our words.
    pub(crate) fn syntax_fault(&self, error: &ParseError) -> Fault {
        let fault = syntax(error.err_type()).fault();
        match self.place(error.position()).or_else(|| self.end()) {
            Some(place) => fault.at(place),
            None => fault,
        }
    }

    fn end(&self) -> Option<Place> {
        let text = self.text.trim_end();
        let line = text.matches('\n').count() + 1;
        let column = text.rsplit('\n').next()?.chars().count() + 1;
        Some(self.place_at(line, column))
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

/// Byte offset, message, hint.
type Slip = (usize, String, &'static str);

/// Walks over code, comments and texts. Rhai compiles `/* open` silently, and calls a typographic quote an unexpected symbol.
fn scan(text: &str) -> Result<(), Slip> {
    let bytes = text.as_bytes();
    // What `${` of a template has opened: for each the depth of `{` inside it.
    let mut templates: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = text[at..].find('\n').map_or(bytes.len(), |end| at + end);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = comment(bytes, at)?,
            b'"' => at = quoted(bytes, at, b'"'),
            b'\'' => at = quoted(bytes, at, b'\''),
            b'#' => at = raw_text(bytes, at),
            b'`' => at = template(bytes, at + 1, &mut templates),
            b'{' => {
                if let Some(depth) = templates.last_mut() {
                    *depth += 1;
                }
                at += 1;
            }
            b'}' => {
                at += 1;
                match templates.last_mut() {
                    Some(0) => {
                        templates.pop();
                        at = template(bytes, at, &mut templates);
                    }
                    Some(depth) => *depth -= 1,
                    None => {}
                }
            }
            byte if byte < 0x80 => at += 1,
            _ => {
                let letter = text[at..].chars().next().unwrap_or_default();
                strange(letter, at)?;
                at += letter.len_utf8();
            }
        }
    }
    Ok(())
}

fn strange(letter: char, at: usize) -> Result<(), Slip> {
    match letter {
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => Err((
            at,
            format!("`{letter}` is a typographic quote"),
            "write `\"`; word processors and chat programs change it",
        )),
        '‘' | '’' | '‚' | '‛' | '′' => Err((
            at,
            format!("`{letter}` is a typographic quote"),
            "write `\"` round a text; word processors and chat programs change it",
        )),
        '–' | '—' | '−' => Err((
            at,
            format!("`{letter}` is a dash, not a minus"),
            "write `-`",
        )),
        '\u{a0}' | '\u{200b}' | '\u{feff}' | '\u{202f}' | '\u{2007}' => Err((
            at,
            format!(
                "there is an invisible character (U+{:04X}) here",
                u32::from(letter)
            ),
            "replace it by a plain space",
        )),
        _ => Ok(()),
    }
}

/// The end of a block comment; they nest.
fn comment(bytes: &[u8], start: usize) -> Result<usize, Slip> {
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
                    return Ok(at);
                }
            }
            _ => at += 1,
        }
    }
    Err((
        start,
        "the comment that begins here is never closed".to_owned(),
        "close it by `*/`; everything behind it was silently ignored",
    ))
}

/// The end of a text or character; an open one is the parser's to complain about.
fn quoted(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\n' if quote == b'\'' => return at,
            // A text goes on over the end of a line only behind a `\`, which was skipped together with it.
            b'\n' => return at,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The end of `#"…"#`, with any number of `#`; the end of the `#`s where no text begins behind them.
fn raw_text(bytes: &[u8], start: usize) -> usize {
    let hashes = bytes[start..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    if bytes.get(start + hashes) != Some(&b'"') {
        return start + hashes;
    }
    let end: Vec<u8> = std::iter::once(b'"')
        .chain(std::iter::repeat_n(b'#', hashes))
        .collect();
    let from = start + hashes + 1;
    let found = bytes[from..]
        .windows(end.len())
        .position(|window| window == end.as_slice());
    found.map_or(bytes.len(), |found| from + found + end.len())
}

/// Goes on in a template text up to its end or its next `${`.
fn template(bytes: &[u8], from: usize, open: &mut Vec<usize>) -> usize {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'`' if bytes.get(at + 1) == Some(&b'`') => at += 2,
            b'`' => return at + 1,
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                open.push(0);
                return at + 2;
            }
            _ => at += 1,
        }
    }
    at
}

/// The parser's complaint in our words, without a place.
pub(crate) fn syntax(kind: &ParseErrorType) -> Failure {
    use ParseErrorType as P;
    let new = |message: String| Failure::new("SyntaxError", message);
    match kind {
        P::UnexpectedEOF => new("the script ends in the middle of something".to_owned())
            .hint("is a bracket left open?"),
        P::BadInput(LexError::UnterminatedString) => {
            new("the text that begins here is never closed".to_owned()).hint("close it by `\"`")
        }
        P::BadInput(LexError::UnexpectedInput(text)) => {
            new(format!("`{text}` is not expected here"))
        }
        P::BadInput(LexError::ImproperSymbol(symbol, _)) if symbol == "eval" => off(),
        P::BadInput(LexError::ImproperSymbol(symbol, text)) if text.is_empty() => {
            new(format!("`{symbol}` is no symbol of the language"))
        }
        P::BadInput(error) => new(lower(&error.to_string())),
        P::MissingToken(token, why) => new(format!("`{token}` is missing {why}")),
        P::UnknownOperator(operator) => new(format!("`{operator}` is no operator")),
        P::VariableUndefined(name) => undefined(name),
        P::ModuleUndefined(name) => {
            let failure = Failure::new("NoSuchModule", format!("there is no namespace `{name}`"));
            match words::nearest(name, shelves().namespaces.keys().copied()) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("an imported file needs its line: `import \"name\" as name;`"),
            }
        }
        P::Reserved(name) if name == "eval" => off(),
        P::Reserved(name) => {
            new(format!("`{name}` is a reserved word")).hint("choose another name")
        }
        P::AssignmentToConstant(name) if name == "args" => {
            new("`args` cannot be assigned to".to_owned())
                .hint("keep the value in a variable of its own: `let x = args.…;`")
        }
        P::AssignmentToConstant(name) => {
            new(format!("`{name}` is a constant and cannot be assigned to"))
        }
        P::AssignmentToInvalidLHS(_) => {
            new("there is nothing here that could be assigned to".to_owned())
                .hint("to compare, write `==`")
        }
        P::ExprTooDeep => new("the expression is nested too deeply".to_owned()),
        P::FnDuplicatedDefinition(name, _) => {
            new(format!("the function `{name}` is written twice"))
        }
        P::LoopBreak => new("`break` and `continue` belong inside a loop".to_owned()),
        other => new(lower(&other.to_string())),
    }
}

fn off() -> Failure {
    Failure::new("SwitchedOff", "`eval` is switched off")
        .hint("what a script does must be known before it runs")
}

/// A name that is no variable.
pub(crate) fn undefined(name: &str) -> Failure {
    let failure = Failure::new("NoSuchVariable", format!("there is no variable `{name}`"));
    if shelves().is_namespace(name) {
        return failure.hint(format!(
            "`{name}` is a namespace: its functions are called as `{name}::…()`"
        ));
    }
    if name == "null" || name == "nil" || name == "None" || name == "undefined" {
        return failure.hint("the absent value is `()`");
    }
    if name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false") {
        return failure.hint(format!("write `{}`", name.to_lowercase()));
    }
    match words::nearest(name, ["args"]) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("a variable begins with `let {name} = …;`; functions do not see those outside of them, hand the value over")),
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}
