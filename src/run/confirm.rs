//! `confirm(text)` of a script.

use crate::error::{Exit, Fault};
use crate::talk::{Reply, Talk};

/// Asks; `given` (`--yes`) is the answer.
///
/// # Errors
/// Exit 5: a person said no, or nobody can be asked.
pub(super) fn confirm(talk: &dyn Talk, given: bool, question: &str) -> Result<(), Fault> {
    if given {
        return Ok(());
    }
    match talk.ask(question, false) {
        Reply::Yes | Reply::All => Ok(()),
        Reply::No => Err(Fault::new(
            Exit::Denied,
            "ConfirmRefused",
            format!("stopped, because you said no: {question}"),
        )),
        Reply::Nobody => Err(Fault::new(
            Exit::Denied,
            "ConfirmNeeded",
            format!("the script asks `{question}`, and there is no terminal to answer on"),
        )
        .hint("answer yes beforehand with `--yes`")),
    }
}
