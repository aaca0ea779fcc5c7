//! `runback runs`: the runs of a state folder, or one of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::flags::Flags;
use super::run::runtime;
use super::values::age;
use super::{Given, settings};
use crate::backup::books::{Item, Outcome as Fate};
use crate::error::{Exit, Fault};
use crate::journal::{Journal, Pruned, Verified};
use crate::report::csv;
use crate::run::{Format, State, Stdout, replace};
use crate::runs::{Follow, Shown, Summary, View, find, forget_results, list};
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// How often a run that is followed is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// List the runs of this state folder, or show one: live, dead or ended
#[derive(Debug, Args)]
pub(super) struct Runs {
    /// The run, as its last line and this list name it; the last six letters are enough
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Look on until it ends
    #[arg(long, requires = "run")]
    follow: bool,
    #[command(flatten)]
    chosen: Chosen,
    /// Check that its evidence is as it was written: exit 0, or 4 with the first row that is not
    #[arg(long, requires = "run", conflicts_with_all = ["follow", "failed", "skipped", "unknown"])]
    verify: bool,
    /// Write its evidence as JSON lines: who, what, when, with the request id of every change; `-` is stdout
    #[arg(long, requires = "run", value_name = "FILE", conflicts_with_all = ["follow", "failed", "skipped", "unknown", "verify"])]
    export: Option<PathBuf>,
    /// Take out runs that are older than this, for example `1y`; never one that can be resumed or holds something unknown
    #[arg(long, value_name = "AGE", value_parser = age, conflicts_with = "run")]
    prune: Option<Duration>,
}

/// Which items are shown.
#[derive(Debug, Args)]
struct Chosen {
    /// Its items that failed
    #[arg(long, requires = "run")]
    failed: bool,
    /// Its items that were skipped
    #[arg(long, requires = "run")]
    skipped: bool,
    /// Its items of which nobody knows what became
    #[arg(long, requires = "run")]
    unknown: bool,
}

impl Chosen {
    /// `None`: all of them.
    fn fates(&self) -> Option<Vec<Fate>> {
        let all = [
            (self.failed, Fate::Failed),
            (self.skipped, Fate::Skipped),
            (self.unknown, Fate::Unknown),
        ];
        let chosen = all.into_iter().filter(|(is_chosen, _)| *is_chosen);
        let fates: Vec<Fate> = chosen.map(|(_, fate)| fate).collect();
        (!fates.is_empty()).then_some(fates)
    }
}

/// The state folder and its journal.
pub(super) fn journal(flags: &Flags, world: &World) -> Result<(State, Journal), Fault> {
    let state = State::open(flags.conduct.state_dir.as_deref(), world)?;
    let journal = Journal::open(state.folder())?;
    Ok((state, journal))
}

/// The state folder as commands must name it, where this command line does.
pub(super) fn folder_flag(given: &Given) -> Option<String> {
    let words = settings::given_words(&given.matches);
    let (_, values) = words.into_iter().find(|(name, _)| name == "state-dir")?;
    values.into_iter().next()
}

impl Runs {
    pub(super) fn run(
        self,
        flags: &Flags,
        given: &Given,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        let (state, journal) = journal(flags, world)?;
        let stdout = Stdout::new(
            flags.conduct.format,
            world.stdout_is_terminal,
            voice.clone(),
        );
        let exit = match &self.run {
            None if let Some(age) = self.prune => {
                prune(&journal, &state, age, flags, world, &stdout)?
            }
            None => all(&journal, flags, voice, &stdout)?,
            Some(name) => {
                let run = find(&journal, name)?.id;
                if self.verify {
                    verify(&journal, &run, flags, &stdout)?
                } else if let Some(file) = &self.export {
                    export(&journal, &run, file, voice)?
                } else {
                    if self.follow {
                        follow(&journal, &run, flags, world, voice, &stdout)?;
                    }
                    self.show(&journal, &run, flags, given, &stdout)?
                }
            }
        };
        stdout.failure().map_or(Ok(exit), Err)
    }

    fn show(
        &self,
        journal: &Journal,
        run: &str,
        flags: &Flags,
        given: &Given,
        stdout: &Stdout,
    ) -> Result<Exit, Fault> {
        let view = View::load(journal, run)?;
        let fates = self.chosen.fates();
        let is_kept = |item: &Item| {
            fates
                .as_ref()
                .is_none_or(|fates| fates.contains(&item.outcome))
        };
        match flags.conduct.format {
            Format::Json => stdout.value(&view.document(is_kept)),
            Format::Table if fates.is_none() => {
                let shown = Shown::of(&view, folder_flag(given).as_deref());
                stdout.print(&shown.head);
                if !shown.sessions.is_empty() {
                    stdout.print("");
                    stdout.table(&Shown::COLUMNS.map(str::to_owned), &shown.sessions);
                }
                if !shown.tail.is_empty() {
                    stdout.print(&format!("\n{}", shown.tail));
                }
            }
            Format::Table | Format::Csv => {
                let items = view.outcome.items.iter().filter(|item| is_kept(item));
                stdout.table(
                    &csv::item_columns(),
                    &items.map(csv::item_cells).collect::<Vec<_>>(),
                );
            }
        }
        Ok(Exit::Success)
    }
}

fn all(journal: &Journal, flags: &Flags, voice: &Voice, stdout: &Stdout) -> Result<Exit, Fault> {
    let runs = list(journal)?;
    match flags.conduct.format {
        Format::Json => stdout.value(&Value::Array(runs.iter().map(Summary::to_json).collect())),
        Format::Table if runs.is_empty() => {
            voice.note("this state folder has no runs yet; one that only reads keeps no record");
        }
        Format::Table | Format::Csv => {
            let rows: Vec<_> = runs.iter().map(Summary::cells).collect();
            stdout.table(&Summary::COLUMNS.map(str::to_owned), &rows);
        }
    }
    Ok(Exit::Success)
}

/// Looks on until nobody works on the run any more: one bar on a terminal, else a line for whatever is new.
fn follow(
    journal: &Journal,
    run: &str,
    flags: &Flags,
    world: &World,
    voice: &Voice,
    stdout: &Stdout,
) -> Result<(), Fault> {
    let runtime = runtime()?;
    let mut seen = Follow::default();
    let mut bar = None;
    let mut total = None;
    loop {
        let view = View::load(journal, run)?;
        if view.standing.holder().is_none() {
            return Ok(());
        }
        let mut news = seen.look(&view);
        if voice.manner().bars {
            if total != Some(news.total) {
                total = Some(news.total);
                bar = Some(voice.bar(run, total));
            }
            if let Some(bar) = &bar {
                bar.set(news.done);
            }
        } else {
            news.lines.extend(news.progress);
        }
        let now = world.clock.now().strftime("%H:%M:%SZ");
        for line in news.lines {
            // stdout is for the document where a machine reads it.
            if flags.conduct.format == Format::Table && !voice.manner().bars {
                stdout.print(&format!("{now} {line}"));
            } else {
                voice.note(&line);
            }
        }
        runtime.block_on(async { world.clock.sleep(LOOK).await });
    }
}

fn verify(journal: &Journal, run: &str, flags: &Flags, stdout: &Stdout) -> Result<Exit, Fault> {
    // Evidence in a file that is damaged elsewhere proves little.
    if let Some(complaint) = journal.check()?.into_iter().next() {
        let message = format!("the journal is damaged: {complaint}");
        return Err(Fault::new(Exit::Unknown, "JournalDamaged", message)
            .hint("keep the file for whoever has to look into it, and put a copy of it back"));
    }
    match journal.verify(run)? {
        Verified::Intact { rows, head } => {
            if flags.conduct.format == Format::Json {
                stdout.value(&json!({ "run": run, "intact": true, "rows": rows, "head": head }));
            } else {
                stdout.print(&format!("run {run}: its {rows} rows of evidence are as they were written; the last one's hash is {head}"));
            }
            Ok(Exit::Success)
        }
        Verified::Broken { row, why } => {
            if flags.conduct.format == Format::Json {
                stdout.value(&json!({ "run": run, "intact": false, "row": row, "why": why }));
            }
            let message =
                format!("the evidence of run `{run}` is not as it was written: row {row}: {why}");
            Err(Fault::new(Exit::Unknown, "EvidenceBroken", message)
                .hint("what stands before this row is as it was written; keep the journal's file for whoever has to look into it"))
        }
    }
}

fn export(journal: &Journal, run: &str, file: &Path, voice: &Voice) -> Result<Exit, Fault> {
    let rows = journal.evidence(run)?;
    let mut text = String::new();
    for row in &rows {
        text.push_str(&row.line());
        text.push('\n');
    }
    if file == Path::new("-") {
        use std::io::Write as _;
        // A reader that went away is no error.
        let _ = std::io::stdout().write_all(text.as_bytes());
        return Ok(Exit::Success);
    }
    replace(file, text.as_bytes()).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", file.display());
        Fault::new(Exit::Unstarted, "NotExported", message)
    })?;
    voice.note(&format!(
        "{} rows of evidence are in `{}`",
        rows.len(),
        file.display()
    ));
    Ok(Exit::Success)
}

fn prune(
    journal: &Journal,
    state: &State,
    age: Duration,
    flags: &Flags,
    world: &World,
    stdout: &Stdout,
) -> Result<Exit, Fault> {
    let before = world.clock.now().checked_sub(age).map_err(|_| {
        Fault::new(
            Exit::Unstarted,
            "BadFlag",
            "`--prune` goes back further than time does",
        )
    })?;
    let pruned = journal.prune(before)?;
    let results = forget_results(journal, &state.results(), before)?;
    if flags.conduct.format == Format::Json {
        stdout.value(&json!({
            "before": before,
            "removed": pruned.removed,
            "results": results,
            "kept": { "open": pruned.open, "running": pruned.locked, "unknown": pruned.unknown },
            "not_shrunk": pruned.not_shrunk,
        }));
    } else {
        stdout.print(&told(&pruned, results, &format!("{before:.0}")));
    }
    Ok(Exit::Success)
}

fn told(pruned: &Pruned, results: usize, before: &str) -> String {
    let mut lines = vec![format!(
        "of the runs that began before {before}, {} taken out, with {results} result documents",
        pruned.removed.len()
    )];
    let kept = [
        (&pruned.open, "can be resumed"),
        (&pruned.locked, "are being worked on"),
        (
            &pruned.unknown,
            "hold something of which nobody knows what became: a person must look",
        ),
    ];
    for (runs, why) in kept {
        if !runs.is_empty() {
            lines.push(format!(
                "kept {}, because they {why}: {}",
                runs.len(),
                runs.join(", ")
            ));
        }
    }
    if let Some(why) = &pruned.not_shrunk {
        lines.push(format!("the file has not become smaller: {why}"));
    }
    lines.join("\n")
}
