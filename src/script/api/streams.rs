//! Streams: reading them, and what a closure does with each item.

use rhai::{Array, Dynamic, FnPtr, FuncRegistration, NativeCallContext};

use super::lists::{at_least_zero, length};
use crate::script::closure::Closure;
use crate::script::compare;
use crate::script::failure::{Raise as _, Raised};
use crate::script::library::Library;
use crate::script::values::Stream;

pub(crate) fn register(library: &mut Library) {
    reading(library);
    closures(library);
    arrays(library);
    as_an_array(library);
}

fn reading(library: &mut Library) {
    library.type_name::<Stream>("stream");
    library.iterable(|stream: Stream| stream.read());
    for name in ["to_string", "to_debug"] {
        library.hidden(FuncRegistration::new(name), |stream: &mut Stream| {
            format!("(a stream of {})", stream.what())
        });
    }
    library.method(
        "stream",
        "collect",
        &["-> array"],
        "Reads the stream to its end into an array. Memory grows with it; `for` keeps it flat.\n\n- Throws what a `for` over the stream throws.\n\n```rhai\nlet people = users::list().collect();\n```",
        |ctx: NativeCallContext, stream: &mut Stream| -> Raised<Array> { stream.read().collect::<Result<_, _>>().raise(&ctx) },
    );
    library.method(
        "stream",
        "count",
        &["-> whole number"],
        "Reads the stream to its end and counts.",
        |ctx: NativeCallContext, stream: &mut Stream| -> Raised<i64> {
            stream
                .read()
                .try_fold(0, |count, item| item.map(|_| count + 1))
                .raise(&ctx)
        },
    );
    library.method(
        "stream",
        "len",
        &["-> whole number"],
        "",
        |ctx: NativeCallContext, stream: &mut Stream| -> Raised<i64> {
            stream
                .read()
                .try_fold(0, |count, item| item.map(|_| count + 1))
                .raise(&ctx)
        },
    );
    library.method(
        "stream",
        "first",
        &["n: whole number", "-> array"],
        "The first `n` items, or fewer where there are not so many; the rest is not fetched.",
        |ctx: NativeCallContext, stream: &mut Stream, count: i64| -> Raised<Array> {
            let count = at_least_zero(count).raise(&ctx)?;
            stream
                .read()
                .take(count)
                .collect::<Result<_, _>>()
                .raise(&ctx)
        },
    );
    library.method(
        "stream",
        "first",
        &["-> item or ()"],
        "",
        |ctx: NativeCallContext, stream: &mut Stream| -> Raised<Dynamic> {
            Ok(stream
                .read()
                .next()
                .transpose()
                .raise(&ctx)?
                .unwrap_or_default())
        },
    );
}

fn closures(library: &mut Library) {
    library.method(
        "stream",
        "filter",
        &["closure: |item| true or false", "-> array"],
        "The items for which the closure answers true.\n\n```rhai\nlet gone = exchange::units().filter(|unit| unit.status == \"unprotected\");\n```",
        |ctx: NativeCallContext, stream: &mut Stream, closure: FnPtr| -> Raised<Array> {
            let closure = Closure::of_method(closure, &Dynamic::from(stream.clone()));
            let mut kept = Array::new();
            for item in stream.read() {
                let item = item.raise(&ctx)?;
                if closure.holds(&ctx, item.clone())? {
                    kept.push(item);
                }
            }
            Ok(kept)
        },
    );
    library.method(
        "stream",
        "map",
        &["closure: |item| value", "-> array"],
        "What the closure gives for each item.",
        |ctx: NativeCallContext, stream: &mut Stream, closure: FnPtr| -> Raised<Array> {
            let closure = Closure::of_method(closure, &Dynamic::from(stream.clone()));
            stream
                .read()
                .map(|item| closure.call(&ctx, [item.raise(&ctx)?]))
                .collect()
        },
    );
    for name in ["each", "for_each"] {
        let doc = if name == "each" {
            "Calls the closure for each item, one after the other."
        } else {
            ""
        };
        library.method(
            "stream",
            name,
            &["closure: |item|"],
            doc,
            |ctx: NativeCallContext, stream: &mut Stream, closure: FnPtr| -> Raised<()> {
                let closure = Closure::of_method(closure, &Dynamic::from(stream.clone()));
                for item in stream.read() {
                    drop(closure.call(&ctx, [item.raise(&ctx)?])?);
                }
                Ok(())
            },
        );
    }
}

/// What streams have, arrays have too: a script need not know which of the two it holds.
fn arrays(library: &mut Library) {
    library.method(
        "array",
        "each",
        &["closure: |item|"],
        "Calls the closure for each item, one after the other.",
        |ctx: NativeCallContext, items: &mut Array, closure: FnPtr| -> Raised<()> {
            let closure = Closure::of_method(closure, &Dynamic::from(items.clone()));
            for item in items.iter() {
                drop(closure.call(&ctx, [item.clone()])?);
            }
            Ok(())
        },
    );
    library.method(
        "array",
        "collect",
        &["-> array"],
        "",
        |items: &mut Array| items.clone(),
    );
    library.method(
        "array",
        "count",
        &["-> whole number"],
        "",
        |items: &mut Array| length(items.len()),
    );
    library.method(
        "array",
        "first",
        &["n: whole number", "-> array"],
        "The first `n` elements, or fewer where there are not so many.",
        |ctx: NativeCallContext, items: &mut Array, count: i64| -> Raised<Array> {
            Ok(items
                .iter()
                .take(at_least_zero(count).raise(&ctx)?)
                .cloned()
                .collect())
        },
    );
}

fn as_an_array(library: &mut Library) {
    library.hidden(
        FuncRegistration::new("contains"),
        |ctx: NativeCallContext, stream: &mut Stream, value: Dynamic| -> Raised<bool> {
            for item in stream.read() {
                if compare::same(&item.raise(&ctx)?, &value) {
                    return Ok(true);
                }
            }
            Ok(false)
        },
    );
    // Whatever takes a list takes a stream: these read it to its end first.
    for name in [
        "sort_by",
        "count_by",
        "group_by",
        "unique_by",
        "chunks",
        "some",
        "any",
        "all",
        "find",
        "find_map",
    ] {
        let on_array = move |ctx: NativeCallContext,
                             stream: &mut Stream,
                             argument: Dynamic|
              -> Raised<Dynamic> {
            let items: Array = stream.read().collect::<Result<_, _>>().raise(&ctx)?;
            ctx.call_native_fn::<Dynamic>(name, (items, argument))
        };
        library.method(
            "stream",
            name,
            &["closure or name", "-> as of an array"],
            "",
            on_array,
        );
    }
}
