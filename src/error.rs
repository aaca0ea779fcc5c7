//! The error a person sees: what happened, where in the script, what now, and the exit code that goes with it.

pub(crate) mod bug;
mod render;

use std::fmt;

/// Exit codes of the process. The first that applies wins, in the order of [`Exit::rank`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for succeeded; nothing asked for is also this.
    Success,
    /// Ran to its end, but items failed or were skipped.
    Incomplete,
    /// Stopped before any change was sent: command line, script, argument, configuration, no such group.
    Unstarted,
    /// Stopped after at least one change was sent; the state is known.
    Stopped,
    /// Some outcomes are unknown, a person must look.
    Unknown,
    /// Refused by policy or consent.
    Denied,
    /// Sign-in or permission.
    SignIn,
    /// A bug in runback.
    Bug,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Incomplete => 1,
            Self::Unstarted => 2,
            Self::Stopped => 3,
            Self::Unknown => 4,
            Self::Denied => 5,
            Self::SignIn => 6,
            Self::Bug => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The other way round, for result documents; `None` for a number that no run ends with.
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        [
            Self::Success,
            Self::Incomplete,
            Self::Unstarted,
            Self::Stopped,
            Self::Unknown,
            Self::Denied,
            Self::SignIn,
            Self::Bug,
            Self::Interrupted,
            Self::Terminated,
        ]
        .into_iter()
        .find(|exit| exit.code() == code)
    }

    /// Of two codes that both apply, the one with the lower rank is reported.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Bug => 0,
            Self::Interrupted | Self::Terminated => 1,
            Self::Unknown => 2,
            Self::SignIn => 3,
            Self::Denied => 4,
            Self::Stopped => 5,
            Self::Unstarted => 6,
            Self::Incomplete => 7,
            Self::Success => 8,
        }
    }
}

/// A place in a script. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// The text of that line, without its end, where it is known.
    pub(crate) text: Option<String>,
}

/// How many mistakes are told at once. A person mends the first ones and looks again; a file that is no script at all has one
/// in each of its lines.
pub(crate) const MOST_FAULTS: usize = 100;

/// What a person is told. `message` is the first line: lower case, no final stop.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What the process would exit with for this alone, as far as is known where it arose (`Unstarted` for
    /// an ordinary error of a script: the runner makes it `Stopped` once a change was sent).
    pub(crate) exit: Exit,
    /// Graph's code or ours: what a script reads as `e.code`.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) place: Option<Place>,
    /// Further facts, one a line: in which function called from where, item counts, request id.
    pub(crate) context: Vec<String>,
    pub(crate) hints: Vec<String>,
    pub(crate) status: Option<u16>,
    pub(crate) request_id: Option<String>,
    /// When that was, where there is a request to look for: `02:14:07 UTC`.
    pub(crate) time: Option<String>,
    /// It stands on the screen already.
    pub(crate) is_told: bool,
}

impl Fault {
    pub(crate) fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.into(),
            message: message.into(),
            place: None,
            context: Vec::new(),
            hints: Vec::new(),
            status: None,
            request_id: None,
            time: None,
            is_told: false,
        }
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(crate) fn context(mut self, line: impl Into<String>) -> Self {
        self.context.push(line.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
