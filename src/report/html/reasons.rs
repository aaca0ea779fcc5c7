//! What was not restored: each reason with its count, what it means, and what to do.

use maud::{Markup, html};

use super::{counted, name, number, visible};
use crate::report::reasons::{Reason, reasons, word};
use crate::report::verdict::noun;
use crate::report::{Outcome, meaning};

/// So many reasons are explained; a script that gives each item words of its own has no more to say here.
const MOST: usize = 40;

/// Empty where everything was restored.
pub(super) fn section(outcome: &Outcome) -> Markup {
    let reasons = reasons(&outcome.items);
    let (one, several) = (noun(outcome, false), noun(outcome, true));
    html! {
        @if !reasons.is_empty() {
            section.reasons aria-labelledby="reasons" {
                h2 #reasons { "What was not restored, and what to do" }
                @for reason in reasons.iter().take(MOST) {
                    (card(reason, one, several))
                }
                @if reasons.len() > MOST {
                    p.more { "And " (number(reasons.len() - MOST)) " further reasons, each with its items below." }
                }
            }
        }
    }
}

fn card(reason: &Reason<'_>, one: &str, several: &str) -> Markup {
    let meaning = meaning::of(reason.code).unwrap_or(&meaning::UNKNOWN);
    let outcome = word(reason.outcome);
    html! {
        article class={ "reason " (outcome) } {
            p.tally {
                b { (number(reason.count)) }
                span { (outcome) @if reason.expected { ", on purpose" } }
            }
            div {
                h3 { (name(reason.code)) }
                p { (meaning.what) }
                p.hint { b { "What to do" } " " (meaning.now) }
                @if let Some(words) = reason.words {
                    p.words { "In the words of the first: “" (name(words)) "”" }
                }
                p.show {
                    a href="#items" data-filter=(filter(outcome, reason.code)) {
                        "Show " @if reason.count == 1 { "the " (one) } @else { "these " (counted(reason.count, one, several)) }
                    }
                }
            }
        }
    }
}

/// The filter as the script puts it into the address (without the script the link leads to the items, all of them): `outcome=failed&code=UnknownError`.
fn filter(outcome: &str, code: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("outcome", outcome)
        .append_pair("code", &visible(code))
        .finish()
}
