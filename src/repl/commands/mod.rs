//! What begins with a colon.

mod edit;
mod files;
mod help;
mod look;
mod mode;
mod sessions;
mod who;

pub(super) use files::unquoted;

use super::{Outcome, Repl, Then};
use crate::error::{Exit, Fault};
use crate::script::words;

/// What a command takes, for whoever completes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Words,
    Expression,
    /// Something that has help.
    Name,
    File,
    /// A runbook, and its arguments.
    Script,
    One(&'static [&'static str]),
}

pub(super) struct Command {
    names: &'static [&'static str],
    pub(super) usage: &'static str,
    pub(super) about: &'static str,
    pub(super) takes: Takes,
    act: fn(&mut Repl, &str) -> Outcome,
}

impl Command {
    pub(super) fn word(&self) -> &'static str {
        self.names[0]
    }

    pub(super) fn is_called(&self, word: &str) -> bool {
        self.names.contains(&word)
    }
}

macro_rules! commands {
    ($($names:expr, $usage:literal, $takes:expr, $about:literal, $act:path;)*) => {
        &[$(Command { names: &$names, usage: $usage, about: $about, takes: $takes, act: $act }),*]
    };
}

/// In the order of `:help`.
pub(super) static COMMANDS: &[Command] = commands! {
    [":help", ":h", ":?"], ":help", Takes::Nothing, "this list", help::list;
    [":doc"], ":doc NAME", Takes::Name, "help for a function, a kind of object, a code, a Graph PowerShell cmdlet; also `NAME?`", help::doc_of;
    [":tour"], ":tour", Takes::One(&["stop", "skip"]), "a restore in the sandbox, in ten steps", super::tour::command;
    [":vars"], ":vars", Takes::Nothing, "variables, functions and imports of this conversation", look::vars;
    [":type"], ":type EXPRESSION", Takes::Expression, "what something is, without running it", look::kind;
    [":time"], ":time STATEMENT", Takes::Expression, "how long something takes, and how many requests", look::time;
    [":more"], ":more", Takes::Nothing, "all of the last value, through the pager", look::more;
    [":times"], ":times local|utc", Takes::One(&["local", "utc"]), "show times by the clock on the wall, or in UTC", look::times;
    [":load"], ":load FILE", Takes::File, "run a file's statements here: what it defines stays", files::load;
    [":run"], ":run FILE NAME=VALUE…", Takes::Script, "run a runbook as a run of its own", files::run;
    [":check"], ":check FILE", Takes::Script, "find mistakes without running", files::check;
    [":plan"], ":plan FILE NAME=VALUE…", Takes::Script, "what a runbook would do, row by row", files::plan;
    [":save"], ":save FILE", Takes::File, "make a runbook of what has worked here", super::save::command;
    [":edit"], ":edit", Takes::Nothing, "the last statement in your editor ($EDITOR)", edit::command;
    [":history"], ":history [NUMBER]", Takes::Words, "what was typed last", look::history;
    [":sessions"], ":sessions", Takes::Nothing, "restore sessions that run now, as they go on", sessions::command;
    [":runs"], ":runs [RUN]", Takes::Words, "the runs of this state folder, or one of them", files::runs;
    [":who"], ":who", Takes::Nothing, "tenant, identity, permissions, service status", who::command;
    [":arm"], ":arm [10m]", Takes::Words, "allow changes for so long", mode::arm;
    [":disarm"], ":disarm", Takes::Nothing, "allow no changes any more", mode::disarm;
    [":quit", ":q", ":exit"], ":quit", Takes::Nothing, "leave; Ctrl-D leaves too", quit;
};

/// Runs a command line that begins with a colon.
pub(super) fn run(repl: &mut Repl, typed: &str) -> Outcome {
    let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let lower = word.to_lowercase();
    let Some(command) = COMMANDS.iter().find(|command| command.is_called(&lower)) else {
        return Err(vec![unknown(word)]);
    };
    if command.takes == Takes::Nothing && !rest.trim().is_empty() {
        let message = format!("`{word}` takes nothing, and `{}` was given", rest.trim());
        return Err(vec![bad(message)]);
    }
    (command.act)(repl, rest.trim())
}

/// `name?`
pub(super) fn doc(repl: &mut Repl, name: &str) -> Outcome {
    help::doc_of(repl, name)
}

fn unknown(word: &str) -> Fault {
    let fault = bad(format!("there is no command `{word}`"));
    let names = COMMANDS.iter().flat_map(|command| command.names);
    match words::nearest(word, names.copied()) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault.hint("`:help` lists them"),
    }
}

/// Something is wrong with a command.
fn bad(message: impl Into<String>) -> Fault {
    Fault::new(Exit::Unstarted, "BadCommand", message)
}

#[allow(clippy::unnecessary_wraps)] // all commands have one shape
fn quit(_: &mut Repl, _: &str) -> Outcome {
    Ok(Then::Leave)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_one_meaning() {
        let mut names: Vec<&str> = COMMANDS
            .iter()
            .flat_map(|command| command.names.iter().copied())
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(
            COMMANDS
                .iter()
                .all(|command| command.usage.starts_with(command.word()))
        );
    }

    #[test]
    fn a_mistyped_command_names_the_nearest() {
        assert_eq!(unknown(":hlep").hints, ["did you mean `:help`?"]);
        assert_eq!(unknown(":sesions").hints, ["did you mean `:sessions`?"]);
        assert_eq!(unknown(":frobnicate").hints, ["`:help` lists them"]);
    }
}
