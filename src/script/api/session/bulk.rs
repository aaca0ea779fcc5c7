//! Bulk requests of a session: people or sites by the thousand, whose points the service looks for.

use std::collections::HashSet;
use std::sync::Arc;

use rhai::{Array, Dynamic, Map, NativeCallContext};

use super::behind;
use crate::backup::books::Asked;
use crate::backup::{BulkOrder, Destination, Input, Prefer, Recipient, Session, Workload};
use crate::graph::Json;
use crate::script::api::objects::items;
use crate::script::api::tenant::{Origin, wanted};
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Columns, Datetime, Kind, List, Live, Object};

#[allow(clippy::too_many_lines)] // a table, or one story
pub(super) fn register(library: &mut Library) {
    library.method(
        "session",
        "add_bulk",
        &["request: map", "-> bulk request"],
        "Puts a bulk request into an empty draft: one list of people or sites, one window, one destination. The service \
looks for their points itself, once the session is activated. Functions of the session work on what this returns.

- `request`: a map of these options.
- Options: `mailboxes`, `drives` (addresses of the owners) or `siteWebUrls`, whichever the workload has (needed; up to \
10,000 addresses or URLs, users or sites), `window: #{after, before}` in which points are looked for (`before` is strict; \
without a window the newest point is taken), `prefer` (`\"latest\"`, `\"oldest\"`), `tags` (`\"fastRestore\"`), `destination` \
(`\"new\"`, else `\"inPlace\"`), `displayName` (what the request is called).
- An address that comes twice is sent once. Somebody without an address is booked as skipped, `NoAddress`.
- Throws before anything is sent: `NotEmpty`, `HasBulkRequest`, `BulkRestoreRestorationResourcesCountExceedsLimit`, \
`BulkRestoreInvalidCreateRequestUserEmail`, `BulkRestoreInvalidCreateRequestSiteUrl`.
- Policy class: draft. Graph: POST exchangeRestoreSessions/{id}/mailboxRestoreArtifactsBulkAdditionRequests. \
Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
let session = exchange::create_session();
session.add_bulk(#{
    displayName: \"Finance\",
    mailboxes: groups::members(\"Finance\"),
    window: #{before: now() - duration(\"36h\")},
    destination: \"new\",
});
session.activate();
```",
        |ctx: NativeCallContext, session: &mut Object, request: Map| -> Raised<Object> {
            let own = behind(session).raise(&ctx)?;
            add(&Host::of(&ctx), own, request).raise(&ctx)
        },
    );
    library.method(
        "session",
        "bulk_requests",
        &["-> array of bulk request"],
        "The bulk requests of the session as the service has them now. The service does not give the inputs back: `inputs` \
is our own copy, empty for a request of somebody else.

- Throws what the service says.
- Policy class: read. Graph: GET exchangeRestoreSessions/{id}/mailboxRestoreArtifactsBulkAdditionRequests. Permission: \
BackupRestore-Restore.Read.All.

```rhai
for request in session.bulk_requests() { print(`${request.status}: ${request.inputs.len()} inputs`); }
```",
        |ctx: NativeCallContext, session: &mut Object| -> Raised<Array> {
            let own = behind(session).raise(&ctx)?;
            let requests = Host::of(&ctx).block(own.bulk_requests()).raise(&ctx)?;
            let kind = Kind::of(own.workload.bulk_type);
            let object = |(json, inputs): (Json, Vec<String>)| {
                let columns = Columns::new().with("inputs", texts(inputs));
                Dynamic::from(Object::exact(kind, json).with_columns(columns))
            };
            Ok(requests.into_iter().map(object).collect())
        },
    );
    library.method(
        "session",
        "remove_bulk",
        &["request: bulk request or id", "-> session"],
        "Deletes a bulk request; the service allows that once it has resolved its inputs. Asks for consent. What was found \
by it goes on being restored.

- Throws Graph's `InvalidStateForBulkRequestDeletion`, `BulkRestoreArtifactsNotFound`.
- Policy class: delete. Graph: DELETE exchangeRestoreSessions/{id}/mailboxRestoreArtifactsBulkAdditionRequests/{id}. \
Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
for request in session.bulk_requests() { session.remove_bulk(request); }
```",
        |ctx: NativeCallContext, session: &mut Object, request: Dynamic| -> Raised<Object> {
            let own = behind(session).raise(&ctx)?;
            let id = match request.read_lock::<Object>() {
                Some(object) => object.id(),
                None => request
                    .as_immutable_string_ref()
                    .ok()
                    .map(|id| id.to_string()),
            };
            let id = id
                .ok_or_else(|| {
                    Failure::new("WrongType", "a bulk request is needed here, or its id")
                })
                .raise(&ctx)?;
            Host::of(&ctx).finish(own.remove_bulk(&id)).raise(&ctx)?;
            Ok(session.clone())
        },
    );
    library.method(
        "session",
        "unresolved",
        &["-> array of row"],
        "The inputs of its bulk request that stand for nothing the service can restore, as rows `#{item, name, unit, \
point, code, reason}`. They are in the books as skipped, with the service's code. Waits until the service has looked at all \
inputs, which it does once the session is activated.

- Throws `NotActivated`.
- Policy class: read. Graph: GET exchangeRestoreSessions/{id}/mailboxRestoreArtifactsBulkAdditionRequests/{id}. \
Permission: BackupRestore-Restore.Read.All.

```rhai
table(session.unresolved(), [\"name\", \"code\", \"reason\"]);
```",
        |ctx: NativeCallContext, session: &mut Object| -> Raised<Array> {
            let host = Host::of(&ctx);
            let own = behind(session).raise(&ctx)?;
            let lost = host.block(own.unresolved()).raise(&ctx)?;
            let row = |lost: crate::backup::Lost| {
                let origin = host.tenant.origins.of(&lost.input.to_lowercase());
                let item = origin.map(|origin| origin.item);
                let item = item.filter(|item| !item.is_unit());
                Dynamic::from(Map::from([
                    ("item".into(), item.unwrap_or_else(|| lost.input.into())),
                    ("name".into(), lost.name.into()),
                    ("unit".into(), Dynamic::UNIT),
                    ("point".into(), Dynamic::UNIT),
                    ("code".into(), lost.code.into()),
                    ("reason".into(), lost.reason.into()),
                ]))
            };
            Ok(lost.into_iter().map(row).collect())
        },
    );
}

fn texts(texts: Vec<String>) -> Dynamic {
    Dynamic::from(List::new(texts.into_iter().map(Dynamic::from).collect()))
}

/// What `add_bulk` returns: the request, which stands for its session too.
pub(in crate::script) struct Added {
    pub(in crate::script) session: Arc<Session>,
    json: Json,
    inputs: Vec<String>,
}

impl Live for Added {
    fn json(&self) -> Json {
        self.json.clone()
    }

    fn property(self: Arc<Self>, name: &str) -> Option<Dynamic> {
        match name {
            "session" => Some(Dynamic::from(super::object(self.session.clone()))),
            "inputs" => Some(texts(self.inputs.clone())),
            _ => None,
        }
    }

    fn names(&self) -> &'static [&'static str] {
        &["inputs", "session"]
    }
}

fn add(host: &Host, session: Arc<Session>, request: Map) -> Result<Object, Failure> {
    let workload = session.workload;
    let mut allowed = vec!["displayName", workload.inputs];
    allowed.extend(ORDER);
    let options = OptionMap::read(request, &allowed)?;
    let name = options.text("displayName")?;
    let Some(given) = options.value(workload.inputs) else {
        let failure = Failure::new(
            "BadOption",
            format!(
                "a bulk request of {} needs `{}`",
                workload.nouns, workload.inputs
            ),
        );
        return Err(failure.hint(format!("write `#{{{}: […], …}}`", workload.inputs)));
    };
    let destination = destination(&options)?;
    let inputs = inputs(host, workload, given, destination, true)?;
    let texts = inputs.iter().map(|input| input.text.clone()).collect();
    let order = order(&options, name, destination, inputs)?;
    let json = host.finish(session.add_bulk(order))?;
    let added = Added {
        session,
        json,
        inputs: texts,
    };
    Ok(Object::live(Kind::of(workload.bulk_type), Arc::new(added)))
}

/// The options that every bulk restore has.
pub(in crate::script::api) const ORDER: [&str; 4] = ["window", "prefer", "tags", "destination"];

pub(in crate::script::api) fn destination(options: &OptionMap) -> Result<Destination, Failure> {
    match options.text("destination")? {
        Some(text) => super::destination(&text),
        None => Ok(Destination::New),
    }
}

pub(in crate::script::api) fn order(
    options: &OptionMap,
    name: Option<String>,
    destination: Destination,
    inputs: Vec<Input>,
) -> Result<BulkOrder, Failure> {
    let window = OptionMap::read(
        options.map("window")?.unwrap_or_default(),
        &["after", "before"],
    )?;
    let instant = |time: Option<Datetime>| time.map(|time| time.0);
    let prefer = match options.choice("prefer", &["latest", "oldest"])?.as_deref() {
        Some("oldest") => Prefer::Oldest,
        _ => Prefer::Latest,
    };
    let (after, before) = (
        instant(window.datetime("after")?),
        instant(window.datetime("before")?),
    );
    if let (Some(after), Some(before)) = (after, before)
        && after >= before
    {
        let failure = Failure::new("BadOption", "option `window` ends before it begins");
        return Err(failure.hint("`after` is the earlier instant"));
    }
    Ok(BulkOrder {
        are_taken: false,
        name,
        after,
        before,
        prefer,
        tags: options.text("tags")?,
        destination,
        inputs,
    })
}

/// The inputs for these items, each once; books them. Who has no address is booked as skipped, and, where `strict`, a text
/// that is no address is an error: somebody wrote it where only addresses may stand.
pub(in crate::script::api) fn inputs(
    host: &Host,
    workload: &'static Workload,
    given: &Dynamic,
    destination: Destination,
    strict: bool,
) -> Result<Vec<Input>, Failure> {
    let mut things = Vec::new();
    let mut subjects = Vec::new();
    for item in items(given)? {
        let (item, wanted) = wanted(item?)?;
        if wanted.before.is_some() {
            let failure = Failure::new(
                "BadOption",
                "a bulk restore has one window for all its items",
            );
            return Err(failure.hint(
                "give the instant as `window: #{before: …}`; `points_before` takes an instant for each item",
            ));
        }
        things.push(item);
        subjects.push(wanted.subject);
    }
    let backup = &host.tenant.backup;
    let recipients = host.block(backup.recipients(workload, subjects))?;
    let mut seen = HashSet::new();
    let mut inputs = Vec::with_capacity(recipients.len());
    let mut restored = 0;
    for (item, recipient) in things.into_iter().zip(recipients) {
        let Some(input) = booked(host, workload, destination, strict, item, recipient)? else {
            continue;
        };
        if !seen.insert(input.item) {
            continue;
        }
        if backup.books().taken(input.item, "") {
            restored += 1;
            continue;
        }
        inputs.push(input);
    }
    if restored > 0 {
        let count = workload.count(restored);
        host.talk.note(&format!(
            "left out {count}: restored by another session of this run"
        ));
    }
    Ok(inputs)
}

fn booked(
    host: &Host,
    workload: &'static Workload,
    destination: Destination,
    strict: bool,
    item: Dynamic,
    recipient: Recipient,
) -> Result<Option<Input>, Failure> {
    let books = host.tenant.backup.books();
    let asked = Asked {
        workload: workload.name,
        name: recipient.name.clone(),
        destination: Some(destination.name().into()),
        ..Asked::default()
    };
    let text = match recipient.input {
        Ok(text) => text,
        Err((code, reason)) if strict && code.starts_with("BulkRestore") => {
            return Err(Failure::new(code, reason));
        }
        Err((code, reason)) => {
            let asked = Asked {
                unit: recipient.unit.or(recipient.owner),
                ..asked
            };
            books.skip(asked, Some(code.to_owned()), Some(reason), false);
            return Ok(None);
        }
    };
    let origin = Origin {
        item,
        name: recipient.name,
        unit: Dynamic::UNIT,
    };
    host.tenant.origins.keep(&text.to_lowercase(), origin);
    let backup = &host.tenant.backup;
    let id = backup.bulk_item(workload, recipient.owner.as_deref(), destination, || {
        books.ask(Asked {
            input: Some(text.clone()),
            ..asked
        })
    });
    books.learn(id, recipient.unit, None);
    Ok(Some(Input {
        item: id,
        text,
        owner: recipient.owner,
    }))
}
