//! The objects and values a script holds: their properties, and the functions that work on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::function::{self, From};
use super::{Page, line};
use crate::script::library::shelves;
use crate::script::values::{Form, Kind};

/// One kind of value.
pub(crate) struct Shape {
    /// As signatures call it.
    pub(crate) name: &'static str,
    /// Other names somebody may look under.
    pub(crate) aliases: &'static [&'static str],
    /// Graph's types; the first one's properties are everybody's.
    kinds: &'static [&'static str],
    /// Where its functions and the host's own properties are registered.
    receivers: &'static [&'static str],
    pub(crate) text: &'static str,
}

macro_rules! shapes {
    ($($name:literal $aliases:expr, $kinds:expr, $receivers:expr, $text:expr;)*) => {
        &[$(Shape { name: $name, aliases: $aliases, kinds: $kinds, receivers: $receivers, text: $text }),*]
    };
}

/// In the order of the reference.
pub(crate) static SHAPES: &[Shape] = shapes! {
    "user" &[], &["user"], &["object"],
        "A person of the directory. `users::list()` gives the properties of Graph's default set; `select` fetches others.";
    "group" &[], &["group"], &["object"],
        "A group of the directory. `groups::members(group)` gives who is in it.";
    "site" &[], &["site"], &["object"],
        "A SharePoint site. Its `id` is what the backup service calls `siteId`.";
    "unit" &["protection unit"], &["protectionUnitBase", "mailboxProtectionUnit", "driveProtectionUnit", "siteProtectionUnit"], &["object"],
        "A protection unit: one mailbox, OneDrive or site that the backup service knows. Names and addresses are empty where an application signs in: the directory has them.";
    "restore point" &["point"], &["restorePoint"], &["object"],
        "A moment that a unit can be brought back to. Only points with the tag `fastRestore` can be browsed.";
    "row" &["rows"], &[], &["row"],
        "What is known of one item: a map. `points_before` and its like give one row for every item they were asked about, in order; where there is no point, `code` says why. Sessions take rows and book what has no point as skipped.";
    "session" &["restore session"], &["restoreSessionBase", "exchangeRestoreSession", "oneDriveForBusinessRestoreSession", "sharePointRestoreSession"], &["session", "object"],
        "A restore session. A draft restores nothing; `activate` starts it, once, and it cannot be cancelled then. A large one consists of parts, which are activated as the service has room.";
    "artifact" &["restore artifact"], &["restoreArtifactBase", "mailboxRestoreArtifact", "driveRestoreArtifact", "siteRestoreArtifact"], &["artifact", "object"],
        "One unit in a restore session: what is restored, to where, and how it ended.";
    "granular artifact" &[], &["granularRestoreArtifactBase", "granularDriveRestoreArtifact", "granularSiteRestoreArtifact", "granularMailboxRestoreArtifact"], &["granular artifact", "object"],
        "One file, folder or set of messages in a granular restore session.";
    "bulk request" &["bulk"], &["restoreArtifactsBulkRequestBase", "mailboxRestoreArtifactsBulkAdditionRequest", "driveRestoreArtifactsBulkAdditionRequest", "siteRestoreArtifactsBulkAdditionRequest"], &["bulk request", "object"],
        "A list of people or sites whose points the service chooses by itself once the session is activated. The service does not give the list back.";
    "browse session" &["browse"], &["browseSessionBase", "oneDriveForBusinessBrowseSession", "sharePointBrowseSession"], &["browse session", "object"],
        "A look into one restore point of a OneDrive or site. It expires by itself.";
    "item" &["backup item"], &["browseQueryResponseItem"], &["item", "object"],
        "A file, folder, library or site inside a restore point.";
    "policy" &["protection policy"], &["protectionPolicyBase", "exchangeProtectionPolicy", "oneDriveForBusinessProtectionPolicy", "sharePointProtectionPolicy"], &["object"],
        "A protection policy: which units are backed up.";
    "service status" &[], &["serviceStatus"], &["object"],
        "Whether the backup service is enabled in the tenant, and what is locked.";
    "service app" &[], &["serviceApp"], &["object"],
        "An application that may control the backup service of the tenant. One at a time is active.";
    "object" &["Graph object", "handle"], &[], &["object"],
        "Any of Graph's objects. Properties have Graph's own names; one that is published and absent is `()`, one that is not published is an error with the nearest name. Nothing can be assigned. `==` compares by kind and id, `\"x\" in object` asks whether it carries a property.";
    "stream" &[], &[], &["stream"],
        "A list that is read page by page. Every `for` reads it anew; it is complete, or an error on that line. Memory stays flat while it is read.";
    "array" &["list of values"], &[], &["array"],
        "A list in memory that can be changed. Whatever takes a list takes a stream too.";
    "list" &["read-only list"], &[], &["list"],
        "A list inside one of Graph's objects. It can be read as an array can, and not be changed; `.collect()` makes an array.";
    "map" &["object map"], &[], &["map"],
        "Names and values: `#{name: \"Adele\", count: 3}`.";
    "text" &["string"], &[], &["text"],
        "Text: `\"as it is\"`, or `` `with ${values}` ``.";
    "datetime" &["time"], &[], &["datetime"],
        "A point in time. It comes from `datetime(\"2026-11-20T03:00:00Z\")`, `now()`, and the times of Graph's objects. `-` of two gives a duration, `+` and `-` with a duration another time; `<` and `==` compare; inside a text it is RFC 3339.";
    "duration" &[], &[], &["duration"],
        "A length of time. It comes from `duration(\"36h\")` and from the difference of two times. `+`, `-`, `*`, `/` and `<` work; inside a text it is ISO 8601.";
    "error" &["e"], &[], &["error"],
        "What `catch (e)` and `attempt` give. A thrown text has a `message` and an empty `code`.";
    "csv writer" &["writer"], &[], &["csv writer"],
        "A CSV file that is being written row by row.";
};

/// Members of enumerations, by `type.property`.
static MEMBERS: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    include_str!("members.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect()
});

/// One property, for the reader.
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) returns: String,
    pub(crate) text: String,
}

fn members(kind: Kind, property: &str) -> Option<&'static str> {
    let mut next = Some(kind);
    while let Some(kind) = next {
        let name = format!("{}.{property}", kind.name());
        if let Some(members) = MEMBERS.get(name.as_str()) {
            return Some(members);
        }
        next = kind.base();
    }
    None
}

/// As what a property of a published type comes.
fn form(kind: Kind, name: &str) -> String {
    let Some(property) = kind.property(name) else {
        return String::new();
    };
    let one = match property.form {
        Form::Text => "text",
        Form::Int => "whole number",
        Form::Float => "number",
        Form::Bool => "true or false",
        Form::Time => "datetime",
        Form::Duration => "duration",
        Form::Any => "value",
        Form::Object(of) => Kind::of(of).words(),
    };
    if property.list {
        format!("list of {one}")
    } else {
        one.to_owned()
    }
}

/// The published properties of a type, in alphabetical order.
pub(crate) fn published(kind: Kind) -> Vec<Property> {
    let names: BTreeSet<&str> = kind.properties().collect();
    names
        .into_iter()
        .map(|name| Property {
            name: name.to_owned(),
            returns: form(kind, name),
            text: members(kind, name).map_or(String::new(), |members| {
                let members: Vec<String> = members
                    .split(' ')
                    .map(|member| format!("`{member}`"))
                    .collect();
                members.join(" ")
            }),
        })
        .collect()
}

impl Shape {
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name) || self.name.replace(' ', "_") == name
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.kinds.iter().map(|name| Kind::of(name))
    }

    /// What the host adds to the published properties.
    pub(crate) fn own_properties(&self) -> Vec<Property> {
        let mut seen = BTreeSet::new();
        let of = |receiver: &str| {
            let all = shelves().properties.iter();
            all.filter(|property| property.receiver == receiver)
                .collect::<Vec<_>>()
        };
        let all = self.receivers.iter().flat_map(|receiver| of(receiver));
        all.filter(|property| seen.insert(property.name))
            .map(|property| Property {
                name: property.name.to_owned(),
                returns: property.returns.to_owned(),
                text: property.doc.to_owned(),
            })
            .collect()
    }

    pub(crate) fn functions(
        &self,
        from: From,
    ) -> impl Iterator<Item = &'static function::Function> {
        let receivers = self.receivers;
        function::all().iter().filter(move |function| {
            function.from == from
                && function
                    .receiver
                    .is_some_and(|receiver| receivers.contains(&receiver))
        })
    }

    pub(crate) fn page(&self) -> Page {
        Page {
            name: self.name.to_owned(),
            text: self.markdown(false),
            data: self.data(),
        }
    }

    /// `whole`: with the full help of its functions behind.
    pub(crate) fn markdown(&self, whole: bool) -> String {
        let mut out = format!("# {}\n\n{}\n", self.name, self.text);
        let own = self.own_properties();
        let mut section = |title: &str, properties: &[Property]| {
            if properties.is_empty() {
                return;
            }
            let _ = writeln!(out, "\n{title}\n");
            for property in properties {
                let text = if property.text.is_empty() {
                    property.returns.clone()
                } else {
                    format!("{}: {}", property.returns, property.text)
                };
                out.push_str(&line(&property.name, &text));
            }
        };
        section("Properties of the host:", &own);
        let mut known: BTreeSet<String> = own.into_iter().map(|property| property.name).collect();
        for (number, kind) in self.kinds().enumerate() {
            let mut properties = published(kind);
            properties.retain(|property| known.insert(property.name.clone()));
            let title = match (number, self.kinds.len()) {
                (0, 1) => format!("Properties (`{}`):", kind.name()),
                (0, _) => "Properties:".to_owned(),
                _ => format!("Of `{}` also:", kind.name()),
            };
            section(&title, &properties);
        }
        let functions: Vec<_> = self.functions(From::Host).collect();
        if !functions.is_empty() {
            out.push_str("\nFunctions:\n\n");
            for function in &functions {
                out.push_str(&line(
                    &format!(".{}", function.name),
                    function.help.summary(),
                ));
            }
        }
        let language: BTreeSet<&str> = self
            .functions(From::Language)
            .map(|function| function.name.as_str())
            .filter(|name| functions.iter().all(|function| function.name != *name))
            .collect();
        if !language.is_empty() {
            let names: Vec<String> = language.iter().map(|name| format!("`{name}`")).collect();
            let _ = writeln!(out, "\nRhai's own functions: {}.", names.join(" "));
        }
        if whole {
            for function in functions {
                let _ = write!(out, "\n{}", function.markdown(2));
            }
        }
        out
    }

    fn data(&self) -> Value {
        let properties = self
            .own_properties()
            .into_iter()
            .chain(self.kinds().flat_map(published));
        let mut seen = BTreeSet::new();
        let properties: Vec<Value> = properties
            .filter(|property| seen.insert(property.name.clone()))
            .map(|property| json!({"name": property.name, "returns": property.returns, "text": property.text}))
            .collect();
        let functions: Vec<String> = self
            .functions(From::Host)
            .map(function::Function::full_name)
            .collect();
        json!({
            "kind": "type",
            "name": self.name,
            "text": self.text,
            "graph_types": self.kinds,
            "properties": properties,
            "functions": functions,
        })
    }
}

/// A published type that no shape speaks of.
pub(crate) fn of_graph(kind: Kind) -> Page {
    let mut out = format!(
        "# {}\n\nA type of Graph that objects hold inside: {}.\n\n",
        kind.name(),
        kind.words()
    );
    let properties = published(kind);
    for property in &properties {
        let text = format!(
            "{}{}{}",
            property.returns,
            if property.text.is_empty() { "" } else { ": " },
            property.text
        );
        out.push_str(&line(&property.name, &text));
    }
    let data: Vec<Value> = properties
        .iter()
        .map(|property| json!({"name": property.name, "returns": property.returns, "text": property.text}))
        .collect();
    Page {
        name: kind.name().to_owned(),
        text: out,
        data: json!({"kind": "type", "name": kind.name(), "properties": data}),
    }
}
