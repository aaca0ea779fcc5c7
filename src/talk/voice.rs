//! The real voice: stderr, as text or as JSON Lines.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::bars::Bars;
use super::{Bar, Reply, Talk, question};
use crate::error::Fault;
use crate::text::{self, Paint};
use crate::world::World;

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loudness {
    /// Errors only.
    Quiet,
    Normal,
    /// Also what helps to find a mistake in a runbook or in runback.
    Verbose,
    /// Everything that there is.
    Everything,
}

/// How things are said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) loudness: Loudness,
    pub(crate) paint: Paint,
    /// Each message is one JSON object.
    pub(crate) json: bool,
    /// Progress is drawn.
    pub(crate) bars: bool,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }

    fn is_heard(self, loudness: Loudness) -> bool {
        match self {
            Self::Debug => loudness >= Loudness::Verbose,
            Self::Info | Self::Warn => loudness >= Loudness::Normal,
            Self::Error => true,
        }
    }
}

/// Speaks on stderr. A stderr that nobody reads is not an error: what cannot be said is dropped.
#[derive(Clone)]
pub(crate) struct Voice(Arc<Inner>);

struct Inner {
    manner: Manner,
    world: World,
    bars: Bars,
    /// Until when the waiting that was said last goes on; a shorter one inside it is not said again.
    waiting_until: Mutex<Timestamp>,
    /// Takes lines while somebody types.
    above: Mutex<Option<Above>>,
}

/// Puts lines above the line that is being typed.
pub(crate) type Above = Box<dyn FnMut(&str) + Send>;

impl Voice {
    pub(crate) fn new(manner: Manner, world: World) -> Self {
        Self(Arc::new(Inner {
            manner,
            world,
            bars: Bars::new(manner.bars),
            waiting_until: Mutex::new(Timestamp::MIN),
            above: Mutex::default(),
        }))
    }

    pub(crate) fn manner(&self) -> Manner {
        self.0.manner
    }

    /// Does something with the terminal while no bar is drawn on it.
    pub(crate) fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        self.0.bars.aside(act)
    }

    /// From now on lines go above what is being typed; `None`: nobody types any more.
    pub(crate) fn typing(&self, above: Option<Above>) {
        *self.0.above.lock().unwrap_or_else(PoisonError::into_inner) = above;
    }

    /// Takes all bars off the screen, for good.
    pub(crate) fn end(&self) {
        self.0.bars.end();
    }

    /// An error as a person reads it; under `-q` too.
    pub(crate) fn fault(&self, fault: &Fault) {
        self.finding(fault, false);
    }

    /// As [`Voice::fault`]; `is_warning`: it keeps nobody from running, and is not said under `-q`.
    pub(crate) fn finding(&self, fault: &Fault, is_warning: bool) {
        let level = if is_warning {
            Level::Warn
        } else {
            Level::Error
        };
        if fault.is_told || !level.is_heard(self.0.manner.loudness) {
            return;
        }
        self.raw(&self.written(fault, level));
    }

    /// A panic's report, from whichever thread. It asks for no lock of ours: that thread may hold it.
    pub(crate) fn bug(&self, fault: &Fault, backtrace: Option<String>) {
        let mut fault = fault.clone();
        let mut below = String::new();
        match backtrace {
            Some(backtrace) if self.0.manner.json => fault.context.push(backtrace),
            Some(backtrace) => below = format!("\n\n{}", backtrace.trim_end()),
            None => {}
        }
        let report = self.written(&fault, Level::Error);
        let _ = writeln!(io::stderr(), "{report}{below}");
    }

    fn written(&self, fault: &Fault, level: Level) -> String {
        if self.0.manner.json {
            let mut message = self.json(level, &fault.message);
            let place = fault.place.as_ref();
            message["code"] = json!(fault.code);
            message["file"] = json!(place.map(|place| &place.file));
            message["line"] = json!(place.map(|place| place.line));
            message["column"] = json!(place.map(|place| place.column));
            message["context"] = json!(fault.context);
            message["hints"] = json!(fault.hints);
            message["request_id"] = json!(fault.request_id);
            text::json_shown(&message.to_string()).into_owned()
        } else {
            let paint = self.0.manner.paint;
            let shown = match level {
                Level::Warn => fault.render_as(&paint.yellow("warning:"), paint),
                _ => fault.render(paint),
            };
            shown.trim_end().to_owned()
        }
    }

    /// Several errors, a blank line between.
    pub(crate) fn faults<'f>(&self, faults: impl IntoIterator<Item = &'f Fault>) {
        let untold = faults.into_iter().filter(|fault| !fault.is_told);
        for (number, fault) in untold.enumerate() {
            if number > 0 && !self.0.manner.json {
                self.raw("");
            }
            self.fault(fault);
        }
    }

    /// Something that a person must do now, or nothing goes on: under `-q` too, and above the bars.
    pub(crate) fn demand(&self, message: &str) {
        if self.0.manner.json {
            self.raw(&text::json_shown(
                &self.json(Level::Warn, message).to_string(),
            ));
        } else {
            self.raw(&text::one_line(message));
        }
    }

    /// A line of a script's log, with its time, since it may be read hours later.
    pub(crate) fn log(&self, level: Level, message: &str) {
        if !level.is_heard(self.0.manner.loudness) {
            return;
        }
        if self.0.manner.json {
            self.raw(&text::json_shown(&self.json(level, message).to_string()));
        } else {
            let time = self.0.world.clock.now().strftime("%H:%M:%SZ");
            let name = level.name().to_ascii_lowercase();
            let name = match level {
                Level::Debug => name,
                Level::Info => self.0.manner.paint.blue(&name),
                Level::Warn => self.0.manner.paint.yellow(&name),
                Level::Error => self.0.manner.paint.red(&name),
            };
            self.raw(&format!("{time} {name} {}", text::shown(message)));
        }
    }

    /// Text of several lines that is not a message: the closing block, what a script prints where stdout is for data.
    pub(crate) fn text(&self, body: &str) {
        if self.0.manner.loudness == Loudness::Quiet {
            return;
        }
        if self.0.manner.json {
            self.raw(&text::json_shown(&self.json(Level::Info, body).to_string()));
        } else {
            self.raw(&text::shown(body));
        }
    }

    /// A ready-made line, as it is.
    pub(crate) fn raw(&self, line: &str) {
        let mut above = self.0.above.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(print) = above.as_mut() {
            print(line);
            return;
        }
        drop(above);
        self.aside(|| {
            let _ = writeln!(io::stderr().lock(), "{line}");
        });
    }

    fn json(&self, level: Level, message: &str) -> serde_json::Value {
        json!({
            "timestamp": self.0.world.clock.now().to_string(),
            "level": level.name(),
            "message": message,
        })
    }

    fn say(&self, level: Level, message: &str) {
        let Manner {
            loudness,
            paint,
            json,
            ..
        } = self.0.manner;
        if !level.is_heard(loudness) {
            return;
        }
        if json {
            self.raw(&text::json_shown(&self.json(level, message).to_string()));
            return;
        }
        let lead = match level {
            Level::Warn => paint.yellow("warning:"),
            _ => paint.blue("note:"),
        };
        self.raw(&format!("{lead} {}", text::one_line(message)));
    }
}

impl Talk for Voice {
    fn note(&self, text: &str) {
        self.say(Level::Info, text);
    }

    fn warn(&self, text: &str) {
        self.say(Level::Warn, text);
    }

    fn waiting(&self, what: &str, why: &str, wait: Duration) {
        let line = format!(
            "waiting {} before `{what}` goes on: {why}",
            text::time(wait)
        );
        if self.0.manner.bars {
            self.0
                .bars
                .wait(&format!("`{what}` waits: {}", text::one_line(why)), wait);
            return;
        }
        // A log is not redrawn: one line for a wait, not one for each of the calls that share it.
        let now = self.0.world.clock.now();
        let end = SignedDuration::try_from(wait)
            .ok()
            .and_then(|wait| now.checked_add(wait).ok());
        let mut until = self
            .0
            .waiting_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if now < *until || wait < Duration::from_secs(1) {
            return;
        }
        *until = end.unwrap_or(Timestamp::MAX);
        drop(until);
        self.note(&line);
    }

    fn bar(&self, label: &str, total: Option<u64>) -> Box<dyn Bar> {
        self.0.bars.bar(label, total)
    }

    fn ask(&self, question: &str, offer_all: bool) -> Reply {
        self.aside(|| question::ask(&self.0.world, &text::shown(question), offer_all))
    }
}

impl Write for Voice {
    /// For log lines of the program: whole lines, made safe.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        let line = line.trim_end_matches('\n');
        if self.0.manner.json {
            self.raw(&text::json_shown(line));
        } else {
            self.raw(&text::shown(line));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
