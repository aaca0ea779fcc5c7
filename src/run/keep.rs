//! The record of a run: made when it begins, taken up when it goes on, closed when it ends.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Errand, Order};
use crate::changes::{Ledger, Left};
use crate::error::{Exit, Fault};
use crate::history::History;
use crate::journal::{Journal, Packed, Record, RunLock, RunRow};
use crate::report::{Kind, Outcome};
use crate::world::World;

/// The kind of run that a conversation is, and how it is called where others have a script.
pub(crate) const CONVERSATION: &str = "repl";

/// What a run was started from: everything that is needed to start it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// As it was given, and where it is.
    pub(crate) script: String,
    pub(crate) path: PathBuf,
    /// The folder that it was started in.
    pub(crate) here: PathBuf,
    pub(crate) arguments: Vec<(String, String)>,
    /// The arguments as they were resolved.
    pub(crate) resolved: serde_json::Value,
    /// Flags by their names, with their values: those of the command line and of variables.
    pub(crate) settings: Vec<(String, Vec<String>)>,
    /// The tenant's address, so that another one is not taken for it.
    pub(crate) root: String,
    /// Files that the script imports: name and text.
    pub(crate) imports: Vec<(String, String)>,
    /// Of `apply`: the plan, by its path and as it was read.
    pub(crate) plan: Option<(PathBuf, String)>,
    /// Of the watched folder: what it has handed over.
    #[serde(default)]
    pub(crate) errand: Option<Errand>,
}

/// A run that goes on.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) row: RunRow,
    pub(crate) saved: Saved,
    /// The script was edited since, and that is accepted.
    pub(crate) accepts_changes: bool,
}

/// The open record of a run.
pub(super) struct Keep {
    pub(super) journal: Journal,
    pub(super) run: String,
    /// Frees the run for others when it is dropped.
    _lock: RunLock,
}

/// What a run works with: with a record, or in memory only.
pub(super) struct Kept {
    pub(super) keep: Option<Keep>,
    pub(super) ledger: Ledger,
    pub(super) history: History,
}

impl Kept {
    /// Of a run whose script can only read: nothing is written down.
    pub(super) fn nothing(run: &str) -> Self {
        Self {
            keep: None,
            ledger: Ledger::new(run, None),
            history: History::new(run, None),
        }
    }
}

/// What the record must hold of the script.
pub(super) struct Told<'t> {
    pub(super) source: &'t [u8],
    pub(super) sha256: &'t str,
    pub(super) imports: Vec<(String, String)>,
    pub(super) resolved: serde_json::Value,
    pub(super) root: &'t str,
    pub(super) policy_sha256: Option<&'t str>,
}

/// Opens the record of a run that begins.
///
/// # Errors
/// It cannot be written: then the run does not begin.
pub(super) fn begin(
    folder: &Path,
    order: &Order,
    told: Told<'_>,
    outcome: &Outcome,
) -> Result<Kept, Fault> {
    let journal = Journal::open(folder)?;
    let lock = journal.lock(&outcome.run)?;
    let saved = Saved {
        script: outcome.script.clone(),
        path: if order.applied.is_some() {
            order.script.clone()
        } else {
            std::path::absolute(&order.script).unwrap_or_else(|_| order.script.clone())
        },
        here: std::env::current_dir().unwrap_or_default(),
        arguments: order.arguments.clone(),
        resolved: told.resolved,
        settings: order.settings.clone(),
        root: address(told.root),
        imports: told.imports,
        plan: order.applied.as_ref().map(|applied| {
            let text = String::from_utf8_lossy(&applied.bytes).into_owned();
            (applied.path.clone(), text)
        }),
        errand: order.errand.clone(),
    };
    let row = RunRow {
        id: outcome.run.clone(),
        script: outcome.script.clone(),
        sha256: told.sha256.to_owned(),
        source: told.source.to_vec(),
        order: serde_json::to_string(&saved).unwrap_or_default(),
        started: outcome.started,
        pid: std::process::id(),
        host: machine(),
        user: user(),
        tenant: None,
        api: outcome.api.clone(),
        policy_sha256: told.policy_sha256.map(str::to_owned),
        kind: if order.applied.is_some() {
            "apply".to_owned()
        } else {
            "run".to_owned()
        },
        ended: None,
        exit: None,
        open: true,
        result: None,
    };
    journal.sync_blocking(Record::Begun { run: row })?;
    Ok(Kept {
        ledger: Ledger::new(&outcome.run, Some(journal.clone())),
        history: History::new(&outcome.run, Some(journal.clone())),
        keep: Some(Keep {
            journal,
            run: outcome.run.clone(),
            _lock: lock,
        }),
    })
}

/// Takes up the record of a run that goes on.
///
/// # Errors
/// Somebody else has the run; the script was edited; the tenant is another one.
pub(super) fn again(
    folder: &Path,
    resumed: &Resumed,
    told: &Told<'_>,
    now: Timestamp,
) -> Result<Kept, Fault> {
    let journal = Journal::open(folder)?;
    let run = &resumed.row.id;
    let lock = journal.lock(run)?;
    refuse_another(resumed, told)?;
    let (changes, consents) = (journal.changes(run)?, journal.consents(run)?);
    let (facts, answers) = journal.answers(run)?.into_iter().partition(Ledger::is_fact);
    journal.sync_blocking(taken_up(run, now))?;
    // Under which rules each life of the run was: the row holds those of the first.
    if told.policy_sha256.is_some() || resumed.row.policy_sha256.is_some() {
        let json = serde_json::json!({
            "sha256": told.policy_sha256,
            "before": resumed.row.policy_sha256,
        });
        journal.put(Record::Note {
            run: run.clone(),
            at: now,
            kind: "policy",
            json: json.to_string(),
        });
    }
    if resumed.accepts_changes {
        let json = serde_json::json!({ "sha256": told.sha256, "before": resumed.row.sha256 });
        journal.put(Record::Note {
            run: run.clone(),
            at: now,
            kind: "changes accepted",
            json: json.to_string(),
        });
    }
    let history = History::resumed(run, journal.clone(), answers, resumed.accepts_changes);
    let left = Left {
        changes,
        facts,
        consents,
    };
    let edited = resumed.accepts_changes;
    let ledger = Ledger::resumed(run, journal.clone(), left, edited, |origin| {
        history.went_on(origin)
    });
    Ok(Kept {
        ledger,
        history,
        keep: Some(Keep {
            journal,
            run: run.clone(),
            _lock: lock,
        }),
    })
}

/// Takes up the record of a conversation, of which nothing is carried out again.
///
/// # Errors
/// Somebody else has the run; the tenant is another one.
pub(super) fn settling(
    folder: &Path,
    resumed: &Resumed,
    root: &str,
    now: Timestamp,
) -> Result<Kept, Fault> {
    let journal = Journal::open(folder)?;
    let run = &resumed.row.id;
    let lock = journal.lock(run)?;
    if resumed.saved.root != address(root) {
        return Err(other_tenant(resumed, root));
    }
    let answers = journal.answers(run)?;
    let left = Left {
        changes: journal.changes(run)?,
        facts: answers.into_iter().filter(Ledger::is_fact).collect(),
        consents: Vec::new(),
    };
    journal.sync_blocking(taken_up(run, now))?;
    Ok(Kept {
        ledger: Ledger::resumed(run, journal.clone(), left, false, |_| true),
        history: History::new(run, None),
        keep: Some(Keep {
            journal,
            run: run.clone(),
            _lock: lock,
        }),
    })
}

fn other_tenant(resumed: &Resumed, root: &str) -> Fault {
    let message = format!(
        "run `{}` worked against {}, and this is {root}",
        resumed.row.id, resumed.saved.root
    );
    Fault::new(Exit::Unstarted, "OtherTenant", message)
        .hint("`resume` without `--graph-url` takes the address that the run had")
}

/// The same script with the same arguments against the same tenant, or nothing.
fn refuse_another(resumed: &Resumed, told: &Told<'_>) -> Result<(), Fault> {
    let (row, saved) = (&resumed.row, &resumed.saved);
    let refused = |code: &str, message: String| Fault::new(Exit::Unstarted, code, message);
    if saved.root != address(told.root) {
        return Err(other_tenant(resumed, told.root));
    }
    // It may have come from a config file that is not read here: no run goes on with fewer rails than it began with by chance.
    if row.policy_sha256.is_some() && told.policy_sha256.is_none() {
        let message = format!(
            "run `{}` was begun under a policy, and there is none now",
            row.id
        );
        return Err(refused("PolicyMissing", message).hint("name it: `--policy FILE`"));
    }
    if saved.resolved != told.resolved {
        let message = format!("the arguments of run `{}` are not what they were", row.id);
        return Err(refused("OtherArguments", message)
            .hint("put back the file or folder that an argument names, or start a new run"));
    }
    if resumed.accepts_changes {
        return Ok(());
    }
    let edited = |name: &str, before: &str, after: &str| {
        let message = format!("`{name}` was edited since run `{}` was started", row.id);
        let mut fault = refused("ScriptEdited", message);
        fault.context = differences(before, after);
        fault
            .hint("put it back as it was and resume again: the run then goes on where it stopped")
            .hint("`--accept-changes` goes on with the new text: what was done already is not done again, what was done and does not come up any more is listed")
    };
    if row.sha256 != told.sha256 {
        let before = String::from_utf8_lossy(&row.source);
        let after = String::from_utf8_lossy(told.source);
        return Err(edited(&saved.script, &before, &after));
    }
    for (name, before) in &saved.imports {
        let after = told.imports.iter().find(|(known, _)| known == name);
        let after = after.map_or("", |(_, text)| text.as_str());
        if before != after {
            return Err(edited(name, before, after));
        }
    }
    Ok(())
}

/// The lines that differ, as `diff` shows them; the first few.
fn differences(before: &str, after: &str) -> Vec<String> {
    const MOST: usize = 20;
    let diff = similar::TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for change in diff.iter_all_changes() {
        let (sign, line) = match change.tag() {
            similar::ChangeTag::Equal => continue,
            similar::ChangeTag::Delete => ('-', change.old_index()),
            similar::ChangeTag::Insert => ('+', change.new_index()),
        };
        let number = line.map_or(0, |line| line + 1);
        let text = change.value().trim_end();
        lines.push(format!("{sign} {number}: {text}"));
    }
    let more = lines.len().saturating_sub(MOST);
    lines.truncate(MOST);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

impl Keep {
    /// Closes the record: the run has come to this. `open`: `resume` can go on with it.
    pub(super) fn end(&self, outcome: &Outcome, open: bool) -> Result<(), Fault> {
        self.journal.sync_blocking(Record::Ended {
            run: self.run.clone(),
            at: outcome.ended,
            exit: outcome.exit.code().into(),
            result: packed(outcome),
            open,
        })?;
        Ok(())
    }
}

/// The result document as the record keeps it.
pub(super) fn packed(outcome: &Outcome) -> Packed {
    Packed::of(|out| Kind::Json.write(outcome, out)).expect("memory takes everything")
}

/// The tenant's address without what may stand before its host: a record holds no secret.
fn address(root: &str) -> String {
    let Ok(mut url) = url::Url::parse(root) else {
        return root.to_owned();
    };
    // Both can only fail where an address has no host.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.to_string()
}

/// The record of a conversation, which begins with the first change. There is nothing in it to be run again.
///
/// # Errors
/// The journal cannot be opened.
pub(super) fn conversation(
    folder: &Path,
    (run, started): (&str, Timestamp),
    api: &str,
    settings: Vec<(String, Vec<String>)>,
    root: &str,
    policy_sha256: Option<&str>,
) -> Result<Ledger, Fault> {
    let journal = Journal::open(folder)?;
    let here = std::env::current_dir().unwrap_or_default();
    let saved = Saved {
        script: CONVERSATION.to_owned(),
        path: here.clone(),
        here,
        arguments: Vec::new(),
        resolved: serde_json::json!({}),
        settings,
        root: address(root),
        imports: Vec::new(),
        plan: None,
        errand: None,
    };
    let row = RunRow {
        id: run.to_owned(),
        script: CONVERSATION.to_owned(),
        sha256: crate::text::hex(&Sha256::digest(b"")),
        source: Vec::new(),
        order: serde_json::to_string(&saved).unwrap_or_default(),
        started,
        pid: std::process::id(),
        host: machine(),
        user: user(),
        tenant: None,
        api: api.to_owned(),
        policy_sha256: policy_sha256.map(str::to_owned),
        kind: CONVERSATION.to_owned(),
        ended: None,
        exit: None,
        open: true,
        result: None,
    };
    Ok(Ledger::ahead(row, journal))
}

/// That this process goes on with a run.
fn taken_up(run: &str, at: Timestamp) -> Record {
    Record::Resumed {
        run: run.to_owned(),
        at,
        pid: std::process::id(),
        host: machine(),
        user: user(),
    }
}

fn machine() -> String {
    crate::unix::host()
}

fn user() -> String {
    World::real().variable("USER").unwrap_or_default()
}
