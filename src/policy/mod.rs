//! The policy file: what scripts may do, written by whoever answers for the tenant.
//!
//! ```toml
//! allow = ["read", "draft", "activate"]
//! destinations = ["new"]
//! max_items_per_run = 500
//! hours = "Mon-Fri 22:00-06:00 Europe/Berlin"
//! consent = "ask"
//! ```
//!
//! This room reads the file and says what its rules say. It asks nobody: what a change is about is told to it by whoever makes
//! the change, and it knows neither the service nor scripts.

mod denial;
mod file;
mod hours;
mod judge;
mod key;
mod paths;
mod read;
mod rules;
#[cfg(test)]
mod tests;
mod trust;

use std::path::{Path, PathBuf};

use crate::error::{Exit, Fault, Place};

pub(crate) use denial::{DENIED, Denial};
pub(crate) use hours::Hours;
pub(crate) use judge::{Act, Deed, Items, Matter};
pub(crate) use paths::Paths;
pub(crate) use rules::{Consent, Rule, Rules};

pub(crate) use {key::PublicKey, rules::Who, trust::refuse_foreign};

/// A policy as it was read: once, so that what is obeyed is what was hashed.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    path: PathBuf,
    sha256: String,
    rules: Rules,
    /// For each rule that stands in the file: its line, and the text there.
    places: Vec<(Rule, Place)>,
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// Exit 2: it is not there, others can write it or its folder, or something in it is no rule; the first such thing, the
    /// others in its context.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let bytes = file::bytes(path)?;
        read::policy(path, &bytes)
    }

    /// A policy from bytes that somebody has read and trusts; `path` is where they come from.
    ///
    /// # Errors
    /// Exit 2: as [`Policy::open`].
    pub(crate) fn of_bytes(path: &Path, bytes: &[u8]) -> Result<Self, Fault> {
        read::policy(path, bytes)
    }

    /// As it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Of the bytes that were read, in lower case hexadecimal.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Where a rule stands, if it does.
    pub(crate) fn place(&self, rule: Rule) -> Option<&Place> {
        let (_, place) = self.places.iter().find(|(own, _)| *own == rule)?;
        Some(place)
    }

    /// `policy.toml:7`, else the file alone: for messages.
    pub(crate) fn at(&self, rule: Rule) -> String {
        match self.place(rule) {
            Some(place) => format!("{}:{}", place.file, place.line),
            None => self.path.display().to_string(),
        }
    }
}

/// A mistake in a policy file, or one that is no such file.
fn bad(message: impl Into<String>) -> Fault {
    Fault::new(Exit::Unstarted, "BadPolicy", message)
}
