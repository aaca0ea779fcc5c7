//! `/sites`: by search, by id, by path, all of them.

use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::json::Object;
use crate::sandbox::odata::{List, Query};
use crate::sandbox::tenant::{HOST, Site};
use crate::sandbox::{Sandbox, refusals};

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 999;

const PROPERTIES: [&str; 10] = [
    "createdDateTime",
    "description",
    "displayName",
    "id",
    "isPersonalSite",
    "lastModifiedDateTime",
    "name",
    "root",
    "siteCollection",
    "webUrl",
];

/// `/sites?search=`: sites that have a word beginning with each of the text's words; `*` finds all.
pub(super) fn search(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(
        call,
        &["search", "select", "top", "skiptoken"],
        LARGEST_PAGE,
    )?;
    let text = query
        .search
        .as_deref()
        .filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| Refusal::bad_request("The parameter search is required."))?;
    let words: Vec<String> = words(text).filter(|word| word != "*").collect();
    page(sandbox, call, &query, |site| {
        let own: Vec<String> = self::words(site.name())
            .chain(self::words(&site.short_name()))
            .collect();
        words
            .iter()
            .all(|word| own.iter().any(|one| one.starts_with(word)))
    })
}

pub(super) fn all(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["select", "top", "skiptoken"], LARGEST_PAGE)?;
    page(sandbox, call, &query, |_| true)
}

fn page(
    sandbox: &Sandbox,
    call: &Call,
    query: &Query,
    wanted: impl Fn(&Site<'_>) -> bool,
) -> Result<Answer, Refusal> {
    query.check_select("site", &PROPERTIES)?;
    let tenant = &sandbox.tenant;
    let start = query.start(tenant.ids, call)?;
    let list = List {
        ids: tenant.ids,
        call,
        query,
        page: DEFAULT_PAGE,
        context: "sites",
        count: None,
    };
    let sites = (start..tenant.sites())
        .map(|index| tenant.site(index))
        .filter(wanted);
    Ok(
        list.answer(sites.map(|site| (site.index, site)), |out, site| {
            let mut object = Object::selecting(out, query.select.as_deref());
            fill(&mut object, site);
            object.end();
        }),
    )
}

/// `/sites/root`, `/sites/{hostname}` and `/sites/{three-part id}`.
pub(super) fn get(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let tenant = &sandbox.tenant;
    let name = call.params.first().map_or("root", String::as_str);
    let site = if name == "root" || name.eq_ignore_ascii_case(HOST) {
        tenant.root_site()
    } else {
        tenant.find_site(name)
    };
    one(call, site, name)
}

/// `/sites/{hostname}:/{path}`, with or without a colon at its end.
pub(super) fn get_by_path(sandbox: &Sandbox, call: &Call) -> Result<Answer, Refusal> {
    let [host, path] = &call.params[..] else {
        return Err(refusals::NOT_FOUND);
    };
    let path = path.strip_suffix(':').unwrap_or(path);
    let site = host
        .eq_ignore_ascii_case(HOST)
        .then(|| sandbox.tenant.find_site_at(&format!("/{path}")));
    one(call, site.flatten(), &format!("{host}:/{path}"))
}

fn one(call: &Call, site: Option<Site<'_>>, name: &str) -> Result<Answer, Refusal> {
    let query = Query::read(call, &["select"], 1)?;
    query.check_select("site", &PROPERTIES)?;
    let site =
        site.ok_or_else(|| refusals::NO_SUCH_ITEM.because(format!("there is no site `{name}`")))?;
    let mut body = Vec::with_capacity(512);
    let mut object = Object::selecting(&mut body, query.select.as_deref());
    object.text("@odata.context", call.context("sites/$entity"));
    fill(&mut object, site);
    object.end();
    Ok(Answer::json(200, body))
}

fn fill(object: &mut Object<'_>, site: Site<'_>) {
    object.text("id", site.id());
    object.time("createdDateTime", site.created());
    object.text("description", "");
    object.text("displayName", site.name());
    object.boolean("isPersonalSite", false);
    object.time("lastModifiedDateTime", site.created());
    object.text("name", site.short_name());
    object.raw("root", "{}");
    object.object("siteCollection", |collection| {
        collection.text("hostname", HOST);
    });
    object.text("webUrl", site.url());
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '*'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}
