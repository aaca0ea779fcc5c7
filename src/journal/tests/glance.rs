//! Holds and wishes of other processes.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_wish_from_another_terminal_is_seen_a_moment_later() {
    let folder = tempfile::tempdir().unwrap();
    let run = Journal::open(folder.path()).unwrap();
    begun(&run);
    let terminal = Journal::open(folder.path()).unwrap();
    let start = Instant::now();
    let after = |milliseconds| start + Duration::from_millis(milliseconds);
    assert_eq!(run.wished_at(RUN, start), None);
    terminal.wish(RUN, Wish::Pause).unwrap();
    assert_eq!(run.wished_at(RUN, after(199)), None);
    assert_eq!(run.wished_at(RUN, after(200)), Some(Wish::Pause));
    terminal.wish(RUN, Wish::Continue).unwrap();
    assert_eq!(run.wished_at(RUN, after(399)), Some(Wish::Pause));
    assert_eq!(run.wished_at(RUN, after(400)), Some(Wish::Continue));
    terminal.wish(RUN, Wish::Stop).unwrap();
    assert_eq!(run.wished_at(RUN, after(600)), Some(Wish::Stop));
    assert_eq!(run.wished_at("another", after(600)), None);
}

#[test]
fn a_run_that_is_resumed_or_has_ended_is_wished_nothing() {
    let journal = in_memory();
    let resumed = Record::Resumed {
        run: RUN.into(),
        at: at(1),
        pid: 1,
        host: "ops2".into(),
        user: "anna".into(),
    };
    for record in [resumed, ended(RUN, true)] {
        journal.wish(RUN, Wish::Stop).unwrap();
        assert_eq!(journal.wished(RUN), Some(Wish::Stop));
        journal.sync_blocking(record).unwrap();
        let later = Instant::now() + Duration::from_secs(1);
        assert_eq!(journal.wished_at(RUN, later), None);
    }
}

#[test]
fn the_later_of_two_holds_counts_in_every_process() {
    let folder = tempfile::tempdir().unwrap();
    let one = Journal::open(folder.path()).unwrap();
    let other = Journal::open(folder.path()).unwrap();
    let start = Instant::now();
    let after = |milliseconds| start + Duration::from_millis(milliseconds);
    assert_eq!(other.held_until_at("t", start), None);
    one.hold_until("t", at(60));
    one.hold_until("t", at(30));
    // Our own holds at once, also while it is on its way to the disk.
    assert_eq!(one.held_until_at("t", start), Some(at(60)));
    one.flush().unwrap();
    assert_eq!(other.held_until_at("t", after(199)), None);
    assert_eq!(other.held_until_at("t", after(200)), Some(at(60)));
    other.hold_until("t", at(90));
    other.flush().unwrap();
    assert_eq!(one.held_until_at("t", after(300)), Some(at(90)));
    assert_eq!(one.held_until_at("another", after(300)), None);
}
