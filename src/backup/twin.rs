//! A request that was sent again has a twin: the first one, whose answer was lost and which had not happened when we looked.
//! It may still land, and what it adds to a draft stands there twice. Verifying finds it, but not between the last look and
//! activation, so a draft is left alone until the twin has had as long again to land as it had before we looked.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::part::{Content, Part};
use super::{BackupError, Service};

/// How often a draft is waited for anew, because mending it had to be sent again.
const ROUNDS: u32 = 6;

/// A request that may still land.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Twin {
    /// When it was looked for in vain, on our clock.
    since: Timestamp,
    /// How long it may still take.
    wait: Duration,
}

impl Twin {
    /// What is left of its time. Clocks that have jumped make it no longer than the whole.
    fn left(self, now: Timestamp) -> Duration {
        let passed = Duration::try_from(now.duration_since(self.since)).unwrap_or_default();
        self.wait.saturating_sub(passed)
    }

    /// Of two the one that takes longer.
    fn or(self, other: Option<Self>, now: Timestamp) -> Self {
        other
            .filter(|other| other.left(now) > self.left(now))
            .unwrap_or(self)
    }
}

impl Service {
    /// A request to this draft is sent again after it was waited for so long.
    pub(super) fn expect_twin(&self, part: &Part, wait: Duration) {
        let now = self.world.clock.now();
        let mut known = part.twin.lock().unwrap_or_else(PoisonError::into_inner);
        let twin = Twin { since: now, wait }.or(*known, now);
        *known = Some(twin);
        self.door.ledger().keep("twin", &part.id, &twin);
    }

    /// What an earlier life expected.
    pub(super) fn recall_twin(&self, part: &Part) {
        let fact: Option<Twin> = self.door.ledger().fact("twin", &part.id);
        if let Some(twin) = fact {
            let mut known = part.twin.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(twin.or(*known, self.world.clock.now()));
        }
    }

    /// Waits until nothing can land in this draft any more; whether there was anything to wait for.
    pub(super) async fn outwait_twin(&self, part: &Part) -> Result<bool, BackupError> {
        let twin = part
            .twin
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let left = twin.map_or(Duration::ZERO, |twin| twin.left(self.world.clock.now()));
        if left.is_zero() {
            return Ok(twin.is_some());
        }
        if left >= Duration::from_secs(1) {
            self.talk.note(&format!(
                "a change of draft `{}` was sent twice, and its first try may still arrive: activating it in {} s",
                part.id,
                left.as_secs()
            ));
        }
        self.sleep(left).await?;
        Ok(true)
    }

    /// Verifies a draft to which nothing is on its way any more.
    ///
    /// # Errors
    /// As [`Service::verify`].
    pub(super) async fn verify_at_rest(
        &self,
        part: &Arc<Part>,
        content: &mut Content,
    ) -> Result<(), BackupError> {
        self.outwait_twin(part).await?;
        for _ in 0..ROUNDS {
            self.verify(part, content).await?;
            if !self.outwait_twin(part).await? {
                return Ok(());
            }
        }
        let session = part.id.clone();
        Err(BackupError::CannotVerify {
            session,
            rounds: ROUNDS,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second).unwrap()
    }

    fn twin(since: i64, wait: u64) -> Twin {
        let wait = Duration::from_secs(wait);
        let since = at(since);
        Twin { since, wait }
    }

    #[test]
    fn its_time_runs_out_and_is_never_longer_than_the_whole() {
        let left = |now| twin(0, 30).left(at(now)).as_secs();
        assert_eq!([left(0), left(10), left(30), left(900)], [30, 20, 0, 0]);
        assert_eq!(left(-600), 30);
    }

    #[test]
    fn of_two_the_later_counts() {
        let (long, short) = (twin(0, 120), twin(10, 30));
        assert_eq!(short.or(Some(long), at(10)), long);
        assert_eq!(long.or(Some(short), at(10)), long);
        assert_eq!(short.or(None, at(10)), short);
    }
}
