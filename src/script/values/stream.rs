//! A list that is fetched while it is read: page by page, memory flat, complete or an error.

use std::sync::Arc;

use rhai::{Dynamic, Position};

use crate::script::failure::Failure;
use crate::script::record::{self, Tape};

/// One reading of a stream. After an error or `None` it is not asked again.
pub(crate) trait Source: Send {
    fn next(&mut self) -> Option<Result<Dynamic, Failure>>;

    /// A further item, where one has come together with the last one and nothing need be waited for.
    fn ready(&mut self) -> Option<Dynamic> {
        None
    }
}

impl<I: Iterator<Item = Result<Dynamic, Failure>> + Send> Source for I {
    fn next(&mut self) -> Option<Result<Dynamic, Failure>> {
        Iterator::next(self)
    }
}

type Open = dyn Fn() -> Box<dyn Source> + Send + Sync;

/// What `exchange::units()` and its like give. Every `for` opens it anew.
#[derive(Clone)]
pub(crate) struct Stream {
    /// What it is a list of, for messages: "units".
    what: &'static str,
    open: Arc<Open>,
    /// Where it is kept, where the run keeps a record.
    tape: Option<Arc<Tape>>,
    /// Where it was made; an error inside a `for` knows no better line for `e.line`.
    line: Option<usize>,
}

impl Stream {
    pub(crate) fn new(
        what: &'static str,
        open: impl Fn() -> Box<dyn Source> + Send + Sync + 'static,
    ) -> Self {
        Self {
            what,
            open: Arc::new(open),
            tape: record::tape(),
            line: None,
        }
    }

    /// Remembers where the script made it.
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.line = position.line();
        self
    }

    pub(crate) fn what(&self) -> &'static str {
        self.what
    }

    /// Reads it from its start.
    pub(crate) fn read(&self) -> Reading {
        Reading {
            source: Some(match &self.tape {
                Some(tape) => {
                    let open = self.open.clone();
                    tape.read(move || open())
                }
                None => (self.open)(),
            }),
            line: self.line,
        }
    }
}

/// One reading; ends for good with the first error.
pub(crate) struct Reading {
    source: Option<Box<dyn Source>>,
    line: Option<usize>,
}

impl Iterator for Reading {
    type Item = Result<Dynamic, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.source.as_mut()?.next();
        match item {
            Some(Ok(value)) => Some(Ok(value)),
            Some(Err(failure)) => {
                self.source = None;
                Some(Err(failure.or_line(self.line)))
            }
            None => {
                self.source = None;
                None
            }
        }
    }
}
