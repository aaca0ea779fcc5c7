//! An inbox with its policy, and what lies in it afterwards.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use minisign::KeyPair;
use serde_json::Value;

use super::{Bench, Done, Running};

/// What a watched folder does within this time in the slowest debug build.
const LONGEST: Duration = Duration::from_secs(30);

pub struct Watched {
    pub bench: Bench,
}

/// A run that was filed away.
pub struct Filed {
    pub folder: PathBuf,
    pub result: Value,
}

impl Filed {
    pub fn code(&self) -> &str {
        self.result["error"]["code"].as_str().unwrap_or("")
    }

    pub fn message(&self) -> &str {
        self.result["error"]["message"].as_str().unwrap_or("")
    }

    pub fn script(&self) -> &str {
        self.result["script"].as_str().unwrap()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

impl Watched {
    /// An inbox under a policy that lets scripts read, draft and activate.
    pub fn new() -> Self {
        Self::over(Bench::new())
    }

    pub fn over(bench: Bench) -> Self {
        let watched = Self { bench };
        fs::create_dir(watched.inbox("")).unwrap();
        chmod(&watched.inbox(""), 0o700);
        watched.policy("consent = \"given\"\n")
    }

    /// The only lines of the policy.
    pub fn policy(self, text: &str) -> Self {
        self.set_policy(text);
        self
    }

    pub fn set_policy(&self, text: &str) {
        let path = self.bench.path("policy.toml");
        fs::write(&path, text).unwrap();
        chmod(&path, 0o600);
    }

    pub fn inbox(&self, name: &str) -> PathBuf {
        self.bench.path("inbox").join(name)
    }

    /// Puts a file into the inbox, whole at once.
    pub fn drop_file(&self, name: &str, content: impl AsRef<[u8]>) {
        let draft = self.bench.path("drafts");
        fs::create_dir_all(&draft).unwrap();
        let draft = draft.join("one");
        fs::write(&draft, content).unwrap();
        chmod(&draft, 0o644);
        fs::rename(draft, self.inbox(name)).unwrap();
    }

    pub fn command(&self, flags: &[&str]) -> Command {
        let mut command = self.bench.command();
        command.args(["watch", "inbox", "--policy", "policy.toml"]);
        if !flags.iter().any(|flag| flag.starts_with("--settle")) {
            command.arg("--settle=0s");
        }
        command.args(flags);
        command
    }

    /// Runs everything that is there.
    pub fn once(&self, flags: &[&str]) -> Done {
        let mut command = self.command(flags);
        command.arg("--once");
        self.bench.finish(command)
    }

    /// A watcher that goes on until it is told to stop.
    pub fn start(&self, flags: &[&str]) -> Running {
        let mut watching = self.bench.running(self.command(flags));
        watching.hears("watching");
        watching
    }

    /// What lies in `done`, `failed`, `quarantine`, oldest first.
    pub fn filed(&self, kind: &str) -> Vec<Filed> {
        let Ok(entries) = fs::read_dir(self.inbox(kind)) else {
            return Vec::new();
        };
        let mut filed: Vec<Filed> = entries
            .map(|entry| {
                let folder = entry.unwrap().path();
                let text = fs::read_to_string(folder.join("result.json"));
                let text = text.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
                Filed {
                    result: serde_json::from_str(&text).unwrap(),
                    folder,
                }
            })
            .collect();
        filed.sort_by_key(|filed| filed.result["started"].to_string());
        filed
    }

    /// The only one that lies there.
    #[track_caller]
    pub fn only(&self, kind: &str) -> Filed {
        let mut filed = self.filed(kind);
        assert_eq!(filed.len(), 1, "{}", self.tree());
        filed.remove(0)
    }

    /// Waits until so many are filed away there.
    #[track_caller]
    pub fn waits_for(&self, kind: &str, count: usize) {
        self.waits_until(&format!("{count} in {kind}"), || {
            fs::read_dir(self.inbox(kind)).is_ok_and(|entries| entries.count() >= count)
        });
    }

    #[track_caller]
    pub fn waits_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(
                begun.elapsed() < LONGEST,
                "not within half a minute: {what}\n{}",
                self.tree()
            );
            // Another process works meanwhile; nothing tells us when it is done.
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Everything below the inbox, for messages.
    pub fn tree(&self) -> String {
        let mut lines = Vec::new();
        let mut folders = vec![self.inbox("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                lines.push(entry.path().display().to_string());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(entry.path());
                }
                if entry.file_name() == "run.log" {
                    lines.push(fs::read_to_string(entry.path()).unwrap_or_default());
                }
            }
        }
        lines.sort();
        lines.join("\n")
    }
}

pub fn chmod(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A pair of keys, as minisign makes them.
pub struct Signer(KeyPair);

impl Signer {
    pub fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    /// For a policy.
    pub fn public(&self) -> String {
        self.0.pk.to_base64()
    }

    /// For a key file.
    pub fn secret(&self) -> String {
        self.0.sk.to_box(None).unwrap().into_string()
    }

    pub fn sign(&self, bytes: impl AsRef<[u8]>, comment: &str) -> String {
        let bytes = std::io::Cursor::new(bytes.as_ref());
        minisign::sign(None, &self.0.sk, bytes, Some(comment), None)
            .unwrap()
            .into_string()
    }
}
