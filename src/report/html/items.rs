//! The items: the worst first, as a table that reads without the script, and what is too much for that as the script's data.

use std::collections::HashMap;

use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

use super::{name, number, short, shown, visible};
use crate::backup::books::{Item, Outcome as Fate};
use crate::instant;
use crate::report::Outcome;
use crate::report::reasons::{code, word, worry};

/// So many rows stand in the page. A browser takes some milliseconds for a thousand; a hundred thousand would take it
/// seconds, and a gigabyte.
const ROWS: usize = 5_000;

/// What is said where nothing was asked for.
const NOTHING: &str = "The run asked for no restore.";

pub(super) fn section(outcome: &Outcome) -> Markup {
    if outcome.items.is_empty() {
        return html! {
            section.items aria-labelledby="items" {
                h2 #items { "Items" }
                p { (NOTHING) }
            }
        };
    }
    let mut items: Vec<&Item> = outcome.items.iter().collect();
    items.sort_by_key(|item| worry(item.outcome, item.expected));
    let (shown, kept) = items.split_at(items.len().min(ROWS));
    let workloads = distinct(outcome.items.iter().map(|item| item.workload.as_str()));
    html! {
        section.items.alike[workloads.len() == 1] aria-labelledby="items" {
            h2 #items { "Items" }
            (controls(outcome, &workloads))
            p.count #count role="status" {
                (number(items.len())) " items, those first that somebody should look at"
            }
            table {
                thead {
                    tr {
                        @for column in ["Outcome", "Name", "Workload", "Restore point", "Destination", "Session", "Why"] {
                            th scope="col" { (column) }
                        }
                    }
                }
                tbody #rows {
                    @for item in shown { (row(&Row::of(item))) }
                }
            }
            (turning())
            @if !kept.is_empty() {
                p.more.still {
                    "These are " (number(shown.len())) " of " (number(items.len()))
                    " items. The others are shown by the script of this page, and stand in the `.csv` and `.json` reports."
                }
                template #row { (row(&Row::default())) }
                script #kept type="application/json" { (PreEscaped(data(kept))) }
            }
        }
    }
}

/// Search and filters; without the script there are none.
fn controls(outcome: &Outcome, workloads: &[&str]) -> Markup {
    let books = &outcome.books;
    let outcomes = [
        ("unknown", books.unknown),
        ("failed", books.failed),
        ("skipped", books.skipped),
        ("succeeded", books.succeeded),
    ];
    let failed = outcome
        .items
        .iter()
        .filter(|item| item.outcome != Fate::Succeeded);
    let codes = distinct(failed.map(code));
    html! {
        form.controls #controls hidden role="search" aria-label="Items" {
            label.search {
                span { "Search" }
                input #q type="search" autocomplete="off" spellcheck="false" placeholder="name, id, reason …";
            }
            fieldset {
                legend { "Outcome" }
                label { input type="radio" name="outcome" value="" checked; span { "all" } }
                @for (word, count) in outcomes {
                    @if count > 0 {
                        label class=(word) {
                            input type="radio" name="outcome" value=(word);
                            span { (word) " " b { (number(count)) } }
                        }
                    }
                }
            }
            @if !codes.is_empty() { (choice("code", "Reason", &codes)) }
            @if workloads.len() > 1 { (choice("workload", "Workload", workloads)) }
        }
    }
}

/// A list to choose one of.
fn choice(id: &str, label: &str, values: &[&str]) -> Markup {
    html! {
        label.choice {
            span { (label) }
            select id=(id) {
                option value="" { "all" }
                @for value in values { option value=(visible(value)) { (visible(value)) } }
            }
        }
    }
}

/// Each value once, in the order of the alphabet.
fn distinct<'v>(values: impl Iterator<Item = &'v str>) -> Vec<&'v str> {
    let mut values: Vec<&str> = values
        .collect::<std::collections::HashSet<_>>()
        .into_iter()
        .collect();
    values.sort_unstable();
    values
}

/// Turning pages; the script shows it where there is more than one.
fn turning() -> Markup {
    html! {
        nav.pages #pages hidden aria-label="Pages of items" {
            button #back type="button" { "← Back" }
            span #where {}
            button #on type="button" { "On →" }
        }
    }
}

/// What a row shows: texts, ready for the eye.
#[derive(Default)]
struct Row<'o> {
    outcome: &'static str,
    /// On purpose.
    expected: bool,
    name: &'o str,
    unit: &'o str,
    workload: &'o str,
    /// `2026-11-23 15:50:00`, or as the service wrote it.
    point: String,
    point_id: &'o str,
    destination: &'o str,
    session: &'o str,
    code: &'o str,
    /// Its words, where they say more than the code.
    reason: &'o str,
}

impl<'o> Row<'o> {
    fn of(item: &'o Item) -> Self {
        let point = item.point.as_ref();
        let time = point.and_then(|point| point.protection_date_time.as_deref());
        // What it is counted under: its code, else its words.
        let counted = match item.outcome {
            Fate::Succeeded => item.code.as_deref().unwrap_or_default(),
            _ => code(item),
        };
        let has_code = item.code.as_deref() == Some(counted);
        let words = item.reason.as_deref().unwrap_or_default();
        let (code, reason) = match has_code {
            true if words == counted => (counted, ""),
            true => (counted, words),
            false => ("", counted),
        };
        Self {
            outcome: word(item.outcome),
            expected: item.expected,
            name: &item.name,
            unit: item.unit.as_deref().unwrap_or_default(),
            workload: &item.workload,
            point: time.map(readable).unwrap_or_default(),
            point_id: point.map(|point| point.id.as_str()).unwrap_or_default(),
            destination: item.destination.as_deref().unwrap_or_default(),
            session: item.session.as_deref().unwrap_or_default(),
            code,
            reason,
        }
    }
}

impl Row<'_> {
    /// What it is filtered by.
    fn key(&self) -> &str {
        if self.code.is_empty() {
            self.reason
        } else {
            self.code
        }
    }
}

fn readable(time: &str) -> String {
    instant::parse(time).map_or_else(|| time.to_owned(), super::instant)
}

/// The script makes rows like these: where a cell is changed, `script.js` changes with it.
fn row(row: &Row<'_>) -> Markup {
    let some = |text: &'_ str| (!text.is_empty()).then(|| shown(text).into_owned());
    html! {
        tr data-outcome=(row.outcome) data-workload=(shown(row.workload)) data-code=(visible(row.key())) {
            td { span class={ "chip " (row.outcome) } { (row.outcome) } @if row.expected { " on purpose" } }
            th scope="row" title=[some(row.unit)] { (name(row.name)) }
            td { (shown(row.workload)) }
            td title=[some(row.point_id)] { (shown(&row.point)) }
            td { (shown(row.destination)) }
            td title=[some(row.session)] { code { (shown(short(row.session))) } }
            td {
                code { (visible(row.code)) }
                " " (name(row.reason))
            }
        }
    }
}

/// Items as data: the words that they share once, then each item as the places of its words.
///
/// `<` is written as JSON's escape: nothing in here can end the element that it stands in.
fn data(items: &[&Item]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut place = |text: &str| {
        if let Some(&place) = known.get(text) {
            return place;
        }
        let place = words.len();
        words.push(text.to_owned());
        known.insert(text.to_owned(), place);
        place
    };
    let rows: Vec<Value> = items
        .iter()
        .map(|item| {
            let row = Row::of(item);
            json!([
                place(row.outcome),
                place(&shown(row.workload)),
                place(&shown(&row.point)),
                place(&shown(row.destination)),
                place(&shown(row.session)),
                place(&visible(row.code)),
                place(&visible(row.reason)),
                u8::from(row.expected),
                visible(row.name),
                shown(row.unit),
                shown(row.point_id),
            ])
        })
        .collect();
    json!({"words": words, "rows": rows})
        .to_string()
        .replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{item, many, night, of};

    #[test]
    fn the_worst_comes_first_and_every_item_once() {
        let page = section(&night()).into_string();
        let places = [
            "OutcomeUnknown",
            "Söhne",
            "NoUnit",
            "SkippedByScript",
            "Adele",
        ]
        .map(|text| page.rfind(text).unwrap_or_else(|| panic!("{text}: {page}")));
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!(page.matches("<tr data-outcome").count(), 6);
    }

    #[test]
    fn what_is_too_much_for_a_table_is_kept_as_data() {
        let mut outcome = many(ROWS + 3);
        for item in &mut outcome.items {
            item.name = "</script><script>alert(1)</script>".into();
        }
        let page = section(&outcome).into_string();
        // One more is the template.
        assert_eq!(page.matches("<tr data-outcome").count(), ROWS + 1);
        let (_, data) = page.split_once("type=\"application/json\">").unwrap();
        let (data, rest) = data.split_once("</script>").unwrap();
        assert_eq!(rest.matches("<script").count(), 0);
        let data: Value = serde_json::from_str(data).unwrap();
        let rows = data["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 3);
        let words = data["words"].as_array().unwrap();
        let word = |at: usize| {
            let place = rows[0][at].as_u64().unwrap();
            &words[usize::try_from(place).unwrap()]
        };
        assert_eq!((word(0), word(3)), (&json!("succeeded"), &json!("new")));
        assert_eq!(rows[0][8], "</script><script>alert(1)</script>");
    }

    #[test]
    fn names_are_kept_from_moving_what_stands_beside_them() {
        let page = section(&of(vec![item(1, Fate::Succeeded, None, None)])).into_string();
        assert!(page.contains("<bdi>Person 1\\u{202e}</bdi>"), "{page}");
    }
}
