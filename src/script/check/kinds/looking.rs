//! One body of a script, being looked at: which variable is what, and what stands behind each dot.

use std::collections::{HashMap, HashSet};

use rhai::{ASTFlags, Expr, FnCallExpr, Stmt};

use super::super::closures::closure_name;
use super::kind::Kind;
use super::{Kinds, comparing};
use crate::script::check;
use crate::script::library::{Entry, shelves};
use crate::script::tree::{Body, Visit};

pub(super) type Scope = HashMap<String, Option<Kind>>;

/// One body, being looked at.
pub(super) struct Looking<'a, 'w> {
    pub(super) assigned: &'w HashSet<&'a str>,
    pub(super) keys: &'w HashSet<&'a str>,
    pub(super) closures: &'w HashMap<&'a str, &'a Body>,
    pub(super) scopes: Vec<Scope>,
    pub(super) ahead: &'w mut Vec<(&'a Body, Scope)>,
    /// Closures that have been met.
    pub(super) given: &'w mut HashSet<&'a str>,
    /// Rests of chains.
    pub(super) links: HashSet<*const Expr>,
    /// Kinds of names that are about to be declared.
    pub(super) coming: Vec<(*const str, Option<Kind>)>,
    pub(super) found: &'w mut Kinds,
}

impl<'a> Looking<'a, '_> {
    fn variable(&self, name: &str) -> Option<Kind> {
        if self.assigned.contains(name) {
            return None;
        }
        let scope = self.scopes.iter().rev();
        scope
            .into_iter()
            .find_map(|scope| scope.get(name))
            .cloned()
            .flatten()
    }

    fn kind(&self, expr: &Expr) -> Option<Kind> {
        match expr {
            Expr::Variable(variable, ..) if variable.2.path.is_empty() => {
                self.variable(&variable.1)
            }
            Expr::Array(items, _) => {
                let mut kinds = items.iter().map(|item| self.kind(item));
                let first = kinds.next().flatten();
                let is_one = kinds.all(|kind| kind == first);
                Some(Kind::List(first.filter(|_| is_one).map(Box::new)))
            }
            Expr::Map(map, _) => {
                let keys = map.0.iter().map(|(key, _)| key.name.to_string());
                Some(Kind::Map(keys.collect()))
            }
            Expr::StringConstant(..) | Expr::InterpolatedString(..) | Expr::CharConstant(..) => {
                Some(Kind::Plain("text"))
            }
            Expr::IntegerConstant(..) => Some(Kind::Plain("whole number")),
            Expr::FloatConstant(..) => Some(Kind::Plain("number")),
            Expr::BoolConstant(..) => Some(Kind::Plain("true or false")),
            Expr::FnCall(call, _) => self.called(call),
            Expr::Dot(parts, flags, _) => {
                self.chain(self.kind(&parts.lhs), &parts.rhs, *flags, false)
            }
            Expr::Index(parts, flags, _) => {
                self.chain(self.kind(&parts.lhs), &parts.rhs, *flags, true)
            }
            _ => None,
        }
    }

    /// What a function of the host gives; of the script's own nobody knows.
    #[allow(clippy::unused_self)] // a method like its neighbours
    fn called(&self, call: &FnCallExpr) -> Option<Kind> {
        let namespace = match call.namespace.path.as_slice() {
            [] => "",
            [one] => one.name.as_str(),
            _ => return None,
        };
        // Users, unless it is told otherwise.
        if namespace == "groups" && call.name == "members" && call.args.len() > 1 {
            return None;
        }
        if namespace.is_empty() && check::is_standard_name(&call.name) {
            return None;
        }
        let entries = shelves().entries.iter().filter(|entry| {
            entry.namespace == namespace
                && entry.name == call.name
                && entry.arity == call.args.len()
                && entry.receiver.is_none()
        });
        given(entries)
    }

    /// What comes out of `.rhs` or `[rhs]` behind a value of this kind.
    fn chain(&self, of: Option<Kind>, rhs: &Expr, flags: ASTFlags, is_index: bool) -> Option<Kind> {
        let (first, rest) = links(rhs, flags);
        let kind = if is_index {
            of?.item()
        } else {
            self.link(of.as_ref(), first)
        };
        match rest {
            Some((rhs, flags, is_index)) => self.chain(kind, rhs, flags, is_index),
            None => kind,
        }
    }

    #[allow(clippy::unused_self)] // a method like its neighbours
    fn link(&self, of: Option<&Kind>, link: &Expr) -> Option<Kind> {
        match (of?, link) {
            (of, Expr::Property(property, _)) => of.property(&property.2),
            (Kind::List(item), Expr::MethodCall(call, _)) => match call.name.as_str() {
                "collect" | "filter" | "sort_by" | "unique_by" | "order_by" | "extract" => {
                    Some(Kind::List(item.clone()))
                }
                "first" if call.args.len() == 1 => Some(Kind::List(item.clone())),
                "first" | "last" | "find" => item.as_deref().cloned(),
                "chunks" => Some(Kind::List(Some(Box::new(Kind::List(item.clone()))))),
                "map" => Some(Kind::List(None)),
                "len" | "count" => Some(Kind::Plain("whole number")),
                _ => None,
            },
            (Kind::Object(of), Expr::MethodCall(call, _)) => {
                let entries = shelves().entries.iter().filter(|entry| {
                    entry.name == call.name
                        && entry.arity == call.args.len() + 1
                        && entry.receiver == Some(of)
                });
                given(entries)
            }
            _ => None,
        }
    }

    /// Looks at each link of a chain that begins here.
    fn look(&mut self, of: Option<Kind>, rhs: &'a Expr, flags: ASTFlags, is_index: bool) {
        let (first, rest) = links(rhs, flags);
        if !is_index {
            match first {
                Expr::Property(property, position) => {
                    let wrong = of
                        .as_ref()
                        .and_then(|of| of.no_such(&property.2, self.keys));
                    let found = match of {
                        Some(Kind::Map(_)) => &mut self.found.doubtful,
                        _ => &mut self.found.wrong,
                    };
                    found.extend(wrong.map(|failure| (*position, failure)));
                }
                Expr::MethodCall(call, position) => {
                    if of.is_some() && !matches!(of, Some(Kind::Object(_))) {
                        self.found.harmless.insert(*position);
                    }
                    self.give(of.as_ref(), call);
                }
                _ => {}
            }
        }
        let Some((behind, flags, goes_on_in_brackets)) = rest else {
            return;
        };
        self.links.insert(std::ptr::from_ref(rhs));
        let kind = if is_index {
            of.as_ref().and_then(Kind::item)
        } else {
            self.link(of.as_ref(), first)
        };
        self.look(kind, behind, flags, goes_on_in_brackets);
    }

    /// Closures among the arguments of a call get the items of its receiver, or of the list beside them.
    fn give(&mut self, of: Option<&Kind>, call: &'a FnCallExpr) {
        let item = match call.name.as_str() {
            "filter" | "map" | "each" | "for_each" | "some" | "any" | "all" | "find"
            | "sort_by" | "count_by" | "group_by" | "unique_by" => of.and_then(Kind::item),
            "parallel" | "try_parallel" => {
                let list = call.args.first().and_then(|list| self.kind(list));
                list.as_ref().and_then(Kind::item)
            }
            _ => None,
        };
        for arg in &call.args {
            self.closure(arg, item.as_ref());
        }
    }

    /// A closure is looked at later, with what it has captured and what its first parameter is. Where it is met first, most is known.
    fn closure(&mut self, expr: &Expr, item: Option<&Kind>) {
        let Some(name) = closure_name(expr) else {
            return;
        };
        let Some(body) = self.closures.get(name.as_str()).copied() else {
            return;
        };
        if !self.given.insert(body.name.as_str()) {
            return;
        }
        let curried = currying(expr).map_or(0, |call| call.args.len().saturating_sub(1));
        let mut scope = Scope::new();
        for (index, param) in body.params.iter().enumerate() {
            let kind = if index < curried {
                self.variable(param)
            } else {
                item.filter(|_| index == curried).cloned()
            };
            scope.insert(param.to_string(), kind);
        }
        self.ahead.push((body, scope));
    }

    fn come(&mut self, name: &'a str, kind: Option<Kind>) {
        self.coming.push((std::ptr::from_ref(name), kind));
    }
}

/// What all of these functions give, where that is one thing.
fn given<'e>(entries: impl Iterator<Item = &'e Entry>) -> Option<Kind> {
    let mut kinds = entries.map(|entry| Kind::read(&entry.returns));
    let first = kinds.next()??;
    kinds
        .all(|kind| kind.as_ref() == Some(&first))
        .then_some(first)
}

/// A rest of a chain, whether it goes on in brackets.
type Rest<'e> = (&'e Expr, ASTFlags, bool);

/// The next link of a chain, and what comes behind it.
fn links(rhs: &Expr, flags: ASTFlags) -> (&Expr, Option<Rest<'_>>) {
    if flags.intersects(ASTFlags::BREAK) {
        return (rhs, None);
    }
    match rhs {
        Expr::Dot(parts, flags, _) => (&parts.lhs, Some((&parts.rhs, *flags, false))),
        Expr::Index(parts, flags, _) => (&parts.lhs, Some((&parts.rhs, *flags, true))),
        other => (other, None),
    }
}

/// The `curry` that gives a closure what it captures, where there is one.
fn currying(expr: &Expr) -> Option<&FnCallExpr> {
    match expr {
        Expr::FnCall(call, _) if call.name == "curry" => Some(call),
        Expr::Stmt(block) => block.iter().find_map(|statement| match statement {
            Stmt::Expr(inner) => currying(inner),
            Stmt::FnCall(call, _) if call.name == "curry" => Some(call),
            _ => None,
        }),
        _ => None,
    }
}

impl<'a> Visit<'a> for Looking<'a, '_> {
    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Var(var, ..) => {
                let kind = self.kind(&var.1);
                self.come(&var.0.name, kind);
            }
            Stmt::For(parts, _) => {
                let (item, counter, parts) = &**parts;
                let kind = self.kind(&parts.expr).as_ref().and_then(Kind::item);
                if let Some(counter) = counter {
                    self.come(&counter.name, Some(Kind::Plain("whole number")));
                }
                self.come(&item.name, kind);
            }
            Stmt::FnCall(call, _) => self.give(None, call),
            _ => {}
        }
    }

    fn expression(&mut self, expression: &'a Expr) {
        // The rest of a chain is no value of its own: it has been looked at with the chain.
        if self.links.contains(&std::ptr::from_ref(expression)) {
            return;
        }
        match expression {
            Expr::Dot(parts, flags, _) => {
                let of = self.kind(&parts.lhs);
                self.look(of, &parts.rhs, *flags, false);
            }
            Expr::Index(parts, flags, _) => {
                let of = self.kind(&parts.lhs);
                self.look(of, &parts.rhs, *flags, true);
            }
            Expr::FnCall(call, position) => {
                if let Some(failure) = comparing::judge(call, |side| self.kind(side)) {
                    self.found.wrong.push((*position, failure));
                }
                self.give(None, call);
                self.closure(expression, None);
            }
            // A closure that is kept, or given to a function of the script.
            Expr::DynamicConstant(..) | Expr::Stmt(_) => self.closure(expression, None),
            _ => {}
        }
    }

    fn declare(&mut self, name: &'a str) {
        let at = self
            .coming
            .iter()
            .rposition(|(coming, _)| std::ptr::eq(*coming, name));
        let kind = at.and_then(|at| self.coming.remove(at).1);
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned(), kind);
        }
    }

    fn enter(&mut self) {
        self.scopes.push(Scope::new());
    }

    fn leave(&mut self) {
        self.scopes.pop();
    }
}
