//! What ended the run early, with its place in the script and what to do.

use maud::{Markup, html};

use super::{name, shown, visible};
use crate::report::{Outcome, Trouble};

/// Empty for a run that went to its end.
pub(super) fn section(outcome: &Outcome) -> Markup {
    let several = !outcome.further_errors.is_empty();
    html! {
        @if outcome.error.is_some() {
            section.errors aria-labelledby="errors" {
                h2 #errors { @if several { "What went wrong" } @else { "Why it stopped" } }
                @for error in outcome.errors() {
                    (one(error))
                }
            }
        }
    }
}

fn one(error: &Trouble) -> Markup {
    html! {
        article {
            h3 { (name(&error.message)) }
            @if let Some(place) = error.place() {
                p.place { code { (shown(&place)) } }
            }
            @if let Some(source) = &error.source {
                pre { code { (line(error.line, source, error.column)) } }
            }
            @if !error.context.is_empty() {
                ul.context {
                    @for fact in &error.context { li { (name(fact)) } }
                }
            }
            @if error.hint.is_some() {
                p.hint { b { "What to do" } }
                ul.context.now {
                    @for hint in error.hints() { li { (name(hint)) } }
                }
            }
            p.ids {
                "code " code { (shown(&error.code)) }
                @if let Some(id) = &error.request_id { " · request-id " code { (shown(id)) } }
            }
        }
    }
}

/// A line of the script with the word at `column` (which counts characters, from 1) marked.
fn line(number: Option<usize>, source: &str, column: Option<usize>) -> Markup {
    let at = column.map_or(0, |column| column.saturating_sub(1));
    let start = source
        .char_indices()
        .nth(at)
        .map_or(source.len(), |(index, _)| index);
    let (before, rest) = source.split_at(start);
    let word = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    // At least one character: the place may be an operator.
    let word = word.max(rest.chars().next().map_or(0, char::len_utf8));
    let (marked, after) = rest.split_at(word);
    html! {
        @if let Some(number) = number { span.line { (number) } }
        (visible(before.trim_start())) mark { (visible(marked)) } (visible(after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_at_the_place_is_marked() {
        let shown = |source, column| line(Some(4), source, Some(column)).into_string();
        let number = "<span class=\"line\">4</span>";
        assert_eq!(
            shown("  s.activate();", 5),
            format!("{number}s.<mark>activate</mark>();")
        );
        assert_eq!(shown("é <", 3), format!("{number}é <mark>&lt;</mark>"));
        assert_eq!(shown("x", 9), format!("{number}x<mark></mark>"));
    }
}
