//! `docs/coverage.md` cannot lie: each row's call is run, its request is looked for on the wire, and everything that passes there
//! is held against the published metadata.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::{Exchange, Recorder, Served, metadata};

const COVERAGE: &str = include_str!("../docs/coverage.md");

/// One row of the tables that speak of calls of our own.
struct Row {
    method: String,
    /// Below the version, ids in braces.
    path: String,
    versions: Vec<&'static str>,
    call: String,
    cmdlet: String,
    is_seed: bool,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut section = "";
    for line in COVERAGE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [operation, versions, call, cmdlet] = cells.as_slice() else {
            continue;
        };
        let Some((method, path)) = operation.split_once(' ') else {
            continue;
        };
        if section == "By their path" || !path.starts_with('`') {
            continue;
        }
        rows.push(Row {
            method: method.to_owned(),
            path: path
                .trim_matches('`')
                .replacen('~', "/solutions/backupRestore", 1),
            versions: match *versions {
                "v1.0 and beta" => vec!["v1.0", "beta"],
                "v1.0" => vec!["v1.0"],
                _ => vec!["beta"],
            },
            call: call.trim_matches('`').to_owned(),
            cmdlet: cmdlet.trim_matches('`').to_owned(),
            is_seed: section.starts_with("What"),
        });
    }
    assert!(rows.len() > 50);
    rows
}

impl Row {
    fn workload(&self) -> &'static str {
        if self.path.contains("oneDriveForBusiness") || self.path.contains("driveProtection") {
            "onedrive"
        } else if self.path.contains("/sharePoint") || self.path.contains("/siteProtection") {
            "sharepoint"
        } else {
            "exchange"
        }
    }

    fn is(&self, exchange: &Exchange) -> bool {
        if exchange.method != self.method {
            return false;
        }
        let own: Vec<&str> = self.path.split('/').collect();
        let path = parted(exchange).1;
        // A path to a site has slashes of its own.
        if self.path.contains(":/{") {
            return path.starts_with("/sites/") && path.contains(":/");
        }
        let there: Vec<&str> = path.split('/').collect();
        own.len() == there.len()
            && own
                .iter()
                .zip(&there)
                .all(|(own, there)| own.starts_with('{') || own.eq_ignore_ascii_case(there))
    }
}

/// The version of a request, and its path behind it.
fn parted(exchange: &Exchange) -> (&str, &str) {
    let path = exchange.path.trim_start_matches('/');
    let at = path.find('/').unwrap_or(path.len());
    path.split_at(at)
}

/// `GET /mark/7` says that the script is at row 7. Nothing is there; that is no matter.
const MARK: &str = "/mark/";

/// What stands before a call so that it can be run; the first line that fits. `{w}` is the workload, `{many}` some of its people
/// or sites, `{others}` some that are in no bulk request of this run yet, `{inputs}` what a bulk request of it takes.
const BEFORE: &[(&str, &str)] = &[
    (
        "session.add_bulk",
        "let session = {w}::create_session(); let inputs = {many}; let window = #{before: now()};",
    ),
    (
        "session.bulk_requests",
        "let session = {w}::create_session(); session.add_bulk(#{{inputs}: {others}, destination: \"new\"});",
    ),
    (
        "session.remove_bulk",
        "let session = {w}::create_session(); session.add_bulk(#{{inputs}: {many}, destination: \"new\"}); session.activate(); session.unresolved(); let request = session.bulk_requests()[0];",
    ),
    ("session.granular_artifacts", "{granular}"),
    (
        "session.add(",
        "let point = {w}::latest_points({many}).find(|row| row.point != ()).point; let session = {w}::create_session();",
    ),
    (
        "session.",
        "let session = {w}::create_session({w}::latest_points({many}).filter(|row| row.point != ()).extract(0, 1), \"new\");",
    ),
    ("browse.items(path", "{large}"),
    ("browse.", "{browse}"),
    ("{w}::browse_session(id", "{browse} let id = browse.id;"),
    (
        "{w}::create_browse_session",
        "let point = {w}::latest_points({many}, #{tags: \"fastRestore\"}).find(|row| row.point != ()).point;",
    ),
    (
        "sessions::get",
        "let id = {w}::create_session({w}::latest_points({many}).filter(|row| row.point != ()).extract(0, 1), \"new\").id;",
    ),
    ("backup::policy(", "let id = backup::policies()[0].id;"),
    ("{w}::points", "let unit = {w}::units().first();"),
    ("{w}::latest_points", "let people = {many};"),
    (
        "{w}::create_session(rows",
        "let rows = {w}::latest_points({many}).filter(|row| row.point != ()).extract(0, 1);",
    ),
    ("users::get", "let id = users::list().first().id;"),
    ("groups::get", "let id = groups::list().first().id;"),
    ("groups::members", "let group = \"Finance\";"),
    ("sites::search", "let text = \"Finance\";"),
    (
        "sites::get(id",
        "let id = sites::search(\"Finance\").first().id;",
    ),
    (
        "sites::get(url",
        "let url = sites::search(\"Finance\").first().webUrl;",
    ),
];

const BROWSE: &str = "let browse = {w}::create_browse_session({w}::latest_points({many}, #{tags: \"fastRestore\"}).find(|row| row.point != ()).point).wait();";

/// A folder of more than a page. Some units have one.
const LARGE: &str = "let browse = (); let path = ();
    for unit in {w}::units().first(8) {
        let point = {w}::latest_point(unit, #{tags: \"fastRestore\"});
        if point == () { continue; }
        browse = {w}::create_browse_session(point).wait();
        path = browse.items(\"Documents\").filter(|item| item.type == \"folder\").sort_by(\"itemsCount\").pop();
        if path.itemsCount > 100 { break; }
    }";

fn before(row: &Row) -> String {
    let workload = row.workload();
    let people = (
        "groups::members(\"Finance\")",
        "users::list().collect().extract(30, 3)",
    );
    let sites = ("sites::search(\"Finance\")", "sites::search(\"Aurora\")");
    let ((many, others), inputs) = match workload {
        "exchange" => (people, "mailboxes"),
        "onedrive" => (people, "drives"),
        _ => (sites, "siteWebUrls"),
    };
    let granular = if workload == "exchange" {
        "let session = exchange::create_granular_session(exchange::search_items(exchange::units().first(), #{query: \"subject -contains 'a'\"}));".to_owned()
    } else {
        format!(
            "{BROWSE} let session = {{w}}::create_granular_session(browse.find(\"*\", #{{limit: 3}}));"
        )
    };
    let found = BEFORE
        .iter()
        .find(|(start, _)| row.call.starts_with(&start.replace("{w}", workload)))
        .map_or("", |(_, code)| code);
    found
        .replace("{granular}", &granular)
        .replace("{browse}", BROWSE)
        .replace("{large}", LARGE)
        .replace("{inputs}", inputs)
        .replace("{w}", workload)
        .replace("{many}", many)
        .replace("{others}", others)
}

/// A script that runs every row's call, and says by marks which one it is at.
fn script(rows: &[Row]) -> String {
    let mut out = String::new();
    for (number, row) in rows.iter().enumerate() {
        // A stream asks nothing before it is read.
        let call = if row.call.contains("::list")
            || [
                "units()",
                "sessions()",
                "items(",
                "artifacts()",
                "points(unit)",
                "search(",
                "members(",
            ]
            .iter()
            .any(|stream| row.call.contains(stream))
        {
            format!("{}.count()", row.call)
        } else {
            row.call.clone()
        };
        let _ = writeln!(
            out,
            "try {{ {} attempt(|| graph::get(\"{MARK}{number}\")); {call}; }} catch (problem) {{ log::error(`failed row {number}: ${{problem.code}}: ${{problem.message}}`); }}",
            before(row)
        );
    }
    out
}

/// Runs all calls in one version and gives what passed, by row.
fn run(version: &str, rows: &[Row]) -> (Vec<Exchange>, BTreeMap<usize, Vec<Exchange>>) {
    let tenant = Served::fast();
    let recorder = Recorder::before(&tenant);
    let done = recorder
        .bench(&tenant)
        .flags(&["--yes", "--api", version])
        .script(&script(rows))
        .run();
    let exchanges = recorder.exchanges();
    let mut by_row: BTreeMap<usize, Vec<Exchange>> = BTreeMap::new();
    let mut now = None;
    for exchange in &exchanges {
        if let Some(mark) = parted(exchange).1.strip_prefix(MARK) {
            now = mark.parse().ok();
        } else if let Some(row) = now {
            by_row.entry(row).or_default().push(exchange.clone());
        }
    }
    let failed: Vec<&str> = done
        .stderr
        .lines()
        .filter(|line| line.contains("failed row"))
        .collect();
    assert!(failed.is_empty() && (0..=1).contains(&done.code), "{done}");
    (exchanges, by_row)
}

/// What is sent and answered, against the metadata of its version.
fn complaints(exchange: &Exchange) -> Vec<String> {
    let ((version, path), method) = (parted(exchange), exchange.method.as_str());
    if !path.starts_with("/solutions/backupRestore") {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    let operation = metadata::operation(version, method, path);
    if let Some(request) = operation.and_then(|operation| operation.request)
        && !exchange.body.is_null()
    {
        complaints.extend(metadata::check_body(version, request, &exchange.body));
    }
    if (200..300).contains(&exchange.status) {
        complaints.extend(metadata::check_answer(
            version,
            method,
            path,
            &exchange.answer,
        ));
    }
    for complaint in &mut complaints {
        complaint.insert_str(0, &format!("{method} {}: ", exchange.path));
    }
    complaints
}

fn every_row_is_sent(version: &str) {
    let rows: Vec<Row> = rows()
        .into_iter()
        .filter(|row| row.versions.contains(&version))
        .collect();
    let (all, by_row) = run(version, &rows);
    let mut missing = String::new();
    for (number, row) in rows.iter().enumerate() {
        let sent = by_row.get(&number).is_some_and(|exchanges| {
            exchanges.iter().any(|exchange| {
                parted(exchange).0 == version
                    && row.is(exchange)
                    && (200..300).contains(&exchange.status)
            })
        });
        if !sent {
            let _ = writeln!(missing, "{} {} by `{}`", row.method, row.path, row.call);
        }
    }
    assert_eq!(missing, "", "not sent, or not answered with 2xx");
    let mut wrong: Vec<String> = all.iter().flat_map(complaints).collect();
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// More than a hundred calls, some of which wait for restores.
#[test]
fn every_row_is_sent_in_v1() {
    every_row_is_sent("v1.0");
}

#[test]
fn every_row_is_sent_in_beta() {
    every_row_is_sent("beta");
}

#[test]
fn what_the_metadata_does_not_have_is_complained_about() {
    let exchange = |body: Value, answer: Value| Exchange {
        method: "PATCH".to_owned(),
        path: "/v1.0/solutions/backupRestore/exchangeRestoreSessions/1".to_owned(),
        query: String::new(),
        body,
        status: 200,
        answer,
    };
    let artifact =
        |destination: &str| json!({"restorePoint": {"id": "1"}, "destinationType": destination});
    let body = |artifact: Value| json!({"mailboxRestoreArtifacts@delta": [artifact]});
    let fine = exchange(body(artifact("new")), json!({}));
    assert_eq!(complaints(&fine), Vec::<String>::new());
    for wrong in [
        exchange(body(artifact("elsewhere")), json!({})),
        exchange(json!({"mailboxes": []}), json!({})),
        exchange(body(artifact("new")), json!({"state": "draft"})),
        exchange(body(artifact("new")), json!({"status": "new"})),
    ] {
        assert_eq!(complaints(&wrong).len(), 1, "{wrong:?}");
    }
}

/// The table in the program against the facts in `tests/data`.
#[test]
fn every_seed_operation_is_covered_in_both_versions() {
    let rows = rows();
    let mut seeds = 0;
    for line in include_str!("data/cmdlets.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [method, path, versions, seed, _, v1, beta] = words.as_slice() else {
            continue;
        };
        if *seed != "yes" {
            continue;
        }
        seeds += 1;
        assert_eq!(*versions, "both", "{line}");
        let row = rows
            .iter()
            .find(|row| row.is_seed && row.method == *method && row.path == *path)
            .unwrap_or_else(|| panic!("{method} {path} is missing"));
        assert_eq!(row.versions, ["v1.0", "beta"], "{path}");
        assert!(!row.call.starts_with("graph::"), "{path}: {}", row.call);
        let cmdlet = match (*v1, *beta) {
            ("-", "-") => "none",
            ("-", beta) => beta,
            (v1, _) => v1,
        };
        assert_eq!(row.cmdlet, cmdlet, "{path}");
    }
    assert_eq!(seeds, 27);
    assert_eq!(rows.iter().filter(|row| row.is_seed).count(), seeds);
}
