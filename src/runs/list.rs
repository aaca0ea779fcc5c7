//! The runs of a folder, one line each.

use serde::Deserialize;
use serde_json::{Value, json};

use super::shown;
use super::standing::Standing;
use super::view::totals;
use crate::backup::books::{Item, Totals};
use crate::error::Fault;
use crate::journal::{Journal, RunRow};

/// One line of the list.
pub(crate) struct Summary {
    row: RunRow,
    standing: Standing,
    books: Totals,
}

/// All runs, newest first.
///
/// # Errors
/// The journal cannot be read.
pub(crate) fn list(journal: &Journal) -> Result<Vec<Summary>, Fault> {
    let mut all = Vec::new();
    for id in journal.run_ids()? {
        let holder = journal.lock_holder(&id);
        // One that was taken out meanwhile.
        let Some(mut row) = journal.run(&id)? else {
            continue;
        };
        let standing = Standing::of(holder, &row);
        let books = books(journal, &row)?;
        // Results and scripts of thousands of runs are more than a list needs.
        (row.source, row.result) = (Vec::new(), None);
        all.push(Summary {
            row,
            standing,
            books,
        });
    }
    Ok(all)
}

fn books(journal: &Journal, row: &RunRow) -> Result<Totals, Fault> {
    #[derive(Deserialize)]
    struct Head {
        books: Totals,
    }
    let stored = row.result.as_deref().filter(|_| row.ended.is_some());
    if let Some(head) = stored.and_then(|text| serde_json::from_str::<Head>(text).ok()) {
        return Ok(head.books);
    }
    let items = journal.items(&row.id)?;
    let items: Vec<Item> = items
        .into_iter()
        .filter_map(|item| serde_json::from_value(item).ok())
        .collect();
    Ok(totals(&items))
}

impl Summary {
    pub(crate) const COLUMNS: [&'static str; 10] = [
        "run",
        "started",
        "script",
        "state",
        "exit",
        "asked",
        "succeeded",
        "failed",
        "skipped",
        "unknown",
    ];

    /// The cells of a table.
    pub(crate) fn cells(&self) -> Vec<Value> {
        let state = match self.standing.holder() {
            Some(holder) => format!("running: {} on {}", holder.pid, holder.host),
            None => self.standing.word().to_owned(),
        };
        let books = &self.books;
        vec![
            self.row.id.as_str().into(),
            shown(self.row.started).into(),
            self.row.script.as_str().into(),
            state.into(),
            self.exit(),
            books.asked.into(),
            books.succeeded.into(),
            books.failed.into(),
            books.skipped.into(),
            books.unknown.into(),
        ]
    }

    pub(crate) fn to_json(&self) -> Value {
        let row = &self.row;
        let holder = self.standing.holder();
        json!({
            "run": row.id,
            "started": shown(row.started),
            "ended": row.ended.map(shown),
            "script": row.script,
            "state": self.standing.word(),
            "pid": holder.map(|holder| holder.pid),
            "host": holder.map(|holder| holder.host.as_str()),
            "exit": self.exit(),
            "kind": row.kind,
            "user": row.user,
            "books": self.books,
        })
    }

    /// None while it runs, also in a later life.
    fn exit(&self) -> Value {
        self.row.exit.filter(|_| self.row.ended.is_some()).into()
    }
}
