//! Whether somebody else could have written a file that decides what may be done, or could put another in its place.

use std::path::{Path, PathBuf};

use super::bad;
use crate::error::Fault;
use crate::unix::Access;

/// Refuses a file or folder that others can write, or that lies where others could exchange it. A symbolic link counts as what
/// it leads to, and as where it lies. `what` is what messages call it: "policy".
///
/// Above the folder itself one that others can write is let pass where they cannot take away what is not theirs (`/tmp`).
///
/// # Errors
/// Exit 2, with the command that mends it.
pub(crate) fn refuse_foreign(what: &str, path: &Path) -> Result<(), Fault> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    look(what, &absolute, Kind::Itself)?;
    // The way as it is written, in which there may be links, and the way as it is.
    folders(what, &absolute)?;
    let real = absolute.canonicalize().map_err(|error| {
        bad(format!(
            "the {what} `{}` cannot be read: {error}",
            path.display()
        ))
    })?;
    if real != absolute {
        folders(what, &real)?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Itself,
    Folder,
    Above,
}

fn folders(what: &str, path: &Path) -> Result<(), Fault> {
    for (up, folder) in path.ancestors().skip(1).enumerate() {
        let kind = if up == 0 { Kind::Folder } else { Kind::Above };
        look(what, folder, kind)?;
    }
    Ok(())
}

fn look(what: &str, path: &Path, kind: Kind) -> Result<(), Fault> {
    let metadata = path.metadata().map_err(|error| {
        bad(format!(
            "the {what} `{}` cannot be read: {error}",
            path.display()
        ))
    })?;
    let Some((why, mend)) = flaw(Access::of(&metadata), kind) else {
        return Ok(());
    };
    let shown: PathBuf = path.to_owned();
    let shown = shown.display();
    let message = match kind {
        Kind::Itself => format!("the {what} `{shown}` {why}"),
        Kind::Folder => format!("the folder `{shown}`, in which the {what} lies, {why}"),
        Kind::Above => format!("the folder `{shown}`, above the {what}, {why}"),
    };
    Err(bad(message).hint(format!(
        "look at what the {what} says, then `{mend} {shown}`"
    )))
}

/// What is wrong, and the command against it.
fn flaw(access: Access, kind: Kind) -> Option<(String, &'static str)> {
    if !access.is_trusted() {
        let why = format!("belongs to another user (uid {})", access.owner());
        return Some((why, "sudo chown root"));
    }
    let sticky = kind == Kind::Above && access.is_sticky();
    if access.group_or_others_can_write() && !sticky {
        let why = format!("can be written by others (mode {:04o})", access.mode());
        return Some((why, "chmod go-w"));
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_can_write_or_exchange_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/b");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("policy.toml");
        fs::write(&file, "").unwrap();
        let above = outer.path().join("a");
        let rows = [
            (0o600, 0o700, 0o755, None),
            (0o644, 0o755, 0o755, None),
            (0o664, 0o755, 0o755, Some("chmod go-w")),
            (0o602, 0o755, 0o755, Some("chmod go-w")),
            (0o600, 0o775, 0o755, Some("in which the policy lies")),
            (0o600, 0o757, 0o755, Some("in which the policy lies")),
            // In the folder itself others could put something beside it.
            (0o600, 0o1777, 0o755, Some("in which the policy lies")),
            (0o600, 0o755, 0o777, Some("above the policy")),
            (0o600, 0o755, 0o1777, None),
        ];
        for (own, around, over, wanted) in rows {
            set(&file, own);
            set(&folder, around);
            set(&above, over);
            let found = refuse_foreign("policy", &file);
            match wanted {
                None => assert!(found.is_ok(), "{own:o} {around:o} {over:o}: {found:?}"),
                Some(words) => {
                    let fault = found.expect_err(words);
                    let said = format!("{fault} {:?}", fault.hints);
                    assert!(said.contains(words), "{said}");
                }
            }
        }
    }

    #[test]
    fn a_link_is_as_safe_as_both_its_ends() {
        let outer = tempfile::tempdir().unwrap();
        let (safe, open) = (outer.path().join("safe"), outer.path().join("open"));
        for folder in [&safe, &open] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("real.toml"), "").unwrap();
            set(&folder.join("real.toml"), 0o600);
        }
        set(&safe, 0o755);
        symlink(safe.join("real.toml"), safe.join("near.toml")).unwrap();
        symlink(open.join("real.toml"), safe.join("far.toml")).unwrap();
        symlink(safe.join("real.toml"), open.join("back.toml")).unwrap();
        set(&open, 0o777);
        refuse_foreign("policy", &safe.join("near.toml")).unwrap();
        refuse_foreign("policy", &safe.join("far.toml")).unwrap_err();
        refuse_foreign("policy", &open.join("back.toml")).unwrap_err();
    }
}
