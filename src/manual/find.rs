//! From a name to its help.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::function::{self, From, Function, WORKLOADS};
use super::index::{self, GLOBALS};
use super::operation::operations;
use super::shape::{self, SHAPES};
use super::{Page, codes, operation_page, topic};
use crate::script::values::Kind;
use crate::script::words;

/// A name that nothing has, and what was perhaps meant.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) name: String,
    pub(crate) nearest: Vec<String>,
}

/// The help of a name, best first. An empty name is the front page.
///
/// # Errors
/// [`Unknown`] with the nearest names.
pub(crate) fn find(name: &str) -> Result<Vec<Page>, Unknown> {
    let asked = name
        .trim()
        .trim_matches('`')
        .trim_start_matches(['?', '.'])
        .trim_end_matches("()")
        .trim();
    if asked.is_empty() {
        return Ok(vec![index::front(false)]);
    }
    if let Some(page) = operation_page::of_cmdlet(asked) {
        return Ok(vec![page]);
    }
    let known = names();
    // As it is written, else in any case.
    let exact = exactly(asked);
    if !exact.is_empty() {
        return Ok(exact);
    }
    let lower = asked.to_lowercase();
    let same: Vec<Page> = known
        .iter()
        .filter(|name| name.to_lowercase() == lower)
        .flat_map(|name| exactly(name))
        .collect();
    if !same.is_empty() {
        return Ok(same);
    }
    Err(Unknown {
        name: asked.to_owned(),
        nearest: nearest(asked, &known),
    })
}

fn exactly(name: &str) -> Vec<Page> {
    let mut pages = places(name);
    let mut functions = functions(name);
    let first = pages.is_empty();
    // `duration` is a kind of value, and the function that makes one.
    functions.retain(|function| {
        let same = !first && function.full_name() == name;
        if same {
            pages.push(function.page());
        }
        !same
    });
    if first {
        pages.extend(functions.iter().map(|function| with_siblings(function)));
    }
    if pages.is_empty() {
        pages.extend(graph_type(name));
    }
    if pages.is_empty() {
        pages.extend(
            codes::codes()
                .iter()
                .find(|code| code.name == name)
                .map(codes::Code::page),
        );
    }
    if pages.is_empty() {
        pages.extend(property(name));
    }
    if !first && !functions.is_empty() {
        let names: Vec<String> = functions
            .iter()
            .map(|function| format!("`runback doc {}`", function.full_name()))
            .collect();
        if let Some(page) = pages.first_mut() {
            let _ = write!(page.text, "\nSee also: {}.\n", names.join(", "));
        }
    }
    pages
}

/// Namespaces, kinds of values, topics, building blocks.
fn places(name: &str) -> Vec<Page> {
    if index::namespaces().contains(&name) && !name.is_empty() {
        return vec![index::namespace(name, false)];
    }
    if name == GLOBALS || name == "global" {
        return vec![index::namespace("", false)];
    }
    // A policy is a file of guard rails, and an object of Graph: both are shown, the topic first.
    let shape = SHAPES.iter().find(|shape| shape.is_called(name));
    let shape = shape.map(super::shape::Shape::page);
    let pages: Vec<Page> = topic::find(name).into_iter().chain(shape).collect();
    if !pages.is_empty() {
        return pages;
    }
    index::blocks()
        .iter()
        .find(|block| block.name == name || block.name.strip_prefix("std/") == Some(name))
        .map(|block| index::block(block, false))
        .into_iter()
        .collect()
}

/// Functions by `space::name`, `value.name` or the name alone. Of the workloads' equal verbs the first.
fn functions(name: &str) -> Vec<&'static Function> {
    let all = || function::all().iter();
    if let Some((home, short)) = name.rsplit_once("::") {
        let is_home = |function: &&Function| {
            function.home == home || function.home.strip_prefix("std/") == Some(home)
        };
        return all()
            .filter(is_home)
            .filter(|function| function.name == short)
            .collect();
    }
    if let Some((value, short)) = name.rsplit_once('.') {
        let is_value = |function: &&Function| {
            let Some(receiver) = function.receiver else {
                return false;
            };
            let shape = SHAPES.iter().find(|shape| shape.is_called(value));
            receiver.replace(' ', "_") == value
                || receiver == value
                || shape.is_some_and(|shape| {
                    shape
                        .functions(function.from)
                        .any(|own| own.full_name() == function.full_name())
                })
        };
        let found: Vec<_> = all()
            .filter(is_value)
            .filter(|function| function.name == short)
            .collect();
        return host_first(found);
    }
    let found: Vec<_> = all().filter(|function| function.name == name).collect();
    let mut seen_workload = false;
    let found = found
        .into_iter()
        .filter(|function| {
            if WORKLOADS.contains(&function.home.as_str()) {
                !std::mem::replace(&mut seen_workload, true)
            } else {
                true
            }
        })
        .collect();
    host_first(found)
}

/// The language's own are shown where the host has nothing of the name.
fn host_first(found: Vec<&'static Function>) -> Vec<&'static Function> {
    let has_ours = found.iter().any(|function| function.from != From::Language);
    found
        .into_iter()
        .filter(|function| !has_ours || function.from != From::Language)
        .collect()
}

fn with_siblings(function: &Function) -> Page {
    let mut page = function.page();
    let siblings: Vec<String> = function
        .siblings()
        .iter()
        .map(|other| format!("`{}`", other.full_name()))
        .collect();
    if !siblings.is_empty() {
        let _ = write!(
            page.text,
            "\nThe same for others: {}.\n",
            siblings.join(", ")
        );
    }
    page
}

fn graph_type(name: &str) -> Option<Page> {
    let kind = Kind::of(name);
    if kind.is_untyped() {
        return None;
    }
    let shape = SHAPES
        .iter()
        .find(|shape| shape.kinds().any(|known| known == kind));
    Some(match shape {
        Some(shape) => shape.page(),
        None => shape::of_graph(kind),
    })
}

/// A property: whose it is. `session.status` is looked for in sessions alone.
fn property(name: &str) -> Option<Page> {
    let (value, short) = match name.rsplit_once('.') {
        Some((value, short)) => (Some(value), short),
        None => (None, name),
    };
    let mut text = format!("# {name}\n\nA property of\n\n");
    let mut found = Vec::new();
    for shape in SHAPES {
        if value.is_some_and(|value| !shape.is_called(value)) {
            continue;
        }
        let all = shape
            .own_properties()
            .into_iter()
            .chain(shape.kinds().flat_map(shape::published));
        let Some(property) = all.into_iter().find(|property| property.name == short) else {
            continue;
        };
        let said = if property.text.is_empty() {
            property.returns.clone()
        } else {
            format!("{}: {}", property.returns, property.text)
        };
        text.push_str(&super::line(shape.name, &said));
        found.push(serde_json::json!({"of": shape.name, "returns": property.returns, "text": property.text}));
    }
    if found.is_empty() {
        return None;
    }
    Some(Page {
        name: name.to_owned(),
        text,
        data: serde_json::json!({"kind": "property", "name": name, "of": found}),
    })
}

/// Every name that has help, but the cmdlets.
pub(super) fn names() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = index::namespaces()
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    for function in function::all() {
        names.insert(function.full_name());
        names.insert(function.name.clone());
    }
    for shape in SHAPES {
        names.insert(shape.name.to_owned());
        names.extend(shape.aliases.iter().map(|alias| (*alias).to_owned()));
        names.extend(
            shape
                .own_properties()
                .into_iter()
                .map(|property| property.name),
        );
        for kind in shape.kinds() {
            names.extend(kind.properties().map(str::to_owned));
        }
    }
    names.extend(Kind::all().iter().map(|kind| kind.name().to_owned()));
    names.extend(topic::topics().map(|(name, _)| name.to_owned()));
    names.extend(index::blocks().iter().map(|block| block.name.clone()));
    names.extend(codes::codes().iter().map(|code| code.name.to_owned()));
    names.insert(GLOBALS.to_owned());
    names
}

fn nearest(asked: &str, known: &BTreeSet<String>) -> Vec<String> {
    if is_cmdlet(asked) {
        return nearest_cmdlets(asked);
    }
    let near = |name: &str, names: Vec<&str>| words::nearest(name, names).map(str::to_owned);
    let all: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut found: Vec<String> = near(asked, all.clone()).into_iter().collect();
    // `exchange::creat_session`: the slip is in the second part.
    if let Some((home, short)) = asked.rsplit_once("::") {
        let inside = all
            .iter()
            .filter_map(|name| name.strip_prefix(home)?.strip_prefix("::"));
        found.extend(near(short, inside.collect()).map(|short| format!("{home}::{short}")));
    }
    // Part of a longer name.
    if found.is_empty() && asked.chars().count() > 2 {
        let lower = asked.to_lowercase();
        let longer = all
            .iter()
            .filter(|name| name.to_lowercase().contains(&lower));
        found.extend(longer.take(5).map(|name| (*name).to_owned()));
    }
    // `activate_session`: one of its words is a name.
    if found.is_empty() {
        let parts = asked.split(|c: char| !c.is_alphanumeric());
        found.extend(
            parts
                .filter(|part| part.len() > 3 && known.contains(*part))
                .map(str::to_owned),
        );
    }
    found.dedup();
    found
}

/// `Get-Mg…`: a verb and a noun of the SDK for PowerShell.
fn is_cmdlet(name: &str) -> bool {
    name.split_once('-')
        .is_some_and(|(_, noun)| noun.to_ascii_lowercase().starts_with("mg"))
}

/// Names of cmdlets are long: what counts is the share that differs.
fn nearest_cmdlets(asked: &str) -> Vec<String> {
    let lower = asked.to_lowercase();
    let mut near: Vec<(usize, &str)> = operations()
        .iter()
        .flat_map(|operation| &operation.cmdlets)
        .map(|cmdlet| {
            (
                strsim::osa_distance(&lower, &cmdlet.to_lowercase()),
                cmdlet.as_str(),
            )
        })
        .filter(|(distance, cmdlet)| distance * 4 <= cmdlet.len())
        .collect();
    near.sort_unstable();
    near.dedup();
    // The other verbs and versions differ by more than a slip does.
    let best = near.first().map_or(0, |(distance, _)| *distance);
    near.into_iter()
        .take_while(|(distance, _)| *distance == best)
        .take(3)
        .map(|(_, cmdlet)| cmdlet.to_owned())
        .collect()
}

/// Every page there is, for tools.
pub(crate) fn everything() -> Vec<Page> {
    let mut pages: Vec<Page> = function::all()
        .iter()
        .filter(|function| function.from != From::Language)
        .map(Function::page)
        .collect();
    pages.extend(SHAPES.iter().map(shape::Shape::page));
    pages.extend(topic::topics().filter_map(|(name, _)| topic::find(name)));
    pages.extend(
        index::blocks()
            .iter()
            .map(|block| index::block(block, false)),
    );
    pages.extend(
        index::namespaces()
            .iter()
            .map(|name| index::namespace(name, false)),
    );
    let cmdlets: BTreeSet<&str> = operations()
        .iter()
        .filter_map(|operation| operation.cmdlets.first())
        .map(String::as_str)
        .collect();
    pages.extend(cmdlets.into_iter().filter_map(operation_page::of_cmdlet));
    pages
}
