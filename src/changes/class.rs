//! What a change can do at most; consent and policy speak of these classes.

use crate::graph::Method;

/// Sessions of one kind; of the mixed list only activating is known.
const RESTORE: [&str; 3] = [
    "exchangerestoresessions",
    "onedriveforbusinessrestoresessions",
    "sharepointrestoresessions",
];
const ALL_RESTORE: &str = "restoresessions";
const BROWSE: [&str; 2] = [
    "onedriveforbusinessbrowsesessions",
    "sharepointbrowsesessions",
];
const ALL_BROWSE: &str = "browsesessions";
const BULK: [&str; 3] = [
    "mailboxrestoreartifactsbulkadditionrequests",
    "driverestoreartifactsbulkadditionrequests",
    "siterestoreartifactsbulkadditionrequests",
];

/// The classes of DESIGN's guard rails. Reading does not come through the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Inert until activated: creating and editing drafts.
    Draft,
    /// Starts a restore. Cannot be taken back.
    Activate,
    Delete,
    /// A call that runback knows nothing about.
    Unlisted,
}

impl Class {
    /// As a policy file and the journal name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Activate => "activate",
            Self::Delete => "delete",
            Self::Unlisted => "unlisted",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Draft, Self::Activate, Self::Delete, Self::Unlisted];
        all.into_iter().find(|class| class.name() == name)
    }

    /// Whether it needs consent where no policy says otherwise.
    pub(crate) fn needs_consent(self) -> bool {
        self != Self::Draft
    }

    /// The class of a call that a script makes by its path (relative to the version root, decoded); `None`: it only reads.
    pub(crate) fn of_path(method: &Method, path: &str) -> Option<Self> {
        let lower = path.to_ascii_lowercase();
        let lower = lower.split('?').next().unwrap_or_default();
        let below = lower.strip_prefix("/solutions/backuprestore/");
        let parts: Vec<&str> = below.map_or_else(Vec::new, |below| below.split('/').collect());
        match (method.as_str(), parts.as_slice()) {
            ("GET" | "HEAD", _) | ("POST", ["restorepoints", "search"]) => None,
            ("POST", [of, _, "browse"]) if BROWSE.contains(of) || *of == ALL_BROWSE => None,
            ("POST", [of, _, "activate"]) if RESTORE.contains(of) || *of == ALL_RESTORE => {
                Some(Self::Activate)
            }
            ("POST", [of]) if RESTORE.contains(of) || BROWSE.contains(of) => Some(Self::Draft),
            ("PATCH", [of, _]) if RESTORE.contains(of) => Some(Self::Draft),
            ("POST", [of, _, last]) if RESTORE.contains(of) && BULK.contains(last) => {
                Some(Self::Draft)
            }
            ("DELETE", _) => Some(Self::Delete),
            _ => Some(Self::Unlisted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_paths_have_their_class_and_all_others_ask() {
        let root = "/solutions/backupRestore";
        for (method, path, class) in [
            ("GET", "/users", None),
            (
                "POST",
                "/solutions/backupRestore/restorePoints/search",
                None,
            ),
            (
                "POST",
                "/solutions/BackupRestore/restorepoints/Search",
                None,
            ),
            (
                "POST",
                "/solutions/backupRestore/browseSessions/1/browse",
                None,
            ),
            (
                "POST",
                "/solutions/backupRestore/restoreSessions/1/activate",
                Some(Class::Activate),
            ),
            (
                "POST",
                "/solutions/backupRestore/exchangeRestoreSessions",
                Some(Class::Draft),
            ),
            (
                "PATCH",
                "/solutions/backupRestore/exchangeRestoreSessions/1",
                Some(Class::Draft),
            ),
            (
                "DELETE",
                "/solutions/backupRestore/restoreSessions/1",
                Some(Class::Delete),
            ),
            ("DELETE", "/users/1", Some(Class::Delete)),
            (
                "POST",
                "/solutions/backupRestore/protectionPolicies/1/activate",
                Some(Class::Unlisted),
            ),
            (
                "POST",
                "/solutions/backupRestore/enable",
                Some(Class::Unlisted),
            ),
            (
                "POST",
                "/solutions/backupRestore/restoreSessions",
                Some(Class::Unlisted),
            ),
            (
                "PATCH",
                "/solutions/backupRestore/restoreSessions/1",
                Some(Class::Unlisted),
            ),
            (
                "POST",
                "/solutions/backupRestore/exchangeRestoreSessions/1",
                Some(Class::Unlisted),
            ),
            (
                "PATCH",
                "/solutions/backupRestore/sharePointBrowseSessions/1",
                Some(Class::Unlisted),
            ),
            (
                "PATCH",
                "/solutions/backupRestore/exchangeRestoreSessions('1')",
                Some(Class::Unlisted),
            ),
            (
                "POST",
                "/solutions/backupRestore/sharePointRestoreSessions/1/siteRestoreArtifactsBulkAdditionRequests",
                Some(Class::Draft),
            ),
            (
                "POST",
                "/solutions/backupRestore/oneDriveForBusinessBrowseSessions",
                Some(Class::Draft),
            ),
            ("PATCH", "/users/1", Some(Class::Unlisted)),
            (
                "POST",
                "/users/1/restorePoints/search",
                Some(Class::Unlisted),
            ),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(
                Class::of_path(&method, path),
                class,
                "{method} {path} below {root}"
            );
        }
    }
}
