//! Users: lists and single look-ups.

use std::collections::HashMap;

use super::{Directory, DirectoryError, TOP, eventual, is_guid, quoted, segment, with_query};
use crate::graph::{Call, Json, Pages};

/// The query options of `users::list`, as Graph names them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListOptions {
    pub(crate) filter: Option<String>,
    pub(crate) search: Option<String>,
    pub(crate) select: Option<String>,
    /// Page size, 1 to 999.
    pub(crate) top: Option<i64>,
}

/// What the list of all users tells of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Option<String>,
    /// `mail`, else `userPrincipalName`: the address under which a bulk request names a person.
    pub(crate) address: Option<String>,
}

impl Entry {
    pub(crate) fn of(user: &Json) -> Self {
        let text = |name: &str| user.string(name).filter(|text| !text.trim().is_empty());
        Self {
            name: text("displayName"),
            address: text("mail").or_else(|| text("userPrincipalName")),
        }
    }
}

/// What identifies a person to us, read out of a user object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
}

impl Person {
    /// `None` where the object has no id.
    pub(crate) fn of(user: &Json) -> Option<Self> {
        Some(Self {
            id: user.string("id")?,
            name: user.string("displayName").filter(|name| !name.is_empty()),
        })
    }
}

impl Directory {
    /// All users that the options leave, page by page.
    pub(crate) fn users(&self, options: &ListOptions) -> Pages {
        let top = options
            .top
            .map_or_else(|| TOP.to_owned(), |top| top.to_string());
        let mut query = vec![("$top", top.as_str())];
        // Advanced queries are answered only with both; they do no harm to plain ones.
        let advanced =
            options.search.is_some() || options.filter.as_deref().is_some_and(needs_eventual);
        for (name, value) in [
            ("$filter", &options.filter),
            ("$search", &options.search),
            ("$select", &options.select),
        ] {
            if let Some(value) = value {
                query.push((name, value));
            }
        }
        if advanced {
            query.push(("$count", "true"));
        }
        let call = Call::get("list users", with_query("/users", &query));
        self.client
            .pages(if advanced { eventual(call) } else { call })
    }

    /// A user by id, by user principal name, else by mail address.
    ///
    /// # Errors
    /// [`DirectoryError::NoUser`], [`DirectoryError::SeveralUsers`].
    pub(crate) async fn user(&self, name: &str) -> Result<Json, DirectoryError> {
        let call = Call::get("get user", format!("/users/{}", segment(name)));
        let answer = match self.client.read(call).await {
            Ok(answer) => return Ok(answer.json()),
            Err(error) if error.is_not_found() => Box::new(error),
            Err(error) => return Err(error.into()),
        };
        let nobody = |answer| DirectoryError::NoUser {
            name: name.to_owned(),
            answer,
        };
        if is_guid(name) || !name.contains('@') {
            return Err(nobody(answer));
        }
        let filter = format!("mail eq {}", quoted(name));
        let path = with_query("/users", &[("$filter", &filter)]);
        let call = Call::get("find user by mail", path);
        let mut found = self.client.pages(call).collect().await?;
        match found.len() {
            0 => Err(nobody(answer)),
            1 => Ok(found.swap_remove(0)),
            _ => Err(DirectoryError::SeveralUsers {
                name: name.to_owned(),
                ids: found.iter().filter_map(|user| user.string("id")).collect(),
            }),
        }
    }
}

impl Directory {
    /// The display name of every user by lower-case id, listed once per run.
    pub(crate) async fn names(&self) -> Result<&HashMap<String, String>, DirectoryError> {
        self.names
            .get_or_try_init(|| async {
                let mut names = HashMap::new();
                let mut pages = self.users_with("id,displayName");
                while let Some(page) = pages.next().await {
                    let people = page?.into_iter().filter_map(|user| Person::of(&user));
                    names.extend(
                        people.filter_map(|person| {
                            Some((person.id.to_ascii_lowercase(), person.name?))
                        }),
                    );
                }
                Ok(names)
            })
            .await
    }
}

impl Directory {
    /// Name and address of every user by lower-case id, listed once per run.
    pub(crate) async fn people(&self) -> Result<&HashMap<String, Entry>, DirectoryError> {
        self.people
            .get_or_try_init(|| async {
                let mut people = HashMap::new();
                let mut pages = self.users_with("id,displayName,mail,userPrincipalName");
                while let Some(page) = pages.next().await {
                    for user in page? {
                        if let Some(id) = user.string("id") {
                            people.insert(id.to_ascii_lowercase(), Entry::of(&user));
                        }
                    }
                }
                Ok(people)
            })
            .await
    }

    /// The ids of all users by address: mail addresses and user principal names, in lower case.
    pub(crate) async fn ids_by_address(&self) -> Result<HashMap<String, String>, DirectoryError> {
        let mut ids = HashMap::new();
        let mut pages = self.users_with("id,mail,userPrincipalName");
        while let Some(page) = pages.next().await {
            for user in page? {
                let Some(id) = user.string("id") else {
                    continue;
                };
                for name in ["userPrincipalName", "mail"] {
                    if let Some(address) = user.string(name) {
                        ids.insert(address.to_lowercase(), id.clone());
                    }
                }
            }
        }
        Ok(ids)
    }

    fn users_with(&self, select: &str) -> Pages {
        self.users(&ListOptions {
            select: Some(select.to_owned()),
            ..ListOptions::default()
        })
    }
}

/// Operators that the directory answers only with `ConsistencyLevel: eventual`.
fn needs_eventual(filter: &str) -> bool {
    let lower = filter.to_ascii_lowercase();
    let words = ["endswith(", " ne ", "not(", "not ", "/$count"];
    words.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_advanced_filters_ask_for_the_eventual_index() {
        for filter in [
            "accountEnabled eq true",
            "startswith(displayName,'A')",
            "id in ('a','b')",
        ] {
            assert!(!needs_eventual(filter), "{filter}");
        }
        for filter in [
            "endsWith(mail,'x')",
            "assignedLicenses/$count ne 0",
            "NOT(accountEnabled eq true)",
        ] {
            assert!(needs_eventual(filter), "{filter}");
        }
    }
}
