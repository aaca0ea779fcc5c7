//! `/groups` and their members.

use uuid::Uuid;

use super::users;
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::filter::{Filter, Literal};
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::refusals;
use crate::sandbox::tenant::{DOMAIN, GROUPS, Group, Member, Tenant};
use crate::sandbox::{Sandbox, lock};

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 999;

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(
        call,
        &["filter", "select", "top", "count", "orderby", "skiptoken"],
        LARGEST_PAGE,
    )?;
    let advanced = query
        .filter
        .as_ref()
        .is_some_and(|filter| filter.is_advanced() || query.orderby.is_some());
    if (advanced || query.count) && !(call.is_eventual() && query.count) {
        return Err(Refusal::unsupported_query(
            "This query needs the header ConsistencyLevel: eventual and the option $count=true.",
        ));
    }
    let tenant = &sandbox.tenant;
    let start = query.start(tenant.ids, call)?;
    let mut found = Vec::new();
    for group in &GROUPS {
        let property = |name: &str| property(tenant, group, name);
        let unknown = |path| {
            Refusal::unsupported_query(format!("Unsupported property '{path}' in the filter."))
        };
        let passes = query
            .filter
            .as_ref()
            .map_or(Ok(true), |filter: &Filter| filter.matches(&property));
        if passes.map_err(unknown)? {
            found.push(group);
        }
    }
    match query.orderby.as_deref() {
        None => {}
        Some("displayName" | "displayName asc") => {
            found.sort_by_key(|group| (group.name, group.number));
        }
        Some(other) => {
            return Err(Refusal::unsupported_query(format!(
                "Sorting by '{other}' is not supported."
            )));
        }
    }
    let count = query.count.then_some(found.len());
    let list = List {
        ids: tenant.ids,
        call,
        query: &query,
        page: DEFAULT_PAGE,
        context: "groups",
        count,
    };
    let groups = (0u32..)
        .zip(found)
        .skip(usize::try_from(start).unwrap_or(usize::MAX));
    Ok(list.answer(groups, |out, group| {
        write(out, tenant, group, query.select.as_deref(), None);
    }))
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::entity(call)?;
    let group = find(sandbox, call)?;
    let mut body = Vec::with_capacity(512);
    let context = format!("{}/$metadata#groups/$entity", call.root);
    write(
        &mut body,
        &sandbox.tenant,
        group,
        query.select.as_deref(),
        Some(&context),
    );
    Ok(Answer::json(200, body))
}

/// The direct members as they are now.
fn direct(sandbox: &Sandbox, group: &Group) -> Vec<Member> {
    let members = sandbox.tenant.members(group);
    lock(&sandbox.store).present.broken.members(group, members)
}

/// All members down the tree, each once. Nested groups are members themselves.
fn transitive(sandbox: &Sandbox, group: &Group) -> Vec<Member> {
    let mut members = direct(sandbox, group);
    let mut at = 0;
    while let Some(member) = members.get(at) {
        if let Member::Group(number) = member
            && let Some(nested) = GROUPS.iter().find(|group| group.number == *number)
        {
            for member in direct(sandbox, nested) {
                if !members.contains(&member) {
                    members.push(member);
                }
            }
        }
        at += 1;
    }
    members
}

pub(super) fn members(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let members = direct(sandbox, find(sandbox, call)?);
    list_members(sandbox, call, &members, false)
}

pub(super) fn user_members(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let members = direct(sandbox, find(sandbox, call)?);
    list_members(sandbox, call, &members, true)
}

pub(super) fn transitive_members(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let members = transitive(sandbox, find(sandbox, call)?);
    list_members(sandbox, call, &members, false)
}

pub(super) fn transitive_user_members(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let members = transitive(sandbox, find(sandbox, call)?);
    list_members(sandbox, call, &members, true)
}

/// A page of members; `only_users` is the cast, after which the entities have one type and do not say it.
fn list_members(
    sandbox: &Sandbox,
    call: &Call,
    members: &[Member],
    only_users: bool,
) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["select", "top", "count", "skiptoken"], LARGEST_PAGE)?;
    if query.count && !call.is_eventual() {
        return Err(Refusal::unsupported_query(
            "$count=true needs the header ConsistencyLevel: eventual.",
        ));
    }
    let tenant = &sandbox.tenant;
    let start = usize::try_from(query.start(tenant.ids, call)?).unwrap_or(usize::MAX);
    let wanted = |member: &Member| !only_users || matches!(member, Member::User(_));
    let count = query
        .count
        .then(|| members.iter().filter(|member| wanted(member)).count());
    let context = if only_users {
        "users"
    } else {
        "directoryObjects"
    };
    let list = List {
        ids: tenant.ids,
        call,
        query: &query,
        page: DEFAULT_PAGE,
        context,
        count,
    };
    let select = query.select.as_deref();
    let members = (0u32..)
        .zip(members)
        .skip(start)
        .filter(|(_, member)| wanted(member));
    Ok(list.answer(members, |out, member| match *member {
        Member::User(index) => users::write(out, tenant.person(index), select, !only_users),
        Member::Group(number) => {
            if let Some(group) = GROUPS.iter().find(|group| group.number == number) {
                write_member(out, tenant, group, select);
            }
        }
        Member::Device(number) => write_device(out, tenant.device_id(number), number, select),
    }))
}

fn find(sandbox: &Sandbox, call: &Call) -> Result<&'static Group, Refusal> {
    let id = crate::sandbox::id::parse(call.id());
    let id = id.ok_or_else(|| {
        Refusal::bad_request(format!("Invalid object identifier '{}'.", call.id()))
    })?;
    sandbox
        .tenant
        .find_group(id)
        .ok_or_else(|| refusals::NO_SUCH_USER.because(format!("there is no group `{id}`")))
}

fn property(tenant: &Tenant, group: &Group, name: &str) -> Option<Literal> {
    match name {
        "id" => Some(Literal::Text(tenant.group_id(group.number).to_string())),
        "displayName" => Some(Literal::Text(group.name.into())),
        "description" => Some(Literal::Text(group.about.into())),
        "mail" => Some(Literal::Text(address(group))),
        "mailEnabled" | "securityEnabled" => Some(Literal::Flag(true)),
        "mailNickname" => Some(Literal::Text(nickname(group))),
        _ => None,
    }
}

fn write(
    out: &mut Vec<u8>,
    tenant: &Tenant,
    group: &Group,
    select: Option<&[String]>,
    context: Option<&str>,
) {
    let mut object = Object::selecting(out, select);
    if let Some(context) = context {
        object.text("@odata.context", context);
    }
    fill(&mut object, tenant, group);
    object.end();
}

fn write_member(out: &mut Vec<u8>, tenant: &Tenant, group: &Group, select: Option<&[String]>) {
    let mut object = Object::selecting(out, select);
    object.text("@odata.type", "#microsoft.graph.group");
    fill(&mut object, tenant, group);
    object.end();
}

fn fill(object: &mut Object<'_>, tenant: &Tenant, group: &Group) {
    object.plain("id", tenant.group_id(group.number));
    object.text("description", group.about);
    object.text("displayName", group.name);
    object.raw("groupTypes", "[]");
    object.text("mail", address(group));
    object.boolean("mailEnabled", true);
    object.text("mailNickname", nickname(group));
    object.boolean("securityEnabled", true);
    object.text("visibility", "Private");
}

fn write_device(out: &mut Vec<u8>, id: Uuid, number: u32, select: Option<&[String]>) {
    let mut object = Object::selecting(out, select);
    object.text("@odata.type", "#microsoft.graph.device");
    object.plain("id", id);
    object.text("displayName", format!("PRINTER-{number:03}"));
    object.boolean("accountEnabled", true);
    object.text("operatingSystem", "Windows");
    object.end();
}

// Two groups share a name; addresses do not repeat.
fn nickname(group: &Group) -> String {
    format!(
        "{}-{}",
        group.name.to_lowercase().replace(' ', "-"),
        group.number
    )
}

fn address(group: &Group) -> String {
    format!("{}@{DOMAIN}", nickname(group))
}
