//! From an error of the engine to the fault a person reads: where, in which file, called from where.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rhai::{EvalAltResult, Position};

use super::explain;
use super::failure::Failure;
use super::program::Program;
use super::tree;
use super::words;
use crate::error::{Fault, Place, bug};
use crate::stop::Stop;

/// What a run that ended by `error` is told as. A set stop flag has the last word.
pub(crate) fn fault(program: &Program, stop: &Stop, error: &EvalAltResult) -> Fault {
    let chain = Chain::of(program, error);
    let reason = stop.reason();
    let mut fault = match reason {
        Some(reason) => reason,
        None => chain.failure.clone().fault(),
    };
    if fault.code.is_empty() {
        "Thrown".clone_into(&mut fault.code);
    }
    if fault.place.is_none() {
        fault.place = program
            .file(&chain.file)
            .or(Some(program.main()))
            .and_then(|file| file.text.place(chain.position))
            .map(past_the_dot);
    }
    if let Some(place) = &fault.place
        && let Some(rest) = fault.message.strip_prefix("`()` has no ")
        && let Some(absent) = before_the_dot(place)
    {
        let what = rest.split(':').next().unwrap_or_default();
        fault.message = format!("`{absent}` is absent, `()`, and has no {what}");
    }
    let mut context = chain.calls;
    context.append(&mut fault.context);
    fault.context = context;
    fault
}

/// `row.point` of `row.point.id`, where the place is that of `id`.
fn before_the_dot(place: &Place) -> Option<String> {
    let text = place.text.as_deref()?;
    let before: String = text.chars().take(place.column - 1).collect();
    let before = before.trim_end_matches(['.', '?']);
    let is_part = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '_' | '.' | '?' | '[' | ']' | '"' | ':')
    };
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, letter)| is_part(*letter))
        .last()
        .map(|(start, _)| start)?;
    let found = &before[start..];
    (found.starts_with(char::is_alphabetic)
        && found.matches('[').count() == found.matches(']').count())
    .then(|| found.to_owned())
}

/// The engine points at the dot of `object.nmae`; the name is what is wrong.
fn past_the_dot(mut place: Place) -> Place {
    let letters = place
        .text
        .iter()
        .flat_map(|text| text.chars())
        .skip(place.column - 1);
    let dots = letters
        .take_while(|letter| matches!(letter, '.' | '?'))
        .count();
    place.column += dots;
    place
}

/// What the frame of an item of `parallel` is called: "item 3 of 12 (Rania Shah)".
pub(crate) const ITEM: &str = "item";

/// The innermost error and the way to it.
struct Chain {
    failure: Failure,
    file: String,
    position: Position,
    /// "in `restore_wave`, called at night.rhai:57", the innermost first.
    calls: Vec<String>,
}

impl Chain {
    fn of(program: &Program, error: &EvalAltResult) -> Self {
        let mut file = program.main().text.name.clone();
        let mut position = Position::NONE;
        let mut calls = Vec::new();
        // Rhai's own array functions wrap what their closures throw.
        let mut caller = String::new();
        let mut at = error;
        loop {
            match at {
                EvalAltResult::ErrorInFunctionCall(name, source, inner, place) => {
                    let native = !is_script_function(program, name);
                    if name.starts_with(ITEM) && name[ITEM.len()..].starts_with(' ') {
                        calls.push(match place.line() {
                            Some(line) => format!("{name} in `parallel`, at {file}:{line}"),
                            None => name.clone(),
                        });
                    } else if native {
                        caller.clone_from(name);
                    } else {
                        let what = if tree::is_closure(name) {
                            "in a closure".to_owned()
                        } else {
                            format!("in `{name}`")
                        };
                        calls.push(match place.line() {
                            Some(line) => format!("{what}, called at {file}:{line}"),
                            None => what,
                        });
                    }
                    position = keep(position, *place);
                    if !native && let Some(home) = home(program, name, source) {
                        if home != file {
                            position = Position::NONE;
                        }
                        file = home;
                    }
                    at = inner;
                }
                EvalAltResult::ErrorInModule(name, inner, place) => {
                    if let Some(line) = place.line() {
                        calls.push(format!("imported at {file}:{line}"));
                    }
                    if program.file(name).is_some() {
                        file.clone_from(name);
                        position = Position::NONE;
                    }
                    at = inner;
                }
                _ => break,
            }
        }
        position = keep(position, at.position());
        let mut failure = explain::failure(at);
        if matches!(at, EvalAltResult::ErrorFunctionNotFound(signature, _) if tree::is_closure(signature))
            && !caller.is_empty()
        {
            failure = closure_of(&caller);
        }
        if let Some((origin, place)) = &failure.origin {
            let is_known = program.file(origin).is_some();
            if is_known {
                file.clone_from(origin);
            }
            // Of several files a place without its name says nothing.
            if is_known || program.files().len() == 1 {
                position = *place;
            }
        }
        calls.reverse();
        Self {
            failure,
            file,
            position,
            calls,
        }
    }
}

fn keep(outer: Position, inner: Position) -> Position {
    if inner.is_none() { outer } else { inner }
}

fn is_script_function(program: &Program, name: &str) -> bool {
    program
        .files()
        .iter()
        .any(|file| file.bodies.iter().any(|body| body.name == name))
}

/// The file that a function or closure stands in. For a closure the engine names the file that calls it.
fn home(program: &Program, name: &str, source: &str) -> Option<String> {
    let files = program.files();
    let mut homes = files
        .iter()
        .filter(|file| file.bodies.iter().any(|body| body.name == name))
        .map(|file| &file.text.name);
    let first = homes.next()?;
    // A name that several files have: there the engine is right.
    let is_only = homes.next().is_none();
    Some(if is_only || program.file(source).is_none() {
        first.clone()
    } else {
        source.to_owned()
    })
}

/// What an array function gives to its closure.
fn closure_of(function: &str) -> Failure {
    let two = ["reduce", "reduce_rev", "sort", "sort_desc", "order_by"].contains(&function);
    let takes = if two {
        "takes two values: write `|a, b| …`"
    } else {
        "takes one value: write `|x| …`"
    };
    Failure::new(
        "WrongArguments",
        format!("the closure given to `{function}` {takes}"),
    )
}

/// Runs something of ours and makes a panic what it is: a bug, which ends the run.
pub(crate) fn guarded<T>(stop: &Stop, run: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => Some(value),
        Err(panic) => {
            stop.set(bug::caught(&*panic));
            None
        }
    }
}

/// Names of a wrong number of arguments and such need an article; kept here so that messages of one kind look alike.
pub(crate) fn needs(what: &str, given: &rhai::Dynamic) -> Failure {
    Failure::new(
        "WrongType",
        format!("{what}; this is {}", words::article(words::kind(given))),
    )
}
