//! What the namespaces that talk to the tenant share: streams of pages, and the forms in which scripts name things.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::{Dynamic, Map};

use crate::backup::{Service, Subject, Wanted};
use crate::changes::{ChangeError, Door};
use crate::directory::{Directory, DirectoryError};
use crate::error::Exit;
use crate::graph::{Client, GraphError, Json, Pages};
use crate::script::failure::Failure;
use crate::script::host::Host;
use crate::script::values::{Columns, Datetime, Kind, Object, Source, Stream};
use crate::script::words;

/// The tenant as one run reaches it.
pub(crate) struct Tenant {
    pub(crate) client: Arc<Client>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) backup: Arc<Service>,
    pub(crate) door: Arc<Door>,
    pub(crate) origins: Origins,
}

/// Where the points that a script has put into sessions came from, so that artifacts can show it. By the id of the point; of
/// a bulk restore by the input, of a granular one by the key of the file, both in lower case.
#[derive(Default)]
pub(crate) struct Origins(Mutex<HashMap<String, Origin>>);

/// What a script gave for a point.
#[derive(Clone, Default)]
pub(crate) struct Origin {
    pub(crate) item: Dynamic,
    pub(crate) name: String,
    pub(crate) unit: Dynamic,
}

impl Origin {
    /// As columns of an artifact.
    pub(crate) fn columns(self) -> Columns {
        let name = Some(self.name).filter(|name| !name.is_empty());
        Columns::new()
            .with("item", self.item)
            .with("name", name.map_or(Dynamic::UNIT, Into::into))
            .with("unit", self.unit)
    }
}

impl Origins {
    pub(crate) fn keep(&self, point: &str, origin: Origin) {
        let mut origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        origins.insert(point.to_owned(), origin);
    }

    pub(crate) fn of(&self, point: &str) -> Option<Origin> {
        let origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        origins.get(point).cloned()
    }
}

/// A stream over the pages of one list or several, one after the other. Every reading asks the service anew.
pub(crate) fn stream(
    host: &Arc<Host>,
    what: &'static str,
    open: impl Fn(&Host) -> Result<Vec<Pages>, Failure> + Send + Sync + 'static,
    object: impl Fn(&Host, Json) -> Option<Dynamic> + Send + Sync + 'static,
) -> Stream {
    let host = host.clone();
    let shared = Arc::new((open, object));
    Stream::new(what, move || {
        Box::new(Paged {
            host: host.clone(),
            what,
            shared: shared.clone(),
            lists: None,
            ready: Vec::new().into_iter(),
            bar: None,
        })
    })
}

struct Paged<O, F> {
    host: Arc<Host>,
    what: &'static str,
    shared: Arc<(O, F)>,
    /// The lists that are still to be read, the next one last.
    lists: Option<Vec<Pages>>,
    ready: std::vec::IntoIter<Json>,
    bar: Option<Box<dyn crate::talk::Bar>>,
}

impl<O, F> Source for Paged<O, F>
where
    O: Fn(&Host) -> Result<Vec<Pages>, Failure> + Send + Sync,
    F: Fn(&Host, Json) -> Option<Dynamic> + Send + Sync,
{
    fn next(&mut self) -> Option<Result<Dynamic, Failure>> {
        loop {
            for json in self.ready.by_ref() {
                if let Some(value) = (self.shared.1)(&self.host, json) {
                    return Some(Ok(value));
                }
            }
            let lists = match &mut self.lists {
                Some(lists) => lists,
                none => match (self.shared.0)(&self.host) {
                    Ok(mut lists) => {
                        lists.reverse();
                        none.insert(lists)
                    }
                    Err(failure) => return Some(Err(failure)),
                },
            };
            let pages = lists.last_mut()?;
            match self.host.block(async { pages.next().await.transpose() }) {
                Ok(Some(page)) => {
                    let host = &self.host;
                    let what = self.what;
                    let bar = self
                        .bar
                        .get_or_insert_with(|| host.talk.bar(&format!("reading {what}"), None));
                    bar.add(page.len() as u64);
                    self.ready = page.into_iter();
                }
                Ok(None) => {
                    lists.pop();
                }
                Err(failure) => return Some(Err(failure)),
            }
        }
    }

    fn ready(&mut self) -> Option<Dynamic> {
        let (host, object) = (&self.host, &self.shared.1);
        self.ready.find_map(|json| object(host, json))
    }
}

/// An object of one kind, for [`stream`].
pub(crate) fn plain(kind: Kind) -> impl Fn(&Host, Json) -> Option<Dynamic> + Send + Sync {
    move |_, json| Some(Dynamic::from(Object::exact(kind, json)))
}

/// What a script means by an item: a user, a unit, an address, an id, or `#{item, before}`.
///
/// Gives the item itself beside it, for the row.
pub(crate) fn wanted(value: Dynamic) -> Result<(Dynamic, Wanted), Failure> {
    if value.is_map() {
        let map: Map = value.cast();
        let Some(item) = map.get("item").cloned() else {
            return Err(Failure::new("WrongType", "a map stands for an item only where it has `item`")
                .hint("write `#{item: \"adele@contoso.com\", before: datetime(\"2026-11-20T03:00:00Z\")}`"));
        };
        let before = match map.get("before") {
            None => None,
            Some(value) if value.is_unit() => None,
            Some(value) => Some(instant(value, "before")?),
        };
        let (item, wanted) = wanted(item)?;
        return Ok((
            item,
            Wanted {
                before: before.or(wanted.before),
                ..wanted
            },
        ));
    }
    let subject = subject(&value)?;
    Ok((
        value,
        Wanted {
            subject,
            before: None,
        },
    ))
}

fn subject(value: &Dynamic) -> Result<Subject, Failure> {
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Subject::Text(text.trim().to_owned()));
    }
    if let Some(object) = value.read_lock::<Object>() {
        let root = object.kind().root();
        let json = object.json();
        // What came through `graph::` has no published type; its properties tell.
        let untyped = object.kind().is_untyped();
        let has = |name: &str| untyped && json.property(name).is_some();
        if root == "protectionUnitBase" || has("directoryObjectId") || has("siteId") {
            return Ok(Subject::Unit(json));
        }
        if object.kind().name() == "site" || has("siteCollection") || has("sharepointIds") {
            return Ok(Subject::Site(json));
        }
        if object.kind().name() == "drive" || has("driveType") {
            // A OneDrive is its owner's.
            let owner = json
                .property("owner")
                .and_then(|owner| owner.property("user"));
            if let Some(user) = owner.filter(|user| user.string("id").is_some()) {
                return Ok(Subject::Person(user));
            }
        }
        if root == "directoryObject" || has("id") {
            return Ok(Subject::Person(json));
        }
    }
    let given = words::article(words::kind(value));
    Err(
        Failure::new("WrongType", format!("{given} cannot be restored"))
            .hint("an item is a user, a site, a protection unit, an address, a URL, an id, or `#{item, before}`"),
    )
}

/// An instant that must be a datetime.
pub(crate) fn instant(value: &Dynamic, what: &str) -> Result<jiff::Timestamp, Failure> {
    if let Some(time) = value.read_lock::<Datetime>() {
        return Ok(time.0);
    }
    let given = words::article(words::kind(value));
    let failure = Failure::new(
        "WrongType",
        format!("`{what}` must be a datetime; this is {given}"),
    );
    Err(match value.as_immutable_string_ref() {
        Ok(text) => failure.hint(format!("write `datetime(\"{}\")`", text.as_str())),
        Err(_) => failure
            .hint("write `datetime(\"2026-11-20T03:00:00Z\")`, or `now() - duration(\"36h\")`"),
    })
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        let hint = error.hint();
        let mut failure = Self::new(error.code().to_owned(), error.to_string());
        match &error {
            DirectoryError::Graph(error) => return error.clone().into(),
            DirectoryError::NoUser { answer, .. } | DirectoryError::NoSite { answer, .. } => {
                failure.status = answer.status();
                failure.request_id = answer.request_id().map(str::to_owned);
            }
            _ => {}
        }
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<crate::backup::BackupError> for Failure {
    fn from(error: crate::backup::BackupError) -> Self {
        use crate::backup::BackupError;
        let hint = error.hint();
        let mut failure = match error {
            BackupError::Graph(error) | BackupError::Change(ChangeError::Graph(error)) => {
                Self::from(error)
            }
            BackupError::Directory(error) => return error.into(),
            BackupError::Change(error) => change_failure(&error),
            error => {
                let exit = match &error {
                    BackupError::ForeignArtifacts { .. } | BackupError::UntoldArtifacts { .. } => {
                        Exit::Unknown
                    }
                    _ => Exit::Unstarted,
                };
                Self::new(error.code().to_owned(), error.to_string()).exit(exit)
            }
        };
        if let Some(hint) = hint {
            failure = failure.hint(hint);
        }
        failure
    }
}

pub(crate) fn change_failure(error: &ChangeError) -> Failure {
    match error {
        ChangeError::Graph(error) => GraphError::clone(error).into(),
        // The stop flag is set: the engine ends the script whatever it catches.
        ChangeError::Stopped(_) => Failure::stopped(),
        ChangeError::Unknown { .. } => error.fault().map_or_else(Failure::stopped, Failure::from),
    }
}
