//! What a script does with a session.

pub(in crate::script) mod bulk;
pub(super) mod granular;
pub(super) mod placing;

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString, NativeCallContext};

use crate::backup::{BackupError, Browse, Destination, Session};
use crate::changes::origin;
use crate::graph::Json;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::values::{Duration, Kind, List, Live, Object, Stream};
use crate::script::words;

pub(crate) fn register(library: &mut Library) {
    editing(library);
    running(library);
    bulk::register(library);
    granular::register(library);
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
            takes_points(&own).raise(&ctx)?;
            let request = placing::request(&host, &own, &point, to).raise(&ctx)?;
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
            takes_points(&own).raise(&ctx)?;
            placing::add_rows(&Host::of(&ctx), &own, &rows, to).raise(&ctx)?;
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
        |ctx: NativeCallContext, session: &mut Object| refresh(&ctx, session),
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
            Ok(placing::artifacts(&ctx, own))
        },
    );
}

/// A session as a script holds it.
pub(in crate::script) fn object(session: Arc<Session>) -> Object {
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

/// Single files and messages have sessions of their own.
fn takes_points(session: &Session) -> Result<(), Failure> {
    if !session.is_granular() {
        return Ok(());
    }
    Err(BackupError::OtherKind {
        session: session.id().unwrap_or_default(),
        takes: session.workload.pieces[1],
        given: "whole restore points",
    }
    .into())
}

/// The session behind an object of a script. A bulk request stands for the session that it is in.
pub(super) fn behind(object: &Object) -> Result<Arc<Session>, Failure> {
    if let Some(request) = object.behind::<bulk::Added>() {
        return Ok(request.session.clone());
    }
    object.behind::<Session>().ok_or_else(|| {
        let given = words::article(object.kind().words());
        let failure = Failure::new(
            "WrongType",
            format!("this is a function of sessions, and this is {given}"),
        );
        failure.hint("`sessions::get(id)` gives a session that can be worked with")
    })
}

pub(super) fn destination(text: &str) -> Result<Destination, Failure> {
    let parsed: Result<Destination, BackupError> = text.parse();
    parsed.map_err(Into::into)
}

pub(super) fn wait(
    ctx: &NativeCallContext,
    session: &mut Object,
    timeout: Option<Duration>,
) -> Raised<Object> {
    let host = Host::of(ctx);
    if let Some(browse) = session.behind::<Browse>() {
        let what = format!("browse session `{}`", browse.id);
        within(&host, browse.wait(), timeout, what).raise(ctx)?;
    } else {
        let own = behind(session).raise(ctx)?;
        let what = format!("session `{}`", own.id().unwrap_or_default());
        within(&host, own.wait(), timeout, what).raise(ctx)?;
    }
    Ok(session.clone())
}

/// Waits no longer than the timeout, where there is one.
fn within(
    host: &Host,
    waiting: impl Future<Output = Result<(), BackupError>>,
    timeout: Option<Duration>,
    what: String,
) -> Result<(), Failure> {
    let Some(timeout) = timeout else {
        return host.block(waiting);
    };
    let late = || BackupError::Timeout {
        what: what.clone(),
        limit: timeout.to_string(),
    };
    let ledger = host.tenant.door.ledger();
    let mark = origin::current().mark();
    if ledger.fact::<()>("timeout", &mark).is_some() {
        return Err(late().into());
    }
    let limit = std::time::Duration::try_from(timeout.0).unwrap_or_default();
    host.block(async {
        tokio::select! {
            biased;
            ended = waiting => ended,
            () = host.world.clock.sleep(limit) => {
                ledger.keep("timeout", &mark, &());
                Err(late())
            }
        }
    })
}

pub(super) fn refresh(ctx: &NativeCallContext, session: &mut Object) -> Raised<Object> {
    let host = Host::of(ctx);
    if let Some(browse) = session.behind::<Browse>() {
        host.block(browse.refresh()).raise(ctx)?;
    } else {
        let own = behind(session).raise(ctx)?;
        host.block(own.refresh()).raise(ctx)?;
    }
    Ok(session.clone())
}
