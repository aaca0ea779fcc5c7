//! Calls that found no function: a slip in the name, or values that no overload takes.

use crate::script::failure::Failure;
use crate::script::library::{Entry, shelves};
use crate::script::tree;
use crate::script::words;

/// Splits `name (type, type)` of the engine.
fn split(signature: &str) -> (&str, Vec<&'static str>) {
    let (name, rest) = signature.split_once(" (").unwrap_or((signature, ""));
    let inside = rest.strip_suffix(')').unwrap_or(rest);
    let types = inside
        .split(", ")
        .filter(|name| !name.is_empty())
        .map(words::type_words);
    (name.trim(), types.collect())
}

pub(super) fn no_function(signature: &str) -> Failure {
    let (name, given) = split(signature);
    if tree::is_closure(name) {
        let values = match given.len() {
            0 => "no value".to_owned(),
            1 => "one value".to_owned(),
            number => format!("{number} values"),
        };
        return Failure::new(
            "WrongArguments",
            format!("the closure is called with {values}, and takes another number of them"),
        );
    }
    if let Some(text) = operator(name, &given) {
        return text;
    }
    let (namespace, short) = name
        .rsplit_once("::")
        .map_or(("", name), |(namespace, name)| (namespace, name));
    let known: Vec<&Entry> = if namespace.is_empty() {
        shelves().global(short).collect()
    } else {
        shelves()
            .namespace(namespace)
            .filter(|entry| entry.name == short)
            .collect()
    };
    if known.is_empty() {
        return unknown_function(namespace, short, &given);
    }
    let is_method = known.iter().all(|entry| entry.receiver.is_some());
    if is_method && given.first() == Some(&"`()`") {
        return Failure::new(
            "NoSuchFunction",
            format!("`()` has no function `{short}`: the value before the dot is absent"),
        )
        .hint("test it before: `if x != () { … }`");
    }
    let given = if given.is_empty() {
        "without arguments".to_owned()
    } else {
        let given: Vec<_> = given.iter().map(|kind| words::article(kind)).collect();
        format!("with {}", given.join(", "))
    };
    let mut failure = Failure::new(
        "WrongArguments",
        format!("`{name}` cannot be called {given}"),
    );
    let mut signatures: Vec<_> = known.iter().map(|entry| entry.signature()).collect();
    signatures.dedup();
    signatures.truncate(6);
    for signature in signatures {
        failure = failure.hint(format!("it is `{signature}`"));
    }
    failure
}

/// A name that nothing has, with its nearest neighbour.
pub(crate) fn unknown_function(namespace: &str, name: &str, given: &[&'static str]) -> Failure {
    if crate::script::check::is_standard(name) && namespace.is_empty() {
        let given: Vec<_> = given.iter().map(|kind| words::article(kind)).collect();
        let with = if given.is_empty() {
            "without arguments".to_owned()
        } else {
            format!("with {}", given.join(", "))
        };
        return Failure::new(
            "WrongArguments",
            format!("`{name}` cannot be called {with}"),
        );
    }
    if namespace.is_empty() {
        let failure = Failure::new("NoSuchFunction", format!("there is no function `{name}`"));
        let elsewhere = shelves().entries.iter().find(|entry| entry.name == name);
        if let Some(entry) = elsewhere {
            return failure.hint(format!("did you mean `{}::{name}`?", entry.namespace));
        }
        return match words::nearest(name, crate::script::check::global_names()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure,
        };
    }
    let failure = Failure::new(
        "NoSuchFunction",
        format!("there is no function `{namespace}::{name}`"),
    );
    let mut names: Vec<_> = shelves()
        .namespace(namespace)
        .map(|entry| entry.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    match words::nearest(name, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{namespace}::{near}`?")),
        None if names.is_empty() => failure,
        None => failure.hint(format!("`{namespace}` has {}", words::list(names))),
    }
}

/// A closure was given that takes another number of values than it is called with.
pub(crate) fn closure_arity(values: usize) -> Failure {
    let takes = match values {
        0 => "a closure here takes no value: write `|| …`".to_owned(),
        1 => "a closure here takes one value: write `|x| …`".to_owned(),
        2 => "a closure here takes two values: write `|a, b| …`".to_owned(),
        _ => format!("a closure here takes {values} values"),
    };
    Failure::new("WrongArguments", takes)
}

fn operator(name: &str, given: &[&'static str]) -> Option<Failure> {
    if name
        .chars()
        .any(|letter| letter.is_alphanumeric() || letter == '_')
    {
        return None;
    }
    let failure = match given {
        [one] => Failure::new(
            "WrongType",
            format!("`{name}` cannot be used on {}", words::article(one)),
        ),
        [left, right] => {
            let (left, right) = (words::article(left), words::article(right));
            let failure = Failure::new(
                "WrongType",
                format!("`{name}` cannot be used between {left} and {right}"),
            );
            match (left.as_str(), right.as_str()) {
                ("a datetime", "a whole number" | "a number")
                | ("a whole number" | "a number", "a datetime") => {
                    failure.hint("lengths of time are durations: `duration(\"36h\")`")
                }
                ("`()`", _) | (_, "`()`") => failure
                    .hint("one side is absent `()`: test it by `!= ()`, or give a value by `?? …`"),
                _ => failure,
            }
        }
        _ => return None,
    };
    Some(failure)
}
