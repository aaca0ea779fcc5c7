//! Restore points of one unit, before an instant: five at most.

use jiff::Timestamp;
use uuid::Uuid;

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::filter::{Comparison, Filter, Literal};
use crate::sandbox::id::parse;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::present::Present;
use crate::sandbox::tenant::{Point, Tenant, Unit, Window};
use crate::sandbox::{Sandbox, lock, refusals};

use super::units;

/// Points in one answer, of a list as of a search.
pub(super) const MOST: usize = 5;
const MAX_TERMS: usize = 10;

/// What the documented forms of the list ask for.
struct Asked {
    unit: Uuid,
    policy: Option<Uuid>,
    before: Timestamp,
}

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["expand", "filter", "orderby"], MOST)?;
    let asked = read(&query)?;
    let oldest = match query.orderby.as_deref().map(str::trim) {
        None | Some("protectionDateTime desc") => false,
        Some("protectionDateTime" | "protectionDateTime asc") => true,
        Some(other) => {
            return Err(
                refusals::SEARCH_INVALID.because(format!("points cannot be sorted by `{other}`"))
            );
        }
    };
    let tenant = &sandbox.tenant;
    let store = lock(&sandbox.store);
    let unit = store.present.find_unit(tenant, asked.unit);
    let unit = unit
        .filter(|unit| asked.policy.is_none() || units::policy_of(tenant, unit) == asked.policy);
    let window = Window {
        from: Timestamp::MIN,
        to: asked.before,
    };
    let points = unit
        .into_iter()
        .flat_map(|unit| of_unit(&store.present, unit, window, call.now))
        .filter(|point| point.made() < asked.before);
    let points: Vec<Point> = if oldest {
        points.take(MOST).collect()
    } else {
        points.rev().take(MOST).collect()
    };
    let context = "solutions/backupRestore/restorePoints";
    let list = List {
        ids: tenant.ids,
        call,
        query: &query,
        page: MOST,
        context,
        count: None,
    };
    Ok(list.answer((0..).zip(points), |out, point| {
        write(out, tenant, &point, true);
    }))
}

/// `$expand=protectionUnit($filter=id eq '…')&$filter=protectionDateTime lt …`, or `$expand=protectionUnit` with unit and
/// policy in the filter. Nothing else is documented, and both options are required.
fn read(query: &Query) -> Result<Asked, Refusal> {
    let invalid = |why: &str| refusals::SEARCH_INVALID.because(why);
    let expand = query
        .expand
        .as_deref()
        .ok_or_else(|| invalid("$expand=protectionUnit is required"))?
        .trim();
    let filter = query
        .filter
        .as_ref()
        .ok_or_else(|| invalid("$filter on protectionDateTime is required"))?;
    if filter.terms() > MAX_TERMS {
        return Err(refusals::POINTS_FILTER_TOO_LONG);
    }
    let terms = filter.conjuncts();
    let text = |path: &str| -> Result<Option<Uuid>, Refusal> {
        let found = terms.iter().find_map(|term| match term {
            Filter::Compare {
                path: name,
                with: Comparison::Equal,
                value: Literal::Text(id),
            } if name == path => Some(id),
            _ => None,
        });
        found.map(|id| unit_id(id)).transpose()
    };
    let before = terms.iter().find_map(|term| match term {
        Filter::Compare {
            path,
            with: Comparison::Less,
            value: Literal::Time(instant),
        } if path == "protectionDateTime" => Some(*instant),
        _ => None,
    });
    let before =
        before.ok_or_else(|| invalid("the filter must hold `protectionDateTime lt {instant}`"))?;
    if let Some(inner) = expand
        .strip_prefix("protectionUnit(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let inner = inner
            .trim()
            .strip_prefix("$filter=")
            .ok_or_else(|| invalid("only $filter can stand in $expand"))?;
        let inner =
            Filter::parse(inner).map_err(|error| refusals::SEARCH_INVALID.because(error))?;
        let Filter::Compare {
            path,
            with: Comparison::Equal,
            value: Literal::Text(id),
        } = &inner
        else {
            return Err(invalid("the expanded filter must be `id eq '{unit}'`"));
        };
        if path != "id" || terms.len() != 1 {
            return Err(invalid(
                "the expanded filter must be `id eq '{unit}'`, the other one `protectionDateTime lt`",
            ));
        }
        return Ok(Asked {
            unit: unit_id(id)?,
            policy: None,
            before,
        });
    }
    if expand != "protectionUnit" {
        return Err(invalid("$expand must be protectionUnit"));
    }
    match (text("protectionUnit/id")?, text("protectionUnit/policyId")?) {
        (Some(unit), Some(policy)) if terms.len() == 3 => Ok(Asked {
            unit,
            policy: Some(policy),
            before,
        }),
        _ => Err(invalid(
            "the filter must hold protectionDateTime, protectionUnit/id and protectionUnit/policyId",
        )),
    }
}

fn unit_id(text: &str) -> Result<Uuid, Refusal> {
    parse(text).ok_or_else(|| refusals::SEARCH_UNIT_ID.because(format!("`{text}` is not an id")))
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["expand"], 1)?;
    let expand = match query.expand.as_deref() {
        None => false,
        Some("protectionUnit") => true,
        Some(other) => {
            return Err(Refusal::bad_request(format!(
                "'{other}' cannot be expanded."
            )));
        }
    };
    let point = named(sandbox, call)?;
    Ok(Answer::object(200, |object| {
        let context = "solutions/backupRestore/restorePoints/$entity";
        object.text("@odata.context", call.context(context));
        fill(object, &sandbox.tenant, &point, expand);
    }))
}

pub(super) fn unit(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let point = named(sandbox, call)?;
    let mut body = Vec::with_capacity(512);
    units::write(&mut body, sandbox, call, &point.unit);
    Ok(Answer::json(200, body))
}

/// The point that the path names.
fn named(sandbox: &Sandbox, call: &Call) -> Result<Point, Refusal> {
    let id = call.uuid(0, Refusal::bad_request("Restore Point ID is invalid."))?;
    let found = find(&sandbox.tenant, &lock(&sandbox.store).present, id, call.now);
    found.ok_or_else(|| refusals::NOT_FOUND.because(format!("there is no restore point `{id}`")))
}

/// The point with this id, if it exists now: made, not expired, not broken.
pub(super) fn find(tenant: &Tenant, present: &Present, id: Uuid, now: Timestamp) -> Option<Point> {
    let point = present.find_point(tenant, id)?;
    let there = point.made() <= now && now < point.expires();
    there.then_some(point)
}

/// Points of a unit that are there.
pub(super) fn of_unit(
    present: &Present,
    unit: Unit,
    window: Window,
    now: Timestamp,
) -> impl DoubleEndedIterator<Item = Point> {
    unit.points(window, now)
        .filter(move |point| present.has_point(point))
}

pub(super) fn write(out: &mut Vec<u8>, tenant: &Tenant, point: &Point, with_unit: bool) {
    let mut object = Object::new(out);
    fill(&mut object, tenant, point, with_unit);
    object.end();
}

pub(super) fn fill(object: &mut Object<'_>, tenant: &Tenant, point: &Point, with_unit: bool) {
    object.text("@odata.type", "#microsoft.graph.restorePoint");
    object.plain("id", tenant.point_id(point));
    object.time("protectionDateTime", point.made());
    object.time("expirationDateTime", point.expires());
    object.text(
        "tags",
        if tenant.is_fast(point) {
            "fastRestore"
        } else {
            "none"
        },
    );
    if with_unit {
        object.object("protectionUnit", |unit| {
            units::fill_short(unit, tenant, &point.unit);
        });
    }
}
