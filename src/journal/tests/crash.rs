//! What a process that dies at any record leaves behind.

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
