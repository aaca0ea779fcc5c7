//! The end of a session: what became of each item goes from its artifacts into the books.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::artifact::{Artifact, Progress};
use super::books::{ArtifactTotals, ItemId, Outcome, SessionSummary, SessionTimes};
use super::part::{ArtifactKey, Content, Part};
use super::recall::{Ended, Settled};
use super::verdict::{verdict, warning};
use super::{BackupError, Service};
use crate::graph::Json;

impl Service {
    /// Reads the artifacts of a session that has ended into the books.
    pub(super) async fn settle(&self, part: &Arc<Part>) -> Result<(), BackupError> {
        // Before the artifacts are read, which can take a while.
        let ended = self.world.clock.now();
        let mut content = part.content.lock().await;
        if content.settled {
            return Ok(());
        }
        if content.bulk.is_some() {
            return self.settle_bulk(part, &mut content).await;
        }
        let settled = match self.recall_settled(part) {
            Some(settled) => settled,
            None => self.read_ends(part, &content, ended).await?,
        };
        part.keep(settled.json);
        let ends: HashMap<ArtifactKey, Ended> = settled.ends.into_iter().collect();
        let mut known = Vec::new();
        for placed in &content.placed {
            let (outcome, code, reason) = ends.get(&placed.key()).cloned().unwrap_or_else(|| {
                (
                    Outcome::Unknown,
                    Some("ArtifactMissing".to_owned()),
                    Some("the session no longer lists it".to_owned()),
                )
            });
            known.push((placed.item, outcome));
            self.books
                .end(placed.item, outcome, code, reason, Some(&part.id));
        }
        self.book_strange(part, &settled.strange);
        self.give_back(part, &content, &known).await;
        self.books.session(SessionSummary {
            id: part.id.clone(),
            workload: part.workload.name.to_owned(),
            status: part.status(),
            artifacts: settled.totals,
            times: SessionTimes {
                ended: Some(settled.at),
                ..SessionTimes::default()
            },
            warning: warning(&part.json()),
        });
        content.settled = true;
        Ok(())
    }

    /// Artifacts that came into a session from elsewhere after it was verified: this run activated them, and nobody asked it to.
    fn book_strange(&self, part: &Part, strange: &[Json]) {
        if strange.is_empty() {
            return;
        }
        self.talk.warn(&format!(
            "session `{}` holds {} that this run did not put there: they were activated with it",
            part.id,
            part.count(strange.len())
        ));
        for artifact in strange.iter().cloned().filter_map(Artifact::of) {
            let status = artifact.json.string("status").unwrap_or_default();
            let destination = artifact.destination.parse().ok();
            let item = self.book_artifact(part.workload, &artifact, destination, None);
            let reason = format!(
                "this run did not put it into its session, which ended with it: `{status}`"
            );
            let code = "NotAskedFor".to_owned();
            let (outcome, session) = (Outcome::Unknown, Some(&*part.id));
            self.books
                .end(item, outcome, Some(code), Some(reason), session);
        }
    }

    /// How the artifacts of a session ended that has ended, item by item.
    async fn read_ends(
        &self,
        part: &Arc<Part>,
        content: &Content,
        at: Timestamp,
    ) -> Result<Settled, BackupError> {
        let mut schedule = self.schedule();
        let mut tries = 0;
        let artifacts = loop {
            let read = async || Ok(self.artifacts(part).await?);
            let artifacts = self.patiently(read).await?;
            // The session's state runs ahead of its artifacts' by a moment.
            let open = artifacts
                .iter()
                .any(|artifact| artifact.progress() == Progress::Open);
            tries += 1;
            if !open || tries > 5 {
                break artifacts;
            }
            self.sleep(schedule.next()).await?;
        };
        let mut totals = ArtifactTotals {
            total: artifacts.len(),
            ..ArtifactTotals::default()
        };
        let keys: HashMap<ItemId, ArtifactKey> = content
            .placed
            .iter()
            .map(|placed| (placed.item, placed.key()))
            .collect();
        let own: HashSet<ArtifactKey> = keys
            .values()
            .chain(content.out.iter().map(|(key, _)| key))
            .cloned()
            .collect();
        let mut ends: HashMap<ArtifactKey, &Artifact> = HashMap::new();
        let mut strange = Vec::new();
        let mut doubled = 0;
        for artifact in &artifacts {
            match artifact.progress() {
                Progress::Succeeded => totals.succeeded += 1,
                Progress::Failed => totals.failed += 1,
                Progress::Open | Progress::Unrecognised => {}
            }
            let mut key = artifact.key();
            // One that the service lists otherwise than it was asked for is known by its id.
            if let Some(own) = content
                .ids
                .get(&artifact.id)
                .and_then(|item| keys.get(item))
            {
                key.clone_from(own);
            }
            // What stands for a folder may be listed file by file.
            if !own.contains(&key) && !part.granular && artifact.point.is_some() {
                strange.push(artifact.json.detached());
                continue;
            }
            doubled += usize::from(ends.contains_key(&key));
            // Of two copies of one item the one that succeeded counts.
            let better = ends
                .get(&key)
                .is_none_or(|known| known.progress() != Progress::Succeeded);
            if better {
                ends.insert(key, artifact);
            }
        }
        let ends = ends
            .into_iter()
            .map(|(key, artifact)| (key, verdict(artifact)));
        let settled = Settled {
            json: part.json(),
            at,
            totals,
            ends: ends.collect(),
            strange,
        };
        if doubled > 0 {
            self.talk.warn(&format!(
                "{} stand twice in session `{}`: the service has restored them twice",
                part.count(doubled),
                part.id
            ));
        }
        self.door.ledger().keep("settled", &part.id, &settled);
        Ok(settled)
    }
}
