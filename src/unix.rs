//! What only Unix has: whose a file is, who else may change it, how much room a disk has.

pub(crate) mod folder;

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::termios::OptionalActions;

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

    /// Why what lies here cannot be trusted, and the command that mends it; nothing where only its owner and root can write.
    pub(crate) fn flaw(self) -> Option<(String, &'static str)> {
        if !self.is_trusted() {
            let why = format!("belongs to another user (uid {})", self.owner);
            return Some((why, "sudo chown root"));
        }
        self.group_or_others_can_write().then(|| {
            let why = format!("can be written by others (mode {:04o})", self.mode);
            (why, "chmod go-w")
        })
    }

    pub(crate) fn others_can_write(self) -> bool {
        self.mode & 0o002 != 0
    }

    /// Of a folder: nobody can take away what is not theirs, as in `/tmp`.
    pub(crate) fn is_sticky(self) -> bool {
        self.mode & 0o1000 != 0
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

/// The group that files of this process get.
pub(crate) fn group() -> u32 {
    rustix::process::getegid().as_raw()
}

/// The number of a user of this machine, wherever its users are kept.
pub(crate) fn uid(name: &str) -> Option<u32> {
    let user = nix::unistd::User::from_name(name).ok()??;
    Some(user.uid.as_raw())
}

/// Bytes that this user can still write where `path` is.
pub(crate) fn free_space(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Makes a folder, and those above it, for nobody but its owner. One that is there stays as it is.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file for reading and writing that nobody but its owner can read; makes it where it is not there.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    let access = Access::of(&file.metadata()?);
    if access.is_mine() && !access.is_private() {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// As [`private_file`], of a file that is there already by its name alone: closing a handle on it would free every POSIX lock that
/// this process has on it.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(found) => {
            let access = Access::of(&found);
            if access.is_mine() && !access.is_private() {
                std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => private_file(path).map(|_| ()),
        Err(error) => Err(error),
    }
}

/// Whether two looks were at one file.
pub(crate) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Whether an open file still has this name.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(file), Ok(named)) => (file.dev(), file.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// The name of this machine.
pub(crate) fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// What this process says on stderr, as an output for another.
pub(crate) fn stderr() -> io::Result<Stdio> {
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

/// Ends a process and all that it has started, where it was started with [`apart`]. One that is gone is no error.
pub(crate) fn kill_all(of: &Child) {
    let pid = i32::try_from(of.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

/// This program, as a command can start it: the one that runs, also where its file was replaced meanwhile.
pub(crate) fn own_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe()
}

/// Lets a command stand under this name in lists of processes.
pub(crate) fn named<'c>(command: &'c mut Command, name: &OsStr) -> &'c mut Command {
    command.arg0(name)
}

/// Waits until a child has ended, and leaves it to be reaped.
pub(crate) fn wait_for_end(pid: u32) -> io::Result<()> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or(io::ErrorKind::InvalidInput)?;
    let how = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(pid), how) {
            Err(rustix::io::Errno::INTR) => {}
            result => return result.map(|_| ()).map_err(Into::into),
        }
    }
}

/// The signal that has ended a process.
pub(crate) fn signal_of(status: std::process::ExitStatus) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal()
}

/// Lets children of this process have the file too, or not.
pub(crate) fn inherit(file: &File, yes: bool) -> io::Result<()> {
    use rustix::io::FdFlags;
    let flags = if yes {
        FdFlags::empty()
    } else {
        FdFlags::CLOEXEC
    };
    Ok(rustix::io::fcntl_setfd(file, flags)?)
}

/// Lets a command have a process group of its own, so that Ctrl-C is not meant for it.
pub(crate) fn apart(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// How the terminal was when the program began to talk through it.
static TERMINAL: OnceLock<rustix::termios::Termios> = OnceLock::new();

/// Remembers how the terminal is, for [`restore_terminal`].
pub(crate) fn keep_terminal() {
    if let Ok(termios) = rustix::termios::tcgetattr(io::stdin()) {
        let _ = TERMINAL.set(termios);
    }
}

/// Gives the terminal back as it was: whoever ends the process while a line is edited must do this.
pub(crate) fn restore_terminal() {
    if let Some(termios) = TERMINAL.get() {
        let _ = rustix::termios::tcsetattr(io::stdin(), OptionalActions::Now, termios);
    }
}

/// Whether something can be read now, or within this time.
pub(crate) fn is_readable(file: &impl AsFd, within: Duration) -> bool {
    let mut fds = [PollFd::new(file, PollFlags::IN)];
    let within = rustix::event::Timespec::try_from(within).ok();
    rustix::event::poll(&mut fds, within.as_ref()).is_ok_and(|ready| ready > 0)
}

/// Ends this process as a power cut would, for tests of what is left then.
#[cfg(debug_assertions)]
pub(crate) fn kill_myself() -> ! {
    let me = rustix::process::getpid();
    // The signal reaches this very process, before or at the park.
    let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    loop {
        std::thread::park();
    }
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
