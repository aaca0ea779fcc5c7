//! The policy's limit of a day, over all runs of a state folder.

use std::collections::HashSet;

use jiff::SignedDuration;

use super::{Change, ChangeError, Door, Outcome};
use crate::changes::Class;
use crate::error::{Exit, Fault};
use crate::policy::{DENIED, Denial, Rule, Rules};

/// A limit of a day is one of any 24 hours: over midnight nobody restores twice as much.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Door {
    /// Counts once more now that this change is written down: another process may have counted at the same moment. Then both
    /// see both, and neither is sent; never are both.
    pub(super) async fn refuse_beyond_day(
        &self,
        change: &Change,
        sequence: u64,
    ) -> Result<(), ChangeError> {
        let most = self.guard.rules().and_then(Rules::max_items_per_day);
        let (Some(most), Class::Activate) = (most, change.class) else {
            return Ok(());
        };
        let counted = self.activated_today(&HashSet::new()).await;
        let denial = match counted {
            Ok(count) if count <= u64::from(most) => return Ok(()),
            Ok(count) => Denial::new(
                Rule::MaxItemsPerDay,
                format!(
                    "with this, the runs of this state folder would have activated {count} items within 24 hours, and {most} is the most"
                ),
                "wait, or raise `max_items_per_day`",
            ),
            Err(error) => {
                self.close(sequence, &Outcome::NotDone("it could not be counted"));
                return Err(error);
            }
        };
        self.close(sequence, &Outcome::NotDone("the policy's limit of a day"));
        let fault = self
            .guard
            .fault(&denial)
            .unwrap_or_else(|| Fault::new(Exit::Denied, DENIED, denial.why.clone()));
        self.stop.set(fault.clone());
        Err(ChangeError::Stopped(Box::new(fault)))
    }

    /// How many items all runs of this folder have activated in the last 24 hours, without what this run knows by these
    /// names.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) async fn activated_today(
        &self,
        except: &HashSet<String>,
    ) -> Result<u64, ChangeError> {
        let Some(journal) = self.ledger.journal() else {
            return Ok(0);
        };
        let since = self.world.clock.now() - DAY;
        let spent = journal.activated_since(since).await;
        let spent = spent.map_err(|error| self.unwritten(error))?;
        let run = self.ledger.run();
        let counted = spent
            .iter()
            .filter(|spent| spent.run != run || !except.contains(&spent.part));
        Ok(counted.map(|spent| u64::from(spent.items)).sum())
    }
}
