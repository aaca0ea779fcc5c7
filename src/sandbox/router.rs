//! Which operation a path and method name: a table of templates.
//!
//! `{name}` stands for one segment. `{sessions}`, `{artifacts}`, `{units}`, `{unit}` and `{policies}` stand for the names
//! of a row of [`WORKLOADS`], so one line serves every workload. Names compare without case, as the service's do.

use std::sync::LazyLock;

use axum::http::Method;

use super::Sandbox;
use super::answer::{Answer, Refusal};
use super::call::Call;
use super::operations::ROUTES;
use super::refusals;
use super::workload::{WORKLOADS, Workload};

/// Carries one operation out.
pub(super) type Handler = fn(&Sandbox, &Call) -> Result<Answer, Refusal>;

/// A line of the table.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// Below the version; `~` is short for `/solutions/backupRestore`.
    pub(super) path: &'static str,
    /// One of these permissions.
    pub(super) needs: &'static [&'static str],
    pub(super) handler: Handler,
}

/// Names of requests in counts and fault rules.
pub(super) struct Template;

impl Template {
    /// Stands for every path that names no operation.
    pub(super) const UNKNOWN: &'static str = "* (unknown)";
}

/// A route with its workload filled in.
struct Expanded {
    route: &'static Route,
    workload: Option<&'static Workload>,
    /// `METHOD /template`.
    template: String,
    segments: Vec<String>,
}

static TABLE: LazyLock<Vec<Expanded>> = LazyLock::new(|| ROUTES.iter().flat_map(expand).collect());

const MARKS: [&str; 6] = [
    "{sessions}",
    "{artifacts}",
    "{granular}",
    "{units}",
    "{unit}",
    "{policies}",
];

fn expand(route: &'static Route) -> Vec<Expanded> {
    let path = route.path.replacen('~', "/solutions/backupRestore", 1);
    let finished = |workload: Option<&'static Workload>, path: String| Expanded {
        route,
        workload,
        template: format!("{} {path}", route.method),
        segments: path.split('/').skip(1).map(str::to_owned).collect(),
    };
    if !MARKS.iter().any(|mark| path.contains(mark)) {
        return vec![finished(None, path)];
    }
    let fill = |workload: &'static Workload| {
        let names = [
            workload.sessions,
            workload.artifacts,
            workload.granular_artifacts,
            workload.units,
            workload.unit_type,
            workload.policies,
        ];
        let filled = MARKS
            .iter()
            .zip(names)
            .fold(path.clone(), |path, (mark, name)| path.replace(mark, name));
        finished(Some(workload), filled)
    };
    WORKLOADS.iter().map(fill).collect()
}

/// The operation of a request.
pub(super) struct Found {
    expanded: &'static Expanded,
    pub(super) route: &'static Route,
    /// What stood in the braces, decoded.
    pub(super) params: Vec<String>,
}

impl Found {
    pub(super) fn template(&self) -> &'static str {
        &self.expanded.template
    }

    pub(super) fn workload(&self) -> Option<&'static Workload> {
        self.expanded.workload
    }

    pub(super) fn needs(&self) -> &'static [&'static str] {
        self.route.needs
    }
}

/// Finds the operation; `path` is what follows the version, undecoded.
///
/// # Errors
/// 404 for a path that names nothing, 405 for a method that it does not have.
pub(super) fn find(method: &Method, path: &str) -> Result<Found, Refusal> {
    let segments: Vec<String> = path.split('/').skip(1).map(decode).collect();
    let mut refusal = refusals::NOT_FOUND.because(format!("there is nothing at `{path}`"));
    for expanded in TABLE.iter() {
        let Some(params) = params(&expanded.segments, &segments) else {
            continue;
        };
        if expanded.route.method == method.as_str() {
            return Ok(Found {
                expanded,
                route: expanded.route,
                params,
            });
        }
        refusal = refusals::WRONG_METHOD.because(format!("`{path}` does not take {method}"));
    }
    Err(refusal)
}

fn params(template: &[String], path: &[String]) -> Option<Vec<String>> {
    // A closing slash is no segment of its own.
    let path = path.strip_suffix(&[String::new()]).unwrap_or(path);
    if template.len() != path.len() {
        return None;
    }
    let mut params = Vec::new();
    for (expected, actual) in template.iter().zip(path) {
        if expected.starts_with('{') {
            params.push(actual.clone());
        } else if !expected.eq_ignore_ascii_case(actual) && !is_cast(expected, actual) {
            return None;
        }
    }
    Some(params)
}

/// Casts are written with and without the first part of the name space.
fn is_cast(expected: &str, actual: &str) -> bool {
    expected
        .strip_prefix("microsoft.")
        .is_some_and(|short| short.eq_ignore_ascii_case(actual))
}

fn decode(segment: &str) -> String {
    if !segment.contains('%') {
        return segment.to_owned();
    }
    let bytes = segment.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        if let Some(byte) = code.filter(|_| *first == b'%') {
            decoded.push(byte);
            rest = &after[2..];
        } else {
            decoded.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(method: &Method, path: &str) -> Result<&'static str, u16> {
        find(method, path)
            .map(|found| found.template())
            .map_err(|refusal| refusal.status)
    }

    #[test]
    fn a_path_finds_its_template_in_any_case() {
        let activate = "/solutions/backupRestore/restoreSessions/17/activate";
        assert_eq!(
            template(&Method::POST, activate),
            Ok("POST /solutions/backupRestore/restoreSessions/{id}/activate")
        );
        assert_eq!(template(&Method::GET, activate), Err(405));
        assert_eq!(
            template(
                &Method::GET,
                "/solutions/backuprestore/ExchangeRestoreSessions"
            ),
            Ok("GET /solutions/backupRestore/exchangeRestoreSessions")
        );
        assert_eq!(template(&Method::GET, "/nothing"), Err(404));
    }

    #[test]
    fn fixed_names_come_before_ids() {
        for (path, wanted) in [
            ("/users/$count", "GET /users/$count"),
            ("/users/%24count", "GET /users/$count"),
            ("/users/17", "GET /users/{id}"),
        ] {
            assert_eq!(template(&Method::GET, path), Ok(wanted));
        }
        let cast = "/solutions/backupRestore/protectionUnits/graph.mailboxProtectionUnit";
        assert_eq!(
            template(&Method::GET, cast),
            Ok(
                "GET /solutions/backupRestore/protectionUnits/microsoft.graph.mailboxProtectionUnit"
            )
        );
    }
}
