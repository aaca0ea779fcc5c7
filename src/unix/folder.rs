//! A folder by its handle: what is looked at, opened and moved is what lies in it now, whoever renames the folders above it, and no
//! link is followed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::Access;

/// An open folder. The path is for messages and for who can only take a path.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: File,
    path: PathBuf,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    Pipe,
    Socket,
    Device,
    Unknown,
}

/// What can be said of a file without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    pub(crate) access: Access,
    pub(crate) links: u64,
    pub(crate) size: u64,
    /// Since 1970, on the clock of the file system.
    pub(crate) modified: Duration,
    /// The last change of any kind, a rename too; nobody can set it.
    pub(crate) changed: Duration,
    pub(crate) inode: (u64, u64),
}

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// A pipe's other end is not waited for.
const PLAIN: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);
const FRESH: OFlags = OFlags::RDWR
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

impl Folder {
    /// Opens a folder; the path itself may go through links.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let handle = rustix::fs::open(&path, FOLDER, Mode::empty())?.into();
        Ok(Self { handle, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its path still leads to it.
    pub(crate) fn is_in_place(&self) -> bool {
        let here = self.handle.metadata();
        let there = self.path.metadata();
        matches!((here, there), (Ok(here), Ok(there)) if super::is_same(&here, &there))
    }

    /// A folder in this one.
    pub(crate) fn inner(&self, name: &OsStr) -> io::Result<Self> {
        let handle = rustix::fs::openat(&self.handle, name, FOLDER, Mode::empty())?.into();
        let path = self.path.join(name);
        Ok(Self { handle, path })
    }

    /// Makes a folder in this one, with exactly these bits; one that is there is an error.
    pub(crate) fn make(&self, name: &OsStr, mode: u32) -> io::Result<Self> {
        rustix::fs::mkdirat(&self.handle, name, Mode::RWXU)?;
        let folder = self.inner(name)?;
        folder.set_mode(mode)?;
        Ok(folder)
    }

    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        self.handle
            .set_permissions(std::fs::Permissions::from_mode(mode))
    }

    /// Gives a regular file in it these bits; a link is not followed.
    pub(crate) fn set_file_mode(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.read(name)?;
        file.set_permissions(std::fs::Permissions::from_mode(mode))
    }

    /// Whose group it is.
    pub(crate) fn group(&self) -> io::Result<u32> {
        use std::os::unix::fs::MetadataExt as _;
        Ok(self.handle.metadata()?.gid())
    }

    /// Gives it to a group that this user is in; what is made in it then is that group's too, where its bits say so (`02000`).
    pub(crate) fn set_group(&self, group: u32) -> io::Result<()> {
        std::os::unix::fs::fchown(&self.handle, None, Some(group))
    }

    /// Who may do what in it.
    pub(crate) fn access(&self) -> io::Result<Access> {
        Ok(Access::of(&self.handle.metadata()?))
    }

    /// The names in it, but for `.` and `..`, in no order.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// What a name stands for; nothing where there is no such name. A link is itself.
    pub(crate) fn look(&self, name: &OsStr) -> io::Result<Option<Facts>> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Facts::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file for reading; a link is an error, and a pipe does not wait.
    pub(crate) fn read(&self, name: &OsStr) -> io::Result<File> {
        Ok(rustix::fs::openat(&self.handle, name, PLAIN, Mode::empty())?.into())
    }

    /// Makes a file that is not there.
    pub(crate) fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        use std::os::unix::fs::PermissionsExt as _;
        let bits = Mode::RUSR | Mode::WUSR;
        let file: File = rustix::fs::openat(&self.handle, name, FRESH, bits)?.into();
        if mode != 0o600 {
            file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        }
        Ok(file)
    }

    /// Opens a file of ours to lock it or to write behind what stands in it; makes it where it is not there.
    pub(crate) fn append(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(file) => Ok(file.into()),
            Err(Errno::NOENT) => self.create(name, mode),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a file as a whole, under a temporary name first, and on the disk before it has its own.
    pub(crate) fn replace(&self, name: &OsStr, bytes: &[u8], mode: u32) -> io::Result<()> {
        use std::io::Write as _;
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}.tmp", std::process::id()));
        // Left by a process of the same number that was killed.
        self.remove(&temporary)?;
        let written = self.create(&temporary, mode).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let kept = written.and_then(|()| {
            Ok(rustix::fs::renameat(
                &self.handle,
                &temporary,
                &self.handle,
                name,
            )?)
        });
        if kept.is_err() {
            let _ = self.remove(&temporary);
        }
        kept
    }

    /// Moves what a name stands for to where no such name is, on the same file system.
    pub(crate) fn shift(&self, name: &OsStr, to: &Self, as_name: &OsStr) -> io::Result<()> {
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(&self.handle, name, &to.handle, as_name, flags) {
            // Some file systems cannot promise it; the look is then the best there is.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                if to.look(as_name)?.is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                Ok(rustix::fs::renameat(
                    &self.handle,
                    name,
                    &to.handle,
                    as_name,
                )?)
            }
            result => Ok(result?),
        }
    }

    /// Gives a file in it the name of another, which goes.
    pub(crate) fn supersede(&self, name: &OsStr, with: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(
            &self.handle,
            with,
            &self.handle,
            name,
        )?)
    }

    /// Takes a file away; one that is not there is no error.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes an empty folder away.
    pub(crate) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(
            &self.handle,
            name,
            AtFlags::REMOVEDIR,
        )?)
    }

    /// Puts the names in it on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

impl Facts {
    /// Of an open file.
    pub(crate) fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::of(&rustix::fs::fstat(file)?))
    }

    // The widths of these fields differ from system to system.
    #[allow(
        clippy::cast_sign_loss,
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        clippy::cast_lossless,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap
    )]
    fn of(stat: &Stat) -> Self {
        let instant = |seconds: i64, nanos: i64| {
            Duration::new(seconds.max(0) as u64, nanos.clamp(0, 999_999_999) as u32)
        };
        Self {
            kind: match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Folder,
                FileType::Symlink => Kind::Link,
                FileType::Fifo => Kind::Pipe,
                FileType::Socket => Kind::Socket,
                FileType::CharacterDevice | FileType::BlockDevice => Kind::Device,
                FileType::Unknown => Kind::Unknown,
            },
            access: Access {
                owner: stat.st_uid,
                mode: u32::from(stat.st_mode) & 0o7777,
            },
            links: stat.st_nlink as u64,
            size: stat.st_size as u64,
            modified: instant(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: instant(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            inode: (stat.st_dev as u64, stat.st_ino as u64),
        }
    }

    /// Nothing has been done to the file between two looks.
    pub(crate) fn is_still(&self, before: &Self) -> bool {
        (self.inode, self.size, self.modified, self.changed)
            == (before.inode, before.size, before.modified, before.changed)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{Access, Duration, Facts, Kind};

    /// A plain file of mine that was changed at this second.
    pub(crate) fn facts(changed: u64) -> Facts {
        Facts {
            kind: Kind::File,
            access: Access {
                owner: super::super::user(),
                mode: 0o644,
            },
            links: 1,
            size: 10,
            modified: Duration::from_secs(changed),
            changed: Duration::from_secs(changed),
            inode: (1, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn name(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    #[test]
    fn names_stand_for_what_they_are_and_links_are_not_followed() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::open(outer.path()).unwrap();
        fs::write(outer.path().join("plain"), "abc").unwrap();
        fs::hard_link(outer.path().join("plain"), outer.path().join("twin")).unwrap();
        symlink("plain", outer.path().join("link")).unwrap();
        fs::create_dir(outer.path().join("inner")).unwrap();
        let look = |text| folder.look(name(text)).unwrap().unwrap();
        assert_eq!(look("plain").kind, Kind::File);
        assert_eq!((look("twin").links, look("plain").size), (2, 3));
        assert_eq!(look("link").kind, Kind::Link);
        assert_eq!(look("inner").kind, Kind::Folder);
        assert_eq!(folder.look(name("none")).unwrap(), None);
        assert!(folder.read(name("link")).is_err());
        let mut text = String::new();
        let mut file = folder.read(name("plain")).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
        assert!(Facts::of_file(&file).unwrap().is_still(&look("plain")));
        let mut names = folder.names().unwrap();
        names.sort();
        assert_eq!(names, ["inner", "link", "plain", "twin"]);
    }

    #[test]
    fn a_move_replaces_nothing_and_a_whole_file_does() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::open(outer.path()).unwrap();
        let inner = folder.make(name("inner"), 0o750).unwrap();
        assert_eq!(inner.access().unwrap().mode(), 0o750);
        folder.replace(name("a"), b"1", 0o600).unwrap();
        folder.replace(name("a"), b"2", 0o640).unwrap();
        folder.shift(name("a"), &inner, name("a")).unwrap();
        folder.replace(name("a"), b"3", 0o600).unwrap();
        let refused = folder.shift(name("a"), &inner, name("a")).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(outer.path().join("inner/a")).unwrap(), b"2");
        assert!(folder.make(name("inner"), 0o700).is_err());
        folder.remove(name("none")).unwrap();
        inner.remove(name("a")).unwrap();
        folder.remove_folder(name("inner")).unwrap();
        assert_eq!(folder.names().unwrap(), ["a"]);
    }
}
