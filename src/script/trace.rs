//! From an error of the engine to the fault a person reads: where, in which file, called from where.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rhai::{EvalAltResult, Position};

use super::explain;
use super::failure::Failure;
use super::program::Program;
use super::words;
use crate::error::{Exit, Fault, Place};
use crate::stop::Stop;

/// What a run that ended by `error` is told as. A set stop flag has the last word.
pub(crate) fn fault(program: &Program, stop: &Stop, error: &EvalAltResult) -> Fault {
    let chain = Chain::of(program, error);
    let reason = stop.reason().cloned();
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
    let mut context = chain.calls;
    context.append(&mut fault.context);
    fault.context = context;
    fault
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
                    let native = program
                        .file(&file)
                        .is_none_or(|_| !is_script_function(program, name));
                    if native && !name.starts_with("anon$") {
                        caller.clone_from(name);
                    } else {
                        let what = if name.starts_with("anon$") {
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
                    if !source.is_empty() && program.file(source).is_some() {
                        if *source != file {
                            position = Position::NONE;
                        }
                        file.clone_from(source);
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
        if matches!(at, EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with("anon$"))
            && !caller.is_empty()
        {
            failure = closure_of(&caller);
        }
        if let Some((origin, place)) = &failure.origin {
            if program.file(origin).is_some() {
                file.clone_from(origin);
            }
            position = *place;
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
    program.files().iter().any(|file| {
        file.ast
            .iter_functions()
            .any(|function| function.name == name)
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
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            stop.set(
                Fault::new(Exit::Bug, "Bug", format!("a bug in runback: {said}"))
                    .hint("please report it, with the script if you may show it; what was sent is in the journal"),
            );
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
