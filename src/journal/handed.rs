//! Runs that a watched folder has given to a process. It is written down here before the process starts: so who finds such a run
//! later, and no record of it, knows whether there never was one, or whether this is another journal.

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use super::row::text_of;
use super::{Journal, JournalError};

impl Journal {
    /// Back when it is on disk.
    pub(crate) fn hand_over(&self, run: &str, at: Timestamp) -> Result<(), JournalError> {
        let (run, at) = (run.to_owned(), text_of(at));
        self.work_blocking(move |database| {
            let query = "INSERT INTO handed (run, at) VALUES (?1, ?2) ON CONFLICT (run) DO NOTHING";
            database.execute(query, [run, at]).map(|_| ())
        })
    }

    pub(crate) fn was_handed_over(&self, run: &str) -> Result<bool, JournalError> {
        let query = "SELECT 1 FROM handed WHERE run = ?1";
        let found =
            self.look(|database| database.query_row(query, [run], |_| Ok(())).optional())?;
        Ok(found.is_some())
    }

    /// It was filed away: nobody will ask.
    pub(crate) fn forget_handed(&self, run: &str) {
        let run = run.to_owned();
        self.work_later(move |database| {
            let query = "DELETE FROM handed WHERE run = ?1";
            database.execute(query, [run]).map(|_| ())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_over_is_known_until_it_is_filed_away() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        journal.hand_over("r", Timestamp::UNIX_EPOCH).unwrap();
        journal.hand_over("r", Timestamp::UNIX_EPOCH).unwrap();
        drop(journal);
        let journal = Journal::open(folder.path()).unwrap();
        assert!(journal.was_handed_over("r").unwrap());
        assert!(!journal.was_handed_over("s").unwrap());
        journal.forget_handed("r");
        assert!(!journal.was_handed_over("r").unwrap());
    }
}
