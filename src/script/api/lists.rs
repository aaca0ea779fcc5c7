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
        "How many elements the list has.",
        |list: &mut List| length(list.items().len()),
    );
    library.method(
        "list",
        "is_empty",
        &["-> true or false"],
        "Has the list no elements?",
        |list: &mut List| list.items().is_empty(),
    );
    library.getter("len", |list: &mut List| length(list.items().len()));
    library.method(
        "list",
        "collect",
        &["-> array"],
        "An array of the list's elements, to be changed at will.",
        |list: &mut List| list.to_array(),
    );
    library.method("list", "to_array", &["-> array"], "", |list: &mut List| {
        list.to_array()
    });
    library.method(
        "list",
        "count",
        &["-> whole number"],
        "How many elements the list has.",
        |list: &mut List| length(list.items().len()),
    );
    library.method(
        "list",
        "first",
        &["n: whole number", "-> array"],
        "The first `n` elements, or fewer where there are not so many.",
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
        "",
        |list: &mut List, value: Dynamic| position(list.items(), &value),
    );
}

fn as_an_array(library: &mut Library) {
    // Everything an array can do without changing itself, a list can do too.
    for name in [
        "map",
        "filter",
        "some",
        "any",
        "all",
        "find",
        "find_map",
        "for_each",
        "sort_by",
        "count_by",
        "group_by",
        "unique_by",
        "reduce",
        "join",
        "chunks",
        "extract",
        "each",
    ] {
        let on_array =
            move |ctx: NativeCallContext, list: &mut List, argument: Dynamic| -> Raised<Dynamic> {
                ctx.call_native_fn::<Dynamic>(name, (list.to_array(), argument))
            };
        library.method(
            "list",
            name,
            &["closure", "-> as of an array"],
            "",
            on_array,
        );
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
        library.method("list", name, &["-> element or ()"], "", end);
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
