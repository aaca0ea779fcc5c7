//! The manual: help for functions, objects, arguments, codes and Graph PowerShell cmdlets, each from one source.
//!
//! Functions bring their help from their registration, building blocks from their comments, objects from the published
//! properties, cmdlets from the table of Graph's operations. All of it becomes [`Page`]s in Markdown: `docs/` holds them as they are,
//! a terminal gets them laid out ([`screen`]), a tool gets [`Page::data`].

mod codes;
mod coverage;
mod definitions;
mod find;
mod function;
mod index;
mod markdown;
pub(crate) mod offer;
mod operation;
mod operation_page;
mod screen;
mod shape;
mod topic;

use serde_json::Value;

pub(crate) use definitions::definitions;
pub(crate) use find::{Unknown, everything, find};
pub(crate) use markdown::reference;
pub(crate) use screen::Screen;

/// Help for one name.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// `exchange::create_session`; empty for the front page.
    pub(crate) name: String,
    /// Markdown with a heading of the first level.
    pub(crate) text: String,
    /// The same for programs: `{"kind": "function", "name": …}`.
    pub(crate) data: Value,
}

/// What a line of a list says of a name: the first sentence, in Markdown.
fn line(name: &str, text: &str) -> String {
    if text.is_empty() {
        format!("- `{name}`\n")
    } else {
        format!("- `{name}`: {text}\n")
    }
}
