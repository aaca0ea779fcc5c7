//! A script's values on stdout, in the format that was asked for. stdout is data.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::error::{Exit, Fault};
use crate::report::table::{self, Layout};
use crate::report::{cell, csv, json};
use crate::talk::{Level, Voice};
use crate::text;

/// How values are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Json,
    Csv,
}

/// The standard output of one run.
pub(crate) struct Stdout {
    format: Format,
    /// stdout is a terminal: tables are fitted to it, and what came from outside is made safe.
    is_terminal: bool,
    voice: Voice,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// A table was printed: the next one stands off by a blank line.
    has_table: bool,
    /// Nobody reads any more, or the disk is full: nothing further is tried.
    is_closed: bool,
    failure: Option<io::Error>,
}

impl Stdout {
    pub(crate) fn new(format: Format, is_terminal: bool, voice: Voice) -> Self {
        Self {
            format,
            is_terminal,
            voice,
            state: Mutex::default(),
        }
    }

    /// For a script whose output is not to be seen; what it says on stderr is.
    pub(crate) fn silent(voice: Voice) -> Self {
        let stdout = Self::new(Format::Table, false, voice);
        let state = State {
            is_closed: true,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            ..stdout
        }
    }

    /// Text that is whole as it is.
    pub(crate) fn whole(&self, text: &str) {
        self.write(text);
    }

    pub(crate) fn print(&self, text: &str) {
        if self.format == Format::Json {
            self.voice.text(text);
        } else {
            self.write(&format!("{text}\n"));
        }
    }

    pub(crate) fn debug(&self, text: &str) {
        self.voice.text(text);
    }

    pub(crate) fn log(&self, level: Level, text: &str) {
        self.voice.log(level, text);
    }

    pub(crate) fn table(&self, columns: &[String], rows: &[Vec<Value>]) {
        let body = match self.format {
            Format::Table => table::rows(columns, rows, self.layout()),
            Format::Json => json::rows(columns, rows) + "\n",
            Format::Csv => csv::rows(columns, rows),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let stands_off =
            std::mem::replace(&mut state.has_table, true) && self.format == Format::Csv;
        drop(state);
        self.write(&if stands_off {
            format!("\n{body}")
        } else {
            body
        });
    }

    /// The script's last value; `null` is none.
    pub(crate) fn value(&self, value: &Value) {
        if value.is_null() {
            return;
        }
        if self.format == Format::Json {
            return self.write(&format!("{value}\n"));
        }
        match (table::of_objects(value), value) {
            (Some((columns, rows)), _) => self.table(&columns, &rows),
            (None, Value::Array(_) | Value::Object(_)) if self.format == Format::Table => {
                self.write(&format!("{value:#}\n"));
            }
            (None, value) => self.write(&format!("{}\n", cell(value))),
        }
    }

    /// Why not all of it could be written. A reader that went away is no reason.
    pub(crate) fn failure(&self) -> Option<Fault> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let error = state.failure.as_ref()?;
        Some(Fault::new(
            Exit::Unstarted,
            "OutputLost",
            format!("stdout could not be written: {error}"),
        ))
    }

    fn layout(&self) -> Layout {
        if self.is_terminal {
            Layout::Screen(None)
        } else {
            Layout::Plain
        }
    }

    fn write(&self, body: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return;
        }
        let body = match self.format {
            _ if !self.is_terminal => body.into(),
            Format::Json => text::json_shown(body),
            Format::Table | Format::Csv => text::shown(body),
        };
        let written = self.voice.aside(|| {
            let mut stdout = io::stdout().lock();
            stdout
                .write_all(body.as_bytes())
                .and_then(|()| stdout.flush())
        });
        if let Err(error) = written {
            state.is_closed = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                state.failure = Some(error);
            }
        }
    }
}
