//! A unit belongs to one run.

use std::collections::BTreeSet;
use std::io::Write as _;

use super::*;
use crate::journal::lease::Restored;

fn key(unit: &str, point: &str) -> LeaseKey {
    LeaseKey {
        workload: "exchange".into(),
        unit: unit.into(),
        point: point.into(),
        destination: "new".into(),
    }
}

fn release(unit: &str, point: &str, restored_in: Option<&str>) -> Release {
    Release {
        key: key(unit, point),
        restored_in: restored_in.map(str::to_owned),
        at: at(8),
    }
}

/// Tries for a hundred units, one after the other; gives those it got.
pub(super) fn all_of(run: &str, journal: &Journal) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let units = (0..100).map(|unit| format!("unit-{unit}"));
    units
        .filter(|unit| {
            let taken = runtime
                .block_on(journal.lease(run, &[key(unit, "p")]))
                .unwrap();
            taken.is_empty()
        })
        .collect()
}

#[tokio::test]
async fn what_is_free_is_taken_and_the_rest_is_named() {
    let journal = in_memory();
    let _lock = journal.lock("a").unwrap();
    assert_eq!(
        journal
            .lease("a", &[key("1", "p"), key("2", "p")])
            .await
            .unwrap(),
        []
    );
    // Another point of the same unit is the same unit.
    let taken = journal
        .lease("b", &[key("3", "p"), key("1", "q")])
        .await
        .unwrap();
    let [(1, held)] = taken.as_slice() else {
        panic!("{taken:?}");
    };
    assert_eq!((held.run.as_str(), held.point.as_str()), ("a", "p"));
    assert_eq!(held.holder.as_ref().unwrap().pid, std::process::id());
    let taken = journal
        .lease("a", &[key("1", "q"), key("3", "p")])
        .await
        .unwrap();
    let [(1, held)] = taken.as_slice() else {
        panic!("{taken:?}");
    };
    assert_eq!((held.run.as_str(), &held.holder), ("b", &None));
    // The same unit of another workload is another unit.
    let site = LeaseKey {
        workload: "onedrive".into(),
        ..key("1", "p")
    };
    assert_eq!(journal.lease("b", &[site]).await.unwrap(), []);
}

#[tokio::test]
async fn a_unit_is_free_when_its_last_artifact_has_ended() {
    let journal = in_memory();
    let both = [key("1", "p"), key("1", "q")];
    assert_eq!(journal.lease("a", &both).await.unwrap(), []);
    // Nobody gives back what is not his.
    journal
        .release("b", &[release("1", "p", None), release("1", "q", None)])
        .await
        .unwrap();
    journal
        .release("a", &[release("1", "p", Some("s1"))])
        .await
        .unwrap();
    assert_eq!(journal.lease("b", &[key("1", "r")]).await.unwrap().len(), 1);
    journal
        .release("a", &[release("1", "q", None)])
        .await
        .unwrap();
    assert_eq!(journal.lease("b", &[key("1", "r")]).await.unwrap(), []);
    let known = journal
        .restored(&[key("1", "q"), key("1", "p")])
        .await
        .unwrap();
    let restored = Restored {
        run: "a".into(),
        session: "s1".into(),
        at: at(8),
    };
    assert_eq!(known, [None, Some(restored)]);
}

#[test]
fn two_processes_never_get_the_same_unit() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let mut child = child::command("lease", folder.path()).spawn().unwrap();
    let mut lines = child::lines(&mut child);
    assert_eq!(lines.next().unwrap(), "ready");
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let ours = all_of("parent", &journal);
    let theirs: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success());
    assert_eq!(ours.len() + theirs.len(), 100);
    let different: BTreeSet<&String> = ours.iter().chain(&theirs).collect();
    assert_eq!(different.len(), 100);
}

#[test]
fn two_connections_race_for_each_unit_and_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let journals = ["a", "b", "c", "d"].map(|run| (run, Journal::open(folder.path()).unwrap()));
    let mut got = std::thread::scope(|scope| {
        let racing: Vec<_> = journals
            .iter()
            .map(|(run, journal)| scope.spawn(move || all_of(run, journal)))
            .collect();
        let got = racing.into_iter().flat_map(|thread| thread.join().unwrap());
        got.collect::<Vec<String>>()
    });
    assert_eq!(got.len(), 100);
    got.sort_unstable();
    got.dedup();
    assert_eq!(got.len(), 100);
}
