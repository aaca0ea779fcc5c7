//! The table of Graph's operations: who calls them in PowerShell, what calls them in a runbook.

use std::sync::LazyLock;

use crate::changes::Class;
use crate::graph::Method;
use crate::script::help::Reach;

/// What a runbook says instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// This call sends the operation.
    Own(&'static str),
    /// This call tells or does the same by another operation.
    Instead(&'static str),
    /// There is `graph::`.
    None,
}

/// How Microsoft stands to the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Opened by the permission `BackupRestore-Restore.ReadWrite.All`.
    Seed,
    Documented,
    /// In the published metadata alone.
    Published,
}

/// One operation of Graph.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// From Graph's root, ids in braces.
    pub(crate) path: String,
    pub(crate) v1: bool,
    pub(crate) beta: bool,
    pub(crate) is_list: bool,
    /// The least for an application, where one is published.
    pub(crate) permission: Option<&'static str>,
    pub(crate) mark: Mark,
    /// PowerShell's names for it, that of v1.0 first.
    pub(crate) cmdlets: Vec<String>,
    pub(crate) call: Call,
}

const ROOT: &str = "/solutions/backupRestore";

/// The whole table.
pub(crate) fn operations() -> &'static [Operation] {
    static ALL: LazyLock<Vec<Operation>> = LazyLock::new(|| {
        include_str!("operations.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| read(line).unwrap_or_else(|| panic!("operations.txt: {line}")))
            .collect()
    });
    &ALL
}

fn read(line: &'static str) -> Option<Operation> {
    let mut words = line.splitn(8, ' ');
    let method = words.next()?;
    let path = words.next()?;
    let (v1, beta) = match words.next()? {
        "both" => (true, true),
        "v1.0" => (true, false),
        "beta" => (false, true),
        _ => return None,
    };
    let is_list = match words.next()? {
        "list" => true,
        "item" => false,
        _ => return None,
    };
    let permission = words.next()?;
    let mark = match words.next()? {
        "seed" => Mark::Seed,
        "documented" => Mark::Documented,
        "published" => Mark::Published,
        _ => return None,
    };
    let cmdlets = cmdlets(words.next()?);
    let call = match words.next() {
        None => Call::None,
        Some(call) => match call.split_once(' ')? {
            ("=", call) => Call::Own(call),
            ("~", call) => Call::Instead(call),
            _ => return None,
        },
    };
    Some(Operation {
        method,
        path: path.replacen('~', ROOT, 1),
        v1,
        beta,
        is_list,
        permission: Some(permission).filter(|permission| *permission != "-"),
        mark,
        cmdlets,
        call,
    })
}

/// `Get-BrowseSession` stands for the cmdlets of both versions, `beta:…` for that of beta, `Get-MgUser` for itself.
fn cmdlets(short: &str) -> Vec<String> {
    let (only_beta, short) = match short.strip_prefix("beta:") {
        Some(short) => (true, short),
        None => (false, short),
    };
    let Some((verb, noun)) = short.split_once('-').filter(|(verb, _)| !verb.is_empty()) else {
        return Vec::new();
    };
    if let Some(noun) = noun.strip_prefix("Mg") {
        return vec![format!("{verb}-Mg{noun}"), format!("{verb}-MgBeta{noun}")];
    }
    let beta = format!("{verb}-MgBetaSolutionBackupRestore{noun}");
    if only_beta {
        return vec![beta];
    }
    vec![format!("{verb}-MgSolutionBackupRestore{noun}"), beta]
}

impl Operation {
    /// `v1.0 and beta`, `beta`.
    pub(crate) fn versions(&self) -> &'static str {
        match (self.v1, self.beta) {
            (true, true) => "v1.0 and beta",
            (true, false) => "v1.0",
            _ => "beta",
        }
    }

    /// What a policy says of the operation when it is called by its path.
    pub(crate) fn reach(&self) -> Reach {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap_or_default();
        match Class::of_path(&method, &self.path) {
            None => Reach::Read,
            Some(Class::Draft) => Reach::Draft,
            Some(Class::Activate) => Reach::Activate,
            Some(Class::Delete) => Reach::Delete,
            Some(_) => Reach::Path,
        }
    }

    /// The namespace of the workload that the path belongs to.
    pub(crate) fn workload(&self) -> Option<&'static str> {
        let below = self.path.strip_prefix(ROOT)?.trim_start_matches('/');
        let below = below
            .strip_prefix("protectionUnits/microsoft.graph.")
            .unwrap_or(below);
        [
            ("exchange", "exchange"),
            ("mailbox", "exchange"),
            ("oneDrive", "onedrive"),
            ("drive", "onedrive"),
            ("sharePoint", "sharepoint"),
            ("site", "sharepoint"),
        ]
        .into_iter()
        .find(|(start, _)| below.starts_with(start))
        .map(|(_, namespace)| namespace)
    }

    /// The `graph::` call that sends it, with variables for the ids.
    pub(crate) fn graph_call(&self) -> String {
        let path = self.path.replace('{', "${");
        let path = if path.contains("${") {
            format!("`{}`", snake(&path))
        } else {
            format!("\"{path}\"")
        };
        let version = if self.v1 {
            ""
        } else {
            ", #{version: \"beta\"}"
        };
        let body = if self.v1 { "" } else { ", ()" };
        match self.method {
            "GET" if self.is_list => format!("graph::pages({path}{version})"),
            "GET" => format!("graph::get({path}{version})"),
            "DELETE" => format!("graph::delete({path}{body}{version})"),
            "PATCH" => format!("graph::patch({path}, body{version})"),
            _ if self.takes_nothing() => format!("graph::post({path}{body}{version})"),
            _ => format!("graph::post({path}, body{version})"),
        }
    }

    /// Actions whose name says all.
    fn takes_nothing(&self) -> bool {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        matches!(
            last,
            "activate"
                | "deactivate"
                | "run"
                | "deleteAndUnprotect"
                | "offboard"
                | "cancelOffboard"
        ) && !self.path.contains("/serviceApps/")
    }
}

/// `${protectionPolicyBaseId}` as `${protection_policy_base_id}`.
fn snake(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 8);
    let mut inside = false;
    for c in path.chars() {
        match c {
            '{' => inside = true,
            '}' => inside = false,
            _ => {}
        }
        if inside && c.is_ascii_uppercase() {
            out.push('_');
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_there_once() {
        let mut names: Vec<_> = operations()
            .iter()
            .map(|operation| (operation.method, &operation.path))
            .collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        let seed = operations()
            .iter()
            .filter(|operation| operation.mark == Mark::Seed);
        assert_eq!(seed.count(), 27);
    }

    #[test]
    fn cmdlets_have_their_names_in_both_versions() {
        assert_eq!(
            cmdlets("Get-BrowseSession"),
            [
                "Get-MgSolutionBackupRestoreBrowseSession",
                "Get-MgBetaSolutionBackupRestoreBrowseSession"
            ]
        );
        assert_eq!(
            cmdlets("Enable-"),
            [
                "Enable-MgSolutionBackupRestore",
                "Enable-MgBetaSolutionBackupRestore"
            ]
        );
        assert_eq!(cmdlets("Get-MgUser"), ["Get-MgUser", "Get-MgBetaUser"]);
        assert_eq!(
            cmdlets("beta:New-SharePointBrowseSession"),
            ["New-MgBetaSolutionBackupRestoreSharePointBrowseSession"]
        );
        assert!(cmdlets("-").is_empty());
    }

    #[test]
    fn a_call_by_path_is_written_out() {
        let call = |method: &str, path: &str| {
            operations()
                .iter()
                .find(|operation| operation.method == method && operation.path.ends_with(path))
                .unwrap()
                .graph_call()
        };
        assert_eq!(
            call("GET", "/driveInclusionRules"),
            "graph::pages(\"/solutions/backupRestore/driveInclusionRules\")"
        );
        assert_eq!(
            call("GET", "/restorePoints/{restorePointId}"),
            "graph::get(`/solutions/backupRestore/restorePoints/${restore_point_id}`)"
        );
        assert_eq!(
            call(
                "POST",
                "/protectionPolicies/{protectionPolicyBaseId}/activate"
            ),
            "graph::post(`/solutions/backupRestore/protectionPolicies/${protection_policy_base_id}/activate`)"
        );
        assert_eq!(
            call("GET", "/activityLogs"),
            "graph::pages(\"/solutions/backupRestore/activityLogs\", #{version: \"beta\"})"
        );
    }
}
