//! One JSON value as the text it arrived in.
//!
//! Pages of a thousand objects stay the bytes that came off the wire; a handle is a slice of them. A property is found by
//! scanning the object's text when somebody asks for it, so what a script does not look at costs nothing but its bytes.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The text of one valid JSON value. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Json(Bytes);

impl Json {
    /// Takes bytes that hold exactly one JSON value.
    ///
    /// # Errors
    /// The parser's message where they hold anything else (also text that is not UTF-8).
    pub(crate) fn new(bytes: Bytes) -> Result<Self, serde_json::Error> {
        let raw: &RawValue = serde_json::from_slice(&bytes)?;
        let slice = bytes.slice_ref(raw.get().as_bytes());
        Ok(Self(slice))
    }

    /// Serialises a value of ours.
    pub(crate) fn of(value: &impl serde::Serialize) -> Self {
        Self(
            serde_json::to_vec(value)
                .expect("our own types have string keys and no failing serialiser")
                .into(),
        )
    }

    /// A part of `self` that a borrowing parse has found in it.
    pub(crate) fn part(&self, raw: &RawValue) -> Self {
        Self(self.0.slice_ref(raw.get().as_bytes()))
    }

    /// The same in bytes of its own: a part keeps the whole text that it was found in.
    pub(crate) fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked by serde_json when the value was made")
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0
    }

    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.0)
    }

    /// The value of a property of an object; `None` where it is absent or `self` is no object. `null` is a value.
    pub(crate) fn property(&self, name: &str) -> Option<Self> {
        let mut found = None;
        let mut deserializer = serde_json::Deserializer::from_slice(&self.0);
        let find = Find {
            name,
            found: &mut found,
        };
        // Stopping early makes serde_json complain about the rest of the object. The text was checked when the value was
        // made, so what was found stands.
        let _ = serde::Deserializer::deserialize_map(&mut deserializer, find);
        found.map(|raw| self.part(raw))
    }

    /// A property that is a string, without its escapes.
    pub(crate) fn string(&self, name: &str) -> Option<String> {
        self.property(name)?.parse().ok()
    }

    pub(crate) fn is_null(&self) -> bool {
        &*self.0 == b"null"
    }

    /// The elements of an array; nothing where `self` is no array.
    pub(crate) fn elements(&self) -> Vec<Self> {
        serde_json::from_slice::<Vec<&RawValue>>(&self.0)
            .map(|items| items.into_iter().map(|raw| self.part(raw)).collect())
            .unwrap_or_default()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// As the value itself, not as a text.
impl Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_slice(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(Bytes::copy_from_slice(raw.get().as_bytes())))
    }
}

/// Looks for one key and skips all else. The map is read to its end only where the key is missing.
struct Find<'f, 'de> {
    name: &'f str,
    found: &'f mut Option<&'de RawValue>,
}

impl<'de> Visitor<'de> for Find<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            if key == self.name {
                *self.found = Some(map.next_value()?);
                break;
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// A key borrowed from the text; only one with escapes is copied.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &'static str) -> Json {
        Json::new(Bytes::from_static(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_property_is_a_slice_of_the_same_text() {
        let object = json(r#" {"a": {"b": [1, 2]}, "c\u0064": null, "e": "x\ny"} "#);
        assert_eq!(object.property("a").unwrap().text(), r#"{"b": [1, 2]}"#);
        assert!(object.property("cd").unwrap().is_null());
        assert_eq!(object.string("e").as_deref(), Some("x\ny"));
        assert_eq!(object.property("z"), None);
        assert_eq!(json("[1]").property("a"), None);
        assert_eq!(json("[1, {}]").elements().len(), 2);
    }

    #[test]
    fn what_is_not_one_json_value_is_refused() {
        for text in [&b"<html>"[..], b"{", b"{} {}", b"", b"\"\xff\""] {
            assert!(Json::new(Bytes::from_static(text)).is_err(), "{text:?}");
        }
    }
}
