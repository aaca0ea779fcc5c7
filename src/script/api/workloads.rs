//! The verbs of a workload's namespace: `exchange::units()`, `exchange::points_before(…)`, `exchange::create_session(…)`.

mod browse;
mod bulk;
mod granular;
mod points;
mod restore;
mod units;
mod words;

use crate::backup::Workload;
use crate::script::library::Library;

/// Registers the verbs of one workload in its namespace.
pub(crate) fn register(library: &mut Library, workload: &'static Workload) {
    units::register(library, workload);
    points::register(library, workload);
    restore::register(library, workload);
    bulk::register(library, workload);
    granular::register(library, workload);
    if workload.browse.is_some() {
        browse::register(library, workload);
    }
}
