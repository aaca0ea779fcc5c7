//! Holds JSON against the published metadata of Backup Storage.
//!
//! `tests/data/metadata.txt` says which types and members there are, `tests/data/operations.txt` which call answers with
//! what. Everything here gives a list of complaints; an empty one is praise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value};

static METADATA: LazyLock<BTreeMap<String, Version>> =
    LazyLock::new(|| read_metadata(include_str!("../data/metadata.txt")));
static OPERATIONS: LazyLock<Vec<Operation>> =
    LazyLock::new(|| read_operations(include_str!("../data/operations.txt")));

#[derive(Default)]
struct Version {
    types: BTreeMap<String, Type>,
    enums: BTreeMap<String, Enum>,
}

#[derive(Default)]
struct Type {
    base: Option<String>,
    is_open: bool,
    properties: BTreeMap<String, Property>,
}

struct Property {
    type_name: String,
    is_collection: bool,
    is_nullable: bool,
    is_navigation: bool,
}

struct Enum {
    is_flags: bool,
    members: Vec<String>,
}

/// One line of `operations.txt`.
pub struct Operation {
    /// `v1.0`, `beta`, or both.
    pub versions: Vec<&'static str>,
    pub method: &'static str,
    /// Below the version, with `{}` for keys.
    pub path: String,
    /// The type of the body that is sent, `search()` for the parameters of an action.
    #[allow(dead_code)] // one of the two that include this file checks answers alone
    pub request: Option<&'static str>,
    /// The type of the answer.
    pub response: Option<&'static str>,
}

/// Complaints about an entity or a complex value that the service sent: unknown properties and members, wrong kinds, and
/// what cannot be null but is missing.
pub fn check_entity(version: &str, type_name: &str, value: &Value) -> Vec<String> {
    let mut check = Check::new(version, true);
    check.object(type_name, value, type_name);
    check.complaints
}

/// Complaints about a body that a client sends: nothing has to be there.
pub fn check_body(version: &str, type_name: &str, value: &Value) -> Vec<String> {
    let mut check = Check::new(version, false);
    check.object(type_name, value, type_name);
    check.complaints
}

/// Complaints about a successful answer. `path` is what follows the version, with or without a query; paths outside the
/// service are not looked at.
pub fn check_answer(version: &str, method: &str, path: &str, answer: &Value) -> Vec<String> {
    let path = path.split('?').next().unwrap_or_default();
    if !path
        .to_ascii_lowercase()
        .starts_with("/solutions/backuprestore")
    {
        return Vec::new();
    }
    let Some(operation) = operation(version, method, path) else {
        return vec![format!("{method} {path} is no operation of {version}")];
    };
    let mut check = Check::new(version, true);
    match operation.response {
        None if answer.is_null() || answer == "" => {}
        None => check.complain(path, "answers with nothing", answer),
        Some("Int32") => {
            let text = answer
                .as_i64()
                .or_else(|| answer.as_str().and_then(|text| text.parse().ok()));
            if text.is_none() {
                check.complain(path, "is a number", answer);
            }
        }
        Some(list) if list.ends_with("[]") => {
            let type_name = list.trim_end_matches("[]");
            let Some(values) = answer["value"].as_array() else {
                check.complain(path, "is a list", answer);
                return check.complaints;
            };
            for name in answer.as_object().into_iter().flat_map(Map::keys) {
                if name != "value" && !name.starts_with('@') {
                    check.complain(path, &format!("has no `{name}`"), answer);
                }
            }
            for value in values {
                check.object(type_name, value, type_name);
            }
        }
        Some(type_name) => {
            // The answer to a delta holds the changed parts only.
            check.is_whole = method != "PATCH" || answer.get("id").is_some();
            check.object(type_name, answer, type_name);
        }
    }
    check.complaints
}

/// The operation that a path names.
pub fn operation(version: &str, method: &str, path: &str) -> Option<&'static Operation> {
    let segments: Vec<&str> = path
        .trim_end_matches('/')
        .split('/')
        .filter(|one| !one.is_empty())
        .collect();
    let fits = |operation: &&Operation| {
        let own: Vec<&str> = operation.path.split('/').collect();
        operation.method == method
            && operation.versions.contains(&version)
            && own.len() == segments.len()
            && own
                .iter()
                .zip(&segments)
                .all(|(own, one)| segment_fits(own, one))
    };
    // Of two that fit, the one with fewer keys is meant.
    OPERATIONS
        .iter()
        .filter(fits)
        .min_by_key(|operation| operation.path.matches("{}").count())
}

/// All operations, as the two SDKs and the pages know them.
pub fn operations() -> &'static [Operation] {
    &OPERATIONS
}

fn segment_fits(own: &str, one: &str) -> bool {
    // Casts are written with and without the first part of their name space.
    let own = if one.starts_with("graph.") {
        own.trim_start_matches("microsoft.")
    } else {
        own
    };
    match own.split_once("{}") {
        Some((before, after)) => one.starts_with(before) && one.ends_with(after),
        None => own.eq_ignore_ascii_case(one),
    }
}

struct Check<'a> {
    version: &'a Version,
    /// What cannot be null has to be there.
    is_whole: bool,
    complaints: Vec<String>,
}

impl Check<'_> {
    fn new(version: &str, is_whole: bool) -> Self {
        Self {
            version: &METADATA[version],
            is_whole,
            complaints: Vec::new(),
        }
    }

    fn complain(&mut self, at: &str, what: &str, value: &Value) {
        let value = value.to_string();
        let value: String = value.chars().take(200).collect();
        self.complaints.push(format!("{at} {what}: {value}"));
    }

    fn bases(&self, type_name: &str) -> Vec<&Type> {
        let mut found = Vec::new();
        let mut next = self.version.types.get(type_name);
        while let Some(one) = next {
            found.push(one);
            next = one
                .base
                .as_ref()
                .and_then(|base| self.version.types.get(base));
        }
        found
    }

    fn is_a(&self, type_name: &str, wanted: &str) -> bool {
        let mut name = Some(type_name);
        while let Some(one) = name {
            if one == wanted {
                return true;
            }
            let found = self.version.types.get(one);
            name = found.and_then(|found| found.base.as_deref());
        }
        false
    }

    fn object(&mut self, declared: &str, value: &Value, at: &str) {
        let Some(object) = value.as_object() else {
            return self.complain(at, "is an object", value);
        };
        let own = object.get("@odata.type").and_then(Value::as_str);
        let own = own.map(|name| name.trim_start_matches("#microsoft.graph.").to_owned());
        let type_name = own.unwrap_or_else(|| declared.to_owned());
        if !self.version.types.contains_key(&type_name) || !self.is_a(&type_name, declared) {
            return self.complain(at, &format!("is a {declared}, not a {type_name}"), value);
        }
        let types = self.bases(&type_name);
        let is_open = types.iter().any(|one| one.is_open);
        let mut required: BTreeSet<String> = BTreeSet::new();
        let mut known: BTreeMap<String, (String, bool, bool, bool)> = BTreeMap::new();
        for (name, property) in types.iter().flat_map(|one| &one.properties) {
            if !property.is_nullable && !property.is_navigation {
                required.insert(name.clone());
            }
            known.insert(
                name.clone(),
                (
                    property.type_name.clone(),
                    property.is_collection,
                    property.is_nullable,
                    property.is_navigation,
                ),
            );
        }
        for (name, value) in object {
            let place = format!("{at}.{name}");
            if let Some(base) = name.strip_suffix("@delta") {
                match known.get(base) {
                    Some((type_name, true, _, true)) => self.delta(type_name, value, &place),
                    _ => self.complain(&place, "is no list that can be changed", value),
                }
                continue;
            }
            if name.contains('@') {
                continue;
            }
            let Some((type_name, is_collection, is_nullable, is_navigation)) = known.get(name)
            else {
                if !is_open {
                    self.complain(at, &format!("has no property `{name}`"), value);
                }
                continue;
            };
            if value.is_null() {
                if !is_nullable && !is_navigation {
                    self.complain(&place, "cannot be null", value);
                }
                continue;
            }
            // Behind a navigation property stands as much as the page shows.
            let whole = self.is_whole;
            self.is_whole = whole && !is_navigation;
            if *is_collection {
                match value.as_array() {
                    Some(values) => values
                        .iter()
                        .for_each(|value| self.value(type_name, value, &place)),
                    None => self.complain(&place, "is a collection", value),
                }
            } else {
                self.value(type_name, value, &place);
            }
            self.is_whole = whole;
        }
        if self.is_whole {
            // The root of the service is shown without an id.
            let missing = required
                .iter()
                .filter(|name| !object.contains_key(*name) && type_name != "backupRestoreRoot");
            for name in missing.cloned().collect::<Vec<_>>() {
                self.complain(at, &format!("must have `{name}`"), value);
            }
        }
    }

    fn delta(&mut self, type_name: &str, value: &Value, at: &str) {
        let whole = std::mem::replace(&mut self.is_whole, false);
        for item in value.as_array().into_iter().flatten() {
            self.object(type_name, item, at);
        }
        self.is_whole = whole;
    }

    fn value(&mut self, type_name: &str, value: &Value, at: &str) {
        let text = value.as_str();
        let fits = match type_name {
            "String" => text.is_some(),
            "Boolean" => value.is_boolean(),
            "Int32" => value
                .as_i64()
                .is_some_and(|number| i32::try_from(number).is_ok()),
            "DateTimeOffset" => text.is_some_and(is_instant),
            "Duration" => text.is_some_and(|text| text.starts_with('P')),
            name => match self.version.enums.get(name) {
                Some(members) => text.is_some_and(|text| members.has(text)),
                None => return self.object(name, value, at),
            },
        };
        if !fits {
            self.complain(at, &format!("is a {type_name}"), value);
        }
    }
}

impl Enum {
    fn has(&self, text: &str) -> bool {
        let has = |member: &str| self.members.iter().any(|one| one == member);
        if self.is_flags {
            text.split(',').all(has)
        } else {
            has(text)
        }
    }
}

/// `2026-11-24T10:00:00Z`, with or without parts of a second.
fn is_instant(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let rest = shape.strip_prefix("0000-00-00T00:00:00");
    let rest = rest.and_then(|rest| rest.strip_suffix('Z'));
    rest.is_some_and(|rest| {
        rest.is_empty() || rest.starts_with('.') && rest[1..].chars().all(|c| c == '0')
    })
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

fn read_metadata(text: &'static str) -> BTreeMap<String, Version> {
    let mut versions: BTreeMap<String, Version> = BTreeMap::new();
    let mut version = Version::default();
    let mut name = String::new();
    let mut type_name = String::new();
    for line in lines(text) {
        if let Some(next) = line.strip_prefix("version ") {
            if !name.is_empty() {
                versions.insert(name.clone(), std::mem::take(&mut version));
            }
            next.clone_into(&mut name);
        } else if let Some(line) = line.strip_prefix("enum ") {
            let (head, members) = line.split_once(": ").expect("an enum has members");
            let is_flags = head.ends_with(" flags");
            let members = members.split(' ').map(str::to_owned).collect();
            let head = head.trim_end_matches(" flags").to_owned();
            version.enums.insert(head, Enum { is_flags, members });
        } else if let Some(line) = line.strip_prefix("  ") {
            let is_navigation = line.starts_with("> ");
            let (property, kind) = line
                .trim_start_matches("> ")
                .split_once(' ')
                .expect("a property has a type");
            let is_nullable = kind.ends_with('?');
            let kind = kind.trim_end_matches('?');
            let read = Property {
                type_name: kind.trim_end_matches("[]").to_owned(),
                is_collection: kind.ends_with("[]"),
                is_nullable,
                is_navigation,
            };
            let one = version
                .types
                .get_mut(&type_name)
                .expect("a type comes first");
            one.properties.insert(property.to_owned(), read);
        } else {
            let is_open = line.ends_with(" open");
            let line = line.trim_end_matches(" open");
            let (head, base) = match line.split_once(" : ") {
                Some((head, base)) => (head, Some(base.to_owned())),
                None => (line, None),
            };
            head.clone_into(&mut type_name);
            let one = Type {
                base,
                is_open,
                properties: BTreeMap::new(),
            };
            version.types.insert(type_name.clone(), one);
        }
    }
    versions.insert(name, version);
    versions
}

fn read_operations(text: &'static str) -> Vec<Operation> {
    let read = |line: &'static str| {
        let words: Vec<&'static str> = line.split(' ').collect();
        let [versions, method, path, request, response, _pages] = words[..] else {
            panic!("an operation has six words: {line}");
        };
        let present = |word: &'static str| (word != "-").then_some(word);
        Operation {
            versions: match versions {
                "both" => vec!["v1.0", "beta"],
                one => vec![one],
            },
            method,
            path: path.replace('~', "solutions/backupRestore"),
            request: present(request),
            response: present(response),
        }
    };
    lines(text).map(read).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_metadata_does_not_have_is_found() {
        let good = json!({ "id": "1", "status": "draft", "restoreJobType": "bulk", "error": null });
        assert_eq!(
            check_entity("v1.0", "restoreSessionBase", &good),
            [""; 0],
            "{good}"
        );
        for (type_name, value, said) in [
            (
                "restoreSessionBase",
                json!({ "id": "1", "colour": "red" }),
                "no property `colour`",
            ),
            (
                "restoreSessionBase",
                json!({ "id": "1", "policyId": "2" }),
                "no property `policyId`",
            ),
            (
                "restoreSessionBase",
                json!({ "status": "draft" }),
                "must have `id`",
            ),
            (
                "restoreSessionBase",
                json!({ "id": "1", "status": "done" }),
                "is a restoreSessionStatus",
            ),
            (
                "restoreSessionBase",
                json!({ "id": "1", "completedDateTime": "soon" }),
                "is a DateTimeOffset",
            ),
            (
                "restoreSessionBase",
                json!({ "id": "1", "restoreSessionArtifactCount": { "total": "2" } }),
                "total is a Int32",
            ),
            (
                "restorePoint",
                json!({ "id": "1", "@odata.type": "#microsoft.graph.serviceApp" }),
                "not a serviceApp",
            ),
            (
                "exchangeRestoreSession",
                json!({ "id": "1", "mailboxRestoreArtifacts@delta": [{ "status": "gone" }] }),
                "is a artifactRestoreStatus",
            ),
        ] {
            let complaints = check_entity("v1.0", type_name, &value);
            assert!(
                complaints.iter().any(|one| one.contains(said)),
                "{value}: {complaints:?}"
            );
        }
        assert!(
            check_entity(
                "beta",
                "restoreSessionBase",
                &json!({ "id": "1", "policyId": "2" })
            )
            .is_empty()
        );
        assert!(
            check_body("v1.0", "search()", &json!({ "policyId": "2" }))[0].contains("policyId")
        );
    }

    #[test]
    fn answers_are_known_by_their_paths() {
        let page = json!({ "@odata.context": "x", "value": [{ "id": "1" }] });
        let path = "/solutions/backupRestore/restoreSessions?$top=5";
        assert_eq!(check_answer("v1.0", "GET", path, &page), [""; 0]);
        let path = "/solutions/backupRestore/activityLogs";
        assert_eq!(check_answer("v1.0", "GET", path, &page).len(), 1);
        assert_eq!(check_answer("beta", "GET", path, &page), [""; 0]);
        assert_eq!(
            operation(
                "v1.0",
                "GET",
                "/solutions/backupRestore/restoreSessions/$count"
            )
            .and_then(|one| one.response),
            Some("Int32")
        );
        assert!(operations().len() > 300);
    }
}
