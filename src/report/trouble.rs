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

/// Of one text: a script may throw whatever it holds.
const LONGEST: usize = 64 << 10;

fn clipped(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(LONGEST);
    format!("{}… ({} bytes more)", &text[..end], text.len() - end)
}

impl From<&Fault> for Trouble {
    fn from(fault: &Fault) -> Self {
        let place = fault.place.as_ref();
        Self {
            code: clipped(&fault.code),
            message: clipped(&fault.message),
            file: place.map(|place| place.file.clone()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            source: place.and_then(|place| place.text.as_deref().map(clipped)),
            context: fault.context.iter().map(|fact| clipped(fact)).collect(),
            hint: (!fault.hints.is_empty()).then(|| clipped(&fault.hints.join("\n"))),
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
