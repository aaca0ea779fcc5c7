//! Values that stand in the script itself and that the function they are given to never takes: `"nwe"` for a destination, a text for
//! an instant, an option that nothing has.

use rhai::{Expr, FnCallExpr, Position};

use crate::script::api::graph::path;
use crate::script::api::times;
use crate::script::failure::Failure;
use crate::script::library::{Entry, shelves};
use crate::script::words;

/// Words that an argument or option of this name may be, whichever function has it.
const CHOICES: [(&str, &[&str]); 5] = [
    ("destination", &["new", "inPlace"]),
    ("prefer", &["latest", "oldest"]),
    ("tags", &["fastRestore"]),
    ("version", &["v1.0", "beta"]),
    ("kinds", &["all", "users"]),
];

/// The kind of an option of this name, in the words of signatures.
const KINDS: [(&str, &str); 8] = [
    ("after", "datetime"),
    ("before", "datetime"),
    ("limit", "whole number"),
    ("top", "whole number"),
    ("session_size", "whole number"),
    ("transitive", "true or false"),
    ("ok", "true or false"),
    ("retry_unknown", "true or false"),
];

/// What is wrong with the literal values in a call of one of the host's functions.
pub(super) fn judge(call: &FnCallExpr, method: bool) -> Vec<(Position, Failure)> {
    let namespace = match call.namespace.path.as_slice() {
        [] => "",
        [one] => one.name.as_str(),
        _ => return Vec::new(),
    };
    let arity = call.args.len() + usize::from(method);
    let overloads: Vec<_> = shelves()
        .entries
        .iter()
        .filter(|entry| entry.name == call.name && entry.namespace == namespace)
        .collect();
    // What a method is called on is not known; and functions of Rhai itself take what they take.
    let is_ours = !overloads.is_empty()
        && (!namespace.is_empty() || call.name == "sleep" || !super::is_standard_name(&call.name));
    let is_known = method == overloads.iter().all(|entry| entry.receiver.is_some());
    if !is_ours || !is_known {
        return Vec::new();
    }
    let fitting: Vec<_> = overloads
        .iter()
        .copied()
        .filter(|entry| entry.arity == arity)
        .collect();
    let mut found = Vec::new();
    for (index, arg) in call.args.iter().enumerate() {
        let params: Vec<_> = fitting
            .iter()
            .filter_map(|entry| entry.params.get(index))
            .map(|param| Param::read(param))
            .collect();
        if params.is_empty() {
            continue;
        }
        if let Expr::Map(map, _) = arg
            && may_be_options(&overloads, &params)
        {
            // `points_before(items, #{…})` stands in no signature of its own: options may follow whatever is left out.
            if method || index + 1 < call.args.len() {
                continue;
            }
            let keys = map
                .0
                .iter()
                .map(|(key, value)| (key.name.as_str(), key.pos, value));
            options(&overloads, keys, &mut found);
        } else if let Some(failure) = argument(call, &params, arg) {
            found.push((arg.start_position(), failure));
        }
    }
    if let Some(Expr::StringConstant(text, position)) = call.args.first() {
        let wrong = match (namespace, call.name.as_str(), arity) {
            ("", "datetime", 1) => times::datetime(text).err(),
            ("", "duration", 1) => times::duration(text).err(),
            ("graph", ..) => path::checked(text).err(),
            _ => None,
        };
        found.extend(wrong.map(|failure| (*position, failure)));
    }
    found
}

fn may_be_options(overloads: &[&Entry], params: &[Param]) -> bool {
    let mut all = overloads.iter().flat_map(|entry| &entry.params);
    params.iter().all(|param| param.is_options)
        || (params.iter().all(|param| !takes(param.kind, "map"))
            && all.any(|param| Param::read(param).is_options))
}

/// `name: type` of a signature.
struct Param<'e> {
    name: &'e str,
    kind: &'e str,
    is_options: bool,
}

impl<'e> Param<'e> {
    fn read(text: &'e str) -> Self {
        let (name, kind) = text.split_once(": ").unwrap_or((text, ""));
        Self {
            name,
            kind,
            is_options: text.starts_with("#{") || (name == "options" && kind == "map"),
        }
    }
}

/// What a literal is, in the words of signatures; of anything else nobody knows.
fn kind_of(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::StringConstant(..) | Expr::InterpolatedString(..) => Some("text"),
        Expr::IntegerConstant(..) => Some("whole number"),
        Expr::FloatConstant(..) => Some("number"),
        Expr::BoolConstant(..) => Some("true or false"),
        Expr::Map(..) => Some("map"),
        Expr::Array(..) => Some("array"),
        _ => None,
    }
}

/// May a literal of this kind be given where a signature says `wanted`? Words that are not known here take everything.
fn takes(wanted: &str, given: &str) -> bool {
    match wanted {
        "text" | "datetime" | "duration" | "whole number" | "true or false" | "map" => {
            wanted == given
        }
        "list" => matches!(given, "array" | "map"),
        "array of text" => given == "array",
        _ => true,
    }
}

fn argument(call: &FnCallExpr, params: &[Param], arg: &Expr) -> Option<Failure> {
    let given = kind_of(arg)?;
    let first = params.first()?;
    if let Some(failure) = choice(first.name, arg, &format!("the {} is", first.name)) {
        return Some(failure);
    }
    if params.iter().any(|param| takes(param.kind, given)) {
        return None;
    }
    let name = match call.namespace.path.first() {
        Some(namespace) => format!("{}::{}", namespace.name, call.name),
        None => call.name.to_string(),
    };
    let failure = Failure::new(
        "WrongType",
        format!(
            "`{}` of `{name}` must be {}, and this is {}",
            first.name,
            words::article(first.kind),
            words::article(given)
        ),
    );
    Some(with_way_out(failure, first.kind, arg))
}

fn with_way_out(failure: Failure, wanted: &str, given: &Expr) -> Failure {
    match (wanted, given) {
        ("datetime", Expr::StringConstant(text, _)) => match times::datetime(text) {
            Ok(_) => failure.hint(format!("write `datetime(\"{text}\")`")),
            Err(_) => failure.hint("write `datetime(\"2026-11-20T03:00:00Z\")`"),
        },
        ("duration", Expr::StringConstant(text, _)) => match times::duration(text) {
            Ok(_) => failure.hint(format!("write `duration(\"{text}\")`")),
            Err(_) => failure.hint("write `duration(\"36h\")`"),
        },
        ("duration", Expr::IntegerConstant(number, _)) => {
            failure.hint(format!("write `duration(\"{number}s\")` for seconds"))
        }
        ("whole number", Expr::StringConstant(text, _)) if text.parse::<i64>().is_ok() => {
            failure.hint(format!("write `{text}`, without quotes"))
        }
        ("text", Expr::IntegerConstant(number, _)) => failure.hint(format!("write `\"{number}\"`")),
        ("true or false", Expr::StringConstant(text, _)) if *text == "true" || *text == "false" => {
            failure.hint(format!("write `{text}`, without quotes"))
        }
        _ => failure,
    }
}

/// A word out of a fixed few.
fn choice(name: &str, value: &Expr, what: &str) -> Option<Failure> {
    let (_, choices) = CHOICES.iter().find(|(known, _)| *known == name)?;
    let Expr::StringConstant(text, _) = value else {
        return None;
    };
    if choices.contains(&text.as_str()) {
        return None;
    }
    let failure = Failure::new(
        "BadOption",
        format!("{what} {}, not `{text}`", alternatives(choices)),
    );
    Some(match words::nearest(text, choices.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure,
    })
}

fn alternatives(choices: &[&str]) -> String {
    let quoted: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    quoted.join(" or ")
}

/// The keys of an option map, and those of their values that stand there.
fn options<'m>(
    overloads: &[&Entry],
    given: impl Iterator<Item = (&'m str, Position, &'m Expr)>,
    found: &mut Vec<(Position, Failure)>,
) {
    let Some(known) = known_options(overloads) else {
        return;
    };
    for (key, position, value) in given {
        if !known.iter().any(|known| known == key) {
            found.push((
                position,
                crate::script::options::unknown(key, known.iter().map(String::as_str)),
            ));
            continue;
        }
        if let Some(failure) = choice(key, value, &format!("option `{key}` is")) {
            found.push((value.start_position(), failure));
            continue;
        }
        let wanted = KINDS.iter().find(|(name, _)| *name == key);
        if let (Some((_, wanted)), Some(given)) = (wanted, kind_of(value))
            && !takes(wanted, given)
        {
            let failure = Failure::new(
                "BadOption",
                format!(
                    "option `{key}` must be {}; this is {}",
                    words::article(wanted),
                    words::article(given)
                ),
            );
            found.push((value.start_position(), with_way_out(failure, wanted, value)));
        }
    }
}

/// The options that a function's help names; `None` where it names none.
fn known_options(overloads: &[&Entry]) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for entry in overloads {
        names.extend(entry.help().option_names().into_iter().map(str::to_owned));
    }
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then_some(names)
}
