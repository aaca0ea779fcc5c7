//! What a process that dies at any record leaves behind.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use super::*;

/// Lets a child write a run of eleven records and die at one of them; gives how many intents it was told are on disk
/// before it died, and whether it died.
fn die_at(at: &str, folder: &Path) -> (usize, bool) {
    let mut child = child::command("write", folder)
        .env("RUNBACK_TEST_CRASH_AT", at)
        .spawn()
        .unwrap();
    let told = child::lines(&mut child)
        .filter(|line| line == "intent")
        .count();
    let status = child.wait().unwrap();
    assert!(status.success() || status.signal() == Some(9), "{status}");
    (told, !status.success())
}

#[test]
fn a_process_that_dies_at_any_record_keeps_what_it_was_told_is_on_disk() {
    for record in 1..=12 {
        for moment in ["", ":after"] {
            let at = format!("{record}{moment}");
            let folder = tempfile::tempdir().unwrap();
            let (told, died) = die_at(&at, folder.path());
            assert_eq!(died, record <= 11, "{at}");
            let journal = Journal::open(folder.path()).unwrap();
            let kept = sequences(&journal).len();
            let answers = journal.answers(RUN).unwrap().len();
            assert!(
                answers >= kept,
                "{at}: an intent without what was put before"
            );
            // The records are: begun, then an answer and an intent in turn.
            let is_intent = record >= 3 && record % 2 == 1;
            match moment {
                _ if !died => assert_eq!((told, kept), (5, 5)),
                "" => assert_eq!(kept, told, "{at}: on disk before the commit"),
                _ if is_intent => assert_eq!(kept, told + 1, "{at}: not on disk after it"),
                _ => assert!(kept == told || kept == told + 1, "{at}"),
            }
            match journal.run(RUN).unwrap() {
                Some(_) => {
                    let verified = journal.verify(RUN).unwrap();
                    assert!(
                        matches!(verified, Verified::Intact { .. }),
                        "{at}: {verified:?}"
                    );
                }
                None => assert_eq!(at, "1"),
            }
        }
    }
}

#[test]
fn a_torn_write_ahead_log_opens_with_a_prefix() {
    const INTENTS: u64 = 30;
    let written = tempfile::tempdir().unwrap();
    let journal = Journal::open(written.path()).unwrap();
    begun(&journal);
    for sequence in 0..INTENTS {
        journal.sync_blocking(intent(sequence)).unwrap();
    }
    let file = fs::read(written.path().join("journal.db")).unwrap();
    let log = fs::read(written.path().join("journal.db-wal")).unwrap();
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..60 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut torn = log.clone();
        let at = dice.usize(..log.len());
        match seed % 3 {
            0 => torn.truncate(at),
            1 => torn[at] ^= 1 << dice.u8(..8),
            // A block of the disk that was never written.
            _ => {
                let end = (at + 4_096).min(torn.len());
                torn[at..end].fill(0);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("journal.db"), &file).unwrap();
        fs::write(folder.path().join("journal.db-wal"), &torn).unwrap();
        let journal = Journal::open(folder.path()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let kept = sequences(&journal);
        let prefix: Vec<u64> = (0..kept.len() as u64).collect();
        assert_eq!(kept, prefix, "seed {seed}");
        lengths.insert(kept.len());
        if journal.run(RUN).unwrap().is_none() {
            begun(&journal);
        }
        let verified = journal.verify(RUN).unwrap();
        assert!(matches!(verified, Verified::Intact { .. }), "seed {seed}");
        // And it goes on from there.
        journal.sync_blocking(intent(kept.len() as u64)).unwrap();
    }
    assert!(lengths.len() > 10, "torn at many places: {lengths:?}");
}
