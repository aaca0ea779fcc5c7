//! Between script values and JSON.

use rhai::{Array, Dynamic, Map};
use serde_json::Value;

use super::failure::Failure;
use super::values::{Datetime, Duration, List, Object, Stream};
use super::words;

/// How deep a value may be nested: deeper ones are a mistake, and the parser on the other side has a limit too.
const DEPTH: usize = 100;

/// A script value as JSON: objects as Graph sent them, times as RFC 3339, lengths as ISO 8601.
///
/// # Errors
/// `NotData` for what is no data: closures, streams, writers.
pub(crate) fn to_json(value: &Dynamic) -> Result<Value, Failure> {
    json_at(value, 0)
}

fn json_at(value: &Dynamic, depth: usize) -> Result<Value, Failure> {
    if depth > DEPTH {
        return Err(Failure::new(
            "NotData",
            format!("the value is nested more than {DEPTH} deep"),
        ));
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(flag.into());
    }
    if let Ok(number) = value.as_int() {
        return Ok(number.into());
    }
    if let Ok(number) = value.as_float() {
        return serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| Failure::new("NotData", format!("{number} cannot be written as JSON")));
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(text.as_str().into());
    }
    if let Ok(letter) = value.as_char() {
        return Ok(letter.to_string().into());
    }
    if let Ok(items) = value.as_array_ref() {
        return array(&items, depth);
    }
    if let Ok(map) = value.as_map_ref() {
        let pairs = map
            .iter()
            .map(|(key, value)| Ok((key.to_string(), json_at(value, depth + 1)?)));
        return pairs.collect::<Result<_, Failure>>().map(Value::Object);
    }
    custom(value, depth)
}

fn array(items: &[Dynamic], depth: usize) -> Result<Value, Failure> {
    let items = items.iter().map(|item| json_at(item, depth + 1));
    items.collect::<Result<_, _>>().map(Value::Array)
}

fn custom(value: &Dynamic, depth: usize) -> Result<Value, Failure> {
    if let Some(object) = value.read_lock::<Object>() {
        return object_json(&object);
    }
    if let Some(time) = value.read_lock::<Datetime>() {
        return Ok(time.to_string().into());
    }
    if let Some(length) = value.read_lock::<Duration>() {
        return Ok(length.to_string().into());
    }
    if let Some(list) = value.read_lock::<List>() {
        return array(list.items(), depth);
    }
    if let Some(failure) = value.read_lock::<Failure>() {
        return Ok(failure.to_json());
    }
    let failure = Failure::new(
        "NotData",
        format!("{} is no data", words::article(words::kind(value))),
    );
    Err(if value.is::<Stream>() {
        failure.hint("`.collect()` makes an array of it")
    } else {
        failure
    })
}

/// As Graph sent it; host columns are asked for by name (`table`, `csv::write` do).
fn object_json(object: &Object) -> Result<Value, Failure> {
    let json = object.json().parse();
    json.map_err(|error| {
        Failure::new(
            "NotData",
            format!("the object's JSON cannot be read: {error}"),
        )
    })
}

/// JSON as values of the script's own: maps, arrays, texts, numbers.
pub(crate) fn from_json(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => flag.into(),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| number.as_f64().unwrap_or(f64::NAN).into(), Dynamic::from),
        Value::String(text) => text.into(),
        Value::Array(items) => items.into_iter().map(from_json).collect::<Array>().into(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key.into(), from_json(value)))
            .collect::<Map>()
            .into(),
    }
}

/// As `print` shows a value: a text as it is, everything else as JSON, objects as Graph sent them.
pub(crate) fn show(value: &Dynamic) -> String {
    if value.is_unit() {
        return String::new();
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return text.to_string();
    }
    if let Some(failure) = value.read_lock::<Failure>() {
        return failure.to_string();
    }
    match to_json(value) {
        Ok(Value::String(text)) => text,
        Ok(Value::Number(number)) if value.is_float() => {
            float(value.as_float().unwrap_or_default(), &number)
        }
        Ok(json) => json.to_string(),
        Err(_) => unshowable(value),
    }
}

fn float(value: f64, number: &serde_json::Number) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.1}")
    } else {
        number.to_string()
    }
}

fn unshowable(value: &Dynamic) -> String {
    if let Some(stream) = value.read_lock::<Stream>() {
        return format!("(a stream of {})", stream.what());
    }
    if let Ok(number) = value.as_float() {
        return number.to_string();
    }
    if let Ok(items) = value.as_array_ref() {
        let items: Vec<_> = items.iter().map(show).collect();
        return format!("[{}]", items.join(", "));
    }
    if let Ok(map) = value.as_map_ref() {
        let pairs: Vec<_> = map
            .iter()
            .map(|(key, value)| format!("\"{key}\": {}", show(value)))
            .collect();
        return format!("{{{}}}", pairs.join(", "));
    }
    if value.is::<std::ops::Range<i64>>() || value.is::<std::ops::RangeInclusive<i64>>() {
        return value.to_string();
    }
    format!("({})", words::article(words::kind(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::values::Kind;

    #[test]
    fn values_become_the_json_they_stand_for() {
        let time = Datetime::read("2026-11-20T03:00:00Z").unwrap();
        let object = Object::new(
            Kind::of("user"),
            crate::graph::Json::of(&serde_json::json!({"id": "1"})),
        )
        .with_columns(Columns::new().with("item", "a@b"));
        let map = Map::from([
            ("t".into(), Dynamic::from(time)),
            ("d".into(), Dynamic::from(Duration::read("36h").unwrap())),
            ("o".into(), Dynamic::from(object)),
            ("n".into(), Dynamic::UNIT),
        ]);
        assert_eq!(
            to_json(&map.into()).unwrap(),
            serde_json::json!({"t": "2026-11-20T03:00:00Z", "d": "PT36H", "o": {"id": "1"}, "n": null})
        );
    }

    use crate::script::values::Columns;

    #[test]
    fn a_closure_is_no_data_and_no_rust_type() {
        let closure = Dynamic::from(rhai::FnPtr::new("f").unwrap());
        assert_eq!(
            to_json(&closure).unwrap_err().message,
            "a closure is no data"
        );
        assert_eq!(show(&closure), "(a closure)");
        assert_eq!(show(&2.0_f64.into()), "2.0");
    }
}
