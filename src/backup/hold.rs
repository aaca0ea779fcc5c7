//! One hand at a session at a time. What stands in a draft is looked at, judged and then activated; whatever else of this
//! state folder would change the draft meanwhile, another thread of the script or another run, waits until that is over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedMutexGuard;

use super::service::lock;
use super::{BackupError, Service};
use crate::journal::{JournalError, RunLock};

/// How often it is looked whether another process has let go.
const LOOK: Duration = Duration::from_millis(20);

/// Ids of sessions that are changed now, each with those who wait for it.
pub(super) type Held = Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>;

/// While it lives, nobody else of this state folder changes the session.
pub(crate) struct Hold {
    _here: OwnedMutexGuard<()>,
    /// `None` where there is no state folder to share.
    _elsewhere: Option<RunLock>,
}

impl Service {
    /// Waits until nobody else changes this session.
    ///
    /// # Errors
    /// The run is stopped meanwhile, or the state folder cannot be written.
    pub(crate) async fn hold_session(&self, id: &str) -> Result<Hold, BackupError> {
        // Ids are written in either case.
        let id = id.to_ascii_lowercase();
        let own = lock(&self.held).entry(id.clone()).or_default().clone();
        let here = own.lock_owned().await;
        let Some(journal) = self.door.ledger().journal() else {
            return Ok(Hold {
                _here: here,
                _elsewhere: None,
            });
        };
        let name = name(&id);
        let elsewhere = loop {
            match journal.lock(&name) {
                Ok(held) => break Some(held),
                Err(JournalError::Held { .. }) => self.sleep(LOOK).await?,
                Err(error) => return Err(self.door.unwritten(error).into()),
            }
        };
        Ok(Hold {
            _here: here,
            _elsewhere: elsewhere,
        })
    }
}

/// One of 256 files: a folder that has seen thousands of sessions does not keep a file of each.
fn name(id: &str) -> String {
    format!("session-{:02x}", Sha256::digest(id)[0])
}

/// The session that a path leads to or into, in the forms `…RestoreSessions/ID` and `…RestoreSessions('ID')`.
pub(crate) fn session_of_path(path: &str) -> Option<&str> {
    let path = path.split('?').next().unwrap_or_default();
    let mut parts = path.split('/');
    let is_sessions = |name: &str| name.to_ascii_lowercase().ends_with("restoresessions");
    while let Some(part) = parts.next() {
        if is_sessions(part) {
            return parts.next().filter(|id| !id.is_empty());
        }
        if let Some((name, key)) = part.split_once('(')
            && is_sessions(name)
        {
            let key = key.strip_suffix(')').unwrap_or(key);
            return Some(key.trim_matches('\'')).filter(|id| !id.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_session_in_either_form() {
        for (path, id) in [
            ("/solutions/backupRestore/exchangeRestoreSessions", None),
            ("/solutions/backupRestore/restoreSessions/", None),
            ("/solutions/backupRestore/restoreSessions?$top=1", None),
            ("/solutions/backupRestore/restoreSessions/A-1", Some("A-1")),
            (
                "/solutions/backuprestore/EXCHANGErestoresessions/A-1/activate?x",
                Some("A-1"),
            ),
            (
                "/solutions/backupRestore/exchangeRestoreSessions('A-1')/mailboxRestoreArtifacts",
                Some("A-1"),
            ),
            (
                "/solutions/backupRestore/exchangeRestoreSessions(A-1)",
                Some("A-1"),
            ),
            ("/solutions/backupRestore/browseSessions/A-1", None),
        ] {
            assert_eq!(session_of_path(path), id, "{path}");
        }
    }
}
