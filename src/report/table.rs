//! Rows as a table for eyes, or as plain columns where nobody looks.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::Value;

use super::cell;
use crate::text;

/// How a table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// For a terminal: fitted to its width (`None`: the terminal is asked), what came from outside made safe.
    Screen(Option<u16>),
    /// For a pipe or a file: columns side by side, never cut, no lines between.
    Plain,
}

/// One line under the header; a box round every cell helps nobody to read.
const SCREEN: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table with its header; ends in a line feed. No columns: nothing.
pub(crate) fn rows(columns: &[String], rows: &[Vec<Value>], layout: Layout) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    match layout {
        Layout::Screen(width) => {
            table
                .load_style(SCREEN)
                .set_content_arrangement(ContentArrangement::Dynamic);
            if let Some(width) = width {
                table.set_width(width);
            }
        }
        Layout::Plain => {
            table.load_style(TableStyle::new());
        }
    }
    // A cell is one line in a pipe, so that a line is a row.
    let shown = |value: &str| match layout {
        Layout::Screen(_) => text::shown(value).into_owned(),
        Layout::Plain => value.replace(['\n', '\r', '\t'], " "),
    };
    table.set_header(columns.iter().map(|name| shown(name)).collect::<Vec<_>>());
    for row in rows {
        let cells =
            (0..columns.len()).map(|index| shown(&row.get(index).map(cell).unwrap_or_default()));
        table.add_row(cells.collect::<Vec<_>>());
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if !rows.is_empty()
            && rows
                .iter()
                .all(|row| row.get(index).is_some_and(Value::is_number))
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
        column.set_padding((0, 2));
    }
    let mut out = table.trim_fmt();
    out.push('\n');
    out
}

/// An array of objects as a table: the columns are the properties, in the order they are found. `None` for any other value.
pub(crate) fn of_objects(value: &Value) -> Option<(Vec<String>, Vec<Vec<Value>>)> {
    let items = value.as_array().filter(|items| !items.is_empty())?;
    let objects = items
        .iter()
        .map(Value::as_object)
        .collect::<Option<Vec<_>>>()?;
    let mut columns: Vec<String> = Vec::new();
    for object in &objects {
        for name in object.keys() {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
    }
    let row = |object: &&serde_json::Map<String, Value>| {
        columns
            .iter()
            .map(|name| object.get(name).cloned().unwrap_or_default())
            .collect()
    };
    let rows = objects.iter().map(row).collect();
    Some((columns, rows))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn people() -> (Vec<String>, Vec<Vec<Value>>) {
        of_objects(&json!([
            {"name": "Adele Vance", "mailboxes": 1, "note": "on hold since the audit of last spring, ask legal"},
            {"name": "日本\u{1b}[2J", "mailboxes": 120, "note": null},
        ]))
        .unwrap()
    }

    #[test]
    fn a_pipe_gets_plain_columns() {
        let (columns, table) = people();
        insta::assert_snapshot!(rows(&columns, &table, Layout::Plain).replace('\u{1b}', "ESC"), @"
        mailboxes  name         note
                1  Adele Vance  on hold since the audit of last spring, ask legal
              120  日本ESC[2J
        ");
    }

    #[test]
    fn a_terminal_gets_a_table_of_its_width() {
        let (columns, table) = people();
        let shown = rows(&columns, &table, Layout::Screen(Some(44)));
        assert!(shown.lines().all(|line| text::width(line) <= 44), "{shown}");
        insta::assert_snapshot!(shown, @r"
        mailboxes   name            note
        ────────────────────────────────────────────
                1   Adele Vance     on hold since
                                    the audit of
                                    last spring,
                                    ask legal
              120   日本\u{1b}[2J
        ");
    }

    #[test]
    fn only_an_array_of_objects_is_a_table() {
        for value in [json!([]), json!([1]), json!({"a": 1}), json!("x")] {
            assert_eq!(of_objects(&value), None, "{value}");
        }
        let (columns, rows) = of_objects(&json!([{"b": 1}, {"a": 2}])).unwrap();
        assert_eq!(
            (columns, rows),
            (
                vec!["b".into(), "a".into()],
                vec![vec![json!(1), json!(null)], vec![json!(null), json!(2)]]
            )
        );
    }
}
