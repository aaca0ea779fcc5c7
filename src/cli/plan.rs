//! `runback plan`: what a runbook would do, before it does anything.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::flags::Flags;
use super::run::{argument, command_help, errand, ground, order, script_help};
use crate::error::{Exit, Fault};
use crate::run::{APPLY, Ground, rehearse};
use crate::talk::{Talk as _, Voice};
use crate::world::World;

/// See what a runbook would do, row by row
///
/// Runs it to its end with every change answered here: only reads reach the service, nobody is asked, nothing is waited
/// for. Shows the plan, and with `--out` writes it for `runback apply`. Exit 0 also where rows are skipped: the plan says
/// so. `--format csv` is for signing off, `--format json` the document itself.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Plan {
    /// The runbook's file
    #[arg(value_name = "SCRIPT", required_unless_present_any = ["help", "watched"], value_hint = ValueHint::FilePath)]
    script: Option<PathBuf>,
    /// Arguments of the runbook; `--` before them ends runback's own flags
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// Write the plan to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Of a run of the watched folder: what to do stands on stdin
    #[arg(long, hide = true)]
    watched: bool,
    /// Print help; behind SCRIPT the runbook's own
    #[arg(long, short)]
    help: bool,
}

impl Plan {
    /// Asks for help only, the command's or a script's.
    pub(super) fn is_help(&self) -> bool {
        self.help
    }

    pub(super) fn run(self, flags: &Flags, world: &World, voice: &Voice) -> Result<Exit, Fault> {
        self.run_on(flags, None, world, voice)
    }

    /// `standing`: a tenant that is there already.
    pub(super) fn run_on(
        self,
        flags: &Flags,
        standing: Option<Result<Ground, Fault>>,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        let script = match self.script {
            Some(script) if self.help => return script_help(&script, voice),
            None if !self.watched => return Ok(command_help("plan")),
            script => script,
        };
        if !flags.conduct.report.is_empty() {
            voice.note("a plan is no run: no report is written of it");
        }
        if let Some(out) = &self.out {
            writable(out)?;
        }
        if script.as_deref() == Some(Path::new(APPLY)) {
            let message = format!("`{APPLY}` is no file: `runback apply` runs it");
            return Err(Fault::new(Exit::Unstarted, "NoSuchFile", message));
        }
        let order = match script {
            Some(script) => order(script, self.arguments, flags)?,
            None => errand(flags)?,
        };
        if let Some(ground) = standing {
            return Ok(rehearse(&order, ground, self.out.as_deref(), world, voice));
        }
        // The tenant in this process, where there is one, serves until the plan has been drawn up.
        let (ground, _sandbox) = match ground(order.errand.as_ref(), flags, None, world) {
            Ok((ground, sandbox)) => (Ok(ground), sandbox),
            Err(fault) => (Err(fault), None),
        };
        Ok(rehearse(&order, ground, self.out.as_deref(), world, voice))
    }
}

/// Told before minutes are spent on what cannot be kept.
fn writable(out: &Path) -> Result<(), Fault> {
    let refused = |why: String| {
        let message = format!("`--out {}` cannot be written: {why}", out.display());
        Err(Fault::new(Exit::Unstarted, "BadFlag", message))
    };
    if out.is_dir() {
        return refused("that is a folder".to_owned());
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        Some(missing) => refused(format!("there is no folder `{}`", missing.display())),
        None => Ok(()),
    }
}
