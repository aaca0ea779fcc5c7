//! `runback sandbox` as a process beside the program under test.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Bench;
use super::http;

/// A sandbox tenant that can be looked into after the program has gone. Dropping it ends it.
pub struct Served {
    child: Child,
    pub url: String,
    bench: Bench,
}

/// What the sandbox says on stderr.
const SAID: &str = "stderr";

impl Served {
    /// A hundred people, whose restores take milliseconds.
    pub fn fast() -> Self {
        Self::start(&["--speed", "20000"])
    }

    pub fn start(flags: &[&str]) -> Self {
        let bench = Bench::new();
        let mut command: Command = bench.command();
        command
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .args(flags);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(bench.path(SAID)).unwrap())
            .spawn()
            .expect("the program can be started");
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first_line)
            .unwrap();
        // The line is a promise to programs: to the letter.
        let url = first_line
            .strip_prefix("sandbox listening on ")
            .and_then(|rest| rest.strip_suffix('\n'))
            .filter(|url| url.starts_with("http://127.0.0.1:"))
            .unwrap_or_else(|| panic!("{first_line}"))
            .to_owned();
        let tenant = Self { child, url, bench };
        // One restore of a hundred fails by chance, another one every day: tests say themselves which do.
        tenant.breaks("chance", "never");
        tenant
    }

    /// A bench whose program works against this sandbox, and looks often.
    pub fn bench(&self) -> Bench {
        Bench::new()
            .variable("RUNBACK_POLLING", "20ms")
            .variable("RUNBACK_SETTLING", "100ms")
            .variable("RUNBACK_GRAPH_URL", &self.url)
            .variable("RUNBACK_AUTH", "token")
            .variable("RUNBACK_ACCESS_TOKEN", "sandbox-token")
    }

    pub fn get(&self, path: &str) -> Value {
        self.request("GET", path, "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.request("POST", path, &body.to_string())
    }

    pub fn delete(&self, path: &str) {
        self.request("DELETE", path, "");
    }

    /// The sessions of `GET /_sandbox/state`.
    pub fn sessions(&self) -> Vec<Value> {
        self.get("/_sandbox/state")["sessions"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// How many requests of a kind there were: `POST /exchangeRestoreSessions`, as the sandbox counts them.
    pub fn count(&self, request: &str) -> u64 {
        let (method, path) = request.split_once(' ').unwrap();
        let counts = &self.get("/_sandbox/state")["counts"];
        let long = format!("{method} /solutions/backupRestore{path}");
        [request, &long]
            .iter()
            .filter_map(|name| counts[*name].as_u64())
            .sum()
    }

    /// What goes wrong from now on, as `--faults` takes it.
    pub fn faults(&self, spec: &str) {
        self.post("/_sandbox/faults", &serde_json::json!({ "spec": spec }));
    }

    /// Breaks something of the tenant.
    pub fn breaks(&self, what: &str, which: &str) {
        self.post("/_sandbox/break", &serde_json::json!({ what: which }));
    }

    /// Fails where something stands in two activated sessions, or the service saw a rule broken.
    #[track_caller]
    pub fn expect_nothing_twice(&self) {
        let duplicates = self.get("/_sandbox/duplicates");
        let duplicates = duplicates["duplicates"].as_array().unwrap();
        let first = duplicates.first();
        assert_eq!(first, None, "the first of {}", duplicates.len());
        let violations = &self.get("/_sandbox/state")["violations"];
        assert_eq!(violations, &serde_json::json!([]));
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Value {
        let address = self.url.trim_start_matches("http://");
        let (status, text) = http::request(address, method, path, body);
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {text}"
        );
        if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap()
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Every request came with a token; none of them may be in the server's own words.
        if !std::thread::panicking() {
            self.bench
                .expect_no_secret("the sandbox's stderr", &self.bench.read(SAID));
        }
    }
}
