//! The `sessions::` namespace: restore sessions of all workloads, whoever made them.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString, Map, NativeCallContext};

use super::session::object;
use super::tenant::stream;
use crate::backup::{EXCHANGE, Workload, workload_of};
use crate::graph::Json;
use crate::script::failure::{Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Object, Stream};

pub(crate) fn register(library: &mut Library) {
    library.function(
        "sessions",
        "list",
        &["-> stream of session"],
        "The restore sessions of all workloads together, whoever made them.\n\n- Options: `status` (one or several states), `after` (created at or after this datetime), `version`.\n- Policy class: read. Graph: GET restoreSessions. Permission: BackupRestore-Restore.Read.All.\n\n```rhai\nfor session in sessions::list(#{status: [\"activating\", \"active\"]}) { print(session.id); }\n```",
        |ctx: NativeCallContext| sessions(&ctx, None, Map::new()),
    );
    library.function(
        "sessions",
        "list",
        &["options: map", "-> stream of session"],
        "",
        |ctx: NativeCallContext, options: Map| sessions(&ctx, None, options),
    );
    library.function(
        "sessions",
        "get",
        &["id: text", "-> session"],
        "One restore session of any workload by its id.\n\n- Options: `version`.\n- Throws Graph's `RestoreSessionNotFound`.\n- Policy class: read. Graph: GET restoreSessions/{id}. Permission: BackupRestore-Restore.Read.All.\n\n```rhai\nprint(sessions::get(\"959ba739-70b5-43c4-8c90-b2c22014f18b\").status);\n```",
        |ctx: NativeCallContext, id: ImmutableString| -> Raised<Object> {
            let host = Host::of(&ctx);
            let session = host.block(host.tenant.backup.session(&id, None)).raise(&ctx)?;
            Ok(object(Arc::new(session)))
        },
    );
    library.function(
        "sessions",
        "get",
        &["id: text", "options: map", "-> session"],
        "",
        |ctx: NativeCallContext, id: ImmutableString, options: Map| -> Raised<Object> {
            let host = Host::of(&ctx);
            let options = OptionMap::read(options, &["version"]).raise(&ctx)?;
            let version = options.version().raise(&ctx)?;
            let session = host
                .block(host.tenant.backup.session(&id, version))
                .raise(&ctx)?;
            Ok(object(Arc::new(session)))
        },
    );
}

/// The sessions of one workload or of all, as a stream.
pub(super) fn sessions(
    ctx: &NativeCallContext,
    workload: Option<&'static Workload>,
    options: Map,
) -> Raised<Stream> {
    let options = OptionMap::read(options, &["status", "after", "version"]).raise(ctx)?;
    let status = options.texts("status").raise(ctx)?;
    let after = options.datetime("after").raise(ctx)?.map(|after| after.0);
    let version = options.version().raise(ctx)?;
    let open = move |host: &Host| Ok(vec![host.tenant.backup.sessions(workload, version)]);
    let session = move |host: &Host, json: Json| {
        // No filter is documented: it is done here.
        if let Some(wanted) = &status
            && !json
                .string("status")
                .is_some_and(|status| wanted.contains(&status))
        {
            return None;
        }
        let created = || crate::instant::parse(&json.string("createdDateTime")?);
        if after.is_some_and(|after| created().is_none_or(|created| created < after)) {
            return None;
        }
        let workload = workload.or_else(|| workload_of(&json)).unwrap_or(&EXCHANGE);
        Some(Dynamic::from(object(Arc::new(
            host.tenant.backup.known_session(workload, version, json),
        ))))
    };
    Ok(stream(&Host::of(ctx), "sessions", open, session).at(ctx.call_position()))
}
