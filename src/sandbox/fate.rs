//! What becomes of an artifact that is restored: whether it fails, and how long it takes.

use jiff::{SignedDuration, Timestamp};

use super::id::mix;
use super::present::Present;
use super::refusals::{self, ArtifactError};
use super::session::{Artifact, Conflict, Course, Destination, What};
use super::tenant::{Point, Tenant};

/// An item in place meets the one of its name that is there now.
pub(super) fn collision(
    tenant: &Tenant,
    artifact: &Artifact,
    conflict: Conflict,
    now: Timestamp,
) -> Option<ArtifactError> {
    let What::Item(node) = artifact.what else {
        return None;
    };
    let in_place = artifact.destination == Destination::InPlace && conflict == Conflict::Fail;
    let is_there = || tenant.tree_at(artifact.point.unit, now).exists(node);
    (in_place && is_there()).then_some(refusals::NAME_EXISTS)
}

/// Why the restore of a point will fail, where it will.
pub(super) fn failure(
    tenant: &Tenant,
    present: &Present,
    point: &Point,
    now: Timestamp,
) -> Option<ArtifactError> {
    if !present.broken.has_unit(&point.unit) || !present.has_point(point) {
        return Some(refusals::ARTIFACT_NOT_FOUND);
    }
    if point.expires() <= now {
        return Some(refusals::INVALID_RESTORE_TIME);
    }
    if tenant.is_on_hold(&point.unit) || present.broken.holds(&point.unit) {
        return Some(refusals::CANNOT_BE_RESTORED);
    }
    if present.broken.no_chance {
        return None;
    }
    let dice = tenant.dice(
        0xd2 + u64::from(point.unit.workload.number),
        u64::from(point.unit.index),
    );
    match mix(dice, point.slot.unsigned_abs()) % 1_000 {
        0..6 => Some(refusals::UNKNOWN_ERROR),
        6..8 => Some(refusals::ARTIFACT_NOT_FOUND),
        8..10 => Some(refusals::CANNOT_BE_RESTORED),
        _ => None,
    }
}

/// Scheduling takes seconds from `now` on, a restore 2 to 20 minutes, a failure under a minute. `place` is when one of the workload's
/// thousand places is free: until then the artifact stays scheduled.
pub(super) fn course(
    dice: u64,
    now: Timestamp,
    place: Timestamp,
    artifact: &Artifact,
    error: Option<ArtifactError>,
) -> Course {
    let part =
        |number: u64, range: u64| i64::try_from(mix(dice, number) % range).unwrap_or_default();
    let scheduled = now + SignedDuration::from_secs(2 + part(1, 4));
    let started = scheduled.max(place) + SignedDuration::from_secs(1 + part(2, 5));
    let ended = started
        + match error {
            Some(_) => SignedDuration::from_secs(5 + part(3, 40)),
            None if artifact.what != What::Whole => SignedDuration::from_secs(20 + part(3, 280)),
            None => SignedDuration::from_secs(120 + part(3, 1_080)),
        };
    let details = match artifact.destination {
        _ if artifact.what != What::Whole => ended,
        Destination::New => ended + SignedDuration::from_secs(part(4, 900)),
        Destination::InPlace => started,
    };
    let items = match artifact.what {
        What::Mails { hits, .. } => hits,
        _ => u32::try_from(mix(dice, 5) % 20_000).unwrap_or_default(),
    };
    Course {
        scheduled,
        started,
        ended,
        details,
        error,
        items,
    }
}
