//! Instants as the service writes them.
//!
//! Its own examples hold `2023-03-30T12-01-03.45Z`, fractions of seven digits and instants without an offset, so reading
//! is lenient; what we send is always RFC 3339 in UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use serde::Serializer;

/// The first second of the year 1, which stands for no time at all, in seconds since 1970.
pub(crate) const UNSET: i64 = -62_135_596_800;

/// Reads an instant of the service; `None` where it is none.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    exact(text)
        .or_else(|| text.parse().ok())
        .or_else(|| odd(text))
}

/// Reads an instant of RFC 3339 and nothing else: a date, `T`, a time with seconds, an offset. What is finer than a nanosecond is cut
/// off, and the end of the year 9999 is as late as an instant can be.
pub(crate) fn rfc3339(text: &str) -> Option<Timestamp> {
    let (local, rest) = text.split_at_checked(19)?;
    let shape = "dddd-dd-ddTdd:dd:dd";
    let fits = |byte: u8, mark: u8| match mark {
        b'd' => byte.is_ascii_digit(),
        mark => byte.eq_ignore_ascii_case(&mark),
    };
    if !local
        .bytes()
        .zip(shape.bytes())
        .all(|(byte, mark)| fits(byte, mark))
    {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let end = rest.find(|digit: char| !digit.is_ascii_digit())?;
            rest.split_at(end)
        }
        None => ("", rest),
    };
    if rest.starts_with('.') && fraction.is_empty() {
        return None;
    }
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let point = if fraction.is_empty() { "" } else { "." };
    let civil: DateTime = format!("{local}{point}{fraction}").parse().ok()?;
    let seconds = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let two = |high: &u8, low: &u8| {
                let is_number = high.is_ascii_digit() && low.is_ascii_digit();
                is_number.then(|| i32::from(high - b'0') * 10 + i32::from(low - b'0'))
            };
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = (hours * 60 + minutes) * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let offset = Offset::from_seconds(seconds).ok()?;
    Some(offset.to_timestamp(civil).unwrap_or(if civil.year() > 0 {
        Timestamp::MAX
    } else {
        Timestamp::MIN
    }))
}

/// Reads `YYYY-MM-DDTHH:MM:SS[.f…]Z`, which is nearly every instant in an answer, at a tenth of the general parser's cost:
/// lists of a hundred thousand points are filtered by it.
pub(crate) fn exact(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let fraction = bytes.get(19..bytes.len().checked_sub(1)?)?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|&(at, mark)| bytes[at] != mark) || bytes[bytes.len() - 1] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i16> {
        bytes[from..to].iter().try_fold(0, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + i16::from(digit - b'0'))
        })
    };
    let small = |from: usize| number(from, from + 2).and_then(|value| i8::try_from(value).ok());
    let nanosecond = match fraction {
        [] => 0,
        [b'.', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            let nine = digits
                .iter()
                .copied()
                .chain(std::iter::repeat(b'0'))
                .take(9);
            nine.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'))
        }
        _ => return None,
    };
    let date = Date::new(number(0, 4)?, small(5)?, small(8)?).ok()?;
    let time = Time::new(small(11)?, small(14)?, small(17)?, nanosecond).ok()?;
    Offset::UTC
        .to_timestamp(DateTime::from_parts(date, time))
        .ok()
}

/// The forms that only sample answers have: `-` for `:`, a blank for `T`, no offset (the service means UTC).
fn odd(text: &str) -> Option<Timestamp> {
    let (date, time) = text.trim().split_once(['T', ' '])?;
    let time = time.trim_end_matches(['Z', 'z']).replace('-', ":");
    format!("{date}T{time}Z").parse().ok()
}

/// RFC 3339 in UTC for a request, to the millisecond. Rounded up: whoever asks for "before" drops what is too late.
pub(crate) fn for_request(instant: Timestamp) -> String {
    let nanoseconds = instant.as_nanosecond();
    let milliseconds =
        nanoseconds.div_euclid(1_000_000) + i128::from(nanoseconds.rem_euclid(1_000_000) != 0);
    i64::try_from(milliseconds)
        .ok()
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .unwrap_or(instant)
        .to_string()
}

/// For documents: RFC 3339 in UTC with three digits of a second, so that texts of equal length sort by time.
pub(crate) fn to_millisecond<S: Serializer>(instant: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{instant:.3}"))
}

/// The same, or `null`.
#[allow(clippy::ref_option)] // serde's calling convention
pub(crate) fn maybe_to_millisecond<S: Serializer>(
    instant: &Option<Timestamp>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match instant {
        Some(instant) => to_millisecond(instant, to),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn whatever_the_service_writes_is_read() {
        for (text, utc) in [
            ("2026-11-20T03:00:00Z", "2026-11-20T03:00:00Z"),
            ("2026-11-20T03:00:00.5Z", "2026-11-20T03:00:00.5Z"),
            (
                "2024-05-21T04:47:52.5769075Z",
                "2024-05-21T04:47:52.5769075Z",
            ),
            ("2023-03-30T12-01-03.45Z", "2023-03-30T12:01:03.45Z"),
            ("2026-11-20T03:00:00+01:00", "2026-11-20T02:00:00Z"),
            ("2026-11-20T03:00:00", "2026-11-20T03:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(
                parse(text).map(|instant| instant.to_string()).as_deref(),
                Some(utc),
                "{text}"
            );
        }
        for text in [
            "",
            "soon",
            "2026-13-20T03:00:00Z",
            "2026-11-20T03:00:0xZ",
            "2026-11-20T03:00:00.Z",
            "é026-11-20T03:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_sent_never_ends_before_the_instant() {
        let at = |text: &str| for_request(text.parse().unwrap());
        assert_eq!(at("2026-11-20T03:00:00Z"), "2026-11-20T03:00:00Z");
        assert_eq!(at("2026-11-20T03:00:00.0005Z"), "2026-11-20T03:00:00.001Z");
    }

    #[test]
    fn the_fast_form_and_the_general_parser_agree() {
        for text in [
            "2026-11-20T03:00:00Z",
            "2024-02-29T23:59:59.999Z",
            "2000-03-01T00:00:00.1234567Z",
            "1999-12-31T12:30:01Z",
            "1970-01-01T00:00:00Z",
            "1969-12-31T23:59:59.5Z",
            "2100-02-28T00:00:00.000000001Z",
        ] {
            assert_eq!(exact(text), Some(text.parse().unwrap()), "{text}");
        }
        for text in [
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:00:00.Z",
            "Z",
            "",
        ] {
            assert_eq!(exact(text), None, "{text}");
        }
    }

    #[test]
    fn rfc_3339_is_read_and_nothing_else() {
        for (text, same) in [
            ("2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-01t00:00:00z", "2026-12-01T00:00:00Z"),
            ("2026-12-01T02:30:00+02:30", "2026-12-01T00:00:00Z"),
            ("2026-11-30T23:00:00.5-01:00", "2026-12-01T00:00:00.5Z"),
            (
                "2026-12-01T00:00:00.999999999999Z",
                "2026-12-01T00:00:00.999999999Z",
            ),
        ] {
            assert_eq!(rfc3339(text), Some(same.parse().unwrap()), "{text}");
        }
        assert_eq!(rfc3339("9999-12-31T23:59:59Z"), Some(Timestamp::MAX));
        for text in [
            "20261201T000000Z",
            "2026-12-01T00:00Z",
            "2026-12-01 00:00:00Z",
            " 2026-12-01T00:00:00Z",
            "2026-12-01T00:00:00Z ",
            "2026-12-01T00:00:00",
            "2026-12-01T00:00:00.Z",
            "2026-12-01T00:00:00+25:00",
            "2026-12-01T00:00:00+0100",
            "2026-02-30T00:00:00Z",
            "2026-12-01T24:00:00Z",
            "2026-12-01",
            "",
            "\u{ff12}026-12-01T00:00:00Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_is_read_whatever_comes() {
        let seeds = [
            "2026-11-20T03:00:00.5Z",
            "2023-03-30T12-01-03.45Z",
            "2026-11-20T03:00:00+01:00",
            "2026-11-20 03:00:00",
            "9999-12-31T23:59:59.999999999Z",
            "-009999-01-01T00:00:00Z",
        ];
        let words = &[
            "T",
            "Z",
            ":",
            "-",
            "+",
            ".",
            "[Europe/Berlin]",
            "24:00:00",
            "02-29",
            ":60Z",
        ];
        Target::new("instant", &seeds, words).attack(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            // The general parser takes nine digits of a second and no more.
            if let (Some(instant), Ok(general)) = (exact(&text), text.parse()) {
                assert_eq!(instant, general, "{text}");
            }
            match parse(&text) {
                Some(instant) => {
                    for_request(instant);
                    format!(
                        "read {}",
                        text.chars()
                            .filter(|c| !c.is_ascii_digit())
                            .map(|c| if c == ':' { 'c' } else { 'x' })
                            .collect::<String>()
                    )
                }
                None => "none".to_owned(),
            }
        });
    }
}
