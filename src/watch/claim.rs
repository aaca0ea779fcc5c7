//! Takes a script out of the inbox, and lets it in or not.
//!
//! The claim is a rename into a folder that only the watcher can write in: what belongs to the script first, the script last, so
//! that a claimed script has all that it had. Then everything is read once into memory, verified, and written anew: whoever
//! still holds the dropped file open changes a file that nobody reads.

use std::ffi::{OsStr, OsString};
use std::io;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::dropped::Dropped;
use super::entry::{self, LARGEST};
use super::inbox::Inbox;
use super::names::{self, Bundle, NAMELESS};
use super::replay::{self, Register};
use super::rules::Rules;
use super::signature::Warrant;
use super::ticket::Ticket;
use crate::error::{Exit, Fault};
use crate::text;
use crate::unix::folder::{Facts, Folder};

/// The folder that a script may write in.
pub(super) const FILES: &str = "files";

/// A script that was taken out of the inbox.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) run: String,
    pub(super) folder: Folder,
    /// Its name in that folder.
    pub(super) script: OsString,
}

impl Claim {
    /// Takes a script as it was seen. `None`: it is gone, or was touched meanwhile.
    pub(super) fn take(
        inbox: &Inbox,
        name: &OsStr,
        seen: Option<&Facts>,
        run: String,
    ) -> io::Result<Option<Self>> {
        match (inbox.root.look(name)?, seen) {
            (None, _) => return Ok(None),
            (Some(facts), Some(seen)) if !facts.is_still(seen) => return Ok(None),
            _ => {}
        }
        let script = match names::refusal(name) {
            None => name.to_owned(),
            // Nobody should have to type it; the result tells it.
            Some(_) => NAMELESS.into(),
        };
        let folder = inbox.claimed.make(OsStr::new(&run), inbox.folder_mode)?;
        match shift(inbox, name, &folder, &script) {
            Ok(()) => Ok(Some(Self {
                run,
                folder,
                script,
            })),
            Err(error) => {
                give_back(inbox, &folder, OsStr::new(&run))?;
                match error.kind() {
                    io::ErrorKind::NotFound => Ok(None),
                    _ => Err(error),
                }
            }
        }
    }

    /// One that an earlier watcher has left; `None` where it holds no script: what belonged to one goes back.
    pub(super) fn left(inbox: &Inbox, run: &OsStr) -> io::Result<Option<Self>> {
        let folder = inbox.claimed.inner(run)?;
        let names = folder.names()?;
        let Some(script) = names.iter().find(|name| names::is_script(name)) else {
            give_back(inbox, &folder, run)?;
            return Ok(None);
        };
        Ok(Some(Self {
            run: run.to_string_lossy().into_owned(),
            script: script.clone(),
            folder,
        }))
    }

    /// Reads and verifies everything, and writes the ticket.
    ///
    /// # Errors
    /// Why it is not let in.
    pub(super) fn let_in(
        &self,
        inbox: &Inbox,
        rules: &Rules,
        register: &Register,
        now: Timestamp,
    ) -> Result<Ticket, Fault> {
        let facts = self.folder.look(&self.script).ok().flatten();
        let arguments = Bundle::of(&self.script).arguments;
        let arguments = self.folder.look(&arguments).ok().flatten();
        let dropped = Dropped::read(self, rules.owners())?;
        let warrant = dropped.warrant(rules, now)?;
        let (sha256, arguments_sha256) = (dropped.sha256.clone(), dropped.arguments_sha256());
        let script_name = names::shown(&self.script);
        let unwritten = |error: io::Error| {
            let message = format!("`{script_name}` cannot be kept: {error}");
            Fault::new(Exit::Unstarted, "ReportLost", message)
        };
        for (name, bytes) in dropped.files() {
            let written = self.folder.replace(&copy(name), bytes, inbox.file_mode);
            written.map_err(unwritten)?;
        }
        if let Some(Warrant { expires, nonce, .. }) = &warrant {
            let key = replay::key(&sha256, arguments_sha256.as_deref(), nonce);
            register.admit(&key, &self.run, *expires)?;
        }
        let ticket = Ticket {
            schema: 1,
            run: self.run.clone(),
            script: script_name.clone(),
            sha256,
            arguments_sha256,
            owner: facts.map_or(0, |facts| facts.access.owner()),
            arrived: facts.map_or(now, |facts| instant(&facts)),
            arguments_owner: arguments.map(|facts| facts.access.owner()),
            arguments_key: warrant
                .as_ref()
                .and_then(|warrant| warrant.arguments_key.clone()),
            key: warrant.map(|warrant| warrant.key),
        };
        self.make_files(inbox).map_err(unwritten)?;
        ticket.write(&self.folder).map_err(unwritten)?;
        self.keep_copies().map_err(unwritten)?;
        // What is sent of this run must not outlive the claim: on the disk, before anything is.
        let folders = [&self.folder, &inbox.claimed, &inbox.root];
        folders
            .into_iter()
            .try_for_each(Folder::sync)
            .map_err(unwritten)?;
        Ok(ticket)
    }

    /// Puts what was verified in the place of what was dropped. Not before the ticket is written: until then the dropped files say
    /// whose they are, also to a later watcher.
    pub(super) fn keep_copies(&self) -> io::Result<()> {
        let bundle = Bundle::of(&self.script);
        for name in bundle
            .companions()
            .into_iter()
            .chain([self.script.as_os_str()])
        {
            let copy = copy(name);
            if self.folder.look(&copy)?.is_some() {
                self.folder.supersede(name, &copy)?;
            }
        }
        Ok(())
    }

    /// Takes away what was verified and did not come to a ticket.
    pub(super) fn drop_copies(&self) -> io::Result<()> {
        for name in self.folder.names()? {
            if name.as_encoded_bytes().starts_with(COPY.as_bytes()) {
                self.folder.remove(&name)?;
            }
        }
        Ok(())
    }

    /// The same script and arguments as a claim of their own: what was let in once is let in.
    pub(super) fn again(
        &self,
        inbox: &Inbox,
        ticket: &Ticket,
        run: String,
    ) -> io::Result<(Self, Ticket)> {
        let folder = inbox.claimed.make(OsStr::new(&run), inbox.folder_mode)?;
        let bundle = Bundle::of(&self.script);
        let me = [crate::unix::user()];
        let names = bundle
            .companions()
            .into_iter()
            .chain([self.script.as_os_str()]);
        for name in names {
            let bytes = entry::bytes(&self.folder, name, &me, LARGEST).map_err(io::Error::other)?;
            if let Some(bytes) = bytes {
                folder.replace(name, &bytes, inbox.file_mode)?;
            }
        }
        let claim = Self {
            script: self.script.clone(),
            run: run.clone(),
            folder,
        };
        let ticket = Ticket {
            run,
            ..ticket.clone()
        };
        claim.make_files(inbox)?;
        ticket.write(&claim.folder)?;
        claim.folder.sync()?;
        inbox.claimed.sync()?;
        Ok((claim, ticket))
    }

    fn make_files(&self, inbox: &Inbox) -> io::Result<()> {
        match self.folder.make(OsStr::new(FILES), inbox.folder_mode) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map(|_| ()),
        }
    }
}

const COPY: &str = ".verified.";

/// What was verified lies under this name until there is a ticket.
fn copy(name: &OsStr) -> OsString {
    let mut copy = OsString::from(COPY);
    copy.push(name);
    copy
}

pub(super) fn hash(bytes: &[u8]) -> String {
    text::hex(&Sha256::digest(bytes))
}

/// When a file was changed last.
pub(super) fn instant(facts: &Facts) -> Timestamp {
    let since = jiff::SignedDuration::try_from(facts.changed).unwrap_or_default();
    Timestamp::from_duration(since).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Moves what belongs to a script, then the script.
fn shift(inbox: &Inbox, name: &OsStr, folder: &Folder, script: &OsStr) -> io::Result<()> {
    let (here, there) = (Bundle::of(name), Bundle::of(script));
    for (from, to) in here.companions().into_iter().zip(there.companions()) {
        shift_any(&inbox.root, from, folder, to)?;
    }
    inbox.root.shift(name, folder, script)
}

/// Moves a file, where it is there.
fn shift_any(from: &Folder, name: &OsStr, to: &Folder, as_name: &OsStr) -> io::Result<()> {
    match from.shift(name, to, as_name) {
        // Of a name that is as long as names can be, a longer one is not there either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Puts what belongs to a script that was not taken back into the inbox. What has come there meanwhile is newer: ours goes.
fn give_back(inbox: &Inbox, folder: &Folder, run: &OsStr) -> io::Result<()> {
    for name in folder.names()? {
        if !names::is_companion(&name) {
            if name.as_encoded_bytes().starts_with(COPY.as_bytes()) {
                folder.remove(&name)?;
            }
            continue;
        }
        match folder.shift(&name, &inbox.root, &name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => folder.remove(&name)?,
            result => result?,
        }
    }
    // Left where something else lies in it: a person may want to see that.
    let _ = inbox.claimed.remove_folder(run);
    Ok(())
}
