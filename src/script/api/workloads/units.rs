//! Units of a workload, and who has none.

use rhai::{Dynamic, Map, NativeCallContext};

use crate::backup::{BackupError, PointChoice, Workload};
use crate::directory::ListOptions;
use crate::graph::{Json, Pages};
use crate::script::api::tenant::{plain, stream, wanted};
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Kind, Object, Source, Stream};

pub(super) fn register(library: &mut Library, workload: &'static Workload) {
    library.function(
        workload.name,
        "units",
        &["-> stream of unit"],
        "All protection units of the workload, page by page.\n\n- Options: `filter` (a `$filter`, sent as it is; the service documents none).\n- Throws what the service says of a `filter`.\n- Policy class: read. Graph: GET protectionUnits/microsoft.graph.mailboxProtectionUnit. Permission: BackupRestore-Configuration.Read.All.\n\n```rhai\nprint(exchange::units().count());\n```",
        move |ctx: NativeCallContext| list(&ctx, workload, None),
    );
    library.function(
        workload.name,
        "units",
        &["options: map", "-> stream of unit"],
        "",
        move |ctx: NativeCallContext, options: Map| {
            let options = OptionMap::read(options, &["filter"]).raise(&ctx)?;
            let filter = options.text("filter").raise(&ctx)?;
            Raised::Ok(list(&ctx, workload, filter))
        },
    );
    library.function(
        workload.name,
        "unit",
        &["item: user, address or id", "-> unit"],
        "The protection unit of one person.\n\n- Throws `UserNotFound`, `Ambiguous`, `NoUnit` (exists, was never protected).\n- Policy class: read. Graph: GET protectionUnits/microsoft.graph.mailboxProtectionUnit. Permission: BackupRestore-Configuration.Read.All.\n\n```rhai\nlet unit = exchange::unit(\"rania.shah@contoso.example\");\nprint(unit.status);\n```",
        move |ctx: NativeCallContext, item: Dynamic| -> Raised<Object> {
            let host = Host::of(&ctx);
            let unit = find(&host, workload, item).raise(&ctx)?;
            Ok(Object::exact(Kind::of(workload.unit_type), unit))
        },
    );
    library.function(
        workload.name,
        "coverage",
        &["-> stream of row"],
        "Every user joined with the unit and the newest restore point: `#{item, name, unit, point, code, reason}`.\n\n- Options: `filter` and `top` as `users::list` has them.\n- Throws what reading users, units and points throws.\n- Policy class: read. Graph: GET users, GET protectionUnits/microsoft.graph.mailboxProtectionUnit, POST restorePoints/search. Permissions: User.ReadBasic.All, BackupRestore-Configuration.Read.All, BackupRestore-Search.Read.All.\n\n```rhai\nfor row in exchange::coverage() {\n    if row.point == () { print(`${row.name}: ${row.code}`); }\n}\n```",
        move |ctx: NativeCallContext| coverage(&ctx, workload, OptionMap::none()),
    );
    library.function(
        workload.name,
        "coverage",
        &["options: map", "-> stream of row"],
        "",
        move |ctx: NativeCallContext, options: Map| {
            let options = OptionMap::read(options, &["filter", "top"]).raise(&ctx)?;
            coverage(&ctx, workload, options)
        },
    );
}

fn list(ctx: &NativeCallContext, workload: &'static Workload, filter: Option<String>) -> Stream {
    let open = move |host: &Host| Ok(vec![host.tenant.backup.units(workload, filter.as_deref())]);
    let kind = Kind::of(workload.unit_type);
    stream(&Host::of(ctx), "units", open, plain(kind)).at(ctx.call_position())
}

/// The unit that an item stands for.
pub(super) fn find(
    host: &Host,
    workload: &'static Workload,
    item: Dynamic,
) -> Result<Json, Failure> {
    let (_, wanted) = wanted(item)?;
    let row = host.block(host.tenant.backup.unit_row(workload, wanted.subject))?;
    match (row.unit, row.code) {
        (Some(unit), _) => Ok(unit),
        (None, Some(code)) if code != "NoUnit" => {
            Err(Failure::new(code, row.reason.unwrap_or(row.name)))
        }
        (None, _) => Err(BackupError::NoUnit {
            what: format!("{} `{}`", workload.noun, row.name),
        }
        .into()),
    }
}

/// So many people are joined in one go: as many as one page of the directory holds.
const AT_ONCE: usize = 999;

fn coverage(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    options: OptionMap,
) -> Raised<Stream> {
    let query = ListOptions {
        filter: options.text("filter").raise(ctx)?,
        top: options.int("top").raise(ctx)?,
        ..ListOptions::default()
    };
    let host = Host::of(ctx);
    let open = move || -> Box<dyn Source> {
        Box::new(Coverage {
            host: host.clone(),
            workload,
            pages: host.tenant.directory.users(&query),
            ready: Vec::new().into_iter(),
        })
    };
    Ok(Stream::new("rows", open).at(ctx.call_position()))
}

struct Coverage {
    host: std::sync::Arc<Host>,
    workload: &'static Workload,
    pages: Pages,
    ready: std::vec::IntoIter<Dynamic>,
}

impl Source for Coverage {
    fn next(&mut self) -> Option<Result<Dynamic, Failure>> {
        loop {
            if let Some(row) = self.ready.next() {
                return Some(Ok(row));
            }
            let page = match self
                .host
                .block(async { self.pages.next().await.transpose() })
            {
                Ok(Some(page)) => page,
                Ok(None) => return None,
                Err(failure) => return Some(Err(failure)),
            };
            let mut rows = Vec::with_capacity(page.len());
            for people in page.chunks(AT_ONCE) {
                let users = people
                    .iter()
                    .map(|user| Dynamic::from(Object::exact(Kind::of("user"), user.clone())));
                match super::points::rows(
                    &self.host,
                    self.workload,
                    users.collect(),
                    &PointChoice::default(),
                ) {
                    Ok(joined) => rows.extend(joined),
                    Err(failure) => return Some(Err(failure)),
                }
            }
            self.ready = rows.into_iter();
        }
    }
}
