//! Points in time and lengths of time, as values: never bare seconds, never text.

use std::fmt;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use crate::instant;

/// An instant. RFC 3339 with `Z` wherever it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Datetime(pub(crate) Timestamp);

/// A length of time, maybe negative. ISO 8601 wherever it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Duration(pub(crate) SignedDuration);

/// Why a text is no instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadTime {
    /// It may be a time somewhere, but nobody says where.
    NoOffset,
    Unreadable,
}

impl Datetime {
    /// Reads RFC 3339 with an offset, as people and arguments write it.
    pub(crate) fn read(text: &str) -> Result<Self, BadTime> {
        let text = text.trim();
        if let Some(instant) = instant::exact(text) {
            return Ok(Self(instant));
        }
        match text.parse::<Timestamp>() {
            Ok(instant) => Ok(Self(instant)),
            Err(_) if text.parse::<jiff::civil::DateTime>().is_ok() => Err(BadTime::NoOffset),
            Err(_) => Err(BadTime::Unreadable),
        }
    }

    /// Reads what the service sends, also the forms that only its sample answers have.
    pub(crate) fn read_leniently(text: &str) -> Option<Self> {
        instant::parse(text).map(Self)
    }

    /// `0001-01-01T00:00:00Z` is what the service writes where there is no time yet.
    pub(crate) fn is_unset(self) -> bool {
        self.0.as_second() == instant::UNSET
    }
}

impl fmt::Display for Datetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Duration {
    /// Reads `250ms 90s 15m 36h 2d 1w`, several of them in a row (`1d12h`), or ISO 8601 (`PT36H`); `-` in front turns it round.
    /// A day is 24 hours, a week 7 days.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let length = if rest.starts_with(['P', 'p']) {
            iso(rest)?
        } else {
            short(rest)?
        };
        Some(Self(if negative { -length } else { length }))
    }
}

fn iso(text: &str) -> Option<SignedDuration> {
    // Hours and less, as they are shown: a span does not go as far as a length does.
    if let Ok(length) = text.parse() {
        return Some(length);
    }
    let span: Span = text.parse().ok()?;
    // A month or a year has no fixed length; the service writes retention periods in days.
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

fn short(text: &str) -> Option<SignedDuration> {
    let mut rest = text;
    let mut sum = SignedDuration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let milliseconds = match &rest[..unit] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        };
        rest = rest[unit..].trim_start();
        sum = sum.checked_add(SignedDuration::from_millis(
            count.checked_mul(milliseconds)?,
        ))?;
    }
    (!text.is_empty()).then_some(sum)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Datetime {
    pub(crate) fn plus(self, length: Duration) -> Option<Self> {
        self.0.checked_add(length.0).ok().map(Self)
    }

    pub(crate) fn minus(self, length: Duration) -> Option<Self> {
        self.0.checked_sub(length.0).ok().map(Self)
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration(self.0.duration_since(earlier.0))
    }

    /// The start of its day in UTC.
    pub(crate) fn day(self) -> Self {
        let seconds = self.0.as_second().div_euclid(86_400) * 86_400;
        Self(Timestamp::from_second(seconds).unwrap_or(self.0))
    }

    /// Its calendar date and clock time in UTC.
    pub(crate) fn civil(self) -> jiff::civil::DateTime {
        jiff::tz::Offset::UTC.to_datetime(self.0)
    }

    /// "Monday".
    pub(crate) fn weekday(self) -> String {
        self.0.strftime("%A").to_string()
    }

    /// The date in UTC, `2026-11-24`.
    pub(crate) fn date(self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }
}

impl Duration {
    pub(crate) fn of_seconds(seconds: f64) -> Option<Self> {
        SignedDuration::try_from_secs_f64(seconds).ok().map(Self)
    }

    /// As the standard library has it; a negative length is none at all.
    pub(crate) fn unsigned(self) -> std::time::Duration {
        self.0.try_into().unwrap_or_default()
    }

    /// Seconds with their fraction.
    pub(crate) fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    fn seconds(text: &str) -> Option<i64> {
        Duration::read(text).map(|length| length.0.as_secs())
    }

    #[test]
    fn offsets_are_read_and_asked_for() {
        assert_eq!(
            Datetime::read("2026-11-20T03:00:00+01:00")
                .unwrap()
                .to_string(),
            "2026-11-20T02:00:00Z"
        );
        assert_eq!(
            Datetime::read("2026-11-20T03:00:00"),
            Err(BadTime::NoOffset)
        );
        assert_eq!(Datetime::read("2026-11-20"), Err(BadTime::NoOffset));
        assert_eq!(Datetime::read("yesterday"), Err(BadTime::Unreadable));
    }

    #[test]
    fn sample_dates_of_the_service_are_read() {
        let read = |text| Datetime::read_leniently(text).map(|time| time.to_string());
        assert_eq!(
            read("2023-03-30T12-01-03.45Z").as_deref(),
            Some("2023-03-30T12:01:03.45Z")
        );
        assert_eq!(
            read("2023-03-30T12:01:03").as_deref(),
            Some("2023-03-30T12:01:03Z")
        );
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn lengths_are_read_in_every_form() {
        assert_eq!(seconds("1d12h"), Some(129_600));
        assert_eq!(seconds("PT36H"), Some(129_600));
        assert_eq!(seconds("-36h"), Some(-129_600));
        assert_eq!(seconds("P7D"), Some(604_800));
        assert_eq!(seconds("1w"), Some(604_800));
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(Duration::read("250ms").unwrap().0.as_millis(), 250);
        for text in ["", "-", "12", "h", "1y", "P1M", "1.5h", "1h-2m"] {
            assert_eq!(seconds(text), None, "{text}");
        }
        assert_eq!(Duration::read("36h").unwrap().to_string(), "PT36H");
    }

    #[test]
    fn a_time_is_read_whatever_comes() {
        let seeds = [
            "1d12h",
            "-36h",
            "PT36H",
            "P7D",
            "250ms",
            "9223372036854775807ms",
            "P1W",
            "-P1DT1M",
            "2026-11-20T03:00:00+01:00",
            "2026-11-20",
            "-009999-01-01T00:00:00Z",
        ];
        let words = &["ms", "h", "d", "w", "P", "T", "-", "+", "W", "S", ".5", "Z"];
        Target::new("time", &seeds, words).attack(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let mut said = String::new();
            if let Some(length) = Duration::read(&text) {
                // What is shown is read again as the same.
                assert_eq!(Duration::read(&length.to_string()), Some(length), "{text}");
                length.unsigned();
                length.seconds();
                for time in [
                    Datetime(Timestamp::MIN),
                    Datetime(Timestamp::MAX),
                    Datetime(Timestamp::UNIX_EPOCH),
                ] {
                    time.plus(length);
                    time.minus(length);
                }
                said += "length";
            }
            match Datetime::read(&text) {
                Ok(time) => {
                    assert_eq!(Datetime::read(&time.to_string()), Ok(time), "{text}");
                    time.day();
                    time.weekday();
                    time.date();
                    time.civil();
                    said += "time";
                }
                Err(bad) => said = format!("{said}{bad:?}"),
            }
            Datetime::read_leniently(&text);
            said
        });
    }
}
