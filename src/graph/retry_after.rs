//! How long a service asks us to wait.

use std::time::Duration;

use jiff::Timestamp;

/// Nobody who means it asks for more.
const LONGEST: Duration = Duration::from_hours(24);

/// Reads a `Retry-After` header: seconds, or a date.
///
/// `None` where there is no header or it cannot be understood. `Some(ZERO)` where it names no time that could be waited for
/// (zero, negative, a date that has passed, more than a day): the caller backs off as it would without one.
///
/// A date is counted from the server's own `Date` (`server_date`): its clock wrote both, ours may be off by minutes. `now`
/// is used where the answer had no `Date`.
///
/// Source: RFC 9110, 10.2.3; Graph docs, "Microsoft Graph throttling guidance".
pub(super) fn retry_after(
    header: Option<&str>,
    server_date: Option<Timestamp>,
    now: Timestamp,
) -> Option<Duration> {
    let text = header?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        // "inf" and "nan" parse as numbers; nobody means them.
        if !seconds.is_finite() {
            return None;
        }
        let wait = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        return Some(sensible(wait));
    }
    let date = Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()?;
    let wait = date.duration_since(server_date.unwrap_or(now));
    Some(sensible(Duration::try_from(wait).unwrap_or_default()))
}

fn sensible(wait: Duration) -> Duration {
    if wait <= LONGEST {
        wait
    } else {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn every_form_of_the_header_is_read() {
        let ours: Timestamp = "2026-11-24T02:30:00Z".parse().unwrap();
        let theirs: Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
        let seconds = |n| Some(Duration::from_secs(n));
        let rows: &[(Option<&str>, Option<Timestamp>, Option<Duration>)] = &[
            (None, Some(theirs), None),
            (Some("17"), Some(theirs), seconds(17)),
            (Some(" 17 "), None, seconds(17)),
            (Some("0.5"), None, Some(Duration::from_millis(500))),
            (Some("0"), None, seconds(0)),
            (Some("-3"), None, seconds(0)),
            (Some("86400"), None, seconds(86400)),
            (Some("86401"), None, seconds(0)),
            (Some("999999999999999999999999"), None, seconds(0)),
            (Some("1e300"), None, seconds(0)),
            (Some("soon"), None, None),
            (Some(""), None, None),
            (Some("NaN"), None, None),
            (Some("inf"), None, None),
            // By the server's clock, which is half an hour behind ours here.
            (
                Some("Tue, 24 Nov 2026 02:00:30 GMT"),
                Some(theirs),
                seconds(30),
            ),
            (Some("Tue, 24 Nov 2026 02:30:10 GMT"), None, seconds(10)),
            (
                Some("Tue, 24 Nov 2026 01:00:00 GMT"),
                Some(theirs),
                seconds(0),
            ),
            (
                Some("Fri, 24 Nov 2226 02:00:00 GMT"),
                Some(theirs),
                seconds(0),
            ),
            (Some("Tue, 44 Nov 2026"), Some(theirs), None),
        ];
        for (header, date, expected) in rows {
            assert_eq!(retry_after(*header, *date, ours), *expected, "{header:?}");
        }
    }

    #[test]
    fn a_wait_is_read_whatever_comes() {
        let now: Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
        let seeds = [
            "17",
            "0.5",
            "-3",
            "1e300",
            "Tue, 24 Nov 2026 02:00:30 GMT",
            "Tuesday, 24-Nov-26 02:00:30 GMT",
            "Tue Nov 24 02:00:30 2026",
        ];
        let words = &[
            "GMT",
            "Nov",
            " 24 ",
            "2026",
            ":",
            "e",
            "inf",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ];
        Target::new("retry-after", &seeds, words).attack(move |bytes| {
            let text = String::from_utf8_lossy(bytes);
            for date in [None, Some(now), Some(Timestamp::MIN), Some(Timestamp::MAX)] {
                let wait = retry_after(Some(&text), date, now);
                assert!(wait.is_none_or(|wait| wait <= LONGEST), "{wait:?}");
            }
            match retry_after(Some(&text), Some(now), now) {
                None => "none".to_owned(),
                Some(Duration::ZERO) => "zero".to_owned(),
                Some(_) => "some".to_owned(),
            }
        });
    }
}
