//! By which address or URL a bulk request names somebody or something.

use std::collections::HashMap;

use futures::StreamExt as _;
use futures::stream;

use super::bulk::plain;
use super::row::{LOOKUPS, MANY};
use super::workload::{Owner, Workload};
use super::{BackupError, Service, Subject};
use crate::directory::{DirectoryError, Entry, Person, Site, is_guid, site_url};
use crate::graph::Json;

/// Somebody or something that a bulk request can name, or why it cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipient {
    /// The directory's display name, else what was given.
    pub(crate) name: String,
    /// The directory's id, where it is known.
    pub(crate) owner: Option<String>,
    /// The unit's id, where a unit was given.
    pub(crate) unit: Option<String>,
    /// The address or URL; else a code and a reason.
    pub(crate) input: Result<String, (&'static str, String)>,
}

impl Recipient {
    fn text(text: String, owned_by: Owner) -> Self {
        Self {
            name: text.clone(),
            owner: None,
            unit: None,
            input: well_formed(text, owned_by),
        }
    }

    fn nobody(name: String, reason: String) -> Self {
        Self {
            name,
            owner: None,
            unit: None,
            input: Err(("UserNotFound", reason)),
        }
    }

    fn person(id: Option<String>, entry: Entry) -> Self {
        let name = entry.name.or_else(|| entry.address.clone()).or(id.clone());
        Self {
            name: name.unwrap_or_default(),
            owner: id,
            unit: None,
            input: match entry.address {
                Some(address) => well_formed(address, Owner::Person),
                None => Err((
                    "NoAddress",
                    "the directory has neither a mail address nor a user principal name".to_owned(),
                )),
            },
        }
    }

    fn site(site: Site) -> Self {
        let name = site.name.or_else(|| site.url.clone());
        Self {
            name: name.unwrap_or_else(|| site.id.clone()),
            owner: Some(site.id),
            unit: None,
            input: match site.url {
                Some(url) => well_formed(url, Owner::Site),
                None => Err(("NoAddress", "the directory has no URL of it".to_owned())),
            },
        }
    }
}

/// One bad address makes the service refuse a whole request: it is told apart before.
fn well_formed(text: String, owned_by: Owner) -> Result<String, (&'static str, String)> {
    let text = text.trim();
    match owned_by {
        Owner::Person if is_address(text) => Ok(text.to_owned()),
        Owner::Person => Err((
            "BulkRestoreInvalidCreateRequestUserEmail",
            format!("`{text}` is not a mail address"),
        )),
        Owner::Site if site_url(text).is_some() && !text.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        Owner::Site => Err((
            "BulkRestoreInvalidCreateRequestSiteUrl",
            format!("`{text}` is not the URL of a site (https://…)"),
        )),
    }
}

fn is_address(text: &str) -> bool {
    let bad = |letter: char| letter.is_whitespace() || letter.is_control();
    match text.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.contains(bad)
        }
        None => false,
    }
}

/// Many are looked up in one list.
enum Book<'a> {
    ByLookup,
    People(&'a HashMap<String, Entry>),
    Sites(&'a HashMap<String, Site>),
}

impl Service {
    /// The address or URL of every subject, in their order. A text that is one already is taken as it is.
    ///
    /// # Errors
    /// What the directory refused as a whole; [`BackupError::WrongOwner`]. Somebody who is not there is no error.
    pub(crate) async fn recipients(
        &self,
        workload: &'static Workload,
        subjects: Vec<Subject>,
    ) -> Result<Vec<Recipient>, BackupError> {
        let unknown = subjects
            .iter()
            .filter(|subject| needs_a_lookup(subject, workload.owned_by));
        let book = match workload.owned_by {
            _ if unknown.count() <= MANY => Book::ByLookup,
            Owner::Person => Book::People(self.directory.people().await?),
            Owner::Site => Book::Sites(self.directory.site_book().await?),
        };
        let book = &book;
        let mut all = Vec::with_capacity(subjects.len());
        let mut subjects = subjects.into_iter().peekable();
        while subjects.peek().is_some() {
            let lookups = subjects
                .by_ref()
                .take(LOOKUPS)
                .map(|subject| self.recipient(workload, subject, book));
            let lookups: Vec<_> = lookups.collect();
            let mut found = stream::iter(lookups).buffered(self.in_flight);
            while let Some(recipient) = found.next().await {
                all.push(recipient?);
            }
        }
        Ok(all)
    }

    async fn recipient(
        &self,
        workload: &'static Workload,
        subject: Subject,
        book: &Book<'_>,
    ) -> Result<Recipient, BackupError> {
        let wrong = |what: String| BackupError::WrongOwner {
            what,
            nouns: workload.nouns,
        };
        match (subject, workload.owned_by) {
            (Subject::Person(user), Owner::Person) => {
                let id = user.string("id");
                match id {
                    // Listed with a `$select` that left the addresses out.
                    Some(id) if !has_addresses(&user) => self.person(&id, book).await,
                    id => Ok(Recipient::person(id, Entry::of(&user))),
                }
            }
            (Subject::Site(site), Owner::Site) => match Site::of(&site) {
                Some(site) if site.url.is_none() => self.site(&site.id, book).await,
                Some(site) => Ok(Recipient::site(site)),
                None => Ok(Recipient::nobody(
                    site.text().to_owned(),
                    "the site object has no id".to_owned(),
                )),
            },
            (Subject::Person(user), Owner::Site) => {
                let name = Entry::of(&user).name.unwrap_or_default();
                Err(wrong(format!("user `{name}`")))
            }
            (Subject::Site(site), Owner::Person) => {
                let name = Site::of(&site).and_then(|site| site.name);
                Err(wrong(format!("site `{}`", name.unwrap_or_default())))
            }
            (Subject::Unit(unit), owned_by) => {
                let id = unit.string("id");
                let owner = unit.string(workload.owner).unwrap_or_default();
                let recipient = match owned_by {
                    Owner::Person => self.person(&owner, book).await?,
                    Owner::Site => match unit.string("siteWebUrl").filter(|url| !url.is_empty()) {
                        Some(url) => Recipient::site(Site {
                            id: owner,
                            name: unit.string("siteName"),
                            url: Some(url),
                        }),
                        None => self.site(&owner, book).await?,
                    },
                };
                Ok(Recipient {
                    unit: id,
                    ..recipient
                })
            }
            (Subject::Text(text), Owner::Person) if text.contains('@') => {
                Ok(Recipient::text(text, Owner::Person))
            }
            (Subject::Text(text), Owner::Site) if looks_like_a_url(&text) => {
                Ok(Recipient::text(text, Owner::Site))
            }
            (Subject::Text(text), Owner::Person) => self.person(&text, book).await,
            (Subject::Text(text), Owner::Site) => self.site(&text, book).await,
        }
    }

    async fn person(&self, id: &str, book: &Book<'_>) -> Result<Recipient, BackupError> {
        if let Book::People(people) = book {
            let entry = people.get(&id.to_ascii_lowercase()).cloned();
            if let Some(entry) = entry {
                return Ok(Recipient::person(Some(id.to_owned()), entry));
            }
        }
        match self.directory.user(id).await {
            Ok(user) => Ok(Recipient::person(user.string("id"), Entry::of(&user))),
            Err(error @ DirectoryError::NoUser { .. }) => {
                Ok(Recipient::nobody(id.to_owned(), error.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn site(&self, id: &str, book: &Book<'_>) -> Result<Recipient, BackupError> {
        if let Book::Sites(sites) = book
            && let Some(site) = sites.get(&id.to_ascii_lowercase())
        {
            return Ok(Recipient::site(site.clone()));
        }
        match self.directory.site(id).await {
            Ok(site) => {
                let site = Site::of(&site).unwrap_or(Site {
                    id: id.to_owned(),
                    name: None,
                    url: None,
                });
                Ok(Recipient::site(site))
            }
            Err(error @ DirectoryError::NoSite { .. }) => {
                Ok(Recipient::nobody(id.to_owned(), error.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The directory's ids of these addresses or URLs, by their [`plain`] form. Who is not there is left out.
    pub(super) async fn owners_of(
        &self,
        owned_by: Owner,
        texts: &[String],
    ) -> Result<HashMap<String, String>, BackupError> {
        if texts.len() > MANY {
            return Ok(match owned_by {
                Owner::Person => self.directory.ids_by_address().await?,
                Owner::Site => {
                    let sites = self.directory.site_book().await?.values();
                    let known = sites.filter_map(|site| {
                        let url = site.url.as_ref()?;
                        Some((plain(url), site.id.clone()))
                    });
                    known.collect()
                }
            });
        }
        let mut owners = HashMap::new();
        for text in texts {
            let found = match owned_by {
                Owner::Person => {
                    let user = self.directory.user(text).await;
                    user.map(|user| Person::of(&user).map(|person| person.id))
                }
                Owner::Site => {
                    let site = self.directory.site(text).await;
                    site.map(|site| Site::of(&site).map(|site| site.id))
                }
            };
            match found {
                Ok(Some(id)) => {
                    owners.insert(plain(text), id);
                }
                Ok(None)
                | Err(
                    DirectoryError::NoUser { .. }
                    | DirectoryError::NoSite { .. }
                    | DirectoryError::SeveralUsers { .. },
                ) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(owners)
    }
}

/// Also where it is none: `https: //contoso…` was meant to be one.
fn looks_like_a_url(text: &str) -> bool {
    text.contains("://") || text.to_lowercase().starts_with("http")
}

fn has_addresses(user: &Json) -> bool {
    user.property("mail").is_some() || user.property("userPrincipalName").is_some()
}

fn needs_a_lookup(subject: &Subject, owned_by: Owner) -> bool {
    match (subject, owned_by) {
        (Subject::Person(user), _) => !has_addresses(user),
        (Subject::Site(site), _) => site.property("webUrl").is_none(),
        (Subject::Unit(unit), Owner::Site) => {
            unit.string("siteWebUrl").is_none_or(|url| url.is_empty())
        }
        (Subject::Unit(_), Owner::Person) => true,
        (Subject::Text(text), Owner::Person) => is_guid(text),
        (Subject::Text(text), Owner::Site) => !looks_like_a_url(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_what_is_none() {
        for good in ["a@x", "adele.vance@contoso.com", "o'hara+x@contoso.com"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "a", "@x", "a@", "a@b@c", "a b@x", "a@x\n"] {
            assert!(!is_address(bad), "{bad:?}");
        }
        let code =
            |text: &str, owned_by| well_formed(text.to_owned(), owned_by).map_err(|(code, _)| code);
        assert_eq!(code(" a@x ", Owner::Person), Ok("a@x".to_owned()));
        assert_eq!(
            code("https: //contoso1.sharepoint.com", Owner::Site),
            Err("BulkRestoreInvalidCreateRequestSiteUrl")
        );
    }

    #[test]
    fn a_person_is_named_by_mail_else_by_principal_name() {
        let person = |text: &'static str| {
            let user = Json::new(text.into()).unwrap();
            Recipient::person(user.string("id"), Entry::of(&user)).input
        };
        assert_eq!(
            person(r#"{"id":"1","mail":"m@x","userPrincipalName":"u@x"}"#),
            Ok("m@x".to_owned())
        );
        assert_eq!(
            person(r#"{"id":"1","mail":null,"userPrincipalName":"u@x"}"#),
            Ok("u@x".to_owned())
        );
        let nobody = person(r#"{"id":"1","mail":" ","userPrincipalName":null}"#);
        assert_eq!(nobody.map_err(|(code, _)| code), Err("NoAddress"));
    }
}
