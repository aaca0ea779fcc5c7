//! Calls of names that nothing has, and with numbers of values that nothing takes.

use std::collections::{HashMap, HashSet};

use rhai::{Expr, FnCallExpr, Stmt};

use super::{Arities, GLOBALS, KEYWORDS, is_name};
use crate::script::explain;
use crate::script::failure::Failure;
use crate::script::library::{Entry, shelves};
use crate::script::program::{File, Program};
use crate::script::tree::{self, Node};
use crate::script::words;

/// What can be called in one file.
pub(super) struct Known {
    /// The file's own functions, without `this`.
    own: Arities,
    /// By alias: the functions of imported files.
    imports: HashMap<String, Arities>,
    /// Keys of maps: closures may be kept there.
    kept: HashSet<String>,
    variables: HashSet<String>,
    /// Imports that nobody can look into.
    opaque: HashSet<String>,
    /// Words of what could not be parsed: functions may be defined there.
    lost: HashSet<String>,
}

impl Known {
    pub(super) fn of(program: &Program, file: &File) -> Self {
        let mut known = Self {
            own: functions(file),
            imports: HashMap::new(),
            kept: HashSet::new(),
            variables: HashSet::new(),
            opaque: HashSet::new(),
            lost: file.lost.clone().unwrap_or_default().words,
        };
        for other in program.files() {
            known.keep(other);
        }
        file.each(&mut |node| {
            if let Node::Stmt(Stmt::Import(import, _)) = node
                && let Expr::StringConstant(literal, _) = &import.0
            {
                let alias = import.1.name.to_string();
                match program.linked(&file.text.name, literal) {
                    // Of a file that was not found or could not be read whole nobody knows what it has.
                    Some(imported) if imported.lost.is_none() => {
                        let all = known.imports.entry(alias).or_default();
                        for (name, params) in functions(imported) {
                            all.entry(name).or_default().extend(params);
                        }
                    }
                    _ => {
                        known.opaque.insert(alias);
                    }
                }
            }
        });
        known
    }

    /// `#{f: |x| x}` makes `m.f(1)` a call of a closure.
    fn keep(&mut self, file: &File) {
        file.each(&mut |node| match node {
            Node::Stmt(Stmt::Var(var, ..)) => {
                self.variables.insert(var.0.name.to_string());
            }
            Node::Expr(Expr::Map(map, _)) => self
                .kept
                .extend(map.0.iter().map(|(key, _)| key.name.to_string())),
            Node::Stmt(Stmt::Assignment(assignment)) => {
                if let Expr::Dot(dot, ..) = &assignment.1.lhs {
                    let mut last = &dot.rhs;
                    while let Expr::Dot(chain, ..) = last {
                        last = &chain.rhs;
                    }
                    if let Expr::Property(property, _) = last {
                        self.kept.insert(property.2.to_string());
                    }
                }
            }
            _ => {}
        });
    }

    pub(super) fn judge(&self, call: &FnCallExpr, method: bool) -> Option<Failure> {
        let name = call.name.as_str();
        if !is_name(name) {
            return None;
        }
        if !call.namespace.is_empty() {
            return self.qualified(call);
        }
        if name == "Fn" {
            return dynamic(call);
        }
        if KEYWORDS.contains(&name) || (method && self.kept.contains(name)) {
            return None;
        }
        if self.lost.contains(name) && !GLOBALS.contains_key(name) {
            return None;
        }
        if (name == "exit" || name == "timestamp") && !self.own.contains_key(name) {
            return Some(switched_off(name));
        }
        let given = call.args.len();
        let own = self.own.get(name);
        let params = if method { given + 1 } else { given };
        // A script's method is called without its receiver; called as a function it gets all.
        let fits = own.is_some_and(|own| own.contains(&given))
            || GLOBALS.get(name).is_some_and(|all| all.contains(&params));
        if fits {
            return None;
        }
        if let Some(own) = own {
            return Some(wrong_count(name, own.iter().copied(), given, Vec::new()));
        }
        let Some(all) = GLOBALS.get(name) else {
            return Some(self.unknown(name, method));
        };
        let counts = all
            .iter()
            .filter_map(|params| params.checked_sub(usize::from(method)));
        let entries = shelves()
            .global(name)
            .filter(|entry| entry.receiver.is_some() == method);
        Some(wrong_count(
            name,
            counts,
            given,
            entries.map(Entry::signature).collect(),
        ))
    }

    fn unknown(&self, name: &str, method: bool) -> Failure {
        let failure = Failure::new("NoSuchFunction", format!("there is no function `{name}`"));
        if self.variables.contains(name) {
            return failure.hint(format!(
                "a closure in a variable is called as `{name}.call(…)`"
            ));
        }
        if let Some(near) = words::nearest(name, self.own.keys().map(String::as_str)) {
            return failure.hint(format!("did you mean `{near}`?"));
        }
        if let Some((alias, _)) = self
            .imports
            .iter()
            .find(|(_, functions)| functions.contains_key(name))
        {
            return failure.hint(format!("did you mean `{alias}::{name}`?"));
        }
        if method {
            let names = shelves()
                .entries
                .iter()
                .filter(|entry| entry.namespace.is_empty())
                .map(|entry| entry.name);
            return match words::nearest(name, names)
                .or_else(|| words::nearest(name, super::global_names()))
            {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure,
            };
        }
        explain::unknown_function("", name, &[])
    }

    fn qualified(&self, call: &FnCallExpr) -> Option<Failure> {
        let path: Vec<_> = call
            .namespace
            .path
            .iter()
            .map(|part| part.name.as_str())
            .collect();
        let [root] = path.as_slice() else {
            return None;
        };
        let (name, given) = (call.name.as_str(), call.args.len());
        if self.opaque.contains(*root) {
            return None;
        }
        if let Some(functions) = self.imports.get(*root) {
            return match functions.get(name) {
                Some(params) if params.contains(&given) => None,
                Some(params) => Some(wrong_count(
                    &format!("{root}::{name}"),
                    params.iter().copied(),
                    given,
                    Vec::new(),
                )),
                None => {
                    let failure = Failure::new(
                        "NoSuchFunction",
                        format!("there is no function `{root}::{name}`"),
                    );
                    Some(
                        match words::nearest(name, functions.keys().map(String::as_str)) {
                            Some(near) => failure.hint(format!("did you mean `{root}::{near}`?")),
                            None => failure,
                        },
                    )
                }
            };
        }
        if !shelves().is_namespace(root) {
            return None;
        }
        let entries: Vec<_> = shelves()
            .namespace(root)
            .filter(|entry| entry.name == name)
            .collect();
        if entries.is_empty() {
            return Some(explain::unknown_function(root, name, &[]));
        }
        if entries.iter().any(|entry| entry.arity == given) {
            return None;
        }
        let counts = entries.iter().map(|entry| entry.arity);
        Some(wrong_count(
            &format!("{root}::{name}"),
            counts,
            given,
            entries.iter().map(|entry| entry.signature()).collect(),
        ))
    }
}

fn functions(file: &File) -> Arities {
    let mut all = Arities::new();
    for body in &*file.bodies {
        if !body.name.is_empty() && !tree::is_closure(&body.name) {
            all.entry(body.name.to_string())
                .or_default()
                .insert(body.params.len());
        }
    }
    all
}

/// `Fn(…)` of a text that is made up while running: nobody could say what it calls.
fn dynamic(call: &FnCallExpr) -> Option<Failure> {
    let literal = matches!(call.args.first(), Some(Expr::StringConstant(..)));
    (!literal).then(|| {
        Failure::new("DynamicCall", "`Fn(…)` takes a plain text").hint(
            "what a script calls must be known before it runs; a closure `|x| …` does the same",
        )
    })
}

fn switched_off(name: &str) -> Failure {
    let failure = Failure::new("SwitchedOff", format!("`{name}` is switched off"));
    match name {
        "exit" => failure.hint("`return` ends the script; `throw \"why\"` ends it as failed"),
        _ => failure.hint("`now()` is the current time"),
    }
}

fn wrong_count(
    name: &str,
    counts: impl Iterator<Item = usize>,
    given: usize,
    mut signatures: Vec<String>,
) -> Failure {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_unstable();
    counts.dedup();
    let takes = match counts.as_slice() {
        [] | [0] => "takes no values".to_owned(),
        [1] => "takes one value".to_owned(),
        [.., last] => {
            let first: Vec<_> = counts[..counts.len() - 1]
                .iter()
                .map(ToString::to_string)
                .collect();
            if first.is_empty() {
                format!("takes {last} values")
            } else {
                format!("takes {} or {last} values", first.join(", "))
            }
        }
    };
    let are = match given {
        0 => "none is given".to_owned(),
        1 => "one is given".to_owned(),
        _ => format!("{given} are given"),
    };
    let mut failure = Failure::new("WrongArguments", format!("`{name}` {takes}, {are}"));
    signatures.dedup();
    for signature in signatures.into_iter().take(6) {
        failure = failure.hint(format!("it is `{signature}`"));
    }
    failure
}
