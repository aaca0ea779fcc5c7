//! What a script does with a session, and the `sessions::` namespace.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString, Map, NativeCallContext};

use super::objects::items;
use super::tenant::{Origin, stream};
use crate::backup::books::{Asked, ItemPoint};
use crate::backup::{
    Artifact, BackupError, Destination, EXCHANGE, Request, Session, Workload, unit_of, workload_of,
};
use crate::graph::Json;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Columns, Duration, Kind, List, Live, Object, Stream};
use crate::script::words;

pub(crate) fn register(library: &mut Library) {
    namespace(library);
    editing(library);
    running(library);
}

fn namespace(library: &mut Library) {
    library.function(
        "sessions",
        "list",
        &["-> stream of session"],
        "The restore sessions of all workloads together, whoever made them.\n\n- Options: `status` (one or several states), `after` (created at or after this datetime).\n- Throws nothing of its own.\n- Policy class: read. Graph: GET restoreSessions. Permission: BackupRestore-Restore.Read.All.\n\n```rhai\nfor session in sessions::list(#{status: [\"activating\", \"active\"]}) { print(session.id); }\n```",
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
        "One restore session of any workload by its id.\n\n- Throws Graph's `RestoreSessionNotFound`.\n- Policy class: read. Graph: GET restoreSessions/{id}. Permission: BackupRestore-Restore.Read.All.\n\n```rhai\nprint(sessions::get(id).status);\n```",
        |ctx: NativeCallContext, id: ImmutableString| -> Raised<Object> {
            let host = Host::of(&ctx);
            let session = host.block(host.tenant.backup.session(&id)).raise(&ctx)?;
            Ok(object(Arc::new(session)))
        },
    );
}

fn editing(library: &mut Library) {
    library.method(
        "session",
        "add",
        &["point: restore point", "destination: text", "-> session"],
        "Adds one artifact to a draft. Calls from `parallel` go together, 50 in one request.\n\n- Throws what the service says of the artifact; `DifferentRestoreDestinationType` where the session has another destination.\n- Policy class: draft. Graph: PATCH exchangeRestoreSessions/{id}. Permission: BackupRestore-Restore.ReadWrite.All.\n\n```rhai\nsession.add(exchange::latest_point(\"rania.shah@contoso.example\"), \"new\");\n```",
        |ctx: NativeCallContext, session: &mut Object, point: Dynamic, to: ImmutableString| -> Raised<Object> {
            let host = Host::of(&ctx);
            let own = behind(session).raise(&ctx)?;
            let to = destination(&to).raise(&ctx)?;
            if point.is_unit() {
                let failure = Failure::new("NoPoint", "there is no restore point to add: this is `()`");
                return Err(failure.hint("look at `row.code`, or add rows with `add_all`, which books them as skipped").raise(&ctx));
            }
            let request = request(&host, &own, &point, to).raise(&ctx)?;
            let Some(request) = request else { return Ok(session.clone()) };
            let refused = host.finish(own.add(vec![request])).raise(&ctx)?;
            match refused.into_iter().next() {
                Some(item) => Err(Failure::from(BackupError::ItemRefused {
                    name: item.name,
                    code: item.code,
                    message: item.message,
                })
                .raise(&ctx)),
                None => Ok(session.clone()),
            }
        },
    );
    library.method(
        "session",
        "add_all",
        &["rows: list", "destination: text", "-> session"],
        "Adds the points of rows, 50 in one request. Rows without a point are booked as skipped, artifacts that the service does not take as failed.\n\n- Throws `WrongType` for what is no row, `NotDraft`, `DifferentRestoreDestinationType` where the session has another destination.\n- Policy class: draft. Graph: PATCH exchangeRestoreSessions/{id}. Permission: BackupRestore-Restore.ReadWrite.All.\n\n```rhai\nsession.add_all(exchange::latest_points(groups::members(\"Finance\")), \"new\");\n```",
        |ctx: NativeCallContext, session: &mut Object, rows: Dynamic, to: ImmutableString| -> Raised<Object> {
            let own = behind(session).raise(&ctx)?;
            let to = destination(&to).raise(&ctx)?;
            add_rows(&Host::of(&ctx), &own, &rows, to).raise(&ctx)?;
            Ok(session.clone())
        },
    );
    library.method(
        "session",
        "remove",
        &["artifact: artifact or id", "-> session"],
        "Removes an artifact from a draft. Asks for consent.\n\n- Throws `ArtifactNotFound`; Graph's `RestoreSessionActionNotAllowed` where the session is no draft any more.\n- Policy class: delete. Graph: PATCH exchangeRestoreSessions/{id}. Permission: BackupRestore-Restore.ReadWrite.All.\n\n```rhai\nfor artifact in session.artifacts() { session.remove(artifact); }\n```",
        |ctx: NativeCallContext, session: &mut Object, artifact: Dynamic| -> Raised<Object> {
            let host = Host::of(&ctx);
            let own = behind(session).raise(&ctx)?;
            let id = match artifact.read_lock::<Object>() {
                Some(object) => object.id(),
                None => artifact.as_immutable_string_ref().ok().map(|id| id.to_string()),
            };
            let id = id
                .ok_or_else(|| Failure::new("WrongType", "an artifact is needed here, or its id"))
                .raise(&ctx)?;
            host.finish(host.tenant.backup.remove_artifact(&own, &id)).raise(&ctx)?;
            Ok(session.clone())
        },
    );
    library.method(
        "session",
        "delete",
        &[],
        "Deletes a draft. Asks for consent; its items are booked as withdrawn.\n\n- Throws Graph's `RestoreSessionActionNotAllowed` where the session is no draft any more.\n- Policy class: delete. Graph: DELETE restoreSessions/{id}. Permission: BackupRestore-Restore.ReadWrite.All.\n\n```rhai\nsession.delete();\n```",
        |ctx: NativeCallContext, session: &mut Object| -> Raised<()> {
            let own = behind(session).raise(&ctx)?;
            Host::of(&ctx).finish(own.delete()).raise(&ctx)
        },
    );
}

fn running(library: &mut Library) {
    library.method(
        "session",
        "activate",
        &["-> session"],
        "Verifies what is in the draft and activates it; of several parts, each as soon as the service has room (25 active sessions, 1,000 artifacts in flight). Returns when every part is activated. Asks for consent, once, with the numbers. Where there is nothing to activate, nothing is sent.\n\n- Throws `NotDraft`, `ForeignArtifacts` (somebody else put something into the draft), `ServiceLocked`.\n- Policy class: activate. Graph: POST restoreSessions/{id}/activate. Permission: BackupRestore-Restore.ReadWrite.All.\n\n```rhai\nsession.activate();\n```",
        |ctx: NativeCallContext, session: &mut Object| -> Raised<Object> {
            let own = behind(session).raise(&ctx)?;
            Host::of(&ctx).finish(own.activate()).raise(&ctx)?;
            Ok(session.clone())
        },
    );
    library.method(
        "session",
        "refresh",
        &["-> session"],
        "Reads its state anew and returns it.\n\n- Throws `SessionGone`.\n- Policy class: read. Graph: GET restoreSessions/{id}. Permission: BackupRestore-Restore.Read.All.\n\n```rhai\nprint(session.refresh().status);\n```",
        |ctx: NativeCallContext, session: &mut Object| -> Raised<Object> {
            let own = behind(session).raise(&ctx)?;
            Host::of(&ctx).block(own.refresh()).raise(&ctx)?;
            Ok(session.clone())
        },
    );
    library.method(
        "session",
        "wait",
        &["-> session"],
        "Waits until the session has ended and returns it.\n\n- `timeout`: give up after this long; the session itself goes on.\n- Throws `Timeout`, `NotActivated`, `SessionGone`. A session that ends with failures does not throw: look at its artifacts.\n- Policy class: read. Graph: GET restoreSessions/{id}. Permission: BackupRestore-Restore.Read.All.\n\n```rhai\nsession.activate();\nsession.wait(duration(\"8h\"));\ntable(session.artifacts(), [\"name\", \"status\"]);\n```",
        |ctx: NativeCallContext, session: &mut Object| wait(&ctx, session, None),
    );
    library.method(
        "session",
        "wait",
        &["timeout: duration", "-> session"],
        "",
        |ctx: NativeCallContext, session: &mut Object, timeout: Duration| {
            wait(&ctx, session, Some(timeout))
        },
    );
    library.method(
        "session",
        "artifacts",
        &["-> stream of artifact"],
        "Its artifacts, of all parts, with the columns `item`, `name` and `unit` of the rows they came from.\n\n- Throws `SessionGone`, `RestoreSessionNotFound`.\n- Policy class: read. Graph: GET exchangeRestoreSessions/{id}/mailboxRestoreArtifacts. Permission: BackupRestore-Restore.Read.All.\n\n```rhai\ntable(session.artifacts(), [\"name\", \"status\", \"restoredFolderName\"]);\n```",
        |ctx: NativeCallContext, session: &mut Object| -> Raised<Stream> {
            let own = behind(session).raise(&ctx)?;
            Ok(artifacts(&ctx, own))
        },
    );
}

/// A session as a script holds it.
pub(super) fn object(session: Arc<Session>) -> Object {
    Object::live(Kind::of(session.workload.session_type), session)
}

impl Live for Session {
    fn json(&self) -> Json {
        Self::json(self).unwrap_or_else(|| Json::of(&serde_json::json!({"status": "draft"})))
    }

    fn property(self: Arc<Self>, name: &str) -> Option<Dynamic> {
        match name {
            "parts" => {
                let parts = self
                    .parts()
                    .into_iter()
                    .map(|part| Dynamic::from(object(Arc::new(self.of_part(part)))));
                Some(Dynamic::from(List::new(parts.collect())))
            }
            "status" => Some(self.status().into()),
            "count" => i64::try_from(self.count()).ok().map(Dynamic::from),
            "workload" => Some(self.workload.name.into()),
            _ => None,
        }
    }

    fn names(&self) -> &'static [&'static str] {
        &["count", "parts", "status", "workload"]
    }
}

/// The session behind an object of a script.
fn behind(object: &Object) -> Result<Arc<Session>, Failure> {
    object.behind::<Session>().ok_or_else(|| {
        let given = words::article(object.kind().words());
        let failure = Failure::new(
            "WrongType",
            format!("this is a function of sessions, and this is {given}"),
        );
        failure.hint("`sessions::get(id)` gives a session that can be worked with")
    })
}

/// The sessions of one workload or of all, as a stream.
pub(super) fn sessions(
    ctx: &NativeCallContext,
    workload: Option<&'static Workload>,
    options: Map,
) -> Raised<Stream> {
    let options = OptionMap::read(options, &["status", "after"]).raise(ctx)?;
    let status = options.texts("status").raise(ctx)?;
    let after = options.datetime("after").raise(ctx)?.map(|after| after.0);
    let open = move |host: &Host| Ok(vec![host.tenant.backup.sessions(workload)]);
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
            host.tenant.backup.known_session(workload, json),
        ))))
    };
    Ok(stream(&Host::of(ctx), "sessions", open, session).at(ctx.call_position()))
}

pub(super) fn destination(text: &str) -> Result<Destination, Failure> {
    let parsed: Result<Destination, BackupError> = text.parse();
    parsed.map_err(Into::into)
}

/// Books rows and adds those that have a point. An array is read in place: a copy of 100,000 rows is 100 MB.
pub(super) fn add_rows(
    host: &Host,
    session: &Arc<Session>,
    rows: &Dynamic,
    to: Destination,
) -> Result<(), Failure> {
    let mut requests = Vec::new();
    if let Ok(rows) = rows.as_array_ref() {
        for row in rows.iter() {
            requests.extend(request(host, session, row, to)?);
        }
    } else {
        for row in items(rows)? {
            requests.extend(request(host, session, &row?, to)?);
        }
    }
    host.finish(session.add(requests))?;
    Ok(())
}

/// What to add for a row or a point; `None` for a row without one, which is booked as skipped.
fn request(
    host: &Host,
    session: &Session,
    value: &Dynamic,
    to: Destination,
) -> Result<Option<Request>, Failure> {
    let wrong = |given: &Dynamic| {
        let given = words::article(words::kind(given));
        Failure::new("WrongType", format!("{given} cannot be put into a session"))
            .hint("give rows of `points_before` or `latest_points`, or restore points")
    };
    let workload = session.workload;
    if let Some(point) = value.read_lock::<Object>() {
        let is_point = point.kind().root() == "restorePoint" || point.kind().is_untyped();
        if !is_point {
            return Err(wrong(value));
        }
        let point = point.json();
        let unit = unit_of(&point);
        let name = unit
            .as_deref()
            .map(|unit| host.tenant.backup.name_of_unit(unit));
        return placed(host, workload, &point, unit, name, Origin::default(), to).map(Some);
    }
    let Some(row) = value.read_lock::<Map>() else {
        return Err(wrong(value));
    };
    let field = |name: &str| row.get(name).filter(|value| !value.is_unit()).cloned();
    let text = |name: &str| field(name).and_then(|value| value.into_string().ok());
    let unit_object = field("unit");
    let unit = unit_object
        .as_ref()
        .and_then(|unit| unit.read_lock::<Object>().and_then(|unit| unit.id()));
    let item = field("item").unwrap_or(Dynamic::UNIT);
    let name = text("name")
        .or_else(|| unit.clone())
        .or_else(|| item.clone().into_string().ok());
    let Some(point) = field("point") else {
        if !row.contains_key("point") {
            return Err(wrong(value).hint("a row has `point`; where there is none it is `()`"));
        }
        let asked = Asked {
            workload: workload.name,
            unit,
            name: name.unwrap_or_default(),
            point: None,
            destination: Some(to.name().to_owned()),
        };
        let code = text("code").or_else(|| Some("NoPoint".to_owned()));
        host.tenant
            .backup
            .books()
            .skip(asked, code, text("reason"), false);
        return Ok(None);
    };
    let Some(point) = point.read_lock::<Object>().map(|point| point.json()) else {
        return Err(wrong(&point));
    };
    let unit = unit.or_else(|| unit_of(&point));
    let origin = Origin {
        item,
        name: name.clone().unwrap_or_default(),
        unit: unit_object.unwrap_or(Dynamic::UNIT),
    };
    placed(host, workload, &point, unit, name, origin, to).map(Some)
}

fn placed(
    host: &Host,
    workload: &'static Workload,
    point: &Json,
    unit: Option<String>,
    name: Option<String>,
    mut origin: Origin,
    to: Destination,
) -> Result<Request, Failure> {
    let id = point
        .string("id")
        .ok_or_else(|| Failure::new("InvalidRestorePoint", "this restore point has no id"))?;
    let name = name.or_else(|| unit.clone()).unwrap_or_else(|| id.clone());
    if origin.name.is_empty() {
        origin.name.clone_from(&name);
    }
    host.tenant.origins.keep(&id, origin);
    let item = host.tenant.backup.books().ask(Asked {
        workload: workload.name,
        unit,
        name: name.clone(),
        point: Some(ItemPoint {
            id: id.clone(),
            protection_date_time: point.string("protectionDateTime"),
        }),
        destination: Some(to.name().to_owned()),
    });
    Ok(Request {
        item,
        point: id,
        destination: to,
        name,
    })
}

fn wait(
    ctx: &NativeCallContext,
    session: &mut Object,
    timeout: Option<Duration>,
) -> Raised<Object> {
    let host = Host::of(ctx);
    let own = behind(session).raise(ctx)?;
    let Some(timeout) = timeout else {
        host.block(own.wait()).raise(ctx)?;
        return Ok(session.clone());
    };
    let limit = std::time::Duration::try_from(timeout.0).unwrap_or_default();
    let waited = host.block(async {
        tokio::select! {
            biased;
            ended = own.wait() => ended,
            () = host.world.clock.sleep(limit) => Err(BackupError::Timeout {
                what: format!("session `{}`", own.id().unwrap_or_default()),
                limit: timeout.to_string(),
            }),
        }
    });
    waited.raise(ctx)?;
    Ok(session.clone())
}

fn artifacts(ctx: &NativeCallContext, session: Arc<Session>) -> Stream {
    let host = Host::of(ctx);
    let kind = Kind::of(session.workload.artifact_type);
    let open = move |_: &Host| Ok(session.artifact_pages());
    let artifact = move |host: &Host, json: Json| {
        let artifact = Artifact::of(json.clone());
        let point = artifact.and_then(|artifact| artifact.point);
        let origin = point
            .and_then(|point| host.tenant.origins.of(&point))
            .unwrap_or_default();
        let name = if origin.name.is_empty() {
            Dynamic::UNIT
        } else {
            origin.name.into()
        };
        let columns = Columns::new()
            .with("item", origin.item)
            .with("name", name)
            .with("unit", origin.unit);
        Some(Dynamic::from(
            Object::exact(kind, json).with_columns(columns),
        ))
    };
    stream(&host, "artifacts", open, artifact).at(ctx.call_position())
}
