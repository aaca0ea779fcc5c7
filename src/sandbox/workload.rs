//! What differs between Exchange, `OneDrive` and `SharePoint`: names, and nothing else.

use super::id::Kind;

/// One row of [`WORKLOADS`]. All names as the service's metadata spells them.
#[derive(Debug)]
pub(super) struct Workload {
    /// Position in [`WORKLOADS`]; part of ids.
    pub(super) number: u8,
    /// What `/_sandbox/state` calls it.
    pub(super) name: &'static str,
    pub(super) sessions: &'static str,
    pub(super) session_type: &'static str,
    pub(super) artifacts: &'static str,
    pub(super) artifact_type: &'static str,
    pub(super) granular_artifacts: &'static str,
    pub(super) granular_type: &'static str,
    pub(super) bulk_requests: &'static str,
    pub(super) bulk_type: &'static str,
    /// What a bulk request or job names: addresses of people, or of sites.
    pub(super) inputs: &'static str,
    /// The same by id.
    pub(super) input_ids: &'static str,
    /// Only what has files can be browsed.
    pub(super) browsing: Option<Browsing>,
    pub(super) units: &'static str,
    pub(super) unit_type: &'static str,
    /// The property of a unit that says whose it is.
    pub(super) owner: &'static str,
    pub(super) policies: &'static str,
    pub(super) policy_type: &'static str,
    /// What hangs on a policy beside its units.
    pub(super) rules: &'static str,
    pub(super) jobs: &'static str,
    pub(super) exclusions: &'static str,
    pub(super) exclusion_jobs: &'static str,
    /// The member of `serviceType`.
    pub(super) service: &'static str,
    /// Mailboxes and drives belong to people, sites to nobody.
    pub(super) of_people: bool,
}

/// The browse sessions of a workload.
#[derive(Debug)]
pub(super) struct Browsing {
    pub(super) sessions: &'static str,
    pub(super) session_type: &'static str,
}

impl Workload {
    pub(super) fn unit_kind(&self) -> Kind {
        Kind::Unit(self.number)
    }

    pub(super) fn point_kind(&self) -> Kind {
        Kind::Point(self.number)
    }

    pub(super) fn policy_kind(&self) -> Kind {
        Kind::Policy(self.number)
    }
}

impl PartialEq for Workload {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

pub(super) static WORKLOADS: [Workload; 3] = [
    Workload {
        number: 0,
        name: "exchange",
        sessions: "exchangeRestoreSessions",
        session_type: "exchangeRestoreSession",
        artifacts: "mailboxRestoreArtifacts",
        artifact_type: "mailboxRestoreArtifact",
        granular_artifacts: "granularMailboxRestoreArtifacts",
        granular_type: "granularMailboxRestoreArtifact",
        bulk_requests: "mailboxRestoreArtifactsBulkAdditionRequests",
        bulk_type: "mailboxRestoreArtifactsBulkAdditionRequest",
        inputs: "mailboxes",
        input_ids: "directoryObjectIds",
        browsing: None,
        units: "mailboxProtectionUnits",
        unit_type: "mailboxProtectionUnit",
        owner: "directoryObjectId",
        policies: "exchangeProtectionPolicies",
        policy_type: "exchangeProtectionPolicy",
        rules: "mailboxInclusionRules",
        jobs: "mailboxProtectionUnitsBulkAdditionJobs",
        exclusions: "mailboxExclusionUnits",
        exclusion_jobs: "mailboxExclusionUnitsBulkAdditionJobs",
        service: "exchange",
        of_people: true,
    },
    Workload {
        number: 1,
        name: "onedrive",
        sessions: "oneDriveForBusinessRestoreSessions",
        session_type: "oneDriveForBusinessRestoreSession",
        artifacts: "driveRestoreArtifacts",
        artifact_type: "driveRestoreArtifact",
        granular_artifacts: "granularDriveRestoreArtifacts",
        granular_type: "granularDriveRestoreArtifact",
        bulk_requests: "driveRestoreArtifactsBulkAdditionRequests",
        bulk_type: "driveRestoreArtifactsBulkAdditionRequest",
        inputs: "drives",
        input_ids: "directoryObjectIds",
        browsing: Some(Browsing {
            sessions: "oneDriveForBusinessBrowseSessions",
            session_type: "oneDriveForBusinessBrowseSession",
        }),
        units: "driveProtectionUnits",
        unit_type: "driveProtectionUnit",
        owner: "directoryObjectId",
        policies: "oneDriveForBusinessProtectionPolicies",
        policy_type: "oneDriveForBusinessProtectionPolicy",
        rules: "driveInclusionRules",
        jobs: "driveProtectionUnitsBulkAdditionJobs",
        exclusions: "driveExclusionUnits",
        exclusion_jobs: "driveExclusionUnitsBulkAdditionJobs",
        service: "oneDriveForBusiness",
        of_people: true,
    },
    Workload {
        number: 2,
        name: "sharepoint",
        sessions: "sharePointRestoreSessions",
        session_type: "sharePointRestoreSession",
        artifacts: "siteRestoreArtifacts",
        artifact_type: "siteRestoreArtifact",
        granular_artifacts: "granularSiteRestoreArtifacts",
        granular_type: "granularSiteRestoreArtifact",
        bulk_requests: "siteRestoreArtifactsBulkAdditionRequests",
        bulk_type: "siteRestoreArtifactsBulkAdditionRequest",
        inputs: "siteWebUrls",
        input_ids: "siteIds",
        browsing: Some(Browsing {
            sessions: "sharePointBrowseSessions",
            session_type: "sharePointBrowseSession",
        }),
        units: "siteProtectionUnits",
        unit_type: "siteProtectionUnit",
        owner: "siteId",
        policies: "sharePointProtectionPolicies",
        policy_type: "sharePointProtectionPolicy",
        rules: "siteInclusionRules",
        jobs: "siteProtectionUnitsBulkAdditionJobs",
        exclusions: "siteExclusionUnits",
        exclusion_jobs: "siteExclusionUnitsBulkAdditionJobs",
        service: "sharePoint",
        of_people: false,
    },
];

/// The row with this number.
pub(super) fn numbered(number: u8) -> Option<&'static Workload> {
    WORKLOADS.get(usize::from(number))
}
