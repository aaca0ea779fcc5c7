//! The voice, as the rooms below want to hear it.

use std::time::Duration;

use serde_json::Value;

use super::output::Stdout;
use crate::graph::Notices;
use crate::script::{Level, Output};
use crate::talk::{self, Voice};
use crate::text;

impl Notices for Voice {
    fn waiting(&self, operation: &str, why: &str, wait: Duration) {
        talk::Talk::waiting(self, operation, why, wait);
    }

    fn warn(&self, text: &str) {
        talk::Talk::warn(self, text);
    }

    fn enter_code(&self, page: &str, code: &str, within: Duration) {
        self.demand(&format!(
            "to sign in, open {page} and enter the code {code} (good for {})",
            text::time(within)
        ));
    }
}

impl Output for Stdout {
    fn print(&self, text: &str) {
        self.print(text);
    }

    fn debug(&self, text: &str) {
        self.debug(text);
    }

    fn table(&self, columns: &[String], rows: &[Vec<Value>]) {
        self.table(columns, rows);
    }

    fn log(&self, level: Level, text: &str) {
        let level = match level {
            Level::Debug => talk::Level::Debug,
            Level::Info => talk::Level::Info,
            Level::Warn => talk::Level::Warn,
            Level::Error => talk::Level::Error,
        };
        self.log(level, text);
    }
}
