//! Whether a conversation may change the tenant now: read-only until somebody arms it, and for no longer than they said.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Exit, Fault};

/// Clones are the same switch.
#[derive(Clone)]
pub(crate) struct Arming(Arc<Mutex<State>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not a conversation, or one with a sandbox: consent and policy are all that is asked.
    Always,
    ReadOnly,
    Until(Timestamp),
}

/// What a person sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Free,
    ReadOnly,
    /// For so much longer.
    Armed(Duration),
}

impl Arming {
    pub(crate) fn always() -> Self {
        Self::of(State::Always)
    }

    pub(crate) fn read_only() -> Self {
        Self::of(State::ReadOnly)
    }

    fn of(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// Allows changes up to this instant.
    pub(crate) fn arm(&self, until: Timestamp) {
        let mut state = self.lock();
        if *state != State::Always {
            *state = State::Until(until);
        }
    }

    pub(crate) fn disarm(&self) {
        let mut state = self.lock();
        if *state != State::Always {
            *state = State::ReadOnly;
        }
    }

    /// Whether it was armed up to this instant and nobody has armed it anew or disarmed it since. Says so once.
    pub(crate) fn ended(&self, until: Timestamp) -> bool {
        let mut state = self.lock();
        let ended = *state == State::Until(until);
        if ended {
            *state = State::ReadOnly;
        }
        ended
    }

    pub(crate) fn mode(&self, now: Timestamp) -> Mode {
        match *self.lock() {
            State::Always => Mode::Free,
            State::ReadOnly => Mode::ReadOnly,
            State::Until(until) => match Duration::try_from(until.duration_since(now)) {
                Ok(left) if !left.is_zero() => Mode::Armed(left),
                _ => Mode::ReadOnly,
            },
        }
    }

    /// # Errors
    /// Exit 5: the conversation is read-only.
    pub(super) fn admit(&self, now: Timestamp, what: &str) -> Result<(), Fault> {
        if self.mode(now) != Mode::ReadOnly {
            return Ok(());
        }
        Err(Fault::new(
            Exit::Denied,
            "NotArmed",
            format!("not sent: {what}, because this conversation is read-only"),
        )
        .hint("`:arm` allows changes for ten minutes, `:arm 1h` for an hour; what restores or deletes still asks"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_armed_for_as_long_as_was_said() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let arming = Arming::read_only();
        assert_eq!(arming.mode(at(0)), Mode::ReadOnly);
        let refused = arming.admit(at(0), "create session").unwrap_err();
        assert_eq!(
            (refused.exit, refused.code.as_str()),
            (Exit::Denied, "NotArmed")
        );
        arming.clone().arm(at(600));
        assert_eq!(arming.mode(at(19)), Mode::Armed(Duration::from_secs(581)));
        arming.admit(at(599), "create session").unwrap();
        assert!(arming.admit(at(600), "create session").is_err());
        arming.arm(at(900));
        arming.disarm();
        assert_eq!(arming.mode(at(601)), Mode::ReadOnly);
    }

    #[test]
    fn what_is_free_stays_free() {
        let arming = Arming::always();
        arming.disarm();
        assert_eq!(arming.mode(Timestamp::MAX), Mode::Free);
        arming.arm(Timestamp::MIN);
        arming.admit(Timestamp::MAX, "activate session").unwrap();
    }
}
