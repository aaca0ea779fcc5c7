//! The rules of a policy, as values. A rule that is not there limits nothing.

use std::fmt;

use super::key::PublicKey;
use super::{Hours, Paths};

/// Each rule, as its line in the file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Rule {
    Allow,
    Workloads,
    Destinations,
    MaxItemsPerRun,
    MaxItemsPerSession,
    MaxItemsPerDay,
    Groups,
    Hours,
    GraphPaths,
    Consent,
    RequireSignature,
    TrustedKeys,
    Owners,
    Approvers,
    ApprovalKeys,
}

impl Rule {
    pub(crate) const ALL: [Self; 15] = [
        Self::Allow,
        Self::Workloads,
        Self::Destinations,
        Self::MaxItemsPerRun,
        Self::MaxItemsPerSession,
        Self::MaxItemsPerDay,
        Self::Groups,
        Self::Hours,
        Self::GraphPaths,
        Self::Consent,
        Self::RequireSignature,
        Self::TrustedKeys,
        Self::Owners,
        Self::Approvers,
        Self::ApprovalKeys,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Workloads => "workloads",
            Self::Destinations => "destinations",
            Self::MaxItemsPerRun => "max_items_per_run",
            Self::MaxItemsPerSession => "max_items_per_session",
            Self::MaxItemsPerDay => "max_items_per_day",
            Self::Groups => "groups",
            Self::Hours => "hours",
            Self::GraphPaths => "graph_paths",
            Self::Consent => "consent",
            Self::RequireSignature => "require_signature",
            Self::TrustedKeys => "trusted_keys",
            Self::Owners => "owners",
            Self::Approvers => "approvers",
            Self::ApprovalKeys => "approval_keys",
        }
    }

    /// How such a line is written.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Allow => r#"allow = ["read", "draft", "activate"]"#,
            Self::Workloads => r#"workloads = ["exchange", "onedrive"]"#,
            Self::Destinations => r#"destinations = ["new"]"#,
            Self::MaxItemsPerRun => "max_items_per_run = 500",
            Self::MaxItemsPerSession => "max_items_per_session = 200",
            Self::MaxItemsPerDay => "max_items_per_day = 2000",
            Self::Groups => r#"groups = ["Finance"]"#,
            Self::Hours => r#"hours = "Mon-Fri 22:00-06:00 Europe/Berlin""#,
            Self::GraphPaths => r#"graph_paths = ["GET /users/**"]"#,
            Self::Consent => r#"consent = "ask""#,
            Self::RequireSignature => "require_signature = true",
            Self::TrustedKeys => r#"trusted_keys = ["RWQ…"]"#,
            Self::Owners => r#"owners = ["automation"]"#,
            Self::Approvers => r#"approvers = ["alice", "bob"]"#,
            Self::ApprovalKeys => r#"approval_keys = ["RWQ…"]"#,
        }
    }
}

/// A class that `allow` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Allowed {
    Read,
    Draft,
    Activate,
    Delete,
}

impl Allowed {
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::Draft, Self::Activate, Self::Delete];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Draft => "draft",
            Self::Activate => "activate",
            Self::Delete => "delete",
        }
    }
}

/// How consent is given. Without the rule: a prompt, or `--yes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// By a person at the terminal, and no other way: whoever writes `ask` wants somebody to look, and `--yes` is nobody.
    Ask,
    /// To all that the other rules let through.
    Given,
    /// By somebody else, to a plan, in the watched folder.
    File,
}

impl Consent {
    pub(crate) const ALL: [Self; 3] = [Self::Ask, Self::Given, Self::File];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Given => "given",
            Self::File => "file",
        }
    }
}

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Name(String),
    Uid(u32),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Uid(uid) => write!(f, "{uid}"),
        }
    }
}

/// What a policy says. `None` where it does not speak of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rules {
    pub(super) allow: Option<Vec<Allowed>>,
    pub(super) workloads: Option<Vec<String>>,
    pub(super) destinations: Option<Vec<String>>,
    pub(super) max_items_per_run: Option<u32>,
    pub(super) max_items_per_session: Option<u32>,
    pub(super) max_items_per_day: Option<u32>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) hours: Option<Hours>,
    pub(super) graph_paths: Option<Paths>,
    pub(super) consent: Option<Consent>,
    pub(super) require_signature: Option<bool>,
    pub(super) trusted_keys: Option<Vec<PublicKey>>,
    pub(super) owners: Option<Vec<Who>>,
    pub(super) approvers: Option<Vec<Who>>,
    pub(super) approval_keys: Option<Vec<PublicKey>>,
}

#[allow(
    dead_code,
    reason = "each can be asked for; most are asked by this room itself, and some by the watched folder"
)]
impl Rules {
    /// The classes of what scripts may do.
    pub(crate) fn allow(&self) -> Option<&[Allowed]> {
        self.allow.as_deref()
    }

    /// Names as in scripts: `exchange`, `onedrive`, `sharepoint`.
    pub(crate) fn workloads(&self) -> Option<&[String]> {
        self.workloads.as_deref()
    }

    /// `new`, `inPlace`.
    pub(crate) fn destinations(&self) -> Option<&[String]> {
        self.destinations.as_deref()
    }

    pub(crate) fn max_items_per_run(&self) -> Option<u32> {
        self.max_items_per_run
    }

    pub(crate) fn max_items_per_session(&self) -> Option<u32> {
        self.max_items_per_session
    }

    /// In any 24 hours, over all runs of the state folder.
    pub(crate) fn max_items_per_day(&self) -> Option<u32> {
        self.max_items_per_day
    }

    /// Names or ids of groups whose members may be touched.
    pub(crate) fn groups(&self) -> Option<&[String]> {
        self.groups.as_deref()
    }

    pub(crate) fn hours(&self) -> Option<&Hours> {
        self.hours.as_ref()
    }

    pub(crate) fn graph_paths(&self) -> Option<&Paths> {
        self.graph_paths.as_ref()
    }

    pub(crate) fn consent(&self) -> Option<Consent> {
        self.consent
    }

    /// Whether a watched script needs a signature.
    pub(crate) fn require_signature(&self) -> bool {
        self.require_signature.unwrap_or(false)
    }

    /// Whose signatures of scripts and arguments are believed.
    pub(crate) fn trusted_keys(&self) -> &[PublicKey] {
        self.trusted_keys.as_deref().unwrap_or_default()
    }

    /// Whose scripts a watched folder takes; `None`: the watcher's own user's.
    pub(crate) fn owners(&self) -> Option<&[Who]> {
        self.owners.as_deref()
    }

    /// Who may approve a plan.
    pub(crate) fn approvers(&self) -> &[Who] {
        self.approvers.as_deref().unwrap_or_default()
    }

    /// Whose signatures of plans are believed.
    pub(crate) fn approval_keys(&self) -> &[PublicKey] {
        self.approval_keys.as_deref().unwrap_or_default()
    }
}
