//! A change of an earlier life that is not made again: what became of it is written down.

use std::time::Duration;

use super::{ChangeError, Door, Verdict};
use crate::changes::ledger::Outcome;
use crate::graph::{GraphError, Json};
use crate::journal::ChangeRow;

/// What is known of it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Happened,
    Not,
    Unknown,
}

impl Door {
    /// Waits until such a change has had the time to become visible.
    ///
    /// # Errors
    /// The run is stopped meanwhile.
    pub(crate) async fn wait_for_settling(&self, row: &ChangeRow) -> Result<(), ChangeError> {
        let wait = self.left_of_settling(row.intent.clock);
        if wait > Duration::ZERO {
            self.talk.note(&format!(
                "what became of `{}` can be seen in {}",
                row.intent.operation,
                human(wait)
            ));
        }
        if self.settle(wait).await {
            Ok(())
        } else {
            self.refuse_if_stopped()
        }
    }

    /// Writes down what looking showed of a change that is not sent again.
    ///
    /// # Errors
    /// The service does not answer.
    pub(crate) fn resettle(
        &self,
        row: &ChangeRow,
        verdict: Result<Verdict, GraphError>,
    ) -> Result<Settled, ChangeError> {
        let sequence = row.intent.sequence;
        let operation = &row.intent.operation;
        self.client.count_reconciled();
        let settled = match verdict? {
            Verdict::Happened(json, how) => {
                self.close(sequence, &happened(&json));
                self.talk.note(&format!("`{operation}` was cut off; {how}"));
                Settled::Happened
            }
            Verdict::Again(_) => {
                self.close(
                    sequence,
                    &Outcome::NotDone("looked, and it had not happened"),
                );
                Settled::Not
            }
            Verdict::Not(why) => {
                self.close(sequence, &Outcome::NotDone(&why));
                self.talk.note(&format!("`{operation}` was cut off; {why}"));
                Settled::Not
            }
            Verdict::Unclear(why) => {
                self.close(sequence, &Outcome::Unknown(&why));
                Settled::Unknown
            }
        };
        Ok(settled)
    }
}

fn happened(json: &Json) -> Outcome<'_> {
    Outcome::Done {
        json,
        request_id: None,
        found: true,
    }
}

/// `12 s`
fn human(wait: Duration) -> String {
    format!("{} s", wait.as_secs().max(1))
}
