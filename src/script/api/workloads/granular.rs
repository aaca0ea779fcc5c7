//! Sessions for single files or messages, and the search for messages.

use std::sync::Arc;

use rhai::{Dynamic, Map, NativeCallContext};

use super::words::{doc, words};
use crate::backup::{
    BackupError, Destination, Hits, ItemQuery, Manner, Prefer, UNANSWERED, Workload,
};
use crate::graph::Json;
use crate::script::api::session::granular::add_items;
use crate::script::api::session::{destination, object};
use crate::script::convert;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Columns, Kind, Object, Source, Stream};

const FILES: &str = "A draft that brings back single files and folders. Its first 50 go with the first request, the rest is \
filled in; more than 1,000 make several parts. Where there is nothing, nothing is sent. The service puts what it restores \
into one new folder a session.

- `items`: what `.items()` or `.find()` of a browse session gave, a list or a stream; or maps `#{browseSessionId, itemKey}`.
- Options: `conflict` (`\"fail\"`, `\"replace\"`, `\"rename\"`: what becomes of a file that is there already) and \
`destination` (`\"new\"`, `\"inPlace\"`), both in beta only; `version`.
- Throws `OnlyInBeta` for beta's options on v1.0, before anything is sent.
- Policy class: draft. Graph: POST {sessions}, PATCH {sessions}/{id}. Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
let point = {w}::latest_point({someone}, #{tags: \"fastRestore\"});
let browse = {w}::create_browse_session(point).wait();
let session = {w}::create_granular_session(browse.find(\"*.docx\"));
session.activate().wait();
table(session.granular_artifacts(), [\"name\", \"status\"]);
```";

const MESSAGES: &str = "A draft that brings back the messages that a search has found. Where it has found nothing, nothing \
is sent.

- `search`: what `search_items` gave.
- Options: `destination` (`\"new\"`, else `\"inPlace\"`), `version`.
- Throws `WrongType` for what is no search, `OnlyInBeta`.
- Policy class: draft. Graph: POST {sessions}, PATCH {sessions}/{id}. Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
let search = exchange::search_items({someone}, #{query: \"subject -contains 'budget'\"});
let session = exchange::create_granular_session(search);
session.activate().wait();
```";

const SEARCH: &str = "Searches the restore points of one mailbox for messages. Gives the point in which the query finds \
something, the newest unless told: `artifactHitCount` (how many messages), `restorePoint`, and the columns `searchResponseId`, \
`query`, `item`, `name`, `unit`, `code`, `reason`. Where the service will not say whether it finds anything, one hit without a point comes, with the `code` `SearchUnanswered`: a session skips it.

- Options: `query` (needed: `(subject -contains 'a') -or (sender -eq 'x@contoso.com')`, also with `recipient` and \
`hasAttachment -eq true`; in beta also a map `#{subjects, senders, recipients, hasAttachment, items}`), `after`, `before` \
(strict), `prefer` (`\"latest\"`, `\"oldest\"`), `limit` (how many points, 1 unless told; the service gives five at most), \
`version`.
- Throws as `unit`; `OnlyInBeta`.
- Policy class: read. Graph: POST restorePoints/search. Permission: BackupRestore-Search.Read.All.

```rhai
for hit in exchange::search_items({someone}, #{query: \"hasAttachment -eq true\", after: now() - duration(\"30d\")}) {
    print(`${hit.artifactHitCount} messages at ${hit.restorePoint.protectionDateTime}`);
}
```";

pub(super) fn register(library: &mut Library, workload: &'static Workload) {
    let (items, help) = if workload.browse.is_some() {
        ("items: list of file or folder", FILES)
    } else {
        ("search: list of message hits", MESSAGES)
    };
    library.function(
        workload.name,
        "create_granular_session",
        &[items, "-> session"],
        doc(workload, help),
        move |ctx: NativeCallContext, items: Dynamic| create(&ctx, workload, &items, Map::new()),
    );
    library.function(
        workload.name,
        "create_granular_session",
        &[items, "options: map", "-> session"],
        "",
        move |ctx: NativeCallContext, items: Dynamic, options: Map| {
            create(&ctx, workload, &items, options)
        },
    );
    if workload.browse.is_none() {
        library.function(
            workload.name,
            "search_items",
            &[
                &words(workload, "item: unit, {item}"),
                "options: map",
                "-> stream of message hits",
            ],
            doc(workload, SEARCH),
            move |ctx: NativeCallContext, item: Dynamic, options: Map| {
                search(&ctx, workload, item, options)
            },
        );
    }
}

fn create(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    items: &Dynamic,
    options: Map,
) -> Raised<Object> {
    let host = Host::of(ctx);
    let files = workload.browse.is_some();
    let allowed: &[&str] = if files {
        &["conflict", "destination", "version"]
    } else {
        &["destination", "version"]
    };
    let options = OptionMap::read(options, allowed).raise(ctx)?;
    let version = options.version().raise(ctx)?;
    let conflict = options
        .choice("conflict", &["fail", "replace", "rename"])
        .raise(ctx)?;
    let to = options.text("destination").raise(ctx)?;
    let mut to = to.map(|to| destination(&to)).transpose().raise(ctx)?;
    let backup = &host.tenant.backup;
    if files && !backup.is_beta(version) {
        let asked = [
            ("conflict", conflict.is_some()),
            ("destination", to.is_some()),
        ];
        if let Some((name, _)) = asked.into_iter().find(|(_, given)| *given) {
            let what = format!("option `{name}` of `create_granular_session`");
            return Err(Failure::from(BackupError::OnlyInBeta { what }).raise(ctx));
        }
    }
    if !files {
        to = to.or(Some(Destination::New));
    }
    let manner = Manner {
        granular: true,
        conflict,
        version,
    };
    let session = Arc::new(backup.unsent_session(workload, 1000, manner));
    add_items(&host, &session, items, to).raise(ctx)?;
    Ok(object(session))
}

fn search(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    item: Dynamic,
    options: Map,
) -> Raised<Stream> {
    let allowed = ["query", "after", "before", "prefer", "limit", "version"];
    let options = OptionMap::read(options, &allowed).raise(ctx)?;
    let query = query(&options).raise(ctx)?;
    let limit = options.count("limit").raise(ctx)?.unwrap_or(1);
    let host = Host::of(ctx);
    let unit = super::units::find(&host, workload, item.clone()).raise(ctx)?;
    let open = move || -> Box<dyn Source> {
        Box::new(Searched {
            host: host.clone(),
            workload,
            item: item.clone(),
            unit: unit.clone(),
            query: query.clone(),
            left: limit,
            found: None,
        })
    };
    Ok(Stream::new("message hits", open).at(ctx.call_position()))
}

fn query(options: &OptionMap) -> Result<ItemQuery, Failure> {
    let given = options.value("query").ok_or_else(|| {
        Failure::new("BadOption", "a search needs `query`")
            .hint("write `#{query: \"subject -contains 'budget'\"}`")
    })?;
    let structured = given.is_map();
    let (expression, structured) = if structured {
        let known = [
            "subjects",
            "senders",
            "recipients",
            "hasAttachment",
            "items",
        ];
        let map = options.map("query")?.unwrap_or_default();
        OptionMap::read(map, &known)?;
        (None, Some(convert::to_json(given)?))
    } else {
        (options.text("query")?, None)
    };
    Ok(ItemQuery {
        expression,
        structured,
        after: options.datetime("after")?.map(|time| time.0),
        before: options.datetime("before")?.map(|time| time.0),
        prefer: match options.choice("prefer", &["latest", "oldest"])?.as_deref() {
            Some("oldest") => Prefer::Oldest,
            _ => Prefer::Latest,
        },
        version: options.version()?,
    })
}

/// One reading of a search: it is sent with the first look.
struct Searched {
    host: Arc<Host>,
    workload: &'static Workload,
    item: Dynamic,
    unit: Json,
    query: ItemQuery,
    left: usize,
    /// A hit without a point: the service would not say.
    found: Option<std::vec::IntoIter<Option<Hits>>>,
}

impl Source for Searched {
    fn next(&mut self) -> Option<Result<Dynamic, Failure>> {
        self.left = self.left.checked_sub(1)?;
        let backup = &self.host.tenant.backup;
        let unit = self.unit.string("id").unwrap_or_default();
        let found = match &mut self.found {
            Some(found) => found,
            none => match self.host.block(backup.search_items(&unit, &self.query)) {
                Ok(Some(hits)) => {
                    none.insert(hits.into_iter().map(Some).collect::<Vec<_>>().into_iter())
                }
                Ok(None) => none.insert(vec![None].into_iter()),
                Err(failure) => return Some(Err(failure)),
            },
        };
        let hits = found.next()?;
        let own = Object::exact(Kind::of(self.workload.unit_type), self.unit.clone());
        let columns = Columns::new()
            .with("query", self.query.words())
            .with("item", self.item.clone())
            .with("name", backup.name_of_unit(&unit))
            .with("unit", Dynamic::from(own));
        let (json, columns) = if let Some(hits) = hits {
            let columns = columns.with("searchResponseId", hits.search);
            (hits.json, columns.with("code", ()).with("reason", ()))
        } else {
            let columns = columns.with("searchResponseId", ());
            let reason = "the service would not say whether it finds anything";
            let columns = columns.with("code", UNANSWERED).with("reason", reason);
            (Json::of(&serde_json::json!({})), columns)
        };
        let object = Object::exact(Kind::of("restorePointSearchResult"), json);
        Some(Ok(Dynamic::from(object.with_columns(columns))))
    }
}
