//! What is on disk when.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

/// Another look at the file, as another process has it.
fn seen(folder: &Path, table: &str) -> i64 {
    count(&Connection::open(folder.join("journal.db")).unwrap(), table)
}

#[tokio::test]
async fn what_was_put_is_on_disk_with_the_next_synced_record() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    journal
        .sync(Record::Begun { run: run_row(RUN) })
        .await
        .unwrap();
    for number in 0..100 {
        journal.put(answer("", number, b"x"));
    }
    journal.sync(intent(0)).await.unwrap();
    assert_eq!(seen(folder.path(), "answers"), 100);
    assert_eq!(seen(folder.path(), "intents"), 1);
}

#[test]
fn a_flush_waits_for_what_was_put() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    begun(&journal);
    for number in 0..10 {
        journal.put(answer("", number, b"x"));
        journal.flush().unwrap();
        assert_eq!(seen(folder.path(), "answers"), i64::from(number) + 1);
    }
}

#[test]
fn what_was_put_before_a_read_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    begun(&journal);
    journal.put(intent(0));
    assert_eq!(sequences(&journal), [0]);
}

/// Transactions in the write-ahead log: a frame that ends one says how large the file is then.
fn commits(folder: &Path) -> usize {
    let log = fs::read(folder.join("journal.db-wal")).unwrap();
    let word = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let page = usize::try_from(word(8)).unwrap();
    let frames = (32..log.len()).step_by(24 + page);
    frames.filter(|&frame| word(frame + 4) != 0).count()
}

#[test]
fn intents_of_many_threads_share_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    begun(&journal);
    let before = commits(folder.path());
    std::thread::scope(|scope| {
        // The disk is slow: meanwhile they all come.
        let slow = journal.0.disk.writer();
        for sequence in 0..64 {
            let journal = &journal;
            scope.spawn(move || journal.sync_blocking(intent(sequence)).unwrap());
        }
        // All but those that the writer has in its hands.
        let mut in_hand = 64;
        while in_hand > 8 {
            std::thread::yield_now();
            in_hand = 64 - journal.0.queue.waiting();
        }
        drop(slow);
    });
    assert_eq!(sequences(&journal), (0..64).collect::<Vec<u64>>());
    let commits = commits(folder.path()) - before;
    assert!((1..=10).contains(&commits), "{commits} commits");
}

#[test]
fn nobody_else_can_read_the_files() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("state").join("runback");
    let journal = Journal::open(&folder).unwrap();
    begun(&journal);
    let _lock = journal.lock(RUN).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let lock = format!("locks/{RUN}.lock");
    for file in ["journal.db", "journal.db-wal", "journal.db-shm", &lock] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
    drop(journal);
    let file = folder.join("journal.db");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    Journal::open(&folder).unwrap();
    assert_eq!(mode(&file), 0o600);
}
