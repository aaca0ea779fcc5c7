//! What can be found without running: names that nothing has, calls that cannot work, and what a runbook may not do.

mod abilities;
mod arguments;
mod calls;
mod closures;
mod finding;
mod functions;
mod kinds;
mod literals;
mod names;
mod policed;
mod reach;
mod removal;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use rhai::packages::{Package as _, StandardPackage};
use rhai::{Engine, Expr, FnCallExpr, Position, Stmt};

pub(crate) use abilities::Abilities;
pub(crate) use finding::{Finding, Severity};
pub(crate) use policed::denials;

use super::engine;
use super::failure::Failure;
use super::header::Header;
use super::library::shelves;
use super::program::{File, Program};
use super::tree::Node;
use crate::error::MOST_FAULTS;
use reach::Reach;

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

/// Does Rhai itself have a function of this name?
fn is_standard_name(name: &str) -> bool {
    STANDARD.contains_key(name)
}

/// Looks at every file of a program but those of the standard library. What was found comes file by file, in the order of the lines.
pub(crate) fn check(program: &Program, header: &Header) -> Vec<Finding> {
    let reach = Reach::of(program);
    let mut findings = Vec::new();
    for file in program.files().into_iter().filter(|file| !file.is_std()) {
        let mut finder = Finder {
            program,
            header,
            file,
            reach: &reach,
            found: Vec::new(),
            doubtful: Vec::new(),
        };
        finder.look();
        for (severity, found) in [
            (Severity::Error, finder.found),
            (Severity::Warning, finder.doubtful),
        ] {
            findings.extend(found.into_iter().map(|(position, failure)| {
                Finding::new(severity, failure, file.text.place(position))
            }));
        }
    }
    findings.extend(arguments::unused(program, header));
    findings
}

/// What a program without mistakes can do at most.
pub(crate) fn abilities(program: &Program) -> Abilities {
    Reach::of(program).from(&program.main().text.name, "")
}

/// A call: its expression, where it stands, whether it is a method's.
fn call_of(node: Node<'_>) -> Option<(&FnCallExpr, Position, bool)> {
    match node {
        Node::Stmt(Stmt::FnCall(call, position)) | Node::Expr(Expr::FnCall(call, position)) => {
            Some((call, *position, false))
        }
        Node::Expr(Expr::MethodCall(call, position)) => Some((call, *position, true)),
        _ => None,
    }
}

/// `let f = users::list;`: a namespace of the host has functions and nothing else.
fn function_as_value(node: Node) -> Option<(Position, Failure)> {
    let Node::Expr(Expr::Variable(variable, _, position)) = node else {
        return None;
    };
    let [root] = variable.2.path.as_slice() else {
        return None;
    };
    shelves().is_namespace(&root.name).then(|| {
        let name = format!("{}::{}", root.name, variable.1);
        (*position, super::source::undefined(&name))
    })
}

struct Finder<'p> {
    program: &'p Program,
    header: &'p Header,
    file: &'p File,
    reach: &'p Reach,
    found: Vec<(Position, Failure)>,
    doubtful: Vec<(Position, Failure)>,
}

impl Finder<'_> {
    /// Each mistake is compared with all names there are: whoever has made so many need not wait for more.
    fn is_full(&self) -> bool {
        self.found.len() == MOST_FAULTS
    }

    fn say(&mut self, position: Position, failure: Failure) {
        if self.is_full() {
            return;
        }
        // A closure in a variable is looked at wherever it is given.
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
        if file.unknown.is_some() {
            for (position, failure) in names::unknown(file) {
                self.say(position, failure);
            }
        }
        // What is called on something that does not exist is no mistake of its own.
        let unknown: HashSet<_> = self.found.iter().map(|(at, _)| at.line()).collect();
        let calls = calls::Known::of(self.program, file);
        let closures = closures::Closures::of(file);
        file.each(&mut |node| {
            if self.is_full() {
                return;
            }
            if let Node::Stmt(Stmt::Import(import, position)) = node {
                self.import(&import.0, &import.1.name, *position);
            }
            if let Some((position, failure)) = arguments::judge(self.header, node) {
                self.say(position, failure);
            }
            if let Some((position, failure)) = function_as_value(node) {
                self.say(position, failure);
            }
            if let Some((call, position, method)) = call_of(node) {
                let is_full = self.is_full();
                let follows = method && unknown.contains(&position.line());
                if !follows
                    && !is_full
                    && let Some(failure) = calls.judge(call, method)
                {
                    self.say(position, failure);
                }
                for (at, failure) in literals::judge(call, method) {
                    self.say(at, failure);
                }
                for (at, failure) in closures.judge(call, method, self.reach) {
                    self.say(if at.is_none() { position } else { at }, failure);
                }
            }
        });
        let is_main = file.text.name == self.program.main().text.name;
        for (position, failure) in functions::hiding(file, is_main) {
            self.say(position, failure);
        }
        let kinds = kinds::Kinds::of(file);
        for (position, failure) in kinds.wrong {
            self.say(position, failure);
        }
        self.doubtful = kinds.doubtful;
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
}
