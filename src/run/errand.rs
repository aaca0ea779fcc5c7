//! What the watched folder hands to the process of one run: one line of JSON on its standard input.
//!
//! The script's bytes lie in a file that only the watcher's user can change, and are held against the hash that was verified;
//! the arguments come in the line itself, so that they stand on no command line. After the line the input stays open: its
//! end says that the watcher is gone, or wants the run to stop.

use std::io::{self, BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::load::Source;
use crate::error::{Exit, Fault};
use crate::policy::Policy;
use crate::stop::Stop;
use crate::world::World;

/// No line is longer: arguments are at most 1 MiB, and JSON may write six letters for one.
const LONGEST: u64 = 8 << 20;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Errand {
    /// The run's id.
    pub(crate) run: String,
    /// The script as it was called in the inbox: what stands in messages.
    pub(crate) script: String,
    /// Where its bytes lie, and what they must be.
    pub(crate) path: PathBuf,
    pub(crate) sha256: String,
    pub(crate) arguments: Vec<(String, String)>,
    /// The only folder that the script may write in.
    pub(crate) files: PathBuf,
    /// Where imports come from, beside `std/`.
    pub(crate) libraries: Vec<PathBuf>,
    /// Where the result document goes.
    pub(crate) result: PathBuf,
    /// The policy that the watcher obeys: its file, and what stood there when it was read. A person who goes on with the run
    /// has a policy of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<(PathBuf, String)>,
    /// A watcher holds this process's standard input; else a person goes on with a run of the watched folder.
    #[serde(skip)]
    pub(crate) is_watched: bool,
}

impl Errand {
    /// Reads the line.
    ///
    /// # Errors
    /// Exit 2: nobody has written one.
    pub(crate) fn read() -> Result<Self, Fault> {
        let mut line = Vec::new();
        let read = io::stdin()
            .lock()
            .take(LONGEST)
            .read_until(b'\n', &mut line);
        let wrong = |why: String| {
            let message = format!("`--watched` is how `runback watch` starts a run, and {why}");
            Fault::new(Exit::Unstarted, "BadFlag", message).hint("leave it out")
        };
        read.map_err(|error| wrong(format!("stdin cannot be read: {error}")))?;
        let errand: Self = serde_json::from_slice(&line)
            .map_err(|error| wrong(format!("stdin says no order: {error}")))?;
        Ok(Self {
            is_watched: true,
            ..errand
        })
    }

    /// The same after the watcher has filed the run away: its folder is then found among the results.
    pub(crate) fn found(mut self) -> Self {
        self.policy = None;
        let claimed = self.path.parent().map(Path::to_owned).unwrap_or_default();
        // inbox/.runback/claimed/RUN
        let (Some(inbox), false) = (claimed.ancestors().nth(3), claimed.is_dir()) else {
            return self;
        };
        let filed = ["failed", "done"].map(|kind| inbox.join(kind).join(&self.run));
        if let Some(folder) = filed.into_iter().find(|folder| folder.is_dir()) {
            for path in [&mut self.path, &mut self.files, &mut self.result] {
                let name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
                *path = folder.join(name);
            }
        }
        self
    }

    /// # Errors
    /// Exit 2: it is no policy.
    pub(crate) fn policy(&self) -> Option<Result<Policy, Fault>> {
        let (path, text) = self.policy.as_ref()?;
        Some(Policy::of_bytes(path, text.as_bytes()))
    }

    /// The script, as it was verified.
    ///
    /// # Errors
    /// Exit 2: the file is not what was verified.
    pub(super) fn source(&self) -> Result<Source, Fault> {
        let source = Source::read(&self.path)?;
        if source.sha256() == self.sha256 {
            return Ok(source);
        }
        let message = format!(
            "`{}` is not the script that was let in: its file was changed since",
            self.script
        );
        Err(Fault::new(Exit::Unstarted, "ScriptSwapped", message).hint(
            "drop the script into the inbox again, and find out who can write in its `.runback`",
        ))
    }
}

/// Lets the end of standard input stop the run, as SIGTERM would.
pub(super) fn obey_watcher(runtime: &Handle, stop: &Stop, world: &World) {
    let (stop, world) = (stop.clone(), world.clone());
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let reader = std::thread::Builder::new().name("watcher".to_owned());
    // A thread of its own: nothing else can wait for a pipe's end, and the process does not wait for the thread.
    let started = reader.spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = tell.send(());
    });
    if started.is_err() {
        return;
    }
    runtime.spawn(async move {
        if told.await.is_ok() {
            let message = "stopped: the watcher has ended, or wants the run to stop";
            stop.set(Fault::new(Exit::Terminated, "Terminated", message));
            world.cancel.cancel();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bytes_that_were_verified_are_a_script() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.rhai");
        std::fs::write(&path, "abc").unwrap();
        let mut errand = Errand {
            run: "r".into(),
            script: "x.rhai".into(),
            path: path.clone(),
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into(),
            arguments: Vec::new(),
            files: folder.path().into(),
            libraries: Vec::new(),
            result: folder.path().join("result.json"),
            policy: None,
            is_watched: false,
        };
        assert_eq!(errand.source().unwrap().bytes, b"abc");
        std::fs::write(&path, "abd").unwrap();
        assert_eq!(errand.source().unwrap_err().code, "ScriptSwapped");
        errand.path = folder.path().join("gone.rhai");
        assert_eq!(errand.source().unwrap_err().code, "NoSuchFile");
    }
}
