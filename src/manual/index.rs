//! What there is: the front page, and one page for each namespace and building block.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::json;

use super::function::{self, From, Function};
use super::shape::SHAPES;
use super::{Page, line, topic};
use crate::script::standard::{self, Block};

/// The host's namespaces in the order of the reference, with what each is about. `""` is for functions without one.
const NAMESPACES: [(&str, &str); 15] = [
    ("users", "people of the directory"),
    ("groups", "groups of the directory, and who is in them"),
    ("sites", "SharePoint sites"),
    (
        "exchange",
        "mailboxes: units, restore points, restore sessions",
    ),
    (
        "onedrive",
        "OneDrives: units, restore points, restore sessions, files inside a restore point",
    ),
    (
        "sharepoint",
        "sites: units, restore points, restore sessions, files inside a restore point",
    ),
    ("sessions", "restore sessions of all workloads together"),
    (
        "backup",
        "the backup service: its status, policies, apps, browse sessions",
    ),
    ("graph", "any other call of Microsoft Graph"),
    ("runs", "earlier runs of this state folder"),
    ("csv", "tables that come from and go to spreadsheets"),
    ("json", "files and texts in JSON"),
    ("log", "lines for whoever reads the log"),
    ("", "functions without a namespace"),
    ("std", "building blocks written in Rhai, to be imported"),
];

/// What stands for the functions without a namespace.
pub(crate) const GLOBALS: &str = "functions";

pub(super) fn about(namespace: &str) -> &'static str {
    NAMESPACES
        .iter()
        .find(|(name, _)| *name == namespace)
        .map_or("", |(_, about)| about)
}

/// The host's functions in a namespace, in the order of registration.
pub(crate) fn of_namespace(namespace: &str) -> Vec<&'static Function> {
    function::all()
        .iter()
        .filter(|function| {
            function.from == From::Host && function.receiver.is_none() && function.home == namespace
        })
        .collect()
}

/// Namespaces that have functions: those of the table, then whatever is new.
pub(crate) fn namespaces() -> Vec<&'static str> {
    let there: BTreeSet<&'static str> = function::all()
        .iter()
        .filter(|function| function.from == From::Host && function.receiver.is_none())
        .map(|function| function.home.as_str())
        .collect();
    let known = NAMESPACES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| there.contains(name));
    let new = there
        .iter()
        .copied()
        .filter(|name| NAMESPACES.iter().all(|(known, _)| known != name));
    known.chain(new).collect()
}

pub(crate) fn blocks() -> &'static [Block] {
    static ALL: LazyLock<Vec<Block>> = LazyLock::new(standard::blocks);
    &ALL
}

pub(crate) fn of_block(name: &str) -> Vec<&'static Function> {
    function::all()
        .iter()
        .filter(|function| function.from == From::Standard && function.home == name)
        .collect()
}

/// The page of a namespace. `whole`: with the full help of its functions behind.
pub(crate) fn namespace(name: &str, whole: bool) -> Page {
    let functions = of_namespace(name);
    let title = if name.is_empty() { GLOBALS } else { name };
    list(title, about(name), &functions, whole)
}

/// The page of a building block.
pub(crate) fn block(block: &Block, whole: bool) -> Page {
    // What is set in by four in the comment is code.
    let mut text = String::new();
    let mut inside = false;
    for line in block.text.lines() {
        let code = line
            .strip_prefix("    ")
            .filter(|_| inside || line.starts_with("    "));
        match (inside, code) {
            (false, Some(_)) => text.push_str("```rhai\n"),
            (true, None) => text.push_str("```\n"),
            _ => {}
        }
        inside = code.is_some();
        text.push_str(code.unwrap_or(line));
        text.push('\n');
    }
    if inside {
        text.push_str("```\n");
    }
    list(&block.name, text.trim_end(), &of_block(&block.name), whole)
}

fn list(title: &str, text: &str, functions: &[&Function], whole: bool) -> Page {
    let mut out = format!("# {title}\n\n{}\n\n", sentence(text));
    for function in functions {
        out.push_str(&line(&function.full_name(), function.help.summary()));
    }
    if whole {
        for function in functions {
            let _ = write!(out, "\n{}", function.markdown(2));
        }
    } else {
        out.push_str("\n`runback doc NAME` shows one of them.\n");
    }
    let names: Vec<String> = functions
        .iter()
        .map(|function| function.full_name())
        .collect();
    Page {
        name: title.to_owned(),
        text: out,
        data: json!({"kind": "namespace", "name": title, "text": text, "functions": names}),
    }
}

/// "people of the directory" becomes "People of the directory."; what is a text of its own stays.
fn sentence(text: &str) -> String {
    if text.contains('\n') || text.ends_with('.') {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        if text.starts_with("One") {
            format!("{text}.")
        } else {
            first.to_uppercase().chain(letters).chain(['.']).collect()
        }
    })
}

/// The front page: `linked` names the files of the reference.
pub(crate) fn front(linked: bool) -> Page {
    let mut out = if linked {
        "# The reference of runback\n\nEverything a runbook can say. This is written by `runback doc --markdown docs`, out of the same texts as `runback doc NAME`.\n\n- [What each operation of Graph is called in a runbook](coverage.md)\n- [What each Graph PowerShell cmdlet is called in a runbook](cmdlets.md)\n".to_owned()
    } else {
        "# runback doc\n\n`runback doc NAME` shows help for a function, a namespace, a kind of object, a code, a topic, or a Graph PowerShell cmdlet.\n".to_owned()
    };
    let entry = |name: &str, file: String, text: &str| {
        if linked {
            format!("- [`{name}`]({file}): {text}\n")
        } else {
            line(name, text)
        }
    };
    out.push_str("\n## Namespaces\n\n");
    for name in namespaces() {
        let functions = of_namespace(name);
        let names: Vec<&str> = functions
            .iter()
            .map(|function| function.name.as_str())
            .collect();
        let title = if name.is_empty() { GLOBALS } else { name };
        out.push_str(&entry(
            title,
            format!("namespaces/{title}.md"),
            &names.join(", "),
        ));
    }
    out.push_str("\n## Objects and values\n\n");
    for shape in SHAPES {
        let names: Vec<String> = shape
            .functions(From::Host)
            .filter(|function| function.receiver != Some("object") || shape.name == "object")
            .map(|function| format!(".{}", function.name))
            .collect();
        let text = if names.is_empty() {
            shape
                .text
                .split(['.', ':'])
                .next()
                .unwrap_or_default()
                .to_owned()
        } else {
            names.join(" ")
        };
        let file = format!("values/{}.md", shape.name.replace(' ', "-"));
        out.push_str(&entry(shape.name, file, &text));
    }
    out.push_str("\n## Building blocks\n\n");
    for block in blocks() {
        let names: BTreeSet<&str> = of_block(&block.name)
            .iter()
            .map(|function| function.name.as_str())
            .collect();
        let names: Vec<&str> = names.into_iter().collect();
        out.push_str(&entry(
            &block.name,
            format!("{}.md", block.name),
            &names.join(", "),
        ));
    }
    out.push_str("\n## Topics\n\n");
    for (name, about) in topic::topics() {
        out.push_str(&entry(name, format!("topics/{name}.md"), about));
    }
    if !linked {
        out.push_str(
            "\nA cmdlet: `runback doc New-MgSolutionBackupRestoreExchangeRestoreSession`.\n",
        );
    }
    Page {
        name: String::new(),
        text: out,
        data: json!({
            "kind": "index",
            "namespaces": namespaces().iter().map(|name| namespace(name, false).data).collect::<Vec<_>>(),
            "types": SHAPES.iter().map(|shape| shape.name).collect::<Vec<_>>(),
            "blocks": blocks().iter().map(|block| block.name.as_str()).collect::<Vec<_>>(),
            "topics": topic::topics().map(|(name, _)| name).collect::<Vec<_>>(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_namespace_says_what_it_is_about() {
        for name in namespaces() {
            assert!(
                NAMESPACES.iter().any(|(known, _)| *known == name),
                "`{name}` belongs into the table"
            );
        }
    }
}
