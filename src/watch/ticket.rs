//! What was let in: written beside a claimed script once everything about it was verified, and on the disk before it runs.

use std::ffi::OsStr;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::unix::folder::Folder;

pub(super) const FILE: &str = "order.json";
/// Larger than any ticket.
const LARGEST: u64 = 64 << 10;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) schema: u32,
    pub(super) run: String,
    /// The script's name.
    pub(super) script: String,
    pub(super) sha256: String,
    /// Of the arguments, where there are any.
    pub(super) arguments_sha256: Option<String>,
    /// Who dropped it.
    pub(super) owner: u32,
    /// When.
    pub(super) arrived: Timestamp,
    /// The id of the key that signed the script.
    pub(super) key: Option<String>,
    /// Who dropped the arguments, and the id of the key that signed them.
    #[serde(default)]
    pub(super) arguments_owner: Option<u32>,
    #[serde(default)]
    pub(super) arguments_key: Option<String>,
}

impl Ticket {
    /// Whether this user has dropped any of it.
    pub(super) fn is_of(&self, user: u32) -> bool {
        user == self.owner || Some(user) == self.arguments_owner
    }

    /// Whether any of it was signed with this key.
    pub(super) fn is_signed_with(&self, key: &str) -> bool {
        [&self.key, &self.arguments_key]
            .into_iter()
            .flatten()
            .any(|own| own == key)
    }
}

impl Ticket {
    /// Of a claimed folder; nothing where nothing was let in yet.
    pub(super) fn read(folder: &Folder) -> io::Result<Option<Self>> {
        use std::io::Read as _;
        if folder.look(OsStr::new(FILE))?.is_none() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        folder
            .read(OsStr::new(FILE))?
            .take(LARGEST)
            .read_to_end(&mut bytes)?;
        // Written as a whole or not at all: another one is none of ours.
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(io::Error::other)
    }

    pub(super) fn write(&self, folder: &Folder) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        folder.replace(OsStr::new(FILE), &text, 0o600)
    }
}
