//! The manual: complete, true, and every example of it runs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Bench, Done};

fn doc(words: &[&str]) -> Done {
    let mut all = vec!["doc"];
    all.extend(words);
    Bench::new().runback(&all)
}

/// Every page, as programs get them.
fn pages() -> Vec<Value> {
    let done = doc(&["--format", "json"]).expect(0);
    let pages: Value = serde_json::from_str(&done.stdout).unwrap();
    pages.as_array().cloned().unwrap()
}

fn functions() -> Vec<Value> {
    let mut pages = pages();
    pages.retain(|page| page["kind"] == "function");
    assert!(pages.len() > 100);
    pages
}

fn text<'p>(page: &'p Value, name: &str) -> &'p str {
    page[name].as_str().unwrap_or_default()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        value => value.is_null(),
    }
}

#[test]
fn every_function_is_explained() {
    let mut wrong = String::new();
    for page in functions() {
        let mut lacks: Vec<&str> = Vec::new();
        for part in [
            "signatures",
            "text",
            "returns",
            "throws",
            "policy_class",
            "example",
        ] {
            if is_empty(&page[part]) {
                lacks.push(part);
            }
        }
        let talks = ["read", "draft", "activate", "delete", "change"]
            .contains(&text(&page, "policy_class"));
        for part in ["graph", "permissions"] {
            if talks == is_empty(&page[part]) {
                lacks.push(part);
            }
        }
        if !lacks.is_empty() {
            let _ = writeln!(wrong, "{}: {}", text(&page, "name"), lacks.join(", "));
        }
    }
    assert_eq!(wrong, "");
}

/// What an example may use without making it, in the order in which one needs the other. `{w}` is its workload.
const GIVEN: &[(&str, &str)] = &[
    (
        "rows",
        "let rows = {w}::latest_points({many}).filter(|row| row.point != ()).extract(0, 3);",
    ),
    (
        "row",
        "let row = {w}::latest_points({many}).find(|row| row.point != ());",
    ),
    (
        "point",
        "let point = {w}::latest_points({many}).find(|row| row.point != ()).point;",
    ),
    (
        "session",
        "let session = {w}::create_session({w}::latest_points({many}).filter(|row| row.point != ()).extract(0, 2), \"new\");",
    ),
    (
        "browse",
        "let browse = onedrive::create_browse_session(onedrive::latest_points({many}, #{tags: \"fastRestore\"}).find(|row| row.point != ()).point).wait();",
    ),
    (
        "id",
        "let id = {w}::create_session({w}::latest_points({many}).filter(|row| row.point != ()).extract(0, 1), \"new\").id;",
    ),
];

/// Does the text use the word as a name of its own?
fn uses(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(|c| is_part(c) || c == '.' || c == '"' || c == ':')
            && !after.is_some_and(|c| is_part(c) || c == ':')
    })
}

/// Does the text make the name itself?
fn makes(text: &str, word: &str) -> bool {
    [
        format!("let {word} "),
        format!("for {word} in"),
        format!("|{word}|"),
        format!("|{word},"),
        format!(", {word}|"),
    ]
    .iter()
    .any(|form| text.contains(form.as_str()))
}

/// The example with what it needs before it.
fn prepared(example: &str) -> String {
    let workload = ["onedrive", "sharepoint"]
        .into_iter()
        .find(|workload| example.contains(&format!("{workload}::")))
        .unwrap_or("exchange");
    let many = if workload == "sharepoint" {
        "sites::search(\"Finance\")"
    } else {
        "groups::members(\"Finance\")"
    };
    let mut out = String::new();
    for (name, code) in GIVEN {
        if uses(example, name) && !makes(example, name) {
            out.push_str(&code.replace("{w}", workload).replace("{many}", many));
            out.push('\n');
        }
    }
    out.push_str(example);
    out
}

/// Runs examples, each with what it needs, in one run: a process for each would take minutes.
#[track_caller]
fn run_all(examples: &[(String, String)]) {
    let mut script = "//! @param people file = \"people.csv\"\n//! @param run string\n".to_owned();
    for (name, example) in examples {
        let _ = write!(
            script,
            "try {{\n{};\nlog::info(\"ran {name}\");\n}} catch (problem) {{\nlog::error(`failed {name}: ${{problem.code}}: ${{problem.message}}`);\n}}\n",
            prepared(example).trim_end_matches(';')
        );
    }
    let bench = Bench::new()
        .file(
            "people.csv",
            "mail;before\nrania.shah@contoso.example;2030-01-01T00:00:00Z\n",
        )
        .script("let session = exchange::create_session(); session.delete(); ()")
        .flags(&["--sandbox", "--speed", "20000", "--yes"]);
    bench.run().expect(0);
    // An earlier run, for those that ask for one.
    let run = format!("run={}", bench.result()["run"].as_str().unwrap());
    let bench = bench.script(&script).arguments(&[&run]);
    let done = bench.run();
    let failed: Vec<&str> = done
        .stderr
        .lines()
        .filter(|line| line.contains(" error failed "))
        .collect();
    assert_eq!(failed, Vec::<&str>::new(), "{}", done.stderr);
    let missing: Vec<&String> = examples
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !done.stderr.contains(&format!("ran {name}\n")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}\n{done}");
    assert!((0..=1).contains(&done.code), "{done}");
}

/// More than a hundred, against a tenant that they restore mailboxes, drives and files of.
#[test]
fn every_example_of_a_function_runs() {
    let examples: Vec<_> = functions()
        .iter()
        .map(|page| {
            (
                text(page, "name").to_owned(),
                text(page, "example").to_owned(),
            )
        })
        .collect();
    run_all(&examples);
}

/// What is shown for one workload was written for another.
#[test]
fn every_example_of_a_cmdlet_runs() {
    let mut examples: Vec<(String, String)> = Vec::new();
    for page in pages().iter().filter(|page| page["kind"] == "cmdlet") {
        for operation in page["operations"].as_array().unwrap() {
            let example = text(operation, "example").to_owned();
            let known = examples.iter().any(|(_, other)| *other == example);
            if !example.is_empty() && !known {
                examples.push((text(page, "name").to_owned(), example));
            }
        }
    }
    assert!(examples.len() > 25);
    run_all(&examples);
}

/// Where the program is built, the reference lies in `docs/`.
fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn the_reference_in_docs_is_what_the_program_writes() {
    let bench = Bench::new();
    bench.runback(&["doc", "--markdown", "out"]).expect(0);
    let written = files(&bench.path("out"));
    let hint = "`cargo run -- doc --markdown docs` writes it";
    for name in &written {
        let there = fs::read_to_string(committed().join(name)).unwrap_or_default();
        let new = fs::read_to_string(bench.path("out").join(name)).unwrap();
        assert!(there == new, "docs/{} is old: {hint}", name.display());
    }
    // What stands in the folders of the reference and is not written any more.
    for name in files(&committed()) {
        let is_of_the_reference = name.components().count() > 1;
        assert!(
            !is_of_the_reference || written.contains(&name),
            "docs/{} is left over",
            name.display()
        );
    }
}

#[test]
fn links_of_the_reference_lead_somewhere() {
    for name in files(&committed()) {
        let text = fs::read_to_string(committed().join(&name)).unwrap();
        for (_, rest) in text
            .match_indices("](")
            .map(|(at, _)| text.split_at(at + 2))
        {
            let target = rest.split(')').next().unwrap();
            if target.contains("://") {
                continue;
            }
            let path = committed().join(&name).parent().unwrap().join(target);
            assert!(path.exists(), "docs/{}: {target}", name.display());
        }
    }
}

/// One line of a definition file, by the grammar of Rhai's language server: `fn name(param: Type, …) -> Type;`.
fn definition(line: &str) -> Result<(), String> {
    let rest = line.strip_suffix(';').ok_or("no `;`")?;
    if let Some(rest) = rest.strip_prefix("let ") {
        let (name, kind) = rest.split_once(": ").ok_or("no type")?;
        return word(name).and_then(|()| a_type(kind));
    }
    let rest = rest.strip_prefix("fn ").ok_or("neither `fn` nor `let`")?;
    let rest = match rest.split_once(' ') {
        Some(("get", after)) if !after.starts_with('(') && after.contains('(') => after,
        _ => rest,
    };
    let (name, rest) = rest.split_once('(').ok_or("no brackets")?;
    word(name)?;
    let (params, returns) = match rest.rsplit_once(") -> ") {
        Some((params, returns)) => (params, Some(returns)),
        None => (rest.strip_suffix(')').ok_or("brackets not closed")?, None),
    };
    for param in params.split(", ").filter(|param| !param.is_empty()) {
        let (name, kind) = param.split_once(": ").ok_or("a parameter without type")?;
        word(name.trim_start_matches("..."))?;
        a_type(kind)?;
    }
    returns.map_or(Ok(()), a_type)
}

fn word(text: &str) -> Result<(), String> {
    let first = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let all = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let keyword = ["this", "type", "in", "if", "for", "let", "const"].contains(&text);
    if first && all && !keyword {
        Ok(())
    } else {
        Err(format!("`{text}` is no name"))
    }
}

fn a_type(text: &str) -> Result<(), String> {
    for part in text.split(" | ") {
        let inner = part
            .strip_prefix('[')
            .and_then(|part| part.strip_suffix(']'))
            .unwrap_or(part);
        if inner != "?" && inner != "()" {
            word(inner)?;
        }
    }
    Ok(())
}

#[test]
fn definition_files_are_in_the_grammar_of_the_language_server() {
    let bench = Bench::new();
    bench.runback(&["doc", "--definitions", "out"]).expect(0);
    let names = files(&bench.path("out"));
    for name in [
        "runback.d.rhai",
        "exchange.d.rhai",
        "std-waves.d.rhai",
        "rhai.d.rhai",
    ] {
        assert!(names.contains(Path::new(name)), "{name}: {names:?}");
    }
    for name in names {
        let text = fs::read_to_string(bench.path("out").join(&name)).unwrap();
        let mut code = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("///"));
        let module = code.next().unwrap();
        assert!(
            module.starts_with("module ") && module.ends_with(';'),
            "{module}"
        );
        let mut count = 0;
        for line in code {
            count += 1;
            if let Err(why) = definition(line) {
                panic!("{}: {why}: {line}", name.display());
            }
        }
        assert!(count > 0, "{}", name.display());
    }
    let exchange = bench.read("out/exchange.d.rhai");
    assert!(
        exchange.contains("\nfn session(id: string) -> Session;\n"),
        "{exchange}"
    );
    let runback = bench.read("out/runback.d.rhai");
    assert!(runback.contains("\nfn activate(session: Session) -> Session;\n"));
    assert!(runback.contains("\nfn get hours(duration: Duration) -> int;\n"));
}

/// Operations as Microsoft publishes them.
fn published() -> Vec<Vec<&'static str>> {
    include_str!("data/cmdlets.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').collect())
        .collect()
}

/// Codes that Rust's side of the program can give, found where they are made.
fn codes_in_the_sources() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for name in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let room = name.iter().next().unwrap().to_string_lossy().into_owned();
        // What only the program's own author or the sandbox sees.
        if room == "sandbox" || room == "manual" || name.to_string_lossy().contains("test") {
            continue;
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(&name);
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for (at, _) in text.match_indices("Failure::new(") {
            let rest = text[at + "Failure::new(".len()..].trim_start();
            let Some(code) = rest
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
            else {
                continue;
            };
            codes.insert(code.to_owned());
        }
        // `Self::NoUnit { .. } => "NoUnit",` of the enums of errors.
        if name.ends_with("error.rs") {
            let code = |line: &str| {
                let (_, code) = line.trim().split_once("=> \"")?;
                Some(code.strip_suffix("\",")?.to_owned())
            };
            codes.extend(text.lines().filter_map(code));
        }
    }
    assert!(codes.len() > 30);
    codes
}

#[test]
fn every_code_that_a_script_can_catch_is_explained() {
    let done = doc(&["codes"]).expect(0);
    let unknown: Vec<String> = codes_in_the_sources()
        .into_iter()
        .filter(|code| !done.stdout.contains(&format!("  {code}")))
        .collect();
    assert!(unknown.is_empty(), "src/manual/codes.txt lacks {unknown:?}");
}

/// `GET /a/{id}` with its ids unnamed.
fn unnamed(operation: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in operation.chars() {
        inside = (inside || c == '{') && c != '}';
        if !inside && c != '}' {
            out.push(c);
        } else if c == '{' {
            out.push('*');
        }
    }
    out
}

#[test]
fn every_operation_that_help_names_exists() {
    let mut known: BTreeSet<String> = published()
        .iter()
        .map(|operation| unnamed(&format!("{} {}", operation[0], operation[1])))
        .collect();
    known.insert("GET /groups".to_owned());
    for page in functions() {
        for operation in page["graph"].as_array().unwrap() {
            let operation = operation.as_str().unwrap();
            assert!(
                operation.ends_with("(any path)") || known.contains(&unnamed(operation)),
                "{}: {operation}",
                text(&page, "name")
            );
        }
        for permission in page["permissions"].as_array().unwrap() {
            let permission = permission.as_str().unwrap();
            let plain = permission
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
            assert!(plain || permission == "what the path needs", "{permission}");
        }
    }
}

#[test]
fn every_property_of_the_host_is_explained() {
    for page in pages().iter().filter(|page| page["kind"] == "type") {
        assert!(!is_empty(&page["text"]), "{page}");
        for property in page["properties"].as_array().unwrap() {
            assert!(
                !is_empty(&property["returns"]),
                "{}: {property}",
                page["name"]
            );
        }
    }
}

#[test]
fn the_examples_of_topics_run() {
    for page in pages().iter().filter(|page| page["kind"] == "topic") {
        for block in text(page, "text").split("```rhai\n").skip(1) {
            let script = block.split("```").next().unwrap();
            let mut bench =
                Bench::new()
                    .script(script)
                    .flags(&["--sandbox", "--speed", "20000", "--yes"]);
            if script.contains("@param") {
                bench = bench.arguments(&["group=Finance", "before=-36h"]);
            }
            bench.run().expect(0);
        }
    }
}

#[test]
fn every_cmdlet_has_an_answer() {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for operation in published() {
        names.extend(operation[5..].iter().filter(|name| **name != "-"));
    }
    assert!(names.len() > 180);
    // One process shows one; what all of them say comes out of the reference.
    let reference = fs::read_to_string(committed().join("cmdlets.md")).unwrap();
    for name in &names {
        let stem = name.replacen("-MgBeta", "-Mg", 1);
        let known = reference.contains(&format!("| `{name}` |"))
            || reference.contains(&format!("| `{stem}` |"));
        assert!(known, "{name}");
    }
}

#[test]
fn a_cmdlet_is_answered_with_the_call_that_does_it() {
    assert_snapshot!(doc(&["new-mgsolutionbackuprestoreexchangerestoresession"]), @r#"
    exit: 0
    ----- stdout -----
    New-MgSolutionBackupRestoreExchangeRestoreSession

    In a runbook:

        exchange::create_session(rows, "new")

      Graph         POST /solutions/backupRestore/exchangeRestoreSessions (v1.0 and
                    beta)
      Permission    BackupRestore-Restore.ReadWrite.All
      Policy class  `draft`; restores nothing yet, and needs no consent
      More          `runback doc exchange::create_session`

    Example:

        let session = exchange::create_session();
        session.add(exchange::latest_point("jin.rahman@contoso.example"), "new");

        let rows = exchange::latest_points(groups::members("Finance"));
        let session = exchange::create_session(rows, "new");
        print(session.count);

    The same as `New-MgBetaSolutionBackupRestoreExchangeRestoreSession`.
    ----- stderr -----
    "#);
    assert_snapshot!(doc(&["Get-MgBetaSolutionBackupRestoreDriveInclusionRule"]), @r#"
    exit: 0
    ----- stdout -----
    Get-MgBetaSolutionBackupRestoreDriveInclusionRule

    runback has no function of its own for this. `graph::` calls it by its path,
    with the same sign-in, pacing and rules:

        graph::pages("/solutions/backupRestore/driveInclusionRules")

      Graph         GET /solutions/backupRestore/driveInclusionRules (v1.0 and beta)
      Permission    BackupRestore-Configuration.Read.All
      Policy class  `read`; changes nothing
      More          `runback doc graph::pages`

    runback has no function of its own for this. `graph::` calls it by its path,
    with the same sign-in, pacing and rules:

        graph::get(`/solutions/backupRestore/driveInclusionRules/${drive_protection_rule_id}`)

      Graph         GET
                    /solutions/backupRestore/driveInclusionRules/{driveProtectionRuleId}
                    (v1.0 and beta)
      Permission    BackupRestore-Configuration.Read.All
      Policy class  `read`; changes nothing
      More          `runback doc graph::get`

    The same as `Get-MgSolutionBackupRestoreDriveInclusionRule`.
    ----- stderr -----
    "#);
}

#[test]
fn a_function_is_shown_with_all_there_is_to_know() {
    assert_snapshot!(doc(&["session.refresh"]), @r#"
    exit: 0
    ----- stdout -----
    session.refresh

        session.refresh() -> session

    Reads its state anew and returns it.

      Returns       session
      Throws        `SessionGone`
      Policy class  `read`; changes nothing
      Graph         GET /solutions/backupRestore/restoreSessions/{id}
      Permission    BackupRestore-Restore.Read.All

    Example:

        print(session.refresh().status);
    ----- stderr -----
    "#);
    // The name alone shows all that have it.
    let both = doc(&["refresh"]).stdout;
    assert!(
        both.starts_with(&doc(&["session.refresh"]).stdout),
        "{both}"
    );
    assert!(both.contains("\nbrowse_session.refresh\n"), "{both}");
}

#[test]
fn an_unknown_name_is_an_error_with_the_nearest() {
    assert_snapshot!(doc(&["exchange::creat_session"]), @r#"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no help for `exchange::creat_session`

    hint: did you mean `runback doc exchange::create_session`?
    hint: `runback doc` lists everything
    "#);
    assert_snapshot!(doc(&["New-MgSolutionBackupRestoreExchangRestoreSesion"]), @r"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no help for `New-MgSolutionBackupRestoreExchangRestoreSesion`

    hint: did you mean `runback doc New-MgSolutionBackupRestoreExchangeRestoreSession`?
    hint: `runback doc` lists everything
    ");
    assert_snapshot!(doc(&["xyzzy"]), @r"
    exit: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no help for `xyzzy`

    hint: `runback doc` lists everything
    ");
}

#[test]
fn a_name_is_found_however_it_is_written() {
    for (written, found) in [
        ("session.activate()", "session.activate"),
        (".activate", "session.activate"),
        ("Session", "session"),
        ("restore_point", "restore point"),
        ("point", "restore point"),
        ("?now", "now"),
        ("args", "arguments"),
        ("notprotected", "NotProtected"),
        ("driveProtectionUnit", "unit"),
        ("publicError", "publicError"),
        ("array.push", "array.push"),
        ("global", "functions"),
        ("error.code", "error.code"),
        ("GET-MGUSER", "Get-MgUser"),
    ] {
        let done = doc(&[written]).expect(0);
        assert_eq!(done.stdout.lines().next(), Some(found), "{written}");
    }
    // What both a namespace or value and functions are called.
    let both = doc(&["duration"]).expect(0).stdout;
    assert!(
        both.contains("\n    duration(text: text) -> duration\n"),
        "{both}"
    );
    let list = doc(&["list"]).expect(0).stdout;
    assert!(
        list.contains("See also: `runback doc users::list`"),
        "{list}"
    );
    let hint = doc(&["activate_session"]).expect(2).stderr;
    assert!(hint.contains("`runback doc activate`"), "{hint}");
}

#[test]
fn programs_get_one_document() {
    let done = doc(&["session.refresh", "--format", "json"]).expect(0);
    assert_eq!(done.stdout.lines().count(), 1);
    let pages: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(pages[0]["kind"], "function");
    assert_eq!(pages[0]["policy_class"], "read");
    assert_eq!(pages[0]["throws"], "`SessionGone`");
    let done = doc(&["Get-MgUser", "--format", "json"]).expect(0);
    let pages: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(pages[0]["operations"][0]["call"], "users::list()");
    assert_eq!(pages[0]["operations"][0]["by"], "own");
    let done = doc(&["--format", "csv"]).expect(2);
    assert!(done.stderr.contains("--format json"), "{done}");
}

#[test]
fn pages_are_fitted_to_what_is_usual_where_nobody_looks() {
    for name in ["", "exchange", "codes", "arguments", "session"] {
        let done = doc(&[name]).expect(0);
        assert!(!done.stdout.contains('\u{1b}'));
        for line in done.stdout.lines().filter(|line| !line.starts_with("    ")) {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

/// What somebody at a terminal sees.
fn at_a_terminal(variables: &[(&str, &str)]) -> String {
    let bench = Bench::new();
    let mut command = bench.command();
    command.args(["doc", "sleep"]).env("TERM", "xterm");
    command.envs(variables.iter().copied());
    let mut terminal = rexpect::session::spawn_command(command, Some(10_000)).unwrap();
    terminal.exp_eof().unwrap()
}

#[test]
fn colours_are_for_terminals() {
    assert!(at_a_terminal(&[]).contains("\u{1b}[36msleep("));
    assert!(!at_a_terminal(&[("NO_COLOR", "1")]).contains('\u{1b}'));
    let coloured = doc(&["sleep", "--color", "always"]).expect(0).stdout;
    assert!(coloured.contains("\u{1b}["));
    assert!(!doc(&["sleep"]).expect(0).stdout.contains('\u{1b}'));
}
