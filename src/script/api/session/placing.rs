//! Rows, restore points and their artifacts: what goes into a session, and what it shows of that.

use std::sync::Arc;

use rhai::{Dynamic, Map, NativeCallContext};

use crate::backup::books::{Asked, ItemPoint};
use crate::backup::{Artifact, Destination, Request, Session, Thing, Workload, unit_of};
use crate::graph::Json;
use crate::script::api::objects::items;
use crate::script::api::tenant::{Origin, stream};
use crate::script::failure::Failure;
use crate::script::host::Host;
use crate::script::values::{Kind, Object, Stream};
use crate::script::words;

/// Books rows and adds those that have a point. An array is read in place: a copy of 100,000 rows is 100 MB.
pub(in crate::script::api) fn add_rows(
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
pub(super) fn request(
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
    let of_another = |kind: &str| {
        let other = Workload::of_unit(kind).filter(|other| *other != workload)?;
        let (own, noun) = (workload.nouns, other.noun);
        let failure = Failure::new(
            "WrongWorkload",
            format!("this session restores {own}, and this is the restore point of a {noun}"),
        );
        Some(failure.hint(format!(
            "`{}::create_session(…)` makes one for it",
            other.name
        )))
    };
    if let Some(point) = value.read_lock::<Object>() {
        let is_point = point.kind().root() == "restorePoint" || point.kind().is_untyped();
        if !is_point {
            return Err(wrong(value));
        }
        let point = point.json();
        let kind = point
            .property("protectionUnit")
            .and_then(|unit| unit.string("@odata.type"));
        if let Some(failure) = kind.and_then(|kind| of_another(&kind)) {
            return Err(failure);
        }
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
    let kind = unit_object
        .as_ref()
        .and_then(|unit| Some(unit.read_lock::<Object>()?.kind().name()));
    if let Some(failure) = kind.and_then(of_another) {
        return Err(failure);
    }
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
            destination: Some(to.name().into()),
            input: None,
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
    if let Some(stand_in) = host.tenant.client.stand_in() {
        stand_in.learn(point);
    }
    let item = host.tenant.backup.books().ask(Asked {
        workload: workload.name,
        unit,
        name: name.clone(),
        point: Some(ItemPoint {
            id: id.clone(),
            protection_date_time: point.string("protectionDateTime"),
        }),
        destination: Some(to.name().into()),
        input: None,
    });
    Ok(Request {
        item,
        thing: Thing::Point(id),
        destination: Some(to),
        name,
    })
}

pub(super) fn artifacts(ctx: &NativeCallContext, session: Arc<Session>) -> Stream {
    let host = Host::of(ctx);
    let kind = Kind::of(session.workload.artifact_type);
    let open = move |_: &Host| Ok(session.artifact_pages());
    let artifact = move |host: &Host, json: Json| {
        let origin = origin(host, &json);
        let object = Object::exact(kind, json);
        Some(Dynamic::from(object.with_columns(origin.columns())))
    };
    stream(&host, "artifacts", open, artifact).at(ctx.call_position())
}

/// What an artifact came from: of a bulk restore the service says so once it has ended.
fn origin(host: &Host, json: &Json) -> Origin {
    let tenant = &host.tenant;
    let point = Artifact::of(json.clone()).and_then(|artifact| artifact.point);
    let Some(point) = point else {
        return Origin::default();
    };
    let of_input = || {
        let input = tenant.backup.input_of_point(&point)?;
        tenant.origins.of(&input.to_lowercase())
    };
    tenant
        .origins
        .of(&point)
        .or_else(of_input)
        .unwrap_or_default()
}
