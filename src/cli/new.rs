//! `runback new`: a runbook to start from.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::error::{Exit, Fault};
use crate::talk::{Talk as _, Voice};
use crate::text;

/// Write a new runbook from a template
#[derive(Debug, Args)]
pub(super) struct New {
    /// Its name; `.rhai` is added where it is missing. A file that is there is not touched
    #[arg(value_name = "NAME")]
    name: PathBuf,
    /// What to start from
    #[arg(long, value_name = "TEMPLATE", default_value = "group")]
    template: Template,
}

/// What can be started from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Template {
    /// a group's mailboxes, to the last point before an incident
    Group,
    /// the mailboxes of a CSV file, each to its own instant
    Csv,
    /// single files of a OneDrive
    Files,
    /// who is protected, and how old the newest points are
    Report,
}

impl Template {
    fn text(self) -> &'static str {
        match self {
            Self::Group => include_str!("../../templates/group.rhai"),
            Self::Csv => include_str!("../../templates/csv.rhai"),
            Self::Files => include_str!("../../templates/files.rhai"),
            Self::Report => include_str!("../../templates/report.rhai"),
        }
    }

    /// What makes the file that the trial reads: in a shell, since whoever tries it has nothing yet.
    fn file(self) -> Option<&'static str> {
        match self {
            Self::Csv => Some(
                "printf 'address,before\\nrania.shah@contoso.example,%s\\n' \"$(date -u +%FT%TZ)\" > people.csv",
            ),
            Self::Group | Self::Files | Self::Report => None,
        }
    }

    /// What to give it when it is tried against a simulated tenant.
    fn trial(self) -> &'static str {
        match self {
            Self::Group => "group=Finance before=-24h --sandbox --yes",
            Self::Csv => "people=people.csv --sandbox --yes",
            Self::Files => {
                "user=astrid.yilmaz@contoso.example before=-24h 'pattern=*.docx' --sandbox --yes"
            }
            Self::Report => "--sandbox",
        }
    }
}

impl New {
    pub(super) fn run(self, voice: &Voice) -> Result<Exit, Fault> {
        let path = place(&self.name)?;
        write(&path, self.template.text()).map_err(|error| unwritable(&path, &error))?;
        // For programs: `$EDITOR "$(runback new night)"`.
        let _ = writeln!(io::stdout(), "{}", path.display());
        let shown = quoted(&path);
        voice.note(&format!("its help: `runback run {shown} --help`"));
        if let Some(file) = self.template.file() {
            voice.note(&format!("a file to try it with: `{file}`"));
        }
        let trial = self.template.trial();
        voice.note(&format!(
            "to try it against a simulated tenant: `runback run {shown} {trial}`"
        ));
        Ok(Exit::Success)
    }
}

/// Where the runbook goes: `night` and `night.rhai` are the same one, `restores/night` lies in a folder that must be there.
fn place(name: &Path) -> Result<PathBuf, Fault> {
    let bad = |why: &str| {
        let message = format!("`{}` is no name for a runbook: {why}", name.display());
        Err(Fault::new(Exit::Unstarted, "BadName", message)
            .hint("for example `runback new restore-finance`"))
    };
    let Some(text) = name.to_str() else {
        return bad("it is not UTF-8");
    };
    if text.ends_with(['/', '\\']) {
        return bad("it names a folder");
    }
    let Some(file) = name.file_name().and_then(|file| file.to_str()) else {
        return bad("it names a folder");
    };
    if text::shown(text) != text || text.contains(['\n', '\t', '\r']) {
        return bad("it holds characters that cannot be seen");
    }
    if file.starts_with('-') {
        return bad("a name that begins with a dash would be read as a flag");
    }
    if file.trim() != file {
        return bad("it begins or ends with a blank");
    }
    let is_rhai = Path::new(&file.to_ascii_lowercase())
        .extension()
        .is_some_and(|extension| extension == "rhai");
    if file.eq_ignore_ascii_case(".rhai") {
        return bad("it is an extension only");
    }
    Ok(if is_rhai {
        name.to_owned()
    } else {
        name.with_added_extension("rhai")
    })
}

/// All of it or nothing, and nothing in place of another file.
fn write(path: &Path, body: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    let written = file
        .write_all(body.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

fn unwritable(path: &Path, error: &io::Error) -> Fault {
    let shown = path.display();
    let fault = |message| Fault::new(Exit::Unstarted, "NotWritten", message);
    let folder = path.parent().unwrap_or(Path::new("."));
    match error.kind() {
        io::ErrorKind::AlreadyExists => fault(format!(
            "`{shown}` is there already, and is not overwritten"
        ))
        .hint("choose another name, or move that file away"),
        io::ErrorKind::NotFound => fault(format!("there is no folder `{}`", folder.display()))
            .hint(format!("`mkdir -p {}`, then again", quoted(folder))),
        _ => fault(format!("`{shown}` cannot be written: {error}")),
    }
}

/// As a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    if text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gets_its_extension_once() {
        let rows = [
            ("night", Some("night.rhai")),
            ("night.rhai", Some("night.rhai")),
            ("Night.RHAI", Some("Night.RHAI")),
            ("people.csv", Some("people.csv.rhai")),
            ("v1.2", Some("v1.2.rhai")),
            ("a b", Some("a b.rhai")),
            ("köln", Some("köln.rhai")),
            ("sub/night", Some("sub/night.rhai")),
            ("../night", Some("../night.rhai")),
            ("", None),
            (".", None),
            ("..", None),
            ("sub/", None),
            ("sub/..", None),
            (".rhai", None),
            ("-x", None),
            ("sub/-x", None),
            (" night", None),
            ("a\nb", None),
            ("a\tb", None),
            ("a\u{1b}[2J", None),
            ("a\u{202e}b", None),
        ];
        for (name, expected) in rows {
            let placed = place(Path::new(name)).ok();
            assert_eq!(placed.as_deref(), expected.map(Path::new), "{name:?}");
        }
    }

    #[test]
    fn a_name_is_shown_as_a_shell_takes_it() {
        let rows = [
            ("a/b-c_1.rhai", "a/b-c_1.rhai"),
            ("a b.rhai", "'a b.rhai'"),
            ("$(x).rhai", "'$(x).rhai'"),
            ("it's.rhai", r"'it'\''s.rhai'"),
        ];
        for (name, shown) in rows {
            assert_eq!(quoted(Path::new(name)), shown);
        }
    }
}
