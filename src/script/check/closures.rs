//! Closures that cannot do what they seem to do: assignments that are lost, an order that changes the tenant.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use rhai::{Expr, FnCallExpr, FnPtr, Position, Stmt};

use super::reach::Reach;
use crate::script::explain;
use crate::script::failure::Failure;
use crate::script::program::File;
use crate::script::tree::{self, Node};

/// Their closures run on copies of what they capture.
const APART: [&str; 3] = ["parallel", "try_parallel", "step"];
const ORDERING: [&str; 7] = [
    "sort",
    "sort_by",
    "sort_desc",
    "order",
    "order_by",
    "order_desc",
    "dedup",
];
/// Functions that change their receiver and nothing else: on a captured variable their effect is lost.
const FILLING: [&str; 7] = [
    "push", "append", "insert", "pop", "shift", "reverse", "truncate",
];

/// The closures of one file, by the engine's name for them.
pub(super) struct Closures<'f> {
    file: &'f File,
    bodies: HashMap<String, Body>,
    /// `let f = |x| …`, and nothing else ever: the variable's name and the closure's.
    named: HashMap<String, String>,
}

/// What one function or closure does, by itself.
#[derive(Default)]
struct Body {
    params: usize,
    /// Captured variables, which come in front of the parameters.
    captured: HashSet<String>,
    /// Variables that are assigned to or filled, with the place.
    assigned: Vec<(String, Position)>,
    declared: HashSet<String>,
    /// Closures inside it.
    inner: Vec<String>,
}

impl<'f> Closures<'f> {
    #[allow(clippy::similar_names)] // two words for two things
    #[allow(clippy::similar_names)] // two words for two things
    #[allow(clippy::similar_names)] // two words for two things
    #[allow(clippy::similar_names)] // two words for two things
    pub(super) fn of(file: &'f File) -> Self {
        let mut named: HashMap<String, Vec<Option<String>>> = HashMap::new();
        let mut bodies = HashMap::new();
        // Where a closure is made stands which variables it captures.
        let mut captured: HashMap<String, HashSet<String>> = HashMap::new();
        for body in &*file.bodies {
            let mut found = Body {
                params: body.params.len(),
                ..Body::default()
            };
            tree::each(&body.statements, &mut |node| {
                found.note(node);
                match node {
                    Node::Expr(expr @ Expr::FnCall(call, _)) if call.name == "curry" => {
                        if let Some(name) = closure_name(expr) {
                            let names = call.args.iter().skip(1).filter_map(variable);
                            let names = names.map(str::to_owned);
                            captured.entry(name).or_default().extend(names);
                        }
                    }
                    Node::Stmt(Stmt::FnCall(call, _)) if call.name == "curry" => {
                        if let Some(name) = call.args.first().and_then(closure_name) {
                            let names = call.args.iter().skip(1).filter_map(variable);
                            let names = names.map(str::to_owned);
                            captured.entry(name).or_default().extend(names);
                        }
                    }
                    Node::Stmt(Stmt::Var(var, ..)) => named
                        .entry(var.0.name.to_string())
                        .or_default()
                        .push(closure_name(&var.1)),
                    Node::Stmt(Stmt::Assignment(assignment)) => {
                        if let Some(name) = root(&assignment.1.lhs) {
                            named.entry(name.to_owned()).or_default().push(None);
                        }
                    }
                    _ => {}
                }
            });
            for param in &body.params {
                named.entry(param.to_string()).or_default().push(None);
            }
            bodies.insert(body.name.to_string(), found);
        }
        for (name, names) in captured {
            if let Some(body) = bodies.get_mut(&name) {
                // A captured variable is a parameter too: that is no other meaning of its name.
                for captured in &names {
                    if let Some(values) = named.get_mut(captured) {
                        let at = values.iter().position(Option::is_none);
                        at.map(|at| values.remove(at));
                    }
                }
                body.captured = names;
            }
        }
        let named = named.into_iter().filter_map(|(name, mut values)| {
            let only = values.pop()?;
            values.is_empty().then_some((name, only?))
        });
        Self {
            file,
            bodies,
            named: named.collect(),
        }
    }

    /// What is wrong with the closures given in this call. Without a place of its own the finding is about the call.
    pub(super) fn judge(
        &self,
        call: &FnCallExpr,
        method: bool,
        reach: &Reach,
    ) -> Vec<(Position, Failure)> {
        let name = call.name.as_str();
        let mut found = Vec::new();
        if !call.namespace.is_empty() {
            return found;
        }
        let Some(closure) = call.args.last().and_then(|last| self.closure_of(last)) else {
            return found;
        };
        if let (Some(takes), Some(body)) = (takes(name, method), self.bodies.get(&closure)) {
            let params = body.params.saturating_sub(body.captured.len());
            if !takes.contains(&params) {
                let failure = explain::closure_arity(usual(name, &takes));
                found.push((Position::NONE, failure));
            }
        }
        if APART.contains(&name) {
            for (variable, position) in self.lost(&closure) {
                let failure = Failure::new(
                    "LostAssignment",
                    format!(
                        "`{variable}` is captured by the closure of `{name}`: what is assigned to it there is lost"
                    ),
                );
                found.push((
                    position,
                    failure.hint(format!(
                        "let the closure return the value: `{name}` gives the results back"
                    )),
                ));
            }
        }
        let can = || reach.from(&self.file.text.name, &closure);
        if ORDERING.contains(&name) && !can().only_reads() {
            found.push((
                Position::NONE,
                Failure::new(
                    "ChangeInOrder",
                    format!("the closure of `{name}` changes the tenant"),
                )
                .hint("an order is asked for any number of times, in any order"),
            ));
        }
        found
    }

    fn closure_of(&self, expr: &Expr) -> Option<String> {
        closure_name(expr).or_else(|| self.named.get(variable(expr)?).cloned())
    }

    /// Captured variables that a closure assigns to, itself or in closures inside it.
    fn lost(&self, closure: &str) -> Vec<(String, Position)> {
        let Some(body) = self.bodies.get(closure) else {
            return Vec::new();
        };
        let inner = body.inner.iter().flat_map(|inner| self.lost(inner));
        let all = body.assigned.iter().cloned().chain(inner);
        all.filter(|(name, _)| body.captured.contains(name) && !body.declared.contains(name))
            .collect()
    }
}

/// How many values a function of the host calls its closure with; the last argument. `None` where nobody knows.
///
/// Rhai's own array functions give the index too where it is asked for, and the element as `this` where nothing is.
#[allow(clippy::match_same_arms)] // one line for each, to be read as a table
fn takes(name: &str, method: bool) -> Option<RangeInclusive<usize>> {
    Some(match (name, method) {
        ("parallel" | "try_parallel", false) => 1..=1,
        ("step" | "attempt", false) => 0..=0,
        ("each" | "any" | "sort_by" | "count_by" | "group_by" | "unique_by", true) => 1..=1,
        (
            "map" | "filter" | "for_each" | "some" | "all" | "find" | "find_map" | "retain"
            | "drain",
            true,
        ) => 0..=2,
        ("sort" | "dedup", true) => 2..=2,
        ("reduce" | "reduce_rev", true) => 1..=3,
        _ => return None,
    })
}

/// What is usual, where several numbers are possible.
fn usual(name: &str, takes: &RangeInclusive<usize>) -> usize {
    match name {
        "reduce" | "reduce_rev" => 2,
        _ if takes.contains(&1) => 1,
        _ => *takes.start(),
    }
}

impl Body {
    fn note(&mut self, node: Node) {
        match node {
            Node::Stmt(Stmt::Assignment(assignment)) => {
                if let Some(name) = root(&assignment.1.lhs) {
                    self.assigned
                        .push((name.to_owned(), assignment.1.lhs.start_position()));
                }
            }
            Node::Stmt(Stmt::Var(var, ..)) => {
                self.declared.insert(var.0.name.to_string());
            }
            Node::Expr(Expr::Dot(dot, ..)) => {
                if let (Some(name), Expr::MethodCall(call, _)) = (variable(&dot.lhs), &dot.rhs)
                    && FILLING.contains(&call.name.as_str())
                {
                    self.assigned
                        .push((name.to_owned(), dot.lhs.start_position()));
                }
            }
            Node::Expr(expr @ Expr::DynamicConstant(..)) => {
                self.inner.extend(closure_name(expr));
            }
            _ => {}
        }
    }
}

/// The engine's name of a closure that stands here, captured variables or not.
pub(super) fn closure_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::DynamicConstant(value, _) => value
            .read_lock::<FnPtr>()
            .filter(|pointer| pointer.is_anonymous())
            .map(|pointer| pointer.fn_name().to_owned()),
        Expr::FnCall(call, _) if call.name == "curry" => call.args.first().and_then(closure_name),
        Expr::Stmt(block) => block.iter().find_map(|statement| match statement {
            Stmt::Expr(expr) => closure_name(expr),
            Stmt::FnCall(call, _) if call.name == "curry" => {
                call.args.first().and_then(closure_name)
            }
            _ => None,
        }),
        _ => None,
    }
}

fn variable(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Variable(variable, ..) if variable.2.is_empty() => Some(variable.1.as_str()),
        _ => None,
    }
}

/// `x` of `x`, `x.y`, `x[0].z`.
pub(super) fn root(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => root(&chain.lhs),
        other => variable(other),
    }
}
