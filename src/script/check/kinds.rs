//! What values are, as far as the script itself says: `let rows = exchange::latest_points(…)` are rows, and stay rows where nothing is
//! ever assigned to `rows`. So a slip in a name behind a dot is found that would only show hours later, in a branch that seldom runs.
//!
//! It claims nothing of which it is not sure. A variable of a name that is assigned to anywhere in the file has no kind, and where a
//! script changes `this`, nothing has.

use std::collections::{HashMap, HashSet};

use rhai::{ASTFlags, Expr, FnCallExpr, Position, Stmt};

use super::closures::{closure_name, root};
use crate::script::failure::Failure;
use crate::script::library::{Entry, shelves};
use crate::script::program::File;
use crate::script::tree::{self, Body, Node, Visit};
use crate::script::values;
use crate::script::words;

/// What a value is known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An object of Graph, in the words of signatures: "user", "restore point".
    Object(&'static str),
    /// What `points_before` and its like give for each item.
    Row,
    /// An array, a list or a stream, and of what.
    List(Option<Box<Kind>>),
    /// A map that the script has written out, with these keys.
    Map(Vec<String>),
    /// A text, a number, another map, a time: nothing that has to do with the tenant.
    Plain,
}

/// Graph's types behind the words of signatures.
const OBJECTS: [(&str, &[&str]); 6] = [
    ("user", &["user"]),
    ("group", &["group"]),
    (
        "unit",
        &[
            "mailboxProtectionUnit",
            "driveProtectionUnit",
            "siteProtectionUnit",
        ],
    ),
    ("restore point", &["restorePoint"]),
    (
        "session",
        &[
            "exchangeRestoreSession",
            "oneDriveForBusinessRestoreSession",
            "sharePointRestoreSession",
        ],
    ),
    (
        "artifact",
        &[
            "mailboxRestoreArtifact",
            "driveRestoreArtifact",
            "siteRestoreArtifact",
        ],
    ),
];

/// What the host puts beside Graph's properties.
const COLUMNS: [&str; 6] = ["item", "name", "unit", "point", "code", "reason"];
const LIVE: [&str; 5] = ["count", "parts", "raw", "status", "workload"];

impl Kind {
    /// From the words behind `->`. Words that are not known here say nothing.
    fn read(words: &str) -> Option<Self> {
        let words = words.strip_suffix(" or ()").unwrap_or(words);
        for list in ["stream of ", "array of "] {
            if let Some(inside) = words.strip_prefix(list) {
                return Some(Self::List(Self::read(inside).map(Box::new)));
            }
        }
        match words {
            "row" => Some(Self::Row),
            "array" | "stream" | "list" | "rows" => Some(Self::List(None)),
            "text" | "whole number" | "number" | "true or false" | "map" | "datetime"
            | "duration" => Some(Self::Plain),
            _ => OBJECTS
                .iter()
                .find(|(name, _)| *name == words)
                .map(|(name, _)| Self::Object(name)),
        }
    }

    fn item(&self) -> Option<Self> {
        match self {
            Self::List(Some(item)) => Some((**item).clone()),
            _ => None,
        }
    }
}

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

type Scope = HashMap<String, Option<Kind>>;

/// One body, being looked at.
struct Looking<'a, 'w> {
    assigned: &'w HashSet<&'a str>,
    keys: &'w HashSet<&'a str>,
    closures: &'w HashMap<&'a str, &'a Body>,
    scopes: Vec<Scope>,
    ahead: &'w mut Vec<(&'a Body, Scope)>,
    /// Closures that have been met.
    given: &'w mut HashSet<&'a str>,
    /// Rests of chains.
    links: HashSet<*const Expr>,
    /// Kinds of names that are about to be declared.
    coming: Vec<(*const str, Option<Kind>)>,
    found: &'w mut Kinds,
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
            Expr::StringConstant(..)
            | Expr::InterpolatedString(..)
            | Expr::IntegerConstant(..)
            | Expr::FloatConstant(..)
            | Expr::BoolConstant(..)
            | Expr::CharConstant(..) => Some(Kind::Plain),
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
        if namespace.is_empty() && super::is_standard_name(&call.name) {
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
            (Kind::Row, Expr::Property(property, _)) if property.2 == "point" => {
                Some(Kind::Object("restore point"))
            }
            (Kind::List(item), Expr::MethodCall(call, _)) => match call.name.as_str() {
                "collect" | "filter" | "sort_by" | "unique_by" | "order_by" | "extract" => {
                    Some(Kind::List(item.clone()))
                }
                "first" if call.args.len() == 1 => Some(Kind::List(item.clone())),
                "first" | "last" | "find" => item.as_deref().cloned(),
                "chunks" => Some(Kind::List(Some(Box::new(Kind::List(item.clone()))))),
                "map" => Some(Kind::List(None)),
                "len" | "count" => Some(Kind::Plain),
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
                    let wrong = of.as_ref().and_then(|of| self.no_such(of, &property.2));
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

    fn no_such(&self, of: &Kind, property: &str) -> Option<Failure> {
        match of {
            Kind::Row => {
                if COLUMNS.contains(&property) || self.keys.contains(property) {
                    return None;
                }
                let near = words::nearest(property, COLUMNS)?;
                let failure = Failure::new(
                    "NoSuchProperty",
                    format!("a row has no `{property}`: this would be `()`"),
                );
                Some(failure.hint(format!("did you mean `{near}`?")))
            }
            Kind::Object(word) => {
                let (_, types) = OBJECTS.iter().find(|(name, _)| name == word)?;
                let kinds = types.iter().map(|name| values::Kind::of(name));
                let mut names: Vec<&str> = kinds.flat_map(values::Kind::properties).collect();
                names.extend(COLUMNS);
                names.extend(LIVE);
                names.extend(shelves().properties.iter().map(|property| property.name));
                if names.contains(&property) || names.len() <= COLUMNS.len() + LIVE.len() {
                    return None;
                }
                let near = words::nearest(property, names)?;
                let failure = Failure::new(
                    "NoSuchProperty",
                    format!("{} has no property `{property}`", words::article(word)),
                );
                Some(failure.hint(format!("did you mean `{near}`?")))
            }
            Kind::Map(keys) => {
                if keys.iter().any(|key| key == property) || self.keys.contains(property) {
                    return None;
                }
                let near = words::nearest(property, keys.iter().map(String::as_str))?;
                let failure = Failure::new(
                    "NoSuchKey",
                    format!("the map has no key `{property}`: this is `()`"),
                );
                Some(failure.hint(format!("did you mean `{near}`?")))
            }
            Kind::List(_) | Kind::Plain => None,
        }
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
                    self.come(&counter.name, Some(Kind::Plain));
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
            Expr::FnCall(call, _) => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::source::Text;

    fn wrong(text: &str) -> Vec<String> {
        let (file, faults) = File::parse(Text::read("x.rhai", text.as_bytes()).unwrap());
        assert!(faults.is_empty(), "{text}: {faults:?}");
        let kinds = Kinds::of(&file);
        let mut found: Vec<_> = kinds
            .wrong
            .into_iter()
            .map(|(_, failure)| failure.message)
            .collect();
        found.sort();
        found
    }

    #[test]
    fn a_slip_behind_a_dot_is_found_where_the_kind_is_certain() {
        for (text, name) in [
            ("users::get(\"x\").dispalyName", "dispalyName"),
            ("let u = users::get(\"x\"); print(u.maill);", "maill"),
            (
                "let rows = exchange::latest_points([]); for row in rows { print(row.pont); }",
                "pont",
            ),
            (
                "let rows = exchange::latest_points([]); rows.filter(|row| row.coed == ())",
                "coed",
            ),
            (
                "let rows = exchange::latest_points([]); rows[0].pionts",
                "pionts",
            ),
            (
                "let r = exchange::latest_points([]); let x = 5; parallel(r, 2, |row| row.pont + x)",
                "pont",
            ),
            (
                "exchange::latest_points([]).filter(|r| true).map(|row| row.point.protectionDatetime)",
                "protectionDatetime",
            ),
            (
                "let s = exchange::create_session(); s.artifacts().each(|a| print(a.statsu))",
                "statsu",
            ),
            (
                "let s = exchange::create_session(); print(s.staus)",
                "staus",
            ),
            (
                "for w in exchange::latest_points([]).chunks(5) { for row in w { row.nmae } }",
                "nmae",
            ),
            (
                "fn f() { let u = users::get(\"x\"); if u.mail == () { u.displayname } }",
                "displayname",
            ),
            (
                "users::list().map(|u| exchange::latest_points([u]).map(|row| row.pont))",
                "pont",
            ),
        ] {
            let found = wrong(text);
            assert!(
                found.len() == 1 && found[0].contains(&format!("`{name}`")),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn a_key_that_a_map_has_not_got_is_doubtful() {
        let doubtful = |text: &str| {
            let (file, _) = File::parse(Text::read("x.rhai", text.as_bytes()).unwrap());
            Kinds::of(&file).doubtful.len()
        };
        assert_eq!(doubtful("let m = #{name: 1}; m.nmae"), 1);
        assert_eq!(doubtful("#{name: 1}.nmae"), 1);
        for text in [
            "let m = #{name: 1}; m.other",
            "let m = #{name: 1}; m.nmae = 2; m.nmae",
            "let m = #{name: 1}; m[\"nmae\"] = 2; m.nmae",
            "let m = #{name: 1}; for k in [\"nmae\"] { m[k] = 2; } m.nmae",
            "let m = #{name: 1}; m += #{nmae: 2}; m.nmae",
            "let m = #{name: 1}; let n = #{nmae: 1}; m.mixin(n); m.nmae",
            "let m = json::parse(\"{}\"); m.nmae",
        ] {
            assert_eq!(doubtful(text), 0, "{text}");
        }
    }

    #[test]
    fn nothing_is_claimed_where_something_else_may_be_meant() {
        for text in [
            "users::get(\"x\").displayName",
            "let u = users::get(\"x\"); u = #{}; u.dispalyName",
            "let u = users::get(\"x\"); { let u = #{}; u.dispalyName }",
            "let u = users::get(\"x\"); u.raw.dispalyName",
            "let u = users::get(\"x\"); [1].map(|u| u.dispalyName)",
            "fn f(u) { u.dispalyName } f(users::get(\"x\"))",
            "fn f() { this = 5; } let u = users::get(\"x\"); u.f(); u.dispalyName",
            "let rows = exchange::latest_points([]); for row in rows { row.pont = 1; row.pont }",
            "let rows = exchange::latest_points([]).map(|r| #{pont: r}); rows[0].pont",
            "graph::get(\"/users/x\").dispalyName",
            "groups::members(\"x\", #{kinds: \"all\"}).map(|m| m.dispalyName)",
            "let s = exchange::create_session(); s.workload; s.parts; s.count; s.status; s.raw.x",
            "let rows = exchange::latest_points([]); rows.len; rows[0].item.anything",
            "let u = (); u = users::get(\"x\"); u.dispalyName",
            "for u in users::list() { } let u = #{}; u.dispalyName",
        ] {
            assert_eq!(wrong(text), Vec::<String>::new(), "{text}");
        }
    }
}
