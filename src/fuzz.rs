//! Bends inputs until something breaks: for the tests of whatever reads what others wrote.
//!
//! Each target stands beside its code, in a test whose name ends in `whatever_comes`. It is given what was found before
//! (`tests/corpus/NAME/`, every file of it), then its seeds, bent at random, for a fraction of a second. By hand for longer:
//!
//! ```sh
//! RUNBACK_FUZZ_SECONDS=600 cargo test --locked --lib whatever_comes -- --test-threads 1 --nocapture
//! ```
//!
//! What breaks a target is made small and kept in `tests/corpus/NAME/`, so that it is tried ever after. A stack that
//! overflows ends the process: the input lies in `/dev/shm/runback-fuzz-NAME` (or the folder for temporary files) then.
//!
//! There is no coverage to be led by: a target answers with the words that were said, and an input that brings out new words
//! is worth bending further.

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a test of the suite takes, corpus not counted.
const SHORT: Duration = Duration::from_millis(150);
/// An input that takes longer hangs. Debug builds on a machine that is busy with other things are slow.
const HANGS: Duration = Duration::from_secs(20);
/// The stack of a test thread, and of the runtime's workers.
const STACK: usize = 2 << 20;
const LARGEST: usize = 1 << 20;
/// Inputs that are bent further, and how large they may be.
const POOL: usize = 400;
const KEPT: usize = 1 << 13;

/// Something that reads bytes of others.
pub(crate) struct Target {
    /// Of its folder in `tests/corpus`.
    pub(crate) name: &'static str,
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Pieces of its language.
    pub(crate) words: &'static [&'static str],
    pub(crate) stack: usize,
}

impl Target {
    pub(crate) fn new(name: &'static str, seeds: &[&str], words: &'static [&'static str]) -> Self {
        Self {
            name,
            seeds: seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
            words,
            stack: STACK,
        }
    }

    /// For what runs on a thread with so much stack.
    pub(crate) fn stack(self, stack: usize) -> Self {
        Self { stack, ..self }
    }

    /// Attacks `read`, which gives the words it said.
    ///
    /// # Panics
    /// Where `read` does, or where it hangs; the input is kept.
    pub(crate) fn attack(self, read: impl Fn(&[u8]) -> String + Send + Sync + 'static) {
        let long = std::env::var("RUNBACK_FUZZ_SECONDS").ok();
        let time = long
            .as_ref()
            .map_or(SHORT, |text| Duration::from_secs_f64(text.parse().unwrap()));
        let seed = match std::env::var("RUNBACK_FUZZ_SEED") {
            Ok(text) => text.parse().unwrap(),
            Err(_) if long.is_some() => fastrand::u64(..),
            Err(_) => 1,
        };
        let name = self.name;
        let stack = self.stack;
        let current = Arc::new(Current {
            input: Mutex::default(),
            file: long.is_some().then(|| current_file(name)),
        });
        let (done, finished) = mpsc::channel();
        let attack = Attack {
            rng: fastrand::Rng::with_seed(seed),
            end: Instant::now() + time,
            pool: Vec::new(),
            heard: HashSet::new(),
            tried: 0,
            current: current.clone(),
            target: self,
        };
        std::thread::Builder::new()
            .stack_size(stack)
            .spawn(move || done.send(attack.run(&read)))
            .unwrap();
        let outcome = loop {
            match finished.recv_timeout(Duration::from_secs(1)) {
                Ok(outcome) => break outcome,
                Err(RecvTimeoutError::Disconnected) => panic!("{name}: the attack itself broke"),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(input) = current.hangs() {
                        break Err((input, format!("no end after {} s", HANGS.as_secs())));
                    }
                }
            }
        };
        match outcome {
            Ok(told) if long.is_some() => eprintln!("{name}: seed {seed}: {told}"),
            Ok(_) => {}
            Err((input, why)) => {
                let file = keep(name, &input);
                let shown = String::from_utf8_lossy(&input[..input.len().min(200)]).into_owned();
                panic!(
                    "{name}: {why}\nseed {seed}, kept in {}: {shown:?}",
                    file.display()
                );
            }
        }
    }
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(name)
}

/// In memory where the system has that: it is written for each input.
fn current_file(name: &str) -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    folder.join(format!("runback-fuzz-{name}"))
}

fn keep(name: &str, input: &[u8]) -> PathBuf {
    let folder = corpus(name);
    fs::create_dir_all(&folder).unwrap();
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let file = folder.join(format!("found-{hash:016x}"));
    fs::write(&file, input).unwrap();
    file
}

/// The input that is being read, for whoever finds that it never ends.
struct Current {
    input: Mutex<Option<(Instant, Vec<u8>)>>,
    file: Option<PathBuf>,
}

impl Current {
    fn begin(&self, input: &[u8]) {
        if let Some(file) = &self.file {
            fs::write(file, input).unwrap();
        }
        *self.input.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), input.to_vec()));
    }

    fn hangs(&self) -> Option<Vec<u8>> {
        let current = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, input) = current.as_ref()?;
        (begun.elapsed() > HANGS).then(|| input.clone())
    }
}

/// Input and reason.
type Broken = (Vec<u8>, String);

struct Attack {
    target: Target,
    rng: fastrand::Rng,
    end: Instant,
    pool: Vec<Vec<u8>>,
    heard: HashSet<String>,
    tried: u64,
    current: Arc<Current>,
}

impl Attack {
    fn run(mut self, read: &dyn Fn(&[u8]) -> String) -> Result<String, Broken> {
        for input in found(self.target.name) {
            self.try_one(read, input)?;
        }
        for input in std::mem::take(&mut self.target.seeds) {
            self.pool.push(input.clone());
            self.try_one(read, input)?;
        }
        while Instant::now() < self.end {
            let input = self.bent();
            self.try_one(read, input)?;
        }
        Ok(format!(
            "{} inputs, {} different answers",
            self.tried,
            self.heard.len()
        ))
    }

    fn try_one(&mut self, read: &dyn Fn(&[u8]) -> String, input: Vec<u8>) -> Result<(), Broken> {
        self.tried += 1;
        self.current.begin(&input);
        let said = catch_unwind(AssertUnwindSafe(|| read(&input)));
        match said {
            Ok(said) => {
                // Numbers, and what stands in backticks, differ from input to input and mean nothing.
                let words = said.split('`').step_by(2).flat_map(str::chars);
                let shape = words.filter(char::is_ascii_alphabetic).take(60);
                if self.heard.insert(shape.collect()) && input.len() <= KEPT {
                    let at = if self.pool.len() < POOL {
                        self.pool.push(Vec::new());
                        self.pool.len() - 1
                    } else {
                        self.rng.usize(..self.pool.len())
                    };
                    self.pool[at] = input;
                }
                Ok(())
            }
            Err(panic) => {
                let why = panic
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
                    .unwrap_or_default();
                Err((self.smaller(read, input), format!("a panic: {why}")))
            }
        }
    }

    /// Leaves out what is not needed for the panic.
    fn smaller(&self, read: &dyn Fn(&[u8]) -> String, mut input: Vec<u8>) -> Vec<u8> {
        let end = Instant::now() + Duration::from_secs(5);
        let mut step = input.len().next_power_of_two() / 2;
        while step > 0 {
            let mut at = 0;
            while at < input.len() && Instant::now() < end {
                let mut shorter = input.clone();
                shorter.drain(at..(at + step).min(input.len()));
                self.current.begin(&shorter);
                if catch_unwind(AssertUnwindSafe(|| read(&shorter))).is_err() {
                    input = shorter;
                } else {
                    at += step;
                }
            }
            step /= 2;
        }
        input
    }

    fn bent(&mut self) -> Vec<u8> {
        let rng = &mut self.rng;
        let mut input = match self.pool.len() {
            0 => Vec::new(),
            count => self.pool[rng.usize(..count)].clone(),
        };
        // Mostly small: a debug build looks at some megabytes in a second.
        let most = match rng.u16(..4096) {
            0 => LARGEST,
            1..64 => 1 << 16,
            _ => 1 << 11,
        };
        for _ in 0..rng.usize(1..=5) {
            let other = match self.pool.len() {
                0 => &[][..],
                count => &self.pool[rng.usize(..count)],
            };
            bend(rng, &mut input, other, self.target.words, most);
        }
        input.truncate(most);
        input
    }
}

fn found(name: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(corpus(name)).into_iter().flatten();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Bytes that mean something somewhere, and bytes that are no text.
const BYTES: &[u8] =
    b"\0\t\n\r \"'`\\/{}[]()<>:;,.=+-_@#$%&*!?|~^09azAZ\x7f\x80\xbf\xc0\xe2\xed\xf0\xff";

const WORDS: &[&str] = &[
    "\u{feff}",
    "\u{202e}",
    "\u{1f469}\u{200d}\u{1f680}",
    "é",
    "\u{0}",
    "\r\n",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "//",
    "..",
    "%00",
    "NaN",
    "inf",
];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1e999",
    "1e-999",
    "0.1",
    "255",
    "65536",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "1e18",
    "99999999999999999999999999999999999999999",
];

/// One change of an input.
fn bend(rng: &mut fastrand::Rng, input: &mut Vec<u8>, other: &[u8], words: &[&str], most: usize) {
    let at = rng.usize(..=input.len());
    let to =
        (at + rng.usize(..=16.min(input.len() - at) + (input.len() - at) / 4)).min(input.len());
    let pick = |rng: &mut fastrand::Rng, words: &[&str]| -> Vec<u8> {
        words
            .get(rng.usize(..words.len().max(1)))
            .map_or(Vec::new(), |word| word.as_bytes().to_vec())
    };
    let put = |input: &mut Vec<u8>, at: usize, bytes: &[u8]| {
        drop(input.splice(at..at, bytes.iter().copied()));
    };
    match rng.u8(..12) {
        0 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
        1 if at < input.len() => input[at] = BYTES[rng.usize(..BYTES.len())],
        2 => put(input, at, &[BYTES[rng.usize(..BYTES.len())]]),
        3 => drop(input.drain(at..to)),
        4 => {
            // Mostly a few times, at times up to the largest.
            let times = if rng.u8(..20) == 0 { most } else { 8 };
            let piece = input[at..to].to_vec();
            let times = rng.usize(..=times.min(most / piece.len().max(1)));
            put(input, at, &piece.repeat(times));
        }
        5 | 6 => put(input, at, &pick(rng, words)),
        7 => put(input, at, &pick(rng, WORDS)),
        8 => {
            // In place of a number, where there is one behind.
            let from = input[at..].iter().position(u8::is_ascii_digit);
            let from = from.map_or(at, |from| at + from);
            let digits = input[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit());
            let end = from + digits.count();
            let number = pick(rng, NUMBERS);
            input.splice(from..end, number);
        }
        9 if !other.is_empty() => {
            let from = rng.usize(..other.len());
            let end = rng.usize(from..=other.len());
            put(input, at, &other[from..end]);
        }
        10 => {
            // Nested, mostly not closed as it was opened.
            let depth = if rng.u8(..20) == 0 {
                most / 2
            } else {
                rng.usize(..200)
            };
            let pairs: &[(&str, &str)] = &[
                ("[", "]"),
                ("{", "}"),
                ("(", ")"),
                ("{\"a\":", "}"),
                ("-", ""),
                ("!", ""),
                ("`${", "}`"),
                ("/*", "*/"),
            ];
            let (open, close) = pairs[rng.usize(..pairs.len())];
            let depth = depth / open.len();
            put(input, to, close.repeat(depth).as_bytes());
            put(input, at, open.repeat(depth).as_bytes());
        }
        _ => input.truncate(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_is_found_and_made_small() {
        let attack = Attack {
            target: Target::new("nothing", &["x = 1"], &["boom"]),
            rng: fastrand::Rng::with_seed(1),
            end: Instant::now() + Duration::from_mins(1),
            pool: Vec::new(),
            heard: HashSet::new(),
            tried: 0,
            current: Arc::new(Current {
                input: Mutex::default(),
                file: None,
            }),
        };
        let read = |input: &[u8]| {
            let text = String::from_utf8_lossy(input);
            assert!(!text.contains("boom") || !text.contains('='), "found");
            text.into_owned()
        };
        let (input, why) = attack.run(&read).unwrap_err();
        assert!(why.contains("found"), "{why}");
        let mut bytes = input.clone();
        bytes.sort_unstable();
        assert_eq!(bytes, b"=bmoo", "{input:?}");
    }
}
