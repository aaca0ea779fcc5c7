//! The reference as files in Markdown: `docs/`.

use std::fmt::Write as _;

use super::coverage::coverage;
use super::operation::{Call, operations};
use super::shape::SHAPES;
use super::{index, topic};

/// The files, each with its path below the folder of the reference.
pub(crate) fn reference() -> Vec<(String, String)> {
    let mut files = vec![
        ("README.md".to_owned(), index::front(true).text),
        ("coverage.md".to_owned(), coverage()),
        ("cmdlets.md".to_owned(), cmdlets()),
    ];
    for name in index::namespaces() {
        let page = index::namespace(name, true);
        files.push((format!("namespaces/{}.md", page.name), page.text));
    }
    for shape in SHAPES {
        files.push((
            format!("values/{}.md", shape.name.replace(' ', "-")),
            shape.markdown(true),
        ));
    }
    for block in index::blocks() {
        files.push((format!("{}.md", block.name), index::block(block, true).text));
    }
    for (name, _) in topic::topics() {
        if let Some(page) = topic::find(name) {
            files.push((format!("topics/{name}.md"), page.text));
        }
    }
    files
}

/// Every cmdlet with the call that does the same.
fn cmdlets() -> String {
    let mut rows: Vec<(String, String)> = operations()
        .iter()
        .flat_map(|operation| {
            let call = match operation.call {
                Call::Own(call) | Call::Instead(call) => call.to_owned(),
                Call::None => operation.graph_call(),
            };
            let name = operation.cmdlets.first().cloned();
            name.map(|name| (name, call))
        })
        .collect();
    rows.sort();
    rows.dedup();
    let mut out = "# Graph PowerShell cmdlets\n\nWhat a runbook says where a script of PowerShell calls a cmdlet. `runback doc CMDLET` shows an example, the permission and the policy class. In beta the cmdlets are called `…-MgBeta…`.\n\n| cmdlet | in a runbook |\n|---|---|\n".to_owned();
    for (cmdlet, call) in rows {
        let _ = writeln!(out, "| `{cmdlet}` | {} |", code(&call));
    }
    out
}

/// As code in a cell of a table, whatever is inside.
pub(super) fn code(text: &str) -> String {
    let text = text.replace('|', "\\|");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}
