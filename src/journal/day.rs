//! How much the runs of a folder have activated lately: for a limit that holds for all of them together.

use jiff::Timestamp;

use super::row::text_of;
use super::{Journal, JournalError, read};

/// A session that was activated, or may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) run: String,
    /// What the change is known by in its run. Tried several times it is one.
    pub(crate) part: String,
    pub(crate) items: u32,
}

impl Journal {
    /// All that was activated by any run since then, on our clock. What was refused is not among it; what is on its way is.
    pub(crate) async fn activated_since(
        &self,
        since: Timestamp,
    ) -> Result<Vec<Spent>, JournalError> {
        let query = "SELECT i.run, i.part, MAX(i.items) FROM intents i
                     LEFT JOIN outcomes o ON o.run = i.run AND o.sequence = i.sequence
                     WHERE i.class = 'activate' AND i.clock >= ?1
                         AND (o.state IS NULL OR o.state NOT IN ('refused', 'not done'))
                     GROUP BY i.run, i.part";
        self.work(move |database| {
            read::all(database, query, [text_of(since)], |row| {
                Ok(Spent {
                    run: row.get(0)?,
                    part: row.get(1)?,
                    items: row.get(2)?,
                })
            })
        })
        .await
    }
}
