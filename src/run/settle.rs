//! Going on with a conversation whose process is gone: nothing is carried out again. What was on its way is looked for, the
//! sessions that run are waited for, the books are closed.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::keep::{self, Resumed};
use super::perform::{Performed, Whole};
use super::tenant::{self, Wires};
use super::{Connection, signals};
use crate::backup::{BackupError, Remains};
use crate::error::{Exit, Fault};
use crate::journal::Journal;
use crate::report::Outcome;
use crate::script::Failure;
use crate::stop::Stop;

impl Whole<'_> {
    /// Settles a conversation and fills in what it came to.
    pub(super) fn settle(
        &self,
        resumed: &Resumed,
        connection: Connection,
        outcome: &mut Outcome,
        faults: &mut Vec<Fault>,
    ) -> Performed {
        let stop = Stop::default();
        outcome.sha256 = Some(resumed.row.sha256.clone());
        let now = self.world.clock.now();
        let begun = keep::settling(self.folder, resumed, &connection.options.root, now)
            .and_then(|kept| Ok((remains(kept.ledger.journal(), &resumed.row.id)?, kept)));
        let (remains, kept) = match begun {
            Ok(begun) => begun,
            Err(fault) => {
                faults.push(fault);
                return Performed::default();
            }
        };
        let keep = kept.keep;
        let wires = Wires {
            leave: self.leave(),
            manner: self.manner(),
            guard: self.rails.guard(false),
            stand_in: None,
            ledger: kept.ledger,
            arming: self.order.arming.clone(),
            most_books: None,
        };
        let run = &outcome.run.clone();
        let tenant = match tenant::connect(run, connection, wires, &stop, self.world, self.voice) {
            Ok(tenant) => tenant,
            Err(error) => {
                faults.push(error.into());
                return Performed {
                    has_changed: true,
                    keep,
                };
            }
        };
        signals::obey(self.runtime, &stop, self.world, self.voice);
        if let Some(most) = self.order.max_time {
            signals::limit(self.runtime, &stop, self.world, most);
        }
        let reopened = self.runtime.block_on(tenant.backup.reopen(remains));
        if let Err(error) = reopened {
            faults.push(fault_of(error, &stop));
        }
        self.close_books(&tenant, &stop, outcome, faults);
        Performed {
            has_changed: tenant.door.any_sent(),
            keep,
        }
    }
}

fn fault_of(error: BackupError, stop: &Stop) -> Fault {
    stop.reason()
        .unwrap_or_else(|| Failure::from(error).fault())
}

fn remains(journal: Option<&Journal>, run: &str) -> Result<Remains, Fault> {
    let journal = journal.expect("a conversation that is taken up has a record");
    Ok(Remains {
        items: read(run, journal.items(run)?)?,
        sessions: read(run, journal.sessions(run)?)?,
        changes: journal.changes(run)?,
    })
}

fn read<T: DeserializeOwned>(run: &str, values: Vec<Value>) -> Result<Vec<T>, Fault> {
    let read: Result<Vec<T>, _> = values.into_iter().map(serde_json::from_value).collect();
    read.map_err(|error| {
        let message = format!("the record of run `{run}` cannot be read: {error}");
        Fault::new(Exit::Unstarted, "UnreadableRun", message).hint("it may be of a newer runback")
    })
}
