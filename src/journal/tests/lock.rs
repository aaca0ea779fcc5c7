//! One process per run.

use super::*;
use crate::error::Fault;

#[test]
fn a_run_is_held_by_one_and_says_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    for (one, other) in [
        (
            Journal::open(folder.path()).unwrap(),
            Journal::open(folder.path()).unwrap(),
        ),
        {
            let journal = Journal::in_memory();
            (journal.clone(), journal)
        },
    ] {
        assert_eq!(other.lock_holder(RUN), None);
        let lock = one.lock(RUN).unwrap();
        let error = other.lock(RUN).err().unwrap();
        let JournalError::Held { run, holder } = &error else {
            panic!("{error}");
        };
        assert_eq!(run, RUN);
        assert_eq!(holder.pid, std::process::id());
        assert_eq!(holder.host, crate::unix::host());
        assert_eq!(other.lock_holder(RUN).as_ref(), Some(holder));
        let fault = Fault::from(error);
        assert_eq!((fault.code.as_str(), fault.exit.code()), ("RunIsHeld", 2));
        let pid = std::process::id().to_string();
        assert!(fault.message.contains(&pid), "{}", fault.message);
        other.lock("another-run").unwrap();
        drop(lock);
        assert_eq!(other.lock_holder(RUN), None);
        other.lock(RUN).unwrap();
    }
}

#[test]
fn a_process_that_is_killed_frees_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let mut child = child::command("hold", folder.path()).spawn().unwrap();
    assert_eq!(child::lines(&mut child).next().unwrap(), "held");
    let Err(JournalError::Held { holder, .. }) = journal.lock(RUN) else {
        panic!("it is held");
    };
    assert_eq!(holder.pid, child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    journal.lock(RUN).unwrap();
}

#[test]
fn no_file_outside_the_folder_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    for run in ["", "../x", "a/b", "/etc/x", "a.b", "x\0"] {
        let error = journal.lock(run).err().unwrap();
        assert!(matches!(error, JournalError::NoSuchRun { .. }), "{run:?}");
        assert_eq!(journal.lock_holder(run), None);
    }
}

/// SQLite holds its file by a POSIX lock, and a process loses all of those on a file with whichever of its handles on it is closed
/// first. Then another process takes itself for the last one, and takes the log away from under this one: what it writes from then
/// on nobody sees.
#[test]
fn a_second_journal_in_a_process_leaves_the_first_its_lock() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let first = Journal::open(folder.path()).unwrap();
    begun(&first);
    let inode = folder.path().join("journal.db").metadata().unwrap().ino();
    let is_held = || {
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        let (own, file) = (format!(" {} ", std::process::id()), format!(":{inode} "));
        locks
            .lines()
            .any(|lock| lock.contains(&own) && lock.contains(&file))
    };
    if !is_held() {
        println!("this system does not say who holds which lock: not looked at");
        return;
    }
    drop(Journal::open(folder.path()).unwrap());
    assert!(is_held());
    drop(first);
}
