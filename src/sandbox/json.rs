//! Writes JSON straight into a byte buffer: a page of 999 users is one buffer and no tree.

use std::io::Write as _;

use jiff::Timestamp;

/// The properties a caller asked for with `$select`; `None` stands for all of them.
pub(super) type Select = Option<Vec<String>>;

/// An object being written. [`Object::end`] closes it.
pub(super) struct Object<'buffer> {
    out: &'buffer mut Vec<u8>,
    select: Option<&'buffer [String]>,
    begun: bool,
}

impl<'buffer> Object<'buffer> {
    pub(super) fn new(out: &'buffer mut Vec<u8>) -> Self {
        Self::selecting(out, None)
    }

    /// An object of which only the properties in `select`, and annotations, are written.
    pub(super) fn selecting(out: &'buffer mut Vec<u8>, select: Option<&'buffer [String]>) -> Self {
        out.push(b'{');
        Self {
            out,
            select,
            begun: false,
        }
    }

    /// True where a property is to be written; saves making its value.
    pub(super) fn wants(&self, name: &str) -> bool {
        name.starts_with('@')
            || self
                .select
                .is_none_or(|select| select.iter().any(|one| one == name))
    }

    /// Writes `"name":` and hands out the buffer for the value; nothing where the property is not wanted.
    fn value(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        if !self.wants(name) {
            return None;
        }
        if self.begun {
            self.out.push(b',');
        }
        self.begun = true;
        text(self.out, name);
        self.out.push(b':');
        Some(self.out)
    }

    pub(super) fn text(&mut self, name: &str, value: impl AsRef<str>) {
        if let Some(out) = self.value(name) {
            text(out, value.as_ref());
        }
    }

    /// Anything that needs no escaping: ids, instants, numbers in quotes.
    pub(super) fn plain(&mut self, name: &str, value: impl std::fmt::Display) {
        if let Some(out) = self.value(name) {
            write!(out, "\"{value}\"").expect("a buffer in memory takes everything");
        }
    }

    /// An instant to the second, as the service writes it.
    pub(super) fn time(&mut self, name: &str, value: Timestamp) {
        self.plain(name, to_second(value));
    }

    pub(super) fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        if let Some(out) = self.value(name) {
            write!(out, "{value}").expect("a buffer in memory takes everything");
        }
    }

    pub(super) fn boolean(&mut self, name: &str, value: bool) {
        self.raw(name, if value { "true" } else { "false" });
    }

    /// A value that is JSON already.
    pub(super) fn raw(&mut self, name: &str, json: &str) {
        if let Some(out) = self.value(name) {
            out.extend_from_slice(json.as_bytes());
        }
    }

    pub(super) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        if let Some(out) = self.value(name) {
            let mut object = Object::new(out);
            fill(&mut object);
            object.end();
        }
    }

    /// An array; `item` writes one element into the buffer.
    pub(super) fn array<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Vec<u8>, T),
    ) {
        if let Some(out) = self.value(name) {
            out.push(b'[');
            for (position, value) in items.into_iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                item(out, value);
            }
            out.push(b']');
        }
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes a string with its quotes.
pub(super) fn text(out: &mut Vec<u8>, value: &str) {
    serde_json::to_writer(&mut *out, value).expect("a buffer in memory takes everything");
}

fn to_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}
