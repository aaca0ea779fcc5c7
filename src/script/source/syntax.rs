//! The parser's complaints in our words.

use rhai::{LexError, ParseErrorType};

use super::habits;
use super::pieces::{Kind, Piece};
use crate::script::failure::Failure;
use crate::script::library::shelves;
use crate::script::words;

/// What is wrong, and where: a byte offset.
pub(crate) struct Complaint {
    pub(crate) at: usize,
    pub(crate) failure: Failure,
    /// A `;` at this place, the end of a line, is all that is missing.
    pub(crate) wants_end: bool,
}

/// The text round a place, to see what its author was about to write.
pub(crate) struct Around<'t> {
    pub(crate) text: &'t str,
    pieces: Vec<Piece>,
    /// The piece at the place, or the first behind it.
    here: usize,
}

impl<'t> Around<'t> {
    pub(crate) fn new(text: &'t str, all: &[Piece], at: usize) -> Self {
        // No habit is longer than a few lines.
        const NEAR: usize = 200;
        let middle = all.partition_point(|piece| piece.end <= at);
        let near = &all[middle.saturating_sub(NEAR)..all.len().min(middle + NEAR)];
        let pieces: Vec<_> = near
            .iter()
            .copied()
            .filter(|piece| piece.kind != Kind::Comment)
            .collect();
        let here = pieces.partition_point(|piece| piece.end <= at);
        Self { text, pieces, here }
    }

    /// The piece so many behind the place (or before it), where there is one.
    pub(crate) fn piece(&self, offset: isize) -> Option<Piece> {
        let index = self.here.checked_add_signed(offset)?;
        self.pieces.get(index).copied()
    }

    pub(crate) fn word(&self, offset: isize) -> &'t str {
        self.piece(offset).map_or("", |piece| piece.of(self.text))
    }

    pub(crate) fn kind(&self, offset: isize) -> Option<Kind> {
        self.piece(offset).map(|piece| piece.kind)
    }

    /// Do the pieces with these offsets stand together without a space?
    pub(crate) fn touch(&self, offset: isize, next: isize) -> bool {
        match (self.piece(offset), self.piece(next)) {
            (Some(one), Some(other)) => one.end == other.start,
            _ => false,
        }
    }

    /// The offset of the piece that the line of the place begins with.
    pub(crate) fn line(&self) -> isize {
        let at = self.piece(0).map_or(self.text.len(), |piece| piece.start);
        let line = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let first = self.pieces.partition_point(|piece| piece.start < line);
        isize::try_from(first).unwrap_or_default() - isize::try_from(self.here).unwrap_or_default()
    }

    /// Does a line end between the piece before and the place?
    fn is_below(&self) -> bool {
        let before = self.piece(-1).map_or(0, |piece| piece.end);
        let here = self.piece(0).map_or(self.text.len(), |piece| piece.start);
        self.text[before..here].contains('\n')
    }
}

/// The parser's complaint about a place in this text.
pub(crate) fn complain(
    text: &str,
    pieces: &[Piece],
    kind: &ParseErrorType,
    at: usize,
) -> Complaint {
    let around = Around::new(text, pieces, at);
    if let Some(complaint) = habits::at(&around) {
        return complaint;
    }
    let mut complaint = Complaint {
        at,
        failure: syntax(kind),
        wants_end: false,
    };
    match kind {
        // The mistake is at the end of the line before, not at the beginning of this one.
        ParseErrorType::MissingToken(token, _) if token == ";" && around.is_below() => {
            complaint.at = around.piece(-1).map_or(at, |piece| piece.end);
            complaint.wants_end = true;
            complaint.failure = Failure::new("SyntaxError", "`;` is missing here")
                .hint("each statement ends in `;`; the last of a block may go without");
        }
        ParseErrorType::MissingToken(token, _) if token == ";" => {
            let shown = around.word(0);
            complaint.failure = Failure::new(
                "SyntaxError",
                format!("`{shown}` is not expected here: the statement could end before it"),
            )
            .hint("is a `;`, an operator or a bracket missing?");
        }
        ParseErrorType::BadInput(LexError::UnterminatedString) => {
            let opens = pieces
                .iter()
                .find(|piece| piece.kind == Kind::OpenText && piece.end > at);
            let quote = opens.map_or("\"", |piece| &text[piece.start..=piece.start]);
            complaint.at = opens.map_or(at, |piece| piece.start);
            complaint.failure = if opens.is_some_and(|piece| {
                text[piece.end.min(piece.start + 1)..].starts_with(['\n', '\r'])
            }) && quote == "`"
            {
                Failure::new("SyntaxError", "a backtick begins a text of several lines").hint(
                    "a statement goes on over the end of a line by itself: take the backtick away",
                )
            } else {
                unclosed_text(if quote == "`" { "`" } else { "\"" })
            };
        }
        ParseErrorType::BadInput(LexError::MalformedNumber(text)) if text.is_empty() => {
            complaint.failure = digits(around.word(0));
        }
        _ => {}
    }
    complaint
}

/// `0x` and its like, with what cannot stand behind it: the engine does not say what it read.
fn digits(word: &str) -> Failure {
    let failure = Failure::new("SyntaxError", format!("`{word}` is no number"));
    match word.get(..2).unwrap_or_default() {
        "0x" | "0X" => failure.hint("behind `0x` stand the digits 0 to 9 and a to f"),
        "0o" | "0O" => failure.hint("behind `0o` stand the digits 0 to 7"),
        "0b" | "0B" => failure.hint("behind `0b` stand the digits 0 and 1"),
        _ => failure,
    }
}

fn unclosed_text(quote: &str) -> Failure {
    let failure = Failure::new("SyntaxError", "the text that begins here is never closed");
    if quote == "`" {
        failure.hint("close it by another backtick")
    } else {
        failure.hint(
            "close it by `\"` on the same line; a text of several lines stands between backticks",
        )
    }
}

/// A bracket without its other half.
pub(crate) fn lone_bracket(bracket: &str, is_open: bool) -> Failure {
    if !is_open {
        return Failure::new("SyntaxError", format!("this `{bracket}` closes nothing"))
            .hint("take it away, or look for the bracket that should open it");
    }
    let other = match bracket {
        "(" => ")",
        "[" => "]",
        _ => "}",
    };
    Failure::new(
        "SyntaxError",
        format!("the `{bracket}` that stands here is never closed"),
    )
    .hint(format!("close it by `{other}`"))
}

/// The parser's complaint without a look at the text.
pub(crate) fn syntax(kind: &ParseErrorType) -> Failure {
    use ParseErrorType as P;
    let new = |message: String| Failure::new("SyntaxError", message);
    match kind {
        P::UnexpectedEOF => new("the script ends in the middle of something".to_owned())
            .hint("is a bracket left open?"),
        P::BadInput(error) => lexical(error),
        P::MissingToken(token, why) => missing(token, why),
        P::UnknownOperator(operator) => new(format!("`{operator}` is no operator")),
        P::VariableUndefined(name) => undefined(name),
        P::ModuleUndefined(name) => no_namespace(name),
        P::Reserved(name) if name == "eval" => off(),
        P::Reserved(name) if name.starts_with(char::is_alphabetic) => {
            new(format!("`{name}` is a reserved word and cannot stand here"))
                .hint(format!("as a name, take another one, such as `my_{name}`"))
        }
        P::Reserved(name) => new(format!("`{name}` is no symbol of the language")),
        P::AssignmentToConstant(name) if name == "args" => {
            new("`args` cannot be assigned to".to_owned())
                .hint("keep the value in a variable of its own: `let x = args.…;`")
        }
        P::AssignmentToConstant(name) => {
            new(format!("`{name}` is a constant and cannot be assigned to"))
                .hint(format!("`let {name} = …;` makes a variable"))
        }
        P::AssignmentToInvalidLHS(_) => {
            new("there is nothing here that could be assigned to".to_owned())
                .hint("to compare, write `==`")
        }
        P::MismatchedType(wanted, given) if wanted.contains("bool") => new(format!(
            "a condition is needed here, and this is {}",
            words::article(given.trim_start_matches("a ").trim_start_matches("an "))
        ))
        .hint("to compare, write `==`"),
        P::MismatchedType(wanted, _) if wanted.contains("iter") => new(
            "`for` goes through a list, and this is none".to_owned(),
        )
        .hint("an array, a stream, a text, a map's `keys()`, or numbers: `for i in 0..10 { … }`"),
        P::ExprTooDeep => new("the expression is nested too deeply".to_owned())
            .hint("keep a part of it in a variable, or write a function"),
        P::FnDuplicatedDefinition(name, params) => new(format!(
            "the function `{name}` with {} is written twice",
            match params {
                0 => "no arguments".to_owned(),
                1 => "1 argument".to_owned(),
                _ => format!("{params} arguments"),
            }
        ))
        .hint("give one of them another name"),
        P::FnMissingName => {
            new("the function has no name".to_owned()).hint("write `fn name(a, b) { … }`")
        }
        P::FnMissingParams(name) => new(format!("the function `{name}` has no list of arguments"))
            .hint(format!("write `fn {name}() {{ … }}`")),
        P::FnMissingBody(name) if name.is_empty() => {
            new("the closure has no body".to_owned()).hint("write `|x| …`, or `|x| { … }`")
        }
        P::FnMissingBody(name) => new(format!("the function `{name}` has no body"))
            .hint(format!("write `fn {name}(…) {{ … }}`")),
        P::FnDuplicatedParam(_, name) => {
            new(format!("two arguments of the function are called `{name}`"))
        }
        P::WrongFnDefinition => {
            new("a function cannot be written inside a block or another function".to_owned())
                .hint("move it to the outermost level; inside, `|x| …` makes a closure")
        }
        P::WrongDocComment => new("a `///` comment belongs in front of a function".to_owned())
            .hint("elsewhere write `//`"),
        P::WrongExport => new("`export` belongs to the outermost level".to_owned()),
        P::DuplicatedProperty(name) => new(format!("the map has the key `{name}` twice")),
        P::DuplicatedVariable(name) => new(format!("the name `{name}` stands here twice")),
        P::PropertyExpected => new("the name of a property is missing here".to_owned())
            .hint("texts are joined by `+`; the key of a map is a name or a text in quotes"),
        P::VariableExpected => new("the name of a variable is missing here".to_owned()),
        P::ExprExpected(what) => new(format!("{} is missing here", words::article(&lower(what)))),
        P::WrongSwitchDefaultCase => new("the `_` of a `switch` comes last".to_owned()),
        P::LoopBreak => new("`break` and `continue` belong inside a loop".to_owned())
            .hint("`return` ends a function, a closure, or the script"),
        other => new(lower(&other.to_string())),
    }
}

fn lexical(error: &LexError) -> Failure {
    let new = |message: String| Failure::new("SyntaxError", message);
    match error {
        LexError::UnterminatedString => unclosed_text("\""),
        LexError::UnexpectedInput(text)
            if text.chars().any(char::is_alphabetic) && !text.is_ascii() =>
        {
            new(format!("`{text}` is not expected here")).hint(
                "names are made of the letters a to z, digits and `_`; other text stands in quotes",
            )
        }
        LexError::UnexpectedInput(text) => new(format!("`{text}` is not expected here")),
        LexError::ImproperSymbol(symbol, _) if symbol == "eval" => off(),
        LexError::ImproperSymbol(symbol, _) if symbol == "=" => {
            new("a value cannot be given to a variable here".to_owned())
                .hint("to compare, write `==`")
        }
        LexError::ImproperSymbol(symbol, text) if text.is_empty() => {
            new(format!("`{symbol}` is no symbol of the language"))
        }
        LexError::MalformedChar(text) => {
            new(format!("`'{}'` is no character", text.trim_matches('\''))).hint(format!(
                "a text stands in double quotes: `\"{}\"`",
                text.trim_matches('\'')
            ))
        }
        LexError::MalformedEscapeSequence(text) => new(format!("`{text}` is no escape in a text"))
            .hint("a backslash is written `\\\\`; between backticks it is one as it is"),
        LexError::MalformedNumber(text) => new(format!("`{text}` is no number"))
            .hint("lengths of time and sizes are texts: `duration(\"36h\")`"),
        other => new(lower(&other.to_string())),
    }
}

/// The parser says what for, in words of its own making.
fn missing(token: &str, why: &str) -> Failure {
    let failure = |message: String| Failure::new("SyntaxError", message);
    let quoted = why.split('\'').nth(1).unwrap_or_default();
    if why.starts_with("to separate the arguments") {
        return failure(format!("`,` or `)` is missing in the call of `{quoted}`"))
            .hint(format!("a call is written `{quoted}(a, b)`"));
    }
    if why.starts_with("to close the arguments") {
        return failure(format!("`)` is missing behind the arguments of `{quoted}`"));
    }
    match (token, why) {
        (";", _) => failure("`;` is missing before this".to_owned())
            .hint("each statement ends in `;`; the last of a block may go without"),
        ("{", "to start a statement block") => failure("`{` is missing here".to_owned())
            .hint("what `if`, `for`, `while` and `fn` do stands between `{` and `}`"),
        ("}", "to terminate this block") => {
            failure("`}` is missing: the block is never closed".to_owned())
        }
        (":", _) if !quoted.is_empty() => {
            failure(format!("`:` is missing behind the key `{quoted}`"))
                .hint("a map is written `#{name: value, other: 2}`")
        }
        (",", _) if why.contains("array") => {
            failure("`,` or `]` is missing in the array".to_owned())
                .hint("an array is written `[1, 2, 3]`")
        }
        (",", _) if why.contains("map") => failure("`,` or `}` is missing in the map".to_owned())
            .hint("a map is written `#{name: value, other: 2}`"),
        (",", _) if why.contains("iteration") => failure("`,` is missing here".to_owned())
            .hint("write `for item in list { … }`, or `for (item, number) in list { … }` to count"),
        ("in", _) => {
            failure("`in` is missing here".to_owned()).hint("write `for item in list { … }`")
        }
        ("catch", _) => failure("`catch` is missing behind the block of `try`".to_owned())
            .hint("write `try { … } catch (e) { … }`"),
        ("while", _) => {
            failure("`while` or `until` is missing behind the block of `do`".to_owned())
        }
        ("=>", _) => failure("`=>` is missing in this arm of `switch`".to_owned())
            .hint("write `switch x { 1 => …, \"a\" => …, _ => … }`"),
        _ => failure(format!("`{token}` is missing here")),
    }
}

fn off() -> Failure {
    Failure::new("SwitchedOff", "`eval` is switched off")
        .hint("what a script does must be known before it runs")
}

/// A namespace that neither the host has nor an import.
pub(crate) fn no_namespace(name: &str) -> Failure {
    let failure = Failure::new("NoSuchModule", format!("there is no namespace `{name}`"));
    match words::nearest(name, shelves().namespaces.keys().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!(
            "the host has {}; an imported file needs its line: `import \"name\" as {name};`",
            words::list(shelves().namespaces.keys().copied())
        )),
    }
}

/// A name that is no variable.
pub(crate) fn undefined(name: &str) -> Failure {
    let failure = Failure::new("NoSuchVariable", format!("there is no variable `{name}`"));
    if let Some((namespace, rest)) = name.rsplit_once("::") {
        if shelves()
            .namespace(namespace)
            .any(|entry| entry.name == rest)
        {
            return failure.hint(format!("`{name}` is a function: write `{name}(…)`"));
        }
        return failure;
    }
    if shelves().is_namespace(name) {
        return failure.hint(format!(
            "`{name}` is a namespace: its functions are called as `{name}::…()`"
        ));
    }
    if name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false") {
        return failure.hint(format!("write `{}`", name.to_lowercase()));
    }
    if shelves().global(name).next().is_some() {
        return failure.hint(format!(
            "`{name}` is a function: write `{name}(…)`, or hand it on as `|x| {name}(x)`"
        ));
    }
    match words::nearest(name, ["args"]) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("a variable begins with `let {name} = …;`")),
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}
