//! The tables, and how those of an older runback become ours.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::JournalError;

/// Step *n* takes a database from schema *n* to *n* + 1. A step that was released is never edited.
const STEPS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// `runb`: a database that says so, or an empty one, is ours to write in.
const APPLICATION: i64 = 0x7275_6e62;

/// Brings the tables to the newest schema.
pub(super) fn migrate(database: &mut Connection, file: &Path) -> Result<(), JournalError> {
    by_steps(database, file, STEPS)
}

/// Whether the tables are ours to use, without a change to them.
pub(super) fn check(database: &Connection, file: &Path) -> Result<(), JournalError> {
    version(database, file, newest(STEPS)).map(|_| ())
}

fn newest(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).expect("steps are counted on fingers")
}

fn by_steps(database: &mut Connection, file: &Path, steps: &[&str]) -> Result<(), JournalError> {
    let failed = |error: rusqlite::Error| JournalError::of(file, &error);
    let known = newest(steps);
    if version(database, file, known)? == known {
        return Ok(());
    }
    // Whoever comes second finds the work done.
    let transaction = database
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let found = version(&transaction, file, known)?;
    let done = usize::try_from(found).unwrap_or(0);
    for step in &steps[done..] {
        transaction.execute_batch(step).map_err(failed)?;
    }
    transaction
        .pragma_update(None, "application_id", APPLICATION)
        .and_then(|()| transaction.pragma_update(None, "user_version", known))
        .and_then(|()| transaction.commit())
        .map_err(failed)
}

/// The schema of what is there; 0 for an empty database.
fn version(database: &Connection, file: &Path, known: i64) -> Result<i64, JournalError> {
    let failed = |error: rusqlite::Error| JournalError::of(file, &error);
    let pragma = |name: &str| -> Result<i64, JournalError> {
        database
            .pragma_query_value(None, name, |row| row.get(0))
            .map_err(failed)
    };
    let found = pragma("user_version")?;
    let tables: i64 = database
        .query_row("SELECT COUNT(*) FROM sqlite_master", [], |row| row.get(0))
        .map_err(failed)?;
    let file = file.to_owned();
    match pragma("application_id")? {
        APPLICATION if found > known => Err(JournalError::Newer { file, found, known }),
        APPLICATION if found >= 0 => Ok(found),
        0 if tables == 0 && found == 0 => Ok(0),
        _ => Err(JournalError::NotOurs { file }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "journal.db";

    #[test]
    fn each_step_is_taken_once() {
        let mut database = Connection::open_in_memory().unwrap();
        let first = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);";
        by_steps(&mut database, Path::new(FILE), &[first]).unwrap();
        let second = "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;";
        for _ in 0..2 {
            by_steps(&mut database, Path::new(FILE), &[first, second]).unwrap();
        }
        let row = database.query_row("SELECT COUNT(*), MAX(y) FROM a", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        });
        assert_eq!(row.unwrap(), (1, 2));
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let mut database = Connection::open_in_memory().unwrap();
        let first = "CREATE TABLE a (x INTEGER);";
        by_steps(&mut database, Path::new(FILE), &[first]).unwrap();
        let broken = "CREATE TABLE b (x INTEGER); INSERT INTO c VALUES (1);";
        by_steps(&mut database, Path::new(FILE), &[first, broken]).unwrap_err();
        let tables: i64 = database
            .query_row("SELECT COUNT(*) FROM sqlite_master", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 1);
        by_steps(&mut database, Path::new(FILE), &[first]).unwrap();
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let mut database = Connection::open_in_memory().unwrap();
        migrate(&mut database, Path::new(FILE)).unwrap();
        database.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut database, Path::new(FILE)).unwrap_err();
        assert_eq!(
            error,
            JournalError::Newer {
                file: FILE.into(),
                found: 99,
                known: i64::try_from(STEPS.len()).unwrap()
            }
        );
    }

    #[test]
    fn a_database_of_somebody_else_is_left_alone() {
        for made in [
            "CREATE TABLE theirs (x INTEGER);",
            "PRAGMA application_id = 7;",
            "PRAGMA user_version = 1;",
        ] {
            let mut database = Connection::open_in_memory().unwrap();
            database.execute_batch(made).unwrap();
            let error = migrate(&mut database, Path::new(FILE)).unwrap_err();
            assert_eq!(error, JournalError::NotOurs { file: FILE.into() }, "{made}");
        }
    }
}
