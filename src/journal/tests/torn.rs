//! What a disk that lost a part of a write leaves behind.

use std::fs;

use super::*;

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
