//! What was signed runs once: which signed orders were let in, kept until their signatures expire.
//!
//! A file for each in the state folder, named for script, arguments and nonce. It is made before the run begins, by a call that
//! only one process can win.

use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Exit, Fault};
use crate::text;
use crate::unix;
use crate::unix::folder::Folder;

/// How long an order is remembered after it has expired.
const SLACK: SignedDuration = SignedDuration::from_hours(24);
/// Until when signatures held that are forgotten. No name of an order: those are hexadecimal.
const FORGOTTEN: &str = "forgotten";

#[derive(Debug)]
pub(super) struct Register(Folder);

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    run: String,
    expires: Timestamp,
}

impl Register {
    /// In the state folder.
    pub(super) fn open(state: &Path) -> io::Result<Self> {
        let path = state.join("watch/replay");
        unix::private_folder(&path)?;
        Ok(Self(Folder::open(&path)?))
    }

    /// Lets an order in once. The same run may ask again: it was cut off before it began.
    ///
    /// # Errors
    /// Exit 2: it was let in before, or may have been: what expired by then is forgotten.
    pub(super) fn admit(&self, key: &str, run: &str, expires: Timestamp) -> Result<(), Fault> {
        let unusable = |error: io::Error| {
            let folder = self.0.path().display();
            let message = format!(
                "it cannot be written down in `{folder}` that this order was let in: {error}"
            );
            let code = match error.kind() {
                io::ErrorKind::StorageFull => "JournalFull",
                _ => "NoStateFolder",
            };
            Fault::new(Exit::Unstarted, code, message)
        };
        if let Some(forgotten) = self.forgotten().map_err(unusable)?
            && expires <= forgotten
        {
            let message = format!(
                "the signature expires at {expires:.0}, and what was let in with signatures until {forgotten:.0} is forgotten: the clock was later than that before"
            );
            return Err(Fault::new(Exit::Unstarted, "SignatureExpired", message)
                .hint("see whether the clock is right, and sign it again"));
        }
        let name = OsStr::new(key);
        // Whole before it has its name: half an entry would say nothing of its run.
        let draft = format!(".{run}");
        let draft = OsStr::new(&draft);
        let entry = Entry {
            run: run.to_owned(),
            expires,
        };
        let text = serde_json::to_vec(&entry).map_err(|error| unusable(error.into()))?;
        self.0.remove(draft).map_err(unusable)?;
        let mut file = self.0.create(draft, 0o600).map_err(unusable)?;
        file.write_all(&text)
            .and_then(|()| file.sync_all())
            .map_err(unusable)?;
        match self.0.shift(draft, &self.0, name) {
            Ok(()) => self.0.sync().map_err(unusable),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let _ = self.0.remove(draft);
                match self.entry(name) {
                    Some(known) if known.run == run => Ok(()),
                    known => Err(replayed(known)),
                }
            }
            Err(error) => Err(unusable(error)),
        }
    }

    fn entry(&self, name: &OsStr) -> Option<Entry> {
        let mut bytes = Vec::new();
        self.0
            .read(name)
            .ok()?
            .take(4096)
            .read_to_end(&mut bytes)
            .ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Forgets what has expired, and a day more has passed: the signature itself keeps it out now. Where the clock is set back
    /// after this, no signature holds that held only as long.
    pub(super) fn prune(&self, now: Timestamp) -> io::Result<()> {
        let over = now.saturating_sub(SLACK).unwrap_or(now);
        let mut old = Vec::new();
        let mut latest = self.forgotten()?;
        for name in self.0.names()? {
            if let Some(entry) = self.entry(&name).filter(|entry| entry.expires <= over) {
                latest = latest.max(Some(entry.expires));
                old.push(name);
            }
        }
        let Some(latest) = latest.filter(|_| !old.is_empty()) else {
            return Ok(());
        };
        // First: a crash must not leave something forgotten and not said so.
        let text = latest.to_string();
        self.0
            .replace(OsStr::new(FORGOTTEN), text.as_bytes(), 0o600)?;
        self.0.sync()?;
        old.iter().try_for_each(|name| self.0.remove(name))
    }

    fn forgotten(&self) -> io::Result<Option<Timestamp>> {
        let file = match self.0.read(OsStr::new(FORGOTTEN)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        file.take(4096).read_to_string(&mut text)?;
        let instant = text.trim().parse().map_err(io::Error::other)?;
        Ok(Some(instant))
    }
}

fn replayed(known: Option<Entry>) -> Fault {
    let message = match known {
        Some(entry) => format!("this order was let in before, as run `{}`", entry.run),
        None => "this order was let in before".to_owned(),
    };
    Fault::new(Exit::Unstarted, "Replayed", message).hint(
        "sign it again with `runback sign` to run it again: each of its signatures has a nonce of its own; with minisign, write another `nonce:` into the trusted comment (of the arguments, where there are some)",
    )
}

/// The name of an order.
pub(super) fn key(script_sha256: &str, arguments_sha256: Option<&str>, nonce: &str) -> String {
    let arguments = arguments_sha256.unwrap_or_default();
    let parts = format!("{script_sha256}\n{arguments}\n{nonce}");
    text::hex(&Sha256::digest(parts.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_let_in_once_until_it_expires() {
        let state = tempfile::tempdir().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let expires = at("2026-11-25T00:00:00Z");
        let register = Register::open(state.path()).unwrap();
        let order = key("s", Some("a"), "n");
        register.admit(&order, "run-1", expires).unwrap();
        register.admit(&order, "run-1", expires).unwrap();
        let refused = register.admit(&order, "run-2", expires).unwrap_err();
        assert_eq!(refused.code, "Replayed");
        assert!(refused.message.contains("run-1"));
        let others = [
            key("s", Some("a"), "m"),
            key("s", None, "n"),
            key("t", Some("a"), "n"),
        ];
        for other in &others {
            register.admit(other, "run-2", expires).unwrap();
        }
        // A day longer than its signature holds: the clock may have been ahead.
        register.prune(at("2026-11-25T23:59:59Z")).unwrap();
        register.admit(&order, "run-3", expires).unwrap_err();
        register.prune(at("2026-11-26T00:00:00Z")).unwrap();
        // It is forgotten; and the clock may have been far ahead.
        assert_eq!(register.0.names().unwrap(), [FORGOTTEN]);
        let refused = register.admit(&order, "run-3", expires).unwrap_err();
        assert_eq!(refused.code, "SignatureExpired");
        let later = at("2026-11-25T00:00:01Z");
        register.admit(&order, "run-3", later).unwrap();
    }

    #[test]
    fn no_two_orders_share_a_name() {
        assert_ne!(key("a", Some("b"), ""), key("a", None, "b"));
        assert_ne!(key("a", Some("b"), "c"), key("a", Some("bc"), ""));
    }
}
