//! The state folder: what is kept between runs.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufWriter};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Exit, Fault};
use crate::report::{Kind, Outcome};
use crate::world::World;

/// A folder that only its owner can look into.
#[derive(Clone, Debug)]
pub(crate) struct State {
    folder: PathBuf,
}

impl State {
    /// Where the folder is, whether it is there or not; `None` without a home folder.
    pub(crate) fn place(given: Option<&Path>, world: &World) -> Option<PathBuf> {
        given.map(Path::to_owned).or_else(|| usual(world))
    }

    /// Opens the folder, and makes it where it is not there.
    ///
    /// # Errors
    /// Exit 2: it cannot be made, or is no folder.
    pub(crate) fn open(given: Option<&Path>, world: &World) -> Result<Self, Fault> {
        let hint = "name another folder with `--state-dir DIR` or RUNBACK_STATE_DIR";
        let folder = Self::place(given, world).ok_or_else(|| {
            Fault::new(
                Exit::Unstarted,
                "NoStateFolder",
                "there is no home folder to keep state in",
            )
            .hint(hint)
        })?;
        private_folder(&folder).map_err(|error| {
            Fault::new(
                Exit::Unstarted,
                "NoStateFolder",
                format!(
                    "the state folder `{}` cannot be made: {error}",
                    folder.display()
                ),
            )
            .hint(hint)
        })?;
        Ok(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the result document of a run is kept.
    pub(crate) fn result(&self, run: &str) -> PathBuf {
        self.results().join(run).join("result.json")
    }

    /// The folder in which each run has one for its result document.
    pub(crate) fn results(&self) -> PathBuf {
        self.folder.join("runs")
    }

    /// Keeps the result document of a run.
    pub(crate) fn keep_result(&self, outcome: &Outcome) -> io::Result<PathBuf> {
        let path = self.result(&outcome.run);
        private_folder(path.parent().unwrap_or(&self.folder))?;
        replace_with(&path, |out| Kind::Json.write(outcome, out))?;
        Ok(path)
    }
}

/// `$XDG_STATE_HOME/runback`, else `~/.local/state/runback`; on macOS `~/Library/Application Support/runback`.
fn usual(world: &World) -> Option<PathBuf> {
    let home = || world.variable("HOME").map(PathBuf::from);
    if cfg!(target_os = "macos") {
        return Some(home()?.join("Library/Application Support/runback"));
    }
    // The XDG specification: a relative path in the variable is ignored.
    let xdg = world
        .variable("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    Some(
        xdg.or_else(|| Some(home()?.join(".local/state")))?
            .join("runback"),
    )
}

fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that others read: all of it or nothing, and on the disk before it has its name.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |out| out.write_all(bytes))
}

/// The same, for what is written bit by bit.
pub(crate) fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.into_inner()?.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&temporary, path));
    if renamed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    renamed
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;

    fn world(variables: &'static [(&str, &str)]) -> World {
        let mut world = World::real();
        world.environment = Arc::new(move |name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        });
        world
    }

    #[test]
    fn the_folder_is_made_for_its_owner_alone() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/state");
        let state = State::open(Some(&folder), &world(&[])).unwrap();
        let outcome = Outcome::new(
            "run-1".into(),
            "x.rhai".into(),
            Timestamp::UNIX_EPOCH,
            "v1.0",
        );
        let path = state.keep_result(&outcome).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            Kind::Json.render(&outcome)
        );
        for folder in [&folder, path.parent().unwrap()] {
            assert_eq!(
                fs::metadata(folder).unwrap().permissions().mode() & 0o777,
                0o700
            );
        }
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_with_a_way_out() {
        let outer = tempfile::tempdir().unwrap();
        let file = outer.path().join("file");
        fs::write(&file, "").unwrap();
        let fault = State::open(Some(&file.join("state")), &world(&[])).unwrap_err();
        assert_eq!(fault.exit, Exit::Unstarted);
        assert!(fault.hints[0].contains("--state-dir"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_usual_folder_follows_xdg() {
        let usual = |variables| usual(&world(variables)).map(|path| path.display().to_string());
        assert_eq!(
            usual(&[("HOME", "/h")]).as_deref(),
            Some("/h/.local/state/runback")
        );
        assert_eq!(
            usual(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s")]).as_deref(),
            Some("/s/runback")
        );
        assert_eq!(
            usual(&[("HOME", "/h"), ("XDG_STATE_HOME", "s")]).as_deref(),
            Some("/h/.local/state/runback")
        );
        assert_eq!(usual(&[]), None);
    }
}
