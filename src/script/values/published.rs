//! The properties that Graph publishes for each type: what may be asked of an object, and as what it comes.
//!
//! The table stands in `published.txt`; it is read once, when the first object is looked at.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// As what a property comes to a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Int,
    Float,
    Bool,
    Time,
    Duration,
    /// Published, but without a form here: whatever the JSON holds.
    Any,
    /// An object of this type.
    Object(&'static str),
}

/// One property: its form, and whether it is a list of such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Property {
    pub(crate) form: Form,
    pub(crate) list: bool,
}

/// One type with all its properties, its bases' among them.
#[derive(Debug)]
struct Type {
    name: &'static str,
    base: Option<&'static str>,
    properties: HashMap<&'static str, Property>,
    words: String,
}

static TYPES: LazyLock<HashMap<&'static str, Type>> =
    LazyLock::new(|| read(include_str!("published.txt")));

fn read(text: &'static str) -> HashMap<&'static str, Type> {
    // By name: the base, and the properties that are the type's own.
    let mut own = HashMap::<&str, (Option<&str>, Vec<_>)>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (Some(name), Some(base)) = (words.next(), words.next()) else {
            continue;
        };
        let properties = words.filter_map(|word| word.split_once(':'));
        own.insert(
            name,
            (
                Some(base).filter(|base| *base != "-"),
                properties
                    .map(|(name, form)| (name, property(form)))
                    .collect(),
            ),
        );
    }
    own.iter()
        .map(|(name, (base, _))| {
            let mut properties = HashMap::new();
            let mut next = Some(*name);
            while let Some((base, own)) = next.and_then(|name| own.get(name)) {
                for (name, property) in own {
                    properties.entry(*name).or_insert(*property);
                }
                next = *base;
            }
            let found = Type {
                name,
                base: *base,
                properties,
                words: words(name),
            };
            (*name, found)
        })
        .collect()
}

fn property(form: &'static str) -> Property {
    let (form, list) = form
        .strip_suffix("[]")
        .map_or((form, false), |form| (form, true));
    let form = match form {
        "s" => Form::Text,
        "i" => Form::Int,
        "f" => Form::Float,
        "b" => Form::Bool,
        "t" => Form::Time,
        "d" => Form::Duration,
        "any" => Form::Any,
        name => Form::Object(name),
    };
    Property { form, list }
}

/// `restorePoint` → "restore point"; the bases are called without their "Base".
fn words(name: &str) -> String {
    let name = name.strip_suffix("Base").unwrap_or(name);
    let name = name
        .replace("oneDriveForBusiness", "OneDrive")
        .replace("sharePoint", "SharePoint");
    let mut words = String::new();
    for (index, letter) in name.char_indices() {
        let inside_a_brand = name[..index].ends_with("One") || name[..index].ends_with("Share");
        if index > 0 && letter.is_uppercase() && !inside_a_brand {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

/// What an object is: a published type, or something that `graph::` gave and nobody has described to us.
#[derive(Clone, Copy)]
pub(crate) struct Kind(Option<&'static Type>);

impl Kind {
    pub(crate) const UNTYPED: Self = Self(None);

    /// The kind of a published type.
    ///
    /// A name that is not published gives [`Kind::UNTYPED`]: newer than this program.
    pub(crate) fn of(name: &str) -> Self {
        Self(TYPES.get(name))
    }

    /// All published types, by name.
    pub(crate) fn all() -> Vec<Self> {
        let mut all: Vec<_> = TYPES.values().map(|found| Self(Some(found))).collect();
        all.sort_by_key(|kind| kind.name());
        all
    }

    /// What it inherits from.
    pub(crate) fn base(self) -> Option<Self> {
        Some(Self::of(self.0?.base?)).filter(|base| !base.is_untyped())
    }

    /// The derived type that `@odata.type` names, where it is `self` or below it; else `self`.
    pub(crate) fn refined(self, odata_type: &str) -> Self {
        let name = odata_type
            .trim_start_matches('#')
            .trim_start_matches("microsoft.graph.");
        let derived = Self::of(name);
        if self.0.is_some_and(|base| derived.is_a(base.name)) {
            derived
        } else {
            self
        }
    }

    /// Graph's name of the type; empty for an untyped object.
    pub(crate) fn name(self) -> &'static str {
        self.0.map_or("", |found| found.name)
    }

    /// What a person calls it: "restore point".
    pub(crate) fn words(self) -> &'static str {
        self.0.map_or("Graph object", |found| &found.words)
    }

    /// Is this the type, or one derived from it?
    pub(crate) fn is_a(self, name: &str) -> bool {
        let mut next = self.0;
        while let Some(found) = next {
            if found.name == name {
                return true;
            }
            next = found.base.and_then(|base| TYPES.get(base));
        }
        false
    }

    /// The topmost type below `entity`: a unit stays the same unit whether a list names its derived type or not.
    pub(crate) fn root(self) -> &'static str {
        let mut name = self.name();
        let mut next = self.0;
        while let Some(found) = next.filter(|found| found.name != "entity") {
            name = found.name;
            next = found.base.and_then(|base| TYPES.get(base));
        }
        name
    }

    pub(crate) fn is_untyped(self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn property(self, name: &str) -> Option<Property> {
        self.0?.properties.get(name).copied()
    }

    pub(crate) fn properties(self) -> impl Iterator<Item = &'static str> {
        self.0
            .into_iter()
            .flat_map(|found| found.properties.keys().copied())
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Kind {}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_the_table_is_a_code_or_a_type_of_the_table() {
        for found in TYPES.values() {
            for (name, property) in &found.properties {
                if let Form::Object(of) = property.form {
                    assert!(TYPES.contains_key(of), "{}.{name}: {of}", found.name);
                }
            }
            if let Some(base) = found.base {
                assert!(TYPES.contains_key(base), "{base}");
            }
        }
    }

    #[test]
    fn kinds_inherit_and_have_words() {
        let unit = Kind::of("mailboxProtectionUnit");
        assert_eq!(unit.property("email").unwrap().form, Form::Text);
        assert_eq!(unit.property("createdDateTime").unwrap().form, Form::Time);
        assert_eq!(unit.property("id").unwrap().form, Form::Text);
        assert_eq!(unit.words(), "mailbox protection unit");
        assert_eq!(
            Kind::of("oneDriveForBusinessRestoreSession").words(),
            "OneDrive restore session"
        );
        assert_eq!(
            Kind::of("sharePointBrowseSession").words(),
            "SharePoint browse session"
        );
        assert_eq!(Kind::of("protectionUnitBase").words(), "protection unit");
        assert_eq!(unit.root(), "protectionUnitBase");
        assert_eq!(
            Kind::of("protectionUnitBase")
                .refined("#microsoft.graph.driveProtectionUnit")
                .name(),
            "driveProtectionUnit"
        );
        assert_eq!(
            Kind::of("restorePoint")
                .refined("#microsoft.graph.user")
                .name(),
            "restorePoint"
        );
    }
}
