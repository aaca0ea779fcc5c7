//! Definition files for editors: what Rhai's language server reads to complete names and to show help.
//!
//! They are written from the manual, not by the engine: its own have types of Rust in them that the language server's
//! grammar does not know (`&str | ImmutableString`), and setters without a type behind their arrow.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::function::{self, From, Function};
use super::index;
use super::shape::{self, SHAPES, Shape};
use crate::script::standard;

/// The files, each with its name.
pub(crate) fn definitions() -> Vec<(String, String)> {
    let mut files = vec![("runback.d.rhai".to_owned(), globals())];
    for name in index::namespaces()
        .into_iter()
        .filter(|name| !name.is_empty())
    {
        let mut out = header(&index::namespace(name, false).text, name);
        for function in index::of_namespace(name) {
            functions(&mut out, function);
        }
        files.push((format!("{name}.d.rhai"), out));
    }
    for block in index::blocks() {
        let mut out = header(&block.text, &format!("\"{}\"", block.name));
        for function in index::of_block(&block.name) {
            functions(&mut out, function);
        }
        files.push((format!("{}.d.rhai", block.name.replace('/', "-")), out));
    }
    files.push(("rhai.d.rhai".to_owned(), language()));
    files
}

fn header(text: &str, module: &str) -> String {
    let text = text.lines().filter(|line| !line.starts_with("# "));
    let text: Vec<&str> = text.take_while(|line| !line.starts_with("- ")).collect();
    let mut out = comment(text.join("\n").trim());
    let _ = writeln!(out, "module {module};");
    out
}

/// Functions without a namespace, methods, properties, `args`.
fn globals() -> String {
    let mut out = header(
        "What runback adds to every script: functions without a namespace, and what its values can do.",
        "static",
    );
    out.push_str(
        "\n/// The arguments of the run, by the names that the header declares.\nlet args: Args;\n",
    );
    let own = function::all()
        .iter()
        .filter(|function| function.from == From::Host && function.home.is_empty());
    for function in own {
        functions(&mut out, function);
    }
    for shape in SHAPES {
        properties(&mut out, shape);
    }
    out
}

fn properties(out: &mut String, shape: &Shape) {
    let mut seen = BTreeSet::new();
    let all = shape
        .own_properties()
        .into_iter()
        .chain(shape.kinds().flat_map(shape::published));
    for property in all.filter(|property| is_name(&property.name)) {
        if !seen.insert(property.name.clone()) {
            continue;
        }
        out.push('\n');
        out.push_str(&comment(&property.text));
        let (receiver, kind) = (shape.name.replace(' ', "_"), camel(shape.name));
        let _ = writeln!(
            out,
            "fn get {}({receiver}: {kind}) -> {};",
            property.name,
            kind_of(&property.returns)
        );
    }
}

/// Every overload with the help of all.
fn functions(out: &mut String, function: &Function) {
    let text = function.markdown(1);
    // The signature stands below.
    let help = text
        .split_once("\n```\n\n")
        .map_or(text.as_str(), |(_, help)| help)
        .trim();
    let receiver = function
        .receiver
        .map(|receiver| format!("{}: {}", receiver.replace(' ', "_"), kind_of(receiver)));
    let mut seen = BTreeSet::new();
    for signature in &function.signatures {
        let line = definition(&function.name, receiver.as_deref(), signature);
        if seen.insert(line.clone()) {
            out.push('\n');
            out.push_str(&comment(help));
            out.push_str(&line);
        }
    }
}

/// `exchange::unit(item: user, address or id) -> unit` as `fn unit(item: ?) -> Unit;`.
fn definition(name: &str, receiver: Option<&str>, signature: &str) -> String {
    let (call, returns) = match signature.rsplit_once(") -> ") {
        Some((call, returns)) => (call, Some(returns)),
        None => (signature.strip_suffix(')').unwrap_or(signature), None),
    };
    let inside = call.split_once('(').map_or("", |(_, inside)| inside);
    let own = params(inside).into_iter().map(|param| parameter(&param));
    let all: Vec<String> = receiver.map(str::to_owned).into_iter().chain(own).collect();
    let returns = returns.map_or(String::new(), |returns| format!(" -> {}", kind_of(returns)));
    format!("fn {name}({}){returns};\n", all.join(", "))
}

/// Splits at the commas between parameters: those inside a type are followed by a word without a colon.
fn params(inside: &str) -> Vec<String> {
    let mut params: Vec<String> = Vec::new();
    for part in inside.split(", ").filter(|part| !part.is_empty()) {
        let begins = is_name(part.split(':').next().unwrap_or(part))
            && (part.contains(':') || !part.contains(' '))
            || part.starts_with("#{");
        match params.last_mut() {
            // `item: unit, user, address or id`: bare words go on with the type before them.
            Some(last) if !begins || (last.contains(": ") && !part.contains(':')) => {
                last.push_str(", ");
                last.push_str(part);
            }
            _ => params.push(part.to_owned()),
        }
    }
    params
}

fn parameter(param: &str) -> String {
    match param.split_once(": ") {
        Some((name, kind)) if is_name(name) => format!("{name}: {}", kind_of(kind)),
        _ if param.starts_with("#{") => "options: Map".to_owned(),
        _ if is_name(param) => format!("{param}: ?"),
        _ => "by: ?".to_owned(),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !KEYWORDS.contains(&text)
}

/// Words that the language keeps for itself, among those that properties and parameters are called.
const KEYWORDS: [&str; 14] = [
    "as", "case", "const", "default", "do", "fn", "for", "if", "in", "let", "match", "new", "this",
    "type",
];

/// A type of ours as the grammar of definition files has it; `?` for what it cannot say.
fn kind_of(words: &str) -> String {
    let words = words.trim();
    if let Some(of) = words
        .strip_prefix("list of ")
        .or_else(|| words.strip_prefix("array of "))
    {
        return match kind_of(of).as_str() {
            "?" => "Array".to_owned(),
            kind => format!("[{kind}]"),
        };
    }
    if words.starts_with("stream") {
        return "Stream".to_owned();
    }
    if words.starts_with("#{") {
        return "Map".to_owned();
    }
    if words.starts_with("closure") {
        return "FnPtr".to_owned();
    }
    let one = |word: &str| match word {
        "text" => Some("string".to_owned()),
        "whole number" => Some("int".to_owned()),
        "number" => Some("float".to_owned()),
        "true or false" => Some("bool".to_owned()),
        "()" => Some("()".to_owned()),
        "map" | "row" => Some("Map".to_owned()),
        "array" | "rows" => Some("Array".to_owned()),
        word => SHAPES
            .iter()
            .find(|shape| shape.name == word)
            .map(|shape| camel(shape.name)),
    };
    if let Some(kind) = one(words) {
        return kind;
    }
    let parts = words
        .split(", ")
        .flat_map(|part| part.split(" or "))
        .map(one);
    parts
        .collect::<Option<Vec<_>>>()
        .map_or_else(|| "?".to_owned(), |kinds| kinds.join(" | "))
}

fn camel(words: &str) -> String {
    match words {
        "text" => return "string".to_owned(),
        "row" => return "Map".to_owned(),
        _ => {}
    }
    words
        .split(' ')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect()
}

fn comment(text: &str) -> String {
    text.lines()
        .map(|line| format!("/// {line}").trim_end().to_owned() + "\n")
        .collect()
}

/// The language's own, without what is switched off in runbooks.
fn language() -> String {
    let mut out = header("What Rhai brings itself.", "static");
    // Those that the engine has inside itself; its file of them is in the grammar.
    let inside = standard::definitions()
        .into_iter()
        .find(|(name, _)| name == "__builtin__.d.rhai")
        .map_or(String::new(), |(_, text)| text);
    for item in inside.split("\n\n").skip(1) {
        let keeps = ["fn type_of(", "fn call(", "fn curry(", "fn is_shared("]
            .iter()
            .any(|start| item.contains(&format!("\n{start}")));
        if keeps {
            let _ = write!(out, "\n{}\n", item.trim());
        }
    }
    for function in function::all()
        .iter()
        .filter(|function| function.from == From::Language)
    {
        functions(&mut out, function);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_become_definitions() {
        for (signature, receiver, expected) in [
            (
                "exchange::unit(item: user, address or id) -> unit",
                None,
                "fn unit(item: ?) -> Unit;\n",
            ),
            (
                "exchange::point_before(item: unit, user, address or id, instant: datetime, options: map) -> restore point or ()",
                None,
                "fn unit(item: ?, instant: Datetime, options: Map) -> RestorePoint | ();\n",
            ),
            ("log::info(value)", None, "fn unit(value: ?);\n"),
            (
                "skip(item, reason: text, #{ok})",
                None,
                "fn unit(item: ?, reason: string, options: Map);\n",
            ),
            (
                "array.sort_by(name or |x| key) -> array",
                Some("array: Array"),
                "fn unit(array: Array, by: ?) -> Array;\n",
            ),
            (
                "parallel(items: list, limit: whole number, closure: |item| value) -> array",
                None,
                "fn unit(items: List, limit: int, closure: ?) -> Array;\n",
            ),
            (
                "waves::run(rows, options)",
                None,
                "fn unit(rows: ?, options: ?);\n",
            ),
        ] {
            assert_eq!(definition("unit", receiver, signature), expected);
        }
    }
}
