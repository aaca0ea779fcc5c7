//! This test binary once more, as another process that works with the same folder.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::*;

/// What the child is to do, and in which folder.
const PART: &str = "RUNBACK_TEST_JOURNAL_PART";
const FOLDER: &str = "RUNBACK_TEST_JOURNAL_FOLDER";

/// Each line of its own that a child says starts with this: the test harness speaks too.
const MARK: &str = "child: ";

pub(super) fn command(part: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "journal::tests::child::child", "--ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(PART, part)
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The same as a user who owns nothing; as ourselves, where we are no superuser and so can be kept out.
pub(super) fn as_nobody(command: &mut Command) {
    if crate::unix::user() == 0 {
        command.uid(65_534).gid(65_534);
    }
}

/// What a child says, one line after the other.
pub(super) fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| {
        let at = line.find(MARK)?;
        Some(line[at + MARK.len()..].to_owned())
    })
}

#[test]
#[ignore = "a part of other tests, which start it"]
#[allow(clippy::print_stdout)]
fn child() {
    let (Ok(part), Ok(folder)) = (std::env::var(PART), std::env::var(FOLDER)) else {
        panic!("{PART} and {FOLDER} say what to do");
    };
    let say = |what: &str| println!("\n{MARK}{what}");
    let journal = match Journal::open(Path::new(&folder)) {
        Ok(journal) => journal,
        Err(error) => return say(&error.to_string()),
    };
    match part.as_str() {
        "write" => {
            begun(&journal);
            say("begun");
            for sequence in 0..5 {
                journal.put(answer("", u32::try_from(sequence).unwrap(), b"x"));
                journal.sync_blocking(intent(sequence)).unwrap();
                say("intent");
            }
        }
        "hold" => {
            let _lock = journal.lock(RUN).unwrap();
            say("held");
            let _ = std::io::stdin().read(&mut [0]);
        }
        "lease" => {
            say("ready");
            let _ = std::io::stdin().read(&mut [0]);
            for unit in super::lease::all_of("child", &journal) {
                say(&unit);
            }
        }
        part => panic!("there is no part `{part}`"),
    }
}
