//! A question on the terminal, and the answer.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::mpsc;
use std::time::Duration;

use super::Reply;
use crate::unix;
use crate::world::World;

/// How often a waiting question looks whether the run was stopped.
const LOOK: Duration = Duration::from_millis(50);

/// Asks on the terminal that the program was started from, also when stdin or stderr is redirected.
///
/// Nobody is asked where neither is a terminal: a service manager or a pipe cannot answer. No answer is a no.
pub(super) fn ask(world: &World, question: &str, offer_all: bool) -> Reply {
    if !world.stdin_is_terminal && !world.stderr_is_terminal {
        return Reply::Nobody;
    }
    let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") else {
        if world.stdin_is_terminal && world.stderr_is_terminal {
            let ready = |within| unix::is_readable(&io::stdin(), within);
            return converse(
                world,
                question,
                offer_all,
                (io::stdin(), ready),
                io::stderr(),
            );
        }
        return Reply::Nobody;
    };
    match (terminal.try_clone(), terminal.try_clone()) {
        (Ok(writer), Ok(watched)) => {
            let ready = |within| unix::is_readable(&watched, within);
            converse(world, question, offer_all, (terminal, ready), writer)
        }
        _ => Reply::Nobody,
    }
}

fn converse(
    world: &World,
    question: &str,
    offer_all: bool,
    (input, ready): (impl Read + Send + 'static, impl Fn(Duration) -> bool),
    mut output: impl Write,
) -> Reply {
    let choices = if offer_all { "[y/N/all]" } else { "[y/N]" };
    if write!(output, "{question} {choices} ")
        .and_then(|()| output.flush())
        .is_err()
    {
        return Reply::Nobody;
    }
    // Nothing is read before there is something: after Ctrl-C a reader that still waits would take the next line, which is
    // not meant for it.
    while !ready(LOOK) {
        if world.cancel.is_cancelled() {
            let _ = writeln!(output);
            return Reply::No;
        }
    }
    // Reading a terminal cannot be interrupted, so another thread does it; after Ctrl-C it is left to its fate.
    let (sender, answer) = mpsc::channel();
    let reader = std::thread::Builder::new()
        .name("question".into())
        .spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(input).read_line(&mut line);
            let _ = sender.send(line);
        });
    if reader.is_err() {
        return Reply::Nobody;
    }
    loop {
        match answer.recv_timeout(LOOK) {
            Ok(line) => return understand(&line, offer_all),
            Err(mpsc::RecvTimeoutError::Timeout) if !world.cancel.is_cancelled() => {}
            Err(_) => {
                let _ = writeln!(output);
                return Reply::No;
            }
        }
    }
}

/// Only a clear yes is a yes.
fn understand(line: &str, offer_all: bool) -> Reply {
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Reply::Yes,
        "a" | "all" if offer_all => Reply::All,
        _ => Reply::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let mut world = World::real();
        world.stdin_is_terminal = false;
        world.stderr_is_terminal = false;
        world
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        let rows = [
            ("y\n", true, Reply::Yes),
            ("YES\r\n", true, Reply::Yes),
            ("all\n", true, Reply::All),
            ("all\n", false, Reply::No),
            ("\n", true, Reply::No),
            ("", true, Reply::No),
            ("yes please\n", true, Reply::No),
        ];
        for (line, offer_all, expected) in rows {
            assert_eq!(understand(line, offer_all), expected, "{line:?}");
        }
    }

    #[test]
    fn a_question_shows_its_choices_and_reads_one_line() {
        let mut output = Vec::new();
        let reply = converse(
            &world(),
            "activate 3 mailboxes?",
            true,
            (&b"all\nmore"[..], |_| true),
            &mut output,
        );
        assert_eq!(reply, Reply::All);
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "activate 3 mailboxes? [y/N/all] "
        );
    }

    #[test]
    fn ctrl_c_during_a_question_is_a_no() {
        struct Silent;
        impl Read for Silent {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                loop {
                    std::thread::park();
                }
            }
        }
        let world = world();
        world.cancel.cancel();
        assert_eq!(
            converse(&world, "go?", false, (Silent, |_| true), Vec::new()),
            Reply::No
        );
    }

    #[test]
    fn nobody_is_asked_without_a_terminal() {
        assert_eq!(ask(&world(), "go?", true), Reply::Nobody);
    }
}
