//! A wish that is left for a run which another process works on.

use super::standing::Standing;
use super::view::find;
use crate::error::{Exit, Fault};
use crate::journal::{Holder, Journal, RunRow, Wish};

/// Leaves a wish for the process that works on a run.
///
/// # Errors
/// Exit 2: there is no such run, or nobody works on it.
pub(crate) fn wish(journal: &Journal, name: &str, wish: Wish) -> Result<(RunRow, Holder), Fault> {
    let row = find(journal, name)?;
    if let Standing::Running(holder) = Standing::now(journal, &row.id, row.open) {
        journal.wish(&row.id, wish)?;
        return Ok((row, holder));
    }
    // Read again: it may have ended just now.
    let row = find(journal, &row.id)?;
    let run = &row.id;
    let (how, hint) = if row.open {
        let how = match row.exit.filter(|_| row.ended.is_some()) {
            Some(exit) => format!("it was stopped, with exit code {exit}"),
            None => "its process is gone".to_owned(),
        };
        (
            how,
            format!(
                "`runback resume {run}` goes on with it; `runback runs {run}` shows what still runs in the service"
            ),
        )
    } else {
        let exit = row.exit.unwrap_or_default();
        let how = format!("it has ended with exit code {exit}");
        (how, format!("`runback runs {run}` shows what it came to"))
    };
    let message = format!("nobody works on run `{run}`: {how}");
    Err(Fault::new(Exit::Unstarted, "NotRunning", message).hint(hint))
}
