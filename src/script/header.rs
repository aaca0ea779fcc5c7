//! What a runbook says about itself: `//!` lines, among them `//! @param NAME TYPE [= DEFAULT] TEXT`.

use std::collections::HashSet;

use serde_json::Value;

use super::arguments;
use super::words;
use crate::error::{Exit, Fault, MOST_FAULTS, Place};

/// The type of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    String,
    Int,
    Float,
    Bool,
    Datetime,
    Duration,
    List,
    File,
}

const TYPES: [(&str, Type); 8] = [
    ("string", Type::String),
    ("int", Type::Int),
    ("float", Type::Float),
    ("bool", Type::Bool),
    ("datetime", Type::Datetime),
    ("duration", Type::Duration),
    ("list", Type::List),
    ("file", Type::File),
];

impl Type {
    pub(crate) fn name(self) -> &'static str {
        TYPES
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }
}

/// One `@param` line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: Type,
    /// A JSON value; for times and lengths the text that the command line would take.
    pub(crate) default: Option<Value>,
    pub(crate) text: String,
}

/// The header of a script.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Header {
    /// The help, a line each, without the `@param` lines.
    pub(crate) help: Vec<String>,
    pub(crate) parameters: Vec<Parameter>,
}

impl Header {
    /// Reads the `//!` lines at the top of a script; blank lines and other comments may stand between them.
    ///
    /// Bad declarations are left out, and told with their places.
    pub(crate) fn read(file: &str, text: &str) -> (Self, Vec<Fault>) {
        let mut header = Self::default();
        let mut faults = Vec::new();
        let mut names = HashSet::new();
        for (number, line) in text.lines().enumerate() {
            if faults.len() == MOST_FAULTS {
                break;
            }
            let trimmed = line.trim_start();
            let Some(said) = trimmed.strip_prefix("//!") else {
                if trimmed.is_empty() || trimmed.starts_with("//") || trimmed.starts_with("#!") {
                    continue;
                }
                break;
            };
            let said = said.strip_prefix(' ').unwrap_or(said).trim_end();
            let Some(declaration) = said.trim_start().strip_prefix("@param") else {
                if let Some(tag) = said
                    .trim_start()
                    .strip_prefix('@')
                    .filter(|_| said.trim_start().to_lowercase().starts_with("@par"))
                {
                    let word = tag.split_whitespace().next().unwrap_or_default();
                    faults.push(
                        bad(
                            format!("`@{word}` is no declaration"),
                            file,
                            number,
                            line,
                            "@",
                        )
                        .hint("write `//! @param NAME TYPE [= DEFAULT] TEXT`"),
                    );
                }
                header.help.push(said.to_owned());
                continue;
            };
            match parameter(declaration) {
                Ok(parameter) if !names.insert(parameter.name.clone()) => {
                    faults.push(bad(
                        format!("`{}` is declared twice", parameter.name),
                        file,
                        number,
                        line,
                        &parameter.name,
                    ));
                }
                Ok(parameter) => header.parameters.push(parameter),
                Err((message, at, hint)) => {
                    faults.push(bad(message, file, number, line, &at).hint(hint));
                }
            }
        }
        while header.help.last().is_some_and(String::is_empty) {
            header.help.pop();
        }
        while header.help.first().is_some_and(String::is_empty) {
            header.help.remove(0);
        }
        (header, faults)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
    }

    /// The page that `run SCRIPT --help` prints.
    pub(crate) fn help(&self, script: &str) -> String {
        let mut page = String::new();
        for line in &self.help {
            page += line;
            page.push('\n');
        }
        if !self.help.is_empty() {
            page.push('\n');
        }
        page.push_str("Usage: runback run ");
        page.push_str(script);
        for parameter in &self.parameters {
            let (before, behind) = match parameter.default {
                None => (" ", "=…"),
                Some(_) => (" [", "=…]"),
            };
            page.extend([before, &parameter.name, behind]);
        }
        page.push('\n');
        if self.parameters.is_empty() {
            return page + "\nThe script takes no arguments.\n";
        }
        page += "\nArguments:\n";
        let width = |measure: fn(&Parameter) -> usize| {
            self.parameters
                .iter()
                .map(measure)
                .max()
                .unwrap_or_default()
        };
        let name = width(|parameter| parameter.name.len());
        let kind = width(|parameter| parameter.kind.name().len());
        for parameter in &self.parameters {
            let line = format!(
                "  {:name$}  {:kind$}  {}",
                parameter.name,
                parameter.kind.name(),
                parameter.text
            );
            page += line.trim_end();
            if let Some(default) = &parameter.default {
                page.extend([" [default: ", &shown(default), "]"]);
            }
            page.push('\n');
        }
        page
    }
}

fn shown(default: &Value) -> String {
    match default {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn bad(message: impl Into<String>, file: &str, number: usize, line: &str, at: &str) -> Fault {
    let byte = line.find("@param").map_or(0, |from| {
        line[from..].find(at).map_or(from, |offset| from + offset)
    });
    let byte = if line.contains("@param") {
        byte
    } else {
        line.find(at).unwrap_or(0)
    };
    Fault::new(Exit::Unstarted, "BadHeader", message).at(Place {
        file: file.to_owned(),
        line: number + 1,
        column: line[..byte].chars().count() + 1,
        text: Some(line.to_owned()),
    })
}

/// Message, the word it is about, hint.
type Bad = (String, String, String);

const FORM: &str = "write `//! @param NAME TYPE [= DEFAULT] TEXT`";

fn parameter(declaration: &str) -> Result<Parameter, Bad> {
    let (name, rest) = word(declaration);
    if name.is_empty() {
        return Err((
            "the declaration has no name".to_owned(),
            "@param".to_owned(),
            FORM.to_owned(),
        ));
    }
    let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !well_formed {
        return Err((
            format!("`{name}` cannot be the name of an argument"),
            name.to_owned(),
            "small letters, digits and `_`, a letter first".to_owned(),
        ));
    }
    let (kind, rest) = word(rest);
    let Some((_, found)) = TYPES.iter().find(|(known, _)| *known == kind) else {
        let types = TYPES.map(|(name, _)| name);
        let hint = match words::nearest(kind, types) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the types are {}", words::list(types)),
        };
        let message = if kind.is_empty() {
            format!("`{name}` has no type")
        } else {
            format!("`{kind}` is no type of an argument")
        };
        let at = if kind.is_empty() { name } else { kind };
        return Err((message, at.to_owned(), hint));
    };
    let mut parameter = Parameter {
        name: name.to_owned(),
        kind: *found,
        default: None,
        text: rest.trim().to_owned(),
    };
    if let Some(after) = rest.trim_start().strip_prefix('=') {
        let (default, text) =
            literal(after, *found).ok_or_else(|| bad_default(&parameter, after))?;
        if !arguments::fits(&parameter, &default) {
            return Err(bad_default(&parameter, after));
        }
        parameter.default = Some(default);
        text.trim().clone_into(&mut parameter.text);
    }
    Ok(parameter)
}

fn bad_default(parameter: &Parameter, after: &str) -> Bad {
    let (shown, _) = word(after);
    let hint = match parameter.kind {
        Type::String | Type::File => "a text in quotes: `= \"new\"`",
        Type::Int => "a whole number: `= 50`",
        Type::Float => "a number: `= 0.05`",
        Type::Bool => "`= true` or `= false`",
        Type::Datetime => "`= now`, `= -36h` or `= \"2026-11-20T03:00:00Z\"`",
        Type::Duration => "a text in quotes: `= \"15m\"`",
        Type::List => "an array of texts: `= [\"a\", \"b\"]`",
    };
    let at = if shown.is_empty() { "=" } else { shown };
    (
        format!(
            "the default of `{}` is no {}",
            parameter.name,
            parameter.kind.name()
        ),
        at.to_owned(),
        hint.to_owned(),
    )
}

fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

/// A JSON literal, `now` or `-DURATION`, and what stands behind it.
fn literal(text: &str, kind: Type) -> Option<(Value, &str)> {
    let text = text.trim_start();
    let (first, rest) = word(text);
    let relative = first == "now"
        || (first.starts_with('-') && super::values::Duration::read(first).is_some());
    if kind == Type::Datetime && relative {
        return Some((first.into(), rest));
    }
    // `-15m` as the default of a duration reads as a length too.
    if kind == Type::Duration
        && first.starts_with('-')
        && super::values::Duration::read(first).is_some()
    {
        return Some((first.into(), rest));
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = stream.next()?.ok()?;
    let rest = &text[stream.byte_offset()..];
    // `5x` is no literal with a text behind it.
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some((value, rest))
}
