//! What runs when a script runs: from its own statements along calls, closures and imports to the host's functions.
//!
//! It never says less than the truth: a method is whatever has its name, a closure may run wherever it is made, a function whose
//! name is in `Fn("…")` may be called with any values. That holds because `check` refuses names that are made up while a script runs.

use std::collections::{BTreeSet, HashMap, HashSet};

use rhai::{Expr, FnCallExpr, FnPtr, Position, Stmt};

use super::abilities::{Abilities, Ability};
use super::call_of;
use super::kinds::Kinds;
use super::policed::{Through, Use};
use super::removal;
use crate::backup;
use crate::changes::Class;
use crate::graph::Method;
use crate::script::api::graph;
use crate::script::help::Reach as Help;
use crate::script::library::{Entry, shelves};
use crate::script::program::{File, Program};
use crate::script::tree::{self, Node};

/// A file and a body in it.
type Key = (String, String);

#[derive(Default)]
struct Facts {
    uses: Abilities,
    /// Workloads whose sessions it may have in its hands, should something be changed.
    hands: BTreeSet<&'static str>,
    next: HashSet<Key>,
    /// Calls that reach the tenant, each at its place.
    calls: Vec<Use>,
    through: Vec<Through>,
}

/// Which body leads to which.
pub(crate) struct Reach {
    facts: HashMap<Key, Facts>,
}

impl Reach {
    pub(crate) fn of(program: &Program) -> Self {
        let mut facts: HashMap<Key, Facts> = HashMap::new();
        for file in program.files() {
            let names: HashSet<&str> = file.bodies.iter().map(|body| body.name.as_str()).collect();
            let imports = imports(program, file);
            let harmless = Kinds::of(file).harmless;
            for body in &*file.bodies {
                let key = (file.text.name.clone(), body.name.to_string());
                let mut gather = Gather {
                    program,
                    file,
                    names: &names,
                    imports: &imports,
                    harmless: &harmless,
                    at: Position::NONE,
                    facts: facts.entry(key).or_default(),
                };
                tree::each(&body.statements, &mut |node| gather.node(node));
            }
        }
        Self { facts }
    }

    /// The bodies that this one leads to, and itself.
    pub(super) fn reached(&self, file: &str, body: &str) -> HashSet<Key> {
        let mut seen: HashSet<Key> = HashSet::new();
        let mut ahead = vec![(file.to_owned(), body.to_owned())];
        while let Some(key) = ahead.pop() {
            if let Some(facts) = self.facts.get(&key)
                && seen.insert(key)
            {
                ahead.extend(facts.next.iter().cloned());
            }
        }
        seen
    }

    pub(super) fn uses(&self, key: &Key) -> &[Use] {
        self.facts.get(key).map_or(&[], |facts| &facts.calls)
    }

    pub(super) fn through(&self, key: &Key) -> &[Through] {
        self.facts.get(key).map_or(&[], |facts| &facts.through)
    }

    /// What a body can do, with all that it leads to. The name of a file's own statements is empty.
    pub(crate) fn from(&self, file: &str, body: &str) -> Abilities {
        let mut found = Abilities::default();
        let mut hands = BTreeSet::new();
        for key in self.reached(file, body) {
            let facts = &self.facts[&key];
            found.all.extend(&facts.uses.all);
            hands.extend(&facts.hands);
        }
        if !found.only_reads() {
            found.workloads = hands;
        }
        found
    }
}

fn imports(program: &Program, file: &File) -> HashMap<String, Vec<String>> {
    let mut imports: HashMap<String, Vec<String>> = HashMap::new();
    file.each(&mut |node| {
        if let Node::Stmt(Stmt::Import(import, _)) = node
            && let Expr::StringConstant(literal, _) = &import.0
            && let Some(imported) = program.linked(&file.text.name, literal)
        {
            let files = imports.entry(import.1.name.to_string()).or_default();
            files.push(imported.text.name.clone());
        }
    });
    imports
}

/// One body, being looked at.
struct Gather<'g> {
    program: &'g Program,
    file: &'g File,
    /// Functions and closures of the file.
    names: &'g HashSet<&'g str>,
    /// By alias: the names of the files that are imported under it.
    imports: &'g HashMap<String, Vec<String>>,
    /// Places of method calls on what is no object of the tenant.
    harmless: &'g HashSet<Position>,
    /// Where the walk is.
    at: Position,
    facts: &'g mut Facts,
}

impl Gather<'_> {
    fn node(&mut self, node: Node) {
        self.at = match node {
            Node::Stmt(statement) => statement.position(),
            Node::Expr(expression) => expression.start_position(),
        };
        if let Some((call, position, method)) = call_of(node) {
            self.call(call, position, method);
        }
        match node {
            Node::Stmt(Stmt::Import(import, _)) => {
                if let Expr::StringConstant(literal, _) = &import.0
                    && let Some(file) = self.program.linked(&self.file.text.name, literal)
                {
                    self.facts
                        .next
                        .insert((file.text.name.clone(), String::new()));
                }
            }
            // A closure, or a function by its bare name.
            Node::Expr(Expr::DynamicConstant(value, _)) => {
                if let Some(pointer) = value.read_lock::<FnPtr>() {
                    self.pointer(pointer.fn_name());
                }
            }
            Node::Expr(Expr::Variable(variable, ..)) => self.own(&variable.1),
            _ => {}
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position, method: bool) {
        self.at = position;
        let name = call.name.as_str();
        if !call.namespace.path.is_empty() {
            let path: Vec<_> = call
                .namespace
                .path
                .iter()
                .map(|part| part.name.as_str())
                .collect();
            self.qualified(&path, call);
            return;
        }
        if name == "Fn"
            && let Some(Expr::StringConstant(pointed, _)) = call.args.first()
        {
            self.pointer(pointed);
        }
        self.own(name);
        let arity = call.args.len() + usize::from(method);
        // The engine does not count on for ever: places in very long lines are all the same.
        let is_certain = position
            .position()
            .is_some_and(|column| column < usize::from(u16::MAX))
            && position
                .line()
                .is_some_and(|line| line < usize::from(u16::MAX));
        if method && is_certain && self.harmless.contains(&position) {
            return;
        }
        self.host("", name, Some((call, method)), |entry| entry.arity == arity);
    }

    /// A function by its name alone: called with whatever values.
    fn pointer(&mut self, name: &str) {
        if let Some((path, name)) = name.rsplit_once("::") {
            self.imported(path.split("::").next().unwrap_or_default(), name);
            self.host(path, name, None, |_| true);
        } else {
            self.own(name);
            self.host("", name, None, |_| true);
        }
    }

    /// Functions and closures of this file.
    fn own(&mut self, name: &str) {
        if self.names.contains(name) {
            self.facts
                .next
                .insert((self.file.text.name.clone(), name.to_owned()));
        }
    }

    fn qualified(&mut self, path: &[&str], call: &FnCallExpr) {
        let (root, name) = (path[0], call.name.as_str());
        if path.len() > 1 {
            // A file's own imports: whichever file has such a function.
            for file in self.program.files() {
                self.facts
                    .next
                    .insert((file.text.name.clone(), name.to_owned()));
            }
            return;
        }
        self.imported(root, name);
        if root == "graph"
            && let Some(method) = method(name)
        {
            self.graph(name, &method, call.args.first(), call.args.get(1));
            return;
        }
        let arity = call.args.len();
        if root == "graph" {
            self.graph_reading(name, call.args.first());
        } else {
            self.host(root, name, Some((call, false)), |entry| {
                entry.arity == arity
            });
        }
    }

    /// A function of a file that is imported under this name.
    fn imported(&mut self, alias: &str, name: &str) {
        let files = self.imports.get(alias).into_iter().flatten();
        for file in files {
            let is_std = |known: &&File| known.text.name == *file && known.is_std();
            if self.program.files().iter().any(is_std) {
                self.facts.through.push(Through {
                    at: self.at,
                    file: file.clone(),
                    name: name.to_owned(),
                });
            }
            self.facts.next.insert((file.clone(), name.to_owned()));
        }
    }

    fn host(
        &mut self,
        namespace: &str,
        name: &str,
        call: Option<(&FnCallExpr, bool)>,
        fits: impl Fn(&Entry) -> bool,
    ) {
        for entry in &shelves().entries {
            if entry.name == name && entry.namespace == namespace && fits(entry) {
                let ability = match entry.reach {
                    Help::Nothing | Help::Closure | Help::Stream => continue,
                    Help::Read => Ability::Read,
                    Help::Draft => Ability::Draft,
                    Help::Activate => Ability::Activate,
                    Help::Delete => Ability::Delete,
                    Help::Path => Ability::Change,
                };
                self.facts.uses.all.insert(ability);
                // Called the other way round, values stand one place beside their names.
                let call = call.filter(|(_, method)| *method == entry.receiver.is_some());
                let call = call.map(|(call, _)| call);
                let used = Use::of(self.at, entry, ability, call);
                self.facts.calls.push(used);
                self.hand(entry, ability);
            }
        }
    }

    /// Which workloads' sessions a function gives, or changes.
    fn hand(&mut self, entry: &Entry, ability: Ability) {
        let own = backup::WORKLOADS
            .into_iter()
            .find(|workload| workload.name == entry.namespace);
        // Units, points and rows are for looking at; anything else may be, or hold, a session.
        let is_looked_at = ability == Ability::Read
            && ["unit", "point", "row", "item"]
                .iter()
                .any(|kind| entry.returns.contains(kind));
        match own {
            _ if is_looked_at => {}
            Some(workload) => {
                self.facts.hands.insert(workload.name);
            }
            None if (entry.namespace == "sessions" || entry.returns.contains("session"))
                // A method gives back the session that it was called on.
                && entry.receiver.is_none() =>
            {
                self.any_workload();
            }
            None => {}
        }
    }

    fn any_workload(&mut self) {
        self.facts
            .hands
            .extend(backup::WORKLOADS.iter().map(|workload| workload.name));
    }

    /// `graph::post(path, …)`: a plain path says what it does.
    fn graph(&mut self, name: &str, method: &Method, path: Option<&Expr>, body: Option<&Expr>) {
        let literal = match path {
            Some(Expr::StringConstant(path, _)) => Some(path.as_str()),
            _ => None,
        };
        let class = match literal {
            Some(path) => graph::class(method, path),
            None if *method == Method::DELETE => Some(Class::Delete),
            None => Some(Class::Unlisted),
        };
        // What a delta takes out is deleted, and the body need not say so before it is sent.
        let class = match class {
            Some(Class::Draft)
                if *method == Method::PATCH && body.is_none_or(removal::is_possible) =>
            {
                self.facts.uses.all.insert(Ability::Draft);
                Some(Class::Delete)
            }
            Some(Class::Draft)
                if *method == Method::PATCH && !body.is_some_and(removal::only_edits) =>
            {
                Some(Class::Unlisted)
            }
            class => class,
        };
        let used = Use::of_path(self.at, name, method.as_str(), class, literal);
        self.facts.calls.push(used);
        self.facts.uses.all.insert(match class {
            None => Ability::Read,
            Some(Class::Draft) => Ability::Draft,
            Some(Class::Activate) => Ability::Activate,
            Some(Class::Delete) => Ability::Delete,
            Some(Class::Unlisted) => Ability::Change,
        });
        let path = graph::decoded(literal.unwrap_or_default()).to_lowercase();
        let one = backup::WORKLOADS.into_iter().find(|workload| {
            let collection = workload.sessions_path().to_lowercase();
            path.strip_prefix(&collection)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        match one {
            _ if class.is_none() => {}
            Some(workload) => {
                self.facts.hands.insert(workload.name);
            }
            None => self.any_workload(),
        }
    }
}

impl Gather<'_> {
    /// `graph::get(path)` and `graph::pages(path)`.
    fn graph_reading(&mut self, name: &str, path: Option<&Expr>) {
        if !matches!(name, "get" | "pages") {
            return;
        }
        let literal = match path {
            Some(Expr::StringConstant(path, _)) => Some(path.as_str()),
            _ => None,
        };
        self.facts.uses.all.insert(Ability::Read);
        let used = Use::of_path(self.at, name, "GET", None, literal);
        self.facts.calls.push(used);
    }
}

fn method(name: &str) -> Option<Method> {
    match name {
        "post" => Some(Method::POST),
        "patch" => Some(Method::PATCH),
        "delete" => Some(Method::DELETE),
        _ => None,
    }
}
