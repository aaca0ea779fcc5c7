//! What a script can do to the tenant at most, as a value and in one line.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value, json};

/// What can be done to a tenant. Of the last kind nothing is known but that it is a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ability {
    Read,
    Draft,
    Activate,
    Delete,
    /// A call of `graph::` with a path that runback does not know, or that is made up while the script runs.
    Change,
}

/// What a script can do at most: it may do less, never more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) all: BTreeSet<Ability>,
    /// Workloads whose sessions may be changed.
    pub(crate) workloads: BTreeSet<&'static str>,
}

impl Abilities {
    pub(crate) fn has(&self, ability: Ability) -> bool {
        self.all.contains(&ability)
    }

    /// It sends nothing that alters the tenant: such a run needs no consent and no record.
    pub(crate) fn only_reads(&self) -> bool {
        self.all.iter().all(|ability| *ability == Ability::Read)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "reads": self.has(Ability::Read),
            "drafts": self.has(Ability::Draft),
            "activates": self.has(Ability::Activate),
            "deletes": self.has(Ability::Delete),
            "changes": self.has(Ability::Change),
            "workloads": self.workloads,
            "summary": self.to_string(),
        })
    }
}

/// "at most it reads, drafts and activates, in exchange; it deletes nothing".
impl fmt::Display for Abilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all.is_empty() {
            return f.write_str("it does not talk to the tenant");
        }
        if self.only_reads() {
            return f.write_str("it only reads the tenant and changes nothing");
        }
        let verbs = [
            (Ability::Read, "reads"),
            (Ability::Draft, "drafts"),
            (Ability::Activate, "activates"),
            (Ability::Delete, "deletes"),
            (Ability::Change, "changes whatever `graph::` reaches"),
        ];
        let (can, cannot): (Vec<_>, Vec<_>) = verbs
            .into_iter()
            .partition(|(ability, _)| self.has(*ability));
        let can: Vec<_> = can.into_iter().map(|(_, verb)| verb).collect();
        write!(f, "at most it {}", sentence(&can, "and"))?;
        let workloads: Vec<_> = self.workloads.iter().copied().collect();
        if !workloads.is_empty() {
            write!(f, ", in {}", sentence(&workloads, "and"))?;
        }
        // With an unknown change nothing can be said to be left out.
        let cannot: Vec<_> = cannot
            .into_iter()
            .filter(|(ability, _)| matches!(ability, Ability::Activate | Ability::Delete))
            .map(|(_, verb)| verb)
            .collect();
        if !cannot.is_empty() && !self.has(Ability::Change) {
            let more = if cannot.len() > 1 { "neither " } else { "" };
            let nothing = if cannot.len() > 1 { "" } else { " nothing" };
            let joined = if cannot.len() > 1 {
                cannot.join(" nor ")
            } else {
                cannot[0].to_owned()
            };
            write!(f, "; it {more}{joined}{nothing}")?;
        }
        Ok(())
    }
}

fn sentence(words: &[&str], and: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {and} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abilities_read_as_one_line() {
        use Ability::{Activate, Change, Delete, Draft, Read};
        for (all, workloads, wanted) in [
            (&[][..], &[][..], "it does not talk to the tenant"),
            (
                &[Read],
                &["exchange"],
                "it only reads the tenant and changes nothing",
            ),
            (
                &[Read, Draft],
                &["exchange"],
                "at most it reads and drafts, in exchange; it neither activates nor deletes",
            ),
            (
                &[Read, Draft, Activate],
                &["exchange", "onedrive"],
                "at most it reads, drafts and activates, in exchange and onedrive; it deletes nothing",
            ),
            (&[Delete], &[], "at most it deletes; it activates nothing"),
            (
                &[Read, Draft, Activate, Delete],
                &["exchange"],
                "at most it reads, drafts, activates and deletes, in exchange",
            ),
            (
                &[Read, Change],
                &["exchange"],
                "at most it reads and changes whatever `graph::` reaches, in exchange",
            ),
        ] {
            let abilities = Abilities {
                all: all.iter().copied().collect(),
                workloads: workloads.iter().copied().collect(),
            };
            assert_eq!(abilities.to_string(), wanted);
        }
    }
}
