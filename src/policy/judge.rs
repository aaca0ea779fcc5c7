//! What the rules say to one deed. A plain function of what is told: it asks nobody and remembers nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rules::{Allowed, Rule, Rules};
use super::{Denial, Policy};

/// What a deed does at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Read,
    /// Reading what is in somebody's drive or mailbox.
    Look,
    Draft,
    Activate,
    Delete,
    /// A call of which nothing is known: it may do anything but read.
    Unlisted,
}

/// A deed, as far as whoever is about to do it can tell.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// As scripts call it; `None` where nobody can tell.
    pub(crate) workload: Option<&'static str>,
    pub(crate) matter: Matter,
}

#[derive(Clone, Debug)]
pub(crate) enum Matter {
    /// Nobody's data: an empty draft, taking something out of a draft, deleting one.
    Nothing,
    Items(Items),
    /// A call by its path: from its `/` on, its encodings taken out, without its query.
    Call {
        method: String,
        path: String,
    },
    /// It is not known; where rules speak of items it is denied.
    Untold(String),
}

/// What is to be put into a session, or to be restored. Items count as the books count them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items {
    pub(crate) destinations: BTreeSet<&'static str>,
    /// Of the fullest session, once it is done.
    pub(crate) in_session: u64,
    /// Of the whole run, once it is done.
    pub(crate) in_run: u64,
    /// What all runs have activated in the last 24 hours, once it is done; 0 where nothing is activated.
    pub(crate) in_day: u64,
    /// Whose data is touched and who is in none of the groups, by name. Only asked for where a rule names groups.
    pub(crate) outsiders: Vec<String>,
}

impl Default for Deed {
    fn default() -> Self {
        Self {
            workload: None,
            matter: Matter::Untold("it is not known what it touches".to_owned()),
        }
    }
}

impl Deed {
    pub(crate) fn nothing(workload: &'static str) -> Self {
        Self {
            workload: Some(workload),
            matter: Matter::Nothing,
        }
    }

    /// The same items, in sessions that hold at most so many each.
    pub(crate) fn in_sessions_of(mut self, most: usize) -> Self {
        if let Matter::Items(items) = &mut self.matter {
            items.in_session = items.in_session.min(most as u64);
        }
        self
    }

    pub(crate) fn items(workload: &'static str, items: Items) -> Self {
        Self {
            workload: Some(workload),
            matter: Matter::Items(items),
        }
    }
}

impl Rules {
    /// Whether any rule speaks of what is restored, where to, whose, or how much.
    fn weigh_items(&self) -> Option<Rule> {
        let rules = [
            (Rule::Workloads, self.workloads.is_some()),
            (Rule::Destinations, self.destinations.is_some()),
            (Rule::Groups, self.groups.is_some()),
            (Rule::MaxItemsPerRun, self.max_items_per_run.is_some()),
            (
                Rule::MaxItemsPerSession,
                self.max_items_per_session.is_some(),
            ),
            (Rule::MaxItemsPerDay, self.max_items_per_day.is_some()),
        ];
        rules
            .into_iter()
            .find(|(_, is_there)| *is_there)
            .map(|(rule, _)| rule)
    }
}

impl Policy {
    /// `now`: `None` where the time does not matter, because nothing is done yet.
    ///
    /// # Errors
    /// The first rule that forbids it.
    pub(crate) fn judge(
        &self,
        act: Act,
        deed: &Deed,
        now: Option<Timestamp>,
    ) -> Result<(), Denial> {
        let rules = self.rules();
        allow(rules, act)?;
        if let (Matter::Call { method, path }, Some(paths)) = (&deed.matter, &rules.graph_paths)
            && !paths.allow(method, path)
        {
            return Err(Denial::new(
                Rule::GraphPaths,
                format!("`{method} {path}` is none of the paths that `graph::` may call"),
                format!("add `\"{method} {path}\"`, or a pattern for it, to `graph_paths`"),
            ));
        }
        if act == Act::Read {
            return Ok(());
        }
        if act == Act::Look {
            return match &deed.matter {
                Matter::Items(found) => groups(rules, found),
                Matter::Untold(why) if rules.groups.is_some() => Err(untold(Rule::Groups, why)),
                _ => Ok(()),
            };
        }
        if let (Some(hours), Some(now)) = (&rules.hours, now)
            && !hours.contain(now)
        {
            let next = match hours.next(now) {
                Some(next) => format!("from {next} on it may be"),
                None => "in the next eight days it may not be".to_owned(),
            };
            return Err(Denial::new(
                Rule::Hours,
                format!("the tenant may not be changed at this hour ({now:.0}); {next}"),
                "wait until then and go on, or widen `hours`".to_owned(),
            ));
        }
        workload(rules, act, deed)?;
        match &deed.matter {
            Matter::Nothing => Ok(()),
            Matter::Items(found) => items(rules, found),
            Matter::Call { method, path } => call(rules, act, method, path),
            Matter::Untold(why) => match rules.weigh_items() {
                Some(rule) => Err(untold(rule, why)),
                None => Ok(()),
            },
        }
    }
}

fn allow(rules: &Rules, act: Act) -> Result<(), Denial> {
    let Some(allowed) = &rules.allow else {
        return Ok(());
    };
    let (needed, what): (&[Allowed], &str) = match act {
        Act::Read | Act::Look => (&[Allowed::Read], "scripts may not read the tenant"),
        Act::Draft => (&[Allowed::Draft], "scripts may draft nothing"),
        Act::Activate => (&[Allowed::Activate], "scripts may activate nothing"),
        Act::Delete => (&[Allowed::Delete], "scripts may delete nothing"),
        Act::Unlisted => (
            &[Allowed::Draft, Allowed::Activate, Allowed::Delete],
            "a call of which runback knows nothing may do anything, and not everything is allowed",
        ),
    };
    let lacking: Vec<String> = needed
        .iter()
        .filter(|class| !allowed.contains(class))
        .map(|class| format!("`\"{}\"`", class.name()))
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Denial::new(
        Rule::Allow,
        what,
        format!("add {} to `allow`", lacking.join(", ")),
    ))
}

fn workload(rules: &Rules, act: Act, deed: &Deed) -> Result<(), Denial> {
    let Some(allowed) = &rules.workloads else {
        return Ok(());
    };
    match deed.workload {
        Some(name) if allowed.iter().any(|own| own == name) => Ok(()),
        Some(name) => Err(Denial::new(
            Rule::Workloads,
            format!("`{name}` is none of the workloads that may be changed"),
            format!("add `\"{name}\"` to `workloads`"),
        )),
        // A call elsewhere in Graph has no workload; what it may do is said below.
        None => match &deed.matter {
            Matter::Call { path, .. } if !is_of_backup(path) => Ok(()),
            _ if act == Act::Read => Ok(()),
            _ => Err(untold(Rule::Workloads, "its workload cannot be told")),
        },
    }
}

fn items(rules: &Rules, found: &Items) -> Result<(), Denial> {
    if let Some(allowed) = &rules.destinations
        && let Some(to) = found
            .destinations
            .iter()
            .find(|to| allowed.iter().all(|own| own != *to))
    {
        return Err(Denial::new(
            Rule::Destinations,
            format!("nothing may be restored to `{to}`"),
            format!("restore to another destination, or add `\"{to}\"` to `destinations`"),
        ));
    }
    groups(rules, found)?;
    let limits = [
        (
            Rule::MaxItemsPerSession,
            rules.max_items_per_session,
            found.in_session,
            "one session would hold",
        ),
        (
            Rule::MaxItemsPerRun,
            rules.max_items_per_run,
            found.in_run,
            "this run would come to",
        ),
        (
            Rule::MaxItemsPerDay,
            rules.max_items_per_day,
            found.in_day,
            "with this, the runs of this state folder would have activated within 24 hours",
        ),
    ];
    for (rule, most, count, words) in limits {
        if let Some(most) = most.filter(|most| count > u64::from(*most)) {
            let mend = match rule {
                Rule::MaxItemsPerDay => format!("wait, or raise `{}`", rule.name()),
                _ => format!("give fewer items, or raise `{}`", rule.name()),
            };
            return Err(Denial::new(
                rule,
                format!("{words} {count} items, and {most} is the most"),
                mend,
            ));
        }
    }
    Ok(())
}

fn groups(rules: &Rules, found: &Items) -> Result<(), Denial> {
    const SHOWN: usize = 3;
    if rules.groups.is_none() || found.outsiders.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = found
        .outsiders
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match found.outsiders.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Denial::new(
        Rule::Groups,
        format!(
            "not known as members of the groups that may be touched: {}{more}",
            names.join(", ")
        ),
        "leave them out, or add a group of theirs to `groups`".to_owned(),
    ))
}

/// What such a call touches stands in a body, or nowhere: where rules speak of items, only drafts pass, since what is in
/// them is looked at when they are activated.
fn call(rules: &Rules, act: Act, method: &str, path: &str) -> Result<(), Denial> {
    // A browse session is no draft: it is looked into at once.
    let is_looked_into = path.to_ascii_lowercase().contains("browsesessions");
    let is_harmless = act == Act::Draft && !(is_looked_into && rules.groups.is_some());
    if is_harmless {
        return Ok(());
    }
    let why = format!("it cannot be told whose data `{method} {path}` touches");
    if rules.groups.is_some() {
        return Err(untold(Rule::Groups, &why));
    }
    // Deleting a session restores nothing.
    if act != Act::Delete
        && is_of_backup(path)
        && let Some(rule) = rules.weigh_items()
    {
        let why = format!("it cannot be told what `{method} {path}` restores");
        return Err(untold(rule, &why));
    }
    Ok(())
}

fn is_of_backup(path: &str) -> bool {
    path.to_ascii_lowercase().contains("backuprestore")
}

fn untold(rule: Rule, why: &str) -> Denial {
    Denial::new(
        rule,
        why,
        format!(
            "use the functions of `exchange`, `onedrive`, `sharepoint` and of sessions, which say what they touch, or take `{}` out",
            rule.name()
        ),
    )
}

#[cfg(test)]
mod tests;
