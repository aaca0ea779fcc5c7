//! What people write and hand over, bent: scripts, headers, arguments, tables.

use std::path::Path;

use rhai::{Dynamic, Map};

use crate::error::MOST_FAULTS;
use crate::fuzz::Target;
use crate::script::api::csv;
use crate::script::arguments::resolve;
use crate::script::convert;
use crate::script::{Header, Roots, Script, examine};
use crate::text::Paint;

/// Of the main thread, where scripts are read.
const MAIN_STACK: usize = 8 << 20;

const HEADER: &str = "\
//! Bring a group's mailboxes back.
//! @param group       string             Entra group, by display name or id
//! @param before      datetime = -36h    the incident
//! @param at          datetime = \"2026-11-20T03:00:00Z\"
//! @param count       int = 50           how many
//! @param share       float = 0.05
//! @param dry         bool = false       look only
//! @param wait        duration = \"1d12h\" how long
//! @param people      list = [\"a\", \"b\"] who
//! @param data        file = \"x.csv\"
";

#[test]
fn a_header_is_read_whatever_comes() {
    let seeds = [
        HEADER,
        "#!/usr/bin/env runback\n//! x\n\n// y\n//! @param a int 1\nlet x = 1;",
    ];
    let words = &[
        "//! @param ",
        "//!",
        "@param",
        "@par",
        " string ",
        " int = ",
        " float = ",
        " bool = ",
        " datetime = ",
        " duration = ",
        " list = ",
        " file = ",
        "now",
        "-1h",
        "\"",
        "[\"a\"]",
        "é",
        "=",
    ];
    Target::new("header", &seeds, words).attack(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (header, faults) = Header::read("x.rhai", &text);
        header.help("x.rhai");
        assert!(faults.iter().all(|fault| fault.place.is_some()));
        let kinds = header.parameters.iter().map(|one| one.kind.name());
        let mut said = kinds.collect::<Vec<_>>().join(" ");
        said.extend(faults.first().map(|fault| fault.message.as_str()));
        said
    });
}

#[test]
fn arguments_are_read_whatever_comes() {
    let seeds = [
        "group=Finance\nbefore=2026-11-20T03:00:00Z\ncount=7",
        "group=x\nshare=1e-3\ndry=yes\nwait=PT36H\npeople=a,b\npeople=c",
        "group=x\nat=-2d\ndata=/etc/hostname",
        "group=\nbefore=2026-11-20",
    ];
    let words = &[
        "group=", "before=", "at=", "count=", "share=", "dry=", "wait=", "people=", "data=", "=",
        ",", "\n", "now", "-1h", "Z",
    ];
    Target::new("arguments", &seeds, words).attack(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let given: Vec<(String, String)> = text
            .split('\n')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (header, _) = Header::read("x.rhai", HEADER);
        let now = "2026-11-24T02:00:00Z".parse().unwrap();
        match resolve(&header, &given, now, Path::new("/nonexistent")) {
            Ok(args) => args.to_json().to_string(),
            Err(faults) => faults.last().unwrap().message.clone(),
        }
    });
}

/// Scripts of a megabyte that are hard on whoever reads them: each comes to an end, and says no more than a person can read.
#[test]
fn a_huge_script_is_read_and_checked_in_time() {
    const SIZE: usize = (1 << 20) - 100;
    let many = |piece: &str| piece.repeat(SIZE / piece.len());
    let nested = |open: &str, close: &str| {
        let depth = SIZE / (open.len() + close.len());
        format!("{}{}", open.repeat(depth), close.repeat(depth))
    };
    let scripts = [
        many("#"),
        many("x;\n"),
        many("let ;\n"),
        many("“"),
        many("\"\n"),
        (0..40_000)
            .map(|n| format!("//! @param a{n} int x\n"))
            .collect::<Vec<_>>()
            .concat(),
        many("f();\n"),
        many("//! @param\n"),
        many("//! @param a int 1\n"),
        many("import \"a\" as x; "),
        format!("{}();", "x".repeat(SIZE)),
        format!("//! @param {} string", "x".repeat(SIZE)),
        format!("//! @param x list = {}", "[".repeat(SIZE - 50)),
        format!("let x = 1{};", "+1".repeat(SIZE / 2 - 20)),
        format!("let a = 1; let x = a{};", ".b()".repeat(SIZE / 4 - 20)),
        format!("let x = {}true;", "!".repeat(SIZE - 50)),
        nested("[", "]"),
        nested("{", "}"),
        nested("(", ")"),
        nested("if true {", "}"),
        nested("`${", "}`"),
        nested("/*", "*/"),
        nested("|x| ", ""),
        nested("fn f(){", "}"),
    ];
    for script in scripts {
        let begun = std::time::Instant::now();
        let start = script.chars().take(20).collect::<String>();
        let examined = examine("x.rhai", script.as_bytes(), &Roots::default());
        let count = examined.findings.len();
        assert!(count <= 3 * MOST_FAULTS, "{start}: {count}");
        for finding in &examined.findings {
            let said = finding.fault.render(Paint::Plain);
            assert!(said.len() < 10_000, "{start}: {}", said.len());
        }
        // A debug build on a busy machine takes seconds; what was quadratic took minutes.
        assert!(
            begun.elapsed().as_secs() < 60,
            "{start}: {:?}",
            begun.elapsed()
        );
    }
}

/// The scripts for people, the standard library, and small ones that use the rest of the language.
fn scripts() -> Vec<Vec<u8>> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<Vec<u8>> = ["scripts", "stdlib"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(home.join(folder)).unwrap())
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    all.sort();
    let small = [
        "let a = [1, 2]; for (x, i) in a { if x > i { print(`${x} ${`${i}`}`) } else { continue } }",
        "fn f(x) { switch x { 1 => 2, \"a\" if x > 1 => { return 3; } _ => () } } f(1) + 2 * 3 ?? 4",
        "let m = #{a: 1, \"b\": #{}}; m.a += 1; m?.b[\"c\"] = |x, y| x && !y || x in y;",
        "try { throw #{code: 1} } catch (e) { e.code } do { let x = 1; } until x == 1; while true { break; }",
        "import \"std/waves\" as w; const X = 0x1f_u; export X; w::run(users::list(), 'c', 1.5e3, 0b11, 1..=2);",
        "let s = #\"raw \"text\" here\"#; /* a /* b */ c */ // d\nloop { break 1 }",
        "let x = if a { 1 } else if b { 2 } else { 3 }; this.y(x)!; private fn g() {} fn int.h() { this }",
    ];
    all.extend(small.iter().map(|text| text.as_bytes().to_vec()));
    all
}

#[test]
fn a_script_is_read_and_checked_whatever_comes() {
    let words = &[
        "let ",
        "const ",
        "fn f(a) {",
        "if ",
        " else ",
        "else if x {",
        "for x in ",
        "while ",
        "loop {",
        "switch x {",
        " => ",
        "|x| ",
        "||",
        "&&",
        "??",
        "?.",
        "::",
        "#{",
        "import \"",
        "\" as x;",
        "try {",
        "} catch (e) {",
        "throw ",
        "return ",
        "`${",
        "}`",
        "#\"",
        "\"#",
        "/*",
        "*/",
        "//",
        "\n",
        ";",
        "exchange::",
        "session.",
        ".activate()",
        "args.",
        "export ",
        "global::",
        "Fn(\"",
        ".call(",
        "in ",
        "!in ",
        "**",
        "..=",
        "this",
        "+=",
        "a.b.c",
        "a[0]",
        "(",
        ")",
        "'c'",
        "0x",
        "do {",
        "until ",
    ];
    let target = Target {
        seeds: scripts(),
        ..Target::new("script", &[], words).stack(MAIN_STACK)
    };
    target.attack(|bytes| {
        let examined = examine("x.rhai", bytes, &Roots::default());
        let loaded = Script::load("x.rhai", bytes);
        // Whatever runs a script has looked at it through the first, and the second must not know better.
        assert!(examined.script.is_none() || loaded.is_ok());
        for finding in &examined.findings {
            finding.fault.render(Paint::Plain);
            finding.to_json("x.rhai");
        }
        match examined.errors().next() {
            Some(fault) => fault.message.clone(),
            None => "fine".to_owned(),
        }
    });
}

#[test]
fn a_table_is_read_whatever_comes() {
    let seeds = [
        "a;b\n1;2\n",
        "name,before,n,ok,wait\nAdele,2026-11-20T03:00:00Z,5,yes,1d\n\"x, \"\"y\"\"\",,,,\n",
        "a\tb\r\n\r\n1\t2\r\n",
        "\u{feff}a,a\n1,2",
    ];
    let words = &[
        ",",
        ";",
        "\t",
        "\"",
        "\"\"",
        "\n",
        "\r\n",
        "2026-11-20T03:00:00Z",
        "yes",
    ];
    Target::new("csv", &seeds, words).attack(|bytes| {
        let mut types = Map::new();
        if bytes.starts_with(b"name") {
            for (name, kind) in [
                ("before", "datetime"),
                ("n", "int"),
                ("ok", "bool"),
                ("wait", "duration"),
            ] {
                types.insert(name.into(), Dynamic::from(kind.to_owned()));
            }
        }
        match csv::decode("x.csv", bytes, &types) {
            Ok(rows) => format!("rows {}", rows.len().min(3)),
            Err(failure) => failure.message.split('`').step_by(2).collect(),
        }
    });
}

#[test]
fn json_becomes_values_and_json_again_whatever_comes() {
    let seeds = [
        r#"{"a":[1,-2.5e3,null,true,"é\u0000"],"b":{"c":{}}}"#,
        "18446744073709551615",
        "-0.0",
        "1e308",
    ];
    Target::new(
        "json",
        &seeds,
        &["{\"a\":", "[", "]", "}", ",", "\"", "e+", "1e309"],
    )
    .attack(|bytes| {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else {
            return "no JSON".to_owned();
        };
        let script = convert::from_json(value.clone());
        match convert::to_json(&script) {
            Ok(again) => {
                // Whole numbers beyond 64 bits with a sign are numbers with a fraction in scripts.
                assert!(
                    again == value || value.to_string().contains(|c: char| c.is_ascii_digit()),
                    "{value} {again}"
                );
                "same".to_owned()
            }
            Err(failure) => failure.message,
        }
    });
}
