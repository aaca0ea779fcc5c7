//! The same work by runback and by plain loops of other tools, side by side: medians and ratios, for people to read.
//!
//! `cargo bench --bench compare` measures the release build; anything else (CI) goes through it once, quickly, to see that
//! it still works. No time is ever asserted.

mod process;
mod service;

use std::path::{Path, PathBuf};
use std::time::Duration;

use process::{Cost, compare, measure};
use service::Service;

const LATENCY: Duration = Duration::from_millis(20);
const IN_FLIGHT: u32 = 32;

struct Size {
    rounds: usize,
    points: usize,
    people: u32,
    growth: &'static [u32],
}

const FULL: Size = Size {
    rounds: 15,
    points: 100_000,
    people: 2_000,
    growth: &[1_000, 10_000, 100_000],
};

const QUICK: Size = Size {
    rounds: 1,
    points: 2_000,
    people: 50,
    growth: &[100],
};

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, word, points] = words.as_slice()
        && word == service::SERVE
    {
        return service::serve(points.parse().expect("a number of points"));
    }
    // `cargo bench` says so; `cargo test --benches` does not.
    let size = if words.iter().any(|word| word == "--bench") {
        FULL
    } else {
        QUICK
    };
    let folder = tempfile::tempdir().expect("the system has room for a folder");
    let bench = Bench {
        folder: folder.path().to_owned(),
        size,
    };
    bench.start();
    bench.one_call();
    bench.many_points();
    bench.many_people();
    bench.growth();
}

struct Bench {
    folder: PathBuf,
    size: Size,
}

impl Bench {
    fn start(&self) {
        println!("\nstart: `runback --version`");
        println!(
            "  {}",
            measure(self.size.rounds * 2, &[runback(), "--version".into()], &[])
        );
    }

    /// From the start of the process to the end of one call.
    fn one_call(&self) {
        println!("\none call: runback, and curl with jq");
        let service = Service::start(1);
        let script = self.file(
            "one.rhai",
            "print(graph::get(\"/organization\").value[0].displayName);",
        );
        let url = format!("{}/v1.0/organization", service.url());
        let other =
            format!("curl -s -H 'Authorization: Bearer x' {url} | jq -r '.value[0].displayName'");
        let ours = self.run(&script, &service.url(), &[]);
        compare(
            self.size.rounds,
            &ours,
            &sh(&other),
            "command -v curl && command -v jq",
        );
    }

    /// A hundred thousand restore points in pages of a thousand, filtered by date in the script.
    fn many_points(&self) {
        println!(
            "\n{} restore points in pages of 1,000: runback, and Python's aiohttp with json",
            self.size.points
        );
        let service = Service::start(self.size.points);
        let script = self.file(
            "points.rhai",
            "//! @param after datetime x\nlet n = 0;\nfor point in exchange::points(\"unit-1\", #{limit: 1000000}) {\n    if point.protectionDateTime > args.after { n += 1; }\n}\nprint(n);",
        );
        let python = self.file("points.py", include_str!("points.py"));
        let ours = self.run(&script, &service.url(), &["after=2026-06-01T00:00:00Z"]);
        let theirs = vec![
            "python3".into(),
            text(&python),
            service.url(),
            "2026-06-01T00:00:00+00:00".into(),
        ];
        compare(
            self.size.rounds,
            &ours,
            &theirs,
            "python3 -c 'import aiohttp'",
        );
    }

    /// Searched and put into sessions, against the critical path of the requests that it took.
    fn many_people(&self) {
        let people = self.size.people;
        println!(
            "\n{people} people searched and put into sessions at {LATENCY:?}, {IN_FLIGHT} calls in flight, five points a search"
        );
        let script = self.file(
            "fill.rhai",
            "let rows = exchange::latest_points(users::list());\nlet session = exchange::create_session(rows, \"new\");\nprint(session.count);",
        );
        let tenant = Tenant::start(people, Some(LATENCY));
        let cost = measure(1, &self.run(&script, &tenant.url, &[]), &[]);
        let counts = tenant.counts();
        let critical = counts.critical_path();
        println!("  {cost}");
        println!(
            "  {} requests ({} searches, fewest possible {}); critical path {:.2} s, ratio {:.2}",
            counts.all,
            counts.searches,
            counts.placed.div_ceil(5),
            critical.as_secs_f64(),
            cost.wall.as_secs_f64() / critical.as_secs_f64(),
        );
    }

    /// Time and memory of the same work as the tenant grows.
    fn growth(&self) {
        println!("\nsearched and put into sessions, without latency, as the tenant grows");
        let script = self.file(
            "grow.rhai",
            "let rows = exchange::latest_points(users::list());\nlet session = exchange::create_session(rows, \"new\");\nprint(session.count);",
        );
        for &people in self.size.growth {
            let tenant = Tenant::start(people, None);
            let cost = measure(1, &self.run(&script, &tenant.url, &[]), &[]);
            let each = cost.wall.as_secs_f64() * 1e6 / f64::from(people);
            let cpu = cost.cpu.as_secs_f64() * 1e6 / f64::from(people);
            println!("  {people:>7} people: {cost}, {each:.0} µs and {cpu:.0} µs of CPU each");
        }
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, content).expect("the folder is ours");
        path
    }

    fn run(&self, script: &Path, url: &str, arguments: &[&str]) -> Vec<String> {
        let state = text(&self.folder.join("state"));
        let mut words = vec![runback(), "run".into(), text(script)];
        words.extend(arguments.iter().map(ToString::to_string));
        let flags = [
            "--graph-url",
            url,
            "--auth",
            "token",
            "--quiet",
            "--state-dir",
            &state,
        ];
        words.extend(flags.map(ToOwned::to_owned));
        words
    }
}

/// `runback sandbox` as a process of its own.
struct Tenant {
    child: std::process::Child,
    url: String,
}

/// What the tenant was asked.
struct Counts {
    all: u64,
    lists: u64,
    searches: u64,
    /// PATCHes of the fullest session, one after the other.
    longest_fill: u64,
    placed: u64,
}

impl Counts {
    /// What cannot be done faster: lists page by page, searches 32 at once, the requests of one session in order.
    fn critical_path(&self) -> Duration {
        let rounds = self.lists + self.searches.div_ceil(u64::from(IN_FLIGHT)) + self.longest_fill;
        LATENCY * u32::try_from(rounds).expect("a few thousand")
    }
}

impl Tenant {
    fn start(users: u32, latency: Option<Duration>) -> Self {
        use std::io::BufRead as _;
        let mut command = std::process::Command::new(runback());
        command
            .args(["sandbox", "--users", &users.to_string()])
            .stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::null());
        if let Some(latency) = latency {
            command.args(["--latency", &format!("{}ms", latency.as_millis())]);
        }
        let mut child = command.spawn().expect("the binary is built with the bench");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        std::io::BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it prints its address");
        let url = line
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        Self { child, url }
    }

    fn counts(&self) -> Counts {
        let state = process::get(&self.url, "/_sandbox/state");
        let state: serde_json::Value =
            serde_json::from_str(&state).expect("the sandbox tells its state");
        let mut counts = Counts {
            all: 0,
            lists: 0,
            searches: 0,
            longest_fill: 0,
            placed: 0,
        };
        for (template, count) in state["counts"].as_object().expect("counts are an object") {
            let count = count.as_u64().unwrap_or(0);
            counts.all += count;
            if template.ends_with("/restorePoints/search") {
                counts.searches += count;
            } else if template.starts_with("GET ") {
                counts.lists += count;
            }
        }
        for session in state["sessions"].as_array().into_iter().flatten() {
            let artifacts = session["artifacts"].as_array().map_or(0, Vec::len) as u64;
            counts.placed += artifacts;
            counts.longest_fill = counts.longest_fill.max(artifacts.div_ceil(50));
        }
        counts
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn runback() -> String {
    env!("CARGO_BIN_EXE_runback").to_owned()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn sh(line: &str) -> Vec<String> {
    vec!["sh".into(), "-c".into(), line.into()]
}

/// Prints a cost as people read it.
impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (wall, cpu) = (self.wall.as_secs_f64() * 1e3, self.cpu.as_secs_f64() * 1e3);
        #[allow(clippy::cast_precision_loss)] // megabytes for people
        let memory = self.memory as f64 / 1e6;
        write!(f, "{wall:.1} ms wall, {cpu:.1} ms CPU, {memory:.1} MB")
    }
}
