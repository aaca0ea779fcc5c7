//! `runback repl`: an administrator types, sees, and keeps what has proved right as a runbook.
//!
//! What is typed runs in a [`Conversation`]; this room reads lines, completes them, and shows what came of them. It knows no HTTP.

mod brackets;
mod commands;
mod completion;
mod display;
mod editor;
mod helper;
mod highlight;
mod hints;
mod history;
mod prompt;
mod save;
mod tour;

use std::io::BufRead as _;

use rhai::Dynamic;

use crate::error::{Exit, Fault};
use crate::run::{Conversation, Leaving};
use crate::talk::Talk as _;
use crate::text::Paint;
use display::{Screen, Times, plainly};
use editor::{Editor, Typed};
pub(crate) use prompt::Named;
use prompt::Prompt;
use save::Kept;
use tour::Tour;

/// Runs one of runback's other commands, by its words, against the tenant of the conversation.
pub(crate) type Elsewhere = Box<dyn Fn(&[String]) -> Result<Exit, Fault>>;

/// What the command line knows of the conversation.
pub(crate) struct Frame {
    pub(crate) tenant: Named,
    pub(crate) is_sandbox: bool,
    /// Colours on stdout.
    pub(crate) paint: Paint,
    pub(crate) elsewhere: Elsewhere,
}

/// Whether the conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    On,
    Leave,
}

type Outcome = Result<Then, Vec<Fault>>;

struct Repl {
    talk: Conversation,
    screen: Screen,
    prompt: Prompt,
    elsewhere: Elsewhere,
    is_sandbox: bool,
    /// What has worked, for `:save`.
    kept: Vec<Kept>,
    /// Files that were written by it: written over without a question.
    saved: Vec<std::path::PathBuf>,
    last: Dynamic,
    tour: Option<Tour>,
    /// `None` where what is typed comes out of a pipe.
    editor: Option<Editor>,
}

/// Talks until somebody leaves; gives the exit code.
pub(crate) fn converse(talk: Conversation, frame: Frame) -> Exit {
    let is_typed = talk.world.stdin_is_terminal;
    let screen = Screen {
        is_terminal: is_typed && talk.world.stdout_is_terminal,
        paint: frame.paint,
        voice: talk.voice.clone(),
        times: Times::Utc,
        pager: talk.world.variable("PAGER"),
    };
    let prompt = Prompt::new(
        frame.tenant,
        talk.arming().clone(),
        talk.world.clone(),
        frame.paint,
    );
    let repl = Repl {
        talk,
        screen,
        prompt,
        elsewhere: frame.elsewhere,
        is_sandbox: frame.is_sandbox,
        kept: Vec::new(),
        saved: Vec::new(),
        last: Dynamic::UNIT,
        tour: None,
        editor: None,
    };
    if is_typed {
        repl.typed(frame.paint)
    } else {
        repl.piped()
    }
}

/// The name that `name?` or `?name` asks about.
fn asked(typed: &str) -> Option<&str> {
    let typed = typed.trim();
    let name = match (typed.strip_prefix('?'), typed.strip_suffix('?')) {
        (Some(name), _) | (None, Some(name)) => name.trim(),
        (None, None) => return None,
    };
    let is_name = |letter: char| letter.is_alphanumeric() || "_:.-()`".contains(letter);
    (name.chars().all(is_name)).then_some(name)
}

impl Repl {
    /// A person at a terminal.
    fn typed(mut self, paint: Paint) -> Exit {
        crate::unix::keep_terminal();
        match Editor::new(&self.talk, self.prompt.clone(), paint) {
            Ok(editor) => self.editor = Some(editor),
            Err(fault) => {
                self.talk.voice.fault(&fault);
                return self.talk.close(Leaving::AtOnce, vec![fault]);
            }
        }
        self.greet();
        let mut was_interrupted = false;
        while let Some(editor) = self.editor.as_mut() {
            let read = editor.read();
            match read {
                Ok(Typed::Line(line)) => {
                    was_interrupted = false;
                    match self.turn(&line) {
                        Ok(Then::On) => {}
                        Ok(Then::Leave) => break,
                        Err(faults) => self.talk.voice.faults(&faults),
                    }
                    if self.talk.is_over().is_some() {
                        break;
                    }
                }
                Ok(Typed::Interrupted { was_empty }) => {
                    if was_empty && was_interrupted {
                        break;
                    }
                    was_interrupted = was_empty;
                    if was_empty {
                        self.talk
                            .voice
                            .note("press Ctrl-C once more to leave; Ctrl-D and `:quit` leave too");
                    }
                }
                Ok(Typed::End) => break,
                Err(fault) => {
                    self.talk.voice.fault(&fault);
                    break;
                }
            }
        }
        let leaving = self.leaving();
        self.talk.close(leaving, Vec::new())
    }

    /// Whether somebody wants to wait for what still runs.
    fn leaving(&self) -> Leaving {
        if self.talk.is_over().is_some() {
            return Leaving::AtOnce;
        }
        let running = self.talk.running();
        if running == 0 {
            return Leaving::Waiting;
        }
        let what = if running == 1 {
            "1 restore session still runs".to_owned()
        } else {
            format!("{running} restore sessions still run")
        };
        let fate = if self.is_sandbox {
            "and will be gone with this sandbox"
        } else {
            "and will go on without this program"
        };
        let question = format!("{what}, {fate}: wait for the end?");
        match self.talk.within(|| self.talk.voice.ask(&question, false)) {
            crate::talk::Reply::Yes => Leaving::Waiting,
            _ => Leaving::AtOnce,
        }
    }

    /// Statements out of a pipe: each as soon as it is whole, up to the first error.
    fn piped(mut self) -> Exit {
        let mut typed = String::new();
        let mut lines = std::io::stdin().lock().lines();
        loop {
            let line = match lines.next() {
                Some(Ok(line)) => line,
                // What is no text is no statement.
                Some(Err(error)) => {
                    let message = format!("the standard input cannot be read: {error}");
                    let fault = Fault::new(Exit::Unstarted, "UnreadableFile", message);
                    return self.failed(vec![fault]);
                }
                None => break,
            };
            typed.push_str(&line);
            if helper::asks_for_more(&typed) {
                typed.push('\n');
                continue;
            }
            match self.turn(&std::mem::take(&mut typed)) {
                Ok(Then::On) => {}
                Ok(Then::Leave) => return self.talk.close(Leaving::Waiting, Vec::new()),
                Err(faults) => return self.failed(faults),
            }
        }
        if !typed.trim().is_empty()
            && let Err(faults) = self.turn(&typed)
        {
            return self.failed(faults);
        }
        if let Some(fault) = self.talk.stdout.failure() {
            return self.failed(vec![fault]);
        }
        self.talk.close(Leaving::Waiting, Vec::new())
    }

    fn failed(self, faults: Vec<Fault>) -> Exit {
        self.talk.voice.faults(&faults);
        let is_final = |fault: &Fault| matches!(fault.exit, Exit::Interrupted | Exit::Terminated);
        let leaving = if faults.iter().any(is_final) {
            Leaving::AtOnce
        } else {
            Leaving::Waiting
        };
        self.talk.close(leaving, faults)
    }

    fn greet(&self) {
        let version = env!("CARGO_PKG_VERSION");
        let more = if self.is_sandbox {
            "a simulated tenant; `:help` lists what there is, `:tour` leads through a restore"
        } else {
            "`:help` lists what there is, `:who` says whose tenant this is, `:arm` allows changes"
        };
        self.screen.say(&format!("runback {version}: {more}"));
    }

    /// One thing that was typed: a command, a question, or a statement.
    fn turn(&mut self, typed: &str) -> Outcome {
        let trimmed = typed.trim();
        if trimmed.is_empty() {
            return Ok(Then::On);
        }
        let outcome = if trimmed.starts_with(':') {
            commands::run(self, trimmed)
        } else if let Some(name) = asked(trimmed) {
            commands::doc(self, name)
        } else {
            self.statement(typed).map(|()| Then::On)
        };
        tour::look(self, trimmed, outcome.is_ok());
        self.meet_tenant();
        outcome
    }

    /// Once somebody has signed in, the token says whose tenant this is.
    fn meet_tenant(&self) {
        let Some(identity) = self.talk.tenant().client.known_identity() else {
            return;
        };
        if let Some(other) = self.prompt.meet(&identity.claims) {
            self.talk.voice.warn(&format!(
                "the token is for tenant {other}, not for the one that `--tenant` names"
            ));
        }
    }

    /// Runs what was typed, keeps it, shows its value.
    fn statement(&mut self, typed: &str) -> Result<(), Vec<Fault>> {
        let value = self.talk.run(typed)?;
        self.kept.push(Kept::new(typed, value.is_some()));
        let Some(value) = value else {
            return Ok(());
        };
        self.talk.console().remember(&value);
        self.last = value.clone();
        self.show(&value).map_err(|fault| vec![fault])
    }

    fn show(&self, value: &Dynamic) -> Result<(), Fault> {
        let shown = self.talk.within(|| {
            if self.screen.is_terminal {
                self.screen.value(value)
            } else {
                plainly(&self.talk.stdout, value)
            }
        });
        shown.map_err(|fault| self.talk.reason().unwrap_or(fault))
    }
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn a_question_mark_asks_about_a_name() {
        for (typed, name) in [
            ("exchange?", Some("exchange")),
            ("?session.activate", Some("session.activate")),
            (
                "New-MgSolutionBackupRestoreExchangeRestoreSession?",
                Some("New-MgSolutionBackupRestoreExchangeRestoreSession"),
            ),
            ("exchange::points()?", Some("exchange::points()")),
            ("? table", Some("table")),
            ("?", Some("")),
            ("x ?? 5", None),
            ("f(x)?.y", None),
            ("\"why?\"", None),
            ("a b?", None),
        ] {
            assert_eq!(asked(typed), name, "{typed}");
        }
    }
}
