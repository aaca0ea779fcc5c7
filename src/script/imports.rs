//! Where imports come from: `std/`, the script's own folder, in a watched folder the libraries instead.
//!
//! What a library holds runs with the rights of the watcher. So a guarded root is read through handles: every folder from it down
//! to the file, and the file, are looked at, and the file's bytes come from the handle that was looked at.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::program::{File, stdlib};
use super::source::{LARGEST, Text};
use super::words;
use crate::error::{Exit, Fault};
use crate::unix::folder::{Facts, Folder, Kind};

/// The folders that imports come from, beside `std/`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots {
    folders: Vec<PathBuf>,
    kind: Of,
}

/// Whose folders they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Of {
    #[default]
    Script,
    /// A script from elsewhere imports from them.
    Library,
    /// The same; and nobody but this user and root may write what is imported.
    Guarded,
}

impl From<Vec<PathBuf>> for Roots {
    fn from(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            kind: Of::Script,
        }
    }
}

impl Roots {
    /// The script's own `folder`, unless there are libraries, as for a script that is meant for the watched folder.
    ///
    /// # Errors
    /// A library that is no folder.
    pub(crate) fn of(folder: PathBuf, libraries: &[PathBuf]) -> Result<Self, Fault> {
        if let Some(missing) = libraries.iter().find(|library| !library.is_dir()) {
            let message = format!("there is no folder `{}`", missing.display());
            return Err(Fault::new(Exit::Unstarted, "NoSuchFolder", message)
                .hint("`--library` names the folder that the watcher imports from"));
        }
        if libraries.is_empty() {
            return Ok(vec![folder].into());
        }
        Ok(Self {
            folders: libraries.to_vec(),
            kind: Of::Library,
        })
    }

    /// Libraries whose files run only where nobody else can write them.
    pub(crate) fn guarded(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            kind: Of::Guarded,
        }
    }

    /// What a file in them is called, in a program whose main script has the name `main`.
    pub(super) fn source_name(&self, name: String, main: &str) -> String {
        // The script does not lie there: this is another file, and no file's own name ends so.
        if self.kind != Of::Script && name == main {
            return format!("{name} (library)");
        }
        name
    }

    /// The source name and the place of what a literal names: `std/…`, beside the importing file, or below a root.
    pub(super) fn find(
        &self,
        literal: &str,
        beside: Option<&Path>,
    ) -> Result<(String, Found), Fault> {
        let plain = literal.strip_suffix(".rhai").unwrap_or(literal);
        if plain.starts_with("std/") {
            return standard(literal, plain);
        }
        if Path::new(literal).is_absolute() || literal.contains('\\') || literal.is_empty() {
            let fault = bad_import(literal, "an import is a relative path");
            return Err(fault.hint(
                "write it as seen from the script's folder, with `/`: `import \"lib/waves\" as waves;`",
            ));
        }
        let found = if self.kind == Of::Guarded {
            self.guarded_file(literal, plain, beside)?
        } else {
            self.file(plain, beside)
        };
        let is_outside = match found {
            Below::Found(name, found) => return Ok((name, found)),
            Below::Outside => true,
            Below::Nothing => literal.split('/').any(|part| part == ".."),
        };
        let (folder, all) = if self.kind == Of::Script {
            (
                "the script's folder",
                "imports come from that folder, from folders in it, and from `std/`",
            )
        } else {
            (
                "the libraries",
                "imports come from `--library` and from `std/`",
            )
        };
        if is_outside {
            return Err(bad_import(literal, &format!("it lies outside {folder}")).hint(all));
        }
        Err(bad_import(literal, "there is no such file")
            .hint(format!("`{plain}.rhai` is looked for in {folder}")))
    }

    fn file(&self, plain: &str, beside: Option<&Path>) -> Below {
        let mut below = Below::Nothing;
        let roots = self.folders.iter().map(PathBuf::as_path);
        for folder in beside.into_iter().chain(roots) {
            let Ok(full) = folder.join(format!("{plain}.rhai")).canonicalize() else {
                continue;
            };
            let root = self
                .folders
                .iter()
                .filter_map(|root| root.canonicalize().ok())
                .find(|root| full.starts_with(root));
            match root {
                Some(root) if full.is_file() => {
                    let name = full.strip_prefix(&root).unwrap_or(&full);
                    return Below::Found(name.to_string_lossy().into_owned(), Found::Disk(full));
                }
                Some(_) => {}
                None => below = Below::Outside,
            }
        }
        below
    }

    /// As [`Self::file`], for what must be nobody else's. A name that is there and may not be trusted is told, not passed over.
    fn guarded_file(
        &self,
        literal: &str,
        plain: &str,
        beside: Option<&Path>,
    ) -> Result<Below, Fault> {
        let mut below = Below::Nothing;
        for root in &self.folders {
            let inner = beside.and_then(|folder| folder.strip_prefix(root).ok());
            for start in inner.into_iter().chain([Path::new("")]) {
                let Some(way) = way(&start.join(format!("{plain}.rhai"))) else {
                    below = Below::Outside;
                    continue;
                };
                if let Some(bytes) =
                    trusted(root, &way).map_err(|why| unsafe_import(literal, why))?
                {
                    let inner: PathBuf = way.iter().collect();
                    let name = inner.to_string_lossy().into_owned();
                    let folder = root.join(inner.parent().unwrap_or(Path::new("")));
                    return Ok(Below::Found(name, Found::Read { bytes, folder }));
                }
            }
        }
        Ok(below)
    }
}

/// What a look below the roots came to.
enum Below {
    Found(String, Found),
    Outside,
    Nothing,
}

pub(super) enum Found {
    Std(&'static str),
    Disk(PathBuf),
    /// Looked at and read at once.
    Read {
        bytes: Vec<u8>,
        folder: PathBuf,
    },
}

impl Found {
    pub(super) fn open(self, name: &str) -> Result<(File, Vec<Fault>), Vec<Fault>> {
        let (bytes, folder) = match self {
            Self::Std(text) => return Text::read(name, text.as_bytes()).map(File::parse),
            Self::Disk(path) => {
                let bytes = std::fs::read(&path)
                    .map_err(|error| vec![super::files::io(name, "read", &error).fault()])?;
                (bytes, path.parent().map(Path::to_owned))
            }
            Self::Read { bytes, folder } => (bytes, Some(folder)),
        };
        let (mut file, faults) = File::parse(Text::read(name, &bytes)?);
        file.folder = folder;
        Ok((file, faults))
    }
}

pub(super) fn bad_import(literal: &str, why: &str) -> Fault {
    Fault::new(
        Exit::Unstarted,
        "BadImport",
        format!("cannot import `{literal}`: {why}"),
    )
}

/// What is wrong with something on the way to a file, and the command that mends it.
struct Flaw {
    path: PathBuf,
    why: String,
    mend: Option<&'static str>,
}

fn unsafe_import(literal: &str, flaw: Flaw) -> Fault {
    let path = flaw.path.display();
    let message = format!("cannot import `{literal}`: `{path}` {}", flaw.why);
    let fault = Fault::new(Exit::Unstarted, "UnsafeFolder", message);
    match flaw.mend {
        Some(mend) => fault.hint(format!("`{mend} {path}`")),
        None => fault,
    }
}

fn standard(literal: &str, plain: &str) -> Result<(String, Found), Fault> {
    if let Some((name, text)) = stdlib().find(|(name, _)| name == plain) {
        return Ok((name, Found::Std(text)));
    }
    let names: Vec<_> = stdlib().map(|(name, _)| name).collect();
    let fault = bad_import(literal, "the standard library has no such part");
    Err(
        match words::nearest(plain, names.iter().map(String::as_str)) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(format!(
                "it has {}",
                words::list(names.iter().map(String::as_str))
            )),
        },
    )
}

/// The names from a root down to a file; nothing where the way leads out of it. No link is followed, so `..` is what it seems.
fn way(path: &Path) -> Option<Vec<OsString>> {
    let mut way: Vec<OsString> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => way.push(name.to_owned()),
            Component::ParentDir => {
                way.pop()?;
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(way)
}

/// The bytes of a file that nobody else can have written; nothing where there is no such file.
fn trusted(root: &Path, way: &[OsString]) -> Result<Option<Vec<u8>>, Flaw> {
    let broken = |path: &Path, error: std::io::Error| Flaw {
        path: path.to_owned(),
        why: format!("cannot be read: {error}"),
        mend: None,
    };
    let Some((name, folders)) = way.split_last() else {
        return Ok(None);
    };
    let mut folder = Folder::open(root).map_err(|error| broken(root, error))?;
    own_folder(&folder)?;
    for name in folders {
        let path = folder.path().join(name);
        let facts = folder.look(name).map_err(|error| broken(&path, error))?;
        let Some(facts) = facts else {
            return Ok(None);
        };
        not_a_link(&path, &facts)?;
        if facts.kind != Kind::Folder {
            return Ok(None);
        }
        folder = folder.inner(name).map_err(|error| broken(&path, error))?;
        own_folder(&folder)?;
    }
    own_file(&folder, name)
}

fn own_folder(folder: &Folder) -> Result<(), Flaw> {
    let access = folder.access().map_err(|error| Flaw {
        path: folder.path().to_owned(),
        why: format!("cannot be looked at: {error}"),
        mend: None,
    })?;
    match access.flaw() {
        Some((why, mend)) => Err(Flaw {
            path: folder.path().to_owned(),
            why,
            mend: Some(mend),
        }),
        None => Ok(()),
    }
}

/// Whoever may write where a link lies, or where it leads, would decide what runs.
fn not_a_link(path: &Path, facts: &Facts) -> Result<(), Flaw> {
    if facts.kind != Kind::Link {
        return Ok(());
    }
    Err(Flaw {
        path: path.to_owned(),
        why: "is a symbolic link, and in a library none is followed".to_owned(),
        mend: None,
    })
}

fn own_file(folder: &Folder, name: &OsStr) -> Result<Option<Vec<u8>>, Flaw> {
    let path = folder.path().join(name);
    let flaw = |why: String, mend| Flaw {
        path: path.clone(),
        why,
        mend,
    };
    let unreadable = |error: std::io::Error| flaw(format!("cannot be read: {error}"), None);
    let Some(facts) = folder.look(name).map_err(unreadable)? else {
        return Ok(None);
    };
    not_a_link(&path, &facts)?;
    // Before it is opened: to open a device can do something.
    if facts.kind != Kind::File {
        return Err(flaw("is no regular file".to_owned(), None));
    }
    let file = folder.read(name).map_err(unreadable)?;
    let facts = Facts::of_file(&file).map_err(unreadable)?;
    if facts.kind != Kind::File {
        return Err(flaw("is no regular file".to_owned(), None));
    }
    if facts.links != 1 {
        let why = format!(
            "has {} names: it is a hard link, and can be changed elsewhere",
            facts.links
        );
        return Err(flaw(why, None));
    }
    if let Some((why, mend)) = facts.access.flaw() {
        return Err(flaw(why, Some(mend)));
    }
    // One more, so that a larger one is told as such.
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_way_stays_below_its_root() {
        let rows = [
            ("a.rhai", Some("a.rhai")),
            ("sub/a.rhai", Some("sub/a.rhai")),
            ("./sub/./a.rhai", Some("sub/a.rhai")),
            ("sub/../a.rhai", Some("a.rhai")),
            ("../a.rhai", None),
            ("sub/../../a.rhai", None),
            ("/a.rhai", None),
        ];
        for (path, expected) in rows {
            let found = way(Path::new(path)).map(|way| way.iter().collect::<PathBuf>());
            assert_eq!(found, expected.map(PathBuf::from), "{path}");
        }
    }

    #[test]
    fn what_others_can_write_is_not_imported_from_a_guarded_root() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("lib");
        let path = |name: &str| root.join(name);
        let chmod = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for folder in ["", "sub", "open"] {
            fs::create_dir(path(folder)).unwrap();
            chmod(&path(folder), 0o755);
        }
        let names = ["good", "loose", "group", "twin", "sub/inner", "open/inner"];
        for name in names {
            let file = path(&format!("{name}.rhai"));
            fs::write(&file, "fn one() { 1 }").unwrap();
            chmod(&file, 0o644);
        }
        chmod(&path("loose.rhai"), 0o666);
        chmod(&path("group.rhai"), 0o664);
        chmod(&path("open"), 0o777);
        fs::hard_link(path("twin.rhai"), outer.path().join("copy")).unwrap();
        symlink("good.rhai", path("link.rhai")).unwrap();
        symlink("sub", path("away")).unwrap();
        fs::create_dir(path("folder.rhai")).unwrap();
        let roots = Roots::guarded(vec![root.clone()]);
        let rows = [
            ("good", None, None),
            ("good.rhai", None, None),
            ("sub/inner", None, None),
            ("inner", Some("sub"), None),
            ("../good", Some("sub"), None),
            ("none", None, Some("BadImport")),
            ("../lib/good", None, Some("BadImport")),
            ("sub/none", None, Some("BadImport")),
            ("loose", None, Some("UnsafeFolder")),
            ("group", None, Some("UnsafeFolder")),
            ("twin", None, Some("UnsafeFolder")),
            ("link", None, Some("UnsafeFolder")),
            ("away/inner", None, Some("UnsafeFolder")),
            ("open/inner", None, Some("UnsafeFolder")),
            ("folder", None, Some("UnsafeFolder")),
        ];
        for (literal, beside, code) in rows {
            let beside = beside.map(path);
            let found = roots.find(literal, beside.as_deref()).map(|(name, _)| name);
            let fault = found.as_ref().err().map(|fault| fault.code.as_str());
            assert_eq!(fault, code, "{literal}: {found:?}");
        }
        // A root that was opened to others since the watcher looked at it.
        chmod(&root, 0o777);
        let fault = roots.find("good", None).err().unwrap();
        assert_eq!(fault.code, "UnsafeFolder");
        assert!(fault.hints[0].contains("chmod go-w"), "{:?}", fault.hints);
    }
}
