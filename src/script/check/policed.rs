//! What a policy would deny of a script, as far as its text says it: classes, workloads, and what stands there in plain words.
//!
//! A line that is never reached is not denied, and what is made up while a script runs is judged then.

use std::collections::HashSet;

use rhai::{Expr, FnCallExpr, Position};

use super::abilities::Ability;
use super::finding::{Finding, Severity};
use super::is_standard_name;
use super::reach::Reach;
use crate::backup::{Owner, WORKLOADS};
use crate::changes::Class;
use crate::error::Fault;
use crate::policy::{Act, DENIED, Deed, Items, Matter, Policy, Rule};
use crate::script::api::graph;
use crate::script::failure::Failure;
use crate::script::library::Entry;
use crate::script::program::Program;

/// A call that reaches the tenant.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) at: Position,
    ability: Ability,
    /// As help calls it: `exchange::units`, `session.activate`.
    name: String,
    /// A method of this name need not be one of ours.
    is_doubtful: bool,
    workload: Option<&'static str>,
    destination: Option<&'static str>,
    /// How many items stand there one by one.
    items: u64,
    session_size: Option<i64>,
    /// Method and path; the path where it stands there.
    path: Option<(String, Option<String>)>,
}

/// A call of the standard library: what it comes to is said where it is called.
#[derive(Clone, Debug)]
pub(super) struct Through {
    pub(super) at: Position,
    pub(super) file: String,
    pub(super) name: String,
}

impl Use {
    pub(super) fn of(
        at: Position,
        entry: &Entry,
        ability: Ability,
        call: Option<&FnCallExpr>,
    ) -> Self {
        let workload = WORKLOADS
            .iter()
            .find(|workload| workload.name == entry.namespace);
        let mut found = Self {
            at,
            ability,
            name: entry.full_name(),
            is_doubtful: entry.receiver.is_some() && is_standard_name(entry.name),
            workload: workload.map(|workload| workload.name),
            destination: None,
            items: 0,
            session_size: None,
            path: None,
        };
        let args = call.map(|call| &call.args[..]).unwrap_or_default();
        for (index, arg) in args.iter().enumerate() {
            let named = entry
                .params
                .get(index)
                .map_or("", |param| param.split(':').next().unwrap_or_default());
            match arg {
                Expr::StringConstant(text, _) if named == "destination" => {
                    found.destination = destination(text);
                }
                Expr::Map(map, _) => {
                    for (key, value) in &map.0 {
                        match (key.name.as_str(), value) {
                            ("destination", Expr::StringConstant(text, _)) => {
                                found.destination = destination(text);
                            }
                            ("session_size", Expr::IntegerConstant(size, _)) => {
                                found.session_size = Some(*size);
                            }
                            // Not told here, but said all the same.
                            ("destination", _) => found.destination = Some(""),
                            _ => {}
                        }
                    }
                }
                Expr::Array(items, _) => found.items = items.len() as u64,
                Expr::DynamicConstant(value, _) if value.is_array() => {
                    found.items = value.as_array_ref().map_or(0, |items| items.len() as u64);
                }
                _ => {}
            }
        }
        // What is restored by bulk requests goes to a new place, unless the options say otherwise.
        let options = args.get(1);
        let is_plain = options.is_none_or(|options| matches!(options, Expr::Map(..)));
        if entry.name == "restore_bulk" && found.destination.is_none() && is_plain {
            found.destination = Some("new");
        }
        found.destination = found.destination.filter(|to| !to.is_empty());
        found
    }

    /// `graph::post(path, …)`, and reading by path.
    pub(super) fn of_path(
        at: Position,
        name: &str,
        method: &str,
        class: Option<Class>,
        path: Option<&str>,
    ) -> Self {
        let ability = match class {
            None => Ability::Read,
            Some(Class::Draft) => Ability::Draft,
            Some(Class::Activate) => Ability::Activate,
            Some(Class::Delete) => Ability::Delete,
            Some(Class::Unlisted) => Ability::Change,
        };
        let path = path.map(|path| {
            let path = graph::decoded(path);
            if path.starts_with('/') {
                path
            } else {
                format!("/{path}")
            }
        });
        Self {
            at,
            ability,
            name: format!("graph::{name}"),
            is_doubtful: false,
            workload: path.as_deref().and_then(graph::workload),
            destination: None,
            items: 0,
            session_size: None,
            path: Some((method.to_owned(), path)),
        }
    }

    fn deed(&self, policy: &Policy) -> Deed {
        if let Some((method, Some(path))) = &self.path {
            let (method, path) = (method.clone(), path.clone());
            return Deed {
                workload: self.workload,
                matter: Matter::Call { method, path },
            };
        }
        let workload = self.workload.or_else(|| any_workload(policy));
        let mut items = Items {
            destinations: self.destination.into_iter().collect(),
            in_run: self.items,
            in_day: self.items,
            ..Items::default()
        };
        let owned_by = WORKLOADS
            .iter()
            .find(|known| Some(known.name) == self.workload);
        if owned_by.is_some_and(|workload| workload.owned_by == Owner::Site) {
            items.outsiders.push("every site".to_owned());
        }
        Deed {
            workload,
            matter: Matter::Items(items),
        }
    }
}

/// Of a session nobody knows here which workload it is of: one that is allowed.
fn any_workload(policy: &Policy) -> Option<&'static str> {
    let allowed = policy.rules().workloads();
    let mut known = WORKLOADS.iter().map(|workload| workload.name);
    known.find(|name| allowed.is_none_or(|allowed| allowed.iter().any(|own| own == name)))
}

/// Something of which only the class is known.
fn nothing(policy: &Policy) -> Deed {
    Deed {
        workload: any_workload(policy),
        matter: Matter::Nothing,
    }
}

fn destination(text: &str) -> Option<&'static str> {
    ["new", "inPlace"].into_iter().find(|to| *to == text)
}

fn act(ability: Ability) -> Act {
    match ability {
        Ability::Read => Act::Read,
        Ability::Draft => Act::Draft,
        Ability::Activate => Act::Activate,
        Ability::Delete => Act::Delete,
        Ability::Change => Act::Unlisted,
    }
}

/// What the policy would deny, file by file, in the order of the lines; a place is told once.
pub(crate) fn denials(program: &Program, policy: &Policy) -> Vec<Finding> {
    let reach = Reach::of(program);
    let mut found = Vec::new();
    let reached = reach.reached(&program.main().text.name, "");
    for file in program.files().into_iter().filter(|file| !file.is_std()) {
        let mut told: HashSet<(Position, Rule)> = HashSet::new();
        let mut here: Vec<(Position, Finding)> = Vec::new();
        let bodies = file
            .bodies
            .iter()
            .map(|body| (file.text.name.clone(), body.name.to_string()));
        for key in bodies.filter(|key| reached.contains(key)) {
            for used in reach.uses(&key) {
                if let Some((rule, finding)) = judge(policy, used)
                    && told.insert((used.at, rule))
                {
                    here.push((used.at, finding));
                }
            }
            for through in reach.through(&key) {
                for ability in reach.from(&through.file, &through.name).all {
                    if let Err(denial) = policy.judge(act(ability), &nothing(policy), None)
                        && told.insert((through.at, denial.rule))
                    {
                        let fault = named(policy.fault(&denial), &through.name);
                        here.push((through.at, Finding::error(fault)));
                    }
                }
            }
        }
        here.sort_by_key(|(at, _)| (at.line(), at.position()));
        found.extend(here.into_iter().map(|(at, mut finding)| {
            finding.fault.place = file.text.place(at);
            finding
        }));
    }
    found
}

fn judge(policy: &Policy, used: &Use) -> Option<(Rule, Finding)> {
    match policy.judge(act(used.ability), &used.deed(policy), None) {
        Err(denial) => {
            let fault = policy.fault(&denial);
            // A call by its path is named already.
            let fault = match used.path {
                Some((_, Some(_))) => fault,
                _ => named(fault, &used.name),
            };
            let finding = if used.is_doubtful {
                Finding::warning(fault)
            } else {
                Finding::error(fault)
            };
            Some((denial.rule, finding))
        }
        Ok(()) => doubt(policy, used),
    }
}

/// What is judged only while it runs, where that may be a surprise.
fn doubt(policy: &Policy, used: &Use) -> Option<(Rule, Finding)> {
    let warning = |rule: Rule, message: String| {
        let failure = Failure::new(DENIED, message);
        let mut finding = Finding::new(Severity::Warning, failure, None);
        finding.fault.context.push(policy.source(rule));
        Some((rule, finding))
    };
    let rules = policy.rules();
    if let (Some((method, None)), true) = (&used.path, rules.graph_paths().is_some()) {
        let message = format!(
            "this path is made up while the script runs: whether `{method}` may call it is said then"
        );
        return warning(Rule::GraphPaths, message);
    }
    match (used.session_size, rules.max_items_per_session()) {
        (Some(size), Some(most)) if size > i64::from(most) => {
            let message = format!("sessions of {size} items become sessions of {most}");
            warning(Rule::MaxItemsPerSession, message)
        }
        _ => None,
    }
}

fn named(fault: Fault, name: &str) -> Fault {
    fault.context(format!("`{name}` does it"))
}
