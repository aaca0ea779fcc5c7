//! Values of flags that are more than text or a number.

use std::str::FromStr;
use std::time::Duration;

use crate::runs;
use crate::script;

/// A duration as scripts write it, `90s`, `1d12h`, `PT36H`; not negative.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    script::values::Duration::read(text)
        .filter(|length| length.seconds() >= 0.0)
        .map(script::values::Duration::unsigned)
        .ok_or_else(|| "write a duration like `90s`, `15m`, `1d12h` or `PT36H`".to_owned())
}

/// As [`duration`], with years of 365 days: `1y`.
pub(super) fn age(text: &str) -> Result<Duration, String> {
    runs::age(text, duration)
}

/// An amount of memory, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(Option<u64>);

impl Size {
    pub(super) fn bytes(self) -> Option<u64> {
        self.0
    }
}

impl FromStr for Size {
    type Err = String;

    /// `2GiB`, `512M`, `65536`, `none`. A `K`, `M` or `G` is binary with or without `iB`, decimal with `B` alone.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "write a size like `2GiB` or `512MiB`, or `none`".to_owned();
        let text = text.trim();
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self(None));
        }
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let count: u64 = text[..digits].parse().map_err(|_| wrong())?;
        let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            _ => return Err(wrong()),
        };
        let bytes = count.checked_mul(unit).ok_or_else(wrong)?;
        if bytes < 64 << 20 {
            return Err("runback itself needs 64 MiB".to_owned());
        }
        Ok(Self(Some(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn durations_are_read_in_every_form() {
        let rows = [
            ("250ms", Some(250)),
            ("90s", Some(90_000)),
            ("15m", Some(900_000)),
            ("1d12h", Some(129_600_000)),
            ("1w", Some(604_800_000)),
            ("PT36H", Some(129_600_000)),
            ("0s", Some(0)),
            ("-5s", None),
            ("5", None),
            ("soon", None),
            ("1y", None),
        ];
        for (text, millis) in rows {
            assert_eq!(
                duration(text).ok(),
                millis.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        let rows = [
            ("2GiB", Some(Some(2 << 30))),
            ("512m", Some(Some(512 << 20))),
            ("1000 MB", Some(Some(1_000_000_000))),
            ("none", Some(None)),
            ("1K", None),
            ("", None),
            ("GiB", None),
            ("2TiB", None),
            ("99999999999999GiB", None),
        ];
        for (text, bytes) in rows {
            assert_eq!(text.parse::<Size>().ok().map(Size::bytes), bytes, "{text}");
        }
    }

    #[test]
    fn a_flag_is_read_whatever_comes() {
        let seeds = [
            "250ms", "1d12h", "PT36H", "P1DT2.5S", "2GiB", "512 MB", "none", "-5s",
        ];
        let words = &["ms", "h", "d", "w", "P", "T", "GiB", "kb", "Y", "."];
        Target::new("flag", &seeds, words).attack(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            format!("{:?} {:?}", duration(&text).is_ok(), text.parse::<Size>())
        });
    }
}
