//! Names that are no variables. That there are any is the parser's word; it names the first, this finds them all.

use std::collections::HashSet;

use rhai::{Expr, FnCallExpr, Position, Stmt};

use crate::error::MOST_FAULTS;
use crate::script::failure::Failure;
use crate::script::library::shelves;
use crate::script::program::File;
use crate::script::source;
use crate::script::tree::{self, Visit};
use crate::script::words;

/// Every use of a name that does not exist at its place.
pub(super) fn unknown(file: &File) -> Vec<(Position, Failure)> {
    let mut found = Vec::new();
    let functions: HashSet<&str> = file.bodies.iter().map(|body| body.name.as_str()).collect();
    let mut aliases = HashSet::new();
    let mut outside = HashSet::new();
    file.each(&mut |node| {
        if let tree::Node::Stmt(Stmt::Import(import, _)) = node {
            aliases.insert(import.1.name.as_str());
        }
    });
    for statement in &file.bodies[0].statements {
        if let Stmt::Var(var, ..) = statement {
            outside.insert(var.0.name.as_str());
        }
    }
    for body in &*file.bodies {
        let mut names = Names {
            scopes: vec![
                body.params
                    .iter()
                    .map(rhai::ImmutableString::as_str)
                    .collect(),
            ],
            functions: &functions,
            aliases: &aliases,
            outside: (!body.name.is_empty()).then_some(&outside),
            found: Vec::new(),
        };
        if found.len() >= MOST_FAULTS {
            break;
        }
        tree::walk(&body.statements, &mut names);
        found.append(&mut names.found);
    }
    let is_lost = |name: &str| {
        file.lost
            .as_ref()
            .is_some_and(|lost| lost.words.contains(name))
    };
    let pieces = source::pieces(&file.text.text);
    found
        .into_iter()
        .filter(|(_, name, _)| !is_lost(name))
        .take(MOST_FAULTS)
        .map(|(position, _, failure)| {
            let habit = file.text.habit(&pieces, position);
            habit.unwrap_or((position, failure))
        })
        .collect()
}

struct Names<'a> {
    scopes: Vec<Vec<&'a str>>,
    functions: &'a HashSet<&'a str>,
    aliases: &'a HashSet<&'a str>,
    /// In a function: variables of the file that it does not see.
    outside: Option<&'a HashSet<&'a str>>,
    found: Vec<(Position, String, Failure)>,
}

impl Names<'_> {
    /// Each unknown name is compared with all others. Some of those found may be lost, and not be told: hence twice as many.
    fn is_full(&self) -> bool {
        self.found.len() == 2 * MOST_FAULTS
    }

    fn knows(&self, name: &str) -> bool {
        name == "args"
            || self.functions.contains(name)
            || self.scopes.iter().flatten().any(|known| *known == name)
    }

    fn variable(&mut self, name: &str, position: Position) {
        if self.is_full() || self.knows(name) || name.is_empty() {
            return;
        }
        let failure = if self.outside.is_some_and(|outside| outside.contains(name)) {
            Failure::new(
                "NoSuchVariable",
                format!("`{name}` stands outside of this function, which does not see it"),
            )
            .hint(format!("hand it over: `fn name({name}) {{ … }}`"))
        } else {
            let near = words::nearest(name, self.scopes.iter().flatten().copied());
            match near.filter(|near| near.len() > 1 && name.len() > 1) {
                Some(near) => {
                    Failure::new("NoSuchVariable", format!("there is no variable `{name}`"))
                        .hint(format!("did you mean `{near}`?"))
                }
                None => source::undefined(name),
            }
        };
        self.found.push((position, name.to_owned(), failure));
    }

    fn namespace(&mut self, path: &rhai::Namespace, position: Position) {
        let Some(root) = path.path.first() else {
            return;
        };
        let name = root.name.as_str();
        if self.is_full() {
            return;
        }
        if name == "global" || self.aliases.contains(name) || shelves().is_namespace(name) {
            return;
        }
        let near = words::nearest(name, self.aliases.iter().copied());
        let failure = match near {
            Some(near) => Failure::new("NoSuchModule", format!("there is no namespace `{name}`"))
                .hint(format!("did you mean `{near}`?")),
            None => source::no_namespace(name),
        };
        let position = if root.pos.is_none() {
            position
        } else {
            root.pos
        };
        self.found.push((position, name.to_owned(), failure));
    }

    fn call(&mut self, call: &FnCallExpr, position: Position) {
        self.namespace(&call.namespace, position);
    }
}

impl<'a> Visit<'a> for Names<'a> {
    fn statement(&mut self, statement: &'a Stmt) {
        if let Stmt::FnCall(call, position) = statement {
            self.call(call, *position);
        }
    }

    fn expression(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Variable(variable, _, position) if variable.2.path.is_empty() => {
                self.variable(&variable.1, *position);
            }
            Expr::Variable(variable, _, position) => self.namespace(&variable.2, *position),
            Expr::FnCall(call, position) => self.call(call, *position),
            _ => {}
        }
    }

    fn declare(&mut self, name: &'a str) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(name);
        }
    }

    fn enter(&mut self) {
        self.scopes.push(Vec::new());
    }

    fn leave(&mut self) {
        self.scopes.pop();
    }
}
