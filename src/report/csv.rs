//! Rows as CSV for spreadsheets.

use serde_json::Value;

use super::cell;
use crate::backup::books::Item;

/// A table with its header.
pub(crate) fn rows<'r>(
    columns: &[String],
    rows: impl IntoIterator<Item = &'r Vec<Value>>,
) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |cells: Vec<String>| {
        let written = writer.write_record(cells);
        written.expect("rows are as long as the header, memory takes all");
    };
    if columns.is_empty() {
        return String::new();
    }
    write(columns.iter().map(|name| guarded(name.clone())).collect());
    for row in rows {
        let cells = (0..columns.len()).map(|index| match row.get(index) {
            // A number is no formula, also a negative one.
            Some(number @ Value::Number(_)) => number.to_string(),
            Some(value) => guarded(cell(value)),
            None => String::new(),
        });
        write(cells.collect());
    }
    let bytes = writer.into_inner().expect("memory takes all");
    String::from_utf8(bytes).expect("made of text")
}

/// The items of the books.
pub(crate) fn items(items: &[Item]) -> String {
    let table: Vec<Vec<Value>> = items.iter().map(item_cells).collect();
    rows(&item_columns(), &table)
}

/// The columns of items, wherever they stand as rows.
pub(crate) fn item_columns() -> Vec<String> {
    let columns = [
        "workload",
        "unit",
        "name",
        "point",
        "protectionDateTime",
        "session",
        "destination",
        "outcome",
        "code",
        "reason",
    ];
    columns.map(str::to_owned).to_vec()
}

/// An item in these columns.
pub(crate) fn item_cells(item: &Item) -> Vec<Value> {
    let point = item.point.as_ref();
    let outcome = serde_json::to_value(item.outcome).expect("an outcome is a word");
    vec![
        item.workload.clone().into(),
        item.unit.clone().into(),
        item.name.clone().into(),
        point.map(|point| point.id.clone()).into(),
        point
            .and_then(|point| point.protection_date_time.clone())
            .into(),
        item.session.clone().into(),
        item.destination.clone().into(),
        outcome,
        item.code.clone().into(),
        item.reason.clone().into(),
    ]
}

/// A cell that a spreadsheet would run as a formula gets a quote in front.
fn guarded(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_not_run() {
        let columns = ["name", "+x"].map(str::to_owned);
        let table = [
            vec![json!("a,\"b\"\n"), json!(-1.5)],
            vec![json!("=cmd|' /C calc'!A0"), json!("-1")],
            vec![json!("@x"), json!(null)],
            vec![json!("\tx")],
            vec![json!({"a": 1}), json!(true)],
        ];
        insta::assert_snapshot!(rows(&columns, &table), @r#"
        name,'+x
        "a,""b""
        ",-1.5
        '=cmd|' /C calc'!A0,'-1
        '@x,
        '	x,
        "{""a"":1}",true
        "#);
    }

    #[test]
    fn books_without_items_are_a_header() {
        assert_eq!(
            items(&[]),
            "workload,unit,name,point,protectionDateTime,session,destination,outcome,code,reason\n"
        );
    }
}
