//! `:help`, `:doc`.

use std::fmt::Write as _;

use super::{COMMANDS, bad};
use crate::manual;
use crate::repl::display::size;
use crate::repl::{Outcome, Repl, Then};

/// Lines longer than this are hard to read.
const WIDEST: usize = 110;

#[allow(clippy::unnecessary_wraps)] // all commands have one shape
pub(super) fn list(repl: &mut Repl, _: &str) -> Outcome {
    let paint = repl.screen.paint;
    let (width, _) = size();
    let usage = COMMANDS.iter().map(|command| command.usage.len()).max();
    let usage = usage.unwrap_or(0);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "Type a statement, and see its value. The last value is `it`. Tab completes; an open bracket goes on with the next line.\n"
    );
    for command in COMMANDS {
        let pad = " ".repeat(usage - command.usage.len());
        let about = crate::text::fit(command.about, width.saturating_sub(usage + 4).max(20));
        let _ = writeln!(out, "  {}{pad}  {about}", paint.cyan(command.usage));
    }
    let _ = writeln!(
        out,
        "\n`NAME?` is help: `exchange?`, `session?`, `exchange::points?`, `NoUnit?`. Ctrl-R looks for what was typed before,\nCtrl-C ends what runs and keeps the variables. A line that begins with a space is not kept."
    );
    repl.screen.page(&out);
    Ok(Then::On)
}

pub(super) fn doc_of(repl: &mut Repl, name: &str) -> Outcome {
    // A variable is helped with by what it holds.
    let name = name.trim_matches('`').trim_end_matches("()");
    let held = repl.talk.console().variable(name);
    let held = held.filter(|value| !value.is_unit());
    let kind = held
        .filter(|_| manual::find(name).is_err())
        .and_then(|_| crate::repl::completion::sort_of(&repl.talk.console(), name));
    let asked = match &kind {
        Some(sort) => match sort.kind {
            Some(kind) => kind.name(),
            None => sort.words.as_str(),
        },
        None => name,
    };
    let pages = manual::find(asked).map_err(|unknown| {
        let near: Vec<String> = unknown
            .nearest
            .iter()
            .map(|name| format!("`:doc {name}`"))
            .collect();
        let fault = bad(format!("there is no help for `{}`", unknown.name));
        vec![
            match near.as_slice() {
                [] => fault,
                near => fault.hint(format!("did you mean {}?", near.join(", "))),
            }
            .hint("`:doc` lists everything, `:help` the commands"),
        ]
    })?;
    let screen = manual::Screen {
        width: size().0.min(WIDEST),
        paint: repl.screen.paint,
    };
    repl.screen.page(&screen.pages(&pages));
    Ok(Then::On)
}
