//! Draft sessions that runs of this folder have left behind: they restore nothing, and they are in the way.
//!
//! Only sessions that stand in the journal are looked at, only what the service calls a draft now is deleted, and it goes
//! through the one door, with its intent in the record of the run that made the draft.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::shown;
use super::standing::Standing;
use crate::backup::books::SessionSummary;
use crate::backup::{BackupError, ROOT, Service, Settings, Workload};
use crate::changes::{ChangeError, Class, Consent, Covered, Door, Guard, Ledger, Left, Manner};
use crate::directory::Directory;
use crate::error::{Exit, Fault};
use crate::graph::{Call, Client, GraphError, Json};
use crate::instant;
use crate::journal::{Journal, JournalError};
use crate::policy::{Act, Deed};
use crate::stop::Stop;
use crate::talk::Talk;
use crate::text;
use crate::world::World;

/// So many drafts are asked for at once.
const AT_ONCE: usize = 8;

/// A session that was a draft when it was seen last.
pub(crate) struct Draft {
    pub(crate) run: String,
    pub(crate) standing: Standing,
    /// As the journal has it.
    summary: SessionSummary,
    created: Option<Timestamp>,
    artifacts: u64,
}

/// The sessions that the journal knows as drafts, of runs that worked against this tenant.
///
/// # Errors
/// The journal cannot be read.
pub(crate) fn known_drafts(journal: &Journal, root: &str) -> Result<Vec<Draft>, Fault> {
    let mut runs: HashMap<String, Option<Standing>> = HashMap::new();
    let mut drafts = Vec::new();
    for (run, session) in journal.all_sessions()? {
        let Ok(summary) = serde_json::from_value::<SessionSummary>(session) else {
            continue;
        };
        if summary.status != "draft" {
            continue;
        }
        let standing = if let Some(known) = runs.get(&run) {
            known.clone()
        } else {
            let standing = standing(journal, &run, root)?;
            runs.insert(run.clone(), standing.clone());
            standing
        };
        let Some(standing) = standing else { continue };
        drafts.push(Draft {
            run,
            standing,
            created: summary.times.created,
            artifacts: summary.artifacts.total as u64,
            summary,
        });
    }
    Ok(drafts)
}

/// `None` for a run of another tenant.
fn standing(journal: &Journal, run: &str, root: &str) -> Result<Option<Standing>, Fault> {
    #[derive(Deserialize)]
    struct Saved {
        root: String,
    }
    let Some(row) = journal.run(run)? else {
        return Ok(None);
    };
    let saved: Option<Saved> = serde_json::from_str(&row.order).ok();
    let is_here = saved.is_some_and(|saved| bare(&saved.root) == bare(root));
    Ok(is_here.then(|| Standing::now(journal, run, row.open)))
}

/// An address as the record of a run has it: without what may stand before its host.
fn bare(root: &str) -> String {
    let Ok(mut url) = url::Url::parse(root) else {
        return root.to_owned();
    };
    // Both can only fail where an address has no host.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.to_string()
}

impl Draft {
    pub(crate) const COLUMNS: [&'static str; 7] = [
        "session",
        "workload",
        "artifacts",
        "created",
        "age",
        "run",
        "state",
    ];

    pub(crate) fn cells(&self, now: Timestamp) -> Vec<Value> {
        let age = self.created.map(|created| now.duration_since(created));
        let age = age.and_then(|age| Duration::try_from(age).ok());
        vec![
            self.summary.id.as_str().into(),
            self.summary.workload.as_str().into(),
            self.artifacts.into(),
            self.created.map(shown).into(),
            age.map(text::time).into(),
            self.run.as_str().into(),
            self.standing.word().into(),
        ]
    }

    pub(crate) fn to_json(&self, now: Timestamp) -> Value {
        json!({
            "session": self.summary.id,
            "workload": self.summary.workload,
            "artifacts": self.artifacts,
            "created": self.created.map(shown),
            "age_seconds": self.created.map(|created| now.duration_since(created).as_secs()),
            "run": self.run,
            "state": self.standing.word(),
        })
    }
}

/// Looks drafts up in the service, and deletes them.
pub(crate) struct Cleaner {
    pub(crate) journal: Journal,
    pub(crate) client: Arc<Client>,
    /// `--yes`.
    pub(crate) yes: bool,
    pub(crate) guard: Guard,
    /// As the policy wants consent.
    pub(crate) manner: Manner,
    pub(crate) talk: Arc<dyn Talk>,
    pub(crate) world: World,
    pub(crate) settling: Duration,
    pub(crate) polling: Duration,
}

impl Cleaner {
    /// Those that are drafts in the service now, in their order.
    ///
    /// # Errors
    /// The service does not answer.
    pub(crate) async fn still(&self, known: Vec<Draft>) -> Result<Vec<Draft>, GraphError> {
        let looks = stream::iter(known).map(|mut draft| async move {
            let json = self.session(&draft.summary.id).await?;
            Ok::<_, GraphError>(json.filter(is_draft).map(|json| {
                let created = json.string("createdDateTime");
                let created = created.and_then(|text| instant::parse(&text));
                draft.created = created.or(draft.created);
                let count = json.property("restoreSessionArtifactCount");
                let count = count.and_then(|count| count.property("total"));
                let count = count.and_then(|total| total.text().parse().ok());
                draft.artifacts = count.unwrap_or(draft.artifacts);
                draft
            }))
        });
        let looked: Vec<_> = looks.buffered(AT_ONCE).collect().await;
        let looked: Result<Vec<Option<Draft>>, GraphError> = looked.into_iter().collect();
        Ok(looked?.into_iter().flatten().collect())
    }

    /// `None`: it is gone.
    async fn session(&self, id: &str) -> Result<Option<Json>, GraphError> {
        let call = Call::get("get session", format!("{ROOT}/restoreSessions/{id}"));
        match self.client.read(call).await {
            Ok(answer) => Ok(Some(answer.json())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes drafts, run by run, after consent. What is left says why.
    pub(crate) async fn delete(&self, drafts: Vec<Draft>) -> (usize, Vec<Fault>) {
        let mut by_run: Vec<(String, Vec<Draft>)> = Vec::new();
        for draft in drafts {
            match by_run.iter_mut().find(|(run, _)| *run == draft.run) {
                Some((_, drafts)) => drafts.push(draft),
                None => by_run.push((draft.run.clone(), vec![draft])),
            }
        }
        let consent = Consent::new(self.yes, self.talk.clone()).by(self.manner.clone());
        let (mut deleted, mut faults) = (0, Vec::new());
        for (run, drafts) in by_run {
            match self.of_run(&run, &drafts, &consent, &mut deleted).await {
                Ok(()) => {}
                // Nobody is there to be asked for the others either.
                Err(fault) if fault.code == "ConsentNeeded" => {
                    faults.push(fault);
                    break;
                }
                Err(fault) => faults.push(fault),
            }
        }
        (deleted, faults)
    }

    async fn of_run(
        &self,
        run: &str,
        drafts: &[Draft],
        consent: &Consent,
        deleted: &mut usize,
    ) -> Result<(), Fault> {
        // Held while its drafts go: nobody resumes it meanwhile.
        let _lock = match self.journal.lock(run) {
            Err(JournalError::Held { holder, .. }) => {
                self.talk.note(&format!(
                    "{} of run `{run}` left as they are: process {} on `{}` works with them",
                    count(drafts.len()),
                    holder.pid,
                    holder.host
                ));
                return Ok(());
            }
            lock => lock?,
        };
        let (service, door) = self.service(run, consent)?;
        let open = drafts.iter().any(|draft| draft.standing == Standing::Open);
        let note = if open {
            ", which can be resumed and would miss them"
        } else {
            ""
        };
        let covered = Covered {
            question: format!("delete {} of run {run}{note}", count(drafts.len())),
            keys: drafts
                .iter()
                .map(|draft| draft.summary.id.clone())
                .collect(),
            ..Covered::default()
        };
        // One question for all of them, and the policy may forbid those of one workload.
        let mut deed = Deed::default();
        for draft in drafts {
            let Some(workload) = Workload::named(&draft.summary.workload) else {
                continue;
            };
            deed = Deed::nothing(workload.name);
            door.judge(Act::Delete, &deed)?;
        }
        door.consent(Class::Delete, &covered, &deed)
            .map_err(|error| fault_of(&error.into()))?;
        for draft in drafts {
            let id = &draft.summary.id;
            // Looked at once more: the question may have waited for hours.
            let json = self.session(id).await.map_err(Fault::from)?;
            let (Some(json), Some(workload)) = (json, Workload::named(&draft.summary.workload))
            else {
                self.talk.note(&format!("session `{id}` is gone already"));
                continue;
            };
            if !is_draft(&json) {
                self.talk.warn(&format!(
                    "session `{id}` is no draft any more, and was left as it is"
                ));
                continue;
            }
            let session = service.known_session(workload, None, json);
            session.delete().await.map_err(|error| fault_of(&error))?;
            *deleted += 1;
            let summary = SessionSummary {
                status: "deleted".to_owned(),
                ..draft.summary.clone()
            };
            door.ledger().session(id, &summary);
        }
        Ok(())
    }

    /// The service as the run that made the drafts would use it.
    fn service(
        &self,
        run: &str,
        consent: &Consent,
    ) -> Result<(Arc<Service>, Arc<Door>), JournalError> {
        let answers = self.journal.answers(run)?;
        let left = Left {
            changes: self.journal.changes(run)?,
            facts: answers.into_iter().filter(Ledger::is_fact).collect(),
            consents: self.journal.consents(run)?,
        };
        let ledger = Ledger::resumed(run, self.journal.clone(), left, false, |_| true);
        let stop = Stop::default();
        let door = Arc::new(
            Door::new(
                self.client.clone(),
                consent.clone(),
                stop.clone(),
                self.talk.clone(),
                self.world.clone(),
                self.settling,
                ledger,
            )
            .behind(self.guard.clone()),
        );
        let service = Service::new(
            self.client.clone(),
            door.clone(),
            Arc::new(Directory::new(self.client.clone())),
            self.talk.clone(),
            self.world.clone(),
            stop,
            Settings {
                run: run.to_owned(),
                in_flight: AT_ONCE,
                first_look: self.polling,
                polling: self.polling,
                yes: false,
                again: false,
                allow_overlap: false,
                most_books: None,
            },
        );
        Ok((service, door))
    }
}

fn is_draft(session: &Json) -> bool {
    session.string("status").as_deref() == Some("draft")
}

fn count(drafts: usize) -> String {
    format!("{drafts} draft{}", if drafts == 1 { "" } else { "s" })
}

fn fault_of(error: &BackupError) -> Fault {
    if let BackupError::Change(change) = error
        && let Some(fault) = ChangeError::fault(change)
    {
        return fault;
    }
    match error.graph() {
        Some(graph) => graph.clone().into(),
        None => Fault::new(Exit::Stopped, error.code(), error.to_string()),
    }
}
