//! Streams: reading them, and what a closure does with each item.

use rhai::{Array, Dynamic, FnPtr, FuncRegistration, NativeCallContext};

use super::lists::{at_least_zero, borrowed, length};
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
        "Reads the stream to its end into an array. Memory grows with it; `for` keeps it flat.\n\n- Throws what a `for` over the stream throws.\n- Policy class: that of what is read.\n\n```rhai\nlet people = users::list().collect();\n```",
        |ctx: NativeCallContext, stream: &mut Stream| -> Raised<Array> { stream.read().collect::<Result<_, _>>().raise(&ctx) },
    );
    library.method(
        "stream",
        "count",
        &["-> whole number"],
        "Reads the stream to its end and counts.\n\n- Throws what a `for` over the stream throws.\n- Policy class: that of what is read.\n\n```rhai\nprint(exchange::units().count());\n```",
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
        "The same as `count`.\n\n- Throws what a `for` over the stream throws.\n- Policy class: that of what is read.\n\n```rhai\nprint(users::list().len());\n```",
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
        "The first `n` items, or fewer where there are not so many; the rest is not fetched. Without `n` the first item, or `()` where there is none.\n\n- Throws what a `for` over the stream throws; `BadArgument` where `n` is negative.\n- Policy class: that of what is read.\n\n```rhai\nfor user in users::list().first(3) { print(user.displayName); }\n```",
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

const EACH: &str = "Calls the closure for each item, one after the other. Memory stays flat.\n\n- Throws what reading throws, and what the closure throws.\n- Policy class: that of what is read.\n\n```rhai\ngroups::members(\"Finance\").each(|user| print(user.displayName));\n```";

const FOR_EACH: &str = "The same as `each`.\n\n- Throws what reading throws, and what the closure throws.\n- Policy class: that of what is read.\n\n```rhai\ngroups::members(\"Finance\").for_each(|user| print(user.displayName));\n```";

fn closures(library: &mut Library) {
    library.method(
        "stream",
        "filter",
        &["closure: |item| true or false", "-> array"],
        "The items for which the closure answers true.\n\n- Throws what reading throws, and what the closure throws.\n- Policy class: that of what is read.\n\n```rhai\nlet gone = exchange::units().filter(|unit| unit.status == \"unprotected\");\n```",
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
        "What the closure gives for each item.\n\n- Throws what reading throws, and what the closure throws.\n- Policy class: that of what is read.\n\n```rhai\nlet names = groups::members(\"Finance\").map(|user| user.displayName);\n```",
        |ctx: NativeCallContext, stream: &mut Stream, closure: FnPtr| -> Raised<Array> {
            let closure = Closure::of_method(closure, &Dynamic::from(stream.clone()));
            stream
                .read()
                .map(|item| closure.call(&ctx, [item.raise(&ctx)?]))
                .collect()
        },
    );
    for name in ["each", "for_each"] {
        let doc = if name == "each" { EACH } else { FOR_EACH };
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
        "Calls the closure for each item, one after the other.\n\n- Throws what the closure throws.\n- Policy class: that of what the closure calls.\n\n```rhai\n[\"a\", \"b\"].each(|letter| print(letter));\n```",
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
        "The array itself: what streams have, arrays have too.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlet same = [1, 2].collect();\n```",
        |items: &mut Array| items.clone(),
    );
    library.method(
        "array",
        "count",
        &["-> whole number"],
        "How many elements the array has, as of a stream.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nprint([1, 2].count());\n```",
        |items: &mut Array| length(items.len()),
    );
    library.method(
        "array",
        "first",
        &["n: whole number", "-> array"],
        "The first `n` elements, or fewer where there are not so many.\n\n- Throws `BadArgument` where `n` is negative.\n- Policy class: none.\n\n```rhai\nprint([1, 2, 3].first(2));\n```",
        |ctx: NativeCallContext, items: &mut Array, count: i64| -> Raised<Array> {
            Ok(items
                .iter()
                .take(at_least_zero(count).raise(&ctx)?)
                .cloned()
                .collect())
        },
    );
}

/// Name, what it takes, what it gives, help.
const BORROWED: [(&str, &str, &str, &str); 11] = [
    (
        "join",
        "between: text",
        "-> text",
        borrowed!(
            "The items as one text, each as `print` shows it.",
            "what reading throws.",
            "that of what is read",
            "print(groups::members(\"Finance\").join(\"\\n\"));"
        ),
    ),
    (
        "sort_by",
        "by: name or |x| key",
        "-> array",
        borrowed!(
            "The items in the order of a property by its name, or of what the closure gives.",
            "what reading throws; `NotComparable` where keys are of different kinds.",
            "that of what is read",
            "let people = groups::members(\"Finance\").sort_by(\"displayName\");"
        ),
    ),
    (
        "count_by",
        "by: name or |x| key",
        "-> map",
        borrowed!(
            "How many items there are of each kind: a map of key and count.",
            "what reading throws, and what the closure throws.",
            "that of what is read",
            "print(session.artifacts().count_by(\"status\"));"
        ),
    ),
    (
        "group_by",
        "by: name or |x| key",
        "-> map",
        borrowed!(
            "The items by kind: a map of key and array.",
            "what reading throws, and what the closure throws.",
            "that of what is read",
            "let by_status = exchange::units().group_by(\"status\");"
        ),
    ),
    (
        "unique_by",
        "by: name or |x| key",
        "-> array",
        borrowed!(
            "The first item of each kind.",
            "what reading throws, and what the closure throws.",
            "that of what is read",
            "let titles = users::list().unique_by(\"jobTitle\");"
        ),
    ),
    (
        "chunks",
        "n: whole number",
        "-> array of arrays",
        borrowed!(
            "The items in arrays of `n`; the last may be shorter.",
            "what reading throws; `BadArgument` where `n` is below 1.",
            "that of what is read",
            "for few in groups::members(\"Finance\").chunks(5) { print(few.len()); }"
        ),
    ),
    (
        "some",
        "closure: |x| true or false",
        "-> true or false",
        borrowed!(
            "Does the closure answer true for one of the items?",
            "what reading throws, and what the closure throws.",
            "that of what is read",
            "print(sessions::list().some(|session| session.status == \"active\"));"
        ),
    ),
    (
        "any",
        "closure: |x| true or false",
        "-> true or false",
        borrowed!(
            "The same as `some`.",
            "what reading throws, and what the closure throws.",
            "that of what is read",
            "print(sessions::list().any(|session| session.status == \"active\"));"
        ),
    ),
    (
        "all",
        "closure: |x| true or false",
        "-> true or false",
        borrowed!(
            "Does the closure answer true for all items?",
            "what reading throws, and what the closure throws.",
            "that of what is read",
            "print(exchange::units().all(|unit| unit.status == \"protected\"));"
        ),
    ),
    (
        "find",
        "closure: |x| true or false",
        "-> item or ()",
        borrowed!(
            "The first item for which the closure answers true; `()` where there is none.",
            "what reading throws, and what the closure throws.",
            "that of what is read",
            "let unit = exchange::units().find(|unit| unit.status == \"unprotected\");"
        ),
    ),
    (
        "find_map",
        "closure: |x| value",
        "-> value or ()",
        borrowed!(
            "What the closure gives for the first item for which it is not `()`.",
            "what reading throws, and what the closure throws.",
            "that of what is read",
            "let title = users::list().find_map(|user| user.jobTitle);"
        ),
    ),
];

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
    for (name, takes, returns, doc) in BORROWED {
        let on_array = move |ctx: NativeCallContext,
                             stream: &mut Stream,
                             argument: Dynamic|
              -> Raised<Dynamic> {
            let items: Array = stream.read().collect::<Result<_, _>>().raise(&ctx)?;
            ctx.call_native_fn::<Dynamic>(name, (items, argument))
        };
        library.method("stream", name, &[takes, returns], doc, on_array);
    }
}
