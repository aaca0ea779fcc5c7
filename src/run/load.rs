//! Reads a runbook's file, once.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Exit, Fault};
use crate::script::LARGEST;
use crate::text;

/// A runbook as it is on disk. What ran is what was hashed: the file is read once.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Source {
    /// Reads the file.
    ///
    /// # Errors
    /// Exit 2: no such file, a folder, not readable.
    pub(crate) fn read(path: &Path) -> Result<Self, Fault> {
        let bytes = read(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// The folder that it lies in.
    pub(crate) fn folder(&self) -> PathBuf {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// Lower case hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        text::hex(&Sha256::digest(&self.bytes))
    }
}

/// No more than is needed to see that a file is too large: `/dev/zero` has no end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX);
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            let fault = Fault::new(
                Exit::Unstarted,
                "NoSuchFile",
                format!("there is no file `{shown}`"),
            );
            match nearest(path) {
                Some(near) => fault.hint(format!("did you mean `{}`?", near.display())),
                None => fault,
            }
        }
        io::ErrorKind::IsADirectory => Fault::new(
            Exit::Unstarted,
            "NotAFile",
            format!("`{shown}` is a folder, not a runbook"),
        )
        .hint(format!(
            "name a file in it, for example `{}`",
            path.join("restore.rhai").display()
        )),
        _ => Fault::new(
            Exit::Unstarted,
            "UnreadableFile",
            format!("`{shown}` cannot be read: {error}"),
        ),
    }
}

/// A file in the same folder whose name differs by little, or the same name with the extension that was left out.
fn nearest(path: &Path) -> Option<PathBuf> {
    let with_extension = path.with_added_extension("rhai");
    if with_extension.is_file() {
        return Some(with_extension);
    }
    let wanted = path.file_name()?.to_str()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let close = |name: &str| strsim::damerau_levenshtein(wanted, name);
    let names = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let near = names
        .filter(|name| is_rhai(name) && close(name) <= 3)
        .min_by_key(|name| close(name))?;
    Some(path.with_file_name(near))
}

fn is_rhai(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "rhai")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_named_with_its_nearest_neighbour() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("restore.rhai"), "1").unwrap();
        for wrong in ["restroe.rhai", "restore"] {
            let fault = Source::read(&folder.path().join(wrong)).unwrap_err();
            assert_eq!(
                (fault.exit, fault.code.as_str()),
                (Exit::Unstarted, "NoSuchFile")
            );
            assert!(
                fault.hints[0].contains("restore.rhai`?"),
                "{:?}",
                fault.hints
            );
        }
        assert!(
            Source::read(&folder.path().join("weekly.rhai"))
                .unwrap_err()
                .hints
                .is_empty()
        );
        assert_eq!(Source::read(folder.path()).unwrap_err().code, "NotAFile");
    }

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rhai");
        fs::write(&path, "abc").unwrap();
        assert_eq!(
            Source::read(&path).unwrap().sha256(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
