//! Faults: what goes wrong on purpose, how often, and for which calls.
//!
//! A specification is a list of rules with commas between them; the first rule that hits decides, and a request gets at
//! most one fault.
//!
//! ```text
//! rule     = kind "=" amount { ":" option } [ "@" METHOD " " template ]
//! kind     = "429" | "503" | "reset" | "cut" | "slow" | "lost-answer" | "late"
//! amount   = NUMBER "%"                  of the requests that the rule is for, by seeded dice
//!          | NUMBER "x"                  the first NUMBER of them
//! option   = "retry-after=" SECONDS      429 (default 1) and 503 (default: no such header)
//!          | DURATION                    slow (default 2s); late (default: 3 service minutes, at most 3 s)
//! METHOD   = "GET" ... | "*"
//! template = "/users/{id}"               as `/_sandbox/state` counts it; `/solutions/backupRestore` may be left out
//!          | "…/activate"                every template with this end (`...` is the same as `…`)
//! ```
//!
//! | kind | is the work done? | what the caller sees |
//! |---|---|---|
//! | `429`, `503` | no | that status |
//! | `reset` | no | the connection is reset before any answer |
//! | `cut` | yes | head and half of the body, then the connection closes |
//! | `slow` | yes, later | the answer, after wall time |
//! | `lost-answer` | yes | the connection closes without an answer |
//! | `late` | yes, after the answer | 504 at once |
//!
//! Times are wall time. Sign-in gets faults only from rules that name it. `/_sandbox` never gets any.

use std::str::FromStr;
use std::time::Duration;

use super::id::mix;

/// The rules of one specification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    fault: Fault,
    amount: Amount,
    target: Option<Target>,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// 429 with `Retry-After` in seconds.
    Throttle {
        retry_after: u64,
    },
    Unavailable {
        retry_after: Option<u64>,
    },
    Reset,
    Cut,
    Slow(Duration),
    LostAnswer,
    /// Nothing stands for three service minutes.
    Late(Option<Duration>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Amount {
    /// Of a million requests.
    Share(u64),
    First(u64),
}

#[derive(Clone, Debug, PartialEq)]
struct Target {
    method: String,
    template: Template,
}

#[derive(Clone, Debug, PartialEq)]
enum Template {
    Whole(String),
    End(String),
}

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
    let mut fault = match kind.trim() {
        "429" => Fault::Throttle { retry_after: 1 },
        "503" => Fault::Unavailable { retry_after: None },
        "reset" => Fault::Reset,
        "cut" => Fault::Cut,
        "slow" => Fault::Slow(Duration::from_secs(2)),
        "lost-answer" => Fault::LostAnswer,
        "late" => Fault::Late(None),
        other => {
            return Err(format!(
                "`{other}` is none of 429, 503, reset, cut, slow, lost-answer, late"
            ));
        }
    };
    for option in options {
        fault = with_option(fault, option)?;
    }
    Ok(Rule {
        fault,
        amount,
        target,
    })
}

fn with_option(fault: Fault, option: &str) -> Result<Fault, String> {
    let seconds = || {
        let value = option
            .strip_prefix("retry-after=")
            .ok_or(format!("`{option}` is not `retry-after=SECONDS`"))?;
        value
            .trim_end_matches('s')
            .parse()
            .map_err(|_| format!("`{value}` is not a number of seconds"))
    };
    match fault {
        Fault::Throttle { .. } => Ok(Fault::Throttle {
            retry_after: seconds()?,
        }),
        Fault::Unavailable { .. } => Ok(Fault::Unavailable {
            retry_after: Some(seconds()?),
        }),
        Fault::Slow(_) => Ok(Fault::Slow(duration(option)?)),
        Fault::Late(_) => Ok(Fault::Late(Some(duration(option)?))),
        Fault::Reset | Fault::Cut | Fault::LostAnswer => {
            Err(format!("there is no option `{option}` for this kind"))
        }
    }
}

fn read_amount(text: &str) -> Result<Amount, String> {
    let unreadable =
        || format!("`{text}` is neither a share such as `5%` nor a count such as `1x`");
    if let Some(count) = text.strip_suffix('x') {
        return count.parse().map(Amount::First).map_err(|_| unreadable());
    }
    let share = text.strip_suffix('%').ok_or_else(unreadable)?;
    let (whole, fraction) = share.split_once('.').unwrap_or((share, ""));
    if fraction.len() > 4 {
        return Err(unreadable());
    }
    let whole: u64 = whole.parse().map_err(|_| unreadable())?;
    let fraction: u64 = format!("{fraction:0<4}")
        .parse()
        .map_err(|_| unreadable())?;
    Some(whole * 10_000 + fraction)
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
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .trim()
        .parse()
        .map_err(|_| format!("`{text}` is not a duration such as `2s`"))?;
    Duration::try_from(span).map_err(|_| format!("`{text}` is not a duration from now on"))
}

impl Target {
    fn covers(&self, template: &str) -> bool {
        let Some((method, path)) = template.split_once(' ') else {
            return false;
        };
        let short = path
            .strip_prefix("/solutions/backupRestore")
            .unwrap_or(path);
        let fits = match &self.template {
            Template::Whole(whole) => {
                whole.eq_ignore_ascii_case(path) || whole.eq_ignore_ascii_case(short)
            }
            Template::End(end) => path
                .to_ascii_lowercase()
                .ends_with(&end.to_ascii_lowercase()),
        };
        fits && (self.method == "*" || self.method == method)
    }
}

/// The rules at work: counts what has been asked and hit.
pub(super) struct FaultPlan {
    faults: Faults,
    seed: u64,
    asked: u64,
    hits: Vec<u64>,
}

impl FaultPlan {
    pub(super) fn new(faults: Faults, seed: u64) -> Self {
        let hits = vec![0; faults.rules.len()];
        Self {
            faults,
            seed,
            asked: 0,
            hits,
        }
    }

    /// The fault of the next request, whose template is given as `METHOD /path`.
    pub(super) fn roll(&mut self, template: &str, sign_in: bool) -> Option<Fault> {
        self.asked += 1;
        for (number, (rule, hits)) in (1u64..).zip(self.faults.rules.iter().zip(&mut self.hits)) {
            let covered = match &rule.target {
                Some(target) => target.covers(template),
                None => !sign_in,
            };
            let hit = covered
                && match rule.amount {
                    Amount::Share(share) => {
                        mix(mix(self.seed, 0xfa + number), self.asked) % 1_000_000 < share
                    }
                    Amount::First(count) => *hits < count,
                };
            if hit {
                *hits += 1;
                return Some(rule.fault);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(spec: &str) -> FaultPlan {
        FaultPlan::new(spec.parse().expect(spec), 1)
    }

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
    fn a_bad_rule_is_named() {
        for (spec, said) in [
            ("429", "fault `429`: an amount is missing"),
            ("429=5%,hiccup=1%", "fault `hiccup=1%`: `hiccup` is none of"),
            ("reset=150%", "fault `reset=150%`: `150%` is neither"),
            (
                "slow=1%:fast",
                "fault `slow=1%:fast`: `fast` is not a duration",
            ),
            ("cut=1%:2s", "there is no option `2s`"),
            ("429=1%:after=2", "`after=2` is not `retry-after=SECONDS`"),
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
    fn a_counted_fault_hits_so_many_requests_of_its_template() {
        let mut plan = plan("lost-answer=1x@POST …/activate,late=2x@POST /exchangeRestoreSessions");
        let activate = "POST /solutions/backupRestore/restoreSessions/{id}/activate";
        let create = "POST /solutions/backupRestore/exchangeRestoreSessions";
        assert_eq!(plan.roll("GET /users", false), None);
        assert_eq!(plan.roll(activate, false), Some(Fault::LostAnswer));
        assert_eq!(plan.roll(activate, false), None);
        assert_eq!(plan.roll(create, false), Some(Fault::Late(None)));
        assert_eq!(
            plan.roll(
                "GET /solutions/backupRestore/exchangeRestoreSessions",
                false
            ),
            None
        );
        assert_eq!(plan.roll(create, false), Some(Fault::Late(None)));
        assert_eq!(plan.roll(create, false), None);
    }

    #[test]
    fn a_share_is_kept_and_repeats_with_the_seed() {
        let hits = |mut plan: FaultPlan| -> Vec<bool> {
            (0..10_000)
                .map(|_| plan.roll("GET /users", false).is_some())
                .collect()
        };
        let first = hits(plan("429=5%"));
        let share = first.iter().filter(|hit| **hit).count();
        assert!((400..600).contains(&share), "{share}");
        assert_eq!(first, hits(plan("429=5%")));
    }

    #[test]
    fn sign_in_is_spared_unless_it_is_named() {
        let token = "POST /{tenant}/oauth2/v2.0/token";
        assert_eq!(plan("reset=100%").roll(token, true), None);
        assert_eq!(
            plan("reset=100%@POST …/token").roll(token, true),
            Some(Fault::Reset)
        );
    }
}
