//! Where config files are, and whether others could have written them.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{NAME, Origin, Wanted};
use crate::error::{Exit, Fault};
use crate::unix::Access;

/// Larger ones are some other file.
const MOST: u64 = 1 << 20;

/// A config file's text.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) origin: Origin,
    pub(super) text: String,
}

/// Reads the file that was named, else the one in the state folder and the one in the working folder, in this order.
///
/// # Errors
/// Exit 2: a named file that is not there; a file that cannot be read or that others could have written.
pub(super) fn find(wanted: &Wanted) -> Result<Vec<Found>, Vec<Fault>> {
    if let Some(path) = &wanted.named {
        return match read(path, Origin::Named) {
            Ok(Some(found)) => Ok(vec![found]),
            Ok(None) => Err(vec![fault(format!(
                "there is no config file `{}`",
                path.display()
            ))]),
            Err(fault) => Err(vec![fault]),
        };
    }
    let working = PathBuf::from(NAME);
    let state = wanted.state.as_ref().map(|folder| folder.join(NAME));
    // The state folder may be the working folder: then it is one file, and the user's own.
    let same = state.as_ref().is_some_and(|state| {
        let real = |path: &Path| fs::canonicalize(path).ok();
        real(state).is_some() && real(state) == real(&working)
    });
    let mut places = Vec::new();
    places.extend(state.map(|path| (path, Origin::State)));
    if !same {
        places.push((working, Origin::Working));
    }
    let mut found = Vec::new();
    let mut faults = Vec::new();
    for (path, origin) in places {
        match read(&path, origin) {
            Ok(file) => found.extend(file),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(faults)
    }
}

fn fault(message: String) -> Fault {
    Fault::new(Exit::Unstarted, "BadConfig", message)
}

fn read(path: &Path, origin: Origin) -> Result<Option<Found>, Fault> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| fault(format!("`{shown}` cannot be read: {error}"));
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(fault(format!(
            "`{shown}` is a folder, and a file is looked for there"
        )));
    }
    // A pipe or `/dev/null` belongs to whoever names it.
    if metadata.is_file() {
        refuse_foreign(path, origin, Access::of(&metadata))?;
    }
    let mut bytes = Vec::new();
    file.by_ref()
        .take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MOST {
        return Err(fault(format!("`{shown}` is larger than 1 MiB")));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| fault(format!("`{shown}` is not UTF-8 text")))?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    Ok(Some(Found {
        path: path.to_owned(),
        origin,
        text,
    }))
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Refuses a file that somebody else could have written: it decides where tokens go and whether consent is asked.
///
/// In the working folder the group may write: that is what a checkout with the usual `umask 002` looks like, and little is
/// taken from there ([`super::trust`]). A named file may be another user's, since naming it is the user's own word.
fn refuse_foreign(path: &Path, origin: Origin, access: Access) -> Result<(), Fault> {
    let shown = path.display();
    if origin != Origin::Named && !access.is_trusted() {
        return Err(fault(format!(
            "`{shown}` belongs to another user (uid {})",
            access.owner()
        ))
        .hint(format!("if you trust it, name it: `--config {shown}`")));
    }
    let by_others = match origin {
        Origin::Working => access.others_can_write(),
        Origin::Named | Origin::State => access.group_or_others_can_write(),
    };
    if by_others {
        return Err(fault(format!(
            "`{shown}` can be written by others (mode {:04o})",
            access.mode()
        ))
        .hint(format!("look at what it says, then `chmod go-w {shown}`")));
    }
    Ok(())
}
