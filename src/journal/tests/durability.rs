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
    // Whoever waited for it is told a moment before the writer is idle again.
    while !journal.0.queue.is_idle() {
        std::thread::yield_now();
    }
    let before = commits(folder.path());
    std::thread::scope(|scope| {
        // The disk is slow: the writer has one in its hands, and meanwhile they all come.
        let slow = journal.0.disk.writer();
        let journal = &journal;
        let wait_for = |count: usize| {
            while journal.0.queue.waiting() != count {
                std::thread::yield_now();
            }
        };
        scope.spawn(move || journal.sync_blocking(intent(0)).unwrap());
        // Taken when it has come and gone; a look in between may miss that it came.
        while journal.0.queue.is_idle() {
            std::thread::yield_now();
        }
        wait_for(0);
        for sequence in 1..=64 {
            scope.spawn(move || journal.sync_blocking(intent(sequence)).unwrap());
        }
        wait_for(64);
        drop(slow);
    });
    assert_eq!(sequences(&journal), (0..=64).collect::<Vec<u64>>());
    let commits = commits(folder.path()) - before;
    assert_eq!(commits, 2);
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
