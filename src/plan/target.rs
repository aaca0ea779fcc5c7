//! What a call is about, by its path.

use crate::backup::{ROOT, WORKLOADS, Workload};

/// The parts of the service that a plan has its own answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'p> {
    /// The sessions of one workload, or of all.
    Sessions(Option<&'static Workload>),
    Session(&'p str),
    Activate(&'p str),
    Artifacts {
        session: &'p str,
        granular: bool,
    },
    BulkRequests(&'p str),
    BulkRequest {
        session: &'p str,
        id: &'p str,
    },
    /// Browse sessions: making one is a change, and what it shows only the service knows.
    Browsing,
    Other,
}

impl<'p> Target<'p> {
    /// `path`: relative to the version root, without query. The service does not mind the case, so neither do we.
    pub(super) fn of(path: &'p str) -> Self {
        let below = path
            .get(..ROOT.len())
            .filter(|root| root.eq_ignore_ascii_case(ROOT))
            .and_then(|_| path[ROOT.len()..].strip_prefix('/'));
        let Some(below) = below else {
            return Self::Other;
        };
        let parts: Vec<&str> = below.trim_end_matches('/').split('/').collect();
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let is_browsing = |name: &str| {
            let collections = WORKLOADS.iter().filter_map(|workload| workload.browse);
            same(name, "browseSessions") || collections.into_iter().any(|(own, _)| same(name, own))
        };
        if is_browsing(parts[0]) {
            return Self::Browsing;
        }
        let workload = WORKLOADS
            .into_iter()
            .find(|workload| same(parts[0], workload.sessions));
        if workload.is_none() && !same(parts[0], "restoreSessions") {
            return Self::Other;
        }
        match (&parts[1..], workload) {
            ([], workload) => Self::Sessions(workload),
            ([session], _) => Self::Session(session),
            ([session, "activate"], _) => Self::Activate(session),
            ([session, list], Some(workload)) if same(list, workload.artifacts) => {
                Self::Artifacts {
                    session,
                    granular: false,
                }
            }
            ([session, list], Some(workload)) if same(list, workload.granular) => Self::Artifacts {
                session,
                granular: true,
            },
            ([session, list], Some(workload)) if same(list, workload.bulk) => {
                Self::BulkRequests(session)
            }
            ([session, list, id], Some(workload)) if same(list, workload.bulk) => {
                Self::BulkRequest { session, id }
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::EXCHANGE;

    #[test]
    fn paths_are_told_apart() {
        let artifacts = |granular| Target::Artifacts {
            session: "1",
            granular,
        };
        for (below, target) in [
            ("/restoreSessions", Target::Sessions(None)),
            (
                "/exchangeRestoreSessions",
                Target::Sessions(Some(&EXCHANGE)),
            ),
            ("/EXCHANGERestoreSessions/1", Target::Session("1")),
            ("/restoreSessions/1/activate", Target::Activate("1")),
            (
                "/exchangeRestoreSessions/1/mailboxRestoreArtifacts",
                artifacts(false),
            ),
            (
                "/sharePointRestoreSessions/1/granularSiteRestoreArtifacts",
                artifacts(true),
            ),
            (
                "/exchangeRestoreSessions/1/mailboxRestoreArtifactsBulkAdditionRequests/2",
                Target::BulkRequest {
                    session: "1",
                    id: "2",
                },
            ),
            ("/sharePointBrowseSessions", Target::Browsing),
            ("/browseSessions/1/browse", Target::Browsing),
            ("/restorePoints/search", Target::Other),
            ("", Target::Other),
        ] {
            assert_eq!(Target::of(&format!("{ROOT}{below}")), target, "{below}");
        }
        assert_eq!(Target::of("/users/ä"), Target::Other);
    }
}
