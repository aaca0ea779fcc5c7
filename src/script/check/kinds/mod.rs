//! What values are, as far as the script itself says: `let rows = exchange::latest_points(…)` are rows, and stay rows where nothing is
//! ever assigned to `rows`. So a slip in a name behind a dot is found that would only show hours later, in a branch that seldom runs.
//!
//! It claims nothing of which it is not sure. A variable of a name that is assigned to anywhere in the file has no kind, and where a
//! script changes `this`, nothing has.

mod comparing;
mod kind;
mod looking;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use rhai::{Expr, Position, Stmt};

use super::closures::root;
use crate::script::failure::Failure;
use crate::script::program::File;
use crate::script::tree::{self, Body, Node};
use looking::{Looking, Scope};

/// What was found in one file.
#[derive(Default)]
pub(super) struct Kinds {
    pub(super) wrong: Vec<(Position, Failure)>,
    /// What gives `()` where its author has probably meant another name.
    pub(super) doubtful: Vec<(Position, Failure)>,
    /// Calls of methods on what is certainly no object of the tenant, by their places.
    pub(super) harmless: HashSet<Position>,
}

impl Kinds {
    pub(super) fn of(file: &File) -> Self {
        let mut found = Self::default();
        let Some(assigned) = assigned(file) else {
            return found;
        };
        let keys = keys(file);
        let closures: HashMap<&str, &Body> = file
            .bodies
            .iter()
            .filter(|body| body.is_closure())
            .map(|body| (body.name.as_str(), body))
            .collect();
        // Closures are looked at where they are given to something; their own closures after them.
        let mut ahead: Vec<(&Body, Scope)> = file
            .bodies
            .iter()
            .filter(|body| !body.is_closure())
            .map(|body| (body, Scope::new()))
            .collect();
        let mut given = HashSet::new();
        while let Some((body, scope)) = ahead.pop() {
            let mut looking = Looking {
                assigned: &assigned,
                keys: &keys,
                closures: &closures,
                scopes: vec![scope],
                ahead: &mut ahead,
                given: &mut given,
                links: HashSet::new(),
                coming: Vec::new(),
                found: &mut found,
            };
            tree::walk(&body.statements, &mut looking);
        }
        found
    }
}

/// Names that are assigned to; `None` where `this` is.
fn assigned(file: &File) -> Option<HashSet<&str>> {
    let mut names = HashSet::new();
    let mut is_this = false;
    file.each(&mut |node| {
        if let Node::Stmt(Stmt::Assignment(assignment)) = node {
            match &assignment.1.lhs {
                Expr::Variable(variable, ..) => {
                    names.insert(variable.1.as_str());
                }
                Expr::ThisPtr(_) => is_this = true,
                // `map[key] = …` may add any key.
                Expr::Index(parts, ..) if !matches!(parts.rhs, Expr::StringConstant(..)) => {
                    names.extend(root(&parts.lhs));
                }
                _ => {}
            }
        }
    });
    (!is_this).then_some(names)
}

/// Keys of maps, and properties that are assigned to: a row may have got them.
fn keys(file: &File) -> HashSet<&str> {
    let mut keys = HashSet::new();
    file.each(&mut |node| match node {
        Node::Expr(Expr::Map(map, _)) => {
            keys.extend(map.0.iter().map(|(key, _)| key.name.as_str()));
        }
        Node::Stmt(Stmt::Assignment(assignment)) => {
            let mut last = &assignment.1.lhs;
            while let Expr::Dot(chain, ..) | Expr::Index(chain, ..) = last {
                last = &chain.rhs;
            }
            match last {
                Expr::Property(property, _) => {
                    keys.insert(property.2.as_str());
                }
                Expr::StringConstant(key, _) => {
                    keys.insert(key.as_str());
                }
                _ => {}
            }
        }
        _ => {}
    });
    keys
}
