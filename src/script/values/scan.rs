//! Finds one property in the text of a JSON object, and looks at nothing else.
//!
//! The text is known to be valid JSON, so there is no need to understand what is skipped.

use serde_json::value::RawValue;

use crate::graph::Json;

/// The value of a property; `None` where it is absent or `json` is no object. `null` is a value.
pub(crate) fn property(json: &Json, name: &str) -> Option<Json> {
    let bytes = json.bytes();
    let (from, to) = find(bytes, name)?;
    let text = std::str::from_utf8(&bytes[from..to]).ok()?;
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    Some(json.part(raw))
}

/// A property that is a string, without its escapes.
pub(crate) fn string(json: &Json, name: &str) -> Option<String> {
    let bytes = json.bytes();
    let (from, to) = find(bytes, name)?;
    match bytes.get(from + 1..to.checked_sub(1)?) {
        Some(plain) if bytes[from] == b'"' && !plain.contains(&b'\\') => {
            std::str::from_utf8(plain).ok().map(str::to_owned)
        }
        _ => serde_json::from_slice(&bytes[from..to]).ok(),
    }
}

/// Where the value of a property begins and ends.
fn find(bytes: &[u8], name: &str) -> Option<(usize, usize)> {
    let mut at = blank(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    at = blank(bytes, at + 1);
    while bytes.get(at) == Some(&b'"') {
        let key_end = text_end(bytes, at);
        let key = bytes.get(at + 1..key_end - 1)?;
        let colon = blank(bytes, key_end);
        let from = blank(bytes, colon + 1);
        let to = value_end(bytes, from);
        let found = key == name.as_bytes()
            || (key.contains(&b'\\')
                && serde_json::from_slice::<String>(&bytes[at..key_end])
                    .is_ok_and(|key| key == name));
        if found {
            return Some((from, to));
        }
        // Behind the comma, or at the closing bracket.
        at = blank(bytes, blank(bytes, to) + 1);
    }
    None
}

fn blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
        at += 1;
    }
    at
}

/// Just behind the closing quote of the text that begins at `at`.
fn text_end(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    loop {
        match bytes.get(at) {
            Some(b'"') | None => return (at + 1).min(bytes.len()),
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = text_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' | b' ' | b'\n' | b'\t' | b'\r' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn every_property_is_found_wherever_it_stands() {
        let text = r#" { "a" : {"x": "}", "y": [1, {"z": "\""}]} , "b":"q\"\n\\", "c\u0064" : null,"e":[ ],"f":-1.5e3 ,"g":true, "h": {} } "#;
        let json = Json::new(bytes::Bytes::from_static(text.as_bytes())).unwrap();
        let whole: serde_json::Value = json.parse().unwrap();
        for (name, value) in whole.as_object().unwrap() {
            let found = property(&json, name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(
                found.parse::<serde_json::Value>().unwrap(),
                *value,
                "{name}"
            );
        }
        assert_eq!(string(&json, "b").as_deref(), Some("q\"\n\\"));
        assert_eq!(string(&json, "f"), None);
        for name in ["x", "z", "", "ab", "cd\\"] {
            assert_eq!(property(&json, name), None, "{name}");
        }
        for text in ["[1]", "\"a\"", "5", "{}", "{ }"] {
            let json = Json::new(bytes::Bytes::from_static(text.as_bytes())).unwrap();
            assert_eq!(property(&json, "a"), None, "{text}");
        }
    }

    #[test]
    fn a_property_is_found_whatever_comes() {
        let seeds = [
            r#" { "a" : {"x": "}", "y": [1, {"z": "\""}]} , "b":"q\"\n\\", "c\u0064" : null,"e":[ ],"f":-1.5e3 } "#,
            r#"{"a":{"b":"c"},"id":"1","é":"ü"}"#,
            r#"[{"a":1}]"#,
        ];
        let words = &[
            "\"a\":", "\"b\"", "\\\"", "\\u0061", "\\", "{}", "[]", ": ", ",",
        ];
        Target::new("scan", &seeds, words).attack(|bytes| {
            let Ok(json) = Json::new(bytes::Bytes::copy_from_slice(bytes)) else {
                return "no JSON".to_owned();
            };
            let parsed = json.parse::<serde_json::Value>();
            let Ok(serde_json::Value::Object(whole)) = parsed else {
                // Also what is nested deeper than the parser goes, and texts that are no Unicode: nothing breaks.
                property(&json, "a");
                string(&json, "a");
                return "no object".to_owned();
            };
            for name in whole.keys().map(String::as_str).chain(["a", "", "zz"]) {
                let found = property(&json, name);
                assert_eq!(found.is_some(), whole.contains_key(name), "{name}");
                let text = string(&json, name);
                assert_eq!(
                    found.and_then(|found| found.parse::<String>().ok()),
                    text,
                    "{name}"
                );
            }
            format!("object {}", whole.len())
        });
    }
}
