//! One row for every item that somebody wants a point for: its unit, its point, or why there is none.

use std::collections::HashMap;

use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;

use super::search::{Found, Prefer, Query};
use super::unit::{UnitIndex, has_left};
use super::workload::Workload;
use super::{BackupError, Service};
use crate::directory::{DirectoryError, Person, is_guid};
use crate::graph::Json;

/// Whom or what a row is about.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// A user object of the directory.
    Person(Json),
    /// A protection unit.
    Unit(Json),
    /// An address, a user principal name, the id of a user or of a unit.
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
    fn without(name: String, code: &str, reason: String) -> Self {
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
        let now = self.client.service_now();
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
        self.find_unit(workload, index, subject, None).await
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
            .filter(|subject| needs_a_name(subject))
            .count();
        let names = if nameless > MANY {
            Some(self.directory.names().await?)
        } else {
            None
        };
        let mut rows = Vec::with_capacity(subjects.len());
        let mut subjects = subjects.into_iter().peekable();
        while subjects.peek().is_some() {
            // Some at a time: a look-up under way is larger than the row that it becomes.
            let lookups = subjects
                .by_ref()
                .take(LOOKUPS)
                .map(|subject| self.find_unit(workload, index, subject, names));
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
        names: Option<&HashMap<String, String>>,
    ) -> Result<Row, BackupError> {
        match subject {
            Subject::Person(user) => {
                let Some(person) = Person::of(&user) else {
                    let reason = "the user object has no id".to_owned();
                    return Ok(Row::without(user.text().to_owned(), "UserNotFound", reason));
                };
                Ok(of_person(workload, index, person))
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
                match self.directory.user(&text).await {
                    Ok(user) => {
                        let person = Person::of(&user).unwrap_or(Person {
                            id: text,
                            name: None,
                        });
                        Ok(of_person(workload, index, person))
                    }
                    Err(error @ DirectoryError::NoUser { .. }) => {
                        Ok(Row::without(text, "UserNotFound", error.to_string()))
                    }
                    Err(error @ DirectoryError::SeveralUsers { .. }) => {
                        let reason = format!("{error}; {}", error.hint().unwrap_or_default());
                        Ok(Row::without(text, "Ambiguous", reason))
                    }
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    /// The directory's name of a unit's owner, else the owner's id. The service fills names in delegated calls only.
    async fn unit_name(
        &self,
        workload: &Workload,
        unit: &Json,
        names: Option<&HashMap<String, String>>,
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
        if let Some(names) = names {
            return Ok(names
                .get(&owner.to_ascii_lowercase())
                .cloned()
                .unwrap_or(owner));
        }
        if !is_guid(&owner) {
            return Ok(owner);
        }
        match self.directory.user(&owner).await {
            Ok(user) => Ok(Person::of(&user)
                .and_then(|person| person.name)
                .unwrap_or(owner)),
            // A deleted user: the points outlive the name.
            Err(DirectoryError::NoUser { .. }) => Ok(owner),
            Err(error) => Err(error.into()),
        }
    }
}

/// From so many subjects without a name, one listing of all users is cheaper than a look-up each.
const MANY: usize = 20;

/// So many look-ups are prepared together.
const LOOKUPS: usize = 1_000;

fn needs_a_name(subject: &Subject) -> bool {
    match subject {
        Subject::Person(_) => false,
        Subject::Unit(unit) => unit
            .string("displayName")
            .is_none_or(|name| name.is_empty()),
        Subject::Text(text) => is_guid(text),
    }
}

fn of_person(workload: &'static Workload, index: &UnitIndex, person: Person) -> Row {
    let unit = index.by_owner(&person.id).cloned();
    let name = person.name.unwrap_or(person.id);
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
