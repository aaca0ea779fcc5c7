//! Restore points: of one unit by listing or searching, of many by the mass search.

use std::sync::Arc;

use rhai::{Array, Dynamic, Map, NativeCallContext};

use super::words::{doc, words};
use crate::backup::{PointChoice, PointFilter, Points, Prefer, Row, UNANSWERED, Workload};
use crate::graph::Json;
use crate::script::api::objects::collect;
use crate::script::api::tenant::{instant, wanted};
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Kind, Object, Source, Stream};

/// How many points `points()` lists where nobody says otherwise.
const LIMIT: usize = 50;

pub(super) fn register(library: &mut Library, workload: &'static Workload) {
    of_one(library, workload);
    of_many(library, workload);
}

fn of_one(library: &mut Library, workload: &'static Workload) {
    library.function(
        workload.name,
        "points",
        &[&words(workload, "item: unit, {item}"), "-> stream of restore point"],
        doc(workload, "The restore points of one unit, newest first. The service gives five at a time.\n\n- Options: `after`, `before` (datetimes; `before` is strict), `tags` (`\"fastRestore\"`), `limit` (50), `version`.\n- Throws as `unit`.\n- Policy class: read. Graph: GET restorePoints. Permission: BackupRestore-Search.Read.All.\n\n```rhai\nfor point in {w}::points({someone}, #{limit: 3}) { print(point.protectionDateTime); }\n```"),
        move |ctx: NativeCallContext, item: Dynamic| points(&ctx, workload, item, OptionMap::none()),
    );
    library.function(
        workload.name,
        "points",
        &[
            &words(workload, "item: unit, {item}"),
            "options: map",
            "-> stream of restore point",
        ],
        "",
        move |ctx: NativeCallContext, item: Dynamic, options: Map| {
            let options =
                OptionMap::read(options, &["after", "before", "tags", "limit", "version"])
                    .raise(&ctx)?;
            points(&ctx, workload, item, options)
        },
    );
    library.function(
        workload.name,
        "latest_point",
        &[&words(workload, "item: unit, {item}"), "-> restore point or ()"],
        doc(workload, "The newest restore point of one unit; `()` where there is none.\n\n- Options: `after`, `tags`, `prefer` (`\"latest\"`, `\"oldest\"`), `version`.\n- Throws as `unit`; `SearchUnanswered` where the service will not say whether there is one.\n- Policy class: read. Graph: POST restorePoints/search. Permission: BackupRestore-Search.Read.All.\n\n```rhai\nlet point = {w}::latest_point({someone});\n```"),
        move |ctx: NativeCallContext, item: Dynamic| one(&ctx, workload, item, None, OptionMap::none()),
    );
    library.function(
        workload.name,
        "latest_point",
        &[
            &words(workload, "item: unit, {item}"),
            "options: map",
            "-> restore point or ()",
        ],
        "",
        move |ctx: NativeCallContext, item: Dynamic, options: Map| {
            let options =
                OptionMap::read(options, &["after", "tags", "prefer", "version"]).raise(&ctx)?;
            one(&ctx, workload, item, None, options)
        },
    );
    library.function(
        workload.name,
        "point_before",
        &[&words(workload, "item: unit, {item}"), "instant: datetime", "-> restore point or ()"],
        doc(workload, "The newest restore point of one unit strictly before an instant; `()` where there is none.\n\n- Options: `after`, `tags`, `prefer` (`\"latest\"`, `\"oldest\"`), `version`.\n- Throws as `unit`; `SearchUnanswered` where the service will not say whether there is one.\n- Policy class: read. Graph: POST restorePoints/search. Permission: BackupRestore-Search.Read.All.\n\n```rhai\nlet point = {w}::point_before({someone}, now() - duration(\"36h\"));\n```"),
        move |ctx: NativeCallContext, item: Dynamic, before: Dynamic| one(&ctx, workload, item, Some(before), OptionMap::none()),
    );
    library.function(
        workload.name,
        "point_before",
        &[
            &words(workload, "item: unit, {item}"),
            "instant: datetime",
            "options: map",
            "-> restore point or ()",
        ],
        "",
        move |ctx: NativeCallContext, item: Dynamic, before: Dynamic, options: Map| {
            let options =
                OptionMap::read(options, &["after", "tags", "prefer", "version"]).raise(&ctx)?;
            one(&ctx, workload, item, Some(before), options)
        },
    );
}

fn of_many(library: &mut Library, workload: &'static Workload) {
    library.function(
        workload.name,
        "points_before",
        &["items: list", "instant: datetime", "-> array of row"],
        doc(workload, "One row for every item, in order: `#{item, name, unit, point, code, reason}`. `point` is the newest strictly before the instant; where there is none, `code` says why: `UserNotFound`, `Ambiguous`, `NoUnit`, `NotProtected`, `NoPointBefore`, or `SearchUnanswered` where the service would not say.\n\n- `items`: units, {items}, or maps `#{item, before}` with instants of their own.\n- Options: `after`, `tags`, `prefer` (`\"latest\"`, `\"oldest\"`), `version`.\n- Throws `NoInstant` where neither the call nor the item names one, `WrongType` for what is no item; nobody's missing point is an error.\n- Policy class: read. Graph: POST restorePoints/search. Permissions: BackupRestore-Search.Read.All, BackupRestore-Configuration.Read.All.\n\n```rhai\nlet rows = {w}::points_before({many}, now() - duration(\"36h\"));\ntable(rows, [\"name\", \"code\"]);\n```"),
        move |ctx: NativeCallContext, items: Dynamic, second: Dynamic| -> Raised<Array> {
            // The second is the instant, or the options where every item has its own instant.
            if second.is_map() {
                let options = second.cast::<Map>();
                return before(&ctx, workload, &items, None, options);
            }
            before(&ctx, workload, &items, Some(&second), Map::new())
        },
    );
    library.function(
        workload.name,
        "points_before",
        &["items: list", "-> array of row"],
        "",
        move |ctx: NativeCallContext, items: Dynamic| {
            before(&ctx, workload, &items, None, Map::new())
        },
    );
    library.function(
        workload.name,
        "points_before",
        &[
            "items: list",
            "instant: datetime",
            "options: map",
            "-> array of row",
        ],
        "",
        move |ctx: NativeCallContext, items: Dynamic, instant: Dynamic, options: Map| {
            before(&ctx, workload, &items, Some(&instant), options)
        },
    );
    library.function(
        workload.name,
        "latest_points",
        &["items: list", "-> array of row"],
        doc(workload, "One row for every item, in order, with its newest restore point; where there is none, `code` says why: `UserNotFound`, `Ambiguous`, `NoUnit`, `NotProtected`, `NoPoint`, or `SearchUnanswered` where the service would not say.\n\n- Options: `after`, `tags`, `prefer` (`\"latest\"`, `\"oldest\"`), `version`.\n- Throws `WrongType` for what is no item; nobody's missing point is an error.\n- Policy class: read. Graph: POST restorePoints/search. Permissions: BackupRestore-Search.Read.All, BackupRestore-Configuration.Read.All.\n\n```rhai\nlet rows = {w}::latest_points({many});\n```"),
        move |ctx: NativeCallContext, items: Dynamic| latest(&ctx, workload, &items, Map::new()),
    );
    library.function(
        workload.name,
        "latest_points",
        &["items: list", "options: map", "-> array of row"],
        "",
        move |ctx: NativeCallContext, items: Dynamic, options: Map| {
            latest(&ctx, workload, &items, options)
        },
    );
}

fn points(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    item: Dynamic,
    options: OptionMap,
) -> Raised<Stream> {
    let host = Host::of(ctx);
    let unit = super::units::find(&host, workload, item)
        .and_then(|unit| id(&unit))
        .raise(ctx)?;
    let filter = PointFilter {
        after: options.datetime("after").raise(ctx)?.map(|time| time.0),
        before: options.datetime("before").raise(ctx)?.map(|time| time.0),
        tags: options.text("tags").raise(ctx)?,
        version: options.version().raise(ctx)?,
    };
    let limit = options.count("limit").raise(ctx)?.unwrap_or(LIMIT);
    let open = move || -> Box<dyn Source> {
        let points = host.tenant.backup.points(&unit, filter.clone());
        Box::new(Listed {
            host: host.clone(),
            points,
            left: limit,
        })
    };
    Ok(Stream::new("points", open).at(ctx.call_position()))
}

struct Listed {
    host: Arc<Host>,
    points: Points,
    left: usize,
}

impl Source for Listed {
    fn next(&mut self) -> Option<Result<Dynamic, Failure>> {
        self.left = self.left.checked_sub(1)?;
        let next = match self.points.ready() {
            Some(point) => Ok(Some(point)),
            None => self
                .host
                .block(async { self.points.next().await.transpose() }),
        };
        next.map(|point| point.map(point_object)).transpose()
    }
}

fn one(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    item: Dynamic,
    before: Option<Dynamic>,
    options: OptionMap,
) -> Raised<Dynamic> {
    let host = Host::of(ctx);
    let mut choice = choice(&options).raise(ctx)?;
    choice.before = before
        .map(|before| instant(&before, "instant"))
        .transpose()
        .raise(ctx)?;
    let unit = super::units::find(&host, workload, item).raise(ctx)?;
    let unit = Dynamic::from(Object::exact(Kind::of(workload.unit_type), unit));
    let rows = rows(&host, workload, vec![unit], &choice).raise(ctx)?;
    let row = rows.into_iter().next().and_then(Dynamic::try_cast::<Map>);
    // `()` would say that there is none.
    let text = |name: &str| row.as_ref()?.get(name)?.clone().into_string().ok();
    if let Some(code) = text("code").filter(|code| code == UNANSWERED) {
        return Err(Failure::new(code, text("reason").unwrap_or_default()).raise(ctx));
    }
    Ok(row
        .and_then(|mut row| row.remove("point"))
        .unwrap_or(Dynamic::UNIT))
}

fn before(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    items: &Dynamic,
    before: Option<&Dynamic>,
    options: Map,
) -> Raised<Array> {
    let options = OptionMap::read(options, &["after", "tags", "prefer", "version"]).raise(ctx)?;
    let mut choice = choice(&options).raise(ctx)?;
    choice.before = before
        .map(|before| instant(before, "instant"))
        .transpose()
        .raise(ctx)?;
    warm(ctx, workload, items);
    let items = collect(ctx, items)?;
    if choice.before.is_none() {
        for item in &items {
            let own = item
                .read_lock::<Map>()
                .and_then(|map| map.get("before").cloned());
            if own.is_none_or(|own| own.is_unit()) {
                let failure = Failure::new(
                    "NoInstant",
                    "points before when? An item has no `before` of its own, and none is given for all",
                );
                return Err(failure
                    .hint("write `points_before(items, datetime(\"2026-11-20T03:00:00Z\"))`")
                    .raise(ctx));
            }
        }
    }
    rows(&Host::of(ctx), workload, items, &choice).raise(ctx)
}

fn latest(
    ctx: &NativeCallContext,
    workload: &'static Workload,
    items: &Dynamic,
    options: Map,
) -> Raised<Array> {
    let options = OptionMap::read(options, &["after", "tags", "prefer", "version"]).raise(ctx)?;
    let choice = choice(&options).raise(ctx)?;
    warm(ctx, workload, items);
    // An instant of its own would be ignored: an item is then taken for what it names.
    let items = collect(ctx, items)?.into_iter().map(|item| {
        match item.read_lock::<Map>().map(|map| map.get("item").cloned()) {
            Some(Some(inner)) => inner,
            _ => item,
        }
    });
    rows(&Host::of(ctx), workload, items.collect(), &choice).raise(ctx)
}

/// Lists the units while the people are still being read: both take a page at a time.
fn warm(ctx: &NativeCallContext, workload: &'static Workload, items: &Dynamic) {
    if items.is::<Stream>() {
        let host = Host::of(ctx);
        let backup = host.tenant.backup.clone();
        host.runtime.spawn(backup.warm_unit_index(workload));
    }
}

fn choice(options: &OptionMap) -> Result<PointChoice, Failure> {
    let prefer = match options.choice("prefer", &["latest", "oldest"])?.as_deref() {
        Some("oldest") => Prefer::Oldest,
        _ => Prefer::Latest,
    };
    Ok(PointChoice {
        before: None,
        after: options.datetime("after")?.map(|time| time.0),
        prefer,
        tags: options.text("tags")?,
        version: options.version()?,
    })
}

/// The rows of these items, as a script gets them.
pub(super) fn rows(
    host: &Host,
    workload: &'static Workload,
    items: Array,
    choice: &PointChoice,
) -> Result<Array, Failure> {
    let mut given = Vec::with_capacity(items.len());
    let mut asked = Vec::with_capacity(items.len());
    for item in items {
        let (item, wanted) = wanted(item)?;
        given.push(item);
        asked.push(wanted);
    }
    let rows = host.block(host.tenant.backup.rows(workload, asked, choice))?;
    let kind = Kind::of(workload.unit_type);
    Ok(given
        .into_iter()
        .zip(rows)
        .map(|(item, row)| Dynamic::from(map(item, row, kind)))
        .collect())
}

fn map(item: Dynamic, row: Row, unit: Kind) -> Map {
    let text = |text: Option<String>| text.map_or(Dynamic::UNIT, Into::into);
    let unit = row
        .unit
        .map(|json| Dynamic::from(Object::exact(unit, json)));
    Map::from([
        ("item".into(), item),
        ("name".into(), row.name.into()),
        ("unit".into(), unit.unwrap_or(Dynamic::UNIT)),
        (
            "point".into(),
            row.point.map_or(Dynamic::UNIT, point_object),
        ),
        ("code".into(), text(row.code)),
        ("reason".into(), text(row.reason)),
    ])
}

fn point_object(json: Json) -> Dynamic {
    Dynamic::from(Object::exact(Kind::of("restorePoint"), json))
}

fn id(unit: &Json) -> Result<String, Failure> {
    unit.string("id").ok_or_else(|| {
        Failure::new(
            "UnusableAnswer",
            "the service sent a protection unit without an id",
        )
    })
}
