//! What is written about a run and its values: pure functions of an outcome or of rows, to text.

pub(crate) mod closing;
#[cfg(test)]
mod cost;
pub(crate) mod csv;
mod html;
pub(crate) mod json;
mod junit;
mod meaning;
mod outcome;
mod reasons;
#[cfg(test)]
mod sample;
pub(crate) mod table;
mod trouble;
mod verdict;

pub(crate) use outcome::{End, Outcome};
pub(crate) use trouble::Trouble;
pub(crate) use verdict::of_exit as exit_meaning;

use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use crate::error::{Exit, Fault};

/// The kinds of report that `--report FILE` can ask for, by the file's extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The result document itself.
    Json,
    /// The items.
    Csv,
    /// JUnit, for CI servers.
    Xml,
    /// A page for people.
    Html,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::Xml, Self::Html];

    /// # Errors
    /// Exit 2: an extension that stands for no report.
    pub(crate) fn of(path: &Path) -> Result<Self, Fault> {
        let extension = path.extension().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|kind| extension.eq_ignore_ascii_case(kind.extension()))
            .ok_or_else(|| {
                let message = format!(
                    "`--report {}` cannot be written: its extension names no kind of report",
                    path.display()
                );
                Fault::new(Exit::Unstarted, "BadReport", message)
                    .hint("give it a name that ends in `.json`, `.csv`, `.xml` (JUnit) or `.html`")
            })
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xml => "xml",
            Self::Html => "html",
        }
    }

    /// Writes the report. The same outcome gives the same text, whoever writes it and when.
    ///
    /// # Errors
    /// Those of `out`.
    pub(crate) fn write(self, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
        let text = match self {
            // The one that every run writes, and of ten thousand items six megabytes: never as one text.
            Self::Json => return json::document(outcome, out),
            Self::Csv => csv::items(&outcome.items),
            Self::Xml => junit::document(outcome),
            Self::Html => html::page(outcome),
        };
        out.write_all(text.as_bytes())
    }

    /// The whole report as one text.
    pub(crate) fn render(self, outcome: &Outcome) -> String {
        let mut text = Vec::new();
        self.write(outcome, &mut text)
            .expect("a list of bytes takes everything");
        String::from_utf8(text).expect("reports are UTF-8")
    }
}

/// One value as the text of a cell: text without quotes, nothing for null, lists and objects as JSON.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_names_the_kind_of_report() {
        assert_eq!(Kind::of(Path::new("a.b/x.JSON")).unwrap(), Kind::Json);
        assert_eq!(Kind::of(Path::new("x.csv")).unwrap(), Kind::Csv);
        assert_eq!(Kind::of(Path::new("x.xml")).unwrap(), Kind::Xml);
        assert_eq!(Kind::of(Path::new("x.Html")).unwrap(), Kind::Html);
        for wrong in ["x", "x.txt", "x.json/y", "x.htm", ".json"] {
            assert_eq!(
                Kind::of(Path::new(wrong)).unwrap_err().exit,
                Exit::Unstarted,
                "{wrong}"
            );
        }
    }
}
