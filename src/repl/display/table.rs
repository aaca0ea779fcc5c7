//! A list as a table that fits: the columns that matter most, one line for each row, the rest counted.

use std::fmt::Write as _;

use rhai::Dynamic;

use super::cell::{self, Times};
use super::{Screen, session, size};
use crate::script::api::globals::columns_of;
use crate::script::api::rows::column;
use crate::script::convert;
use crate::script::values::Object;
use crate::text;

/// Between two columns.
const GAP: usize = 2;

/// No column is wider than this where others have to go for it.
const WIDE: usize = 60;

/// A column is not made narrower than this to let another in.
const NARROW: usize = 20;

/// The column that sessions have beside their own.
const PROGRESS: &str = "progress";

/// What a person looks for first. Other columns follow in their order, ids last.
const FIRST: &[&str] = &[
    "name",
    "displayName",
    "status",
    "code",
    "point",
    "protectionDateTime",
    "workload",
    PROGRESS,
    "mail",
    "userPrincipalName",
    "tags",
    "item",
];

/// What is rarely looked for.
const LATER: &[&str] = &[
    "businessPhones",
    "givenName",
    "surname",
    "officeLocation",
    "preferredLanguage",
    "mobilePhone",
    "createdBy",
    "lastModifiedBy",
    "lastModifiedDateTime",
    "restoreSessionArtifactCount",
];

/// Named in words, because the values would say nothing to a person.
const LAST: &[&str] = &["id", "unit", "raw"];

/// `rest`: what stands under it where it is not the whole list.
pub(super) fn list(screen: &Screen, items: &[Dynamic], most: usize, rest: Option<&str>) -> String {
    if items.is_empty() && rest.is_none() {
        return "[]".to_owned();
    }
    let shown = &items[..items.len().min(most)];
    let is_rows = shown
        .iter()
        .all(|item| item.is_map() || item.is::<Object>());
    let mut out = if is_rows {
        grid(screen, shown)
    } else {
        plain(screen, shown)
    };
    let left = items.len() - shown.len();
    let under = match rest {
        Some(rest) => Some(rest.to_owned()),
        None if left > 0 => Some(format!(
            "… {} more (`:more` shows all {})",
            text::number(left as u64),
            text::number(items.len() as u64)
        )),
        None => None,
    };
    if let Some(under) = under {
        let _ = writeln!(out, "{under}");
    }
    out
}

/// Values that are no rows: one a line.
fn plain(screen: &Screen, items: &[Dynamic]) -> String {
    let (width, _) = size();
    // A short list of short things stays what it is.
    let line = convert::show(&Dynamic::from(items.to_vec()));
    if text::width(&line) <= width {
        return format!("{}\n", text::one_line(&line));
    }
    let mut out = String::new();
    for item in items {
        let item = cell::short(item, screen.times);
        out.push_str(&text::fit(&text::one_line(&item), width));
        out.push('\n');
    }
    out
}

struct Column {
    name: String,
    cells: Vec<String>,
    is_number: bool,
    natural: usize,
    width: usize,
}

fn grid(screen: &Screen, rows: &[Dynamic]) -> String {
    let (width, _) = size();
    let mut columns: Vec<Column> = columns_of(rows)
        .into_iter()
        .map(|name| make(name, rows, screen.times))
        .filter(|column| column.cells.iter().any(|cell| !cell.is_empty()))
        .collect();
    if let Some(progress) = progress(rows) {
        columns.push(progress);
    }
    // What matters first stands first.
    let mut order = 0;
    columns.sort_by_cached_key(|column| {
        order += 1;
        rank(&column.name, order)
    });
    let hidden = fit(&mut columns, width);
    let mut out = String::new();
    line(&mut out, &columns, |column| {
        (&column.name, column.is_number)
    });
    let rule = "─".repeat(total(&columns).min(width));
    let _ = writeln!(out, "{rule}");
    for row in 0..rows.len() {
        line(&mut out, &columns, |column| {
            (&column.cells[row], column.is_number)
        });
    }
    if !hidden.is_empty() {
        let names = hidden.join(", ");
        let columns = if hidden.len() == 1 {
            "column"
        } else {
            "columns"
        };
        let more = format!("… {} more {columns}: {names}", hidden.len());
        let _ = writeln!(out, "{}", text::fit(&more, width));
    }
    out
}

fn make(name: String, rows: &[Dynamic], times: Times) -> Column {
    let values: Vec<Dynamic> = rows
        .iter()
        .map(|row| column(row, &name).unwrap_or_default())
        .collect();
    let is_number = values
        .iter()
        .all(|value| value.is_int() || value.is_float() || value.is_unit());
    let cells: Vec<String> = values
        .iter()
        .map(|value| text::one_line(&cell::short(value, times)).into_owned())
        .collect();
    built(name, cells, is_number)
}

fn built(name: String, cells: Vec<String>, is_number: bool) -> Column {
    let natural = cells.iter().map(|cell| text::width(cell)).max();
    let natural = natural.unwrap_or(0).max(text::width(&name));
    Column {
        name,
        cells,
        is_number,
        natural,
        width: natural,
    }
}

/// Sessions show how far they are.
fn progress(rows: &[Dynamic]) -> Option<Column> {
    let bars: Option<Vec<String>> = rows
        .iter()
        .map(|row| {
            let object = row.read_lock::<Object>()?;
            Some(session::bar(&object, 12).unwrap_or_default())
        })
        .collect();
    let bars = bars.filter(|bars| bars.iter().any(|bar| !bar.is_empty()))?;
    Some(built(PROGRESS.to_owned(), bars, false))
}

/// Leaves the columns that fit, in their order, each with its width; gives the names of the others.
fn fit(columns: &mut Vec<Column>, width: usize) -> Vec<String> {
    if total(columns) <= width {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|index| rank(&columns[*index].name, *index));
    let mut room = width;
    let mut kept: Vec<usize> = Vec::new();
    for index in order {
        let column = &mut columns[index];
        // Half an id is of no use to anybody, half a bar misleads.
        let is_whole = LAST.contains(&column.name.as_str()) || column.name == PROGRESS;
        let least = if is_whole {
            column.natural
        } else {
            column.natural.min(NARROW)
        };
        let gap = if kept.is_empty() { 0 } else { GAP };
        if kept.is_empty() || least + gap <= room {
            column.width = least.min(room);
            room = room.saturating_sub(column.width + gap);
            kept.push(index);
        }
    }
    // What is left over goes to those that are cut, the most important first.
    for index in &kept {
        let column = &mut columns[*index];
        let wish = column.natural.min(WIDE).saturating_sub(column.width);
        let more = wish.min(room);
        column.width += more;
        room -= more;
    }
    let mut hidden = Vec::new();
    let mut index = 0;
    columns.retain(|column| {
        let is_kept = kept.contains(&index);
        index += 1;
        if !is_kept {
            hidden.push(column.name.clone());
        }
        is_kept
    });
    hidden
}

fn rank(name: &str, index: usize) -> usize {
    let later = LATER.iter().position(|known| *known == name);
    if let Some(later) = later {
        return 5_000 + later;
    }
    let first = FIRST.iter().position(|known| *known == name);
    let last = LAST.iter().position(|known| *known == name);
    match (first, last) {
        (Some(first), _) => first,
        (None, Some(last)) => 10_000 + last,
        (None, None) => 1_000 + index,
    }
}

fn total(columns: &[Column]) -> usize {
    let widths: usize = columns.iter().map(|column| column.width).sum();
    widths + GAP * columns.len().saturating_sub(1)
}

fn line<'c>(out: &mut String, columns: &'c [Column], cell: impl Fn(&'c Column) -> (&'c str, bool)) {
    let mut line = String::new();
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            line.push_str(&" ".repeat(GAP));
        }
        let (cell, is_number) = cell(column);
        let cell = text::fit(cell, column.width);
        let pad = " ".repeat(column.width.saturating_sub(text::width(&cell)));
        if is_number {
            line.push_str(&pad);
        }
        line.push_str(&cell);
        if !is_number {
            line.push_str(&pad);
        }
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, natural: usize) -> Column {
        built(name.to_owned(), vec!["x".repeat(natural)], false)
    }

    fn fitted(width: usize) -> (Vec<(String, usize)>, Vec<String>) {
        let mut columns = vec![
            column("id", 36),
            column("displayName", 20),
            column("jobTitle", 30),
            column("mail", 28),
        ];
        let hidden = fit(&mut columns, width);
        let kept = columns
            .iter()
            .map(|column| (column.name.clone(), column.width))
            .collect();
        (kept, hidden)
    }

    #[test]
    fn a_wide_terminal_shows_all_and_a_narrow_one_what_matters() {
        let (kept, hidden) = fitted(200);
        assert_eq!((kept.len(), hidden.len()), (4, 0));
        let (kept, hidden) = fitted(80);
        let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["displayName", "jobTitle", "mail"]);
        assert_eq!(hidden, ["id"]);
        let widths: usize = kept.iter().map(|(_, width)| width + GAP).sum();
        assert!(widths - GAP <= 80, "{kept:?}");
        let (kept, _) = fitted(20);
        assert_eq!(kept, [("displayName".to_owned(), 20)]);
    }
}
