//! What must hold before anything is let in: nobody else can write where the watcher trusts what it reads.

use std::path::{Path, PathBuf};

use super::rules::Rules;
use crate::error::{Exit, Fault};
use crate::policy::refuse_foreign;
use crate::unix::Access;

/// The folders and files that a watcher stands on.
pub(super) struct Places<'p> {
    pub(super) inbox: &'p Path,
    pub(super) state: &'p Path,
    pub(super) data: &'p [PathBuf],
    pub(super) libraries: &'p [PathBuf],
    /// Files that a sign-in takes its keys from, certificates that are trusted, settings.
    pub(super) keys: &'p [PathBuf],
}

/// # Errors
/// Exit 2: the first thing that is wrong, and the command that mends it.
pub(super) fn check(places: &Places<'_>, rules: &Rules) -> Result<(), Fault> {
    let policy = rules.policy().path();
    check_inbox(places.inbox, rules)?;
    refuse("state folder", places.state)?;
    for library in places.libraries {
        refuse("library", library)?;
    }
    for key in places.keys {
        // One that is not there says so itself, in better words, when it is opened.
        if key.exists() {
            refuse_foreign("file", key)?;
        }
    }
    let inbox = ("inbox", places.inbox);
    let data = places
        .data
        .iter()
        .map(|path| ("`--data` folder", path.as_path()));
    let around: Vec<_> = std::iter::once(inbox).chain(data).collect();
    let mut guarded = vec![("policy", policy), ("state folder", places.state)];
    guarded.extend(places.keys.iter().map(|path| ("file", path.as_path())));
    for (what, path) in &guarded {
        for (whose, folder) in &around {
            apart(what, path, whose, folder)?;
        }
    }
    for path in places.libraries {
        apart("library", path, "inbox", places.inbox)?;
    }
    for path in places.data {
        apart("inbox", places.inbox, "`--data` folder", path)?;
        apart("`--data` folder", path, "inbox", places.inbox)?;
    }
    Ok(())
}

fn fault(message: String) -> Fault {
    Fault::new(Exit::Unstarted, "UnsafeFolder", message)
}

/// What lies below a folder that scripts come to, or that they read, decides nothing.
fn apart(what: &str, path: &Path, whose: &str, folder: &Path) -> Result<(), Fault> {
    let (Ok(path_real), Ok(folder_real)) = (path.canonicalize(), folder.canonicalize()) else {
        return Ok(());
    };
    if !path_real.starts_with(&folder_real) {
        return Ok(());
    }
    let message = format!(
        "the {what} `{}` lies in the {whose} `{}`",
        path.display(),
        folder.display()
    );
    Err(fault(message).hint(format!("move the {what} elsewhere")))
}

/// The inbox is ours, and others write in it only where the policy knows them and they cannot take away what is not theirs.
pub(super) fn check_inbox(inbox: &Path, rules: &Rules) -> Result<(), Fault> {
    let shown = inbox.display();
    let unreadable = |error: std::io::Error| {
        fault(format!("the inbox `{shown}` cannot be read: {error}"))
            .hint(format!("`mkdir -m 700 {shown}` makes it"))
    };
    let metadata = inbox.metadata().map_err(unreadable)?;
    if !metadata.is_dir() {
        return Err(fault(format!("the inbox `{shown}` is no folder")));
    }
    let access = Access::of(&metadata);
    if !access.is_mine() {
        let message = format!(
            "the inbox `{shown}` belongs to another user (uid {})",
            access.owner()
        );
        return Err(fault(message).hint("the user that watches it must own it"));
    }
    let mode = format!("mode {:04o}", access.mode());
    if access.others_can_write() {
        let message = format!("everybody can write in the inbox `{shown}` ({mode})");
        return Err(fault(message).hint(format!("`chmod go-w {shown}`")));
    }
    if access.group_or_others_can_write() && !(rules.names_owners() && access.is_sticky()) {
        let message = format!("others can write in the inbox `{shown}` ({mode})");
        return Err(fault(message)
            .hint(format!("`chmod go-w {shown}`"))
            .hint(format!(
                "if its group is to drop scripts: `owners` in the policy, and `chmod 1770 {shown}`, so that nobody takes away what is not theirs"
            )));
    }
    above("inbox", inbox)
}

/// A file or folder that nobody else can write, in folders in which nobody else can exchange it.
fn refuse(what: &str, path: &Path) -> Result<(), Fault> {
    let shown = path.display();
    // One that is not there says so itself, in better words, when it is opened.
    let Ok(metadata) = path.metadata() else {
        return Ok(());
    };
    if let Some((why, mend)) = Access::of(&metadata).flaw() {
        let message = format!("the {what} `{shown}` {why}");
        return Err(fault(message).hint(format!("`{mend} {shown}`")));
    }
    above(what, path)
}

fn above(what: &str, path: &Path) -> Result<(), Fault> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = absolute.canonicalize().unwrap_or_else(|_| absolute.clone());
    // The way as it is written, in which there may be links, and the way as it is.
    for path in [absolute, real] {
        for folder in path.ancestors().skip(1) {
            let Ok(metadata) = folder.metadata() else {
                continue;
            };
            let access = Access::of(&metadata);
            if access.is_trusted() && access.is_sticky() {
                continue;
            }
            if let Some((why, mend)) = access.flaw() {
                let folder = folder.display();
                let message = format!("the folder `{folder}`, above the {what}, {why}");
                return Err(fault(message).hint(format!("`{mend} {folder}`")));
            }
        }
    }
    Ok(())
}
