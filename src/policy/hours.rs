//! `hours`: when the tenant may be changed.
//!
//! One window is `[DAYS] [FROM-TO] [ZONE]`, with days or times or both: `22:00-06:00`, `Mon-Fri 22:00-06:00 Europe/Berlin`,
//! `Sat,Sun`. A window over midnight belongs to the day on which it begins. FROM is within it, TO is not; 24:00 is the end of a
//! day. Without a zone it is UTC, as everywhere else: where the machine stands changes nothing.

use jiff::civil::Weekday;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// All windows of a policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hours(Vec<Window>);

#[derive(Clone, Debug, PartialEq)]
struct Window {
    /// From Monday on.
    days: [bool; 7],
    /// Minutes since midnight; `to` is at most a whole day. From later to earlier: over midnight.
    from: u16,
    to: u16,
    zone: TimeZone,
}

impl Hours {
    /// Adds a window.
    ///
    /// # Errors
    /// The sentence that says what is wrong with it.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let mut words = text.split_whitespace().peekable();
        let days = match words.peek() {
            Some(word) if is_days(word) => Some(days(words.next().unwrap_or_default())?),
            _ => None,
        };
        let times = match words.peek() {
            Some(word) if word.starts_with(|first: char| first.is_ascii_digit()) => {
                Some(times(words.next().unwrap_or_default())?)
            }
            _ => None,
        };
        if days.is_none() && times.is_none() {
            return Err(
                "write days, times or both: `22:00-06:00`, `Mon-Fri 08:00-18:00`".to_owned(),
            );
        }
        let zone = match words.next() {
            None => TimeZone::UTC,
            Some(name) => zone(name)?,
        };
        if let Some(more) = words.next() {
            return Err(format!(
                "`{more}` is too much: days, times, a time zone, in this order"
            ));
        }
        let (from, to) = times.unwrap_or((0, DAY));
        self.0.push(Window {
            days: days.unwrap_or([true; 7]),
            from,
            to,
            zone,
        });
        Ok(())
    }

    /// Whether this instant lies in one of the windows.
    pub(crate) fn contain(&self, now: Timestamp) -> bool {
        self.0.iter().any(|window| window.contains(now))
    }

    /// When the next window begins; `None` where none does within eight days.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let minute = SignedDuration::from_mins(1);
        let first = now.as_second().div_euclid(60) * 60;
        let mut at = Timestamp::from_second(first).ok()?;
        for _ in 0..8 * u32::from(DAY) {
            at = at.checked_add(minute).ok()?;
            if self.contain(at) {
                return Some(at);
            }
        }
        None
    }
}

impl Window {
    fn contains(&self, now: Timestamp) -> bool {
        let local = self.zone.to_datetime(now);
        let minute = minutes(local.hour(), local.minute());
        let today = day(local.weekday());
        let is = |day: usize| self.days[day];
        if self.from < self.to {
            return is(today) && (self.from..self.to).contains(&minute);
        }
        let yesterday = (today + 6) % 7;
        is(today) && minute >= self.from || is(yesterday) && minute < self.to
    }
}

fn day(weekday: Weekday) -> usize {
    // From 0 to 6.
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or_default()
}

fn minutes(hour: i8, minute: i8) -> u16 {
    let part = |value: i8| u16::try_from(value).unwrap_or_default();
    part(hour) * 60 + part(minute)
}

/// Whether this is meant as days: a time begins with a digit, and no zone with the name of a day.
fn is_days(word: &str) -> bool {
    let first: String = word
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase();
    first.len() >= 2 && DAYS.iter().any(|day| day.starts_with(&first))
}

fn days(text: &str) -> Result<[bool; 7], String> {
    let one = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let known = |day: &str| lower == day || lower == day[..3];
        DAYS.iter()
            .position(|day| known(day))
            .ok_or_else(|| format!("`{name}` is no day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun"))
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (from, to) = match part.split_once('-') {
            Some((from, to)) => (one(from)?, one(to)?),
            None => (one(part)?, one(part)?),
        };
        // Over the end of the week, as `Fri-Mon`.
        let mut at = from;
        loop {
            days[at] = true;
            if at == to {
                break;
            }
            at = (at + 1) % 7;
        }
    }
    Ok(days)
}

fn times(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("`{text}` is no span of time: write `22:00-06:00`");
    let one = |text: &str| -> Option<u16> {
        let (hour, minute) = text.split_once(':')?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if hour.len() != 2 || minute.len() != 2 || !digits(hour) || !digits(minute) {
            return None;
        }
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        let all = hour * 60 + minute;
        (minute < 60 && all <= DAY).then_some(all)
    };
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let (from, to) = (one(from).ok_or_else(wrong)?, one(to).ok_or_else(wrong)?);
    if from == to || from == DAY {
        return Err(format!(
            "`{text}` is no span of time: a whole day is `00:00-24:00`"
        ));
    }
    Ok((from, to))
}

fn zone(name: &str) -> Result<TimeZone, String> {
    if name.eq_ignore_ascii_case("utc") || name == "Z" {
        return Ok(TimeZone::UTC);
    }
    if name.starts_with(['+', '-']) {
        return offset(name).map(TimeZone::fixed).ok_or_else(|| {
            format!("`{name}` is no distance from UTC: write `+01:00`, or `Europe/Berlin`")
        });
    }
    TimeZone::get(name).map_err(|_| {
        format!(
            "this machine knows no time zone `{name}`: write its name in the IANA list (`Europe/Berlin`), or a distance from UTC (`+01:00`)"
        )
    })
}

fn offset(text: &str) -> Option<Offset> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text[1..].split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if minutes > 59 || hours > 14 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(windows: &[&str]) -> Hours {
        let mut hours = Hours::default();
        for window in windows {
            hours.add(window).unwrap();
        }
        hours
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    // 2026-11-20 is a Friday; Berlin is at +01:00 then, and at +02:00 in July.
    #[test]
    fn an_instant_is_within_or_without() {
        let rows = [
            ("22:00-06:00", "2026-11-20T21:59:59Z", false),
            ("22:00-06:00", "2026-11-20T22:00:00Z", true),
            ("22:00-06:00", "2026-11-21T05:59:59Z", true),
            ("22:00-06:00", "2026-11-21T06:00:00Z", false),
            ("08:00-18:00", "2026-11-20T08:00:00Z", true),
            ("08:00-18:00", "2026-11-20T18:00:00Z", false),
            ("00:00-24:00", "2026-11-20T23:59:59Z", true),
            ("Sat,Sun", "2026-11-20T23:59:59Z", false),
            ("Sat,Sun", "2026-11-21T00:00:00Z", true),
            ("Sat,Sun", "2026-11-23T00:00:00Z", false),
            // It belongs to the day on which it begins: Friday's night ends on Saturday.
            ("Mon-Fri 22:00-06:00", "2026-11-21T03:00:00Z", true),
            ("Mon-Fri 22:00-06:00", "2026-11-21T23:00:00Z", false),
            ("Mon-Fri 22:00-06:00", "2026-11-22T03:00:00Z", false),
            ("Mon-Fri 22:00-06:00", "2026-11-23T03:00:00Z", false),
            ("Sun 22:00-06:00", "2026-11-23T03:00:00Z", true),
            ("Fri-Mon", "2026-11-22T12:00:00Z", true),
            ("fri-MON", "2026-11-24T12:00:00Z", false),
            ("Friday", "2026-11-20T12:00:00Z", true),
            ("22:00-06:00 Europe/Berlin", "2026-11-20T21:00:00Z", true),
            ("22:00-06:00 Europe/Berlin", "2026-07-20T20:00:00Z", true),
            ("22:00-06:00 Europe/Berlin", "2026-07-20T04:00:00Z", false),
            ("Sat +09:00", "2026-11-20T15:00:00Z", true),
            ("Sat -05:30", "2026-11-21T05:29:00Z", false),
            ("Sat UTC", "2026-11-21T05:29:00Z", true),
        ];
        for (window, now, wanted) in rows {
            assert_eq!(hours(&[window]).contain(at(now)), wanted, "{window} {now}");
        }
    }

    #[test]
    fn the_next_window_is_told() {
        let rows = [
            (
                &["22:00-06:00"][..],
                "2026-11-20T12:00:30Z",
                Some("2026-11-20T22:00:00Z"),
            ),
            (
                &["Sat", "Wed 10:00-11:00"],
                "2026-11-22T00:00:00Z",
                Some("2026-11-25T10:00:00Z"),
            ),
            (
                &["Mon 08:00-09:00 Europe/Berlin"],
                "2026-11-20T12:00:00Z",
                Some("2026-11-23T07:00:00Z"),
            ),
            (&[], "2026-11-20T12:00:00Z", None),
        ];
        for (windows, now, wanted) in rows {
            assert_eq!(hours(windows).next(at(now)), wanted.map(at), "{windows:?}");
        }
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for wrong in [
            "",
            "   ",
            "always",
            "22:00",
            "22-06",
            "22:00-22:00",
            "24:00-06:00",
            "22:00-24:01",
            "2:00-06:00",
            "22:60-23:00",
            "Mon-",
            "Mon-Fry",
            "Mo-Fr",
            "Mon,",
            "Europe/Berlin",
            "22:00-06:00 Europe/Bärlin",
            "22:00-06:00 +1:00",
            "22:00-06:00 +25:00",
            "22:00-06:00 +é0:00",
            "22:00-06:00 Mon",
            "Mon 22:00-06:00 UTC UTC",
            "+9:999999999999-06:00",
        ] {
            assert!(Hours::default().add(wrong).is_err(), "{wrong}");
        }
    }
}
