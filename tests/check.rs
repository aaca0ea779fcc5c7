//! `runback check`: mistakes found without running, each with its place, and what a script can do at most.

use std::io::Write as _;
use std::process::Stdio;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Bench, Done};

fn check(text: &str) -> Done {
    Bench::new().script(text).runback(&["check", "script.rhai"])
}

fn diagnostics(text: &str) -> Vec<Value> {
    let done = Bench::new()
        .script(text)
        .flags(&["--format", "json"])
        .runback(&["check", "script.rhai"]);
    let document = &done.json()[0];
    document["diagnostics"].as_array().unwrap().clone()
}

/// What a script without mistakes can do at most.
#[track_caller]
fn abilities(text: &str) -> String {
    let done = check(text).expect(0);
    let line = done.stdout.trim_end();
    let (_, said) = line
        .split_once("no mistakes; ")
        .unwrap_or_else(|| panic!("{done}"));
    said.to_owned()
}

/// Script, place, a part of the message, a part of the hint.
type Row = (&'static str, &'static str, &'static str, &'static str);

#[track_caller]
fn table(rows: &[Row]) {
    for (text, place, message, hint) in rows {
        let done = check(text).expect(2);
        let first = done.stderr.split("\n\nerror: ").next().unwrap();
        let said = first.lines().next().unwrap();
        assert!(said.starts_with("error: "), "{text}\n{done}");
        assert!(said.contains(message), "{text}\n{done}");
        assert!(
            first.contains(&format!("--> script.rhai:{place}\n")),
            "{text}\n{done}"
        );
        let hints = first.lines().filter(|line| line.starts_with("hint: "));
        let found = hints.clone().any(|line| line.contains(hint));
        assert!(
            found || (hint.is_empty() && hints.count() == 0),
            "{text}\n{done}"
        );
        // Nobody has to know in which language this program is written.
        for word in [
            "ImmutableString",
            "i64",
            "Dynamic",
            "rhai::",
            "anon$",
            "Error(",
        ] {
            assert!(!done.stderr.contains(word), "{text}\n{done}");
        }
    }
}

#[test]
fn names_that_nothing_has() {
    table(&[
        (
            "exchnge::units();",
            "1:1",
            "no namespace `exchnge`",
            "`exchange`",
        ),
        (
            "exchange::unts();",
            "1:11",
            "no function `exchange::unts`",
            "`exchange::units`",
        ),
        (
            "users::frobnicate();",
            "1:8",
            "no function `users::frobnicate`",
            "`get` and `list`",
        ),
        (
            "let s = exchange::create_session(); s.actvate();",
            "1:39",
            "no function `actvate`",
            "`activate`",
        ),
        (
            "parse_itn(\"5\");",
            "1:1",
            "no function `parse_itn`",
            "`parse_int`",
        ),
        (
            "units();",
            "1:1",
            "no function `units`",
            "`exchange::units`",
        ),
        (
            "frobnicate();",
            "1:1",
            "no function `frobnicate`",
            "`runback doc`",
        ),
        (
            "let rows = []; print(rwos);",
            "1:22",
            "no variable `rwos`",
            "`rows`",
        ),
        (
            "let total = 1; fn f() { total }",
            "1:25",
            "does not see it",
            "hand it over",
        ),
        (
            "total = 5;",
            "1:1",
            "no variable `total`",
            "`let total = …;`",
        ),
        ("let m = 1; m(5);", "1:12", "no function `m`", "`m.call(…)`"),
        (
            "let f = users::list;",
            "1:16",
            "`users::list`",
            "`users::list(…)`",
        ),
        (
            "print(args.group);",
            "1:12",
            "no argument `group`",
            "`//! @param group string …`",
        ),
        (
            "//! @param group string x\nprint(args.gruop);",
            "2:12",
            "no argument `gruop`",
            "`group`",
        ),
        (
            "//! @param group string x\nfn f() { args[\"gruop\"] }",
            "2:15",
            "no argument `gruop`",
            "`group`",
        ),
        (
            "users::get(\"x\").dispalyName;",
            "1:17",
            "a user has no property `dispalyName`",
            "`displayName`",
        ),
        (
            "let rows = exchange::latest_points(users::list());\nfor row in rows.filter(|row| row.code == ()) {\n    print(row.pont);\n}",
            "3:15",
            "a row has no `pont`",
            "`point`",
        ),
    ]);
}

#[test]
#[allow(clippy::too_many_lines)] // a table, or one story
fn calls_that_cannot_work() {
    table(&[
        (
            "skip(1);",
            "1:1",
            "`skip` takes 2 or 3 values, one is given",
            "`skip(item, reason: text",
        ),
        (
            "users::get();",
            "1:8",
            "`users::get` takes one value, none is given",
            "`users::get(id_or_upn: text)",
        ),
        (
            "fn f(a, b) { a } f(1);",
            "1:18",
            "`f` takes 2 values, one is given",
            "`f(a, b)`",
        ),
        (
            "exchange::points(\"a\", #{limt: 5});",
            "1:25",
            "no option `limt`",
            "`limit`",
        ),
        (
            "csv::read(\"x\", #{colums: #{}});",
            "1:18",
            "no option `colums`",
            "`columns`",
        ),
        (
            "exchange::points_before([], #{tgas: \"x\"});",
            "1:31",
            "no option `tgas`",
            "`tags`",
        ),
        (
            "exchange::latest_points([], #{tags: \"fast\"});",
            "1:37",
            "option `tags` is `fastRestore`",
            "",
        ),
        (
            "exchange::latest_points([], #{prefer: \"lastest\"});",
            "1:39",
            "`latest` or `oldest`",
            "`latest`",
        ),
        (
            "exchange::create_session([], \"inplace\");",
            "1:30",
            "`new` or `inPlace`",
            "`inPlace`",
        ),
        (
            "let s = exchange::create_session(); s.add_all([], \"nwe\");",
            "1:51",
            "`new` or `inPlace`",
            "`new`",
        ),
        (
            "exchange::point_before(\"a\", \"2026-11-20T03:00:00Z\");",
            "1:29",
            "must be a datetime, and this is a text",
            "`datetime(\"2026-11-20T03:00:00Z\")`",
        ),
        (
            "exchange::points(\"a\", #{before: \"-36h\"});",
            "1:33",
            "must be a datetime",
            "`datetime(",
        ),
        (
            "sleep(\"5s\");",
            "1:7",
            "must be a duration",
            "`duration(\"5s\")`",
        ),
        (
            "sleep(5);",
            "1:7",
            "must be a duration",
            "`duration(\"5s\")`",
        ),
        (
            "datetime(\"2026-11-20\");",
            "1:10",
            "`2026-11-20` is no datetime",
            "`2026-11-20T00:00:00Z`",
        ),
        (
            "duration(\"5 hours\");",
            "1:10",
            "`5 hours` is no duration",
            "`36h`",
        ),
        ("users::get(5);", "1:12", "must be a text", "`\"5\"`"),
        ("parallel([1], 2, || 5);", "1:1", "takes one value", ""),
        ("[1].sort_by(|a, b| a);", "1:5", "takes one value", ""),
        ("attempt(|x| x);", "1:1", "takes no value", ""),
        (
            "graph::get(\"https://graph.microsoft.com/v1.0/users\");",
            "1:12",
            "it names a host",
            "write the path alone",
        ),
        (
            "if \"7\" > 5 { print(1); }",
            "1:8",
            "a text cannot be compared with a whole number",
            "`parse_int(\"7\")`",
        ),
        (
            "exchange::latest_points([]).filter(|row| row.point.protectionDateTime < \"2026-11-20\");",
            "1:71",
            "a datetime cannot be compared with a text",
            "`datetime(\"2026-11-20\")`",
        ),
        (
            "exit(1);",
            "1:1",
            "`exit` is switched off",
            "`return` ends the script",
        ),
        (
            "eval(\"1\");",
            "1:1",
            "`eval` is switched off",
            "before it runs",
        ),
        (
            "timestamp();",
            "1:1",
            "`timestamp` is switched off",
            "`now()`",
        ),
    ]);
}

#[test]
fn what_a_runbook_may_not_do() {
    table(&[
        (
            "import \"std/waves\" as exchange;",
            "1:1",
            "`exchange` is a namespace of the host",
            "`as my_exchange`",
        ),
        (
            "import \"std/\" + \"waves\" as waves;",
            "1:15",
            "names its file by a plain text",
            "before the script runs",
        ),
        (
            "let f = \"acti\" + \"vate\"; Fn(f).call(1);",
            "1:26",
            "`Fn(…)` takes a plain text",
            "a closure",
        ),
        (
            "fn activate() { }",
            "1:4",
            "`activate` is a function of the host",
            "`my_activate`",
        ),
        (
            "fn object.wait() { }",
            "1:11",
            "`wait` is a function of the host",
            "`my_wait`",
        ),
        (
            "private fn units() { }",
            "1:12",
            "`units` is a function of the host",
            "`my_units`",
        ),
        (
            "let sum = 0;\nparallel([1], 2, |x| {\n    sum += x;\n});",
            "3:5",
            "`sum` is captured",
            "let the closure return the value",
        ),
        (
            "let all = []; try_parallel([1], 2, |x| all.push(x));",
            "1:40",
            "`all` is captured",
            "gives the results back",
        ),
        (
            "let n = 0; [1].each(|x| parallel([1], 1, |y| { n = y }));",
            "1:48",
            "`n` is captured",
            "return the value",
        ),
        (
            "let s = sessions::get(\"x\"); [1].sort(|a, b| { s.activate(); 0 });",
            "1:33",
            "`sort` changes the tenant",
            "any number of times",
        ),
        (
            "let x = 1; /* open\nprint(x);",
            "1:12",
            "is never closed",
            "`*/`",
        ),
    ]);
}

#[test]
#[allow(clippy::too_many_lines)] // a table, or one story
fn habits_of_other_languages() {
    table(&[
        ("$x = 5", "1:1", "`$x` is PowerShell's", "`let x = …;`"),
        (
            "let x = 1; if x -eq 5 { }",
            "1:17",
            "`-eq` is an operator of PowerShell",
            "`==`",
        ),
        (
            "let x = 1; print(x -ne 5);",
            "1:20",
            "`-ne` is an operator of PowerShell",
            "`!=`",
        ),
        (
            "foreach x in [1] { }",
            "1:1",
            "`foreach`",
            "`for x in list { … }`",
        ),
        (
            "foreach ($x in $y) { print($x); }",
            "1:1",
            "`foreach`",
            "`for x in list { … }`",
        ),
        (
            "Write-Host \"hello\"",
            "1:1",
            "`Write-Host` is a command of PowerShell",
            "`print(\"…\");`",
        ),
        (
            "let x = Get-MgUser -All",
            "1:9",
            "`Get-MgUser` is a command of PowerShell",
            "`runback doc Get-MgUser`",
        ),
        (
            "print \"hello\"",
            "1:1",
            "`print` is a function",
            "`print(\"…\");`",
        ),
        (
            "let x = 5 `\n + 3;",
            "1:11",
            "a backtick",
            "take the backtick away",
        ),
        (
            "users::list() | print",
            "1:15",
            "no pipelines",
            "`list.filter(",
        ),
        ("function f() {}", "1:1", "`function`", "`fn f(a, b) { … }`"),
        ("def f(): pass", "1:1", "`def`", "`fn f(a, b) { … }`"),
        ("var x = 5;", "1:1", "`var`", "`let x = …;`"),
        (
            "param([string]$Group)",
            "1:1",
            "`param`",
            "`//! @param name string",
        ),
        ("let x = null;", "1:9", "no `null`", "`()`"),
        ("let x = True;", "1:9", "`True`", "`true`"),
        ("let x = true && not false;", "1:17", "`not`", "`!`"),
        ("let x = true and false;", "1:14", "`and`", "`&&`"),
        ("let x = 1; x++;", "1:13", "`++`", "`+= 1`"),
        ("x := 5", "1:3", "`:=`", "`let x = …;`"),
        ("let x == 5;", "1:7", "`==` compares", "`let x = …;`"),
        ("if 1 = 2 { }", "1:4", "a condition", "`==`"),
        ("let x = 1; if x = 5 { }", "1:17", "", "`==`"),
        (
            "let x = 1; if x == 1 { } elseif x == 2 { }",
            "1:26",
            "`elseif`",
            "`else if`",
        ),
        (
            "let x = if true then 1 else 2;",
            "1:17",
            "`then`",
            "`if x { … } else { … }`",
        ),
        (
            "for (x in [1]) {}",
            "1:8",
            "no brackets",
            "`for x in list { … }`",
        ),
        (
            "if (true) print(1);",
            "1:11",
            "`{` is missing",
            "between `{` and `}`",
        ),
        (
            "try { throw 1 } catch e { }",
            "1:23",
            "`catch`",
            "`catch (e) { … }`",
        ),
        (
            "switch 1 { case 1: print(1) }",
            "1:12",
            "`case`",
            "`switch x { 1 => …",
        ),
        ("let x = { a: 1 };", "1:9", "`#{`", "`#{a: …}`"),
        (
            "let x = #{ a = 1 };",
            "1:14",
            "`:` is missing behind the key `a`",
            "`#{name: value",
        ),
        ("let x = @{a=1}", "1:9", "`@{`", "`#{name: value"),
        (
            "let x = 'hello';",
            "1:9",
            "`'hello'` is no character",
            "`\"hello\"`",
        ),
        (
            "let s = \"a\" . \"b\";",
            "1:15",
            "name of a property",
            "joined by `+`",
        ),
        ("# comment\nprint(1)", "1:1", "`#`", "`//`"),
        ("let x = 36h;", "1:9", "`36h`", "`duration(\"36h\")`"),
        (
            "print(users.list());",
            "1:7",
            "called with `::`",
            "`users::list(…)`",
        ),
        (
            "users::list().where(|u| true);",
            "1:15",
            "no function `where`",
            "`filter`",
        ),
        ("[1].length();", "1:5", "no function `length`", "`len`"),
        (
            "let x = await users::list();",
            "1:9",
            "`await`",
            "`parallel(",
        ),
        (
            "let x = new Session();",
            "1:9",
            "`new`",
            "`exchange::create_session()`",
        ),
        (
            "let new = 5;",
            "1:5",
            "`new` is a reserved word",
            "`my_new`",
        ),
    ]);
}

#[test]
#[allow(clippy::too_many_lines)] // a table, or one story
fn slips_of_the_pen() {
    table(&[
        (
            "let a = 1\nlet b = 2;",
            "1:10",
            "`;` is missing",
            "ends in `;`",
        ),
        ("let x = 5 6;", "1:11", "`6` is not expected", "is a `;`"),
        (
            "print(“hello”);",
            "1:7",
            "`“` is a typographic quote",
            "`\"`",
        ),
        ("let x = 5 – 3;", "1:11", "`–` is a dash", "`-`"),
        ("let x =\u{a0}5;", "1:8", "U+00A0", "plain space"),
        (
            "let x = \"abc;\nprint(x);",
            "1:9",
            "never closed",
            "on the same line",
        ),
        ("let x = `abc", "1:9", "never closed", "backtick"),
        (
            "print(\"abc);\n",
            "1:7",
            "the text that begins here",
            "on the same line",
        ),
        (
            "let x = [1, #{a: \"abc}];\nprint(x);",
            "1:18",
            "the text that begins here",
            "on the same line",
        ),
        (
            "print(`abc ${x`);",
            "1:12",
            "the `${` that stands here",
            "`}`",
        ),
        ("let x = 0xZZ;", "1:9", "`0xZZ` is no number", "a to f"),
        ("let x = 0b;", "1:9", "`0b` is no number", "0 and 1"),
        (
            "print(\"a\" + (1 + 2);",
            "1:6",
            "the `(` that stands here is never closed",
            "`)`",
        ),
        ("let x = [1, 2;", "1:9", "the `[`", "`]`"),
        ("let x = [1, 2\nlet y = 3;", "1:9", "the `[`", "`]`"),
        (
            "fn f() {\n    if true {\n        print(1);\n}\n\nfn g() { }\n",
            "2:13",
            "the `{`",
            "`}`",
        ),
        (
            "print(1); }",
            "1:11",
            "this `}` closes nothing",
            "take it away",
        ),
        (
            "let x = [1, 2 3];",
            "1:15",
            "`,` or `]` is missing",
            "`[1, 2, 3]`",
        ),
        (
            "print(1 2);",
            "1:9",
            "`,` or `)` is missing in the call of `print`",
            "`print(a, b)`",
        ),
        ("let x = ;", "1:9", "`;` is not expected here", ""),
        (
            "print(\"C:\\data\");",
            "1:11",
            "`\\d` is no escape",
            "`\\\\`",
        ),
        (
            "let été = 5;",
            "1:5",
            "`é` is not expected",
            "letters a to z",
        ),
        (
            "fn f() { fn g() { } }",
            "1:10",
            "inside a block or another function",
            "outermost level",
        ),
        (
            "fn f() { } fn f() { }",
            "1:12",
            "written twice",
            "another name",
        ),
        ("break;", "1:1", "inside a loop", "`return`"),
        (
            "const X = 5; X = 6;",
            "1:14",
            "`X` is a constant",
            "`let X = …;`",
        ),
        (
            "args = 5;",
            "1:1",
            "`args` cannot be assigned to",
            "`let x = args.…;`",
        ),
        (
            "//! @param group strng who\nprint(1);",
            "1:18",
            "`strng` is no type",
            "`string`",
        ),
        (
            "//! @param n int = \"x\" how many\nprint(args.n);",
            "1:20",
            "no int",
            "`= 50`",
        ),
    ]);
}

#[test]
fn everything_is_told_at_once_in_the_order_of_the_lines() {
    let script = r#"//! Restores a group.
//!
//! @param group string the group
//! @param befor datetme when

import "nope" as nope;
let people = groups::membrs(args.group);
let rows = exchange::points_before(people, args.before, #{tgas: "x"});
print(“done”);
let total = (1 + 2;
let count = 0;
fn wave(rows) {
    print(rows.len());
    print(total);
    if rows.len() -gt 5 { rows.actvate() }
}
parallel(rows, 4, |row| { count += 1 });
exchnge::units();
"#;
    let bench = Bench::new().script(script);
    assert_snapshot!(bench.runback(&["check", "script.rhai"]), @r#"
    exit: 2
    ----- stdout -----
    script.rhai: 9 mistakes
    ----- stderr -----
    error: `datetme` is no type of an argument
     --> script.rhai:4:18
      |
    4 | //! @param befor datetme when
      |                  ^

    hint: did you mean `datetime`?

    error: cannot import `nope`: there is no such file
     --> script.rhai:6:8
      |
    6 | import "nope" as nope;
      |        ^

    hint: `nope.rhai` is looked for in the script's folder

    error: there is no function `groups::membrs`
     --> script.rhai:7:22
      |
    7 | let people = groups::membrs(args.group);
      |                      ^

    hint: did you mean `groups::members`?

    error: there is no option `tgas` here
     --> script.rhai:8:59
      |
    8 | let rows = exchange::points_before(people, args.before, #{tgas: "x"});
      |                                                           ^

    hint: did you mean `tags`?

    error: `“` is a typographic quote
     --> script.rhai:9:7
      |
    9 | print(“done”);
      |       ^

    hint: write `"`; word processors and chat programs change it

    error: the `(` that stands here is never closed
      --> script.rhai:10:13
       |
    10 | let total = (1 + 2;
       |             ^

    hint: close it by `)`

    error: `-gt` is an operator of PowerShell
      --> script.rhai:15:19
       |
    15 |     if rows.len() -gt 5 { rows.actvate() }
       |                   ^

    hint: write `>`

    error: `count` is captured by the closure of `parallel`: what is assigned to it there is lost
      --> script.rhai:17:27
       |
    17 | parallel(rows, 4, |row| { count += 1 });
       |                           ^

    hint: let the closure return the value: `parallel` gives the results back

    error: there is no namespace `exchnge`
      --> script.rhai:18:1
       |
    18 | exchnge::units();
       | ^

    hint: did you mean `exchange`?
    "#);
}

#[test]
fn an_argument_that_nobody_asks_for_is_a_warning() {
    let script = "//! @param group string who\n//! @param idle int = 5 unused\nprint(args.group);";
    assert_snapshot!(check(script), @"
    exit: 0
    ----- stdout -----
    script.rhai: no mistakes, 1 warning; it does not talk to the tenant
    ----- stderr -----
    warning: the argument `idle` is never used
     --> script.rhai:2:12
      |
    2 | //! @param idle int = 5 unused
      |            ^

    hint: write `args.idle` where its value is needed, or take its `@param` line away
    ");
    // Where all of them may be meant, nobody can say.
    for all in ["print(args);", "let name = \"idle\"; print(args[name]);"] {
        let done = check(&format!("//! @param idle int = 5 x\n{all}")).expect(0);
        assert_eq!(done.stderr, "", "{all}");
    }
    // Imported files see arguments too.
    let bench = Bench::new()
        .script("//! @param idle int = 5 x\nimport \"lib\" as lib;\nlib::f();")
        .file("lib.rhai", "fn f() { args.idle }");
    assert_eq!(
        bench.runback(&["check", "script.rhai"]).expect(0).stderr,
        ""
    );
}

#[test]
fn a_key_that_a_map_has_not_got_is_a_warning() {
    let done = check("let options = #{name: 1};\nprint(options.nmae);").expect(0);
    assert!(
        done.stderr.starts_with(
            "warning: the map has no key `nmae`: this is `()`\n --> script.rhai:2:15\n"
        ),
        "{done}"
    );
    assert!(done.stderr.contains("hint: did you mean `name`?"), "{done}");
}

#[test]
fn editors_get_one_document() {
    let bench = Bench::new()
        .script("//! @param idle int = 5 x\nlet rows = [];\nprint(rwos);")
        .file(
            "fine.rhai",
            "let s = exchange::create_session(); s.delete();",
        )
        .flags(&["--format", "json"]);
    let done = bench
        .runback(&["check", "script.rhai", "fine.rhai", "missing.rhai"])
        .expect(2);
    assert_eq!(done.stderr, "");
    let documents = done.json();
    assert_eq!(
        documents,
        [json!({
            "schema": 1,
            "ok": false,
            "diagnostics": [
                {
                    "file": "script.rhai", "line": 1, "column": 12, "end_column": 16,
                    "severity": "warning", "code": "UnusedArgument",
                    "message": "the argument `idle` is never used",
                    "hint": "write `args.idle` where its value is needed, or take its `@param` line away",
                },
                {
                    "file": "script.rhai", "line": 3, "column": 7, "end_column": 11,
                    "severity": "error", "code": "NoSuchVariable",
                    "message": "there is no variable `rwos`", "hint": "did you mean `rows`?",
                },
                {
                    "file": "missing.rhai", "line": null, "column": null, "end_column": null,
                    "severity": "error", "code": "NoSuchFile",
                    "message": "there is no file `missing.rhai`", "hint": null,
                },
            ],
            "scripts": [
                {"file": "script.rhai", "errors": 1, "warnings": 1, "denials": 0, "abilities": null},
                {"file": "fine.rhai", "errors": 0, "warnings": 0, "denials": 0, "abilities": {
                    "reads": false, "drafts": true, "activates": false, "deletes": true, "changes": false,
                    "workloads": ["exchange"],
                    "summary": "at most it drafts and deletes, in exchange; it activates nothing",
                }},
                {"file": "missing.rhai", "errors": 1, "warnings": 0, "denials": 0, "abilities": null},
            ],
            "policy": null,
        })]
    );
    let help = bench.runback(&["check", "--help"]).expect(0).stdout;
    for field in ["end_column", "severity", "\"scripts\"", "abilities"] {
        assert!(help.contains(field), "{help}");
    }
}

fn from_stdin(bench: &Bench, words: &[&str], input: &[u8]) -> Done {
    let mut command = bench.command();
    command
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that has read enough closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    bench.done(child)
}

#[test]
fn a_script_from_the_standard_input() {
    let bench = Bench::new().file("lib.rhai", "fn f() { 1 }");
    let done = from_stdin(
        &bench,
        &["check", "-"],
        b"import \"lib\" as lib;\nlib::f(1);",
    )
    .expect(2);
    assert!(done.stderr.contains("--> <stdin>:2:6"), "{done}");
    let done = from_stdin(&bench, &["check", "-"], b"print(1);").expect(0);
    assert_eq!(
        done.stdout,
        "<stdin>: no mistakes; it does not talk to the tenant\n"
    );
    let done = from_stdin(&bench, &["check", "-", "-"], b"print(1);").expect(2);
    assert!(done.stderr.contains("`-` is given twice"), "{done}");
    let done = from_stdin(&bench, &["check", "-"], &vec![b' '; 3 << 20]).expect(2);
    assert!(done.stderr.contains("larger than 1 MiB"), "{done}");
}

#[test]
fn imported_files_are_looked_at_too() {
    let bench = Bench::new()
        .script("import \"lib/one\" as one;\none::f();")
        .file(
            "lib/one.rhai",
            "import \"two\" as two;\nfn f() {\n    two::g(1, 2);\n    pirnt(1);\n}",
        )
        .file("lib/two.rhai", "fn g(x) { y }\nfn h( { }\n");
    assert_snapshot!(bench.runback(&["check", "script.rhai"]), @"
    exit: 2
    ----- stdout -----
    script.rhai: 3 mistakes
    ----- stderr -----
    error: there is no function `pirnt`
     --> lib/one.rhai:4:5
      |
    4 |     pirnt(1);
      |     ^

    hint: did you mean `print`?

    error: there is no variable `y`
     --> lib/two.rhai:1:11
      |
    1 | fn g(x) { y }
      |           ^

    hint: a variable begins with `let y = …;`

    error: the `(` that stands here is never closed
     --> lib/two.rhai:2:5
      |
    2 | fn h( { }
      |     ^

    hint: close it by `)`
    ");
    let bench = Bench::new()
        .script("import \"a\" as a;\nimport \"../outside\" as o;\nimport \"gone\" as g;\nimport \"std/wavse\" as w;")
        .file("a.rhai", "import \"b\" as b;")
        .file("b.rhai", "import \"a\" as a;");
    assert_snapshot!(bench.runback(&["check", "script.rhai"]), @r#"
    exit: 2
    ----- stdout -----
    script.rhai: 4 mistakes
    ----- stderr -----
    error: cannot import `../outside`: it lies outside the script's folder
     --> script.rhai:2:8
      |
    2 | import "../outside" as o;
      |        ^

    hint: imports come from that folder, from folders in it, and from `std/`

    error: cannot import `gone`: there is no such file
     --> script.rhai:3:8
      |
    3 | import "gone" as g;
      |        ^

    hint: `gone.rhai` is looked for in the script's folder

    error: cannot import `std/wavse`: the standard library has no such part
     --> script.rhai:4:8
      |
    4 | import "std/wavse" as w;
      |        ^

    hint: did you mean `std/waves`?

    error: cannot import `a`: it imports itself, directly or through others
     --> b.rhai:1:8
      |
    1 | import "a" as a;
      |        ^

    hint: move what both need into a file of its own
    "#);
}

#[test]
#[allow(clippy::case_sensitive_file_extension_comparisons)] // our own files
fn every_runbook_of_ours_passes() {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut files = Vec::new();
    for folder in ["scripts", "stdlib"] {
        for entry in std::fs::read_dir(format!("{root}/{folder}")).unwrap() {
            files.push(entry.unwrap().path().display().to_string());
        }
    }
    files.retain(|file| file.ends_with(".rhai"));
    assert!(files.len() >= 6, "{files:?}");
    let mut words = vec!["check"];
    words.extend(files.iter().map(String::as_str));
    let done = Bench::new().runback(&words).expect(0);
    assert_eq!(done.stderr, "");
    // And those in the README.
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    for part in readme.split("```rhai\n").skip(1) {
        let text = part.split("```").next().unwrap();
        let done = check(text).expect(0);
        assert_eq!(done.stderr, "", "{text}");
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table, or one story
fn what_a_script_can_do_at_most() {
    let session = "let s = exchange::create_session(); ";
    for (text, said) in [
        ("print(1);".to_owned(), "it does not talk to the tenant"),
        (
            "csv::write(\"x.csv\", []);".to_owned(),
            "it does not talk to the tenant",
        ),
        (
            "users::list().count()".to_owned(),
            "it only reads the tenant and changes nothing",
        ),
        (
            "graph::get(\"/users\")".to_owned(),
            "it only reads the tenant and changes nothing",
        ),
        (
            "let a = [1]; a.remove(0); let m = #{a: 1}; m.remove(\"a\"); [1].filter(|x| x > 0);"
                .to_owned(),
            "it does not talk to the tenant",
        ),
        (
            session.to_owned(),
            "at most it drafts, in exchange; it neither activates nor deletes",
        ),
        (
            format!("{session}s.activate();"),
            "at most it drafts and activates, in exchange; it deletes nothing",
        ),
        // Whatever way it is called.
        (
            format!("{session}activate(s);"),
            "at most it drafts and activates, in exchange; it deletes nothing",
        ),
        (
            format!("{session}Fn(\"activate\").call(s);"),
            "at most it drafts and activates, in exchange; it deletes nothing",
        ),
        (
            format!("fn go_on(s) {{ s.activate() }} {session}[s].map(go_on);"),
            "at most it drafts and activates, in exchange; it deletes nothing",
        ),
        (
            format!("{session}let f = |x| x.activate(); f.call(s);"),
            "at most it drafts and activates, in exchange; it deletes nothing",
        ),
        (
            format!("{session}let x = loop {{ break s.activate() }};"),
            "at most it drafts and activates, in exchange; it deletes nothing",
        ),
        (
            format!("{session}switch 1 {{ 1 => s.activate(), _ => () }}"),
            "at most it drafts and activates, in exchange; it deletes nothing",
        ),
        (
            "sessions::get(\"x\").activate();".to_owned(),
            "at most it reads and activates, in exchange, onedrive and sharepoint; it deletes nothing",
        ),
        (
            "import \"std/waves\" as waves; waves::run([]);".to_owned(),
            "at most it reads, drafts and activates, in exchange, onedrive and sharepoint; it deletes nothing",
        ),
        (
            "import \"std/waves\" as waves; waves::by_priority([], []);".to_owned(),
            "it does not talk to the tenant",
        ),
        // What is never called does nothing.
        (
            "fn unused() { sessions::get(\"x\").activate() }".to_owned(),
            "it does not talk to the tenant",
        ),
        (
            "graph::post(\"/solutions/backupRestore/exchangeRestoreSessions/1/activate\");"
                .to_owned(),
            "at most it activates, in exchange; it deletes nothing",
        ),
        (
            "graph::delete(\"/users/\" + \"x\");".to_owned(),
            "at most it deletes, in exchange, onedrive and sharepoint; it activates nothing",
        ),
        (
            "graph::post(\"/solutions/backupRestore/restorePoints/search\", #{});".to_owned(),
            "it only reads the tenant and changes nothing",
        ),
        (
            "let id = 5; graph::post(`/solutions/backupRestore/restorePoints/${id}`, #{});"
                .to_owned(),
            "at most it changes whatever `graph::` reaches, in exchange, onedrive and sharepoint",
        ),
    ] {
        assert_eq!(abilities(&text), said, "{text}");
    }
    let bench = Bench::new()
        .script("import \"lib\" as lib;\nlib::f([1]);")
        .file(
            "lib.rhai",
            "import \"deep\" as deep;\nfn f(x) { x.each(|y| deep::g(y)) }",
        )
        .file(
            "deep.rhai",
            "fn g(id) { exchange::session(`${id}`).delete() }",
        );
    let done = bench.runback(&["check", "script.rhai"]).expect(0);
    assert_eq!(
        done.stdout,
        "script.rhai: no mistakes; at most it reads and deletes, in exchange; it activates nothing\n"
    );
}

#[test]
fn odd_files_are_told_as_what_they_are() {
    let bench = Bench::new()
        .file("empty.rhai", "")
        .file("comments.rhai", "// nothing\n/* at all */\n")
        .file("binary.rhai", b"\x7fELF\x02\x01\x01\0\0\0\0\0\xff\xfe\xfd")
        .file("latin1.rhai", b"let x = 1;\nprint(\"caf\xe9\");")
        .file(
            "utf16.rhai",
            "print(1);"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
        )
        .file("bom.rhai", "\u{feff}print(1);")
        .file("shebang.rhai", "#!/usr/bin/env -S runback run\nprint(1);")
        .file("crlf.rhai", "let x = 1;\r\n\tprint(y);\r\n")
        .file("folder/x.rhai", "1");
    for (name, code, said) in [
        ("empty.rhai", 2, "is empty"),
        ("comments.rhai", 0, "does not talk to the tenant"),
        ("binary.rhai", 2, "text"),
        ("latin1.rhai", 2, "is no UTF-8 text (line 2)"),
        ("utf16.rhai", 2, "is UTF-16"),
        ("bom.rhai", 0, ""),
        ("shebang.rhai", 0, ""),
        ("crlf.rhai", 2, "crlf.rhai:2:8"),
        ("folder", 2, "is a folder"),
        ("gone.rhai", 2, "there is no file"),
        ("comment.rhai", 2, "did you mean `comments.rhai`?"),
    ] {
        let done = bench.runback(&["check", name]).expect(code);
        assert!(done.to_string().contains(said), "{name}\n{done}");
    }
    #[cfg(target_os = "linux")]
    {
        let done = bench.runback(&["check", "/dev/zero"]).expect(2);
        assert!(done.stderr.contains("larger than 1 MiB"), "{done}");
    }
}

/// Takes over a second: the engine needs that long for a megabyte in a build without optimisation.
#[test]
fn large_and_deep_scripts_do_no_harm() {
    let many = "let x = 1 + 2; print(x);\n".repeat(20_000);
    let done = check(&many).expect(0);
    assert_eq!(done.stderr, "", "{done}");
    for (what, text, said) in [
        (
            "brackets",
            "let x = ".to_owned() + &"(".repeat(200_000),
            "nested too deeply",
        ),
        (
            "arrays",
            format!("let x = {}{};", "[".repeat(9_000), "]".repeat(9_000)),
            "nested too deeply",
        ),
        (
            "blocks",
            format!("{}{}", "{".repeat(9_000), "}".repeat(9_000)),
            "nested too deeply",
        ),
        (
            "a sum",
            format!("let x = 1{};", "+1".repeat(100_000)),
            "nested too deeply",
        ),
        (
            "a chain",
            format!("let x = #{{}}; x{};", ".a".repeat(100_000)),
            "nested too deeply",
        ),
        (
            "else",
            format!("if true {{ }} {}", "else if true { } ".repeat(30_000)),
            "nested too deeply",
        ),
        (
            "templates",
            format!("let x = `{}", "${`".repeat(20_000)),
            "",
        ),
        (
            "a long line",
            format!("{}print(nope);", "let x = 1; ".repeat(20_000)),
            "no variable `nope`",
        ),
        (
            "many mistakes",
            "let x = y1 z;\n".repeat(20_000),
            "mistakes",
        ),
        (
            "nothing but commas",
            ",".repeat(100_000),
            "`,` is not expected",
        ),
    ] {
        let done = check(&text).expect(2);
        assert!(
            done.to_string().contains(said),
            "{what}\n{}",
            done.stderr.chars().take(500).collect::<String>()
        );
        let widest = done.stderr.lines().map(|line| line.chars().count()).max();
        assert!(widest < Some(200), "{what}");
        assert!(done.stderr.lines().count() < 500, "{what}");
    }
}

#[test]
fn the_caret_stands_under_its_column() {
    for line in [
        "\tprint(nope);",
        "print(\"日本語\", nope);",
        "  \t print(`${1}é€`, nope);",
        "print(\"e\u{301}\", nope);",
    ] {
        let text = line.replace("print(", "debug([").replace("nope", "nope]");
        let done = check(&text).expect(2);
        let lines: Vec<&str> = done.stderr.lines().collect();
        let caret = lines[4].find('^').unwrap();
        let shown = &lines[3];
        // Columns on a terminal: wide characters take two, combining ones none.
        let before = &shown[..shown.find("nope").unwrap()];
        assert_eq!(
            unicode_width::UnicodeWidthStr::width(before),
            caret,
            "{done}"
        );
    }
    let found = diagnostics("debug([\"日本\", nope]);");
    assert_eq!(
        (&found[0]["column"], &found[0]["end_column"]),
        (&json!(14), &json!(18))
    );
}

#[test]
fn a_script_is_checked_before_it_runs() {
    let bench = Bench::new()
        .script("print(\"ran\");\nif false { exchnge::units(); pirnt(1); }")
        .flags(&["--report", "out.json"]);
    let done = bench.run().expect(2);
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains("`exchnge`"), "{done}");
    let result: Value = serde_json::from_str(&bench.read("out.json")).unwrap();
    assert_eq!(
        (&result["error"]["code"], &result["error"]["line"]),
        (&json!("NoSuchModule"), &json!(2))
    );
    // A warning keeps nobody from running.
    let done = Bench::new()
        .script("//! @param idle int = 5 x\nprint(\"ran\");")
        .run()
        .expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("ran\n", ""));
}

/// The way to fall over on purpose is in debug builds only.
#[cfg(debug_assertions)]
mod bugs {
    use super::*;

    fn falls_over(asked: &str, script: &str) -> (Bench, Done) {
        let bench = Bench::new()
            .script(script)
            .arguments(&["who=Rania Shah"])
            .variable("RUNBACK_TEST_PANIC", asked)
            .variable("RUNBACK_ACCESS_TOKEN", "very-secret-token")
            .flags(&["--report", "out.json"]);
        let done = bench.run().expect(70);
        (bench, done)
    }

    #[test]
    fn a_bug_is_a_report_to_send_and_exit_70() {
        let header = "//! @param who string a person\nlet who = args.who;\n";
        for (what, asked, body) in [
            ("the script's own thread", "now", "now();"),
            ("a worker", "now", "parallel([1, 2, 3], 2, |x| now());"),
            (
                "inside try",
                "now",
                "try { now(); } catch { } print(\"went on\");",
            ),
            ("a task in the background", "spawned:now", "now();"),
        ] {
            let (bench, done) = falls_over(asked, &format!("{header}{body}"));
            assert!(
                done.stderr.starts_with("error: a bug in runback: "),
                "{what}\n{done}"
            );
            let version = format!("runback {}, ", env!("CARGO_PKG_VERSION"));
            for said in [
                version.as_str(),
                "command `run`",
                "src/script/host.rs:",
                "in thread `",
                "hint: ",
            ] {
                assert!(done.stderr.contains(said), "{what}: {said}\n{done}");
            }
            assert!(!done.stdout.contains("went on"), "{what}\n{done}");
            // No values of arguments, no secrets.
            for hidden in ["Rania", "very-secret"] {
                assert!(!done.stderr.contains(hidden), "{what}\n{done}");
            }
            let result: Value = serde_json::from_str(&bench.read("out.json")).unwrap();
            assert_eq!(
                (&result["exit"], &result["error"]["code"]),
                (&json!(70), &json!("Bug")),
                "{what}"
            );
            assert_eq!(bench.result(), result, "{what}");
        }
    }

    #[test]
    fn the_report_of_a_bug_says_where_the_script_was() {
        let script = "//! @param who string x\nfn f(x) {\n    now()\n}\nf(args.who);";
        let (_, done) = falls_over("now", script);
        assert!(done.stderr.contains(" --> script.rhai:3:5\n"), "{done}");
        assert!(
            done.stderr.contains("the script's last call was `now`"),
            "{done}"
        );
    }

    #[test]
    fn a_backtrace_is_there_for_those_who_ask() {
        let bench = Bench::new()
            .script("now();")
            .variable("RUNBACK_TEST_PANIC", "now")
            .variable("RUST_BACKTRACE", "1");
        let done = bench.run().expect(70);
        assert!(done.stderr.contains("falls_over"), "{done}");
        // Logs for machines stay lines of JSON.
        let done = bench.flags(&["--log-format", "json"]).run().expect(70);
        for line in done.stderr.lines() {
            let _: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
    }
}

#[test]
fn what_imports_from_a_library_is_looked_at_with_it() {
    let bench = Bench::new()
        .file("lib/tools.rhai", "fn two() { 2 }\nfn nothing() {}")
        .file("x.rhai", "import \"tools\" as tools; print(tools::two());")
        .file(
            "wrong.rhai",
            "import \"tools\" as tools; import \"x\" as x; print(tools::tow());",
        );
    let alone = bench.runback(&["check", "x.rhai"]).expect(2);
    assert!(alone.stderr.contains("cannot import `tools`"), "{alone}");
    bench
        .runback(&["check", "--library", "lib", "x.rhai"])
        .expect(0);
    // As in a watched folder: what lies beside the script is not what it imports.
    let wrong = bench
        .runback(&["check", "--library", "lib", "wrong.rhai"])
        .expect(2);
    for part in [
        "`x.rhai` is looked for in the libraries",
        "did you mean `tools::two`?",
    ] {
        assert!(wrong.stderr.contains(part), "{wrong}");
    }
    let none = bench
        .runback(&["check", "--library", "lbi", "x.rhai"])
        .expect(2);
    assert!(none.stderr.contains("there is no folder `lbi`"), "{none}");
}
