//! An error of a run, as the result document keeps it.

use serde::{Deserialize, Serialize};

use crate::error::Fault;

/// What went wrong, where in the script, what now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// Graph's code or ours.
    pub(crate) code: String,
    pub(crate) message: String,
    /// The place in the script; `null` where it is in none.
    pub(crate) file: Option<String>,
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    /// The text of that line.
    #[serde(default)]
    pub(crate) source: Option<String>,
    /// Further facts, one each: in which function, called from where, which request.
    #[serde(default)]
    pub(crate) context: Vec<String>,
    /// Several hints stand one a line.
    pub(crate) hint: Option<String>,
    pub(crate) request_id: Option<String>,
}

impl From<&Fault> for Trouble {
    fn from(fault: &Fault) -> Self {
        let place = fault.place.as_ref();
        Self {
            code: fault.code.clone(),
            message: fault.message.clone(),
            file: place.map(|place| place.file.clone()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            source: place.and_then(|place| place.text.clone()),
            context: fault.context.clone(),
            hint: (!fault.hints.is_empty()).then(|| fault.hints.join("\n")),
            request_id: fault.request_id.clone(),
        }
    }
}

impl Trouble {
    /// `night.rhai:41:17`.
    pub(crate) fn place(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        Some(match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
            (Some(line), None) => format!("{file}:{line}"),
            _ => file.clone(),
        })
    }

    pub(crate) fn hints(&self) -> impl Iterator<Item = &str> {
        self.hint.iter().flat_map(|hint| hint.lines())
    }
}
