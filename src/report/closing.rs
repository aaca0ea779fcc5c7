//! The last lines of a run on stderr: what happened, what did not, what to look at next.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::Outcome;
use super::reasons::{reasons, word};
use crate::backup::books::{Item, Outcome as Fate};
use crate::text::{self, Paint};

/// So many items are named; the others stand in the report.
const NAMED: usize = 5;

/// The closing block. Empty for a run that asked for nothing and changed nothing.
///
/// `report`: where all of it can be read.
pub(crate) fn block(outcome: &Outcome, report: Option<&Path>, paint: Paint) -> String {
    let mut out = String::new();
    if outcome.items.is_empty() && outcome.sessions.is_empty() {
        return out;
    }
    let books = &outcome.books;
    let count = |count: usize| text::number(count as u64);
    let _ = writeln!(
        out,
        "asked {} = succeeded {} + failed {} + skipped {} + unknown {}",
        count(books.asked),
        paint.bold(&count(books.succeeded)),
        bad(books.failed, paint),
        count(books.skipped),
        bad(books.unknown, paint),
    );
    counted(&mut out, &outcome.items);
    named(&mut out, &outcome.items, report);
    warned(&mut out, outcome);
    going_on(&mut out, outcome);
    let _ = writeln!(out, "{}", cost(outcome));
    if let Some(report) = report.filter(|_| books.succeeded < books.asked) {
        let _ = writeln!(out, "every item, with its reason: {}", report.display());
    }
    out
}

fn bad(count: usize, paint: Paint) -> String {
    let text = text::number(count as u64);
    if count > 0 { paint.red(&text) } else { text }
}

/// How many items ended for each reason.
fn counted(out: &mut String, items: &[Item]) {
    for reason in reasons(items) {
        let _ = writeln!(
            out,
            "  {:<7}  {:>6}  {}",
            word(reason.outcome),
            text::number(reason.count as u64),
            text::one_line(reason.code)
        );
    }
}

/// The first few items that a person may have to look after.
fn named(out: &mut String, items: &[Item], report: Option<&Path>) {
    let troubled = |item: &&Item| item.outcome != Fate::Succeeded && !item.expected;
    let total = items.iter().filter(troubled).count();
    if total == 0 {
        return;
    }
    out.push('\n');
    let worst = |wanted: Fate| {
        items
            .iter()
            .filter(troubled)
            .filter(move |item| item.outcome == wanted)
    };
    let first = worst(Fate::Unknown)
        .chain(worst(Fate::Failed))
        .chain(worst(Fate::Skipped))
        .take(NAMED);
    for item in first {
        let why = match (&item.code, &item.reason) {
            (Some(code), Some(reason)) if reason != code => format!("{code}, {reason}"),
            (Some(why), _) | (None, Some(why)) => why.clone(),
            (None, None) => "no reason given".to_owned(),
        };
        let _ = writeln!(
            out,
            "  {:<7}  {} ({}): {}",
            word(item.outcome),
            text::one_line(&item.name),
            item.workload,
            text::fit(&text::one_line(&why), 160),
        );
    }
    if total > NAMED {
        let more = text::number((total - NAMED) as u64);
        let _ = match report {
            Some(report) => writeln!(out, "  … and {more} more, in {}", report.display()),
            None => writeln!(out, "  … and {more} more"),
        };
    }
    out.push('\n');
}

/// What has succeeded, and of which the service has something to say all the same.
fn warned(out: &mut String, outcome: &Outcome) {
    let items = outcome.items.iter().filter(|item| {
        item.outcome == Fate::Succeeded && (item.code.is_some() || item.reason.is_some())
    });
    let items = items.map(|item| {
        let words = [item.code.as_deref(), item.reason.as_deref()];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        let name = format!("{} ({})", item.name, item.workload);
        (name, words.join(", "))
    });
    let sessions = outcome.sessions.iter().filter_map(|session| {
        let name = format!("session {} ({})", session.id, session.status);
        Some((name, session.warning.clone()?))
    });
    let mut all = sessions.chain(items);
    for (name, words) in all.by_ref().take(NAMED) {
        let _ = writeln!(
            out,
            "  warning  {}: {}",
            text::one_line(&name),
            text::fit(&text::one_line(&words), 160),
        );
    }
    let more = all.count();
    if more > 0 {
        let _ = writeln!(out, "  … and {} more warnings", text::number(more as u64));
    }
}

/// What nobody waits for any more, and what nobody can call back.
fn going_on(out: &mut String, outcome: &Outcome) {
    let sessions = outcome.going_on();
    let total = sessions.len();
    for session in sessions.iter().take(NAMED) {
        let _ = writeln!(
            out,
            "session {} goes on in the service ({}, {})",
            text::one_line(&session.id),
            session.workload,
            text::one_line(&session.status)
        );
    }
    if total > NAMED {
        let more = text::number((total - NAMED) as u64);
        let _ = writeln!(out, "… and {more} more sessions");
    }
}

fn cost(outcome: &Outcome) -> String {
    let took =
        Duration::try_from(outcome.ended.duration_since(outcome.started)).unwrap_or_default();
    let requests = &outcome.requests;
    let sessions = outcome.sessions.len();
    let mut line = format!(
        "{} {}, {}, {} {}",
        text::number(sessions as u64),
        if sessions == 1 { "session" } else { "sessions" },
        text::time(took),
        text::number(requests.sent),
        if requests.sent == 1 {
            "request"
        } else {
            "requests"
        },
    );
    if requests.throttled > 0 {
        let waited = Duration::try_from_secs_f64(requests.waited_seconds).unwrap_or_default();
        let _ = write!(
            line,
            " ({} throttled, waited {})",
            text::number(requests.throttled),
            text::time(waited)
        );
    }
    line
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::backup::books::{ArtifactTotals, SessionSummary, SessionTimes, Totals};
    use crate::report::sample::item;

    fn outcome(items: Vec<Item>) -> Outcome {
        let started: Timestamp = "2026-11-24T01:58:33Z".parse().unwrap();
        let mut outcome = Outcome::new("run-1".into(), "night.rhai".into(), started, "v1.0");
        outcome.ended = "2026-11-24T04:12:40Z".parse().unwrap();
        let count = |fate| items.iter().filter(|item| item.outcome == fate).count();
        outcome.books = Totals {
            asked: items.len(),
            succeeded: count(Fate::Succeeded),
            failed: count(Fate::Failed),
            skipped: count(Fate::Skipped),
            unknown: count(Fate::Unknown),
        };
        outcome.items = items;
        outcome.sessions = vec![SessionSummary {
            id: "s".into(),
            workload: "exchange".into(),
            status: "completed".into(),
            artifacts: ArtifactTotals::default(),
            times: SessionTimes::default(),
            warning: None,
        }];
        outcome.requests.sent = 1_204;
        outcome
    }

    #[test]
    fn a_tired_person_sees_what_did_not_happen_and_where_to_look() {
        let mut items: Vec<Item> = (0..4_981)
            .map(|number| item(number, Fate::Succeeded, None, None))
            .collect();
        for number in 0..12 {
            items.push(item(
                number,
                Fate::Skipped,
                Some("NoPointBefore"),
                Some("no point before 2026-11-20T03:00:00Z"),
            ));
        }
        items.push(item(
            90,
            Fate::Failed,
            Some("ArtifactCannotBeRestored"),
            Some("a preservation lock blocks it"),
        ));
        items.push(item(91, Fate::Unknown, Some("OutcomeUnknown"), None));
        let mut outcome = outcome(items);
        outcome.requests.throttled = 18;
        outcome.requests.waited_seconds = 185.2;
        insta::assert_snapshot!(block(&outcome, Some(Path::new("/state/result.json")), Paint::Plain), @r"
        asked 4,995 = succeeded 4,981 + failed 1 + skipped 12 + unknown 1
          unknown       1  OutcomeUnknown
          failed        1  ArtifactCannotBeRestored
          skipped      12  NoPointBefore

          unknown  Person 91\u{202e} (exchange): OutcomeUnknown
          failed   Person 90\u{202e} (exchange): ArtifactCannotBeRestored, a preservation lock blocks it
          skipped  Person 0\u{202e} (exchange): NoPointBefore, no point before 2026-11-20T03:00:00Z
          skipped  Person 1\u{202e} (exchange): NoPointBefore, no point before 2026-11-20T03:00:00Z
          skipped  Person 2\u{202e} (exchange): NoPointBefore, no point before 2026-11-20T03:00:00Z
          … and 9 more, in /state/result.json

        1 session, 2 h 14 min, 1,204 requests (18 throttled, waited 3 min 5 s)
        every item, with its reason: /state/result.json
        ");
    }

    #[test]
    fn when_all_is_well_two_lines_are_enough() {
        let outcome = outcome(vec![item(1, Fate::Succeeded, None, None)]);
        insta::assert_snapshot!(block(&outcome, Some(Path::new("r.json")), Paint::Plain), @"
        asked 1 = succeeded 1 + failed 0 + skipped 0 + unknown 0
        1 session, 2 h 14 min, 1,204 requests
        ");
    }

    #[test]
    fn a_run_that_asked_for_nothing_says_nothing() {
        let mut outcome = outcome(Vec::new());
        outcome.sessions.clear();
        assert_eq!(block(&outcome, Some(Path::new("r.json")), Paint::Plain), "");
    }
}
