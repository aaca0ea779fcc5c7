//! One row for every item that somebody wants a point for: its unit, its point, or why there is none.

use std::collections::HashMap;

use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;

use super::search::{Found, Prefer, Query};
use super::unit::{UnitIndex, has_left};
use super::workload::{Owner, Workload};
use super::{BackupError, Service};
use crate::directory::{DirectoryError, Entry, Person, Site, is_guid};
use crate::graph::{Json, Version};

/// The code of a row of which the service would not say whether there is a point.
pub(crate) const UNANSWERED: &str = "SearchUnanswered";

/// Whom or what a row is about.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// A user object of the directory.
    Person(Json),
    /// A site object of the directory.
    Site(Json),
    /// A protection unit.
    Unit(Json),
    /// An address, a user principal name, a URL, the id of a user, a site or a unit.
    Text(String),
}

/// A subject, and its own instant where it has one.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) subject: Subject,
    pub(crate) before: Option<Timestamp>,
}

/// What is the same for all rows of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct PointChoice {
    /// `None`: the newest point there is.
    pub(crate) before: Option<Timestamp>,
    pub(crate) after: Option<Timestamp>,
    pub(crate) prefer: Prefer,
    pub(crate) tags: Option<String>,
    pub(crate) version: Option<Version>,
}

/// One row. `unit` and `point` are `None` where there is none; then `code` and `reason` say why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// The directory's display name, else the id or what was asked for.
    pub(crate) name: String,
    pub(crate) unit: Option<Json>,
    pub(crate) point: Option<Json>,
    pub(crate) code: Option<String>,
    pub(crate) reason: Option<String>,
}

impl Row {
    pub(super) fn without(name: String, code: &str, reason: String) -> Self {
        Self {
            name,
            code: Some(code.to_owned()),
            reason: Some(reason),
            ..Self::default()
        }
    }
}

impl Service {
    /// Finds the point of every subject. The rows come in the order of the subjects.
    ///
    /// # Errors
    /// What the directory or the service refused as a whole. One subject that is not there is a row, not an error.
    pub(crate) async fn rows(
        &self,
        workload: &'static Workload,
        wanted: Vec<Wanted>,
        choice: &PointChoice,
    ) -> Result<Vec<Row>, BackupError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let index = self.unit_index(workload).await?;
        let instants: Vec<Option<Timestamp>> = wanted.iter().map(|wanted| wanted.before).collect();
        let subjects = wanted.into_iter().map(|wanted| wanted.subject).collect();
        let mut rows = self.find_units(workload, index, subjects).await?;

        // Equal instants share requests.
        let now = async { Ok(self.client.service_now()) };
        let now = self.learn("instant", "now", now).await?;
        let mut windows: HashMap<Timestamp, Vec<usize>> = HashMap::new();
        for (position, row) in rows.iter().enumerate() {
            if row.unit.is_some() {
                let before = instants[position].or(choice.before).unwrap_or(now);
                windows.entry(before).or_default().push(position);
            }
        }
        let total: usize = windows.values().map(Vec::len).sum();
        let bar = self
            .talk
            .bar("searching restore points", Some(total as u64));
        let bar = &*bar;
        let searches = windows.into_iter().map(|(before, positions)| {
            let query = Query {
                after: choice.after,
                before,
                prefer: choice.prefer,
                tags: choice.tags.clone(),
                version: choice.version,
            };
            let mut units: Vec<String> = positions
                .iter()
                .filter_map(|&at| unit_id(&rows[at]))
                .collect();
            units.sort_unstable();
            units.dedup();
            async move {
                let found = self
                    .search(units, &query, &|count| bar.add(count as u64))
                    .await?;
                Ok::<_, BackupError>((positions, query, found))
            }
        });
        let searches: Vec<_> = searches.collect();
        let mut answers = stream::iter(searches).buffer_unordered(self.in_flight);
        let mut done = Vec::new();
        while let Some(answer) = answers.next().await {
            done.push(answer?);
        }
        drop(answers);
        for (positions, query, found) in done {
            let any = query.before == now && choice.before.is_none();
            for at in positions {
                let row = &mut rows[at];
                let answer = unit_id(row).and_then(|unit| found.get(&unit));
                settle(row, answer, workload, if any { None } else { Some(&query) });
            }
        }
        Ok(rows)
    }

    /// The unit of one subject, without a point.
    pub(crate) async fn unit_row(
        &self,
        workload: &'static Workload,
        subject: Subject,
    ) -> Result<Row, BackupError> {
        if let Subject::Unit(unit) = subject {
            return Ok(Row {
                unit: Some(unit),
                ..Row::default()
            });
        }
        let index = self.unit_index(workload).await?;
        let names = Names::ByLookup;
        let row = self.find_unit(workload, index, subject, &names).await?;
        self.remember_names(std::slice::from_ref(&row));
        Ok(row)
    }

    /// The unit of every subject, with names.
    async fn find_units(
        &self,
        workload: &'static Workload,
        index: &UnitIndex,
        subjects: Vec<Subject>,
    ) -> Result<Vec<Row>, BackupError> {
        let nameless = subjects
            .iter()
            .filter(|subject| needs_a_name(subject, workload))
            .count();
        let names = match workload.owned_by {
            Owner::Person if nameless > MANY => Names::People(self.directory.names().await?),
            Owner::Site if nameless > MANY => Names::Sites(self.directory.site_book().await?),
            _ => Names::ByLookup,
        };
        let mut rows = Vec::with_capacity(subjects.len());
        let mut subjects = subjects.into_iter().peekable();
        while subjects.peek().is_some() {
            // Some at a time: a look-up under way is larger than the row that it becomes.
            let lookups = subjects
                .by_ref()
                .take(LOOKUPS)
                .map(|subject| self.find_unit(workload, index, subject, &names));
            let lookups: Vec<_> = lookups.collect();
            let mut found = stream::iter(lookups).buffered(self.in_flight);
            while let Some(row) = found.next().await {
                rows.push(row?);
            }
        }
        self.remember_names(&rows);
        Ok(rows)
    }

    async fn find_unit(
        &self,
        workload: &'static Workload,
        index: &UnitIndex,
        subject: Subject,
        names: &Names<'_>,
    ) -> Result<Row, BackupError> {
        match subject {
            Subject::Person(user) if workload.owned_by == Owner::Site => {
                let name = Entry::of(&user).name;
                Err(BackupError::WrongOwner {
                    what: format!("user `{}`", name.unwrap_or_default()),
                    nouns: workload.nouns,
                })
            }
            Subject::Site(site) if workload.owned_by == Owner::Person => {
                let name = Site::of(&site).and_then(|site| site.name);
                Err(BackupError::WrongOwner {
                    what: format!("site `{}`", name.unwrap_or_default()),
                    nouns: workload.nouns,
                })
            }
            Subject::Person(user) => {
                let Some(person) = Person::of(&user) else {
                    let reason = "the user object has no id".to_owned();
                    return Ok(Row::without(user.text().to_owned(), "UserNotFound", reason));
                };
                Ok(of_owner(workload, index, person.id, person.name))
            }
            Subject::Site(site) => {
                if let Some(site) = Site::of(&site) {
                    Ok(of_owner(workload, index, site.id, site.name.or(site.url)))
                } else {
                    let reason = "the site object has no id".to_owned();
                    Ok(Row::without(site.text().to_owned(), "UserNotFound", reason))
                }
            }
            Subject::Unit(unit) => {
                let name = self.unit_name(workload, &unit, names).await?;
                Ok(Row {
                    name,
                    unit: Some(unit),
                    ..Row::default()
                })
            }
            Subject::Text(text) => {
                let known = index
                    .by_owner(&text)
                    .or_else(|| index.by_id(&text))
                    .or_else(|| index.by_address(&text));
                if let Some(unit) = known {
                    let name = self.unit_name(workload, unit, names).await?;
                    return Ok(Row {
                        name,
                        unit: Some(unit.clone()),
                        ..Row::default()
                    });
                }
                match workload.owned_by {
                    Owner::Person => self.find_person(workload, index, text).await,
                    Owner::Site => self.find_site(workload, index, text).await,
                }
            }
        }
    }

    async fn find_person(
        &self,
        workload: &'static Workload,
        index: &UnitIndex,
        text: String,
    ) -> Result<Row, BackupError> {
        match self.directory.user(&text).await {
            Ok(user) => {
                let person = Person::of(&user).unwrap_or(Person {
                    id: text,
                    name: None,
                });
                Ok(of_owner(workload, index, person.id, person.name))
            }
            Err(error) => not_found(text, error),
        }
    }

    async fn find_site(
        &self,
        workload: &'static Workload,
        index: &UnitIndex,
        text: String,
    ) -> Result<Row, BackupError> {
        match self.directory.site(&text).await {
            Ok(site) => {
                let site = Site::of(&site).unwrap_or(Site {
                    id: text,
                    name: None,
                    url: None,
                });
                let name = site.name.or(site.url);
                Ok(of_owner(workload, index, site.id, name))
            }
            Err(error) => not_found(text, error),
        }
    }

    /// The directory's name of a unit's owner, else the owner's id. The service fills names in delegated calls only.
    async fn unit_name(
        &self,
        workload: &Workload,
        unit: &Json,
        names: &Names<'_>,
    ) -> Result<String, BackupError> {
        for property in ["displayName", "siteName"] {
            if let Some(name) = unit.string(property).filter(|name| !name.is_empty()) {
                return Ok(name);
            }
        }
        let id = unit.string("id").unwrap_or_default();
        let Some(owner) = unit.string(workload.owner) else {
            return Ok(id);
        };
        let listed = match names {
            Names::People(names) => names.get(&owner.to_ascii_lowercase()).cloned(),
            Names::Sites(sites) => {
                let site = sites.get(&owner.to_ascii_lowercase());
                site.and_then(|site| site.name.clone().or(site.url.clone()))
            }
            Names::ByLookup => return self.look_up_name(workload, owner).await,
        };
        Ok(listed.unwrap_or(owner))
    }

    async fn look_up_name(
        &self,
        workload: &Workload,
        owner: String,
    ) -> Result<String, BackupError> {
        let name = match workload.owned_by {
            Owner::Person if !is_guid(&owner) => return Ok(owner),
            Owner::Person => {
                let user = self.directory.user(&owner).await;
                user.map(|user| Person::of(&user).and_then(|person| person.name))
            }
            Owner::Site => {
                let site = self.directory.site(&owner).await;
                site.map(|site| Site::of(&site).and_then(|site| site.name.or(site.url)))
            }
        };
        match name {
            Ok(name) => Ok(name.unwrap_or(owner)),
            // A deleted user or site: the points outlive the name.
            Err(DirectoryError::NoUser { .. } | DirectoryError::NoSite { .. }) => Ok(owner),
            Err(error) => Err(error.into()),
        }
    }
}

/// Where the names of units come from that the service leaves nameless.
enum Names<'a> {
    /// Few: each is looked up.
    ByLookup,
    People(&'a HashMap<String, String>),
    Sites(&'a HashMap<String, Site>),
}

/// What the directory does not have is a row, not an error.
fn not_found(text: String, error: DirectoryError) -> Result<Row, BackupError> {
    match &error {
        DirectoryError::NoUser { .. } | DirectoryError::NoSite { .. } => {
            Ok(Row::without(text, "UserNotFound", error.to_string()))
        }
        DirectoryError::SeveralUsers { .. } => {
            let reason = format!("{error}; {}", error.hint().unwrap_or_default());
            Ok(Row::without(text, "Ambiguous", reason))
        }
        _ => Err(error.into()),
    }
}

/// From so many subjects without a name, one listing of all users is cheaper than a look-up each.
pub(super) const MANY: usize = 20;

/// So many look-ups are prepared together.
pub(super) const LOOKUPS: usize = 1_000;

fn needs_a_name(subject: &Subject, workload: &Workload) -> bool {
    match subject {
        Subject::Person(_) | Subject::Site(_) => false,
        Subject::Unit(unit) => ["displayName", "siteName"]
            .iter()
            .all(|name| unit.string(name).is_none_or(|name| name.is_empty())),
        Subject::Text(text) => workload.owned_by == Owner::Site || is_guid(text),
    }
}

fn of_owner(
    workload: &'static Workload,
    index: &UnitIndex,
    id: String,
    name: Option<String>,
) -> Row {
    let unit = index.by_owner(&id).cloned();
    let name = name.unwrap_or(id);
    if unit.is_none() {
        let reason = format!("this {} was never protected", workload.noun);
        return Row::without(name, "NoUnit", reason);
    }
    Row {
        name,
        unit,
        ..Row::default()
    }
}

fn unit_id(row: &Row) -> Option<String> {
    row.unit.as_ref()?.string("id")
}

/// Enters what the search said. `query` is `None` where any point would have done.
fn settle(row: &mut Row, found: Option<&Found>, workload: &Workload, query: Option<&Query>) {
    let left = row.unit.as_ref().is_some_and(has_left);
    let (code, reason) = match found {
        Some(Found::Point(point)) => {
            row.point = Some(point.clone());
            return;
        }
        Some(Found::Refused { code, message }) => (code.as_str(), message.clone()),
        // Never "without a point": the service did not say so.
        Some(Found::Unanswered { tries }) => (
            UNANSWERED,
            format!("the search for restore points left it unanswered {tries} times"),
        ),
        None => ("NoUnit", "its unit has no id".to_owned()),
        Some(Found::Nothing) if left => (
            "NotProtected",
            format!(
                "this {} has left protection and has no such point",
                workload.noun
            ),
        ),
        Some(Found::Nothing) => match query {
            None => ("NoPoint", "the service lists no restore point".to_owned()),
            Some(query) => {
                let after = query
                    .after
                    .map_or_else(String::new, |after| format!(" and not before {after}"));
                let tags = query
                    .tags
                    .as_ref()
                    .map_or_else(String::new, |tags| format!(" with tag {tags}"));
                (
                    "NoPointBefore",
                    format!(
                        "the service lists no restore point before {}{after}{tags}",
                        query.before
                    ),
                )
            }
        },
    };
    row.code = Some(code.to_owned());
    row.reason = Some(reason);
}
