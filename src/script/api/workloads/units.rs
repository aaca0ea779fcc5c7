//! Units of a workload, and who has none.

use rhai::{Dynamic, Map, NativeCallContext};

use super::words::{doc, words};
use crate::backup::{BackupError, Owner, PointChoice, Workload};
use crate::directory::{Directory, DirectoryError, ListOptions, Sites};
use crate::graph::{Json, Pages, Version};
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
        doc(workload, "All protection units of the workload, page by page.\n\n- Options: `filter` (a `$filter`, sent as it is; the service documents none), `version`.\n- Policy class: read. Graph: GET {units}. Permission: BackupRestore-Configuration.Read.All.\n\n```rhai\nprint({w}::units().count());\n```"),
        move |ctx: NativeCallContext| list(&ctx, workload, None, None),
    );
    library.function(
        workload.name,
        "units",
        &["options: map", "-> stream of unit"],
        "",
        move |ctx: NativeCallContext, options: Map| {
            let options = OptionMap::read(options, &["filter", "version"]).raise(&ctx)?;
            let filter = options.text("filter").raise(&ctx)?;
            let version = options.version().raise(&ctx)?;
            Raised::Ok(list(&ctx, workload, filter, version))
        },
    );
    library.function(
        workload.name,
        "unit",
        &[&words(workload, "item: {item}"), "-> unit"],
        doc(workload, "The protection unit of one {noun}.\n\n- Throws `UserNotFound`, `Ambiguous`, `NoUnit` (exists, was never protected).\n- Policy class: read. Graph: GET {units}. Permission: BackupRestore-Configuration.Read.All.\n\n```rhai\nlet unit = {w}::unit({someone});\nprint(unit.status);\n```"),
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
        doc(workload, "Every {owner} joined with the unit and the newest restore point: `#{item, name, unit, point, code, reason}`.\n\n{coverage options}\n- Policy class: read. Graph: {list}, GET {units}, POST restorePoints/search. Permissions: {list permission}, BackupRestore-Configuration.Read.All, BackupRestore-Search.Read.All.\n\n```rhai\nfor row in {w}::coverage() {\n    if row.point == () { print(`${row.name}: ${row.code}`); }\n}\n```"),
        move |ctx: NativeCallContext| coverage(&ctx, workload, OptionMap::none()),
    );
    library.function(
        workload.name,
        "coverage",
        &["options: map", "-> stream of row"],
        "",
        move |ctx: NativeCallContext, options: Map| {
            let allowed: &[&str] = match workload.owned_by {
                Owner::Person => &["filter", "top", "version"],
                Owner::Site => &["version"],
            };
            let options = OptionMap::read(options, allowed).raise(&ctx)?;
            coverage(&ctx, workload, options)
        },
    );
}

fn list(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    filter: Option<String>,
    version: Option<Version>,
) -> Stream {
    let open = move |host: &Host| {
        let backup = &host.tenant.backup;
        Ok(vec![backup.units(workload, filter.as_deref(), version)])
    };
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

/// So many are joined in one go: as many as one page of the directory holds.
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
    let choice = PointChoice {
        version: options.version().raise(ctx)?,
        ..PointChoice::default()
    };
    let host = Host::of(ctx);
    let open = move || -> Box<dyn Source> {
        Box::new(Coverage {
            host: host.clone(),
            workload,
            choice: choice.clone(),
            everybody: match workload.owned_by {
                Owner::Person => Everybody::People(host.tenant.directory.users(&query)),
                Owner::Site => Everybody::Sites(None),
            },
            ready: Vec::new().into_iter(),
        })
    };
    Ok(Stream::new("rows", open).at(ctx.call_position()))
}

struct Coverage {
    host: std::sync::Arc<Host>,
    workload: &'static Workload,
    choice: PointChoice,
    everybody: Everybody,
    ready: std::vec::IntoIter<Dynamic>,
}

/// Everybody who could be protected.
enum Everybody {
    People(Pages),
    /// Opened with the first reading.
    Sites(Option<Sites>),
}

impl Everybody {
    /// The next page; OneDrives are no sites here.
    async fn next(&mut self, directory: &Directory) -> Result<Option<Vec<Json>>, DirectoryError> {
        let sites = match self {
            Self::People(pages) => return Ok(pages.next().await.transpose()?),
            Self::Sites(Some(sites)) => sites,
            Self::Sites(none) => none.insert(directory.all_sites().await?),
        };
        let is_personal = |site: &Json| {
            site.property("isPersonalSite")
                .is_some_and(|flag| flag.text() == "true")
        };
        let page = sites.next().await?;
        Ok(page.map(|page| {
            let sites = page.into_iter();
            sites.filter(|site| !is_personal(site)).collect()
        }))
    }
}

impl Source for Coverage {
    fn next(&mut self) -> Option<Result<Dynamic, Failure>> {
        loop {
            if let Some(row) = self.ready.next() {
                return Some(Ok(row));
            }
            let directory = &self.host.tenant.directory;
            let page = match self.host.block(self.everybody.next(directory)) {
                Ok(Some(page)) => page,
                Ok(None) => return None,
                Err(failure) => return Some(Err(failure)),
            };
            let kind = match self.workload.owned_by {
                Owner::Person => Kind::of("user"),
                Owner::Site => Kind::of("site"),
            };
            let mut rows = Vec::with_capacity(page.len());
            for some in page.chunks(AT_ONCE) {
                let items = some
                    .iter()
                    .map(|json| Dynamic::from(Object::exact(kind, json.clone())));
                match super::points::rows(&self.host, self.workload, items.collect(), &self.choice)
                {
                    Ok(joined) => rows.extend(joined),
                    Err(failure) => return Some(Err(failure)),
                }
            }
            self.ready = rows.into_iter();
        }
    }
}
