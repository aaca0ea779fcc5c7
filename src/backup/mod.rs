//! The Backup Storage service: its objects, operations, rules and limits. Knows no scripts; sends every change through
//! [`crate::changes`].

mod activate;
mod artifact;
mod asking;
mod attend;
pub(crate) mod books;
mod browse;
mod bulk;
mod create;
mod deed;
mod edit;
mod error;
mod gate;
mod gone;
mod granular;
mod guard;
mod hold;
mod items;
mod part;
mod patience;
mod point;
mod policy;
mod poll;
mod recall;
mod recheck;
mod recipient;
mod reopen;
mod row;
mod running;
mod search;
mod service;
mod session;
mod settle;
mod shelf;
mod twin;
mod unit;
mod verdict;
mod verify;
mod workload;

pub(crate) use artifact::{Artifact, Destination};
pub(crate) use attend::End;
pub(crate) use browse::{Browse, Found, Listing, Place, Walk, pattern};
pub(crate) use bulk::{BulkOrder, Input, Lost};
pub(crate) use error::BackupError;
pub(crate) use granular::{Hits, ItemQuery};
pub(crate) use hold::session_of_path;
pub(crate) use part::{Manner, Thing};
pub(crate) use point::{PointFilter, Points, unit_of};
pub(crate) use recheck::{Chosen, Recheck};
pub(crate) use recipient::Recipient;
pub(crate) use reopen::Remains;
pub(crate) use row::{PointChoice, Row, Subject, UNANSWERED, Wanted};
pub(crate) use search::Prefer;
pub(crate) use service::{Service, Settings, workload_of};
pub(crate) use session::{Request, Session};
pub(crate) use workload::{EXCHANGE, Owner, ROOT, WORKLOADS, Workload};

/// One value of a query option, percent-encoded.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
