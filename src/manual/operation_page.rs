//! Help for somebody who comes from PowerShell: the call of a runbook that does what a cmdlet does.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Page;
use super::function::{self, Function, explained};
use super::operation::{Call, Operation, operations};
use crate::script::help::Reach;

/// The help of a cmdlet; its case does not count.
pub(crate) fn of_cmdlet(name: &str) -> Option<Page> {
    let is_it = |cmdlet: &&String| cmdlet.eq_ignore_ascii_case(name);
    let found: Vec<&Operation> = operations()
        .iter()
        .filter(|operation| operation.cmdlets.iter().any(|cmdlet| is_it(&cmdlet)))
        .collect();
    let spelt = found
        .iter()
        .flat_map(|operation| &operation.cmdlets)
        .find(is_it)?;
    let mut text = format!("# {spelt}\n");
    for operation in &found {
        text.push('\n');
        text.push_str(&section(operation));
    }
    let others: Vec<String> = found[0]
        .cmdlets
        .iter()
        .filter(|cmdlet| *cmdlet != spelt)
        .map(|cmdlet| format!("`{cmdlet}`"))
        .collect();
    if !others.is_empty() {
        let _ = writeln!(text, "\nThe same as {}.", others.join(", "));
    }
    let data = json!({
        "kind": "cmdlet",
        "name": spelt,
        "operations": found.iter().map(|operation| data(operation)).collect::<Vec<_>>(),
    });
    Some(Page {
        name: spelt.clone(),
        text,
        data,
    })
}

/// The function of the library that a call begins or ends with: `exchange::units` of `exchange::units().count()`.
pub(crate) fn function_of(call: &str) -> Option<&'static Function> {
    let head = call.split('(').next().unwrap_or(call);
    if let Some((namespace, name)) = head.split_once("::") {
        return function::all()
            .iter()
            .find(|function| function.home == namespace && function.name == name);
    }
    let (value, name) = head.split_once('.')?;
    let receiver = match value {
        "browse" => "browse session",
        other => other,
    };
    function::all()
        .iter()
        .find(|function| function.receiver == Some(receiver) && function.name == name)
}

/// The call with what it needs in front of it, so that it can be copied.
pub(crate) fn snippet(operation: &Operation, call: &str) -> String {
    let workload = operation.workload().unwrap_or("exchange");
    match call.split_once('.') {
        Some(("session", _)) if operation.workload().is_none() => {
            format!("let session = sessions::get(id);\n{call}")
        }
        Some(("session", _)) => format!("let session = {workload}::session(id);\n{call}"),
        Some(("browse", _)) => format!("let browse = {workload}::browse_session(id);\n{call}"),
        _ => call.to_owned(),
    }
}

fn section(operation: &Operation) -> String {
    let mut out = String::new();
    let (call, function) = match operation.call {
        Call::Own(call) => {
            out.push_str("In a runbook:\n\n");
            (snippet(operation, call), function_of(call))
        }
        Call::Instead(call) => {
            out.push_str("runback does not send this operation by itself. This tells or does the same through another one:\n\n");
            (snippet(operation, call), function_of(call))
        }
        Call::None => {
            out.push_str("runback has no function of its own for this. `graph::` calls it by its path, with the same sign-in, pacing and rules:\n\n");
            (operation.graph_call(), None)
        }
    };
    let _ = writeln!(out, "```rhai\n{call}\n```\n");
    let _ = writeln!(
        out,
        "- **Graph:** {} {} ({})",
        operation.method,
        operation.path,
        operation.versions()
    );
    let permissions = match function {
        Some(function) if !function.help.permissions.is_empty() => {
            function.help.permissions.join(", ")
        }
        _ => operation
            .permission
            .map_or_else(|| "none is published for it".to_owned(), ToOwned::to_owned),
    };
    let _ = writeln!(out, "- **Permission:** {permissions}");
    let reach = function.and_then(|function| function.help.reach);
    let class = match reach.unwrap_or_else(|| operation.reach()) {
        Reach::Path => "`change`; runback knows nothing of it, so it asks for consent",
        reach => explained(reach),
    };
    let _ = writeln!(out, "- **Policy class:** {class}");
    let more = function.map_or_else(
        || format!("graph::{}", graph_function(operation)),
        Function::full_name,
    );
    let _ = writeln!(out, "- **More:** `runback doc {more}`");
    if let Some(example) = example(operation) {
        let _ = write!(out, "\nExample:\n\n```rhai\n{example}\n```\n");
    }
    out
}

/// What examples speak of in the words of Exchange, of OneDrive, of SharePoint.
const WORDS: [[&str; 3]; 5] = [
    ["exchange::", "onedrive::", "sharepoint::"],
    ["mailboxes:", "drives:", "siteWebUrls:"],
    [
        "groups::members(\"Finance\")",
        "groups::members(\"Finance\")",
        "sites::search(\"Finance\")",
    ],
    [
        "\"rania.shah@contoso.example\"",
        "\"rania.shah@contoso.example\"",
        "\"https://contoso.sharepoint.example/sites/finance\"",
    ],
    [
        "\"jin.rahman@contoso.example\"",
        "\"jin.rahman@contoso.example\"",
        "\"https://contoso.sharepoint.example/sites/finance\"",
    ],
];

/// An example of the call that sends the operation, for the workload of its path; `None` where it shows no more than the call.
fn example(operation: &Operation) -> Option<String> {
    let Call::Own(call) = operation.call else {
        return None;
    };
    let example = function_of(call)?.help.example.clone()?;
    if snippet(operation, call).contains(example.trim_end_matches(';')) {
        return None;
    }
    // What mailboxes have not is shown of a OneDrive.
    let is_of_a_drive = !example.contains("exchange::") && example.contains("onedrive::");
    let from = usize::from(is_of_a_drive);
    let to = match operation.workload() {
        Some("onedrive") => 1,
        Some("sharepoint") => 2,
        _ => from,
    };
    let words = WORDS.iter().filter(|words| words[from] != words[to]);
    Some(words.fold(example, |example, words| {
        example.replace(words[from], words[to])
    }))
}

fn graph_function(operation: &Operation) -> &'static str {
    match operation.method {
        "GET" if operation.is_list => "pages",
        "GET" => "get",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "post",
    }
}

pub(crate) fn data(operation: &Operation) -> Value {
    let (kind, call) = match operation.call {
        Call::Own(call) => ("own", snippet(operation, call)),
        Call::Instead(call) => ("instead", snippet(operation, call)),
        Call::None => ("graph", operation.graph_call()),
    };
    json!({
        "method": operation.method,
        "path": operation.path,
        "versions": match (operation.v1, operation.beta) {
            (true, true) => vec!["v1.0", "beta"],
            (true, false) => vec!["v1.0"],
            _ => vec!["beta"],
        },
        "permission": operation.permission,
        "policy_class": operation.reach().name(),
        "cmdlets": operation.cmdlets,
        "call": call,
        "example": example(operation),
        "by": kind,
    })
}
