//! From a listing of the inbox to what is to be done: which scripts are ready, in which order, and which are never let in.
//!
//! A plain function of what was seen now and before: no clock, no disk.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use super::names::{self, Bundle};
use super::settle::{Moment, Rule, Sight, remaining};
use crate::unix::folder::{Facts, Kind};

/// A signature of arguments says that there are some: so long they are waited for, then the script is not let in without them.
const PATIENCE: Duration = Duration::from_secs(10);

/// The files of the inbox that matter, as they were at the last look.
#[derive(Debug, Default)]
pub(crate) struct Memory(HashMap<OsString, Sight>);

/// A script that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) name: OsString,
    pub(crate) facts: Facts,
    /// Not still for long enough, but its signature has come after it: it is taken if that is complete.
    pub(crate) is_early: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Oldest first.
    pub(crate) ready: Vec<Ready>,
    /// Scripts by name that are no files, or cannot be run for their name; and why.
    pub(crate) refused: Vec<(OsString, &'static str)>,
    /// How many scripts are being written.
    pub(crate) unsettled: usize,
    /// When the first of them may be complete.
    pub(crate) next: Option<Duration>,
}

/// Looks at a whole listing. `memory` becomes that of this look.
pub(crate) fn decide(
    listing: Vec<(OsString, Facts)>,
    memory: &mut Memory,
    rule: Rule,
    now: Moment,
) -> Found {
    let sights: HashMap<OsString, Sight> = listing
        .into_iter()
        .map(|(name, facts)| {
            let sight = Sight::again(memory.0.get(&name), facts, now);
            (name, sight)
        })
        .collect();
    let mut found = Found::default();
    let scripts = sights.iter().filter(|(name, _)| names::is_script(name));
    for (name, sight) in scripts {
        if let Some(why) = never(name, &sight.facts) {
            found.refused.push((name.clone(), why));
            continue;
        }
        let bundle = Bundle::of(name);
        let companions = bundle
            .companions()
            .map(|name| sights.get(name))
            .into_iter()
            .flatten();
        let lacks_arguments = lacks_arguments(&bundle, &sights);
        let rule = Rule {
            settle: if lacks_arguments {
                rule.settle.max(PATIENCE)
            } else {
                rule.settle
            },
            ..rule
        };
        let left = companions
            .chain([sight])
            .map(|sight| remaining(sight, rule, now))
            .max()
            .unwrap_or_default();
        let is_early = !left.is_zero() && !lacks_arguments && is_sealed(&bundle, &sights);
        if left.is_zero() || is_early {
            found.ready.push(Ready {
                name: name.clone(),
                facts: sight.facts,
                is_early,
            });
        }
        if !left.is_zero() {
            found.unsettled += 1;
            let left = Some(left);
            found.next = found.next.map_or(left, |next| left.min(Some(next)));
        }
    }
    found.ready.sort_by(|one, other| {
        let key = |ready: &Ready| ready.facts.changed;
        key(one)
            .cmp(&key(other))
            .then_with(|| one.name.cmp(&other.name))
    });
    found.refused.sort();
    memory.0 = sights;
    found
}

/// Why something by a script's name will not be let in, however long one waits.
fn never(name: &OsStr, facts: &Facts) -> Option<&'static str> {
    match facts.kind {
        Kind::File => names::refusal(name),
        Kind::Folder => Some("it is a folder"),
        Kind::Link => Some("it is a symbolic link"),
        Kind::Pipe => Some("it is a pipe"),
        Kind::Socket => Some("it is a socket"),
        Kind::Device => Some("it is a device"),
        Kind::Unknown => Some("it is no regular file"),
    }
}

/// Their signature is there, and they are not.
fn lacks_arguments(bundle: &Bundle, sights: &HashMap<OsString, Sight>) -> bool {
    sights.contains_key(&bundle.arguments_signature) && !sights.contains_key(&bundle.arguments)
}

/// A signature was written after what it signs. At the same instant may be before it: a file system counts in steps of
/// milliseconds, and who copies the signature first is still writing the script.
fn is_sealed(bundle: &Bundle, sights: &HashMap<OsString, Sight>) -> bool {
    let written = |name: &OsStr| sights.get(name).map(|sight| sight.facts.modified);
    let follows = |signed: Option<Duration>, signature: &OsStr| {
        signed.is_some_and(|signed| written(signature).is_some_and(|after| after > signed))
    };
    let arguments = written(&bundle.arguments);
    follows(written(&bundle.script), &bundle.script_signature)
        && (arguments.is_none() || follows(arguments, &bundle.arguments_signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unix::folder::testing::facts;

    const RULE: Rule = Rule {
        settle: Duration::from_secs(2),
        clock_is_ours: true,
    };

    fn at(wall: u64) -> Moment {
        Moment {
            steady: Duration::from_secs(wall),
            wall: Duration::from_secs(wall),
        }
    }

    fn look(memory: &mut Memory, files: &[(&str, u64)], now: u64) -> Found {
        let listing = files
            .iter()
            .map(|(name, changed)| (OsString::from(name), facts(*changed)));
        decide(listing.collect(), memory, RULE, at(now))
    }

    fn ready(found: &Found) -> Vec<(&str, bool)> {
        found
            .ready
            .iter()
            .map(|ready| (ready.name.to_str().unwrap(), ready.is_early))
            .collect()
    }

    #[test]
    fn the_oldest_comes_first_and_equal_ones_by_name() {
        let files = [("b.rhai", 5), ("c.rhai", 4), ("a.rhai", 5), ("x.txt", 1)];
        let found = look(&mut Memory::default(), &files, 100);
        assert_eq!(
            ready(&found),
            [("c.rhai", false), ("a.rhai", false), ("b.rhai", false)]
        );
        assert_eq!((found.unsettled, found.next), (0, None));
    }

    #[test]
    fn a_script_waits_for_itself_and_for_what_belongs_to_it() {
        let mut memory = Memory::default();
        let found = look(&mut memory, &[("a.rhai", 100), ("b.rhai", 99)], 100);
        assert_eq!(ready(&found), []);
        assert_eq!(
            (found.unsettled, found.next),
            (2, Some(Duration::from_secs(1)))
        );
        let files = [("a.rhai", 100), ("b.rhai", 99), ("b.args.json", 101)];
        let found = look(&mut memory, &files, 102);
        assert_eq!(ready(&found), [("a.rhai", false)]);
        assert_eq!(found.next, Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_signature_that_came_after_it_lets_a_script_go_first() {
        let rows: [(&[(&str, u64)], bool); 7] = [
            (&[("a.rhai", 99), ("a.rhai.minisig", 100)], true),
            (&[("a.rhai", 100), ("a.rhai.minisig", 99)], false),
            (&[("a.rhai", 100), ("a.rhai.minisig", 100)], false),
            (
                &[("a.rhai", 99), ("a.args.json", 99), ("a.rhai.minisig", 100)],
                false,
            ),
            (
                &[
                    ("a.rhai", 99),
                    ("a.args.json", 99),
                    ("a.rhai.minisig", 100),
                    ("a.args.json.minisig", 100),
                ],
                true,
            ),
            (&[("a.rhai", 99), ("b.rhai.minisig", 100)], false),
            (&[("a.rhai", 99)], false),
        ];
        for (files, is_early) in rows {
            let found = look(&mut Memory::default(), files, 100);
            assert_eq!(!found.ready.is_empty(), is_early, "{files:?}");
            assert_eq!(found.unsettled, 1, "{files:?}");
        }
    }

    #[test]
    fn arguments_whose_signature_is_there_are_waited_for_and_not_for_ever() {
        let mut memory = Memory::default();
        let lone = [
            ("a.rhai", 98),
            ("a.rhai.minisig", 99),
            ("a.args.json.minisig", 99),
        ];
        let found = look(&mut memory, &lone, 103);
        assert_eq!(ready(&found), []);
        assert_eq!(
            (found.unsettled, found.next),
            (1, Some(Duration::from_secs(6)))
        );
        let whole = [lone[0], lone[1], lone[2], ("a.args.json", 101)];
        assert_eq!(ready(&look(&mut memory, &whole, 103)), [("a.rhai", false)]);
        assert_eq!(ready(&look(&mut memory, &lone, 109)), [("a.rhai", false)]);
    }

    #[test]
    fn what_is_no_file_is_refused_at_once_and_by_what_it_is() {
        let kinds = [
            (Kind::Folder, "folder"),
            (Kind::Link, "link"),
            (Kind::Pipe, "pipe"),
            (Kind::Socket, "socket"),
            (Kind::Device, "device"),
            (Kind::Unknown, "no regular file"),
        ];
        for (kind, word) in kinds {
            let facts = Facts { kind, ..facts(100) };
            let listing = vec![
                (OsString::from("x.rhai"), facts),
                (OsString::from("x.args.json"), facts),
            ];
            let found = decide(listing, &mut Memory::default(), RULE, at(100));
            assert_eq!(found.refused.len(), 1);
            assert!(found.refused[0].1.contains(word));
            assert!(found.ready.is_empty());
        }
        let found = look(&mut Memory::default(), &[("a\u{202e}b.rhai", 1)], 100);
        assert_eq!(found.refused.len(), 1);
    }

    #[test]
    fn ten_thousand_files_are_looked_at_in_no_time() {
        let files: Vec<(String, u64)> = (0..10_000).map(|n| (format!("{n}.rhai"), n)).collect();
        let files: Vec<(&str, u64)> = files.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        let mut memory = Memory::default();
        let begun = std::time::Instant::now();
        for _ in 0..3 {
            assert_eq!(look(&mut memory, &files, 100_000).ready.len(), 10_000);
        }
        // Linear: three looks take some tens of milliseconds in a debug build; a second would be another order.
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{:?}",
            begun.elapsed()
        );
    }
}
