//! Making and finding sessions of a workload.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString, Map, NativeCallContext};

use super::words::doc;
use crate::backup::{Manner, Workload};
use crate::script::api::session::placing::add_rows;
use crate::script::api::session::{destination, object};
use crate::script::api::sessions::sessions;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::Object;

pub(super) fn register(library: &mut Library, workload: &'static Workload) {
    library.function(
        workload.name,
        "create_session",
        &["-> session"],
        doc(workload, "An empty draft, to be filled with `add` or `add_bulk`.\n\n- Options: `version`.\n- Policy class: draft. Graph: POST {sessions}. Permission: BackupRestore-Restore.ReadWrite.All.\n\n```rhai\nlet session = {w}::create_session();\nsession.add({w}::latest_point({someone}), \"new\");\n```"),
        move |ctx: NativeCallContext| empty(&ctx, workload, Map::new()),
    );
    library.function(
        workload.name,
        "create_session",
        &["options: map", "-> session"],
        "",
        move |ctx: NativeCallContext, options: Map| empty(&ctx, workload, options),
    );
    library.function(
        workload.name,
        "create_session",
        &["rows: list", "destination: text", "-> session"],
        doc(workload, "A draft with the points of these rows (or of restore points alone). Its first 50 artifacts go with the first request, the rest is filled in; more than 1,000 make several parts. Rows without a point are booked as skipped, with their code. Where no row has a point, nothing is sent.\n\n- `destination`: `\"new\"` (beside what is there) or `\"inPlace\"` (over it).\n- Options: `session_size` (most artifacts of a part, 1 to 1000), `version`.\n- An artifact that the service does not take is booked as failed; the others go on.\n- Policy class: draft. Graph: POST and PATCH {sessions}. Permission: BackupRestore-Restore.ReadWrite.All.\n\n```rhai\nlet rows = {w}::latest_points({many});\nlet session = {w}::create_session(rows, \"new\");\nprint(session.count);\n```"),
        move |ctx: NativeCallContext, rows: &mut Dynamic, to: ImmutableString| create(&ctx, workload, rows, &to, OptionMap::none()),
    );
    library.function(
        workload.name,
        "create_session",
        &[
            "rows: list",
            "destination: text",
            "options: map",
            "-> session",
        ],
        "",
        move |ctx: NativeCallContext, rows: &mut Dynamic, to: ImmutableString, options: Map| {
            let options = OptionMap::read(options, &["session_size", "version"]).raise(&ctx)?;
            create(&ctx, workload, rows, &to, options)
        },
    );
    library.function(
        workload.name,
        "sessions",
        &["-> stream of session"],
        doc(workload, "The restore sessions of the workload, whoever made them.\n\n- Options: `status` (one or several states), `after` (created at or after this datetime), `version`.\n- Policy class: read. Graph: GET {sessions}. Permission: BackupRestore-Restore.Read.All.\n\n```rhai\nfor session in {w}::sessions(#{status: \"active\"}) { print(session.id); }\n```"),
        move |ctx: NativeCallContext| sessions(&ctx, Some(workload), Map::new()),
    );
    library.function(
        workload.name,
        "sessions",
        &["options: map", "-> stream of session"],
        "",
        move |ctx: NativeCallContext, options: Map| sessions(&ctx, Some(workload), options),
    );
    library.function(
        workload.name,
        "session",
        &["id: text", "-> session"],
        doc(workload, "One restore session by its id.\n\n- Options: `version`.\n- Throws Graph's `RestoreSessionNotFound`.\n- Policy class: read. Graph: GET restoreSessions/{id}. Permission: BackupRestore-Restore.Read.All.\n\n```rhai\nlet session = {w}::session(\"959ba739-70b5-43c4-8c90-b2c22014f18b\");\n```"),
        move |ctx: NativeCallContext, id: ImmutableString| get(&ctx, workload, &id, Map::new()),
    );
    library.function(
        workload.name,
        "session",
        &["id: text", "options: map", "-> session"],
        "",
        move |ctx: NativeCallContext, id: ImmutableString, options: Map| {
            get(&ctx, workload, &id, options)
        },
    );
}

fn empty(ctx: &NativeCallContext, workload: &'static Workload, options: Map) -> Raised<Object> {
    let host = Host::of(ctx);
    let options = OptionMap::read(options, &["version"]).raise(ctx)?;
    let manner = Manner {
        version: options.version().raise(ctx)?,
        ..Manner::default()
    };
    let made = host.tenant.backup.create_session(workload, manner);
    let session = host.finish(made).raise(ctx)?;
    Ok(object(Arc::new(session)))
}

fn get(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    id: &str,
    options: Map,
) -> Raised<Object> {
    let host = Host::of(ctx);
    let options = OptionMap::read(options, &["version"]).raise(ctx)?;
    let version = options.version().raise(ctx)?;
    let session = host
        .block(host.tenant.backup.session(id, version))
        .raise(ctx)?;
    if session.workload != workload {
        let (other, own) = (session.workload.nouns, workload.nouns);
        let text = format!("session `{id}` restores {other}, not {own}");
        let failure = Failure::new("WrongWorkload", text);
        return Err(failure.hint("`sessions::get(id)` takes any").raise(ctx));
    }
    Ok(object(Arc::new(session)))
}

fn create(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    rows: &Dynamic,
    to: &str,
    options: OptionMap,
) -> Raised<Object> {
    let host = Host::of(ctx);
    let to = destination(to).raise(ctx)?;
    let size = options.count("session_size").raise(ctx)?.unwrap_or(1000);
    if size > 1000 {
        return Err(
            Failure::new("BadOption", "option `session_size` must be 1 to 1000").raise(ctx),
        );
    }
    let manner = Manner {
        version: options.version().raise(ctx)?,
        ..Manner::default()
    };
    let session = Arc::new(host.tenant.backup.unsent_session(workload, size, manner));
    add_rows(&host, &session, rows, to).raise(ctx)?;
    Ok(object(session))
}
