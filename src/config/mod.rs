//! `runback.toml`: settings that stand for flags, with profiles.
//!
//! ```toml
//! in-flight = 16                  # holds for every run
//! default-profile = "contoso"
//!
//! [profile.contoso]               # over it, where the profile is chosen
//! tenant = "contoso.example"
//! client-id = "2f6a…"
//! client-secret-file = "contoso.secret"
//! ```
//!
//! Which settings there are, and what kind of value each takes, is told by whoever knows the flags: this room knows files,
//! profiles and whom to trust.

mod file;
mod find;
mod layers;
mod secret;
mod trust;
mod value;

use std::path::PathBuf;

use crate::error::{Fault, Place};

pub(crate) use layers::load;

/// The name of a config file.
pub(crate) const NAME: &str = "runback.toml";

/// What the value of a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Switch,
    /// How often a flag is repeated: `verbose = 2`.
    Count,
    Number,
    Text,
    /// Text; relative to the folder of the config file.
    Path,
}

/// A setting that may stand in a config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// As the flag is called, without its dashes.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// One value or a list of them.
    pub(crate) many: bool,
}

/// How a file came to be read: how far it is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By `--config` or `RUNBACK_CONFIG`.
    Named,
    /// In the state folder, which is the user's own.
    State,
    /// In the working folder, which may be anybody's: a cloned repository, a share.
    Working,
}

/// One setting that holds.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: String,
    /// As the flag would take it. Paths are absolute or relative to the working folder.
    pub(crate) values: Vec<String>,
    /// Where the value stands.
    pub(crate) place: Place,
    pub(crate) origin: Origin,
    /// Of two settings that contradict each other the one with the higher rank holds.
    pub(crate) rank: usize,
}

/// Where to look, and for what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// The one file to read; then no other is looked for.
    pub(crate) named: Option<PathBuf>,
    pub(crate) state: Option<PathBuf>,
    /// For what `~/` stands.
    pub(crate) home: Option<PathBuf>,
    pub(crate) profile: Option<String>,
}

/// What the config files say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) profile: Option<String>,
    pub(crate) settings: Vec<Setting>,
}

impl Config {
    /// For a line of the log: which files, which profile.
    pub(crate) fn summary(&self) -> String {
        let files: Vec<String> = self
            .files
            .iter()
            .map(|file| format!("`{}`", file.display()))
            .collect();
        let profile = match &self.profile {
            Some(name) => format!("profile `{name}`"),
            None => "no profile".to_owned(),
        };
        if files.is_empty() {
            "no config file".to_owned()
        } else {
            format!("{}, {profile}", files.join(" and "))
        }
    }
}

/// A mistake in a config file, at its place.
fn bad(message: impl Into<String>, place: Place) -> Fault {
    Fault::new(crate::error::Exit::Unstarted, "BadConfig", message).at(place)
}
