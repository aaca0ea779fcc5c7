//! What may be let in, and its bytes: read once.

use std::ffi::OsStr;
use std::io::{self, Read as _};

use super::names;
use crate::error::{Exit, Fault};
use crate::unix::folder::{Facts, Folder, Kind};

/// No script, and no document of arguments, is larger.
pub(super) const LARGEST: u64 = 1 << 20;
/// A signature has four lines.
pub(super) const LARGEST_SIGNATURE: u64 = 16 << 10;

/// Why something was not let in, in the words of its result.
pub(super) fn refused(exit: Exit, code: &str, message: String) -> Fault {
    Fault::new(exit, code, message)
}

/// Whether a file may be let in, by all that is known without its content. `name` is ready to be shown.
///
/// # Errors
/// Exit 5 where its owner is none of those who may; 2 for all else.
pub(super) fn admit(name: &str, facts: &Facts, owners: &[u32], most: u64) -> Result<(), Fault> {
    let no = |code: &str, why: String, hint: String| {
        Err(refused(Exit::Unstarted, code, format!("`{name}` {why}")).hint(hint))
    };
    if facts.kind != Kind::File {
        let why = "is no regular file".to_owned();
        return no(
            "NotAFile",
            why,
            "copy the file itself into the inbox".to_owned(),
        );
    }
    if facts.links != 1 {
        let why = format!("has {} names: it is a hard link", facts.links);
        return no(
            "HardLink",
            why,
            "copy the file itself into the inbox".to_owned(),
        );
    }
    let access = facts.access;
    if !owners.contains(&access.owner()) {
        let message = format!(
            "`{name}` belongs to uid {}, from whom nothing is taken",
            access.owner()
        );
        return Err(refused(Exit::Denied, "ForeignOwner", message)
            .hint("`owners` in the policy names those whose scripts run"));
    }
    if access.group_or_others_can_write() {
        let why = format!("can be changed by others (mode {:04o})", access.mode());
        let hint = format!("`chmod go-w {name}` before it is dropped");
        return no("WritableByOthers", why, hint);
    }
    if facts.size > most {
        return no("TooLarge", too_large(most), "split it".to_owned());
    }
    Ok(())
}

fn too_large(most: u64) -> String {
    if most >= LARGEST {
        "is larger than 1 MiB".to_owned()
    } else {
        format!("is larger than {} KiB", most >> 10)
    }
}

/// Reads a file that may be let in; nothing where there is none.
///
/// # Errors
/// Why it may not.
pub(super) fn bytes(
    folder: &Folder,
    name: &OsStr,
    owners: &[u32],
    most: u64,
) -> Result<Option<Vec<u8>>, Fault> {
    let shown = names::shown(name);
    let unreadable = |error: io::Error| {
        let message = format!("`{shown}` cannot be read: {error}");
        refused(Exit::Unstarted, "UnreadableFile", message)
    };
    let Some(facts) = folder.look(name).map_err(unreadable)? else {
        return Ok(None);
    };
    // Before it is opened: to open a device can do something.
    admit(&shown, &facts, owners, most)?;
    let file = folder.read(name).map_err(unreadable)?;
    let opened = Facts::of_file(&file).map_err(unreadable)?;
    admit(&shown, &opened, owners, most)?;
    let mut bytes = Vec::new();
    (&file)
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > most {
        let message = format!("`{shown}` {}", too_large(most));
        return Err(refused(Exit::Unstarted, "TooLarge", message));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::unix;

    #[test]
    fn only_a_plain_file_of_the_right_owner_is_let_in() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::open(outer.path()).unwrap();
        let path = |name: &str| outer.path().join(name);
        fs::write(path("good"), "abc").unwrap();
        fs::write(path("loose"), "abc").unwrap();
        fs::set_permissions(path("loose"), fs::Permissions::from_mode(0o664)).unwrap();
        fs::write(path("large"), vec![b' '; 65]).unwrap();
        fs::write(path("twin"), "abc").unwrap();
        fs::hard_link(path("twin"), path("other")).unwrap();
        symlink("good", path("link")).unwrap();
        fs::create_dir(path("inner")).unwrap();
        let me = [unix::user()];
        let rows: [(&str, &[u32], Option<&str>); 8] = [
            ("good", &me, None),
            ("good", &[], Some("ForeignOwner")),
            ("good", &[me[0] + 1], Some("ForeignOwner")),
            ("loose", &me, Some("WritableByOthers")),
            ("large", &me, Some("TooLarge")),
            ("twin", &me, Some("HardLink")),
            ("link", &me, Some("NotAFile")),
            ("inner", &me, Some("NotAFile")),
        ];
        for (name, owners, code) in rows {
            let found = bytes(&folder, OsStr::new(name), owners, 64);
            match code {
                None => assert_eq!(found.unwrap().unwrap(), b"abc"),
                Some(code) => {
                    let fault = found.unwrap_err();
                    assert_eq!(fault.code, code, "{name}");
                    let exit = if code == "ForeignOwner" {
                        Exit::Denied
                    } else {
                        Exit::Unstarted
                    };
                    assert_eq!(fault.exit, exit);
                }
            }
        }
        assert_eq!(bytes(&folder, OsStr::new("none"), &me, 64).unwrap(), None);
    }
}
