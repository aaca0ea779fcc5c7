//! The reports: the document itself, CSV for spreadsheets, JUnit for CI servers, a page for people.

use std::collections::HashMap;

use insta::assert_snapshot;
use roxmltree::{Document, Node};
use serde_json::Value;

use crate::support::{Bench, Chromium, Page, Served};

/// Restores a group, and leaves out people with names from everywhere.
const NIGHT: &str = r#"
    let rows = exchange::latest_points(groups::members("Finance"));
    exchange::create_session(rows, "new").activate().wait();
    skip("<script>alert(1)</script> & Söhne", "on leave", #{ok: true});
    skip("=HYPERLINK(\"x\")", "NoMailbox");
    skip("שרה כהן", "never heard of");
    skip("👩‍🚒 \u202eeksed\x00\x0b", "-1 is no reason");
    skip("María Jos\u00e9 of a department whose name goes on and on and on and on, as names of departments do", "on leave");
"#;

const REPORTS: &[&str] = &[
    "--report", "r.json", "--report", "r.csv", "--report", "r.xml", "--report", "r.html",
];

/// After a run of [`NIGHT`], with every kind of report.
fn night() -> Bench {
    let tenant = Served::fast();
    let bench = tenant
        .bench()
        .script(NIGHT)
        .flags(&["--yes"])
        .flags(REPORTS);
    bench.run().expect(1);
    bench
}

#[test]
fn the_document_knows_when_sessions_passed_from_state_to_state() {
    let bench = night();
    let result: Value = serde_json::from_str(&bench.read("r.json")).unwrap();
    assert_eq!(result, bench.result());
    let session = &result["sessions"][0];
    let times = [
        &result["started"],
        &session["created"],
        &session["activated"],
        &session["ended"],
        &result["ended"],
    ]
    .map(|time| time.as_str().unwrap());
    assert!(times.is_sorted(), "{times:?}");
    let expected: Vec<&Value> = result["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["expected"] == true)
        .collect();
    assert_eq!(expected.len(), 1);
    assert_eq!(expected[0]["name"], "<script>alert(1)</script> & Söhne");
}

#[test]
fn the_csv_has_its_header_and_runs_nothing() {
    let bench = night();
    let csv = bench.read("r.csv");
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("workload,unit,name,point,protectionDateTime,session,destination,outcome,code,reason")
    );
    assert!(csv.contains("\"'=HYPERLINK(\"\"x\"\")\""), "{csv}");
    assert!(csv.contains(",'-1 is no reason"), "{csv}");
    let items = bench.result()["items"].as_array().unwrap().len();
    assert_eq!(lines.count(), items);
}

// JUnit.

/// An element, its attributes (`!`: it must be there), the elements in it, whether it may hold text.
///
/// After `junit-10.xsd` of Jenkins' xUnit plugin, the schema that most servers agree on.
const RULES: &[(&str, &[&str], &[&str], bool)] = &[
    (
        "testsuites",
        &["name", "time", "tests", "failures", "errors"],
        &["testsuite"],
        false,
    ),
    (
        "testsuite",
        &[
            "name!",
            "tests!",
            "failures!",
            "errors!",
            "group",
            "time",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
            "file",
            "log",
            "url",
        ],
        &[
            "testsuite",
            "properties",
            "testcase",
            "system-out",
            "system-err",
        ],
        false,
    ),
    ("properties", &[], &["property"], false),
    ("property", &["name!", "value!"], &[], false),
    (
        "testcase",
        &["name!", "time", "classname", "group"],
        &["skipped", "error", "failure", "system-out", "system-err"],
        false,
    ),
    ("failure", &["type", "message"], &[], true),
    ("error", &["type", "message"], &[], true),
    ("skipped", &["type", "message"], &[], true),
];

#[track_caller]
fn follows_the_rules(node: Node<'_, '_>) {
    let name = node.tag_name().name();
    let rule = RULES.iter().find(|(known, ..)| *known == name);
    let (_, attributes, children, text) = rule.unwrap_or_else(|| panic!("<{name}>"));
    for attribute in node.attributes() {
        let known = |rule: &&&str| rule.trim_end_matches('!') == attribute.name();
        assert!(
            attributes.iter().any(|rule| known(&rule)),
            "<{name} {}>",
            attribute.name()
        );
    }
    for required in attributes.iter().filter_map(|rule| rule.strip_suffix('!')) {
        assert!(node.has_attribute(required), "<{name}> without {required}");
    }
    if let Some(time) = node.attribute("time") {
        assert!(time.parse::<f64>().is_ok_and(|time| time >= 0.0), "{time}");
    }
    for child in node.children() {
        if child.is_element() {
            let inner = child.tag_name().name();
            assert!(children.contains(&inner), "<{inner}> in <{name}>");
            follows_the_rules(child);
        } else if !text {
            assert_eq!(
                child.text().unwrap_or_default().trim(),
                "",
                "text in <{name}>"
            );
        }
    }
}

/// Suites by name: tests, failures, errors, skipped, as they say and as they hold.
#[track_caller]
fn suites(document: &Document<'_>) -> HashMap<String, [usize; 4]> {
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    follows_the_rules(root);
    let mut sums = [0; 3];
    let suites = root.children().filter(Node::is_element).map(|suite| {
        let said = ["tests", "failures", "errors", "skipped"]
            .map(|name| suite.attribute(name).unwrap().parse::<usize>().unwrap());
        let cases = || {
            suite
                .children()
                .filter(|node| node.has_tag_name("testcase"))
        };
        let holding = |inner: &str| {
            let has = |case: &Node<'_, '_>| case.children().any(|node| node.has_tag_name(inner));
            cases().filter(has).count()
        };
        let held = [
            cases().count(),
            holding("failure"),
            holding("error"),
            holding("skipped"),
        ];
        assert_eq!(said, held);
        let names: std::collections::HashSet<_> =
            cases().map(|case| case.attribute("name")).collect();
        assert_eq!(names.len(), held[0], "no two test cases of one name");
        for (sum, count) in sums.iter_mut().zip(said) {
            *sum += count;
        }
        (suite.attribute("name").unwrap().to_owned(), said)
    });
    let suites = suites.collect();
    let whole = ["tests", "failures", "errors"]
        .map(|name| root.attribute(name).unwrap().parse::<usize>().unwrap());
    assert_eq!(whole, sums);
    suites
}

#[test]
fn the_xml_is_junit_that_ci_servers_read() {
    let bench = night();
    let xml = bench.read("r.xml");
    let document = Document::parse(&xml).unwrap();
    let [asked, succeeded, failed, skipped, _] =
        bench.books().map(|count| usize::try_from(count).unwrap());
    assert_eq!((asked, failed), (succeeded + skipped, 0));
    assert_eq!(
        suites(&document),
        HashMap::from([("exchange".to_owned(), [asked, 0, 0, skipped])])
    );
    let suite = document.root_element().first_element_child().unwrap();
    let timestamp = suite.attribute("timestamp").unwrap();
    assert!(
        bench.result()["started"]
            .as_str()
            .unwrap()
            .starts_with(timestamp)
    );
    let case = |name: &str| {
        let is = |node: &Node<'_, '_>| {
            node.has_tag_name("testcase") && node.attribute("name") == Some(name)
        };
        document
            .descendants()
            .find(is)
            .unwrap_or_else(|| panic!("{name}"))
    };
    let left_out = case("<script>alert(1)</script> & Söhne");
    assert_eq!(left_out.attribute("classname"), Some("runback.exchange"));
    let skipped = left_out.first_element_child().unwrap();
    assert_eq!(
        skipped.attribute("message"),
        Some("SkippedByScript: on leave")
    );
    // What XML may not hold is written out, what it may hold stays.
    case("👩‍🚒 \u{202e}eksed\\u{0}\\u{b}");
    assert!(!xml.contains('\0'));
}

#[test]
fn each_outcome_is_what_ci_servers_call_it() {
    let tenant = Served::fast();
    let group = r#"exchange::latest_points(groups::members("Executives"))"#;
    let find = tenant.bench().script(&format!("{group}[2].unit.id"));
    tenant.breaks("hold", find.run().expect(0).stdout.trim());
    // Nobody waits for the second session: what becomes of its items is not known.
    let script = format!(
        "let rows = {group}; exchange::create_session(rows.extract(0, 4), \"new\").activate().wait(); \
         exchange::create_session(rows.extract(4, 2), \"new\").activate(); ()"
    );
    let bench = tenant
        .bench()
        .script(&script)
        .flags(&["--yes", "--no-wait"])
        .flags(REPORTS);
    bench.run().expect(3);
    assert_eq!(bench.books(), [6, 3, 1, 0, 2]);
    let xml = bench.read("r.xml");
    let document = Document::parse(&xml).unwrap();
    assert_eq!(
        suites(&document),
        HashMap::from([("exchange".to_owned(), [6, 1, 2, 0])])
    );
    let failure = document
        .descendants()
        .find(|node| node.has_tag_name("failure"))
        .unwrap();
    assert_eq!(failure.attribute("type"), Some("ArtifactCannotBeRestored"));
    assert!(
        failure.text().unwrap().contains("restore point: 20"),
        "{xml}"
    );
    let page = bench.read("r.html");
    assert!(page.contains("3 of 6 mailboxes were restored"), "{page}");
    assert!(page.contains("end not seen"));
}

#[test]
fn a_run_that_never_began_is_in_every_report() {
    let bench = Bench::new()
        .script("//! @param x int a number\nlet x = 1;\nlet y = ;")
        .flags(REPORTS);
    bench.run().expect(2);
    assert_eq!(
        bench.read("r.csv"),
        "workload,unit,name,point,protectionDateTime,session,destination,outcome,code,reason\n"
    );
    let xml = bench.read("r.xml");
    let document = Document::parse(&xml).unwrap();
    assert_eq!(
        suites(&document),
        HashMap::from([("run".to_owned(), [2, 0, 2, 0])])
    );
    let error = document
        .descendants()
        .rfind(|node| node.has_tag_name("error"))
        .unwrap();
    assert_snapshot!(error.text().unwrap(), @"
    at script.rhai:3:9
      let y = ;
    ");
    let page = bench.read("r.html");
    for part in [
        "<h1>Stopped before anything was changed</h1>",
        "script.rhai:3:9",
        "<span class=\"line\">3</span>let y = <mark>;</mark>",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
}

#[test]
fn every_mistake_of_the_arguments_is_in_the_reports() {
    let bench = Bench::new()
        .script("//! @param x int a number\n//! @param y int another\n1")
        .flags(REPORTS);
    bench.run().expect(2);
    let result: Value = serde_json::from_str(&bench.read("r.json")).unwrap();
    assert_eq!(result["error"]["message"], "argument `x` is missing");
    assert_eq!(
        result["further_errors"][0]["message"],
        "argument `y` is missing"
    );
    let xml = bench.read("r.xml");
    assert_eq!(suites(&Document::parse(&xml).unwrap())["run"], [2, 0, 2, 0]);
    let page = bench.read("r.html");
    assert!(page.contains("argument `x` is missing") && page.contains("argument `y` is missing"));
}

#[test]
fn a_run_that_asked_for_nothing_is_one_test_that_passed() {
    let bench = Bench::new()
        .script("[#{name: \"Adele\", age: 3}]")
        .flags(REPORTS);
    bench.run().expect(0);
    let xml = bench.read("r.xml");
    let document = Document::parse(&xml).unwrap();
    assert_eq!(
        suites(&document),
        HashMap::from([("run".to_owned(), [1, 0, 0, 0])])
    );
    let page = bench.read("r.html");
    assert!(
        page.contains("<h1>Nothing was to be restored</h1>"),
        "{page}"
    );
    // What a runbook that only looks has to say.
    assert!(page.contains("<td><bdi>Adele</bdi></td>"), "{page}");
}

#[test]
fn a_report_that_cannot_be_written_is_said_and_the_others_are_written() {
    let bench = Bench::new().script("1").file("folder/x", "");
    let run = |first: &str| {
        let mut command = bench.command();
        command.args(["run", "script.rhai", "--report", first, "--report", "r.xml"]);
        bench.finish(command)
    };
    let done = run("folder.html").expect(0);
    assert_eq!(done.stderr, "");
    std::fs::create_dir(bench.path("f.html")).unwrap();
    let done = run("f.html").expect(2);
    assert!(
        done.stderr
            .contains("`--report f.html` cannot be written: that is a folder"),
        "{done}"
    );
    if cfg!(target_os = "linux") {
        std::fs::remove_file(bench.path("r.xml")).unwrap();
        // A folder that takes no files, whoever asks.
        let done = run("/proc/r.html").expect(2);
        assert!(
            done.stderr.contains("`/proc/r.html` cannot be written: "),
            "{done}"
        );
        assert!(bench.read("r.xml").ends_with("</testsuites>\n"));
    }
    let left: Vec<_> = std::fs::read_dir(bench.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().ends_with(".tmp")),
        "{left:?}"
    );
}

// The page, in a browser. Each of these takes seconds: a browser starts, several times.

/// Opens the page at a place and holds what must hold for all: it loads nothing, and nothing goes wrong in it.
#[track_caller]
fn open(browser: &Chromium, bench: &Bench, place: &str) -> Page {
    let page = browser.open(&bench.path("r.html"), place);
    assert_eq!(page.console, Vec::<String>::new(), "{place}");
    page
}

/// The names in the rows that are shown.
fn names(page: &Page) -> Vec<String> {
    page.rows()
        .into_iter()
        .map(|mut cells| cells.swap_remove(1))
        .collect()
}

#[test]
fn the_page_filters_and_finds_in_a_real_browser() {
    let Some(browser) = Chromium::find() else {
        return;
    };
    assert!(browser.hears_the_console());
    let bench = night();
    let [asked, succeeded, ..] = bench.books().map(|count| usize::try_from(count).unwrap());

    let page = open(&browser, &bench, "");
    assert_eq!(page.rows().len(), asked);
    assert!(names(&page).last().is_some_and(|last| !last.is_empty()));
    let outcomes: Vec<String> = page.rows().iter().map(|cells| cells[0].clone()).collect();
    let first_good = outcomes
        .iter()
        .position(|outcome| outcome == "succeeded")
        .unwrap();
    assert!(
        outcomes[first_good..]
            .iter()
            .all(|outcome| outcome == "succeeded"),
        "{outcomes:?}"
    );
    assert!(
        outcomes.contains(&"skipped on purpose".to_owned()),
        "{outcomes:?}"
    );

    // Every word, whatever its case and marks, in names, codes, reasons and ids.
    let page = open(&browser, &bench, "#q=MARIA%20jose");
    assert_eq!(names(&page).len(), 1);
    assert!(
        page.text("count").starts_with("1 of "),
        "{}",
        page.text("count")
    );
    let page = open(&browser, &bench, "#q=nounit");
    assert_eq!(page.rows().len(), 1);
    let session = bench.result()["sessions"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = open(&browser, &bench, &format!("#q={session}"));
    assert_eq!(page.rows().len(), succeeded);

    let page = open(&browser, &bench, "#outcome=skipped&code=SkippedByScript");
    let rows = page.rows();
    assert!(
        rows.iter()
            .all(|cells| cells[6].starts_with("SkippedByScript")),
        "{rows:?}"
    );
    assert_eq!(rows.len(), 4);
    let page = open(&browser, &bench, "#q=nobody-is-called-that");
    assert_eq!(page.rows().concat(), ["No item is like that."]);
}

#[test]
fn what_the_page_keeps_as_data_is_found_too() {
    let Some(browser) = Chromium::find() else {
        return;
    };
    let bench = Bench::new()
        .script("for i in 0..5300 { skip(`Person ${i} </script>`, \"NoPoint\", #{ok: i > 40}); }")
        .flags(REPORTS);
    bench.run().expect(1);
    let page = open(&browser, &bench, "");
    assert_eq!(page.rows().len(), 100, "one page of them");
    assert_eq!(page.rows()[0][0], "skipped");
    assert_eq!(page.rows()[41][0], "skipped on purpose");
    assert_eq!(page.text("where"), "1–100 of 5,300");
    // The last one is none of the 5,000 that stand in the page as rows.
    let page = open(&browser, &bench, "#q=person%205299");
    assert_eq!(
        page.rows(),
        [[
            "skipped on purpose",
            "Person 5299 &lt;/script&gt;",
            "exchange",
            "",
            "",
            "",
            "NoPoint"
        ]]
    );
    // Without its script the page holds the first of them, and says where the others are.
    let whole = bench.read("r.html");
    assert_eq!(
        whole.matches("<tr data-outcome").count(),
        5_001,
        "rows and the template"
    );
    assert!(whole.contains("These are 5,000 of 5,300 items."));
}
