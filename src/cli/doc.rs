//! `runback doc`: help for a name, and the reference as files.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::flags::Flags;
use crate::error::{Exit, Fault};
use crate::manual::{self, Page, Screen, Unknown};
use crate::run::Format;
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// Help for a function, a kind of object, a code, or a Graph PowerShell cmdlet
#[derive(Debug, Args)]
pub(super) struct Doc {
    /// `exchange::create_session`, `session.activate`, `exchange`, `arguments`, `NoUnit`, `New-MgSolution…`
    #[arg(value_name = "NAME", conflicts_with_all = ["markdown", "definitions"])]
    name: Option<String>,
    /// Write the whole reference into this folder
    #[arg(long, value_name = "DIR")]
    markdown: Option<PathBuf>,
    /// Write definition files for editors (`.d.rhai`) into this folder
    #[arg(long, value_name = "DIR")]
    definitions: Option<PathBuf>,
}

/// Lines longer than this are hard to read, however wide the terminal.
const WIDEST: u16 = 110;

/// Where nobody says how wide.
const USUAL: u16 = 80;

impl Doc {
    pub(super) fn run(self, flags: &Flags, world: &World, voice: &Voice) -> Result<Exit, Fault> {
        if let Some(folder) = &self.markdown {
            write_files(folder, manual::reference(), voice)?;
        }
        if let Some(folder) = &self.definitions {
            write_files(folder, manual::definitions(), voice)?;
        }
        if self.markdown.is_some() || self.definitions.is_some() {
            return Ok(Exit::Success);
        }
        let name = self.name.unwrap_or_default();
        let shown = match flags.conduct.format {
            Format::Table => {
                let pages = manual::find(&name).map_err(unknown)?;
                screen(flags, world).pages(&pages)
            }
            Format::Json if name.is_empty() => as_json(&manual::everything()),
            Format::Json => as_json(&manual::find(&name).map_err(unknown)?),
            Format::Csv => {
                return Err(Fault::new(
                    Exit::Unstarted,
                    "BadFlag",
                    "help is no table: there is no `--format csv` of it",
                )
                .hint("`--format json` is for programs"));
            }
        };
        say(&shown)
    }
}

/// One document: an array of pages.
fn as_json(pages: &[Page]) -> String {
    let data: Vec<_> = pages.iter().map(|page| &page.data).collect();
    serde_json::json!(data).to_string() + "\n"
}

fn screen(flags: &Flags, world: &World) -> Screen {
    let columns = world
        .stdout_is_terminal
        .then(terminal_size::terminal_size)
        .flatten()
        .map_or(USUAL, |(width, _)| width.0);
    Screen {
        width: columns.clamp(20, WIDEST).into(),
        paint: flags.paint_stdout(world),
    }
}

fn unknown(unknown: Unknown) -> Fault {
    let fault = Fault::new(
        Exit::Unstarted,
        "NoSuchName",
        format!("there is no help for `{}`", unknown.name),
    );
    let near: Vec<String> = unknown
        .nearest
        .iter()
        .map(|name| format!("`runback doc {name}`"))
        .collect();
    let fault = match near.as_slice() {
        [] => fault,
        near => fault.hint(format!("did you mean {}?", near.join(", "))),
    };
    fault.hint("`runback doc` lists everything")
}

/// A reader that went away has seen what it wanted.
fn say(text: &str) -> Result<Exit, Fault> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::new(
            Exit::Unstarted,
            "OutputLost",
            format!("stdout could not be written: {error}"),
        )),
        _ => Ok(Exit::Success),
    }
}

/// Writes files below a folder, which is made if it is not there.
fn write_files(folder: &Path, files: Vec<(String, String)>, voice: &Voice) -> Result<(), Fault> {
    let count = files.len();
    for (name, text) in files {
        let path = folder.join(name);
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text));
        written.map_err(|error| {
            Fault::new(
                Exit::Unstarted,
                "FileError",
                format!("`{}` cannot be written: {error}", path.display()),
            )
        })?;
    }
    voice.note(&format!("{count} files written to {}", folder.display()));
    Ok(())
}
