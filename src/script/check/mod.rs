//! What can be found without running: names that nothing has, calls that cannot work, and what a runbook may not do.

mod calls;
mod closures;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use rhai::packages::{Package as _, StandardPackage};
use rhai::{ASTNode, Engine, Expr, FnCallExpr, Position, Stmt};

use super::engine;
use super::failure::Failure;
use super::header::Header;
use super::library::shelves;
use super::program::{File, Program};
use super::words;
use crate::error::{Fault, MOST_FAULTS};

/// By name: the numbers of parameters a function exists with, the receiver of a method counted.
type Arities = HashMap<String, HashSet<usize>>;

/// Rhai's own functions and ours.
static GLOBALS: LazyLock<Arities> = LazyLock::new(|| arities(&engine::parser()));

/// Rhai's own functions.
static STANDARD: LazyLock<Arities> = LazyLock::new(|| {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    arities(&engine)
});

fn arities(engine: &Engine) -> Arities {
    let all = engine.collect_fn_metadata(
        None,
        |info| {
            info.namespace
                .is_empty()
                .then(|| (info.metadata.name.to_string(), info.metadata.num_params))
        },
        true,
    );
    let mut names = Arities::new();
    for (name, params) in all {
        names.entry(name).or_default().insert(params);
    }
    names
}

/// Parts of the language that look like functions.
const KEYWORDS: [&str; 7] = [
    "Fn",
    "call",
    "curry",
    "type_of",
    "is_shared",
    "is_def_fn",
    "is_def_var",
];

fn is_name(name: &str) -> bool {
    name.chars()
        .all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// Names for "did you mean": ours first, operators never.
pub(crate) fn global_names() -> impl Iterator<Item = &'static str> {
    GLOBALS
        .keys()
        .map(String::as_str)
        .filter(|name| is_name(name))
}

/// Is it one of Rhai's own functions (or methods), and none of ours?
pub(crate) fn is_standard(name: &str) -> bool {
    STANDARD.contains_key(name) && shelves().global(name).next().is_none()
}

/// Looks at every file of a program but those of the standard library, and gives all that was found, in the order of the lines.
pub(crate) fn check(program: &Program, header: &Header) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in program.files().into_iter().filter(|file| !file.is_std()) {
        let mut found = Finder {
            program,
            header,
            file,
            found: Vec::new(),
        };
        found.look();
        let mut found = found.found;
        found.sort_by_key(|(position, _)| (position.line(), position.position()));
        faults.extend(found.into_iter().map(|(position, failure)| {
            let fault = failure.fault();
            match file.text.place(position) {
                Some(place) => fault.at(place),
                None => fault,
            }
        }));
    }
    faults
}

/// A call: its expression, where it stands, whether it is a method's.
fn call_of<'a>(node: &'a ASTNode<'a>) -> Option<(&'a FnCallExpr, Position, bool)> {
    match node {
        ASTNode::Stmt(Stmt::FnCall(call, position))
        | ASTNode::Expr(Expr::FnCall(call, position)) => Some((call, *position, false)),
        ASTNode::Expr(Expr::MethodCall(call, position)) => Some((call, *position, true)),
        _ => None,
    }
}

struct Finder<'p> {
    program: &'p Program,
    header: &'p Header,
    file: &'p File,
    found: Vec<(Position, Failure)>,
}

impl Finder<'_> {
    fn say(&mut self, position: Position, failure: Failure) {
        if self.found.len() == MOST_FAULTS {
            return;
        }
        // A call that stands in a chain is walked over more than once.
        let again = self
            .found
            .iter()
            .any(|(at, other)| *at == position && other.message == failure.message);
        if !again {
            self.found.push((position, failure));
        }
    }

    fn look(&mut self) {
        let file = self.file;
        let calls = calls::Known::of(self.program, file);
        let closures = closures::Closures::of(file);
        file.ast.walk(&mut |path: &[ASTNode]| {
            // Each mistake is compared with all names there are: whoever has made so many need not wait for more.
            if self.found.len() == MOST_FAULTS {
                return false;
            }
            let Some(node) = path.last() else { return true };
            match node {
                ASTNode::Stmt(Stmt::Import(import, position)) => {
                    self.import(&import.0, &import.1.name, *position);
                }
                ASTNode::Expr(Expr::Dot(dot, ..)) => self.argument(&dot.lhs, &dot.rhs),
                ASTNode::Expr(Expr::Index(index, ..)) => self.argument(&index.lhs, &index.rhs),
                _ => {}
            }
            if let Some((call, position, method)) = call_of(node) {
                if let Some(failure) = calls.judge(call, method) {
                    self.say(position, failure);
                }
                for (at, failure) in closures.judge(call) {
                    self.say(if at.is_none() { position } else { at }, failure);
                }
            }
            true
        });
        self.functions();
    }

    fn import(&mut self, path: &Expr, alias: &str, position: Position) {
        if !matches!(path, Expr::StringConstant(..)) {
            self.say(
                path.start_position(),
                Failure::new("BadImport", "an import names its file by a plain text")
                    .hint("what is imported must be known before the script runs"),
            );
        }
        if shelves().is_namespace(alias) {
            self.say(
                position,
                Failure::new(
                    "NameTaken",
                    format!(
                        "`{alias}` is a namespace of the host and cannot be the name of an import"
                    ),
                )
                .hint(format!("write `as my_{alias}`")),
            );
        }
    }

    /// `args.name` and `args["name"]`.
    fn argument(&mut self, of: &Expr, part: &Expr) {
        if !matches!(of, Expr::Variable(variable, ..) if variable.1 == "args") {
            return;
        }
        let first = match part {
            Expr::Dot(chain, ..) | Expr::Index(chain, ..) => &chain.lhs,
            other => other,
        };
        let (name, position) = match first {
            Expr::Property(property, position) => (property.2.as_str(), *position),
            Expr::StringConstant(text, position) => (text.as_str(), *position),
            _ => return,
        };
        if self.header.parameter(name).is_some() {
            return;
        }
        let failure = Failure::new(
            "UnknownArgument",
            format!("the script has no argument `{name}`"),
        );
        let names: Vec<_> = self.header.names().collect();
        let failure = match words::nearest(name, names.iter().copied()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None if names.is_empty() => failure.hint(format!(
                "declare it in the header: `//! @param {name} string …`"
            )),
            None => failure.hint(format!("its arguments are {}", words::list(names))),
        };
        self.say(position, failure);
    }

    /// A function of the script that would stand in front of one of the host's.
    fn functions(&mut self) {
        for function in self.file.ast.iter_functions() {
            let name = function.name;
            let Some(signature) = hidden_by(name) else {
                continue;
            };
            let position = definition(&self.file.text.text, name).unwrap_or(Position::NONE);
            self.say(
                position,
                Failure::new("NameTaken", format!("`{name}` is a function of the host (`{signature}`) and cannot be written anew"))
                    .hint(format!("choose another name, such as `my_{name}`")),
            );
        }
    }
}

/// The host's function that a script function of this name would hide. What Rhai itself has on arrays and texts may be written anew.
fn hidden_by(name: &str) -> Option<String> {
    let entries = shelves()
        .entries
        .iter()
        .filter(|entry| entry.name == name && !entry.doc.is_empty());
    let mut own = entries.filter(|entry| entry.receiver.is_none() || !STANDARD.contains_key(name));
    own.next().map(super::library::Entry::signature)
}

/// Where `fn name` stands: the syntax tree does not say.
fn definition(text: &str, name: &str) -> Option<Position> {
    for (number, line) in text.lines().enumerate() {
        let mut from = 0;
        while let Some(at) = line[from..].find("fn ").map(|at| at + from) {
            let rest = line[at + 3..].trim_start();
            // `fn type.name` is a method.
            let written = rest.split('(').next().unwrap_or_default().trim();
            if written == name || written.rsplit('.').next() == Some(name) {
                let column = line[..line.len() - rest.len()].chars().count() + 1;
                return Some(Position::new(
                    u16::try_from(number + 1).ok()?,
                    u16::try_from(column).ok()?,
                ));
            }
            from = at + 3;
        }
    }
    None
}
