//! `:edit`: the last statement in the person's own editor, and back onto the line.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use super::bad;
use crate::repl::{Outcome, Repl, Then};
use crate::unix;

pub(super) fn command(repl: &mut Repl, _: &str) -> Outcome {
    if repl.editor.is_none() {
        return Err(vec![bad("`:edit` needs a terminal")]);
    }
    let world = &repl.talk.world;
    let wanted = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| world.variable(name));
    let wanted = wanted.unwrap_or_else(|| "vi".to_owned());
    let last = repl.kept.last().map_or("", |kept| kept.typed.as_str());
    let file = repl
        .talk
        .state
        .folder()
        .join(format!("edit-{}.rhai", std::process::id()));
    let edited = edit(&file, &wanted, last);
    let _ = fs::remove_file(&file);
    let edited = edited.map_err(|error| {
        vec![
            bad(format!("`{wanted}` cannot be used: {error}"))
                .hint("name another one in the variable EDITOR"),
        ]
    })?;
    let edited = edited.trim_end();
    if let Some(editor) = &mut repl.editor
        && !edited.is_empty()
    {
        // Looked at once more: Enter runs it.
        editor.offer(edited);
    }
    Ok(Then::On)
}

fn edit(file: &std::path::Path, wanted: &str, text: &str) -> std::io::Result<String> {
    let mut open = unix::private_file(file)?;
    open.set_len(0)?;
    writeln!(open, "{text}")?;
    drop(open);
    let mut words = wanted.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program).args(words).arg(file).status()?;
    if !status.success() {
        return Err(std::io::Error::other(format!("it ended with {status}")));
    }
    fs::read_to_string(file)
}
