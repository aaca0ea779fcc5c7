//! The result document, and values as JSON Lines.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter};

use super::Outcome;
use crate::text;

/// The whole result document, for people and machines: indented, ending in a line feed.
///
/// # Errors
/// Those of `out`.
pub(crate) fn document(outcome: &Outcome, mut out: impl Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Shown::default());
    outcome.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Indented, and with what could play tricks on a terminal as `\uXXXX`: names, messages and values come from others.
#[derive(Default)]
struct Shown<'i>(PrettyFormatter<'i>);

impl Formatter for Shown<'_> {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        out.write_all(text::json_shown(fragment).as_bytes())
    }

    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

/// A table as an array of objects, on one line, the properties in the order of the columns.
pub(crate) fn rows(columns: &[String], rows: &[Vec<Value>]) -> String {
    let quoted: Vec<String> = columns
        .iter()
        .map(|name| Value::from(name.as_str()).to_string())
        .collect();
    let mut out = String::from("[");
    for (number, row) in rows.iter().enumerate() {
        out.push_str(if number == 0 { "{" } else { ",{" });
        for (index, name) in quoted.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(
                out,
                "{comma}{name}:{}",
                row.get(index).unwrap_or(&Value::Null)
            );
        }
        out.push('}');
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::error::{Exit, Fault, Place};
    use crate::report::Kind;

    #[test]
    fn a_table_is_an_array_of_objects_in_the_order_of_its_columns() {
        let columns = ["name".to_owned(), "a".to_owned()];
        let table = rows(
            &columns,
            &[vec![json!("x"), json!(1)], vec![json!(null), json!([2])]],
        );
        assert_eq!(table, r#"[{"name":"x","a":1},{"name":null,"a":[2]}]"#);
    }

    #[test]
    fn a_run_that_never_began_has_a_whole_document() {
        let started: Timestamp = "2026-11-24T01:58:33.123456789Z".parse().unwrap();
        let mut outcome = Outcome::new("run-1".into(), "night.rhai".into(), started, "v1.0");
        outcome.exit = Exit::Unstarted;
        let place = Place {
            file: "night.rhai".into(),
            line: 3,
            column: 7,
            text: None,
        };
        let fault = Fault::new(Exit::Unstarted, "Syntax", "no")
            .at(place)
            .hint("one")
            .hint("two");
        outcome.fail(&[fault]);
        insta::assert_snapshot!(Kind::Json.render(&outcome), @r#"
        {
          "schema": 1,
          "run": "run-1",
          "script": "night.rhai",
          "sha256": null,
          "started": "2026-11-24T01:58:33.123Z",
          "ended": "2026-11-24T01:58:33.123Z",
          "exit": 2,
          "tenant": null,
          "api": "v1.0",
          "books": {
            "asked": 0,
            "succeeded": 0,
            "failed": 0,
            "skipped": 0,
            "unknown": 0
          },
          "items": [],
          "sessions": [],
          "requests": {
            "sent": 0,
            "retried": 0,
            "throttled": 0,
            "reconciled": 0,
            "waited_seconds": 0.0
          },
          "error": {
            "code": "Syntax",
            "message": "no",
            "file": "night.rhai",
            "line": 3,
            "column": 7,
            "source": null,
            "context": [],
            "hint": "one\ntwo",
            "request_id": null
          },
          "value": null
        }
        "#);
    }
}
