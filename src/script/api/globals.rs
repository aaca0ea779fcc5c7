//! Functions without a namespace: they serve the script, not the tenant.

use std::sync::Arc;

use rhai::{Array, Dynamic, FnPtr, FuncRegistration, ImmutableString, Map, NativeCallContext};

use super::objects;
use super::rows;
use crate::script::closure::Closure;
use crate::script::convert;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::{Host, Skip};
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::parallel;
use crate::script::record;
use crate::script::trace;
use crate::script::values::{Duration, List, Object, Stream};
use crate::script::words;

pub(crate) fn register(library: &mut Library) {
    printing(library);
    flow(library);
    tables(library);
    numbers(library);
    switched_off(library);
}

fn printing(library: &mut Library) {
    library.function(
        "",
        "print",
        &["value", "->"],
        "Prints a value on a line: a text as it is, Graph objects as their JSON, times as RFC 3339.\n\n- Throws nothing.\n- With `--format json` it goes to stderr: stdout is data.\n- Policy class: none.\n\n```rhai\nprint(\"done\");\nprint(`${rows.len()} rows, ${now()}`);\n```",
        |value: Dynamic| convert::show(&value),
    );
    // Rhai has its own for these types, which would be found first.
    library.hidden(FuncRegistration::new("print"), |items: Array| {
        convert::show(&items.into())
    });
    library.hidden(FuncRegistration::new("print"), |map: Map| {
        convert::show(&map.into())
    });
    library.function(
        "",
        "debug",
        &["value", "->"],
        "Prints a value with its kind and the place in the script, on stderr, for looking for mistakes.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\ndebug(rows);\n```",
        |value: Dynamic| debugged(&value),
    );
    library.hidden(FuncRegistration::new("debug"), |items: Array| {
        debugged(&items.into())
    });
    library.hidden(FuncRegistration::new("debug"), |map: Map| {
        debugged(&map.into())
    });
    library.hidden(FuncRegistration::new("debug"), |text: ImmutableString| {
        debugged(&text.into())
    });
}

fn debugged(value: &Dynamic) -> String {
    match value.as_immutable_string_ref() {
        Ok(text) => format!("{:?} (text)", text.as_str()),
        Err(_) if value.is_unit() => "()".to_owned(),
        Err(_) => format!("{} ({})", convert::show(value), words::kind(value)),
    }
}

fn flow(library: &mut Library) {
    library.function(
        "",
        "attempt",
        &["closure: || value", "-> #{value, error}"],
        "Calls the closure and returns `#{value, error}` instead of throwing; one of the two is `()`.\n\n- Throws nothing that the closure throws. A denial, Ctrl-C or a passed limit still ends the script.\n- Policy class: that of what the closure calls.\n\n```rhai\nlet tried = attempt(|| groups::get(\"Finance\"));\nif tried.error != () { print(tried.error.message); }\n```",
        |ctx: NativeCallContext, closure: FnPtr| -> Raised<Map> {
            let outcome = Closure::new(closure).call(&ctx, []);
            if Host::of(&ctx).stop.is_set() {
                return Err(Failure::stopped().raise(&ctx));
            }
            let (value, error) = match outcome {
                Ok(value) => (value, Dynamic::UNIT),
                Err(error) => (Dynamic::UNIT, Dynamic::from(parallel::caught(&error))),
            };
            Ok(Map::from([("value".into(), value), ("error".into(), error)]))
        },
    );
    library.function(
        "",
        "step",
        &["name: text", "closure: || value", "-> value"],
        "Does something once in a run: called again with the same name it gives the same result, also when the run goes on after its process has died.\n\n- `name`: what it is known by, within the loop or step that it stands in.\n- `closure`: sees captured variables as they were at the call; what it assigns to them is lost (`check` refuses it). Its value is data or host objects.\n- Throws what the closure throws; then it is not done, and may be tried again. `StepInItself`.\n- Policy class: that of what the closure calls.\n\n```rhai\nlet rows = step(\"find the points\", || exchange::latest_points(groups::members(\"Finance\")));\n```",
        |ctx: NativeCallContext, name: ImmutableString, closure: FnPtr| record::step(&ctx, &name, closure),
    );
    library.function(
        "",
        "progress",
        &["items: list", "label: text", "-> stream"],
        "The same items, with a bar on the terminal that counts them.\n\n- Throws `WrongType` where `items` is no list; what reading throws.\n- Policy class: none.\n\n```rhai\nfor row in progress(rows, \"checking\") { log::debug(row.name); }\n```",
        |ctx: NativeCallContext, items: Dynamic, label: ImmutableString| -> Raised<Stream> { progress(&ctx, items, &label) },
    );
    library.function(
        "",
        "confirm",
        &["text: text"],
        "Asks the person at the terminal. Returns when the answer is yes, or `--yes` was given.\n\n- Throws nothing: where the answer is no, or nobody can be asked, the run ends with exit code 5.\n- Policy class: none.\n\n```rhai\nconfirm(`restore ${rows.len()} mailboxes in place?`);\n```",
        |ctx: NativeCallContext, text: ImmutableString| -> Raised<()> {
            let host = Host::of(&ctx);
            (host.confirm)(&text).map_err(|denial| host.end(denial)).raise(&ctx)
        },
    );
    library.function(
        "",
        "sleep",
        &["length: duration"],
        "Waits. Ctrl-C and a passed limit end the wait at once.\n\n- Throws `WrongArguments` for a number: it has no unit.\n- Policy class: none.\n\n```rhai\nsleep(duration(\"200ms\"));\n```",
        |ctx: NativeCallContext, length: Duration| -> Raised<()> { Host::of(&ctx).sleep(length.unsigned()).raise(&ctx) },
    );
    let no_unit = |ctx: &NativeCallContext, number: String| -> Raised<()> {
        Err(Failure::new(
            "WrongArguments",
            format!("`sleep` takes a duration; `{number}` has no unit"),
        )
        .hint(format!("write `sleep(duration(\"{number}s\"))`"))
        .raise(ctx))
    };
    library.hidden(
        FuncRegistration::new("sleep"),
        move |ctx: NativeCallContext, number: i64| no_unit(&ctx, number.to_string()),
    );
    library.hidden(
        FuncRegistration::new("sleep"),
        move |ctx: NativeCallContext, number: f64| no_unit(&ctx, number.to_string()),
    );

    let doc = "Books an item as skipped, so that nobody is forgotten: it stands in the books, the report and the exit code (1).\n\n- `item`: a row, a user, a unit, an address.\n- `reason`: why, for people.\n- Options: `ok: true` (skipping it is as it should be: the exit code stays 0).\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nfor row in rows {\n    if row.code == \"NoUnit\" { skip(row, \"was never protected\", #{ok: true}); }\n}\n```";
    library.function(
        "",
        "skip",
        &["item", "reason: text"],
        doc,
        |ctx: NativeCallContext, item: Dynamic, reason: ImmutableString| -> Raised<()> {
            skip(&ctx, &item, &reason, &OptionMap::none())
        },
    );
    library.function(
        "",
        "skip",
        &["item", "reason: text", "options: map"],
        "",
        |ctx: NativeCallContext,
         item: Dynamic,
         reason: ImmutableString,
         options: Map|
         -> Raised<()> {
            skip(
                &ctx,
                &item,
                &reason,
                &OptionMap::read(options, &["ok"]).raise(&ctx)?,
            )
        },
    );
}

fn progress(ctx: &NativeCallContext, items: Dynamic, label: &str) -> Raised<Stream> {
    // What is no list is an error here, not at the first reading.
    drop(objects::items(&items).raise(ctx)?);
    let host = Host::of(ctx);
    let label: Arc<str> = label.into();
    let open = move || -> Box<dyn crate::script::values::Source> {
        let total = objects::known_len(&items).and_then(|len| u64::try_from(len).ok());
        let bar = host.talk.bar(&label, total);
        let mut given = 0_u64;
        match objects::items(&items) {
            Ok(items) => Box::new(items.inspect(move |_| {
                // The bar counts what is behind us: an item is done when the next one is asked for.
                bar.set(given);
                given += 1;
            })),
            Err(failure) => Box::new(std::iter::once(Err(failure))),
        }
    };
    Ok(Stream::new("items", open).at(ctx.call_position()))
}

fn skip(ctx: &NativeCallContext, item: &Dynamic, reason: &str, options: &OptionMap) -> Raised<()> {
    let object = |value: &Dynamic| value.read_lock::<Object>().map(|object| object.clone());
    // A row stands for its item, and tells its unit and point too.
    let field = |name: &str| item.as_map_ref().ok()?.get(name).and_then(object);
    let skip = Skip {
        item: named(item),
        object: object(item).or_else(|| field("item")),
        unit: field("unit"),
        point: field("point"),
        reason: reason.to_owned(),
        ok: options.flag("ok").raise(ctx)?.unwrap_or(false),
    };
    let host = Host::of(ctx);
    if host.stop.is_set() {
        return Err(Failure::stopped().raise(ctx));
    }
    (host.skip)(skip).raise(ctx)
}

/// What a person would call a thing: its name, address or id.
pub(crate) fn named(value: &Dynamic) -> String {
    let text = |name: &str| {
        let found = match value.read_lock::<Object>() {
            Some(object) => match object.columns().and_then(|columns| columns.get(name)) {
                Some(column) => column.clone().into_string().ok(),
                None => object.string(name),
            },
            None => value
                .as_map_ref()
                .ok()?
                .get(name)
                .filter(|found| !found.is_unit())
                .map(named),
        };
        found.filter(|text| !text.is_empty())
    };
    let names = [
        "name",
        "displayName",
        "mail",
        "userPrincipalName",
        "webUrl",
        "email",
        "item",
        "id",
    ];
    names
        .iter()
        .find_map(|name| text(name))
        .unwrap_or_else(|| convert::show(value))
}

fn tables(library: &mut Library) {
    let doc = "Prints rows as a table on stdout. With `--format json` or `csv` it prints data.\n\n- `rows`: maps, Graph objects or arrays; an array, a list or a stream.\n- `columns`: names of properties or columns, `\"point.protectionDateTime\"` goes inside; without them, all.\n- Throws `NoSuchProperty` for a name that nothing has, `WrongType` where `rows` is no list.\n- Policy class: none.\n\n```rhai\ntable(rows, [\"name\", \"point.protectionDateTime\", \"code\"]);\n```";
    library.function(
        "",
        "table",
        &["rows: list"],
        doc,
        |ctx: NativeCallContext, rows: Dynamic| -> Raised<()> { table(&ctx, &rows, None) },
    );
    library.function(
        "",
        "table",
        &["rows: list", "columns: array of text"],
        "",
        |ctx: NativeCallContext, rows: Dynamic, columns: Array| -> Raised<()> {
            let names = columns.into_iter().map(|name| {
                let given = name.clone();
                name.into_string()
                    .map_err(|_| trace::needs("columns are names", &given))
            });
            let names = names.collect::<Result<Vec<_>, _>>().raise(&ctx)?;
            table(&ctx, &rows, Some(names))
        },
    );
}

fn table(ctx: &NativeCallContext, rows: &Dynamic, columns: Option<Vec<String>>) -> Raised<()> {
    // One row alone is a table too.
    let rows = if rows.is_map() || rows.is::<Object>() {
        vec![rows.clone()]
    } else {
        objects::collect(ctx, rows)?
    };
    let columns = match columns {
        Some(columns) => {
            for name in &columns {
                if rows.iter().all(Dynamic::is_map) {
                    rows::known_column(&rows, name).raise(ctx)?;
                }
            }
            columns
        }
        None => columns_of(&rows),
    };
    let cells = |row: &Dynamic| -> Result<Vec<serde_json::Value>, Failure> {
        let items = match row.read_lock::<List>() {
            Some(list) => Some(list.to_array()),
            None => row.as_array_ref().ok().map(|items| items.clone()),
        };
        if let Some(items) = items {
            let cells = (0..columns.len()).map(|at| {
                items
                    .get(at)
                    .map_or(Ok(serde_json::Value::Null), convert::to_json)
            });
            return cells.collect();
        }
        if !is_row(row) {
            return Ok(vec![convert::to_json(row)?]);
        }
        columns
            .iter()
            .map(|name| convert::to_json(&rows::column(row, name)?))
            .collect()
    };
    let cells = rows
        .iter()
        .map(cells)
        .collect::<Result<Vec<_>, _>>()
        .raise(ctx)?;
    Host::of(ctx).output.table(&columns, &cells);
    Ok(())
}

fn is_row(row: &Dynamic) -> bool {
    row.is_map() || row.is::<Object>() || row.is::<Failure>()
}

/// All columns there are: of objects the host's, then what the JSON holds; of maps their keys.
pub(crate) fn columns_of(rows: &[Dynamic]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    };
    let mut widest = 0;
    for row in rows {
        if let Some(object) = row.read_lock::<Object>() {
            object
                .columns()
                .into_iter()
                .flat_map(crate::script::values::Columns::names)
                .for_each(&mut add);
            let json: serde_json::Map<_, _> = object.json().parse().unwrap_or_default();
            let published = |name: &String| {
                object.kind().is_untyped() || object.kind().property(name).is_some()
            };
            json.keys()
                .filter(|name| !name.contains('@') && published(name))
                .for_each(|name| add(name));
        } else if let Ok(map) = row.as_map_ref() {
            map.keys().for_each(|name| add(name));
        } else if let Ok(items) = row.as_array_ref() {
            widest = widest.max(items.len());
        } else {
            add("value");
        }
    }
    for number in 1..=widest {
        add(&number.to_string());
    }
    names
}

fn numbers(library: &mut Library) {
    library.function(
        "",
        "parse_int",
        &["text: text", "-> whole number"],
        "A whole number out of a text.\n\n- Throws `BadNumber`.\n- Policy class: none.\n\n```rhai\nlet wave = parse_int(\"25\");\n```",
        |ctx: NativeCallContext, text: ImmutableString| -> Raised<i64> {
            text.trim()
                .parse()
                .map_err(|_| Failure::new("BadNumber", format!("`{text}` is no whole number")))
                .raise(&ctx)
        },
    );
    library.function(
        "",
        "parse_int",
        &["number: whole number", "-> whole number"],
        "",
        |number: i64| number,
    );
    library.function(
        "",
        "parse_float",
        &["text: text", "-> number"],
        "A number out of a text, with `.` before the fraction.\n\n- Throws `BadNumber`.\n- Policy class: none.\n\n```rhai\nlet share = parse_float(\"0.05\");\n```",
        |ctx: NativeCallContext, text: ImmutableString| -> Raised<f64> {
            let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
            number.ok_or_else(|| Failure::new("BadNumber", format!("`{text}` is no number"))).raise(&ctx)
        },
    );
    library.function(
        "",
        "parse_float",
        &["number: number", "-> number"],
        "",
        |number: f64| number,
    );
}

/// What Rhai offers and a runbook may not use.
fn switched_off(library: &mut Library) {
    let exit = |ctx: &NativeCallContext| -> Raised<()> {
        Err(Failure::new(
            "SwitchedOff",
            "`exit` is switched off: the exit code says what became of the items",
        )
        .hint("`return` ends the script; `throw \"why\"` ends it as failed")
        .raise(ctx))
    };
    library.hidden(
        FuncRegistration::new("exit"),
        move |ctx: NativeCallContext| exit(&ctx),
    );
    library.hidden(
        FuncRegistration::new("exit"),
        move |ctx: NativeCallContext, _: Dynamic| exit(&ctx),
    );
    library.hidden(
        FuncRegistration::new("timestamp"),
        |ctx: NativeCallContext| -> Raised<()> {
            Err(Failure::new(
                "SwitchedOff",
                "`timestamp` is switched off: a resumed run could not see the same",
            )
            .hint("`now()` is the current time")
            .raise(&ctx))
        },
    );
}
