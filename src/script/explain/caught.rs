//! The engine's own errors as `catch (e)` gets them: a map in its words, from which the error is put together again.

use rhai::{EvalAltResult, Map, Position};

use super::{failure, first_line};
use crate::script::failure::Failure;

/// The value of a `catch` variable, where the engine made it: a map with `error` and `message`.
pub(crate) fn caught(map: &Map) -> Option<Failure> {
    use EvalAltResult as E;
    let text = |name: &str| {
        map.get(name).and_then(|value| {
            value
                .as_immutable_string_ref()
                .ok()
                .map(|text| text.to_string())
        })
    };
    let error = text("error").filter(|error| error.starts_with("Error"))?;
    let message = text("message")?;
    let number = |name: &str| {
        map.get(name)
            .and_then(|value| value.as_int().ok())
            .unwrap_or_default()
    };
    let length = usize::try_from(number("length")).unwrap_or_default();
    let none = Position::NONE;
    // The map is of the innermost error; put together again it is explained as any other.
    let again = match error.as_str() {
        "ErrorInFunctionCall" | "ErrorInModule" => from_text(&message),
        "ErrorFunctionNotFound" => {
            E::ErrorFunctionNotFound(after(&message, "Function not found: "), none)
        }
        "ErrorMismatchDataType" => {
            E::ErrorMismatchDataType(text("requested")?, text("actual")?, none)
        }
        "ErrorMismatchOutputType" => {
            E::ErrorMismatchOutputType(text("requested")?, text("actual")?, none)
        }
        "ErrorArrayBounds" => E::ErrorArrayBounds(length, number("index"), none),
        "ErrorStringBounds" => E::ErrorStringBounds(length, number("index"), none),
        "ErrorBitFieldBounds" => E::ErrorBitFieldBounds(length, number("index"), none),
        "ErrorVariableNotFound" => E::ErrorVariableNotFound(text("variable")?, none),
        "ErrorVariableExists" => E::ErrorVariableExists(text("variable")?, none),
        "ErrorForbiddenVariable" => E::ErrorForbiddenVariable(text("variable")?, none),
        "ErrorPropertyNotFound" => E::ErrorPropertyNotFound(text("variable")?, none),
        "ErrorIndexNotFound" => {
            E::ErrorIndexNotFound(map.get("index").cloned().unwrap_or_default(), none)
        }
        "ErrorDotExpr" => E::ErrorDotExpr(text("property")?, none),
        "ErrorIndexingType" => E::ErrorIndexingType(text("type")?, none),
        "ErrorModuleNotFound" => E::ErrorModuleNotFound(text("module")?, none),
        "ErrorFor" => E::ErrorFor(none),
        "ErrorDataRace" => E::ErrorDataRace(text("variable")?, none),
        "ErrorNonPureMethodCallOnConstant" => {
            E::ErrorNonPureMethodCallOnConstant(text("function")?, none)
        }
        "ErrorAssignmentToConstant" => E::ErrorAssignmentToConstant(text("variable")?, none),
        "ErrorArithmetic" => E::ErrorArithmetic(first_line(&message).to_owned(), none),
        "ErrorUnboundThis" => E::ErrorUnboundThis(none),
        _ => E::ErrorRuntime(message.clone().into(), none),
    };
    let mut failure = failure(&again);
    // So that it stands where it arose when the script throws it again.
    failure.origin = place(&message).or_else(|| {
        let narrow = |name: &str| {
            u16::try_from(number(name))
                .ok()
                .filter(|number| *number > 0)
        };
        let position = Position::new(narrow("line")?, narrow("position")?);
        Some((text("source").unwrap_or_default(), position))
    });
    failure.line = map
        .get("line")
        .and_then(|line| line.as_int().ok())
        .and_then(|line| line.try_into().ok());
    Some(failure)
}

/// `… @ 'lib.rhai' (line 5, position 3)` at the end of the first line, where the error comes out of calls.
fn place(message: &str) -> Option<(String, Position)> {
    message.lines().nth(1)?;
    let line = first_line(message);
    let (before, place) = line.rsplit_once(" (line ")?;
    let (line, column) = place.strip_suffix(')')?.split_once(", position ")?;
    let source = before
        .rsplit_once(" @ '")
        .and_then(|(_, source)| source.strip_suffix('\''));
    let position = Position::new(line.parse().ok()?, column.parse().ok()?);
    Some((source.unwrap_or_default().to_owned(), position))
}

/// An error inside of calls is left to us as text only; its first line is that of the innermost error.
fn from_text(message: &str) -> EvalAltResult {
    use EvalAltResult as E;
    let none = Position::NONE;
    let line = after(message, "");
    let rest = |prefix: &str| line.strip_prefix(prefix).map(str::to_owned);
    if let Some(signature) = rest("Function not found: ") {
        return E::ErrorFunctionNotFound(signature, none);
    }
    if let Some(name) = rest("Variable not found: ") {
        return E::ErrorVariableNotFound(name, none);
    }
    if let Some(name) = rest("Module not found: ") {
        return E::ErrorModuleNotFound(name, none);
    }
    if let Some(text) = rest("Indexer unavailable: ") {
        return E::ErrorIndexingType(text, none);
    }
    if let Some(name) = rest("Cannot modify constant ") {
        return E::ErrorAssignmentToConstant(name, none);
    }
    if line.starts_with("Unknown property") {
        return E::ErrorDotExpr(line, none);
    }
    if line.starts_with("For loop expects") {
        return E::ErrorFor(none);
    }
    if line.starts_with("Data race") {
        return E::ErrorDataRace(String::new(), none);
    }
    for prefix in ["Data type incorrect: ", "Output type incorrect: "] {
        if let Some(types) = rest(prefix) {
            let (given, wanted) = types.split_once(" (expecting ").unwrap_or((&types, ""));
            return E::ErrorMismatchDataType(
                wanted.trim_end_matches(')').to_owned(),
                given.to_owned(),
                none,
            );
        }
        if let Some(wanted) = line.strip_prefix(&prefix.replace(": ", ", expecting ")) {
            return E::ErrorMismatchDataType(wanted.to_owned(), String::new(), none);
        }
    }
    let numbers: Vec<i64> = line
        .split([' ', ':'])
        .filter_map(|word| word.parse().ok())
        .collect();
    let length = || {
        numbers
            .get(1)
            .and_then(|length| usize::try_from(*length).ok())
            .unwrap_or_default()
    };
    if line.starts_with("Array index") && !numbers.is_empty() {
        return E::ErrorArrayBounds(length(), numbers[0], none);
    }
    if line.starts_with("String index") && !numbers.is_empty() {
        return E::ErrorStringBounds(length(), numbers[0], none);
    }
    E::ErrorArithmetic(line, none)
}

fn after(message: &str, prefix: &str) -> String {
    let line = first_line(message);
    let rest = line.strip_prefix(prefix).unwrap_or(line);
    // " @ 'lib' (line 5, position 3)" is about the place.
    let rest = rest.split(" @ '").next().unwrap_or(rest);
    rest.split(" (line ").next().unwrap_or(rest).to_owned()
}
