//! Runs the real binary on a script, in a folder of its own, with an environment of its own, and sees that it gives no secret
//! away.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::masks::mask;
use super::secrets::{Files, Secrets};

/// A builder: `Bench::new().script("print(1);").flags(&["--format", "json"]).run()`.
pub struct Bench {
    folder: TempDir,
    flags: Vec<String>,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    secrets: Secrets,
    /// The files that the test itself wrote.
    given: Files,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("the system has room for a folder"),
            flags: Vec::new(),
            arguments: Vec::new(),
            variables: Vec::new(),
            secrets: Secrets::default(),
            given: Files::default(),
        }
    }

    /// The runbook that [`Bench::run`] runs.
    pub fn script(self, text: &str) -> Self {
        self.file("script.rhai", text)
    }

    /// A file in the folder that the program is started in.
    pub fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self.given = Files::of(self.folder.path());
        self
    }

    pub fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(ToString::to_string));
        self
    }

    /// `NAME=VALUE` behind the script.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(ToString::to_string));
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.secrets.hear(name, value);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The result documents that were kept, oldest first.
    pub fn results(&self) -> Vec<Value> {
        let runs: Vec<PathBuf> = fs::read_dir(self.path("state/runs"))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        let text = |run: &PathBuf| fs::read_to_string(run.join("result.json")).unwrap();
        let mut results: Vec<Value> = runs
            .iter()
            .map(|run| serde_json::from_str(&text(run)).unwrap())
            .collect();
        // Not by the run's id: two of one second differ in chance only.
        results.sort_by_key(|result| result["started"].to_string());
        results
    }

    /// The result document of the newest run.
    pub fn result(&self) -> Value {
        self.results().pop().expect("there was a run")
    }

    /// Asked, succeeded, failed, skipped, unknown of the newest run, which must add up.
    #[track_caller]
    pub fn books(&self) -> [u64; 5] {
        let result = self.result();
        let items = result["items"].as_array().unwrap();
        let outcomes = ["succeeded", "failed", "skipped", "unknown"];
        let counts = outcomes.map(|outcome| {
            let items = items.iter().filter(|item| item["outcome"] == outcome);
            let count = items.count() as u64;
            assert_eq!(result["books"][outcome], count, "{outcome}");
            count
        });
        let [succeeded, failed, skipped, unknown] = counts;
        let asked = counts.iter().sum();
        assert_eq!(result["books"]["asked"], asked);
        [asked, succeeded, failed, skipped, unknown]
    }

    /// `runback run script.rhai` with the flags and arguments.
    pub fn run(&self) -> Done {
        self.finish(self.run_command())
    }

    /// As [`Bench::run`], but comes back at once.
    pub fn start(&self) -> Running {
        Running::new(self.run_command(), self.ledger())
    }

    /// A command that was made by hand, at work.
    pub fn running(&self, command: Command) -> Running {
        Running::new(command, self.ledger())
    }

    /// `runback` with these words (and the flags) instead of `run script.rhai`.
    pub fn runback<W: AsRef<OsStr>>(&self, words: &[W]) -> Done {
        let mut command = self.command();
        command.args(words).args(&self.flags);
        self.finish(command)
    }

    fn run_command(&self) -> Command {
        let mut command = self.command();
        command
            .arg("run")
            .args(&self.flags)
            .arg("script.rhai")
            .args(&self.arguments);
        command
    }

    /// The program, without any variable that the caller's environment may hold for it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("runback"));
        command.current_dir(self.folder.path()).env_clear();
        for name in ["PATH", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("HOME", self.folder.path())
            // A machine of Azure's would sign us in by itself: nobody answers there.
            .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
            .env("RUNBACK_STATE_DIR", self.path("state"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command that was made by hand to its end.
    pub fn finish(&self, mut command: Command) -> Done {
        let before = self.ledger();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        Done::new(child.wait_with_output().unwrap(), &before)
    }

    /// Waits for a program that was started by hand.
    pub fn done(&self, child: Child) -> Done {
        let before = self.ledger();
        Done::new(child.wait_with_output().unwrap(), &before)
    }

    /// Fails where a text that the program wrote holds a secret: for output that does not come as a [`Done`].
    #[track_caller]
    pub fn expect_no_secret(&self, place: &str, text: &str) {
        self.secrets.expect_none(place, text);
    }

    fn ledger(&self) -> Ledger {
        Ledger {
            folder: self.folder.path().to_owned(),
            files: Files::of(self.folder.path()),
            secrets: self.secrets.clone(),
        }
    }
}

impl Drop for Bench {
    /// Also a program that was killed has left files behind.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.secrets
                .expect_none_in_files(&self.path("state"), &self.given);
        }
    }
}

/// What was there before the program ran, and what must not be there after it.
struct Ledger {
    folder: PathBuf,
    files: Files,
    secrets: Secrets,
}

/// What a finished program left behind.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    folder: String,
}

impl Done {
    #[track_caller]
    fn new(output: Output, before: &Ledger) -> Self {
        let done = Self {
            // A signal shows as what a shell would say.
            code: output.status.code().unwrap_or_else(|| {
                use std::os::unix::process::ExitStatusExt as _;
                128 + output.status.signal().unwrap_or(0)
            }),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            folder: before.folder.display().to_string(),
        };
        before.secrets.expect_none("stdout", &done.stdout);
        before.secrets.expect_none("stderr", &done.stderr);
        before
            .secrets
            .expect_none_in_files(&before.folder, &before.files);
        done
    }

    /// Each line of stdout as JSON.
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self}"))
        };
        self.stdout.lines().map(parse).collect()
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text: &str| mask(text, &self.folder);
        write!(
            f,
            "exit: {}\n----- stdout -----\n{}----- stderr -----\n{}",
            self.code,
            part(&self.stdout),
            part(&self.stderr)
        )
    }
}

/// A program that still runs. Dropping it kills it.
pub struct Running {
    child: Option<Child>,
    stderr: BufReader<std::process::ChildStderr>,
    heard: String,
    before: Ledger,
}

impl Running {
    fn new(mut command: Command, before: Ledger) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self {
            child: Some(child),
            stderr,
            heard: String::new(),
            before,
        }
    }

    /// Waits until a line on stderr holds this text.
    pub fn hears(&mut self, text: &str) -> &mut Self {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).unwrap();
            assert!(read > 0, "never said `{text}`:\n{}", self.heard);
            self.heard.push_str(&line);
            if line.contains(text) {
                return self;
            }
        }
    }

    /// Sends a signal by its name, `INT` or `TERM`.
    pub fn signal(&mut self, name: &str) -> &mut Self {
        let id = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success());
        self
    }

    pub fn finish(mut self) -> Done {
        let child = self.child.take().unwrap();
        // Read before waiting: a full pipe would keep the program from ending.
        let mut rest = String::new();
        let _ = self.stderr.read_to_string(&mut rest);
        let mut output = child.wait_with_output().unwrap();
        output.stderr = (std::mem::take(&mut self.heard) + &rest).into_bytes();
        Done::new(output, &self.before)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
