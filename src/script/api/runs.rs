//! The `runs::` namespace: earlier runs of the same state folder.

use std::sync::Arc;

use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext};
use serde_json::json;

use crate::backup::Workload;
use crate::backup::books::Item;
use crate::graph::Json;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::values::{Kind, Object};

pub(crate) fn register(library: &mut Library) {
    library.function(
        "runs",
        "failed",
        &["run: text", "-> array of rows"],
        "What failed in an earlier run of this state folder, as rows for `create_session`: `#{item, name, unit, point, code, reason, workload}`.\n\n- `run`: its name, as its last line and `runback runs` tell it; the last six letters are enough.\n- `code` and `reason` say why it failed; `point` is `()` where the service had chosen none. Single files and messages are left out, and counted in a note: they are no units.\n- Recorded: a run that goes on sees the same rows again.\n- Throws `NoSuchRun`.\n- Policy class: none.\n\n```rhai\nfor row in runs::failed(args.run) { print(`${row.name}: ${row.code}`); }\n```",
        |ctx: NativeCallContext, run: ImmutableString| -> Raised<Array> {
            let host = Host::of(&ctx);
            failed(&host, &run).raise(&ctx)
        },
    );
}

fn failed(host: &Arc<Host>, run: &str) -> Result<Array, Failure> {
    let (items, pieces) = (host.failed)(run).map_err(|fault| {
        let failure = Failure::new(&fault.code, fault.message);
        fault.hints.into_iter().fold(failure, Failure::hint)
    })?;
    if pieces > 0 {
        host.talk.note(&format!(
            "{pieces} single files or messages of run `{run}` failed too; a granular session brings them back"
        ));
    }
    Ok(items.iter().map(row).collect())
}

fn row(item: &Item) -> Dynamic {
    let workload = Workload::named(&item.workload);
    let unit = workload.zip(item.unit.as_deref()).map(|(workload, id)| {
        let kind = format!("#microsoft.graph.{}", workload.unit_type);
        (workload, json!({ "@odata.type": kind, "id": id }))
    });
    let point = item.point.as_ref().map(|point| {
        let unit = unit.as_ref().map(|(_, unit)| unit);
        let point = json!({
            "id": point.id,
            "protectionDateTime": point.protection_date_time,
            "protectionUnit": unit,
        });
        Object::exact(Kind::of("restorePoint"), Json::of(&point))
    });
    let text = |text: Option<&String>| text.map_or(Dynamic::UNIT, Into::into);
    // What the earlier script gave is not kept: whatever finds the same person or site again.
    let item_text = item
        .input
        .as_ref()
        .or(item.unit.as_ref())
        .unwrap_or(&item.name);
    let mut row = Map::new();
    row.insert("item".into(), item_text.into());
    row.insert("name".into(), (&item.name).into());
    row.insert(
        "unit".into(),
        unit.as_ref().map_or(Dynamic::UNIT, |(workload, unit)| {
            Dynamic::from(Object::exact(Kind::of(workload.unit_type), Json::of(unit)))
        }),
    );
    row.insert("point".into(), point.map_or(Dynamic::UNIT, Dynamic::from));
    row.insert("code".into(), text(item.code.as_ref()));
    row.insert("reason".into(), text(item.reason.as_ref()));
    row.insert("workload".into(), (&item.workload).into());
    row.into()
}
