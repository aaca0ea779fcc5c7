//! Waiting for sessions takes hours, and a network that is away for some of them must not end it: the restores go on in the
//! service, whether anybody looks or not.

use std::time::Duration;

use jiff::Timestamp;

use super::{BackupError, Service, gone};
use crate::graph::GraphError;

/// How long a wait goes on without a usable answer.
const PATIENCE: Duration = Duration::from_hours(6);

/// Since when one question has had no usable answer.
#[derive(Default)]
pub(super) struct Patience {
    since: Option<Timestamp>,
    /// In how many looks one after the other what is waited for was not there.
    missing: u32,
}

impl Patience {
    /// There was an answer.
    pub(super) fn restore(&mut self) {
        *self = Self::default();
    }

    /// Whether to ask again later; says so the first time.
    pub(super) fn bears(&mut self, service: &Service, error: &BackupError) -> bool {
        if matches!(error, BackupError::SessionGone { .. }) {
            self.missing += 1;
            return self.missing < gone::LOOKS;
        }
        if !is_passing(error) {
            return false;
        }
        let now = service.world.clock.now();
        let Some(since) = self.since else {
            self.since = Some(now);
            service.talk.note(&format!(
                "{error}; the restores go on, and so does the wait"
            ));
            return true;
        };
        Duration::try_from(now.duration_since(since)).unwrap_or_default() < PATIENCE
    }
}

/// Something on the way, or a service that has its troubles: the tries of one call are used up, and it may be over in an hour.
fn is_passing(error: &BackupError) -> bool {
    matches!(
        error.graph(),
        Some(
            GraphError::Exhausted { .. }
                | GraphError::Unreachable { .. }
                | GraphError::Unusable { .. }
        )
    )
}

impl Service {
    /// Reads until there is an answer, however long the network is away.
    ///
    /// # Errors
    /// What the service says, also when it says nothing for six hours.
    pub(super) async fn patiently<T>(
        &self,
        read: impl AsyncFn() -> Result<T, BackupError>,
    ) -> Result<T, BackupError> {
        let mut patience = Patience::default();
        let mut schedule = self.schedule();
        loop {
            match read().await {
                Err(error) if patience.bears(self, &error) => {
                    self.sleep(schedule.next()).await?;
                }
                outcome => return outcome,
            }
        }
    }
}
