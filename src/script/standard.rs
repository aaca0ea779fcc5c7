//! Functions that are not the host's: the building blocks of `std/`, and what the language brings itself. For the help.

use rhai::packages::{Package as _, StandardPackage};
use rhai::{Engine, FnAccess, FuncInfo};

use super::engine;
use super::program;
use super::words;

/// A function with the help that its author wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// `std/waves`; empty for the language's own.
    pub(crate) module: String,
    pub(crate) name: String,
    /// `name` or `name: type`.
    pub(crate) params: Vec<String>,
    pub(crate) returns: String,
    /// Of what it is a method, in our words; else empty.
    pub(crate) receiver: &'static str,
    pub(crate) doc: String,
}

/// A file of `std/`: its name, the comment at its top, its public functions in the order of the file.
pub(crate) struct Block {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) functions: Vec<Foreign>,
}

/// Everything that `import "std/…"` finds.
pub(crate) fn blocks() -> Vec<Block> {
    let parser = engine::parser();
    let mut blocks: Vec<Block> = program::stdlib()
        .map(|(name, text)| {
            let ast = parser
                .compile(text)
                .expect("what is built in has been compiled by a test");
            let mut functions: Vec<Foreign> = ast
                .iter_functions()
                .filter(|function| {
                    matches!(function.access, FnAccess::Public)
                        && !function.name.starts_with("anon$")
                })
                .map(|function| Foreign {
                    module: name.clone(),
                    name: function.name.to_owned(),
                    params: function
                        .params
                        .iter()
                        .map(|param| (*param).to_owned())
                        .collect(),
                    returns: String::new(),
                    receiver: "",
                    doc: uncommented(&function.comments.join("\n"), "///"),
                })
                .collect();
            // The one with the most arguments first, as it is written in the file.
            functions.sort_by_key(|function| {
                let at = text.find(&format!("\nfn {}(", function.name));
                (at, std::cmp::Reverse(function.params.len()))
            });
            let header: Vec<&str> = text
                .lines()
                .take_while(|line| line.starts_with("//!"))
                .collect();
            Block {
                text: uncommented(&header.join("\n"), "//!"),
                name,
                functions,
            }
        })
        .collect();
    blocks.sort_by(|left, right| left.name.cmp(&right.name));
    blocks
}

/// Comment lines without their marks and the space behind.
fn uncommented(comment: &str, mark: &str) -> String {
    let lines = comment.lines().map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix(mark).unwrap_or(line);
        line.strip_prefix(' ').unwrap_or(line).trim_end()
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// An engine with what the language brings, and nothing of the host.
fn bare() -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    engine
}

/// For whoever builds on the language, not for runbooks; `eval` and `exit` are switched off.
const INSIDE: [&str; 12] = [
    "debug",
    "eval",
    "exit",
    "get_fn_metadata_list",
    "is_def_fn",
    "is_def_var",
    "print",
    "set_tag",
    "tag",
    "take",
    "timestamp",
    "to_debug",
];

/// The language's own functions; operators and the inside of properties are left out.
pub(crate) fn language() -> Vec<Foreign> {
    let mut found = bare().collect_fn_metadata(
        None,
        |info: FuncInfo| {
            let own = info.metadata;
            let is_name = own
                .name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_');
            let by_name = own
                .comments
                .iter()
                .any(|line| line.contains("function named by"));
            if !is_name || by_name || own.comments.is_empty() || INSIDE.contains(&&*own.name) {
                return None;
            }
            let mut params: Vec<(String, String)> = own
                .params_info
                .iter()
                .map(|param| {
                    let (name, kind) = param.split_once(": ").unwrap_or((param, "?"));
                    (name.to_owned(), kind.to_owned())
                })
                .collect();
            let receiver = match params.first() {
                Some((_, kind)) if is_method(kind, own.name.as_str()) => {
                    let (_, kind) = params.remove(0);
                    words::type_words(kind.trim_start_matches("&mut "))
                }
                _ => "",
            };
            let returns = match own.return_type.as_str() {
                "" | "()" => "",
                kind => plain(kind),
            };
            Some(Foreign {
                module: String::new(),
                name: own.name.to_string(),
                params: params
                    .iter()
                    .map(|(name, kind)| format!("{name}: {}", plain(kind)))
                    .collect(),
                returns: returns.to_owned(),
                receiver,
                doc: uncommented(&own.comments.join("\n"), "///"),
            })
        },
        true,
    );
    found.sort_by(|left, right| {
        (left.receiver, &left.name, left.params.len(), &left.params).cmp(&(
            right.receiver,
            &right.name,
            right.params.len(),
            &right.params,
        ))
    });
    found.dedup();
    found
}

/// The type in our words; of what may fail, the type it gives.
fn plain(kind: &str) -> &'static str {
    let kind = kind.replace([' ', '&'], "").replace("mut", "");
    let inner = kind
        .strip_prefix("RhaiResultOf<")
        .or_else(|| kind.strip_prefix("Result<"))
        .and_then(|inner| inner.split([',', '>']).next())
        .unwrap_or(&kind);
    words::type_words(inner)
}

/// What takes its first value as something to work on is written behind it.
fn is_method(kind: &str, name: &str) -> bool {
    kind.starts_with("&mut ")
        || (matches!(kind, "&str" | "ImmutableString" | "Array" | "Map")
            && !name.starts_with("parse"))
}

/// The definition files that the language has for itself, by name.
pub(crate) fn definitions() -> Vec<(String, String)> {
    bare().definitions().iter_files().collect()
}
