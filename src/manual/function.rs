//! Functions, whoever brings them: all overloads of a name together, with the one help they share.

use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::Page;
use crate::script::help::{Help, Reach};
use crate::script::library::{Entry, shelves};
use crate::script::standard::{self, Foreign};

/// Who brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Host,
    /// A building block of `std/`.
    Standard,
    /// Rhai itself.
    Language,
}

/// The namespaces with the same verbs.
pub(super) const WORKLOADS: [&str; 3] = ["exchange", "onedrive", "sharepoint"];

/// All overloads of one name.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) from: From,
    /// `exchange`, `std/waves`; empty for methods and global functions.
    pub(crate) home: String,
    pub(crate) receiver: Option<&'static str>,
    pub(crate) name: String,
    /// As they are called, with what they return.
    pub(crate) signatures: Vec<String>,
    /// Of all overloads, without their types.
    pub(crate) params: Vec<String>,
    pub(crate) returns: Vec<String>,
    pub(crate) help: Help,
}

/// Everything there is, in the order of registration.
pub(crate) fn all() -> &'static [Function] {
    static ALL: LazyLock<Vec<Function>> = LazyLock::new(|| {
        let mut all = Vec::new();
        for entry in &shelves().entries {
            add(&mut all, of_host(entry));
        }
        for block in standard::blocks() {
            for foreign in &block.functions {
                add(&mut all, of_block(foreign));
            }
        }
        for foreign in standard::language() {
            add(&mut all, of_language(&foreign));
        }
        all
    });
    &ALL
}

/// Joins a further overload to those that are there.
fn add(all: &mut Vec<Function>, next: Function) {
    let same = all.iter_mut().rev().find(|known| {
        known.from == next.from
            && known.home == next.home
            && known.receiver == next.receiver
            && known.name == next.name
    });
    let Some(known) = same else {
        all.push(next);
        return;
    };
    for (known, next) in [
        (&mut known.signatures, next.signatures),
        (&mut known.params, next.params),
        (&mut known.returns, next.returns),
    ] {
        for text in next {
            if !known.contains(&text) {
                known.push(text);
            }
        }
    }
    if known.help.text.is_empty() {
        known.help = next.help;
    }
}

fn name_of(param: &str) -> String {
    param
        .split(':')
        .next()
        .unwrap_or(param)
        .trim_matches(['#', '{', '}'])
        .to_owned()
}

fn of_host(entry: &Entry) -> Function {
    Function {
        from: From::Host,
        home: entry.namespace.to_owned(),
        receiver: entry.receiver,
        name: entry.name.to_owned(),
        signatures: vec![entry.signature()],
        params: entry.params.iter().map(|param| name_of(param)).collect(),
        returns: Some(entry.returns.clone())
            .filter(|returns| !returns.is_empty())
            .into_iter()
            .collect(),
        help: entry.help(),
    }
}

fn of_block(foreign: &Foreign) -> Function {
    let alias = foreign.module.rsplit('/').next().unwrap_or(&foreign.module);
    let help = Help::read(&foreign.doc);
    Function {
        from: From::Standard,
        home: foreign.module.clone(),
        receiver: None,
        name: foreign.name.clone(),
        signatures: vec![format!(
            "{alias}::{}({})",
            foreign.name,
            foreign.params.join(", ")
        )],
        params: foreign.params.clone(),
        returns: Vec::new(),
        help,
    }
}

fn of_language(foreign: &Foreign) -> Function {
    let before = if foreign.receiver.is_empty() {
        String::new()
    } else {
        format!("{}.", foreign.receiver.replace(' ', "_"))
    };
    let returns = if foreign.returns.is_empty() {
        String::new()
    } else {
        format!(" -> {}", foreign.returns)
    };
    let text = foreign.doc.split("# Example").next().unwrap_or_default();
    let example = foreign
        .doc
        .split_once("```rhai\n")
        .and_then(|(_, rest)| rest.split("```").next());
    let text: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with("# "))
        .collect();
    Function {
        from: From::Language,
        home: String::new(),
        receiver: Some(foreign.receiver).filter(|receiver| !receiver.is_empty()),
        name: foreign.name.clone(),
        signatures: vec![format!(
            "{before}{}({}){returns}",
            foreign.name,
            foreign.params.join(", ")
        )],
        params: foreign.params.iter().map(|param| name_of(param)).collect(),
        returns: Some(foreign.returns.clone())
            .filter(|returns| !returns.is_empty())
            .into_iter()
            .collect(),
        help: Help {
            text: text.join("\n").trim().to_owned(),
            example: example.map(|example| example.trim_end().to_owned()),
            ..Help::default()
        },
    }
}

impl Function {
    /// `exchange::units`, `session.activate`, `parallel`, `waves::run`.
    pub(crate) fn full_name(&self) -> String {
        match (self.receiver, self.home.rsplit('/').next()) {
            (Some(receiver), _) => format!("{}.{}", receiver.replace(' ', "_"), self.name),
            (None, Some("") | None) => self.name.clone(),
            (None, Some(home)) => format!("{home}::{}", self.name),
        }
    }

    pub(crate) fn page(&self) -> Page {
        Page {
            name: self.full_name(),
            text: self.markdown(1),
            data: self.data(),
        }
    }

    /// What it gives back, in words.
    fn returned(&self) -> String {
        if let Some(returns) = &self.help.returns {
            let said = returns.strip_prefix("Returns ").unwrap_or(returns);
            return said.trim_end_matches('.').to_owned();
        }
        if self.returns.is_empty() {
            return match self.from {
                From::Standard => String::new(),
                From::Host | From::Language => "nothing".to_owned(),
            };
        }
        self.returns.join(", or ")
    }

    /// Its help, with a heading of this level.
    pub(crate) fn markdown(&self, level: usize) -> String {
        let help = &self.help;
        let mut out = format!("{} {}\n\n", "#".repeat(level), self.full_name());
        if self.from == From::Standard {
            let alias = self.home.rsplit('/').next().unwrap_or(&self.home);
            let _ = writeln!(
                out,
                "```rhai\nimport \"{}\" as {alias};\n{}\n```\n",
                self.home,
                self.signatures.join("\n")
            );
        } else {
            let _ = writeln!(out, "```rhai\n{}\n```\n", self.signatures.join("\n"));
        }
        let _ = writeln!(out, "{}\n", help.text);
        for note in &help.notes {
            let _ = writeln!(out, "{note}\n");
        }
        for (name, text) in &help.arguments {
            let _ = writeln!(out, "- `{name}`: {text}");
        }
        if !help.arguments.is_empty() {
            out.push('\n');
        }
        for (label, text) in self.facts() {
            let _ = writeln!(out, "- **{label}:** {text}");
        }
        if let Some(example) = &help.example {
            let _ = write!(out, "\nExample:\n\n```rhai\n{example}\n```\n");
        }
        if self.from == From::Language {
            out.push_str("\nThis function is Rhai's own: https://rhai.rs/book\n");
        }
        out
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let help = &self.help;
        let mut facts = Vec::new();
        if let Some(options) = &help.options {
            facts.push(("Options", options.clone()));
        }
        let returned = self.returned();
        if !returned.is_empty() {
            facts.push(("Returns", returned));
        }
        if let Some(throws) = &help.throws {
            let said = throws.strip_prefix("Throws ").unwrap_or(throws);
            facts.push(("Throws", said.to_owned()));
        }
        if let Some(reach) = help.reach {
            facts.push(("Policy class", explained(reach).to_owned()));
        }
        if !help.graph.is_empty() {
            let paths: Vec<String> = help
                .graph
                .iter()
                .map(|operation| full_path(operation))
                .collect();
            facts.push(("Graph", paths.join(", ")));
        }
        match help.permissions.as_slice() {
            [] => {}
            [one] => facts.push(("Permission", one.clone())),
            several => facts.push(("Permissions", several.join(", "))),
        }
        facts
    }

    fn data(&self) -> Value {
        let help = &self.help;
        let arguments: Vec<Value> = help
            .arguments
            .iter()
            .map(|(name, text)| json!({"name": name, "text": text}))
            .collect();
        json!({
            "kind": "function",
            "name": self.full_name(),
            "from": match self.from {
                From::Host => "runback",
                From::Standard => self.home.as_str(),
                From::Language => "rhai",
            },
            "signatures": self.signatures,
            "text": help.text,
            "arguments": arguments,
            "options": help.options,
            "returns": Some(self.returned()).filter(|returned| !returned.is_empty()),
            "throws": help.throws,
            "notes": help.notes,
            "policy_class": help.reach.map(Reach::name),
            "graph": help.graph.iter().map(|operation| full_path(operation)).collect::<Vec<_>>(),
            "permissions": help.permissions,
            "example": help.example,
        })
    }

    /// The other workloads that have the same verb.
    pub(crate) fn siblings(&self) -> Vec<&'static Function> {
        let is_workload = |home: &str| WORKLOADS.contains(&home);
        if self.from != From::Host || !is_workload(&self.home) {
            return Vec::new();
        }
        all()
            .iter()
            .filter(|other| {
                other.from == From::Host
                    && other.home != self.home
                    && is_workload(&other.home)
                    && other.name == self.name
            })
            .collect()
    }
}

/// What a class means to whoever calls the function.
pub(crate) fn explained(reach: Reach) -> &'static str {
    match reach {
        Reach::Nothing => "none; it does not talk to the tenant",
        Reach::Read => "`read`; changes nothing",
        Reach::Draft => "`draft`; restores nothing yet, and needs no consent",
        Reach::Activate => "`activate`; starts a restore, asks for consent",
        Reach::Delete => "`delete`; asks for consent",
        Reach::Path => "that of the path; what runback does not know asks for consent",
        Reach::Closure => "that of what the closure calls",
    }
}

/// `POST restorePoints/search` with its path from Graph's root.
pub(crate) fn full_path(operation: &str) -> String {
    let Some((method, path)) = operation.split_once(' ') else {
        return operation.to_owned();
    };
    let first = path.split('/').next().unwrap_or(path);
    if matches!(first, "users" | "groups" | "sites" | "") {
        return format!("{method} /{}", path.trim_start_matches('/'));
    }
    if path == "backupRestore" {
        return format!("{method} /solutions/backupRestore");
    }
    format!("{method} /solutions/backupRestore/{path}")
}
