//! The top of the page: how it went, in words, in numbers, and the facts of the run.

use std::time::Duration;

use maud::{Markup, html};

use super::{instant, name, number, shown};
use crate::report::Outcome;
use crate::report::verdict::{Verdict, of_exit};
use crate::text;

/// The smallest share of the bar that an outcome takes which occurred at all: one of five thousand must be seen.
const LEAST: f64 = 0.8;

pub(super) fn section(outcome: &Outcome, verdict: &Verdict) -> Markup {
    html! {
        header {
            p.brand { "runback" span { "restore report" } }
            h1 { (verdict.headline) }
            p.lede { (name(&verdict.lede)) }
            @if outcome.books.asked > 0 {
                (books(outcome))
            }
            (facts(outcome))
        }
    }
}

/// The outcomes, their counts.
fn counts(outcome: &Outcome) -> [(&'static str, usize); 4] {
    let books = &outcome.books;
    [
        ("succeeded", books.succeeded),
        ("failed", books.failed),
        ("skipped", books.skipped),
        ("unknown", books.unknown),
    ]
}

fn books(outcome: &Outcome) -> Markup {
    let counts = counts(outcome);
    html! {
        ul.books {
            li.asked { a href="#items" data-filter="outcome=" { b { (number(outcome.books.asked)) } span { "asked" } } }
            @for (word, count) in counts {
                li class=(word) {
                    a href="#items" data-filter={ "outcome=" (word) } {
                        b class=[(count == 0).then_some("none")] { (number(count)) }
                        span { (word) }
                    }
                }
            }
        }
        svg.share width="100%" height="10" role="img" aria-label="shares of the outcomes" {
            @for (word, from, width) in shares(counts) {
                rect class=(word) x={ (from) "%" } width={ (width) "%" } height="10" {}
            }
        }
    }
}

/// Where each outcome begins and how wide it is, in per cent.
fn shares(counts: [(&'static str, usize); 4]) -> Vec<(&'static str, f64, f64)> {
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    #[allow(clippy::cast_precision_loss)] // a picture
    let raw = counts.map(|(word, count)| {
        let share = count as f64 / total.max(1) as f64 * 100.0;
        (word, if count == 0 { 0.0 } else { share.max(LEAST) })
    });
    let sum: f64 = raw.iter().map(|(_, share)| share).sum();
    let mut from = 0.0;
    let mut shares = Vec::new();
    for (word, share) in raw.into_iter().filter(|(_, share)| *share > 0.0) {
        let width = round(share * 100.0 / sum);
        shares.push((word, round(from), width));
        from += width;
    }
    shares
}

/// Two digits are enough for a picture.
pub(super) fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn facts(outcome: &Outcome) -> Markup {
    let took =
        Duration::try_from(outcome.ended.duration_since(outcome.started)).unwrap_or_default();
    html! {
        dl.facts {
            div { dt { "Script" } dd { (shown(&outcome.script)) } }
            div { dt { "Started" } dd { time datetime=(format!("{:.3}", outcome.started)) { (instant(outcome.started)) } " UTC" } }
            div { dt { "Ended" } dd { time datetime=(format!("{:.3}", outcome.ended)) { (instant(outcome.ended)) } " UTC" } }
            div { dt { "Took" } dd { (text::time(took)) } }
            div { dt { "Exit code" } dd { (outcome.exit.code()) ": " (of_exit(outcome.exit)) } }
            div { dt { "Tenant" } dd { @match &outcome.tenant { Some(tenant) => { (shown(tenant)) } None => { "not signed in" } } } }
            div { dt { "Microsoft Graph" } dd { (shown(&outcome.api)) ", " (requests(outcome)) } }
            div { dt { "Run" } dd { code { (shown(&outcome.run)) } } }
            @if let Some(hash) = &outcome.sha256 {
                div.wide { dt { "SHA-256 of the script" } dd { code { (shown(hash)) } } }
            }
        }
    }
}

/// What the run cost the service, in one line.
fn requests(outcome: &Outcome) -> String {
    let requests = &outcome.requests;
    let mut line = format!(
        "{} {}",
        text::number(requests.sent),
        if requests.sent == 1 {
            "request"
        } else {
            "requests"
        }
    );
    let mut more = Vec::new();
    for (count, words) in [
        (requests.retried, "sent again"),
        (requests.throttled, "throttled"),
        (requests.reconciled, "lost and looked up"),
    ] {
        if count > 0 {
            more.push(format!("{} {words}", text::number(count)));
        }
    }
    let waited = Duration::try_from_secs_f64(requests.waited_seconds).unwrap_or_default();
    if waited >= Duration::from_secs(1) {
        more.push(format!("waited {}", text::time(waited)));
    }
    if !more.is_empty() {
        line = format!("{line} ({})", more.join(", "));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_many_is_seen_and_the_bar_is_full() {
        let counts = [
            ("succeeded", 4_999),
            ("failed", 1),
            ("skipped", 0),
            ("unknown", 0),
        ];
        let shares = shares(counts);
        assert_eq!(shares.len(), 2);
        assert!(shares[1].2 > 0.7, "{shares:?}");
        let end = shares[1].1 + shares[1].2;
        assert!((99.9..=100.1).contains(&end), "{shares:?}");
    }
}
