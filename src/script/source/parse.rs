//! From a text to its syntax tree, and to everything that is wrong with it on the way.

use std::sync::LazyLock;

use rhai::{AST, Engine, LexError, ParseError, ParseErrorType, Position};

use super::pieces::pieces;
use super::recover::Lost;
use super::{LAST, Text, brackets, syntax};
use crate::error::Fault;
use crate::script::arguments::Args;
use crate::script::engine;

/// So many statements are blanked before the rest is given up.
const MOST: usize = 20;

/// What a text came to.
pub(crate) struct Parsed {
    /// Of all that could be read; the whole script where `faults` is empty.
    pub(crate) ast: AST,
    pub(crate) faults: Vec<Fault>,
    /// `None` where nothing was left out.
    pub(crate) lost: Option<Lost>,
    /// Some name in it is no variable or namespace: which ones, only a look at the tree can say.
    pub(crate) unknown: Option<ParseError>,
}

/// Parses a text. Mistakes do not end it: their statements are left out, and it goes on behind them.
#[allow(clippy::similar_names)] // two words for two things
pub(crate) fn parse(text: &Text) -> Parsed {
    static STRICT: LazyLock<Engine> = LazyLock::new(engine::parser);
    static LENIENT: LazyLock<Engine> = LazyLock::new(|| {
        let mut engine = engine::parser();
        engine.set_strict_variables(false);
        engine
    });
    let scope = engine::scope(&Args::default());
    let (mut code, mut faults) = text.slips();
    let strict = STRICT.compile_with_scope(&scope, &code);
    if let (Ok(ast), true) = (&strict, faults.is_empty()) {
        return Parsed {
            ast: ast.clone(),
            faults,
            lost: None,
            unknown: None,
        };
    }
    let mut lost = None;
    let mut ast = AST::empty();
    for tries in 0..=MOST {
        let error = match LENIENT.compile_with_scope(&scope, &code) {
            Ok(found) => {
                ast = found;
                break;
            }
            Err(error) => error,
        };
        let lost = lost.get_or_insert_with(Lost::default);
        let pieces = pieces(&code);
        let at = offset(&code, error.position());
        let lone = brackets::lone(&code, &pieces)
            .filter(|lone| pieces[lone.piece()].start <= at || is_about_brackets(&error))
            .filter(|lone| !is_swallowed(&error, pieces[lone.piece()].of(&code)));
        let (fault, is_mended) = if let Some(lone) = lone {
            let piece = pieces[lone.piece()];
            let is_open = matches!(lone, brackets::Lone::Open(_));
            let fault = syntax::lone_bracket(piece.of(&code), is_open).fault();
            let fault = fault.at(text.place_of(&code, piece.start));
            (fault, lost.bracket(&mut code, &pieces, lone))
        } else {
            let complaint = syntax::complain(&code, &pieces, error.err_type(), at);
            let fault = complaint
                .failure
                .fault()
                .at(text.place_of(&code, complaint.at));
            let is_mended = if complaint.wants_end {
                // At the end of a line it moves nothing.
                code.insert(complaint.at, ';');
                true
            } else {
                lost.statement(&mut code, at)
            };
            (fault, is_mended)
        };
        // One line, one mistake: what else is wrong in it most often follows from the first.
        let line = |fault: &Fault| fault.place.as_ref().map(|place| place.line);
        if faults.iter().all(|known| line(known) != line(&fault)) {
            faults.push(fault);
        }
        // The engine does not say where, behind its last line and column.
        let is_countable = error.position().line().unwrap_or(0) < LAST
            && error.position().position().unwrap_or(0) < LAST;
        if !is_mended || !is_countable || tries == MOST {
            break;
        }
    }
    let unknown = STRICT.compile_with_scope(&scope, &code).err();
    Parsed {
        ast,
        faults,
        lost,
        unknown,
    }
}

/// The complaint as a person reads it.
pub(super) fn fault(text: &Text, code: &str, error: &ParseError) -> Fault {
    let at = offset(code, error.position());
    let complaint = syntax::complain(code, &pieces(code), error.err_type(), at);
    let place = text.place_of(code, complaint.at);
    complaint.failure.fault().at(place)
}

/// A text that never ends takes the bracket that closes with it; what is open is the text, unless it is a template's `${`.
fn is_swallowed(error: &ParseError, bracket: &str) -> bool {
    let is_open_text = matches!(
        error.err_type(),
        ParseErrorType::BadInput(LexError::UnterminatedString)
    );
    is_open_text && bracket != "${"
}

fn is_about_brackets(error: &ParseError) -> bool {
    match error.err_type() {
        ParseErrorType::UnexpectedEOF => true,
        ParseErrorType::MissingToken(token, _) => {
            matches!(token.as_str(), ")" | "]" | "}" | ",")
        }
        _ => false,
    }
}

/// The byte offset of a place; of none, the end of the text.
pub(crate) fn offset(text: &str, position: Position) -> usize {
    let end = text.trim_end().len();
    let Some(line) = position.line() else {
        return end;
    };
    let start = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum::<usize>();
    let rest = text[start..].lines().next().unwrap_or_default();
    let column = position.position().unwrap_or(1);
    let inside = rest.char_indices().nth(column - 1);
    start + inside.map_or(rest.len(), |(offset, _)| offset)
}
