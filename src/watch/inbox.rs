//! The inbox and the folders in it that are ours.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use super::names;
use crate::unix;
use crate::unix::folder::{Facts, Folder, Kind};

/// Where a run is filed away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Done,
    Failed,
    Quarantine,
}

impl Place {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Quarantine => "quarantine",
        }
    }
}

/// All folders by their handles: they stay what they are, whatever happens to their names.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) root: Folder,
    /// `.runback`: nobody else looks into it.
    pub(super) own: Folder,
    pub(super) claimed: Folder,
    pub(super) pending: Folder,
    done: Folder,
    failed: Folder,
    quarantine: Folder,
    /// Of folders and files that others may look at: the inbox's group, where it may look into the inbox.
    pub(super) folder_mode: u32,
    pub(super) file_mode: u32,
    /// Of a folder in which approvers leave their word.
    pub(super) parking_mode: u32,
    /// Why what lies here is not the inbox's group's, which may look into the inbox.
    pub(super) group_trouble: Option<String>,
}

impl Inbox {
    /// Opens the folders, and makes those that are not there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let root = Folder::open(path)?;
        let group = root.access()?.mode();
        let gid = root.group()?;
        // What is made in a folder with this bit is of the folder's group.
        let inherits = if group & 0o070 != 0 && gid != unix::group() {
            0o2000
        } else {
            0
        };
        let folder_mode = inherits | 0o700 | (group & 0o050);
        let own = ours(&root, ".runback", 0o700)?;
        let writes = group & 0o020 != 0;
        let mut inbox = Self {
            claimed: ours(&own, "claimed", 0o700)?,
            pending: ours(&root, "pending", folder_mode)?,
            done: ours(&root, "done", folder_mode)?,
            failed: ours(&root, "failed", folder_mode)?,
            quarantine: ours(&root, "quarantine", folder_mode)?,
            folder_mode,
            file_mode: 0o600 | (group & 0o040),
            // With the sticky bit an approver can leave something and take nothing away.
            parking_mode: if writes {
                folder_mode | 0o1020
            } else {
                folder_mode
            },
            own,
            root,
            group_trouble: None,
        };
        if inherits != 0 {
            inbox.group_trouble = inbox.share(gid).err().map(|error| {
                format!(
                    "`done`, `failed`, `quarantine` and `pending` cannot be given to the inbox's group (gid {gid}), whose members do not \
                     see what lies there: {error}; put the watcher's user into that group (`usermod -aG {gid} USER`), or `chgrp` the \
                     inbox to one it is in, and start it again"
                )
            });
        }
        Ok(inbox)
    }

    /// Gives the folders, and what will lie in them, to the group that may look into the inbox.
    fn share(&self, group: u32) -> io::Result<()> {
        let shown = [&self.pending, &self.done, &self.failed, &self.quarantine];
        let shown = shown.map(|folder| (folder, self.folder_mode));
        let hidden = [&self.own, &self.claimed].map(|folder| (folder, 0o2700));
        for (folder, mode) in shown.into_iter().chain(hidden) {
            if folder.group()? != group {
                folder.set_group(group)?;
            }
            folder.set_mode(mode)?;
        }
        Ok(())
    }

    pub(super) fn place(&self, place: Place) -> &Folder {
        match place {
            Place::Done => &self.done,
            Place::Failed => &self.failed,
            Place::Quarantine => &self.quarantine,
        }
    }

    /// Everything in the inbox that matters, and how many other files there are.
    pub(super) fn list(&self) -> io::Result<(Vec<(OsString, Facts)>, usize)> {
        let mut found = Vec::new();
        let mut others = 0;
        for name in self.root.names()? {
            if !names::is_script(&name) && !names::is_companion(&name) {
                others += usize::from(!is_ours(&name));
                continue;
            }
            // Gone between the listing and the look: it was not there.
            if let Some(facts) = self.root.look(&name)? {
                found.push((name, facts));
            }
        }
        Ok((found, others))
    }
}

fn is_ours(name: &OsStr) -> bool {
    [".runback", "done", "failed", "quarantine", "pending"]
        .iter()
        .any(|own| name == *own)
}

/// A folder that nobody else can write in.
fn ours(parent: &Folder, name: &str, mode: u32) -> io::Result<Folder> {
    let shown = parent.path().join(name);
    let shown = shown.display();
    let wrong = |why: &str| io::Error::other(format!("`{shown}` {why}"));
    match parent.look(OsStr::new(name))? {
        None => return parent.make(OsStr::new(name), mode),
        Some(facts) if facts.kind != Kind::Folder => {
            return Err(wrong("is no folder, and runback needs one of that name"));
        }
        Some(_) => {}
    }
    let folder = parent.inner(OsStr::new(name))?;
    let access = folder.access()?;
    if !access.is_mine() {
        return Err(wrong(&format!(
            "belongs to another user (uid {})",
            access.owner()
        )));
    }
    if access.group_or_others_can_write() {
        return Err(wrong(&format!(
            "can be written by others (mode {:04o}): `chmod go-w {shown}`",
            access.mode()
        )));
    }
    Ok(folder)
}
