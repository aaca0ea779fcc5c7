//! Lists inside Graph's objects: they can do what an array can, but not change.

use rhai::{Array, Dynamic, FuncRegistration, NativeCallContext};

use crate::script::compare;
use crate::script::convert;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::library::Library;
use crate::script::values::List;

pub(crate) fn register(library: &mut Library) {
    language(library);
    functions(library);
    as_an_array(library);
    read_only(library);
}

fn language(library: &mut Library) {
    library.type_name::<List>("list");
    library.iterable(|list: List| list.into_iter().map(Ok));
    library.hidden(
        FuncRegistration::new_index_getter(),
        |ctx: NativeCallContext, list: &mut List, index: i64| -> Raised<Dynamic> {
            let items = list.items();
            let at = if index < 0 {
                i64::try_from(items.len()).unwrap_or(i64::MAX) + index
            } else {
                index
            };
            let found = usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at))
                .cloned();
            found
                .ok_or_else(|| {
                    Failure::new(
                        "OutOfBounds",
                        format!(
                            "the list has {} elements, there is no [{index}]",
                            items.len()
                        ),
                    )
                })
                .raise(&ctx)
        },
    );
    for name in ["to_string", "to_debug"] {
        library.hidden(FuncRegistration::new(name), |list: &mut List| {
            convert::show(&Dynamic::from(list.clone()))
        });
    }
    library.hidden(
        FuncRegistration::new("contains"),
        |list: &mut List, value: Dynamic| {
            list.items().iter().any(|item| compare::same(item, &value))
        },
    );
    // The engine's own looks at different kinds with `==`, which is an error with us: `"x" in [1, "x"]` is none.
    library.hidden(
        FuncRegistration::new("contains"),
        |items: &mut Array, value: Dynamic| items.iter().any(|item| compare::same(item, &value)),
    );
    library.hidden(
        FuncRegistration::new("index_of"),
        |items: &mut Array, value: Dynamic| position(items, &value),
    );
}

fn functions(library: &mut Library) {
    library.method(
        "list",
        "len",
        &["-> whole number"],
        "How many elements the list has.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nprint(session.parts.len());\n```",
        |list: &mut List| length(list.items().len()),
    );
    library.method(
        "list",
        "is_empty",
        &["-> true or false"],
        "Has the list no elements?\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nif !session.parts.is_empty() { print(\"something is to be restored\"); }\n```",
        |list: &mut List| list.items().is_empty(),
    );
    library.property(
        "list",
        "len",
        "whole number",
        "how many elements it has",
        |list: &mut List| length(list.items().len()),
    );
    library.method(
        "list",
        "collect",
        &["-> array"],
        "An array of the list's elements, to be changed at will.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlet parts = session.parts.collect();\nparts.push(\"one more\");\n```",
        |list: &mut List| list.to_array(),
    );
    library.method("list", "to_array", &["-> array"], "The same as `collect`.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlet parts = session.parts.to_array();\n```", |list: &mut List| {
        list.to_array()
    });
    library.method(
        "list",
        "count",
        &["-> whole number"],
        "How many elements the list has, as of a stream.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nprint(session.parts.count());\n```",
        |list: &mut List| length(list.items().len()),
    );
    library.method(
        "list",
        "first",
        &["n: whole number", "-> array"],
        "The first `n` elements, or fewer where there are not so many. Without `n` the first element, or `()` where there is none.\n\n- Throws `BadArgument` where `n` is negative.\n- Policy class: none.\n\n```rhai\nlet part = session.parts.first();\nif part != () { print(part.status); }\n```",
        |ctx: NativeCallContext, list: &mut List, count: i64| -> Raised<Array> {
            Ok(list
                .items()
                .iter()
                .take(at_least_zero(count).raise(&ctx)?)
                .cloned()
                .collect())
        },
    );
    library.method(
        "list",
        "index_of",
        &["value", "-> whole number"],
        "Where the value stands, counted from 0; -1 where it is not in the list.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlet parts = session.parts;\nprint(parts.index_of(parts.first()));\n```",
        |list: &mut List, value: Dynamic| position(list.items(), &value),
    );
}

/// The help of what a list or a stream borrows from arrays.
macro_rules! borrowed {
    ($text:literal, $throws:literal, $class:literal, $example:literal) => {
        concat!(
            $text,
            "\n\n- Throws ",
            $throws,
            "\n- Policy class: ",
            $class,
            ".\n\n```rhai\n",
            $example,
            "\n```"
        )
    };
}
pub(super) use borrowed;

/// Name, what it takes, what it gives, help.
const BORROWED: [(&str, &str, &str, &str); 17] = [
    (
        "map",
        "closure: |x| value",
        "-> array",
        borrowed!(
            "What the closure gives for each element.",
            "what the closure throws.",
            "none",
            "print(session.parts.map(|part| part.status));"
        ),
    ),
    (
        "filter",
        "closure: |x| true or false",
        "-> array",
        borrowed!(
            "The elements for which the closure answers true.",
            "what the closure throws.",
            "none",
            "let open = session.parts.filter(|part| part.status == \"draft\");"
        ),
    ),
    (
        "some",
        "closure: |x| true or false",
        "-> true or false",
        borrowed!(
            "Does the closure answer true for one of the elements?",
            "what the closure throws.",
            "none",
            "print(session.parts.some(|part| part.status == \"active\"));"
        ),
    ),
    (
        "any",
        "closure: |x| true or false",
        "-> true or false",
        borrowed!(
            "Does the closure answer true for one of the elements? The same as `some`.",
            "what the closure throws.",
            "none",
            "print(session.parts.any(|part| part.status == \"active\"));"
        ),
    ),
    (
        "all",
        "closure: |x| true or false",
        "-> true or false",
        borrowed!(
            "Does the closure answer true for all elements?",
            "what the closure throws.",
            "none",
            "print(session.parts.all(|part| part.status == \"draft\"));"
        ),
    ),
    (
        "find",
        "closure: |x| true or false",
        "-> element or ()",
        borrowed!(
            "The first element for which the closure answers true; `()` where there is none.",
            "what the closure throws.",
            "none",
            "let active = session.parts.find(|part| part.status == \"active\");"
        ),
    ),
    (
        "find_map",
        "closure: |x| value",
        "-> value or ()",
        borrowed!(
            "What the closure gives for the first element for which it is not `()`.",
            "what the closure throws.",
            "none",
            "let id = session.parts.find_map(|part| if part.status == \"draft\" { part.id } else { () });"
        ),
    ),
    (
        "for_each",
        "closure: ||",
        "->",
        borrowed!(
            "Calls the closure for each element, which is `this` inside.",
            "what the closure throws.",
            "none",
            "session.parts.for_each(|| print(this.id));"
        ),
    ),
    (
        "sort_by",
        "by: name or |x| key",
        "-> array",
        borrowed!(
            "The elements in the order of a property by its name, or of what the closure gives. Equal elements keep their order.",
            "`NotComparable` where keys are of different kinds, and what the closure throws.",
            "none",
            "let parts = session.parts.sort_by(\"createdDateTime\");"
        ),
    ),
    (
        "count_by",
        "by: name or |x| key",
        "-> map",
        borrowed!(
            "How many elements there are of each kind: a map of key and count.",
            "what the closure throws.",
            "none",
            "print(session.parts.count_by(\"status\"));"
        ),
    ),
    (
        "group_by",
        "by: name or |x| key",
        "-> map",
        borrowed!(
            "The elements by kind: a map of key and array.",
            "what the closure throws.",
            "none",
            "let by_status = session.parts.group_by(\"status\");"
        ),
    ),
    (
        "unique_by",
        "by: name or |x| key",
        "-> array",
        borrowed!(
            "The first element of each kind.",
            "what the closure throws.",
            "none",
            "let kinds = session.parts.unique_by(\"status\");"
        ),
    ),
    (
        "reduce",
        "closure: |sum, x| sum",
        "-> value",
        borrowed!(
            "Goes through the elements with a sum, which is `()` at first.",
            "what the closure throws.",
            "none",
            "let total = session.parts.reduce(|sum, part| (sum ?? 0) + part.count);"
        ),
    ),
    (
        "join",
        "between: text",
        "-> text",
        borrowed!(
            "The elements as one text, each as `print` shows it.",
            "nothing.",
            "none",
            "print(users::get(\"rania.shah@contoso.example\").businessPhones.join(\", \"));"
        ),
    ),
    (
        "chunks",
        "n: whole number",
        "-> array of arrays",
        borrowed!(
            "The elements in arrays of `n`; the last may be shorter.",
            "`BadArgument` where `n` is below 1.",
            "none",
            "for few in session.parts.chunks(10) { print(few.len()); }"
        ),
    ),
    (
        "extract",
        "start: whole number",
        "-> array",
        borrowed!(
            "The elements from `start` on, counted from 0; a negative one counts from the end.",
            "nothing.",
            "none",
            "let others = session.parts.extract(1);"
        ),
    ),
    (
        "each",
        "closure: |x|",
        "->",
        borrowed!(
            "Calls the closure for each element, one after the other.",
            "what the closure throws.",
            "none",
            "session.parts.each(|part| print(part.id));"
        ),
    ),
];

const LAST: &str = "The last element, or `()` where there is none.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nlet part = session.parts.last();\n```";

fn as_an_array(library: &mut Library) {
    // Everything an array can do without changing itself, a list can do too.
    for (name, takes, returns, doc) in BORROWED {
        let on_array =
            move |ctx: NativeCallContext, list: &mut List, argument: Dynamic| -> Raised<Dynamic> {
                ctx.call_native_fn::<Dynamic>(name, (list.to_array(), argument))
            };
        library.method("list", name, &[takes, returns], doc, on_array);
    }
    for name in ["first", "last"] {
        let end = move |list: &mut List| {
            let items = list.items();
            let item = if name == "first" {
                items.first()
            } else {
                items.last()
            };
            item.cloned().unwrap_or_default()
        };
        let doc = if name == "first" { "" } else { LAST };
        library.method("list", name, &["-> element or ()"], doc, end);
    }
}

pub(super) fn position(items: &[Dynamic], value: &Dynamic) -> i64 {
    items
        .iter()
        .position(|item| compare::same(item, value))
        .map_or(-1, length)
}

pub(super) fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn at_least_zero(count: i64) -> Result<usize, Failure> {
    usize::try_from(count).map_err(|_| Failure::new("BadArgument", format!("{count} is no count")))
}

/// `object.list.push(x)` would change a copy that nobody sees again.
fn read_only(library: &mut Library) {
    let refuse = |ctx: &NativeCallContext| -> Raised<()> {
        Err(Failure::new(
            "ReadOnly",
            "this list belongs to a Graph object and is read-only",
        )
        .hint("`.collect()` makes an array of your own: `let items = object.list.collect();`")
        .raise(ctx))
    };
    for name in [
        "push", "append", "remove", "retain", "truncate", "chop", "sort", "dedup", "shift", "pop",
        "insert", "pad", "drain", "splice", "clear", "reverse",
    ] {
        library.hidden(
            FuncRegistration::new(name),
            move |ctx: NativeCallContext, _: &mut List| refuse(&ctx),
        );
        library.hidden(
            FuncRegistration::new(name),
            move |ctx: NativeCallContext, _: &mut List, _: Dynamic| refuse(&ctx),
        );
        library.hidden(
            FuncRegistration::new(name),
            move |ctx: NativeCallContext, _: &mut List, _: Dynamic, _: Dynamic| refuse(&ctx),
        );
    }
    library.hidden(
        FuncRegistration::new("+="),
        move |ctx: NativeCallContext, _: &mut List, _: Dynamic| refuse(&ctx),
    );
}
