//! Option maps: what a function's help lists is what its code takes, and `check` knows the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::{Bench, Done};

/// No function has an option of this name, or of one like it.
const NOTHING: &str = "zzzzzzzz";

/// One overload that takes options, and how a script calls it with the map in `options`.
struct Taking {
    name: String,
    call: String,
    is_method: bool,
}

/// The functions that the manual knows, with the options that the help of each lists.
struct Manual {
    listed: BTreeMap<String, BTreeSet<String>>,
    taking: Vec<Taking>,
}

impl Manual {
    fn read() -> Self {
        let done = Bench::new().runback(&["doc", "--format", "json"]).expect(0);
        let pages: Value = serde_json::from_str(&done.stdout).unwrap();
        let (mut listed, mut taking) = (BTreeMap::new(), Vec::new());
        for page in pages.as_array().unwrap() {
            if page["kind"] != "function" {
                continue;
            }
            let name = page["name"].as_str().unwrap();
            let options = page["options"].as_str().unwrap_or_default();
            let own: Vec<Taking> = page["signatures"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|signature| calls(name, signature.as_str().unwrap()))
                .collect();
            if !own.is_empty() || !options.is_empty() {
                listed.insert(name.to_owned(), names(options));
            }
            taking.extend(own);
        }
        assert!(taking.len() > 50, "{}", taking.len());
        Self { listed, taking }
    }
}

/// What stands between backticks outside brackets, up to a colon: as a reader sees it.
fn names(options: &str) -> BTreeSet<String> {
    let mut outside = String::new();
    let (mut depth, mut quoted) = (0, false);
    for letter in options.chars() {
        match letter {
            '`' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            outside.push(letter);
        }
    }
    quoted_words(&outside)
        .filter(|word| !word.contains("::"))
        .map(|word| word.split(':').next().unwrap().to_owned())
        .collect()
}

fn quoted_words(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The calls of a signature whose last argument is a map of options: of a method, one for each workload.
fn calls(name: &str, signature: &str) -> Vec<Taking> {
    let (before, rest) = signature.split_once('(').unwrap();
    let inside = rest.split(") ->").next().unwrap().trim_end_matches(')');
    let mut params = parted(inside);
    let last = params.pop().unwrap_or_default();
    if !["options: map", "options", "request: map"].contains(&last) {
        return Vec::new();
    }
    let arguments = params.iter().fold(String::new(), |mut all, param| {
        all.push_str(value(name, param));
        all.push_str(", ");
        all
    });
    let receivers: &[&str] = match before.split_once('.') {
        Some(("session", _)) => &["exchange", "onedrive", "sharepoint"],
        Some(("browse_session", _)) => &["browse"],
        Some((other, _)) => panic!("what is a {other} here?"),
        None => &[""],
    };
    let function = before.rsplit('.').next().unwrap();
    receivers
        .iter()
        .map(|receiver| {
            let dot = if receiver.is_empty() { "" } else { "." };
            Taking {
                name: name.to_owned(),
                call: format!("{receiver}{dot}{function}({arguments}options)"),
                is_method: !receiver.is_empty(),
            }
        })
        .collect()
}

/// `item: unit, user, address or id, options: map` in its two parts.
fn parted(params: &str) -> Vec<&str> {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    for piece in params.split(", ") {
        let end = at + piece.len();
        // A piece without a colon goes on with the one before, but where nothing has a type (`std/`).
        match parts.last_mut() {
            Some(last) if !piece.contains(": ") && params.contains(": ") => last.1 = end,
            _ => parts.push((at, end)),
        }
        at = end + 2;
    }
    parts
        .into_iter()
        .map(|(from, to)| &params[from..to])
        .collect()
}

/// Something that the function takes for this argument.
fn value(function: &str, param: &str) -> &'static str {
    let name = param.split(": ").next().unwrap();
    match name {
        "items" | "rows" | "search" => "[]",
        "item" if function.starts_with("sharepoint") => {
            "\"https://contoso.sharepoint.example/sites/finance\""
        }
        "item" => "\"rania.shah@contoso.example\"",
        "instant" => "now()",
        "destination" => "\"new\"",
        "path" if function == "csv::read" => "\"people.csv\"",
        "path" => "\"/users\"",
        "body" => "#{}",
        "group" => "\"Finance\"",
        "id" | "reason" | "pattern" => "\"x\"",
        "point" => "point",
        other => panic!("{function}: what may `{other}` be?"),
    }
}

/// What the calls need. `check` cannot see into maps that come out of JSON.
const BEFORE: &str = r#"
import "std/waves" as waves;
let exchange = exchange::create_session();
let onedrive = onedrive::create_session();
let sharepoint = sharepoint::create_session();
let point = onedrive::latest_points(groups::members("Finance"), #{tags: "fastRestore"}).find(|row| row.point != ()).point;
let browse = onedrive::create_browse_session(point).wait();
"#;

/// Calls each with its options, one run for all. Gives the error of each call; `null` where there was none.
fn errors(calls: &[(&Taking, Value)]) -> Vec<Value> {
    let mut script = BEFORE.to_owned();
    for (taking, options) in calls {
        let options = serde_json::to_string(&options.to_string()).unwrap();
        let _ = write!(
            script,
            "try {{ let options = json::parse({options}); {}; print(\"null\"); }}\n\
             catch (e) {{ print(json::text(#{{code: e.code, message: e.message, hint: e.hint}})); }}\n",
            taking.call
        );
    }
    let done: Done = Bench::new()
        .file("people.csv", "mail\nrania.shah@contoso.example\n")
        .script(&script)
        .flags(&["--sandbox", "--speed", "20000", "--yes"])
        .run();
    let lines: Vec<Value> = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}\n{done}")))
        .collect();
    assert_eq!(lines.len(), calls.len(), "{done}");
    lines
}

/// The message about an unknown option lists what the code takes.
#[test]
fn the_code_takes_the_options_that_the_help_lists() {
    let manual = Manual::read();
    let calls: Vec<_> = manual
        .taking
        .iter()
        .map(|taking| (taking, json!({NOTHING: 1})))
        .collect();
    let mut taken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for ((taking, _), error) in calls.iter().zip(errors(&calls)) {
        let Taking { name, call, .. } = taking;
        assert_eq!(error["code"], "UnknownOption", "{call}: {error}");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.starts_with("the options are "), "{call}: {error}");
        let all = quoted_words(hint).map(str::to_owned);
        taken.entry(name.clone()).or_default().extend(all);
    }
    assert_eq!(taken, manual.listed);
}

/// An option that is taken and never looked at would take anything.
#[test]
fn every_option_that_the_help_lists_is_read() {
    let manual = Manual::read();
    let mut calls = Vec::new();
    for taking in &manual.taking {
        // A building block is a script: it looks at an option where it needs it. What a method takes depends on its workload.
        if taking.name.starts_with("waves::") || taking.name == "session.add_bulk" {
            continue;
        }
        for option in &manual.listed[&taking.name] {
            // The one function whose overloads take different options.
            if option == "session_size" && !taking.call.contains("[]") {
                continue;
            }
            let mut options = json!({option.as_str(): [[]]});
            if taking.name == "exchange::search_items" && option != "query" {
                options["query"] = json!("subject -contains 'a'");
            }
            calls.push((taking, options));
        }
    }
    for ((taking, options), error) in calls.iter().zip(errors(&calls)) {
        let what = format!("{} with {options}: {error}", taking.call);
        // This one is an argument of `.items()` too, and has the same words there.
        if taking.name == "browse_session.find" && options.get("path").is_some() {
            assert_eq!(error["code"], "WrongType", "{what}");
            continue;
        }
        assert_eq!(error["code"], "BadOption", "{what}");
        let message = error["message"].as_str().unwrap();
        let named = options
            .as_object()
            .unwrap()
            .iter()
            .any(|(name, value)| value.is_array() && message.contains(&format!("`{name}`")));
        assert!(named, "{what}");
    }
}

/// What stands in the script is found without running it. Of a method nobody can say what it is called on.
#[test]
fn check_knows_the_same_options() {
    let manual = Manual::read();
    let functions: Vec<&Taking> = manual
        .taking
        .iter()
        .filter(|taking| !taking.is_method && !taking.name.starts_with("waves::"))
        .collect();
    let script = |options: &dyn Fn(&Taking) -> String| {
        functions.iter().fold(String::new(), |mut all, taking| {
            let call = taking
                .call
                .replace("options)", &options(taking))
                .replace("point, ", "(), ");
            all.push_str(&call);
            all.push_str(");\n");
            all
        })
    };
    let check = |text: &str| Bench::new().script(text).runback(&["check", "script.rhai"]);

    let all = script(&|taking| {
        let options = &manual.listed[&taking.name];
        let options: Vec<String> = options.iter().map(|name| format!("{name}: ()")).collect();
        format!("#{{{}}}", options.join(", "))
    });
    check(&all).expect(0);

    let none = script(&|_| format!("#{{{NOTHING}: ()}}"));
    // So many are shown of one file at most.
    for some in none.lines().collect::<Vec<_>>().chunks(50) {
        let none = check(&some.join("\n")).expect(2);
        let wrong = format!("there is no option `{NOTHING}` here");
        let calls = some.iter().filter(|line| line.contains(NOTHING)).count();
        assert_eq!(none.stderr.matches(&wrong).count(), calls, "{none}");
    }
}
