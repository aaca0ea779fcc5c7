//! Which operation of Graph is sent by which call of a runbook.

use std::fmt::Write as _;

use super::markdown::code;
use super::operation::{Call, Mark, Operation, operations};

/// The table as Markdown.
pub(crate) fn coverage() -> String {
    let mut out = "# Operations of Graph, and the calls that send them\n\nWritten by `runback doc --markdown docs` from the table in the program. A test runs the call of each row against the sandbox, in each version that has the operation, looks for the request on the wire, and compares what is sent and what is answered with the published metadata.\n".to_owned();
    let is_own = |operation: &&Operation| matches!(operation.call, Call::Own(_));
    section(
        &mut out,
        "What `BackupRestore-Restore.ReadWrite.All` opens",
        operations()
            .iter()
            .filter(|operation| operation.mark == Mark::Seed),
    );
    section(
        &mut out,
        "Reading what a restore needs",
        operations()
            .iter()
            .filter(|operation| operation.mark != Mark::Seed)
            .filter(is_own),
    );
    out.push_str("\n## By their path\n\nThe other documented operations do not belong to restoring. `graph::` calls them by their path; where another function tells the same, it stands in brackets.\n\n| operation | versions | in a runbook | cmdlet |\n|---|---|---|---|\n");
    for operation in operations().iter().filter(|operation| {
        operation.mark == Mark::Documented && !matches!(operation.call, Call::Own(_))
    }) {
        let call = match operation.call {
            Call::Instead(call) => format!("{} ({})", code(&operation.graph_call()), code(call)),
            _ => code(&operation.graph_call()),
        };
        row(&mut out, operation, &call);
    }
    out
}

fn section<'o>(out: &mut String, title: &str, rows: impl Iterator<Item = &'o Operation>) {
    let _ = write!(
        out,
        "\n## {title}\n\n| operation | versions | in a runbook | cmdlet |\n|---|---|---|---|\n"
    );
    for operation in rows {
        let call = match operation.call {
            Call::Own(call) | Call::Instead(call) => code(call),
            Call::None => code(&operation.graph_call()),
        };
        row(out, operation, &call);
    }
}

fn row(out: &mut String, operation: &Operation, call: &str) {
    let path = operation
        .path
        .strip_prefix("/solutions/backupRestore")
        .map_or_else(|| operation.path.clone(), |below| format!("~{below}"));
    let cmdlet = operation
        .cmdlets
        .first()
        .map_or_else(|| "none".to_owned(), |cmdlet| format!("`{cmdlet}`"));
    let _ = writeln!(
        out,
        "| {} {} | {} | {call} | {cmdlet} |",
        operation.method,
        code(&path),
        operation.versions()
    );
}
