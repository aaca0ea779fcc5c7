//! Rhai's array functions still take the *name* of a function where a closure belongs. Nobody could say what `items.map(name)` calls
//! before it runs, so they take closures only.

use rhai::{Array, Dynamic, FuncRegistration, ImmutableString, NativeCallContext};

use super::lists::position;
use crate::script::failure::{Failure, Raised};
use crate::script::library::Library;

/// By the engine's source, `api/deprecated.rs`; a test calls each of them.
const TAKING_NAMES: [&str; 10] = [
    "map",
    "filter",
    "some",
    "all",
    "dedup",
    "reduce",
    "reduce_rev",
    "sort",
    "drain",
    "retain",
];

pub(crate) fn register(library: &mut Library) {
    for name in TAKING_NAMES {
        library.hidden(
            FuncRegistration::new(name).with_purity(false),
            move |ctx: NativeCallContext,
                  _: &mut Array,
                  text: ImmutableString|
                  -> Raised<Dynamic> { Err(closure_needed(name, &text).raise(&ctx)) },
        );
    }
    for name in ["reduce", "reduce_rev"] {
        library.hidden(
            FuncRegistration::new(name).with_purity(false),
            move |ctx: NativeCallContext,
                  _: &mut Array,
                  text: ImmutableString,
                  _: Dynamic|
                  -> Raised<Dynamic> { Err(closure_needed(name, &text).raise(&ctx)) },
        );
    }
    // Here a text is a value that is looked for, whatever function has its name.
    library.hidden(
        FuncRegistration::new("index_of"),
        |items: &mut Array, text: ImmutableString| position(items, &text.into()),
    );
    library.hidden(
        FuncRegistration::new("index_of"),
        |items: &mut Array, text: ImmutableString, from: i64| {
            let from = usize::try_from(from).unwrap_or_default().min(items.len());
            match position(&items[from..], &text.into()) {
                -1 => -1,
                found => found + i64::try_from(from).unwrap_or_default(),
            }
        },
    );
}

fn closure_needed(function: &str, text: &str) -> Failure {
    let closure = match function {
        "reduce" | "reduce_rev" | "sort" | "dedup" => format!("|a, b| {text}(a, b)"),
        _ => format!("|x| {text}(x)"),
    };
    Failure::new(
        "WrongArguments",
        format!("`{function}` takes a closure, and this is a text"),
    )
    .hint(format!("write `{function}({closure})`"))
}
