//! The sessions of the run over its time, as a picture and as a table.
//!
//! Positions are per cent of the width and heights are pixels, so the picture fits a phone without its letters shrinking.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};

use super::summary::round;
use super::{counted, instant, number, short, shown};
use crate::backup::books::SessionSummary;
use crate::report::Outcome;
use crate::report::verdict::of_workload;
use crate::text;

/// Up to so many sessions have a line each, with a label; more are packed, side by side where they do not overlap.
const LINES: usize = 24;
/// Height of a line with its label above the bar, and of a packed one.
const LINE: usize = 40;
const PACKED: usize = 16;
/// Height of the axis above the lines.
const AXIS: usize = 28;
/// So many sessions stand in the table; all of them are in the result document.
const MOST_ROWS: usize = 1_000;
/// So many are open to the eye at once.
const FEW: usize = 12;

/// Empty where no session was activated.
pub(super) fn section(outcome: &Outcome) -> Markup {
    let sessions = &outcome.sessions;
    if sessions.is_empty() {
        return html! {};
    }
    let axis = Axis::of(outcome);
    let bars: Vec<Bar> = sessions
        .iter()
        .filter_map(|session| Bar::of(session, &axis))
        .collect();
    html! {
        section.timeline aria-labelledby="timeline" {
            h2 #timeline { "Sessions" }
            @if !bars.is_empty() {
                (picture(&axis, &bars))
            }
            details open[sessions.len() <= FEW] {
                summary { (counted(sessions.len(), "session", "sessions")) ", as a table" }
                (table(outcome))
            }
        }
    }
}

/// How a session ended, as a class of the style.
fn class(session: &SessionSummary) -> &'static str {
    match session.status.to_ascii_lowercase().as_str() {
        "completed" => "succeeded",
        // Both spellings occur.
        "completedwitherror" | "completedwitherrors" => "skipped",
        "failed" => "failed",
        _ => "unknown",
    }
}

/// The service's word for a session's state, in ours.
fn state(session: &SessionSummary) -> &str {
    match class(session) {
        "succeeded" => "completed",
        "skipped" => "completed with errors",
        "failed" => "failed",
        _ => &session.status,
    }
}

fn table(outcome: &Outcome) -> Markup {
    let sessions = &outcome.sessions;
    let when = |time: Option<Timestamp>| match time {
        None => "not seen".to_owned(),
        Some(time) => on_day(time, outcome.started),
    };
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby="timeline" {
            table {
                thead {
                    tr {
                        @for column in ["Session", "Workload", "State", "Items", "Succeeded", "Failed", "Activated", "Ended", "Took"] {
                            th scope="col" { (column) }
                        }
                    }
                }
                tbody {
                    @for session in sessions.iter().take(MOST_ROWS) {
                        tr {
                            th scope="row" { code { (shown(&session.id)) } }
                            td { (shown(&session.workload)) }
                            td { span class={ "chip " (class(session)) } { (shown(state(session))) } }
                            td.number { (number(session.artifacts.total)) }
                            td.number { (number(session.artifacts.succeeded)) }
                            td.number { (number(session.artifacts.failed)) }
                            td { (when(session.times.activated)) }
                            td { (when(session.times.ended)) }
                            td { @if let Some(took) = took(session) { (text::time(took)) } }
                        }
                    }
                }
            }
        }
        @if sessions.len() > MOST_ROWS {
            p.more { "These are the first " (number(MOST_ROWS)) "; all of them are in the `.json` report." }
        }
    }
}

/// The time of day, with the date where it is another than that of the run's start.
fn on_day(time: Timestamp, start: Timestamp) -> String {
    let date = |instant: Timestamp| instant.strftime("%Y-%m-%d").to_string();
    if date(time) == date(start) {
        time.strftime("%H:%M:%S").to_string()
    } else {
        instant(time)
    }
}

/// From activation to end.
fn took(session: &SessionSummary) -> Option<Duration> {
    let length = session
        .times
        .ended?
        .duration_since(session.times.activated?);
    Duration::try_from(length).ok()
}

/// The time that the picture covers.
struct Axis {
    from: Timestamp,
    /// Never zero.
    milliseconds: i64,
}

impl Axis {
    /// The run, and what of its sessions lies outside of it (a run that was resumed knows older ones).
    fn of(outcome: &Outcome) -> Self {
        let times = outcome.sessions.iter().flat_map(|session| {
            let times = session.times;
            [times.created, times.activated, times.ended]
        });
        let known = || times.clone().flatten();
        let from = known().chain([outcome.started]).min().unwrap_or_default();
        let to = known().chain([outcome.ended]).max().unwrap_or_default();
        let milliseconds = to.as_millisecond() - from.as_millisecond();
        Self {
            from,
            milliseconds: milliseconds.max(1),
        }
    }

    /// Where an instant stands, in per cent.
    #[allow(clippy::cast_precision_loss)] // a picture
    fn at(&self, instant: Timestamp) -> f64 {
        let passed = instant.as_millisecond() - self.from.as_millisecond();
        (passed as f64 / self.milliseconds as f64 * 100.0).clamp(0.0, 100.0)
    }

    /// Instants to write at the axis: round ones, a handful.
    fn ticks(&self) -> Vec<(f64, String)> {
        const SECOND: i64 = 1_000;
        const MINUTE: i64 = 60 * SECOND;
        const HOUR: i64 = 60 * MINUTE;
        const DAY: i64 = 24 * HOUR;
        #[rustfmt::skip]
        const STEPS: [i64; 24] = [
            10, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
            MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
            DAY, 7 * DAY,
        ];
        let Some(step) = STEPS.into_iter().find(|step| self.milliseconds / step <= 7) else {
            return Vec::new();
        };
        let form = match step {
            DAY.. => "%d %b",
            MINUTE.. => "%H:%M",
            SECOND.. => "%H:%M:%S",
            _ => "%H:%M:%S%.3f",
        };
        let from = self.from.as_millisecond();
        let (first, last) = (
            from.div_euclid(step) + 1,
            (from + self.milliseconds).div_euclid(step),
        );
        (first..=last)
            .map(|number| number * step)
            .filter_map(|at| Timestamp::from_millisecond(at).ok())
            .map(|at| (round(self.at(at)), at.strftime(form).to_string()))
            .collect()
    }
}

/// A session in the picture.
struct Bar<'o> {
    session: &'o SessionSummary,
    /// Per cent: when it was made, when it was activated, when it ended (or the picture does).
    made: f64,
    from: f64,
    to: f64,
}

impl<'o> Bar<'o> {
    /// `None` for a session that nobody saw activated.
    fn of(session: &'o SessionSummary, axis: &Axis) -> Option<Self> {
        let from = axis.at(session.times.activated?);
        Some(Self {
            session,
            made: session.times.created.map_or(from, |made| axis.at(made)),
            from,
            to: session.times.ended.map_or(100.0, |ended| axis.at(ended)),
        })
    }

    /// Thin ones are drawn wide enough to be seen.
    fn width(&self) -> f64 {
        (self.to - self.from).max(0.3)
    }

    fn is_open(&self) -> bool {
        self.session.times.ended.is_none()
    }

    /// `1,000 mailboxes, 2 h 14 min`.
    fn label(&self) -> String {
        let (one, several) = of_workload(&self.session.workload);
        let count = counted(self.session.artifacts.total, one, several);
        let failed = match self.session.artifacts.failed {
            0 => String::new(),
            failed => format!(", {} failed", number(failed)),
        };
        match took(self.session) {
            Some(took) => format!("{count}{failed}, {}", text::time(took)),
            None => format!("{count}, end not seen"),
        }
    }
}

/// A lane for each bar, as few as there can be where no two of a lane overlap.
fn lanes(bars: &[Bar<'_>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by(|a, b| bars[*a].from.total_cmp(&bars[*b].from));
    let mut ends: Vec<f64> = Vec::new();
    let mut lanes = vec![0; bars.len()];
    for index in order {
        let bar = &bars[index];
        let free = ends.iter().position(|end| *end <= bar.from);
        let lane = free.unwrap_or_else(|| {
            ends.push(0.0);
            ends.len() - 1
        });
        // A hair's breadth between neighbours.
        ends[lane] = bar.from + bar.width() + 0.1;
        lanes[index] = lane;
    }
    lanes
}

fn picture(axis: &Axis, bars: &[Bar<'_>]) -> Markup {
    let is_packed = bars.len() > LINES;
    let (lanes, line) = if is_packed {
        (lanes(bars), PACKED)
    } else {
        ((0..bars.len()).collect(), LINE)
    };
    let height = AXIS + (lanes.iter().max().map_or(0, |most| most + 1)) * line + 4;
    html! {
        svg width="100%" height=(height) role="img" aria-label=(told(bars)) {
            @for (number, (at, label)) in axis.ticks().iter().enumerate() {
                g class={ "tick" @if number % 2 == 1 { " odd" } } {
                    line x1={ (at) "%" } x2={ (at) "%" } y1=(AXIS - 8) y2=(height) {}
                    text x={ (at) "%" } y=(AXIS - 13) text-anchor=(anchor_of_tick(*at)) { (label) }
                }
            }
            @for (bar, lane) in bars.iter().zip(lanes) {
                (drawn(bar, AXIS + lane * line, is_packed))
            }
        }
    }
}

/// A label at the edge must not leave the picture.
fn anchor_of_tick(at: f64) -> &'static str {
    match at {
        ..6.0 => "start",
        94.0.. => "end",
        _ => "middle",
    }
}

fn drawn(bar: &Bar<'_>, top: usize, is_packed: bool) -> Markup {
    // The label stands on the side that has more room.
    let (anchor, x) = if 100.0 - bar.from >= bar.to {
        ("start", bar.from)
    } else {
        ("end", bar.from + bar.width())
    };
    let (y, height) = if is_packed {
        (top + 3, 10)
    } else {
        (top + 20, 12)
    };
    html! {
        g class={ "bar " (class(bar.session)) @if bar.is_open() { " open" } } {
            title { (shown(&bar.session.id)) ": " (shown(state(bar.session))) ", " (bar.label()) }
            @if !is_packed {
                @if bar.from - bar.made > 0.1 {
                    line.made x1={ (round(bar.made)) "%" } x2={ (round(bar.from)) "%" } y1=(y + height / 2) y2=(y + height / 2) {}
                }
                text x={ (round(x)) "%" } y=(top + 15) text-anchor=(anchor) {
                    (bar.label()) tspan.id { " · " (shown(short(&bar.session.id))) }
                }
            }
            rect x={ (round(bar.from)) "%" } width={ (round(bar.width())) "%" } y=(y) height=(height) rx="3" {}
        }
    }
}

/// The picture for who cannot see it.
fn told(bars: &[Bar<'_>]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for bar in bars {
        let state = state(bar.session);
        let at = *known.entry(state).or_insert_with(|| {
            counts.push((state, 0));
            counts.len() - 1
        });
        counts[at].1 += 1;
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(state, count)| format!("{} {}", number(count), shown(state)))
        .collect();
    format!(
        "{} over the time of the run: {}; the table below has the same",
        counted(bars.len(), "session", "sessions"),
        counts.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::books::SessionTimes;
    use crate::report::sample::{many, of, session};

    #[test]
    fn sessions_that_do_not_overlap_share_a_lane() {
        let outcome = many(60_000);
        let axis = Axis::of(&outcome);
        let bars: Vec<Bar> = outcome
            .sessions
            .iter()
            .filter_map(|session| Bar::of(session, &axis))
            .collect();
        let lanes = lanes(&bars);
        assert_eq!(bars.len(), 60);
        assert_eq!(lanes.iter().max(), Some(&24), "25 are active at once");
        for (index, bar) in bars.iter().enumerate() {
            for (other, lane) in bars.iter().zip(&lanes).skip(index + 1) {
                let apart = other.from >= bar.to || bar.from >= other.to;
                assert!(apart || *lane != lanes[index]);
            }
        }
    }

    #[test]
    fn the_axis_has_a_handful_of_round_instants() {
        for (minutes, labels) in [
            (134, vec!["02:00", "02:30", "03:00", "03:30", "04:00"]),
            (8 * 60, vec!["02:00", "04:00", "06:00", "08:00"]),
            (
                3,
                vec![
                    "01:59:00", "01:59:30", "02:00:00", "02:00:30", "02:01:00", "02:01:30",
                ],
            ),
            (0, vec![]),
        ] {
            let mut outcome = of(Vec::new());
            outcome.ended = outcome.started + jiff::SignedDuration::from_mins(minutes);
            let told: Vec<String> = Axis::of(&outcome)
                .ticks()
                .into_iter()
                .map(|(_, label)| label)
                .collect();
            assert_eq!(told, labels, "{minutes} min");
        }
    }

    #[test]
    fn a_session_that_still_runs_reaches_to_the_end_and_one_without_times_is_left_out() {
        let mut outcome = of(Vec::new());
        outcome.sessions = vec![
            session(1, "active", [0, 60, 60]),
            session(2, "completed", [0, 1, 2]),
        ];
        outcome.sessions[1].times = SessionTimes::default();
        let axis = Axis::of(&outcome);
        let bar = Bar::of(&outcome.sessions[0], &axis).unwrap();
        assert!(bar.is_open() && (bar.to - 100.0).abs() < 0.01);
        assert!(Bar::of(&outcome.sessions[1], &axis).is_none());
        let page = section(&outcome).into_string();
        assert!(
            page.contains("end not seen") && page.contains("not seen"),
            "{page}"
        );
    }
}
