//! Why a Graph call gave no answer that we can use.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which call an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallName {
    pub(crate) operation: &'static str,
    pub(crate) method: String,
    /// Path without version, query or token.
    pub(crate) path: String,
    /// The `client-request-id` of the last try.
    pub(crate) client_request_id: String,
}

/// What the service said in `error` (or what we read out of an answer that had none).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    /// Graph's code exactly as sent; `HttpStatus404` and the like where the body held none.
    pub(crate) code: String,
    /// The service's own words, at most 500 characters.
    pub(crate) message: String,
    /// Which of several inputs it is about, and the code underneath, on one line; empty where the answer had neither.
    #[serde(default)]
    pub(crate) details: Box<str>,
    pub(crate) request_id: String,
}

impl ServiceError {
    /// The service's message, with what it says beside it.
    pub(crate) fn words(&self) -> String {
        if self.details.is_empty() {
            return self.message.clone();
        }
        format!("{} ({})", self.message, self.details)
    }
}

/// Why a call failed. `Unknown` is never folded into the others and never sent again without looking first.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum GraphError {
    /// The service answered, and the answer is no.
    #[error("{} was refused: {}", call.operation, error.words())]
    Refused { call: CallName, error: ServiceError },

    /// A change left this machine and no usable answer came back: the service may or may not have acted.
    #[error("no answer to {}: {cause}", call.operation)]
    Unknown {
        call: CallName,
        sent_at: Timestamp,
        /// The answer said that something on the way stopped waiting (408, 504): the work may still be going on.
        maybe_later: bool,
        cause: String,
    },

    /// Nothing left this machine: DNS, connect, TLS.
    #[error("{} was not sent: {cause}", call.operation)]
    Unreachable { call: CallName, cause: String },

    /// It was tried again until the budget for tries or time was used up.
    #[error("{} gave no answer after {tries} tries in {} s: {last}", call.operation, waited.as_secs())]
    Exhausted {
        call: CallName,
        tries: u32,
        waited: Duration,
        last: String,
        /// The last thing the service said, where it said anything.
        error: Option<ServiceError>,
    },

    /// An answer came whose form cannot be used: HTML, cut JSON, too large, a link to another host.
    #[error("{} was answered with something unusable: {cause}", call.operation)]
    Unusable {
        call: CallName,
        cause: String,
        request_id: String,
    },

    /// The client cannot work like this: a wrong address, a CA file that cannot be read. Nothing was sent.
    #[error("{message}")]
    Setup {
        message: String,
        hint: Option<String>,
    },

    /// No token could be had.
    #[error("sign-in failed: {message}")]
    SignIn {
        message: String,
        hint: Option<String>,
        /// Further facts, one a line: what was tried.
        context: Vec<String>,
    },

    /// Ctrl-C, SIGTERM, a limit. For a change that was in flight `Unknown` is used instead.
    #[error("{} was stopped", call.operation)]
    Stopped { call: CallName },
}

impl GraphError {
    /// Graph's code, else ours: what a script reads as `e.code`.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Refused { error, .. }
            | Self::Exhausted {
                error: Some(error), ..
            } => &error.code,
            Self::Unknown { .. } => "OutcomeUnknown",
            Self::Unreachable { .. } => "Unreachable",
            Self::Exhausted { error: None, .. } => "NoAnswer",
            Self::Unusable { .. } => "UnusableAnswer",
            Self::Setup { .. } => "BadConfiguration",
            Self::SignIn { .. } => "SignInFailed",
            Self::Stopped { .. } => "Stopped",
        }
    }

    pub(crate) fn service_error(&self) -> Option<&ServiceError> {
        match self {
            Self::Refused { error, .. } => Some(error),
            Self::Exhausted { error, .. } => error.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.service_error().map(|error| error.status)
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused { error, .. }
            | Self::Exhausted {
                error: Some(error), ..
            } => Some(&error.request_id),
            Self::Unusable { request_id, .. } => Some(request_id),
            Self::Unknown { call, .. }
            | Self::Unreachable { call, .. }
            | Self::Exhausted { call, .. }
            | Self::Stopped { call } => Some(&call.client_request_id),
            Self::Setup { .. } | Self::SignIn { .. } => None,
        }
    }

    /// The service answered with this code.
    pub(crate) fn is(&self, code: &str) -> bool {
        matches!(self, Self::Refused { error, .. } if error.code.eq_ignore_ascii_case(code))
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if error.status == 404)
    }
}
