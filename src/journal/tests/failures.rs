//! What can go wrong with a file, and what is said then.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::*;
use crate::error::Fault;

#[test]
fn a_full_disk_stops_every_later_record_and_keeps_the_earlier_ones() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    begun(&journal);
    journal.sync_blocking(intent(0)).unwrap();
    {
        let database = journal.0.disk.writer();
        let pages: i64 = database
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        // The disk has room for so many pages more.
        database
            .pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(()))
            .unwrap();
    }
    journal.put(answer("", 1, &noise(1, 100_000)));
    let full = journal.sync_blocking(intent(1)).unwrap_err();
    assert!(matches!(full, JournalError::Full { .. }), "{full}");
    // Small enough for the room that is left; but the record before it is lost.
    assert_eq!(journal.sync_blocking(intent(2)).unwrap_err(), full);
    assert_eq!(journal.flush().unwrap_err(), full);
    assert_eq!(journal.changes(RUN).unwrap_err(), full);
    let fault = Fault::from(full);
    assert_eq!(fault.code, "JournalFull");
    assert!(
        fault.message.contains("journal.db` is full"),
        "{}",
        fault.message
    );
    assert!(
        fault.hints[0].contains("runback runs --prune"),
        "{:?}",
        fault.hints
    );
    drop(journal);
    assert_eq!(sequences(&Journal::open(folder.path()).unwrap()), [0]);
}

#[test]
fn a_disk_that_turns_read_only_is_named() {
    let journal = in_memory();
    journal
        .0
        .disk
        .writer()
        .pragma_update(None, "query_only", true)
        .unwrap();
    let error = journal.sync_blocking(intent(0)).unwrap_err();
    assert!(matches!(error, JournalError::ReadOnly { .. }), "{error:?}");
    let fault = Fault::from(error);
    assert_eq!(fault.code, "JournalReadOnly");
    assert!(fault.hints[0].contains("--state-dir"), "{:?}", fault.hints);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = child::command("write", folder.path());
    child::as_nobody(&mut command);
    let mut child = command.spawn().unwrap();
    let said: Vec<String> = child::lines(&mut child).collect();
    assert!(child.wait().unwrap().success());
    let file = folder.path().join("journal.db");
    assert_eq!(
        said,
        [format!(
            "the state folder cannot be used: `{}`: Permission denied (os error 13)",
            file.display()
        )]
    );
}

#[test]
fn a_file_that_is_no_database_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("journal.db"), noise(1, 8_192)).unwrap();
    let error = Journal::open(folder.path()).err().unwrap();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error:?}");
    let fault = Fault::from(error);
    assert_eq!(fault.code, "JournalDamaged");
    assert!(
        fault.hints[0].contains("journal.db-wal"),
        "{:?}",
        fault.hints
    );
}

#[test]
fn a_database_with_a_page_of_noise_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    {
        let journal = Journal::open(folder.path()).unwrap();
        begun(&journal);
        for sequence in 0..200 {
            journal.put(intent(sequence));
        }
    }
    let path = folder.path().join("journal.db");
    let whole = fs::read(&path).unwrap();
    // SQLite's page size.
    let pages = whole.len() / 4_096;
    let mut found = 0;
    for page in 1..pages {
        let mut file = whole.clone();
        file[page * 4_096..(page + 1) * 4_096].copy_from_slice(&noise(page as u64, 4_096));
        fs::write(&path, file).unwrap();
        let sound = Journal::open(folder.path())
            .and_then(|journal| journal.check())
            .is_ok_and(|lines| lines.is_empty());
        found += usize::from(!sound);
    }
    assert!(pages > 20);
    assert_eq!(found, pages - 1);
}

#[test]
fn another_process_that_never_ends_its_transaction_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    begun(&journal);
    journal
        .0
        .disk
        .writer()
        .busy_timeout(Duration::ZERO)
        .unwrap();
    let other = Connection::open(folder.path().join("journal.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = journal.sync_blocking(intent(0)).unwrap_err();
    assert!(matches!(busy, JournalError::Busy { .. }), "{busy:?}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(journal.sync_blocking(intent(0)).unwrap_err(), busy);
}

#[test]
fn another_process_that_ends_its_transaction_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    begun(&journal);
    let other = Connection::open(folder.path().join("journal.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| journal.sync_blocking(intent(0)));
        while journal.0.queue.is_idle() {
            std::thread::yield_now();
        }
        other.execute_batch("ROLLBACK").unwrap();
        waits.join().unwrap().unwrap();
    });
    assert_eq!(sequences(&journal), [0]);
}

#[test]
fn a_newer_journal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Journal::open(folder.path()).unwrap());
    let database = Connection::open(folder.path().join("journal.db")).unwrap();
    database.pragma_update(None, "user_version", 7).unwrap();
    drop(database);
    let fault = Fault::from(Journal::open(folder.path()).err().unwrap());
    assert_eq!(fault.code, "JournalNewer");
    assert!(
        fault.message.ends_with("it has schema 7, this one knows 2"),
        "{}",
        fault.message
    );
}

#[test]
fn a_record_of_a_run_that_was_never_begun_is_an_error() {
    let journal = Journal::in_memory();
    let error = journal.sync_blocking(intent(0)).unwrap_err();
    assert!(error.to_string().contains("was never begun"), "{error}");
}

#[test]
fn a_change_cannot_have_the_number_of_another() {
    let journal = in_memory();
    journal.sync_blocking(intent(0)).unwrap();
    journal.sync_blocking(intent(0)).unwrap_err();
}

#[test]
fn a_panic_in_the_writer_is_told_to_all_who_wait() {
    let journal = in_memory();
    let panicked = journal.work_blocking(|_| panic!("a bug"));
    assert!(
        matches!(panicked, Err(JournalError::Failed { .. })),
        "{panicked:?}"
    );
    journal.put(intent(0));
    assert!(journal.sync_blocking(intent(1)).is_err());
}
