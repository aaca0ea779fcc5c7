//! Users, groups and sites of the tenant. Knows the directory's query rules, nothing of backups.

mod error;
mod group;
mod site;
mod user;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use error::DirectoryError;
pub(crate) use group::{MemberOptions, is_user};
pub(crate) use site::{Site, Sites, site_url};
pub(crate) use user::{Entry, ListOptions, Person};

use tokio::sync::OnceCell;

use crate::graph::{Call, Client};

/// The largest page that the directory gives.
const TOP: &str = "999";

/// The directory, as the signed-in app sees it.
pub(crate) struct Directory {
    client: Arc<Client>,
    /// Display names by id, listed once where many are wanted.
    names: OnceCell<HashMap<String, String>>,
    /// Names and addresses by id, likewise.
    people: OnceCell<HashMap<String, Entry>>,
    /// Sites by id, likewise.
    sites: OnceCell<HashMap<String, Site>>,
}

impl Directory {
    pub(crate) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            names: OnceCell::new(),
            people: OnceCell::new(),
            sites: OnceCell::new(),
        }
    }
}

/// Quotes a value for `$filter`: `O'Hara` becomes `'O''Hara'`.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Appends query options, percent-encoded.
fn with_query(path: &str, options: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in options {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() {
        return path.to_owned();
    }
    // Graph takes `+` for a space in some places and for a plus sign in others; `%20` it takes everywhere.
    format!("{path}?{}", query.replace('+', "%20").replace("%24", "$"))
}

/// What the directory answers only with these two together: `$search`, `endsWith`, `ne`, `not`, `$filter` with `$orderby`.
fn eventual(call: Call) -> Call {
    call.header("ConsistencyLevel", "eventual")
}

/// One segment of a path.
fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded_as_graph_reads_them() {
        assert_eq!(quoted("O'Hara"), "'O''Hara'");
        assert_eq!(
            with_query("/groups", &[("$filter", "displayName eq 'R&D + Ops'")]),
            "/groups?$filter=displayName%20eq%20%27R%26D%20%2B%20Ops%27"
        );
        assert_eq!(with_query("/users", &[]), "/users");
        assert_eq!(segment("a b/c#d@x"), "a%20b%2Fc%23d%40x");
    }
}
