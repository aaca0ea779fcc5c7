//! What may be sent again: the table of the design, as one function without side effects.

use std::time::Duration;

/// Does a call alter the tenant?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// GET, or a search by POST.
    Reading,
    Changing,
}

/// How an attempt that gave no usable answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure<'a> {
    /// It is certain that nothing left this machine: DNS, connect, TLS.
    Unsent {
        timed_out: bool,
        /// The service has answered some call before: it is there, and the address is right.
        reached: bool,
    },
    /// Something left, and no answer that could be read to its end came back: reset, cut, silence, broken JSON.
    Lost { timed_out: bool },
    /// An answer that is whole and of no use.
    Unusable {
        /// A page of something on the way (HTML with a 200), which may let the next request through. The others will not
        /// get better by asking again: too large, a redirect elsewhere.
        passing: bool,
    },
    /// The service (or something before it) said no.
    Refused {
        status: u16,
        code: &'a str,
        /// There was a `Retry-After` that could be read (zero and negative ones too).
        retry_after: bool,
        /// The call asks for an id that the service gave us less than 30 s ago.
        fresh: bool,
        /// A new token can be had.
        renewable: bool,
    },
}

/// What a call has been through so far, this attempt included.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effort {
    pub(super) tries: u32,
    pub(super) unsent: u32,
    pub(super) lost: u32,
    /// Of `lost`, those that cost a whole time limit.
    pub(super) timed_out: u32,
    pub(super) throttled: u32,
    pub(super) missing: u32,
    pub(super) renewed: bool,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send again after a wait of our own choosing; the n-th of its sort, from 1.
    Backoff(u32),
    /// Send again after the wait that the service named, or the n-th of ours; everybody waits.
    Throttle(u32),
    /// Send again with a new token.
    Renew,
    /// The service's answer is final.
    Refused,
    /// The service may or may not have acted: nobody sends this again without looking.
    Unknown {
        maybe_later: bool,
    },
    Unreachable,
    Exhausted,
    Unusable,
}

/// Four tries with waits of 0.25, 0.5 and 1 s: a refused port is reported after about 2 s.
const UNSENT_TRIES: u32 = 4;
/// A connect that ran into its 10 s limit is tried once more, not three times.
const UNSENT_TIMED_OUT_TRIES: u32 = 2;
/// Once the service was reached, a network that goes away is waited for, about a minute in both cases: a run of hours
/// should not end because a cable was pulled for ten seconds.
const REACHED_UNSENT_TRIES: u32 = 9;
const REACHED_UNSENT_TIMED_OUT_TRIES: u32 = 5;
const LOST_TRIES: u32 = 6;
/// Silence and trickle cost 10 to 100 s each; six of them would keep a person for ten minutes.
const TIMED_OUT_TRIES: u32 = 3;
/// More than fit into the 30 s of a new id; ends the tries also where the service's clock stands still.
const MISSING_TRIES: u32 = 20;

/// "Wait your turn": the one documented 500 that says that nothing was done. The gate before activate waits, not we.
const TURNED_AWAY: &str = "TooManyActiveRestoreSessions";

/// Codes that mean "too many requests" whatever 4xx they arrive with.
const THROTTLED: [&str; 4] = [
    "TooManyRequests",
    "activityLimitReached",
    "ApplicationThrottled",
    "throttledRequest",
];

/// Decides by the kind of call, by what happened (the error's code before its HTTP status), and by what was tried before.
///
/// Waits are not chosen here, and whether the call's budget allows them is not known here.
///
/// Source: the design, "Talking to Graph"; error codes from Graph docs, "Backup Storage API error responses".
pub(super) fn decide(kind: Kind, failure: Failure<'_>, effort: &Effort) -> Next {
    match failure {
        Failure::Unsent { timed_out, reached } => {
            let most = match (reached, timed_out) {
                (false, false) => UNSENT_TRIES,
                (false, true) => UNSENT_TIMED_OUT_TRIES,
                (true, false) => REACHED_UNSENT_TRIES,
                (true, true) => REACHED_UNSENT_TIMED_OUT_TRIES,
            };
            if effort.unsent < most {
                Next::Backoff(effort.unsent)
            } else {
                Next::Unreachable
            }
        }
        Failure::Lost { .. } => lost(kind, false, effort),
        Failure::Unusable { passing } => match kind {
            Kind::Reading if passing && effort.lost < LOST_TRIES => Next::Backoff(effort.lost),
            Kind::Reading => Next::Unusable,
            Kind::Changing => Next::Unknown { maybe_later: false },
        },
        Failure::Refused {
            status,
            code,
            retry_after,
            fresh,
            renewable,
        } => {
            let client_error = (400..500).contains(&status);
            if code.eq_ignore_ascii_case(TURNED_AWAY) {
                return Next::Refused;
            }
            if client_error && THROTTLED.iter().any(|c| code.eq_ignore_ascii_case(c)) {
                return Next::Throttle(effort.throttled);
            }
            match status {
                429 => Next::Throttle(effort.throttled),
                503 if retry_after => Next::Throttle(effort.throttled),
                401 if renewable && !effort.renewed => Next::Renew,
                // Not further apart than 4 s: the whole window is 30 s.
                404 if fresh && effort.missing < MISSING_TRIES => {
                    Next::Backoff(effort.missing.min(5))
                }
                408 | 504 => lost(kind, true, effort),
                // Not implemented and version not supported: asking again changes nothing, and nothing was done.
                501 | 505 => Next::Refused,
                500.. => lost(kind, false, effort),
                _ => Next::Refused,
            }
        }
    }
}

fn lost(kind: Kind, maybe_later: bool, effort: &Effort) -> Next {
    match kind {
        Kind::Changing => Next::Unknown { maybe_later },
        Kind::Reading if effort.lost >= LOST_TRIES || effort.timed_out >= TIMED_OUT_TRIES => {
            Next::Exhausted
        }
        Kind::Reading => Next::Backoff(effort.lost),
    }
}

/// The n-th wait (from 1): 0.25 s doubling to 30 s, ± 20 % so that workers which failed together do not return together.
pub(super) fn backoff(nth: u32) -> Duration {
    let doubled = Duration::from_millis(250) * (1 << (nth.max(1) - 1).min(7));
    doubled
        .min(Duration::from_secs(30))
        .mul_f64(0.8 + 0.4 * fastrand::f64())
}

/// The n-th wait (from 1) after a 429 that named no time: 1 s doubling to 30 s.
pub(super) fn throttle_backoff(nth: u32) -> Duration {
    backoff(nth.saturating_add(2))
}

#[cfg(test)]
mod tests {
    use super::Kind::{Changing, Reading};
    use super::*;

    fn no(status: u16) -> Failure<'static> {
        coded(status, "x")
    }

    fn coded(status: u16, code: &'static str) -> Failure<'static> {
        Failure::Refused {
            status,
            code,
            retry_after: false,
            fresh: false,
            renewable: true,
        }
    }

    fn timed(status: u16) -> Failure<'static> {
        Failure::Refused {
            status,
            code: "x",
            retry_after: true,
            fresh: false,
            renewable: true,
        }
    }

    const FRESH_404: Failure<'static> = Failure::Refused {
        status: 404,
        code: "RestoreSessionNotFound",
        retry_after: false,
        fresh: true,
        renewable: true,
    };
    const FIXED_TOKEN_401: Failure<'static> = Failure::Refused {
        status: 401,
        code: "InvalidAuthenticationToken",
        retry_after: false,
        fresh: false,
        renewable: false,
    };
    const UNSENT: Failure<'static> = Failure::Unsent {
        timed_out: false,
        reached: false,
    };
    const LOST: Failure<'static> = Failure::Lost { timed_out: false };
    const PAGE: Failure<'static> = Failure::Unusable { passing: true };
    const UNKNOWN: Next = Next::Unknown { maybe_later: false };
    const UNKNOWN_LATER: Next = Next::Unknown { maybe_later: true };

    /// Every row of the table in the design, first try, both columns.
    #[test]
    fn the_table_of_the_design() {
        let first = Effort {
            tries: 1,
            unsent: 1,
            lost: 1,
            throttled: 1,
            missing: 1,
            ..Effort::default()
        };
        let unsent = UNSENT;
        let full = coded(500, "TooManyActiveRestoreSessions");
        let rows: &[(Failure<'_>, Next, Next)] = &[
            (unsent, Next::Backoff(1), Next::Backoff(1)),
            (no(429), Next::Throttle(1), Next::Throttle(1)),
            (timed(429), Next::Throttle(1), Next::Throttle(1)),
            (timed(503), Next::Throttle(1), Next::Throttle(1)),
            (
                coded(403, "activityLimitReached"),
                Next::Throttle(1),
                Next::Throttle(1),
            ),
            (no(401), Next::Renew, Next::Renew),
            (FIXED_TOKEN_401, Next::Refused, Next::Refused),
            (full, Next::Refused, Next::Refused),
            (no(408), Next::Backoff(1), UNKNOWN_LATER),
            (no(500), Next::Backoff(1), UNKNOWN),
            (
                coded(500, "IncompleteArtifactDeletion"),
                Next::Backoff(1),
                UNKNOWN,
            ),
            (no(502), Next::Backoff(1), UNKNOWN),
            (no(504), Next::Backoff(1), UNKNOWN_LATER),
            (timed(504), Next::Backoff(1), UNKNOWN_LATER),
            (no(503), Next::Backoff(1), UNKNOWN),
            (no(507), Next::Backoff(1), UNKNOWN),
            (LOST, Next::Backoff(1), UNKNOWN),
            (
                Failure::Unusable { passing: false },
                Next::Unusable,
                UNKNOWN,
            ),
            (PAGE, Next::Backoff(1), UNKNOWN),
            (FRESH_404, Next::Backoff(1), Next::Backoff(1)),
            (no(404), Next::Refused, Next::Refused),
            (no(400), Next::Refused, Next::Refused),
            (no(403), Next::Refused, Next::Refused),
            (no(409), Next::Refused, Next::Refused),
            (no(413), Next::Refused, Next::Refused),
            (no(422), Next::Refused, Next::Refused),
            (no(501), Next::Refused, Next::Refused),
        ];
        for (failure, reading, changing) in rows {
            assert_eq!(
                decide(Reading, *failure, &first),
                *reading,
                "reading {failure:?}"
            );
            assert_eq!(
                decide(Changing, *failure, &first),
                *changing,
                "changing {failure:?}"
            );
        }
    }

    #[test]
    fn tries_are_counted_by_what_went_wrong() {
        let effort = |unsent, lost, timed_out| Effort {
            tries: 99,
            unsent,
            lost,
            timed_out,
            throttled: 99,
            missing: 99,
            renewed: true,
        };
        let unsent = UNSENT;
        assert_eq!(decide(Reading, unsent, &effort(3, 0, 0)), Next::Backoff(3));
        assert_eq!(
            decide(Changing, unsent, &effort(4, 0, 0)),
            Next::Unreachable
        );
        let unsent = |timed_out, reached| Failure::Unsent { timed_out, reached };
        for (failure, most) in [
            (unsent(true, false), 2),
            (unsent(false, true), 9),
            (unsent(true, true), 5),
        ] {
            assert_eq!(
                decide(Reading, failure, &effort(most - 1, 0, 0)),
                Next::Backoff(most - 1)
            );
            assert_eq!(
                decide(Changing, failure, &effort(most, 0, 0)),
                Next::Unreachable
            );
        }
        // `missing` is at 99.
        assert_eq!(decide(Reading, FRESH_404, &effort(0, 0, 0)), Next::Refused);
        assert_eq!(decide(Reading, LOST, &effort(0, 5, 0)), Next::Backoff(5));
        assert_eq!(decide(Reading, LOST, &effort(0, 6, 0)), Next::Exhausted);
        assert_eq!(decide(Reading, PAGE, &effort(0, 5, 0)), Next::Backoff(5));
        assert_eq!(decide(Reading, PAGE, &effort(0, 6, 0)), Next::Unusable);
        assert_eq!(decide(Reading, no(502), &effort(0, 6, 0)), Next::Exhausted);
        assert_eq!(decide(Reading, LOST, &effort(0, 3, 3)), Next::Exhausted);
        assert_eq!(decide(Reading, no(401), &effort(0, 0, 0)), Next::Refused);
        assert_eq!(decide(Changing, no(401), &effort(0, 0, 0)), Next::Refused);
        // Throttling ends with the budget, not with a number of tries.
        assert_eq!(
            decide(Changing, no(429), &effort(0, 0, 0)),
            Next::Throttle(99)
        );
    }

    #[test]
    fn waits_double_to_thirty_seconds() {
        for (nth, millis) in [
            (0, 250),
            (1, 250),
            (2, 500),
            (3, 1000),
            (7, 16_000),
            (8, 30_000),
            (4_000_000_000, 30_000),
        ] {
            let wait = backoff(nth).as_millis();
            assert!(
                (millis * 8 / 10..=millis * 12 / 10 + 1).contains(&wait),
                "{nth}: {wait}"
            );
        }
    }
}
