//! What a run says that goes on: nothing before the end of the record, because it was said before.

use std::sync::Arc;

use crate::history::History;
use crate::script::host::{Level, Output};
use crate::script::lane;

/// An output that is silent while the script is carried out again.
pub(crate) struct Quiet {
    output: Arc<dyn Output>,
    history: Arc<History>,
}

impl Quiet {
    pub(crate) fn new(output: Arc<dyn Output>, history: Arc<History>) -> Self {
        Self { output, history }
    }

    fn is_new(&self) -> bool {
        !self.history.is_behind(&lane::current(), lane::calls() + 1)
    }
}

impl Output for Quiet {
    fn print(&self, text: &str) {
        if self.is_new() {
            self.output.print(text);
        }
    }

    fn debug(&self, text: &str) {
        if self.is_new() {
            self.output.debug(text);
        }
    }

    fn table(&self, columns: &[String], rows: &[Vec<serde_json::Value>]) {
        if self.is_new() {
            self.output.table(columns, rows);
        }
    }

    fn log(&self, level: Level, text: &str) {
        if self.is_new() {
            self.output.log(level, text);
        }
    }
}
