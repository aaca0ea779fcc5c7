//! A session that was activated and that the service does not have any more: what became of it nobody can tell.

use std::sync::Arc;

use super::books::{ItemId, Outcome};
use super::part::Part;
use super::{BackupError, Service};
use crate::graph::GraphError;

/// In how many looks one after the other a session must be missing before it is called gone: one 404 among a thousand
/// looks is a mistake of some machine on the way.
pub(super) const LOOKS: u32 = 3;

/// As the books have it; no state of the service.
pub(super) const STATUS: &str = "gone";

const WHY: &str = "its session was activated, and the service does not have it any more";

impl Service {
    /// What a wait came to. Of a session that is gone the items are booked as unknown: nothing is left to wait for.
    pub(super) async fn or_gone(
        &self,
        part: &Arc<Part>,
        ended: Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let Err(error) = ended else { return Ok(()) };
        let is_gone = matches!(error, BackupError::SessionGone { .. })
            || error.graph().is_some_and(GraphError::is_not_found);
        if !is_gone {
            return Err(error);
        }
        let items: Vec<ItemId> = part.content.lock().await.items().collect();
        Err(self.book_gone(&part.id, &items))
    }

    /// Books what stands in a session that is gone; gives the error that says so.
    pub(super) fn book_gone(&self, session: &str, items: &[ItemId]) -> BackupError {
        for item in items {
            if self.books().is_open_in(*item, session) {
                let (code, why) = ("SessionGone".to_owned(), WHY.to_owned());
                let outcome = Outcome::Unknown;
                self.books()
                    .end(*item, outcome, Some(code), Some(why), Some(session));
            }
        }
        self.books().session_is(session, STATUS);
        BackupError::SessionGone {
            session: session.to_owned(),
        }
    }
}
