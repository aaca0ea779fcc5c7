//! What reports cost where there are many items. Assertions hold the growth; the times are for people to read:
//!
//! ```sh
//! cargo test --locked --release --lib report::cost -- --ignored --nocapture
//! ```

use std::time::{Duration, Instant};

use super::{Kind, Outcome, sample};
use crate::backup::books::{ItemPoint, Outcome as Fate};

/// A large night: every tenth failed, every twentieth was skipped, and each session holds a thousand.
fn night(items: usize) -> Outcome {
    let items = (0..items).map(|number| {
        let mut item = match number % 20 {
            0 | 10 => sample::item(
                number,
                Fate::Failed,
                Some("MailboxQuotaExceeded"),
                Some("the mailbox is full"),
            ),
            5 => sample::item(
                number,
                Fate::Skipped,
                Some("NoUnit"),
                Some("was never protected"),
            ),
            _ => sample::item(number, Fate::Succeeded, None, None),
        };
        item.unit = Some(format!("{number:036}"));
        item.session = Some(format!("{:036}", number / 1_000));
        item.destination = Some("new".into());
        item.point = Some(ItemPoint {
            id: format!("{number:036}"),
            protection_date_time: Some("2026-11-20T03:00:00Z".into()),
        });
        item
    });
    let mut outcome = sample::of(items.collect());
    let sessions = outcome.items.len().div_ceil(1_000);
    outcome.sessions = (0..sessions)
        .map(|number| sample::session(number, "completed", [1, 2, 30]))
        .collect();
    outcome
}

/// The best of a few: what else the machine does only ever adds.
fn cost(kind: Kind, outcome: &Outcome) -> (Duration, usize) {
    let tries = (0..3).map(|_| {
        let begun = Instant::now();
        let text = kind.render(outcome);
        (begun.elapsed(), text.len())
    });
    tries.min().unwrap()
}

/// The most memory that this process has held, in KiB, since it was last asked; `None` where the system does not say.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let peak = line.split_whitespace().nth(1)?.parse().ok()?;
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    Some(peak)
}

#[test]
fn ten_times_the_items_cost_no_more_than_ten_times_as_much() {
    let (small, large) = (night(500), night(5_000));
    for kind in Kind::ALL {
        let ((one, few), (ten, many)) = (cost(kind, &small), cost(kind, &large));
        // A square would be a hundred times; between the two there is room for a busy machine.
        assert!(
            ten < one * 40 + Duration::from_millis(50),
            "{kind:?}: {one:?}, then {ten:?}"
        );
        assert!(many < few * 11, "{kind:?}: {few} bytes, then {many}");
    }
}

#[test]
#[ignore = "prints what a hundred thousand items cost; the test above holds the growth"]
fn a_hundred_thousand_items() {
    for items in [1_000, 10_000, 100_000] {
        let outcome = night(items);
        for kind in Kind::ALL {
            let before = peak().and_then(|_| peak());
            let (took, bytes) = cost(kind, &outcome);
            let held = peak().zip(before).map(|(after, before)| after - before);
            eprintln!(
                "{items} items, {kind:?}: {took:?}, {bytes} bytes, {held:?} KiB more than before"
            );
        }
    }
}
