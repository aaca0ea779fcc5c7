//! One run as the journal has it: its row, how it stands, its result document.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::doubt::{Doubt, doubts};
use super::standing::Standing;
use crate::backup::books::{Item, Outcome as Fate, SessionSummary, Totals};
use crate::error::{Exit, Fault};
use crate::journal::{ChangeRow, Journal, RunRow, Wish};
use crate::report::Outcome;

/// So many letters of a run's name at least: fewer are a slip of the hand.
const FEWEST: usize = 4;

/// The run of this name, or the only one whose name begins or ends so.
///
/// # Errors
/// Exit 2: there is none, or there are several.
pub(crate) fn find(journal: &Journal, name: &str) -> Result<RunRow, Fault> {
    if let Some(row) = journal.run(name)? {
        return Ok(row);
    }
    let ids = journal.run_ids()?;
    let is_meant =
        |id: &&String| name.len() >= FEWEST && (id.starts_with(name) || id.ends_with(name));
    let meant: Vec<&String> = ids.iter().filter(is_meant).collect();
    if let [one] = meant[..]
        && let Some(row) = journal.run(one)?
    {
        return Ok(row);
    }
    let message = format!("there is no run `{name}` in this state folder");
    let fault = Fault::new(Exit::Unstarted, "NoSuchRun", message);
    Err(match meant[..] {
        [] => fault.hint("`runback runs` lists them"),
        [first, ..] => fault.hint(format!(
            "{} runs are called like this; the newest is `{first}`",
            meant.len()
        )),
    })
}

/// One run, live, dead or ended.
pub(crate) struct View {
    pub(crate) row: RunRow,
    pub(crate) standing: Standing,
    pub(crate) is_paused: bool,
    pub(crate) outcome: Outcome,
    /// `outcome` is the stored one, and no glance at books that are still open.
    pub(crate) is_final: bool,
    pub(crate) doubts: Vec<Doubt>,
}

impl View {
    /// # Errors
    /// The journal cannot be read, or holds something of another version.
    pub(crate) fn load(journal: &Journal, run: &str) -> Result<Self, Fault> {
        let holder = journal.lock_holder(run);
        let row = find(journal, run)?;
        let standing = Standing::of(holder, &row);
        let stored = row.result.as_deref().filter(|_| row.ended.is_some());
        let is_final = stored.is_some();
        let is_running = standing.holder().is_some();
        let changes = journal.changes(&row.id)?;
        let doubts = doubts(&changes, is_running);
        let outcome = match stored {
            Some(text) => text
                .parse::<Outcome>()
                .map_err(|why| unreadable(&row.id, &why))?,
            None => so_far(journal, &row, &changes, &doubts)?,
        };
        let is_paused = is_running && journal.wished(&row.id) == Some(Wish::Pause);
        Ok(Self {
            row,
            standing,
            is_paused,
            outcome,
            is_final,
            doubts,
        })
    }

    /// The result document: the stored one of a run that has ended, else one of the same shape, whose `ended` and `exit`
    /// are null and that has a `state`. `keep` chooses among the items.
    pub(crate) fn document(&self, keep: impl Fn(&Item) -> bool) -> Value {
        let stored = self.row.result.as_deref().filter(|_| self.is_final);
        let stored = stored.and_then(|text| serde_json::from_str(text).ok());
        let mut document: Value = stored.unwrap_or_else(|| json!(self.outcome));
        if !self.is_final {
            document["ended"] = Value::Null;
            document["exit"] = Value::Null;
            document["state"] = self.standing.word().into();
        }
        let mut kept = self.outcome.items.iter().map(keep);
        if let Some(items) = document["items"].as_array_mut() {
            items.retain(|_| kept.next().unwrap_or(true));
        }
        document
    }
}

/// What the journal has of a run that has no end yet.
fn so_far(
    journal: &Journal,
    row: &RunRow,
    changes: &[ChangeRow],
    doubts: &[Doubt],
) -> Result<Outcome, Fault> {
    let mut outcome = Outcome::new(row.id.clone(), row.script.clone(), row.started, &row.api);
    outcome.sha256 = Some(row.sha256.clone());
    outcome.tenant.clone_from(&row.tenant);
    outcome.items = read::<Item>(&row.id, journal.items(&row.id)?)?;
    for item in &mut outcome.items {
        let doubt = item.session.as_ref().filter(|_| is_drafted(item));
        if doubt.is_some_and(|session| doubts.iter().any(|doubt| doubt.activates(session))) {
            item.outcome = Fate::Unknown;
            item.code = Some("OutcomeUnknown".to_owned());
            item.reason = Some("nobody knows whether its session was activated".to_owned());
        }
    }
    outcome.sessions = read::<SessionSummary>(&row.id, journal.sessions(&row.id)?)?;
    outcome.books = totals(&outcome.items);
    // Reading is not counted in the journal: at least these were sent.
    outcome.requests.sent = changes.len() as u64;
    let found = changes
        .iter()
        .filter(|change| change.outcome.as_ref().is_some_and(|end| end.found));
    outcome.requests.reconciled = found.count() as u64;
    Ok(outcome)
}

/// It stands in a draft, as far as the books know.
pub(super) fn is_drafted(item: &Item) -> bool {
    item.outcome == Fate::Skipped && item.code.as_deref() == Some("NotActivated")
}

fn read<T: DeserializeOwned>(run: &str, values: Vec<Value>) -> Result<Vec<T>, Fault> {
    values
        .into_iter()
        .map(|value| serde_json::from_value(value))
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(run, &error.to_string()))
}

fn unreadable(run: &str, why: &str) -> Fault {
    let message = format!("the record of run `{run}` cannot be read: {why}");
    Fault::new(Exit::Unstarted, "UnreadableRun", message).hint("it may be of a newer runback")
}

pub(super) fn totals(items: &[Item]) -> Totals {
    let count = |fate| items.iter().filter(|item| item.outcome == fate).count();
    Totals {
        asked: items.len(),
        succeeded: count(Fate::Succeeded),
        failed: count(Fate::Failed),
        skipped: count(Fate::Skipped),
        unknown: count(Fate::Unknown),
    }
}
