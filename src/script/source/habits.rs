//! Habits from other languages, above all from PowerShell: what was written, and how it is written here.

use super::pieces::Kind;
use super::syntax::{Around, Complaint};
use crate::script::failure::Failure;
use crate::script::library::shelves;

/// What its author is used to, where the text round the place shows it.
pub(crate) fn at(around: &Around) -> Option<Complaint> {
    cmdlet(around)
        .or_else(|| beginning(around))
        .or_else(|| operator(around))
        .or_else(|| symbol(around))
        .or_else(|| word(around))
}

fn told(
    around: &Around,
    offset: isize,
    message: String,
    hint: impl Into<String>,
) -> Option<Complaint> {
    Some(Complaint {
        at: around.piece(offset)?.start,
        failure: Failure::new("SyntaxError", message).hint(hint),
        wants_end: false,
    })
}

const VERBS: [&str; 30] = [
    "Add",
    "Clear",
    "Connect",
    "ConvertFrom",
    "ConvertTo",
    "Disconnect",
    "Export",
    "ForEach",
    "Foreach",
    "Format",
    "Get",
    "Import",
    "Invoke",
    "Join",
    "Measure",
    "New",
    "Out",
    "Read",
    "Remove",
    "Select",
    "Set",
    "Sort",
    "Split",
    "Start",
    "Stop",
    "Test",
    "Update",
    "Wait",
    "Where",
    "Write",
];

/// `Write-Host "x"`: a verb, a dash, a noun.
fn cmdlet(around: &Around) -> Option<Complaint> {
    // The complaint is about the verb, or about what stands behind the whole.
    let verb = [0, -2, -3, around.line()].into_iter().find(|offset| {
        VERBS.contains(&around.word(*offset))
            && around.word(offset + 1) == "-"
            && around.touch(*offset, offset + 1)
            && around.touch(offset + 1, offset + 2)
            && around
                .word(offset + 2)
                .starts_with(|letter: char| letter.is_ascii_uppercase())
    })?;
    let name = format!("{}-{}", around.word(verb), around.word(verb + 2));
    let hint = match name.as_str() {
        "Write-Host" | "Write-Output" => "write `print(\"…\");`".to_owned(),
        "Write-Error" | "Write-Warning" | "Write-Verbose" => {
            "write `log::warn(\"…\");` or `log::error(\"…\");`".to_owned()
        }
        "Read-Host" => {
            "a runbook is given its values as arguments: `//! @param NAME string …`".to_owned()
        }
        "Import-Csv" => "write `csv::read(path)`".to_owned(),
        "Export-Csv" => "write `csv::write(path, rows)`".to_owned(),
        "Start-Sleep" => "write `sleep(duration(\"5s\"))`".to_owned(),
        "Get-Date" => "write `now()`".to_owned(),
        "Format-Table" => "write `table(rows, [\"name\", \"status\"])`".to_owned(),
        "ForEach-Object" | "Foreach-Object" => {
            "write `for x in list { … }` or `list.map(|x| …)`".to_owned()
        }
        "Where-Object" => "write `list.filter(|x| …)`".to_owned(),
        _ if name.contains("-Mg") => format!("`runback doc {name}` says what does the same here"),
        _ => "functions are called as `name(a, b)`; `runback doc` lists them".to_owned(),
    };
    told(
        around,
        verb,
        format!("`{name}` is a command of PowerShell"),
        hint,
    )
}

/// Words that a statement begins with elsewhere.
fn beginning(around: &Around) -> Option<Complaint> {
    let first = around.line();
    let name = around.word(first);
    let next = around.word(first + 1);
    let is_name = around.kind(first + 1) == Some(Kind::Word);
    let hint = match name.to_ascii_lowercase().as_str() {
        "foreach" if next == "(" || is_name => "write `for x in list { … }`".to_owned(),
        "function" | "def" | "func" | "sub" if is_name => {
            format!("write `fn {next}(a, b) {{ … }}`")
        }
        "var" | "my" | "local" | "dim" | "set" if is_name => format!("write `let {next} = …;`"),
        "param" if next == "(" => {
            "arguments are declared in the header: `//! @param name string what it is`".to_owned()
        }
        "elseif" | "elif" | "elsif" => "write `else if`".to_owned(),
        "echo" | "puts" if !next.starts_with(['=', '.']) => "write `print(\"…\");`".to_owned(),
        "print" if next != "(" => "write `print(\"…\");`".to_owned(),
        "require" | "include" | "using" if !next.starts_with(['=', '.', '(']) => {
            "write `import \"name\" as name;`".to_owned()
        }
        "from" | "use" if is_name => "write `import \"name\" as name;`".to_owned(),
        _ => return None,
    };
    let message = match name {
        "print" => "`print` is a function and needs brackets".to_owned(),
        _ => format!("`{name}` is no word of the language"),
    };
    told(around, first, message, hint)
}

/// `-eq` and its like, `and`, `or`, `not`.
fn operator(around: &Around) -> Option<Complaint> {
    let (at, name) = if around.word(-1) == "-" && around.touch(-1, 0) {
        (-1, around.word(0))
    } else if around.word(0) == "-" && around.touch(0, 1) {
        (0, around.word(1))
    } else if around.word(-2) == "-" && around.touch(-2, -1) {
        (-2, around.word(-1))
    } else {
        // The complaint is about the word, or about what stands behind it.
        return [0, -1].into_iter().find_map(|offset| {
            let hint = match around.word(offset) {
                "and" | "AND" => "write `&&`",
                "or" | "OR" => "write `||`",
                "not" | "NOT" => "write `!`",
                _ => return None,
            };
            let message = format!("`{}` is no word of the language", around.word(offset));
            told(around, offset, message, hint)
        });
    };
    let hint = match name.to_ascii_lowercase().as_str() {
        "eq" | "ceq" | "ieq" => "write `==`",
        "ne" | "cne" => "write `!=`",
        "gt" => "write `>`",
        "ge" => "write `>=`",
        "lt" => "write `<`",
        "le" => "write `<=`",
        "and" => "write `&&`",
        "or" => "write `||`",
        "not" => "write `!`",
        "like" | "match" | "notlike" | "notmatch" => {
            "write `text.contains(\"…\")`, `text.starts_with(\"…\")` or `text.ends_with(\"…\")`"
        }
        "contains" | "in" | "notin" | "notcontains" => "write `x in list`",
        "replace" => "write `text.replace(\"a\", \"b\")`",
        "join" => "write `list.join(\", \")`",
        "split" => "write `text.split(\",\")`",
        _ => return None,
    };
    told(
        around,
        at,
        format!("`-{name}` is an operator of PowerShell"),
        hint,
    )
}

fn symbol(around: &Around) -> Option<Complaint> {
    let (here, next) = (around.word(0), around.word(1));
    let message = |text: &str| format!("`{text}` is no symbol of the language");
    match here {
        "$" if around.kind(1) == Some(Kind::Word) => told(
            around,
            0,
            format!("`${next}` is PowerShell's way to write a variable"),
            format!("write `{next}`; a variable begins with `let {next} = …;`"),
        ),
        "$" if next == "(" => told(
            around,
            0,
            message("$("),
            "between backticks a value is written `${…}`",
        ),
        "@" if next == "{" => told(
            around,
            0,
            message("@{"),
            "a map is written `#{name: value, other: 2}`",
        ),
        "@" if next == "(" => told(around, 0, message("@("), "an array is written `[1, 2, 3]`"),
        "#" => told(
            around,
            0,
            message("#"),
            "a comment begins with `//`; a map with `#{`",
        ),
        "+" if next == "+" => told(around, 0, message("++"), "write `+= 1`"),
        "-" if next == "-" && around.touch(0, 1) => told(around, 0, message("--"), "write `-= 1`"),
        "=" if next == "=" && around.word(2) == "=" => {
            told(around, 0, message("==="), "write `==`")
        }
        "!" if next == "=" && around.word(2) == "=" => {
            told(around, 0, message("!=="), "write `!=`")
        }
        "<" if next == ">" => told(around, 0, message("<>"), "write `!=`"),
        ":" if next == "=" && around.touch(0, 1) => {
            let name = around.word(-1);
            told(around, 0, message(":="), format!("write `let {name} = …;`"))
        }
        "=" if next == "=" && around.word(-2) == "let" => {
            let name = around.word(-1);
            told(
                around,
                0,
                "`==` compares; a variable is given its value by `=`".to_owned(),
                format!("write `let {name} = …;`"),
            )
        }
        "|" | "%" | "?" if is_pipeline(around, 0) => pipeline(around, 0),
        _ if around.word(-1) == "|" && is_pipeline(around, -1) => pipeline(around, -1),
        _ => None,
    }
}

/// `list | print`, `list | ? { … }`.
fn is_pipeline(around: &Around, offset: isize) -> bool {
    around.word(offset) == "|"
        && !around.touch(offset, offset + 1)
        && around.word(offset - 1) != "|"
        && matches!(
            around.word(offset + 1),
            "print" | "table" | "%" | "?" | "sort" | "select" | "where" | "foreach" | "ft"
        )
}

fn pipeline(around: &Around, offset: isize) -> Option<Complaint> {
    told(
        around,
        offset,
        "there are no pipelines".to_owned(),
        "functions are called on the list: `list.filter(|x| …).map(|x| …)`, `table(list)`",
    )
}

/// Words for what has another name here.
fn word(around: &Around) -> Option<Complaint> {
    let is_else = |offset: isize| matches!(around.word(offset), "elseif" | "elif" | "elsif");
    if let Some(offset) = [0, -1].into_iter().find(|offset| is_else(*offset)) {
        let message = format!("`{}` is no word of the language", around.word(offset));
        return told(around, offset, message, "write `else if`");
    }
    let here = around.word(0);
    let (message, hint) = match here {
        "null" | "nil" | "None" | "undefined" | "NULL" => {
            (format!("there is no `{here}`"), "the absent value is `()`".to_owned())
        }
        "then" => (
            "`then` is no word of the language".to_owned(),
            "write `if x { … } else { … }`".to_owned(),
        ),
        "case" | "match" => (
            format!("`{here}` is no word of the language"),
            "write `switch x { 1 => …, \"a\" => …, _ => … }`".to_owned(),
        ),
        "new" if around.kind(1) == Some(Kind::Word) => (
            "nothing is made by `new`".to_owned(),
            "objects come from functions (`exchange::create_session()`), maps are written `#{name: value}`".to_owned(),
        ),
        "await" | "async" => (
            format!("`{here}` is no word of the language"),
            "every function returns when it is done; `parallel(list, 8, |x| …)` does several things at once".to_owned(),
        ),
        "in" if around.word(-2) == "(" && around.word(-3) == "for" => (
            "`for` needs no brackets".to_owned(),
            format!("write `for {} in list {{ … }}`", around.word(-1)),
        ),
        "{" if around.word(-1) == "catch" => return None,
        _ if around.word(-1) == "catch" => (
            "the variable of `catch` stands in brackets".to_owned(),
            format!("write `catch ({here}) {{ … }}`"),
        ),
        _ => {
            return map_without_mark(around)
                .or_else(|| assignment_without_let(around))
                .or_else(|| dot_for_colons(around))
                .or_else(|| unit_without_quotes(around));
        }
    };
    told(around, 0, message, hint)
}

/// `users.list()` where `users::list()` is meant.
fn dot_for_colons(around: &Around) -> Option<Complaint> {
    let (name, function) = (around.word(0), around.word(2));
    let is_namespace =
        shelves().is_namespace(name) && around.word(-1) != "." && around.word(1) == ".";
    is_namespace.then(|| {
        told(
            around,
            0,
            format!("`{name}` is a namespace, and its functions are called with `::`"),
            format!("write `{name}::{function}(…)`"),
        )
    })?
}

/// `36h`.
fn unit_without_quotes(around: &Around) -> Option<Complaint> {
    let here = around.word(0);
    let digits = here.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let is_length =
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && digits != here;
    let is_time = is_length && matches!(&here[digits.len()..], "ms" | "s" | "m" | "h" | "d" | "w");
    is_time.then(|| {
        told(
            around,
            0,
            format!("`{here}` is no number"),
            format!("a length of time is written `duration(\"{here}\")`"),
        )
    })?
}

/// `{ a: 1 }` where `#{a: 1}` is meant.
fn map_without_mark(around: &Around) -> Option<Complaint> {
    let is_key = matches!(around.kind(0), Some(Kind::Word | Kind::Text))
        && around.word(1) == ":"
        && around.word(2) != ":";
    let (open, key) = if around.word(0) == ":" && around.word(-2) == "{" && around.word(1) != ":" {
        (-2, around.word(-1))
    } else if is_key && around.word(-1) == "{" {
        (-1, around.word(0))
    } else {
        return None;
    };
    told(
        around,
        open,
        "a map begins with `#{`".to_owned(),
        format!("write `#{{{key}: …}}`"),
    )
}

/// `x := 5`.
fn assignment_without_let(around: &Around) -> Option<Complaint> {
    let is_pascal = around.kind(0) == Some(Kind::Word)
        && around.word(1) == ":"
        && around.word(2) == "="
        && around.touch(1, 2);
    let name = around.word(0);
    is_pascal.then(|| {
        told(
            around,
            1,
            "`:=` is no symbol of the language".to_owned(),
            format!("write `let {name} = …;`"),
        )
    })?
}
