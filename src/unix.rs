//! What only Unix has: whose a file is, who else may change it, how much room a disk has.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// All bits of those who are not the owner.
const GROUP_AND_OTHERS: u32 = 0o077;

/// Owner and permission bits of a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    owner: u32,
    mode: u32,
}

impl Access {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            owner: metadata.uid(),
            mode: metadata.mode() & 0o7777,
        }
    }

    /// The permission bits, as `chmod` takes them.
    pub(crate) fn mode(self) -> u32 {
        self.mode
    }

    pub(crate) fn owner(self) -> u32 {
        self.owner
    }

    pub(crate) fn is_mine(self) -> bool {
        self.owner == user()
    }

    /// Mine, or root's, who can change everything anyway.
    pub(crate) fn is_trusted(self) -> bool {
        self.is_mine() || self.owner == 0
    }

    pub(crate) fn group_or_others_can_write(self) -> bool {
        self.mode & 0o022 != 0
    }

    pub(crate) fn others_can_write(self) -> bool {
        self.mode & 0o002 != 0
    }

    /// Nobody but the owner can read, change or enter it.
    pub(crate) fn is_private(self) -> bool {
        self.mode & GROUP_AND_OTHERS == 0
    }
}

/// The user that this process acts as.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Bytes that this user can still write where `path` is.
pub(crate) fn free_space(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs::{File, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn who_may_do_what_is_read_from_owner_and_mode() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let access = |mode| {
            std::fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            Access::of(&File::open(file.path()).unwrap().metadata().unwrap())
        };
        let rows = [
            (0o600, true, false, false),
            (0o700, true, false, false),
            (0o640, false, false, false),
            (0o644, false, false, false),
            (0o664, false, true, false),
            (0o666, false, true, true),
        ];
        for (mode, private, group, others) in rows {
            let access = access(mode);
            assert!(access.is_mine() && access.is_trusted());
            assert_eq!(
                (
                    access.mode(),
                    access.is_private(),
                    access.group_or_others_can_write(),
                    access.others_can_write()
                ),
                (mode, private, group, others),
                "{mode:o}"
            );
        }
        let of_another = Access {
            owner: user() + 1,
            mode: 0o600,
        };
        assert!(!of_another.is_mine() && !of_another.is_trusted());
    }

    #[test]
    fn a_disk_has_some_room() {
        assert!(free_space(Path::new("/")).is_ok());
        assert!(free_space(Path::new("/there/is/no/such/folder")).is_err());
    }
}
