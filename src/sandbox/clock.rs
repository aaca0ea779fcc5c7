//! The service's own time: it starts at wall time and runs `speed` times as fast.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::lock;

/// Service time. Nothing in the sandbox has a timer; every state is computed from this clock when somebody looks.
pub(super) struct Clock {
    begun: Timestamp,
    /// Service time when this process took over.
    resumed: Timestamp,
    since: Instant,
    speed: f64,
    advanced: Mutex<SignedDuration>,
}

impl Clock {
    pub(super) fn start(speed: f64) -> Self {
        let now = Timestamp::now();
        Self::resume(speed, now, now)
    }

    /// A clock that was started at `begun` and stood still at `resumed` until now.
    pub(super) fn resume(speed: f64, begun: Timestamp, resumed: Timestamp) -> Self {
        Self {
            begun,
            resumed,
            since: Instant::now(),
            speed,
            advanced: Mutex::default(),
        }
    }

    /// The instant at which the sandbox was first started: wall and service time agree there.
    pub(super) fn begun(&self) -> Timestamp {
        self.begun
    }

    pub(super) fn speed(&self) -> f64 {
        self.speed
    }

    pub(super) fn now(&self) -> Timestamp {
        let elapsed = self.since.elapsed().as_secs_f64() * self.speed;
        let elapsed = SignedDuration::try_from_secs_f64(elapsed).unwrap_or(SignedDuration::MAX);
        let passed = elapsed.saturating_add(*lock(&self.advanced));
        self.resumed
            .saturating_add(passed)
            .unwrap_or(Timestamp::MAX)
    }

    /// Moves service time on by `by`; wall time does not notice.
    pub(super) fn advance(&self, by: SignedDuration) {
        let mut advanced = lock(&self.advanced);
        *advanced = advanced.saturating_add(by);
    }

    /// How long a span of service time takes on the wall.
    pub(super) fn wall(&self, service: Duration) -> Duration {
        service.div_f64(self.speed)
    }
}
