//! `json::`: files and texts in JSON.

use rhai::{Dynamic, ImmutableString, NativeCallContext};
use serde_json::Value;

use crate::script::convert;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::values::Stream;

pub(crate) fn register(library: &mut Library) {
    library.function(
        "json",
        "read",
        &["path: text", "-> value"],
        "Reads a JSON file: objects become maps, lists arrays.\n\n- Throws `NoFile`, `FileDenied`, `BadJson` with the line.\n- Policy class: none. Files only under the script's folder and `--data`.\n\n```rhai\njson::write(\"settings.json\", #{group: \"Finance\"});\nlet settings = json::read(\"settings.json\");\nprint(settings.group);\n```",
        |ctx: NativeCallContext, path: ImmutableString| -> Raised<Dynamic> {
            let bytes = Host::of(&ctx).files.read(&path).raise(&ctx)?;
            let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(&bytes);
            serde_json::from_slice(bytes).map(convert::from_json).map_err(|error| bad(&format!("`{path}`"), &error)).raise(&ctx)
        },
    );
    library.function(
        "json",
        "write",
        &["path: text", "value"],
        "Writes a value as a JSON file; nobody sees half of it.\n\n- `value`: anything but closures; Graph objects as their JSON, streams as lists, times as RFC 3339.\n- Throws `FileDenied`, `FileError`, `NotData` for closures.\n- Policy class: none. Files only under the script's folder and `--data`.\n\n```rhai\njson::write(\"rows.json\", rows);\n```",
        |ctx: NativeCallContext, path: ImmutableString, value: Dynamic| -> Raised<()> {
            let mut text = serde_json::to_vec_pretty(&data(&value).raise(&ctx)?).map_err(|error| bad("the value", &error)).raise(&ctx)?;
            text.push(b'\n');
            Host::of(&ctx).files.write(&path, &text).raise(&ctx)
        },
    );
    library.function(
        "json",
        "parse",
        &["text: text", "-> value"],
        "The value of a JSON text.\n\n- Throws `BadJson`.\n- Policy class: none.\n\n```rhai\nlet limits = json::parse(\"{\\\"wave\\\": 25}\");\nprint(limits.wave);\n```",
        |ctx: NativeCallContext, text: ImmutableString| -> Raised<Dynamic> {
            serde_json::from_str(&text)
                .map(convert::from_json)
                .map_err(|error| bad("the text", &error))
                .raise(&ctx)
        },
    );
    library.function(
        "json",
        "text",
        &["value", "-> text"],
        "A value as JSON text, on one line.\n\n- Throws `NotData` for closures.\n- Policy class: none.\n\n```rhai\nlog::info(json::text(#{asked: rows.len()}));\n```",
        |ctx: NativeCallContext, value: Dynamic| -> Raised<String> {
            Ok(data(&value).raise(&ctx)?.to_string())
        },
    );
}

/// A stream is read for the occasion.
fn data(value: &Dynamic) -> Result<Value, Failure> {
    if let Some(stream) = value.read_lock::<Stream>() {
        return stream
            .read()
            .map(|item| convert::to_json(&item?))
            .collect::<Result<_, _>>()
            .map(Value::Array);
    }
    convert::to_json(value)
}

fn bad(what: &str, error: &serde_json::Error) -> Failure {
    let text = error.to_string();
    let why = text.split(" at line ").next().unwrap_or(&text);
    Failure::new(
        "BadJson",
        format!(
            "{what} is no JSON: {why} (line {}, column {})",
            error.line(),
            error.column()
        ),
    )
}
