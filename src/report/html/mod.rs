//! The result as one page for people: for the administrator at night, and for whom it is handed to in the morning.
//!
//! Nothing is loaded from elsewhere, and nothing could be: the page forbids itself everything but its own style and script, by
//! their hashes. Without the script it can be read and printed; the script filters and turns pages.
//!
//! Every text comes from outside (names of mailboxes, words of the service) and is escaped by the macro that writes it; what
//! goes into the script's data is escaped in [`items`].

mod errors;
mod items;
mod reasons;
mod summary;
mod timeline;
mod value;

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::Outcome;
use super::verdict::{Tone, Verdict};
use crate::text;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The whole page.
pub(crate) fn page(outcome: &Outcome) -> String {
    let verdict = Verdict::of(outcome);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content=(concat!("runback ", env!("CARGO_PKG_VERSION")));
                title { (verdict.headline) " – " (shown(&outcome.script)) }
                // None: or a browser would ask the server that shows the page for one.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body class=(class(verdict.tone)) {
                (summary::section(outcome, &verdict))
                main {
                    (errors::section(outcome))
                    (reasons::section(outcome))
                    (timeline::section(outcome))
                    (items::section(outcome))
                    (value::section(&outcome.value))
                }
                (footer(outcome))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// What the page may do: apply this style, run this script, show its own icon.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Mixed => "mixed",
        Tone::Bad => "bad",
    }
}

fn footer(outcome: &Outcome) -> Markup {
    html! {
        footer {
            @if outcome.books.asked > 0 { (legend()) }
            p {
                "All times are UTC. Written by " (concat!("runback ", env!("CARGO_PKG_VERSION")))
                " for run " code { (shown(&outcome.run)) } "; the same facts are in its result document."
            }
        }
    }
}

/// The words of the books.
fn legend() -> Markup {
    html! {
        h2 { "How to read this" }
        dl.legend {
            dt { "asked" } dd { "Every item the script asked to restore, and every one it left out by name. It is the sum of the four below." }
            dt { "succeeded" } dd { "The service says that it restored the item." }
            dt { "failed" } dd { "The service tried, or was asked to, and did not restore it." }
            dt { "skipped" } dd { "It was never given to the service for restoring, for the reason beside it." }
            dt { "unknown" } dd { "Nobody can tell from here. Look before anything is restored again." }
        }
    }
}

/// Text of outside for titles and attributes, where its direction cannot be kept apart: what would turn a line round is
/// written out.
fn shown(text: &str) -> Cow<'_, str> {
    text::shown(text)
}

/// A name from outside. It stands in a direction of its own, so that no character of it moves what is beside it; those that
/// only serve to mislead, and control characters, are written out.
fn name(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// The text of a [`name`].
fn visible(text: &str) -> Cow<'_, str> {
    text::escaped(text, |c| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// `2026-11-24 01:58:33`.
fn instant(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The first group of an id, which tells a few of them apart.
fn short(id: &str) -> &str {
    match id.char_indices().nth(8) {
        Some((end, _)) => &id[..end],
        None => id,
    }
}

fn number(count: usize) -> String {
    text::number(count as u64)
}

/// `1 session`, `25 sessions`.
fn counted(count: usize, one: &str, several: &str) -> String {
    format!(
        "{} {}",
        number(count),
        if count == 1 { one } else { several }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_page_names_nothing_that_could_be_loaded() {
        let page = page(&sample::night());
        for wrong in [
            "http:", "https:", "src=", "url(", "@import", " style=", "<iframe", "<object",
        ] {
            assert!(!page.contains(wrong), "{wrong}");
        }
        assert_eq!(page.matches("<link").count(), 1);
        assert!(page.contains("<link rel=\"icon\" href=\"data:,\">"));
        for hashed in [STYLE, SCRIPT] {
            let hash = BASE64_STANDARD.encode(Sha256::digest(hashed.as_bytes()));
            assert!(page.contains(&hash) && page.contains(&format!(">{hashed}</")));
        }
    }

    #[test]
    fn what_comes_from_outside_is_text_and_stays_it() {
        let mut outcome = sample::night();
        let evil = "<img src=x onerror=alert(1)>\"'</script></style></title>";
        outcome.script = evil.into();
        outcome.tenant = Some(evil.into());
        outcome.api = evil.into();
        for item in &mut outcome.items {
            item.workload = evil.into();
            item.name = evil.into();
            item.unit = Some(evil.into());
            item.code = Some(evil.into());
            item.reason = Some(format!("{evil}!"));
            item.destination = Some(evil.into());
        }
        for session in &mut outcome.sessions {
            session.id = evil.into();
            session.workload = evil.into();
            session.status = evil.into();
        }
        let error = outcome.error.as_mut().unwrap();
        error.message = evil.into();
        error.source = Some(evil.into());
        outcome.value = serde_json::json!([{evil: evil}]);
        let page = page(&outcome);
        assert!(!page.contains("<img"), "{page}");
        assert!(page.matches("&lt;img").count() > 30);
        assert_eq!(page.matches("</script>").count(), 1);
        assert_eq!(page.matches("</style>").count(), 1);
    }
}
