//! Query options and pages of lists.

use uuid::Uuid;

use super::answer::{Answer, Refusal};
use super::call::Call;
use super::filter::Filter;
use super::id::{Ids, Kind, mix};
use super::json::{self, Object, Select};

/// The query options of one call. An option that the call does not allow is refused, never ignored.
#[derive(Default)]
pub(super) struct Query {
    pub(super) filter: Option<Filter>,
    pub(super) search: Option<String>,
    pub(super) orderby: Option<String>,
    pub(super) expand: Option<String>,
    pub(super) select: Select,
    pub(super) top: Option<usize>,
    pub(super) count: bool,
    pub(super) skiptoken: Option<String>,
}

impl Query {
    /// Reads the options of a call, of which those in `allowed` may be used. `page` is the largest `$top`.
    ///
    /// # Errors
    /// 400 for an option that is not allowed here, given twice, or not readable.
    pub(super) fn read(call: &Call, allowed: &[&str], page: usize) -> Result<Self, Refusal> {
        let mut query = Self {
            count: call.counts,
            ..Self::default()
        };
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in &call.query {
            // The service takes the names with and without the dollar sign, in any case.
            let option = name.trim_start_matches('$').to_ascii_lowercase();
            if !allowed.contains(&option.as_str()) {
                return Err(Refusal::bad_request(format!(
                    "The query option '{name}' is not allowed here."
                )));
            }
            if seen.contains(&option) {
                return Err(Refusal::bad_request(format!(
                    "The query option '{name}' must not be specified twice."
                )));
            }
            let invalid = |what: &str| {
                Refusal::bad_request(format!("Invalid value '{value}' for {name}: {what}"))
            };
            match option.as_str() {
                "filter" => {
                    query.filter = Some(Filter::parse(value).map_err(|error| invalid(&error))?);
                }
                "search" => query.search = Some(value.clone()),
                "orderby" => query.orderby = Some(value.clone()),
                "expand" => query.expand = Some(value.clone()),
                "select" => {
                    query.select =
                        Some(value.split(',').map(|one| one.trim().to_owned()).collect());
                }
                "top" => {
                    let top = value.parse().ok().filter(|top| (1..=page).contains(top));
                    query.top =
                        Some(top.ok_or_else(|| {
                            invalid(&format!("a number from 1 to {page} is needed"))
                        })?);
                }
                "count" => {
                    query.count = value
                        .parse()
                        .map_err(|_| invalid("true or false is needed"))?;
                }
                _ => query.skiptoken = Some(value.clone()),
            }
            seen.push(option);
        }
        Ok(query)
    }

    /// For calls that take no options: no page of the backup service promises `$select` on an entity.
    pub(super) fn none(call: &Call) -> Result<Self, Refusal> {
        Self::read(call, &[], 1)
    }

    /// For calls on one entity of the directory, and where `$expand` has a meaning.
    pub(super) fn entity(call: &Call) -> Result<Self, Refusal> {
        Self::read(call, &["select", "expand"], 1)
    }

    /// Checks every name in `$select` against the properties of a type.
    pub(super) fn check_select(&self, type_name: &str, known: &[&str]) -> Result<(), Refusal> {
        let unknown = self
            .select
            .iter()
            .flatten()
            .find(|name| !known.contains(&name.as_str()));
        match unknown {
            None => Ok(()),
            Some(name) => Err(Refusal::bad_request(format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'."
            ))),
        }
    }

    /// The position at which the page begins.
    ///
    /// # Errors
    /// 400 for a token that was not issued for this list.
    pub(super) fn start(&self, ids: Ids, call: &Call) -> Result<u32, Refusal> {
        let Some(token) = &self.skiptoken else {
            return Ok(0);
        };
        let name = Uuid::try_parse(token).ok().and_then(|id| ids.read(id));
        match name {
            Some(name) if name.kind == Kind::Page && name.slot == list_mark(&call.path) => {
                Ok(name.index)
            }
            _ => Err(Refusal::bad_request(
                "Skip token is invalid or has expired.",
            )),
        }
    }
}

/// One list to answer with.
pub(super) struct List<'call> {
    pub(super) ids: Ids,
    pub(super) call: &'call Call,
    pub(super) query: &'call Query,
    /// Entities on a page where the caller does not say.
    pub(super) page: usize,
    /// What follows `$metadata#`.
    pub(super) context: &'call str,
    /// How many there are in all; nothing where nobody asked and finding out costs something.
    pub(super) count: Option<usize>,
}

impl List<'_> {
    /// Writes the page. `items` begin at the page's first entity and carry the position that reopens the list at them.
    pub(super) fn answer<T>(
        self,
        items: impl IntoIterator<Item = (u32, T)>,
        mut write: impl FnMut(&mut Vec<u8>, T),
    ) -> Answer {
        if self.call.counts {
            return Answer::text(self.count.unwrap_or_default().to_string());
        }
        let size = self.query.top.unwrap_or(self.page);
        let mut items = items.into_iter();
        let mut next = None;
        let page = items
            .by_ref()
            .enumerate()
            .map_while(|(written, (position, item))| {
                if written == size {
                    next = Some(position);
                    return None;
                }
                Some(item)
            });
        let mut body = Vec::with_capacity(16 * 1024);
        let mut object = Object::new(&mut body);
        object.text("@odata.context", self.call.context(self.context));
        let asked = self.query.count && self.query.skiptoken.is_none();
        if let Some(count) = self.count.filter(|_| asked) {
            object.number("@odata.count", count);
        }
        object.array("value", page, &mut write);
        if let Some(position) = next {
            object.text("@odata.nextLink", next_link(self.ids, self.call, position));
        }
        object.end();
        Answer::json(200, body)
    }
}

/// The address of the page that begins at `position`, with the options of this one.
fn next_link(ids: Ids, call: &Call, position: u32) -> String {
    let token = ids
        .make(Kind::Page, position, list_mark(&call.path))
        .simple()
        .to_string();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.query.iter().filter(|(name, _)| {
        !name
            .trim_start_matches('$')
            .eq_ignore_ascii_case("skiptoken")
    }) {
        query.append_pair(name, value);
    }
    query.append_pair("$skiptoken", &token);
    // The service leaves the dollar signs of option names as they are.
    let query = query.finish().replace("%24", "$");
    format!("{}{}?{query}", call.root, call.path)
}

/// Ties a token to its list.
fn list_mark(path: &str) -> u64 {
    path.bytes().fold(0, |key, byte| {
        mix(key, u64::from(byte.to_ascii_lowercase()))
    }) >> 24
}

/// The value of a list of texts.
pub(super) fn texts(out: &mut Vec<u8>, value: impl AsRef<str>) {
    json::text(out, value.as_ref());
}
