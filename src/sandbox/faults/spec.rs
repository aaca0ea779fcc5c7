//! Reads a fault specification. The grammar stands one floor up.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use super::{Amount, Astray, Cut, Fault, Faults, Page, Rule, Target, Template, Wait, Work};

const KINDS: &str = "401, 404, 408, 429, 500, 502, 503, 504, reset, lost-answer, cut, slow, trickle, late, gzip, html, \
                     redirect, page, date";

/// A fault specification that cannot be read: which rule, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault `{rule}`: {problem}")]
pub struct FaultSpecError {
    rule: String,
    problem: String,
}

impl FromStr for Faults {
    type Err = FaultSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rules = text
            .split(',')
            .map(str::trim)
            .filter(|rule| !rule.is_empty());
        let rules = rules.map(|rule| {
            read_rule(rule).map_err(|problem| FaultSpecError {
                rule: rule.to_owned(),
                problem,
            })
        });
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
        })
    }
}

fn read_rule(rule: &str) -> Result<Rule, String> {
    let (head, target) = match rule.split_once('@') {
        Some((head, target)) => (head, Some(read_target(target)?)),
        None => (rule, None),
    };
    let (kind, rest) = head
        .split_once('=')
        .ok_or("an amount is missing, as in `429=5%`")?;
    let mut options = rest.split(':').map(str::trim);
    let amount = read_amount(options.next().unwrap_or_default())?;
    let mut fault = read_kind(kind.trim())?;
    for option in options {
        fault = with_option(fault, option)?;
    }
    Ok(Rule {
        fault,
        amount,
        target,
    })
}

/// A kind as it is without options.
fn read_kind(kind: &str) -> Result<Fault, String> {
    let refuse = |status, wait, work| Fault::Refuse { status, wait, work };
    Ok(match kind {
        "429" => refuse(429, Wait::Seconds(1), Work::Undone),
        "503" => refuse(503, Wait::None, Work::Undone),
        "401" => refuse(401, Wait::None, Work::Undone),
        "404" => refuse(404, Wait::None, Work::Undone),
        "408" => refuse(408, Wait::None, Work::Perhaps),
        "500" => refuse(500, Wait::None, Work::Perhaps),
        "502" => refuse(502, Wait::None, Work::Perhaps),
        "504" => refuse(504, Wait::None, Work::Perhaps),
        "reset" => Fault::Reset,
        "lost-answer" => Fault::LostAnswer,
        "cut" => Fault::Cut(Cut::Body),
        "slow" => Fault::Slow(Duration::from_secs(2)),
        "trickle" => Fault::Trickle(Duration::from_secs(1)),
        "late" => Fault::Late(None),
        "gzip" => Fault::Gzip,
        "html" => Fault::Html,
        "redirect" => Fault::Redirect(Astray::Loop),
        "page" => Fault::Page(Page::Twice),
        "date" => Fault::Date(SignedDuration::from_mins(10)),
        other => return Err(format!("`{other}` is none of {KINDS}")),
    })
}

fn with_option(fault: Fault, option: &str) -> Result<Fault, String> {
    let none = || format!("there is no option `{option}` for this kind");
    Ok(match fault {
        Fault::Refuse { status, wait, work } => {
            let is_open = matches!(status, 408 | 500 | 502 | 504);
            let (wait, work) = match option {
                "done" if is_open => (wait, Work::Done),
                "undone" if is_open => (wait, Work::Undone),
                _ => (read_wait(option)?, work),
            };
            Fault::Refuse { status, wait, work }
        }
        Fault::Cut(_) => Fault::Cut(match option {
            "head" => Cut::Head,
            "bare" => Cut::BehindHead,
            _ => return Err(none()),
        }),
        Fault::Slow(_) => Fault::Slow(duration(option)?),
        Fault::Trickle(_) => Fault::Trickle(duration(option)?),
        Fault::Late(_) => Fault::Late(Some(duration(option)?)),
        Fault::Date(_) => Fault::Date(length(option)?),
        Fault::Redirect(_) => Fault::Redirect(match option {
            "loop" => Astray::Loop,
            "host" => Astray::Host,
            _ => return Err(none()),
        }),
        Fault::Page(_) => Fault::Page(match option {
            "twice" => Page::Twice,
            "empty" => Page::Empty,
            "loop" => Page::Loop,
            "host" => Page::Host,
            _ => return Err(none()),
        }),
        Fault::Reset | Fault::LostAnswer | Fault::Gzip | Fault::Html => return Err(none()),
    })
}

fn read_wait(option: &str) -> Result<Wait, String> {
    let seconds = |value: &str| {
        let digits = value.strip_suffix('s').unwrap_or(value);
        let count = Some(digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        count
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| format!("`{value}` is not a number of seconds"))
    };
    match option.split_once('=') {
        Some(("retry-after", "none")) => Ok(Wait::None),
        Some(("retry-after", value)) => Ok(Wait::Seconds(seconds(value)?)),
        Some(("retry-date", value)) => Ok(Wait::Date(seconds(value)?)),
        Some(("retry-raw", value)) => Ok(Wait::Raw(value.to_owned())),
        _ => Err(format!("`{option}` is not `retry-after=SECONDS`")),
    }
}

fn read_amount(text: &str) -> Result<Amount, String> {
    let unreadable =
        || format!("`{text}` is neither a share such as `5%` nor a count such as `1x`");
    let number = |digits: &str| {
        // `parse` takes a sign, too.
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = plain.then(|| digits.parse::<u64>().ok()).flatten();
        number.ok_or_else(unreadable)
    };
    if let Some(count) = text.strip_suffix('x') {
        return number(count).map(Amount::First);
    }
    let share = text.strip_suffix('%').ok_or_else(unreadable)?;
    let (whole, fraction) = share.split_once('.').unwrap_or((share, "0"));
    if fraction.len() > 4 {
        return Err(unreadable());
    }
    let fraction = number(&format!("{fraction:0<4}"))?;
    let share = number(whole)?
        .checked_mul(10_000)
        .and_then(|whole| whole.checked_add(fraction));
    share
        .filter(|share| *share <= 1_000_000)
        .map(Amount::Share)
        .ok_or_else(unreadable)
}

fn read_target(text: &str) -> Result<Target, String> {
    let (method, template) = text
        .trim()
        .split_once(' ')
        .ok_or("after `@` comes a method and a template")?;
    let template = template.trim();
    let end = template
        .strip_prefix('…')
        .or_else(|| template.strip_prefix("..."));
    let template = match end {
        Some(end) => Template::End(end.to_owned()),
        None if template.starts_with('/') => Template::Whole(template.to_owned()),
        None => return Err(format!("`{template}` does not begin with `/`")),
    };
    Ok(Target {
        method: method.to_ascii_uppercase(),
        template,
    })
}

/// Reads `2s`, `250ms`, `3m`, `1h` or `1h 30m`.
pub(in crate::sandbox) fn duration(text: &str) -> Result<Duration, String> {
    Duration::try_from(length(text)?).map_err(|_| format!("`{text}` is not a duration from now on"))
}

/// A duration with a sign, `-10m`.
fn length(text: &str) -> Result<SignedDuration, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("`{text}` is not a duration such as `2s`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_specification_reads() {
        let spec =
            "429=5%:retry-after=1,503=1%,reset=0.5%,cut=0.5%,slow=1%:2s,lost-answer=0.5%,late=0.5%";
        let faults: Faults = spec.parse().expect(spec);
        assert_eq!(faults.rules.len(), 7);
        assert_eq!(faults.rules[2].amount, Amount::Share(5_000));
        assert_eq!(faults.rules[4].fault, Fault::Slow(Duration::from_secs(2)));
        assert_eq!("".parse(), Ok(Faults::default()));
    }

    #[test]
    fn every_kind_reads_with_each_of_its_options() {
        let refuse = |status, wait, work| Fault::Refuse { status, wait, work };
        let raw = |text: &str| Wait::Raw(text.to_owned());
        let minutes = SignedDuration::from_mins;
        let rows = [
            ("401=1x", refuse(401, Wait::None, Work::Undone)),
            ("404=1x", refuse(404, Wait::None, Work::Undone)),
            ("408=1x", refuse(408, Wait::None, Work::Perhaps)),
            ("429=1x", refuse(429, Wait::Seconds(1), Work::Undone)),
            (
                "429=1x:retry-after=none",
                refuse(429, Wait::None, Work::Undone),
            ),
            (
                "429=1x:retry-date=30",
                refuse(429, Wait::Date(30), Work::Undone),
            ),
            ("503=1x:retry-raw=-5", refuse(503, raw("-5"), Work::Undone)),
            ("503=1x:retry-raw=", refuse(503, raw(""), Work::Undone)),
            ("500=1x:done", refuse(500, Wait::None, Work::Done)),
            ("502=1x:undone", refuse(502, Wait::None, Work::Undone)),
            (
                "504=1x:done:retry-after=3s",
                refuse(504, Wait::Seconds(3), Work::Done),
            ),
            ("reset=1x", Fault::Reset),
            ("lost-answer=1x", Fault::LostAnswer),
            ("cut=1x", Fault::Cut(Cut::Body)),
            ("cut=1x:head", Fault::Cut(Cut::Head)),
            ("cut=1x:bare", Fault::Cut(Cut::BehindHead)),
            ("trickle=1x", Fault::Trickle(Duration::from_secs(1))),
            ("trickle=1x:10ms", Fault::Trickle(Duration::from_millis(10))),
            ("late=1x:1h", Fault::Late(Some(Duration::from_hours(1)))),
            ("gzip=1x", Fault::Gzip),
            ("html=1x", Fault::Html),
            ("redirect=1x", Fault::Redirect(Astray::Loop)),
            ("redirect=1x:host", Fault::Redirect(Astray::Host)),
            ("page=1x", Fault::Page(Page::Twice)),
            ("page=1x:empty", Fault::Page(Page::Empty)),
            ("page=1x:loop", Fault::Page(Page::Loop)),
            ("page=1x:host", Fault::Page(Page::Host)),
            ("date=1x", Fault::Date(minutes(10))),
            ("date=1x:-10m", Fault::Date(minutes(-10))),
        ];
        for (spec, fault) in rows {
            let faults: Faults = spec.parse().expect(spec);
            assert_eq!(faults.rules[0].fault, fault, "{spec}");
            assert_eq!(faults.rules[0].amount, Amount::First(1), "{spec}");
        }
    }

    #[test]
    fn a_bad_rule_is_named() {
        for (spec, said) in [
            ("429", "fault `429`: an amount is missing"),
            ("429=5%,hiccup=1%", "fault `hiccup=1%`: `hiccup` is none of"),
            ("reset=150%", "fault `reset=150%`: `150%` is neither"),
            (
                "slow=1%:fast",
                "fault `slow=1%:fast`: `fast` is not a duration",
            ),
            ("slow=1%:-2s", "`-2s` is not a duration from now on"),
            ("cut=1%:2s", "there is no option `2s`"),
            ("page=1%:gone", "there is no option `gone`"),
            ("429=1%:after=2", "`after=2` is not `retry-after=SECONDS`"),
            ("429=1%:done", "`done` is not `retry-after=SECONDS`"),
            ("429=1%:retry-after=1m", "`1m` is not a number of seconds"),
            ("late=1x@POST", "after `@` comes a method and a template"),
            (
                "late=1x@POST activate",
                "`activate` does not begin with `/`",
            ),
        ] {
            let error = spec.parse::<Faults>().expect_err(spec).to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn numbers_that_are_none_or_too_large_are_refused() {
        for amount in [
            "1844674407370955161%",
            "18446744073709551615%",
            "99999999999999999999x",
            "+5%",
            "5.+1%",
            ".5%",
            "5.00001%",
            "100.0001%",
            "%",
            "x",
            "",
        ] {
            let error = format!("429={amount}").parse::<Faults>().expect_err(amount);
            assert!(error.to_string().contains("is neither a share"), "{error}");
        }
        for wait in ["18446744073709551615", "4294967296", "+1", "-1"] {
            let spec = format!("429=1%:retry-after={wait}");
            let error = spec.parse::<Faults>().expect_err(wait);
            assert!(error.to_string().contains("not a number of"), "{error}");
        }
    }
}
