//! `x.args.json`: a script's arguments, as JSON.

use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::Value;

use crate::error::{Exit, Fault};

/// Arguments as on the command line, in the order of the document; a list stands there once for each of its items.
///
/// # Errors
/// Exit 2: it is no JSON object of simple values.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<(String, String)>, Fault> {
    let wrong = |why: String| {
        Fault::new(Exit::Unstarted, "BadArgument", format!("`{name}`: {why}")).hint(
            r#"write an object of names and values: `{"group": "Finance", "before": "-24h"}`"#,
        )
    };
    let mut json =
        serde_json::Deserializer::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let pairs = json
        .deserialize_map(Pairs)
        .and_then(|pairs| json.end().map(|()| pairs))
        .map_err(|error| wrong(error.to_string()))?;
    let mut arguments = Vec::new();
    for (name, value) in pairs {
        // The same name twice is found where all arguments are looked at, unless it is a list's.
        if arguments.iter().any(|(known, _)| *known == name) {
            return Err(wrong(format!("argument `{name}` is given twice")));
        }
        match texts(&value) {
            Some(texts) => arguments.extend(texts.into_iter().map(|text| (name.clone(), text))),
            None => {
                return Err(wrong(format!(
                    "argument `{name}` is neither a text, a number, true, false nor a list of texts without commas"
                )));
            }
        }
    }
    Ok(arguments)
}

/// The arguments that a plan was made with, resolved.
///
/// # Errors
/// A list in it cannot be written on a command line: exit 2.
pub(super) fn of_plan(resolved: &Value) -> Result<Vec<(String, String)>, Fault> {
    read("plan.json", resolved.to_string().as_bytes())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let Value::Array(items) = value else {
        return Some(vec![text(value)?]);
    };
    if items.is_empty() {
        // An empty text is a list of nothing.
        return Some(vec![String::new()]);
    }
    let one = |item: &Value| text(item).filter(|text| !text.contains(','));
    items.iter().map(one).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Keeps what a map would lose: a name that stands there twice.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and values")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            if pairs.len() >= 10_000 {
                return Err(M::Error::custom("there are more than 10,000 arguments"));
            }
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn arguments_are_those_of_a_command_line() {
        let document = r#"{"group": "Finance", "count": 5, "share": 0.5, "again": true, "people": ["a", "b"], "none": []}"#;
        let pairs = read("x.args.json", document.as_bytes()).unwrap();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            pairs,
            [
                "group=Finance",
                "count=5",
                "share=0.5",
                "again=true",
                "people=a",
                "people=b",
                "none="
            ]
        );
        assert_eq!(read("x", b"{}").unwrap(), []);
    }

    #[test]
    fn anything_else_is_refused() {
        let documents = [
            "",
            "[]",
            "5",
            "null",
            "{",
            "{} {}",
            r#"{"a": null}"#,
            r#"{"a": {"b": 1}}"#,
            r#"{"a": ["b,c"]}"#,
            r#"{"a": [[1]]}"#,
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": ["x"], "a": ["y"]}"#,
            "\u{0}",
        ];
        for document in documents {
            let fault = read("x.args.json", document.as_bytes()).unwrap_err();
            assert_eq!(fault.code, "BadArgument", "{document}");
        }
    }

    #[test]
    fn arguments_are_read_whatever_comes() {
        let seeds = [r#"{"group": "Finance", "n": [1, "2"]}"#, r#"{"a": true}"#];
        Target::new(
            "watch-arguments",
            &seeds,
            &["{", "\"a\":", "[", "null", ","],
        )
        .attack(|bytes| format!("{:?}", read("x", bytes).is_ok()));
    }
}
