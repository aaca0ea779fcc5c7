//! Which operation a path and method name: a table of templates.
//!
//! `{name}` stands for a segment or a part of one, `{*name}` for the rest of the path. `{sessions}`, `{units}` and the
//! other [`MARKS`] stand for the names of a row of [`WORKLOADS`], so one line serves every workload that has them. Names
//! compare without case, as the service's do, and keys are taken as a segment and in parentheses.

use std::sync::LazyLock;

use axum::http::Method;

use super::Sandbox;
use super::access::Needs;
use super::answer::{Answer, Refusal};
use super::call::Call;
use super::operations::{BETA_ROUTES, ROUTES};
use super::refusals;
use super::workload::{WORKLOADS, Workload};

/// Carries one operation out.
pub(super) type Handler = fn(&Sandbox, &Call) -> Result<Answer, Refusal>;

/// A line of the table.
pub(super) struct Route {
    pub(super) method: RouteMethod,
    /// Below the version; `~` is short for `/solutions/backupRestore`.
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) handler: Handler,
}

#[allow(clippy::upper_case_acronyms)] // They read as the methods they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RouteMethod {
    GET,
    /// GET, and `…/$count` below it.
    LIST,
    /// POST that changes nothing.
    ASK,
    /// The search: it is kept where it is about mails, since artifacts can name it later.
    SEARCH,
    POST,
    PATCH,
    DELETE,
}

impl RouteMethod {
    fn name(self) -> &'static str {
        match self {
            Self::GET | Self::LIST => "GET",
            Self::ASK | Self::SEARCH | Self::POST => "POST",
            Self::PATCH => "PATCH",
            Self::DELETE => "DELETE",
        }
    }

    fn changes(self, body: &[u8]) -> bool {
        match self {
            Self::GET | Self::LIST | Self::ASK => false,
            Self::SEARCH => {
                let name = b"artifactQuery";
                body.windows(name.len()).any(|part| part == name)
            }
            Self::POST | Self::PATCH | Self::DELETE => true,
        }
    }
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
    segments: Vec<Segment>,
    /// The last segment is `$count`, and the route is the list before it.
    counts: bool,
    beta: bool,
}

/// One segment of a template.
enum Segment {
    Name(String),
    /// Anything between these two texts.
    Parameter(String, String),
    Rest,
}

impl Segment {
    fn read(text: &str) -> Self {
        if text.starts_with("{*") {
            return Self::Rest;
        }
        let parts = text.split_once('{').and_then(|(before, rest)| {
            let (_, after) = rest.split_once('}')?;
            Some(Self::Parameter(before.to_owned(), after.to_owned()))
        });
        parts.unwrap_or_else(|| Self::Name(text.to_owned()))
    }
}

struct Table {
    /// By the number of segments; names before parameters.
    fixed: Vec<Vec<Expanded>>,
    /// Those that end in the rest of the path.
    open: Vec<Expanded>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let both = ROUTES.iter().flat_map(|route| expand(route, false));
    let beta = BETA_ROUTES.iter().flat_map(|route| expand(route, true));
    let mut table = Table {
        fixed: Vec::new(),
        open: Vec::new(),
    };
    for expanded in both.chain(beta) {
        if let Some(Segment::Rest) = expanded.segments.last() {
            table.open.push(expanded);
            continue;
        }
        let length = expanded.segments.len();
        if table.fixed.len() <= length {
            table.fixed.resize_with(length + 1, Vec::new);
        }
        table.fixed[length].push(expanded);
    }
    for routes in &mut table.fixed {
        routes.sort_by_key(|expanded| {
            let is_parameter = |segment: &Segment| matches!(segment, Segment::Parameter(..));
            expanded
                .segments
                .iter()
                .map(is_parameter)
                .collect::<Vec<_>>()
        });
    }
    table
});

/// What stands for a name of a workload, and the name. A workload without the name does not have the route.
type Mark = (&'static str, fn(&'static Workload) -> Option<&'static str>);

const MARKS: [Mark; 13] = [
    ("{sessions}", |one| Some(one.sessions)),
    ("{artifacts}", |one| Some(one.artifacts)),
    ("{items}", |one| {
        one.browsing.as_ref().map(|_| one.granular_artifacts)
    }),
    ("{mails}", |one| {
        one.browsing.is_none().then_some(one.granular_artifacts)
    }),
    ("{bulk}", |one| Some(one.bulk_requests)),
    ("{browsing}", |one| {
        one.browsing.as_ref().map(|browsing| browsing.sessions)
    }),
    ("{units}", |one| Some(one.units)),
    ("{unit}", |one| Some(one.unit_type)),
    ("{policies}", |one| Some(one.policies)),
    ("{rules}", |one| Some(one.rules)),
    ("{jobs}", |one| Some(one.jobs)),
    ("{exclusions}", |one| Some(one.exclusions)),
    ("{exclusion_jobs}", |one| Some(one.exclusion_jobs)),
];

fn expand(route: &'static Route, beta: bool) -> Vec<Expanded> {
    let path = route.path.replacen('~', "/solutions/backupRestore", 1);
    let finished = |workload: Option<&'static Workload>, path: &str, counts: bool| {
        let path = if counts {
            format!("{path}/$count")
        } else {
            path.to_owned()
        };
        Expanded {
            route,
            workload,
            template: format!("{} {path}", route.method.name()),
            segments: path.split('/').skip(1).map(Segment::read).collect(),
            counts,
            beta,
        }
    };
    let all = |workload: Option<&'static Workload>, path: &str| {
        let mut all = vec![finished(workload, path, false)];
        if route.method == RouteMethod::LIST {
            all.push(finished(workload, path, true));
        }
        all
    };
    let marks: Vec<&Mark> = MARKS
        .iter()
        .filter(|(mark, _)| path.contains(mark))
        .collect();
    if marks.is_empty() {
        return all(None, &path);
    }
    let filled = WORKLOADS.iter().filter_map(|workload| {
        let mut filled = path.clone();
        for (mark, name) in &marks {
            filled = filled.replace(mark, name(workload)?);
        }
        Some(all(Some(workload), &filled))
    });
    filled.flatten().collect()
}

/// The operation of a request.
pub(super) struct Found {
    expanded: &'static Expanded,
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

    pub(super) fn needs(&self) -> &'static Needs {
        &self.expanded.route.needs
    }

    pub(super) fn handler(&self) -> Handler {
        self.expanded.route.handler
    }

    /// True where it can change what is stored.
    pub(super) fn changes(&self, body: &[u8]) -> bool {
        self.expanded.route.method.changes(body)
    }

    /// True where only the number of a list is asked for.
    pub(super) fn counts(&self) -> bool {
        self.expanded.counts
    }
}

/// Finds the operation; `path` is what follows the version, undecoded.
///
/// # Errors
/// 404 for a path that names nothing in this version, 405 for a method that it does not have.
pub(super) fn find(method: &Method, path: &str, beta: bool) -> Result<Found, Refusal> {
    let mut segments: Vec<String> = Vec::new();
    for segment in path.split('/').skip(1) {
        let segment = decode(segment);
        match split_key(&segment) {
            Some((name, key)) => segments.extend([name.to_owned(), key.to_owned()]),
            None => segments.push(segment),
        }
    }
    // A closing slash is no segment of its own.
    segments.pop_if(|last| last.is_empty());
    let mut refusal = refusals::NOT_FOUND.because(format!("there is nothing at `{path}`"));
    let fixed = TABLE.fixed.get(segments.len()).into_iter().flatten();
    for expanded in fixed.chain(&TABLE.open) {
        if expanded.beta && !beta {
            continue;
        }
        let Some(params) = params(&expanded.segments, &segments) else {
            continue;
        };
        if expanded.route.method.name() == method.as_str() {
            return Ok(Found { expanded, params });
        }
        refusal = refusals::WRONG_METHOD.because(format!("`{path}` does not take {method}"));
    }
    Err(refusal)
}

/// `restoreSessions('17')` is `restoreSessions/17`.
fn split_key(segment: &str) -> Option<(&str, &str)> {
    let (name, key) = segment.strip_suffix("')")?.split_once("('")?;
    (!name.is_empty() && !key.contains('\'')).then_some((name, key))
}

fn params(template: &[Segment], path: &[String]) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut rest = path;
    for expected in template {
        let (actual, after) = match expected {
            Segment::Rest if rest.is_empty() => return None,
            Segment::Rest => {
                params.push(rest.join("/"));
                return Some(params);
            }
            _ => rest.split_first()?,
        };
        rest = after;
        match expected {
            Segment::Name(name) => {
                if !name.eq_ignore_ascii_case(actual) && !is_cast(name, actual) {
                    return None;
                }
            }
            Segment::Parameter(before, after) => {
                let (start, inner) = actual.split_at_checked(before.len())?;
                if !start.eq_ignore_ascii_case(before) {
                    return None;
                }
                params.push(inner.strip_suffix(after.as_str())?.to_owned());
            }
            Segment::Rest => {}
        }
    }
    rest.is_empty().then_some(params)
}

/// Casts, actions and functions are written with and without the name space, and with its first part left out.
fn is_cast(expected: &str, actual: &str) -> bool {
    if let Some(short) = expected.strip_prefix("microsoft.") {
        return short.eq_ignore_ascii_case(actual);
    }
    let bare = actual
        .strip_prefix("microsoft.graph.")
        .or_else(|| actual.strip_prefix("graph."));
    bare.is_some_and(|bare| ACTIONS.contains(&expected) && bare.eq_ignore_ascii_case(expected))
}

/// Bound operations, which clients may write with their name space.
const ACTIONS: [&str; 9] = [
    "activate",
    "browse",
    "cancelOffboard",
    "deactivate",
    "deleteAndUnprotect",
    "enable",
    "offboard",
    "run",
    "search",
];

fn decode(segment: &str) -> String {
    if !segment.contains('%') {
        return segment.to_owned();
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
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
mod tests;
