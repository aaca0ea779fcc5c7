//! The arguments of a run: `name=value` from the command line, against what the header declares.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rhai::{Array, Dynamic};
use serde_json::Value;

use super::convert;
use super::failure::Failure;
use super::header::{Header, Parameter, Type};
use super::values::time::BadTime;
use super::values::{Datetime, Duration};
use super::words;
use crate::error::{Exit, Fault};

/// `args`: every declared name has its value. Read-only, shared by all threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    values: BTreeMap<String, Dynamic>,
    files: Vec<PathBuf>,
}

impl Args {
    pub(crate) fn get(&self, name: &str) -> Result<Dynamic, Failure> {
        self.0
            .values
            .get(name)
            .cloned()
            .ok_or_else(|| unknown(name, self.names()))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values.keys().map(String::as_str)
    }

    /// The paths of `file` arguments: each may be read, nothing else beside it.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.0.files
    }

    /// The resolved values, as a record keeps them: times absolute, paths absolute.
    pub(crate) fn to_json(&self) -> Value {
        let pairs = self.0.values.iter().map(|(name, value)| {
            let value = convert::to_json(value).unwrap_or_default();
            (name.clone(), value)
        });
        Value::Object(pairs.collect())
    }
}

pub(crate) fn unknown<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Failure {
    let failure = Failure::new(
        "UnknownArgument",
        format!("the script has no argument `{name}`"),
    );
    let names: Vec<_> = names.collect();
    match words::nearest(name, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => failure.hint(format!(
            "declare it in the header: `//! @param {name} string …`"
        )),
        None => failure.hint(format!("its arguments are {}", words::list(names))),
    }
}

/// Resolves `name=value` pairs; also what a header without arguments and no pairs gives.
///
/// # Errors
/// Everything that is wrong, at once.
pub(crate) fn resolve(
    header: &Header,
    given: &[(String, String)],
    now: Timestamp,
    caller: &Path,
) -> Result<Args, Vec<Fault>> {
    // "A day ago" to the second: nobody means the nanosecond, and it stands in every message.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut faults = Vec::new();
    for (name, value) in given {
        match header.parameter(name) {
            None => faults.push(unknown(name, header.names()).fault()),
            Some(parameter) => {
                let all = values.entry(name).or_default();
                if all.len() == 1 && parameter.kind != Type::List {
                    faults.push(
                        fault(format!("argument `{name}` is given twice")).hint(format!(
                            "only a list may be repeated; `{name}` is {}",
                            words::article(parameter.kind.name())
                        )),
                    );
                }
                all.push(value);
            }
        }
    }
    let read = |parameter: &Parameter| match values.get(parameter.name.as_str()) {
        Some(texts) if parameter.kind == Type::List => {
            let items = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
            let items: Array = items
                .filter(|item| !item.is_empty())
                .map(Dynamic::from_str_slice)
                .collect();
            Some(Ok(items.into()))
        }
        Some(texts) => texts
            .first()
            .map(|text| from_text(parameter, text, now, caller)),
        None => None,
    };
    gather(header, faults, read, now, caller)
}

fn gather(
    header: &Header,
    mut faults: Vec<Fault>,
    read: impl Fn(&Parameter) -> Option<Result<Dynamic, Fault>>,
    now: Timestamp,
    caller: &Path,
) -> Result<Args, Vec<Fault>> {
    let mut inner = Inner::default();
    for parameter in &header.parameters {
        let value = match (read(parameter), &parameter.default) {
            (Some(value), _) => value,
            (None, Some(default)) => from_json(parameter, default, now, caller),
            (None, None) => Err(
                fault(format!("argument `{}` is missing", parameter.name)).hint(format!(
                    "add `{}=…`: {} ({})",
                    parameter.name,
                    parameter.text,
                    parameter.kind.name()
                )),
            ),
        };
        match value {
            Ok(value) => {
                if parameter.kind == Type::File
                    && let Ok(path) = value.as_immutable_string_ref()
                {
                    inner.files.push(PathBuf::from(path.as_str()));
                }
                inner.values.insert(parameter.name.clone(), value);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(Args(Arc::new(inner)))
    } else {
        Err(faults)
    }
}

fn fault(message: impl Into<String>) -> Fault {
    Fault::new(Exit::Unstarted, "BadArgument", message)
}

fn malformed(parameter: &Parameter, text: &str) -> Fault {
    fault(format!(
        "argument `{}`: `{text}` is no {}",
        parameter.name,
        parameter.kind.name()
    ))
}

fn from_text(
    parameter: &Parameter,
    text: &str,
    now: Timestamp,
    caller: &Path,
) -> Result<Dynamic, Fault> {
    match parameter.kind {
        Type::String => Ok(text.into()),
        Type::Int => text
            .trim()
            .parse::<i64>()
            .map(Dynamic::from)
            .map_err(|_| malformed(parameter, text).hint("a whole number such as `50`")),
        Type::Float => text
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Dynamic::from)
            .ok_or_else(|| malformed(parameter, text).hint("a number such as `0.05`")),
        Type::Bool => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Ok(true.into()),
            "false" | "no" => Ok(false.into()),
            _ => Err(malformed(parameter, text).hint("`true` or `false` (`yes` and `no` will do)")),
        },
        Type::Datetime => instant(text, now).map(Dynamic::from).map_err(|bad| {
            let fault = malformed(parameter, text);
            match bad {
                BadTime::NoOffset => fault.hint(format!("say in which zone: `{}` is UTC, `+01:00` in place of `Z` is an hour ahead of it", with_offset(text))),
                BadTime::Unreadable => fault.hint("`2026-11-20T03:00:00Z`, `now`, or a time ago: `-36h`, `-2d`"),
            }
        }),
        Type::Duration => Duration::read(text)
            .map(Dynamic::from)
            .ok_or_else(|| malformed(parameter, text).hint("`90s`, `15m`, `36h`, `2d`, `1w`, `1d12h` or `PT36H`")),
        Type::List => Ok(text.split(',').map(|item| Dynamic::from_str_slice(item.trim())).collect::<Array>().into()),
        Type::File => {
            let path = caller.join(text);
            let full = path.canonicalize().map_err(|error| {
                fault(format!("argument `{}`: `{text}` cannot be read: {}", parameter.name, plain(&error)))
            })?;
            if !full.is_file() {
                return Err(fault(format!("argument `{}`: `{text}` is no file", parameter.name)));
            }
            Ok(full.to_string_lossy().into_owned().into())
        }
    }
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "no permission".to_owned(),
        _ => error.to_string(),
    }
}

/// `now`, `-36h`, or an instant with its offset.
fn instant(text: &str, now: Timestamp) -> Result<Datetime, BadTime> {
    let text = text.trim();
    if text == "now" {
        return Ok(Datetime(now));
    }
    if text.starts_with(['-', '+'])
        && let Some(length) = Duration::read(text)
    {
        return Datetime(now).plus(length).ok_or(BadTime::Unreadable);
    }
    Datetime::read(text)
}

fn with_offset(text: &str) -> String {
    let text = text.trim().replace(' ', "T");
    if text.contains('T') {
        format!("{text}Z")
    } else {
        format!("{text}T00:00:00Z")
    }
}

fn from_json(
    parameter: &Parameter,
    value: &Value,
    now: Timestamp,
    caller: &Path,
) -> Result<Dynamic, Fault> {
    match (parameter.kind, value) {
        (Type::Int, Value::Number(number)) => number
            .as_i64()
            .map(Dynamic::from)
            .ok_or_else(|| malformed(parameter, &value.to_string())),
        (Type::Float, Value::Number(number)) => Ok(number.as_f64().unwrap_or_default().into()),
        (Type::Bool, Value::Bool(flag)) => Ok((*flag).into()),
        (Type::List, Value::Array(items)) => {
            let items = items.iter().map(|item| match item {
                Value::String(text) => Ok(Dynamic::from_str_slice(text)),
                Value::Number(number) => Ok(number.to_string().into()),
                _ => Err(malformed(parameter, &value.to_string()).hint("a list holds texts")),
            });
            items.collect::<Result<Array, _>>().map(Dynamic::from)
        }
        // Where no JSON form exists the text is read as on the command line.
        (
            Type::String | Type::Datetime | Type::Duration | Type::File | Type::List,
            Value::String(text),
        ) => from_text(parameter, text, now, caller),
        _ => Err(malformed(parameter, &value.to_string())),
    }
}

trait Text {
    fn from_str_slice(text: &str) -> Self;
}

impl Text for Dynamic {
    fn from_str_slice(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// Whether a default of the header fits its type: checked when the header is read.
pub(crate) fn fits(parameter: &Parameter, default: &Value) -> bool {
    // A file need not exist while the header is read.
    if parameter.kind == Type::File {
        return default.is_string();
    }
    from_json(parameter, default, Timestamp::UNIX_EPOCH, Path::new("/")).is_ok()
}
