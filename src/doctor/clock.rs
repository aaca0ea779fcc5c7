//! Our clock against the service's.
//!
//! Entra refuses tokens by a clock that is five minutes off, and "the newest point before 16:00" is another point where two
//! clocks disagree about 16:00.

use std::time::Duration;

use jiff::SignedDuration;

use super::Check;
use crate::graph::Client;
use crate::text;
use crate::world::World;

/// `Date` has whole seconds, and an answer takes its time.
const FINE: SignedDuration = SignedDuration::from_secs(30);
/// What Entra tolerates.
const MOST: SignedDuration = SignedDuration::from_mins(5);
/// Two looks at clocks that run alike differ by no more than this.
const JITTER: SignedDuration = SignedDuration::from_secs(3);
/// How long to wait between two looks, where one shows a difference.
const PAUSE: Duration = Duration::from_millis(50);

/// How the service's clock stands to ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// By this much.
    By(SignedDuration),
    /// It runs at another speed: only a simulated tenant's does.
    Running,
    /// The service sends no date.
    Unsaid,
}

/// Compares; looks twice where the clocks differ. `early` is the difference as one of the first answers showed it.
pub(super) async fn ahead(client: &Client, early: Option<SignedDuration>, world: &World) -> Ahead {
    let (Some(early), Some(late)) = (early, client.clock_ahead()) else {
        return Ahead::Unsaid;
    };
    let mut last = late;
    if late.abs() > FINE && !is_drift(early, late) {
        world.clock.sleep(PAUSE).await;
        let _ = super::probe::first(client).await;
        last = client.clock_ahead().unwrap_or(late);
    }
    if is_drift(early, last) {
        Ahead::Running
    } else {
        Ahead::By(last)
    }
}

fn is_drift(one: SignedDuration, other: SignedDuration) -> bool {
    (other - one).abs() > JITTER
}

pub(super) fn check(ahead: Ahead, simulated: Option<f64>) -> Check {
    if let Some(speed) = simulated {
        return Check::ok(
            "clock",
            format!("a simulated tenant's, {speed} times as fast as ours"),
        );
    }
    let by = match ahead {
        Ahead::By(by) => by,
        Ahead::Running => {
            return Check::skipped(
                "clock",
                "the service's runs faster than ours: this is a simulated tenant",
            );
        }
        Ahead::Unsaid => return Check::skipped("clock", "the service sends no `Date`"),
    };
    let off = text::time(by.unsigned_abs());
    let side = if by.is_negative() {
        "ahead of"
    } else {
        "behind"
    };
    let detail = format!("this machine's clock is {off} {side} the service's");
    let hint = "set the clock of this machine, and let it follow a time server (`timedatectl set-ntp true`)";
    if by.abs() <= FINE {
        Check::ok("clock", "as the service's")
    } else if by.abs() < MOST {
        Check::warning("clock", detail).hint(hint)
    } else {
        Check::fails("clock", detail).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn five_minutes_are_too_many() {
        let rows = [
            (0, Verdict::Ok, "as the service's"),
            (-29, Verdict::Ok, "as the service's"),
            (45, Verdict::Warning, "45 s behind"),
            (-240, Verdict::Warning, "4 min ahead of"),
            (300, Verdict::Fails, "5 min behind"),
            (-7200, Verdict::Fails, "2 h ahead of"),
        ];
        for (seconds, result, detail) in rows {
            let check = check(Ahead::By(SignedDuration::from_secs(seconds)), None);
            assert_eq!(check.result, result, "{check:?}");
            assert!(check.detail.contains(detail), "{check:?}");
            assert_eq!(check.hint.is_some(), result != Verdict::Ok);
        }
        assert_eq!(check(Ahead::Running, None).result, Verdict::Skipped);
        assert_eq!(check(Ahead::Unsaid, None).result, Verdict::Skipped);
        let far = Ahead::By(SignedDuration::from_hours(9));
        assert_eq!(check(far, Some(600.0)).result, Verdict::Ok);
    }

    #[test]
    fn a_clock_that_runs_faster_is_told_from_one_that_is_wrong() {
        let seconds = SignedDuration::from_secs;
        assert!(!is_drift(seconds(3600), seconds(3602)));
        assert!(is_drift(seconds(10), seconds(40)));
    }
}
