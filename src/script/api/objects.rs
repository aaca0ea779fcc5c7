//! Graph's objects, errors and `args`, as a script uses them; and what counts as a list.

use rhai::{Array, Dynamic, FuncRegistration, ImmutableString, NativeCallContext};

use crate::script::arguments::Args;
use crate::script::convert;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::library::Library;
use crate::script::values::{List, Object, Stream};
use crate::script::words;

pub(crate) fn register(library: &mut Library) {
    objects(library);
    arguments(library);
    errors(library);
}

fn objects(library: &mut Library) {
    library.type_name::<Object>("object");
    // `object.name` finds no getter and comes here, as `object["name"]` does.
    library.hidden(
        FuncRegistration::new_index_getter(),
        |ctx: NativeCallContext, object: &mut Object, name: ImmutableString| -> Raised<Dynamic> {
            object.get(&name).raise(&ctx)
        },
    );
    // No setter: the engine would call it with what a method like `object.list.len()` has looked at. `explain` words the error.
    library.property(
        "object",
        "raw",
        "map",
        "the JSON that Graph sent, untouched; a copy",
        |object: &mut Object| object.raw(),
    );
    library.hidden(
        FuncRegistration::new("contains"),
        |object: &mut Object, name: ImmutableString| object.has(&name),
    );
    for name in ["to_string", "to_debug"] {
        library.hidden(FuncRegistration::new(name), |object: &mut Object| {
            convert::show(&Dynamic::from(object.clone()))
        });
    }
    library.method(
        "object",
        "keys",
        &["-> array of text"],
        "The names that may be asked for: what Graph publishes for this kind of object, and the host's columns.\n\n- Throws nothing.\n- Policy class: none.\n\n```rhai\nprint(users::get(\"rania.shah@contoso.example\").keys());\n```",
        |object: &mut Object| -> Array { object.names().into_iter().map(Dynamic::from).collect() },
    );
}

fn arguments(library: &mut Library) {
    library.type_name::<Args>("arguments");
    library.hidden(
        FuncRegistration::new_index_getter(),
        |ctx: NativeCallContext, args: &mut Args, name: ImmutableString| -> Raised<Dynamic> {
            args.get(&name).raise(&ctx)
        },
    );
    library.hidden(
        FuncRegistration::new("contains"),
        |args: &mut Args, name: ImmutableString| args.get(&name).is_ok(),
    );
    for name in ["to_string", "to_debug"] {
        library.hidden(FuncRegistration::new(name), |args: &mut Args| {
            args.to_json().to_string()
        });
    }
}

fn errors(library: &mut Library) {
    library.type_name::<Failure>("error");
    library.property(
        "error",
        "code",
        "text",
        "Graph's code as published, or runback's own; `runback doc codes` explains it",
        |failure: &mut Failure| failure.code.clone(),
    );
    library.property(
        "error",
        "message",
        "text",
        "what happened, to what",
        |failure: &mut Failure| failure.message.clone(),
    );
    library.property(
        "error",
        "status",
        "whole number or ()",
        "the HTTP status, where the service answered",
        |failure: &mut Failure| {
            failure
                .status
                .map_or(Dynamic::UNIT, |status| i64::from(status).into())
        },
    );
    library.property(
        "error",
        "request_id",
        "text or ()",
        "the number of the request that Microsoft's support asks for",
        |failure: &mut Failure| failure.request_id.clone().map_or(Dynamic::UNIT, Into::into),
    );
    library.property(
        "error",
        "hint",
        "text or ()",
        "what to do",
        |failure: &mut Failure| failure.hint.clone().map_or(Dynamic::UNIT, Into::into),
    );
    library.property(
        "error",
        "line",
        "whole number or ()",
        "where in the script",
        |failure: &mut Failure| {
            let line = failure.line.and_then(|line| i64::try_from(line).ok());
            line.map_or(Dynamic::UNIT, Dynamic::from)
        },
    );
    for name in ["to_string", "to_debug"] {
        library.hidden(FuncRegistration::new(name), |failure: &mut Failure| {
            failure.to_string()
        });
    }
    // A thrown text answers like any other error.
    library.getter("code", |_: &mut ImmutableString| ImmutableString::new());
    library.getter("message", |text: &mut ImmutableString| text.clone());
    for name in ["status", "request_id", "hint", "line"] {
        library.getter(name, |_: &mut ImmutableString| Dynamic::UNIT);
    }
}

/// An array, a list, or a stream read to its end.
pub(crate) fn collect(ctx: &NativeCallContext, value: &Dynamic) -> Raised<Array> {
    items(value)
        .raise(ctx)?
        .collect::<Result<_, _>>()
        .raise(ctx)
}

/// Whatever takes a list takes an array, a list or a stream.
///
/// # Errors
/// `WrongType` for anything else.
pub(crate) fn items(
    value: &Dynamic,
) -> Result<Box<dyn Iterator<Item = Result<Dynamic, Failure>> + Send>, Failure> {
    if let Ok(items) = value.as_array_ref() {
        return Ok(Box::new(items.clone().into_iter().map(Ok)));
    }
    if let Some(list) = value.read_lock::<List>() {
        return Ok(Box::new(list.clone().into_iter().map(Ok)));
    }
    if let Some(stream) = value.read_lock::<Stream>() {
        return Ok(Box::new(stream.read()));
    }
    if let Some(range) = value.read_lock::<std::ops::Range<i64>>() {
        return Ok(Box::new(range.clone().map(|number| Ok(number.into()))));
    }
    if let Some(range) = value.read_lock::<std::ops::RangeInclusive<i64>>() {
        return Ok(Box::new(range.clone().map(|number| Ok(number.into()))));
    }
    let failure = Failure::new(
        "WrongType",
        format!(
            "a list is needed here; this is {}",
            words::article(words::kind(value))
        ),
    );
    Err(if value.is_unit() {
        failure
    } else {
        failure.hint("one thing alone goes into brackets: `[x]`")
    })
}

/// How many items there are, where that is known without reading.
pub(crate) fn known_len(value: &Dynamic) -> Option<usize> {
    if let Some(list) = value.read_lock::<List>() {
        return Some(list.items().len());
    }
    value.as_array_ref().ok().map(|items| items.len())
}
