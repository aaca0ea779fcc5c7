//! What scripts can call, one file per namespace. A function checks and converts its arguments and asks somebody who knows.

pub(crate) mod backup;
pub(crate) mod browse;
pub(crate) mod csv;
pub(crate) mod globals;
pub(crate) mod graph;
pub(crate) mod groups;
pub(crate) mod json;
pub(crate) mod lists;
pub(crate) mod log;
pub(crate) mod named;
pub(crate) mod objects;
pub(crate) mod plan;
pub(crate) mod rows;
pub(crate) mod runs;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod shown;
pub(crate) mod sites;
pub(crate) mod streams;
pub(crate) mod tenant;
pub(crate) mod times;
pub(crate) mod users;
pub(crate) mod workloads;

use super::library::Library;
use super::{compare, parallel};
use crate::backup::WORKLOADS;

/// Puts everything on the list.
pub(crate) fn register(library: &mut Library) {
    compare::register(library);
    times::register(library);
    objects::register(library);
    lists::register(library);
    streams::register(library);
    rows::register(library);
    named::register(library);
    globals::register(library);
    parallel::register(library);
    csv::register(library);
    json::register(library);
    log::register(library);
    users::register(library);
    groups::register(library);
    sites::register(library);
    for workload in WORKLOADS {
        workloads::register(library, workload);
    }
    session::register(library);
    sessions::register(library);
    runs::register(library);
    browse::register(library);
    backup::register(library);
    graph::register(library);
    shown::register(library);
    plan::register(library);
}
