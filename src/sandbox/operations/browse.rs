//! Browse sessions and what they show, under their own collections and under the one for all.

use serde_json::{Value, json};

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::browse::BrowseSession;
use crate::sandbox::call::{Call, INVALID_REQUEST, check_type, only};
use crate::sandbox::expression::{Expression, Operand};
use crate::sandbox::id::{Kind, parse};
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::store::Store;
use crate::sandbox::tenant::{Node, Point, Tree};
use crate::sandbox::workload::Browsing;
use crate::sandbox::{Sandbox, lock, refusals};

use super::{points, sessions, units};

/// Browse sessions on a page of their list.
const PAGE: usize = 50;
/// Files and folders on a page.
const ITEMS: usize = 100;

fn browsing(call: &Call) -> Result<&'static Browsing, Refusal> {
    let workload = call.workload()?;
    workload.browsing.as_ref().ok_or(refusals::NOT_FOUND)
}

/// What the path calls the collection.
fn collection(call: &Call) -> &'static str {
    let browsing = call
        .workload
        .and_then(|workload| workload.browsing.as_ref());
    browsing.map_or("browseSessions", |browsing| browsing.sessions)
}

pub(super) fn create(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let workload = call.workload()?;
    let body = call.object(&INVALID_REQUEST)?;
    check_type(&body, browsing(call)?.session_type, &INVALID_REQUEST)?;
    only(&body, &["restorePointId", "@odata.type"], &INVALID_REQUEST)?;
    let text = body.get("restorePointId").and_then(Value::as_str);
    let text = text.ok_or_else(|| refusals::CREATE_POINT.because("restorePointId is missing"))?;
    let tenant = &sandbox.tenant;
    let mut store = lock(&sandbox.store);
    sessions::check_service(&store)?;
    let point = parse(text).and_then(|id| points::find(tenant, &store.present, id, call.now));
    let point = point.filter(|point| *point.unit.workload == *workload);
    let point = point.ok_or_else(|| {
        refusals::CREATE_POINT.because(format!(
            "there is no restore point `{text}` of this workload"
        ))
    })?;
    if !tenant.is_fast(&point) {
        return Err(
            refusals::CREATE_POINT.because("only points with the tag fastRestore can be browsed")
        );
    }
    let session = store.browse(tenant, point, call.now);
    let context = format!("solutions/backupRestore/{}/$entity", collection(call));
    let serial = session.serial;
    let session = store.browse_session(serial, call.now);
    let session = session.ok_or(refusals::NOT_FOUND)?;
    Ok(Answer::object(201, |object| {
        object.text("@odata.context", call.context(&context));
        fill(object, sandbox, &store, call, session);
    }))
}

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["skiptoken"], PAGE)?;
    let start = query.start(sandbox.tenant.ids, call)?;
    let store = lock(&sandbox.store);
    let wanted = |session: &&BrowseSession| {
        call.workload
            .is_none_or(|workload| *workload == *session.point.unit.workload)
    };
    let context = format!("solutions/backupRestore/{}", collection(call));
    let list = List {
        ids: sandbox.tenant.ids,
        call,
        query: &query,
        page: PAGE,
        context: &context,
        count: Some(store.browse_sessions(0, call.now).filter(wanted).count()),
    };
    let sessions = store.browse_sessions(start, call.now).filter(wanted);
    Ok(
        list.answer(sessions.map(|one| (one.serial, one)), |out, session| {
            let mut object = Object::new(out);
            fill(&mut object, sandbox, &store, call, session);
            object.end();
        }),
    )
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    Query::none(call)?;
    let store = lock(&sandbox.store);
    let session = find(sandbox, &store, call)?;
    let context = format!("solutions/backupRestore/{}/$entity", collection(call));
    Ok(Answer::object(200, |object| {
        object.text("@odata.context", call.context(&context));
        fill(object, sandbox, &store, call, session);
    }))
}

/// The session in the path, of the path's workload if it has one. One whose life is over is gone.
fn find<'store>(
    sandbox: &Sandbox,
    store: &'store Store,
    call: &Call,
) -> Result<&'store BrowseSession, Refusal> {
    let id = call.id();
    let session = store.find_browse_session(&sandbox.tenant, id, call.now);
    let session = session.filter(|session| {
        call.workload
            .is_none_or(|workload| *workload == *session.point.unit.workload)
    });
    session.ok_or_else(|| refusals::NOT_FOUND.because(format!("there is no browse session `{id}`")))
}

fn fill(
    object: &mut Object<'_>,
    sandbox: &Sandbox,
    store: &Store,
    call: &Call,
    session: &BrowseSession,
) {
    let tenant = &sandbox.tenant;
    let (point, workload) = (&session.point, session.point.unit.workload);
    if let Some(browsing) = &workload.browsing {
        object.text(
            "@odata.type",
            format!("#microsoft.graph.{}", browsing.session_type),
        );
    }
    object.text("id", store.browse_id(tenant, session));
    object.plain("restorePointId", tenant.point_id(point));
    object.time("restorePointDateTime", point.made());
    let status = session.status(call.now);
    object.text("status", status);
    object.time("createdDateTime", session.created);
    object.time("expirationDateTime", session.expires());
    // Adding up a hundred thousand files for each look would take longer than the look: three megabytes a file is near.
    let size = u64::from(tenant.tree(point).size()) * 3_000_000;
    object.plain("backupSizeInBytes", size);
    object.text(workload.owner, units::owner(tenant, &point.unit));
    units::error(object, session.error.filter(|_| status == "failed"));
}

/// What to show of a location.
struct View {
    node: Node,
    /// A part of the name, in small letters.
    name: Option<String>,
    /// The member of `browseQueryOrder`.
    order: Option<&'static str>,
    position: usize,
}

const ORDERS: [&str; 4] = ["pathAsc", "pathDsc", "nameAsc", "nameDsc"];

/// The first page: `POST …/browse`. An empty body asks for the places at the top.
pub(super) fn browse(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let Open { id, point } = open(sandbox, call)?;
    let tree = sandbox.tenant.tree(&point);
    let body = call.object(&INVALID_REQUEST)?;
    let mut known = vec![
        "browseLocationItemKey",
        "browseResourceType",
        "filter",
        "orderBy",
        "@odata.type",
    ];
    if call.beta {
        known.push("optimizedBrowse");
    }
    only(&body, &known, &INVALID_REQUEST)?;
    let invalid = |why: String| INVALID_REQUEST.because(why);
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(invalid(format!("{name} {other} is not a text"))),
    };
    if let Some(flag) = body.get("optimizedBrowse").filter(|flag| !flag.is_null())
        && !flag.is_boolean()
    {
        return Err(invalid(format!("optimizedBrowse {flag} is not a boolean")));
    }
    let name = text("filter")?.filter(|filter| !filter.is_empty());
    let name = name.map(read_filter).transpose()?;
    let order = text("orderBy")?;
    let order = order
        .map(|order| {
            let known = ORDERS.into_iter().find(|known| *known == order);
            known.ok_or_else(|| invalid(format!("orderBy `{order}` is none of {ORDERS:?}")))
        })
        .transpose()?;
    let resource = text("browseResourceType")?.filter(|resource| *resource != "none");
    let Some(key) = text("browseLocationItemKey")? else {
        if let Some(resource) = resource {
            return Err(invalid(format!(
                "browseResourceType `{resource}` needs a browseLocationItemKey"
            )));
        }
        let items = [Node::Site].into_iter().filter(|node| {
            let own = tree.name(*node).to_lowercase();
            name.as_ref().is_none_or(|name| own.contains(name))
        });
        return Ok(page(sandbox, call, &tree, items, None));
    };
    let node = tree.find(key).filter(|node| node.type_name() != "file");
    let node = node.ok_or_else(|| invalid(format!("there is no location `{key}`")))?;
    if resource.is_some_and(|resource| resource != node.type_name()) {
        return Err(invalid(format!("`{key}` is a {}", node.type_name())));
    }
    let view = View {
        node,
        name,
        order,
        position: 0,
    };
    Ok(show(sandbox, call, &id, &tree, view))
}

/// The pages after the first: `GET …/browse?$skiptoken=` as the links say, or the function that the metadata has.
pub(super) fn browse_on(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let in_path = call.params.get(1);
    let allowed: &[&str] = if in_path.is_some() {
        &[]
    } else {
        &["skiptoken"]
    };
    let query = Query::read(call, allowed, 1)?;
    let Open { id, point } = open(sandbox, call)?;
    let tree = sandbox.tenant.tree(&point);
    let token = in_path.or(query.skiptoken.as_ref());
    let token =
        token.ok_or_else(|| Refusal::bad_request("The first page is asked for by POST."))?;
    let view = read_token(sandbox, &tree, &id, token);
    let view = view.ok_or_else(|| Refusal::bad_request("Skip token is invalid or has expired."))?;
    Ok(show(sandbox, call, &id, &tree, view))
}

/// What is needed of a session to show its files, without holding the store.
struct Open {
    id: String,
    point: Point,
}

/// The session in the path, which must have been created.
fn open(sandbox: &Sandbox, call: &Call) -> Result<Open, Refusal> {
    let store = lock(&sandbox.store);
    let session = find(sandbox, &store, call)?;
    if session.is_open(call.now) {
        return Ok(Open {
            id: store.browse_id(&sandbox.tenant, session),
            point: session.point,
        });
    }
    let status = session.status(call.now);
    Err(INVALID_REQUEST.because(format!(
        "the browse session is {status}; it can be browsed when it is created"
    )))
}

/// `(name -contains 'x')`, the one filter there is.
fn read_filter(filter: &str) -> Result<String, Refusal> {
    let invalid = |why: &str| INVALID_REQUEST.because(format!("filter `{filter}`: {why}"));
    let expression = Expression::parse(filter).map_err(|error| invalid(&error))?;
    let Expression::Term(term) = expression else {
        return Err(invalid("only `(name -contains 'text')` is supported"));
    };
    match (term.property.as_str(), term.operator.as_str(), term.value) {
        ("name", "contains", Operand::Text(text)) => Ok(text.to_lowercase()),
        _ => Err(invalid("only `(name -contains 'text')` is supported")),
    }
}

fn read_token(sandbox: &Sandbox, tree: &Tree<'_>, id: &str, token: &str) -> Option<View> {
    let text = sandbox.access.seal.unwrap(token)?;
    let place: Value = serde_json::from_str(&text).ok()?;
    if place["session"] != id {
        return None;
    }
    let order = place["order"].as_str();
    Some(View {
        node: tree.find(place["itemKey"].as_str()?)?,
        name: place["name"].as_str().map(str::to_owned),
        order: ORDERS.into_iter().find(|known| Some(*known) == order),
        position: usize::try_from(place["position"].as_u64()?).ok()?,
    })
}

fn show(sandbox: &Sandbox, call: &Call, id: &str, tree: &Tree<'_>, view: View) -> Answer {
    let mut children = tree.children(view.node);
    if let Some(name) = &view.name {
        children.retain(|child| tree.name(*child).to_lowercase().contains(name));
    }
    if let Some(order) = view.order {
        children.sort_by_cached_key(|child| (tree.name(*child).to_lowercase(), *child));
        if order.ends_with("Dsc") {
            children.reverse();
        }
    }
    let end = view.position.saturating_add(ITEMS);
    let next = (end < children.len()).then(|| {
        let place = json!({
            "session": id,
            "itemKey": tree.key(view.node),
            "name": view.name,
            "order": view.order,
            "position": end,
        });
        let token = sandbox.access.seal.wrap(&place.to_string());
        let path = format!(
            "{}/solutions/backupRestore/{}/{id}",
            call.root,
            collection(call)
        );
        // The typed collections are documented; for the other one only the metadata says how it goes on.
        match call.workload {
            Some(_) => format!("{path}/browse?$skiptoken={token}"),
            None => format!("{path}/browse(nextFetchToken='{token}')"),
        }
    });
    let items = children.into_iter().skip(view.position).take(ITEMS);
    page(sandbox, call, tree, items, next)
}

fn page(
    sandbox: &Sandbox,
    call: &Call,
    tree: &Tree<'_>,
    items: impl Iterator<Item = Node>,
    next: Option<String>,
) -> Answer {
    let items: Vec<Node> = items.collect();
    Answer::object(200, |reply| {
        let context = "Collection(microsoft.graph.browseQueryResponseItem)";
        reply.text("@odata.context", call.context(context));
        // The documented example counts the items of the page, also where more follow.
        reply.number("@odata.count", items.len());
        if let Some(next) = next {
            reply.text("@odata.nextLink", next);
        }
        reply.array("value", items, |out, node| {
            let mut item = Object::new(out);
            fill_item(&mut item, sandbox, call, tree, node);
            item.end();
        });
    })
}

fn fill_item(item: &mut Object<'_>, sandbox: &Sandbox, call: &Call, tree: &Tree<'_>, node: Node) {
    item.text("itemKey", tree.key(node));
    item.text("name", tree.name(node));
    item.text("webUrl", tree.url(node));
    item.text("type", node.type_name());
    match node {
        Node::Site => {}
        Node::File { .. } => {
            item.number("itemsCount", 0);
            item.plain("sizeInBytes", tree.bytes(node));
        }
        Node::Library(_) | Node::Folder { .. } => {
            item.number("itemsCount", tree.children(node).len());
        }
    }
    if call.beta {
        let author = tree.author(node);
        let by = |by: &mut Object<'_>| {
            by.object("user", |user| {
                let person = sandbox.tenant.person(author);
                user.plain("id", sandbox.tenant.ids.make(Kind::User, author, 0));
                user.text("displayName", person.display_name());
            });
        };
        item.object("createdBy", by);
        item.time("createdDateTime", tree.created(node));
        item.object("lastModifiedBy", by);
        item.time("lastModifiedDateTime", tree.modified(node));
    }
}
