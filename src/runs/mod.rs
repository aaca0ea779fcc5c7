//! The runs of a state folder, looked at from outside: what they are, what they did, what is left to do.
//!
//! Everything here is read from the journal, also of a run that another process works on or that is dead. Only drafts ask the
//! service, because only it knows what they are now.

mod doubt;
mod drafts;
mod failed;
mod follow;
mod list;
mod prune;
mod show;
mod standing;
mod view;
mod wish;

pub(crate) use drafts::{Cleaner, Draft, known_drafts};
pub(crate) use failed::failed;
pub(crate) use follow::Follow;
pub(crate) use list::{Summary, list};
pub(crate) use prune::{age, forget_results};
pub(crate) use show::Shown;
pub(crate) use view::{View, find};
pub(crate) use wish::wish;

/// An instant in a list for people: to the second.
fn shown(instant: jiff::Timestamp) -> String {
    format!("{instant:.0}")
}

/// The command that goes on with a run. `folder`: the state folder, where it is not the usual one.
pub(crate) fn resume_command(run: &str, folder: Option<&str>) -> String {
    match folder {
        Some(folder) => format!("runback resume {run} --state-dir {}", shell_word(folder)),
        None => format!("runback resume {run}"),
    }
}

/// A word of a command line, in quotes where it needs them.
fn shell_word(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+:=@".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        assert_eq!(resume_command("r", None), "runback resume r");
        let rows = [
            ("/var/lib/run-back", "/var/lib/run-back"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("$HOME", "'$HOME'"),
        ];
        for (folder, word) in rows {
            let command = resume_command("r", Some(folder));
            assert_eq!(command, format!("runback resume r --state-dir {word}"));
        }
    }
}
