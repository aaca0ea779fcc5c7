//! Why the backup service did not do what was asked.

use super::part::ArtifactKey;
use crate::changes::ChangeError;
use crate::directory::DirectoryError;
use crate::graph::GraphError;

#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The service listed a unit neither among the results nor among those without one, however it was asked.
    #[error("the search for restore points left {units} unanswered {tries} times")]
    Unanswered { units: String, tries: u32 },
    #[error("a session has one destination: this one has `{has}`, not `{asked}`")]
    MixedDestinations { has: String, asked: String },
    #[error("there is no destination `{asked}`")]
    NoDestination { asked: String },
    #[error("session `{session}` is {status}: only a draft can be changed")]
    NotDraft { session: String, status: String },
    #[error("session `{session}` was not activated: waiting for it would never end")]
    NotActivated { session: String },
    #[error("session `{session}` is gone")]
    SessionGone { session: String },
    /// Somebody else has put something into our draft.
    #[error("session `{session}` was not activated: {count} of its artifacts are not ours")]
    ForeignArtifacts { session: String, count: usize },
    /// The service names no restore point of them: whether they are ours nobody can tell.
    #[error(
        "session `{session}` was not activated: the service does not say what {count} of its artifacts restore"
    )]
    UntoldArtifacts { session: String, count: usize },
    /// Looking and mending did not make the draft what it should be.
    #[error(
        "session `{session}` was not activated: after {rounds} repairs its artifacts still differ from what was asked for"
    )]
    CannotVerify { session: String, rounds: u32 },
    /// One artifact that the service did not take.
    #[error("{name} was not added: {message}")]
    ItemRefused {
        name: String,
        code: String,
        message: String,
    },
    #[error("{what} did not end within {limit}")]
    Timeout { what: String, limit: String },
    #[error("a bulk request names nobody: there is nothing to restore")]
    NoInputs,
    #[error("{count} inputs are too many for one bulk request: 10000 are the most")]
    TooManyInputs { count: usize },
    #[error("session `{session}` has a bulk request already: a session takes one")]
    HasBulk { session: String },
    #[error("session `{session}` is not empty: a bulk request goes into an empty draft")]
    NotEmpty { session: String },
    #[error("session `{session}` holds a bulk request: nothing else can be added to it")]
    TakesBulk { session: String },
    /// Files into a session for whole units, or the other way round.
    #[error("session `{session}` takes {takes}, not {given}")]
    OtherKind {
        session: String,
        takes: &'static str,
        given: &'static str,
    },
    /// Somebody else restores some of what this session would.
    #[error("session `{session}` was not activated: {count} of its inputs are restored by {by}")]
    Overlaps {
        session: String,
        count: usize,
        by: &'static str,
    },
    #[error("{what} has no {nouns} of its own")]
    WrongOwner { what: String, nouns: &'static str },
    #[error("restore point `{point}` cannot be browsed: it is not tagged `fastRestore`")]
    NotBrowsable { point: String },
    #[error("browse session `{session}` cannot be looked into: {why}")]
    BrowseFailed {
        session: String,
        code: String,
        why: String,
    },
    #[error("browse session `{session}` has no `{path}`")]
    NoSuchPath { session: String, path: String },
    #[error("{what} is only in the beta version of Microsoft Graph")]
    OnlyInBeta { what: String },
    #[error("{what} has no protection unit: it was never protected")]
    NoUnit { what: String },
    #[error("nothing can be restored: Microsoft 365 Backup is `{status}` in this tenant")]
    ServiceLocked { status: String },
}

impl BackupError {
    /// What keeps a draft from being activated that lists these (id and key) of which nobody here knows: they are somebody
    /// else's, or the service does not say what they restore.
    pub(super) fn foreign(
        session: &str,
        listed: &[(String, ArtifactKey)],
        foreign: &[String],
    ) -> Self {
        let untold = |id: &&String| {
            let mut own = listed.iter().filter(|(known, _)| known == *id);
            own.any(|(_, (point, _))| point.is_empty())
        };
        let (session, all) = (session.to_owned(), foreign.len());
        match all - foreign.iter().filter(untold).count() {
            0 => Self::UntoldArtifacts {
                session,
                count: all,
            },
            count => Self::ForeignArtifacts { session, count },
        }
    }

    /// What a script reads as `e.code`: Graph's code exactly as sent, or ours.
    #[allow(clippy::match_same_arms)] // one line for each, to be read as a table
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Graph(error) | Self::Change(ChangeError::Graph(error)) => error.code(),
            Self::Change(ChangeError::Unknown { .. }) => "OutcomeUnknown",
            Self::Change(ChangeError::Stopped(fault)) => &fault.code,
            Self::Directory(error) => error.code(),
            Self::Unanswered { .. } => "SearchUnanswered",
            Self::MixedDestinations { .. } => "DifferentRestoreDestinationType",
            Self::NoDestination { .. } => "InvalidPathType",
            Self::NotDraft { .. } => "NotDraft",
            Self::NotActivated { .. } => "NotActivated",
            Self::SessionGone { .. } => "SessionGone",
            Self::ForeignArtifacts { .. } => "ForeignArtifacts",
            Self::UntoldArtifacts { .. } => "ArtifactsUntold",
            Self::CannotVerify { .. } => "CannotVerify",
            Self::ItemRefused { code, .. } => code,
            Self::Timeout { .. } => "Timeout",
            Self::NoUnit { .. } => "NoUnit",
            Self::NoInputs => "BulkRestoreInvalidCreateRequest",
            Self::TooManyInputs { .. } => "BulkRestoreRestorationResourcesCountExceedsLimit",
            Self::HasBulk { .. } => "HasBulkRequest",
            Self::NotEmpty { .. } => "NotEmpty",
            Self::TakesBulk { .. } => "TakesBulkRequest",
            Self::OtherKind { .. } => "OtherKind",
            Self::Overlaps { .. } => "OverlapsSession",
            Self::WrongOwner { .. } => "WrongType",
            Self::NotBrowsable { .. } => "NotFastRestore",
            Self::BrowseFailed { code, .. } => code,
            Self::NoSuchPath { .. } => "NoSuchPath",
            Self::OnlyInBeta { .. } => "OnlyInBeta",
            Self::ServiceLocked { .. } => "ServiceLocked",
        }
    }

    /// What the reader can do now.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Directory(error) => return error.hint(),
            Self::MixedDestinations { .. } => {
                "make a second session for the other destination".to_owned()
            }
            Self::NoDestination { .. } => {
                "write \"new\" (beside what is there) or \"inPlace\" (over it)".to_owned()
            }
            Self::NotActivated { .. } => "call `session.activate()` first".to_owned(),
            Self::ForeignArtifacts { session, .. } | Self::UntoldArtifacts { session, .. } => {
                format!("look at draft `{session}` in the tenant; it was left as it is")
            }
            Self::Timeout { .. } => {
                "the service goes on with it; wait longer, or look again later".to_owned()
            }
            Self::TooManyInputs { .. } => {
                "`restore_bulk(…)` makes as many sessions as it takes".to_owned()
            }
            Self::NotEmpty { .. } | Self::HasBulk { .. } => {
                "make another session: `create_session()` gives an empty draft".to_owned()
            }
            Self::TakesBulk { .. } => {
                "make another session for single artifacts: a bulk request and artifacts cannot be mixed"
                    .to_owned()
            }
            Self::OtherKind { .. } => {
                "`create_granular_session(…)` makes a session for files or messages, `create_session(…)` one for whole restore points"
                    .to_owned()
            }
            Self::Overlaps { .. } => {
                "delete this draft and make one without them; `restore_bulk(…)` leaves them out by itself"
                    .to_owned()
            }
            Self::WrongOwner { .. } => {
                "mailboxes and OneDrives belong to users, sites are found with `sites::search(\"…\")` or `sites::get(url)`"
                    .to_owned()
            }
            Self::NotBrowsable { .. } => {
                "look for one that can: `latest_point(item, #{tags: \"fastRestore\"})`".to_owned()
            }
            Self::OnlyInBeta { .. } => {
                "ask for it: `#{version: \"beta\"}` beside the option, or `--api beta` for the whole run"
                    .to_owned()
            }
            Self::ServiceLocked { .. } => {
                "look at Settings, Microsoft 365 Backup in the admin centre, then run again"
                    .to_owned()
            }
            _ => return None,
        })
    }

    pub(crate) fn graph(&self) -> Option<&GraphError> {
        match self {
            Self::Graph(error)
            | Self::Change(ChangeError::Graph(error))
            | Self::Directory(DirectoryError::Graph(error)) => Some(error),
            _ => None,
        }
    }
}
