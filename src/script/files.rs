//! The files a script may touch: under its own folder, under `--data`, and single files that an argument grants for reading.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use super::failure::Failure;
use super::room::{self, Place, Room};
use super::words;
use crate::text;
use crate::unix::folder::Folder;

/// What one run may read and write. All folders are canonical.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// Where relative names begin: the script's folder, in `watch` the first of `--data`.
    base: PathBuf,
    read: Vec<PathBuf>,
    /// Where relative names of written files begin, and all that may be written.
    write_base: PathBuf,
    write: Vec<PathBuf>,
    granted: Vec<PathBuf>,
    /// Nothing may be written that the watched folder would take for code, a signature or an approval.
    is_apart: bool,
    room: Room,
    /// Read beforehand: what was checked is what the script gets.
    held: Vec<(PathBuf, Vec<u8>)>,
}

impl Files {
    /// Reading and writing under `script` and `data`, reading of the `granted` files.
    ///
    /// # Errors
    /// Where a folder does not exist.
    pub(crate) fn new(
        script: &Path,
        data: &[PathBuf],
        granted: &[PathBuf],
    ) -> std::io::Result<Self> {
        let script = script.canonicalize()?;
        let mut all = vec![script.clone()];
        for folder in data {
            all.push(folder.canonicalize()?);
        }
        Ok(Self {
            base: script.clone(),
            read: all.clone(),
            write_base: script,
            write: all,
            granted: granted.to_vec(),
            is_apart: false,
            room: Room::default(),
            held: Vec::new(),
        })
    }

    /// Of a run in the watched folder: reading under `data`; writing in `own` and nowhere else, and
    /// only so much.
    ///
    /// # Errors
    /// Where a folder does not exist or cannot be read.
    pub(crate) fn apart(own: &Path, data: &[PathBuf]) -> std::io::Result<Self> {
        let own = own.canonicalize()?;
        let room = Room::in_folder(&own, room::MOST)?;
        let mut read = Vec::new();
        for folder in data {
            read.push(folder.canonicalize()?);
        }
        let base = read.first().unwrap_or(&own).clone();
        read.push(own.clone());
        Ok(Self {
            base,
            read,
            write_base: own.clone(),
            write: vec![own],
            granted: Vec::new(),
            is_apart: true,
            room,
            held: Vec::new(),
        })
    }

    /// Keeps what stands in a file, by its absolute path: it may be read, and is not opened again.
    pub(crate) fn hold(&mut self, path: PathBuf, bytes: Vec<u8>) {
        self.held.push((path, bytes));
    }

    /// The whole file as bytes.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let mut held = self.held.iter();
        if let Some((_, bytes)) = held.find(|(held, _)| held == Path::new(name)) {
            return Ok(bytes.clone());
        }
        let path = self.readable(name)?;
        self.open(&path)
            .and_then(|mut file| {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(bytes)
            })
            .map_err(|error| io(name, "read", &error))
    }

    /// Opens what was found to be inside, from its folder's handle downwards: in the place of a file that was looked at, somebody may
    /// have put a link since.
    fn open(&self, full: &Path) -> std::io::Result<File> {
        let root = self.read.iter().find(|root| full.starts_with(root));
        let (Some(root), Some(name)) = (root, full.file_name()) else {
            return File::open(full);
        };
        let mut folder = Folder::open(root)?;
        let inner = full
            .parent()
            .and_then(|parent| parent.strip_prefix(root).ok());
        for part in inner.into_iter().flat_map(Path::components) {
            folder = folder.inner(part.as_os_str())?;
        }
        let file = folder.read(name)?;
        if !file.metadata()?.is_file() {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        Ok(file)
    }

    /// The canonical path behind a name that may be read. A relative name is looked for in every folder, the script's first.
    pub(crate) fn readable(&self, name: &str) -> Result<PathBuf, Failure> {
        let wanted = Path::new(name);
        let candidates: Vec<PathBuf> = if wanted.is_absolute() {
            vec![wanted.to_owned()]
        } else {
            let folders = std::iter::once(&self.base).chain(&self.read);
            folders.map(|folder| folder.join(wanted)).collect()
        };
        let mut outside = false;
        for candidate in candidates {
            match candidate.canonicalize() {
                Ok(full) if self.may_read(&full) && full.is_file() => return Ok(full),
                Ok(full) if self.may_read(&full) => {
                    return Err(Failure::new("NoFile", format!("`{name}` is no file")));
                }
                Ok(_) => outside = true,
                Err(_) => {}
            }
        }
        if outside
            || escapes(wanted)
            || (wanted.is_absolute() && !self.read.iter().any(|folder| wanted.starts_with(folder)))
        {
            return Err(self.denied(name, "read"));
        }
        let failure = Failure::new("NoFile", format!("there is no file `{name}`"));
        Err(match self.neighbour(wanted) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure,
        })
    }

    /// Whether a file, by its canonical path, may be read.
    pub(crate) fn may_read(&self, full: &Path) -> bool {
        self.granted.iter().any(|file| file == full)
            || self.read.iter().any(|folder| full.starts_with(folder))
    }

    /// Where a file may be written: its folder exists and is inside, the last component is a plain name.
    pub(crate) fn writable(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.write_base.join(name);
        let (Some(folder), Some(file)) = (path.parent(), path.file_name()) else {
            return Err(self.denied(name, "write"));
        };
        let folder = folder.canonicalize().map_err(|error| {
            if escapes(Path::new(name)) {
                return self.denied(name, "write");
            }
            io(name, "write", &error)
        })?;
        if !self.write.iter().any(|inside| folder.starts_with(inside)) {
            return Err(self.denied(name, "write"));
        }
        let full = folder.join(file);
        let shown = file.to_string_lossy();
        if self.is_apart && text::one_line(&shown) != *shown {
            let shown = text::one_line(&shown);
            let message =
                format!("a file cannot be called `{shown}`: it plays tricks on whoever lists it");
            return Err(Failure::new("FileDenied", message));
        }
        if self.is_apart && is_meant_for_the_inbox(file) {
            return Err(self.denied(name, "write").hint(
                "in a watched folder no script writes scripts, arguments, signatures or approvals",
            ));
        }
        if full.is_dir() {
            return Err(Failure::new("NoFile", format!("`{name}` is a folder")));
        }
        Ok(full)
    }

    /// Writes a file as a whole: nobody sees half of it. A link in its place is replaced, not followed.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let mut draft = self.draft(name)?;
        draft.write(bytes)?;
        draft.keep()
    }

    /// Begins a file under a temporary name.
    pub(crate) fn draft(&self, name: &str) -> Result<Draft, Failure> {
        let target = self.writable(name)?;
        let place = self.room.place()?;
        let temporary = target.with_file_name(format!(
            ".{}.{}.part",
            target.file_name().unwrap_or_default().to_string_lossy(),
            fastrand::u64(..)
        ));
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|error| io(name, "write", &error))?;
        Ok(Draft {
            name: name.to_owned(),
            file,
            place: Some(place),
            temporary: Some(temporary),
            target,
        })
    }

    fn denied(&self, name: &str, verb: &str) -> Failure {
        let folders = if verb == "read" {
            &self.read
        } else {
            &self.write
        };
        let folders = folders
            .iter()
            .map(|folder| folder.to_string_lossy().into_owned())
            .collect::<Vec<_>>();
        Failure::new("FileDenied", format!("a script may not {verb} `{name}`"))
            .hint(format!(
                "it may {verb} under {}",
                words::list(folders.iter().map(String::as_str))
            ))
            .hint(
                "`--data DIR` adds a folder; an argument of type `file` grants reading of one file",
            )
    }

    fn neighbour(&self, wanted: &Path) -> Option<String> {
        let name = wanted.file_name()?.to_string_lossy();
        let folder = self.base.join(wanted.parent()?);
        let names: Vec<_> = std::fs::read_dir(folder)
            .ok()?
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        words::nearest(&name, names.iter().map(String::as_str)).map(str::to_owned)
    }
}

/// A file that is being written.
pub(crate) struct Draft {
    name: String,
    file: File,
    place: Option<Place>,
    temporary: Option<PathBuf>,
    target: PathBuf,
}

impl Draft {
    /// Writes on, at its end.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if let Some(place) = &mut self.place {
            place.grow(bytes.len())?;
        }
        let written = self.file.write_all(bytes);
        written.map_err(|error| io(&self.name, "write", &error))
    }

    /// Gives the file its name, after what was written is on the disk.
    pub(crate) fn keep(mut self) -> Result<(), Failure> {
        let Some(temporary) = self.temporary.take() else {
            return Ok(());
        };
        let replaced = std::fs::symlink_metadata(&self.target).map(|file| file.len());
        let kept = self
            .file
            .sync_all()
            .and_then(|()| std::fs::rename(&temporary, &self.target));
        kept.map_err(|error| {
            let _ = std::fs::remove_file(&temporary);
            io(&self.name, "write", &error)
        })?;
        if let Some(place) = self.place.take() {
            place.keep(replaced.ok());
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = std::fs::remove_file(temporary);
        }
    }
}

/// Whether the watched folder would take it for code, arguments, a signature or an approval. Some file systems know no case.
fn is_meant_for_the_inbox(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    [".rhai", ".args.json", ".minisig"]
        .iter()
        .any(|end| name.ends_with(end))
        || ["approved", "rejected", "plan.json", "result.json"].contains(&name.as_str())
}

fn escapes(name: &Path) -> bool {
    name.components().any(|part| part == Component::ParentDir)
}

pub(crate) fn io(name: &str, verb: &str, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind as K;
    let why = match error.kind() {
        K::NotFound => "no such file or folder".to_owned(),
        K::PermissionDenied => "no permission".to_owned(),
        K::StorageFull => "the disk is full".to_owned(),
        _ => error.to_string(),
    };
    Failure::new("FileError", format!("cannot {verb} `{name}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watched_script_keeps_only_so_much() {
        let own = tempfile::tempdir().unwrap();
        let mut files = Files::apart(own.path(), &[]).unwrap();
        files.room = Room::in_folder(own.path(), 10_100).unwrap();
        files.write("a.json", &[b'a'; 6000]).unwrap();
        // Written again, it is one file; while it is written there are two.
        files.write("a.json", &[b'b'; 4000]).unwrap();
        files.write("b.json", &[b'b'; 5000]).unwrap();
        let refused = files.write("c.json", b"c").unwrap_err();
        assert_eq!(refused.code, "FilesLimit");
        let mut names: Vec<_> = std::fs::read_dir(own.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["a.json", "b.json"]);
        assert_eq!(files.read("a.json").unwrap(), [b'b'; 4000]);
    }

    #[test]
    fn a_link_that_comes_between_a_look_and_an_opening_leads_nowhere() {
        use std::os::unix::fs::symlink;
        let outer = tempfile::tempdir().unwrap();
        let data = outer.path().join("data");
        std::fs::create_dir_all(data.join("sub")).unwrap();
        std::fs::create_dir(outer.path().join("own")).unwrap();
        std::fs::write(outer.path().join("secret"), "s").unwrap();
        std::fs::write(data.join("sub/plain"), "p").unwrap();
        let files = Files::apart(&outer.path().join("own"), std::slice::from_ref(&data)).unwrap();
        assert_eq!(files.read("sub/plain").unwrap(), b"p");
        let full = data.canonicalize().unwrap();
        // As if it had been looked at as a file before.
        symlink("../../secret", data.join("sub/link")).unwrap();
        symlink("..", data.join("up")).unwrap();
        assert!(files.open(&full.join("sub/link")).is_err());
        assert!(files.open(&full.join("up/secret")).is_err());
        assert!(files.open(&full.join("sub")).is_err());
        // One that stays inside is followed while it is looked for.
        symlink("plain", data.join("sub/alias")).unwrap();
        assert_eq!(files.read("sub/alias").unwrap(), b"p");
        assert_eq!(files.read("sub/link").unwrap_err().code, "FileDenied");
    }

    #[test]
    fn no_file_of_a_watched_script_plays_tricks_with_its_name() {
        let own = tempfile::tempdir().unwrap();
        let files = Files::apart(own.path(), &[]).unwrap();
        for name in ["a\nb", "a\u{202e}b", "a\u{1b}[31mb"] {
            assert_eq!(files.write(name, b"x").unwrap_err().code, "FileDenied");
        }
        files.write("grün €.csv", b"x").unwrap();
    }
}
