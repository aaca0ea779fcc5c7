//! Single files and messages in a session of their own.

use std::sync::Arc;

use rhai::{Dynamic, Map, NativeCallContext};

use super::behind;
use crate::backup::books::{Asked, ItemPoint};
use crate::backup::{BackupError, Destination, Request, Session, Thing, Workload, unit_of};
use crate::graph::Json;
use crate::script::api::objects::items;
use crate::script::api::tenant::{Origin, stream};
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::values::{Kind, Object, Stream};
use crate::script::words;

pub(super) fn register(library: &mut Library) {
    library.method(
        "session",
        "add_granular",
        &["items: list of file or message hits", "-> session"],
        "Adds files, folders or message hits to a draft that `create_granular_session` made, 50 in one request. What the \
service does not take is booked as failed.

- `items`: what `.items()`, `.find()` or `search_items` gave.
- Throws `OtherKind` on a session for whole restore points.
- Policy class: draft. Graph: PATCH oneDriveForBusinessRestoreSessions/{id}. Permission: \
BackupRestore-Restore.ReadWrite.All.

```rhai
let session = onedrive::create_granular_session(browse.find(\"*.docx\"));
session.add_granular(browse.find(\"*.xlsx\", #{limit: 100}));
```",
        |ctx: NativeCallContext, session: &mut Object, items: Dynamic| -> Raised<Object> {
            let own = behind(session).raise(&ctx)?;
            add_items(&Host::of(&ctx), &own, &items, None).raise(&ctx)?;
            Ok(session.clone())
        },
    );
    library.method(
        "session",
        "granular_artifacts",
        &["-> stream of artifact"],
        "The artifacts of a session for single files or messages, with the columns `item`, `name` (of a file its path) and \
`unit`.

- Throws `RestoreSessionNotFound`.
- Policy class: read. Graph: GET oneDriveForBusinessRestoreSessions/{id}/granularDriveRestoreArtifacts. Permission: \
BackupRestore-Restore.ReadWrite.All.

```rhai
table(session.granular_artifacts(), [\"name\", \"status\", \"restoredItemPath\"]);
```",
        |ctx: NativeCallContext, session: &mut Object| -> Raised<Stream> {
            let own = behind(session).raise(&ctx)?;
            Ok(artifacts(&ctx, own))
        },
    );
}

fn artifacts(ctx: &NativeCallContext, session: Arc<Session>) -> Stream {
    let host = Host::of(ctx);
    let kind = Kind::of(session.workload.granular_type);
    let open = move |_: &Host| Ok(session.granular_pages());
    let artifact = move |host: &Host, json: Json| {
        let text = |name: &str| json.string(name).unwrap_or_default();
        let keys = [text("id"), text("searchResponseId")];
        let mut known = keys
            .iter()
            .filter_map(|key| host.tenant.origins.of(&key.to_lowercase()));
        let origin = known.next().unwrap_or_default();
        let object = Object::exact(kind, json);
        Some(Dynamic::from(object.with_columns(origin.columns())))
    };
    stream(&host, "artifacts", open, artifact).at(ctx.call_position())
}

/// Books items and adds them. A stream is read to its end first.
pub(in crate::script::api) fn add_items(
    host: &Host,
    session: &Arc<Session>,
    given: &Dynamic,
    destination: Option<Destination>,
) -> Result<(), Failure> {
    if !session.is_granular() {
        return Err(BackupError::OtherKind {
            session: session.id().unwrap_or_default(),
            takes: "whole restore points",
            given: session.workload.pieces[1],
        }
        .into());
    }
    let destination = destination.or_else(|| session.held_destination());
    // One alone is as good as a list of one.
    let alone = given.is::<Object>();
    let mut requests = Vec::new();
    if alone {
        requests.extend(request(host, session.workload, given, destination)?);
    } else {
        for item in items(given)? {
            requests.extend(request(host, session.workload, &item?, destination)?);
        }
    }
    host.finish(session.add(requests))?;
    Ok(())
}

/// Nothing for what is skipped.
fn request(
    host: &Host,
    workload: &'static Workload,
    item: &Dynamic,
    destination: Option<Destination>,
) -> Result<Option<Request>, Failure> {
    if workload.browse.is_none() {
        return hits(host, workload, item, destination);
    }
    let wrong = || {
        let given = words::article(words::kind(item));
        Failure::new(
            "WrongType",
            format!("{given} cannot be put into a session for files"),
        )
        .hint("give what `.items()` or `.find()` of a browse session gave, or `#{browseSessionId, itemKey}`")
    };
    let text = |name: &str| -> Option<String> {
        if let Some(object) = item.read_lock::<Object>() {
            let column = object.columns().and_then(|columns| columns.get(name));
            return match column {
                Some(value) => value.clone().into_string().ok(),
                None => object.string(name),
            };
        }
        let map = item.read_lock::<Map>()?;
        map.get(name)?.clone().into_string().ok()
    };
    let (Some(browse), Some(key)) = (text("browseSessionId"), text("itemKey")) else {
        return Err(wrong());
    };
    let backup = &host.tenant.backup;
    let shown = backup.browse_by_id(&browse);
    let shown = shown.map(|browse| host.block(browse.shown())).transpose()?;
    let shown = shown.unwrap_or_default();
    let name = text("path").or_else(|| text("name"));
    let name = name.unwrap_or_else(|| key.clone());
    let origin = Origin {
        item: item.clone(),
        name: name.clone(),
        unit: Dynamic::UNIT,
    };
    host.tenant.origins.keep(&key.to_lowercase(), origin);
    let id = backup.books().ask(Asked {
        workload: workload.name,
        unit: shown.unit,
        name: name.clone(),
        point: shown.point,
        destination: destination.map(|to| to.name().into()),
        input: Some(key.clone()),
    });
    Ok(Some(Request {
        item: id,
        thing: Thing::Piece {
            browse: browse.into(),
            key,
        },
        destination,
        name,
    }))
}

/// What a search of a mailbox has found in one point.
fn hits(
    host: &Host,
    workload: &'static Workload,
    item: &Dynamic,
    destination: Option<Destination>,
) -> Result<Option<Request>, Failure> {
    let wrong = || {
        let given = words::article(words::kind(item));
        let failure = Failure::new(
            "WrongType",
            format!("{given} cannot be put into a session for messages"),
        );
        failure.hint("give what `exchange::search_items(…)` gave")
    };
    let object = item.read_lock::<Object>().ok_or_else(wrong)?;
    let columns = object.columns().ok_or_else(wrong)?;
    let text = |name: &str| columns.get(name)?.clone().into_string().ok();
    if let (Some(code), Some(query)) = (text("code"), text("query")) {
        let unit = columns.get("unit").and_then(|unit| {
            let unit = unit.read_lock::<Object>()?;
            unit.json().string("id")
        });
        let asked = Asked {
            workload: workload.name,
            name: text("name").or_else(|| unit.clone()).unwrap_or_default(),
            unit,
            destination: destination.map(|to| to.name().into()),
            input: Some(query),
            ..Asked::default()
        };
        let books = host.tenant.backup.books();
        books.skip(asked, Some(code), text("reason"), false);
        return Ok(None);
    }
    let point = object.json().property("restorePoint").ok_or_else(wrong)?;
    let (Some(search), Some(query)) = (text("searchResponseId"), text("query")) else {
        return Err(wrong());
    };
    let id = point
        .string("id")
        .ok_or_else(|| Failure::new("InvalidRestorePoint", "this restore point has no id"))?;
    let unit = unit_of(&point);
    let name = text("name").or_else(|| unit.clone()).unwrap_or_default();
    let origin = Origin {
        item: columns.get("item").cloned().unwrap_or_default(),
        name: name.clone(),
        unit: columns.get("unit").cloned().unwrap_or_default(),
    };
    host.tenant.origins.keep(&search.to_lowercase(), origin);
    let booked = host.tenant.backup.books().ask(Asked {
        workload: workload.name,
        unit,
        name: name.clone(),
        point: Some(ItemPoint {
            id: id.clone(),
            protection_date_time: point.string("protectionDateTime"),
        }),
        destination: destination.map(|to| to.name().into()),
        input: Some(query),
    });
    Ok(Some(Request {
        item: booked,
        thing: Thing::Hits { search, point: id },
        destination,
        name,
    }))
}
