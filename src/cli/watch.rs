//! `runback watch`: runs what is dropped into a folder.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::flags::Flags;
use super::values::duration;
use super::{Given, settings};
use crate::error::{Exit, Fault};
use crate::report::table::{self, Layout};
use crate::run::{Format, State, Stdout};
use crate::talk::{Talk as _, Voice};
use crate::watch::{self, Order, Status, Waking};
use crate::world::World;

/// A run of the watched folder takes no longer, unless `--max-time` says so.
const LONGEST: Duration = Duration::from_hours(24);

/// Not handed on to runs: they are set for each, or are the watcher's own.
const OWN: &[&str] = &["report", "max-time"];

/// Run what is dropped into a folder
///
/// A script `x.rhai` (with `x.args.json` for its arguments, and `x.rhai.minisig`, `x.args.json.minisig` where signatures are
/// wanted) runs once, in a process of its own, under the policy. Its result lies in `done/`, `failed/` or `quarantine/` of the
/// inbox. Exit 0; with `--once` 1 where something failed or was not let in; 2 where it cannot or must not begin.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// The folder
    #[arg(value_name = "INBOX", value_hint = ValueHint::DirPath)]
    inbox: PathBuf,
    /// Run everything that is there, then leave: for cron
    #[arg(long)]
    once: bool,
    /// Look this often, and wait for no events: for network shares
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    poll: Option<Duration>,
    /// How long a file must not have changed before it is taken
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    settle: Duration,
    /// How many scripts run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// A folder that scripts may import from, beside `std/` (repeatable)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    library: Vec<PathBuf>,
    /// Show how the watcher of this folder is getting on, and leave: 0 where one watches, 1 where none does
    #[arg(long)]
    status: bool,
}

impl Watch {
    pub(super) fn run(
        self,
        flags: &Flags,
        given: &Given,
        world: &World,
        voice: &Voice,
    ) -> Result<Exit, Fault> {
        if self.status {
            return self.show(flags, world, voice);
        }
        let waking = Waking::begin().map_err(|error| {
            let message = format!("signals cannot be obeyed: {error}");
            Fault::new(Exit::Unstarted, "NoSignals", message)
        })?;
        let Some(policy) = flags.conduct.policy.clone() else {
            let message = "a watched folder needs a policy: it runs code with the right to restore";
            return Err(Fault::new(Exit::Unstarted, "NoPolicy", message)
                .hint("`--policy FILE` or RUNBACK_POLICY names it; the smallest one says `allow = [\"read\"]`"));
        };
        if !flags.conduct.report.is_empty() {
            voice.note("each run has its `result.json`: `--report` is not written");
        }
        if let Some(poll) = self.poll.filter(Duration::is_zero) {
            let message = format!("`--poll` cannot be {poll:?}");
            return Err(
                Fault::new(Exit::Unstarted, "BadFlag", message).hint("write a duration like `5s`")
            );
        }
        // Tells of the flags what a run would, before anything is dropped.
        flags.sandbox.check()?;
        let state = State::open(flags.conduct.state_dir.as_deref(), world)?;
        let absolute = |path: &PathBuf| -> Result<PathBuf, Fault> {
            path.canonicalize().map_err(|error| {
                let message = format!("there is no folder `{}`: {error}", path.display());
                Fault::new(Exit::Unstarted, "NoSuchFolder", message)
            })
        };
        let max_time = flags.conduct.max_time.unwrap_or(LONGEST);
        let mut words = settings::typed_words(&given.matches, OWN);
        words.push(format!("--max-time={}ms", max_time.as_millis()).into());
        let keys = [
            flags.secret.client_secret_file.clone(),
            flags.tenant.ca_file.clone(),
            flags.settings.config.clone(),
            world
                .variable("AZURE_CLIENT_CERTIFICATE_PATH")
                .map(PathBuf::from),
        ];
        let order = Order {
            inbox: absolute(&self.inbox).map_err(|fault| {
                fault.hint(format!("`mkdir -m 700 {}` makes it", self.inbox.display()))
            })?,
            state: state
                .folder()
                .canonicalize()
                .unwrap_or_else(|_| state.folder().to_owned()),
            policy,
            data: flags
                .conduct
                .data
                .iter()
                .map(absolute)
                .collect::<Result<_, _>>()?,
            libraries: self
                .library
                .iter()
                .map(absolute)
                .collect::<Result<_, _>>()?,
            keys: keys.into_iter().flatten().collect(),
            words,
            max_time: Some(max_time),
            settle: self.settle,
            poll: self.poll,
            jobs: self.jobs.into(),
            once: self.once,
        };
        watch::watch(order, waking, world, voice)
    }

    fn show(&self, flags: &Flags, world: &World, voice: &Voice) -> Result<Exit, Fault> {
        let shown = self.inbox.display();
        let found = watch::status(&self.inbox).map_err(|error| {
            let message = format!("the status of `{shown}` cannot be read: {error}");
            let fault = Fault::new(Exit::Unstarted, "UnreadableFile", message);
            match error.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    fault.hint("only the user that watches it may look: ask as that user")
                }
                _ => fault,
            }
        })?;
        let Some((status, lives)) = found else {
            let message = format!("nobody has ever watched `{shown}`");
            return Err(Fault::new(Exit::Unstarted, "NeverWatched", message)
                .hint(format!("`runback watch {shown} --policy FILE` does")));
        };
        let stdout = Stdout::new(
            flags.conduct.format,
            world.stdout_is_terminal,
            voice.clone(),
        );
        if flags.conduct.format == Format::Table {
            stdout.whole(&lines(&status, lives));
        } else {
            let mut value = serde_json::to_value(&status).unwrap_or_default();
            value["alive"] = lives.into();
            stdout.value(&value);
        }
        if let Some(fault) = stdout.failure() {
            return Err(fault);
        }
        Ok(if lives {
            Exit::Success
        } else {
            Exit::Incomplete
        })
    }
}

/// The status for people.
fn lines(status: &Status, lives: bool) -> String {
    let state = if lives {
        format!(
            "{} by process {} on {}, runback {}, since {:.0}",
            status.state, status.pid, status.host, status.version, status.started
        )
    } else {
        format!(
            "nobody watches; process {} on {} was the last",
            status.pid, status.host
        )
    };
    let scan = match status.last_scan {
        Some(at) => format!("{at:.0}, took {} ms", status.scan_milliseconds),
        None => "none yet".to_owned(),
    };
    let filed = status.filed;
    let mut text = format!(
        "state      {state}
queue      {} ready, {} being written
running    {}
pending    {}
filed      {} done, {} failed, {} not let in, since the start
last scan  {scan}
events     {}
ignored    {} files that are no runbooks
",
        status.queue,
        status.unsettled,
        status.running.len(),
        status.pending.len(),
        filed.done,
        filed.failed,
        filed.quarantine,
        if status.events {
            "yes"
        } else {
            "no: looked at from time to time"
        },
        status.ignored,
    );
    if !status.running.is_empty() {
        let columns = ["run", "script", "since"].map(str::to_owned);
        let rows: Vec<Vec<serde_json::Value>> = status
            .running
            .iter()
            .map(|run| {
                vec![
                    run.run.as_str().into(),
                    run.script.as_str().into(),
                    format!("{:.0}", run.since).into(),
                ]
            })
            .collect();
        text.push('\n');
        text.push_str(&table::rows(&columns, &rows, Layout::Plain));
    }
    for trouble in &status.troubles {
        let _ = writeln!(text, "trouble: {}", crate::text::one_line(trouble));
    }
    for run in &status.pending {
        let why = status
            .not_approved
            .get(run)
            .map(|why| format!(": {}", crate::text::one_line(why)));
        let _ = writeln!(
            text,
            "waits for approval: pending/{run}{}",
            why.unwrap_or_default()
        );
    }
    text
}
