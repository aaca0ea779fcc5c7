//! The engine's errors in our words: no type names of Rust, the nearest name on a typo, a hint where there is one.

mod caught;
mod functions;

use rhai::{Dynamic, EvalAltResult};

pub(crate) use caught::caught;
pub(crate) use functions::{closure_arity, nearest, unknown_function};

use crate::script::failure::Failure;
use crate::script::library::shelves;
use crate::script::words;

/// An error of the engine as a script would catch it. The innermost error of a call chain.
pub(crate) fn failure(error: &EvalAltResult) -> Failure {
    use EvalAltResult as E;
    let error = error.unwrap_inner();
    let mut failure = match error {
        E::ErrorRuntime(value, _) => return thrown(value),
        E::ErrorTerminated(..) => return Failure::stopped(),
        E::ErrorFunctionNotFound(signature, _) => functions::no_function(signature),
        E::ErrorMismatchDataType(wanted, given, _)
        | E::ErrorMismatchOutputType(wanted, given, _) => wrong_type(wanted, given),
        E::ErrorArrayBounds(len, index, _) => Failure::new(
            "OutOfBounds",
            format!(
                "the array has {}, there is no [{index}]",
                count(*len, "element")
            ),
        ),
        E::ErrorStringBounds(len, index, _) => Failure::new(
            "OutOfBounds",
            format!(
                "the text has {}, there is no [{index}]",
                count(*len, "character")
            ),
        ),
        E::ErrorBitFieldBounds(_, index, _) => Failure::new(
            "OutOfBounds",
            format!("a whole number has 64 bits, there is no [{index}]"),
        ),
        E::ErrorVariableNotFound(name, _) => {
            Failure::new("NoSuchVariable", format!("there is no variable `{name}`"))
        }
        E::ErrorVariableExists(name, _) => {
            Failure::new("NameTaken", format!("the variable `{name}` exists already"))
        }
        E::ErrorForbiddenVariable(name, _) => Failure::new(
            "NameTaken",
            format!("`{name}` cannot be the name of a variable"),
        ),
        E::ErrorPropertyNotFound(name, _) => {
            Failure::new("NoSuchProperty", format!("there is no property `{name}`"))
        }
        E::ErrorIndexNotFound(index, _) => Failure::new(
            "NoSuchProperty",
            format!("there is no [{}]", crate::script::convert::show(index)),
        ),
        E::ErrorDotExpr(text, _) => dot(text),
        E::ErrorIndexingType(text, _) => indexing(text),
        E::ErrorModuleNotFound(name, _) => no_module(name),
        E::ErrorFor(_) => Failure::new(
            "NotAList",
            "`for` needs an array, a list, a stream, a range, a text or a map's `keys()`",
        ),
        E::ErrorDataRace(..) => Failure::new(
            "InUse",
            "a value is used inside a closure while one of its own functions is running",
        )
        .hint("take a copy before: `let copy = …;` and use the copy inside the closure"),
        E::ErrorNonPureMethodCallOnConstant(name, _) => constant_method(name),
        E::ErrorAssignmentToConstant(name, _) => assignment(name),
        E::ErrorArithmetic(text, _) => Failure::new("Arithmetic", arithmetic(text)),
        E::ErrorUnboundThis(_) => Failure::new("NoThis", "there is no `this` here"),
        E::ErrorStackOverflow(_) => Failure::new("TooDeep", "functions call each other too deeply")
            .hint("does a function call itself without an end?"),
        E::ErrorTooManyOperations(_)
        | E::ErrorTooManyVariables(_)
        | E::ErrorTooManyModules(_)
        | E::ErrorDataTooLarge(..) => Failure::new("TooMuch", lower(&plain(error))),
        E::ErrorParsing(kind, _) => crate::script::source::syntax(kind),
        E::ErrorSystem(..) => Failure::new("Bug", plain(error)).exit(crate::Exit::Bug),
        _ => Failure::new("ScriptError", lower(&plain(error))),
    };
    failure.line = error.position().line();
    failure
}

/// What a script threw, or a host function.
fn thrown(value: &Dynamic) -> Failure {
    if let Some(failure) = value.read_lock::<Failure>() {
        return failure.clone();
    }
    if let Ok(map) = value.as_map_ref() {
        let text = |name: &str| {
            map.get(name).and_then(|value| {
                value
                    .as_immutable_string_ref()
                    .ok()
                    .map(|text| text.to_string())
            })
        };
        let mut failure = Failure::new(
            text("code").unwrap_or_default(),
            text("message").unwrap_or_else(|| crate::script::convert::show(value)),
        );
        failure.hint = text("hint");
        failure.request_id = text("request_id");
        failure.status = map
            .get("status")
            .and_then(|value| value.as_int().ok())
            .and_then(|status| status.try_into().ok());
        return failure;
    }
    if value.is_unit() {
        return Failure::new("", "the script threw nothing");
    }
    Failure::new("", crate::script::convert::show(value))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The engine's own text without its place.
fn plain(error: &EvalAltResult) -> String {
    let text = error.to_string();
    let text = first_line(&text);
    text.split(" (line ").next().unwrap_or(text).to_owned()
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

fn count(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

fn arithmetic(text: &str) -> String {
    if text.is_empty() {
        return "the calculation has no result".to_owned();
    }
    if let Some(rest) = text.strip_prefix("Division by zero: ") {
        return format!("division by zero: {rest}");
    }
    lower(text)
}

fn wrong_type(wanted: &str, given: &str) -> Failure {
    let article = |name: &str| words::article(words::type_words(name));
    match (wanted, given) {
        ("" | "?", given) => Failure::new(
            "WrongType",
            format!("{} cannot be used here", article(given)),
        ),
        (wanted, "") => Failure::new("WrongType", format!("this must be {}", article(wanted))),
        (wanted, given) => Failure::new(
            "WrongType",
            format!(
                "this must be {}, and is {}",
                article(wanted),
                article(given)
            ),
        ),
    }
}

pub(crate) fn assignment(name: &str) -> Failure {
    let failure = Failure::new("ReadOnly", format!("`{name}` cannot be assigned to"));
    match name {
        "args" => failure.hint("arguments stay as they were given; keep the value in a variable of its own: `let x = args.…;`"),
        "" => Failure::new("ReadOnly", "a constant cannot be assigned to"),
        _ => failure,
    }
}

fn constant_method(name: &str) -> Failure {
    if let Some(property) = name.strip_prefix("set$") {
        return Failure::new(
            "ReadOnly",
            format!("`.{property}` of a constant cannot be assigned to"),
        );
    }
    if name.starts_with("index$") {
        return Failure::new("ReadOnly", "a constant cannot be assigned to");
    }
    Failure::new(
        "ReadOnly",
        format!("`{name}` changes its value, and this is a constant"),
    )
}

/// "Unknown property 'x' - a getter is not registered for type 'y'".
fn dot(text: &str) -> Failure {
    let mut quoted = text.split('\'').skip(1).step_by(2);
    let (Some(property), Some(of)) = (quoted.next(), quoted.next()) else {
        return Failure::new("NoSuchProperty", lower(text));
    };
    let of = words::type_words(of);
    if text.contains("setter") {
        return read_only(of, &format!("`.{property}` of "));
    }
    let failure = Failure::new(
        "NoSuchProperty",
        format!("{} has no property `{property}`", words::article(of)),
    );
    if property_is_a_function(property) {
        return failure.hint(format!("`{property}` is a function: write `.{property}()`"));
    }
    match of {
        "`()`" => Failure::new(
            "NoSuchProperty",
            format!("`()` has no property `{property}`: the value before the dot is absent"),
        )
        .hint(format!("`?.{property}` gives `()` instead of an error")),
        "stream" => failure.hint("a stream is read by `for`, or made an array by `.collect()`"),
        _ => failure,
    }
}

fn read_only(of: &str, part: &str) -> Failure {
    let failure = Failure::new(
        "ReadOnly",
        format!("{part}{} cannot be assigned to", words::article(of)),
    );
    match of {
        "Graph object" => failure
            .hint("it shows what Graph has; `.raw` is a map of your own, to be changed at will"),
        "list" => Failure::new(
            "ReadOnly",
            "this list belongs to a Graph object and is read-only",
        )
        .hint("`.collect()` makes an array of your own: `let items = object.list.collect();`"),
        "the arguments" => {
            failure.hint("keep the value in a variable of its own: `let x = args.…;`")
        }
        _ => failure,
    }
}

fn property_is_a_function(name: &str) -> bool {
    shelves().global(name).any(|entry| entry.arity == 1)
}

/// "array [string]" or "array [string] = i64".
fn indexing(text: &str) -> Failure {
    let (of, index) = text.split_once(" [").unwrap_or((text, ""));
    if index.contains("] = ") {
        return read_only(words::type_words(of), "");
    }
    let index = index.split(']').next().unwrap_or_default();
    let of = words::article(words::type_words(of));
    if of == "a stream" {
        return Failure::new("WrongType", "a stream has no [index]")
            .hint("`.first(n)` or `.collect()` make an array of it");
    }
    Failure::new(
        "WrongType",
        format!(
            "{of} cannot be indexed by {}",
            words::article(words::type_words(index))
        ),
    )
}

fn no_module(name: &str) -> Failure {
    let failure = Failure::new("NoSuchModule", format!("there is no namespace `{name}`"));
    let names = shelves().namespaces.keys().copied();
    match words::nearest(name, names) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("an imported file needs its line: `import \"name\" as name;`"),
    }
}
