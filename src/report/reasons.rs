//! Why items were not restored, counted; and which of them to look at first.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::backup::books::{Item, Outcome};

/// What an item without a code and without words is said to have ended for.
const NONE_GIVEN: &str = "no reason given";

/// All items that ended in one way for one reason.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reason<'o> {
    pub(crate) outcome: Outcome,
    /// Graph's code or ours; where there is none, the words.
    pub(crate) code: &'o str,
    pub(crate) count: usize,
    /// The words of the first such item, where it has other words than its code.
    pub(crate) words: Option<&'o str>,
    /// Skipped on purpose, every one of them.
    pub(crate) expected: bool,
}

/// The reasons of all items that did not succeed: unknown before failed before skipped, then the most frequent first.
pub(crate) fn reasons(items: &[Item]) -> Vec<Reason<'_>> {
    let mut found: Vec<Reason> = Vec::new();
    let mut known: HashMap<(Outcome, &str), usize> = HashMap::new();
    for item in items {
        if item.outcome == Outcome::Succeeded {
            continue;
        }
        let code = code(item);
        let at = *known.entry((item.outcome, code)).or_insert_with(|| {
            found.push(Reason {
                outcome: item.outcome,
                code,
                count: 0,
                words: item.reason.as_deref().filter(|words| *words != code),
                expected: true,
            });
            found.len() - 1
        });
        found[at].count += 1;
        found[at].expected &= item.expected;
    }
    found.sort_by_key(|reason| {
        (
            worry(reason.outcome, reason.expected),
            Reverse(reason.count),
        )
    });
    found
}

/// What an item is counted under.
pub(crate) fn code(item: &Item) -> &str {
    let text = item.code.as_deref().or(item.reason.as_deref());
    text.filter(|text| !text.is_empty()).unwrap_or(NONE_GIVEN)
}

/// The less, the sooner somebody should look.
pub(crate) fn worry(outcome: Outcome, expected: bool) -> u8 {
    match outcome {
        Outcome::Unknown => 0,
        Outcome::Failed => 1,
        Outcome::Skipped if !expected => 2,
        Outcome::Skipped => 3,
        Outcome::Succeeded => 4,
    }
}

/// `succeeded`, `failed`, `skipped`, `unknown`.
pub(crate) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
        Outcome::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::item;

    #[test]
    fn reasons_are_counted_and_the_worst_comes_first() {
        let items = [
            item(1, Outcome::Succeeded, None, None),
            item(2, Outcome::Skipped, Some("NoUnit"), Some("never protected")),
            item(3, Outcome::Skipped, Some("NoPoint"), None),
            item(4, Outcome::Skipped, Some("NoPoint"), None),
            item(5, Outcome::Failed, None, Some("a lock")),
            item(6, Outcome::Unknown, None, None),
            Item {
                expected: true,
                ..item(7, Outcome::Skipped, Some("OnHoliday"), None)
            },
        ];
        let told: Vec<_> = reasons(&items)
            .into_iter()
            .map(|reason| (word(reason.outcome), reason.code, reason.count))
            .collect();
        assert_eq!(
            told,
            [
                ("unknown", "no reason given", 1),
                ("failed", "a lock", 1),
                ("skipped", "NoPoint", 2),
                ("skipped", "NoUnit", 1),
                ("skipped", "OnHoliday", 1),
            ]
        );
    }
}
