//! Values as a person at a terminal wants them.

mod card;
mod cell;
mod pager;
mod session;
mod stream;
mod table;

use std::io::{self, Write as _};

use rhai::Dynamic;

pub(crate) use cell::{Times, short};
pub(crate) use session::progress;

use crate::run::Stdout;
use crate::script::convert;
use crate::script::values::{List, Object, Stream};
use crate::talk::Voice;
use crate::text::{self, Paint};

/// Where nobody says how wide and how high.
const USUAL: (u16, u16) = (80, 24);

/// Text of more screens than this goes through the pager.
const SCREENS: usize = 2;

/// Lines under a table that belong to it, and the prompt.
const BELOW: usize = 6;

/// The terminal, and how things are shown on it.
pub(crate) struct Screen {
    pub(crate) is_terminal: bool,
    pub(crate) paint: Paint,
    pub(crate) voice: Voice,
    pub(crate) times: Times,
    /// `PAGER`, where it is set.
    pub(crate) pager: Option<String>,
}

/// Columns and rows of the terminal, asked for anew: windows are resized.
pub(crate) fn size() -> (usize, usize) {
    let size = terminal_size::terminal_size();
    let (width, height) = size.map_or(USUAL, |(width, height)| (width.0, height.0));
    // A terminal that says it has no columns does not know.
    let width = if width == 0 { USUAL.0 } else { width };
    let height = if height == 0 { USUAL.1 } else { height };
    (usize::from(width).max(20), usize::from(height).max(10))
}

impl Screen {
    /// Text of ours, ready-made.
    pub(crate) fn say(&self, text: &str) {
        let text = text.trim_end_matches('\n');
        self.voice.aside(|| {
            let mut stdout = io::stdout().lock();
            // A reader that went away is no mistake.
            let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        });
    }

    /// Long text through a pager, short text at once.
    pub(crate) fn page(&self, text: &str) {
        // What is a little longer than the screen is better scrolled than paged.
        let is_long = text.lines().count() > size().1 * SCREENS;
        if self.is_terminal && is_long && pager::show(self.pager.as_deref(), text) {
            return;
        }
        self.say(text);
    }

    /// The value of a statement. Long ones in part, with the way to the rest.
    ///
    /// # Errors
    /// A stream that cannot be read.
    pub(crate) fn value(&self, value: &Dynamic) -> Result<(), crate::error::Fault> {
        let most = size().1.saturating_sub(BELOW).max(8);
        let shown = match value.read_lock::<Stream>() {
            Some(stream) => {
                let stream = stream.clone();
                stream::first_page(self, &stream, most)?
            }
            None => self.shown(value, most),
        };
        self.say(&shown);
        Ok(())
    }

    /// All of a value, through the pager.
    pub(crate) fn whole(&self, value: &Dynamic) {
        self.page(&self.shown(value, usize::MAX));
    }

    /// At most so many rows of it.
    fn shown(&self, value: &Dynamic, most: usize) -> String {
        let items = match value.read_lock::<List>() {
            Some(list) => Some(list.to_array()),
            None => value.as_array_ref().ok().map(|items| items.clone()),
        };
        if let Some(items) = items {
            return table::list(self, &items, most, None);
        }
        if let Some(object) = value.read_lock::<Object>() {
            return card::object(self, &object);
        }
        if let Ok(map) = value.as_map_ref() {
            return card::map(self, &map);
        }
        let plain = cell::text(value, self.times).unwrap_or_else(|| convert::show(value));
        text::shown(&plain).into_owned()
    }
}

/// Where nobody looks: as `run` prints it. A stream is read to its end.
///
/// # Errors
/// A stream that cannot be read.
pub(crate) fn plainly(stdout: &Stdout, value: &Dynamic) -> Result<(), crate::error::Fault> {
    let whole = match value.read_lock::<Stream>() {
        Some(stream) => {
            let items: Result<rhai::Array, _> = stream.read().collect();
            items
                .map(Dynamic::from)
                .map_err(crate::script::Failure::fault)?
        }
        None => value.clone(),
    };
    match convert::to_json(&whole) {
        Ok(json) => stdout.value(&json),
        // A closure has no value to print; `run` prints nothing either.
        Err(_) => stdout.value(&serde_json::Value::Null),
    }
    Ok(())
}
