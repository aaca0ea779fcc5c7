//! How a run stands: somebody works on it, it can be resumed, or it is over.

use crate::journal::{Holder, Journal, RunRow};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A process works on it.
    Running(Holder),
    /// Nobody works on it, and `resume` can go on with it.
    Open,
    Ended,
}

impl Standing {
    /// `row` must have been read after `holder`: a run that has ended meanwhile is then seen as ended.
    pub(super) fn of(holder: Option<Holder>, row: &RunRow) -> Self {
        match holder {
            Some(holder) => Self::Running(holder),
            None if row.open => Self::Open,
            None => Self::Ended,
        }
    }

    /// Of a run of this name, as it is now.
    pub(crate) fn now(journal: &Journal, run: &str, is_open: bool) -> Self {
        match journal.lock_holder(run) {
            Some(holder) => Self::Running(holder),
            None if is_open => Self::Open,
            None => Self::Ended,
        }
    }

    /// As the list and the document name it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Running(_) => "running",
            Self::Open => "open",
            Self::Ended => "ended",
        }
    }

    pub(crate) fn holder(&self) -> Option<&Holder> {
        match self {
            Self::Running(holder) => Some(holder),
            Self::Open | Self::Ended => None,
        }
    }
}
