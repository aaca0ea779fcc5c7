//! What differs between Exchange, OneDrive and SharePoint in the Backup Storage service: one row each, and nothing else
//! in the house asks which workload it is.

/// One workload of the service. Paths are below `/solutions/backupRestore`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Workload {
    /// Ours: the script's namespace and the `workload` of a report.
    pub(crate) name: &'static str,
    /// One thing that is restored, in an administrator's words, and several of them.
    pub(crate) noun: &'static str,
    pub(crate) nouns: &'static str,
    /// Collection of restore sessions, and the type of its members in the published metadata.
    pub(crate) sessions: &'static str,
    pub(crate) session_type: &'static str,
    /// Collection of artifacts in a session.
    pub(crate) artifacts: &'static str,
    pub(crate) artifact_type: &'static str,
    /// The documented tenant-wide list of units.
    pub(crate) units: &'static str,
    pub(crate) unit_type: &'static str,
    /// The property of a unit that says whose it is.
    pub(crate) owner: &'static str,
}

pub(crate) const ROOT: &str = "/solutions/backupRestore";

pub(crate) static EXCHANGE: Workload = Workload {
    name: "exchange",
    noun: "mailbox",
    nouns: "mailboxes",
    sessions: "exchangeRestoreSessions",
    session_type: "exchangeRestoreSession",
    artifacts: "mailboxRestoreArtifacts",
    artifact_type: "mailboxRestoreArtifact",
    units: "protectionUnits/microsoft.graph.mailboxProtectionUnit",
    unit_type: "mailboxProtectionUnit",
    owner: "directoryObjectId",
};

pub(crate) static ONEDRIVE: Workload = Workload {
    name: "onedrive",
    noun: "OneDrive",
    nouns: "OneDrives",
    sessions: "oneDriveForBusinessRestoreSessions",
    session_type: "oneDriveForBusinessRestoreSession",
    artifacts: "driveRestoreArtifacts",
    artifact_type: "driveRestoreArtifact",
    units: "protectionUnits/microsoft.graph.driveProtectionUnit",
    unit_type: "driveProtectionUnit",
    owner: "directoryObjectId",
};

pub(crate) static SHAREPOINT: Workload = Workload {
    name: "sharepoint",
    noun: "site",
    nouns: "sites",
    sessions: "sharePointRestoreSessions",
    session_type: "sharePointRestoreSession",
    artifacts: "siteRestoreArtifacts",
    artifact_type: "siteRestoreArtifact",
    units: "siteProtectionUnits",
    unit_type: "siteProtectionUnit",
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

    /// `3 mailboxes`, `1 mailbox`.
    pub(crate) fn count(&self, number: usize) -> String {
        if number == 1 {
            format!("1 {}", self.noun)
        } else {
            format!("{number} {}", self.nouns)
        }
    }

    pub(crate) fn sessions_path(&self) -> String {
        format!("{ROOT}/{}", self.sessions)
    }

    pub(crate) fn session_path(&self, session: &str) -> String {
        format!("{ROOT}/{}/{session}", self.sessions)
    }

    pub(crate) fn artifacts_path(&self, session: &str) -> String {
        format!("{ROOT}/{}/{session}/{}", self.sessions, self.artifacts)
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
