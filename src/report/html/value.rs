//! The last value of the script: what a runbook that only looks has to say.

use maud::{Markup, html};
use serde_json::Value;

use super::{name, number};
use crate::report::{cell, table};

/// So many rows of a value are shown; all of them are in the result document.
const MOST_ROWS: usize = 1_000;
/// So much of any other value, in characters.
const MOST_TEXT: usize = 20_000;

/// So many lines of it are open to the eye: an object that a script happens to end with is for programs.
const FEW_LINES: usize = 6;

/// Empty where there is none.
pub(super) fn section(value: &Value) -> Markup {
    html! {
        @if !value.is_null() {
            section.value aria-labelledby="value" {
                h2 #value { "What the script gave" }
                @match table::of_objects(value) {
                    Some((columns, rows)) => { (shown(&columns, &rows)) }
                    None => { (text(value)) }
                }
            }
        }
    }
}

fn shown(columns: &[String], rows: &[Vec<Value>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby="value" {
            table {
                thead { tr { @for column in columns { th scope="col" { (name(column)) } } } }
                tbody {
                    @for row in rows.iter().take(MOST_ROWS) {
                        tr {
                            @for value in row {
                                td class=[value.is_number().then_some("number")] { (name(&cell(value))) }
                            }
                        }
                    }
                }
            }
        }
        @if rows.len() > MOST_ROWS {
            p.more { "These are the first " (number(MOST_ROWS)) " of " (number(rows.len())) " rows; all of them are in the `.json` report." }
        }
    }
}

fn text(value: &Value) -> Markup {
    let whole = match value {
        Value::Array(_) | Value::Object(_) => format!("{value:#}"),
        plain => cell(plain),
    };
    let end = whole.char_indices().nth(MOST_TEXT).map(|(end, _)| end);
    html! {
        details open[end.is_none() && whole.lines().count() <= FEW_LINES] {
            summary { "as text" }
            pre { (name(&whole[..end.unwrap_or(whole.len())])) @if end.is_some() { "…" } }
        }
        @if end.is_some() {
            p.more { "This is its beginning; all of it is in the `.json` report." }
        }
    }
}
