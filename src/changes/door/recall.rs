//! What an earlier life of the run has made of a change that is about to be sent.

use jiff::Timestamp;

use super::{Door, Looked, named};
use crate::changes::change::{Change, ChangeError, Key, Look, Lost, Settled};
use crate::changes::ledger::Past;
use crate::graph::{Call, GraphError, ServiceError};

pub(super) enum Recalled {
    /// It was made: nothing is sent.
    Settled(Settled),
    ToSend(Beginning),
}

/// How a change begins that is sent in this life.
pub(super) struct Beginning {
    /// What of it is still to be sent.
    pub(super) call: Call,
    /// When the first intent of it was written, in the service's time, where an earlier life has sent it and its answer was lost.
    pub(super) since: Option<Timestamp>,
}

impl Door {
    /// Answers from the record, or looks for what was cut off.
    pub(super) async fn recall(
        &self,
        change: &Change,
        look: &dyn Look,
    ) -> Result<Recalled, ChangeError> {
        let mut beginning = Beginning {
            call: change.call.clone(),
            since: None,
        };
        let Key::Once(key) = &change.key else {
            return Ok(Recalled::ToSend(beginning));
        };
        match self.ledger.past_of(key, &beginning.call) {
            Some(Past::Done {
                json, at, found, ..
            }) => {
                return Ok(Recalled::Settled(Settled {
                    json,
                    at,
                    found,
                    recalled: true,
                }));
            }
            Some(Past::Refused(error)) => return Err(refused(&beginning.call, error).into()),
            Some(Past::Open {
                sequence,
                since,
                clock,
                ..
            }) => {
                let lost = Lost {
                    call: beginning.call,
                    since,
                    waited: self.settling,
                };
                let error = cut_off(&lost, clock);
                let wait = self.left_of_settling(clock);
                self.ledger.take_up(sequence, change);
                let looked = self.look(sequence, &lost, error, wait, look).await?;
                self.ledger.resolve(key, None);
                match looked {
                    Looked::Happened(settled) => return Ok(Recalled::Settled(settled)),
                    Looked::Again(rest) => {
                        beginning = Beginning {
                            call: rest,
                            since: Some(since),
                        };
                    }
                }
            }
            None => {}
        }
        Ok(Recalled::ToSend(beginning))
    }
}

/// The lost answer of a process that is no more.
fn cut_off(lost: &Lost, sent_at: Timestamp) -> GraphError {
    GraphError::Unknown {
        call: named(&lost.call),
        sent_at,
        maybe_later: false,
        cause: "the run was cut off while it was on its way".to_owned(),
    }
}

fn refused(call: &Call, error: ServiceError) -> GraphError {
    GraphError::Refused {
        call: named(call),
        error,
    }
}
