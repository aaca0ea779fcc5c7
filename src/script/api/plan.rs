//! What only the runbook of `runback apply` calls: rows of a plan, as maps with the plan's own names.

use std::sync::Arc;

use rhai::{Array, Dynamic, FuncRegistration, Map, NativeCallContext};

use super::session::{behind, object};
use crate::backup::books::{Asked, ItemPoint};
use crate::backup::{Chosen, Recheck, Session, Workload};
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::values::{Kind, Object};

pub(crate) fn register(library: &mut Library) {
    // Searches the points of these rows again; each comes back with `found`, or with `code` and `reason`.
    library.learning(
        "plan_searched_again",
        |ctx: NativeCallContext, rows: Array| -> Raised<Array> {
            search(&Host::of(&ctx), rows).raise(&ctx)
        },
    );
    // Books a row as skipped, as it stands in the plan.
    library.hidden(
        FuncRegistration::new("plan_skipped"),
        |ctx: NativeCallContext, row: Map| -> Raised<()> {
            skip(&Host::of(&ctx), &row).raise(&ctx)
        },
    );
    // Several sessions of one workload as one, so that consent is asked for once.
    library.hidden(
        FuncRegistration::new("plan_together"),
        |ctx: NativeCallContext, sessions: Array| -> Raised<Object> {
            together(&sessions).raise(&ctx)
        },
    );
}

fn text(row: &Map, name: &str) -> Option<String> {
    row.get(name)?.clone().into_string().ok()
}

fn search(host: &Host, rows: Array) -> Result<Array, Failure> {
    let mut maps: Vec<Map> = rows.into_iter().filter_map(Dynamic::try_cast).collect();
    let chosen: Vec<Chosen> = maps
        .iter()
        .map(|row| Chosen {
            unit: text(row, "unit").unwrap_or_default(),
            point: text(row, "point").unwrap_or_default(),
            taken: text(row, "protectionDateTime").unwrap_or_default(),
        })
        .collect();
    let answers = host.block(host.tenant.backup.recheck(&chosen))?;
    for (row, answer) in maps.iter_mut().zip(answers) {
        let mut refuse = |code: &str, reason: String| {
            row.insert("code".into(), code.into());
            row.insert("reason".into(), reason.into());
        };
        match answer {
            Recheck::Same(point) => {
                let point = Object::exact(Kind::of("restorePoint"), point);
                row.insert("found".into(), Dynamic::from(point));
            }
            Recheck::Changed(why) => refuse("Changed", why),
            Recheck::Unclear(why) => refuse("CannotVerify", why),
        }
    }
    Ok(maps.into_iter().map(Dynamic::from).collect())
}

fn skip(host: &Host, row: &Map) -> Result<(), Failure> {
    let name = text(row, "workload").unwrap_or_default();
    let workload = Workload::named(&name)
        .ok_or_else(|| Failure::new("BadArgument", format!("there is no workload `{name}`")))?;
    let asked = Asked {
        workload: workload.name,
        unit: text(row, "unit"),
        name: text(row, "name").unwrap_or_default(),
        point: text(row, "point").map(|id| ItemPoint {
            id,
            protection_date_time: text(row, "protectionDateTime"),
        }),
        destination: text(row, "destination").map(Into::into),
        input: text(row, "input"),
    };
    let expected = row
        .get("expected")
        .is_some_and(|value| value.as_bool() == Ok(true));
    let reason = text(row, "reason").or_else(|| Some("the plan skips it".to_owned()));
    host.tenant
        .backup
        .books()
        .skip(asked, text(row, "code"), reason, expected);
    Ok(())
}

fn together(sessions: &Array) -> Result<Object, Failure> {
    let sessions: Vec<Arc<Session>> = sessions
        .iter()
        .map(|session| match session.read_lock::<Object>() {
            Some(session) => behind(&session),
            None => Err(Failure::new("WrongType", "sessions are needed here")),
        })
        .collect::<Result<_, _>>()?;
    let all = Session::together(&sessions);
    let all = all.ok_or_else(|| {
        Failure::new(
            "BadArgument",
            "there is no session, or they are of several workloads",
        )
    })?;
    Ok(object(Arc::new(all)))
}
