//! What failed in an earlier run, for another try.

use std::collections::HashSet;

use super::doubt::session_in;
use super::view::{View, find};
use crate::backup::books::{Item, Outcome};
use crate::error::Fault;
use crate::journal::Journal;

/// The items of a run that failed, whole units first to last; and how many single files and messages failed beside them.
///
/// # Errors
/// Exit 2: there is no such run, or its record cannot be read.
pub(crate) fn failed(journal: &Journal, run: &str) -> Result<(Vec<Item>, usize), Fault> {
    let run = find(journal, run)?.id;
    let items = View::load(journal, &run)?.outcome.items;
    // An input names somebody in a session with a bulk request; elsewhere it is a file or a search.
    let bulk: HashSet<String> = journal
        .changes(&run)?
        .into_iter()
        .filter(|change| change.intent.operation == "create bulk request")
        .filter_map(|change| session_in(&change.intent.path).map(str::to_owned))
        .collect();
    let is_whole = |item: &Item| {
        let session = item.session.as_ref();
        item.input.is_none() || session.is_some_and(|session| bulk.contains(session))
    };
    let failed = items
        .into_iter()
        .filter(|item| item.outcome == Outcome::Failed);
    let (whole, pieces): (Vec<Item>, Vec<Item>) = failed.partition(is_whole);
    Ok((whole, pieces.len()))
}
