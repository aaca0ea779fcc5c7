//! Restore sessions and their artifacts: states computed from the clock.

use jiff::Timestamp;
use uuid::Uuid;

use super::access::By;
use super::bulk::Bulk;
use super::refusals::ArtifactError;
use super::tenant::{Node, Point};
use super::workload::Workload;

/// Where an artifact is restored to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    New,
    InPlace,
}

impl Destination {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "new" => Some(Self::New),
            "inPlace" => Some(Self::InPlace),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InPlace => "inPlace",
        }
    }
}

/// What a session restores. It is settled by the first thing that is put into it, and never mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Job {
    #[default]
    Standard,
    Bulk,
    Granular,
}

impl Job {
    /// The member as it is sent; `granular` stands behind the sentinel of its enum.
    pub(super) fn name(self, knows_future_members: bool) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Bulk => "bulk",
            Self::Granular if knows_future_members => "granular",
            Self::Granular => "unknownFutureValue",
        }
    }
}

/// What an artifact restores of its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Whole,
    /// A file or a folder.
    Item(Node),
    /// The mails that a search has found.
    Mails {
        search: u32,
        hits: u32,
    },
}

/// What to do where something with the name of a restored item exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Conflict {
    #[default]
    Fail,
    Replace,
    Rename,
}

impl Conflict {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "fail" => Some(Self::Fail),
            "replace" => Some(Self::Replace),
            "rename" => Some(Self::Rename),
            _ => None,
        }
    }
}

/// One restore session.
pub(super) struct Session {
    pub(super) serial: u32,
    pub(super) workload: &'static Workload,
    pub(super) by: By,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) activated: Option<Timestamp>,
    pub(super) job: Job,
    pub(super) conflict: Conflict,
    /// The policy that its units were checked to be in (beta).
    pub(super) policy: Option<Uuid>,
    /// The request that fills the session, unless it was deleted afterwards.
    pub(super) bulk: Option<Bulk>,
    /// From when on the artifacts of a bulk request can be seen.
    pub(super) resolved: Option<Timestamp>,
    /// In the order in which they were added.
    pub(super) artifacts: Vec<Artifact>,
    pub(super) next_artifact: u32,
}

/// An artifact that is to be added.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) point: Point,
    pub(super) what: What,
    /// The browse session that showed an item.
    pub(super) browse: Option<u32>,
    pub(super) destination: Destination,
}

impl Wanted {
    /// True where both name the same thing. An item is named by its key, whatever the point.
    pub(super) fn is_same(&self, point: &Point, what: What) -> bool {
        match (self.what, what) {
            (What::Item(one), What::Item(other)) => one == other && self.point.unit == point.unit,
            _ => self.point == *point && self.what == what,
        }
    }
}

/// One thing to restore.
pub(super) struct Artifact {
    pub(super) serial: u32,
    pub(super) point: Point,
    pub(super) what: What,
    pub(super) browse: Option<u32>,
    pub(super) destination: Destination,
    /// What happens to it, known in full from activation on.
    pub(super) course: Option<Course>,
}

/// The life of an artifact after activation.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// End of `scheduling`, then of `scheduled`, then of `inProgress`.
    pub(super) scheduled: Timestamp,
    pub(super) started: Timestamp,
    pub(super) ended: Timestamp,
    /// When the properties of the new place are filled; after `ended`, that can take a quarter of an hour.
    pub(super) details: Timestamp,
    pub(super) error: Option<ArtifactError>,
    /// Items restored in the end (mailboxes).
    pub(super) items: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArtifactStatus {
    Added,
    Scheduling,
    Scheduled,
    InProgress,
    Succeeded,
    Failed,
}

impl ArtifactStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Scheduling => "scheduling",
            Self::Scheduled => "scheduled",
            Self::InProgress => "inProgress",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl Artifact {
    pub(super) fn status(&self, now: Timestamp) -> ArtifactStatus {
        match &self.course {
            None => ArtifactStatus::Added,
            Some(course) if now < course.scheduled => ArtifactStatus::Scheduling,
            Some(course) if now < course.started => ArtifactStatus::Scheduled,
            Some(course) if now < course.ended => ArtifactStatus::InProgress,
            Some(course) if course.error.is_some() => ArtifactStatus::Failed,
            Some(_) => ArtifactStatus::Succeeded,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionStatus {
    Draft,
    Activating,
    Active,
    Completed,
    CompletedWithError,
    Failed,
}

impl SessionStatus {
    /// The member as it is sent; `failed` stands behind the sentinel of its enum.
    pub(super) fn name(self, knows_future_members: bool) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Activating => "activating",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::CompletedWithError => "completedWithError",
            Self::Failed if knows_future_members => "failed",
            Self::Failed => "unknownFutureValue",
        }
    }
}

/// How many artifacts are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) total: usize,
    pub(super) scheduling: usize,
    pub(super) completed: usize,
    pub(super) failed: usize,
    pub(super) in_progress: usize,
}

impl Session {
    /// The artifacts that it has at an instant: those of a bulk request appear when it has been resolved.
    pub(super) fn artifacts(&self, now: Timestamp) -> &[Artifact] {
        match self.resolved {
            Some(resolved) if now < resolved => &[],
            _ => &self.artifacts,
        }
    }

    pub(super) fn tally(&self, now: Timestamp) -> Tally {
        let artifacts = self.artifacts(now);
        let mut tally = Tally {
            total: artifacts.len(),
            ..Tally::default()
        };
        for artifact in artifacts {
            match artifact.status(now) {
                ArtifactStatus::Added => {}
                ArtifactStatus::Scheduling => {
                    tally.scheduling += 1;
                    tally.in_progress += 1;
                }
                ArtifactStatus::Scheduled | ArtifactStatus::InProgress => tally.in_progress += 1,
                ArtifactStatus::Succeeded => tally.completed += 1,
                ArtifactStatus::Failed => tally.failed += 1,
            }
        }
        tally
    }

    pub(super) fn status(&self, now: Timestamp) -> SessionStatus {
        if self.activated.is_none() {
            return SessionStatus::Draft;
        }
        let tally = self.tally(now);
        if self.resolved.is_some_and(|resolved| now < resolved) {
            SessionStatus::Activating
        } else if tally.total == 0 {
            // Nothing of a bulk request could be resolved.
            SessionStatus::Failed
        } else if tally.scheduling == tally.total {
            SessionStatus::Activating
        } else if tally.in_progress > 0 {
            SessionStatus::Active
        } else if tally.failed == 0 {
            SessionStatus::Completed
        } else if tally.completed == 0 {
            SessionStatus::Failed
        } else {
            SessionStatus::CompletedWithError
        }
    }

    pub(super) fn is_draft(&self) -> bool {
        self.activated.is_none()
    }

    /// True while it counts against the sessions that may be active at once.
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        self.activated.is_some() && self.ended().is_some_and(|ended| now < ended)
    }

    /// When the last artifact ends, or the resolution that found none.
    pub(super) fn ended(&self) -> Option<Timestamp> {
        self.artifacts
            .iter()
            .filter_map(|artifact| Some(artifact.course.as_ref()?.ended))
            .max()
            .or(self.resolved)
    }

    /// The one destination of its artifacts.
    pub(super) fn destination(&self) -> Option<Destination> {
        self.artifacts.first().map(|artifact| artifact.destination)
    }

    pub(super) fn add(&mut self, wanted: Wanted) -> &Artifact {
        let serial = self.next_artifact;
        self.next_artifact += 1;
        self.artifacts.push(Artifact {
            serial,
            point: wanted.point,
            what: wanted.what,
            browse: wanted.browse,
            destination: wanted.destination,
            course: None,
        });
        self.artifacts.last().expect("it was just added")
    }
}
