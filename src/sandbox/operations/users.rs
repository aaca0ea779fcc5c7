//! `/users`.

use crate::sandbox::Sandbox;
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::filter::{Comparison, Filter, Literal};
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::refusals;
use crate::sandbox::tenant::{Person, Tenant};

use super::user_search::Search;

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 999;
/// Most values that `in` takes.
const MAX_IN: usize = 15;

/// Sent where the caller selects nothing.
const DEFAULT_PROPERTIES: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

const PROPERTIES: [&str; 19] = [
    "accountEnabled",
    "assignedLicenses",
    "businessPhones",
    "companyName",
    "department",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mailNickname",
    "mobilePhone",
    "officeLocation",
    "onPremisesSyncEnabled",
    "preferredLanguage",
    "surname",
    "usageLocation",
    "userPrincipalName",
    "userType",
];

pub(super) fn list(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let allowed = [
        "filter",
        "search",
        "orderby",
        "select",
        "top",
        "count",
        "skiptoken",
    ];
    let query = Query::read(call, &allowed, LARGEST_PAGE)?;
    query.check_select("user", &PROPERTIES)?;
    check_level(call, &query)?;
    let tenant = &sandbox.tenant;
    let start = query.start(tenant.ids, call)?;
    let count = if query.count {
        Some(found(tenant, &query)?.count())
    } else {
        None
    };
    let list = List {
        ids: tenant.ids,
        call,
        query: &query,
        page: DEFAULT_PAGE,
        context: "users",
        count,
    };
    let write = |out: &mut Vec<u8>, person: Person<'_>| {
        self::write(out, person, query.select.as_deref(), false);
    };
    if let Some(order) = &query.orderby {
        let people = ordered(found(tenant, &query)?.collect(), order)?;
        let people = (0u32..)
            .zip(people)
            .skip(usize::try_from(start).unwrap_or(usize::MAX));
        return Ok(list.answer(people, write));
    }
    let people = found_from(tenant, &query, start)?.map(|person| (person.index, person));
    Ok(list.answer(people, write))
}

pub(super) fn count(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["filter", "search"], 1)?;
    if !call.is_eventual() {
        return Err(Refusal::bad_request(
            "$count is not currently supported without ConsistencyLevel: eventual.",
        ));
    }
    Ok(Answer::text(
        found(&sandbox.tenant, &query)?.count().to_string(),
    ))
}

pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::entity(call)?;
    query.check_select("user", &PROPERTIES)?;
    let person = find(sandbox, call.id())?;
    let mut body = Vec::with_capacity(512);
    let mut object = selected(&mut body, &query);
    object.text(
        "@odata.context",
        format!("{}/$metadata#users/$entity", call.root),
    );
    fill(&mut object, person);
    object.end();
    Ok(Answer::json(200, body))
}

fn selected<'a>(body: &'a mut Vec<u8>, query: &'a Query) -> Object<'a> {
    match &query.select {
        Some(select) => Object::selecting(body, Some(select)),
        None => Object::new(body),
    }
}

/// The person with this id or user principal name.
pub(super) fn find<'t>(sandbox: &'t Sandbox, id: &str) -> Result<Person<'t>, Refusal> {
    let person = sandbox.tenant.find_person(id);
    person.ok_or_else(|| refusals::NO_SUCH_USER.because(format!("there is no `{id}`")))
}

/// Writes one user; `typed` adds the type for lists of mixed kinds.
pub(super) fn write(out: &mut Vec<u8>, person: Person<'_>, select: Option<&[String]>, typed: bool) {
    let mut object = Object::selecting(out, select);
    if typed {
        object.text("@odata.type", "#microsoft.graph.user");
    }
    fill_selected(&mut object, person, select.is_some());
    object.end();
}

fn fill(object: &mut Object<'_>, person: Person<'_>) {
    let selecting = PROPERTIES.iter().any(|name| !object.wants(name));
    fill_selected(object, person, selecting);
}

fn fill_selected(object: &mut Object<'_>, person: Person<'_>, selecting: bool) {
    let names: &[&str] = if selecting {
        &PROPERTIES
    } else {
        &DEFAULT_PROPERTIES
    };
    for name in names {
        if !object.wants(name) {
            continue;
        }
        match *name {
            "id" => object.plain(name, person.id().hyphenated()),
            "businessPhones" => {
                let phone = (!person.has_mobile()).then(|| person.phone());
                object.array(name, phone, |out, phone| {
                    crate::sandbox::odata::texts(out, phone);
                });
            }
            "assignedLicenses" => {
                let license = person
                    .is_licensed()
                    .then_some("6fd2c87f-b296-42f0-b197-1e91e994b900");
                object.array(name, license, |out, sku| {
                    let mut object = Object::new(out);
                    object.raw("disabledPlans", "[]");
                    object.text("skuId", sku);
                    object.end();
                });
            }
            _ => match property(&person, name) {
                Some(Literal::Text(text)) => object.text(name, text),
                Some(Literal::Flag(flag)) => object.boolean(name, flag),
                _ => object.raw(name, "null"),
            },
        }
    }
}

/// The value of a property that a filter can name.
pub(super) fn property(person: &Person<'_>, name: &str) -> Option<Literal> {
    let text = |text: &str| Some(Literal::Text(text.to_owned()));
    let optional = |text: Option<String>| Some(text.map_or(Literal::Null, Literal::Text));
    match name {
        "id" => Some(Literal::Text(person.id().to_string())),
        "accountEnabled" => Some(Literal::Flag(person.is_enabled())),
        "assignedLicenses/$count" => Some(Literal::Number(i64::from(person.is_licensed()))),
        "companyName" => text("Contoso"),
        "department" => text(person.department()),
        "displayName" => Some(Literal::Text(person.display_name())),
        "givenName" => text(person.given_name()),
        "jobTitle" => text(person.job_title()),
        "mail" => optional(person.mail()),
        "mailNickname" => Some(Literal::Text(person.nickname())),
        "mobilePhone" => optional(person.has_mobile().then(|| person.phone())),
        "officeLocation" => text(person.office()),
        "onPremisesSyncEnabled" => Some(if person.is_synced() {
            Literal::Flag(true)
        } else {
            Literal::Null
        }),
        "preferredLanguage" => text(person.language()),
        "surname" => text(person.surname()),
        "usageLocation" => text(person.language().rsplit('-').next().unwrap_or_default()),
        "userPrincipalName" => Some(Literal::Text(person.upn())),
        "userType" => text("Member"),
        _ => None,
    }
}

/// What the directory answers only to those who accept an eventual answer.
fn check_level(call: &Call, query: &Query) -> Result<(), Refusal> {
    let advanced = query.filter.as_ref().is_some_and(Filter::is_advanced)
        || query.search.is_some()
        || query.filter.is_some() && query.orderby.is_some();
    if advanced && !(call.is_eventual() && (query.count || query.search.is_some())) {
        return Err(Refusal::unsupported_query(
            "This query needs the header ConsistencyLevel: eventual and the option $count=true.",
        ));
    }
    if query.count && !call.is_eventual() {
        return Err(Refusal::unsupported_query(
            "$count=true needs the header ConsistencyLevel: eventual.",
        ));
    }
    Ok(())
}

fn found<'t>(
    tenant: &'t Tenant,
    query: &'t Query,
) -> Result<Box<dyn Iterator<Item = Person<'t>> + 't>, Refusal> {
    found_from(tenant, query, 0)
}

/// People that filter and search let through, in the order of the directory, from position `start` on.
fn found_from<'t>(
    tenant: &'t Tenant,
    query: &'t Query,
    start: u32,
) -> Result<Box<dyn Iterator<Item = Person<'t>> + 't>, Refusal> {
    let search = query.search.as_deref().map(Search::parse).transpose()?;
    if let Some(filter) = &query.filter {
        check(tenant, filter)?;
    }
    let pinned = query
        .filter
        .as_ref()
        .and_then(|filter| pinned(tenant, filter));
    let positions: Box<dyn Iterator<Item = u32> + 't> = match pinned {
        Some(positions) => Box::new(positions.into_iter().filter(move |index| *index >= start)),
        None => Box::new(start..tenant.users()),
    };
    Ok(Box::new(
        positions
            .map(|index| tenant.person(index))
            .filter(move |person| {
                // A filter that could fail has failed in `check`.
                let passes = |filter: &Filter| {
                    filter
                        .matches(&|name| property(person, name))
                        .unwrap_or(false)
                };
                query.filter.as_ref().is_none_or(passes)
                    && search.as_ref().is_none_or(|search| search.finds(person))
            }),
    ))
}

/// Turns down unknown properties and over-long `in` lists before any page is written.
fn check(tenant: &Tenant, filter: &Filter) -> Result<(), Refusal> {
    if let Err(path) = filter.matches(&|name| property(&tenant.person(0), name)) {
        return Err(Refusal::unsupported_query(format!(
            "Unsupported property '{path}' in the filter."
        )));
    }
    if longest_in(filter) > MAX_IN {
        return Err(Refusal::unsupported_query(format!(
            "Too many values for 'in': the maximum is {MAX_IN}."
        )));
    }
    Ok(())
}

fn longest_in(filter: &Filter) -> usize {
    match filter {
        Filter::And(one, other) | Filter::Or(one, other) => longest_in(one).max(longest_in(other)),
        Filter::Not(one) => longest_in(one),
        Filter::In { values, .. } => values.len(),
        Filter::Compare { .. } | Filter::Test { .. } => 0,
    }
}

/// The few positions that can match at all, where the filter names people. Saves walking 100,000 people for one.
fn pinned(tenant: &Tenant, filter: &Filter) -> Option<Vec<u32>> {
    let find = |path: &str, value: &Literal| -> Option<Option<u32>> {
        let Literal::Text(text) = value else {
            return None;
        };
        match path {
            "id" => Some(tenant.find_person(text).map(|person| person.index)),
            "userPrincipalName" | "mail" => Some(
                tenant
                    .index_of_address(text)
                    .filter(|index| *index < tenant.users()),
            ),
            _ => None,
        }
    };
    let mut positions: Vec<u32> = match filter {
        Filter::And(one, other) => return pinned(tenant, one).or_else(|| pinned(tenant, other)),
        Filter::Compare {
            path,
            with: Comparison::Equal,
            value,
        } => find(path, value)?.into_iter().collect(),
        Filter::In { path, values } => {
            let found: Option<Vec<Option<u32>>> =
                values.iter().map(|value| find(path, value)).collect();
            found?.into_iter().flatten().collect()
        }
        _ => return None,
    };
    positions.sort_unstable();
    positions.dedup();
    Some(positions)
}

fn ordered<'t>(mut people: Vec<Person<'t>>, order: &str) -> Result<Vec<Person<'t>>, Refusal> {
    let (property, direction) = order
        .trim()
        .split_once(' ')
        .unwrap_or((order.trim(), "asc"));
    match property {
        "displayName" => {
            people
                .sort_by_cached_key(|person| (person.display_name().to_lowercase(), person.index));
        }
        "userPrincipalName" => people.sort_by_cached_key(Person::upn),
        _ => {
            return Err(Refusal::unsupported_query(format!(
                "Sorting by '{property}' is not supported."
            )));
        }
    }
    match direction.trim() {
        "asc" => {}
        "desc" => people.reverse(),
        other => {
            return Err(Refusal::bad_request(format!(
                "Invalid sort direction '{other}'."
            )));
        }
    }
    Ok(people)
}
