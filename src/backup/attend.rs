//! Sessions that run while nobody waits for them: a conversation goes on meanwhile, and is told when they have ended.

use std::sync::Arc;
use std::time::Duration;

use super::books::Outcome;
use super::part::{Part, Stage};
use super::{BackupError, Service};

/// How long somebody who waits for the same session has to see its end.
const OTHERS_FIRST: Duration = Duration::from_millis(300);

/// A session that runs, or has run.
pub(crate) struct Attended(Arc<Part>);

/// How a session ended.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) session: String,
    pub(crate) status: String,
    /// `11 mailboxes`
    pub(crate) what: String,
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    pub(crate) unknown: usize,
}

impl Attended {
    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }
}

impl Service {
    /// The sessions that this run has activated and whose end is not in the books.
    pub(crate) async fn running(&self) -> Vec<Attended> {
        let mut running = Vec::new();
        for part in self.known_parts() {
            let content = part.content.lock().await;
            if content.stage == Stage::Activated && !content.settled {
                drop(content);
                running.push(Attended(part));
            }
        }
        running
    }

    /// Waits until a session has ended, and books what became of it. Shows nothing. `None`: somebody else has waited for it
    /// too, and knows.
    ///
    /// # Errors
    /// What kept us from looking; a stop.
    pub(crate) async fn attend(&self, session: &Attended) -> Result<Option<End>, BackupError> {
        let part = &session.0;
        let ended = self.outlast(part).await;
        self.or_gone(part, ended).await?;
        // Whoever waits for it in a statement of their own comes first.
        self.world.clock.sleep(OTHERS_FIRST).await;
        if part.content.lock().await.settled {
            return Ok(None);
        }
        let ended = self.settle(part).await;
        self.or_gone(part, ended).await?;
        let content = part.content.lock().await;
        let mut end = End {
            session: part.id.clone(),
            status: part.status(),
            what: part.count(content.len()),
            succeeded: 0,
            failed: 0,
            unknown: 0,
        };
        for item in content.items() {
            match self.books().outcome(item) {
                Outcome::Succeeded => end.succeeded += 1,
                Outcome::Failed | Outcome::Skipped => end.failed += 1,
                Outcome::Unknown => end.unknown += 1,
            }
        }
        Ok(Some(end))
    }

    async fn outlast(&self, part: &Arc<Part>) -> Result<(), BackupError> {
        let is_bulk = part.content.lock().await.bulk.is_some();
        if !is_bulk || !self.resolves_to_nothing(part).await? {
            self.await_end(part, &|_| ()).await?;
        }
        Ok(())
    }
}
