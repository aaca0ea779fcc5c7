//! The result as JUnit XML, which CI servers show: a suite for each workload, a test case for each item.
//!
//! Failed items are failures, unknown ones errors, skipped ones skipped. An error that ended the run is a test case of its own,
//! in a suite of its own: a run that stopped before it asked for anything must not look like one where all went well.
//!
//! The form is that of the schema that Jenkins validates with (`junit-10.xsd` of its xUnit plugin), which other servers read too.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::reasons::code;
use super::{Outcome, Trouble, meaning};
use crate::backup::books::{Item, Outcome as Fate};
use crate::text;

/// So deep a test case stands, for its text to line up.
const INDENT: usize = 2;

/// One suite of the document.
struct Suite<'o> {
    name: &'o str,
    time: Duration,
    cases: Vec<Case<'o>>,
}

/// One test case, as viewers know them.
struct Case<'o> {
    name: Cow<'o, str>,
    time: Duration,
    end: End<'o>,
}

enum End<'o> {
    Passed,
    /// The element, its `type`, its `message`, its text.
    Not(&'static str, &'o str, Cow<'o, str>, String),
}

impl Suite<'_> {
    fn count(&self, element: &str) -> usize {
        let is = |case: &&Case| matches!(case.end, End::Not(kind, ..) if kind == element);
        self.cases.iter().filter(is).count()
    }
}

/// The whole document.
pub(crate) fn document(outcome: &Outcome) -> String {
    let suites = suites(outcome);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', INDENT);
    write(&mut writer, outcome, &suites).expect("memory takes all");
    let mut text = String::from_utf8(writer.into_inner()).expect("made of text");
    text.push('\n');
    text
}

fn suites(outcome: &Outcome) -> Vec<Suite<'_>> {
    let mut suites: Vec<Suite> = Vec::new();
    for item in &outcome.items {
        let case = Case {
            name: Cow::Borrowed(&item.name),
            // Nobody knows an item's own time; viewers add these up, and its session's would be counted for each.
            time: Duration::ZERO,
            end: end_of(item),
        };
        match suites.iter_mut().find(|suite| suite.name == item.workload) {
            Some(suite) => suite.cases.push(case),
            None => suites.push(Suite {
                name: &item.workload,
                time: time_of_sessions(outcome, &item.workload),
                cases: vec![case],
            }),
        }
    }
    let mut errors: Vec<Case> = outcome
        .errors()
        .map(|error| Case {
            name: Cow::Borrowed(&outcome.script),
            time: took(outcome),
            end: End::Not(
                "error",
                &error.code,
                Cow::Borrowed(&error.message),
                words_of(error),
            ),
        })
        .collect();
    // A document without any test case is taken for a broken one.
    if errors.is_empty() && suites.is_empty() {
        errors.push(Case {
            name: Cow::Borrowed(&outcome.script),
            time: took(outcome),
            end: End::Passed,
        });
    }
    if !errors.is_empty() {
        let run = Suite {
            name: "run",
            time: took(outcome),
            cases: errors,
        };
        suites.insert(0, run);
    }
    for suite in &mut suites {
        tell_apart(suite, &outcome.items);
    }
    suites
}

/// Viewers keep one test case of each name in a class: namesakes get their unit's id, else a number.
fn tell_apart(suite: &mut Suite<'_>, items: &[Item]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for case in &suite.cases {
        *seen.entry(case.name.to_string()).or_default() += 1;
    }
    seen.retain(|_, count| *count > 1);
    if seen.is_empty() {
        return;
    }
    let units = items.iter().filter(|item| item.workload == suite.name);
    let mut units = units.map(|item| item.unit.as_deref());
    let mut used: HashMap<String, usize> = HashMap::new();
    for case in &mut suite.cases {
        let unit = units.next().flatten();
        if !seen.contains_key(case.name.as_ref()) {
            continue;
        }
        let mut name = match unit {
            Some(unit) => format!("{} [{unit}]", case.name),
            None => case.name.to_string(),
        };
        let before = used.entry(name.clone()).or_default();
        *before += 1;
        if *before > 1 {
            let _ = write!(name, " ({before})");
        }
        case.name = Cow::Owned(name);
    }
}

fn end_of(item: &Item) -> End<'_> {
    let element = match item.outcome {
        Fate::Succeeded => return End::Passed,
        Fate::Failed => "failure",
        Fate::Skipped => "skipped",
        Fate::Unknown => "error",
    };
    let code = code(item);
    let message = match item.reason.as_deref() {
        Some(reason) if reason != code => Cow::Owned(format!("{code}: {reason}")),
        _ => Cow::Borrowed(code),
    };
    let mut words = String::new();
    if let Some(meaning) = meaning::of(code) {
        let _ = writeln!(words, "{}\n{}", meaning.what, meaning.now);
    }
    let point = item.point.as_ref();
    let time = point.and_then(|point| point.protection_date_time.as_deref());
    for (what, value) in [
        ("restore point", time),
        ("restore point id", point.map(|point| point.id.as_str())),
        ("unit", item.unit.as_deref()),
        ("destination", item.destination.as_deref()),
        ("session", item.session.as_deref()),
    ] {
        if let Some(value) = value {
            let _ = writeln!(words, "{what}: {value}");
        }
    }
    End::Not(element, code, message, words)
}

fn words_of(error: &Trouble) -> String {
    let mut words = String::new();
    if let Some(place) = error.place() {
        let _ = writeln!(words, "at {place}");
    }
    if let Some(source) = &error.source {
        let _ = writeln!(words, "  {source}");
    }
    for line in &error.context {
        let _ = writeln!(words, "{line}");
    }
    if let Some(id) = &error.request_id {
        let _ = writeln!(words, "request-id {id}");
    }
    for hint in error.hints() {
        let _ = writeln!(words, "hint: {hint}");
    }
    words
}

fn took(outcome: &Outcome) -> Duration {
    between(outcome.started, outcome.ended)
}

/// From the first activation to the last end.
fn time_of_sessions(outcome: &Outcome, workload: &str) -> Duration {
    let sessions = || {
        let sessions = outcome.sessions.iter();
        sessions.filter(|session| session.workload == workload)
    };
    let first = sessions()
        .filter_map(|session| session.times.activated)
        .min();
    let last = sessions().filter_map(|session| session.times.ended).max();
    match (first, last) {
        (Some(first), Some(last)) => between(first, last),
        _ => Duration::ZERO,
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn write(writer: &mut Writer<Vec<u8>>, outcome: &Outcome, suites: &[Suite<'_>]) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let sum = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>().to_string();
    writer
        .create_element("testsuites")
        .with_attribute(("name", allowed(&format!("runback {}", outcome.script))))
        .with_attribute(("tests", sum(|suite| suite.cases.len()).as_str()))
        .with_attribute(("failures", sum(|suite| suite.count("failure")).as_str()))
        .with_attribute(("errors", sum(|suite| suite.count("error")).as_str()))
        .with_attribute(("time", seconds(took(outcome)).as_str()))
        .write_inner_content(|writer| {
            for suite in suites {
                write_suite(writer, outcome, suite)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_suite(
    writer: &mut Writer<Vec<u8>>,
    outcome: &Outcome,
    suite: &Suite<'_>,
) -> io::Result<()> {
    let count = |element: &str| suite.count(element).to_string();
    // The strict form of the instant has no zone; it is UTC. The whole of it stands below, as a property.
    let timestamp = outcome.started.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    writer
        .create_element("testsuite")
        .with_attribute(("name", allowed(suite.name)))
        .with_attribute(("tests", suite.cases.len().to_string().as_str()))
        .with_attribute(("failures", count("failure").as_str()))
        .with_attribute(("errors", count("error").as_str()))
        .with_attribute(("skipped", count("skipped").as_str()))
        .with_attribute(("time", seconds(suite.time).as_str()))
        .with_attribute(("timestamp", timestamp.as_str()))
        .write_inner_content(|writer| {
            write_properties(writer, outcome)?;
            let class = format!("runback.{}", suite.name);
            for case in &suite.cases {
                write_case(writer, &class, case)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_properties(writer: &mut Writer<Vec<u8>>, outcome: &Outcome) -> io::Result<()> {
    let (exit, asked) = (
        outcome.exit.code().to_string(),
        outcome.books.asked.to_string(),
    );
    let (started, ended) = (
        format!("{:.3}", outcome.started),
        format!("{:.3}", outcome.ended),
    );
    let properties = [
        ("run", Some(outcome.run.as_str())),
        ("script", Some(outcome.script.as_str())),
        ("sha256", outcome.sha256.as_deref()),
        ("tenant", outcome.tenant.as_deref()),
        ("api", Some(outcome.api.as_str())),
        ("started", Some(&started)),
        ("ended", Some(&ended)),
        ("exit", Some(&exit)),
        ("asked", Some(&asked)),
    ];
    writer
        .create_element("properties")
        .write_inner_content(|writer| {
            for (name, value) in properties {
                let Some(value) = value else { continue };
                writer
                    .create_element("property")
                    .with_attribute(("name", name))
                    .with_attribute(("value", allowed(value)))
                    .write_empty()?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, class: &str, case: &Case<'_>) -> io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attribute(("classname", allowed(class)))
        .with_attribute(("name", allowed(&case.name)))
        .with_attribute(("time", seconds(case.time).as_str()));
    let End::Not(kind, code, message, words) = &case.end else {
        element.write_empty()?;
        return Ok(());
    };
    element.write_inner_content(|writer| {
        writer
            .create_element(*kind)
            .with_attribute(("type", allowed(code)))
            .with_attribute(("message", allowed(message)))
            .write_text_content(BytesText::new(&allowed(words.trim_end())))?;
        Ok(())
    })?;
    Ok(())
}

/// `8047.123`: no grouping, which half of the viewers cannot read.
fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Text that XML 1.0 may hold: everything but control characters and two that are none. They become `\u{…}`, as in logs.
fn allowed(text: &str) -> Cow<'_, str> {
    text::escaped(
        text,
        |c| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'),
    )
}
