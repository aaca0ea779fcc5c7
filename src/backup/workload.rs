//! What differs between Exchange, OneDrive and SharePoint in the Backup Storage service: one row each, and nothing else
//! in the house asks which workload it is.

/// What a unit of a workload is the backup of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A user: a mailbox, a OneDrive.
    Person,
    Site,
}

/// One workload of the service. Paths are below `/solutions/backupRestore`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Workload {
    /// Ours: the script's namespace and the `workload` of a report.
    pub(crate) name: &'static str,
    /// One thing that is restored, in an administrator's words, and several of them.
    pub(crate) noun: &'static str,
    pub(crate) nouns: &'static str,
    /// The same for what a granular session brings back.
    pub(crate) pieces: [&'static str; 2],
    /// Collection of restore sessions, and the type of its members in the published metadata.
    pub(crate) sessions: &'static str,
    pub(crate) session_type: &'static str,
    /// Collection of artifacts in a session.
    pub(crate) artifacts: &'static str,
    pub(crate) artifact_type: &'static str,
    /// Collection of artifacts that bring back single files or messages.
    pub(crate) granular: &'static str,
    pub(crate) granular_type: &'static str,
    /// Collection of a session's bulk request, and the property that takes its inputs.
    pub(crate) bulk: &'static str,
    pub(crate) bulk_type: &'static str,
    pub(crate) inputs: &'static str,
    /// Collection of browse sessions and its type; a mailbox is searched instead.
    pub(crate) browse: Option<(&'static str, &'static str)>,
    /// The documented tenant-wide list of units.
    pub(crate) units: &'static str,
    pub(crate) unit_type: &'static str,
    /// Whose a unit is, and the property of a unit that says so.
    pub(crate) owned_by: Owner,
    pub(crate) owner: &'static str,
}

pub(crate) const ROOT: &str = "/solutions/backupRestore";

pub(crate) static EXCHANGE: Workload = Workload {
    name: "exchange",
    noun: "mailbox",
    nouns: "mailboxes",
    pieces: ["search of a mailbox", "searches of mailboxes"],
    sessions: "exchangeRestoreSessions",
    session_type: "exchangeRestoreSession",
    artifacts: "mailboxRestoreArtifacts",
    artifact_type: "mailboxRestoreArtifact",
    granular: "granularMailboxRestoreArtifacts",
    granular_type: "granularMailboxRestoreArtifact",
    bulk: "mailboxRestoreArtifactsBulkAdditionRequests",
    bulk_type: "mailboxRestoreArtifactsBulkAdditionRequest",
    inputs: "mailboxes",
    browse: None,
    units: "protectionUnits/microsoft.graph.mailboxProtectionUnit",
    unit_type: "mailboxProtectionUnit",
    owned_by: Owner::Person,
    owner: "directoryObjectId",
};

pub(crate) static ONEDRIVE: Workload = Workload {
    name: "onedrive",
    noun: "OneDrive",
    nouns: "OneDrives",
    pieces: ["file or folder", "files and folders"],
    sessions: "oneDriveForBusinessRestoreSessions",
    session_type: "oneDriveForBusinessRestoreSession",
    artifacts: "driveRestoreArtifacts",
    artifact_type: "driveRestoreArtifact",
    granular: "granularDriveRestoreArtifacts",
    granular_type: "granularDriveRestoreArtifact",
    bulk: "driveRestoreArtifactsBulkAdditionRequests",
    bulk_type: "driveRestoreArtifactsBulkAdditionRequest",
    inputs: "drives",
    browse: Some((
        "oneDriveForBusinessBrowseSessions",
        "oneDriveForBusinessBrowseSession",
    )),
    units: "protectionUnits/microsoft.graph.driveProtectionUnit",
    unit_type: "driveProtectionUnit",
    owned_by: Owner::Person,
    owner: "directoryObjectId",
};

pub(crate) static SHAREPOINT: Workload = Workload {
    name: "sharepoint",
    noun: "site",
    nouns: "sites",
    pieces: ["file or folder", "files and folders"],
    sessions: "sharePointRestoreSessions",
    session_type: "sharePointRestoreSession",
    artifacts: "siteRestoreArtifacts",
    artifact_type: "siteRestoreArtifact",
    granular: "granularSiteRestoreArtifacts",
    granular_type: "granularSiteRestoreArtifact",
    bulk: "siteRestoreArtifactsBulkAdditionRequests",
    bulk_type: "siteRestoreArtifactsBulkAdditionRequest",
    inputs: "siteWebUrls",
    browse: Some(("sharePointBrowseSessions", "sharePointBrowseSession")),
    units: "siteProtectionUnits",
    unit_type: "siteProtectionUnit",
    owned_by: Owner::Site,
    owner: "siteId",
};

pub(crate) static WORKLOADS: [&Workload; 3] = [&EXCHANGE, &ONEDRIVE, &SHAREPOINT];

impl Workload {
    /// The workload of a session, by its `@odata.type`. The service's examples spell `sharepointRestoreSession`, its
    /// metadata `sharePointRestoreSession`: case does not count.
    pub(crate) fn of_session(odata_type: &str) -> Option<&'static Self> {
        let bare = odata_type.trim_start_matches("#microsoft.graph.");
        WORKLOADS
            .into_iter()
            .find(|workload| workload.session_type.eq_ignore_ascii_case(bare))
    }

    /// The workload of this name, as documents write it.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        WORKLOADS.into_iter().find(|workload| workload.name == name)
    }

    /// The workload of a unit, by its type in the published metadata.
    pub(crate) fn of_unit(unit_type: &str) -> Option<&'static Self> {
        let bare = unit_type.trim_start_matches("#microsoft.graph.");
        WORKLOADS
            .into_iter()
            .find(|workload| workload.unit_type.eq_ignore_ascii_case(bare))
    }

    /// The workload that browse sessions of this `@odata.type` show.
    pub(crate) fn of_browse(odata_type: &str) -> Option<&'static Self> {
        let bare = odata_type.trim_start_matches("#microsoft.graph.");
        WORKLOADS.into_iter().find(|workload| {
            workload
                .browse
                .is_some_and(|(_, kind)| kind.eq_ignore_ascii_case(bare))
        })
    }

    /// Where it stands in [`WORKLOADS`].
    pub(crate) fn place(&self) -> usize {
        WORKLOADS
            .iter()
            .position(|workload| workload.name == self.name)
            .expect("there are no workloads but these")
    }

    /// `3 mailboxes`, `1 mailbox`.
    pub(crate) fn count(&self, number: usize) -> String {
        if number == 1 {
            format!("1 {}", self.noun)
        } else {
            format!("{number} {}", self.nouns)
        }
    }

    /// As [`Workload::count`], for the artifacts of a granular session too.
    pub(crate) fn count_in(&self, granular: bool, number: usize) -> String {
        if !granular {
            return self.count(number);
        }
        let [one, several] = self.pieces;
        if number == 1 {
            format!("1 {one}")
        } else {
            format!("{number} {several}")
        }
    }

    pub(crate) fn sessions_path(&self) -> String {
        format!("{ROOT}/{}", self.sessions)
    }

    pub(crate) fn session_path(&self, session: &str) -> String {
        format!("{ROOT}/{}/{session}", self.sessions)
    }

    /// A collection inside a session: [`Workload::collection`], or `bulk`.
    pub(crate) fn inside(&self, session: &str, collection: &str) -> String {
        format!("{ROOT}/{}/{session}/{collection}", self.sessions)
    }

    /// Where the artifacts of a session are: single files and messages have a collection of their own.
    pub(crate) fn collection(&self, granular: bool) -> &'static str {
        if granular {
            self.granular
        } else {
            self.artifacts
        }
    }

    pub(crate) fn units_path(&self) -> String {
        format!("{ROOT}/{}", self.units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_type_is_found_whatever_its_case() {
        assert_eq!(
            Workload::of_session("#microsoft.graph.sharepointRestoreSession"),
            Some(&SHAREPOINT)
        );
        assert_eq!(
            Workload::of_session("#microsoft.graph.exchangeRestoreSession"),
            Some(&EXCHANGE)
        );
        assert_eq!(
            Workload::of_session("#microsoft.graph.restoreSessionBase"),
            None
        );
    }
}
