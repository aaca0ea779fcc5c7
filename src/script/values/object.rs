//! A handle on one of Graph's objects: its JSON as it came, looked at only when somebody asks.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use rhai::{Dynamic, ImmutableString, Map};

use super::list::List;
use super::published::{Form, Kind, Property};
use super::scan;
use super::time::{Datetime, Duration};
use crate::graph::Json;
use crate::script::failure::Failure;
use crate::script::words;

/// Values that the host puts beside the published properties: `item`, `name`, `unit`, `point`, `code`, `reason`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns(Vec<(&'static str, Dynamic)>);

impl Columns {
    /// All names that there are.
    pub(crate) const NAMES: [&'static str; 11] = [
        "browseSessionId",
        "code",
        "inputs",
        "item",
        "name",
        "path",
        "point",
        "query",
        "reason",
        "searchResponseId",
        "unit",
    ];

    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Dynamic>) -> Self {
        debug_assert!(Self::NAMES.contains(&name), "`{name}` is missing in NAMES");
        self.0.push((name, value.into()));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Dynamic> {
        self.0
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

/// Something whose state changes while scripts hold it: a session. All copies of the handle show the same.
pub(crate) trait Live: Any + Send + Sync {
    /// The newest state.
    fn json(&self) -> Json;

    /// What the host knows better than the JSON, or beside it.
    fn property(self: Arc<Self>, name: &str) -> Option<Dynamic>;

    /// The names that [`Live::property`] answers.
    fn names(&self) -> &'static [&'static str];
}

#[derive(Clone)]
enum Body {
    Fixed(Json),
    Live(Arc<dyn Live>),
}

/// What scripts hold of an object. Cloning is cheap; nothing can be assigned to it.
#[derive(Clone)]
pub(crate) struct Object {
    kind: Kind,
    body: Body,
    columns: Option<Arc<Columns>>,
}

impl Object {
    /// The kind is refined where the JSON names a derived type.
    pub(crate) fn new(kind: Kind, json: Json) -> Self {
        let kind = match scan::string(&json, "@odata.type") {
            Some(name) if !kind.is_untyped() => kind.refined(&name),
            _ => kind,
        };
        Self::exact(kind, json)
    }

    /// As [`Object::new`] where the kind is known to be the last word (no look into the JSON).
    pub(crate) fn exact(kind: Kind, json: Json) -> Self {
        Self {
            kind,
            body: Body::Fixed(json),
            columns: None,
        }
    }

    /// An object that shows what is behind it now, whenever it is asked.
    pub(crate) fn live(kind: Kind, behind: Arc<dyn Live>) -> Self {
        Self {
            kind,
            body: Body::Live(behind),
            columns: None,
        }
    }

    pub(crate) fn with_columns(mut self, columns: Columns) -> Self {
        self.columns = Some(Arc::new(columns));
        self
    }

    /// What [`Object::live`] was given, where it is a `T`.
    pub(crate) fn behind<T: Live>(&self) -> Option<Arc<T>> {
        match &self.body {
            Body::Fixed(_) => None,
            Body::Live(behind) => {
                Arc::downcast((behind.clone() as Arc<dyn Any + Send + Sync>).clone()).ok()
            }
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn columns(&self) -> Option<&Columns> {
        self.columns.as_deref()
    }

    pub(crate) fn json(&self) -> Json {
        match &self.body {
            Body::Fixed(json) => json.clone(),
            Body::Live(behind) => behind.json(),
        }
    }

    /// A property that is a text; `None` where it is absent or something else.
    pub(crate) fn string(&self, name: &str) -> Option<String> {
        match &self.body {
            Body::Fixed(json) => scan::string(json, name),
            Body::Live(_) => scan::string(&self.json(), name),
        }
    }

    pub(crate) fn id(&self) -> Option<String> {
        self.string("id")
    }

    /// The value behind `object.name`.
    ///
    /// # Errors
    /// `NoSuchProperty` where neither the host nor Graph's metadata has the name.
    pub(crate) fn get(&self, name: &str) -> Result<Dynamic, Failure> {
        if let Some(value) = self.columns.as_ref().and_then(|columns| columns.get(name)) {
            return Ok(value.clone());
        }
        if let Body::Live(behind) = &self.body
            && let Some(value) = behind.clone().property(name)
        {
            return Ok(value);
        }
        let form = match self.kind.property(name) {
            Some(property) => property,
            None if self.kind.is_untyped() => Property {
                form: Form::Any,
                list: false,
            },
            None => return self.beside_the_table(name),
        };
        let found = match &self.body {
            Body::Fixed(json) => scan::property(json, name),
            Body::Live(_) => scan::property(&self.json(), name),
        };
        Ok(found.map_or(Dynamic::UNIT, |json| value(form, json)))
    }

    fn beside_the_table(&self, name: &str) -> Result<Dynamic, Failure> {
        if name == "raw" {
            return Ok(self.raw());
        }
        Err(self.no_such_property(name))
    }

    fn no_such_property(&self, name: &str) -> Failure {
        let what = words::article(self.kind.words());
        let failure = Failure::new("NoSuchProperty", format!("{what} has no property `{name}`"));
        let names = self.names();
        match words::nearest(name, names.iter().copied()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None if scan::property(&self.json(), name).is_some() => failure.hint(format!(
                "Graph sent it although it is not published: `.raw.{name}`"
            )),
            None => failure.hint(format!("it has {}", words::list(names))),
        }
    }

    /// The names that may be asked for, in alphabetical order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let columns = self.columns.iter().flat_map(|columns| columns.names());
        let live = match &self.body {
            Body::Fixed(_) => &[][..],
            Body::Live(behind) => behind.names(),
        };
        let mut names: Vec<_> = self
            .kind
            .properties()
            .chain(columns)
            .chain(live.iter().copied())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The untouched JSON as a map of the script's own.
    pub(crate) fn raw(&self) -> Dynamic {
        self.json().parse().unwrap_or_else(|_| Map::new().into())
    }

    /// Does the object carry this property (or host column)?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.columns
            .as_ref()
            .is_some_and(|columns| columns.get(name).is_some())
            || scan::property(&self.json(), name).is_some()
    }
}

/// A value of an answer in the form that the table gives it.
///
/// A time or duration that cannot be read stays text: the script still sees what the service said.
pub(crate) fn value(property: Property, json: Json) -> Dynamic {
    if json.is_null() {
        return Dynamic::UNIT;
    }
    if property.list {
        let element = Property {
            list: false,
            ..property
        };
        let items = json.elements().into_iter().map(|item| value(element, item));
        return Dynamic::from(List::new(items.collect()));
    }
    match property.form {
        Form::Time => text(&json).map_or_else(
            || untyped(&json),
            |text| match Datetime::read_leniently(&text) {
                Some(time) if time.is_unset() => Dynamic::UNIT,
                Some(time) => Dynamic::from(time),
                None => text.into(),
            },
        ),
        Form::Duration => text(&json).map_or_else(
            || untyped(&json),
            |text| Duration::read(&text).map_or_else(|| text.into(), Dynamic::from),
        ),
        Form::Object(name) if json.text().starts_with('{') => {
            Dynamic::from(Object::new(Kind::of(name), json))
        }
        _ => untyped(&json),
    }
}

fn text(json: &Json) -> Option<ImmutableString> {
    // Escapes are rare in what we read here; without one the text between the quotes is the string.
    let raw = json.text();
    match raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(plain) if !plain.contains('\\') => Some(plain.into()),
        _ => json.parse::<String>().ok().map(Into::into),
    }
}

/// A value that nobody has described: objects stay handles, lists read-only, the rest as JSON has it.
pub(crate) fn untyped(json: &Json) -> Dynamic {
    match json.text().as_bytes().first() {
        Some(b'{') => Dynamic::from(Object::exact(Kind::UNTYPED, json.clone())),
        Some(b'[') => Dynamic::from(List::new(json.elements().iter().map(untyped).collect())),
        Some(b'"') => text(json).map_or(Dynamic::UNIT, Into::into),
        _ => json.parse().unwrap_or(Dynamic::UNIT),
    }
}

impl PartialEq for Object {
    /// By kind and id; things without an id by their JSON.
    fn eq(&self, other: &Self) -> bool {
        let same_kind = self.kind.root() == other.kind.root()
            || self.kind.is_untyped()
            || other.kind.is_untyped();
        match (self.id(), other.id()) {
            (Some(id), Some(other)) => same_kind && id == other,
            (None, None) => {
                let value = |object: &Self| object.json().parse::<serde_json::Value>().ok();
                same_kind && value(self) == value(other)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.json().text())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.words(), self.json().text())
    }
}
