//! What there is now: the seeded tenant, with what was changed about protection and what was broken by hand.

use jiff::Timestamp;
use uuid::Uuid;

use super::broken::Broken;
use super::protections::Protections;
use super::tenant::{Point, Tenant, Unit};
use super::workload::Workload;

/// What differs from the seed.
pub(super) struct Present {
    pub(super) broken: Broken,
    pub(super) protections: Protections,
}

impl Present {
    pub(super) fn new(begun: Timestamp) -> Self {
        Self {
            broken: Broken::default(),
            protections: Protections::new(begun),
        }
    }

    /// The unit of the person or site at `index`; nothing where it was never protected, or was broken.
    pub(super) fn unit(
        &self,
        tenant: &Tenant,
        workload: &'static Workload,
        index: u32,
    ) -> Option<Unit> {
        if index >= tenant.positions(workload) {
            return None;
        }
        let unit = tenant.unit(workload, index);
        let unit = self.protections.see(workload, index, unit)?;
        self.broken.has_unit(&unit).then_some(unit)
    }

    /// Units of one workload from position `from` on, in order.
    pub(super) fn units<'a>(
        &'a self,
        tenant: &'a Tenant,
        workload: &'static Workload,
        from: u32,
    ) -> impl Iterator<Item = Unit> + 'a {
        let positions = from..tenant.positions(workload);
        positions.filter_map(move |index| self.unit(tenant, workload, index))
    }

    pub(super) fn find_unit(&self, tenant: &Tenant, id: Uuid) -> Option<Unit> {
        let (workload, index) = tenant.place_of_unit(id)?;
        self.unit(tenant, workload, index)
    }

    /// True where the point can be restored, as far as hands and policies are concerned.
    pub(super) fn has_point(&self, point: &Point) -> bool {
        self.broken.has_point(point) && self.protections.covers(point)
    }

    /// The point with this id, also when it has expired by now.
    pub(super) fn find_point(&self, tenant: &Tenant, id: Uuid) -> Option<Point> {
        let (workload, index, slot) = tenant.place_of_point(id)?;
        let point = self.unit(tenant, workload, index)?.point(slot)?;
        self.has_point(&point).then_some(point)
    }
}
