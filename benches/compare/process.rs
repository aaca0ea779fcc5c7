//! Runs processes and reads what they cost from the operating system.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

/// What one run cost; of several, the median of each figure.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: Duration,
    /// User and system.
    pub cpu: Duration,
    /// Largest resident set, in bytes.
    pub memory: u64,
}

/// Runs a command so often, after one run that does not count, and takes medians.
///
/// # Panics
/// Where the command cannot be started: the bench cannot go on.
pub fn measure(rounds: usize, words: &[String], variables: &[(&str, &str)]) -> Cost {
    let mut costs = Vec::new();
    if rounds > 1 {
        once(words, variables);
    }
    for _ in 0..rounds.max(1) {
        costs.push(once(words, variables));
    }
    median(&costs)
}

/// Two commands in turn, and the ratio of their medians. `probe` is a shell line that fails where the other tool is missing.
pub fn compare(rounds: usize, ours: &[String], theirs: &[String], probe: &str) {
    if !there_is(probe) {
        println!("  runback: {}", measure(rounds, ours, &[]));
        println!("  other:   not on this machine (`{probe}` fails)");
        return;
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for _ in 0..=rounds {
        left.push(once(ours, &[]));
        right.push(once(theirs, &[]));
    }
    // The first pair warms the caches.
    let (ours, theirs) = (median(&left[1..]), median(&right[1..]));
    println!("  runback: {ours}");
    println!("  other:   {theirs}");
    #[allow(clippy::cast_precision_loss)] // a ratio for people
    let memory = ours.memory as f64 / theirs.memory as f64;
    println!(
        "  ratio:   {:.2} wall, {:.2} CPU, {memory:.2} memory",
        ours.wall.as_secs_f64() / theirs.wall.as_secs_f64(),
        ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64(),
    );
}

/// The body of an answer of a server on this machine.
///
/// # Panics
/// Where it does not answer.
pub fn get(url: &str, path: &str) -> String {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let body = answer.split_once("\r\n\r\n");
    body.expect("an answer has a head").1.to_owned()
}

/// Whether a tool to compare with is on this machine.
fn there_is(probe: &str) -> bool {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", probe])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    shell.status().is_ok_and(|status| status.success())
}

fn once(words: &[String], variables: &[(&str, &str)]) -> Cost {
    let begin = Instant::now();
    let spawned = command(words, variables).stdout(Stdio::null()).spawn();
    let child = match spawned {
        Ok(child) => child,
        Err(error) => panic!("`{}` cannot be started: {error}", words[0]),
    };
    let used = child.wait4().expect("the child is ours");
    let wall = begin.elapsed();
    assert!(
        used.status.success() || used.status.code() == Some(1),
        "`{}` failed: {}",
        words.join(" "),
        used.status
    );
    Cost {
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        memory: used.rusage.maxrss,
    }
}

fn command(words: &[String], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .stdin(Stdio::null())
        .env("RUNBACK_ACCESS_TOKEN", "sandbox-token");
    command.envs(variables.iter().copied());
    command
}

fn median(costs: &[Cost]) -> Cost {
    fn middle<T: Ord + Copy>(mut values: Vec<T>) -> T {
        values.sort_unstable();
        values[values.len() / 2]
    }
    Cost {
        wall: middle(costs.iter().map(|cost| cost.wall).collect()),
        cpu: middle(costs.iter().map(|cost| cost.cpu).collect()),
        memory: middle(costs.iter().map(|cost| cost.memory).collect()),
    }
}
