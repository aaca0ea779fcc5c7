//! What arrays of rows can do here, and the sorting of the host's own: Rhai's `sort` and `dedup` swallow errors.

use std::cmp::Ordering;
use std::collections::HashSet;

use rhai::{Array, Dynamic, FnPtr, FuncRegistration, ImmutableString, Map, NativeCallContext};

use crate::script::closure::Closure;
use crate::script::compare;
use crate::script::convert;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::library::Library;
use crate::script::trace;
use crate::script::values::Object;
use crate::script::words;

pub(crate) fn register(library: &mut Library) {
    sorting(library);
    library.method(
        "array",
        "count_by",
        &["by: name or |x| key", "-> map"],
        "How many elements there are of each kind: a map of key and count.\n\n- `by`: a property or column by its name, or what the closure gives. Absent is `\"\"`.\n- Throws `NoSuchProperty` for a name that nothing has, and what the closure throws.\n- Policy class: none.\n\n```rhai\nprint(rows.count_by(\"code\"));\n```",
        |ctx: NativeCallContext, items: &mut Array, by: Dynamic| -> Raised<Map> {
            let mut counts: Map = Map::new();
            for key in keys(&ctx, items, &by)? {
                let count = counts.entry(convert::show(&key).into()).or_insert(Dynamic::ZERO);
                *count = (count.as_int().unwrap_or_default() + 1).into();
            }
            Ok(counts)
        },
    );
    library.method(
        "array",
        "group_by",
        &["by: name or |x| key", "-> map"],
        "The elements by kind: a map of key and array.\n\n- `by`: a property or column by its name, or what the closure gives. Absent is `\"\"`.\n- Throws `NoSuchProperty` for a name that nothing has, and what the closure throws.\n- Policy class: none.\n\n```rhai\nlet by_code = rows.group_by(\"code\");\nfor code in by_code.keys() { print(`${code}: ${by_code[code].len()}`); }\n```",
        |ctx: NativeCallContext, items: &mut Array, by: Dynamic| -> Raised<Map> {
            let keys = keys(&ctx, items, &by)?;
            let mut groups: Map = Map::new();
            for (item, key) in items.iter().zip(keys) {
                let group = groups.entry(convert::show(&key).into()).or_insert_with(|| Array::new().into());
                if let Ok(mut group) = group.as_array_mut() {
                    group.push(item.clone());
                }
            }
            Ok(groups)
        },
    );
    library.method(
        "array",
        "unique_by",
        &["by: name or |x| key", "-> array"],
        "The first element of each kind, in their order.\n\n- `by`: a property or column by its name, or what the closure gives.\n- Throws `NoSuchProperty` for a name that nothing has, and what the closure throws.\n- Policy class: none.\n\n```rhai\nlet once = rows.unique_by(|row| row.name);\n```",
        |ctx: NativeCallContext, items: &mut Array, by: Dynamic| -> Raised<Array> {
            let keys = keys(&ctx, items, &by)?;
            let mut seen = HashSet::new();
            let kept = items
                .iter()
                .zip(keys)
                .filter(|(_, key)| seen.insert((words::kind(key), convert::show(key))));
            Ok(kept.map(|(item, _)| item.clone()).collect())
        },
    );
    library.method(
        "array",
        "any",
        &["closure: |x| true or false", "-> true or false"],
        "Does the closure answer true for one of the elements? Rhai calls it `some`.\n\n- Throws what the closure throws.\n- Policy class: none.\n\n```rhai\nif rows.any(|row| row.point == ()) { print(\"not all of them have a restore point\"); }\n```",
        |ctx: NativeCallContext, items: &mut Array, closure: FnPtr| -> Raised<bool> {
            let closure = Closure::of_method(closure, &items.clone().into());
            for item in items.iter() {
                if closure.holds(&ctx, item.clone())? {
                    return Ok(true);
                }
            }
            Ok(false)
        },
    );
    library.method(
        "array",
        "chunks",
        &["n: whole number", "-> array of arrays"],
        "The elements in arrays of `n`; the last may be shorter.\n\n- Throws `BadArgument` where `n` is below 1.\n- Policy class: none.\n\n```rhai\nfor wave in rows.chunks(200) { print(wave.len()); }\n```",
        |ctx: NativeCallContext, items: &mut Array, size: i64| -> Raised<Array> {
            let size = usize::try_from(size).ok().filter(|size| *size > 0);
            let size = size.ok_or_else(|| Failure::new("BadArgument", "the size of a chunk is at least 1")).raise(&ctx)?;
            Ok(items.chunks(size).map(|chunk| chunk.to_vec().into()).collect())
        },
    );
    library.method(
        "array",
        "join",
        &["between: text", "-> text"],
        "The elements as one text, each as `print` shows it.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nprint(rows.map(|row| row.name).join(\", \"));\n```",
        |items: &mut Array, between: ImmutableString| joined(items, &between),
    );
}

/// The elements as one text, each as `print` shows it.
fn joined(items: &Array, between: &str) -> String {
    let shown: Vec<String> = items.iter().map(convert::show).collect();
    shown.join(between)
}

/// The value of a column in one row: a property, a map's entry; `a.b` goes on inside it.
pub(crate) fn column(row: &Dynamic, name: &str) -> Result<Dynamic, Failure> {
    let whole = one_column(row, name)?;
    if !whole.is_unit() || !name.contains('.') {
        return Ok(whole);
    }
    name.split('.').try_fold(row.clone(), |value, part| {
        if value.is_unit() {
            Ok(value)
        } else {
            one_column(&value, part)
        }
    })
}

fn one_column(row: &Dynamic, name: &str) -> Result<Dynamic, Failure> {
    if let Some(object) = row.read_lock::<Object>() {
        return match object.get(name) {
            // The dotted name as a whole is looked at first, and is no property.
            Err(_) if name.contains('.') => Ok(Dynamic::UNIT),
            found => found,
        };
    }
    if let Ok(map) = row.as_map_ref() {
        return Ok(map.get(name).cloned().unwrap_or_default());
    }
    if let Some(failure) = row.read_lock::<Failure>() {
        return Ok(convert::from_json(failure.to_json())
            .read_lock::<Map>()
            .and_then(|map| map.get(name).cloned())
            .unwrap_or_default());
    }
    Err(trace::needs(
        &format!("`{name}` is looked for in rows, which are maps or Graph objects"),
        row,
    ))
}

/// A name that no map among the rows has is a typo, not an absent value.
pub(crate) fn known_column(rows: &[Dynamic], name: &str) -> Result<(), Failure> {
    let first = name.split('.').next().unwrap_or(name);
    let mut names = HashSet::new();
    for row in rows {
        match row.as_map_ref() {
            Ok(map) if map.contains_key(name) || map.contains_key(first) => return Ok(()),
            Ok(map) => names.extend(map.keys().map(ToString::to_string)),
            // Objects know by themselves what they have.
            Err(_) => return Ok(()),
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let mut names: Vec<_> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    let failure = Failure::new("NoSuchProperty", format!("no row has a column `{name}`"));
    Err(match words::nearest(name, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("the rows have {}", words::list(names))),
    })
}

/// A key for each item, by a column's name or by a closure.
fn keys(ctx: &NativeCallContext, items: &Array, by: &Dynamic) -> Raised<Vec<Dynamic>> {
    if let Ok(name) = by.as_immutable_string_ref() {
        known_column(items, &name).raise(ctx)?;
        return items
            .iter()
            .map(|item| column(item, &name))
            .collect::<Result<_, _>>()
            .raise(ctx);
    }
    let Some(closure) = by.clone().try_cast::<FnPtr>() else {
        return Err(trace::needs(
            "this function takes the name of a column or a closure `|x| key`",
            by,
        )
        .raise(ctx));
    };
    let closure = Closure::of_method(closure, &items.clone().into());
    items
        .iter()
        .map(|item| closure.call(ctx, [item.clone()]))
        .collect()
}

fn sorting(library: &mut Library) {
    for (name, descending) in [("sort", false), ("sort_desc", true)] {
        library.hidden(
            FuncRegistration::new(name).with_purity(false),
            move |ctx: NativeCallContext, items: &mut Array| -> Raised<()> {
                in_place(items, |items| by_value(&ctx, items, descending))
            },
        );
    }
    for (name, descending) in [("order", false), ("order_desc", true)] {
        library.hidden(
            FuncRegistration::new(name),
            move |ctx: NativeCallContext, items: &mut Array| -> Raised<Array> {
                by_value(&ctx, items.clone(), descending)
            },
        );
    }
    library.hidden(
        FuncRegistration::new("sort").with_purity(false),
        |ctx: NativeCallContext, items: &mut Array, closure: FnPtr| -> Raised<()> {
            in_place(items, |items| by_comparer(&ctx, items, closure))
        },
    );
    for name in ["order", "order_by"] {
        library.hidden(
            FuncRegistration::new(name),
            |ctx: NativeCallContext, items: &mut Array, closure: FnPtr| -> Raised<Array> {
                by_comparer(&ctx, items.clone(), closure)
            },
        );
    }
    let sort_by = |ctx: NativeCallContext, items: &mut Array, by: Dynamic| -> Raised<Array> {
        in_place(items, |items| by_key(&ctx, items, &by))?;
        Ok(items.clone())
    };
    library.method(
        "array",
        "sort_by",
        &["by: name or |x| key", "-> array"],
        "Sorts the array by a column's name or by what the closure gives, and returns it. Equal elements keep their order; absent keys come last.\n\n- `by`: a property or column by its name, or what the closure gives.\n- Throws `NotComparable` where keys are of different kinds, `NoSuchProperty` for a name that nothing has, and what the closure throws.\n- Policy class: none.\n\n```rhai\ntable(rows.sort_by(\"name\"), [\"name\", \"code\"]);\n```",
        sort_by,
    );
    library.hidden(
        FuncRegistration::new("sort_by").with_purity(false),
        move |ctx: NativeCallContext, items: &mut Array, by: FnPtr| sort_by(ctx, items, by.into()),
    );
    library.hidden(
        FuncRegistration::new("dedup").with_purity(false),
        |items: &mut Array| items.dedup_by(|next, kept| compare::same(kept, next)),
    );
    library.hidden(
        FuncRegistration::new("dedup").with_purity(false),
        |ctx: NativeCallContext, items: &mut Array, closure: FnPtr| -> Raised<()> {
            let closure = Closure::of_method(closure, &items.clone().into());
            let mut kept = Array::new();
            for item in items.iter() {
                let same = match kept.last() {
                    Some(last) => truth(
                        &ctx,
                        &closure.call(&ctx, [Dynamic::clone(last), item.clone()])?,
                    )?,
                    None => false,
                };
                if !same {
                    kept.push(item.clone());
                }
            }
            *items = kept;
            Ok(())
        },
    );
}

/// The array stays as it was where sorting it fails.
fn in_place(items: &mut Array, sort: impl FnOnce(Array) -> Raised<Array>) -> Raised<()> {
    *items = sort(items.clone())?;
    Ok(())
}

fn by_value(ctx: &NativeCallContext, items: Array, descending: bool) -> Raised<Array> {
    merge(items, &mut |left, right| {
        let (left, right) = if descending {
            (right, left)
        } else {
            (left, right)
        };
        key_order(left, right).map(Ordering::is_gt).raise(ctx)
    })
}

fn by_comparer(ctx: &NativeCallContext, items: Array, closure: FnPtr) -> Raised<Array> {
    let closure = Closure::of_method(closure, &items.clone().into());
    merge(items, &mut |left, right| {
        let answer = closure.call(ctx, [left.clone(), right.clone()])?;
        if let Ok(order) = answer.as_int() {
            return Ok(order > 0);
        }
        // `|a, b| a < b` says whether a comes first; equal elements stay where they are, so ask the other way round.
        if truth(ctx, &answer)? {
            return Ok(false);
        }
        let other = closure.call(ctx, [right.clone(), left.clone()])?;
        truth(ctx, &other)
    })
}

fn truth(ctx: &NativeCallContext, answer: &Dynamic) -> Raised<bool> {
    answer
        .as_bool()
        .map_err(|_| trace::needs("the closure must answer true or false, or for an order a whole number below, at or above 0", answer).raise(ctx))
}

fn by_key(ctx: &NativeCallContext, items: Array, by: &Dynamic) -> Raised<Array> {
    if let Some(closure) = by.clone().try_cast::<FnPtr>()
        && Closure::new(closure.clone()).takes(ctx, 2)
    {
        return by_comparer(ctx, items, closure);
    }
    let keys = keys(ctx, &items, by)?;
    let pairs: Vec<_> = keys.into_iter().zip(items).collect();
    let sorted = merge(pairs, &mut |left, right| {
        key_order(&left.0, &right.0).map(Ordering::is_gt).raise(ctx)
    })?;
    Ok(sorted.into_iter().map(|(_, item)| item).collect())
}

fn key_order(left: &Dynamic, right: &Dynamic) -> Result<Ordering, Failure> {
    match (left.is_unit(), right.is_unit()) {
        (false, false) => Ok(compare::order(left, right)?.unwrap_or(Ordering::Equal)),
        (left, right) => Ok(left.cmp(&right)),
    }
}

/// A stable merge sort that stops at the first error. The standard library's may panic where a closure contradicts itself.
fn merge<T: Clone>(
    mut items: Vec<T>,
    after: &mut dyn FnMut(&T, &T) -> Raised<bool>,
) -> Raised<Vec<T>> {
    let mut width = 1;
    while width < items.len() {
        let mut next = Vec::with_capacity(items.len());
        for pair in items.chunks(width * 2) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            let (mut from_left, mut from_right) = (left.iter().peekable(), right.iter().peekable());
            while let (Some(one), Some(other)) = (from_left.peek(), from_right.peek()) {
                let take = if after(one, other)? {
                    &mut from_right
                } else {
                    &mut from_left
                };
                next.extend(take.next().cloned());
            }
            next.extend(from_left.cloned());
            next.extend(from_right.cloned());
        }
        items = next;
        width *= 2;
    }
    Ok(items)
}
