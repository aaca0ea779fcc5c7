//! Browse sessions: made, found, listed. What they show is read by [`crate::script::api::browse`].

use rhai::{Dynamic, ImmutableString, Map, NativeCallContext};

use super::words::doc;
use crate::backup::Workload;
use crate::script::api::browse::{object, sessions};
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Object, Stream};
use crate::script::words;

const CREATE: &str = "Opens a restore point, so that its files can be looked at. Takes a while: `.wait()`. The session expires \
by itself after some days.

- `point`: a restore point with the tag `fastRestore`: `latest_point(item, #{tags: \"fastRestore\"})`.
- Options: `version`.
- Throws `NotFastRestore` before anything is sent.
- Policy class: draft. Graph: POST {browse}. Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
let point = {w}::latest_point({someone}, #{tags: \"fastRestore\"});
let browse = {w}::create_browse_session(point).wait();
for item in browse.items() { print(`${item.type} ${item.name}`); }
```";

const ONE: &str = "A browse session by its id.

- Options: `version`.
- Policy class: read. Graph: GET {browse}/{id}. Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
for session in {w}::browse_sessions() { print({w}::browse_session(session.id).status); }
```";

const ALL: &str = "The browse sessions of the workload, whoever made them.

- Options: `version`.
- Policy class: read. Graph: GET {browse}. Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
for session in {w}::browse_sessions() { print(`${session.status} until ${session.expirationDateTime}`); }
```";

pub(super) fn register(library: &mut Library, workload: &'static Workload) {
    library.function(
        workload.name,
        "create_browse_session",
        &["point: restore point", "-> browse session"],
        doc(workload, CREATE),
        move |ctx: NativeCallContext, point: Dynamic| create(&ctx, workload, &point, Map::new()),
    );
    library.function(
        workload.name,
        "create_browse_session",
        &["point: restore point", "options: map", "-> browse session"],
        "",
        move |ctx: NativeCallContext, point: Dynamic, options: Map| {
            create(&ctx, workload, &point, options)
        },
    );
    library.function(
        workload.name,
        "browse_session",
        &["id: text", "-> browse session"],
        doc(workload, ONE),
        move |ctx: NativeCallContext, id: ImmutableString| get(&ctx, workload, &id, Map::new()),
    );
    library.function(
        workload.name,
        "browse_session",
        &["id: text", "options: map", "-> browse session"],
        "",
        move |ctx: NativeCallContext, id: ImmutableString, options: Map| {
            get(&ctx, workload, &id, options)
        },
    );
    library.function(
        workload.name,
        "browse_sessions",
        &["-> stream of browse session"],
        doc(workload, ALL),
        move |ctx: NativeCallContext| -> Raised<Stream> {
            sessions(&ctx, Some(workload), Map::new())
        },
    );
    library.function(
        workload.name,
        "browse_sessions",
        &["options: map", "-> stream of browse session"],
        "",
        move |ctx: NativeCallContext, options: Map| sessions(&ctx, Some(workload), options),
    );
}

fn create(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    point: &Dynamic,
    options: Map,
) -> Raised<Object> {
    let options = OptionMap::read(options, &["version"]).raise(ctx)?;
    let version = options.version().raise(ctx)?;
    let host = Host::of(ctx);
    let point = restore_point(point).raise(ctx)?;
    let made = host.tenant.backup.create_browse(workload, &point, version);
    let browse = host.finish(made).raise(ctx)?;
    Ok(object(browse))
}

/// A restore point, or a row that has one.
fn restore_point(given: &Dynamic) -> Result<crate::graph::Json, Failure> {
    if let Some(point) = given.read_lock::<Object>()
        && (point.kind().root() == "restorePoint" || point.kind().is_untyped())
    {
        return Ok(point.json());
    }
    let of_row = given
        .read_lock::<Map>()
        .and_then(|row| row.get("point").cloned());
    if let Some(point) = of_row {
        return restore_point(&point);
    }
    if given.is_unit() {
        let failure = Failure::new("NoPoint", "there is no restore point to open: this is `()`");
        return Err(failure.hint("`latest_point` gives `()` where there is none"));
    }
    let given = words::article(words::kind(given));
    Err(Failure::new(
        "WrongType",
        format!("a restore point is needed here; this is {given}"),
    ))
}

fn get(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    id: &str,
    options: Map,
) -> Raised<Object> {
    let options = OptionMap::read(options, &["version"]).raise(ctx)?;
    let version = options.version().raise(ctx)?;
    let host = Host::of(ctx);
    let found = host.tenant.backup.browse(workload, id, version);
    Ok(object(host.block(found).raise(ctx)?))
}
