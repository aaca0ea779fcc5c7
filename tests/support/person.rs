//! A person at `runback repl`, in a terminal of their own.

use std::time::Duration;

pub use rexpect::process::Signal;
use rexpect::session::{PtySession, spawn_command};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{Bench, http};

/// The editor waits for a line; a line was taken.
const READY: &str = "\u{1b}[?2004h";
const TAKEN: &str = "\u{1b}[?2004l";

const PATIENCE: u64 = 20_000;

pub struct Person<'b> {
    terminal: PtySession,
    bench: &'b Bench,
    /// Everything that was shown since the start.
    seen: String,
}

impl<'b> Person<'b> {
    /// Begins a conversation with these flags in a terminal of 80 columns, and waits for the first prompt.
    pub fn new(bench: &'b Bench, flags: &[&str]) -> Self {
        Self::sized(bench, flags, (80, 24))
    }

    pub fn sized(bench: &'b Bench, flags: &[&str], size: (u16, u16)) -> Self {
        let mut person = Self::started(bench, flags, size);
        person.reads(READY);
        person
    }

    /// As [`Person::sized`] where there is no editor to wait for.
    pub fn started(bench: &'b Bench, flags: &[&str], size: (u16, u16)) -> Self {
        let mut command = bench.command();
        if !command.get_envs().any(|(name, _)| name == "TERM") {
            command.env("TERM", "xterm");
        }
        // No test is to wait for a key.
        command.env("PAGER", "cat").arg("repl").args(flags);
        let terminal = spawn_command(command, Some(PATIENCE)).unwrap();
        let person = Self {
            terminal,
            bench,
            seen: String::new(),
        };
        person.resizes(size);
        person
    }

    pub fn resizes(&self, (columns, rows): (u16, u16)) {
        let size = Winsize {
            ws_col: columns,
            ws_row: rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let master = self.terminal.process().get_file_handle().unwrap();
        tcsetwinsize(master, size).unwrap();
    }

    /// Reads up to this text; gives what stood before it.
    #[track_caller]
    fn reads(&mut self, text: &str) -> String {
        match self.terminal.exp_string(&bytewise(text)) {
            Ok(before) => {
                let before = decoded(&before);
                self.seen.push_str(&before);
                self.seen.push_str(text);
                before
            }
            Err(error) => panic!(
                "no {text:?}: {error}\n----- seen -----\n{}",
                plain(&self.seen)
            ),
        }
    }

    /// Waits until this text has been shown, as it is without colours.
    #[track_caller]
    pub fn hears(&mut self, text: &str) -> String {
        plain(&self.reads(text))
    }

    /// Keys, and no Enter.
    pub fn types(&mut self, text: &str) -> &mut Self {
        self.terminal.send(text).unwrap();
        self.terminal.flush().unwrap();
        self
    }

    pub fn presses(&mut self, control: char) -> &mut Self {
        self.terminal.send_control(control).unwrap();
        self.terminal.flush().unwrap();
        self
    }

    /// A line and Enter; gives what was shown until the next prompt.
    #[track_caller]
    pub fn says(&mut self, line: &str) -> String {
        self.begins(line);
        self.waits()
    }

    /// A line and Enter; comes back when it was taken.
    #[track_caller]
    pub fn begins(&mut self, line: &str) -> &mut Self {
        self.types(line).types("\r");
        self.reads(TAKEN);
        self
    }

    /// Waits for the next prompt; gives what was shown before it.
    #[track_caller]
    pub fn waits(&mut self) -> String {
        plain(&self.reads(READY))
    }

    /// Lets no restore of the sandbox in this conversation fail by chance, which is another one every day.
    #[track_caller]
    pub fn without_chance(&mut self) -> &mut Self {
        // A statement that fails is not kept for `:save`.
        let said =
            self.says("throw graph::get(\"/solutions/backupRestore\").raw[\"@odata.context\"]");
        let address = said
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split('/').next());
        let address = address.unwrap_or_else(|| panic!("{said}"));
        let body = serde_json::json!({"chance": "never"}).to_string();
        let (status, text) = http::request(address, "POST", "/_sandbox/break", &body);
        assert!((200..300).contains(&status), "{status} {text}");
        self
    }

    /// Everything that was shown since the start.
    pub fn seen(&self) -> String {
        plain(&self.seen)
    }

    /// Everything that comes until the next prompt, with its colours.
    #[track_caller]
    pub fn raw(&mut self) -> String {
        self.reads(READY)
    }

    /// Everything up to the end, and the exit code.
    #[track_caller]
    pub fn leaves(mut self) -> (String, i32) {
        let shown = self.terminal.exp_eof().unwrap_or_else(|error| {
            panic!(
                "it does not end: {error}\n----- seen -----\n{}",
                plain(&self.seen)
            )
        });
        let shown = decoded(&shown);
        self.seen.push_str(&shown);
        self.bench.expect_no_secret("the terminal", &self.seen);
        // `Exited(Pid(…), CODE)`: its type is another crate's that rexpect does not export.
        let status = format!("{:?}", self.terminal.process().wait().unwrap());
        let code = status
            .strip_prefix("Exited(")
            .and_then(|rest| rest.trim_end_matches(')').rsplit(", ").next()?.parse().ok());
        let code = code.unwrap_or_else(|| panic!("{status}\n{}", plain(&self.seen)));
        (plain(&shown), code)
    }

    /// Says `:quit` and expects the end.
    #[track_caller]
    pub fn quits(mut self) -> (String, i32) {
        self.begins(":quit");
        self.leaves()
    }

    /// Ends the program as a power cut would.
    pub fn dies(mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.terminal.exp_eof();
    }

    pub fn signal(&mut self, signal: Signal) {
        self.terminal.process_mut().signal(signal).unwrap();
    }
}

/// The driver takes each byte for a character.
fn bytewise(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

fn decoded(text: &str) -> String {
    let bytes: Vec<u8> = text
        .chars()
        .filter_map(|letter| u8::try_from(letter).ok())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Gives a program that draws in the background the time to do so.
pub fn a_moment() {
    std::thread::sleep(Duration::from_millis(300));
}

/// What stands on the screen: without colours, without lines that were drawn over.
pub fn plain(shown: &str) -> String {
    let mut text = String::new();
    let mut rest = shown;
    while let Some(at) = rest.find('\u{1b}') {
        text.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        // What is erased is not seen.
        if behind.starts_with("[2K")
            || text.ends_with('\r') && (behind.starts_with("[K") || behind.starts_with("[J"))
        {
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        }
        // `ESC [ … letter`, the only kind that is used here.
        let end = behind
            .char_indices()
            .skip(1)
            .find(|(_, letter)| letter.is_ascii_alphabetic());
        rest = end.map_or("", |(end, _)| &behind[end + 1..]);
    }
    text.push_str(rest);
    let lines = text.split('\n').map(|line| {
        let line = line.trim_end_matches('\r');
        line.rsplit('\r').next().unwrap_or_default()
    });
    lines.collect::<Vec<_>>().join("\n")
}
