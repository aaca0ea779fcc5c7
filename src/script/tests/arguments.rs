//! The header of a script and the arguments of a run.

use serde_json::json;

use super::bench::told;
use crate::error::Fault;
use crate::script::arguments::{Args, resolve};
use crate::script::{Header, Script};

const HEADER: &str = "\
#!/usr/bin/env -S runback run
//! Bring a group's mailboxes back.
//!
//!   an indented line
//! @param group       string             Entra group, by display name or id
//! @param before      datetime = -36h    the incident
//! @param at          datetime = now
//! @param count       int = 50           how many
//! @param share       float = 0.05
//! @param dry         bool = false       look only
//! @param wait        duration = \"1d12h\" how long
//! @param people      list = [\"a\", \"b\"] who
//! @param data        file = \"x.csv\"
//! @param destination string = \"new\"   \"new\" or \"inPlace\"
let x = 1;
//! @param late string = \"\" not a header any more
";

fn header(text: &str) -> Result<Header, Vec<Fault>> {
    let (header, faults) = Header::read("x.rhai", text);
    if faults.is_empty() {
        Ok(header)
    } else {
        Err(faults)
    }
}

fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.csv"), "a\n1\n").unwrap();
    folder
}

fn of(pairs: &[(&str, &str)]) -> Result<Args, Vec<String>> {
    let now = "2026-11-24T02:00:00Z".parse().unwrap();
    resolve(
        &header(HEADER).unwrap(),
        &given(pairs),
        now,
        folder().path(),
    )
    .map_err(|faults| faults.iter().map(told).collect())
}

#[test]
fn defaults_fill_what_is_not_given() {
    let args = of(&[("group", "Finance")]).unwrap().to_json();
    let path = args["data"].as_str().unwrap().to_owned();
    assert!(path.ends_with("/x.csv"));
    assert_eq!(
        args,
        json!({
            "group": "Finance", "before": "2026-11-22T14:00:00Z", "at": "2026-11-24T02:00:00Z", "count": 50, "share": 0.05, "dry": false,
            "wait": "PT36H", "people": ["a", "b"], "data": path, "destination": "new",
        })
    );
}

#[test]
fn every_type_is_read_from_the_command_line() {
    let args = of(&[
        ("group", "a=b, c"),
        ("before", "2026-11-20T03:00:00+01:00"),
        ("at", "-2d"),
        ("count", "-7"),
        ("share", "1e-3"),
        ("dry", "yes"),
        ("wait", "-90s"),
        ("people", "x, y"),
        ("people", "z"),
    ]);
    let args = args.unwrap().to_json();
    assert_eq!(args["group"], "a=b, c");
    assert_eq!(args["before"], "2026-11-20T02:00:00Z");
    assert_eq!(args["at"], "2026-11-22T02:00:00Z");
    assert_eq!(args["count"], -7);
    assert_eq!(args["dry"], true);
    assert_eq!(args["wait"], "-PT1M30S");
    assert_eq!(args["people"], json!(["x", "y", "z"]));
}

#[test]
fn everything_wrong_is_said_at_once_with_hints() {
    let faults = of(&[
        ("gruop", "x"),
        ("before", "2026-11-20T03:00:00"),
        ("count", "many"),
        ("count", "3"),
        ("dry", "maybe"),
        ("wait", "90"),
        ("data", "nothing.csv"),
    ]);
    assert_eq!(
        faults.unwrap_err(),
        [
            "UnknownArgument: the script has no argument `gruop` / did you mean `group`?",
            "BadArgument: argument `count` is given twice / only a list may be repeated; `count` is an int",
            "BadArgument: argument `group` is missing / add `group=…`: Entra group, by display name or id (string)",
            "BadArgument: argument `before`: `2026-11-20T03:00:00` is no datetime / say in which zone: `2026-11-20T03:00:00Z` is UTC, `+01:00` in place of `Z` is an hour ahead of it",
            "BadArgument: argument `count`: `many` is no int / a whole number such as `50`",
            "BadArgument: argument `dry`: `maybe` is no bool / `true` or `false` (`yes` and `no` will do)",
            "BadArgument: argument `wait`: `90` is no duration / `90s`, `15m`, `36h`, `2d`, `1w`, `1d12h` or `PT36H`",
            "BadArgument: argument `data`: `nothing.csv` cannot be read: no such file",
        ]
    );
}

#[test]
fn a_bad_declaration_is_an_error_with_its_place() {
    let fault = |line: &str| {
        let faults = header(&format!("//! help\n{line}\n")).expect_err(line);
        told(&faults[0])
    };
    assert_eq!(
        fault("//! @param Group string x"),
        "BadHeader: `Group` cannot be the name of an argument @x.rhai:2:12 / small letters, digits and `_`, a letter first"
    );
    assert_eq!(
        fault("//! @param group strnig x"),
        "BadHeader: `strnig` is no type of an argument @x.rhai:2:18 / did you mean `string`?"
    );
    assert!(fault("//! @param group").starts_with("BadHeader: `group` has no type @x.rhai:2:12"));
    assert!(fault("//! @param").starts_with("BadHeader: the declaration has no name @x.rhai:2:5"));
    assert!(
        fault("//! @param n int = many x")
            .starts_with("BadHeader: the default of `n` is no int @x.rhai:2:20")
    );
    assert!(fault("//! @param n int = 5.5").contains("is no int"));
    assert!(fault("//! @param n bool = yes").contains("is no bool"));
    assert!(fault("//! @param n duration = 15m").contains("a text in quotes"));
    assert!(fault("//! @param n string = new").contains("a text in quotes"));
    assert!(fault("//! @param n datetime = \"2026-11-20\"").contains("is no datetime"));
    assert!(fault("//! @param n list = \"a\" x\n//! @param n int x").contains("declared twice"));
    assert!(fault("//! @parm n int").contains("`@parm` is no declaration"));
}

#[test]
fn the_help_is_a_page() {
    let script = Script::load("restore.rhai", HEADER.as_bytes()).unwrap();
    let page = script.header.help("restore.rhai");
    assert_eq!(
        page,
        "Bring a group's mailboxes back.\n\n  an indented line\n\nUsage: runback run restore.rhai group=… [before=…] [at=…] [count=…] [share=…] [dry=…] [wait=…] [people=…] [data=…] [destination=…]\n\n\
        Arguments:\n  \
        group        string    Entra group, by display name or id\n  \
        before       datetime  the incident [default: -36h]\n  \
        at           datetime [default: now]\n  \
        count        int       how many [default: 50]\n  \
        share        float [default: 0.05]\n  \
        dry          bool      look only [default: false]\n  \
        wait         duration  how long [default: 1d12h]\n  \
        people       list      who [default: a,b]\n  \
        data         file [default: x.csv]\n  \
        destination  string    \"new\" or \"inPlace\" [default: new]\n"
    );
    assert!(
        Script::load("x.rhai", b"print(1)")
            .unwrap()
            .header
            .help("x.rhai")
            .contains("takes no arguments")
    );
}

#[test]
fn a_granted_file_is_the_only_one_outside() {
    let elsewhere = folder();
    std::fs::write(elsewhere.path().join("y.csv"), "a\n2\n").unwrap();
    let granted = elsewhere.path().join("x.csv");
    let bench = super::Bench::new().arg("data", granted.to_str().unwrap());
    let other = elsewhere.path().join("y.csv");
    let text = |read: &str| format!("//! @param data file x\ncsv::read({read})[0].a");
    assert_eq!(bench.show(&text("args.data")), "1");
    assert!(
        bench
            .show(&text(&format!("\"{}\"", other.display())))
            .starts_with("FileDenied")
    );
    assert!(
        bench
            .show("//! @param data file x\ncsv::write(args.data, [])")
            .starts_with("FileDenied")
    );
}
