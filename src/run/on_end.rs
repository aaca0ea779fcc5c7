//! The command that is told the result of a run at its end: a mail, a message in a chat.
//!
//! It is the administrator's, from the command line or a settings file that is trusted; no script can reach it.

use std::io::{self, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::talk::{Talk as _, Voice};
use crate::text;
use crate::unix;

/// A person may be waiting at the terminal, and a watched folder for the next script.
const MOST: Duration = Duration::from_secs(30);

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Runs the command through the shell with the document on its standard input. What goes wrong with it is a warning.
pub(super) fn tell(command: &str, document: String, voice: &Voice) {
    if let Err(why) = run(command, document, MOST) {
        voice.warn(&format!("`--on-end {command}` {why}"));
    }
}

fn run(command: &str, document: String, most: Duration) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot be run: {error}");
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", command])
        .stdin(Stdio::piped())
        // stdout is for what the script gives.
        .stdout(unix::stderr().map_err(cannot)?);
    let mut child = unix::apart(&mut shell).spawn().map_err(cannot)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A thread: a command that does not read must not hold us up. That it does not is its own affair.
        let _ = std::thread::Builder::new()
            .name("on-end".into())
            .spawn(move || stdin.write_all(document.as_bytes()));
    }
    match wait(&mut child, most).map_err(cannot)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(match status.code() {
            Some(code) => format!("ended with exit code {code}"),
            None => format!("was ended: {status}"),
        }),
        None => Err(format!(
            "was ended, because it took longer than {}",
            text::time(most)
        )),
    }
}

/// `None`: it took too long, and was ended.
fn wait(child: &mut Child, most: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() >= most {
            unix::kill_all(child);
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn the_document_comes_in_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("told");
        // More than a pipe holds.
        let document = "x".repeat(1 << 20);
        run(
            &format!("cat > '{}'", file.display()),
            document.clone(),
            LONG,
        )
        .unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), document);
    }

    #[test]
    fn what_goes_wrong_is_said() {
        assert_eq!(
            run("exit 7", "{}".to_owned(), LONG).unwrap_err(),
            "ended with exit code 7"
        );
        let killed = run("kill -9 $$", "{}".to_owned(), LONG).unwrap_err();
        assert!(killed.starts_with("was ended: signal: 9"), "{killed}");
        // It reads nothing, and that is no error.
        run("true", "x".repeat(1 << 20), LONG).unwrap();
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_all_that_it_started() {
        let begun = Instant::now();
        let why = run(
            "sleep 600 & sleep 600",
            "{}".to_owned(),
            Duration::from_millis(50),
        )
        .unwrap_err();
        assert_eq!(why, "was ended, because it took longer than 0.1 s");
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
