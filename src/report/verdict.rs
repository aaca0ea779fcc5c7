//! What a run came to in words, for somebody who was not there.

use std::fmt::Write as _;

use super::Outcome;
use crate::backup::Workload;
use crate::error::Exit;
use crate::text;

/// How it looks at first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    /// Something was left over; all of it is accounted for.
    Mixed,
    /// Somebody must act.
    Bad,
}

/// The first lines of a report.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) tone: Tone,
    /// Some words: `4,981 of 4,995 mailboxes were restored`.
    pub(crate) headline: String,
    /// A sentence or two.
    pub(crate) lede: String,
}

impl Verdict {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        Self {
            tone: tone(outcome.exit),
            headline: headline(outcome),
            lede: lede(outcome),
        }
    }
}

fn tone(exit: Exit) -> Tone {
    match exit {
        Exit::Success => Tone::Good,
        Exit::Incomplete | Exit::Stopped | Exit::Interrupted | Exit::Terminated => Tone::Mixed,
        Exit::Unstarted | Exit::Unknown | Exit::Denied | Exit::SignIn | Exit::Bug => Tone::Bad,
    }
}

/// What an exit code means.
pub(crate) fn of_exit(exit: Exit) -> &'static str {
    match exit {
        Exit::Success => "everything that was asked for succeeded",
        Exit::Incomplete => "the run went to its end, but items failed or were skipped",
        Exit::Unstarted => "the run stopped before it changed anything",
        Exit::Stopped => {
            "the run stopped after it had begun to change things, or did not wait for its sessions"
        }
        Exit::Unknown => "of some items nobody knows what became: a person must look",
        Exit::Denied => "the run was refused: consent or policy",
        Exit::SignIn => "sign-in failed, or a permission is missing",
        Exit::Bug => "a mistake in runback itself",
        Exit::Interrupted => "stopped with Ctrl-C",
        Exit::Terminated => "stopped by the system (SIGTERM)",
    }
}

fn headline(outcome: &Outcome) -> String {
    let books = &outcome.books;
    let (asked, done) = (books.asked, books.succeeded);
    if asked == 0 {
        return match outcome.exit {
            Exit::Success => "Nothing was to be restored".to_owned(),
            exit => capital(short(exit)),
        };
    }
    let one = noun(outcome, false);
    let many = noun(outcome, true);
    match (asked, done) {
        (1, 1) => format!("The {one} was restored"),
        (1, _) => format!("The {one} was not restored"),
        (_, 0) => format!("None of {} {many} was restored", number(asked)),
        _ if done == asked => format!("All {} {many} were restored", number(asked)),
        (_, 1) => format!("1 of {} {many} was restored", number(asked)),
        _ => format!("{} of {} {many} were restored", number(done), number(asked)),
    }
}

/// The headline of a run that asked for nothing.
fn short(exit: Exit) -> &'static str {
    match exit {
        Exit::Success | Exit::Incomplete => "the run went to its end",
        Exit::Unstarted => "stopped before anything was changed",
        Exit::Stopped => "stopped on the way",
        Exit::Unknown => "a person must look",
        Exit::Denied => "refused",
        Exit::SignIn => "not signed in",
        Exit::Bug => "a mistake in runback",
        Exit::Interrupted | Exit::Terminated => "stopped",
    }
}

fn lede(outcome: &Outcome) -> String {
    let books = &outcome.books;
    if books.asked == 0 && outcome.exit == Exit::Success {
        return "The script ran to its end and asked for no restore.".to_owned();
    }
    // The headline has said that it stopped; why stands in the error.
    if let (0, Some(error)) = (books.asked, &outcome.error) {
        return capital(&error.message);
    }
    let mut rest = Vec::new();
    for (count, words) in [
        (books.unknown, ("is unknown", "are unknown")),
        (books.failed, ("failed", "failed")),
        (books.skipped, ("was skipped", "were skipped")),
    ] {
        if count > 0 {
            let words = if count == 1 { words.0 } else { words.1 };
            rest.push(format!("{} {words}", number(count)));
        }
    }
    let mut lede = format!("{}.", capital(of_exit(outcome.exit)));
    if let Some(last) = rest.pop() {
        let list = if rest.is_empty() {
            last
        } else {
            format!("{} and {last}", rest.join(", "))
        };
        let _ = write!(lede, " Of the {} asked for, {list}.", number(books.asked));
    }
    lede
}

/// What the run was about, where it was about one kind of thing.
pub(crate) fn noun(outcome: &Outcome, several: bool) -> &'static str {
    let mut workloads = outcome.items.iter().map(|item| item.workload.as_str());
    let first = workloads.next().unwrap_or_default();
    let words = if workloads.all(|other| other == first) {
        of_workload(first)
    } else {
        ("item", "items")
    };
    if several { words.1 } else { words.0 }
}

/// One and several things of a workload.
pub(crate) fn of_workload(workload: &str) -> (&'static str, &'static str) {
    Workload::named(workload).map_or(("item", "items"), |workload| {
        (workload.noun, workload.nouns)
    })
}

fn number(count: usize) -> String {
    text::number(count as u64)
}

pub(crate) fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::books::{Item, Outcome as Fate, Totals};
    use crate::report::sample::{self, item};

    fn told(exit: Exit, items: Vec<Item>) -> (String, String) {
        let mut outcome = sample::of(items);
        outcome.exit = exit;
        let verdict = Verdict::of(&outcome);
        (verdict.headline, verdict.lede)
    }

    fn items(succeeded: usize, failed: usize, skipped: usize, unknown: usize) -> Vec<Item> {
        let some = |count, fate| (0..count).map(move |number| item(number, fate, None, None));
        some(succeeded, Fate::Succeeded)
            .chain(some(failed, Fate::Failed))
            .chain(some(skipped, Fate::Skipped))
            .chain(some(unknown, Fate::Unknown))
            .collect()
    }

    #[test]
    fn the_first_lines_say_how_it_went() {
        for (exit, items, headline, lede) in [
            (
                Exit::Success,
                items(0, 0, 0, 0),
                "Nothing was to be restored",
                "The script ran to its end and asked for no restore.",
            ),
            (
                Exit::Success,
                items(5, 0, 0, 0),
                "All 5 mailboxes were restored",
                "Everything that was asked for succeeded.",
            ),
            (
                Exit::Success,
                items(1, 0, 0, 0),
                "The mailbox was restored",
                "Everything that was asked for succeeded.",
            ),
            (
                Exit::Unknown,
                items(1, 1, 12, 2),
                "1 of 16 mailboxes was restored",
                "Of some items nobody knows what became: a person must look. Of the 16 asked for, 2 are unknown, 1 failed and 12 were skipped.",
            ),
            (
                Exit::Incomplete,
                items(0, 0, 1_300, 0),
                "None of 1,300 mailboxes was restored",
                "The run went to its end, but items failed or were skipped. Of the 1,300 asked for, 1,300 were skipped.",
            ),
            (
                Exit::Unstarted,
                items(0, 0, 0, 0),
                "Stopped before anything was changed",
                "The run stopped before it changed anything.",
            ),
        ] {
            assert_eq!(told(exit, items), (headline.to_owned(), lede.to_owned()));
        }
        let mut refused = sample::night();
        refused.books = Totals::default();
        let lede = Verdict::of(&refused).lede;
        assert!(lede.starts_with("No answer came to `activate"), "{lede}");
        let mut mixed = items(2, 0, 0, 0);
        mixed[0].workload = "sharepoint".into();
        assert_eq!(told(Exit::Success, mixed).0, "All 2 items were restored");
    }
}
