//! What is written down, and what comes back.

use jiff::Timestamp;

use super::packed::Packed;

/// One thing to write down.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    /// A run starts.
    Begun {
        run: RunRow,
    },
    /// A run goes on in this process: it counts as running again, and what it was wished is forgotten.
    Resumed {
        run: String,
        at: Timestamp,
        pid: u32,
        host: String,
        user: String,
    },
    Ended {
        run: String,
        at: Timestamp,
        exit: i32,
        /// The result document (JSON).
        result: Packed,
        /// Whether `resume` can go on with it.
        open: bool,
    },
    Answer(Answer),
    /// Deletes the answers of this lane and of the lanes below it.
    Forget {
        run: String,
        lane: String,
    },
    /// Deletes the answers of this lane from this number on, and of the lanes below it.
    ForgetFrom {
        run: String,
        lane: String,
        number: u32,
    },
    Intent(Intent),
    Outcome(OutcomeRow),
    Consent(Consented),
    /// One item of the books, as JSON. The same position again replaces it.
    Item {
        run: String,
        position: u32,
        json: String,
    },
    /// A session of this run, as JSON. The same id again replaces it.
    Session {
        run: String,
        id: String,
        json: String,
    },
    /// Evidence only: a wish that was obeyed, accepted changes, an adopted leftover.
    Note {
        run: String,
        at: Timestamp,
        kind: &'static str,
        json: String,
    },
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunRow {
    pub(crate) id: String,
    pub(crate) script: String,
    pub(crate) sha256: String,
    /// The script's bytes, and what it imports.
    pub(crate) source: Vec<u8>,
    /// Everything needed to start it again (JSON).
    pub(crate) order: String,
    pub(crate) started: Timestamp,
    pub(crate) pid: u32,
    pub(crate) host: String,
    pub(crate) user: String,
    pub(crate) tenant: Option<String>,
    pub(crate) api: String,
    pub(crate) policy_sha256: Option<String>,
    /// `run`, `apply`, `repl` or `watch`.
    pub(crate) kind: String,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) exit: Option<i32>,
    /// It runs, or `resume` can go on with it.
    pub(crate) open: bool,
    /// The result document (JSON).
    pub(crate) result: Option<String>,
}

/// What a host call has learnt. Its key is (run, lane, number, part).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) run: String,
    pub(crate) lane: String,
    pub(crate) number: u32,
    pub(crate) part: String,
    pub(crate) operation: String,
    /// Of the call's arguments.
    pub(crate) digest: [u8; 16],
    pub(crate) body: Vec<u8>,
}

/// A change that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) run: String,
    pub(crate) sequence: u64,
    pub(crate) lane: String,
    pub(crate) number: u32,
    pub(crate) part: String,
    pub(crate) round: u32,
    pub(crate) class: String,
    pub(crate) operation: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body_sha256: [u8; 32],
    pub(crate) items: u32,
    /// Where in the script: `x.rhai:12`.
    pub(crate) place: Option<String>,
    /// In the service's time.
    pub(crate) at: Timestamp,
    /// By our clock.
    pub(crate) clock: Timestamp,
}

/// What became of a change. One without an outcome is pending, or was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Done,
    /// The service said no, or it never left this machine.
    Refused,
    /// The answer was lost, and looking showed that nothing had happened.
    NotDone,
    Unknown,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NotDone => "not done",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        [Self::Done, Self::Refused, Self::NotDone, Self::Unknown]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// What became of the change of this number. A later one replaces it: what was unknown can be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutcomeRow {
    pub(crate) run: String,
    pub(crate) sequence: u64,
    pub(crate) state: State,
    pub(crate) answer: Option<Vec<u8>>,
    pub(crate) error: Option<String>,
    pub(crate) request_id: Option<String>,
    /// It was found by looking, not by an answer.
    pub(crate) found: bool,
    pub(crate) at: Timestamp,
}

/// A change and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangeRow {
    pub(crate) intent: Intent,
    pub(crate) outcome: Option<OutcomeRow>,
}

/// A consent, with the set that it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Consented {
    pub(crate) run: String,
    pub(crate) class: String,
    pub(crate) question: String,
    pub(crate) keys: Vec<String>,
    /// For everything in this run.
    pub(crate) all: bool,
    /// `prompt`, `--yes`, `policy` or `confirm`.
    pub(crate) how: String,
    pub(crate) at: Timestamp,
}
