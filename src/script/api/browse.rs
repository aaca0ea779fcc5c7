//! What a script does with a browse session.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString, Map, NativeCallContext};

use super::session::{refresh, wait};
use super::tenant::stream;
use crate::backup::{BackupError, Browse, Found, Listing, Place, Walk, Workload, pattern};
use crate::graph::Json;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Columns, Duration, Kind, Live, Object, Source, Stream};
use crate::script::words;

const ITEMS: &str = "What is at a place of the restore point, page by page: sites, document libraries, folders, files. With the \
columns `path` (from the top, names joined by `/`) and `browseSessionId`.

- `path`: a path, case ignored, or a folder that `.items()` gave; without it the top, which holds the site itself. The name of \
the one site at the top may be left out: `\"Documents/Reports\"`.
- Waits until the session can be looked into.
- Throws `NoSuchPath`; the service's code where the session has failed.
- Policy class: read. Graph: POST oneDriveForBusinessBrowseSessions/{id}/browse. Permission: \
BackupRestore-Restore.ReadWrite.All.

```rhai
for item in browse.items(\"Documents\") { print(`${item.type} ${item.path} ${item.sizeInBytes}`); }
```";

const FIND: &str = "The files below a place whose names match, in all folders, as a stream: memory stays flat however large the \
tree is. Folders are read side by side, each page once; the files come in the order of the folders, those nearer to the top first.

- `pattern`: for the whole name, case ignored: `*.docx`, `budget 202?.*`, `*.{doc,docx}`.
- Options: `path` (where to begin, as `.items()` takes it), `limit` (most files).
- Throws as `.items()`; `BadPattern`.
- Policy class: read. Graph: POST oneDriveForBusinessBrowseSessions/{id}/browse. Permission: \
BackupRestore-Restore.ReadWrite.All.

```rhai
for file in browse.find(\"*.docx\", #{path: \"Documents\", limit: 100}) { print(file.path); }
```";

pub(crate) fn register(library: &mut Library) {
    library.method(
        "browse session",
        "wait",
        &["-> browse session"],
        "Waits until the session can be looked into and returns it.

- `timeout`: give up after this long.
- Throws `Timeout`; the service's code where the session has failed.
- Policy class: read. Graph: GET oneDriveForBusinessBrowseSessions/{id}. Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
browse.wait(duration(\"30m\"));
```",
        |ctx: NativeCallContext, browse: &mut Object| wait(&ctx, browse, None),
    );
    library.method(
        "browse session",
        "wait",
        &["timeout: duration", "-> browse session"],
        "",
        |ctx: NativeCallContext, browse: &mut Object, timeout: Duration| {
            wait(&ctx, browse, Some(timeout))
        },
    );
    library.method(
        "browse session",
        "refresh",
        &["-> browse session"],
        "Reads its state anew and returns it.

- Throws what the service says where it is gone.
- Policy class: read. Graph: GET oneDriveForBusinessBrowseSessions/{id}. Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
print(browse.refresh().status);
```",
        |ctx: NativeCallContext, browse: &mut Object| refresh(&ctx, browse),
    );
    library.method(
        "browse session",
        "items",
        &["-> stream of file or folder"],
        ITEMS,
        |ctx: NativeCallContext, browse: &mut Object| items(&ctx, browse, Ok(Place::top())),
    );
    library.method(
        "browse session",
        "items",
        &["path: text or folder", "-> stream of file or folder"],
        "",
        |ctx: NativeCallContext, browse: &mut Object, path: Dynamic| -> Raised<Stream> {
            let target = target(&path).raise(&ctx)?;
            items(&ctx, browse, target)
        },
    );
    library.method(
        "browse session",
        "find",
        &["pattern: text", "-> stream of file"],
        FIND,
        |ctx: NativeCallContext, browse: &mut Object, pattern: ImmutableString| {
            find(&ctx, browse, &pattern, Map::new())
        },
    );
    library.method(
        "browse session",
        "find",
        &["pattern: text", "options: map", "-> stream of file"],
        "",
        |ctx: NativeCallContext, browse: &mut Object, pattern: ImmutableString, options: Map| {
            find(&ctx, browse, &pattern, options)
        },
    );
}

/// A browse session as a script holds it.
pub(in crate::script) fn object(browse: Arc<Browse>) -> Object {
    let (_, kind) = browse.workload.browse.unwrap_or_default();
    Object::live(Kind::of(kind), browse)
}

impl Live for Browse {
    fn json(&self) -> Json {
        Self::json(self)
    }

    fn property(self: Arc<Self>, name: &str) -> Option<Dynamic> {
        (name == "workload").then(|| self.workload.name.into())
    }

    fn names(&self) -> &'static [&'static str] {
        &["workload"]
    }
}

/// The browse session behind an object of a script.
fn behind(object: &Object) -> Result<Arc<Browse>, Failure> {
    object.behind::<Browse>().ok_or_else(|| {
        let given = words::article(object.kind().words());
        let failure = Failure::new(
            "WrongType",
            format!("this is a function of browse sessions, and this is {given}"),
        );
        failure.hint("`create_browse_session(point)` makes one, `browse_session(id)` finds one")
    })
}

/// The browse sessions of one workload or of both, as a stream.
pub(super) fn sessions(
    ctx: &NativeCallContext,
    workload: Option<&'static Workload>,
    options: Map,
) -> Raised<Stream> {
    let options = OptionMap::read(options, &["version"]).raise(ctx)?;
    let version = options.version().raise(ctx)?;
    let open = move |host: &Host| Ok(vec![host.tenant.backup.browses(workload, version)]);
    let session = move |host: &Host, json: Json| {
        let named = || Workload::of_browse(&json.string("@odata.type")?);
        let Some(workload) = workload.or_else(named).or_else(|| by_owner(&json)) else {
            // Of a kind that is newer than this program.
            return Some(Dynamic::from(Object::new(
                Kind::of("browseSessionBase"),
                json,
            )));
        };
        let browse = host.tenant.backup.known_browse(workload, json, version);
        Some(Dynamic::from(object(browse)))
    };
    Ok(stream(&Host::of(ctx), "browse sessions", open, session).at(ctx.call_position()))
}

/// An answer without a type says by the owner what it is.
fn by_owner(json: &Json) -> Option<&'static Workload> {
    crate::backup::WORKLOADS
        .into_iter()
        .find(|workload| workload.browse.is_some() && json.property(workload.owner).is_some())
}

/// Where to look: a path, or a place that a script got from `.items()`.
fn target(path: &Dynamic) -> Result<Result<Place, String>, Failure> {
    if let Ok(path) = path.as_immutable_string_ref() {
        return Ok(Err(path.to_string()));
    }
    let item = path.read_lock::<Object>();
    let place = item.as_ref().and_then(|item| {
        let path = item.columns()?.get("path")?.clone().into_string().ok()?;
        Place::of(&item.json(), path)
    });
    place.map(Ok).ok_or_else(|| {
        let failure = Failure::new(
            "WrongType",
            "only a site, a library or a folder can be looked into",
        );
        failure.hint("give a path (`\"Documents/Reports\"`) or a folder that `.items()` gave")
    })
}

fn items(
    ctx: &NativeCallContext,
    browse: &Object,
    target: Result<Place, String>,
) -> Raised<Stream> {
    let host = Host::of(ctx);
    let browse = behind(browse).raise(ctx)?;
    let open = move || -> Box<dyn Source> {
        Box::new(Reading {
            host: host.clone(),
            id: browse.id.clone(),
            from: From::Place(Listing::new(browse.clone(), target.clone())),
        })
    };
    Ok(Stream::new("items", open).at(ctx.call_position()))
}

fn find(ctx: &NativeCallContext, browse: &Object, text: &str, options: Map) -> Raised<Stream> {
    let host = Host::of(ctx);
    let browse = behind(browse).raise(ctx)?;
    let options = OptionMap::read(options, &["path", "limit"]).raise(ctx)?;
    let limit = options.count("limit").raise(ctx)?;
    let place = match options.value("path") {
        Some(path) => target(path).raise(ctx)?,
        None => Ok(Place::top()),
    };
    let matcher = pattern(text)
        .map_err(|why| {
            Failure::new("BadPattern", format!("`{text}` is no pattern: {why}")).hint(
                "write `*.docx`, `budget*`, `*.{doc,docx}`; `#{path: \"…\"}` says where to look",
            )
        })
        .raise(ctx)?;
    let open = move || -> Box<dyn Source> {
        let walk = Walk::new(browse.clone(), place.clone(), matcher.clone(), limit);
        Box::new(Reading {
            host: host.clone(),
            id: browse.id.clone(),
            from: From::Tree(Box::new(walk)),
        })
    };
    Ok(Stream::new("files", open).at(ctx.call_position()))
}

/// One reading of a place or of a tree.
struct Reading {
    host: Arc<Host>,
    id: Arc<str>,
    from: From,
}

#[allow(clippy::large_enum_variant)] // one of them lives at a time
enum From {
    Place(Listing),
    Tree(Box<Walk>),
}

impl From {
    async fn next(&mut self) -> Result<Option<Found>, BackupError> {
        match self {
            Self::Place(listing) => listing.next().await,
            Self::Tree(walk) => walk.next().await,
        }
    }
}

impl Source for Reading {
    fn next(&mut self) -> Option<Result<Dynamic, Failure>> {
        let found = self.host.block(self.from.next()).transpose()?;
        Some(found.map(|found| {
            let columns = Columns::new()
                .with("path", found.path)
                .with("browseSessionId", self.id.to_string());
            let object = Object::exact(Kind::of("browseQueryResponseItem"), found.json);
            Dynamic::from(object.with_columns(columns))
        }))
    }
}
