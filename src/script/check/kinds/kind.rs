//! What a value is known to be, and what it has.

use std::collections::HashSet;

use crate::script::failure::Failure;
use crate::script::library::shelves;
use crate::script::values;
use crate::script::words;

/// What a value is known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An object of Graph, in the words of signatures: "user", "restore point".
    Object(&'static str),
    /// What `points_before` and its like give for each item.
    Row,
    /// An array, a list or a stream, and of what.
    List(Option<Box<Kind>>),
    /// A map that the script has written out, with these keys.
    Map(Vec<String>),
    /// A text, a number, another map, a time, in the words of signatures: nothing that has to do with the tenant.
    Plain(&'static str),
}

/// Graph's types behind the words of signatures.
const OBJECTS: [(&str, &[&str]); 6] = [
    ("user", &["user"]),
    ("group", &["group"]),
    (
        "unit",
        &[
            "mailboxProtectionUnit",
            "driveProtectionUnit",
            "siteProtectionUnit",
        ],
    ),
    ("restore point", &["restorePoint"]),
    (
        "session",
        &[
            "exchangeRestoreSession",
            "oneDriveForBusinessRestoreSession",
            "sharePointRestoreSession",
        ],
    ),
    (
        "artifact",
        &[
            "mailboxRestoreArtifact",
            "driveRestoreArtifact",
            "siteRestoreArtifact",
        ],
    ),
];

/// Values of the language, in the words of signatures.
const PLAIN: [&str; 7] = [
    "text",
    "whole number",
    "number",
    "true or false",
    "map",
    "datetime",
    "duration",
];

/// What the host puts beside Graph's properties.
const COLUMNS: [&str; 6] = ["item", "name", "unit", "point", "code", "reason"];
const LIVE: [&str; 5] = ["count", "parts", "raw", "status", "workload"];

impl Kind {
    /// From the words behind `->`. Words that are not known here say nothing.
    pub(super) fn read(words: &str) -> Option<Self> {
        let words = words.strip_suffix(" or ()").unwrap_or(words);
        for list in ["stream of ", "array of "] {
            if let Some(inside) = words.strip_prefix(list) {
                return Some(Self::List(Self::read(inside).map(Box::new)));
            }
        }
        match words {
            "row" => Some(Self::Row),
            "array" | "stream" | "list" | "rows" => Some(Self::List(None)),
            _ => {
                let plain = PLAIN.iter().find(|plain| **plain == words);
                let object = OBJECTS.iter().find(|(name, _)| *name == words);
                plain
                    .map(|plain| Self::Plain(plain))
                    .or_else(|| object.map(|(name, _)| Self::Object(name)))
            }
        }
    }

    pub(super) fn item(&self) -> Option<Self> {
        match self {
            Self::List(Some(item)) => Some((**item).clone()),
            _ => None,
        }
    }

    /// What a property holds, where it holds one kind of value or nothing.
    pub(super) fn property(&self, name: &str) -> Option<Self> {
        match self {
            Self::Row if name == "point" => Some(Self::Object("restore point")),
            // Graph's times have this in their names, all of them, and nothing else has.
            Self::Object(_) if name.ends_with("DateTime") => Some(Self::Plain("datetime")),
            _ => None,
        }
    }

    /// What is wrong with a property of this name. `also`: names that the script puts on something itself.
    pub(super) fn no_such(&self, property: &str, also: &HashSet<&str>) -> Option<Failure> {
        match self {
            Kind::Row => {
                if COLUMNS.contains(&property) || also.contains(property) {
                    return None;
                }
                let near = words::nearest(property, COLUMNS)?;
                let failure = Failure::new(
                    "NoSuchProperty",
                    format!("a row has no `{property}`: this would be `()`"),
                );
                Some(failure.hint(format!("did you mean `{near}`?")))
            }
            Kind::Object(word) => {
                let (_, types) = OBJECTS.iter().find(|(name, _)| name == word)?;
                let kinds = types.iter().map(|name| values::Kind::of(name));
                let mut names: Vec<&str> = kinds.flat_map(values::Kind::properties).collect();
                names.extend(COLUMNS);
                names.extend(LIVE);
                names.extend(shelves().properties.iter().map(|property| property.name));
                if names.contains(&property) || names.len() <= COLUMNS.len() + LIVE.len() {
                    return None;
                }
                let near = words::nearest(property, names)?;
                let failure = Failure::new(
                    "NoSuchProperty",
                    format!("{} has no property `{property}`", words::article(word)),
                );
                Some(failure.hint(format!("did you mean `{near}`?")))
            }
            Kind::Map(keys) => {
                if keys.iter().any(|key| key == property) || also.contains(property) {
                    return None;
                }
                let near = words::nearest(property, keys.iter().map(String::as_str))?;
                let failure = Failure::new(
                    "NoSuchKey",
                    format!("the map has no key `{property}`: this is `()`"),
                );
                Some(failure.hint(format!("did you mean `{near}`?")))
            }
            Kind::List(_) | Kind::Plain(_) => None,
        }
    }
}
