//! Restore points: one every ten minutes for two weeks, one a week for the year before.
//!
//! A *slot* is the number of a ten-minute step since the epoch. Weekly points are the slots that 1,008 divides.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Kind, Tenant, Unit};
use crate::sandbox::id::Name;
use crate::sandbox::workload::{Workload, numbered};

const SLOT_SECONDS: i64 = 600;
const SLOTS_PER_WEEK: i64 = 1_008;
const FINE: SignedDuration = SignedDuration::from_hours(14 * 24);
const COARSE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// One restore point of one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sandbox) struct Point {
    pub(in crate::sandbox) unit: Unit,
    pub(in crate::sandbox) slot: i64,
}

/// Which points are looked for: from `from` to `to`, both included.
#[derive(Clone, Copy)]
pub(in crate::sandbox) struct Window {
    pub(in crate::sandbox) from: Timestamp,
    pub(in crate::sandbox) to: Timestamp,
}

impl Point {
    pub(in crate::sandbox) fn made(&self) -> Timestamp {
        slot_time(self.slot)
    }

    pub(in crate::sandbox) fn expires(&self) -> Timestamp {
        self.made()
            + if self.slot % SLOTS_PER_WEEK == 0 {
                COARSE
            } else {
                FINE
            }
    }
}

impl Unit {
    /// The point of a slot, if it was ever made. It may have expired by now.
    pub(in crate::sandbox) fn point(self, slot: i64) -> Option<Point> {
        let point = Point { unit: self, slot };
        let Window { from, to } = lifetime(&self);
        (from <= point.made() && point.made() <= to).then_some(point)
    }

    /// Its points that exist at `now` inside `window`, oldest first.
    pub(in crate::sandbox) fn points(
        self,
        window: Window,
        now: Timestamp,
    ) -> impl DoubleEndedIterator<Item = Point> + use<> {
        let life = lifetime(&self);
        let first = slot_at_or_after(window.from.max(life.from).max(now - COARSE));
        let last = slot_at_or_before(window.to.min(life.to).min(now));
        let fine = slot_at_or_after(now - FINE);
        let weeks = ceiling(first, SLOTS_PER_WEEK)..=last.min(fine - 1).div_euclid(SLOTS_PER_WEEK);
        let weekly = weeks.map(|week| week * SLOTS_PER_WEEK);
        weekly
            .chain(first.max(fine)..=last)
            .map(move |slot| Point { unit: self, slot })
    }
}

impl Tenant {
    pub(in crate::sandbox) fn point_id(&self, point: &Point) -> Uuid {
        let slot = u64::try_from(point.slot).unwrap_or_default();
        self.ids
            .make(point.unit.workload.point_kind(), point.unit.index, slot)
    }

    /// What an id of a point names: whose it is, and its slot.
    pub(in crate::sandbox) fn place_of_point(
        &self,
        id: Uuid,
    ) -> Option<(&'static Workload, u32, i64)> {
        let Name {
            kind: Kind::Point(number),
            index,
            slot,
        } = self.ids.read(id)?
        else {
            return None;
        };
        Some((numbered(number)?, index, i64::try_from(slot).ok()?))
    }

    /// True for one point an hour of every second unit, and of the large ones.
    pub(in crate::sandbox) fn is_fast(&self, point: &Point) -> bool {
        if point.slot % 6 != 0 {
            return false;
        }
        let dice = self.dice(
            0xc1 + u64::from(point.unit.workload.number),
            u64::from(point.unit.index),
        );
        dice.is_multiple_of(2) || Self::is_large(&point.unit)
    }
}

fn lifetime(unit: &Unit) -> Window {
    let protection = unit.protection;
    Window {
        from: protection.since,
        to: protection.until.unwrap_or(Timestamp::MAX),
    }
}

/// The instant of a slot.
fn slot_time(slot: i64) -> Timestamp {
    Timestamp::from_second(slot.saturating_mul(SLOT_SECONDS)).unwrap_or(Timestamp::MAX)
}

fn slot_at_or_before(instant: Timestamp) -> i64 {
    instant
        .as_nanosecond()
        .div_euclid(i128::from(SLOT_SECONDS) * 1_000_000_000)
        .try_into()
        .unwrap_or(i64::MAX)
}

fn slot_at_or_after(instant: Timestamp) -> i64 {
    let slot = slot_at_or_before(instant);
    if slot_time(slot) < instant {
        slot + 1
    } else {
        slot
    }
}

fn ceiling(value: i64, by: i64) -> i64 {
    value.div_euclid(by) + i64::from(value.rem_euclid(by) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::workload::WORKLOADS;

    fn now() -> Timestamp {
        "2026-11-24T14:35:10Z".parse().expect("a constant")
    }

    fn all() -> Window {
        Window {
            from: Timestamp::MIN,
            to: Timestamp::MAX,
        }
    }

    fn old_unit(tenant: &Tenant) -> Unit {
        tenant
            .units(&WORKLOADS[0], 0)
            .find(|unit| unit.protection.until.is_none() && unit.protection.since < now() - COARSE)
            .expect("some unit is older than a year")
    }

    #[test]
    fn points_lie_on_the_grid_and_thin_out_after_two_weeks() {
        let tenant = Tenant::new(1, 100, now());
        let points: Vec<Point> = old_unit(&tenant).points(all(), now()).collect();
        assert!(points.is_sorted_by(|a, b| a.slot < b.slot));
        let fine = points
            .iter()
            .filter(|point| point.made() >= now() - FINE)
            .count();
        assert_eq!(fine, 2_016);
        assert_eq!(points.len() - fine, 50);
        assert_eq!(
            points.last().map(Point::made),
            Some("2026-11-24T14:30:00Z".parse().expect("a constant"))
        );
        assert!(points.iter().all(|point| point.expires() > now()));
    }

    #[test]
    fn a_point_id_leads_back_to_its_point() {
        let tenant = Tenant::new(1, 100, now());
        for point in old_unit(&tenant).points(all(), now()) {
            let (workload, index, slot) = tenant
                .place_of_point(tenant.point_id(&point))
                .expect("it names a point");
            let unit = tenant.unit(workload, index).expect("it is protected");
            assert_eq!(unit.point(slot), Some(point));
        }
    }

    #[test]
    fn a_window_includes_both_ends() {
        let tenant = Tenant::new(1, 100, now());
        let window = Window {
            from: "2026-11-20T10:00:00Z".parse().expect("a constant"),
            to: "2026-11-20T10:20:00Z".parse().expect("a constant"),
        };
        assert_eq!(old_unit(&tenant).points(window, now()).count(), 3);
    }

    #[test]
    fn every_kind_of_unit_occurs_in_the_default_tenant() {
        let tenant = Tenant::new(1, 100, now());
        let units: Vec<Unit> = tenant.units(&WORKLOADS[0], 0).collect();
        assert!(units.len() < 102);
        assert!(units.iter().any(|unit| tenant.is_on_hold(unit)));
        assert!(units.iter().any(|unit| tenant.is_over_quota(unit)));
        assert!(units.iter().any(|unit| unit.protection.until.is_some()));
        assert!(units.iter().any(|unit| unit.index >= tenant.users()));
        assert!(
            units
                .iter()
                .any(|unit| unit.points(all(), now()).next().is_none())
        );
    }
}
