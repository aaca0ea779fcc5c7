//! Closures that cannot do what they seem to do: assignments that are lost, an order that changes the tenant.

use std::collections::{HashMap, HashSet};

use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, Module, Position, Stmt};

use crate::script::explain;
use crate::script::failure::Failure;
use crate::script::library::shelves;
use crate::script::program::File;

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
pub(super) struct Closures {
    bodies: HashMap<String, Body>,
    /// `let f = |x| …`: the variable's name and the closure's.
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
    /// Script functions it calls.
    calls: HashSet<String>,
    changes: bool,
}

impl Closures {
    pub(super) fn of(file: &File) -> Self {
        let mut all = Self {
            bodies: HashMap::new(),
            named: HashMap::new(),
        };
        // Where a closure is made stands which variables it captures.
        let mut captured: HashMap<String, HashSet<String>> = HashMap::new();
        file.ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Expr(expr @ Expr::FnCall(call, _))) if call.name == "curry" => {
                    if let Some(name) = closure_name(expr) {
                        let names = call
                            .args
                            .iter()
                            .skip(1)
                            .filter_map(variable)
                            .map(str::to_owned);
                        captured.entry(name).or_default().extend(names);
                    }
                }
                Some(ASTNode::Stmt(Stmt::Var(var, ..))) => {
                    if let Some(name) = closure_name(&var.1) {
                        all.named.insert(var.0.name.to_string(), name);
                    }
                }
                _ => {}
            }
            true
        });
        for function in file.ast.iter_fn_def() {
            let name = function.name.as_str();
            let mut body = Body {
                params: function.params.len(),
                captured: captured.remove(name).unwrap_or_default(),
                ..Body::default()
            };
            // The engine walks over all functions or over none: so over a tree that has but one.
            let mut alone = Module::new();
            alone.set_script_fn(function.clone());
            AST::new([], alone).walk(&mut |path: &[ASTNode]| {
                if let Some(node) = path.last() {
                    body.note(node);
                }
                true
            });
            all.bodies.insert(name.to_owned(), body);
        }
        all
    }

    /// What is wrong with the closures given in this call. Without a place of its own the finding is about the call.
    pub(super) fn judge(&self, call: &FnCallExpr) -> Vec<(Position, Failure)> {
        let name = call.name.as_str();
        let mut found = Vec::new();
        if !call.namespace.is_empty() {
            return found;
        }
        let Some(closure) = call.args.last().and_then(|last| self.closure_of(last)) else {
            return found;
        };
        let values = match name {
            "parallel" | "try_parallel" => Some(1),
            "step" | "attempt" => Some(0),
            _ => None,
        };
        if let (Some(values), Some(body)) = (values, self.bodies.get(&closure))
            && body.params != body.captured.len() + values
        {
            found.push((Position::NONE, explain::closure_arity(values)));
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
        if ORDERING.contains(&name) && self.changes(&closure, &mut HashSet::new()) {
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

    fn changes(&self, function: &str, seen: &mut HashSet<String>) -> bool {
        if !seen.insert(function.to_owned()) {
            return false;
        }
        let Some(body) = self.bodies.get(function) else {
            return false;
        };
        body.changes
            || body
                .inner
                .iter()
                .chain(&body.calls)
                .any(|next| self.changes(next, seen))
    }
}

impl Body {
    fn note(&mut self, node: &ASTNode) {
        match node {
            ASTNode::Stmt(Stmt::Assignment(assignment)) => {
                if let Some(name) = root(&assignment.1.lhs) {
                    self.assigned
                        .push((name.to_owned(), assignment.1.lhs.start_position()));
                }
            }
            ASTNode::Stmt(Stmt::Var(var, ..)) => {
                self.declared.insert(var.0.name.to_string());
            }
            ASTNode::Expr(Expr::Dot(dot, ..)) => {
                if let (Some(name), Expr::MethodCall(call, _)) = (variable(&dot.lhs), &dot.rhs)
                    && FILLING.contains(&call.name.as_str())
                {
                    self.assigned
                        .push((name.to_owned(), dot.lhs.start_position()));
                }
            }
            ASTNode::Expr(expr @ Expr::DynamicConstant(..)) => {
                self.inner.extend(closure_name(expr));
            }
            _ => {}
        }
        if let Some((call, ..)) = super::call_of(node) {
            self.calls.insert(call.name.to_string());
            self.changes = self.changes || changes_by_itself(call);
        }
    }
}

/// Does the name stand for a function of the host that changes the tenant?
pub(super) fn changes_by_itself(call: &FnCallExpr) -> bool {
    let namespace = call
        .namespace
        .path
        .first()
        .map_or("", |part| part.name.as_str());
    shelves().entries.iter().any(|entry| {
        entry.changes && entry.namespace == namespace && entry.name == call.name.as_str()
    })
}

/// The engine's name of a closure that stands here, captured variables or not.
fn closure_name(expr: &Expr) -> Option<String> {
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
fn root(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => root(&chain.lhs),
        other => variable(other),
    }
}
