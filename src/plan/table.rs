//! A plan for eyes, and for signing off.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::document::{Plan, Row, short};
use super::estimate::ASSUMED;
use crate::text;

/// What a name may take, so that the widest row fits into 120 columns.
const NAME: usize = 31;
/// Of a call: what it does, and most bodies.
const SHOWN_CALL: usize = 500;
/// Of an id: enough to tell it apart.
const ID: usize = 8;

impl Plan {
    /// Columns and rows for people.
    pub(crate) fn table(&self) -> (Vec<String>, Vec<Vec<Value>>) {
        let columns = [
            "person",
            "unit",
            "point",
            "age",
            "tag",
            "destination",
            "code",
            "part",
        ];
        let several = self
            .items
            .iter()
            .any(|row| row.workload != self.items[0].workload);
        let row = |row: &Row| -> Vec<Value> {
            let chosen = row.point.is_none() && row.part.is_some();
            let point = row
                .protection_date_time
                .as_deref()
                .map(|time| text::fit(time, 20).into_owned());
            let name = if several {
                format!("{} ({})", row.name, row.workload)
            } else {
                row.name.clone()
            };
            vec![
                text::fit(&text::one_line(&name), NAME).into(),
                row.unit
                    .as_deref()
                    .map(|unit| unit.chars().take(ID).collect::<String>())
                    .into(),
                point
                    .or(chosen.then(|| "chosen by service".to_owned()))
                    .into(),
                row.age_seconds.map(age).into(),
                row.tags.clone().into(),
                row.destination.clone().into(),
                row.code.clone().into(),
                row.part.into(),
            ]
        };
        let rows = self.items.iter().map(row).collect();
        (columns.map(str::to_owned).to_vec(), rows)
    }

    /// Columns and rows as the document has them.
    pub(crate) fn whole(&self) -> (Vec<String>, Vec<Vec<Value>>) {
        let columns = [
            "name",
            "workload",
            "unit",
            "point",
            "protectionDateTime",
            "age_seconds",
            "tags",
            "destination",
            "code",
            "part",
            "input",
        ];
        let rows = self.items.iter().map(|row| {
            let row = serde_json::to_value(row).unwrap_or_default();
            columns
                .iter()
                .map(|name| row.get(*name).cloned().unwrap_or_default())
                .collect()
        });
        let rows = rows.collect();
        (columns.map(str::to_owned).to_vec(), rows)
    }

    /// What stands under the table.
    pub(crate) fn footer(&self) -> String {
        let count = |count: usize| text::number(count as u64);
        let totals = &self.totals;
        let mut out = format!(
            "asked {} = planned {} + skipped {}\n",
            count(totals.asked),
            count(totals.planned),
            count(totals.skipped)
        );
        let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.items.iter().filter(|row| row.part.is_none()) {
            *codes
                .entry(row.code.as_deref().unwrap_or("NotActivated"))
                .or_default() += 1;
        }
        for (code, number) in codes {
            let _ = writeln!(
                out,
                "  skipped  {:>6}  {}",
                count(number),
                text::one_line(code)
            );
        }
        for other in &self.others {
            let other = text::one_line(other);
            let shown: String = other.chars().take(SHOWN_CALL).collect();
            let rest = if shown.len() < other.len() {
                "… (the whole is in the plan's JSON)"
            } else {
                ""
            };
            let _ = writeln!(out, "  and      {shown}{rest}");
        }
        for (part, terms) in self.terms() {
            let tags = terms.tags.as_deref().map(|tags| format!(", tagged {tags}"));
            let _ = writeln!(
                out,
                "  part {part}: the service chooses the {} point from {:.0} to {:.0}{}",
                terms.prefer,
                terms.start,
                terms.end,
                text::one_line(&tags.unwrap_or_default())
            );
        }
        let of_bulk = |row: &Row| self.bulk.iter().any(|bulk| Some(bulk.part) == row.part);
        let single = |row: &&Row| row.part.is_some() && row.input.is_some() && !of_bulk(row);
        if self.items.iter().any(|row| single(&row)) {
            let number = count(self.items.iter().filter(single).count());
            let _ = writeln!(
                out,
                "  {number} of single files or messages: not for `apply`, run the script"
            );
        }
        if totals.planned > 0 {
            let sessions = self.parts();
            let noun = if sessions == 1 { "session" } else { "sessions" };
            let time = |seconds| text::time(Duration::from_secs(seconds));
            let _ = writeln!(
                out,
                "{} {noun}, about {} requests, {} to {}",
                count(sessions),
                text::number(self.requests),
                time(self.seconds.low),
                time(self.seconds.high)
            );
            for line in ASSUMED {
                let _ = writeln!(out, "  {line}");
            }
        }
        let _ = writeln!(out, "plan {}, nothing was changed", short(&self.hash));
        out
    }
}

/// The two largest units of an age: `3d 4h`, `12m`.
fn age(seconds: i64) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let Some(first) = units.iter().position(|(_, size)| seconds >= *size) else {
        return "0s".to_owned();
    };
    let (name, size) = units[first];
    let rest = units
        .get(first + 1)
        .map(|(name, smaller)| (name, seconds % size / smaller));
    match rest.filter(|(_, count)| *count > 0) {
        Some((smaller, count)) => format!("{}{name} {count}{smaller}", seconds / size),
        None => format!("{}{name}", seconds / size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_two_units_at_most() {
        for (seconds, shown) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (3_600, "1h"),
            (3_725, "1h 2m"),
            (273_600, "3d 4h"),
        ] {
            assert_eq!(age(seconds), shown, "{seconds}");
        }
    }
}
