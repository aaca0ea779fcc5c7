//! What is written about a run and its values: pure functions of an outcome or of rows, to text.

pub(crate) mod closing;
pub(crate) mod csv;
pub(crate) mod json;
mod outcome;
pub(crate) mod table;

pub(crate) use outcome::Outcome;

use std::path::Path;

use serde_json::Value;

use crate::error::{Exit, Fault};

/// The kinds of report that `--report FILE` can ask for, by the file's extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Csv,
}

impl Kind {
    /// # Errors
    /// Exit 2: an extension that stands for no report.
    pub(crate) fn of(path: &Path) -> Result<Self, Fault> {
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let what = match extension.as_deref() {
            Some("json") => return Ok(Self::Json),
            Some("csv") => return Ok(Self::Csv),
            Some("xml" | "html") => "this kind of report is not built yet",
            _ => "its extension names no kind of report",
        };
        let message = format!("`--report {}` cannot be written: {what}", path.display());
        Err(Fault::new(Exit::Unstarted, "BadReport", message)
            .hint("give it a name that ends in `.json` or `.csv`"))
    }

    pub(crate) fn render(self, outcome: &Outcome) -> String {
        match self {
            Self::Json => json::document(outcome),
            Self::Csv => csv::items(&outcome.items),
        }
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
        for wrong in ["x", "x.txt", "x.json/y", "x.xml", ".json"] {
            assert_eq!(
                Kind::of(Path::new(wrong)).unwrap_err().exit,
                Exit::Unstarted,
                "{wrong}"
            );
        }
    }
}
