//! `restore_bulk`: thousands of people or sites in one call.

use std::sync::Arc;

use rhai::{Dynamic, Map, NativeCallContext};

use super::words::{doc, words};
use crate::backup::{Manner, Workload};
use crate::script::api::session::{bulk, object};
use crate::script::failure::{Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::Object;

const DOC: &str = "Restores thousands of {nouns} with one list: makes an empty draft, puts a bulk request into it and \
activates it. The service looks for the points itself. More than 10,000 make several sessions, one after the other. Asks \
for consent, once, with the numbers.

- `items`: {items}, units, rows; a list or a stream. Who has no address is booked as skipped, `NoAddress`; who is there \
twice, or is in another bulk restore of this run, is sent once. Whom somebody else restores at this moment, and whom the same \
order with the same `before` has restored, is left out; sessions of rows of this run are not compared, since the service \
chooses the points.
- Options: `window: #{after, before}` in which points are looked for (`before` is strict; without a window the newest point \
is taken), `prefer` (`\"latest\"`, `\"oldest\"`), `tags` (`\"fastRestore\"`), `destination` (`\"new\"`, else \
`\"inPlace\"`), `name` (what the request is called), `version`.
- How many inputs of a bulk request are restored at once is not documented: one bulk restore of {nouns} runs at a time.
- Throws as `activate`.
- Policy class: activate. Graph: POST {sessions}, POST {sessions}/{id}/{bulk}, POST restoreSessions/{id}/activate. \
Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
let session = {w}::restore_bulk({many}, #{
    window: #{before: now() - duration(\"36h\")},
    destination: \"new\",
});
session.wait();
table(session.unresolved(), [\"name\", \"code\"]);
```";

pub(super) fn register(library: &mut Library, workload: &'static Workload) {
    library.function(
        workload.name,
        "restore_bulk",
        &[
            &words(workload, "items: list of {items}"),
            "options: map",
            "-> session",
        ],
        doc(workload, DOC),
        move |ctx: NativeCallContext, items: Dynamic, options: Map| -> Raised<Object> {
            restore(&ctx, workload, &items, options)
        },
    );
    library.function(
        workload.name,
        "restore_bulk",
        &[&words(workload, "items: list of {items}"), "-> session"],
        "",
        move |ctx: NativeCallContext, items: Dynamic| -> Raised<Object> {
            restore(&ctx, workload, &items, Map::new())
        },
    );
}

fn restore(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    items: &Dynamic,
    options: Map,
) -> Raised<Object> {
    let host = Host::of(ctx);
    let mut allowed = vec!["name", "version"];
    allowed.extend(bulk::ORDER);
    let options = OptionMap::read(options, &allowed).raise(ctx)?;
    let manner = Manner {
        version: options.version().raise(ctx)?,
        ..Manner::default()
    };
    let name = options.text("name").raise(ctx)?;
    let destination = bulk::destination(&options).raise(ctx)?;
    // Options are looked at before anybody is looked up.
    bulk::order(&options, None, destination, Vec::new()).raise(ctx)?;
    let inputs = bulk::inputs(&host, workload, items, destination, false).raise(ctx)?;
    let order = bulk::order(&options, name, destination, inputs).raise(ctx)?;
    let session = host.tenant.backup.unsent_session(workload, 1000, manner);
    let session = Arc::new(session);
    host.finish(session.restore_bulk(order)).raise(ctx)?;
    Ok(object(session))
}
